"""Compounds by API: every read starts at `visible_to`, every write is an action. A compound goes by its code."""

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import lookups
from core.api.asked import chosen
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.errors import Invalid, NotFound
from core.models import User
from grids.actions import describe_compound, register_remediation
from grids.api.nodes import find as find_place
from grids.models import IN_STATE, FacilityKind, Remediation, RemediationState
from partybuilding.actions import record_running
from partybuilding.api import compound_rows as rows
from partybuilding.models import Compound, Management, PartyOrganisation
from partybuilding.resources.compounds import whole
from partybuilding.selectors.compounds import board, standing

_PLACE = OpenApiParameter("place", str, description="街道、社区或更小单元的编码")
_SEARCH = OpenApiParameter("search", str, description="名称、位置或编码中的几个字，用空格分开")


def _find(user: User, code: str) -> Compound:
    """The compound with this code, both halves loaded. Raises NotFound."""
    found: Compound | None = whole(Compound.objects.visible_to(user).select_related("county")).filter(code=code).first()
    if found is None:
        raise NotFound(_("没有找到编码为 %(code)s 的小区，或不在您的管辖范围内。") % {"code": code[:40]})
    return found


class CompoundList(ListView):
    @extend_schema(
        operation_id="compounds_list",
        summary="可见的在用小区",
        parameters=[_PLACE, _SEARCH, OpenApiParameter("management", str, enum=Management.values)],
        responses=rows.CompoundRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, code = caller(request), request.query_params.get("place")
        found = whole(standing(user, find_place(user, code, field="place") if code else None))
        if management := chosen(request, "management", Management.values):
            found = found.filter(compound_running__management=management)
        if search := request.query_params.get("search"):
            found = lookups.search(found, ("path", "^code"), search[:60])
        return self.page(request, found.order_by("tree_id", "lft"), rows.compound_row)


class CompoundDetail(APIView):
    @extend_schema(operation_id="compounds_read", summary="一个小区", responses=rows.CompoundRow)
    def get(self, request: Request, code: str) -> Response:
        return Response(rows.compound_row(_find(caller(request), code)))


class CompoundDescribe(APIView):
    @extend_schema(
        operation_id="compounds_describe",
        summary="登记小区情况；没有给出的保持不变",
        request=rows.CompoundDescribeInput,
        responses=rows.CompoundRow,
    )
    def post(self, request: Request, code: str) -> Response:
        user = caller(request)
        describe_compound(actor=user, node=_find(user, code), **given(request, rows.CompoundDescribeInput))
        return Response(rows.compound_row(_find(user, code)))


class CompoundRun(APIView):
    @extend_schema(
        operation_id="compounds_run",
        summary="登记管理情况；没有给出的保持不变",
        request=rows.RunningInput,
        responses=rows.CompoundRow,
    )
    def post(self, request: Request, code: str) -> Response:
        user, data = caller(request), given(request, rows.RunningInput)
        compound = _find(user, code)
        if data.get("branch"):
            name = data["branch"]
            data["branch"] = PartyOrganisation.objects.filter(county=compound.county, name=name).first()
            if data["branch"] is None:
                message = _("本县没有登记这个党组织。")
                raise Invalid(message, fields={"branch": message})
        record_running(actor=user, node=compound, **data)
        return Response(rows.compound_row(_find(user, code)))


class CompoundFigures(APIView):
    @extend_schema(
        operation_id="compounds_figures",
        summary="小区统计：一处和它的下一级",
        parameters=[_PLACE],
        responses=rows.BoardRow,
    )
    def get(self, request: Request) -> Response:
        user, code = caller(request), request.query_params.get("place")
        place = find_place(user, code, field="place") if code else None
        found = board(user, place)
        whole_place = rows.figures_row(place.code if place else "", place.name if place else "", found.whole)
        below = [rows.figures_row(node.code, node.name, figures) for node, figures in found.below]
        return Response({**whole_place, "below": below})


class CompoundProjects(APIView):
    @extend_schema(
        operation_id="compounds_register_remediation",
        summary="登记整治项目",
        request=rows.ProjectInput,
        responses={201: rows.RemediationRow},
    )
    def post(self, request: Request, code: str) -> Response:
        user = caller(request)
        made = register_remediation(actor=user, node=_find(user, code), **given(request, rows.ProjectInput))
        row = Remediation.objects.select_related("node", "community").get(pk=made.pk)
        return Response(rows.remediation_row(row), status=status.HTTP_201_CREATED)


class RemediationList(ListView):
    @extend_schema(
        operation_id="remediations_list",
        summary="可见的整治项目",
        parameters=[
            OpenApiParameter("compound", str, description="小区编码"),
            OpenApiParameter("kind", str, enum=FacilityKind.values),
            OpenApiParameter("state", str, enum=RemediationState.values),
        ],
        responses=rows.RemediationRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = Remediation.objects.visible_to(request.user).select_related("node", "community")
        if compound := request.query_params.get("compound"):
            found = found.filter(node__code=compound)
        if kind := chosen(request, "kind", FacilityKind.values):
            found = found.filter(kind=kind)
        if state := chosen(request, "state", RemediationState.values):
            found = found.filter(IN_STATE[RemediationState(state)])
        return self.page(request, found.prefetch_related("photos"), rows.remediation_row)
