"""Joint meetings by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import one
from core.api.bodies import caller
from core.api.lists import ListView
from core.api.moves import Moves
from core.errors import Invalid, NotFound
from core.models import User
from core.periods import Period, parse_period
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from partybuilding.models import Unit
from services.actions import meeting_table, resolutions
from services.actions.meeting_table import NewResolution
from services.api import meeting_rows as rows
from services.models import AgendaItem, ItemState, JointMeeting, MeetingState, Resolution, ResolutionState, Theme
from services.selectors import meetings as selectors
from services.workflow.meetings import AGENDA_ITEM, RESOLUTION

_PLACE = OpenApiParameter("node", str, description="召集地编码：这里和它下面的")
_PERIOD = OpenApiParameter("period", str, description="月、季度或年，如 2026Q1；按会议时间")
_ITEM = ("meeting__node", "meeting__county", "unit", "demand", "project")
_MADE = ("meeting__node", "meeting__county", "item", "unit")


class MeetingList(ListView):
    @extend_schema(
        operation_id="meetings_list",
        summary="可见的联席会议",
        parameters=[_PLACE, OpenApiParameter("state", str, enum=MeetingState.values, description="状态")],
        responses=rows.MeetingRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        found: Any = JointMeeting.objects.visible_to(user).select_related("node", "county")
        found = inside(request, found, "node", field="node")
        if state := asked.get("state"):
            found = found.filter(state=state)
        return self.page(request, found.order_by("-held_at", "-pk"), rows.meeting_row)


class MeetingView(APIView):
    @extend_schema(
        operation_id="meetings_read", summary="一次会议和它的参会单位、议程、决议", responses=rows.MeetingDetail
    )
    def get(self, request: Request, pk: int) -> Response:
        found = selectors.table_of(caller(request), pk)
        if found is None:
            raise NotFound(_("没有找到这次会议，或不在您的管辖范围内。"))
        return Response(rows.meeting_detail(found))


class MeetingFiguresView(APIView):
    @extend_schema(
        operation_id="meetings_figures",
        summary="会议统计：会议、问题、类型、领导协调、决议",
        parameters=[_PLACE, _PERIOD],
        responses=rows.MeetingTotals,
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        code, words = asked.get("node"), asked.get("period")
        node = find_place(user, code, field="node") if code else None
        period: Period | None = parse_period(words) if words else None
        return Response(rows.totals_row(selectors.figures(user, node=node, period=period)))


class ItemList(ListView):
    @extend_schema(
        operation_id="agenda_items_list",
        summary="可见的议题",
        parameters=[
            _PLACE,
            OpenApiParameter("state", str, enum=ItemState.values, description="状态"),
            OpenApiParameter("theme", str, enum=Theme.values, description="问题类型"),
        ],
        responses=rows.AgendaItemRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        found: Any = AgendaItem.objects.visible_to(user).select_related(*_ITEM)
        found = inside(request, found, "meeting__node", field="node")
        for name in ("state", "theme"):
            if value := asked.get(name):
                found = found.filter(**{name: value})
        return self.page(request, found.order_by("-meeting__held_at", "order", "pk"), rows.item_row)


class ItemView(APIView):
    @extend_schema(operation_id="agenda_items_read", summary="一个议题和它的决议", responses=rows.AgendaItemDetail)
    def get(self, request: Request, pk: int) -> Response:
        return _item_shown(caller(request), pk)


def _with_unit(user: User, item: AgendaItem, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "unit": _unit(data["unit"], item)} if "unit" in data else data


def _resolve(*, actor: User, item: AgendaItem, version: int | None = None, **given: Any) -> None:
    """What goes to a leader is a move of its own in the table, for the same people and from the same states."""
    meeting_table.resolve_item(actor=actor, item=item, resolution=NewResolution(**given), version=version)


ITEM_MOVES: Moves[AgendaItem] = Moves(
    AGENDA_ITEM,
    "item",
    {
        "claim": (rows.ClaimInput, meeting_table.claim_item),
        "release": (rows.ReleaseInput, meeting_table.release_item),
        "resolve": (rows.ResolveInput, _resolve),
    },
    _with_unit,
)
RESOLUTION_MOVES: Moves[Resolution] = Moves(
    RESOLUTION, "resolution", {"finish": (rows.FinishInput, resolutions.finish_resolution)}
)


class ItemClaim(APIView):
    @extend_schema(
        operation_id="agenda_items_claim",
        summary="会上认领；会议结束时生效",
        request=rows.ClaimInput,
        responses=rows.AgendaItemDetail,
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        ITEM_MOVES.make(request, _item(user, pk), "claim")
        return _item_shown(user, pk)


class ItemRelease(APIView):
    @extend_schema(
        operation_id="agenda_items_release",
        summary="撤回认领",
        request=rows.ReleaseInput,
        responses=rows.AgendaItemDetail,
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        ITEM_MOVES.make(request, _item(user, pk), "release")
        return _item_shown(user, pk)


class ItemResolve(APIView):
    @extend_schema(
        operation_id="agenda_items_resolve",
        summary="形成决议：做什么、谁负责、什么时候完成",
        request=rows.ResolveInput,
        responses={201: rows.AgendaItemDetail},
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        ITEM_MOVES.make(request, _item(user, pk), "resolve")
        return _item_shown(user, pk, status.HTTP_201_CREATED)


class ResolutionList(ListView):
    @extend_schema(
        operation_id="resolutions_list",
        summary="可见的会议决议",
        parameters=[
            _PLACE,
            OpenApiParameter("state", str, enum=ResolutionState.values, description="状态"),
            OpenApiParameter("late", bool, description="只要已到期未落实的"),
        ],
        responses=rows.ResolutionRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        found: Any = Resolution.objects.visible_to(user).select_related(*_MADE)
        found = inside(request, found, "meeting__node", field="node")
        if state := asked.get("state"):
            found = found.filter(state=state)
        if asked.get("late") == "true":
            found = found.filter(selectors.late())
        return self.page(request, found.order_by("state", "due_on", "pk"), rows.resolution_row)


class ResolutionView(APIView):
    @extend_schema(operation_id="resolutions_read", summary="一项决议", responses=rows.ResolutionRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.resolution_row(_resolution(caller(request), pk)))


class ResolutionFinish(APIView):
    @extend_schema(
        operation_id="resolutions_finish",
        summary="登记任务的落实情况；立项、承诺的随项目、承诺自动落实",
        request=rows.FinishInput,
        responses=rows.ResolutionRow,
    )
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        RESOLUTION_MOVES.make(request, _resolution(user, pk), "finish")
        return Response(rows.resolution_row(_resolution(user, pk)))


def _item(user: User, pk: int) -> AgendaItem:
    found = AgendaItem.objects.visible_to(user).select_related(*_ITEM)
    return one(found, pk, _("没有找到这个议题，或不在您的管辖范围内。"))


def _item_shown(user: User, pk: int, code: int = status.HTTP_200_OK) -> Response:
    found = AgendaItem.objects.visible_to(user).select_related(*_ITEM).prefetch_related("resolutions__unit")
    return Response(rows.item_detail(one(found, pk, _("没有找到这个议题，或不在您的管辖范围内。"))), status=code)


def _resolution(user: User, pk: int) -> Resolution:
    found = Resolution.objects.visible_to(user).select_related(*_MADE)
    return one(found, pk, _("没有找到这项决议，或不在您的管辖范围内。"))


def _unit(pk: int | None, item: AgendaItem) -> Unit | None:
    """One of the units that are asked."""
    if pk is None:
        return None
    found = Unit.objects.filter(pk=pk, attendances__meeting=item.meeting_id).first()
    if found is None:
        message = _("请填写参会单位的编号。")
        raise Invalid(message, fields={"unit": message})
    return found
