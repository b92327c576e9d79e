"""Figures of promises, defined here and nowhere else: promised, done, overdue, the rate. Source: docs/domain.md#z1, #z2.

Counted as promised is what runs, waits for confirmation or is done (`COMMITMENT_COUNTED`): what was moved counts at the
unit it went to, what was dropped is told apart. Overdue is what is past its day and not reported done: how long the
community takes to confirm is not the unit's delay. Figures are of places the caller has checked; they name no person.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from grids.models import County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import Unit
from services.models import COMMITMENT_COUNTED, Commitment, CommitmentState
from services.selectors.spread import Spot, Spread

# A promise is spoken of as due soon so many days before its day.
SOON_DAYS = 7
COUNTED = Q(state__in=[str(state) for state in COMMITMENT_COUNTED])


@dataclass(frozen=True)
class Kept:
    """How promises stand. All can be added up."""

    promised: int = 0
    done: int = 0
    waiting: int = 0
    overdue: int = 0
    dropped: int = 0

    def __add__(self, other: "Kept") -> "Kept":
        return Kept(
            self.promised + other.promised,
            self.done + other.done,
            self.waiting + other.waiting,
            self.overdue + other.overdue,
            self.dropped + other.dropped,
        )

    @property
    def percent(self) -> int | None:
        """Done out of promised, as a whole number of percent; None where nothing was promised."""
        return round(self.done * 100 / self.promised) if self.promised else None

    @property
    def rate(self) -> str:
        """The rate with its numerator and denominator: 60%（109/182）."""
        return f"{self.percent}%（{self.done}/{self.promised}）" if self.promised else "—"


@dataclass(frozen=True)
class UnitKept:
    """How a unit keeps its promises in a place."""

    unit: Unit
    kept: Kept


def overdue(day: datetime.date | None = None) -> Q:
    """Promises past their day that nobody has reported done."""
    return Q(state=CommitmentState.OPEN, due_on__lt=day or timezone.localdate())


def due_soon(day: datetime.date | None = None) -> Q:
    """Open promises whose day is today or within the next `SOON_DAYS`."""
    day = day or timezone.localdate()
    return Q(state=CommitmentState.OPEN, due_on__gte=day, due_on__lte=day + datetime.timedelta(days=SOON_DAYS))


def in_place(county: County, place: GridNode | None) -> QuerySet[Commitment]:
    """The promises to a place and what lies in it, or to anything in the county."""
    rows = Commitment.objects.filter(county=county)
    return rows if place is None else rows.filter(in_subtree(place, "node", community="community"))


def kept(rows: QuerySet[Any]) -> Kept:
    """How some promises stand. One query."""
    return Kept(**rows.order_by().aggregate(**_counts()))


def spread(county: County, place: GridNode | None = None) -> Spread[Kept]:
    """The promises inside a place (a county), to be asked for each place in it. One query however many promises."""
    grouped: Any = (
        in_place(county, place).order_by().values("community__tree_id", "community_id", "node__tree_id", "node__lft")
    )
    return Spread(
        Spot(
            row.pop("community__tree_id"),
            row.pop("community_id"),
            row.pop("node__tree_id"),
            row.pop("node__lft"),
            Kept(**row),
        )
        for row in grouped.annotate(**_counts())
    )


def total(values: Iterable[Kept]) -> Kept:
    return sum(values, Kept())


def by_unit(county: County, place: GridNode | None = None) -> list[UnitKept]:
    """How every unit keeps what it promised inside a place, by the names of the units: no ranking. Two queries."""
    grouped: Any = in_place(county, place).filter(unit__isnull=False).order_by().values("unit_id").annotate(**_counts())
    found = {row.pop("unit_id"): Kept(**row) for row in grouped}
    found = {unit: kept for unit, kept in found.items() if kept != Kept()}
    units = Unit.objects.filter(pk__in=found).order_by("name")
    return [UnitKept(unit, found[unit.pk]) for unit in units]


def of_units(units: Iterable[int], rows: QuerySet[Any] | None = None) -> dict[int, Kept]:
    """Unit -> how it keeps its promises wherever they are. One query."""
    grouped: Any = (rows if rows is not None else Commitment.objects.all()).filter(unit_id__in=set(units)).order_by()
    found: dict[int, Kept] = defaultdict(Kept)
    for row in grouped.values("unit_id").annotate(**_counts()):
        found[row.pop("unit_id")] = Kept(**row)
    return found


def _counts() -> dict[str, Count]:
    return {
        "promised": Count("pk", filter=COUNTED),
        "done": Count("pk", filter=Q(state=CommitmentState.DONE)),
        "waiting": Count("pk", filter=Q(state=CommitmentState.REPORTED)),
        "overdue": Count("pk", filter=overdue()),
        "dropped": Count("pk", filter=Q(state=CommitmentState.DROPPED)),
    }
