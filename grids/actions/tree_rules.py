"""What a write to the tree asks for: what an input must be, what stands against it, how codes are given, how a row is saved.
Shared by `tree` and `restructuring`, under the locks they hold.
"""

from typing import Any

from django.db import IntegrityError
from django.db.models import F, Max, Q, Value
from django.db.models.functions import Concat, Length, Substr
from django.utils.translation import gettext as _

from core.codes import DivisionLevel, parse_division_code
from core.errors import Conflict, Invalid, Stale
from core.prepared import Prepared
from core.text import clean_line
from grids import naming
from grids.actions import bounds
from grids.actions.codes import next_code_below
from grids.levels import why_not_below
from grids.models import County, GridNode, Level, NodeKind

# --- What an input must be ------------------------------------------------------------------------------------------


UNCHANGED: Any = object()

# Asked for every place that is made: written once (docs/decisions/0008).
_LEVEL = Prepared(lambda county, key: Level.objects.filter(county_id=county, key=key), int, str)
_CALLED = Prepared(
    lambda parent, level, name: (
        GridNode.objects.standing()
        .filter(parent_id=parent, level_type_id=level, name=name)
        .order_by()
        .values_list("pk")
    ),
    int,
    int,
    str,
)


def level_of(county: County, key: str, parent: GridNode | None) -> Level:
    """The county's level of that key, if a node of it may stand below the parent. Raises Invalid."""
    level = _LEVEL.one(county.pk, key)
    if level is None:
        raise bad("level", _("%(county)s没有这个层级，请从列表中选择。") % {"county": county.name})
    if parent is None:
        if key != naming.STREET:
            raise bad("level", _("最上一级只能是街道（镇），请先选择上级。"))
        return level
    refuse_retired(parent)
    check_order(level, parent)
    return level


def check_order(level: Level, parent: GridNode) -> None:
    """A child is of a later level; and what is smaller than a community lies in one (docs/domain.md#levels)."""
    fault = why_not_below(level, parent.level_type, in_community=parent.community_id is not None)
    if fault:
        raise bad("level", f"{fault}。")


def clean_name(name: str) -> str:
    name = clean_line(name, max_length=naming.NAME_LENGTH, label=_("名称"), required=True)
    if naming.SEPARATOR.strip() in name:
        raise bad("name", _("名称里不能用“%(mark)s”。") % {"mark": naming.SEPARATOR.strip()})
    return name


def clean_kind(kind: str) -> str:
    if kind not in NodeKind.values:
        raise bad("kind", _("没有这种网格类型，请从列表中选择。"))
    return kind


def clean_external_code(value: str) -> str:
    return clean_line(value, max_length=naming.EXTERNAL_LENGTH, label=_("外部编码"))


def clean_address(value: str) -> str:
    return clean_line(value, max_length=naming.ADDRESS_LENGTH, label=_("地址"))


def clean_households(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= naming.MOST_HOUSEHOLDS:
        raise bad("households", _("户数请填写 0 或更大的整数。"))
    return value


def clean_reason(value: str, *, required: bool = False) -> str:
    return clean_line(value, max_length=500, label=_("理由"), field="reason", required=required)


def bad(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})


# --- What stands against it -----------------------------------------------------------------------------------------


def refuse_retired(*nodes: GridNode) -> None:
    for node in nodes:
        if node.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能再改动。") % {"place": node.path}, code="retired")


def check_version(node: GridNode, version: int | None) -> None:
    if version is not None and version != node.version:
        raise Stale(_("“%(place)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"place": node.path})


def refuse_same_name(node: GridNode, parent: GridNode | None) -> None:
    if parent is None:
        streets = GridNode.objects.standing().filter(county=node.county, parent=None, name=node.name)
        called = list(streets.values_list("pk"))
    else:
        called = _CALLED.rows(parent.pk, node.level_type_id, node.name)
    if any(pk != node.pk for (pk,) in called):
        message = _("“%(parent)s”之下已有“%(name)s”，请换一个名称。") % {
            "parent": parent.name if parent else node.county.name,
            "name": node.name,
        }
        raise Conflict(message, code="name_taken", fields={"name": message})


# --- Codes ----------------------------------------------------------------------------------------------------------


def given_code(node: GridNode, code: str, parent: GridNode | None) -> str:
    if node.level_type.key not in (naming.STREET, naming.COMMUNITY):
        raise bad("code", _("社区以下的编码由系统编排；省里另有编码的，请填在“外部编码”。"))
    wanted = DivisionLevel.STREET if parent is None else DivisionLevel.COMMUNITY
    division = parse_division_code(code, level=wanted)
    within = node.county.code if parent is None else parent.code[: DivisionLevel.STREET]
    if not division.full.startswith(within):
        raise bad("code", _("编码 %(code)s 应以 %(within)s 开头，请核对。") % {"code": code, "within": within})
    if GridNode.objects.filter(code=division.full).exists():
        raise code_taken(division.full)
    return division.full


def next_code(node: GridNode, parent: GridNode | None) -> str:
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


def code_taken(code: str) -> Conflict:
    message = _("编码 %(code)s 已经有了，请核对。") % {"code": code}
    return Conflict(message, code="code_taken", fields={"code": message})


# --- Writing --------------------------------------------------------------------------------------------------------


def new_node(
    *,
    county: County,
    level_type: Level,
    parent: GridNode | None,
    name: str,
    code: str = "",
    external_code: str = "",
    kind: str = NodeKind.BASIC,
    address: str = "",
    households: int | None = None,
) -> GridNode:
    """Makes a node as the last child of `parent` (or as a street), under the lock. Raises Invalid, Conflict."""
    node = GridNode(
        county=county,
        level_type=level_type,
        parent=parent,
        name=clean_name(name),
        external_code=clean_external_code(external_code),
        kind=clean_kind(kind),
        address=clean_address(address),
        households=clean_households(households),
        community=None if parent is None else parent.community,
    )
    node.path = naming.path_of(parent.path if parent else "", node.name)
    refuse_same_name(node, parent)
    node.code = given_code(node, code, parent) if code else next_code(node, parent)
    insert(node, parent)
    return node


def insert(node: GridNode, parent: GridNode | None) -> None:
    """Writes the row behind the last child of its parent, as read under the lock; the number of a new tree is the next
    over all counties. What mptt finds set it leaves alone."""
    if parent is None:
        node.tree_id = (GridNode.objects.aggregate(last=Max("tree_id"))["last"] or 0) + 1
        node.lft, node.rght, node.depth = 1, 2, 0
    else:
        node.tree_id, node.lft, node.rght, node.depth = parent.tree_id, parent.rght, parent.rght + 1, parent.depth + 1
        bounds.make_room(parent)
    try:
        node.save(force_insert=True)
    except IntegrityError as error:
        raise code_taken(node.code) from error
    if node.level_type.key == naming.COMMUNITY:
        node.community = node
        GridNode.objects.filter(pk=node.pk).update(community=node)


def save(node: GridNode, *fields: str) -> None:
    node.version += 1
    node.save(update_fields=[*fields, "version"])


def check_room(nodes: Q, old: str, new: str) -> None:
    """Raises Invalid when one of the paths would not fit its column once its front part is exchanged."""
    longest = GridNode.objects.filter(nodes).aggregate(longest=Max(Length("path")))["longest"] or 0
    naming.check_path_length(longest - len(old) + len(new))


def exchange_paths(nodes: Q, old: str, new: str) -> None:
    """Exchanges the front part of the paths of some nodes, in one statement."""
    GridNode.objects.filter(nodes).update(path=Concat(Value(new), Substr(F("path"), len(old) + 1)))
