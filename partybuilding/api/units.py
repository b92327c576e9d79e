"""One unit by API; the list is among the lists of `services.api`, because it also says who may be dispatched to."""

from collections.abc import Collection
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller
from core.api.lists import Shown
from core.errors import Invalid, NotFound
from core.models import User
from partybuilding.models import Domain, PartyOrganisation, Unit, UnitKind


def named_unit(user: User, pk: int | None, *, field: str = "unit") -> Unit:
    """The unit in use that an input names by its number. Raises Invalid."""
    return named_units(user, [pk or 0], field=field)[0]


def named_units(user: User, pks: Collection[int], *, field: str = "units") -> list[Unit]:
    """The units in use that an input names by their numbers, each once. Raises Invalid when one is not found."""
    found = list(Unit.objects.visible_to(user).active().filter(pk__in=pks))
    if len(found) < len(set(pks)):
        message = _("请填写本县在用的单位。")
        raise Invalid(message, fields={field: message})
    return found


class UnitDetailRow(Shown):
    """`organisations`: the party organisations of the unit that are in use, where the caller may know them."""

    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("单位名称"))
    short_name = serializers.CharField(label=lazy("简称"))
    kind = serializers.ChoiceField(label=lazy("单位类型"), choices=UnitKind.choices)
    domain = serializers.ChoiceField(label=lazy("所属领域"), choices=Domain.choices)
    credit_code = serializers.CharField(label=lazy("统一社会信用代码"))
    address = serializers.CharField(label=lazy("地址"))
    duty = serializers.CharField(label=lazy("主要职责"))
    is_active = serializers.BooleanField(label=lazy("在用"))
    organisations = serializers.ListField(label=lazy("党组织"), child=serializers.CharField())


class UnitDetail(APIView):
    @extend_schema(operation_id="units_read", summary="一个单位", responses=UnitDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        unit = Unit.objects.visible_to(user).filter(pk=pk).first()
        if unit is None:
            raise NotFound(_("没有找到这个单位，或不在您的管辖范围内。"))
        found = PartyOrganisation.objects.visible_to(user).filter(unit=unit, is_active=True)
        return Response(_detail(unit, list(found.order_by("tree_id", "lft").values_list("name", flat=True))))


def _detail(unit: Unit, organisations: list[str]) -> dict[str, Any]:
    fields = ("name", "short_name", "kind", "domain", "credit_code", "address", "duty", "is_active")
    return {"id": unit.pk, **{name: getattr(unit, name) for name in fields}, "organisations": organisations}
