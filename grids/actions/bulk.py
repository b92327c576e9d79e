"""Makes many nodes in one pass: whole streets, and what is new in streets that stand. For imports and samples.

mptt would rewrite the bounds of the tree for every node; here room is made once for all, bounds and codes are counted in
Python on one walk, and the rows go in by a few statements per depth (docs/decisions/0001: 98,000 nodes in 6 s instead of
hours). What stands is read and locked as `grids.actions.tree` does it.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Case, F, Max, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.codes import DivisionLevel, new_place_token, parse_division_code
from core.errors import Conflict, Invalid, NotFound
from core.text import clean_line
from grids import naming
from grids.actions.codes import GivenCodes
from grids.actions.locks import lock_forest, lock_trees
from grids.actions.permission import require
from grids.levels import why_not_below
from grids.models import County, GridNode, Level, NodeKind
from grids.posts import ADD_NODE

BATCH = 1000
# Names in one IN, and points in one CASE, that every database takes.
SOME = 500
STEPS = 150
T = TypeVar("T")


@dataclass(slots=True, eq=False)
class NewNode:
    """A node to be.

    Attributes:
        level: level key, later in the county's order than the parent's.
        parent: what it hangs on: another new node, the key of one that stands, or None for a street.
        code: division code of a street or community; below, a code that follows the rule (`grids.naming`). The next
            free one when empty.
        token: the token of its QR code; a random one when empty.
        node: the node it became.
    """

    level: str
    name: str
    parent: "NewNode | int | None"
    code: str = ""
    external_code: str = ""
    kind: str = NodeKind.BASIC
    address: str = ""
    households: int | None = None
    token: str = ""
    node: GridNode | None = None


@dataclass(slots=True)
class Piece:
    """A node to be, with what lies below it, as samples describe streets. The fields mean what those of `NewNode` mean."""

    level: str
    name: str
    code: str = ""
    external_code: str = ""
    kind: str = NodeKind.BASIC
    address: str = ""
    households: int | None = None
    token: str = ""
    children: list["Piece"] = field(default_factory=list)


def walk(piece: Piece) -> Iterator[Piece]:
    """The piece and everything below it, depth first: the order in which `build_street` answers."""
    yield piece
    for child in piece.children:
        yield from walk(child)


def build_street(
    *, actor: Actor, county: County, street: Piece, valid_from: datetime.date | None = None
) -> list[GridNode]:
    """Makes a street with everything below it, from a nested description that gives the street's code.

    Returns the nodes in the order of `walk(street)`. Raises as `add_nodes`.
    """
    parse_division_code(street.code, level=DivisionLevel.STREET)
    nodes = list(_unfolded(street, None))
    return add_nodes(actor=actor, county=county, nodes=nodes, valid_from=valid_from)


def _unfolded(piece: Piece, parent: NewNode | None) -> Iterator[NewNode]:
    node = NewNode(
        piece.level,
        piece.name,
        parent,
        piece.code,
        piece.external_code,
        piece.kind,
        piece.address,
        piece.households,
        piece.token,
    )
    yield node
    for child in piece.children:
        yield from _unfolded(child, node)


@transaction.atomic
def add_nodes(
    *, actor: Actor, county: County, nodes: Sequence[NewNode], valid_from: datetime.date | None = None
) -> list[GridNode]:
    """Makes nodes, each as the last child of its parent, under the locks of the streets they come to lie in.

    Args:
        nodes: in any order; siblings stand in the order given here.
        valid_from: the day from which the nodes stand; today when not given.

    Returns the nodes in the order given.

    Raises:
        NotFound, Forbidden: no `node.add` at a parent that stands, or in the county for a street.
        Invalid: a level, name, code or number is not usable; the message names the place.
        Conflict: a code is taken already, two places of one kind below the same one share a name, a parent is retired or
        was moved to another street meanwhile.
    """
    _clean(nodes)
    parents = _locked_parents(actor, county, nodes)
    _refuse_same_names(county, nodes, parents)
    planting = _Planting(county, nodes, parents, valid_from or timezone.localdate())
    planting.plant()
    _insert([new.node for new in nodes if new.node is not None])
    audit.record_many(actor=actor, action="node.create", deeds=_deeds(nodes), new=True)
    return [new.node for new in nodes if new.node is not None]


def _deeds(nodes: Iterable[NewNode]) -> Iterator[audit.Deed]:
    for new in nodes:
        node = new.node
        assert node is not None
        changes = {"code": (None, node.code), "name": (None, node.name), "parent_id": (None, node.parent_id)}
        yield audit.Deed(node, changes, label=node.path)


def _clean(nodes: Iterable[NewNode]) -> None:
    """Makes the words and numbers fit to store. Raises Invalid that names the place."""
    name, external_code, address = _("名称"), _("外部编码"), _("地址")
    for new in nodes:
        new.name = clean_line(new.name, max_length=naming.NAME_LENGTH, label=name, required=True)
        new.external_code = clean_line(new.external_code, max_length=naming.EXTERNAL_LENGTH, label=external_code)
        new.address = clean_line(new.address, max_length=naming.ADDRESS_LENGTH, label=address)
        if naming.SEPARATOR.strip() in new.name:
            raise Invalid(
                _("名称“%(name)s”里不能用“%(mark)s”。") % {"name": new.name, "mark": naming.SEPARATOR.strip()}
            )
        if new.kind not in NodeKind.values:
            raise Invalid(_("“%(name)s”：没有“%(kind)s”这种网格类型。") % {"name": new.name, "kind": new.kind})
        if new.households is not None and not 0 <= new.households <= naming.MOST_HOUSEHOLDS:
            raise Invalid(_("“%(name)s”：户数请填写 0 或更大的整数。") % {"name": new.name})


# --- What stands ----------------------------------------------------------------------------------------------------


def _locked_parents(actor: Actor, county: County, nodes: Sequence[NewNode]) -> dict[int, GridNode]:
    """The standing parents as they are under the locks of their streets. Counties are locked before streets."""
    keys = {new.parent for new in nodes if isinstance(new.parent, int)}
    if any(new.parent is None for new in nodes):
        require(actor, ADD_NODE, county)
        lock_forest(county)
    before = _read(keys)
    require(actor, ADD_NODE, *before.values())
    lock_trees({node.tree_id for node in before.values()})
    parents = _read(keys)
    if len(parents) < len(keys) or any(node.county_id != county.pk for node in parents.values()):
        raise NotFound(_("没有找到上级。"))
    for pk, node in parents.items():
        if node.tree_id != before[pk].tree_id:
            raise Conflict(_("“%(name)s”刚刚被调整到别的街道，请重新核对后再办理。") % {"name": node.name})
        if node.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能再改动。") % {"place": node.path}, code="retired")
    return parents


def _read(keys: Iterable[int]) -> dict[int, GridNode]:
    found: dict[int, GridNode] = {}
    rows = GridNode.objects.select_related("level_type", "county", "community")
    for some in batches(sorted(keys), SOME):
        found.update((node.pk, node) for node in rows.filter(pk__in=some))
    return found


def _refuse_same_names(county: County, nodes: Sequence[NewNode], parents: Mapping[int, GridNode]) -> None:
    """Two in use of one level and one name below the same parent could not be told apart."""
    called: set[tuple[NewNode | int | None, str, str]] = set()
    for new in nodes:
        spot = (new.parent, new.level, new.name)
        if spot in called:
            raise _same(county, new.parent, new.name, parents)
        called.add(spot)
    taken = GridNode.objects.standing().filter(county=county).order_by()
    rows = taken.values_list("parent_id", "level_type__key", "name")
    asked = [rows.filter(parent_id__in=some) for some in batches(sorted(parents), SOME)]
    if any(new.parent is None for new in nodes):
        asked.append(rows.filter(parent__isnull=True))
    for found in asked:
        for parent, level, name in found:
            if (parent, level, name) in called:
                raise _same(county, parent, name, parents)


def _same(county: County, parent: NewNode | int | None, name: str, parents: Mapping[int, GridNode]) -> Conflict:
    above = parent.name if isinstance(parent, NewNode) else county.name if parent is None else parents[parent].path
    words = _("“%(parent)s”之下有两个“%(name)s”。") % {"parent": above, "name": name}
    return Conflict(words, code="name_taken")


# --- What is to be --------------------------------------------------------------------------------------------------


class _Planting:
    """Turns new nodes into rows on one walk, counting bounds and codes; and makes room for them in the trees."""

    def __init__(
        self, county: County, nodes: Sequence[NewNode], parents: Mapping[int, GridNode], valid_from: datetime.date
    ) -> None:
        self.county, self.parents, self.valid_from = county, parents, valid_from
        self.levels = {level.key: level for level in Level.objects.filter(county=county)}
        self.below: dict[int | NewNode | None, list[NewNode]] = defaultdict(list)
        for new in nodes:
            self.below[new.parent].append(new)
        self.codes = GivenCodes(county, [node.code for node in _with_communities(parents.values())])
        self.codes.take(new.code for new in nodes if new.code)
        self._edge = 0

    def plant(self) -> None:
        tree_id = GridNode.objects.aggregate(last=Max("tree_id"))["last"] or 0
        for street in self.below[None]:
            tree_id += 1
            self._edge = 0
            self._add(street, None, tree_id)
        trees: dict[int, list[GridNode]] = defaultdict(list)
        for parent in self.parents.values():
            trees[parent.tree_id].append(parent)
        for tree_id, parents in trees.items():
            self._fill(tree_id, sorted(parents, key=lambda parent: int(parent.rght)))

    def _fill(self, tree_id: int, parents: Sequence[GridNode]) -> None:
        """New children begin where their parent ended, moved on by what came in before."""
        points, moved = [], 0
        for parent in parents:
            self._edge = parent.rght + moved - 1
            for new in self.below[parent.pk]:
                self._add(new, parent, tree_id)
            width = self._edge + 1 - parent.rght - moved
            moved += width
            points.append((parent.rght, moved))
        _make_room(tree_id, points)

    def _add(self, new: NewNode, parent: GridNode | None, tree_id: int) -> None:
        level = self._level(new, parent)
        node = new.node = GridNode(
            county=self.county,
            level_type=level,
            parent=parent,
            community=parent.community if parent else None,
            name=new.name,
            path=naming.path_of(parent.path if parent else "", new.name),
            external_code=new.external_code,
            kind=new.kind,
            address=new.address,
            households=new.households,
            public_token=new.token or new_place_token(),
            valid_from=self.valid_from,
            tree_id=tree_id,
            depth=parent.depth + 1 if parent else 0,
        )
        node.code = self._code(new, node, parent)
        if level.key == naming.COMMUNITY:
            node.community = node
        self._edge += 1
        node.lft = self._edge
        for child in self.below.get(new, ()):
            self._add(child, node, tree_id)
        self._edge += 1
        node.rght = self._edge

    def _level(self, new: NewNode, parent: GridNode | None) -> Level:
        level = self.levels.get(new.level)
        if level is None:
            raise Invalid(_("“%(name)s”的层级“%(level)s”本县没有。") % {"name": new.name, "level": new.level})
        above = parent.level_type if parent else None
        fault = why_not_below(level, above, in_community=parent is not None and parent.community is not None)
        if fault:
            raise Invalid(_("“%(name)s”：%(fault)s。") % {"name": new.name, "fault": fault})
        return level

    def _code(self, new: NewNode, node: GridNode, parent: GridNode | None) -> str:
        if parent is None:
            return self._division(new, self.county.code) if new.code else self.codes.next_street(node.name)
        if node.level_type.key == naming.COMMUNITY:
            within = parent.code[: DivisionLevel.STREET]
            return self._division(new, within) if new.code else self.codes.next_community(parent.code, node.name)
        assert parent.community is not None
        prefix = naming.code_prefix(
            node.level_type.key,
            parent_code=parent.code,
            community_code=parent.community.code,
            on_community=parent.level_type.key == naming.COMMUNITY,
        )
        if new.code and not naming.serial_below(prefix, new.code):
            words = _("“%(name)s”的编码 %(code)s 不合规则：社区以下由系统编排，应是 %(prefix)s 加顺序号。")
            raise Invalid(words % {"name": node.path, "code": new.code, "prefix": prefix})
        return new.code or self.codes.next_below(prefix)

    def _division(self, new: NewNode, within: str) -> str:
        wanted = DivisionLevel.STREET if new.parent is None else DivisionLevel.COMMUNITY
        division = parse_division_code(new.code, level=wanted)
        if not division.full.startswith(within):
            raise Invalid(
                _("“%(name)s”的编码 %(code)s 应以 %(within)s 开头。")
                % {"name": new.name, "code": new.code, "within": within}
            )
        return division.full


def _with_communities(parents: Iterable[GridNode]) -> Iterator[GridNode]:
    for parent in parents:
        yield parent
        if parent.community is not None:
            yield parent.community


# --- Writing --------------------------------------------------------------------------------------------------------


def _make_room(tree_id: int, points: Sequence[tuple[int, int]]) -> None:
    """Moves the bounds of a tree apart.

    Args:
        points: (bound, how far what lies from there on is moved), both growing.
    """
    rows = GridNode.objects.filter(tree_id=tree_id)
    end = None
    # From the right: what has been moved then lies beyond whatever is still to be moved.
    for some in reversed(list(batches(points, STEPS))):
        start = some[0][0]
        for column in ("rght", "lft"):
            there = rows.filter(**{f"{column}__gte": start})
            if end is not None:
                there = there.filter(**{f"{column}__lt": end})
            steps = [When(**{f"{column}__gte": bound}, then=Value(moved)) for bound, moved in reversed(some)]
            there.update(**{column: F(column) + Case(*steps)})
        end = start


def _insert(nodes: list[GridNode]) -> None:
    """Depth by depth, because a row needs its parent's key; a community points at itself once it has one."""
    by_depth: dict[int, list[GridNode]] = defaultdict(list)
    for node in nodes:
        by_depth[node.depth].append(node)
    for _depth, rows in sorted(by_depth.items()):
        communities = [node for node in rows if node.community is node]
        for node in communities:
            node.community = None
        try:
            with transaction.atomic():
                GridNode.objects.bulk_create(rows, batch_size=BATCH)
        except IntegrityError as error:
            raise _taken(rows) from error
        for node in communities:
            node.community = node
        for some in batches([node.pk for node in communities], SOME):
            GridNode.objects.filter(pk__in=some).update(community_id=F("pk"))


def _taken(rows: list[GridNode]) -> Conflict:
    codes = {node.code: node for node in rows}
    for some in batches(list(codes), SOME):
        found = GridNode.objects.filter(code__in=some).values_list("code", flat=True).first()
        if found is not None:
            return Conflict(
                _("编码 %(code)s（%(name)s）已经有了，请核对。") % {"code": found, "name": codes[found].name},
                code="code_taken",
            )
    return Conflict(_("其中有编码或二维码与已有的重复，请核对。"), code="code_taken")


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
