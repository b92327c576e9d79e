"""Rows that were grouped by their place, added up for streets, communities and what lies in them. In memory: the groups
are few where the rows are many.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import QuerySet

from grids.models import County, GridNode
from grids.naming import COMMUNITY, STREET
from grids.querysets import in_subtree

# Pieces of a community that figures are broken down to, as lists are filtered by place.
PIECES = ("sector", "compound", "grid")
Value = TypeVar("Value")


@dataclass(frozen=True)
class Spot(Generic[Value]):
    """What was counted at one place. `street` is the tree of its community, `tree` the one its place stands in now."""

    street: int
    community: int | None
    tree: int
    lft: int
    value: Value


class Spread(Generic[Value]):
    """Answers what was counted inside a place, by the rule of `grids.querysets.in_subtree`."""

    def __init__(self, spots: Iterable[Spot[Value]]) -> None:
        self._streets: dict[int, list[Spot[Value]]] = defaultdict(list)
        self._communities: dict[int, list[Spot[Value]]] = defaultdict(list)
        for spot in spots:
            self._streets[spot.street].append(spot)
            if spot.community is not None:
                self._communities[spot.community].append(spot)

    def inside(self, place: GridNode | None) -> Iterator[Value]:
        """The values inside a place; of everything that was counted for None."""
        if place is None:
            return (spot.value for spots in self._streets.values() for spot in spots)
        if place.community_id is None:
            return (spot.value for spot in self._streets.get(place.tree_id, ()))
        spots = self._communities.get(place.community_id, [])
        if place.community_id == place.pk:
            return (spot.value for spot in spots)
        bounds = range(place.lft, place.rght + 1)
        return (spot.value for spot in spots if spot.tree == place.tree_id and spot.lft in bounds)


def within(rows: QuerySet[GridNode], county: County, place: GridNode | None) -> QuerySet[GridNode]:
    """The nodes among `rows` that lie inside the place, or anywhere in the county for None."""
    return rows.filter(county=county) if place is None else rows.filter(in_subtree(place))


def places_below(county: County, place: GridNode | None) -> Sequence[GridNode]:
    """What a table of figures breaks a place down into: a county into its streets (a single street at once into its
    communities), a street into communities, a community into its sectors, or where it has none into the places next
    below it. One or two queries.
    """
    nodes = GridNode.objects.standing().order_by("tree_id", "lft")
    if place is None:
        streets = list(nodes.at(STREET).filter(county=county))
        return streets if len(streets) != 1 else list(nodes.at(COMMUNITY).filter(county=county))
    if place.community_id is None:
        return list(nodes.at(COMMUNITY).filter(tree_id=place.tree_id))
    if place.community_id != place.pk:
        return list(nodes.at(*PIECES).filter(parent=place))
    sectors = list(nodes.at("sector").filter(community_id=place.pk))
    return sectors or list(nodes.at(*PIECES).filter(parent=place))
