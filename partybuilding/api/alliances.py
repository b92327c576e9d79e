"""Joint bodies by API: who chairs them today, who sits on them, how many there are."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller
from core.api.lists import ListView, Shown
from core.api.pagination import CappedPagination
from core.errors import NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.models import GridNode
from grids.querysets import unended
from partybuilding.models import Alliance, AllianceKind, AllianceSeat, SeatRole
from partybuilding.selectors.alliances import alliances_at, chairs_of, seat_counts

_NODE = OpenApiParameter("node", str, description="地点编码：这里和它下面的")


class SeatRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    role = serializers.ChoiceField(label=lazy("席位"), choices=SeatRole.choices)
    role_label = serializers.CharField(label=lazy("席位名称"))
    name = serializers.CharField(label=lazy("姓名"))
    unit = serializers.CharField(label=lazy("所在单位"), allow_null=True)
    title = serializers.CharField(label=lazy("职务"))
    start = serializers.DateField(label=lazy("任期开始"))
    end = serializers.DateField(label=lazy("任期结束"), allow_null=True)
    is_current = serializers.BooleanField(label=lazy("在任"))


class AllianceRow(Shown):
    """`chairs`: who chairs it today."""

    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("名称"))
    kind = serializers.ChoiceField(label=lazy("类型"), choices=AllianceKind.choices)
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("所在地"))
    founded_on = serializers.DateField(label=lazy("成立日期"), allow_null=True)
    chairs = SeatRow(label=lazy("今天的主席"), many=True)
    version = serializers.IntegerField(label=lazy("版本"))


class AllianceDetailRow(AllianceRow):
    """`seats`: those whose terms are not over."""

    seats = SeatRow(label=lazy("席位"), many=True)


class AllianceFiguresRow(Shown):
    """Joint bodies in use, and the seats on them whose terms are not over."""

    alliances = serializers.IntegerField(label=lazy("联盟"))
    standing_chair = serializers.IntegerField(label=lazy("常任主席"))
    rotating_chair = serializers.IntegerField(label=lazy("轮值主席"))
    part_time = serializers.IntegerField(label=lazy("兼职委员"))
    member = serializers.IntegerField(label=lazy("成员"))
    legal_adviser = serializers.IntegerField(label=lazy("法治顾问"))


class AllianceList(ListView):
    @extend_schema(
        operation_id="alliances_list",
        summary="可见的联盟和今天的主席",
        parameters=[_NODE, OpenApiParameter("kind", str, enum=AllianceKind.values, description="类型")],
        responses=AllianceRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = alliances_at(user, _place(user, request)).select_related("node")
        if kind := request.query_params.get("kind"):
            found = found.filter(kind=kind)
        paginator = CappedPagination()
        page = paginator.paginate_queryset(found.order_by("node__tree_id", "node__lft", "kind"), request, view=self)
        chairs = chairs_of(page or [])
        return paginator.get_paginated_response([_row(one, chairs[one.pk]) for one in page or []])


class AllianceDetail(APIView):
    @extend_schema(operation_id="alliances_read", summary="一个联盟和它的席位", responses=AllianceDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        row = Alliance.objects.visible_to(user).select_related("node").filter(pk=pk).first()
        if row is None:
            raise NotFound(_("没有找到这个联盟，或不在您的管辖范围内。"))
        seats = AllianceSeat.objects.visible_to(user).filter(unended(), alliance=row).select_related("unit")
        held = [_seat(seat) for seat in seats.order_by("role", "start", "pk")]
        return Response({**_row(row, chairs_of([row])[row.pk]), "seats": held})


class AllianceFigures(APIView):
    @extend_schema(
        operation_id="alliances_figures",
        summary="联盟和各类席位的数量",
        parameters=[_NODE],
        responses=AllianceFiguresRow,
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        return Response(seat_counts(alliances_at(user, _place(user, request))))


def _place(user: User, request: Request) -> GridNode | None:
    code = request.query_params.get("node")
    return find_place(user, code, field="node") if code else None


def _row(row: Alliance, chairs: list[AllianceSeat]) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "node": row.node.code,
        "place": row.node.path,
        "founded_on": row.founded_on,
        "chairs": [_seat(seat) for seat in chairs],
        "version": row.version,
    }


def _seat(seat: AllianceSeat) -> dict[str, Any]:
    today = timezone.localdate()
    return {
        "id": seat.pk,
        "role": seat.role,
        "role_label": seat.get_role_display(),
        "name": seat.name,
        "unit": seat.unit.name if seat.unit else None,
        "title": seat.title,
        "start": seat.start,
        "end": seat.end,
        "is_current": seat.start <= today and (seat.end is None or seat.end >= today),
    }
