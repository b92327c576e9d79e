"""Rules, their preview, outside matters, what was learned of categories, and what is suggested for one demand, by API."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import policies
from core.api.asked import one
from core.api.bodies import caller, given
from core.api.lists import ListView, Shown
from core.errors import Invalid
from core.models import User
from grids.models import County, GridNode
from grids.selectors import managed_county
from partybuilding.models import Unit
from services import posts
from services.actions import routing as actions
from services.models import (
    Category,
    CategoryLearning,
    Demand,
    Desk,
    Origin,
    OutsideMatter,
    RouteMode,
    RouteTime,
    RoutingRule,
)
from services.selectors.duplicates import likely
from services.selectors.loop import find_demand
from services.selectors.outside import outside_matter
from services.selectors.route_preview import Group, Preview, preview
from services.selectors.routing import Route, line_of, route_of
from services.suggesting import suggest, text_of

# Demands of one group that are listed; the count tells of the rest.
LISTED = 200


class RoutingRuleRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("规则名称"))
    order = serializers.IntegerField(label=lazy("顺序"))
    active = serializers.BooleanField(label=lazy("在用"))
    faults = serializers.ListField(child=serializers.CharField(), label=lazy("已失效的"))
    mode = serializers.ChoiceField(RouteMode.choices, label=lazy("方式"))
    categories = serializers.ListField(child=serializers.CharField(), label=lazy("类别"))
    node = serializers.CharField(label=lazy("地点编码；空是不限"))
    levels = serializers.ListField(child=serializers.CharField(), label=lazy("地点层级"))
    origins = serializers.ListField(child=serializers.CharField(), label=lazy("来源"))
    time = serializers.ChoiceField(RouteTime.choices, label=lazy("登记时间"))
    words = serializers.ListField(child=serializers.CharField(), label=lazy("内容含有"))
    unit = serializers.CharField(label=lazy("牵头单位"))
    supporting = serializers.ListField(child=serializers.CharField(), label=lazy("配合单位"))
    category = serializers.CharField(label=lazy("改为类别"))
    desk = serializers.CharField(label=lazy("经办层级"))
    version = serializers.IntegerField(label=lazy("版本"))


class RoutedDemand(Shown):
    code = serializers.CharField(label=lazy("编号"))
    title = serializers.CharField(label=lazy("标题"))
    place = serializers.CharField(label=lazy("地点"))
    reasons = serializers.ListField(child=serializers.CharField(), label=lazy("为什么"))
    skipped = serializers.ListField(child=serializers.CharField(), label=lazy("跳过的规则"))


class RouteGroup(Shown):
    rule = serializers.CharField(label=lazy("规则"))
    to = serializers.CharField(label=lazy("派给"))
    auto = serializers.BooleanField(label=lazy("自动派单"))
    count = serializers.IntegerField(label=lazy("需求数"))
    demands = RoutedDemand(many=True, label=lazy("需求，最多 200 条"))


class RouteChange(Shown):
    code = serializers.CharField(label=lazy("编号"))
    before = serializers.CharField(label=lazy("现在派给；空是没有建议"))
    after = serializers.CharField(label=lazy("改后派给；空是没有建议"))


class RoutePreview(Shown):
    total = serializers.IntegerField(label=lazy("未派单的需求"))
    routed = serializers.IntegerField(label=lazy("有规则的"))
    capped = serializers.BooleanField(label=lazy("只算了最急的 2000 条"))
    groups = RouteGroup(many=True, label=lazy("按规则和单位"))
    changed = RouteChange(many=True, label=lazy("和现在不同的；只在试一条规则时有"))


class RoutingRuleInput(serializers.Serializer[Any]):
    rule = serializers.IntegerField(label=lazy("代替哪条规则；不填是新的"), min_value=1, required=False)
    name = serializers.CharField(label=lazy("规则名称"), max_length=40, default="试派")
    mode = serializers.ChoiceField(RouteMode.choices, label=lazy("方式"), default=RouteMode.SUGGEST)
    categories = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=50, default=list)
    node = serializers.CharField(label=lazy("地点编码"), max_length=40, default="", allow_blank=True)
    levels = serializers.ListField(child=serializers.CharField(max_length=20), max_length=20, default=list)
    origins = serializers.ListField(child=serializers.ChoiceField(Origin.choices), max_length=10, default=list)
    time = serializers.ChoiceField(RouteTime.choices, label=lazy("登记时间"), default=RouteTime.ANY)
    words = serializers.ListField(child=serializers.CharField(max_length=20), max_length=20, default=list)
    unit = serializers.IntegerField(label=lazy("牵头单位"), min_value=1, required=False)
    supporting = serializers.ListField(child=serializers.IntegerField(min_value=1), max_length=10, default=list)
    category = serializers.IntegerField(label=lazy("改为类别"), min_value=1, required=False)
    desk = serializers.ChoiceField([("", ""), *Desk.choices], label=lazy("经办层级"), default="")


class OutsideMatterRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("事项"))
    basis = serializers.CharField(label=lazy("依据"))
    categories = serializers.ListField(child=serializers.CharField(), label=lazy("类别"))
    words = serializers.ListField(child=serializers.CharField(), label=lazy("内容含有"))
    active = serializers.BooleanField(label=lazy("在用"))
    version = serializers.IntegerField(label=lazy("版本"))


class CategoryLearningRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    county = serializers.CharField(label=lazy("县"))
    learned_at = serializers.DateTimeField(label=lazy("学习时间"))
    examples = serializers.IntegerField(label=lazy("学习条数"))
    tried = serializers.IntegerField(label=lazy("检验条数"))
    right = serializers.IntegerField(label=lazy("判断正确"))


class SuggestedCategory(Shown):
    category = serializers.IntegerField(label=lazy("类别"))
    share = serializers.FloatField(label=lazy("把握，0 到 1"))
    words = serializers.ListField(child=serializers.CharField(), label=lazy("因为提到"))


class LikelyDuplicate(Shown):
    code = serializers.CharField(label=lazy("编号"))
    title = serializers.CharField(label=lazy("标题"))
    state = serializers.CharField(label=lazy("状态"))
    score = serializers.IntegerField(label=lazy("相似程度，满分 100"))
    why = serializers.ListField(child=serializers.CharField(), label=lazy("为什么"))
    may_take = serializers.BooleanField(label=lazy("可以并入"))


class DemandSuggestions(Shown):
    to = serializers.CharField(label=lazy("按规则派给；空是没有建议"))
    unit = serializers.IntegerField(label=lazy("牵头单位"), allow_null=True)
    supporting = serializers.ListField(child=serializers.IntegerField(), label=lazy("配合单位"))
    auto = serializers.BooleanField(label=lazy("受理后自动派单"))
    reasons = serializers.ListField(child=serializers.CharField(), label=lazy("为什么"))
    skipped = serializers.ListField(child=serializers.CharField(), label=lazy("跳过的规则"))
    outside = serializers.CharField(label=lazy("清单外事项；空是不在清单上"))
    categories = SuggestedCategory(many=True, label=lazy("可能的类别"))
    duplicates = LikelyDuplicate(many=True, label=lazy("可能是同一件事"))


def _rules(user: User) -> Any:
    rows = RoutingRule.objects.visible_to(user).select_related("node", "unit", "category", "county")
    return rows.prefetch_related("categories", "supporting").order_by("county", "order", "pk")


class RoutingRuleList(ListView):
    @extend_schema(operation_id="routing_rules_list", summary="派单规则，按顺序", responses=RoutingRuleRow(many=True))
    def get(self, request: Request) -> Response:
        return self.page(request, _rules(caller(request)), rule_row)


class RoutingRuleDetail(APIView):
    @extend_schema(operation_id="routing_rules_read", summary="一条派单规则", responses=RoutingRuleRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(rule_row(one(_rules(caller(request)), pk)))


class RoutingPreview(APIView):
    @extend_schema(
        operation_id="routing_preview",
        summary="规则会怎样派未派单的需求",
        description="只数调用者看得到的需求。",
        responses=RoutePreview,
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        county = County.objects.filter(pk__in=_rules(user).order_by().values("county")).first()
        return Response(preview_row(preview(user, county.pk) if county else Preview([], [], [], False)))

    @extend_schema(
        operation_id="routing_preview_one",
        summary="试一条还没有保存的规则：会派哪些，和现在有什么不同",
        request=RoutingRuleInput,
        responses=RoutePreview,
    )
    def post(self, request: Request) -> Response:
        user, data = caller(request), given(request, RoutingRuleInput)
        key = data.pop("rule", None)
        rule = one(_rules(user), key) if key else None
        county = rule.county if rule is not None else managed_county(user, posts.MANAGE_ROUTING)
        line = actions.proposed(actor=user, county=county, rule=rule, **_rows_of(user, data))
        return Response(preview_row(preview(user, county.pk, line=line)))


class OutsideMatterList(ListView):
    @extend_schema(operation_id="outside_matters_list", summary="清单外事项", responses=OutsideMatterRow(many=True))
    def get(self, request: Request) -> Response:
        rows = OutsideMatter.objects.visible_to(caller(request)).prefetch_related("categories")
        return self.page(request, rows, matter_row)


class OutsideMatterDetail(APIView):
    @extend_schema(operation_id="outside_matters_read", summary="一项清单外事项", responses=OutsideMatterRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(matter_row(one(OutsideMatter.objects.visible_to(caller(request)), pk)))


class CategoryLearningList(ListView):
    @extend_schema(
        operation_id="category_learning_list", summary="类别判断学得怎样", responses=CategoryLearningRow(many=True)
    )
    def get(self, request: Request) -> Response:
        rows = CategoryLearning.objects.visible_to(caller(request)).select_related("county").defer("counts")
        return self.page(request, rows, learning_row)


class CategoryLearningDetail(APIView):
    @extend_schema(
        operation_id="category_learning_read", summary="一个县的类别判断学得怎样", responses=CategoryLearningRow
    )
    def get(self, request: Request, pk: int) -> Response:
        rows = CategoryLearning.objects.visible_to(caller(request)).select_related("county").defer("counts")
        return Response(learning_row(one(rows, pk)))


class DemandSuggest(APIView):
    @extend_schema(
        operation_id="demands_suggestions",
        summary="受理、派单前的提示：派给谁、什么类别、是不是重复",
        responses=DemandSuggestions,
    )
    def get(self, request: Request, code: str) -> Response:
        user = caller(request)
        demand = find_demand(user, code=code, named=(), whole=False)
        if not policies.can(user, posts.ACCEPT_DEMAND, demand):
            policies.require(user, posts.DISPATCH_DEMAND, demand)
        return Response(suggestions_row(user, demand))


def _rows_of(user: User, data: dict[str, Any]) -> dict[str, Any]:
    """The rows that inputs name, within the caller's sight. Raises `Invalid` for one that is not."""
    code = data.pop("node")
    node = GridNode.objects.visible_to(user).filter(code=code).first() if code else None
    if code and node is None:
        message = _("没有找到这个地点，或不在您的管辖范围内。")
        raise Invalid(message, fields={"node": message})
    unit, category = data.pop("unit", None), data.pop("category", None)
    return {
        **data,
        "node": node,
        "unit": next(iter(_named(Unit, user, "unit", [unit] if unit else [])), None),
        "supporting": _named(Unit, user, "supporting", data["supporting"]),
        "categories": _named(Category, user, "categories", data["categories"]),
        "category": next(iter(_named(Category, user, "category", [category] if category else [])), None),
    }


def _named(model: Any, user: User, field: str, keys: list[int]) -> list[Any]:
    found = list(model.objects.visible_to(user).filter(pk__in=keys))
    if len(found) < len(set(keys)):
        message = _("有一项没有找到，或不在您的管辖范围内。")
        raise Invalid(message, fields={field: message})
    return found


def rule_row(rule: RoutingRule) -> dict[str, Any]:
    return {
        "id": rule.pk,
        "name": rule.name,
        "order": rule.order,
        "active": rule.is_active,
        "faults": line_of(rule).faults,
        "mode": rule.mode,
        "categories": [one.name for one in rule.categories.all()],
        "node": rule.node.code if rule.node else "",
        "levels": rule.levels,
        "origins": rule.origins,
        "time": rule.time,
        "words": rule.words,
        "unit": rule.unit.name if rule.unit else "",
        "supporting": [unit.name for unit in rule.supporting.all()],
        "category": rule.category.name if rule.category else "",
        "desk": rule.desk,
        "version": rule.version,
    }


def preview_row(found: Preview) -> dict[str, Any]:
    return {
        "total": found.total,
        "routed": found.routed,
        "capped": found.is_capped,
        "groups": [_group(group) for group in found.groups],
        "changed": [
            {"code": one.demand.code, "before": _to(one.before), "after": _to(one.route)}
            for one in found.changed[:LISTED]
        ],
    }


def _to(route: Route | None) -> str:
    return route.goes_to if route is not None else ""


def _group(group: Group) -> dict[str, Any]:
    return {
        "rule": group.rule,
        "to": group.goes_to,
        "auto": group.is_auto,
        "count": group.count,
        "demands": [
            {
                "code": one.demand.code,
                "title": one.demand.title,
                "place": one.demand.node.path,
                "reasons": one.route.reasons if one.route else [],
                "skipped": list(one.skipped),
            }
            for one in group.rows[:LISTED]
        ],
    }


def matter_row(matter: OutsideMatter) -> dict[str, Any]:
    return {
        "id": matter.pk,
        "name": matter.name,
        "basis": matter.basis,
        "categories": [one.name for one in matter.categories.all()],
        "words": matter.words,
        "active": matter.is_active,
        "version": matter.version,
    }


def learning_row(row: CategoryLearning) -> dict[str, Any]:
    return {
        "id": row.pk,
        "county": row.county.name,
        "learned_at": row.learned_at,
        "examples": row.examples,
        "tried": row.tried,
        "right": row.right,
    }


def suggestions_row(user: User, demand: Demand) -> dict[str, Any]:
    route, matter = route_of(demand), outside_matter(demand)
    [categories] = suggest(demand.county_id, [text_of(demand.title, demand.text)])
    return {
        "to": _to(route),
        "unit": route.unit.pk if route and route.unit else None,
        "supporting": [unit.pk for unit in route.supporting] if route else [],
        "auto": route is not None and route.mode == RouteMode.AUTO,
        "reasons": route.reasons if route else [],
        "skipped": route.skipped if route else [],
        "outside": matter.name if matter else "",
        "categories": [
            {"category": one.category_id, "share": round(one.share, 3), "words": one.words} for one in categories
        ],
        "duplicates": [
            {
                "code": one.demand.code,
                "title": one.demand.title,
                "state": one.demand.state,
                "score": one.score,
                "why": one.why,
                "may_take": one.may_take,
            }
            for one in likely(demand)
            if policies.sees(user, one.demand)
        ],
    }
