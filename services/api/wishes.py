"""Small wishes by API: every read starts at `visible_to` and is cut down to the reader, every write is an action."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import chosen, one
from core.api.bodies import caller, given
from core.api.lists import ListView
from core.api.moves import Moves
from core.models import User
from grids.api.nodes import find as find_place
from grids.querysets import in_subtree
from partybuilding.api.units import named_unit
from services.actions import wish_moves as moves
from services.actions.wishes import WishFacts, collect_wish
from services.api import wish_rows as rows
from services.models import Wish, WishState
from services.selectors.wishes import board, by_unit, in_place_q, place_of
from services.wishes import Difficulty, known_to, of_difficulty
from services.workflow import WISH

_RELATED = ("node", "community", "unit", "member")
_PLACE = OpenApiParameter("place", str, description="地点编码：这里和它里面的；社区以下的，只对征集和办理心愿的人有效")


class WishList(ListView):
    @extend_schema(
        operation_id="wishes_list",
        summary="可见的微心愿",
        parameters=[
            _PLACE,
            OpenApiParameter("state", str, enum=WishState.values, description="状态"),
            OpenApiParameter("difficulty", str, enum=Difficulty.values, description="困难类型，大类"),
        ],
        responses=rows.WishRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = Wish.objects.visible_to(user).select_related(*_RELATED)
        if code := request.query_params.get("place"):
            node = find_place(user, code, field="place")
            small = node.community_id not in (None, node.pk)
            inside = in_subtree(node, "node", community="community") & known_to(user) if small else in_place_q(node)
            found = found.filter(inside)
        if state := chosen(request, "state", WishState.values):
            found = found.filter(state=state)
        if difficulty := chosen(request, "difficulty", Difficulty.values):
            found = found.filter(of_difficulty(difficulty))
        return self.page(request, found.order_by("-collected_at", "-pk"), lambda row: rows.wish_row(row, user))

    @extend_schema(
        operation_id="wishes_collect",
        summary="征集一个微心愿，等待社区审核",
        request=rows.WishInput,
        responses={201: rows.WishRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, rows.WishInput)
        node = find_place(user, data.pop("node"), field="node")
        made = collect_wish(actor=user, node=node, facts=WishFacts(**data))
        return Response(rows.wish_row(made, user), status=status.HTTP_201_CREATED)


class WishDetail(APIView):
    @extend_schema(operation_id="wishes_read", summary="一个微心愿", responses=rows.WishRow)
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        return Response(rows.wish_row(_find(user, pk), user))


def _with_unit(user: User, row: Wish, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "unit": named_unit(user, data["unit"])} if "unit" in data else data


MOVES: Moves[Wish] = Moves(
    WISH,
    "wish",
    {
        "check": (rows.WishVersionInput, moves.check_wish),
        "decline": (rows.WishReasonInput, moves.decline_wish),
        "adopt": (rows.WishAdoptInput, moves.adopt_wish),
        "ask": (rows.WishAskInput, moves.ask_unit),
        "extend": (rows.WishVersionInput, moves.extend_wish),
        "give_back": (rows.WishVersionInput, moves.give_back_wish),
        "release": (rows.WishReasonInput, moves.release_wish),
        "finish": (rows.WishFinishInput, moves.finish_wish),
        "thank": (rows.WishThankInput, moves.thank_wish),
        "undelivered": (rows.WishReasonInput, moves.undelivered_wish),
        "end": (rows.WishReasonInput, moves.end_wish),
    },
    _with_unit,
)


class WishMove(APIView):
    @extend_schema(
        operation_id="wishes_move",
        summary="审核 check、不采纳 decline、认领 adopt、请单位认领 ask、延长 extend、退回 give_back、收回 release、圆梦 finish、"
        "答谢 thank、没有送达 undelivered、结束 end",
        request=rows.WishStepInput,
        responses=rows.WishRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        user = caller(request)
        # What was given back may be out of the caller's sight now: the answer is what became of it, cut down to them.
        return Response(rows.wish_row(MOVES.make(request, _find(user, pk), name), user))


class WishFiguresView(APIView):
    @extend_schema(
        operation_id="wishes_figures",
        summary="微心愿统计：一处、它的各社区和各单位",
        parameters=[OpenApiParameter("place", str, description="街道或社区的编码")],
        responses=rows.WishBoardRow,
    )
    def get(self, request: Request) -> Response:
        user, code = caller(request), request.query_params.get("place")
        asked = str(find_place(user, code, field="place").pk) if code else ""
        county, place = place_of(user, asked)
        found = board(county, place)
        return Response(
            {
                **rows.figures_row(found.whole),
                "communities": [rows.community_row(line) for line in found.lines],
                "by_unit": [rows.unit_row(one) for one in by_unit(county, place)],
            }
        )


def _find(user: User, pk: int) -> Wish:
    found = Wish.objects.visible_to(user).select_related(*_RELATED)
    return one(found, pk, _("没有找到这个心愿。可能已经被别人认领，或不在您的范围内。"))
