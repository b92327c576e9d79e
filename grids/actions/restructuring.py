"""Moves, splits, merges and retires places. What hangs on them goes along, ends, or stands in the way (`passage`).

Each takes the streets alone: nobody hangs a new row on a place that is just about to change (`grids.actions.locks`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict
from grids import naming
from grids.actions import bounds, tree_rules
from grids.actions.bounds import Block
from grids.actions.locks import lock_forest, lock_nodes
from grids.actions.passage import follow_community, hand_over
from grids.actions.permission import require
from grids.actions.tree_rules import UNCHANGED, bad, clean_reason
from grids.hanging import Passage
from grids.models import GridNode
from grids.posts import ADD_NODE, MANAGE_NODE

_NAMED = 8


@transaction.atomic
def move_node(
    *, actor: Actor, node: GridNode, parent: GridNode, reason: str = "", version: int | None = None
) -> GridNode:
    """Hangs a node with everything below it under another parent, as its last child.

    Codes stay. When the community changes, the community column of the subtree follows, and so do the open rows that
    hang in it; closed rows keep where it happened (`grids.hanging`).

    Raises:
        NotFound, Forbidden: no `node.manage` at the node, no `node.add` at the new parent. Stale.
        Invalid: the level is not later than the parent's, the parent lies inside the node, another county, a street.
        Conflict: one of the two is retired, the parent has a child of that name, or open rows find no room in the
        other community.
    """
    require(actor, MANAGE_NODE, node)
    require(actor, ADD_NODE, parent)
    reason = clean_reason(reason)
    node, parent = lock_nodes(node, parent, alone=True)
    tree_rules.refuse_retired(node, parent)
    tree_rules.check_version(node, version)
    if node.parent_id == parent.pk:
        return node
    _check_move(node, parent)
    tree_rules.refuse_same_name(node, parent)
    before = cast(GridNode, node.parent)
    path = naming.path_of(parent.path, node.name)
    block = _carry_over(bounds.block_of(node), parent, node.path, path)
    if node.level_type.key != naming.COMMUNITY:
        _change_community(actor, _("调整"), node, block, node.community_id, parent.community_id, reason)
    changes = {"parent_id": (before.pk, parent.pk), "path": (node.path, path)}
    node = _again(node)
    audit.record(actor=actor, action="node.move", obj=node, changes=changes, label=path, reason=reason)
    return node


@transaction.atomic
def retire_node(
    *,
    actor: Actor,
    node: GridNode,
    reason: str,
    successor: GridNode | None = None,
    version: int | None = None,
    wanted: Mapping[str, str] | None = None,
) -> GridNode:
    """Takes a node out of use. It stays in the tree, so that what happened there keeps its place.

    Args:
        successor: the node that takes its place, where there is one; what hangs on the node goes over to it.
        wanted: `Hanging.key` -> what becomes of such rows, where there is a choice (`grids.hanging.Fate`).

    Raises:
        NotFound, Forbidden: no `node.manage` at the node, no `node.add` at the successor. Stale.
        Invalid: no reason, or the successor will not do.
        Conflict: it is retired already, nodes in use stand below it, or open rows hang on it that have to be seen to
        first; the message counts them.
    """
    require(actor, MANAGE_NODE, node)
    if successor is not None:
        require(actor, ADD_NODE, successor)
    reason = clean_reason(reason, required=True)
    if successor is None:
        (node,) = lock_nodes(node, alone=True)
    else:
        node, successor = lock_nodes(node, successor, alone=True)
    tree_rules.refuse_retired(node)
    tree_rules.check_version(node, version)
    _refuse_children(node)
    if successor is not None:
        _check_successor(node, successor)
    _retire(actor, _("撤销"), node, successor, reason, wanted or {})
    return node


@dataclass(frozen=True)
class NewPart:
    """What is split off: its name, the children that go to it, and what is known of it."""

    name: str
    children: Sequence[GridNode] = field(default_factory=tuple)
    households: int | None = None
    address: str = ""


@transaction.atomic
def split_node(
    *,
    actor: Actor,
    node: GridNode,
    parts: Sequence[NewPart],
    reason: str,
    households: int | None = UNCHANGED,
    version: int | None = None,
) -> list[GridNode]:
    """Splits a node: for each part a new sibling of the same level, to which the chosen children go.

    The node itself stays what it is, with its code and QR code, and keeps the children that are not given away and
    everything that hangs on itself.

    Args:
        households: what remains in the node.

    Returns the new nodes in the order of the parts.

    Raises:
        NotFound, Forbidden: no `node.manage` at the node, no `node.add` above it. Stale.
        Invalid: no part, a child that is none of the node's or is given twice, a name that is not usable, no reason.
        Conflict: the node is retired, a name is taken, or open rows find no room in the new community.
    """
    require(actor, MANAGE_NODE, node)
    above = node.parent if node.parent_id else node.county
    require(actor, ADD_NODE, above)
    reason = clean_reason(reason, required=True)
    county = lock_forest(node.county) if node.parent_id is None else None
    (node,) = lock_nodes(node, alone=True)
    tree_rules.refuse_retired(node)
    tree_rules.check_version(node, version)
    chosen = _children_of_parts(node, parts)
    changes: dict[str, Any] = {}
    if households is not UNCHANGED and households != node.households:
        changes["households"] = (node.households, tree_rules.clean_households(households))
        node.households = households
    made = []
    for part, children in zip(parts, chosen, strict=True):
        parent = None if node.parent_id is None else GridNode.objects.get(pk=node.parent_id)
        new = tree_rules.new_node(
            county=county or node.county,
            level_type=node.level_type,
            parent=parent,
            name=part.name,
            kind=node.kind,
            address=part.address,
            households=part.households,
        )
        facts = {"code": (None, new.code), "name": (None, new.name), "split_from": (None, node.path)}
        audit.record(actor=actor, action="node.create", obj=new, changes=facts, label=new.path, reason=reason, new=True)
        _give(actor, _("拆分"), node, new, children, reason)
        made.append(_again(new))
    changes["split_into"] = (None, [new.path for new in made])
    GridNode.objects.filter(pk=node.pk).update(households=node.households, version=F("version") + 1)
    audit.record(actor=actor, action="node.split", obj=node, changes=changes, label=node.path, reason=reason)
    return made


@transaction.atomic
def merge_nodes(
    *,
    actor: Actor,
    node: GridNode,
    sources: Sequence[GridNode],
    reason: str,
    households: int | None = UNCHANGED,
    version: int | None = None,
    wanted: Mapping[str, str] | None = None,
) -> GridNode:
    """Merges nodes of the same level into one: their children and what hangs on them go over, they are retired with it
    as their successor.

    Args:
        node: the one that remains, with its name and code.
        households: what it has afterwards.
        wanted: see `retire_node`.

    Raises:
        NotFound, Forbidden: no `node.manage` at a source, no `node.add` at the node. Stale.
        Invalid: nothing to merge, another level or county, or no reason.
        Conflict: one of them is retired, children of one name would meet, or open rows have to be seen to first.
    """
    sources = list({source.pk: source for source in sources}.values())
    require(actor, ADD_NODE, node)
    for source in sources:
        require(actor, MANAGE_NODE, source)
    reason = clean_reason(reason, required=True)
    node, *sources = lock_nodes(node, *sources, alone=True)
    tree_rules.refuse_retired(node, *sources)
    tree_rules.check_version(node, version)
    _check_merge(node, sources)
    for source in sources:
        source, target = _again(source), _again(node)
        children = list(GridNode.objects.filter(parent=source).select_related("level_type").order_by("lft"))
        _give(actor, _("合并"), source, target, children, reason)
        _retire(actor, _("合并"), _again(source), target, reason, wanted or {})
    changes: dict[str, Any] = {"merged": (None, [source.path for source in sources])}
    node = _again(node)
    if households is not UNCHANGED and households != node.households:
        changes["households"] = (node.households, tree_rules.clean_households(households))
        node.households = households
    tree_rules.save(node, "households")
    audit.record(actor=actor, action="node.merge", obj=node, changes=changes, label=node.path, reason=reason)
    return node


# --- What must be ---------------------------------------------------------------------------------------------------


def _check_move(node: GridNode, parent: GridNode) -> None:
    if node.parent_id is None:
        raise bad("parent", _("街道（镇）是最上一级，不能调整到别处。"))
    if parent.county_id != node.county_id:
        raise bad("parent", _("不能调整到别的县。"))
    if parent.tree_id == node.tree_id and node.lft <= parent.lft <= node.rght:
        raise bad("parent", _("不能调整到它自己的下级。"))
    tree_rules.check_order(node.level_type, parent)


def _check_successor(node: GridNode, successor: GridNode) -> None:
    if successor.pk == node.pk or successor.county_id != node.county_id or successor.is_retired:
        raise bad("successor", _("承接者要是本县另一个在用的网格。"))


def _refuse_children(node: GridNode) -> None:
    standing = GridNode.objects.standing().filter(parent=node).count()
    if standing:
        raise Conflict(
            _("“%(place)s”之下还有 %(count)d 个在用的下级，请先撤销、调整它们，或者合并到别的%(level)s。")
            % {"place": node.path, "count": standing, "level": node.level_type.name},
            code="has_children",
        )


def _children_of_parts(node: GridNode, parts: Sequence[NewPart]) -> list[list[GridNode]]:
    """The children of each part as they are now."""
    if not parts:
        raise bad("parts", _("请填写拆分出来的名称。"))
    standing = {
        child.pk: child for child in GridNode.objects.standing().filter(parent=node).select_related("level_type")
    }
    taken: set[int] = set()
    found = []
    for part in parts:
        children = []
        for child in part.children:
            if child.pk not in standing:
                raise bad("parts", _("“%(child)s”不是“%(place)s”在用的下级。") % {"child": child, "place": node.name})
            if child.pk in taken:
                raise bad("parts", _("“%(child)s”选了两次。") % {"child": standing[child.pk].name})
            taken.add(child.pk)
            children.append(standing[child.pk])
        found.append(children)
    return found


def _check_merge(node: GridNode, sources: Sequence[GridNode]) -> None:
    if not sources:
        raise bad("sources", _("请选择要并入的%(level)s。") % {"level": node.level_type.name})
    for source in sources:
        if source.pk == node.pk:
            raise bad("sources", _("不能并入它自己。"))
        if source.county_id != node.county_id or source.level_type_id != node.level_type_id:
            raise bad(
                "sources",
                _("“%(source)s”不是本县的%(level)s，不能并入。") % {"source": source, "level": node.level_type.name},
            )
    met: dict[tuple[int, str], str] = {}
    double: list[str] = []
    children = GridNode.objects.standing().filter(parent__in=[node, *sources]).order_by("tree_id", "lft")
    for level, name in children.values_list("level_type_id", "name"):
        if (level, name) in met:
            double.append(name)
        met[level, name] = name
    if double:
        words = "、".join(f"“{name}”" for name in dict.fromkeys(double[:_NAMED]))
        more = _("等") if len(double) > _NAMED else ""
        raise Conflict(
            _("合并后有同名的下级：%(names)s%(more)s，请先改名。") % {"names": words, "more": more}, code="names_meet"
        )


# --- Doing it -------------------------------------------------------------------------------------------------------


def _again(node: GridNode) -> GridNode:
    """Read anew: its bounds have changed, and mptt remembers what an instance was loaded with."""
    return GridNode.objects.select_related("level_type", "county", "community").get(pk=node.pk)


def _carry_over(block: Block, parent: GridNode, old: str, new: str) -> Block:
    """Hangs a block elsewhere; the front part of the paths inside is exchanged. Returns where it stands now."""
    tree_rules.check_room(block.nodes, old, new)
    block = bounds.hang(block, parent)
    tree_rules.exchange_paths(block.nodes, old, new)
    return block


def _change_community(
    actor: Actor, deed: str, node: GridNode, block: Block, old: int | None, new: int | None, reason: str
) -> None:
    if old == new or old is None or new is None:
        return
    GridNode.objects.filter(block.nodes).update(community_id=new)
    passage = Passage(actor, deed, node, old, new, reason=reason)
    follow_community(passage, block.nodes)


def _give(
    actor: Actor, deed: str, source: GridNode, target: GridNode, children: Sequence[GridNode], reason: str
) -> None:
    """Hangs children of one node below another of the same level."""
    pks = [child.pk for child in children]
    if not pks:
        return
    for run in bounds.runs(children):
        first, last = _again(run[0]), _again(run[-1])
        block = Block(first.tree_id, first.lft, last.rght, first.depth)
        target = _again(target)
        block = _carry_over(block, target, source.path, target.path)
        if source.level_type.key != naming.STREET:
            _change_community(actor, deed, source, block, source.community_id, target.community_id, reason)
    moved = {child.pk: child for child in GridNode.objects.filter(pk__in=pks)}
    deeds = (
        audit.Deed(
            moved[child.pk],
            {"parent_id": (source.pk, target.pk), "path": (child.path, moved[child.pk].path)},
            label=moved[child.pk].path,
            reason=reason,
        )
        for child in children
    )
    audit.record_many(actor=actor, action="node.move", deeds=deeds)


def _retire(
    actor: Actor, deed: str, node: GridNode, successor: GridNode | None, reason: str, wanted: Mapping[str, str]
) -> None:
    community = successor.community_id if successor else None
    hand_over(Passage(actor, deed, node, node.community_id, community, successor, reason), wanted)
    node.retired_at = timezone.now()
    node.successor = successor
    tree_rules.save(node, "retired_at", "successor")
    changes = {"retired_at": (None, node.retired_at), "successor_id": (None, successor.pk if successor else None)}
    audit.record(actor=actor, action="node.retire", obj=node, changes=changes, label=node.path, reason=reason)
