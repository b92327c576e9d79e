"""What stands beside the form of a move, before it is made: is it known already, what kind of thing is it, where do the
rules send it, and may the community lead it. Suggestions alone: each is taken with one touch or left."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import policies
from services.category_words import FALLBACK
from services.models import Category, Demand, RouteMode
from services.selectors import outside
from services.selectors.duplicates import Likeness, likely
from services.selectors.loop import Action
from services.selectors.routing import Route, route_of
from services.suggesting import suggest, text_of
from services.workflow import DEMAND

# The moves at which somebody decides what a demand is and whose.
DECIDING = ("accept", "dispatch")


@dataclass(frozen=True)
class CategoryHint:
    """A category the text speaks for; `url` shows the form with it chosen."""

    category: Category
    percent: int
    words: str
    url: str


@dataclass(frozen=True)
class Known:
    """A demand that likely speaks of the same matter; `url` is its page."""

    likeness: Likeness
    url: str

    @property
    def why(self) -> str:
        return "，".join(self.likeness.why)


@dataclass(frozen=True)
class Hints:
    """For templates/services/hints.html. `initial`: what the form starts with."""

    warning: str = ""
    route: Route | None = None
    goes: str = ""
    categories: list[CategoryHint] = field(default_factory=list)
    known: list[Known] = field(default_factory=list)
    link_url: str = ""
    version: int = 0
    initial: Mapping[str, Any] = field(default_factory=dict)


NONE = Hints()


def hints_of(
    user: Any, action: Action, asked: Mapping[str, str], *, demand_url: Callable[[Demand], str], link_url: str
) -> Hints:
    """What to show beside a move; nothing for moves at which nothing of it is decided.

    Args:
        asked: of the address: the category that was chosen with one touch.
        demand_url: the page of another demand. link_url: where 并案 of this one is posted.
    """
    demand = action.target
    if not isinstance(demand, Demand) or action.row.name not in DECIDING:
        return NONE
    matter = outside.outside_matter(demand)
    route = route_of(demand)
    accepting = action.row.name == "accept"
    linkable = DEMAND.offers(demand, "link", user)
    alike = [one for one in likely(demand) if policies.sees(user, one.demand)]
    return Hints(
        warning=_warning(matter) if matter is not None else "",
        route=route,
        goes=_goes(route, accepting) if route is not None else "",
        categories=_categories(demand, action) if accepting else [],
        known=[Known(one, demand_url(one.demand)) for one in alike],
        link_url=link_url if linkable else "",
        version=demand.version,
        initial=_accepted_as(asked) if accepting else _sent_to(route),
    )


def _warning(matter: Any) -> str:
    basis = _("，依据：%(basis)s") % {"basis": matter.basis} if matter.basis else ""
    return _("“%(matter)s”是清单外事项%(basis)s：不能由社区自己的单位牵头。派给有此职责的部门，没有的上报街道。") % {
        "matter": matter.name,
        "basis": basis,
    }


def _goes(route: Route, accepting: bool) -> str:
    words = {"to": route.goes_to}
    if route.unit is None:
        return _("按规则：%(to)s") % words
    if route.mode == RouteMode.AUTO and accepting:
        return _("受理后自动派给：%(to)s") % words
    return _("按规则派给：%(to)s") % words


def _categories(demand: Demand, action: Action) -> list[CategoryHint]:
    [found] = suggest(demand.county_id, [text_of(demand.title, demand.text)])
    if not found or found[0].category_id == demand.category_id:
        return []
    rows = Category.objects.in_bulk([one.category_id for one in found])
    return [
        CategoryHint(
            rows[one.category_id],
            round(one.share * 100),
            "、".join(one.words),
            f"?{urlencode({'on': action.key, 'category': str(one.category_id)})}",
        )
        for one in found
        if one.category_id in rows
        and one.category_id != demand.category_id
        and rows[one.category_id].name != FALLBACK  # that it is of no kind is no reason to change what was written
    ]


def _accepted_as(asked: Mapping[str, str]) -> dict[str, Any]:
    key = asked.get("category", "")
    return {"category": int(key)} if key.isascii() and key.isdigit() and len(key) < 19 else {}


def _sent_to(route: Route | None) -> dict[str, Any]:
    if route is None or route.unit is None:
        return {}
    return {"unit": route.unit.pk, "supporting": [unit.pk for unit in route.supporting]}
