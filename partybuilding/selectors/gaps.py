"""Where nobody looks after a place, and who looks after too many. Source: docs/domain.md#x5, #g1."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from core import policies
from core.models import User
from grids.models import County, GridNode, Level
from grids.querysets import in_subtree
from partybuilding import covers
from partybuilding.covers import Cover
from partybuilding.models import Pairing, Unit
from partybuilding.pairing_kinds import Kind
from partybuilding.posts import MANAGE_PAIRING, VIEW_PAIRING
from partybuilding.selectors.pairings import Guide, guides_of


@dataclass(frozen=True)
class Column:
    """A cover in a county, with the level it is due at."""

    cover: Cover
    level: Level


@dataclass(frozen=True)
class Cell:
    """How many places should have it, and how many have it not."""

    due: int = 0
    gaps: int = 0

    def plus(self, other: "Cell") -> "Cell":
        return Cell(self.due + other.due, self.gaps + other.gaps)


@dataclass
class Line:
    """A community (or the sum of a street, or of all) with a cell for each column. `node_id` is None for a place that is
    named, but out of sight."""

    name: str
    node_id: int | None
    cells: list[Cell]
    columns: Sequence[Column] = ()
    lines: list["Line"] = field(default_factory=list)

    @property
    def pairs(self) -> list[tuple[Column, Cell]]:
        """Each column with its cell."""
        return list(zip(self.columns, self.cells, strict=True))


@dataclass(frozen=True)
class Load:
    """A holder of more places than the guide says: over the whole county, whatever the person who looks may see."""

    kind: Kind
    unit_id: int | None
    user_id: int | None
    holder: str
    active: bool
    count: int
    most: int
    pairing_id: int

    @property
    def key(self) -> tuple[str, int | None, int | None]:
        return str(self.kind.key), self.unit_id, self.user_id


def _held(kind: str) -> Exists:
    """A pairing of today whose holder is there: a stopped account or a closed unit looks after nothing."""
    there = Q(user__is_active=True) | Q(unit__is_active=True)
    return Exists(Pairing.objects.current().filter(there, node=OuterRef("pk"), kind=kind))


def columns_of(county: County) -> list[Column]:
    """What places of the county should have. A few queries, whatever the county."""
    levels = {level.key: level for level in county.levels.all()}
    kinds = [_cover(guide) for guide in guides_of(county).values()]
    return [Column(cover, levels[cover.level]) for cover in (*kinds, *covers.registered()) if cover.level in levels]


def _cover(guide: Guide) -> Cover:
    key = str(guide.kind.key)
    add = ("admin:partybuilding_pairing_add", MANAGE_PAIRING)
    return Cover(key, guide.kind.label, guide.level, lambda: _held(key), add)


def places_in_sight(user: User, county: County, place: GridNode | None = None) -> QuerySet[Any]:
    """The places in use whose pairings the person may see, inside a place if one is given."""
    nodes = GridNode.objects.standing().filter(policies.within(GridNode, user, VIEW_PAIRING), county=county)
    return nodes.filter(in_subtree(place)) if place is not None else nodes


def missing(user: User, county: County, column: Column, place: GridNode | None = None) -> QuerySet[Any]:
    """The places that should have it and have not, in reading order."""
    nodes = places_in_sight(user, county, place).filter(~column.cover.held(), level_type=column.level)
    return nodes.order_by("tree_id", "lft")


def missing_any(user: User, county: County, columns: Sequence[Column], place: GridNode | None = None) -> QuerySet[Any]:
    """The places that lack any of it, in reading order."""
    lacking = Q(pk__in=[])
    for column in columns:
        lacking |= Q(level_type=column.level) & ~Q(column.cover.held())
    return places_in_sight(user, county, place).filter(lacking).order_by("tree_id", "lft")


def gaps(user: User, county: County, columns: Sequence[Column], place: GridNode | None = None) -> Line:
    """What is missing, street by street and community by community. One query a column and one for the places."""
    here = places_in_sight(user, county, place)
    found = [_counted(here, column) for column in columns]
    nodes = here.at("street", "community").order_by("tree_id", "lft").select_related("parent")  # type: ignore[attr-defined]
    seen = {node.pk for node in nodes}
    total = Line(county.name, None, [Cell() for _column in columns], columns)
    streets: dict[int, Line] = {}
    for node in (node for node in nodes if node.community_id == node.pk):
        if node.parent_id not in streets:
            known = node.parent_id if node.parent_id in seen else None
            streets[node.parent_id] = Line(node.parent.name, known, [Cell() for _column in columns], columns)
            total.lines.append(streets[node.parent_id])
        cells = [counted.get(node.pk, Cell()) for counted in found]
        streets[node.parent_id].lines.append(Line(node.name, node.pk, cells, columns))
    for street in total.lines:
        street.cells = _sum(street.lines, street.cells)
    total.cells = _sum(total.lines, total.cells)
    return total


def _counted(nodes: QuerySet[Any], column: Column) -> dict[int, Cell]:
    due = nodes.filter(level_type=column.level).order_by().values("community_id")
    rows = due.annotate(due=Count("pk"), gaps=Count("pk", filter=~Q(column.cover.held())))
    return {row["community_id"]: Cell(row["due"], row["gaps"]) for row in rows}


def _sum(lines: Iterable[Line], cells: list[Cell]) -> list[Cell]:
    for line in lines:
        cells = [cell.plus(other) for cell, other in zip(cells, line.cells, strict=True)]
    return cells


def overloads(user: User, county: County, place: GridNode | None = None) -> list[Load]:
    """Holders beyond the guide, the heaviest first, among those with a pairing in the person's sight. Five queries."""
    guides = guides_of(county)
    running = Pairing.objects.current().filter(county=county)
    counted = running.order_by().values_list("kind", "unit_id", "user_id").annotate(n=Count("pk"))
    counted = counted.filter(n__gt=min(guide.most for guide in guides.values()))
    heavy = {(kind, unit, person): n for kind, unit, person, n in counted if n > guides[kind].most}
    seen = running.filter(pk__in=Pairing.objects.visible_to(user).values("pk"))
    if place is not None:
        seen = seen.filter(in_subtree(place, "node"))
    units, people = {unit for _k, unit, _p in heavy if unit}, {person for _k, _u, person in heavy if person}
    seen = seen.filter(Q(unit_id__in=units) | Q(user_id__in=people)).order_by("-pk")
    rows = seen.values_list("pk", "kind", "unit_id", "user_id")
    in_sight = {(kind, unit, person): pk for pk, kind, unit, person in rows}
    names = _names(units, people)
    found = [
        Load(
            guides[kind].kind,
            unit,
            person,
            *names[unit, person],
            count,
            guides[kind].most,
            in_sight[kind, unit, person],
        )
        for (kind, unit, person), count in heavy.items()
        if (kind, unit, person) in in_sight
    ]
    return sorted(found, key=lambda load: (-load.count, load.holder))


def _names(units: set[int], people: set[int]) -> dict[tuple[int | None, int | None], tuple[str, bool]]:
    found: dict[tuple[int | None, int | None], tuple[str, bool]] = {}
    for unit in Unit.objects.filter(pk__in=units):
        found[unit.pk, None] = (unit.label, unit.is_active)
    for person in User.objects.filter(pk__in=people):
        found[None, person.pk] = (person.name, person.is_active)
    return found
