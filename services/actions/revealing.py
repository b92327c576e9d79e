"""Seeing how to reach a resident: masked by default, an action with a reason and an audit row each time."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.errors import Forbidden
from core.models import User
from core.text import clean_line
from services import posts
from services.models import Demand
from services.selectors import loop as selectors


@dataclass(frozen=True)
class Contact:
    name: str
    phone: str


@transaction.atomic
def reveal_contact(*, actor: User, demand: Demand, reason: str) -> Contact:
    """Shows name and phone of the person to call, and writes down who looked and why.

    Raises `Invalid` without a reason, `Forbidden` or `NotFound` without the right (a unit has it until it gives the
    matter back, a member once the assignment is taken).
    """
    policies.require(actor, posts.REVEAL_CONTACT, demand)
    reason = clean_line(reason, max_length=200, label=_("查看理由"), field="reason", required=True)
    if not selectors.may_reveal(actor, demand):
        raise Forbidden(_("请先接受安排，再查看联系方式；已退单的不再提供。"))
    locked = Demand.objects.select_for_update().get(pk=demand.pk)
    audit.record(actor=actor, action="demand.reveal_contact", obj=locked, label=locked.code, reason=reason)
    return Contact(locked.contact_name, locked.contact_phone)
