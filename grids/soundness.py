"""Whether the trees are sound, read once from end to end in fixed memory: the stack is as deep as a tree.

A walk over the bounds, which also proves the columns that repeat what the tree says; then the rows that hang on nodes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F, Q
from django.utils.translation import gettext as _

from grids import hanging
from grids.models import GridNode, Level
from grids.naming import COMMUNITY, SEPARATOR, STREET

CHUNK = 2000
_COLUMNS = (
    "pk",
    "tree_id",
    "lft",
    "rght",
    "depth",
    "parent_id",
    "county_id",
    "level_type_id",
    "community_id",
    "name",
    "path",
    "retired_at",
)


@dataclass
class _Open:
    """A node whose right bound the walk has not reached yet. `next_bound` is where the next child must begin."""

    row: dict[str, Any]
    next_bound: int = field(init=False)

    def __post_init__(self) -> None:
        self.next_bound = self.row["lft"] + 1


def faults() -> Iterator[str]:
    """Every fault found, as a sentence that names the node. Empty when all is well."""
    yield from _walk()
    yield from _hanging_rows()


def _walk() -> Iterator[str]:
    """One pass in the order of the bounds. Each node must begin exactly where the one before it ended."""
    levels = {level.pk: level for level in Level.objects.all()}
    rows = GridNode.objects.order_by("tree_id", "lft", "pk").values(*_COLUMNS)
    stack: list[_Open] = []
    tree = None
    for row in rows.iterator(chunk_size=CHUNK):
        if row["tree_id"] != tree:
            yield from _close(stack, None)
            tree = row["tree_id"]
            yield from _check_root(row, levels)
        else:
            yield from _close(stack, row)
            yield from _check_child(row, stack, levels)
        yield from _check_itself(row, levels)
        stack.append(_Open(row))
    yield from _close(stack, None)


def _close(stack: list[_Open], row: dict[str, Any] | None) -> Iterator[str]:
    """Takes off the nodes that end before `row` begins, and checks that each is filled to its end."""
    while stack and (row is None or stack[-1].row["rght"] < row["lft"]):
        last = stack.pop()
        if last.row["rght"] != last.next_bound:
            yield _fault(last.row, _("右边界是 %(is)s，应为 %(be)s") % {"is": last.row["rght"], "be": last.next_bound})
        if stack:
            stack[-1].next_bound = last.row["rght"] + 1


def _check_root(row: dict[str, Any], levels: dict[int, Level]) -> Iterator[str]:
    if row["parent_id"] is not None or row["lft"] != 1 or row["depth"] != 0:
        yield _fault(row, _("树 %(tree)s 的第一个节点不是它的根") % {"tree": row["tree_id"]})
    if levels[row["level_type_id"]].key != STREET:
        yield _fault(row, _("树根不是街道（镇）"))
    if row["path"] != row["name"]:
        yield _fault(row, _("位置与名称不符"))
    if row["community_id"] is not None:
        yield _fault(row, _("街道（镇）不应有所属社区"))


def _check_child(row: dict[str, Any], stack: list[_Open], levels: dict[int, Level]) -> Iterator[str]:
    if not stack:
        yield _fault(row, _("与另一个树根同在树 %(tree)s 中") % {"tree": row["tree_id"]})
        return
    above = stack[-1]
    if row["lft"] != above.next_bound:
        yield _fault(row, _("左边界是 %(is)s，应为 %(be)s") % {"is": row["lft"], "be": above.next_bound})
    parent = above.row
    if row["rght"] >= parent["rght"]:
        yield _fault(row, _("右边界超出上级的边界"))
    if row["parent_id"] != parent["pk"]:
        yield _fault(row, _("上级是 %(is)s，按边界应为 %(be)s") % {"is": row["parent_id"], "be": parent["pk"]})
    if row["depth"] != parent["depth"] + 1:
        yield _fault(row, _("深度是 %(is)s，应为 %(be)s") % {"is": row["depth"], "be": parent["depth"] + 1})
    if row["county_id"] != parent["county_id"]:
        yield _fault(row, _("与上级不在同一个县"))
    if row["path"] != parent["path"] + SEPARATOR + row["name"]:
        yield _fault(row, _("位置与上级的位置和名称不符"))
    if row["retired_at"] is None and parent["retired_at"] is not None:
        yield _fault(row, _("在用，上级却已撤销"))
    yield from _check_levels(row, parent, levels)


def _check_levels(row: dict[str, Any], parent: dict[str, Any], levels: dict[int, Level]) -> Iterator[str]:
    level = levels[row["level_type_id"]]
    if level.order <= levels[parent["level_type_id"]].order:
        yield _fault(row, _("层级不在上级的层级之后"))
    expected = row["pk"] if level.key == COMMUNITY else parent["community_id"]
    if row["community_id"] != expected or expected is None:
        yield _fault(row, _("所属社区是 %(is)s，应为 %(be)s") % {"is": row["community_id"], "be": expected})
    if level.key == COMMUNITY and parent["community_id"] is not None:
        yield _fault(row, _("社区设在另一个社区之下"))


def _check_itself(row: dict[str, Any], levels: dict[int, Level]) -> Iterator[str]:
    if row["rght"] <= row["lft"]:
        yield _fault(row, _("右边界不大于左边界"))
    if levels[row["level_type_id"]].county_id != row["county_id"]:
        yield _fault(row, _("层级属于另一个县"))


def _hanging_rows() -> Iterator[str]:
    """Open rows hang on a node in use and say its community; closed rows say a community."""
    for rows in hanging.registered():
        retired = rows.open_rows().filter(**{f"{rows.node}__retired_at__isnull": False})
        yield from _each(rows, retired, _("未了结，所在的网格却已撤销"))
        if not rows.community:
            continue
        elsewhere = ~Q(**{rows.community: F(f"{rows.node}__community")}) | Q(
            **{f"{rows.node}__community__isnull": True}
        )
        yield from _each(rows, rows.open_rows().filter(elsewhere), _("所属社区与所在网格的社区不符"))
        strange = rows.model._default_manager.exclude(**{f"{rows.community}__level_type__key": COMMUNITY})
        yield from _each(rows, strange, _("所属社区不是社区"))


def _each(rows: hanging.Hanging, found: Any, what: str) -> Iterator[str]:
    name = rows.model._meta.verbose_name
    for pk in found.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=CHUNK):
        yield _("%(name)s %(pk)s：%(what)s。") % {"name": name, "pk": pk, "what": what}


def _fault(row: dict[str, Any], what: str) -> str:
    return _("%(path)s（%(pk)s）：%(what)s。") % {"path": row["path"] or row["name"], "pk": row["pk"], "what": what}
