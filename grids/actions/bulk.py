"""Builds a whole street in one pass, from a plain nested description: for samples and imports.

mptt would rewrite the bounds of the tree for every node; here they are counted in Python on one walk, and the rows
go in by a few statements per depth (docs/decisions/0002: 98,000 nodes in 6 s instead of hours).
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.db.models import F, Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.audit import Deed
from core.codes import DivisionLevel, new_place_token, parse_division_code, serial_code
from core.errors import Conflict, Invalid
from core.text import clean_line
from grids import naming
from grids.actions.locks import lock_forest
from grids.actions.permission import require
from grids.models import County, GridNode, Level, NodeKind
from grids.posts import ADD_NODE

BATCH = 1000


@dataclass(slots=True)
class Piece:
    """A node to be, with what lies below it.

    Attributes:
        level: level key, later in the county's order than the one above.
        code: division code; required for a street, optional for a community, empty for everything smaller.
        token: the token of its QR code; a random one when empty.
    """

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


@transaction.atomic
def build_street(
    *, actor: Actor, county: County, street: Piece, valid_from: datetime.date | None = None
) -> list[GridNode]:
    """Makes a street with everything below it, under the lock that guards the making of streets.

    Args:
        street: the nested description; codes below the community are given by rule (`grids.naming`).
        valid_from: the day from which the nodes stand; today when not given.

    Returns the nodes in the order of `walk(street)`.

    Raises:
        NotFound, Forbidden: no `node.add` in the county.
        Invalid: a level, name, code or number of the description is not usable; the message names the place.
        Conflict: a code is taken already, or two places of one kind below the same one share a name.
    """
    require(actor, ADD_NODE, county)
    county = lock_forest(county)
    last = GridNode.objects.aggregate(last=Max("tree_id"))["last"] or 0
    builder = _Builder(county, last + 1, valid_from or timezone.localdate())
    builder.add(street, None)
    _insert(builder.nodes)
    audit.record_many(
        actor=actor,
        action="node.create",
        deeds=(
            Deed(node, {"code": (None, node.code), "name": (None, node.name)}, label=node.path)
            for node in builder.nodes
        ),
        new=True,
    )
    return builder.nodes


class _Builder:
    """Turns pieces into unsaved nodes on one walk, counting the bounds."""

    def __init__(self, county: County, tree_id: int, valid_from: datetime.date) -> None:
        self.county, self.tree_id, self.valid_from = county, tree_id, valid_from
        self.levels = {level.key: level for level in Level.objects.filter(county=county)}
        self.nodes: list[GridNode] = []
        self._edge = 0
        self._serials: dict[str, int] = defaultdict(int)

    def add(self, piece: Piece, parent: GridNode | None) -> None:
        level = self._level(piece, parent)
        name = _clean_name(piece)
        node = GridNode(
            county=self.county,
            level_type=level,
            parent=parent,
            community=parent.community if parent else None,
            name=name,
            path=naming.path_of(parent.path if parent else "", name),
            external_code=clean_line(piece.external_code, max_length=40, label=_("外部编码")),
            kind=piece.kind,
            address=clean_line(piece.address, max_length=200, label=_("地址")),
            households=piece.households,
            public_token=piece.token or new_place_token(),
            valid_from=self.valid_from,
            tree_id=self.tree_id,
            depth=parent.depth + 1 if parent else 0,
        )
        node.code = self._code(piece, node, parent)
        if level.key == naming.COMMUNITY:
            node.community = node
        self._edge += 1
        node.lft = self._edge
        self.nodes.append(node)
        called: set[tuple[str, str]] = set()
        for child in piece.children:
            if (child.level, child.name) in called:
                raise Conflict(_("“%(parent)s”之下有两个“%(name)s”。") % {"parent": node.path, "name": child.name})
            called.add((child.level, child.name))
            self.add(child, node)
        self._edge += 1
        node.rght = self._edge

    def _level(self, piece: Piece, parent: GridNode | None) -> Level:
        """The rules of `create_node`: later than the parent's level; what is smaller than a community lies in one."""
        level = self.levels.get(piece.level)
        if level is None:
            raise Invalid(_("“%(name)s”的层级“%(level)s”本县没有。") % {"name": piece.name, "level": piece.level})
        above = parent.level_type if parent else None
        fits = (above is None) == (level.key == naming.STREET)
        if parent is not None and above is not None:
            in_community = parent.community is not None
            fits = level.order > above.order and in_community == (level.key != naming.COMMUNITY)
        if not fits:
            raise Invalid(
                _("“%(name)s”（%(level)s）不能设在“%(parent)s”之下。")
                % {"name": piece.name, "level": level.name, "parent": parent.path if parent else self.county.name}
            )
        return level

    def _code(self, piece: Piece, node: GridNode, parent: GridNode | None) -> str:
        if parent is None or node.level_type.key == naming.COMMUNITY:
            return self._division(piece, parent)
        if piece.code:
            raise Invalid(_("“%(name)s”不能自带编码：社区以下的编码由系统编排。") % {"name": node.path})
        assert parent.community is not None
        prefix = naming.code_prefix(
            node.level_type.key,
            parent_code=parent.code,
            community_code=parent.community.code,
            on_community=parent.level_type.key == naming.COMMUNITY,
        )
        self._serials[prefix] += 1
        return serial_code(prefix, self._serials[prefix], width=naming.SERIAL)

    def _division(self, piece: Piece, parent: GridNode | None) -> str:
        if parent is not None and not piece.code:
            taken = [node.code for node in self.nodes if node.level_type.key == naming.COMMUNITY]
            return naming.next_community_code(parent.code, piece.name, taken)
        wanted = DivisionLevel.STREET if parent is None else DivisionLevel.COMMUNITY
        division = parse_division_code(piece.code, level=wanted)
        within = self.county.code if parent is None else parent.code[: DivisionLevel.STREET]
        if not division.full.startswith(within):
            raise Invalid(
                _("“%(name)s”的编码 %(code)s 应以 %(within)s 开头。")
                % {"name": piece.name, "code": piece.code, "within": within}
            )
        return division.full


def _clean_name(piece: Piece) -> str:
    name = clean_line(piece.name, max_length=naming.NAME_LENGTH, label=_("名称"), required=True)
    if naming.SEPARATOR.strip() in name:
        raise Invalid(_("名称“%(name)s”里不能用“%(mark)s”。") % {"name": name, "mark": naming.SEPARATOR.strip()})
    if piece.kind not in NodeKind.values:
        raise Invalid(_("“%(name)s”：没有“%(kind)s”这种网格类型。") % {"name": name, "kind": piece.kind})
    if piece.households is not None and not 0 <= piece.households <= 1_000_000:
        raise Invalid(_("“%(name)s”：户数请填写 0 或更大的整数。") % {"name": name})
    return name


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
        GridNode.objects.filter(pk__in=[node.pk for node in communities]).update(community_id=F("pk"))


def _taken(rows: list[GridNode]) -> Conflict:
    codes = {node.code: node for node in rows}
    found = GridNode.objects.filter(code__in=list(codes)[:BATCH]).values_list("code", flat=True).first()
    if found is None:
        return Conflict(_("其中有编码或二维码与已有的重复，请核对。"), code="code_taken")
    return Conflict(
        _("编码 %(code)s（%(name)s）已经有了，请核对。") % {"code": found, "name": codes[found].name}, code="code_taken"
    )
