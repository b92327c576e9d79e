"""How meetings look: chips and lines that the desk and the phone share, and the part of a page that draws itself anew.

An open screen asks every two seconds with a signed key that says which revision it shows to whom. While that is still the
revision, the answer is 204 and costs one query beside the sign-in: no rights are read, for the key was given with them.
"""

from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.periods import datetime_words
from grids.models import GridNode
from grids.naming import SEPARATOR, steps_of
from services.meeting_rules import REMIND_AHEAD, own_units
from services.models import (
    AgendaItem,
    Attendance,
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionState,
)
from services.selectors.meetings import is_late, place_of
from services.workflow.meetings import AGENDA_ITEM

Chip = tuple[str, str]

TONES = {
    MeetingState.PLANNED: "grey",
    MeetingState.PUBLISHED: "blue",
    MeetingState.RUNNING: "amber",
    MeetingState.CLOSED: "green",
    MeetingState.CANCELLED: "red",
}
ITEM_TONES = {
    ItemState.OPEN: "amber",
    ItemState.CLAIMED: "blue",
    ItemState.RESOLVED: "green",
    ItemState.LEADER: "green",
}
PRESENCE_TONES = {
    Presence.INVITED: "amber",
    Presence.COMING: "blue",
    Presence.EXCUSED: "grey",
    Presence.PRESENT: "green",
}
_SIGNER = signing.Signer(salt="services.meeting")


def meeting_chip(row: JointMeeting) -> Chip:
    return row.get_state_display(), TONES.get(MeetingState(row.state), "grey")


def item_chip(row: AgendaItem) -> Chip:
    return row.get_state_display(), ITEM_TONES.get(ItemState(row.state), "grey")


def presence_chip(row: Attendance) -> Chip:
    return row.get_state_display(), PRESENCE_TONES[Presence(row.state)]


def resolution_chip(row: Resolution) -> Chip:
    if is_late(row):
        return _("已到期未落实"), "red"
    tones = {ResolutionState.OPEN: "blue", ResolutionState.DONE: "green"}
    return row.get_state_display(), tones.get(ResolutionState(row.state), "grey")


def when_words(row: JointMeeting) -> str:
    return datetime_words(row.held_at)


# --- The table ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """An item on the table as one person sees it. `may`: the moves the person can make now, by name."""

    item: AgendaItem
    chip: Chip
    place: str
    may: frozenset[str]
    resolutions: list[Resolution]

    @property
    def mine(self) -> bool:
        return "release" in self.may


def lines_of(meeting: JointMeeting, user: Any) -> list[Line]:
    """The agenda for one person. The meeting must come from `selectors.table_of`."""
    found = []
    for item in meeting.items.all():
        place = place_of(item)
        found.append(
            Line(
                item=item,
                chip=item_chip(item),
                place=_where(place, meeting),
                may=frozenset(row.name for row in AGENDA_ITEM.available(item, user)),
                resolutions=[row for row in item.resolutions.all() if row.state != ResolutionState.DROPPED],
            )
        )
    return found


def _where(place: GridNode | None, meeting: JointMeeting) -> str:
    """The place below the community, where everybody knows the rest; of a whole community its name."""
    if place is None or place.pk == meeting.node_id:
        return ""
    steps = steps_of(place.path)
    return SEPARATOR.join(steps[2:] or steps[-1:])


@dataclass(frozen=True)
class Count:
    """How the table stands, for its head."""

    items: int
    open: int
    claimed: int
    settled: int
    present: int
    asked: int


def count_of(meeting: JointMeeting) -> Count:
    items, asked = list(meeting.items.all()), list(meeting.attendances.all())
    settled = (ItemState.RESOLVED, ItemState.LEADER)
    return Count(
        items=len(items),
        open=sum(item.state == ItemState.OPEN for item in items),
        claimed=sum(item.state == ItemState.CLAIMED for item in items),
        settled=sum(item.state in settled for item in items),
        present=sum(row.state == Presence.PRESENT for row in asked),
        asked=len(asked),
    )


def speaks_for(user: Any, meeting: JointMeeting) -> list[Attendance]:
    mine = own_units(user)
    return [row for row in meeting.attendances.all() if row.unit_id in mine]


# --- Drawn anew -----------------------------------------------------------------------------------------------------


def is_live(meeting: JointMeeting) -> bool:
    """Whether an open screen keeps asking: while the meeting runs, and around its time until somebody opens it."""
    if meeting.state == MeetingState.RUNNING:
        return True
    near = abs(meeting.held_at - timezone.now()) < REMIND_AHEAD
    return meeting.state == MeetingState.PUBLISHED and near


def key_of(meeting: JointMeeting, user: Any) -> str:
    """What a screen sends along: which revision of which meeting it shows, and to whom."""
    return _SIGNER.sign_object([meeting.pk, meeting.revision, user.pk])


def signed_out(request: HttpRequest) -> HttpResponse | None:
    """For a screen whose sign-in has run out: the whole page is asked for again, so that the door does not open inside it."""
    if request.user.is_authenticated or request.headers.get("HX-Request") != "true":
        return None
    return HttpResponse(status=204, headers={"HX-Refresh": "true"})


def unchanged(request: HttpRequest, pk: int) -> HttpResponse | None:
    """The empty answer for a screen that is up to date; None when it must be drawn anew. At most one query."""
    try:
        meeting, revision, user = _SIGNER.unsign_object(request.GET.get("key", ""))
    except signing.BadSignature:
        return None
    if meeting != pk or user != request.user.pk:
        return None
    if not JointMeeting.objects.filter(pk=pk, revision=revision).exists():
        return None
    return HttpResponse(status=204)
