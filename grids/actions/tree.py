"""Makes, renames and describes places. Each action takes the street's lock first and reads what it works on again
(`grids.actions.locks`); what changes the shape of a tree is in `restructuring`.

New nodes and moved ones come last among their siblings: inserting at the front rewrites the whole street
(docs/decisions/0002). Nothing is deleted, and mptt's `rebuild()` is never called.
"""

from collections.abc import Callable
from typing import Any, cast

from django.db import transaction

from core import audit
from core.actors import Actor
from grids import naming
from grids.actions import tree_rules
from grids.actions.locks import lock_forest, lock_nodes
from grids.actions.permission import require
from grids.actions.tree_rules import UNCHANGED, clean_reason
from grids.models import County, GridNode, NodeKind
from grids.posts import ADD_NODE, MANAGE_NODE
from grids.querysets import in_subtree


@transaction.atomic
def create_node(
    *,
    actor: Actor,
    level: str,
    name: str,
    parent: GridNode | None = None,
    county: County | None = None,
    code: str = "",
    external_code: str = "",
    kind: str = NodeKind.BASIC,
    address: str = "",
    households: int | None = None,
    reason: str = "",
) -> GridNode:
    """Makes a node: a street of `county`, or a node below `parent` as the last of its children.

    Args:
        level: level key, later in the county's order than the parent's; levels between may be skipped, but whatever
            is smaller than a community lies in one.
        code: division code of a street (9 or 12 digits) or community (12); the next free one when empty. Nodes below
            the community get their codes by rule (`grids.naming`) and take none.
        external_code: the number of a province's own scheme.

    Raises:
        NotFound, Forbidden: no `node.add` at the parent or county.
        Invalid: level, name, code or another field is not usable. Conflict: name or code is taken, or the parent
        is retired.
    """
    if (parent is None) == (county is None):
        raise ValueError("either a parent or a county")
    reason = clean_reason(reason)
    if parent is not None:
        require(actor, ADD_NODE, parent)
        (parent,) = lock_nodes(parent)
        county = parent.county
    else:
        assert county is not None
        require(actor, ADD_NODE, county)
        county = lock_forest(county)
    node = tree_rules.new_node(
        county=county,
        level_type=tree_rules.level_of(county, level, parent),
        parent=parent,
        name=name,
        code=code,
        external_code=external_code,
        kind=kind,
        address=address,
        households=households,
    )
    changes = {"code": (None, node.code), "name": (None, node.name), "parent_id": (None, node.parent_id)}
    audit.record(actor=actor, action="node.create", obj=node, changes=changes, label=node.path, reason=reason, new=True)
    return node


@transaction.atomic
def rename_node(*, actor: Actor, node: GridNode, name: str, reason: str = "", version: int | None = None) -> GridNode:
    """Gives a node another name; the paths of everything below it follow in one statement.

    Args:
        version: the version the person saw.

    Raises:
        NotFound, Forbidden, Stale; Invalid: the name is not usable; Conflict: a sibling is called so, or it is retired.
    """
    require(actor, MANAGE_NODE, node)
    reason = clean_reason(reason)
    (node,) = lock_nodes(node)
    tree_rules.refuse_retired(node)
    tree_rules.check_version(node, version)
    before, node.name = node.name, tree_rules.clean_name(name)
    if node.name == before:
        return node
    parent = cast("GridNode | None", node.parent)
    tree_rules.refuse_same_name(node, parent)
    path = naming.path_of(parent.path if parent else "", node.name)
    tree_rules.check_room(in_subtree(node), node.path, path)
    tree_rules.exchange_paths(in_subtree(node), node.path, path)
    node.path = path
    tree_rules.save(node, "name")
    changes = {"name": (before, node.name)}
    audit.record(actor=actor, action="node.rename", obj=node, changes=changes, label=node.path, reason=reason)
    return node


@transaction.atomic
def describe_node(
    *,
    actor: Actor,
    node: GridNode,
    version: int | None = None,
    reason: str = "",
    external_code: str = UNCHANGED,
    kind: str = UNCHANGED,
    address: str = UNCHANGED,
    households: int | None = UNCHANGED,
) -> GridNode:
    """Corrects the plain facts of a node. What is not given stays as it is. Raises as `rename_node`."""
    require(actor, MANAGE_NODE, node)
    reason = clean_reason(reason)
    (node,) = lock_nodes(node)
    tree_rules.refuse_retired(node)
    tree_rules.check_version(node, version)
    given = {
        "external_code": (external_code, tree_rules.clean_external_code),
        "kind": (kind, tree_rules.clean_kind),
        "address": (address, tree_rules.clean_address),
        "households": (households, tree_rules.clean_households),
    }
    changes: dict[str, tuple[Any, Any]] = {}
    for field, (value, clean) in given.items():
        if value is UNCHANGED:
            continue
        before, after = getattr(node, field), cast(Callable[[Any], Any], clean)(value)
        if before != after:
            setattr(node, field, after)
            changes[field] = (before, after)
    if changes:
        tree_rules.save(node, *changes)
        audit.record(actor=actor, action="node.describe", obj=node, changes=changes, label=node.path, reason=reason)
    return node
