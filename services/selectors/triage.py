"""What a cadre is offered for each demand that waits to be sorted: a category, a unit, a likely duplicate, and why.

Everything is read for all of them at once: a page of two hundred costs what a page of one costs.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from core import policies
from core.models import User
from grids.querysets import in_subtree
from partybuilding.models import Unit
from services import posts
from services.category_words import FALLBACK, WORDS, guesser
from services.models import Category, Demand, DemandState, UnitCheckIn
from services.selectors.routing import Route, routes_of

# Where a demand can be sorted, and the right it takes.
SORTED_FROM = (DemandState.REGISTERED, DemandState.ACCEPTED)


@dataclass(frozen=True)
class Suggestion:
    """What is suggested for one demand.

    Attributes:
        category, unit: None when nothing better than what it has is known.
        category_why, unit_why: in a few words.
        twin: a matter that is likely the same; None when there is none. twin_why: what they share.
    """

    category: Category | None = None
    category_why: str = ""
    unit: Unit | None = None
    unit_why: str = ""
    twin: Demand | None = None
    twin_why: str = ""


def may_sort(user: Any) -> bool:
    return policies.holds(user, posts.ACCEPT_DEMAND)


def waiting(user: User, rows: Any) -> Any:
    """Those of the demands that wait to be sorted by this user, alike ones beside one another."""
    mine = policies.within(Demand, user, posts.ACCEPT_DEMAND)
    found = rows.filter(mine, state__in=SORTED_FROM).select_related("node", "community", "category", "lead_unit")
    return found.order_by("community_id", "category__order", "category_id", "registered_at", "pk")


def suggestions(demands: Collection[Demand]) -> dict[int, Suggestion]:
    """Demand id -> what is suggested. A fixed number of statements."""
    counties = {demand.county_id for demand in demands}
    categories: dict[int, dict[str, Category]] = {}
    for row in Category.objects.filter(county_id__in=counties, is_active=True).order_by("order", "pk"):
        categories.setdefault(row.county_id, {})[row.name] = row
    routes = routes_of(demands)
    return {
        demand.pk: _suggest(demand, routes.get(demand.pk), categories.get(demand.county_id, {})) for demand in demands
    }


def _suggest(demand: Demand, route: Route | None, categories: dict[str, Category]) -> Suggestion:
    category, why = _category(demand, categories)
    if route is not None and route.category is not None:
        category, why = route.category, "；".join(route.reasons)
    unit = route.unit if route is not None else None
    return Suggestion(
        category=category,
        category_why=why,
        unit=unit,
        unit_why="；".join(route.reasons) if route is not None and unit is not None else "",
    )


def _category(demand: Demand, categories: dict[str, Category]) -> tuple[Category | None, str]:
    """By the words of the demand; nothing where none of them says anything."""
    name = guesser(categories)(demand.title, demand.text)
    if name == FALLBACK or name not in categories:
        return None, ""
    said = [word for word in WORDS.get(name, ()) if word in demand.title or word in demand.text]
    return categories[name], _("写到%(words)s") % {"words": "、".join(f"“{word}”" for word in said[:3])}


def units_around(demands: Collection[Demand]) -> list[Unit]:
    """The units that have reported where the demands hang or around it: what may be typed into the field."""
    places = Q(pk__in=[])
    for community in {demand.community_id: demand.community for demand in demands}.values():
        places |= in_subtree(community, "node")
        above = Q(node__tree_id=community.tree_id, node__lft__lt=community.lft, node__rght__gt=community.rght)
        places |= above
    reported = UnitCheckIn.objects.current().filter(places, unit__is_active=True)
    return list(Unit.objects.filter(pk__in=reported.values("unit_id")).order_by("name"))
