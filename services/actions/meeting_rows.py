"""What every action on a joint meeting shares: the meeting's row as the lock, and what is hung on it."""

from collections.abc import Iterable, Sequence

from django.db import models
from django.db.models import F, Max, Q
from django.utils.translation import gettext as _

from core import policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Invalid, NotFound, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.text import clean_text
from grids.actions.permission import require
from grids.querysets import in_subtree
from partybuilding.models import Unit
from services.meeting_rules import FREE_DEMAND
from services.models import (
    AgendaItem,
    Attendance,
    ItemState,
    JointMeeting,
    MeetingState,
    ProjectState,
    Resolution,
)

# States of a meeting that is still to come.
AHEAD = (MeetingState.PLANNED, MeetingState.PUBLISHED)
# What policies, guards and effects read of a meeting and of an item.
RELATED = ("county", "node__level_type", "node__community")
ITEM_RELATED = (
    *(f"meeting__{name}" for name in RELATED),
    "demand__node",
    "demand__community",
    "demand__lead_unit",
    "project__node",
    "project__lead_unit",
    "proposal__demand__node",
    "proposal__demand__community",
    "proposal__resource",
    "unit",
    "claimed_by",
)
# Columns whose words may speak of a person: the trail says that they changed.
PERSONAL = ("text", "said", "summary", "person", "note", "result", "owner", "host")


def lock_meeting(actor: Actor, meeting: JointMeeting, right: str, version: int | None = None) -> JointMeeting:
    """The meeting's row, locked, read again, and the right on it. Raises NotFound, Forbidden, Stale."""
    rows = JointMeeting.objects.select_for_update(of=("self",)).select_related(*RELATED)
    row = rows.filter(pk=meeting.pk).first()
    if row is None:
        raise NotFound(_("没有找到这次会议，或不在您的管辖范围内。"))
    require(actor, right, row)
    refuse_stale(row, version)
    return row


def know_meeting(actor: Actor, meeting: JointMeeting) -> JointMeeting:
    """The meeting's row, locked and read again, for whoever may know of it; the right is the table's to ask for."""
    rows = JointMeeting.objects.select_for_update(of=("self",)).select_related(*RELATED)
    row = rows.filter(pk=meeting.pk).first()
    if row is None or (actor is not SYSTEM and not policies.sees(actor, row)):
        raise NotFound(_("没有找到这次会议，或不在您的管辖范围内。"))
    return row


def refuse_stale(row: JointMeeting | AgendaItem | Resolution, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("您看到的页面已经不是最新的，没有做任何改动，请看过最新情况后再办理。"))


def show_anew(meeting: JointMeeting) -> None:
    """Open screens draw the meeting anew. The row must be locked."""
    meeting.revision += 1
    type(meeting).objects.filter(pk=meeting.pk).update(revision=F("revision") + 1)


def ask_units(meeting: JointMeeting, units: Sequence[Unit]) -> None:
    """Puts units onto the list of those who are asked. Raises Invalid for one that is not of the county or not in use."""
    strange = [unit.name for unit in units if unit.county_id != meeting.county_id or not unit.is_active]
    if strange:
        message = _("“%(units)s”不是本县在用的单位。") % {"units": "、".join(strange[:5])}
        raise Invalid(message, fields={"units": message})
    Attendance.objects.bulk_create([Attendance(meeting=meeting, unit=unit) for unit in units], batch_size=500)


def next_order(meeting: JointMeeting) -> int:
    last: int | None = meeting.items.aggregate(last=Max("order"))["last"]
    return (last or 0) + 1


def put_off(meeting: JointMeeting) -> models.QuerySet[AgendaItem]:
    """What earlier meetings of the place put off, or never came to, and no meeting has taken up since."""
    same = Q(meeting__node=meeting.node_id) if meeting.node_id else Q(meeting__node=None)
    waiting = Q(state=ItemState.DEFERRED, meeting__state=MeetingState.CLOSED) | Q(
        state=ItemState.OPEN, meeting__state=MeetingState.CANCELLED
    )
    found = AgendaItem.objects.filter(same, waiting, meeting__county=meeting.county_id, carried_to=None)
    alive = (Q(demand=None) | Q(demand__state__in=FREE_DEMAND)) & (
        Q(project=None) | Q(project__state=ProjectState.OPEN)
    )
    if meeting.node is not None:  # nor what was handed to a community elsewhere
        here = in_subtree(meeting.node, "demand__node", community="demand__community")
        alive &= Q(demand=None) | Q(demand__transfers=0) | here
    return found.filter(alive).exclude(meeting=meeting).order_by("meeting__held_at", "order", "pk")


def carry_over(meeting: JointMeeting, rows: Iterable[AgendaItem] | None = None) -> list[AgendaItem]:
    """Copies what was put off onto the agenda of a meeting, each matter once.

    Args:
        rows: what to carry; everything that waits (`put_off`) when not given.
    """
    taken = {("demand", pk) for pk in meeting.items.values_list("demand_id", flat=True) if pk is not None}
    taken |= {("project", pk) for pk in meeting.items.values_list("project_id", flat=True) if pk is not None}
    order = next_order(meeting)
    made: list[AgendaItem] = []
    for row in put_off(meeting) if rows is None else rows:
        about = {(name, pk) for name, pk in (("demand", row.demand_id), ("project", row.project_id)) if pk is not None}
        if about & taken:
            continue
        taken |= about
        made.append(
            AgendaItem(
                meeting=meeting,
                order=order + len(made),
                title=row.title,
                text=row.text,
                theme=row.theme,
                demand_id=row.demand_id,
                proposal_id=row.proposal_id,
                project_id=row.project_id,
                came_from=row,
            )
        )
    return AgendaItem.objects.bulk_create(made)


def not_over(meeting: JointMeeting) -> None:
    """Raises Conflict for a meeting that has ended one way or the other."""
    if meeting.state in (MeetingState.CLOSED, MeetingState.CANCELLED):
        raise Conflict(_("会议已经结束或取消，不能再改。"))


def clean_words(text: str, label: str, field: str, length: int = 500, *, required: bool = False) -> str:
    """Text as it is stored: a meeting speaks of matters, so telephone and identity numbers are taken out."""
    text = clean_text(text, max_length=length, label=label, field=field, required=required)
    return scrub_identity_numbers(scrub_phone_numbers(text))
