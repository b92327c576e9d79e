"""The care ledger by API: masked rows, visits, confirmations, counts. No program is handed a name or a phone: who needs one
asks on a page, with a purpose.
"""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.bodies import caller, given
from core.api.lists import ListView, Shown
from core.errors import Forbidden, Invalid, NotFound
from core.models import User
from grids.actions.care import confirm_household, record_visit
from grids.actions.care_facts import TEXT_LENGTH
from grids.care import SMALL, CareState, states_of, waiting_for
from grids.care_selectors import Figures, figures_of
from grids.models import CareHousehold, CareKind, GridNode
from grids.posts import COUNT_CARE, VIEW_CARE
from grids.querysets import in_subtree

_STATE = OpenApiParameter("state", str, enum=CareState.values, description="只列等着办的一类")
_NEED = OpenApiParameter("need", str, enum=CareKind.values, description="关爱类别")
_PLACE = OpenApiParameter("place", str, description="地点编码，含其下级")


class HouseholdRow(Shown):
    """A household. Of one that has run out (`states` is `expired`) only the door is told."""

    id = serializers.IntegerField()
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("地点"))
    room = serializers.CharField(label=lazy("门牌"))
    name = serializers.CharField(label=lazy("联系人（已隐去）"))
    phone = serializers.CharField(label=lazy("联系电话（已隐去）"))
    needs = serializers.ListField(label=lazy("关爱类别"), child=serializers.ChoiceField(CareKind.choices))
    states = serializers.ListField(label=lazy("等着办的"), child=serializers.ChoiceField(CareState.choices))
    last_visit_on = serializers.DateField(label=lazy("最近走访"), allow_null=True)
    next_visit_on = serializers.DateField(label=lazy("下次走访"), allow_null=True)
    confirmed_on = serializers.DateField(label=lazy("核实日期"))
    expires_on = serializers.DateField(label=lazy("到期日期"))
    version = serializers.IntegerField(label=lazy("版本"))


def household_row(one: CareHousehold) -> dict[str, Any]:
    """A row from a household with its node and needs loaded."""
    today = timezone.localdate()
    holds = one.expires_on > today
    return {
        "id": one.pk,
        "node": one.node.code,
        "place": one.node.path,
        "room": one.room,
        "name": one.masked_name,
        "phone": one.masked_phone if holds else "",
        "needs": [need.kind for need in one.needs.all()] if holds else [],
        "states": [state.value for state in states_of(one, today)],
        "last_visit_on": one.last_visit_on if holds else None,
        "next_visit_on": one.next_visit_on if holds else None,
        "confirmed_on": one.confirmed_on,
        "expires_on": one.expires_on,
        "version": one.version,
    }


class CareVisitInput(serializers.Serializer[Any]):
    visited_on = serializers.DateField(label=lazy("走访日期"))
    text = serializers.CharField(
        label=lazy("情况"), max_length=TEXT_LENGTH, required=False, default="", allow_blank=True
    )
    confirmed = serializers.BooleanField(
        label=lazy("一并核实：需要没有变化，本人（监护人）仍同意登记"), required=False, default=False
    )


class ConfirmInput(serializers.Serializer[Any]):
    version = serializers.IntegerField(label=lazy("版本"))


class CountRow(Shown):
    """Counts of one community; null stands for a number between 1 and 4 that this account is not told."""

    community = serializers.CharField(label=lazy("社区编码"))
    name = serializers.CharField(label=lazy("社区"))
    households = serializers.IntegerField(label=lazy("登记户数"), allow_null=True)
    in_time = serializers.IntegerField(label=lazy("按时走访"), allow_null=True)
    confirmed = serializers.IntegerField(label=lazy("本季度已核实"), allow_null=True)
    needs = serializers.DictField(label=lazy("各关爱类别"), child=serializers.IntegerField(allow_null=True))


def count_row(one: Figures) -> dict[str, Any]:
    def told(count: int) -> int | None:
        return count if one.exact or not 0 < count < SMALL else None

    households = told(one.households)
    return {
        "community": one.community.code,
        "name": one.community.name,
        "households": households,
        # A part of an untold whole is untold.
        "in_time": None if households is None else one.in_time,
        "confirmed": None if households is None else one.confirmed,
        "needs": {kind: told(count) for kind, count in one.needs.items()},
    }


class HouseholdList(ListView):
    @extend_schema(
        operation_id="care_list",
        summary="关爱台账（姓名、电话已隐去）",
        parameters=[_STATE, _NEED, _PLACE],
        responses=HouseholdRow(many=True),
    )
    def get(self, request: Request) -> Response:
        rows = CareHousehold.objects.visible_to(_carer(request))
        asked = request.query_params
        if state := asked.get("state"):
            _check(state, CareState.values, "state")
            rows = rows.filter(waiting_for(state, timezone.localdate()))
        if need := asked.get("need"):
            _check(need, CareKind.values, "need")
            rows = rows.filter(needs__kind=need, expires_on__gt=timezone.localdate())
        if place := asked.get("place"):
            node = GridNode.objects.visible_to(request.user).filter(code=place[:40]).first()
            rows = rows.filter(in_subtree(node, "node", community="community")) if node else rows.none()
        rows = rows.select_related("node").prefetch_related("needs")
        return self.page(request, rows.order_by("node__tree_id", "node__lft", "room", "pk"), household_row)


class HouseholdDetail(APIView):
    @extend_schema(operation_id="care_read", summary="一户（姓名、电话已隐去）", responses=HouseholdRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(household_row(_find(_carer(request), pk)))


class HouseholdVisit(APIView):
    @extend_schema(operation_id="care_visit", summary="记录走访", request=CareVisitInput, responses={201: HouseholdRow})
    def post(self, request: Request, pk: int) -> Response:
        user, data = _carer(request), given(request, CareVisitInput)
        record_visit(actor=user, household=_find(user, pk), **data)
        return Response(household_row(_find(user, pk)), status=status.HTTP_201_CREATED)


class HouseholdConfirm(APIView):
    @extend_schema(operation_id="care_confirm", summary="核实", request=ConfirmInput, responses=HouseholdRow)
    def post(self, request: Request, pk: int) -> Response:
        user, data = _carer(request), given(request, ConfirmInput)
        confirm_household(actor=user, household=_find(user, pk), version=data["version"])
        return Response(household_row(_find(user, pk)))


class CountList(APIView):
    @extend_schema(operation_id="care_counts", summary="关爱统计（按社区，不含个人）", responses=CountRow(many=True))
    def get(self, request: Request) -> Response:
        user = caller(request)
        if not policies.holds(user, COUNT_CARE):
            raise _without(COUNT_CARE)
        return Response([count_row(one) for one in figures_of(user)])


def _carer(request: Request) -> User:
    """Who may see households. Raises Forbidden for everybody else."""
    user = caller(request)
    if not policies.holds(user, VIEW_CARE):
        raise _without(VIEW_CARE)
    return user


def _without(right: str) -> Forbidden:
    return Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(right)})


def _find(user: User, pk: int) -> CareHousehold:
    rows = CareHousehold.objects.visible_to(user).filter(pk=pk)
    found = rows.select_related("node").prefetch_related("needs").first()
    if found is None:
        raise NotFound(_("没有找到这户。可能已被删除，或不在您的管辖范围内。"))
    return found


def _check(value: str, known: list[str], field: str) -> None:
    if value not in known:
        message = _("%(field)s 应为：%(known)s。") % {"field": field, "known": "、".join(known)}
        raise Invalid(message, fields={field: message})
