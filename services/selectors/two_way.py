"""双报到双服务 in one table: units, members, promises and joint activities of a place. Source: docs/domain.md#z2.

Everything counts inside the place it hangs on, seen by whoever may see the place's promises: sums name no person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Count
from django.utils.translation import gettext as _

from core import policies
from core.errors import NotFound
from core.models import User
from grids.models import County, GridNode
from grids.policies import CountyScope, NodeScope
from grids.querysets import in_subtree
from services.models import Activity, MemberCheckIn, MemberCheckInState, UnitCheckIn
from services.posts import VIEW_COMMITMENT
from services.selectors import commitments
from services.selectors.checkins import counted, figures_among
from services.selectors.commitments import Kept
from services.selectors.spread import Spot, Spread, places_below


@dataclass(frozen=True)
class Line:
    """The figures of a place; `place` is None for a whole county.

    Attributes:
        units: that have reported there today, each once; `lead` leads somewhere in it, `supporting` only supports.
        members: whose check-in the community has accepted.
    """

    place: GridNode | None
    units: int
    lead: int
    supporting: int
    members: int
    kept: Kept
    activities: int


@dataclass(frozen=True)
class Board:
    """A place (a county) and what it is made of. What reported to the place itself is in the whole alone."""

    county: County
    place: GridNode | None
    whole: Line
    lines: tuple[Line, ...]


def board(county: County, place: GridNode | None = None) -> Board:
    """The table of a place. Six queries at most, however many places and rows."""
    units, members, promises, activities = (
        _units(county, place),
        _members(county, place),
        commitments.spread(county, place),
        _activities(county, place),
    )

    def line(one: GridNode | None) -> Line:
        reported = figures_among(units.inside(one))
        return Line(
            one,
            reported.units,
            reported.lead,
            reported.supporting,
            sum(members.inside(one)),
            commitments.total(promises.inside(one)),
            sum(activities.inside(one)),
        )

    whole = line(place)
    return Board(county, place, whole, tuple(line(one) for one in places_below(county, place)))


def place_of(user: User, asked: str, right: str = VIEW_COMMITMENT) -> tuple[County, GridNode | None]:
    """The place of that key, or the widest for which the person holds the right (None: the whole county). Raises NotFound.

    Args:
        right: by which the person sees what is counted.
    """
    found = policies.scopes(user, right)
    # A unit and a member see their own promises, not a place.
    scopes = [scope for scope in found if isinstance(scope, CountyScope | NodeScope)]
    if not scopes:
        raise _nowhere()
    county = County.objects.get(pk=scopes[0].county_id)
    if not asked and any(isinstance(scope, CountyScope) for scope in scopes):
        return county, None
    nodes = GridNode.objects.standing().filter(policies.within(GridNode, user, right))
    if asked:
        nodes = nodes.filter(pk=int(asked)) if asked.isascii() and asked.isdigit() and len(asked) < 19 else nodes.none()
    else:
        nodes = nodes.filter(pk__in=[scope.pk for scope in scopes if isinstance(scope, NodeScope)])
    place = nodes.select_related("county", "level_type").order_by("tree_id", "lft").first()
    if place is None:
        raise _nowhere()
    return place.county, place


def _nowhere() -> NotFound:
    return NotFound(_("没有找到这个地方，或不在您的管辖范围内。"))


def _units(county: County, place: GridNode | None) -> Spread[tuple[int, str]]:
    rows = counted(UnitCheckIn.objects.filter(node__county=county))
    if place is not None:
        rows = rows.filter(in_subtree(place, "node"))
    found = rows.order_by().values_list("node__tree_id", "node__community_id", "node__lft", "unit_id", "role")
    return Spread(Spot(tree, community, tree, lft, (unit, role)) for tree, community, lft, unit, role in found)


def _members(county: County, place: GridNode | None) -> Spread[int]:
    rows = MemberCheckIn.objects.filter(node__county=county, state=MemberCheckInState.ACCEPTED)
    if place is not None:
        rows = rows.filter(in_subtree(place, "node", community="community"))
    return _counted(rows)


def _activities(county: County, place: GridNode | None) -> Spread[int]:
    rows = Activity.objects.filter(county=county)
    if place is not None:
        rows = rows.filter(in_subtree(place, "node", community="community"))
    return _counted(rows)


def _counted(rows: object) -> Spread[int]:
    spots: Iterable[tuple[int, int, int, int, int]] = (
        rows.order_by()  # type: ignore[attr-defined]
        .values_list("community__tree_id", "community_id", "node__tree_id", "node__lft")
        .annotate(n=Count("pk"))
    )
    return Spread(Spot(*spot) for spot in spots)
