"""No case and no help waits for ever: reminders, then invitations that lapse, helps and cases that end by themselves; and what
is over for a year is forgotten. Hooked into the beat; each notice is keyed on who, what and period, so a second round writes
nothing, and each move is the table's own, so a round that comes too late finds nothing to do.
"""

import datetime
from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import SYSTEM
from core.errors import Conflict
from core.notices import Message
from services import case_notices
from services.actions.case_helps import end_help, lapse_help
from services.actions.cases import OPEN_HELPS, close_case, erase_case
from services.clocks import clock_for
from services.models import CaseState, Help, HelpCase, HelpState

# Working days after its limit for which an invitation still stands.
LAPSE_WORKDAYS = 5
# Days without a line and without an open help: when the community is asked to close, and when the case closes itself.
IDLE_DAYS, CLOSE_DAYS = 30, 90
# Days after the day a help was promised for, without a line from the unit, after which it ends by itself.
SILENT_DAYS = 90
_FEW = 200


def sweep_cases(now: datetime.datetime | None = None) -> dict[str, int]:
    """Writes the reminders that are due and makes the moves that are. Returns how many of each, reminders written before
    included."""
    now = now or timezone.now()
    found = {"waiting": _waiting(now), "overdue": _overdue(now), "review": _reviews(now), "idle": _idle(now)}
    with transaction.atomic():
        notices.post_many(message for messages in found.values() for message in messages)
    counts = {name: len(messages) for name, messages in found.items()}
    counts["lapsed"] = _each(_lapsed(now), lambda row: lapse_help(actor=SYSTEM, help=row))
    counts["ended"] = _each(_silent(now), _end_silent)
    counts["closed"] = _each(_left_alone(now, CLOSE_DAYS), _close)
    counts["erased"] = _each(_to_erase(now), lambda row: erase_case(actor=SYSTEM, case=row))
    return counts


def _waiting(now: datetime.datetime) -> list[Message]:
    """Units near the limit of their answer; past it the community, which may ask another."""
    found = []
    for row in _helps(state=HelpState.ASKED, due_at__isnull=False):
        assert row.due_at is not None
        if now >= row.due_at:
            found.append(case_notices.to_community("unanswered", row))
        elif now >= clock_for(row.case.county_id).warn_at(row.asked_at, row.due_at):
            found.append(case_notices.to_unit("remind", row))
    return found


def _lapsed(now: datetime.datetime) -> Iterable[Help]:
    for row in _helps(state=HelpState.ASKED, due_at__lt=now - datetime.timedelta(days=LAPSE_WORKDAYS)):
        assert row.due_at is not None
        if now >= clock_for(row.case.county_id).workdays(row.due_at, LAPSE_WORKDAYS):
            yield row


def _overdue(now: datetime.datetime) -> list[Message]:
    """Both sides, once a week and for each day that was named."""
    day, found = timezone.localdate(now), []
    for row in _helps(state=HelpState.HELPING, due_on__lt=day):
        assert row.due_on is not None
        period = f"{row.due_on}.{(day - row.due_on).days // 7}"
        found += [
            case_notices.to_unit("overdue", row, period=period),
            case_notices.to_community("overdue", row, period=period),
        ]
    return found


def _silent(now: datetime.datetime) -> Iterable[Help]:
    before = now - datetime.timedelta(days=SILENT_DAYS)
    rows = _helps(state=HelpState.HELPING, due_on__lt=timezone.localdate(before))
    return rows.annotate(last=Max("entries__at")).exclude(last__gte=before)


def _end_silent(row: Help) -> None:
    row = end_help(actor=SYSTEM, help=row, text=_("过了说好的日子 90 天没有消息，自动终止。"))
    notices.post_many([case_notices.to_community("ended", row)])


def _reviews(now: datetime.datetime) -> list[Message]:
    """The community, once a week and for each day that was named."""
    day = timezone.localdate(now)
    rows = HelpCase.objects.filter(state=CaseState.OPEN, review_on__lte=day).select_related("community").order_by("pk")
    return [
        case_notices.of_case("review", row, period=f"{row.review_on}.{(day - row.review_on).days // 7}")
        for row in rows
        if row.review_on is not None
    ]


def _idle(now: datetime.datetime) -> list[Message]:
    return [
        case_notices.of_case("idle", row, period=f"{timezone.localdate(row.last)}.{(now - row.last).days // IDLE_DAYS}")
        for row in _left_alone(now, IDLE_DAYS)
    ]


def _left_alone(now: datetime.datetime, days: int) -> Any:
    """Open cases in which nobody is asked or helping and nobody has written for some days; `last`: when somebody did."""
    running = Help.objects.filter(case=OuterRef("pk"), state__in=OPEN_HELPS)
    rows = HelpCase.objects.filter(~Exists(running), state=CaseState.OPEN).annotate(last=Max("entries__at"))
    return rows.filter(last__lt=now - datetime.timedelta(days=days)).select_related("community").order_by("pk")[:_FEW]


def _close(row: HelpCase) -> None:
    row = close_case(actor=SYSTEM, case=row, result=_("长期没有单位帮扶，也没有新的记录，自动结案。"))
    notices.post_many([case_notices.of_case("closed_itself", row, period=str(row.version))])


def _to_erase(now: datetime.datetime) -> Iterable[HelpCase]:
    rows = HelpCase.objects.filter(
        state=CaseState.CLOSED, erased_at__isnull=True, erase_on__lte=timezone.localdate(now)
    )
    return rows.order_by("pk")[:_FEW]


def _helps(**which: Any) -> QuerySet[Help]:
    return Help.objects.filter(**which).select_related("case__community", "unit").order_by("pk")


def _each(rows: Iterable[Any], deed: Callable[[Any], Any]) -> int:
    """Makes a move of each row, in a transaction of its own. One that somebody has moved meanwhile is left alone."""
    made = 0
    for row in rows:
        try:
            with transaction.atomic():
                deed(row)
        except Conflict:
            continue
        made += 1
    return made
