"""Pairings by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller, given
from core.api.lists import ListView
from core.errors import NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.models import County
from grids.querysets import in_subtree
from partybuilding import actions, selectors
from partybuilding.api import pairing_rows as rows
from partybuilding.api.units import named_unit
from partybuilding.models import Pairing, PairingProblem
from partybuilding.pairing_kinds import KINDS, Holder

MOST = 200
RELATED = ("node", "unit", "user")


class PairingList(ListView):
    @extend_schema(
        operation_id="pairings_list",
        summary="可见的包联",
        parameters=[
            OpenApiParameter("kind", str, enum=list(KINDS), description="包联类型"),
            OpenApiParameter("node", str, description="地点编码：这里和它下面的"),
            OpenApiParameter("state", str, enum=["current", "all"], description="今天有效的（默认）、全部"),
            OpenApiParameter("mine", bool, description="只要我本人和我所在单位的"),
        ],
        responses=rows.PairingRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        found: Any = selectors.held_by(user) if asked.get("mine") == "true" else Pairing.objects.visible_to(user)
        if asked.get("state", "current") != "all":
            found = found.current()
        if kind := asked.get("kind"):
            found = found.filter(kind=kind)
        if code := asked.get("node"):
            found = found.filter(in_subtree(find_place(user, code, field="node"), "node"))
        found = found.with_counts().select_related(*RELATED).order_by("node__tree_id", "node__lft", "kind", "pk")
        return self.page(request, found, rows.pairing_row)

    @extend_schema(
        operation_id="pairings_start", summary="登记包联", request=rows.StartInput, responses={201: rows.PairingDetail}
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.StartInput)
        node = find_place(user, data.pop("node"), field="node")
        who = _holder(user, data, data["kind"], node.county)
        made = actions.start_pairing(actor=user, node=node, **who, **data)
        return _shown(user, made.pk, status.HTTP_201_CREATED)


class PairingDetail(APIView):
    @extend_schema(operation_id="pairings_read", summary="一项包联和它的走访、问题", responses=rows.PairingDetail)
    def get(self, request: Request, pk: int) -> Response:
        return _shown(caller(request), pk)


class PairingEnd(APIView):
    @extend_schema(operation_id="pairings_end", summary="结束包联", request=rows.EndInput, responses=rows.PairingDetail)
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        actions.end_pairing(actor=user, pairing=_find(user, pk), **given(request, rows.EndInput))
        return _shown(user, pk)


class PairingHandOver(APIView):
    @extend_schema(
        operation_id="pairings_hand_over",
        summary="交接：同一天结束旧的、开始新的，答复新的",
        request=rows.HandOverInput,
        responses={201: rows.PairingDetail},
    )
    def post(self, request: Request, pk: int) -> Response:
        user, data = caller(request), given(request, rows.HandOverInput)
        row = _find(user, pk)
        who = _holder(user, data, row.kind, row.county)
        new = actions.hand_over_pairing(actor=user, pairing=row, **who, **data)
        return _shown(user, new.pk, status.HTTP_201_CREATED)


class PairingVisits(APIView):
    @extend_schema(
        operation_id="pairings_visit",
        summary="记录走访",
        request=rows.PairingVisitInput,
        responses={201: rows.PairingDetail},
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        actions.add_visit(actor=user, pairing=_find(user, pk), **given(request, rows.PairingVisitInput))
        return _shown(user, pk, status.HTTP_201_CREATED)


class PairingProblems(APIView):
    @extend_schema(
        operation_id="pairings_problem",
        summary="登记问题",
        request=rows.ProblemInput,
        responses={201: rows.ProblemRow},
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        problem = actions.add_problem(actor=user, pairing=_find(user, pk), **given(request, rows.ProblemInput))
        return Response(rows.problem_row(problem), status=status.HTTP_201_CREATED)


class ProblemSolve(APIView):
    @extend_schema(
        operation_id="pairings_solve", summary="登记解决", request=rows.SolveInput, responses=rows.ProblemRow
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        problem = PairingProblem.objects.visible_to(user).filter(pk=pk).first()
        if problem is None:
            raise NotFound(_("没有找到这个问题，或不在您的管辖范围内。"))
        solved = actions.solve_problem(actor=user, problem=problem, **given(request, rows.SolveInput))
        return Response(rows.problem_row(solved))


def _find(user: User, pk: int) -> Any:
    row = Pairing.objects.visible_to(user).with_counts().select_related(*RELATED, "county").filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这项包联，或不在您的管辖范围内。"))
    return row


def _shown(user: User, pk: int, code: int = status.HTTP_200_OK) -> Response:
    return Response(rows.pairing_detail(_find(user, pk), most=MOST), status=code)


def _holder(user: User, data: dict[str, Any], kind: str, county: County) -> dict[str, Any]:
    """Who is to look after the place, taken out of the inputs by what the kind wants."""
    pk, name, phone = data.pop("unit", None), data.pop("name", ""), data.pop("phone", "")
    if KINDS[kind].holder is Holder.PERSON:
        return {"user": selectors.named_person(county, name, phone)}
    return {"unit": named_unit(user, pk)}
