"""What the API shows of a place and reads about one."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
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


class Versioned(serializers.Serializer[Any]):
    """What is written over an old version is refused (409)."""

    version = serializers.IntegerField(label=_("看到的版本"), required=False)


class Facts(serializers.Serializer[Any]):
    """The plain facts of a place."""

    external_code = serializers.CharField(label=_("外部编码"), required=False, allow_blank=True)
    kind = serializers.ChoiceField(label=_("网格类型"), choices=NodeKind.choices, required=False)
    address = serializers.CharField(label=_("地址"), required=False, allow_blank=True)
    households = serializers.IntegerField(label=_("户数"), required=False, allow_null=True)


class CreateInput(Facts):
    """A new place: below `parent`, or a street of the county when no parent is given."""

    parent = serializers.CharField(label=_("上级编码（新建街道不填）"), required=False)
    level = serializers.CharField(label=_("层级类型"))
    name = serializers.CharField(label=_("名称"))
    code = serializers.CharField(label=_("区划代码（街道、社区可填）"), required=False, allow_blank=True)


class DescribeInput(Facts, Versioned):
    pass


class RenameInput(Versioned):
    name = serializers.CharField(label=_("新名称"))


class MoveInput(Versioned):
    parent = serializers.CharField(label=_("新上级的编码"))


class RetireInput(Versioned):
    reason = serializers.CharField(label=_("撤销理由"))
    successor = serializers.CharField(label=_("承接者编码"), required=False, allow_null=True)
