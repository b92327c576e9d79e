"""Keeps the tally table: what dashboards read instead of counting demands.

A cell is (community, month of registration). Whatever happens to a demand leaves an event that is not tallied yet; the
sweeper finds the cells of such events and counts those cells again, whole. Counting again is exact, so a worker killed
half-way or a task run twice changes nothing; a cell is one community's month, so the work does not grow with the past.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import TruncMonth

from core.periods import Month
from grids.models import County, GridNode
from services.models import Demand, DemandEvent, DemandState, SubOrder, SubOrderRole, SubOrderState, Tally
from services.selectors import rates

Key = tuple[int, datetime.date, int, int | None]
Counts = dict[str, int]
BATCH = 5000

_DONE = Q(state__in=[DemandState.FINISHED, DemandState.CHECKED, DemandState.CLOSED_OFF])
# The columns of the rates are counted as their one definition says.
_DEMANDS = {
    "registered": Q(),
    "declined": Q(state=DemandState.DECLINED),
    "dispatched": Q(dispatched_at__isnull=False),
    "finished": _DONE,
    "closed": Q(state=DemandState.CLOSED_OFF),
    "finished_in_time": _DONE & Q(finished_at__lte=F("due_at")),
    **rates.filters(of_orders=False),
}
_SUBORDERS = rates.filters(of_orders=True)
_OF_DEMANDS = {name: Count("pk", filter=where) for name, where in _DEMANDS.items()}
_OF_SUBORDERS = {name: Count("pk", filter=where) for name, where in _SUBORDERS.items()}
COUNTED = (*_OF_DEMANDS, *_OF_SUBORDERS)


def _leads() -> QuerySet[SubOrder]:
    """What the lead units were given: at most one a demand, approved returns left out."""
    return SubOrder.objects.filter(role=SubOrderRole.LEAD).exclude(state=SubOrderState.RETURNED)


def rows_of(name: str) -> Q:
    """The demands one count of the table counts, as a filter: a figure and the list behind it are one definition.

    Args:
        name: one of `COUNTED`.
    """
    if name in _DEMANDS:
        return _DEMANDS[name]
    return Q(Exists(_leads().filter(_SUBORDERS[name], demand=OuterRef("pk"))))


def count(where: Q) -> dict[Key, Counts]:
    """Counts demands from the rows themselves: (community, month, category, lead unit) -> counts.

    Args:
        where: a filter on demands.
    """
    found: dict[Key, Counts] = defaultdict(lambda: dict.fromkeys(COUNTED, 0))
    demands: Any = (
        Demand.objects.filter(where)
        .order_by()
        .annotate(month=TruncMonth("registered_at"))
        .values("community_id", "month", "category_id", "lead_unit_id")
        .annotate(**{f"n_{name}": expression for name, expression in _OF_DEMANDS.items()})
    )
    for row in demands:
        cell = found[row["community_id"], row["month"].date(), row["category_id"], row["lead_unit_id"]]
        cell.update({name: row[f"n_{name}"] for name in _OF_DEMANDS})
    suborders: Any = (
        _leads()
        .filter(demand__in=Demand.objects.filter(where))
        .order_by()
        .annotate(month=TruncMonth("demand__registered_at"))
        .values("demand__community_id", "month", "demand__category_id", "demand__lead_unit_id")
        .annotate(**{f"n_{name}": expression for name, expression in _OF_SUBORDERS.items()})
    )
    for row in suborders:
        key = (
            row["demand__community_id"],
            row["month"].date(),
            row["demand__category_id"],
            row["demand__lead_unit_id"],
        )
        found[key].update({name: row[f"n_{name}"] for name in _OF_SUBORDERS})
    return dict(found)


def refresh_tallies() -> int:
    """Counts again the cells in which something happened. Returns how many cells."""
    cells: set[tuple[int, datetime.date]] = set()
    waiting = (
        DemandEvent.objects.filter(tallied=False).order_by("pk").annotate(month=TruncMonth("demand__registered_at"))
    )
    for community_id, month in waiting.values_list("demand__community_id", "month")[:BATCH]:
        cells.add((community_id, month.date()))
    for community_id, month in sorted(cells):
        refresh_cell(community_id, month)
    return len(cells)


@transaction.atomic
def refresh_cell(community_id: int, month: datetime.date) -> None:
    """Counts one community's month again; at once, for what leaves no event there."""
    # Two keepers of one cell take turns; others are not in the way.
    community = GridNode.objects.select_for_update(of=("self",), no_key=True).get(pk=community_id)
    period = Month.of(month)
    where = Q(community_id=community_id, registered_at__gte=period.start, registered_at__lt=period.end)
    # First the mark, then the count: what commits in between is counted now and, its mark missing, once more.
    DemandEvent.objects.filter(tallied=False, demand__in=Demand.objects.filter(where)).update(tallied=True)
    Tally.objects.filter(community_id=community_id, month=month).delete()
    _write(community.county_id, count(where))


def rebuild_tallies(county: County) -> int:
    """Counts a whole county again, for samples and after repairs. Returns the number of cells written."""
    with transaction.atomic():
        County.objects.select_for_update().get(pk=county.pk)
        DemandEvent.objects.filter(tallied=False, demand__county=county).update(tallied=True)
        Tally.objects.filter(county=county).delete()
        found = count(Q(county=county))
        _write(county.pk, found)
    return len(found)


def _write(county_id: int, found: dict[Key, Counts]) -> None:
    Tally.objects.bulk_create(
        (
            Tally(
                county_id=county_id, community_id=community, month=month, category_id=category, unit_id=unit, **counts
            )
            for (community, month, category, unit), counts in found.items()
        ),
        batch_size=1000,
    )


def differences(county: County) -> Iterable[str]:
    """What the table says otherwise than the rows; empty when all is well. Cells that still wait are left out."""
    waiting = {
        (community_id, month.date())
        for community_id, month in DemandEvent.objects.filter(tallied=False, demand__county=county)
        .annotate(month=TruncMonth("demand__registered_at"))
        .values_list("demand__community_id", "month")
        .distinct()
    }
    stored = {
        (row.community_id, row.month, row.category_id, row.unit_id): {name: getattr(row, name) for name in COUNTED}
        for row in Tally.objects.filter(county=county)
    }
    true = count(Q(county=county))
    for key in sorted(stored.keys() | true.keys(), key=str):
        if key[:2] not in waiting and stored.get(key) != true.get(key):
            yield f"{key}: {stored.get(key)} / {true.get(key)}"
