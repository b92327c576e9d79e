"""A county's limits by API: those in force, and every version there was with what it changed."""

from typing import Any

from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import one
from core.api.lists import ListView, Shown
from services.actions.rule_versions import LIMITS
from services.clocks import clock_for
from services.models import LoopSettings, RuleVersion
from services.selectors import rules


class LimitsRow(Shown):
    county = serializers.CharField(label=lazy("县"))
    rule_version = serializers.IntegerField(label=lazy("时限规则版本"), allow_null=True)
    promise = serializers.CharField(label=lazy("对居民的承诺"))
    limits = serializers.DictField(child=serializers.IntegerField(), label=lazy("各项时限"))


class RuleVersionRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    county = serializers.CharField(label=lazy("县"))
    number = serializers.IntegerField(label=lazy("版本"))
    at = serializers.DateTimeField(label=lazy("生效时间"))
    by = serializers.CharField(label=lazy("经办人；系统的为空"))


class RuleLineRow(Shown):
    name = serializers.CharField(label=lazy("项目代码"))
    title = serializers.CharField(label=lazy("项目"))
    before = serializers.CharField(label=lazy("上一版"))
    after = serializers.CharField(label=lazy("这一版"))


class RuleVersionDetailRow(RuleVersionRow):
    changed = RuleLineRow(many=True, label=lazy("与上一版的不同"))
    rules = serializers.DictField(label=lazy("全部时限"))


def _limits(row: LoopSettings) -> dict[str, Any]:
    return {
        "county": row.county.name,
        "rule_version": clock_for(row.county_id).version,
        "promise": row.promise,
        "limits": {name: getattr(row, name) for name in LIMITS},
    }


def _version(row: RuleVersion) -> dict[str, Any]:
    by = row.by.name if row.by else ""
    return {"id": row.pk, "county": row.county.name, "number": row.number, "at": row.at, "by": by}


class LimitsList(ListView):
    @extend_schema(operation_id="limits_list", summary="办理时限", responses=LimitsRow(many=True))
    def get(self, request: Request) -> Response:
        return self.page(request, LoopSettings.objects.visible_to(request.user).select_related("county"), _limits)


class RuleVersions(ListView):
    @extend_schema(operation_id="rule_versions_list", summary="时限规则版本", responses=RuleVersionRow(many=True))
    def get(self, request: Request) -> Response:
        rows = RuleVersion.objects.visible_to(request.user).select_related("county", "by").defer("rules")
        return self.page(request, rows, _version)


class RuleVersionDetail(APIView):
    @extend_schema(operation_id="rule_versions_read", summary="一个时限规则版本", responses=RuleVersionDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        row = one(RuleVersion.objects.visible_to(request.user).select_related("county", "by"), pk)
        changed = [
            {"name": one.name, "title": one.label, "before": one.before, "after": one.after}
            for one in rules.differences(rules.before(row), row)
        ]
        return Response({**_version(row), "changed": changed, "rules": row.rules})
