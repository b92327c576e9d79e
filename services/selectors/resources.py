"""How much of a resource is left, and which can be used at a place. Defined here and nowhere else."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from services.models import PROJECT_HOLDS, ProjectResource, ProjectState, Resource, ResourceState
from services.resource_kinds import USED_UP


def holding() -> Q:
    """Allocations whose quantity is not free: of projects under way, and of done ones where it is used up."""
    under_way = Q(project__state__in=[str(state) for state in PROJECT_HOLDS])
    return under_way | Q(project__state=ProjectState.DONE, resource__kind__in=USED_UP)


def left_of(resources: Iterable[Resource]) -> dict[int, int]:
    """How much of each resource no project holds, in its own measure. One query.

    Never negative for what was promised through the portal; a quantity corrected downwards is refused below what is held.
    """
    found = {row.pk: row.quantity for row in resources}
    held = ProjectResource.objects.filter(holding(), resource__in=list(found)).order_by()
    for pk, quantity in held.values_list("resource").annotate(total=Sum("quantity")):
        found[pk] -= quantity
    return found


def with_left(rows: Any) -> Any:
    """A queryset of resources with `left`: as `left_of`, for lists and filters."""
    held = ProjectResource.objects.filter(holding(), resource=OuterRef("pk")).order_by().values("resource")
    total = Coalesce(Subquery(held.annotate(total=Sum("quantity")).values("total")), 0)
    return rows.annotate(left=F("quantity") - total)


def usable(day: datetime.date | None = None) -> Q:
    """Checked, and on offer on that day (today when not given)."""
    day = day or timezone.localdate()
    return Q(state=ResourceState.AVAILABLE, start__lte=day) & (Q(end__isnull=True) | Q(end__gte=day))


def usable_at(node: Any, day: datetime.date | None = None) -> Q:
    """Resources that may be used at a place: those whose area it lies in."""
    area = Q(node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght)
    return usable(day) & area
