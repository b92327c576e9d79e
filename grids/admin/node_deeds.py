"""What can be done to a place at the desk. A deed of weight shows what it will do before it does it."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import ScopedModelAdmin
from core.deeds import CHOICE, Deed, Foresight
from grids import actions, hanging, posts
from grids.actions import NewPart
from grids.admin import node_forms
from grids.admin.supervision import NODE_PHONE
from grids.hanging import Fate, Line
from grids.models import GridNode, NodeKind
from grids.querysets import in_subtree
from grids.selectors import managed_county, size_warning

TEMPLATE = "admin/node_foresight.html"


def _create(*, actor: Any, obj: None, parent: GridNode | None, **data: Any) -> GridNode:
    county = None if parent is not None else managed_county(actor, posts.ADD_NODE)
    data["kind"] = data.get("kind") or NodeKind.BASIC
    return actions.create_node(actor=actor, parent=parent, county=county, **data)


def _describe(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    data["kind"] = data.get("kind") or NodeKind.BASIC
    return actions.describe_node(actor=actor, node=obj, **data)


def _rename(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.rename_node(actor=actor, node=obj, **data)


def _move(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.move_node(actor=actor, node=obj, **data)


def _retire(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.retire_node(actor=actor, node=obj, **data)


def _merge(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    return actions.merge_nodes(actor=actor, node=obj, **data)


def _split(*, actor: Any, obj: GridNode, **data: Any) -> GridNode:
    actions.split_node(actor=actor, node=obj, **data)
    return obj


# --- What would happen ----------------------------------------------------------------------------------------------


def _foresee_move(*, actor: Any, obj: GridNode, parent: GridNode, **data: Any) -> Foresight:
    lines = []
    notes = [
        _("“%(name)s”连同下面的 %(count)s从“%(before)s”调整到“%(after)s”；编码和二维码不变。")
        % {"name": obj.name, "count": _many(_below(obj)), "before": obj.parent, "after": parent}
    ]
    if parent.community_id != obj.community_id and obj.community_id != obj.pk:
        community = parent.community
        notes.append(_("所属社区变为%(after)s。") % {"after": community.name if community else "—"})
        lines = hanging.what_follows(in_subtree(obj), parent.community_id, actor)
    return _foresight(lines, notes, lambda: _move(actor=actor, obj=obj, parent=parent, **data), [obj])


def _foresee_retire(*, actor: Any, obj: GridNode, **data: Any) -> Foresight:
    successor = data.get("successor")
    lines = hanging.what_hangs([obj], actor, successor=successor, wanted=data["wanted"])
    words = {"name": obj.name, "code": obj.code, "successor": successor}
    if successor is None:
        notes = [_("“%(name)s”撤销，编码 %(code)s 不再使用；以前的记录都保留。") % words]
    else:
        notes = [_("“%(name)s”撤销，编码 %(code)s 以后指向“%(successor)s”；以前的记录都保留。") % words]
    return _foresight(lines, notes, lambda: _retire(actor=actor, obj=obj, **data), [obj])


def _foresee_merge(*, actor: Any, obj: GridNode, sources: Sequence[GridNode], **data: Any) -> Foresight:
    lines = hanging.what_hangs(sources, actor, successor=obj, wanted=data["wanted"])
    notes = []
    elsewhere = Q(pk__in=[])
    for source in sources:
        words = {"name": source.name, "count": _many(_below(source)), "target": obj.name, "code": source.code}
        notes.append(
            _("“%(name)s”下面的 %(count)s转到“%(target)s”；“%(name)s”撤销，编码 %(code)s 以后指向“%(target)s”。")
            % words
        )
        if source.community_id not in (None, obj.community_id):
            elsewhere |= in_subtree(source) & ~Q(pk=source.pk)
    if obj.community_id is not None and elsewhere != Q(pk__in=[]):
        lines += hanging.what_follows(elsewhere, obj.community_id, actor)
    notes += _size(obj, obj.name, data.get("households", obj.households))
    return _foresight(lines, notes, lambda: _merge(actor=actor, obj=obj, sources=sources, **data), sources)


def _foresee_split(*, actor: Any, obj: GridNode, parts: Sequence[NewPart], **data: Any) -> Foresight:
    given = sum(len(part.children) for part in parts)
    stays = GridNode.objects.standing().filter(parent=obj).count() - given
    notes = []
    for part in parts:
        words = {"name": part.name, "beside": obj.name, "children": _list(child.name for child in part.children)}
        notes.append(_("新建“%(name)s”，与“%(beside)s”并列；划过去：%(children)s。") % words)
        notes += _size(obj, part.name, part.households)
    notes.append(
        _("“%(name)s”留下 %(count)d 个下级，编码、二维码、负责人和挂在它自己的记录都不变。")
        % {"name": obj.name, "count": stays}
    )
    notes += _size(obj, obj.name, data.get("households", obj.households))
    lines = []
    if obj.community_id == obj.pk:
        moving = Q(pk__in=[])
        for part in parts:
            for child in part.children:
                moving |= in_subtree(child)
        lines = hanging.what_follows(moving, 0, actor)
    return _foresight(lines, notes, lambda: _split(actor=actor, obj=obj, parts=parts, **data), [obj])


def _foresight(lines: list[Line], notes: list[str], deed: Callable[[], Any], places: Sequence[GridNode]) -> Foresight:
    """What would happen, unless something is to be seen to first. The deed itself is tried and taken back, so that what
    it would refuse is said now."""
    blocked = any(line.fate is Fate.BY_HAND for line in lines)
    if not blocked:
        with transaction.atomic():
            deed()
            transaction.set_rollback(True)
    rows = [{"line": line, "choice": f"{CHOICE}{line.kind}", "url": _list_of(line, places)} for line in lines]
    facts = "；".join([*notes, *(f"{line.kind} {line.count}" for line in lines)])
    return Foresight(TEMPLATE, {"notes": notes, "rows": rows}, facts, blocked)


def _list_of(line: Line, places: Sequence[GridNode]) -> str:
    """The list in which such rows are seen to, where there is one."""
    model = next(kind.model for kind in hanging.registered() if kind.key == line.kind)
    page: Any = admin.site._registry.get(model)
    if not isinstance(page, ScopedModelAdmin):
        return ""
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    filters = {getattr(one, "parameter_name", "") for one in page.list_filter}
    return f"{address}?place={places[0].pk}" if "place" in filters and len(places) == 1 else address


def _below(node: GridNode) -> int:
    return GridNode.objects.standing().filter(in_subtree(node)).exclude(pk=node.pk).count()


def _many(count: int) -> str:
    return _("%(count)d 处") % {"count": count}


def _list(names: Iterable[str]) -> str:
    found = list(names)
    if not found:
        return _("没有下级")
    shown = "、".join(found[:12])
    return shown if len(found) <= 12 else _("%(names)s等 %(count)d 个") % {"names": shown, "count": len(found)}


def _size(node: GridNode, name: str, households: int | None) -> list[str]:
    """The remark on a size outside the guide, for the households it would have."""
    warning = size_warning(GridNode(level_type=node.level_type, households=households))
    return [_("“%(name)s”：%(warning)s") % {"name": name, "warning": warning}] if warning else []


# --- The deeds ------------------------------------------------------------------------------------------------------


def _stands(node: GridNode) -> bool:
    return not node.is_retired


def _has_parent(node: GridNode) -> bool:
    return _stands(node) and node.parent_id is not None


ADDING = Deed("add", lazy("新建网格"), posts.ADD_NODE, node_forms.CreateForm, _create, lazy("已新建。"), tone="main")
DEEDS = (
    Deed(
        "describe",
        lazy("修改资料"),
        posts.MANAGE_NODE,
        node_forms.FactsForm,
        _describe,
        lazy("已保存。"),
        tone="main",
        offered=_stands,
    ),
    Deed(
        "rename",
        lazy("改名"),
        posts.MANAGE_NODE,
        node_forms.RenameForm,
        _rename,
        lazy("已改名。"),
        help=lazy("下面所有地点的位置随之改变，编码和二维码不变。"),
        offered=_stands,
    ),
    Deed(
        "move",
        lazy("调整隶属"),
        posts.MANAGE_NODE,
        node_forms.MoveForm,
        _move,
        lazy("已调整。"),
        help=lazy("连同下面的所有地点一起调整；未办结的需求跟着走，已办结的留在原社区。编码和二维码不变。"),
        offered=_has_parent,
        foresee=_foresee_move,
    ),
    Deed(
        "split",
        lazy("拆分"),
        posts.MANAGE_NODE,
        node_forms.SplitForm,
        _split,
        lazy("已拆分。"),
        help=lazy("旁边新建同级的网格，选定的下级划过去；这里保留编码、二维码和其余的下级。"),
        offered=_stands,
        foresee=_foresee_split,
    ),
    Deed(
        "merge",
        lazy("合并"),
        posts.MANAGE_NODE,
        node_forms.MergeForm,
        _merge,
        lazy("已合并。"),
        help=lazy("把别的网格并到这里：它们的下级和未了结的事转过来，它们自己撤销，编码以后指向这里。"),
        offered=_stands,
        foresee=_foresee_merge,
    ),
    NODE_PHONE,
    Deed(
        "retire",
        lazy("撤销"),
        posts.MANAGE_NODE,
        node_forms.RetireForm,
        _retire,
        lazy("已撤销。"),
        help=lazy("撤销后不能再登记需求，以前的记录都保留。下面还有在用的下级时，请先撤销、调整它们，或者合并。"),
        tone="danger",
        offered=_stands,
        foresee=_foresee_retire,
    ),
)
