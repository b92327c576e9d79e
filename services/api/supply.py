"""The four lists by API: resources, projects and responsibilities, and the totals that every face shows."""

from typing import Any

from django.utils.translation import gettext_lazy as lazy
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.asked import chosen, number, one
from core.api.bodies import caller
from core.api.lists import ListView, Shown
from core.api.moves import Moves
from core.models import User
from grids.api.nodes import find as find_place
from grids.api.nodes import inside
from partybuilding.api.units import named_unit
from services.actions import claim_project
from services.models import (
    FreeTime,
    Project,
    ProjectState,
    Resource,
    ResourceKind,
    ResourceState,
    Responsibility,
    ResponsibilityState,
)
from services.selectors.lists import LABELS, four_lists
from services.selectors.projects import bought_in, overdue_projects, overdue_responsibilities
from services.selectors.resources import with_left
from services.workflow import PROJECT

MOST = 200
_NODE = OpenApiParameter("node", str, description="地点编码：这里和它下面的")
_UNIT = OpenApiParameter("unit", int, description="单位编号")


class ResourceRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    name = serializers.CharField(label=lazy("资源名称"))
    kind = serializers.ChoiceField(ResourceKind.choices, label=lazy("类型"))
    unit = serializers.CharField(label=lazy("提供单位；社区自有的为空"))
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("使用范围"))
    category = serializers.CharField(label=lazy("对应需求类别；不限的为空"))
    quantity = serializers.IntegerField(label=lazy("数量"))
    left = serializers.IntegerField(label=lazy("剩余"))
    measure = serializers.CharField(label=lazy("计量单位"))
    times = serializers.ListField(child=serializers.ChoiceField(FreeTime.choices), label=lazy("可用时段；空为随时"))
    start = serializers.DateField(label=lazy("可用起"))
    end = serializers.DateField(allow_null=True, label=lazy("可用止"))
    state = serializers.ChoiceField(ResourceState.choices, label=lazy("状态"))
    checked_on = serializers.DateField(label=lazy("最近核对"))
    version = serializers.IntegerField(label=lazy("版本"))


class ResourceDetailRow(ResourceRow):
    text = serializers.CharField(label=lazy("说明"))
    reason = serializers.CharField(label=lazy("意见"))


class ProjectRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    code = serializers.CharField(label=lazy("项目编号"))
    name = serializers.CharField(label=lazy("项目名称"))
    node = serializers.CharField(label=lazy("地点编码"))
    place = serializers.CharField(label=lazy("实施地点"))
    lead_unit = serializers.CharField(label=lazy("牵头单位；还没有的为空"))
    budget = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True, label=lazy("预算（元）"))
    start_on = serializers.DateField(allow_null=True, label=lazy("开始日期"))
    due_on = serializers.DateField(allow_null=True, label=lazy("完成期限"))
    done_on = serializers.DateField(allow_null=True, label=lazy("验收日期"))
    state = serializers.ChoiceField(ProjectState.choices, label=lazy("状态"))
    version = serializers.IntegerField(label=lazy("版本"))


class ProjectResourceRow(Shown):
    id = serializers.IntegerField(label=lazy("资源编号"))
    name = serializers.CharField(label=lazy("资源"))
    quantity = serializers.IntegerField(label=lazy("数量"))
    measure = serializers.CharField(label=lazy("计量单位"))


class MilestoneRow(Shown):
    title = serializers.CharField(label=lazy("节点"))
    due_on = serializers.DateField(label=lazy("计划日期"))
    done_on = serializers.DateField(allow_null=True, label=lazy("完成日期"))
    text = serializers.CharField(label=lazy("进展"))


class ResponsibilityRow(Shown):
    id = serializers.IntegerField(label=lazy("编号"))
    project = serializers.CharField(label=lazy("项目编号"))
    project_name = serializers.CharField(label=lazy("项目名称"))
    unit = serializers.CharField(label=lazy("责任单位；社区的为空"))
    person = serializers.CharField(label=lazy("责任人"))
    measure = serializers.CharField(label=lazy("责任内容"))
    due_on = serializers.DateField(label=lazy("完成期限"))
    done_on = serializers.DateField(allow_null=True, label=lazy("落实日期"))
    state = serializers.ChoiceField(ResponsibilityState.choices, label=lazy("状态"))
    text = serializers.CharField(label=lazy("落实情况"))
    version = serializers.IntegerField(label=lazy("版本"))


class ProjectDetailRow(ProjectRow):
    text = serializers.CharField(label=lazy("项目内容"))
    result = serializers.CharField(label=lazy("完成情况"))
    reason = serializers.CharField(label=lazy("意见"))
    supporting = serializers.ListField(child=serializers.CharField(), label=lazy("配合单位"))
    demands = serializers.ListField(child=serializers.CharField(), label=lazy("对应需求的编号"))
    resources = ProjectResourceRow(many=True, label=lazy("所用资源"))
    milestones = MilestoneRow(many=True, label=lazy("项目节点"))
    responsibilities = ResponsibilityRow(many=True, label=lazy("责任清单"))


class ListStateRow(Shown):
    state = serializers.CharField(label=lazy("状态"))
    words = serializers.CharField(label=lazy("状态（文字）"))
    count = serializers.IntegerField(label=lazy("项数"))


class ListTotalRow(Shown):
    list = serializers.ChoiceField(list(LABELS.items()), label=lazy("清单"))
    words = serializers.CharField(label=lazy("清单（文字）"))
    total = serializers.IntegerField(label=lazy("在册的项数"))
    done = serializers.IntegerField(label=lazy("办成的项数：已销号、可用、已完成、已落实"))
    late = serializers.IntegerField(label=lazy("超期的项数"))
    states = ListStateRow(many=True, label=lazy("各状态的项数，撤回和取消的也在内"))


class ProjectClaimInput(serializers.Serializer[Any]):
    unit = serializers.IntegerField(min_value=1, max_value=10**18, label=lazy("单位编号"))
    version = serializers.IntegerField(required=False, label=lazy("版本"))


class ResourceList(ListView):
    @extend_schema(
        operation_id="resources_list",
        summary="资源清单",
        parameters=[
            _NODE,
            _UNIT,
            OpenApiParameter("state", str, enum=ResourceState.values),
            OpenApiParameter("kind", str, enum=ResourceKind.values),
        ],
        responses=ResourceRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = _narrowed(request, _resources(user), "node", unit="unit")
        if kind := chosen(request, "kind", ResourceKind.values):
            found = found.filter(kind=kind)
        found = _in_state(request, found, ResourceState.values)
        return self.page(request, found.order_by("node__tree_id", "node__lft", "kind", "name", "pk"), _resource_row)


class ResourceDetail(APIView):
    @extend_schema(operation_id="resources_read", summary="一项资源", responses=ResourceDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        row = one(_resources(caller(request)), pk)
        return Response({**_resource_row(row), "text": row.text, "reason": row.reason})


class ProjectList(ListView):
    @extend_schema(
        operation_id="projects_list",
        summary="项目清单",
        parameters=[
            _NODE,
            _UNIT,
            OpenApiParameter("state", str, enum=ProjectState.values),
            OpenApiParameter("late", bool, description="只要超期的"),
            OpenApiParameter("bought_in", bool, description="只要向社会组织购买的服务"),
        ],
        responses=ProjectRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = _narrowed(request, _projects(user), "node", unit="lead_unit")
        if request.query_params.get("late") == "true":
            found = found.filter(overdue_projects())
        if request.query_params.get("bought_in") == "true":
            found = found.filter(bought_in())
        found = _in_state(request, found, ProjectState.values)
        return self.page(request, found.order_by("-created_at", "-pk"), _project_row)


class ProjectDetail(APIView):
    @extend_schema(operation_id="projects_read", summary="一个项目：需求、资源、节点、责任", responses=ProjectDetailRow)
    def get(self, request: Request, pk: int) -> Response:
        user = caller(request)
        return Response(_project_detail(user, one(_projects(user), pk)))


def _with_unit(user: User, row: Project, data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "unit": named_unit(user, data["unit"])}


PROJECT_MOVES: Moves[Project] = Moves(PROJECT, "project", {"claim": (ProjectClaimInput, claim_project)}, _with_unit)


class ProjectClaim(APIView):
    @extend_schema(operation_id="projects_claim", summary="认领", request=ProjectClaimInput, responses=ProjectDetailRow)
    def post(self, request: Request, pk: int) -> Response:
        user = caller(request)
        PROJECT_MOVES.make(request, one(_projects(user), pk), "claim")
        return Response(_project_detail(user, one(_projects(user), pk)))


class ResponsibilityList(ListView):
    @extend_schema(
        operation_id="responsibilities_list",
        summary="责任清单",
        parameters=[
            _NODE,
            _UNIT,
            OpenApiParameter("state", str, enum=ResponsibilityState.values),
            OpenApiParameter("late", bool, description="只要超期的"),
        ],
        responses=ResponsibilityRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        found = _narrowed(request, _responsibilities(user), "project__node", unit="unit")
        if request.query_params.get("late") == "true":
            found = found.filter(overdue_responsibilities())
        found = _in_state(request, found, ResponsibilityState.values)
        return self.page(request, found.order_by("state", "due_on", "pk"), _responsibility_row)


class ResponsibilityDetail(APIView):
    @extend_schema(operation_id="responsibilities_read", summary="一条责任", responses=ResponsibilityRow)
    def get(self, request: Request, pk: int) -> Response:
        return Response(_responsibility_row(one(_responsibilities(caller(request)), pk)))


class FourLists(APIView):
    @extend_schema(
        operation_id="lists_totals",
        summary="四张清单的合计，与页面和台账相同",
        parameters=[_NODE],
        responses=ListTotalRow(many=True),
    )
    def get(self, request: Request) -> Response:
        user = caller(request)
        code = request.query_params.get("node")
        totals = four_lists(user, find_place(user, code, field="node") if code else None)
        return Response(
            [
                {
                    "list": one.key,
                    "words": one.label,
                    "total": one.total,
                    "done": one.done,
                    "late": one.late,
                    "states": [
                        {"state": state.key, "words": state.label, "count": state.count} for state in one.states
                    ],
                }
                for one in totals
            ]
        )


# --- Rows -------------------------------------------------------------------------------------------------------------


def _resources(user: User) -> Any:
    return with_left(Resource.objects.visible_to(user)).select_related("node", "unit", "category")


def _projects(user: User) -> Any:
    return Project.objects.visible_to(user).select_related("node", "lead_unit", "county")


def _responsibilities(user: User) -> Any:
    return Responsibility.objects.visible_to(user).select_related("project", "unit")


def _narrowed(request: Request, rows: Any, path: str, *, unit: str) -> Any:
    if (key := number(request, "unit")) is not None:
        rows = rows.filter(**{f"{unit}_id": key})
    return inside(request, rows, path, field="node")


def _in_state(request: Request, rows: Any, states: list[str]) -> Any:
    state = chosen(request, "state", states)
    return rows.filter(state=state) if state else rows


def _resource_row(row: Any) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": row.name,
        "kind": row.kind,
        "unit": row.unit.name if row.unit else "",
        "node": row.node.code,
        "place": row.node.path,
        "category": row.category.name if row.category else "",
        "quantity": row.quantity,
        "left": row.left,
        "measure": row.measure,
        "times": row.times,
        "start": row.start,
        "end": row.end,
        "state": row.state,
        "checked_on": row.checked_on,
        "version": row.version,
    }


def _project_row(row: Project) -> dict[str, Any]:
    return {
        "id": row.pk,
        "code": row.code,
        "name": row.name,
        "node": row.node.code,
        "place": row.node.path,
        "lead_unit": row.lead_unit.name if row.lead_unit else "",
        "budget": str(row.budget) if row.budget is not None else None,
        "start_on": row.start_on,
        "due_on": row.due_on,
        "done_on": row.done_on,
        "state": row.state,
        "version": row.version,
    }


def _project_detail(user: User, row: Project) -> dict[str, Any]:
    duties = row.responsibilities.select_related("project", "unit").order_by("due_on", "pk")
    return {
        **_project_row(row),
        "text": row.text,
        "result": row.result,
        "reason": row.reason,
        "supporting": [unit.name for unit in row.supporting.order_by("name")],
        "demands": list(row.demands.all().visible_to(user).order_by("code").values_list("code", flat=True)[:MOST]),
        "resources": [
            {
                "id": one.resource_id,
                "name": one.resource.name,
                "quantity": one.quantity,
                "measure": one.resource.measure,
            }
            for one in row.allocations.select_related("resource")[:MOST]
        ],
        "milestones": list(row.milestones.values("title", "due_on", "done_on", "text")[:MOST]),
        "responsibilities": [_responsibility_row(one) for one in duties[:MOST]],
    }


def _responsibility_row(row: Responsibility) -> dict[str, Any]:
    return {
        "id": row.pk,
        "project": row.project.code,
        "project_name": row.project.name,
        "unit": row.unit.name if row.unit else "",
        "person": row.person,
        "measure": row.measure,
        "due_on": row.due_on,
        "done_on": row.done_on,
        "state": row.state,
        "text": row.text,
        "version": row.version,
    }
