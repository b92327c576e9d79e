"""Resolutions after the meeting: tracked to their end. Source: docs/practice.md#checkin."""

import logging
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.actors import SYSTEM, Actor
from core.errors import DomainError
from core.moving import advance
from core.text import clean_line
from services.actions.meeting_rows import PERSONAL, RELATED, clean_words, know_meeting, show_anew
from services.models import (
    AgendaItem,
    CommitmentState,
    ItemState,
    MeetingState,
    ProjectState,
    Resolution,
    ResolutionState,
)
from services.workflow.meetings import RESOLUTION

logger = logging.getLogger(__name__)
_RELATED = (*(f"meeting__{name}" for name in RELATED), "item", "project", "commitment", "unit", "leader")
BATCH = 500


def finish_resolution(*, actor: Actor, resolution: Resolution, result: str, version: int | None = None) -> Resolution:
    """Says that a task or a leader's matter is done, and how. What became a project or a commitment follows that.

    Raises: NotFound, Forbidden, InvalidTransition, Stale; Invalid without words.
    """
    return _end(actor, resolution, "finish", result, version)


def coordinate_resolution(
    *, actor: Actor, resolution: Resolution, result: str, version: int | None = None
) -> Resolution:
    """The leader to whom a matter went says what came of it. Raises as `finish_resolution`."""
    return _end(actor, resolution, "coordinate", result, version)


@transaction.atomic
def drop_resolution(*, actor: Actor, resolution: Resolution, reason: str, version: int | None = None) -> Resolution:
    """Gives a resolution up, with a reason. At the table the item is open again when nothing else was resolved of it.

    Raises: NotFound, Forbidden, InvalidTransition, Stale; Invalid without a reason.
    """
    meeting = know_meeting(actor, resolution.meeting)
    reason = clean_line(reason, max_length=500, label=_("原因"), field="reason")

    def write(row: Resolution, _data: Any) -> None:
        row.result = reason

    data = {"reason": reason}
    row = _advance(actor, resolution, "drop", data=data, version=version, effect=write)
    if meeting.state != MeetingState.CLOSED:
        _reopen_item(row)
    show_anew(meeting)
    return row


def _reopen_item(row: Resolution) -> None:
    item = AgendaItem.objects.select_for_update(of=("self",)).get(pk=row.item_id)
    left = list(item.resolutions.filter(state=ResolutionState.OPEN).values_list("leader_id", flat=True))
    if not left:
        state = ItemState.CLAIMED if item.unit_id else ItemState.OPEN
    else:
        state = ItemState.LEADER if all(left) else ItemState.RESOLVED
    if state != item.state:
        item.state, item.version = state, item.version + 1
        item.save(update_fields=["state", "version"])


def follow_ends(limit: int = BATCH, **only: Any) -> int:
    """Ends the resolutions whose project or commitment has come to its end. Answers how many.

    Called when a project or a commitment is accepted, and by the sweeper every minute for every other way in which one may
    end; what it does twice it does once.

    Args:
        only: narrows it to one `project` or `commitment`.
    """
    done = Q(project__state=ProjectState.DONE) | Q(commitment__state=CommitmentState.DONE)
    over = Q(project__state=ProjectState.DROPPED) | Q(commitment__state=CommitmentState.DROPPED)
    moved = Q(commitment__state=CommitmentState.MOVED, commitment__moved_to__isnull=False)
    waiting = Resolution.objects.filter(done | over | moved, state=ResolutionState.OPEN, **only)
    count = 0
    for row in waiting.select_related(*_RELATED).order_by("pk")[:limit]:
        try:
            _follow(row)
        except DomainError as error:
            # Somebody moved it meanwhile; the next round looks again.
            logger.info("resolution not followed: %s %s", row.pk, error.code)
        else:
            count += 1
    return count


def _follow(row: Resolution) -> None:
    project, commitment = row.project, row.commitment
    if commitment is not None and commitment.state == CommitmentState.MOVED:
        # The promise went to another place or unit: the resolution goes along.
        Resolution.objects.filter(pk=row.pk, commitment=commitment).update(commitment=commitment.moved_to)
        return
    done = ProjectState.DONE if project is not None else CommitmentState.DONE
    source: Any = project or commitment

    def write(locked: Resolution, _data: Any) -> None:
        if source.state == done:
            locked.done_on = source.done_on or timezone.localdate()
        words = source.result if project is not None else ""
        locked.result = (words or source.reason or source.get_state_display())[:500]

    _advance(SYSTEM, row, "follow" if source.state == done else "fall", effect=write)


@transaction.atomic
def _end(actor: Actor, resolution: Resolution, name: str, result: str, version: int | None) -> Resolution:
    meeting = know_meeting(actor, resolution.meeting)
    result = clean_words(result, _("落实情况"), "result")

    def write(row: Resolution, _data: Any) -> None:
        row.result, row.done_on = result, timezone.localdate()

    row = _advance(actor, resolution, name, data={"result": result}, version=version, effect=write)
    show_anew(meeting)
    return row


def _advance(actor: Actor, row: Resolution, name: str, **given: Any) -> Resolution:
    return advance(
        RESOLUTION, row, name, actor=actor, related=_RELATED, label=row.item.title, personal=PERSONAL, **given
    )
