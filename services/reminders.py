"""When a sub-order is reminded of what, said once. The sweeper asks when the next one is due, and sends what has come."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from services.clocks import Clock, clock_for
from services.models import SubOrder, SubOrderRole, SubOrderState
from services.workflow.waits import UP_AFTER

# Working days after which a supporting unit that is still late is reminded again: the ladder is its lead's, and ends with
# the lead's part, while its own goes on (docs/practice.md#ladder).
AGAIN_WORKDAYS = 5


@dataclass(frozen=True)
class Reminder:
    """One reminder of a sub-order.

    Attributes:
        at: when it is due. name: its row of the table of notices. stage: makes its key.
        until: when it makes no sense any more.
        to_order: whether it speaks to the order's own unit.
    """

    at: datetime.datetime
    name: str
    stage: str
    until: datetime.datetime | None = None
    to_order: bool = True


def reminders_of(row: Any, now: datetime.datetime) -> Iterator[Reminder]:
    """Every reminder of a running sub-order, past ones too; of those that come again and again the last and the next one.
    Needs no `demand` but its county."""
    clock = clock_for(row.demand.county_id)
    if row.state == SubOrderState.DISPATCHED and row.sign_due_at is not None:
        stage = _stage(row.sign_due_at)
        yield Reminder(row.sign_due_at, "sign_late", stage)
        yield Reminder(clock.workdays(row.sign_due_at, UP_AFTER), "sign_late_community", stage)
    if row.review_due_at is not None:
        stage = _stage(row.review_due_at)
        yield Reminder(row.review_due_at, "review_late", stage)
        yield Reminder(clock.workdays(row.review_due_at, UP_AFTER), "review_late_street", stage)
        top = clock.workdays(row.review_due_at, clock.limits.bulletin_workdays)
        yield Reminder(top, "review_late_county", stage)
    if row.due_at is None:
        return
    stage = _stage(row.due_at)
    if row.warn_at is not None:
        yield Reminder(row.warn_at, "due_soon", stage, until=row.due_at)
    yield Reminder(row.due_at, "late", f"{stage}.0")
    yield Reminder(row.due_at, "late_community", stage)
    yield Reminder(row.due_at + datetime.timedelta(days=1), "late", f"{stage}.1")
    top = clock.workdays(row.due_at, clock.limits.bulletin_workdays)
    yield Reminder(top, "bulletin", stage, to_order=False)
    if row.role == SubOrderRole.SUPPORTING:
        yield from _again(clock, top, stage, now)


def _again(clock: Clock, top: datetime.datetime, stage: str, now: datetime.datetime) -> Iterator[Reminder]:
    last, coming = None, clock.workdays(top, AGAIN_WORKDAYS)
    while coming <= now:
        last, coming = coming, clock.workdays(coming, AGAIN_WORKDAYS)
    for at in filter(None, (last, coming)):
        for name in ("late", "late_community"):
            yield Reminder(at, name, f"{stage}.{at:%Y%m%d}")


def first_at(row: SubOrder) -> datetime.datetime | None:
    """When a sub-order is to be looked at first, after a move changed it. What was sent before is not sent twice."""
    moments = [row.sign_due_at if row.state == SubOrderState.DISPATCHED else None, row.review_due_at, row.warn_at]
    return min((moment for moment in (*moments, row.due_at) if moment is not None), default=None)


def next_at(row: SubOrder, now: datetime.datetime) -> datetime.datetime | None:
    """When the next reminder after `now` is due; None when there is none left."""
    return min((one.at for one in reminders_of(row, now) if one.at > now), default=None)


def due(row: SubOrder, now: datetime.datetime) -> list[Reminder]:
    """What is to be said by now."""
    return [one for one in reminders_of(row, now) if one.at <= now and (one.until is None or now <= one.until)]


def _stage(limit: datetime.datetime) -> str:
    return f"{limit:%Y%m%d%H%M}"
