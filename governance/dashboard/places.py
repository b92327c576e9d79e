"""Where a dashboard can stand: the county, a street, a community, as far as the person's posts reach."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from django.db.models import Case, Q, When
from django.utils.translation import gettext as _

from core import policies
from core.errors import Forbidden, NotFound
from core.policies import VIEW_DASHBOARD
from core.prepared import prepared
from grids.models import County, GridNode
from grids.naming import COMMUNITY, STREET, steps_of
from grids.policies import CountyScope
from grids.posts import COUNTY
from grids.querysets import in_subtree

Row = tuple[Any, ...]

_COLUMNS = (
    "pk",
    "name",
    "code",
    "path",
    "tree_id",
    "lft",
    "rght",
    "community_id",
    "is_retired_now",
    "county_id",
    "county__name",
    "county__code",
    "county__note",
)
_COUNTY = _COLUMNS.index("county_id")


@dataclass(eq=False)
class Place:
    """A county, street or community. `steps` are the names from the county down; `parent` only where it is in sight.

    Has what `in_subtree` reads of a node.
    """

    level: str
    pk: int
    code: str
    name: str
    steps: tuple[str, ...]
    county_id: int
    note: str = ""
    retired: bool = False
    tree_id: int = 0
    lft: int = 0
    rght: int = 0
    community_id: int | None = None
    parent: "Place | None" = None
    children: list["Place"] = field(default_factory=list)

    @property
    def top(self) -> "Place":
        """The widest place in sight around this one."""
        return self.parent.top if self.parent else self

    @property
    def trail(self) -> list["Place"]:
        """This place and those in sight around it, the widest first."""
        return [*(self.parent.trail if self.parent else []), self]

    @property
    def shape(self) -> Hashable:
        return self.level, self.pk, self.tree_id, self.lft, self.rght

    @property
    def word(self) -> str:
        """全县, 全街道, 全社区."""
        return {COUNTY: _("全县"), STREET: _("全街道"), COMMUNITY: _("全社区")}[self.level]

    @cached_property
    def look(self) -> Hashable:
        """Names and codes of this place, those around it and those below: what a page says of places."""
        around = tuple((each.code, each.name) for each in self.trail)
        return around, self.steps, self.note, self._below()

    def _below(self) -> Hashable:
        return self.pk, self.code, self.name, self.retired, tuple(child._below() for child in self.children)

    def communities(self) -> list["Place"]:
        if self.level == COMMUNITY:
            return [self]
        return [leaf for child in self.children for leaf in child.communities()]

    def inside(self, path: str = "community") -> Q:
        """Rows counted here. By the community they carry, which is how tallies count them."""
        prefix = f"{path.removesuffix('community')}"
        if self.level == COUNTY:
            return Q(**{f"{prefix}county_id": self.pk})
        return in_subtree(self, path, community=path)


def scopes_of(user: Any, right: str) -> tuple[Any, ...]:
    """The person's scopes for a right, as part of a shape."""
    return tuple(dict.fromkeys(policies.scopes(user, right)))


class Atlas:
    """Every place of the dashboards one person may look at. Shared between requests, so nobody changes it."""

    def __init__(self, rows: Iterable[Row], whole: frozenset[int], bare: Iterable[Row]) -> None:
        """Args: rows: of `_nodes`. whole: counties in sight as such. bare: those of them without any street."""
        self.by_code: dict[str, Place] = {}
        counties: dict[int, Place] = {}
        streets: dict[int, Place] = {}
        for pk, code, name, note in bare:
            self._add(Place(COUNTY, pk, code, name, (name,), pk, note))
        for (
            pk,
            name,
            code,
            path,
            tree_id,
            lft,
            rght,
            community_id,
            retired,
            county_id,
            county,
            county_code,
            note,
        ) in rows:
            if county_id in whole and county_id not in counties:
                counties[county_id] = self._add(
                    Place(COUNTY, county_id, county_code, county, (county,), county_id, note)
                )
            level = COMMUNITY if community_id == pk else STREET
            place = self._add(
                Place(
                    level=level,
                    pk=pk,
                    code=code,
                    name=name,
                    steps=(county, *steps_of(path)),
                    county_id=county_id,
                    note=note,
                    retired=bool(retired),
                    tree_id=tree_id,
                    lft=lft,
                    rght=rght,
                    community_id=community_id,
                    parent=streets.get(tree_id) if level == COMMUNITY else counties.get(county_id),
                )
            )
            if level == STREET:
                streets[tree_id] = place
            if place.parent:
                place.parent.children.append(place)
        self.roots = [place for place in self.by_code.values() if place.parent is None]

    def _add(self, place: Place) -> Place:
        self.by_code[place.code] = place
        return place

    def start(self) -> Place:
        """The widest place in sight, where the dashboard opens."""
        order = (COUNTY, STREET, COMMUNITY)
        return min(self.roots, key=lambda place: (place.retired, order.index(place.level)))

    def find(self, code: str) -> Place:
        """Raises `NotFound` for a code that is none, or none in sight."""
        found = self.by_code.get(code)
        if found is None:
            raise NotFound(_("没有找到这个地方，或不在您的管辖范围内。看板到社区为止。"))
        return found


def atlas_of(user: Any) -> Atlas:
    """The places a person may look at; one statement.

    Raises `Forbidden` for somebody to whom dashboards are not open at all.
    """
    scopes = scopes_of(user, VIEW_DASHBOARD)
    whole = frozenset(scope.county_id for scope in scopes if isinstance(scope, CountyScope))
    rows = tuple(prepared(("atlas", scopes), lambda: _nodes(user)).rows()) if scopes else ()
    begun = {row[_COUNTY] for row in rows}
    bare: tuple[Row, ...] = ()
    if whole - begun:
        bare = tuple(County.objects.filter(pk__in=whole - begun).values_list("pk", "code", "name", "note"))
    if not rows and not bare:
        raise Forbidden(_("看板供县委组织部、街道和社区干部查看。"))
    return _drawn(rows, whole, bare)


@lru_cache(maxsize=512)
def _drawn(rows: tuple[Row, ...], whole: frozenset[int], bare: tuple[Row, ...]) -> Atlas:
    """The same rows make the same atlas."""
    return Atlas(rows, whole, bare)


def _nodes(user: Any) -> Any:
    reached = policies.within(GridNode, user, VIEW_DASHBOARD)
    nodes = GridNode.objects.filter(reached).at(STREET, COMMUNITY).order_by("tree_id", "lft")
    # A number on every engine, which a moment is not.
    retired = Case(When(retired_at__isnull=True, then=0), default=1)
    return nodes.annotate(is_retired_now=retired).values_list(*_COLUMNS)
