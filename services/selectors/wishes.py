"""Figures of small wishes, defined here and nowhere else, and what of them waits for whom. Source: docs/domain.md#l5.

Collected is everything that was written down; adopted is what somebody took on and has not given back, done what was given,
thanked what the community confirmed. Money is what was expected of the done ones. A wish that a unit adopted counts among
the unit's wishes and nowhere else; one that a member adopted is a service of theirs as well (docs/practice.md#wishes).
Figures are of places the caller has checked, no smaller than a community; they name no person.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from core import policies
from core.models import User
from grids.models import County, GridNode
from partybuilding.models import Unit
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import Wish, WishState
from services.policies import CheckInScope
from services.selectors import two_way

_ADOPTED = (WishState.ADOPTED, WishState.DONE, WishState.THANKED)
_DONE = (WishState.DONE, WishState.THANKED)


def _in(states: Iterable[str]) -> Q:
    return Q(state__in=[str(state) for state in states])


@dataclass(frozen=True)
class WishFigures:
    """How wishes stand. `members` and `units`: who adopted, each once; `money` in yuan."""

    collected: int = 0
    waiting: int = 0
    open: int = 0
    adopted: int = 0
    done: int = 0
    thanked: int = 0
    members: int = 0
    units: int = 0
    money: int = 0

    @property
    def percent(self) -> int | None:
        """Done out of adopted, as a whole number of percent; None where nothing was adopted."""
        return round(self.done * 100 / self.adopted) if self.adopted else None


@dataclass(frozen=True)
class Line:
    """The figures of a community."""

    community: GridNode
    figures: WishFigures


@dataclass(frozen=True)
class UnitLine:
    """What a unit adopted in a place."""

    unit: Unit
    adopted: int
    done: int
    money: int


@dataclass(frozen=True)
class WishBoard:
    """A place (None: the whole county) and its communities that have collected anything, in the order of the tree."""

    whole: WishFigures
    lines: tuple[Line, ...]


def in_place(county: County | int, place: GridNode | None) -> QuerySet[Wish]:
    """The wishes of a place, or of the county."""
    return Wish.objects.filter(county=county) if place is None else Wish.objects.filter(in_place_q(place))


def place_of(user: User, asked: str) -> tuple[County, GridNode | None]:
    """The place of that key, or the widest whose wishes the person sees (None: the whole county); never smaller than a
    community. Raises NotFound."""
    county, place = two_way.place_of(user, asked, posts.VIEW_WISH)
    return county, place.community if place is not None and place.community is not None else place


def in_place_q(place: GridNode) -> Q:
    """The wishes of a street or community. Of a place inside a community, those of its community: which building a wish is
    from is nobody's to count."""
    if place.community_id is None:
        return Q(county_id=place.county_id, community__tree_id=place.tree_id)
    return Q(community_id=place.community_id)


def figures_of(rows: QuerySet[Any]) -> WishFigures:
    """How some wishes stand. One query."""
    return _figures(rows.order_by().aggregate(**_counts()))


def board(county: County, place: GridNode | None = None) -> WishBoard:
    """A place and its communities. Three queries."""
    rows = in_place(county, place)
    grouped: Any = rows.order_by().values("community_id").annotate(**_counts())
    found = {row.pop("community_id"): _figures(row) for row in grouped}
    nodes = GridNode.objects.filter(pk__in=found).order_by("tree_id", "lft")
    return WishBoard(figures_of(rows), tuple(Line(node, found[node.pk]) for node in nodes))


def by_unit(county: County, place: GridNode | None = None) -> list[UnitLine]:
    """What every unit adopted inside a place, by the names of the units: no ranking. Two queries."""
    rows: Any = in_place(county, place).filter(_in(_ADOPTED), unit__isnull=False).order_by().values("unit_id")
    counted = rows.annotate(
        adopted=Count("pk"), finished=Count("pk", filter=_in(_DONE)), money=Sum("cost", filter=_in(_DONE))
    )
    found = {row["unit_id"]: row for row in counted}
    units = Unit.objects.filter(pk__in=found).order_by("name", "pk")
    return [
        UnitLine(unit, found[unit.pk]["adopted"], found[unit.pk]["finished"], found[unit.pk]["money"] or 0)
        for unit in units
    ]


def _counts() -> dict[str, Any]:
    adopted, done = _in(_ADOPTED), _in(_DONE)
    return {
        "collected": Count("pk"),
        "waiting": Count("pk", filter=Q(state=WishState.COLLECTED)),
        "open_now": Count("pk", filter=Q(state=WishState.OPEN)),
        "adopted_all": Count("pk", filter=adopted),
        "done": Count("pk", filter=done),
        "thanked": Count("pk", filter=Q(state=WishState.THANKED)),
        "members": Count("member", filter=adopted, distinct=True),
        "units": Count("unit", filter=adopted, distinct=True),
        "money": Sum("cost", filter=done),
    }


def _figures(row: dict[str, Any]) -> WishFigures:
    return WishFigures(
        row["collected"],
        row["waiting"],
        row["open_now"],
        row["adopted_all"],
        row["done"],
        row["thanked"],
        row["members"],
        row["units"],
        row["money"] or 0,
    )


# --- What waits for whom --------------------------------------------------------------------------------------------


def own(user: User) -> Q:
    """What the person, or a unit they act for, has adopted."""
    scopes = policies.scopes(user, posts.VIEW_WISH)
    units = {scope.unit_id for scope in scopes if isinstance(scope, UnitScope)}
    members = {scope.member_id for scope in scopes if isinstance(scope, MemberScope)}
    return Q(unit__in=units) | Q(member__in=members)


def adopts(user: User) -> bool:
    """Whether the person can adopt anywhere: a member, or who acts for a unit that has reported. No query of its own."""
    return any(isinstance(scope, CheckInScope | MemberScope) for scope in policies.scopes(user, posts.ADOPT_WISH))


def in_hand(user: User) -> QuerySet[Wish]:
    """What the person has adopted and not finished."""
    return Wish.objects.visible_to(user).filter(own(user), state=WishState.ADOPTED)


def to_adopt(user: User) -> QuerySet[Wish]:
    """What the person could adopt."""
    return Wish.objects.filter(policies.within(Wish, user, posts.ADOPT_WISH), state=WishState.OPEN)


def waiting_here() -> Q:
    """What the community is to see to: check, confirm, and what nobody adopted or brought in time."""
    late = Q(state__in=[WishState.OPEN, WishState.ADOPTED], due_at__lt=timezone.now())
    return Q(state__in=[WishState.COLLECTED, WishState.DONE]) | late


def to_see_to(user: User) -> QuerySet[Wish]:
    """What waits for the person in a post of the community."""
    return Wish.objects.filter(policies.within(Wish, user, posts.MANAGE_WISH)).filter(waiting_here())


def kept(user: User) -> QuerySet[Wish]:
    """What was collected in the places the person collects in."""
    return Wish.objects.filter(policies.within(Wish, user, posts.COLLECT_WISH))
