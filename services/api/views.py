"""`/api/v1/` for the same people and the same deeds as the pages: every read starts at `visible_to`, every write is an
action.
"""

from typing import Any

from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.bodies import UPLOADS, body_of, caller, given, version_of
from core.api.lists import ListView
from core.errors import Invalid, NotFound
from core.masking import mask_phone
from grids.models import GridNode
from grids.selectors import place_of_code
from partybuilding.models import Domain, Member, Unit, UnitKind
from services.actions import move, raise_demand, reveal_contact
from services.api import serializers as rows
from services.api.public import resident_move
from services.forms import MoveForm
from services.models import Category, Demand
from services.models.demand import Desk
from services.selectors import loop as selectors
from services.selectors.loop import Action
from services.workflow import BY_MODEL


class DemandFilter(filters.FilterSet):
    state = filters.CharFilter(field_name="state")
    desk = filters.ChoiceFilter(field_name="desk", choices=Desk.choices)
    community = filters.CharFilter(field_name="community__code")
    category = filters.CharFilter(field_name="category__name")
    unit = filters.NumberFilter(field_name="lead_unit_id", min_value=1, max_value=10**18)
    since = filters.DateFilter(field_name="registered_at", lookup_expr="date__gte")
    until = filters.DateFilter(field_name="registered_at", lookup_expr="date__lte")
    late = filters.BooleanFilter(method="only_late")

    class Meta:
        model = Demand
        fields: list[str] = []

    def only_late(self, queryset: Any, name: str, value: bool) -> Any:
        return queryset.late() if value else queryset


class DemandList(ListView):
    parser_classes = UPLOADS
    filterset_class = DemandFilter

    def get_queryset(self) -> Any:
        return Demand.objects.none()

    @extend_schema(operation_id="demands_list", summary="需求列表", responses=rows.DemandRow(many=True))
    def get(self, request: Request) -> Response:
        found = Demand.objects.visible_to(request.user)
        # To make the filter's form costs a sixth of the list, and most ask for no filter.
        if DemandFilter.base_filters.keys() & request.query_params.keys():
            found = self._filtered(request, found)
        return self.page(request, found.values(*rows.ROW_FIELDS), rows.demand_row)

    @staticmethod
    def _filtered(request: Request, rows: Any) -> Any:
        wanted = DemandFilter(request.query_params, queryset=rows)
        if not wanted.is_valid():
            fields = {name: " ".join(texts) for name, texts in wanted.errors.items()}
            raise Invalid(_("筛选条件有误。"), fields=fields)
        return wanted.qs

    @extend_schema(
        operation_id="demands_raise", summary="登记需求", request=rows.RaiseInput, responses={201: rows.DemandRow}
    )
    def post(self, request: Request) -> Response:
        data = given(request, rows.RaiseInput)
        node = place_of_code(request.user, data.pop("node"))
        if node is None:
            raise NotFound(_("没有这个地点，或不在您的管辖范围内。"), fields={"node": _("没有这个地点。")})
        category = selectors.category_named(node.county_id, data.pop("category"))
        if category is None:
            raise Invalid(_("没有这个类别。"), fields={"category": _("没有这个类别。")})
        demand = raise_demand(actor=caller(request), node=node, category=category, **data)
        return Response(rows.demand_row(rows.values_of(demand)), status=status.HTTP_201_CREATED)


class DemandDetail(APIView):
    @extend_schema(operation_id="demands_read", summary="需求详情", responses=rows.DemandDetail)
    def get(self, request: Request, code: str) -> Response:
        return Response(rows.demand_detail(selectors.demand_page(request.user, code=code, named=())))


class DemandMove(APIView):
    """Any move of the workflow tables, by its name there. `on` says which sub-order or assignment, when not plain."""

    permission_classes = (AllowAny,)
    parser_classes = UPLOADS

    @extend_schema(operation_id="demands_move", summary="办理一步", request=rows.MoveInput, responses=rows.MoveDone)
    def post(self, request: Request, code: str, transition: str) -> Response:
        body = body_of(request)
        if not request.user.is_authenticated:
            # A resident has no key: the follow-up code in the body stands for one.
            if not body.get("follow_code"):
                raise NotAuthenticated()
            return resident_move(request, str(body["follow_code"]), transition, code=code)
        user = caller(request)
        whole = not selectors.of_demand_alone(transition)
        demand = selectors.find_demand(user, code=code, named=(), whole=whole)
        target = selectors.target_for(user, demand, transition, key=str(body.get("on") or ""))
        row = BY_MODEL[type(target)].may(target, transition, actor=user)
        data = MoveForm.from_json(body, request.FILES, action=Action(row, target), user=user)
        version = version_of(body)
        return Response(rows.move_done(move(actor=user, target=target, name=transition, data=data, version=version)))


class DemandContact(APIView):
    @extend_schema(
        operation_id="demands_contact",
        summary="查看联系方式（写明理由，留痕）",
        request=rows.RevealInput,
        responses=rows.ContactRow,
    )
    def post(self, request: Request, code: str) -> Response:
        data = given(request, rows.RevealInput)
        demand = selectors.find_demand(request.user, code=code)
        found = reveal_contact(actor=caller(request), demand=demand, reason=data["reason"])
        return Response({"name": found.name, "phone": found.phone})


_SEARCH = OpenApiParameter("search", str, description="名称、位置或编码")


class PlaceList(ListView):
    @extend_schema(
        operation_id="places_list",
        summary="可见的地点",
        parameters=[_SEARCH, OpenApiParameter("parent", str, description="上级编码")],
        responses=rows.PlaceRow(many=True),
    )
    def get(self, request: Request) -> Response:
        nodes = GridNode.objects.visible_to(request.user).standing().select_related("level_type", "parent")
        if parent := request.query_params.get("parent"):
            nodes = nodes.filter(parent__code=parent)
        if search := request.query_params.get("search"):
            nodes = nodes.filter(path__contains=search[:60])
        return self.page(request, nodes, _place)


def _place(node: GridNode) -> dict[str, Any]:
    return {
        "code": node.code,
        "name": node.name,
        "path": node.path,
        "level": node.level_type.name,
        "parent_code": node.parent.code if node.parent else None,
    }


class CategoryList(ListView):
    @extend_schema(operation_id="categories_list", summary="诉求类别", responses=rows.CategoryRow(many=True))
    def get(self, request: Request) -> Response:
        found = Category.objects.visible_to(request.user).filter(is_active=True)
        return self.page(request, found, _category)


def _category(row: Category) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "hint": row.hint,
        "urgency": row.urgency,
        "limit": row.limit_words,
        "limit_value": row.limit_value,
        "limit_unit": row.limit_unit,
        "contact_hours": row.contact_hours,
    }


class UnitList(ListView):
    @extend_schema(
        operation_id="units_list",
        summary="可见的单位；给出需求编号时，只列可以派单的单位",
        parameters=[
            _SEARCH,
            OpenApiParameter("demand", str, description="需求编号"),
            OpenApiParameter("kind", str, enum=UnitKind.values, description="单位类型"),
            OpenApiParameter("domain", str, enum=Domain.values, description="所属领域"),
        ],
        responses=rows.UnitRow(many=True),
    )
    def get(self, request: Request) -> Response:
        units = Unit.objects.visible_to(request.user).active()
        if code := request.query_params.get("demand"):
            demand = selectors.find_demand(request.user, code=code)
            units = units.filter(pk__in=selectors.units_to_dispatch(demand, request.user).values("pk"))
        if search := request.query_params.get("search"):
            units = units.filter(name__contains=search[:60])
        for field in ("kind", "domain"):
            if value := request.query_params.get(field):
                units = units.filter(**{field: value})
        return self.page(request, units, _unit)


def _unit(unit: Unit) -> dict[str, Any]:
    return {"id": unit.pk, "name": unit.name, "kind": unit.kind, "domain": unit.domain}


class MemberList(ListView):
    @extend_schema(
        operation_id="members_list", summary="可见的党员", parameters=[_SEARCH], responses=rows.MemberRow(many=True)
    )
    def get(self, request: Request) -> Response:
        members = Member.objects.visible_to(request.user).active().select_related("unit")
        if search := request.query_params.get("search"):
            members = members.filter(name__contains=search[:60])
        return self.page(request, members, _member)


def _member(member: Member) -> dict[str, Any]:
    return {"id": member.pk, "name": member.name, "unit": member.unit.name if member.unit else None}


class Me(APIView):
    @extend_schema(operation_id="me", summary="我是谁，能做什么", responses=rows.MeRow)
    def get(self, request: Request) -> Response:
        user = caller(request)
        grants = policies.grants_of(user)
        rights = sorted({right for grant in grants for right in grant.rights})
        held = list(dict.fromkeys(str(grant.source) for grant in grants if grant.source))
        return Response({"name": user.name, "phone": mask_phone(user.phone), "rights": rights, "held": held})
