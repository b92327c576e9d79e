"""Promises do not wait for ever: whoever promised is reminded before the day and when it has passed, the community of what
waits for its confirmation. Keyed on (promise, stage): a second round writes nothing.
"""

import datetime

from django.db import transaction
from django.utils import timezone

from core import notices, working_calendar
from core.models import OutboxMessage
from core.notices import Message
from services.commitment_notices import message
from services.models import Commitment, CommitmentState
from services.selectors.commitments import due_soon, overdue

BATCH = 500
# Working days after which the community is reminded of what it has not confirmed.
CONFIRM_DAYS = 3


def sweep_commitments(now: datetime.datetime | None = None) -> int:
    """Writes the reminders that are due and were not written yet. Returns how many.

    A changed day makes a new reminder: what was told of the old one no longer holds. Past the day it is told again once
    a month, as long as it is open.
    """
    now = now or timezone.now()
    day = timezone.localdate(now)
    opened = Commitment.objects.select_related("node", "unit", "member", "community")
    found = [message("due_soon", row, period=str(row.due_on)) for row in opened.filter(due_soon(day))]
    found += [
        message("overdue", row, period=f"{row.due_on}.{(day - row.due_on).days // 30}")
        for row in opened.filter(overdue(day))
    ]
    calendar = working_calendar.load()
    for row in opened.filter(
        state=CommitmentState.REPORTED, reported_at__lt=now - datetime.timedelta(days=CONFIRM_DAYS)
    ):
        assert row.reported_at is not None
        waited = calendar.add_days(row.reported_at, CONFIRM_DAYS)
        if waited < now:
            weeks = (now - waited).days // 7
            found.append(message("unconfirmed", row, period=f"{row.version}.{weeks}"))
    return sum(_write(found[start : start + BATCH]) for start in range(0, len(found), BATCH))


def _write(found: list[Message]) -> int:
    known = set(OutboxMessage.objects.filter(key__in=[row.key for row in found]).values_list("key", flat=True))
    fresh = [row for row in found if row.key not in known]
    with transaction.atomic():
        notices.post_many(fresh)
    return len(fresh)
