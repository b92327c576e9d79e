"""Exclusions, the ladder and bulletins by API: every read starts at `visible_to`, every write is an action."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import chosen, one
from core.api.bodies import caller, given
from core.api.lists import ListView, Shown
from core.api.moves import Moves
from core.errors import NotFound
from grids.api.nodes import inside
from services import actions
from services.api.rates import ThreeRatesRow, rates_row
from services.models import (
    Bulletin,
    BulletinItem,
    BulletinItemState,
    BulletinState,
    Climb,
    Demand,
    ExclusionState,
    RateExclusion,
    Rung,
)
from services.selectors.bulletins import Named, number_words, said
from services.selectors.rates import RATES
from services.workflow import BULLETIN_ITEM, EXCLUSION, LADDER

_PLACE = OpenApiParameter("place", str, description="地点编码：这里和它里面的")


# --- Rows -----------------------------------------------------------------------------------------------------------


class ExclusionRow(Shown):
    id = serializers.IntegerField()
    demand = serializers.CharField(label="需求编号")
    community = serializers.CharField(label="社区")
    rates = serializers.ListField(label="不计入", child=serializers.ChoiceField(choices=list(RATES)))
    reason = serializers.CharField(label="剔除理由")
    state = serializers.ChoiceField(label="状态", choices=ExclusionState.choices)
    state_label = serializers.CharField(label="状态名称")
    requested_at = serializers.DateTimeField(label="申请时间")
    due_at = serializers.DateTimeField(label="审核时限")
    decided_at = serializers.DateTimeField(label="审核时间", allow_null=True)
    note = serializers.CharField(label="审核意见")
    reversed_at = serializers.DateTimeField(label="恢复时间", allow_null=True)
    reversal = serializers.CharField(label="恢复理由")
    figures = serializers.JSONField(label="对统计的影响：[分子, 分母, 剔除] 之前和之后")
    version = serializers.IntegerField(label="版本")


class ClimbRow(Shown):
    id = serializers.IntegerField()
    demand = serializers.CharField(label="需求编号")
    community = serializers.CharField(label="社区")
    rung = serializers.ChoiceField(label="提醒层级", choices=Rung.choices)
    rung_label = serializers.CharField(label="层级名称")
    limit = serializers.DateTimeField(label="办理时限")
    at = serializers.DateTimeField(label="到达时间", allow_null=True)
    version = serializers.IntegerField(label="版本")


class BulletinRow(Shown):
    id = serializers.IntegerField()
    title = serializers.CharField(label="标题")
    number = serializers.CharField(label="期号")
    since = serializers.DateField(label="统计起")
    until = serializers.DateField(label="统计止")
    state = serializers.ChoiceField(label="状态", choices=BulletinState.choices)
    published_at = serializers.DateTimeField(label="印发时间", allow_null=True)


class BulletinLineRow(Shown):
    name = serializers.CharField(label="社区")
    rank = serializers.IntegerField(label="名次，样本不足时为空", allow_null=True)
    rates = ThreeRatesRow(label="三率")


class BulletinNamedRow(Shown):
    code = serializers.CharField(label="需求编号")
    community = serializers.CharField(label="社区")
    category = serializers.CharField(label="类别")
    unit = serializers.CharField(label="责任单位，空为社区")
    late_days = serializers.IntegerField(label="超期工作日")
    bulletin = serializers.CharField(label="往期期号")
    state = serializers.CharField(label="往期整改状态")


class BulletinDetailRow(BulletinRow):
    text = serializers.CharField(label="工作要求")
    total = ThreeRatesRow(label="全县")
    communities = BulletinLineRow(label="各社区", many=True)
    items = BulletinNamedRow(label="超期事项", many=True)
    carried = BulletinNamedRow(label="往期未整改事项", many=True)


class BulletinItemRow(Shown):
    id = serializers.IntegerField()
    bulletin = serializers.IntegerField(label="通报")
    number = serializers.CharField(label="期号")
    demand = serializers.CharField(label="需求编号")
    community = serializers.CharField(label="社区")
    unit = serializers.IntegerField(label="责任单位，空为社区", allow_null=True)
    late_days = serializers.IntegerField(label="通报时超期工作日")
    state = serializers.ChoiceField(label="状态", choices=BulletinItemState.choices)
    due_at = serializers.DateTimeField(label="答复时限", allow_null=True)
    answer = serializers.CharField(label="整改情况")
    note = serializers.CharField(label="县级意见")
    version = serializers.IntegerField(label="版本")


class ExclusionInput(serializers.Serializer[Any]):
    demand = serializers.CharField(label="需求编号", max_length=20)
    rates = serializers.ListField(label="不计入", child=serializers.ChoiceField(choices=list(RATES)), max_length=3)
    reason = serializers.CharField(label="剔除理由", max_length=500)


class ExclusionVersionInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(label="版本", required=False)


class ExclusionNoteInput(ExclusionVersionInput):
    note = serializers.CharField(label="审核意见", max_length=500)


class ExclusionReasonInput(ExclusionVersionInput):
    reason = serializers.CharField(label="恢复理由", max_length=500)


class ExclusionMoveInput(ExclusionVersionInput):
    """`note` with approve and reject, `reason` with reverse."""

    note = serializers.CharField(label="审核意见", required=False, max_length=500)
    reason = serializers.CharField(label="恢复理由", required=False, max_length=500)


class InstructInput(serializers.Serializer[Any]):
    text = serializers.CharField(label="批示", max_length=500)
    version = serializers.IntegerField(label="版本", required=False)


class BulletinAnswerInput(serializers.Serializer[Any]):
    text = serializers.CharField(label="整改情况", max_length=1000)
    version = serializers.IntegerField(label="版本", required=False)


class BulletinSendBackInput(serializers.Serializer[Any]):
    reason = serializers.CharField(label="退回理由", max_length=500)
    version = serializers.IntegerField(label="版本", required=False)


class BulletinSettleInput(serializers.Serializer[Any]):
    note = serializers.CharField(label="销项意见", max_length=500)
    version = serializers.IntegerField(label="版本", required=False)


class BulletinItemMoveInput(serializers.Serializer[Any]):
    """`text` with answer, `reason` with send_back, `note` with settle."""

    text = serializers.CharField(label="整改情况", required=False, max_length=1000)
    reason = serializers.CharField(label="退回理由", required=False, max_length=500)
    note = serializers.CharField(label="销项意见", required=False, max_length=500)
    version = serializers.IntegerField(label="版本", required=False)


def exclusion_row(row: RateExclusion) -> dict[str, Any]:
    return {
        "id": row.pk,
        "demand": row.demand.code,
        "community": row.demand.community.name,
        "rates": list(row.rates),
        "reason": row.reason,
        "state": row.state,
        "state_label": row.get_state_display(),
        "requested_at": row.at,
        "due_at": row.due_at,
        "decided_at": row.decided_at,
        "note": row.note,
        "reversed_at": row.reversed_at,
        "reversal": row.reversal,
        "figures": row.figures,
        "version": row.version,
    }


def climb_row(row: Climb) -> dict[str, Any]:
    return {
        "id": row.pk,
        "demand": row.demand.code,
        "community": row.demand.community.name,
        "rung": row.rung,
        "rung_label": row.get_rung_display(),
        "limit": row.limit,
        "at": row.at,
        "version": row.version,
    }


def bulletin_row(row: Bulletin) -> dict[str, Any]:
    return {
        "id": row.pk,
        "title": row.title,
        "number": number_words(row),
        "since": row.since,
        "until": row.until,
        "state": row.state,
        "published_at": row.published_at,
    }


def item_row(row: BulletinItem) -> dict[str, Any]:
    return {
        "id": row.pk,
        "bulletin": row.bulletin_id,
        "number": number_words(row.bulletin),
        "demand": row.demand.code,
        "community": row.community.name,
        "unit": row.unit_id,
        "late_days": row.late_days,
        "state": row.state,
        "due_at": row.due_at,
        "answer": row.answer,
        "note": row.note,
        "version": row.version,
    }


# --- Reading --------------------------------------------------------------------------------------------------------


def _narrowed(request: Request, rows: QuerySet[Any], field: str, values: list[str], node: str) -> QuerySet[Any]:
    """The rows of a state and a place, as the address asks. Raises Invalid and NotFound."""
    if wanted := chosen(request, field, values):
        rows = rows.filter(**{field: wanted})
    return inside(request, rows, node) if node else rows


def _exclusions(request: Request) -> QuerySet[RateExclusion]:
    return RateExclusion.objects.visible_to(caller(request)).select_related("demand__node", "demand__community")


def _climbs(request: Request) -> QuerySet[Climb]:
    return Climb.objects.visible_to(caller(request)).select_related("demand__node", "demand__community")


def _items(request: Request) -> QuerySet[BulletinItem]:
    rows = BulletinItem.objects.visible_to(caller(request))
    return rows.select_related("bulletin", "demand__node", "demand__community", "community", "unit")


class ExclusionList(ListView):
    @extend_schema(
        operation_id="exclusions_list",
        summary="剔除申请：申请了什么、谁审核的、对统计的影响",
        parameters=[_PLACE, OpenApiParameter("state", str, enum=ExclusionState.values)],
        responses=ExclusionRow(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _narrowed(request, _exclusions(request), "state", list(ExclusionState.values), "demand__node")
        return self.page(request, rows.order_by("-pk"), exclusion_row)

    @extend_schema(
        operation_id="exclusions_request",
        summary="申请把一条需求剔除出一项或几项率",
        request=ExclusionInput,
        responses={201: ExclusionRow},
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, ExclusionInput)
        demand = Demand.objects.visible_to(user).filter(code=data.pop("demand")).select_related("node", "community")
        found = demand.first()
        if found is None:
            raise NotFound(_("没有找到这条需求，或不在您的管辖范围内。"))
        made = actions.request_exclusion(actor=user, demand=found, **data)
        return Response(exclusion_row(made), status=status.HTTP_201_CREATED)


class ExclusionDetail(APIView):
    @extend_schema(operation_id="exclusions_read", summary="一件剔除申请", responses=ExclusionRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(exclusion_row(one(_exclusions(request), pk)))


EXCLUSION_MOVES: Moves[RateExclusion] = Moves(
    EXCLUSION,
    "exclusion",
    {
        "approve": (ExclusionNoteInput, actions.approve_exclusion),
        "reject": (ExclusionNoteInput, actions.reject_exclusion),
        "withdraw": (ExclusionVersionInput, actions.withdraw_exclusion),
        "reverse": (ExclusionReasonInput, actions.reverse_exclusion),
    },
)


class ExclusionMove(APIView):
    @extend_schema(
        operation_id="exclusions_move",
        summary="同意 approve、不同意 reject、撤回 withdraw、恢复统计 reverse",
        request=ExclusionMoveInput,
        responses=ExclusionRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        return Response(exclusion_row(EXCLUSION_MOVES.make(request, one(_exclusions(request), pk), name)))


class ClimbList(ListView):
    @extend_schema(
        operation_id="ladder_list",
        summary="逐级提醒：超期的需求到了哪一级",
        parameters=[_PLACE, OpenApiParameter("rung", str, enum=Rung.values)],
        responses=ClimbRow(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _narrowed(request, _climbs(request), "rung", list(Rung.values), "demand__node")
        return self.page(request, rows.order_by("-pk"), climb_row)


LADDER_MOVES: Moves[Climb] = Moves(LADDER, "climb", {"instruct": (InstructInput, actions.instruct)})


class ClimbInstruct(APIView):
    @extend_schema(operation_id="ladder_instruct", summary="包联领导批示", request=InstructInput, responses=ClimbRow)
    def post(self, request: Request, pk: int) -> Response:
        return Response(climb_row(LADDER_MOVES.make(request, one(_climbs(request), pk), "instruct")))


class BulletinList(ListView):
    @extend_schema(
        operation_id="bulletins_list",
        summary="可见的通报",
        parameters=[OpenApiParameter("state", str, enum=BulletinState.values)],
        responses=BulletinRow(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _narrowed(request, Bulletin.objects.visible_to(caller(request)), "state", list(BulletinState.values), "")
        return self.page(request, rows.order_by("-pk"), bulletin_row)


class BulletinDetail(APIView):
    @extend_schema(
        operation_id="bulletins_read", summary="一期通报：三率、超期事项、回头看", responses=BulletinDetailRow
    )
    def get(self, request: Request, pk: int) -> Response:
        row = one(Bulletin.objects.visible_to(caller(request)), pk)
        found = said(row)
        return Response(
            {
                **bulletin_row(row),
                "text": row.text,
                "total": rates_row(found.total),
                "communities": [
                    {"name": line.name, "rank": line.rank, "rates": rates_row(line.rates)} for line in found.lines
                ],
                "items": [_named_row(one) for one in found.items],
                "carried": [_named_row(one) for one in found.carried],
            }
        )


def _named_row(one: Named) -> dict[str, Any]:
    return dict(one.__dict__)


class BulletinItemList(ListView):
    @extend_schema(
        operation_id="bulletin_items_list",
        summary="可见的通报事项和整改情况",
        parameters=[_PLACE, OpenApiParameter("state", str, enum=BulletinItemState.values)],
        responses=BulletinItemRow(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = _narrowed(request, _items(request), "state", list(BulletinItemState.values), "demand__node")
        return self.page(request, rows.order_by("-pk"), item_row)


class BulletinItemDetail(APIView):
    @extend_schema(operation_id="bulletin_items_read", summary="一件通报事项", responses=BulletinItemRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(item_row(one(_items(request), pk)))


ITEM_MOVES: Moves[BulletinItem] = Moves(
    BULLETIN_ITEM,
    "item",
    {
        "answer": (BulletinAnswerInput, actions.answer_item),
        "send_back": (BulletinSendBackInput, actions.send_back_item),
        "settle": (BulletinSettleInput, actions.settle_item),
    },
)


class BulletinItemMove(APIView):
    @extend_schema(
        operation_id="bulletin_items_move",
        summary="答复 answer、退回 send_back、销项 settle",
        request=BulletinItemMoveInput,
        responses=BulletinItemRow,
    )
    def post(self, request: Request, pk: int, name: str) -> Response:
        return Response(item_row(ITEM_MOVES.make(request, one(_items(request), pk), name)))
