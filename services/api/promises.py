"""Promises, joint activities and ratings by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import chosen, number, one
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.api.moves import Moves
from core.errors import Invalid, NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from grids.models import GridNode
from partybuilding.api.units import named_unit, named_units
from services import actions, standing
from services.api import promise_rows as rows
from services.models import (
    Activity,
    ActivityKind,
    Commitment,
    CommitmentState,
    Project,
    RatingSide,
    ServiceRating,
    SubOrder,
)
from services.selectors import ratings
from services.selectors.commitments import by_unit, overdue
from services.selectors.two_way import board, place_of
from services.workflow import COMMITMENT

MOST = 200
_PLACE = OpenApiParameter("place", str, description="地点编码：这里和它里面的")
_RELATED = ("node", "unit", "member")
_SERVICES: dict[str, type[Any]] = {"suborder": SubOrder, "project": Project, "commitment": Commitment}


class CommitmentList(ListView):
    @extend_schema(
        operation_id="commitments_list",
        summary="可见的承诺事项",
        parameters=[
            _PLACE,
            OpenApiParameter(
                "state", str, enum=[*CommitmentState.values, "overdue"], description="状态；overdue 已超期"
            ),
            OpenApiParameter("unit", int, description="承诺单位编号"),
        ],
        responses=rows.CommitmentRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = Commitment.objects.visible_to(caller(request)).select_related(*_RELATED)
        found = inside(request, found, "node", community="community")
        if state := chosen(request, "state", [*CommitmentState.values, "overdue"]):
            found = found.filter(overdue()) if state == "overdue" else found.filter(state=state)
        if (unit := number(request, "unit")) is not None:
            found = found.filter(unit=unit)
        return self.page(request, found.order_by("due_on", "pk"), rows.commitment_row)

    @extend_schema(
        operation_id="commitments_make",
        summary="作出承诺：单位联络员、党员本人，或社区代单位",
        request=rows.CommitmentInput,
        responses={201: rows.CommitmentDetailRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.CommitmentInput)
        speaker = _speaker(user, data.pop("unit", None))
        node = _promise_place(user, data.pop("node"), speaker)
        made = actions.make_commitment(actor=user, node=node, **speaker, **data)
        return _shown(user, made.pk, status.HTTP_201_CREATED)


class CommitmentDetail(APIView):
    @extend_schema(operation_id="commitments_read", summary="一项承诺和它的进展", responses=rows.CommitmentDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        return _shown(caller(request), pk)


def _with_unit(user: User, row: Commitment, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "unit": named_unit(user, data["unit"])} if "unit" in data else data


MOVES: Moves[Commitment] = Moves(
    COMMITMENT,
    "commitment",
    {
        "progress": (rows.CommitmentProgressInput, actions.report_progress),
        "report": (rows.CommitmentReportInput, actions.report_done),
        "confirm": (rows.CommitmentConfirmInput, actions.confirm_commitment),
        "send_back": (rows.CommitmentReasonInput, actions.send_back_commitment),
        "move": (rows.CommitmentMoveInput, actions.move_commitment),
        "drop": (rows.CommitmentReasonInput, actions.drop_commitment),
    },
    _with_unit,
)


class CommitmentMove(APIView):
    @extend_schema(
        operation_id="commitments_move",
        summary="反馈进展 progress、申报完成 report、确认 confirm、退回 send_back、转接 move、终止 drop",
        request=rows.CommitmentStepInput,
        responses=rows.CommitmentDetailRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        user = caller(request)
        MOVES.make(request, _find(user, pk), name)
        return _shown(user, pk)


class TwoWayFigures(APIView):
    @extend_schema(
        operation_id="two_way_figures",
        summary="双报到双服务：一处、它的下一级和各单位的数字",
        parameters=[_PLACE],
        responses=rows.TwoWayBoardRow,
    )
    def get(self, request: Request) -> Response:
        county, place = _board_place(request)
        found = board(county, place)
        return Response(
            {
                **rows.line_row(found.whole, county.name),
                "below": [rows.line_row(line, "") for line in found.lines],
                "by_unit": [rows.unit_kept_row(one) for one in by_unit(county, place)],
            }
        )


class ActivityList(ListView):
    @extend_schema(
        operation_id="activities_list",
        summary="可见的共建活动",
        parameters=[_PLACE, OpenApiParameter("kind", str, enum=ActivityKind.values)],
        responses=rows.ActivityRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = Activity.objects.visible_to(caller(request)).select_related("node").prefetch_related("units")
        found = inside(request, found, "node", community="community")
        if kind := chosen(request, "kind", list(ActivityKind.values)):
            found = found.filter(kind=kind)
        return self.page(request, found, rows.activity_row)

    @extend_schema(
        operation_id="activities_register",
        summary="登记共建活动",
        request=rows.ActivityInput,
        responses={201: rows.ActivityRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.ActivityInput)
        node = find_place(user, data.pop("node"), field="node")
        units = named_units(user, data.pop("units"))
        given_facts = {"people": None, "text": "", **data}
        made = actions.register_activity(actor=user, node=node, units=units, **given_facts)
        return Response(rows.activity_row(_activity(user, made.pk)), status=status.HTTP_201_CREATED)


class ActivityDetail(APIView):
    @extend_schema(operation_id="activities_read", summary="一次共建活动", responses=rows.ActivityRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.activity_row(_activity(caller(request), pk)))


class RatingList(ListView):
    @extend_schema(
        operation_id="ratings_list",
        summary="可见的双向评价",
        parameters=[_PLACE, OpenApiParameter("side", str, enum=RatingSide.values)],
        responses=rows.RatingRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = ServiceRating.objects.visible_to(caller(request)).select_related("unit", "community")
        found = inside(request, found, "community")
        if side := chosen(request, "side", list(RatingSide.values)):
            found = found.filter(side=side)
        return self.page(request, found, rows.rating_row)

    @extend_schema(
        operation_id="ratings_give",
        summary="评价一次办完的服务，一方一次",
        request=rows.RatingInput,
        responses={201: rows.RatingRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.RatingInput)
        model = _SERVICES[data.pop("service")]
        missing = _("没有找到这次服务，或不在您的管辖范围内。")
        service = one(model._default_manager.all().visible_to(user), data.pop("service_id"), missing)
        unit = named_unit(user, data.pop("unit")) if data.get("unit") else None
        made = actions.rate(actor=user, service=service, unit=unit, **data)
        return Response(rows.rating_row(made), status=status.HTTP_201_CREATED)


class RatingDetail(APIView):
    @extend_schema(operation_id="ratings_read", summary="一条双向评价", responses=rows.RatingRow)
    def get(self, request: Request, pk: int) -> Response:
        found = ServiceRating.objects.visible_to(caller(request)).select_related("unit", "community")
        return Response(rows.rating_row(one(found, pk, _("没有找到这条评价，或不在您的管辖范围内。"))))


class RatingFigures(APIView):
    @extend_schema(
        operation_id="ratings_figures",
        summary="双向评价统计，按单位、按社区；不足 5 次不算比例",
        parameters=[_PLACE],
        responses=rows.RatingFiguresRow,
    )
    def get(self, request: Request) -> Response:
        county, place = _board_place(request)
        return Response(
            {
                "units": [rows.graded_row(one.pk, one.name, found) for one, found in ratings.of_units(county, place)],
                "communities": [
                    rows.graded_row(one.code, one.name, found) for one, found in ratings.of_communities(county, place)
                ],
            }
        )


def _find(user: User, pk: int) -> Commitment:
    found = Commitment.objects.visible_to(user).select_related(*_RELATED)
    return one(found, pk, _("没有找到这项承诺，或不在您的管辖范围内。"))


def _shown(user: User, pk: int, code: int = status.HTTP_200_OK) -> Response:
    row = _find(user, pk)
    steps = [{"at": step.at, "percent": step.percent, "text": step.text} for step in row.steps.all()[:MOST]]
    return Response({**rows.commitment_row(row), "steps": steps}, status=code)


def _activity(user: User, pk: int) -> Activity:
    found = Activity.objects.visible_to(user).select_related("node").prefetch_related("units")
    return one(found, pk, _("没有找到这次活动，或不在您的管辖范围内。"))


def _board_place(request: Request) -> tuple[Any, GridNode | None]:
    user, code = caller(request), request.query_params.get("place")
    return place_of(user, str(find_place(user, code, field="place").pk) if code else "")


def _speaker(user: User, unit: int | None) -> dict[str, Any]:
    """Who promises: the unit named, else the caller as a party member."""
    if unit is not None:
        return {"unit": named_unit(user, unit)}
    member = getattr(user, "member", None)
    if member is None:
        message = _("请填写承诺单位；党员本人承诺要先登记为党员。")
        raise Invalid(message, fields={"unit": message})
    return {"member": member}


def _promise_place(user: User, code: str, speaker: dict[str, Any]) -> GridNode:
    """A place in the caller's sight, or one that the speaker's check-ins reach: units and members see no tree."""
    node = GridNode.objects.standing().filter(code=code).select_related("county").first()
    if node is not None:
        unit, member = speaker.get("unit"), speaker.get("member")
        seen = GridNode.objects.visible_to(user).filter(pk=node.pk).exists()
        if not seen and unit is not None:
            seen = standing.nearest(standing.checkins_of([unit.pk]).get(unit.pk, []), node) is not None
        if not seen and member is not None:
            seen = any(
                row.community_id == node.community_id for row in standing.member_checkins_of([member.pk]).values()
            )
        if seen:
            return node
    message = _("没有找到这个地点，或承诺方没有在那里报到。")
    raise NotFound(message, fields={"node": message})
