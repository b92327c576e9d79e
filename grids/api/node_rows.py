"""What the API shows of a place and reads about one."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from grids.hanging import Fate, Line
from grids.history import Told
from grids.models import GridNode, NodeKind
from grids.selectors import size_warning

# What a row reads beside the node itself.
RELATED = ("level_type", "parent", "community", "successor")


class NodeRow(Shown):
    code = serializers.CharField(label=_("编码"))
    name = serializers.CharField(label=_("名称"))
    path = serializers.CharField(label=_("位置"))
    level = serializers.CharField(label=_("层级类型"))
    level_name = serializers.CharField(label=_("层级名称"))
    parent = serializers.CharField(label=_("上级编码"), allow_null=True)
    community = serializers.CharField(label=_("社区编码"), allow_null=True)
    external_code = serializers.CharField(label=_("外部编码"))
    kind = serializers.ChoiceField(label=_("网格类型"), choices=NodeKind.choices)
    address = serializers.CharField(label=_("地址"))
    households = serializers.IntegerField(label=_("户数"), allow_null=True)
    size_warning = serializers.CharField(label=_("规模提示"))
    valid_from = serializers.DateField(label=_("启用日期"))
    retired_at = serializers.DateTimeField(label=_("撤销时间"), allow_null=True)
    successor = serializers.CharField(label=_("承接者编码"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


def node_row(node: GridNode) -> dict[str, Any]:
    """A row from a node with `RELATED` loaded."""
    return {
        "code": node.code,
        "name": node.name,
        "path": node.path,
        "level": node.level_type.key,
        "level_name": node.level_type.name,
        "parent": node.parent.code if node.parent else None,
        "community": node.community.code if node.community else None,
        "external_code": node.external_code,
        "kind": node.kind,
        "address": node.address,
        "households": node.households,
        "size_warning": size_warning(node),
        "valid_from": node.valid_from,
        "retired_at": node.retired_at,
        "successor": node.successor.code if node.successor else None,
        "version": node.version,
    }


class StepRow(Shown):
    """One step of a breadcrumb."""

    code = serializers.CharField(label=_("编码"))
    name = serializers.CharField(label=_("名称"))
    level = serializers.CharField(label=_("层级类型"))


def step_row(node: GridNode) -> dict[str, Any]:
    return {"code": node.code, "name": node.name, "level": node.level_type.key}


class Reasoned(serializers.Serializer[Any]):
    """Why; stands in the history of the place."""

    reason = serializers.CharField(label=_("理由"), required=False, allow_blank=True)


class Versioned(Reasoned):
    """What would be written over what somebody else wrote meanwhile is refused (409)."""

    version = serializers.IntegerField(label=_("看到的版本"), required=False)


class Facts(serializers.Serializer[Any]):
    """The plain facts of a place."""

    external_code = serializers.CharField(label=_("外部编码"), required=False, allow_blank=True)
    kind = serializers.ChoiceField(label=_("网格类型"), choices=NodeKind.choices, required=False)
    address = serializers.CharField(label=_("地址"), required=False, allow_blank=True)
    households = serializers.IntegerField(label=_("户数"), required=False, allow_null=True)


class CreateInput(Facts, Reasoned):
    """A new place: below `parent`, or a street of the county when no parent is given."""

    parent = serializers.CharField(label=_("上级编码（新建街道不填）"), required=False)
    level = serializers.CharField(label=_("层级类型"))
    name = serializers.CharField(label=_("名称"))
    code = serializers.CharField(label=_("区划代码（街道、社区可填）"), required=False, allow_blank=True)


class NodeDescribeInput(Facts, Versioned):
    pass


class RenameInput(Versioned):
    name = serializers.CharField(label=_("新名称"))


class NodeMoveInput(Versioned):
    parent = serializers.CharField(label=_("新上级的编码"))


class Wanted(Versioned):
    """What becomes of what hangs on a place, where there is a choice (`hanging` lists the kinds and their choices)."""

    reason = serializers.CharField(label=_("理由"))
    wanted = serializers.DictField(
        label=_("挂着的各类记录怎么办：类别 → 办法"), child=serializers.CharField(), required=False
    )


class RetireInput(Wanted):
    successor = serializers.CharField(label=_("承接者编码"), required=False, allow_null=True)


class MergeInput(Wanted):
    sources = serializers.ListField(label=_("并入的节点编码"), child=serializers.CharField(), max_length=200)
    households = serializers.IntegerField(label=_("合并后的户数（不填保持不变）"), required=False, allow_null=True)


class PartInput(serializers.Serializer[Any]):
    """What is split off."""

    name = serializers.CharField(label=_("名称"))
    children = serializers.ListField(
        label=_("划过去的下级编码"), child=serializers.CharField(), required=False, default=list
    )
    households = serializers.IntegerField(label=_("户数"), required=False, allow_null=True)
    address = serializers.CharField(label=_("地址"), required=False, allow_blank=True)


class SplitInput(Versioned):
    reason = serializers.CharField(label=_("理由"))
    parts = PartInput(many=True, label=_("拆分出来的"))
    households = serializers.IntegerField(label=_("留下的户数（不填保持不变）"), required=False, allow_null=True)


class HangingRow(Shown):
    """Open rows of one kind that hang on a place, and what would become of them."""

    kind = serializers.CharField(label=_("类别"))
    label = serializers.CharField(label=_("名称"))  # type: ignore[assignment]
    count = serializers.IntegerField(label=_("条数，不便告知的为空"), allow_null=True)
    fate = serializers.ChoiceField(label=_("办法"), choices=Fate.choices)
    choices = serializers.ListField(label=_("可选的办法"), child=serializers.ChoiceField(choices=Fate.choices))
    examples = serializers.ListField(label=_("举例（只列可见的）"), child=serializers.CharField())


def hanging_row(line: Line) -> dict[str, Any]:
    return {
        "kind": line.kind,
        "label": line.label,
        "count": line.count,
        "fate": str(line.fate),
        "choices": [str(fate) for fate in line.choices],
        "examples": list(line.examples),
    }


class HistoryRow(Shown):
    at = serializers.DateTimeField(label=_("时间"))
    action = serializers.CharField(label=_("操作"))
    title = serializers.CharField(label=_("事项"))
    text = serializers.CharField(label=_("从什么到什么"))
    reason = serializers.CharField(label=_("理由"))
    who = serializers.CharField(label=_("经办人"))
    changes = serializers.DictField(label=_("变更：字段 → [之前, 之后]"))


def history_row(told: Told) -> dict[str, Any]:
    return {name: getattr(told, name) for name in HistoryRow._declared_fields}
