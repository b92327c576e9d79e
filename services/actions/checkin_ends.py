"""How a check-in ends: with every open promise seen to, and nothing left hanging. Locks as in `checkins`."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import SYSTEM, Actor
from core.errors import Conflict
from core.moving import advance
from core.text import clean_text
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import batches, last_day
from grids.hanging import Passage
from services import checkin_notices, posts
from services.actions import checkins
from services.actions.applications import decided
from services.actions.commitments import Settlement, settle_commitments
from services.models import CheckInApplication, Commitment, UnitCheckIn
from services.selectors.checkins import open_promises, open_states
from services.workflow.checkins import CHECKIN_APPLICATION

# Named in a refusal; how many more there are is counted.
_NAMED = 3


@dataclass(frozen=True)
class CheckInEnd:
    """A check-in that shall end on a day; today when not given."""

    checkin: UnitCheckIn
    end: datetime.date | None = None


@transaction.atomic
def end_check_in(
    *,
    actor: Actor,
    checkin: UnitCheckIn,
    end: datetime.date | None = None,
    reason: str = "",
    settlements: Sequence[Settlement] = (),
    version: int | None = None,
) -> UnitCheckIn:
    """Ends a check-in and tells the unit. Orders the unit has in hand stay with it.

    Args:
        end: last day; today when not given.
        settlements: what becomes of each promise under it that is open.

    Raises:
        NotFound, Forbidden: no `checkin.manage` at the place.
        Invalid: the day is before the first one, or a settlement can not be (`settle_commitments`).
        Conflict: it has ended already, or an open promise is not settled (the message names them).
        Stale: the page is old.
    """
    hold_places(checkin.node)
    checkins.locked_units([checkin.unit_id, *(one.unit.pk for one in settlements if one.unit)])
    row = checkins.locked_checkins([checkin])[checkin.pk]
    require(actor, posts.MANAGE_CHECKIN, row)
    checkins.refuse_stale(row, version)
    last_day(row, end)
    if any(one.commitment.checkin_id != row.pk for one in settlements):
        raise Conflict(_("有的承诺不是这次报到的，请刷新页面后再办理。"), code="promise_elsewhere")
    settle_commitments(actor=actor, rows=settlements)
    (ended,) = end_check_ins(actor=actor, rows=[CheckInEnd(row, end)], reason=reason)
    notices.post_many([checkin_notices.ended(ended)])
    return ended


@transaction.atomic
def end_check_ins(*, actor: Actor, rows: Sequence[CheckInEnd], reason: str = "") -> list[UnitCheckIn]:
    """Ends many check-ins, for imports; all or none. Tells nobody. Raises as `end_check_in`."""
    locked = checkins.locked_checkins(row.checkin for row in rows)
    require(actor, posts.MANAGE_CHECKIN, *locked.values())
    refuse_unsettled(locked.values())
    reason = clean_text(reason, max_length=checkins.LONGEST, label=_("理由"), field="reason")
    deeds = []
    for row in rows:
        one = locked[row.checkin.pk]
        one.end = last_day(one, row.end)
        one.version += 1
        deeds.append(audit.Deed(one, {"end": (None, one.end)}, label=str(one), reason=reason))
    _withdraw_renewals(list(locked))
    UnitCheckIn.objects.bulk_update(locked.values(), ["end", "version"])
    audit.record_many(actor=actor, action="checkin.end", deeds=deeds)
    return [locked[row.checkin.pk] for row in rows]


def _withdraw_renewals(pks: Sequence[int]) -> None:
    """What asked for one of the check-ins to go on has nothing left to ask for."""
    for some in batches(pks):
        renewals = CheckInApplication.objects.filter(renews__in=some, state__in=open_states())
        for row in renewals.select_related("node", "unit").order_by("pk"):
            said = {"reason": _("报到已结束，不用再续签。")}
            advance(CHECKIN_APPLICATION, row, "withdraw", actor=SYSTEM, data=said, effect=decided, label=str(row))


# --- Promises -------------------------------------------------------------------------------------------------------


def refuse_unsettled(rows: Iterable[UnitCheckIn]) -> None:
    """Raises Conflict while one of the check-ins has an open promise."""
    left = open_promises([row.pk for row in rows])
    if left:
        raise Conflict(
            _("还有 %(count)d 项没有完成的承诺：%(names)s。请先逐项写明转给哪个单位，或者终止的理由。") % _named(left),
            code="promises_open",
        )


def _named(rows: Sequence[Commitment]) -> dict[str, object]:
    names = "、".join(f"“{row.title}”" for row in rows[:_NAMED])
    return {"count": len(rows), "names": names if len(rows) <= _NAMED else _("%(names)s等") % {"names": names}}


# --- When the place goes out of use (`grids.hanging`) ----------------------------------------------------------------


def follow_place(passage: Passage, went: Mapping[int, int]) -> None:
    """Check-ins that began anew at the successor: each gets its own number, and takes the open promises and what asks
    for its renewal along."""
    anew = UnitCheckIn.objects.select_related("node__county").in_bulk(went.values())
    checkins.number(list(anew.values()))
    _carry(passage, {old: anew[new] for old, new in went.items()})


def before_ending(passage: Passage, pks: Sequence[int]) -> None:
    """Check-ins about to end with their place: where the unit reports to the successor anyway, open promises go there.

    Raises Conflict where there is nobody to take them: they have to be seen to first.
    """
    ending = UnitCheckIn.objects.select_related("node", "unit").in_bulk(pks)
    twins = {}
    if passage.successor is not None:
        standing = UnitCheckIn.objects.filter(
            node=passage.successor, end=None, unit__in=[r.unit_id for r in ending.values()]
        )
        by_unit = {row.unit_id: row for row in standing}
        twins = {pk: by_unit[row.unit_id] for pk, row in ending.items() if row.unit_id in by_unit}
    refuse_unsettled(row for pk, row in ending.items() if pk not in twins)
    _withdraw_renewals([pk for pk in pks if pk not in twins])
    _carry(passage, twins)


def _carry(passage: Passage, went: Mapping[int, UnitCheckIn]) -> None:
    promises = open_promises(list(went))
    deeds = []
    for row in promises:
        before = row.checkin_id
        assert before is not None
        row.checkin = went[before]
        row.version += 1
        deeds.append(audit.Deed(row, {"checkin_id": (before, row.checkin_id)}, label=passage.node.name))
    Commitment.objects.bulk_update(promises, ["checkin", "version"])
    audit.record_many(actor=passage.actor, action="place.follow", deeds=deeds)
    renewals = list(CheckInApplication.objects.filter(renews__in=list(went), state__in=open_states()).order_by("pk"))
    for one in renewals:
        assert one.renews_id is not None
        one.renews = went[one.renews_id]
    CheckInApplication.objects.bulk_update(renewals, ["renews"])
