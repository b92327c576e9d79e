"""What the API shows of check-ins and reads about them. Rows are made by plain functions; the serializers are their schema."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from core.api.lists import Shown
from services.models import ApplicationState, CheckInApplication, CheckInRole, UnitCheckIn
from services.selectors.checkins import Figures, has_run_out


class CheckInRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    number = serializers.CharField(label=_("回执编号"))
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    node = serializers.CharField(label=_("地点编码"))
    place = serializers.CharField(label=_("报到地"))
    community = serializers.CharField(label=_("社区编码"), allow_null=True)
    role = serializers.ChoiceField(label=_("角色"), choices=CheckInRole.choices)
    brings = serializers.CharField(label=_("带来的资源和服务"))
    unit_liaison = serializers.CharField(label=_("单位联络员"), allow_null=True)
    community_liaison = serializers.CharField(label=_("社区联络员"), allow_null=True)
    start = serializers.DateField(label=_("报到日期"))
    until = serializers.DateField(label=_("协议到期"), allow_null=True)
    has_run_out = serializers.BooleanField(label=_("协议已到期、待续签"))
    end = serializers.DateField(label=_("结束日期"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class CheckInInput(serializers.Serializer[Any]):
    unit = serializers.IntegerField(label=_("单位"), min_value=1)
    node = serializers.CharField(label=_("地点编码"), max_length=40)
    role = serializers.ChoiceField(label=_("角色"), choices=CheckInRole.choices, required=False)
    start = serializers.DateField(label=_("报到日期，不填是今天"), required=False)
    years = serializers.IntegerField(label=_("共建年限，不填是不定期"), min_value=1, max_value=5, required=False)
    brings = serializers.CharField(label=_("带来的资源和服务"), max_length=500, required=False)


class CommunityCheckIns(serializers.Serializer[Any]):
    node = serializers.CharField(label=_("社区编码"))
    name = serializers.CharField(label=_("社区"))
    units = serializers.IntegerField(label=_("报到单位"))
    lead = serializers.IntegerField(label=_("牵头单位"))
    supporting = serializers.IntegerField(label=_("配合单位"))


class CheckInFiguresRow(Shown):
    units = serializers.IntegerField(label=_("报到单位"))
    lead = serializers.IntegerField(label=_("牵头单位"))
    supporting = serializers.IntegerField(label=_("配合单位"))
    communities = CommunityCheckIns(label=_("各社区"), many=True)


class ApplicationRow(Shown):
    id = serializers.IntegerField(label=_("编号"))
    unit = serializers.IntegerField(label=_("单位"))
    unit_name = serializers.CharField(label=_("单位名称"))
    node = serializers.CharField(label=_("地点编码"))
    place = serializers.CharField(label=_("报到地"))
    role = serializers.ChoiceField(label=_("角色"), choices=CheckInRole.choices)
    brings = serializers.CharField(label=_("带来的资源和服务"))
    years = serializers.IntegerField(label=_("共建年限"))
    unit_liaison = serializers.CharField(label=_("单位联络员"), allow_null=True)
    state = serializers.ChoiceField(label=_("状态"), choices=ApplicationState.choices)
    reason = serializers.CharField(label=_("社区的意见"))
    applied_at = serializers.DateTimeField(label=_("申请时间"))
    decided_at = serializers.DateTimeField(label=_("办理时间"), allow_null=True)
    renews = serializers.IntegerField(label=_("续签的报到"), allow_null=True)
    checkin = serializers.IntegerField(label=_("报到"), allow_null=True)
    version = serializers.IntegerField(label=_("版本"))


class ApplyInput(serializers.Serializer[Any]):
    unit = serializers.IntegerField(label=_("单位；续签不用填"), min_value=1, required=False)
    node = serializers.CharField(label=_("社区、片区或小区的编码；续签不用填"), max_length=40, required=False)
    renews = serializers.IntegerField(label=_("续签的报到"), min_value=1, required=False)
    role = serializers.ChoiceField(label=_("角色"), choices=CheckInRole.choices, required=False)
    brings = serializers.CharField(label=_("带来的资源和服务；续签不填就照旧"), max_length=500, default="")
    years = serializers.IntegerField(label=_("共建年限"), min_value=1, max_value=5, default=1)


class AcceptInput(serializers.Serializer[Any]):
    community_liaison = serializers.IntegerField(label=_("社区联络员的账号"), min_value=1)
    version = serializers.IntegerField(label=_("版本"), required=False)


class AnswerInput(serializers.Serializer[Any]):
    reason = serializers.CharField(label=_("请单位补充什么；不接收的原因"), max_length=500)
    version = serializers.IntegerField(label=_("版本"), required=False)


def checkin_row(row: UnitCheckIn) -> dict[str, Any]:
    """A row from a check-in with its unit, place, community and liaisons loaded."""
    return {
        "id": row.pk,
        "number": row.number,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "node": row.node.code,
        "place": row.node.path,
        "community": row.node.community.code if row.node.community else None,
        "role": row.role,
        "brings": row.brings,
        "unit_liaison": row.unit_liaison.name if row.unit_liaison else None,
        "community_liaison": row.community_liaison.name if row.community_liaison else None,
        "start": row.start,
        "until": row.until,
        "has_run_out": has_run_out(row),
        "end": row.end,
        "version": row.version,
    }


def figures_row(found: Figures) -> dict[str, int]:
    return {"units": found.units, "lead": found.lead, "supporting": found.supporting}


def application_row(row: CheckInApplication) -> dict[str, Any]:
    """A row from an application with its unit, place and liaison loaded."""
    return {
        "id": row.pk,
        "unit": row.unit_id,
        "unit_name": row.unit.name,
        "node": row.node.code,
        "place": row.node.path,
        "role": row.role,
        "brings": row.brings,
        "years": row.years,
        "unit_liaison": row.unit_liaison.name if row.unit_liaison else None,
        "state": str(row.state),
        "reason": row.reason,
        "applied_at": row.applied_at,
        "decided_at": row.decided_at,
        "renews": row.renews_id,
        "checkin": row.checkin_id,
        "version": row.version,
    }
