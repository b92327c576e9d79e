"""How far the posts are filled: of the places in use, how many have somebody in the post that answers for them.

A place is vacant when its level names a post and nobody with an account in use holds that post there today. Other posts at
the place (a branch secretary beside the keeper) are counted as people, and fill no vacancy. Source: docs/domain.md#x4.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from core import policies
from core.models import User
from grids.models import Appointment, County, GridNode, Level
from grids.naming import COMMUNITY, STREET
from grids.policies import CountyScope, NodeScope
from grids.posts import POSTS, VIEW_APPOINTMENT
from grids.querysets import in_subtree


@dataclass(frozen=True)
class Cover:
    """Places in use that somebody should answer for, and those where somebody does."""

    nodes: int = 0
    filled: int = 0

    @property
    def vacant(self) -> int:
        return self.nodes - self.filled

    @property
    def share(self) -> str:
        """In percent with one decimal, cut off: one vacancy in ten thousand is not 100%."""
        if not self.nodes:
            return "—"
        thousandths = self.filled * 1000 // self.nodes
        return f"{thousandths // 10}.{thousandths % 10}%" if thousandths % 10 else f"{thousandths // 10}%"

    def __add__(self, other: "Cover") -> "Cover":
        return Cover(self.nodes + other.nodes, self.filled + other.filled)


@dataclass(frozen=True)
class Coverage:
    """Attributes:
    levels: each level that names a post, in the county's order, with its figures inside the place.
    parts: the streets of a county or the communities of a street with theirs; empty for anything smaller.
    """

    place: County | GridNode
    levels: list[tuple[Level, Cover]] = field(default_factory=list)
    parts: list[tuple[GridNode, Cover]] = field(default_factory=list)

    @property
    def total(self) -> Cover:
        return sum((cover for _level, cover in self.levels), Cover())


def coverage_of(place: County | GridNode) -> Coverage:
    """The figures of a county, a street, a community or anything below. Four queries, whatever the size."""
    county = place if isinstance(place, County) else place.county
    part = _part(place)
    nodes, filled = _counted(_inside(place), part or "county_id")
    levels = [level for level in Level.objects.filter(county=county) if level.holder_post]
    found = Coverage(place)
    for level in levels:
        cover = sum((_cover(nodes, filled, key) for key in nodes if key[1] == level.pk), Cover())
        if cover.nodes:
            found.levels.append((level, cover))
    if part:
        known = {level.pk for level in levels}
        for node in _parts(place):
            mine = node.tree_id if part == "tree_id" else node.pk
            keys = (key for key in nodes if key[0] == mine and key[1] in known)
            found.parts.append((node, sum((_cover(nodes, filled, key) for key in keys), Cover())))
    return found


@dataclass(frozen=True)
class Line:
    """The figures of one level inside one community, or of a street's own post."""

    place: GridNode
    level: Level
    cover: Cover


def lines_of(places: Iterable[GridNode]) -> list[Line]:
    """Community by community and level by level; of a street the street's own post. Three queries."""
    given = list(places)
    pks = [node.pk for node in given]
    inside = {
        "": Q(community_id__in=pks) | Q(pk__in=pks),
        "node__": Q(node__community_id__in=pks) | Q(node_id__in=pks),
    }
    nodes, filled = _counted(inside, "community_id", "pk")
    levels = list(Level.objects.filter(county_id__in={node.county_id for node in given}).exclude(holder_post=""))
    lines = (Line(place, level, _cover(nodes, filled, (place.pk, level.pk))) for place in given for level in levels)
    return [line for line in lines if line.cover.nodes]


def heads_of(place: County | GridNode) -> dict[str, int]:
    """Post -> people who hold it inside a place today, in the posts table's order (docs/domain.md#x4). One query."""
    held = Appointment.objects.current().filter(_inside(place)["node__"], node__retired_at__isnull=True)
    counted = dict(held.order_by().values_list("post").annotate(n=Count("user", distinct=True)))
    return {post: counted[post] for post in POSTS if post in counted}


def vacant(nodes: QuerySet[Any]) -> QuerySet[Any]:
    """Those of some nodes that are vacant."""
    here = _in_charge().filter(node=OuterRef("pk"), post=OuterRef("level_type__holder_post"))
    return nodes.filter(~Exists(here), retired_at__isnull=True).exclude(level_type__holder_post="")


def tops_of(user: User) -> list[County | GridNode]:
    """Where a person's look at the posts begins: the county, or the places they hold a post at. At most two queries."""
    scopes = policies.scopes(user, VIEW_APPOINTMENT)
    counties = {scope.county_id for scope in scopes if isinstance(scope, CountyScope)}
    if counties:
        return list(County.objects.filter(pk__in=counties))
    pks = {scope.pk for scope in scopes if isinstance(scope, NodeScope)}
    return list(
        GridNode.objects.standing().filter(pk__in=pks).select_related("county", "level_type").order_by("tree_id", "lft")
    )


# --- Counting -------------------------------------------------------------------------------------------------------

_Counts = dict[tuple[Any, int], int]


def _in_charge() -> QuerySet[Any]:
    return Appointment.objects.current().filter(user__is_active=True).order_by()


def _inside(place: County | GridNode) -> dict[str, Q]:
    """The place as a filter: for nodes themselves, and for appointments at them."""
    if isinstance(place, County):
        return {"": Q(county=place), "node__": Q(node__county=place)}
    # A street is no part of any community, and counts as well.
    column = "community" if place.community_id is not None else ""
    return {
        "": in_subtree(place, community=column),
        "node__": in_subtree(place, "node", community=column and f"node__{column}"),
    }


def _part(place: County | GridNode) -> str:
    """The column of a node that says in which part of the place it lies."""
    if isinstance(place, County):
        return "tree_id"
    return "community_id" if place.community_id is None else ""


def _parts(place: County | GridNode) -> QuerySet[GridNode]:
    standing = GridNode.objects.standing().select_related("level_type")
    if isinstance(place, County):
        return standing.at(STREET).filter(county=place).order_by("tree_id")
    return standing.at(COMMUNITY).filter(tree_id=place.tree_id).order_by("lft")


def _counted(inside: dict[str, Q], *part: str) -> tuple[_Counts, _Counts]:
    """(part, level) -> places in use, and those where somebody holds the level's post. Two queries.

    Args:
        part: the column of a node that says in which part it lies; where that is empty, the next.
    """
    nodes = GridNode.objects.standing().filter(inside[""]).order_by()
    held = _in_charge().filter(inside["node__"], node__retired_at__isnull=True, post=F("node__level_type__holder_post"))
    counted = []
    for rows, prefix, what in ((nodes, "", Count("pk")), (held, "node__", Count("node", distinct=True))):
        columns = [F(prefix + name) for name in part]
        lies = Coalesce(*columns) if len(columns) > 1 else columns[0]
        grouped = rows.annotate(lies=lies).values_list("lies", f"{prefix}level_type_id").annotate(n=what)
        counted.append({(one, level): n for one, level, n in grouped})
    return counted[0], counted[1]


def _cover(nodes: _Counts, filled: _Counts, key: tuple[Any, int]) -> Cover:
    return Cover(nodes.get(key, 0), filled.get(key, 0))
