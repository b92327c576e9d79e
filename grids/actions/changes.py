"""Corrects many nodes in a few statements, for imports: what `rename_node` and `describe_node` do, set by set."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, NotFound
from grids import naming
from grids.actions import tree_rules
from grids.actions.bulk import SOME, batches
from grids.actions.locks import lock_trees
from grids.actions.permission import require
from grids.models import GridNode
from grids.posts import MANAGE_NODE

FACTS = ("external_code", "kind", "address", "households")
BATCH = 200


@dataclass(frozen=True, slots=True)
class NodeChange:
    """What shall be different at a node.

    Attributes:
        version: the version on which that was decided.
        values: of `name`, `external_code`, `kind`, `address`, `households`, those that change.
    """

    pk: int
    version: int
    values: Mapping[str, Any]


@transaction.atomic
def change_nodes(*, actor: Actor, changes: Sequence[NodeChange]) -> list[GridNode]:
    """Gives many nodes other names and facts, under the locks of their streets. Paths below follow.

    Raises:
        NotFound, Forbidden: no `node.manage` at a node. Invalid: a value is not usable.
        Stale: a node was changed meanwhile. Conflict: it is retired, or a sibling is called so.
    """
    wanted = {change.pk: change for change in changes}
    before = _read(wanted)
    require(actor, MANAGE_NODE, *before.values())
    lock_trees({node.tree_id for node in before.values()})
    nodes = _read(wanted)
    renamed: dict[int, str] = {}
    deeds: list[audit.Deed] = []
    for pk, node in nodes.items():
        change = wanted[pk]
        if node.tree_id != before[pk].tree_id:
            raise Conflict(_("“%(name)s”刚刚被调整到别的街道，请重新核对后再办理。") % {"name": node.name})
        tree_rules.check_version(node, change.version)
        tree_rules.refuse_retired(node)
        values = {name: _CLEAN[name](value) for name, value in change.values.items()}
        differing = {
            name: (getattr(node, name), value) for name, value in values.items() if getattr(node, name) != value
        }
        if "name" in differing:
            renamed[pk] = values["name"]
        for name, (_old, value) in differing.items():
            setattr(node, name, value)
        node.version += 1
        facts = {name: pair for name, pair in differing.items() if name in FACTS}
        if facts:
            deeds.append(audit.Deed(node, facts, label=node.path))
    _refuse_same_names(nodes, renamed)
    GridNode.objects.bulk_update(nodes.values(), ["name", *FACTS, "version"], batch_size=BATCH)
    names = [
        audit.Deed(nodes[pk], {"name": (before[pk].name, name)}, label=path)
        for pk, name, path in _rewritten(nodes, renamed)
    ]
    audit.record_many(actor=actor, action="node.rename", deeds=names)
    audit.record_many(actor=actor, action="node.describe", deeds=deeds)
    return list(nodes.values())


def _read(keys: Iterable[int]) -> dict[int, GridNode]:
    found: dict[int, GridNode] = {}
    keys = sorted(keys)
    for some in batches(keys, SOME):
        found.update((node.pk, node) for node in GridNode.objects.select_related("level_type").filter(pk__in=some))
    if len(found) < len(keys):
        raise NotFound(_("没有找到这个网格节点。"))
    return found


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": tree_rules.clean_name,
    "external_code": tree_rules.clean_external_code,
    "kind": tree_rules.clean_kind,
    "address": tree_rules.clean_address,
    "households": tree_rules.clean_households,
}


def _refuse_same_names(nodes: Mapping[int, GridNode], renamed: Mapping[int, str]) -> None:
    """No two in use of one level and one name below the same parent, when all are renamed."""
    parents = sorted({nodes[pk].parent_id for pk in renamed if nodes[pk].parent_id is not None})
    counties = {nodes[pk].county_id for pk in renamed if nodes[pk].parent_id is None}
    standing = GridNode.objects.standing().order_by()
    asked = [standing.filter(parent_id__in=some) for some in batches(parents, SOME)]
    asked += [standing.filter(parent__isnull=True, county_id__in=counties)] if counties else []
    seen: set[tuple[int | None, int, str]] = set()
    for rows in asked:
        for pk, parent, level, name in rows.values_list("pk", "parent_id", "level_type_id", "name"):
            spot = (parent, level, renamed.get(pk, name))
            if spot in seen:
                raise Conflict(
                    _("同一个上级之下有两个“%(name)s”，请换一个名称。") % {"name": spot[2]}, code="name_taken"
                )
            seen.add(spot)


def _rewritten(nodes: Mapping[int, GridNode], renamed: Mapping[int, str]) -> list[tuple[int, str, str]]:
    """Writes the paths of what was renamed and of everything below it. Returns (key, name, path) of the renamed."""
    trees: dict[int, set[int]] = defaultdict(set)
    for pk in renamed:
        trees[nodes[pk].tree_id].add(pk)
    found = []
    for tree_id, changed in trees.items():
        paths: dict[int, str] = {}
        moved: list[GridNode] = []
        rows = GridNode.objects.filter(tree_id=tree_id).order_by("lft").only("pk", "parent_id", "name", "path")
        for node in rows:
            path = naming.path_of(paths.get(node.parent_id or 0, ""), node.name)
            paths[node.pk] = path
            if node.path != path:
                node.path = path
                moved.append(node)
            if node.pk in changed:
                nodes[node.pk].path = path
                found.append((node.pk, node.name, path))
        GridNode.objects.bulk_update(moved, ["path"], batch_size=SOME)
    return found
