"""The three rates by API, from the tallies the caller may see; each with what it rests on and what was left out."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bodies import caller
from core.api.lists import Shown
from core.periods import Month, parse_period
from grids.api.nodes import find as find_place
from grids.querysets import in_subtree
from services.models import Tally
from services.selectors.rates import RATES, Rate, by_community, rates_of, totals


class RateRow(Shown):
    numerator = serializers.IntegerField(label="分子")
    denominator = serializers.IntegerField(label="分母")
    excluded = serializers.IntegerField(label="已剔除")
    percent = serializers.FloatField(label="百分比，样本不足时为空", allow_null=True)


class ThreeRatesRow(Shown):
    response = RateRow(label="响应率")
    resolution = RateRow(label="解决率")
    satisfaction = RateRow(label="满意率")


class CommunityRatesRow(Shown):
    code = serializers.CharField(label="编码")
    name = serializers.CharField(label="社区")
    rates = ThreeRatesRow(label="三率")


class RatesRow(Shown):
    period = serializers.CharField(label="时段")
    total = ThreeRatesRow(label="合计")
    communities = CommunityRatesRow(label="各社区", many=True)


def rates_row(found: dict[str, Rate]) -> dict[str, Any]:
    return {
        name: {
            "numerator": found[name].numerator,
            "denominator": found[name].denominator,
            "excluded": found[name].excluded,
            "percent": found[name].percent,
        }
        for name in RATES
    }


class Rates(APIView):
    @extend_schema(
        operation_id="rates",
        summary="响应率、解决率、满意率：分子、分母、已剔除，合计和各社区",
        parameters=[
            OpenApiParameter("place", str, description="地点编码：这里和它里面的社区"),
            OpenApiParameter("period", str, description="登记时段，如 2026-03、2026Q1、2026；不填为本月"),
        ],
        responses=RatesRow,
    )
    def get(self, request: Request) -> Response:
        user, code = caller(request), request.query_params.get("place")
        asked = request.query_params.get("period")
        period = parse_period(asked) if asked else Month.of(timezone.localdate())
        tallies = Tally.objects.visible_to(user).filter(month__in=[one.first_day for one in period.months()])
        if code:
            tallies = tallies.filter(in_subtree(find_place(user, code, field="place"), "community"))
        return Response(
            {
                "period": period.code,
                "total": rates_row(rates_of(totals(tallies))),
                "communities": [
                    {"code": code, "name": name, "rates": rates_row(found)}
                    for code, name, found in by_community(tallies)
                ],
            }
        )
