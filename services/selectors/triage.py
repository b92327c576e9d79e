"""What a cadre is offered for each demand that waits to be sorted: a category, a unit, a likely duplicate, and why.

Everything is read for all of them at once: a page of two hundred costs what a page of one costs.
"""

from collections.abc import Collection, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _

from core import policies
from core.models import User
from grids.querysets import in_subtree
from partybuilding.models import CompoundRunning, Unit
from services import posts
from services.category_words import FALLBACK, WORDS, guesser
from services.models import Category, Demand, DemandState, UnitCheckIn
from services.selectors.duplicates import Likeness, likely_many
from services.selectors.routing import Route, routes_of
from services.suggesting import suggest, text_of


@dataclass(frozen=True)
class Suggestion:
    """What is suggested for one demand.

    Attributes:
        category, unit: None when nothing better than what it has is known.
        category_why, unit_why: in a few words.
        supporting: whom a rule gives it to beside the unit; desk: who handles it where a rule says no more (`Desk`).
        twin: a matter that is likely the same; None when there is none. twin_why: what they share.
    """

    category: Category | None = None
    category_why: str = ""
    unit: Unit | None = None
    unit_why: str = ""
    supporting: tuple[Unit, ...] = ()
    desk: str = ""
    twin: Demand | None = None
    twin_why: str = ""


def may_sort(user: Any) -> bool:
    return any(policies.holds(user, right) for right in (posts.ACCEPT_DEMAND, posts.DISPATCH_DEMAND))


def waiting(user: User, rows: Any) -> Any:
    """Those of the demands that wait to be sorted by this user, alike ones beside one another. A community has what is
    registered and what was accepted; a street, which dispatches and does not accept, the latter."""
    accepts = policies.within(Demand, user, posts.ACCEPT_DEMAND) & Q(state=DemandState.REGISTERED)
    dispatches = policies.within(Demand, user, posts.DISPATCH_DEMAND) & Q(state=DemandState.ACCEPTED)
    found = rows.filter(accepts | dispatches).select_related("node", "community", "category", "lead_unit")
    return found.order_by("community_id", "category__order", "category_id", "registered_at", "pk")


def suggestions(demands: Collection[Demand]) -> dict[int, Suggestion]:
    """Demand id -> what is suggested. A fixed number of statements."""
    counties = {demand.county_id for demand in demands}
    categories: dict[int, dict[str, Category]] = {}
    for row in Category.objects.filter(county_id__in=counties, is_active=True).order_by("order", "pk"):
        categories.setdefault(row.county_id, {})[row.name] = row
    usual, twins = _usual(demands), likely_many(demands)
    learned = _learned(demands, {row.pk: row for rows in categories.values() for row in rows.values()})
    guesses = {
        demand.pk: learned.get(demand.pk) or _by_words(demand, categories.get(demand.county_id, {}))
        for demand in demands
    }
    # What is filled in together must belong together: the unit is that of the category that is suggested.
    routes = routes_of([_as_if(demand, guesses[demand.pk][0]) for demand in demands])
    return {
        demand.pk: _suggest(
            demand,
            routes.get(demand.pk),
            guesses[demand.pk],
            usual,
            next((one for one in twins.get(demand.pk, ()) if one.may_take), None),
        )
        for demand in demands
    }


def _as_if(demand: Demand, category: Category | None) -> Demand:
    """The demand as it would be with another category; the one in hand stays as it is."""
    if category is None or category.pk == demand.category_id:
        return demand
    other = copy(demand)
    other.category = category
    return other


def _learned(demands: Collection[Demand], categories: dict[int, Category]) -> dict[int, tuple[Category | None, str]]:
    """Demand id -> its category by what the county's own demands taught, and the words that speak for it."""
    found: dict[int, tuple[Category | None, str]] = {}
    for county_id in {demand.county_id for demand in demands}:
        own = [demand for demand in demands if demand.county_id == county_id]
        texts = [text_of(demand.title, demand.text) for demand in own]
        for demand, guesses in zip(own, suggest(county_id, texts), strict=True):
            category = categories.get(guesses[0].category_id) if guesses else None
            # That it is of no kind is no reason to change what somebody wrote down.
            if category is not None and category.name != FALLBACK:
                found[demand.pk] = category, _said(guesses[0].words)
    return found


# How often a unit must have led matters of a kind before it is called the usual one.
_OFTEN = 3
Usual = dict[tuple[int, int], tuple[Unit, int]]


def _usual(demands: Collection[Demand]) -> Usual:
    """(community, category) -> the unit that led most of them there, and how many; only units that may be given more."""
    led: dict[tuple[int, int], tuple[int, int]] = {}
    units = {unit.pk: unit for unit in units_around(demands)}
    counted: Any = (
        Demand.objects.filter(community__in={demand.community_id for demand in demands}, lead_unit__in=units)
        .order_by()
        .values_list("community_id", "category_id", "lead_unit_id")
        .annotate(times=Count("pk"))
    )
    for community_id, category_id, unit_id, times in counted:
        best = led.get((community_id, category_id), (0, _OFTEN - 1))
        if (times, -unit_id) > (best[1], -best[0]) and times >= _OFTEN:
            led[community_id, category_id] = unit_id, times
    return {key: (units[unit_id], times) for key, (unit_id, times) in led.items()}


def _suggest(
    demand: Demand, route: Route | None, guess: tuple[Category | None, str], usual: Usual, twin: Likeness | None
) -> Suggestion:
    category, why = guess
    if route is not None and route.category is not None:
        category, why = route.category, "；".join(route.reasons)
    unit, unit_why = None, ""
    if route is not None:
        unit, unit_why = route.unit, "；".join(route.reasons)
    elif found := usual.get((demand.community_id, category.pk if category else demand.category_id)):
        unit, unit_why = found[0], _("本社区这类诉求由它办过 %(times)d 件") % {"times": found[1]}
    return Suggestion(
        category=category,
        category_why=why,
        unit=unit,
        unit_why=unit_why,
        supporting=tuple(route.supporting) if route is not None else (),
        desk=route.desk if route is not None and route.unit is None else "",
        twin=twin.demand if twin is not None else None,
        twin_why="；".join(twin.why) if twin is not None else "",
    )


def _by_words(demand: Demand, categories: dict[str, Category]) -> tuple[Category | None, str]:
    """By the words of the demand; nothing where none of them says anything."""
    name = guesser(categories)(demand.title, demand.text)
    if name == FALLBACK or name not in categories:
        return None, ""
    said = [word for word in WORDS.get(name, ()) if word in demand.title or word in demand.text]
    return categories[name], _said(said)


def _said(words: Sequence[str]) -> str:
    return _("写到%(words)s") % {"words": "、".join(f"“{word}”" for word in words[:3])}


def units_around(demands: Collection[Demand]) -> list[Unit]:
    """The units that have reported where the demands hang or around it, and the firms that run compounds there: what may
    be typed into the field."""
    inside = above = Q(pk__in=[])
    for community in {demand.community_id: demand.community for demand in demands}.values():
        inside |= in_subtree(community, "node")
        above |= Q(node__tree_id=community.tree_id, node__lft__lt=community.lft, node__rght__gt=community.rght)
    reported = UnitCheckIn.objects.current().filter(inside | above, unit__is_active=True)
    running = CompoundRunning.objects.by_firms().filter(inside)
    here = Q(pk__in=reported.values("unit_id")) | Q(pk__in=running.values("firm_id"))
    return list(Unit.objects.filter(here).order_by("name"))
