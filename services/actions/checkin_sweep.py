"""What check-ins remind of by themselves, every hour: units that wait for an answer, agreements that run out. Each notice is
keyed on who, what and the period, so that a beat that runs twice writes none twice.
"""

import datetime
from collections import Counter

from django.db import transaction
from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from core import notices
from core.notices import Message
from services import checkin_notices
from services.clocks import clock_for
from services.models import ApplicationState, CheckInApplication, UnitCheckIn
from services.selectors.checkins import counted, open_states, running_out

# Working days in which a community answers, and in which a unit completes what was sent back (docs/practice.md#checkin).
ANSWER_WORKDAYS = 3


def sweep_checkins(now: datetime.datetime | None = None) -> dict[str, int]:
    """Writes the reminders that are due. Returns how many there are of each kind, those written before included."""
    now = now or timezone.now()
    found = {"waiting": _waiting(now), "sent_back": _sent_back(now), "running_out": _running_out(now)}
    with transaction.atomic():
        notices.post_many(message for messages in found.values() for message in messages)
    return {name: len(messages) for name, messages in found.items()}


def _waiting(now: datetime.datetime) -> list[Message]:
    """One notice a community and day, however many units wait."""
    rows = CheckInApplication.objects.filter(state=ApplicationState.APPLIED)
    late = Counter(
        row.node.community_id or row.node_id
        for row in rows.filter(applied_at__lt=_earliest(now)).select_related("node")
        if now >= clock_for(row.node.county_id).workdays(row.applied_at, ANSWER_WORKDAYS)
    )
    return [checkin_notices.waiting(node, number, timezone.localdate(now)) for node, number in sorted(late.items())]


def _sent_back(now: datetime.datetime) -> list[Message]:
    """One notice an application and week."""
    year, week, _day = timezone.localdate(now).isocalendar()
    rows = CheckInApplication.objects.filter(state=ApplicationState.SENT_BACK, decided_at__lt=_earliest(now))
    return [
        checkin_notices.to_complete(row, f"{year}W{week:02d}")
        for row in rows.select_related("node", "unit")
        if row.decided_at and now >= clock_for(row.node.county_id).workdays(row.decided_at, ANSWER_WORKDAYS)
    ]


def _earliest(now: datetime.datetime) -> datetime.datetime:
    """Working days are no shorter than days: what came later needs no look at the calendar."""
    return now - datetime.timedelta(days=ANSWER_WORKDAYS - 1)


def _running_out(now: datetime.datetime) -> list[Message]:
    """One notice a check-in and month to the unit, unless it has asked to renew; one a month to the community."""
    day = timezone.localdate(now)
    rows = counted(UnitCheckIn.objects.filter(running_out(day)))
    asked = CheckInApplication.objects.filter(renews=OuterRef("pk"), state__in=open_states())
    found = [
        checkin_notices.runs_out(row, day) for row in rows.filter(~Exists(asked)).select_related("node").order_by("pk")
    ]
    there = rows.filter(node__community__isnull=False).values_list("node__community_id").annotate(n=Count("pk"))
    found += [checkin_notices.run_out_there(node, number, day) for node, number in there.order_by("node__community_id")]
    return found
