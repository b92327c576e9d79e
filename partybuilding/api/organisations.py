"""Party organisations by API: a list in the tree's order, one with what is below it, and the figures by domain."""

from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller
from core.api.lists import ListView, Shown
from core.errors import NotFound
from grids.api.nodes import find as find_place
from partybuilding.models import Domain, OrganisationKind, PartyOrganisation
from partybuilding.selectors.organisations import in_use, organisation_board

_NODE = OpenApiParameter("node", str, description="地点编码：这里和它下面的")
_DOMAIN = OpenApiParameter("domain", str, enum=Domain.values, description="所属领域")


class OrganisationRow(Shown):
    """`members`: its own, without those of the organisations below."""

    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("党组织名称"))
    kind = serializers.ChoiceField(label=lazy("类型"), choices=OrganisationKind.choices)
    domain = serializers.ChoiceField(label=lazy("所属领域"), choices=Domain.choices)
    parent = serializers.IntegerField(label=lazy("上级党组织"), allow_null=True)
    depth = serializers.IntegerField(label=lazy("层级（0 为最上级）"))
    node = serializers.CharField(label=lazy("地点编码"), allow_null=True)
    unit = serializers.IntegerField(label=lazy("单位"), allow_null=True)
    secretary = serializers.CharField(label=lazy("书记"), allow_null=True)
    founded_on = serializers.DateField(label=lazy("成立日期"), allow_null=True)
    members = serializers.IntegerField(label=lazy("本级党员"))
    version = serializers.IntegerField(label=lazy("版本"))


class OrganisationDetailRow(OrganisationRow):
    children = OrganisationRow(label=lazy("下级党组织"), many=True)


class DomainFiguresRow(Shown):
    domain = serializers.ChoiceField(label=lazy("所属领域"), choices=Domain.choices)
    organisations = serializers.IntegerField(label=lazy("党组织"))
    kinds = serializers.DictField(label=lazy("按类型"), child=serializers.IntegerField())
    members = serializers.IntegerField(label=lazy("党员"))


class OrganisationFiguresRow(Shown):
    """Organisations in use and members in use who belong to one."""

    organisations = serializers.IntegerField(label=lazy("党组织"))
    members = serializers.IntegerField(label=lazy("党员"))
    domains = DomainFiguresRow(label=lazy("按领域"), many=True)


class OrganisationList(ListView):
    @extend_schema(
        operation_id="organisations_list",
        summary="在用的党组织，按组织树的次序",
        parameters=[_NODE, _DOMAIN, OpenApiParameter("kind", str, enum=OrganisationKind.values, description="类型")],
        responses=OrganisationRow(many=True),
    )
    def get(self, request: Request) -> Response:
        found = in_use(caller(request), **_asked(request))
        if kind := request.query_params.get("kind"):
            found = found.filter(kind=kind)
        return self.page(request, _with_members(found).order_by("tree_id", "lft"), _row)


class OrganisationDetail(APIView):
    @extend_schema(operation_id="organisations_read", summary="一个党组织和它的下级", responses=OrganisationDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        seen = _with_members(PartyOrganisation.objects.visible_to(caller(request)))
        row = seen.filter(pk=pk).first()
        if row is None:
            raise NotFound(_("没有找到这个党组织，或不在您的管辖范围内。"))
        below = seen.filter(parent=row, is_active=True).order_by("lft")
        return Response({**_row(row), "children": [_row(one) for one in below]})


class OrganisationFigures(APIView):
    @extend_schema(
        operation_id="organisations_figures",
        summary="党组织和党员的数量，按领域和类型",
        parameters=[_NODE, _DOMAIN],
        responses=OrganisationFiguresRow,
    )
    def get(self, request: Request) -> Response:
        board = organisation_board(caller(request), **_asked(request))
        domains = [
            {
                "domain": str(row.domain),
                "organisations": row.organisations,
                "kinds": {str(kind): row.kinds[kind] for kind in OrganisationKind},
                "members": row.members,
            }
            for row in board.domains
        ]
        return Response({"organisations": board.organisations, "members": board.members, "domains": domains})


def _asked(request: Request) -> dict[str, Any]:
    """Domain and place that were asked for. Raises NotFound for a place out of sight."""
    domain, code = request.query_params.get("domain", ""), request.query_params.get("node")
    place = find_place(caller(request), code, field="node") if code else None
    return {"domain": domain, "place": place}


def _with_members(rows: Any) -> Any:
    return rows.select_related("node", "secretary").annotate(own=Count("members", filter=Q(members__is_active=True)))


def _row(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "domain": row.domain,
        "parent": row.parent_id,
        "depth": row.depth,
        "node": row.node.code if row.node else None,
        "unit": row.unit_id,
        "secretary": row.secretary.name if row.secretary else None,
        "founded_on": row.founded_on,
        "members": row.own,
        "version": row.version,
    }
