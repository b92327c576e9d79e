"""Cases and helps by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.asked import chosen
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.api.moves import Moves
from core.errors import NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from grids.models import GridNode
from partybuilding.api.units import named_units
from services import actions, posts
from services.api import case_rows as rows
from services.models import CaseState, Help, HelpCase, HelpKind, HelpState
from services.selectors import cases as selectors
from services.selectors.two_way import place_of
from services.workflow import CASE, HELP

_PLACE = OpenApiParameter("place", str, description="社区或街道的地点编码")


def _with_rows(user: User, row: HelpCase, data: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "units" in data:
        found["units"] = named_units(user, data["units"])
    if "ended" in data:
        found["ended"] = [one for one in row.helps.all() if one.pk in data["ended"]]
    return {**data, **found}


CASE_MOVES: Moves[HelpCase] = Moves(
    CASE,
    "case",
    {
        "ask": (rows.CaseAskInput, actions.ask_help),
        "note": (rows.CaseTextInput, actions.note_case),
        "review": (rows.CaseReviewInput, actions.review_case),
        "change": (rows.CaseChangeInput, actions.change_case),
        "close": (rows.CaseCloseInput, actions.close_case),
        "reopen": (rows.CaseTextInput, actions.reopen_case),
        "erase": (rows.CaseVersionInput, actions.erase_case),
    },
    _with_rows,
)
HELP_MOVES: Moves[Help] = Moves(
    HELP,
    "help",
    {
        "accept": (rows.HelpAcceptInput, actions.accept_help),
        "decline": (rows.CaseVersionInput, actions.decline_help),
        "report": (rows.HelpReportInput, actions.report_help),
        "finish": (rows.HelpFinishInput, actions.finish_help),
        "leave": (rows.HelpLeaveInput, actions.leave_help),
        "withdraw": (rows.CaseVersionInput, actions.withdraw_help),
        "end": (rows.CaseTextInput, actions.end_help),
    },
)


class CaseList(ListView):
    @extend_schema(
        operation_id="cases_list",
        summary="可见的帮扶个案",
        parameters=[_PLACE, OpenApiParameter("state", str, enum=CaseState.values, description="状态；不填是全部")],
        responses=rows.CaseRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = inside(request, selectors.cases(user), "community")
        if state := chosen(request, "state", CaseState.values):
            found = found.filter(state=state)
        found = found.order_by("-opened_at", "-pk")
        return self.page(request, found, lambda row: rows.case_row(row, whole=selectors.reads(user, row)))

    @extend_schema(
        operation_id="cases_open", summary="建立个案", request=rows.CaseInput, responses={201: rows.CaseDetailRow}
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.CaseInput)
        node = find_place(user, data.pop("node"), field="node")
        made = actions.open_case(actor=user, node=node, **data)
        return _shown(user, made.pk, status.HTTP_201_CREATED)


class CaseDetail(APIView):
    @extend_schema(operation_id="cases_read", summary="一个个案：能看到多少给多少", responses=rows.CaseDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        return _shown(caller(request), pk)


class CaseMove(APIView):
    @extend_schema(
        operation_id="cases_move",
        summary="邀请单位 ask、记录 note、回看 review、修改 change、结案 close、重启 reopen、清除内容 erase",
        request=rows.CaseMoveInput,
        responses=rows.CaseDetailRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        user = caller(request)
        CASE_MOVES.make(request, selectors.find_case(user, pk), name)
        return _shown(user, pk)


class HelpList(ListView):
    @extend_schema(
        operation_id="helps_list",
        summary="可见的单位帮扶：社区的全部，单位自己的",
        parameters=[
            OpenApiParameter("state", str, enum=HelpState.values, description="状态；不填是全部"),
            OpenApiParameter("kind", str, enum=HelpKind.values, description="帮扶方式；不填是全部"),
        ],
        responses=rows.HelpRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = Help.objects.visible_to(caller(request)).select_related("unit", "case__community")
        if state := chosen(request, "state", HelpState.values):
            found = found.filter(state=state)
        if kind := chosen(request, "kind", HelpKind.values):
            found = found.filter(kind=kind)
        return self.page(request, found.order_by("-asked_at", "-pk"), rows.help_row)


class HelpDetail(APIView):
    @extend_schema(operation_id="helps_read", summary="一项单位帮扶", responses=rows.HelpRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rows.help_row(selectors.find_help(caller(request), pk)))


class HelpMove(APIView):
    @extend_schema(
        operation_id="helps_move",
        summary="接受 accept、婉拒 decline、反馈进展 report、完成 finish、退出 leave；社区：撤回邀请 withdraw、终止 end",
        description="答复是这项帮扶当时的样子；婉拒、退出以后，单位就看不到它了。",
        request=rows.HelpMoveInput,
        responses=rows.HelpRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        row = selectors.find_help(caller(request), pk)
        return Response(rows.help_row(HELP_MOVES.make(request, row, name)))


class CaseFigures(APIView):
    @extend_schema(
        operation_id="cases_figures",
        summary="帮扶个案的数字：一处和其中各社区，不涉及哪一户、哪个单位",
        parameters=[OpenApiParameter("place", int, description="社区或街道的地点；不填是能看到的最大范围")],
        responses=rows.CaseFiguresRow,
    )
    def get(self, request: Request) -> Response:
        county, place = place_of(caller(request), request.query_params.get("place", ""))
        if place is not None and place.community_id not in (None, place.pk):
            raise NotFound(_("帮扶个案的数字只到社区。"))
        user = caller(request)

        def told(node: GridNode | None, found: selectors.Figures) -> dict[str, Any]:
            own = node is not None and policies.can(user, posts.VIEW_CASE, node)
            return rows.figures_row(found if own else found.for_others)

        below = selectors.by_community(county, place)
        return Response(
            {
                **told(place, selectors.figures(county, place)),
                "communities": [{"node": node.code, "name": node.name, **told(node, found)} for node, found in below],
            }
        )


def _shown(user: User, pk: int, code: int = status.HTTP_200_OK) -> Response:
    row = selectors.find_case(user, pk)
    helps, entries = selectors.helps_shown(user, row), list(selectors.entries_of(user, row))
    return Response(rows.detail_row(row, helps, entries, whole=selectors.reads(user, row)), status=code)
