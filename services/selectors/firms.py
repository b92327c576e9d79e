"""Property firms: the advice they were given, what was passed on to them and what came of it. Defined here and nowhere else.

What counts, and why: docs/decisions/0033-passed-on-to-the-property-firm.md, docs/practice.md#firms. Source:
docs/domain.md#c5. Places are the caller's to check; sums name no resident.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Sum
from django.utils import timezone

from core.periods import Period
from grids.models import County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import CompoundRunning, Unit, UnitKind
from services.models import (
    Activity,
    ActivityKind,
    Demand,
    Evaluation,
    RatingSide,
    Satisfaction,
    ServiceRating,
    SubOrder,
    SubOrderRole,
    SubOrderState,
)
from services.models.suborder import RUNNING
from services.selectors import rates
from services.selectors.rates import Rate
from services.selectors.ratings import Graded
from services.selectors.spread import Spot, Spread, places_below

_FINISHED = Q(state=SubOrderState.FINISHED)
_LEADS = Q(role=SubOrderRole.LEAD) & ~Q(state=SubOrderState.RETURNED)
_OF_ORDERS, _OF_DEMANDS = rates.filters(of_orders=True), rates.filters(of_orders=False)


def standings() -> dict[str, Q]:
    """What of the orders given to firms is told apart. Every order is open, finished or returned."""
    return {
        "open": RUNNING,
        "finished": _FINISHED,
        "late": (_FINISHED & Q(finished_at__gt=F("due_at"))) | (RUNNING & Q(due_at__lt=timezone.now())),
        "returned": Q(state=SubOrderState.RETURNED),
    }


@dataclass
class Figures:
    """What is counted of a place, a firm, or both. All can be added up.

    Attributes:
        advised: the activities; one that names two firms is one.
        orders: by the names of `standings`. heard: solved, by the word of whoever asked.
        counts: the columns of the rates. grades: of the community's ratings.
    """

    advised: set[int] = field(default_factory=set)
    orders: Counter[str] = field(default_factory=Counter)
    heard: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Figures") -> None:
        self.advised |= other.advised
        self.orders.update(other.orders)
        self.heard += other.heard
        self.counts.update(other.counts)
        self.grades.update(other.grades)

    @property
    def advice(self) -> int:
        return len(self.advised)

    @property
    def passed(self) -> int:
        return self.orders["open"] + self.orders["finished"] + self.orders["returned"]

    def rate(self, name: str) -> Rate:
        """One of the three rates, over what the firm led."""
        return rates.rate(self.counts, name)

    @property
    def graded(self) -> Graded:
        return Graded(**{str(grade): self.grades[str(grade)] for grade in Satisfaction})


@dataclass(frozen=True)
class FirmLine:
    """A firm in a place: what it runs there today, and its figures there."""

    firm: Unit
    compounds: int
    homes: int
    figures: Figures


@dataclass(frozen=True)
class Board:
    """A place (None: the county) in a period: its figures, those of what it is made of, and firm by firm by name. What hangs
    on the place itself is in the whole alone."""

    county: County
    place: GridNode | None
    period: Period | None
    whole: Figures
    below: tuple[tuple[GridNode, Figures], ...]
    firms: tuple[FirmLine, ...]


def board(county: County, place: GridNode | None = None, period: Period | None = None) -> Board:
    """The figures of a place. Nine queries at most, however many places, firms and rows.

    Args:
        period: of the demand's registration, for advice of its day; everything when not given.
    """
    spread = Spread(_spots(_Asked(county.pk, place, period)))
    below = tuple((one, _added(spread.inside(one))) for one in places_below(county, place))
    whole, by_firm = Figures(), dict[int, Figures]()
    for firm, figures in spread.inside(place):
        whole.add(figures)
        by_firm.setdefault(firm, Figures()).add(figures)
    return Board(county, place, period, whole, below, _firms(_running(county.pk, place), by_firm))


def orders(firm: int | None = None) -> QuerySet[SubOrder]:
    """What was passed on to property firms, or to one of them."""
    rows = SubOrder.objects.filter(unit__kind=UnitKind.PROPERTY)
    return rows if firm is None else rows.filter(unit=firm)


def late_orders(county: County, place: GridNode | None, period: Period | None, firm: Unit) -> QuerySet[SubOrder]:
    """What a firm was late with, the oldest limit first."""
    rows = orders(firm.pk).filter(_Asked(county.pk, place, period).of_demand("demand__"), standings()["late"])
    return rows.select_related("demand__node").order_by("due_at", "pk")


def found_at(node: GridNode, period: Period) -> tuple[FirmLine, ...]:
    """The firms that run compounds in a place or around it, for its page: without rates and ratings. Four queries, one where
    there is no such firm."""
    running = _running(node.county_id, node)
    if not running:
        return ()
    asked = _Asked(node.county_id, node, period)
    by_firm = {firm: Figures() for firm in running}
    for spot in (*_orders(asked), *_advice(asked)):
        firm, figures = spot.value
        if firm in by_firm:
            by_firm[firm].add(figures)
    return _firms(running, by_firm)


# --- How it is counted ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Asked:
    """Which rows count."""

    county: int
    place: GridNode | None
    period: Period | None

    def of_demand(self, prefix: str = "") -> Q:
        """By the demand's place and the day of its registration."""
        found = Q(**{f"{prefix}county": self.county})
        if self.place is not None:
            found &= in_subtree(self.place, f"{prefix}node", community=f"{prefix}community")
        if self.period is not None:
            at = f"{prefix}registered_at"
            found &= Q(**{f"{at}__gte": self.period.start, f"{at}__lt": self.period.end})
        return found

    def of_activity(self) -> Q:
        found = Q(county=self.county, kind=ActivityKind.ADVICE, units__kind=UnitKind.PROPERTY)
        if self.place is not None:
            found &= in_subtree(self.place, "node", community="community")
        if self.period is not None:
            found &= Q(held_on__range=(self.period.first_day, self.period.last_day))
        return found

    def columns(self, prefix: str = "") -> tuple[str, ...]:
        """Where a row counts: inside a community by its place, above by its community, which makes fewer groups."""
        at = "community" if self.place is None or self.place.community_id is None else "node"
        return (
            f"{prefix}community__tree_id",
            f"{prefix}community_id",
            f"{prefix}{at}__tree_id",
            f"{prefix}{at}__lft",
        )


Counted = tuple[int, Figures]
Made = Callable[[dict[str, int]], Figures]


def _spots(asked: _Asked) -> Iterator[Spot[Counted]]:
    yield from _orders(asked)
    yield from _demands(asked)
    yield from _linked(asked)
    yield from _ratings(asked)
    yield from _advice(asked)


def _grouped(
    rows: QuerySet[Any], asked: _Asked, prefix: str, firm: str, wanted: Mapping[str, Q], made: Made
) -> Iterator[Spot[Counted]]:
    """Rows counted by place and firm. One query.

    Args:
        prefix: leads to the demand, `firm` to the firm. made: figures of some counts, by their names in `wanted`.
    """
    columns = asked.columns(prefix)
    counts = {f"n_{name}": Count("pk", filter=where) for name, where in wanted.items()}
    for row in rows.order_by().values(*columns, firm).annotate(**counts):
        street, community, tree, lft = (row[column] for column in columns)
        figures = made({name: row[f"n_{name}"] for name in wanted})
        yield Spot(street, community, tree, lft, (row[firm], figures))


def _orders(asked: _Asked) -> Iterator[Spot[Counted]]:
    told_apart = standings()
    wanted = {**told_apart, **{name: _LEADS & where for name, where in _OF_ORDERS.items()}}

    def made(counts: dict[str, int]) -> Figures:
        orders = Counter({name: counts[name] for name in told_apart})
        return Figures(orders=orders, counts=Counter({name: counts[name] for name in _OF_ORDERS}))

    yield from _grouped(orders().filter(asked.of_demand("demand__")), asked, "demand__", "unit_id", wanted, made)


def _demands(asked: _Asked) -> Iterator[Spot[Counted]]:
    """What requesters say of matters a firm led."""
    rows = Demand.objects.filter(asked.of_demand(), lead_unit__kind=UnitKind.PROPERTY)

    def made(counts: dict[str, int]) -> Figures:
        return Figures(heard=counts.pop("heard"), counts=Counter(counts))

    yield from _grouped(rows, asked, "", "lead_unit_id", {**_OF_DEMANDS, "heard": Q(solved=True)}, made)


def _linked(asked: _Asked) -> Iterator[Spot[Counted]]:
    """What requesters of matters linked to one of those say: one service, several who asked."""
    main = "demand__linked_to__"
    rows = Evaluation.objects.filter(asked.of_demand(main), solved=True, round=F(f"{main}round"))
    rows = rows.filter(**{f"{main}lead_unit__kind": UnitKind.PROPERTY})
    yield from _grouped(
        rows, asked, main, f"{main}lead_unit_id", {"heard": Q()}, lambda counts: Figures(heard=counts["heard"])
    )


def _ratings(asked: _Asked) -> Iterator[Spot[Counted]]:
    """What communities say of firms after an order."""
    of = "suborder__demand__"
    rows = ServiceRating.objects.filter(asked.of_demand(of), side=RatingSide.COMMUNITY)
    rows = rows.filter(suborder__unit__kind=UnitKind.PROPERTY)
    grades = {str(grade): Q(grade=grade) for grade in Satisfaction}
    yield from _grouped(rows, asked, of, "suborder__unit_id", grades, lambda counts: Figures(grades=Counter(counts)))


def _advice(asked: _Asked) -> Iterator[Spot[Counted]]:
    rows = Activity.objects.filter(asked.of_activity()).order_by()
    named = rows.values_list(*asked.columns(), "units__id", "pk")
    for street, community, tree, lft, firm, activity in named:
        yield Spot(street, community, tree, lft, (firm, Figures(advised={activity})))


def _added(values: Iterable[Counted]) -> Figures:
    found = Figures()
    for _firm, figures in values:
        found.add(figures)
    return found


Running = Mapping[int, tuple[int, int]]


def _running(county: int, place: GridNode | None) -> Running:
    """Firm -> the compounds and homes it runs in a place or around it, today."""
    runs = CompoundRunning.objects.by_firms().filter(county=county)
    if place is not None:
        around = Q(node__tree_id=place.tree_id, node__lft__lt=place.lft, node__rght__gt=place.rght)
        runs = runs.filter(in_subtree(place, "node") | around)
    rows = runs.order_by().values_list("firm").annotate(Count("pk"), Sum("node__households"))
    return {firm: (compounds, homes or 0) for firm, compounds, homes in rows}


def _firms(running: Running, by_firm: Mapping[int, Figures]) -> tuple[FirmLine, ...]:
    """Those that run a compound there today, and those of which something is to be told."""
    units = Unit.objects.filter(pk__in={*running, *by_firm}).order_by("name", "pk")
    return tuple(FirmLine(unit, *running.get(unit.pk, (0, 0)), by_firm.get(unit.pk, Figures())) for unit in units)
