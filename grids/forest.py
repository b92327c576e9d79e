"""The places of a county read once, to look many things up in memory: for tables, which ask about every place they name."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q

from core import policies
from core.actors import SYSTEM, Actor
from grids.models import County, GridNode
from grids.policies import BelowScope, CountyScope, NodeScope

CHUNK = 5000
COLUMNS = (
    "pk",
    "parent_id",
    "level_type_id",
    "community_id",
    "county_id",
    "tree_id",
    "lft",
    "rght",
    "name",
    "path",
    "code",
    "external_code",
    "kind",
    "address",
    "households",
    "retired_at",
    "successor_id",
    "version",
)


@dataclass(slots=True, eq=False)
class Place:
    """A node as a table sees it: the columns of `GridNode`, and whether it lies where the person may work."""

    pk: int
    parent_id: int | None
    level_type_id: int
    community_id: int | None
    county_id: int
    tree_id: int
    lft: int
    rght: int
    name: str
    path: str
    code: str
    external_code: str
    kind: str
    address: str
    households: int | None
    retired_at: Any
    successor_id: int | None
    version: int
    inside: bool = True


@dataclass
class Forest:
    """What was read. `children` holds the places in use by parent, level and name; `retired` those that are not."""

    places: dict[int, Place] = field(default_factory=dict)
    by_code: dict[str, Place] = field(default_factory=dict)
    by_external: dict[str, list[Place]] = field(default_factory=dict)
    by_path: dict[str, list[Place]] = field(default_factory=dict)
    by_name: dict[str, list[Place]] = field(default_factory=dict)
    children: dict[tuple[int | None, int, str], Place] = field(default_factory=dict)
    retired: dict[tuple[int | None, int, str], Place] = field(default_factory=dict)

    def add(self, place: Place) -> None:
        self.places[place.pk] = place
        spot = (place.parent_id, place.level_type_id, place.name)
        if place.retired_at is not None:
            self.retired[spot] = place
        else:
            self.children[spot] = place
        self.by_code[place.code] = place
        if place.external_code:
            self.by_external.setdefault(place.external_code, []).append(place)
        if place.retired_at is None:
            self.by_path.setdefault(place.path, []).append(place)
            self.by_name.setdefault(place.name, []).append(place)


def read(county: County, actor: Actor, right: str) -> Forest:
    """The county's places on which the actor has a right, and what lies above them (`inside` is False for those)."""
    forest = Forest()
    if actor is SYSTEM:
        for place in _places(Q(county=county)):
            forest.add(place)
        return forest
    for place in _places(Q(county=county) & policies.within(GridNode, actor, right)):
        forest.add(place)
    for above in _above(county, policies.scopes(actor, right)):
        if above.pk not in forest.places:
            forest.add(above)
    return forest


def _above(county: County, scopes: Iterable[Any]) -> Iterator[Place]:
    """The chains above the places of narrow scopes: a table writes them out, though nothing is brought in there."""
    wanted = Q(pk__in=[])
    for scope in scopes:
        node = scope.node if isinstance(scope, BelowScope) else scope
        if isinstance(node, NodeScope):
            wanted |= Q(tree_id=node.tree_id, lft__lt=node.lft, rght__gt=node.rght)
    for place in _places(Q(county=county) & wanted):
        place.inside = False
        yield place


def _places(wanted: Q) -> Iterator[Place]:
    rows = GridNode.objects.filter(wanted).order_by().values_list(*COLUMNS)
    for row in rows.iterator(chunk_size=CHUNK):
        yield Place(*row)


def holds(scopes: Iterable[Any], place: Place) -> bool:
    """Whether a place lies in one of some scopes of nodes."""
    return any(
        scope.county_id == place.county_id if isinstance(scope, CountyScope) else scope.holds(place) for scope in scopes
    )
