"""Cases and helps by API: every read starts at `visible_to`, every write is an action."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.errors import Invalid, NotFound
from core.models import User
from grids.api.nodes import find as find_place
from grids.models import GridNode
from grids.querysets import in_subtree
from partybuilding.models import Unit
from services import actions, posts
from services.api import case_rows as rows
from services.models import CaseState, Help, HelpKind, HelpState
from services.selectors import cases as selectors
from services.selectors.two_way import place_of

_PLACE = OpenApiParameter("place", str, description="社区或街道的地点编码")

# Move -> the action, what it must and may be given.
Move = tuple[Callable[..., Any], tuple[str, ...], tuple[str, ...]]
_CASE_MOVES: dict[str, Move] = {
    "ask": (actions.ask_help, ("units", "kind", "wanted"), ()),
    "note": (actions.note_case, ("text",), ()),
    "review": (actions.review_case, ("text", "review_on"), ()),
    "change": (actions.change_case, ("title",), ("text",)),
    "close": (actions.close_case, ("result",), ("ended",)),
    "reopen": (actions.reopen_case, ("text",), ()),
    "erase": (actions.erase_case, (), ()),
}
_HELP_MOVES: dict[str, Move] = {
    "accept": (actions.accept_help, ("due_on",), ("text",)),
    "decline": (actions.decline_help, (), ()),
    "report": (actions.report_help, ("text",), ("due_on",)),
    "finish": (actions.finish_help, ("result",), ()),
    "leave": (actions.leave_help, (), ("text",)),
    "withdraw": (actions.withdraw_help, (), ()),
    "end": (actions.end_help, ("text",), ()),
}


class CaseList(ListView):
    @extend_schema(
        operation_id="cases_list",
        summary="可见的帮扶个案",
        parameters=[_PLACE, OpenApiParameter("state", str, enum=CaseState.values, description="状态；不填是全部")],
        responses=rows.CaseRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = selectors.cases(user)
        if code := request.query_params.get("place"):
            found = found.filter(in_subtree(find_place(user, code, field="place"), "community"))
        if state := _chosen(request, "state", CaseState.values):
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
        row = selectors.find_case(user, pk)
        run, data = _inputs(_CASE_MOVES, name, given(request, rows.CaseMoveInput))
        if "units" in data:
            data["units"] = _units(user, data["units"])
        if "ended" in data:
            data["ended"] = [one for one in row.helps.all() if one.pk in data["ended"]]
        run(actor=user, case=row, **data)
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
        if state := _chosen(request, "state", HelpState.values):
            found = found.filter(state=state)
        if kind := _chosen(request, "kind", HelpKind.values):
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
        user = caller(request)
        row = selectors.find_help(user, pk)
        run, data = _inputs(_HELP_MOVES, name, given(request, rows.HelpMoveInput))
        return Response(rows.help_row(run(actor=user, help=row, **data)))


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


def _inputs(moves: Mapping[str, Move], name: str, data: Mapping[str, Any]) -> tuple[Callable[..., Any], dict[str, Any]]:
    """The action of a move and what it is given. Raises NotFound: no such move. Invalid: something is missing."""
    move = moves.get(name)
    if move is None:
        raise NotFound(_("没有“%(name)s”这个操作。") % {"name": name[:40]}, code="unknown_transition")
    run, required, optional = move
    missing = {field: _("请填写这一项。") for field in required if data.get(field) in (None, "", [])}
    if missing:
        raise Invalid(_("还有没填的。"), code="missing_input", fields=missing)
    return run, {field: data[field] for field in (*required, *optional, "version") if field in data}


def _units(user: User, pks: list[int]) -> list[Unit]:
    found = list(Unit.objects.visible_to(user).active().filter(pk__in=pks))
    if len(found) < len(set(pks)):
        message = _("请填写本县在用的单位。")
        raise Invalid(message, fields={"units": message})
    return found


def _chosen(request: Request, name: str, values: list[str]) -> str:
    value = request.query_params.get(name, "")
    if value and value not in values:
        message = _("只能是 %(values)s。") % {"values": "、".join(values)}
        raise Invalid(message, fields={name: message})
    return value
