"""The figures of a dashboard: from the tally table what happened, from the running demands what is late now.

Two grouped statements over tallies and two over what runs, whatever the number of demands; everything else is added
up here. All of it starts at `visible_to`.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from operator import add
from typing import Any, NamedTuple

from django.db.models import Count, Q, Sum, Value

from core.periods import Month, Period
from core.prepared import prepared
from governance.dashboard.places import Place, Row, scopes_of
from services import posts
from services.models import Demand, Supervision, Tally
from services.models.demand import UNDER_LIMIT

TREND_MONTHS = 12
# A county that has just begun shows fewer, but a line needs some length.
_FEWEST_MONTHS = 6


class Counts(NamedTuple):
    """What a tally counts, of one place and time. Names are those of `services.Tally`."""

    registered: int = 0
    finished: int = 0
    finished_in_time: int = 0
    response_due: int = 0
    response_met: int = 0
    followed_up: int = 0
    solved: int = 0
    rated: int = 0
    satisfied: int = 0
    excluded_response: int = 0
    excluded_resolution: int = 0
    excluded_satisfaction: int = 0

    def plus(self, other: "Counts") -> "Counts":
        return Counts(*map(add, self, other))


NOTHING = Counts()


class Lights(NamedTuple):
    """Demands in service now: `late` past the limit, `soon` near it; and `stuck`: some step waits beyond its own limit."""

    running: int = 0
    late: int = 0
    soon: int = 0
    stuck: int = 0

    def plus(self, other: "Lights") -> "Lights":
        return Lights(*map(add, self, other))

    @property
    def on_time(self) -> int:
        return self.running - self.late - self.soon


DARK = Lights()


class Share(NamedTuple):
    """One category's or unit's part of the figures."""

    pk: int | None
    name: str
    counts: Counts


@dataclass
class Numbers:
    """Everything the dashboard of one place and period shows.

    Attributes:
        now, before, year_before: the period, the one before it, and the same one a year earlier.
        around: the widest place in sight around this one, in the period.
        months: twelve months up to the end of the period (or to the present month), oldest first; empty ones at the
            beginning are left out.
        communities: community -> counts in the period. lights: community -> what runs there now.
        supervisions: supervisions that wait for an answer, and how many of them beyond their limit.
    """

    now: Counts = NOTHING
    before: Counts = NOTHING
    year_before: Counts = NOTHING
    around: Counts = NOTHING
    months: list[tuple[Month, Counts]] = field(default_factory=list)
    communities: dict[int, Counts] = field(default_factory=dict)
    lights: dict[int, Lights] = field(default_factory=dict)
    categories: list[Share] = field(default_factory=list)
    units: list[Share] = field(default_factory=list)
    supervisions: tuple[int, int] = (0, 0)

    def of(self, place: Place) -> Counts:
        """The counts of the place itself or of one below it. Sums of communities, so they always add up."""
        return _sum(self.communities.get(leaf.pk, NOTHING) for leaf in place.communities())

    def lights_of(self, place: Place) -> Lights:
        return Lights(
            *map(sum, zip(DARK, *(self.lights.get(leaf.pk, DARK) for leaf in place.communities()), strict=True))
        )


def _sum(rows: Iterable[Sequence[int]]) -> Counts:
    return Counts(*map(sum, zip(NOTHING, *rows, strict=True)))


class Reading(NamedTuple):
    """What the database said, as it said it. Equal readings make equal pages."""

    cells: tuple[Row, ...] = ()
    shares: tuple[Row, ...] = ()
    lights: tuple[Row, ...] = ()
    supervisions: tuple[Row, ...] = ()


def read(user: Any, place: Place, period: Period, now: datetime.datetime) -> Reading:
    """Asks for the figures of a place in sight of the user: four statements.

    Args:
        now: the moment lateness is judged at.
    """
    if not place.communities() or not scopes_of(user, posts.VIEW_DEMAND):
        return Reading()
    return Reading(
        _cells(user, place.top, period, now),
        _shares(user, place, period),
        _lights(user, place, now),
        _supervisions(user, place, now),
    )


def numbers(reading: Reading, place: Place, period: Period, now: datetime.datetime) -> Numbers:
    """Adds up what was read of the place, at the same period and moment."""
    found = Numbers()
    _by_month(found, reading.cells, place, period, now)
    for kind, pk, name, *counts in reading.shares:
        (found.units if kind == "unit" else found.categories).append(Share(pk, name or "", Counts(*counts)))
    for shares in (found.categories, found.units):
        shares.sort(key=lambda share: (-share.counts.registered, share.name, share.pk or 0))
    found.lights = {community: Lights(*counts) for community, *counts in reading.lights}
    found.supervisions = _open(reading.supervisions)
    return found


def _trend(period: Period, now: datetime.datetime) -> list[Month]:
    """Twelve months up to the end of the period, none of them in the future of a period that has begun."""
    last = period.months()[-1]
    if period.contains(now):
        last = min(last, Month.of(now))
    months = [last]
    while len(months) < TREND_MONTHS:
        months.append(months[-1].previous())
    return months[::-1]


def _by_month(found: Numbers, cells: Iterable[Row], place: Place, period: Period, now: datetime.datetime) -> None:
    """Adds up the cells (community, month) of the widest place in sight: one statement for every comparison."""
    trend = _trend(period, now)
    current, before, year_before = (_days(each) for each in (period, period.previous(), period.year_before()))
    here = {leaf.pk for leaf in place.communities()}
    months: dict[datetime.date, list[Sequence[int]]] = defaultdict(list)
    communities: dict[int, list[Sequence[int]]] = defaultdict(list)
    around: list[Sequence[int]] = []
    for community, said, *counts in cells:
        # Some engines have no days, only their names.
        month = datetime.date.fromisoformat(said) if isinstance(said, str) else said
        if month in current:
            around.append(counts)
        if community in here:
            months[month].append(counts)
            if month in current:
                communities[community].append(counts)
    by_month = {month: _sum(cells) for month, cells in months.items()}
    found.communities = {community: _sum(cells) for community, cells in communities.items()}
    found.now = _sum(found.communities.values())
    found.around = _sum(around)
    found.before, found.year_before = (
        _sum(counts for month, counts in by_month.items() if month in days) for days in (before, year_before)
    )
    begun = next((index for index, month in enumerate(trend) if month.first_day in by_month), TREND_MONTHS)
    trend = trend[min(begun, TREND_MONTHS - _FEWEST_MONTHS) :]
    found.months = [(month, by_month.get(month.first_day, NOTHING)) for month in trend]


def _days(period: Period) -> set[datetime.date]:
    return {month.first_day for month in period.months()}


def _sums() -> dict[str, Sum]:
    return {f"n_{name}": Sum(name) for name in Counts._fields}


def _of_tallies(user: Any, place: Place, first: datetime.date, last: datetime.date) -> Any:
    return Tally.objects.visible_to(user).filter(place.inside(), month__gte=first, month__lte=last).order_by()


def _cells(user: Any, place: Place, period: Period, now: datetime.datetime) -> tuple[Row, ...]:
    """Community, month and counts: of the period, the trend before it, and the same period a year earlier."""
    statement = prepared(
        ("cells", scopes_of(user, posts.VIEW_DEMAND), place.shape),
        lambda first, last: (
            _of_tallies(user, place, first, last).values_list("community_id", "month").annotate(**_sums())
        ),
        datetime.date,
        datetime.date,
    )
    first = min(_trend(period, now)[0].first_day, period.year_before().first_day)
    return tuple(statement.rows(first, period.months()[-1].first_day))


def _shares(user: Any, place: Place, period: Period) -> tuple[Row, ...]:
    """The figures of the period by category and by lead unit. One statement for both."""
    statement = prepared(
        ("shares", scopes_of(user, posts.VIEW_DEMAND), place.shape),
        lambda first, last: _by(user, place, "category", first, last).union(
            _by(user, place, "unit", first, last), all=True
        ),
        datetime.date,
        datetime.date,
    )
    months = period.months()
    return tuple(statement.rows(months[0].first_day, months[-1].first_day))


def _by(user: Any, place: Place, kind: str, first: datetime.date, last: datetime.date) -> Any:
    """Sums by `kind`, a foreign key of the tally with a name."""
    rows = _of_tallies(user, place, first, last).annotate(kind=Value(kind))
    return rows.values_list("kind", f"{kind}_id", f"{kind}__name").annotate(**_sums())


# What runs is read live. Late and due soon as `Demand.objects.late()` and `due_soon()` say; a test holds them to it.
_RUNNING = UNDER_LIMIT


def _lights(user: Any, place: Place, now: datetime.datetime) -> tuple[Row, ...]:
    """By community, what runs there now, from the indexes on running demands and waiting steps."""

    def build(now: datetime.datetime) -> Any:
        stuck = Q(step_due_at__lt=now)
        return (
            Demand.objects.visible_to(user)
            .filter(place.inside())
            .filter(_RUNNING | stuck)
            .order_by()
            .values_list("community_id")
            .annotate(
                running=Count("pk", filter=_RUNNING),
                late=Count("pk", filter=_RUNNING & Q(due_at__lt=now)),
                soon=Count("pk", filter=_RUNNING & Q(warn_at__lte=now, due_at__gte=now)),
                stuck=Count("pk", filter=stuck),
            )
        )

    statement = prepared(("lights", scopes_of(user, posts.VIEW_DEMAND), place.shape), build, datetime.datetime)
    return tuple(statement.rows(now))


def waiting_supervisions(user: Any, place: Place, now: datetime.datetime) -> tuple[int, int]:
    """How many supervisions wait for an answer, and how many of them beyond their limit."""
    return _open(_supervisions(user, place, now))


def _open(rows: Iterable[Row]) -> tuple[int, int]:
    return next(((waiting, overdue) for _county, waiting, overdue in rows), (0, 0))


def _supervisions(user: Any, place: Place, now: datetime.datetime) -> tuple[Row, ...]:

    def build(now: datetime.datetime) -> Any:
        return (
            Supervision.objects.visible_to(user)
            .filter(place.inside("demand__community"), answered_at__isnull=True)
            .order_by()
            .values_list("demand__county_id")
            .annotate(waiting=Count("pk"), overdue=Count("pk", filter=Q(due_at__lt=now)))
        )

    statement = prepared(("supervisions", scopes_of(user, posts.VIEW_DEMAND), place.shape), build, datetime.datetime)
    return tuple(statement.rows(now))
