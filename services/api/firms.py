"""Figures of property firms by API: what they were advised, what was passed on to them and what came of it."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller
from core.api.lists import Shown
from core.periods import Year, parse_period
from grids.api.nodes import find as find_place
from services.api.rates import ThreeRatesRow, rates_row
from services.posts import VIEW_FIRM
from services.selectors.firms import Figures, board
from services.selectors.rates import RATES
from services.selectors.two_way import place_of


class PropertyFiguresRow(Shown):
    name = serializers.CharField(label=_("地点或物业企业"))
    advice = serializers.IntegerField(label=_("物业指导（次）"))
    passed = serializers.IntegerField(label=_("转物业办理（件）"))
    finished = serializers.IntegerField(label=_("已办结"))
    open = serializers.IntegerField(label=_("办理中"))
    late = serializers.IntegerField(label=_("超期"))
    returned = serializers.IntegerField(label=_("已退回"))
    heard = serializers.IntegerField(label=_("居民确认解决（人次）"))
    rates = ThreeRatesRow(label=_("三率，只算物业牵头的"))
    ratings = serializers.IntegerField(label=_("社区评价（次）"))
    ratings_good = serializers.IntegerField(label=_("其中满意和基本满意"))


class PropertyPlaceRow(PropertyFiguresRow):
    code = serializers.CharField(label=_("地点编码；全县为空"))


class PropertyFirmRow(PropertyFiguresRow):
    id = serializers.IntegerField(label=_("单位编号"))
    compounds = serializers.IntegerField(label=_("在管小区"))
    homes = serializers.IntegerField(label=_("在管户数"))


class PropertyBoardRow(PropertyPlaceRow):
    period = serializers.CharField(label=_("时段"))
    below = PropertyPlaceRow(label=_("下一级"), many=True)
    firms = PropertyFirmRow(label=_("各物业企业，按名称"), many=True)


class PropertyFirms(APIView):
    @extend_schema(
        operation_id="property_firms",
        summary="物业服务：一处、它的下一级和各物业企业的数字",
        parameters=[
            OpenApiParameter("place", str, description="地点编码：这里和它里面的"),
            OpenApiParameter("period", str, description="登记时段，如 2026-03、2026Q1、2026；不填为今年"),
        ],
        responses=PropertyBoardRow,
    )
    def get(self, request: Request) -> Response:
        user, asked = caller(request), request.query_params
        code, words = asked.get("place"), asked.get("period")
        period = parse_period(words) if words else Year.of(timezone.localdate())
        key = str(find_place(user, code, field="place").pk) if code else ""
        county, place = place_of(user, key, VIEW_FIRM)
        found = board(county, place, period)
        return Response(
            {
                "code": place.code if place else "",
                **_row(place.name if place else county.name, found.whole),
                "period": period.code,
                "below": [{"code": node.code, **_row(node.name, figures)} for node, figures in found.below],
                "firms": [
                    {
                        "id": line.firm.pk,
                        "compounds": line.compounds,
                        "homes": line.homes,
                        **_row(line.firm.name, line.figures),
                    }
                    for line in found.firms
                ],
            }
        )


def _row(name: str, found: Figures) -> dict[str, Any]:
    return {
        "name": name,
        "advice": found.advice,
        "passed": found.passed,
        **{standing: found.orders[standing] for standing in ("finished", "open", "late", "returned")},
        "heard": found.heard,
        "rates": rates_row({name: found.rate(name) for name in RATES}),
        "ratings": found.graded.count,
        "ratings_good": found.graded.satisfied + found.graded.fairly,
    }
