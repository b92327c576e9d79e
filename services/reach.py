"""Which units a desk can give a matter to: the higher the desk it stands on, the further it reaches."""

from typing import Any

from django.db.models import Q, QuerySet

from partybuilding.models import Unit
from services import posts
from services.models import Demand, UnitCheckIn
from services.models.demand import Desk
from services.policies.levels import levels_on, within_level


def units_in_reach(demand: Demand, user: Any = None) -> QuerySet[Unit]:
    """The units a matter can be given to, by name.

    A community, the portal itself, and anybody as long as the matter was not handed up: those that have reported to the
    place or to one around it. The street for what stands on its desk or above: those that have reported anywhere in
    the street. The county for what stands on its own: every unit in use.

    Args:
        user: who dispatches; None for the portal itself.
    """
    levels = (
        levels_on(user, posts.DISPATCH_DEMAND, demand) if user is not None and demand.desk != Desk.COMMUNITY else ()
    )
    if Desk.COUNTY in levels and demand.desk == Desk.COUNTY:
        return county_units(demand)
    if Desk.STREET in levels:
        checkins = UnitCheckIn.objects.current().filter(node__tree_id=demand.node.tree_id, unit__is_active=True)
    else:
        checkins = UnitCheckIn.objects.covering(demand.node)
    return Unit.objects.filter(pk__in=checkins.values("unit_id")).order_by("name")


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
