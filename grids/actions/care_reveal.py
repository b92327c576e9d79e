"""Seeing how to reach a household: masked by default, an action with a purpose and an audit row each time."""

from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies, throttle
from core.errors import Conflict, Invalid, NotFound
from core.models import User
from grids.actions.care import label_of
from grids.care import REVEALS_AN_HOUR, RevealPurpose
from grids.models import CareHousehold
from grids.posts import REVEAL_CARE


@dataclass(frozen=True)
class Revealed:
    """Shown once, stored nowhere."""

    name: str
    phone: str
    room: str


def reveal_household(*, actor: User, household: CareHousehold, purpose: str) -> Revealed:
    """Shows whom to ask for and the phone, and writes down who looked and for what.

    Args:
        purpose: a key of `RevealPurpose`.

    Raises:
        NotFound, Forbidden: no `care.reveal` there. Invalid: no such purpose. Throttled: too many in an hour.
        Conflict: the entry has run out; it is confirmed at the door first.
    """
    policies.require(actor, REVEAL_CARE, household)
    if purpose not in RevealPurpose.values:
        message = _("请选择查看的用途。")
        raise Invalid(message, fields={"purpose": message})
    # Outside the transaction: a look that fails counts as well.
    throttle.hit(f"care.reveal:{actor.pk}", limit=REVEALS_AN_HOUR, window_seconds=3600)
    return _reveal(actor, household, purpose)


@transaction.atomic
def _reveal(actor: User, household: CareHousehold, purpose: str) -> Revealed:
    rows = CareHousehold.objects.kept().filter(pk=household.pk).select_for_update(of=("self",))
    one = rows.select_related("node", "community").first()
    if one is None:
        raise NotFound(_("没有找到这户。可能已被删除，或不在您的管辖范围内。"))
    policies.require(actor, REVEAL_CARE, one)
    if one.expires_on <= timezone.localdate():
        raise Conflict(_("这户的登记已到期，不再提供联系方式。请先上门核实。"), code="run_out")
    reason = str(RevealPurpose(purpose).label)
    audit.record(actor=actor, action="care.reveal", obj=one, label=label_of(one), reason=reason)
    return Revealed(one.name, one.phone, one.room)
