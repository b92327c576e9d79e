"""A unit applies to report to a place (单位报到), the community takes it in, sends it back or declines. Source:
docs/domain.md#z1, docs/practice.md#checkin. Locks as in `checkins`.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid
from core.models import User
from core.moving import advance
from core.text import clean_text
from grids.actions import hold_places
from grids.actions.permission import require
from grids.models import GridNode
from partybuilding.models import Unit
from services import checkin_notices, posts
from services.actions import checkins
from services.models import CheckInApplication, CheckInRole, UnitCheckIn
from services.selectors.checkins import LEVELS, may_renew, open_states
from services.workflow.checkins import CHECKIN_APPLICATION as FLOW

_RELATED = ("unit__county", "node__county", "node__level_type", "unit_liaison", "renews", "checkin")


@transaction.atomic
def apply_to_check_in(
    *,
    actor: Actor,
    unit: Unit,
    node: GridNode,
    role: str = CheckInRole.SUPPORTING,
    brings: str,
    years: int = 1,
    unit_liaison: User | None = None,
    renews: UnitCheckIn | None = None,
) -> CheckInApplication:
    """Asks a community to take a unit in at a place.

    Args:
        node: a community, a sector or a compound.
        brings: what the unit brings, at most 500 characters. years: how long the agreement shall run, 1 to 5.
        unit_liaison: who answers for the unit; whoever applies, when not given.
        renews: the unit's check-in there that shall go on.

    Raises:
        NotFound, Forbidden: no `checkin.apply` for the unit.
        Invalid: the place or the unit is out of use or the wrong one, an input is not usable.
        Conflict: the unit has reported there already, has applied already, or there is nothing to renew yet.
    """
    require(actor, posts.APPLY_CHECKIN, unit)
    (node,) = hold_places(node)
    unit = checkins.locked_units([unit.pk])[unit.pk]
    checkins.check_both(unit, node)
    if node.level_type.key not in LEVELS and renews is None:
        message = _("单位向社区、片区或小区报到，请选择其中一处。")
        raise Invalid(message, fields={"node": message})
    row = CheckInApplication(unit=unit, node=node, renews=renews, applied_by=user_of(actor))
    _fill(row, role=role, brings=brings, years=years, unit_liaison=unit_liaison or user_of(actor))
    _refuse_reported(row)
    if CheckInApplication.objects.filter(unit=unit, node=node, state__in=open_states()).exists():
        raise _applied(row)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise _applied(row) from error
    fields = ("unit_id", "node_id", "role", "brings", "years", "unit_liaison_id", "renews_id")
    changes = {name: (None, getattr(row, name)) for name in fields if getattr(row, name) is not None}
    audit.record(actor=actor, action=f"{FLOW.name}.apply", obj=row, label=str(row), changes=changes, new=True)
    notices.post_many([checkin_notices.moved("apply", row)])
    return row


def renew(
    *,
    actor: Actor,
    checkin: UnitCheckIn,
    role: str = "",
    brings: str = "",
    years: int = 1,
    unit_liaison: User | None = None,
) -> CheckInApplication:
    """Asks the community to let a check-in go on. What is not given is as it was. Raises as `apply_to_check_in`."""
    return apply_to_check_in(
        actor=actor,
        unit=checkin.unit,
        node=checkin.node,
        role=role or checkin.role,
        brings=brings or checkin.brings,
        years=years,
        unit_liaison=unit_liaison,
        renews=checkin,
    )


def reapply(
    *,
    actor: Actor,
    application: CheckInApplication,
    role: str,
    brings: str,
    years: int,
    unit_liaison: User,
    version: int | None = None,
) -> CheckInApplication:
    """Applies again, with what the community asked for. Raises as `core.moving.advance`, and as `apply_to_check_in`."""

    def effect(row: CheckInApplication, data: Mapping[str, Any]) -> None:
        _fill(row, **data)
        row.applied_at, row.decided_at, row.reason = timezone.now(), None, ""

    data = {"role": role, "brings": brings, "years": years, "unit_liaison": unit_liaison}
    return _move(actor, application, "reapply", data, version, effect)


def withdraw(*, actor: Actor, application: CheckInApplication, version: int | None = None) -> CheckInApplication:
    """Takes an application back. Raises as `core.moving.advance`."""
    return _move(actor, application, "withdraw", {}, version, decided)


def accept(
    *, actor: Actor, application: CheckInApplication, community_liaison: User, version: int | None = None
) -> CheckInApplication:
    """Takes the unit in: makes the check-in, or lets the one that is renewed go on. It is the answer's `checkin`.

    Args:
        community_liaison: who answers for the community, from a post there.

    Raises:
        As `core.moving.advance`. Invalid: the liaison, the unit or the place has changed so that it can not be done.
        Conflict: the unit has been registered there meanwhile, or what it renews has ended.
    """

    def effect(row: CheckInApplication, data: Mapping[str, Any]) -> None:
        checkins.check_both(row.unit, row.node)
        _refuse_reported(row)
        decided(row, data)
        liaison = data["community_liaison"]
        row.checkin = _prolong(actor, row, liaison) if row.renews else _begin(actor, row, liaison)

    return _move(actor, application, "accept", {"community_liaison": community_liaison}, version, effect)


def send_back(
    *, actor: Actor, application: CheckInApplication, reason: str, version: int | None = None
) -> CheckInApplication:
    """Asks the unit for more. Raises as `core.moving.advance`."""
    return _move(actor, application, "send_back", {"reason": _reason(reason)}, version, decided)


def decline(
    *, actor: Actor, application: CheckInApplication, reason: str, version: int | None = None
) -> CheckInApplication:
    """Does not take the unit in. Raises as `core.moving.advance`."""
    return _move(actor, application, "decline", {"reason": _reason(reason)}, version, decided)


def _move(
    actor: Actor, application: CheckInApplication, name: str, data: Mapping[str, Any], version: int | None, effect: Any
) -> CheckInApplication:
    with transaction.atomic():
        (node,) = hold_places(application.node)
        checkins.locked_units([application.unit_id])

        def there(row: CheckInApplication, data: Mapping[str, Any]) -> None:
            if row.node_id != node.pk:
                raise Conflict(_("这份申请刚刚转到了“%(place)s”，请刷新后再办理。") % {"place": row.node.path})
            effect(row, data)

        row = advance(
            FLOW,
            application,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=there,
            related=_RELATED,
            label=str(application),
        )
        notices.post_many([checkin_notices.moved(name, row)])
    return row


def _begin(actor: Actor, row: CheckInApplication, liaison: User) -> UnitCheckIn:
    start = timezone.localdate()
    one = UnitCheckIn(
        unit=row.unit,
        node=row.node,
        role=row.role,
        brings=row.brings,
        unit_liaison=row.unit_liaison,
        community_liaison=liaison,
        start=start,
        until=checkins.years_later(start, row.years),
    )
    checkins.check_liaisons([one])
    return checkins.create(actor=actor, rows=[one])[0]


def _prolong(actor: Actor, row: CheckInApplication, liaison: User) -> UnitCheckIn:
    """From the old last day on, so that nobody loses days by renewing early; from today when that day is past."""
    assert row.renews is not None
    held = UnitCheckIn.objects.select_related("node__county", "unit").get(pk=row.renews_id)
    last: datetime.date = max(held.until or timezone.localdate(), timezone.localdate())
    change = checkins.CheckInChange(
        held,
        role=row.role,
        brings=row.brings,
        until=checkins.years_later(last, row.years),
        unit_liaison=row.unit_liaison,
        community_liaison=liaison,
    )
    (after,) = checkins.change_check_ins(actor=actor, rows=[change])
    if not after.number:
        checkins.number([after])
    return after


def _fill(row: CheckInApplication, *, role: str, brings: str, years: int, unit_liaison: User | None) -> None:
    row.role = checkins.clean_role(role)
    row.brings = checkins.clean_brings(brings, required=True)
    row.years = int(years)
    checkins.years_later(timezone.localdate(), row.years)
    row.unit_liaison = unit_liaison
    one = UnitCheckIn(unit=row.unit, node=row.node, unit_liaison=unit_liaison)
    checkins.check_liaisons([one])


def _refuse_reported(row: CheckInApplication) -> None:
    """Raises Conflict: the unit reports there already, or what it wants to renew is over or runs for long."""
    if row.renews_id is None:
        today = timezone.localdate()
        one = UnitCheckIn(unit=row.unit, node=row.node, start=today)
        standing = checkins.standing_at([row.node_id], [row.unit_id])
        checkins.refuse_twice(one, standing.get((row.unit_id, row.node_id), []))
        return
    held = UnitCheckIn.objects.get(pk=row.renews_id)
    if held.end is not None:
        raise Conflict(_("这项报到已结束，不能续签，请重新申请。"), code="ended_already")
    if row._state.adding and not may_renew(held):
        raise Conflict(_("协议到期前 30 天内才用续签。"), code="too_early")


def _applied(row: CheckInApplication) -> Conflict:
    message = _("“%(unit)s”已向“%(place)s”申请报到，请等社区办理，不用重复申请。")
    return Conflict(message % {"unit": row.unit, "place": row.node}, code="applied_already")


def _reason(reason: str) -> str:
    return clean_text(reason, max_length=checkins.LONGEST, label=_("理由"), field="reason")


def decided(row: CheckInApplication, data: Mapping[str, Any]) -> None:
    """The effect of every answer to an application: when, and what was said."""
    row.decided_at, row.reason = timezone.now(), str(data.get("reason") or row.reason)
