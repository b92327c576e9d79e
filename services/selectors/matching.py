"""What a run of matching is made of, read in a fixed number of queries; and its rows for the pages."""

import datetime
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, F, Q
from django.utils import timezone

from grids.models import GridNode
from grids.querysets import in_subtree
from services.clocks import Clock, clock_for
from services.matching import weights
from services.matching.features import Need, Offer, Reach
from services.models import (
    COMMITMENT_COUNTED,
    COMMITMENT_OPEN,
    PROJECT_HOLDS,
    Commitment,
    CommitmentState,
    Demand,
    DemandState,
    MatchProposal,
    Project,
    ProjectState,
    ProposalState,
    Resource,
    ResourceKind,
    ResourceState,
    SubOrder,
)
from services.selectors.resources import left_of

# A demand somebody took on, and nobody serves yet.
WAITING = (DemandState.ACCEPTED, DemandState.PUBLISHED)
YEAR = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Material:
    """Demands and resources of a place, and the pairs that were turned down before."""

    needs: list[Need]
    offers: list[Offer]
    refused: set[tuple[int, int]]


def gather(node: GridNode, today: datetime.date | None = None) -> Material:
    """What can be matched at a community or street.

    Resources are those of the place and those of the street above it. A demand that is in a project already is out.
    """
    today = today or timezone.localdate()
    needs = _needs(node, today)
    offers = _offers(node, today)
    refused = MatchProposal.objects.filter(state=ProposalState.REFUSED, demand__in=[need.key for need in needs])
    return Material(needs, offers, set(refused.values_list("demand_id", "resource_id")))


def matchable() -> Any:
    """Demands that wait for somebody and are in no project that goes on."""
    busy = Project.demands.through.objects.filter(project__state__in=PROJECT_HOLDS)
    return Demand.objects.filter(state__in=WAITING).exclude(pk__in=busy.values("demand"))


def _needs(node: GridNode, today: datetime.date) -> list[Need]:
    clock = clock_for(node.county_id)
    rows = matchable().filter(in_subtree(node, "node", community="community"))
    dues: dict[int, datetime.date] = {}
    found = []
    for row in rows.select_related("category", "node").order_by("registered_at", "pk"):
        due = timezone.localdate(row.due_at) if row.due_at else _due(dues, clock, row.category)
        found.append(
            Need(
                key=row.pk,
                category=row.category_id,
                category_name=row.category.name,
                title=row.title,
                text=row.text,
                tree=row.node.tree_id,
                at=row.node.lft,
                due=max(due, today),
            )
        )
    return found


def _due(known: dict[int, datetime.date], clock: Clock, category: Any) -> datetime.date:
    """The day by which a demand of a category would be done if it were given out now."""
    if category.pk not in known:
        known[category.pk] = timezone.localdate(clock.service_due(category, timezone.now()))
    return known[category.pk]


def _offers(node: GridNode, today: datetime.date) -> list[Offer]:
    above = Q(node__tree_id=node.tree_id, node__lft__lt=node.lft, node__rght__gt=node.rght)
    rows = list(
        Resource.objects.filter(in_subtree(node, "node") | above, state=ResourceState.AVAILABLE)
        .exclude(unit__is_active=False)
        .select_related("node")
        .order_by("pk")
    )
    left = left_of(rows)
    units = {row.unit_id for row in rows if row.unit_id is not None}
    loads, kept = _loads(units), _kept(units, today)
    found = []
    for row in rows:
        done, due = kept.get(row.unit_id or 0, (0, 0))
        found.append(
            Offer(
                key=row.pk,
                category=row.category_id,
                name=row.name,
                text=row.text,
                tree=row.node.tree_id,
                first=row.node.lft,
                last=row.node.rght,
                place=row.node.name,
                reach=_reach(row.node),
                start=row.start,
                end=row.end,
                left=left[row.pk],
                measure=row.measure,
                most=weights.MOST_PER_RUN[ResourceKind(row.kind)],
                load=None if row.unit_id is None else loads.get(row.unit_id, 0),
                kept=done,
                due=due,
            )
        )
    return found


def _reach(node: GridNode) -> Reach:
    if node.community_id is None:
        return Reach.STREET
    return Reach.COMMUNITY if node.community_id == node.pk else Reach.NEAR


def _loads(units: Collection[int]) -> dict[int, int]:
    """What each unit has in hand: running orders, projects it leads, promises that are open."""
    running = Project.objects.filter(state__in=[ProjectState.RUNNING, ProjectState.FINISHED], lead_unit__in=units)
    promised = Commitment.objects.filter(state__in=COMMITMENT_OPEN, unit__in=units)
    found: dict[int, int] = {}
    for rows, unit in (
        (SubOrder.objects.running().filter(unit__in=units), "unit_id"),
        (running, "lead_unit_id"),
        (promised, "unit_id"),
    ):
        for key, count in rows.order_by().values_list(unit).annotate(count=Count("pk")):
            found[key] = found.get(key, 0) + count
    return found


def _kept(units: Iterable[int], today: datetime.date) -> dict[int, tuple[int, int]]:
    """Promises of the last year: (done in time, that were due or are done)."""
    done = Q(state=CommitmentState.DONE)
    rows = (
        Commitment.objects.filter(unit__in=units, state__in=COMMITMENT_COUNTED, due_on__gt=today - YEAR)
        .filter(done | Q(due_on__lte=today))
        .order_by()
        .values_list("unit_id")
        .annotate(kept=Count("pk", filter=done & Q(done_on__lte=F("due_on"))), told=Count("pk"))
    )
    return {unit: (kept, due) for unit, kept, due in rows}
