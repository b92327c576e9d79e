"""Units reporting to places. The application process comes later; this is the registration itself."""

import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Invalid
from grids.actions import hold_places
from grids.actions.terms import last_day
from grids.models import GridNode
from partybuilding.models import Unit
from services import posts
from services.models import CheckInRole, UnitCheckIn


def check_in(
    *,
    actor: Actor,
    unit: Unit,
    node: GridNode,
    role: str = CheckInRole.SUPPORTING,
    start: datetime.date | None = None,
) -> UnitCheckIn:
    """Registers a unit with a place, from a day on (today when not given).

    Raises `Invalid` for a unit or place that is out of use or of another county, `Conflict` when it has reported
    there already, `Forbidden`/`NotFound` without `checkin.manage` at the place.
    """
    if actor is not SYSTEM:
        policies.require(actor, posts.MANAGE_CHECKIN, node)
    if role not in CheckInRole.values:
        raise Invalid(_("请选择牵头单位或配合单位。"), fields={"role": _("没有这个角色。")})
    if unit.county_id != node.county_id or not unit.is_active:
        raise Invalid(_("“%(unit)s”不是本县在用的单位。") % {"unit": unit}, fields={"unit": _("不能选择。")})
    try:
        with transaction.atomic():
            (node,) = hold_places(node)
            if node.is_retired:
                raise Invalid(_("“%(place)s”已撤销。") % {"place": node}, fields={"node": _("已撤销。")})
            row = UnitCheckIn.objects.create(unit=unit, node=node, role=role, start=start or timezone.localdate())
            audit.record(actor=actor, action="checkin.start", obj=row, label=str(row), changes=_after(row), new=True)
    except IntegrityError as error:
        raise Conflict(_("“%(unit)s”已在“%(place)s”报到。") % {"unit": unit, "place": node}) from error
    return row


@transaction.atomic
def end_check_in(*, actor: Actor, checkin: UnitCheckIn, end: datetime.date | None = None) -> UnitCheckIn:
    """Ends a check-in on a day (today when not given). What the unit has in hand stays with it.

    Raises `Invalid` when the day is before the start, `Conflict` when it has ended already.
    """
    row = UnitCheckIn.objects.select_for_update(of=("self",)).select_related("node", "unit").get(pk=checkin.pk)
    if actor is not SYSTEM:
        policies.require(actor, posts.MANAGE_CHECKIN, row)
    row.end = last_day(row, end)
    row.save(update_fields=["end"])
    audit.record(actor=actor, action="checkin.end", obj=row, label=str(row), changes={"end": (None, row.end)})
    return row


def _after(row: UnitCheckIn) -> dict[str, tuple[Any, Any]]:
    return {name: (None, getattr(row, name)) for name in ("unit_id", "node_id", "role", "start")}
