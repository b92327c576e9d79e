"""Writes to the tree. Each takes the street's lock first and reads what it works on again (`grids.actions.locks`).

New nodes and moved ones come last among their siblings: inserting at the front rewrites the whole street
(docs/decisions/0002). Nothing is deleted, and mptt's `rebuild()` is never called.
"""

from collections.abc import Callable
from typing import Any, cast

from django.db import IntegrityError, transaction
from django.db.models import F, Max, Value
from django.db.models.functions import Concat, Length, Substr
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.codes import DivisionLevel, parse_division_code
from core.errors import Conflict, Invalid, Stale
from core.text import clean_line
from grids import hanging, naming
from grids.actions.codes import next_code_below
from grids.actions.locks import lock_forest, lock_nodes
from grids.actions.permission import require
from grids.models import County, GridNode, Level, NodeKind
from grids.posts import ADD_NODE, MANAGE_NODE
from grids.querysets import in_subtree

UNCHANGED: Any = object()
BATCH = 500


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
    if parent is not None:
        require(actor, ADD_NODE, parent)
        (parent,) = lock_nodes(parent)
        county = parent.county
    else:
        assert county is not None
        require(actor, ADD_NODE, county)
        county = lock_forest(county)
    level_type = _level(county, level, parent)
    node = GridNode(county=county, level_type=level_type, parent=parent, **_facts(external_code, address, households))
    node.name = _clean_name(name)
    node.kind = _clean_kind(kind)
    node.path = naming.path_of(parent.path if parent else "", node.name)
    _refuse_same_name(node, parent)
    node.community = None if parent is None else parent.community
    node.code = _given_code(node, code, parent) if code else _next_code(node, parent)
    _insert(node)
    changes = {"code": (None, node.code), "name": (None, node.name), "parent_id": (None, node.parent_id)}
    audit.record(actor=actor, action="node.create", obj=node, changes=changes, label=node.path, new=True)
    return node


@transaction.atomic
def rename_node(*, actor: Actor, node: GridNode, name: str, version: int | None = None) -> GridNode:
    """Gives a node another name; the paths of everything below it follow in one statement.

    Args:
        version: the version the person saw.

    Raises:
        NotFound, Forbidden, Stale; Invalid: the name is not usable; Conflict: a sibling is called so, or it is retired.
    """
    require(actor, MANAGE_NODE, node)
    (node,) = lock_nodes(node)
    _refuse_retired(node)
    _check_version(node, version)
    before, node.name = node.name, _clean_name(name)
    if node.name == before:
        return node
    parent = cast("GridNode | None", node.parent)
    _refuse_same_name(node, parent)
    _set_paths(node, naming.path_of(parent.path if parent else "", node.name))
    _save(node, "name")
    audit.record(actor=actor, action="node.rename", obj=node, changes={"name": (before, node.name)}, label=node.path)
    return node


@transaction.atomic
def describe_node(
    *,
    actor: Actor,
    node: GridNode,
    version: int | None = None,
    external_code: str = UNCHANGED,
    kind: str = UNCHANGED,
    address: str = UNCHANGED,
    households: int | None = UNCHANGED,
) -> GridNode:
    """Corrects the plain facts of a node. What is not given stays as it is. Raises as `rename_node`."""
    require(actor, MANAGE_NODE, node)
    (node,) = lock_nodes(node)
    _refuse_retired(node)
    _check_version(node, version)
    given = {
        "external_code": (external_code, _clean_external_code),
        "kind": (kind, _clean_kind),
        "address": (address, _clean_address),
        "households": (households, _clean_households),
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
        _save(node, *changes)
        audit.record(actor=actor, action="node.describe", obj=node, changes=changes, label=node.path)
    return node


@transaction.atomic
def move_node(*, actor: Actor, node: GridNode, parent: GridNode, version: int | None = None) -> GridNode:
    """Hangs a node with everything below it under another parent, as its last child.

    Codes stay. When the community changes, the community column of the subtree follows, and so do the open rows that
    hang in it; closed rows keep where it happened (`grids.hanging`).

    Raises:
        NotFound, Forbidden: no `node.manage` at the node, no `node.add` at the new parent. Stale.
        Invalid: the level is not later than the parent's, the parent lies inside the node, another county, a street.
        Conflict: one of the two is retired, or the parent has a child of that name.
    """
    require(actor, MANAGE_NODE, node)
    require(actor, ADD_NODE, parent)
    node, parent = lock_nodes(node, parent)
    _refuse_retired(node, parent)
    _check_version(node, version)
    if node.parent_id == parent.pk:
        return node
    _check_move(node, parent)
    _refuse_same_name(node, parent)
    path = naming.path_of(parent.path, node.name)
    before, old_community = cast(GridNode, node.parent), node.community_id
    GridNode.objects.move_node(node, parent, position="last-child")
    _set_paths(node, path)
    if node.level_type.key != naming.COMMUNITY and old_community != parent.community_id:
        _change_community(actor, node, parent.community_id)
    _save(node)
    changes = {"parent_id": (before.pk, parent.pk), "path": (naming.path_of(before.path, node.name), path)}
    audit.record(actor=actor, action="node.move", obj=node, changes=changes, label=node.path)
    return node


@transaction.atomic
def retire_node(
    *,
    actor: Actor,
    node: GridNode,
    reason: str,
    successor: GridNode | None = None,
    version: int | None = None,
) -> GridNode:
    """Takes a node out of use. It stays in the tree, so that what happened there keeps its place.

    Args:
        successor: the node that takes its place, where there is one.

    Raises:
        NotFound, Forbidden, Stale; Invalid: no reason, or the successor will not do.
        Conflict: it is retired already, nodes in use stand below it, or open rows hang on it; the message counts them.
    """
    require(actor, MANAGE_NODE, node)
    reason = clean_line(reason, max_length=500, label=_("撤销理由"), required=True)
    (node,) = lock_nodes(node)
    # Nobody can hang a new row on it before this transaction ends: a foreign key needs the row's key.
    GridNode.objects.select_for_update(of=("self",)).get(pk=node.pk)
    _refuse_retired(node)
    _check_version(node, version)
    _refuse_in_use(node)
    _check_successor(node, successor)
    node.retired_at = timezone.now()
    node.successor = successor
    _save(node, "retired_at", "successor")
    changes = {"retired_at": (None, node.retired_at), "successor_id": (None, successor.pk if successor else None)}
    audit.record(actor=actor, action="node.retire", obj=node, changes=changes, label=node.path, reason=reason)
    return node


# --- What an input must be ------------------------------------------------------------------------------------------


def _level(county: County, key: str, parent: GridNode | None) -> Level:
    level = Level.objects.filter(county=county, key=key).first()
    if level is None:
        raise _bad("level", _("%(county)s没有这个层级，请从列表中选择。") % {"county": county.name})
    if parent is None:
        if key != naming.STREET:
            raise _bad("level", _("最上一级只能是街道（镇），请先选择上级。"))
        return level
    _refuse_retired(parent)
    _check_order(level, parent)
    return level


def _check_order(level: Level, parent: GridNode) -> None:
    """A child is of a later level; and what is smaller than a community lies in one (docs/domain.md#levels)."""
    names = {"level": level.name, "parent": parent.level_type.name}
    if level.order <= parent.level_type.order:
        raise _bad("level", _("“%(level)s”不能设在“%(parent)s”之下。") % names)
    if level.key == naming.COMMUNITY:
        if parent.community_id is not None:
            raise _bad("level", _("“%(level)s”不能设在“%(parent)s”之下。") % names)
    elif parent.community_id is None:
        raise _bad("level", _("“%(level)s”要设在某个社区之下，请先选择社区。") % names)


def _check_move(node: GridNode, parent: GridNode) -> None:
    if node.parent_id is None:
        raise _bad("parent", _("街道（镇）是最上一级，不能调整到别处。"))
    if parent.county_id != node.county_id:
        raise _bad("parent", _("不能调整到别的县。"))
    if parent.tree_id == node.tree_id and node.lft <= parent.lft <= node.rght:
        raise _bad("parent", _("不能调整到它自己的下级。"))
    _check_order(node.level_type, parent)


def _check_successor(node: GridNode, successor: GridNode | None) -> None:
    if successor is None:
        return
    successor.refresh_from_db()
    if successor.pk == node.pk or successor.county_id != node.county_id or successor.is_retired:
        raise _bad("successor", _("承接者要是本县另一个在用的网格。"))


def _facts(external_code: str, address: str, households: int | None) -> dict[str, Any]:
    return {
        "external_code": _clean_external_code(external_code),
        "address": _clean_address(address),
        "households": _clean_households(households),
    }


def _clean_name(name: str) -> str:
    name = clean_line(name, max_length=naming.NAME_LENGTH, label=_("名称"), required=True)
    if naming.SEPARATOR.strip() in name:
        raise _bad("name", _("名称里不能用“%(mark)s”。") % {"mark": naming.SEPARATOR.strip()})
    return name


def _clean_kind(kind: str) -> str:
    if kind not in NodeKind.values:
        raise _bad("kind", _("没有这种网格类型，请从列表中选择。"))
    return kind


def _clean_external_code(value: str) -> str:
    return clean_line(value, max_length=40, label=_("外部编码"))


def _clean_address(value: str) -> str:
    return clean_line(value, max_length=200, label=_("地址"))


def _clean_households(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= 1_000_000:
        raise _bad("households", _("户数请填写 0 或更大的整数。"))
    return value


def _bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})


# --- What stands against it -----------------------------------------------------------------------------------------


def _refuse_retired(*nodes: GridNode) -> None:
    for node in nodes:
        if node.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能再改动。") % {"place": node.path}, code="retired")


def _check_version(node: GridNode, version: int | None) -> None:
    if version is not None and version != node.version:
        raise Stale(_("“%(place)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"place": node.path})


def _refuse_same_name(node: GridNode, parent: GridNode | None) -> None:
    siblings = GridNode.objects.standing().filter(county=node.county, parent=parent, level_type=node.level_type)
    if siblings.filter(name=node.name).exclude(pk=node.pk).exists():
        message = _("“%(parent)s”之下已有“%(name)s”，请换一个名称。") % {
            "parent": parent.name if parent else node.county.name,
            "name": node.name,
        }
        raise Conflict(message, code="name_taken", fields={"name": message})


def _refuse_in_use(node: GridNode) -> None:
    standing = GridNode.objects.standing().filter(parent=node).count()
    if standing:
        raise Conflict(
            _("“%(place)s”之下还有 %(count)d 个在用的下级，请先撤销或调整它们。")
            % {"place": node.path, "count": standing},
            code="has_children",
        )
    found = []
    for rows in hanging.registered():
        count = rows.open_rows().filter(**{rows.node: node}).count()
        if count:
            found.append(_("%(count)d 条%(label)s") % {"count": count, "label": rows.label})
    if found:
        raise Conflict(
            _("“%(place)s”还有%(rows)s，请先办结或调整到别处，再撤销。")
            % {"place": node.path, "rows": "、".join(found)},
            code="rows_hang",
        )


# --- Codes ----------------------------------------------------------------------------------------------------------


def _given_code(node: GridNode, code: str, parent: GridNode | None) -> str:
    if node.level_type.key not in (naming.STREET, naming.COMMUNITY):
        raise _bad("code", _("社区以下的编码由系统编排；省里另有编码的，请填在“外部编码”。"))
    wanted = DivisionLevel.STREET if parent is None else DivisionLevel.COMMUNITY
    division = parse_division_code(code, level=wanted)
    within = node.county.code if parent is None else parent.code[: DivisionLevel.STREET]
    if not division.full.startswith(within):
        raise _bad("code", _("编码 %(code)s 应以 %(within)s 开头，请核对。") % {"code": code, "within": within})
    if GridNode.objects.filter(code=division.full).exists():
        raise _code_taken(division.full)
    return division.full


def _next_code(node: GridNode, parent: GridNode | None) -> str:
    if parent is None:
        codes = GridNode.objects.filter(county=node.county, level_type=node.level_type)
        return naming.next_street_code(node.county.code, node.name, codes.values_list("code", flat=True))
    if node.level_type.key == naming.COMMUNITY:
        street = parent.code[: DivisionLevel.STREET]
        taken = GridNode.objects.filter(level_type=node.level_type, code__startswith=street)
        return naming.next_community_code(parent.code, node.name, taken.values_list("code", flat=True))
    assert parent.community is not None
    prefix = naming.code_prefix(
        node.level_type.key,
        parent_code=parent.code,
        community_code=parent.community.code,
        on_community=parent.community_id == parent.pk,
    )
    return next_code_below(prefix)


def _code_taken(code: str) -> Conflict:
    message = _("编码 %(code)s 已经有了，请核对。") % {"code": code}
    return Conflict(message, code="code_taken", fields={"code": message})


# --- Writing --------------------------------------------------------------------------------------------------------


def _insert(node: GridNode) -> None:
    """mptt makes room at the end of the parent; the number of a new tree is the next over all counties."""
    try:
        with transaction.atomic():
            node.save(force_insert=True)
    except IntegrityError as error:
        raise _code_taken(node.code) from error
    if node.level_type.key == naming.COMMUNITY:
        node.community = node
        GridNode.objects.filter(pk=node.pk).update(community=node)


def _save(node: GridNode, *fields: str) -> None:
    node.version += 1
    node.save(update_fields=[*fields, "version"])


def _check_room(node: GridNode, path: str) -> None:
    longest = GridNode.objects.filter(in_subtree(node)).aggregate(longest=Max(Length("path")))["longest"] or 0
    naming.check_path_length(longest - len(node.path) + len(path))


def _set_paths(node: GridNode, path: str) -> None:
    """One statement for the node and everything below it: the front part of the path is exchanged."""
    _check_room(node, path)
    below = GridNode.objects.filter(in_subtree(node))
    below.update(path=Concat(Value(path), Substr(F("path"), len(node.path) + 1)))
    node.path = path


def _change_community(actor: Actor, node: GridNode, community_id: int | None) -> None:
    old = node.community_id
    GridNode.objects.filter(in_subtree(node)).update(community_id=community_id)
    node.community_id = community_id
    for rows in hanging.registered():
        if not rows.community or old is None or community_id is None:
            continue
        pks = list(rows.open_rows().filter(in_subtree(node, rows.node)).order_by("pk").values_list("pk", flat=True))
        for start in range(0, len(pks), BATCH):
            some = rows.model._default_manager.filter(pk__in=pks[start : start + BATCH])
            some.update(**{rows.community: community_id})
        if pks and rows.follower is not None:
            rows.follower(actor, pks, node, old, community_id)
