"""What the desk shows to one person: what waits for them, what is late, their figures. A fixed number of statements.

Rows come from `services.selectors`; nothing here decides who may see or do what.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, Count, DateTimeField, Exists, F, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from core import policies, working_calendar
from core.models import AuditEntry, OutboxMessage, User
from core.periods import Month, time_left_words
from grids.models import Appointment, County, GridNode
from grids.policies import NodeScope
from grids.posts import MANAGE_ACCOUNT, POSTS, VIEW_AUDIT
from partybuilding.models import Unit
from partybuilding.selectors import units_without_liaison
from services import posts
from services.models import Assignment, Demand, DemandState, SubOrder, Supervision, Tally
from services.models.demand import UNDER_LIMIT
from services.selectors import loop as selectors
from services.selectors import rates
from services.selectors.loop import Action
from services.views import cards
from services.workflow import DEMAND

WAITING, SHORT, COLOURS = 15, 6, 12
# A closing as old as this is no news; it also keeps the search for closings on an index.
NEWS = timedelta(days=180)


@dataclass(frozen=True)
class Row:
    """One matter: its clock, who has it, and the one next step."""

    demand: Demand
    chips: list[cards.Chip]
    clock: cards.Clock
    who: str
    action: Action | None = None


@dataclass(frozen=True)
class Rows:
    """A section; `more` when there are others behind those shown."""

    rows: list[Row] = field(default_factory=list)
    more: bool = False


@dataclass(frozen=True)
class Colour:
    """A line of the colour list: how the running matters of a community or unit stand."""

    name: str
    green: int
    amber: int
    red: int


@dataclass(frozen=True)
class Setup:
    """What an administrator still has to see to."""

    county: County
    without_liaison: list[Unit]
    unmanned: list[GridNode]
    first_passwords: int
    unknown_years: list[int]
    dead_letters: int = 0


@dataclass(frozen=True)
class Desk:
    waiting: Rows | None = None
    soon: Rows = field(default_factory=Rows)
    late: Rows = field(default_factory=Rows)
    unanswered: Rows = field(default_factory=Rows)
    closed: Rows = field(default_factory=Rows)
    figures: dict[str, int] = field(default_factory=dict)
    month: dict[str, int] = field(default_factory=dict)
    colours: list[Colour] = field(default_factory=list)
    by_unit: bool = False
    setup: Setup | None = None
    deeds: list[AuditEntry] | None = None


def desk_of(user: User, now: datetime | None = None) -> Desk:
    """Everything on the first page, by what the person holds."""
    now = now or timezone.now()
    found: dict[str, Any] = {}
    if policies.holds(user, posts.VIEW_DEMAND):
        found |= _matters(user, now)
    if policies.holds(user, MANAGE_ACCOUNT):
        found["setup"] = _setup(user)
    if policies.holds(user, VIEW_AUDIT):
        found["deeds"] = list(sensitive_deeds(user)[:WAITING])
    return Desk(**found)


def _matters(user: User, now: datetime) -> dict[str, Any]:
    seen = Demand.objects.visible_to(user)
    by_unit = _in_one_community(user)
    return {
        "waiting": waiting(user, now),
        "soon": _section(seen.due_soon(now).order_by("due_at", "pk"), user, now),
        "late": _section(seen.late(now).order_by("due_at", "pk"), user, now, supervised=True),
        "unanswered": _section(unanswered(seen, now), user, now) if _supervises(user) else Rows(),
        "closed": _section(recently_closed(seen, now), user, now),
        "figures": figures(seen, now),
        "month": month_figures(user, now),
        "colours": colour_list(seen, now, by_unit=by_unit),
        "by_unit": by_unit,
    }


# --- Rows -----------------------------------------------------------------------------------------------------------


def waiting(user: User, now: datetime) -> Rows:
    """What waits for the person's next step, the most urgent first."""
    review = SubOrder.objects.running().filter(demand=OuterRef("pk"), review_due_at__isnull=False)
    asked = Supervision.objects.filter(demand=OuterRef("pk"), answered_at__isnull=True)
    own_answer = Case(
        When(supervised_unit__isnull=True, then=Subquery(asked.values("due_at")[:1])), output_field=DateTimeField()
    )
    due = Coalesce(Subquery(review.order_by("review_due_at").values("review_due_at")[:1]), own_answer, F("step_due_at"))
    orders = SubOrder.objects.select_related("unit").prefetch_related(
        Prefetch("assignments", Assignment.objects.select_related("member"))
    )
    rows = (
        selectors.demands_waiting(user)
        .annotate(wait_due=due)
        .order_by(F("wait_due").asc(nulls_last=True), "pk")
        .with_faces()  # type: ignore[attr-defined]
        .select_related("county__loop_settings")
        .prefetch_related(Prefetch("suborders", orders))
    )
    found = list(rows[: WAITING + 1])
    shown = [_waiting_row(demand, user, now) for demand in found[:WAITING]]
    return Rows(shown, len(found) > WAITING)


def _waiting_row(demand: Any, user: User, now: datetime) -> Row:
    for suborder in demand.suborders.all():
        suborder.demand = demand
        for assignment in suborder.assignments.all():
            assignment.suborder = suborder
    action = selectors.next_action(selectors.actions_of(user, demand))
    clock = cards.Clock()
    if demand.wait_due is not None:
        clock = cards.Clock("red" if now > demand.wait_due else "green", time_left_words(demand.wait_due, now))
    return Row(demand, _chips(demand), clock, _who(demand), action)


def _section(rows: QuerySet[Demand], user: User, now: datetime, *, supervised: bool = False) -> Rows:
    """A short list. What is late has a button for whoever may supervise it."""
    found = list(selectors.with_buttons(rows)[: SHORT + 1])
    shown = [
        Row(
            demand,
            _chips(demand),
            cards.demand_clock(demand, now),
            _who(demand),
            _supervision(demand, user) if supervised else None,
        )
        for demand in found[:SHORT]
    ]
    return Rows(shown, len(found) > SHORT)


def _supervision(demand: Demand, user: User) -> Action | None:
    return Action(DEMAND.get("supervise"), demand) if DEMAND.offers(demand, "supervise", user) else None


def _chips(demand: Demand) -> list[cards.Chip]:
    return [cards.state_chip(demand), *cards.flags(demand)]


def _who(demand: Demand) -> str:
    """Who has to do the next thing: the unit while it works, else the place."""
    if demand.state == DemandState.DISPATCHED and demand.lead_unit is not None:
        return demand.lead_unit.label
    return demand.community.name


def unanswered(seen: Any, now: datetime) -> QuerySet[Demand]:
    """Supervised, and the answer is overdue."""
    late = Supervision.objects.filter(answered_at__isnull=True, due_at__lt=now)
    return seen.filter(pk__in=late.values("demand_id")).order_by("supervised_at", "pk")


def recently_closed(seen: Any, now: datetime) -> QuerySet[Demand]:
    return seen.filter(state=DemandState.CLOSED_OFF, registered_at__gte=now - NEWS).order_by(
        F("closed_at").desc(nulls_last=True), "-pk"
    )


def _supervises(user: User) -> bool:
    return policies.holds(user, posts.SUPERVISE_DEMAND)


# --- Figures --------------------------------------------------------------------------------------------------------


def figures(seen: Any, now: datetime) -> dict[str, int]:
    """How the open matters in sight stand now. One statement."""
    counts: dict[str, int] = seen.open().aggregate(
        registered=Count("pk", filter=Q(state=DemandState.REGISTERED)),
        to_dispatch=Count("pk", filter=Q(state__in=[DemandState.ACCEPTED, DemandState.PUBLISHED])),
        running=Count("pk", filter=Q(state=DemandState.DISPATCHED)),
        soon=Count("pk", filter=UNDER_LIMIT & Q(warn_at__lte=now, due_at__gte=now)),
        late=Count("pk", filter=UNDER_LIMIT & Q(due_at__lt=now)),
        to_check=Count("pk", filter=Q(state=DemandState.FINISHED)),
    )
    return counts


def month_figures(user: User, now: datetime) -> dict[str, int]:
    """This month's tallies. One statement."""
    month = Month.of(timezone.localdate(now)).first_day
    return rates.totals(Tally.objects.visible_to(user).filter(month=month), more=("registered", "closed"))


def colour_list(seen: Any, now: datetime, *, by_unit: bool) -> list[Colour]:
    """Running matters by colour: of a community by lead unit, of anything larger by community. The latest first."""
    name = "lead_unit__name" if by_unit else "community__name"
    key = "lead_unit_id" if by_unit else "community_id"
    red, amber = Q(due_at__lt=now), Q(due_at__gte=now, warn_at__lte=now)
    rows = (
        seen.under_limit()
        .order_by()
        .values(key, name)
        .annotate(
            red=Count("pk", filter=red),
            amber=Count("pk", filter=amber),
            green=Count("pk", filter=~red & ~amber),
        )
        .order_by("-red", "-amber", "-green", key)[:COLOURS]
    )
    return [Colour(row[name] or "—", row["green"], row["amber"], row["red"]) for row in rows]


def _in_one_community(user: User) -> bool:
    scopes = [scope for scope in policies.scopes(user, posts.VIEW_DEMAND) if hasattr(scope, "county_id")]
    return bool(scopes) and all(isinstance(scope, NodeScope) and scope.community_id for scope in scopes)


# --- For administrators and auditors --------------------------------------------------------------------------------


def _setup(user: User) -> Setup | None:
    ids = {scope.county_id for scope in policies.scopes(user, MANAGE_ACCOUNT)}
    county = County.objects.filter(pk__in=ids).order_by("pk").first()
    if county is None:
        return None
    calendar, year = working_calendar.load(), timezone.localdate().year
    return Setup(
        county=county,
        without_liaison=list(units_without_liaison(county).order_by("name")[:SHORT]),
        unmanned=list(unmanned(county)[:SHORT]),
        first_passwords=User.objects.visible_to(user).active().filter(must_change_password=True).count(),
        dead_letters=OutboxMessage.objects.visible_to(user).dead().count(),
        unknown_years=[one for one in (year, year + 1) if not calendar.covers(one)],
    )


def unmanned(county: County) -> QuerySet[GridNode]:
    """Communities where nobody can accept a demand: what residents order there waits for ever."""
    accepting = [post.key for post in POSTS.values() if posts.ACCEPT_DEMAND in post.rights]
    held = Appointment.objects.current().filter(node=OuterRef("pk"), post__in=accepting, user__is_active=True)
    nodes = GridNode.objects.standing().at("community").filter(county=county)
    found: QuerySet[GridNode] = nodes.filter(~Exists(held)).order_by("tree_id", "lft")
    return found


def sensitive_deeds(user: User) -> QuerySet[AuditEntry]:
    """What an auditor looks at first: people who looked at contacts, exported, gave passwords or posts."""
    looked = ["demand.reveal_contact", "care.reveal", "care.erase", "demand.export", "sheet.export"]
    wanted = Q(action__in=[*looked, "account.reset_password", "account.deactivate"])
    wanted |= Q(action__startswith="appointment.")
    rows: QuerySet[AuditEntry] = AuditEntry.objects.visible_to(user).filter(wanted, actor__isnull=False)
    return rows.select_related("actor").order_by("-id")
