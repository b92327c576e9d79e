"""Which units a desk can give a matter to: the higher the desk it stands on, the further it reaches.

A unit is given what hangs where it has reported; a property firm also what hangs in the compounds it runs, for as long as
it runs them (转物业办理, docs/decisions/0033). It learns of nothing but what it was given.
"""

import datetime
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from core.prepared import Prepared
from grids.models import GridNode
from grids.policies import NodeScope
from grids.querysets import current
from partybuilding.models import CompoundRunning, Unit
from services import posts
from services.models import Demand, UnitCheckIn
from services.models.demand import Desk
from services.policies.levels import levels_on, within_level


def units_in_reach(demand: Demand, user: Any = None) -> QuerySet[Unit]:
    """The units a matter can be given to: the firm that runs its compound first (`runs_here`), then by name.

    A community, the portal itself, and anybody as long as the matter was not handed up: those that have reported to the
    place or to one around it, and that firm. The street for what stands on its desk or above: also those that have
    reported anywhere in the street. The county for what stands on its own: every unit in use.

    Args:
        user: who dispatches; None for the portal itself.
    """
    levels = (
        levels_on(user, posts.DISPATCH_DEMAND, demand) if user is not None and demand.desk != Desk.COMMUNITY else ()
    )
    running = CompoundRunning.objects.covering(demand.node)
    if Desk.COUNTY in levels and demand.desk == Desk.COUNTY:
        units = county_units(demand)
    elif Desk.STREET in levels:
        checkins = UnitCheckIn.objects.current().filter(node__tree_id=demand.node.tree_id, unit__is_active=True)
        units = Unit.objects.filter(Q(pk__in=checkins.values("unit_id")) | Q(pk__in=running.values("firm_id")))
    else:
        units = Unit.objects.filter(serves(demand.node))
    runs_here = Exists(running.filter(firm=OuterRef("pk")))
    return units.annotate(runs_here=runs_here).order_by("-runs_here", "name")


def serves(node: GridNode) -> Q:
    """The units that can be given what hangs at a place, as a filter on units: reported to it or around it, or running the
    compound it lies in."""
    checkins = UnitCheckIn.objects.covering(node).values("unit_id")
    running = CompoundRunning.objects.covering(node).values("firm_id")
    return Q(pk__in=checkins) | Q(pk__in=running)


_SCOPE = ("pk", "county_id", "tree_id", "lft", "rght", "community_id")


def grounds_of(units: Collection[int]) -> Mapping[int, Sequence[NodeScope]]:
    """The same from the units' side: of each that is in use, the places in which it can be given what hangs there. One
    statement."""
    today = timezone.localdate()
    rows = _GROUNDS.rows(*units, today) if len(units) == 1 else _grounds(units, today)
    found: dict[int, list[NodeScope]] = {}
    for unit, *scope in rows:
        found.setdefault(unit, []).append(NodeScope(*scope))
    return found


def _grounds(units: Collection[int], day: datetime.date) -> Any:
    columns = [f"node__{name}" for name in _SCOPE]
    checkins = UnitCheckIn.objects.filter(current(day), unit_id__in=units, unit__is_active=True)
    running = CompoundRunning.objects.by_firms().filter(firm_id__in=units)
    return (
        checkins.order_by()
        .values_list("unit_id", *columns)
        .union(running.order_by().values_list("firm_id", *columns), all=True)
    )


# Nearly everything is given to one unit.
_GROUNDS = Prepared(lambda unit, day: _grounds([unit], day), int, datetime.date)


def county_units(demand: Demand) -> QuerySet[Unit]:
    """Every unit in use: whom a whistle may call."""
    return Unit.objects.active().filter(county_id=demand.county_id).order_by("name")


def may_dispatch(user: Any, demand: Demand) -> bool:
    """Whether a matter is somebody's to dispatch: of the county only what stands on its desk."""
    levels = levels_on(user, posts.DISPATCH_DEMAND, demand) if user is not None else set()
    return bool(levels - {Desk.COUNTY}) or (Desk.COUNTY in levels and demand.desk == Desk.COUNTY)


def dispatchable(user: Any) -> Q:
    """The same as a filter."""
    below = within_level(user, posts.DISPATCH_DEMAND, Desk.COMMUNITY, Desk.STREET)
    return below | (within_level(user, posts.DISPATCH_DEMAND, Desk.COUNTY) & Q(desk=Desk.COUNTY))
