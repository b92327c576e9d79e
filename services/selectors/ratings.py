"""Figures of two-way ratings, defined here and nowhere else, and what is still to be rated. Source: docs/domain.md#x2, #g5.

A share of few answers says nothing: below `ENOUGH` it is not shown, and nothing is put in an order of merit.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from core import policies
from grids.models import County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.models import (
    Commitment,
    CommitmentState,
    DemandState,
    Project,
    ProjectState,
    RatingSide,
    Satisfaction,
    ServiceRating,
    SubOrder,
    SubOrderState,
)

# Below so many ratings a share is not told (docs/practice.md#rates).
ENOUGH = 5
# What was done longer ago is not asked about any more.
ASKED_DAYS = 90
MOST = 100


@dataclass(frozen=True)
class Graded:
    """Ratings by grade."""

    satisfied: int = 0
    fairly: int = 0
    dissatisfied: int = 0

    @property
    def count(self) -> int:
        return self.satisfied + self.fairly + self.dissatisfied

    @property
    def is_small(self) -> bool:
        return self.count < ENOUGH

    @property
    def percent(self) -> int | None:
        """Satisfied and fairly satisfied out of all; None while there are too few."""
        return None if self.is_small else round((self.satisfied + self.fairly) * 100 / self.count)


def graded(rows: QuerySet[Any]) -> Graded:
    """One query."""
    return Graded(**rows.order_by().aggregate(**_counts()))


def in_place(county: County, place: GridNode | None) -> QuerySet[ServiceRating]:
    rows = ServiceRating.objects.filter(county=county)
    return rows if place is None else rows.filter(in_subtree(place, "community"))


def of_units(county: County, place: GridNode | None = None) -> list[tuple[Unit, Graded]]:
    """What communities inside a place say of units, by the names of the units. Two queries."""
    found = _grouped(in_place(county, place).filter(side=RatingSide.COMMUNITY), "unit_id")
    return [(unit, found[unit.pk]) for unit in Unit.objects.filter(pk__in=found).order_by("name")]


def of_communities(county: County, place: GridNode | None = None) -> list[tuple[GridNode, Graded]]:
    """What units say of the communities inside a place, in reading order. Two queries."""
    found = _grouped(in_place(county, place).filter(side=RatingSide.UNIT), "community_id")
    return [(node, found[node.pk]) for node in GridNode.objects.filter(pk__in=found).order_by("tree_id", "lft")]


def _grouped(rows: QuerySet[Any], key: str) -> dict[int, Graded]:
    grouped: Any = rows.order_by().values(key).annotate(**_counts())
    return {row.pop(key): Graded(**row) for row in grouped}


def _counts() -> dict[str, Count]:
    return {str(grade): Count("pk", filter=Q(grade=grade)) for grade in Satisfaction}


# --- What is still to be rated --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """A service that one side has not rated. `key` names it in an address (commitment-12, project-3-7)."""

    key: str
    service: SubOrder | Project | Commitment
    unit: Unit
    community: GridNode
    title: str


def waiting(user: Any, side: str) -> list[Waiting]:
    """Services that are over for at most `ASKED_DAYS`, which the user may rate for a side, newest first. Three queries."""
    found = [*_commitments(user, side), *_suborders(user, side), *_projects(user, side)]
    return found[:MOST]


def find_waiting(user: Any, side: str, key: str) -> Waiting | None:
    """The one of that key, if it waits for the user."""
    return next((one for one in waiting(user, side) if one.key == key), None)


def _unrated(column: str, side: str) -> Q:
    return ~Q(Exists(ServiceRating.objects.filter(**{column: OuterRef("pk")}, side=side)))


def _mine(user: Any, side: str, unit: str, community: str) -> Q:
    """The services of one's unit, or of the community one works for; never both."""
    units = [scope.unit_id for grant in policies.grants_of(user) if isinstance(scope := grant.scope, UnitScope)]
    communities = GridNode.objects.filter(policies.within(GridNode, user, posts.RATE_UNIT)).values("pk")
    if side == RatingSide.COMMUNITY:
        return Q(**{f"{community}__in": communities}) & ~Q(**{f"{unit}__in": units})
    rated = [scope.unit_id for scope in policies.scopes(user, posts.RATE_COMMUNITY) if isinstance(scope, UnitScope)]
    return Q(**{f"{unit}__in": rated}) & ~Q(**{f"{community}__in": communities})


def _since() -> datetime.date:
    return timezone.localdate() - datetime.timedelta(days=ASKED_DAYS)


def _commitments(user: Any, side: str) -> Iterator[Waiting]:
    rows = Commitment.objects.filter(_mine(user, side, "unit", "community"), state=CommitmentState.DONE)
    rows = rows.filter(_unrated("commitment", side), done_on__gte=_since()).select_related("unit", "community", "node")
    for row in rows.order_by("-done_on", "-pk")[:MOST]:
        assert row.unit is not None
        yield Waiting(f"commitment-{row.pk}", row, row.unit, row.community, row.title)


def _suborders(user: Any, side: str) -> Iterator[Waiting]:
    rows = SubOrder.objects.filter(
        _mine(user, side, "unit", "demand__community"),
        _unrated("suborder", side),
        state=SubOrderState.FINISHED,
        demand__state=DemandState.CLOSED_OFF,
        demand__closed_at__date__gte=_since(),
    )
    for row in rows.select_related("unit", "demand__community").order_by("-demand__closed_at", "-pk")[:MOST]:
        yield Waiting(f"suborder-{row.pk}", row, row.unit, row.demand.community, row.demand.title)


def _projects(user: Any, side: str) -> Iterator[Waiting]:
    """A project is rated once for each of its units."""
    units = [scope.unit_id for scope in policies.scopes(user, posts.RATE_COMMUNITY) if isinstance(scope, UnitScope)]
    rows = Project.objects.filter(state=ProjectState.DONE, done_on__gte=_since(), community__isnull=False)
    own = [scope.unit_id for grant in policies.grants_of(user) if isinstance(scope := grant.scope, UnitScope)]
    communities = GridNode.objects.filter(policies.within(GridNode, user, posts.RATE_UNIT)).values("pk")
    if side == RatingSide.COMMUNITY:
        rows = rows.filter(community__in=communities)
    else:
        supported = Project.supporting.through.objects.filter(unit_id__in=units).values("project")
        rows = rows.filter(Q(lead_unit__in=units) | Q(pk__in=supported)).exclude(community__in=communities)
    rows = rows.select_related("lead_unit", "community").prefetch_related("supporting", "ratings")
    for row in rows.order_by("-done_on", "-pk")[:MOST]:
        rated = {rating.unit_id for rating in row.ratings.all() if rating.side == side}
        for unit in (one for one in (row.lead_unit, *row.supporting.all()) if one is not None):
            theirs = unit.pk in units if side == RatingSide.UNIT else unit.pk not in own
            if theirs and unit.pk not in rated:
                assert row.community is not None
                yield Waiting(f"project-{row.pk}-{unit.pk}", row, unit, row.community, row.name)
