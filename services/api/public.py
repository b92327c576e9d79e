"""The resident's part of the API: no key, the follow-up code opens one's own matter; counted like the pages of `/r/`."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.actors import RESIDENT
from core.api.bodies import UPLOADS, body_of
from core.errors import Invalid, NotFound
from grids.models import GridNode
from grids.selectors import heir_of
from services.actions import move, raise_demand
from services.api import serializers as rows
from services.clocks import limits_of
from services.forms import MoveForm
from services.models import Demand, Origin
from services.selectors import loop as selectors
from services.selectors.loop import Action
from services.views import following
from services.workflow import DEMAND

t = gettext_lazy


class PublicPlace(rows.Shown):
    path = serializers.CharField(label=t("位置"))
    categories = serializers.ListField(label=t("可选类别"), child=serializers.CharField())
    promise = serializers.CharField(label=t("承诺"))


class OrderInput(serializers.Serializer[Any]):
    """What a resident orders at a place (its code is in the QR address)."""

    place = serializers.CharField(label=t("二维码中的地点代码"), max_length=16)
    category = serializers.CharField(label=t("类别名称"), max_length=20)
    text = serializers.CharField(label=t("内容"), trim_whitespace=False)
    contact_name = serializers.CharField(label=t("联系人"), required=False, default="", allow_blank=True)
    contact_phone = serializers.CharField(label=t("联系电话"), required=False, default="", allow_blank=True)
    photos = serializers.ListField(label=t("图片"), child=serializers.FileField(), required=False, default=list)


class OrderRow(rows.Shown):
    """How far one's own matter is. Names no persons."""

    follow_code = serializers.CharField(label=t("查询码"))
    place = serializers.CharField(label=t("位置"))
    category = serializers.CharField(label=t("类别"))
    state = serializers.CharField(label=t("状态"))
    state_label = serializers.CharField(label=t("状态名称"))
    registered_at = serializers.DateTimeField(label=t("登记时间"))
    finished_at = serializers.DateTimeField(label=t("办结时间"), allow_null=True)
    results = serializers.ListField(label=t("答复"), child=serializers.CharField())
    actions = serializers.ListField(label=t("现在可以做的"), child=serializers.CharField())


def order_row(demand: Demand) -> dict[str, Any]:
    told = [event.text for event in selectors.resident_events(demand) if event.name in ("decline", "finish")]
    return {
        "follow_code": demand.follow_code,
        "place": demand.node.path,
        "category": demand.category.name,
        "state": demand.state,
        "state_label": DEMAND.state_label(demand.state),
        "registered_at": demand.registered_at,
        "finished_at": demand.finished_at,
        "results": told,
        "actions": [action.row.name for action in selectors.resident_actions(demand)],
    }


class Open(APIView):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    parser_classes = UPLOADS


class PlaceView(Open):
    @extend_schema(operation_id="public_place", summary="二维码对应的地点", responses=PublicPlace)
    def get(self, request: Request, token: str) -> Response:
        node = _place(token)
        names = selectors.categories_for(node.county_id).filter(is_public=True).values_list("name", flat=True)
        promise = limits_of(node.county_id).promise
        return Response({"path": node.path, "categories": list(names), "promise": promise})


class OrderList(Open):
    @extend_schema(operation_id="public_order", summary="居民点单", request=OrderInput, responses={201: OrderRow})
    def post(self, request: Request) -> Response:
        form = OrderInput(data=body_of(request))
        form.is_valid(raise_exception=True)
        given = dict(form.validated_data)
        node = _place(given.pop("place"))
        following.count_order(request._request, node.public_token)
        public = selectors.categories_for(node.county_id).filter(is_public=True)
        category = public.filter(name=given.pop("category")).first()
        if category is None:
            raise Invalid(_("没有这个类别。"), fields={"category": _("没有这个类别。")})
        demand = raise_demand(actor=RESIDENT, node=node, category=category, origin=Origin.RESIDENT, **given)
        return Response(order_row(demand), status=status.HTTP_201_CREATED)


def _place(token: str) -> GridNode:
    node = selectors.public_place(token)
    heir = heir_of(node)
    if heir is None:
        raise NotFound(_("这个地点已经撤销。"))
    return heir


class OrderView(Open):
    @extend_schema(operation_id="public_order_read", summary="凭查询码看进度", responses=OrderRow)
    def get(self, request: Request, follow_code: str) -> Response:
        return Response(order_row(following.followed(request._request, follow_code)))


class OrderMove(Open):
    @extend_schema(
        operation_id="public_order_move",
        summary="居民评价、撤回、重启",
        request=rows.MoveInput,
        responses=rows.MoveDone,
    )
    def post(self, request: Request, follow_code: str, transition: str) -> Response:
        return resident_move(request, follow_code, transition)


def resident_move(request: Request, follow_code: str, transition: str, *, code: str = "") -> Response:
    """One move by whoever holds the follow-up code.

    Args:
        code: the demand's own code, where the address named it; must be the same matter.
    """
    demand = following.followed(request._request, follow_code)
    if code and code not in (demand.code, demand.follow_code):
        raise NotFound(_("没有找到这个查询码，请逐位核对后再试。"))
    row = DEMAND.may(demand, transition, actor=RESIDENT)
    data = MoveForm.from_json(body_of(request), request.FILES, action=Action(row, demand), user=None)
    return Response(rows.move_done(move(actor=RESIDENT, target=demand, name=transition, data=data)))
