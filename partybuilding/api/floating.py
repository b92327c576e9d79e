"""Stations and floating members by API. Names and numbers stay masked; a number is shown at the desk, for a reason."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.bodies import caller
from core.api.lists import ListView, Shown
from core.errors import Forbidden, NotFound
from core.masking import mask_name
from grids.querysets import unended
from partybuilding.models import FloatingMember, Station
from partybuilding.posts import VIEW_FLOATING
from partybuilding.selectors.floating import station_counts, to_contact, with_contact


class StationRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("驿站名称"))
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("所在地"))
    keeper = serializers.CharField(label=lazy("负责人"), allow_null=True)
    present = serializers.IntegerField(label=lazy("登记人数"))
    waiting = serializers.IntegerField(label=lazy("待联系"))


class FloatingRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("姓名（遮住）"))
    phone = serializers.CharField(label=lazy("手机号码（遮住）"))
    station = serializers.CharField(label=lazy("驿站"))
    kept_at = serializers.CharField(label=lazy("组织关系所在党组织"))
    start = serializers.DateField(label=lazy("登记日期"))
    end = serializers.DateField(label=lazy("离开日期"), allow_null=True)
    contacted_on = serializers.DateField(label=lazy("最近联系"), allow_null=True)
    version = serializers.IntegerField(label=lazy("版本"))


class StationList(ListView):
    @extend_schema(operation_id="stations_list", summary="可见的流动党员驿站", responses=StationRow(many=True))
    def get(self, request: Request) -> Response:
        rows = station_counts(Station.objects.visible_to(caller(request)).filter(is_active=True))
        return self.page(request, rows.select_related("node", "keeper").order_by("name"), _station)


class FloatingList(ListView):
    @extend_schema(
        operation_id="floating_list",
        summary="可见的在册流动党员",
        parameters=[OpenApiParameter("due", bool, description="只要太久没有联系的")],
        responses=FloatingRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        if not policies.holds(user, VIEW_FLOATING):
            raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(VIEW_FLOATING)})
        rows = FloatingMember.objects.visible_to(user).filter(unended()).select_related("station")
        rows = to_contact(rows) if request.query_params.get("due") == "true" else with_contact(rows)
        return self.page(request, rows.order_by("station__name", "-start", "pk"), _floating)


class FloatingDetail(APIView):
    @extend_schema(operation_id="floating_read", summary="一名流动党员", responses=FloatingRow)
    def get(self, request: Request, pk: int) -> Response:
        rows = with_contact(FloatingMember.objects.visible_to(caller(request))).select_related("station")
        row = rows.filter(pk=pk).first()
        if row is None:
            raise NotFound(_("没有找到这名流动党员，或不在您的管辖范围内。"))
        return Response(_floating(row))


def _station(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "node": row.node.code,
        "place": row.node.path,
        "keeper": row.keeper.name if row.keeper else None,
        "present": row.present,
        "waiting": row.waiting,
    }


def _floating(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": mask_name(row.name),
        "phone": row.masked_phone,
        "station": row.station.name,
        "kept_at": row.kept_at,
        "start": row.start,
        "end": row.end,
        "contacted_on": row.contacted_on,
        "version": row.version,
    }
