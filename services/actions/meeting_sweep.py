"""Joint meetings that nobody looks after: nothing waits for ever. Run every minute from beat; twice is once.

Ladder: units are reminded the day before; a meeting that was not opened, or not closed, is told to whoever called it on
the next day; three days after its time a running one is closed, a week after it one nobody opened lapses.
"""

import datetime
import logging

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import SYSTEM
from core.errors import DomainError
from core.models import OutboxMessage
from core.notices import Message
from services import meeting_notices
from services.actions.meeting_moves import DEFER, close_meeting, lapse_meeting
from services.actions.resolutions import follow_ends
from services.meeting_rules import LEFT_CLOSE, LEFT_LAPSE, LEFT_REMIND, REMIND_AHEAD
from services.models import (
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionState,
)

logger = logging.getLogger(__name__)
BATCH = 200
_AHEAD = (MeetingState.PLANNED, MeetingState.PUBLISHED)
_ALIVE = (*_AHEAD, MeetingState.RUNNING)


def sweep_meetings(now: datetime.datetime | None = None) -> dict[str, int]:
    """Goes round all meetings and resolutions that wait. Returns how many rows each round touched."""
    now = now or timezone.now()
    return {
        "meetings_reminded": remind(now),
        "meetings_ended": end_left(now),
        "resolutions_followed": follow_ends(),
    }


def remind(now: datetime.datetime) -> int:
    """Writes the reminders that are due and were not written yet."""
    found = [*_tomorrow(now), *_left(now), *_late(now)]
    written = 0
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        known = set(OutboxMessage.objects.filter(key__in=[row.key for row in some]).values_list("key", flat=True))
        fresh = [row for row in some if row.key not in known]
        if fresh:
            with transaction.atomic():
                notices.post_many(fresh)
        written += len(fresh)
    return written


def _tomorrow(now: datetime.datetime) -> list[Message]:
    """To every unit that has not excused itself, the day before; once for each time the meeting was set to."""
    near = JointMeeting.objects.filter(
        state=MeetingState.PUBLISHED, held_at__gt=now, held_at__lte=now + REMIND_AHEAD
    ).prefetch_related("attendances")
    found = []
    for meeting in near:
        units = [row.unit_id for row in meeting.attendances.all() if row.state != Presence.EXCUSED]
        found += meeting_notices.to_units("meeting_tomorrow", meeting, units, f"{meeting.held_at:%Y%m%d%H%M}")
    return found


def _left(now: datetime.datetime) -> list[Message]:
    left = JointMeeting.objects.filter(state__in=_ALIVE, held_at__lt=now - LEFT_REMIND)
    return [
        meeting_notices.to_callers("meeting_left", meeting, f"{meeting.held_at:%Y%m%d%H%M}{meeting.state}")
        for meeting in left
    ]


def _late(now: datetime.datetime) -> list[Message]:
    """A resolution whose day has passed: to whoever called the meeting, and to the unit or the leader; once for each day
    it was set to."""
    today = timezone.localdate(now)
    rows = Resolution.objects.filter(
        state=ResolutionState.OPEN, due_on__lt=today, meeting__state=MeetingState.CLOSED
    ).select_related("meeting")
    found = []
    for row in rows:
        stage = f"{row.due_on:%Y%m%d}"
        readers = [meeting_notices.callers(row.meeting)]
        if row.leader_id is not None:
            readers.append({"user": row.leader_id})
        elif row.unit_id is not None:
            readers.append({"unit": {"unit": row.unit_id, "role": "liaison"}})
        found += [meeting_notices.of_resolution("resolution_late", row, one, stage) for one in readers]
    return found


def end_left(now: datetime.datetime) -> int:
    """Closes what was left running, with its unresolved items put off; lets lapse what nobody opened."""
    running = Q(state=MeetingState.RUNNING, held_at__lt=now - LEFT_CLOSE)
    unopened = Q(state__in=_AHEAD, held_at__lt=now - LEFT_LAPSE)
    ended = 0
    for meeting in JointMeeting.objects.filter(running | unopened).order_by("held_at")[:BATCH]:
        try:
            if meeting.state == MeetingState.RUNNING:
                _close(meeting)
            else:
                lapse_meeting(actor=SYSTEM, meeting=meeting)
        except DomainError as error:
            # Somebody saw to it meanwhile; the next round looks again.
            logger.info("meeting not ended: %s %s", meeting.pk, error.code)
        else:
            ended += 1
    return ended


def _close(meeting: JointMeeting) -> None:
    waiting = meeting.items.filter(state__in=[ItemState.OPEN, ItemState.CLAIMED])
    fates = dict.fromkeys(waiting.values_list("pk", flat=True), DEFER)
    summary = _("会后三天没有登记结束，自动结束；没有议定的列入下次会议。")
    close_meeting(actor=SYSTEM, meeting=meeting, summary=summary, fates=fates)
