"""Seeing how to reach a resident: masked by default, an action with a reason and an audit row each time."""

from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.errors import Forbidden
from core.models import User
from core.text import clean_line
from partybuilding.policies import MemberScope
from services import posts
from services.models import Assignment, AssignmentState, Demand


@dataclass(frozen=True)
class Contact:
    name: str
    phone: str


@transaction.atomic
def reveal_contact(*, actor: User, demand: Demand, reason: str) -> Contact:
    """Shows name and phone of the person to call, and writes down who looked and why.

    Raises `Invalid` without a reason, `Forbidden` or `NotFound` without the right (a member has it once the
    assignment is taken).
    """
    policies.require(actor, posts.REVEAL_CONTACT, demand)
    reason = clean_line(reason, max_length=200, label=_("查看理由"), field="reason", required=True)
    _check_taken(actor, demand)
    locked = Demand.objects.select_for_update().get(pk=demand.pk)
    audit.record(actor=actor, action="demand.reveal_contact", obj=locked, label=locked.code, reason=reason)
    return Contact(locked.contact_name, locked.contact_phone)


def _check_taken(actor: User, demand: Demand) -> None:
    covering = [
        scope
        for scope in policies.scopes(actor, posts.REVEAL_CONTACT)
        if policies.policy_of(Demand).covers(scope, demand)
    ]
    if any(not isinstance(scope, MemberScope) for scope in covering):
        return
    mine = [scope.member_id for scope in covering]
    taken = Assignment.objects.filter(member_id__in=mine, suborder__demand=demand, state=AssignmentState.TAKEN)
    if not taken.exists():
        raise Forbidden(_("请先接受安排，再查看联系方式。"))
