"""Reads over the tree and its people that more than one face needs."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from core import policies
from core.errors import NotFound
from core.models import User
from core.prepared import prepared
from grids.models import Appointment, County, GridNode, Level
from grids.naming import COMMUNITY, GRID, STREET
from grids.policies import CountyScope, NodeScope
from grids.posts import POSTS
from grids.querysets import in_subtree
from grids.successors import follow

# The size guide for a grid: warned of, never enforced, because places differ (docs/practice.md, "Codes").
GRID_HOUSEHOLDS = (300, 500)


def child_levels(county: County, parent: GridNode | None) -> list[Level]:
    """The levels a new node below `parent` may be of, in the county's order; the street's alone without a parent."""
    levels = list(Level.objects.filter(county=county))
    if parent is None:
        return [level for level in levels if level.key == STREET]
    later = [level for level in levels if level.order > parent.level_type.order]
    if parent.community_id is None:
        return [level for level in later if level.key == COMMUNITY]
    return [level for level in later if level.key != COMMUNITY]


def communities(county: County) -> QuerySet[GridNode]:
    """The county's communities in use, street by street."""
    return GridNode.objects.standing().at(COMMUNITY).filter(county=county).order_by("tree_id", "lft")


def place_of_code(user: Any, code: str) -> GridNode | None:
    """The place of a code, with its community, where the user sees it."""
    scopes = tuple(dict.fromkeys(policies.scopes(user, policies.policy_of(GridNode).view)))

    def there(code: str) -> QuerySet[GridNode]:
        return GridNode.objects.visible_to(user).select_related("community").filter(code=code).order_by()

    found: GridNode | None = prepared(("place", scopes), there, str).one(code)
    return found


def level_counts(place: County | GridNode) -> dict[str, int]:
    """Level key -> nodes in use, in a county or inside a node; levels in order, empty ones with 0. Two queries."""
    county = place if isinstance(place, County) else place.county
    where: dict[str, Any] = {"county": place} if isinstance(place, County) else {}
    nodes = GridNode.objects.standing().filter(**where)
    if isinstance(place, GridNode):
        nodes = nodes.filter(in_subtree(place))
    counted = dict(nodes.order_by().values_list("level_type__key").annotate(n=Count("pk")))
    return {level.key: counted.get(level.key, 0) for level in Level.objects.filter(county=county)}


def holders_of(nodes: Iterable[GridNode]) -> dict[int, list[Appointment]]:
    """Node id -> today's appointments there, in the posts table's order. One query however many nodes."""
    found: dict[int, list[Appointment]] = {node.pk: [] for node in nodes}
    held = Appointment.objects.current().filter(node_id__in=list(found)).select_related("user", "node")
    order = list(POSTS)
    for row in sorted(held, key=lambda row: (order.index(row.post) if row.post in POSTS else len(order), row.pk)):
        assert row.node_id is not None
        found[row.node_id].append(row)
    return found


def who_answers_for(node: GridNode) -> list[Appointment]:
    """The people in post at the node, or at the nearest place above it that has any. Two queries."""
    chain = list(GridNode.objects.filter(tree_id=node.tree_id, lft__lte=node.lft, rght__gte=node.rght).order_by("-lft"))
    held = holders_of(chain)
    return next((held[place.pk] for place in chain if held[place.pk]), [])


def successor_of(node: GridNode) -> GridNode | None:
    """The place in use that a place stands for today: itself, or along the successors; None where nobody took over."""
    return follow(node)[0]


def heir_of(node: GridNode) -> GridNode | None:
    """As `successor_of`; where nobody took over, the nearest place in use above."""
    return successor_of(node) or node.get_ancestors().standing().last()


def size_warning(node: GridNode) -> str:
    """A remark on a grid outside the size guide, for forms and lists; empty when there is nothing to remark."""
    low, high = GRID_HOUSEHOLDS
    if node.level_type.key != GRID or node.households is None or low <= node.households <= high:
        return ""
    return _("网格一般 %(low)d 至 %(high)d 户，现有 %(count)d 户。") % {
        "low": low,
        "high": high,
        "count": node.households,
    }


def managed_county(user: Any, right: str) -> County:
    """The county in which the person holds a right. Raises `NotFound`."""
    # What somebody holds as a member or for a unit lies in no county.
    ids = {scope.county_id for scope in policies.scopes(user, right) if hasattr(scope, "county_id")}
    found = County.objects.filter(pk__in=ids).order_by("pk").first()
    if found is None:
        raise NotFound(_("没有找到您管理的县。"))
    return found


def reporting_unit(user: User, right: str) -> str:
    """Where a person's right holds, in words: the line 填报单位 of a ledger."""
    scopes = policies.scopes(user, right)
    nodes = GridNode.objects.filter(pk__in=[scope.pk for scope in scopes if isinstance(scope, NodeScope)])
    counties = County.objects.filter(pk__in=[scope.county_id for scope in scopes if isinstance(scope, CountyScope)])
    return "、".join([*(county.name for county in counties), *(node.name for node in nodes)]) or user.name
