"""Check-ins of units and their applications by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import number, one
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.api.moves import Moves
from core.errors import Invalid, NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from grids.models import GridNode
from grids.querysets import current
from partybuilding.api.units import named_unit
from partybuilding.models import Unit
from services import actions
from services.actions import applications
from services.api import checkin_rows as rows
from services.models import ApplicationState, CheckInApplication, CheckInRole, UnitCheckIn
from services.selectors import checkins as selectors
from services.workflow import CHECKIN_APPLICATION

RELATED = ("unit", "node__community", "unit_liaison", "community_liaison")
_NODE = OpenApiParameter("node", str, description="地点编码：这里和它下面的")
_UNIT = OpenApiParameter("unit", int, description="单位")


class CheckInList(ListView):
    @extend_schema(
        operation_id="checkins_list",
        summary="可见的单位报到",
        parameters=[
            _NODE,
            _UNIT,
            OpenApiParameter("role", str, enum=CheckInRole.values, description="角色"),
            OpenApiParameter(
                "state",
                str,
                enum=["current", "running_out", "all"],
                description="今天有效的（默认）、30 天内到期和已到期的、全部",
            ),
        ],
        responses=rows.CheckInRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = _narrowed(request, UnitCheckIn.objects.visible_to(caller(request)))
        state = request.query_params.get("state", "current")
        if state != "all":
            found = found.filter(selectors.running_out() if state == "running_out" else current())
        if role := request.query_params.get("role"):
            found = found.filter(role=role)
        found = found.select_related(*RELATED).order_by("node__tree_id", "node__lft", "role", "pk")
        return self.page(request, found, rows.checkin_row)

    @extend_schema(
        operation_id="checkins_start",
        summary="登记单位报到，不经申请",
        request=rows.CheckInInput,
        responses={201: rows.CheckInRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.CheckInInput)
        node = find_place(user, data.pop("node"), field="node")
        unit = named_unit(user, data.pop("unit"))
        made = actions.check_in(actor=user, node=node, unit=unit, **data)
        return Response(rows.checkin_row(_checkin(user, made.pk)), status=status.HTTP_201_CREATED)


class CheckInDetail(APIView):
    @extend_schema(operation_id="checkins_read", summary="一项单位报到", responses=rows.CheckInRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.checkin_row(_checkin(caller(request), pk)))


class CheckInFigures(APIView):
    @extend_schema(
        operation_id="checkins_figures",
        summary="报到单位数：一处和其中各社区，牵头、配合",
        description="同一单位在一处报到几次的，只算一个；其中有一次牵头的算牵头。",
        parameters=[_NODE],
        responses=rows.CheckInFiguresRow,
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = _narrowed(request, UnitCheckIn.objects.visible_to(user))
        below = selectors.figures_by_community(found)
        communities = GridNode.objects.filter(pk__in=below).order_by("tree_id", "lft")
        return Response(
            {
                **rows.figures_row(selectors.figures_of(found)),
                "communities": [
                    {"node": node.code, "name": node.name, **rows.figures_row(below[node.pk])} for node in communities
                ],
            }
        )


class ApplicationList(ListView):
    @extend_schema(
        operation_id="checkin_applications_list",
        summary="可见的报到申请",
        parameters=[
            _NODE,
            _UNIT,
            OpenApiParameter("state", str, enum=ApplicationState.values, description="状态；不填是全部"),
        ],
        responses=rows.ApplicationRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = _narrowed(request, CheckInApplication.objects.visible_to(caller(request)))
        if state := request.query_params.get("state"):
            found = found.filter(state=state)
        found = found.select_related("unit", "node", "unit_liaison").order_by("-applied_at", "-pk")
        return self.page(request, found, rows.application_row)

    @extend_schema(
        operation_id="checkin_applications_apply",
        summary="单位申请报到，或者申请续签",
        request=rows.ApplyInput,
        responses={201: rows.ApplicationRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.ApplyInput)
        if renewed := data.pop("renews", None):
            for name in ("node", "unit"):
                data.pop(name, None)
            made = applications.renew(actor=user, checkin=_checkin(user, renewed), **data)
        else:
            place, unit = data.pop("node", ""), named_unit(user, data.pop("unit", None))
            made = applications.apply_to_check_in(actor=user, unit=unit, node=_place_to_report(unit, place), **data)
        return Response(rows.application_row(_application(user, made.pk)), status=status.HTTP_201_CREATED)


class ApplicationDetail(APIView):
    @extend_schema(operation_id="checkin_applications_read", summary="一份报到申请", responses=rows.ApplicationRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.application_row(_application(caller(request), pk)))


def _with_liaison(user: User, row: CheckInApplication, data: dict[str, Any]) -> dict[str, Any]:
    if "community_liaison" not in data:
        return data
    liaison = selectors.community_people(row.node).filter(pk=data["community_liaison"]).first()
    if liaison is None:
        message = _("请填写在这个社区任职的人员。")
        raise Invalid(message, fields={"community_liaison": message})
    return {**data, "community_liaison": liaison}


APPLICATION_MOVES: Moves[CheckInApplication] = Moves(
    CHECKIN_APPLICATION,
    "application",
    {
        "accept": (rows.AcceptInput, applications.accept),
        "send_back": (rows.AnswerInput, applications.send_back),
        "decline": (rows.AnswerInput, applications.decline),
    },
    _with_liaison,
)


class _Answer(APIView):
    name = ""

    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        APPLICATION_MOVES.make(request, _application(user, pk), self.name)
        return Response(rows.application_row(_application(user, pk)))


class ApplicationAccept(_Answer):
    name = "accept"

    @extend_schema(
        operation_id="checkin_applications_accept",
        summary="接收报到",
        request=rows.AcceptInput,
        responses=rows.ApplicationRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        return super().post(request, pk)


class ApplicationSendBack(_Answer):
    name = "send_back"

    @extend_schema(
        operation_id="checkin_applications_send_back",
        summary="退回完善",
        request=rows.AnswerInput,
        responses=rows.ApplicationRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        return super().post(request, pk)


class ApplicationDecline(_Answer):
    name = "decline"

    @extend_schema(
        operation_id="checkin_applications_decline",
        summary="不接收",
        request=rows.AnswerInput,
        responses=rows.ApplicationRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        return super().post(request, pk)


def _narrowed(request: Request, found: Any) -> Any:
    unit = number(request, "unit")
    found = found if unit is None else found.filter(unit_id=unit)
    return inside(request, found, "node", field="node")


def _checkin(user: User, pk: int) -> Any:
    found = UnitCheckIn.objects.visible_to(user).select_related(*RELATED, "node__county")
    return one(found, pk, _("没有找到这项报到，或不在您的管辖范围内。"))


def _application(user: User, pk: int) -> Any:
    found = CheckInApplication.objects.visible_to(user).select_related("unit", "node__county", "unit_liaison")
    return one(found, pk, _("没有找到这份申请，或不在您的管辖范围内。"))


def _place_to_report(unit: Unit, code: str) -> GridNode:
    """A unit's people see no tree: they name a community, sector or compound of their county by its code."""
    places = GridNode.objects.standing().at(*selectors.LEVELS).filter(county_id=unit.county_id)
    node = places.select_related("county", "level_type").filter(code=code).first()
    if node is None:
        message = _("没有找到这个地点，或不在您的管辖范围内。")
        raise NotFound(message, fields={"node": message})
    assert isinstance(node, GridNode)
    return node


__all__ = [
    "ApplicationAccept",
    "ApplicationDecline",
    "ApplicationDetail",
    "ApplicationList",
    "ApplicationSendBack",
    "CheckInDetail",
    "CheckInFigures",
    "CheckInList",
]
