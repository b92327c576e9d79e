"""Reads over joint meetings: who is to be asked, what could be dealt with, who leads, and the figures of L4."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Prefetch, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import User
from core.periods import Period, Quarter, day_start
from grids.models import Appointment, County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import Pairing, PairingKind, Unit
from services.meeting_rules import FREE_DEMAND, own_units
from services.models import (
    AgendaItem,
    Attendance,
    Demand,
    DemandState,
    ItemState,
    JointMeeting,
    MatchProposal,
    MeetingState,
    Presence,
    Project,
    ProjectState,
    ProposalState,
    Resolution,
    ResolutionState,
    Theme,
    UnitCheckIn,
)
from services.reach import dispatchable

# As many as a person ticks on one page; the most pressing ones come first.
MOST = 60
_RUNNING = (MeetingState.PLANNED, MeetingState.PUBLISHED, MeetingState.RUNNING)
# Words in the name of a demand's category -> the kind of problem it most likely is (docs/domain.md#l4).
_THEME_WORDS = (
    (Theme.HYGIENE, ("卫生", "环境", "垃圾")),
    (Theme.HARDSHIP, ("困难", "帮扶", "救助")),
    (Theme.SAFETY, ("安全", "治安", "纠纷", "矛盾")),
    (Theme.RENEWAL, ("维修", "水电", "停车", "道路", "改造", "设施")),
    (Theme.ABANDONED, ("物业", "弃管")),
)


# --- Making a meeting -----------------------------------------------------------------------------------------------


def proposed_title(county: County, node: GridNode | None, period: Quarter) -> str:
    """2026年第一季度白龙塘社区联席会议."""
    return _("%(quarter)s%(place)s联席会议") % {"quarter": period.label, "place": node.name if node else county.name}


def reported_units(meeting: JointMeeting) -> QuerySet[Unit]:
    """Whom a meeting asks unless told otherwise: the units that have reported inside its place; all of the county."""
    units = Unit.objects.filter(county=meeting.county_id, is_active=True)
    if meeting.node is not None:
        here = UnitCheckIn.objects.current().filter(in_subtree(meeting.node, "node"))
        units = units.filter(pk__in=here.values("unit_id"))
    return units.order_by("name")


def theme_of(demand: Demand | None) -> str:
    """The kind of problem a demand most likely is, by the name of its category; empty when that says nothing."""
    name = demand.category.name if demand is not None else ""
    return next((str(theme) for theme, words in _THEME_WORDS if any(word in name for word in words)), "")


def _inside(meeting: JointMeeting, path: str = "node", community: str = "") -> Q:
    if meeting.node is not None:
        return in_subtree(meeting.node, path, community=community)
    prefix = path.removesuffix("node")
    return Q(**{f"{prefix}county": meeting.county_id})


def demands_for(user: Any, meeting: JointMeeting) -> QuerySet[Demand]:
    """Demands nobody has yet that could be put on the agenda: those that were escalated first, then the oldest.

    What is not published yet only for whoever may dispatch it: nobody else could give it to a unit.
    """
    taken = AgendaItem.objects.filter(meeting__state__in=_RUNNING, demand__isnull=False)
    found = Demand.objects.visible_to(user).filter(_inside(meeting, community="community"), state__in=FREE_DEMAND)
    free = Q(state=DemandState.PUBLISHED) | dispatchable(user)
    found = found.filter(free).exclude(pk__in=taken.values("demand")).select_related("node", "category")
    return found.order_by(F("escalated_at").asc(nulls_last=True), "registered_at", "pk")


def proposals_for(user: Any, meeting: JointMeeting) -> QuerySet[MatchProposal]:
    """Proposals nobody has decided on, of demands that could be put on the agenda; the best first."""
    free = demands_for(user, meeting).order_by()
    found = MatchProposal.objects.visible_to(user).filter(state=ProposalState.PROPOSED, demand__in=free)
    return found.select_related("demand__node", "demand__category", "resource__unit").order_by("-score", "pk")


def projects_for(user: Any, meeting: JointMeeting) -> QuerySet[Project]:
    """Projects no unit has claimed, the nearest day first."""
    taken = AgendaItem.objects.filter(meeting__state__in=_RUNNING, project__isnull=False)
    found = Project.objects.visible_to(user).filter(_inside(meeting, community="community"), state=ProjectState.OPEN)
    found = found.exclude(pk__in=taken.values("project")).select_related("node")
    return found.order_by(F("due_on").asc(nulls_last=True), "pk")


# --- Places and leaders ---------------------------------------------------------------------------------------------


def place_of(item: AgendaItem) -> GridNode | None:
    """Where an item's matter is: the place of its demand or project, else that of the meeting; None for the county."""
    if item.demand is not None:
        return item.demand.node
    if item.project is not None:
        return item.project.node
    if item.proposal is not None:
        return item.proposal.demand.node
    return item.meeting.node


def leaders_for(item: AgendaItem) -> list[User]:
    """The leaders paired with the item's place or one above it, the nearest first; where a matter is the whole
    county's, all leaders of the county."""
    node = place_of(item)
    if node is None:
        held = Appointment.objects.current().filter(county=item.meeting.county_id, post="county_leader")
        rows: Iterable[Any] = held.filter(user__is_active=True).select_related("user").order_by("pk")
    else:
        rows = paired_leaders(node)
    return list({row.user.pk: row.user for row in rows if row.user is not None}.values())


def paired_leaders(node: GridNode) -> QuerySet[Any]:
    """Today's pairings of leaders with a place or one above it, the nearest first."""
    above = Q(node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght)
    found = Pairing.objects.current().filter(above, kind=PairingKind.LEADER, user__is_active=True)
    return found.select_related("user").order_by("-node__lft", "pk")


# --- One meeting ----------------------------------------------------------------------------------------------------


def table_of(user: Any, pk: int) -> JointMeeting | None:
    """A meeting in sight with all that lies on its table, in a fixed number of queries; items and attendances know it."""
    resolutions = Resolution.objects.select_related("unit").order_by("pk")
    items = (
        AgendaItem.objects.select_related(
            "unit", "demand__node", "demand__lead_unit", "project__node", "project__lead_unit", "proposal__resource"
        )
        .prefetch_related(Prefetch("resolutions", resolutions))
        .order_by("order", "pk")
    )
    attendances = Attendance.objects.select_related("unit").order_by("unit__name", "pk")
    found: JointMeeting | None = (
        JointMeeting.objects.visible_to(user)
        .select_related("county", "node__level_type", "node__community")
        .prefetch_related(Prefetch("items", items), Prefetch("attendances", attendances))
        .filter(pk=pk)
        .first()
    )
    if found is not None:
        for item in found.items.all():
            item.meeting = found
        for attendance in found.attendances.all():
            attendance.meeting = found
    return found


# --- What waits for somebody ----------------------------------------------------------------------------------------


def meetings_asked(user: User) -> QuerySet[JointMeeting]:
    """The meetings to which the units are asked for which the person speaks."""
    asked = Attendance.objects.filter(unit__in=own_units(user))
    rows: QuerySet[JointMeeting] = JointMeeting.objects.visible_to(user)
    return rows.filter(pk__in=asked.values("meeting")).select_related("node", "county")


def unanswered(user: User) -> int:
    """How many meetings still ahead wait for the answer of one of the person's units. One query, for a unit's people."""
    mine = own_units(user)
    if not mine:
        return 0
    ahead = Q(meeting__state__in=[MeetingState.PUBLISHED, MeetingState.RUNNING], state=Presence.INVITED)
    return Attendance.objects.filter(ahead, unit__in=mine).count()


def matters_of_leader(user: User) -> QuerySet[Resolution]:
    """What closed meetings asked of a leader; what is open first."""
    rows: QuerySet[Resolution] = Resolution.objects.visible_to(user)
    closed = rows.filter(leader=user, meeting__state=MeetingState.CLOSED)
    return closed.select_related("meeting__node", "item", "unit").order_by("state", "due_on", "pk")


def leader_counts(user: User) -> tuple[int, int]:
    """How many matters meetings have brought to a leader, and how many are open. One query."""
    found = (
        matters_of_leader(user)
        .order_by()
        .aggregate(total=Count("pk"), open=Count("pk", filter=Q(state=ResolutionState.OPEN)))
    )
    return found["total"], found["open"]


# --- Figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MeetingFigures:
    """What meetings came to (docs/domain.md#l4).

    Attributes:
        held: meetings that have closed. problems: what they dealt with; what was put off counts where it is decided.
        themes: kind of problem -> number, in the list's order; "" for those of no kind.
        leaders: problems that a leader took.
        done, open, late, dropped: resolutions; `late` are those of `open` whose day has passed.
    """

    held: int = 0
    problems: int = 0
    themes: dict[str, int] = field(default_factory=dict)
    leaders: int = 0
    done: int = 0
    open: int = 0
    late: int = 0
    dropped: int = 0

    @property
    def resolutions(self) -> int:
        """Those that count; what was given up is told apart."""
        return self.done + self.open


def figures(user: Any, *, node: GridNode | None = None, period: Period | None = None) -> MeetingFigures:
    """The figures of the meetings in sight, at most those called inside a place and held in a period. Three queries.

    The one definition: page, API and ledger call it.
    """
    meetings = JointMeeting.objects.visible_to(user).filter(state=MeetingState.CLOSED)
    if node is not None:
        meetings = meetings.filter(in_subtree(node, "node"))
    if period is not None:
        since, until = day_start(period.first_day), day_start(period.next().first_day)
        meetings = meetings.filter(held_at__gte=since, held_at__lt=until)
    inside = meetings.order_by().values("pk")
    items = AgendaItem.objects.filter(meeting__in=inside).exclude(state=ItemState.DEFERRED).order_by()
    themes = dict.fromkeys([*Theme.values, ""], 0)
    leaders = 0
    for theme, state, number in items.values_list("theme", "state").annotate(number=Count("pk")):
        themes[theme] += number
        leaders += number if state == ItemState.LEADER else 0
    resolved = Resolution.objects.filter(meeting__in=inside).aggregate(
        done=Count("pk", filter=Q(state=ResolutionState.DONE)),
        open=Count("pk", filter=Q(state=ResolutionState.OPEN)),
        late=Count("pk", filter=late()),
        dropped=Count("pk", filter=Q(state=ResolutionState.DROPPED)),
    )
    return MeetingFigures(meetings.count(), sum(themes.values()), themes, leaders, **resolved)


def late() -> Q:
    """Resolutions whose day has passed."""
    return Q(state=ResolutionState.OPEN, due_on__lt=timezone.localdate())


def is_late(row: Resolution, today: datetime.date | None = None) -> bool:
    return row.state == ResolutionState.OPEN and row.due_on < (today or timezone.localdate())
