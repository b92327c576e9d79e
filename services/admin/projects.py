"""The project list in the admin, the page of one project, and the overview of the four lists."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.admin_trail import history
from core.deeds import Deed
from grids.admin_places import PlaceFilter, asked_place
from partybuilding.models import Unit
from services import list_deeds as deeds
from services import posts
from services.admin import list_pages
from services.list_faces import (
    left_words,
    milestone_chip,
    pictures_of,
    progress_words,
    project_chips,
    responsibility_chips,
)
from services.models import Demand, Project, ProjectState
from services.selectors.projects import bought_in, is_bought_in, overdue_projects
from services.selectors.resources import left_of
from services.views import cards

MOST = 100


class ProjectStateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            *ProjectState.choices,
            ("late", _("已超期")),
            ("listed", _("在清单上（没有取消）")),
            ("bought_in", _("购买服务")),
        ]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "late":
            return rows.filter(overdue_projects())
        if value == "bought_in":
            return rows.filter(bought_in())
        return rows.exclude(state=ProjectState.DROPPED) if value == "listed" else rows.filter(state=value)


class ProjectUnitFilter(SelectFilter):
    """Leading or supporting."""

    title = lazy("单位")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = Project.objects.visible_to(request.user).order_by()
        either = Q(pk__in=seen.values("lead_unit")) | Q(pk__in=seen.values("supporting"))
        return [(str(unit.pk), unit.label) for unit in Unit.objects.filter(either).order_by("name")]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        supported = Project.supporting.through.objects.filter(unit_id=int(value))
        return rows.filter(Q(lead_unit_id=int(value)) | Q(pk__in=supported.values("project")))


@admin.register(Project)
class ProjectAdmin(SheetAdmin):
    list_display = ("what", "place", "lead", "needs", "steps_cell", "due", "status")
    list_display_links = ("what",)
    list_filter = (PlaceFilter, ProjectStateFilter, ProjectUnitFilter)
    list_select_related = ("node", "lead_unit")
    search_fields = ("^code", "name", "text", "node__path", "lead_unit__name", "lead_unit__short_name")
    search_help_text = lazy("编号、项目、地点、牵头单位")
    ordering = ("-created_at", "-id")
    sortable_by = ()
    object_related = ("county", "node", "community", "lead_unit", "leader")
    sheets = ("projects",)
    object_template = "admin/project.html"
    empty_text = lazy("把需求和资源合成项目，发布给报到单位认领；也可以整表导入。")
    adding = deeds.DRAFT
    deeds = deeds.PROJECT_DEEDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).prefetch_related("milestones", "demands")

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("四张清单"), self.url("lists"), "plain")]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come from a place's or a demand's page; one that stands names its demands and units."""
        if obj is None:
            return {"node": asked_place(request, posts.MANAGE_PROJECT), **self._from_demand(request)}
        found = super().initial(request, deed, obj)
        if "demands" in deed.form.base_fields:
            seen = Demand.objects.visible_to(request.user).filter(projects=obj)
            codes = list(seen.order_by("code").values_list("code", flat=True))
            found["demands"], found["shown"] = "\n".join(codes), " ".join(codes)
            found["supporting"] = "\n".join(unit.name for unit in obj.supporting.order_by("name"))
        return found

    @staticmethod
    def _from_demand(request: HttpRequest) -> dict[str, Any]:
        code = request.GET.get("demand", "")[:20]
        demand = Demand.objects.visible_to(request.user).select_related("community").filter(code=code).first()
        if demand is None:
            return {}
        return {"demands": demand.code, "node": demand.community, "name": demand.title}

    # --- List ---

    @admin.display(description=lazy("项目"))
    def what(self, row: Project) -> str:
        return format_html('<span class="cell-main">{}</span><span class="cell-under">{}</span>', row.name, row.code)

    @admin.display(description=lazy("实施地点"))
    def place(self, row: Project) -> str:
        return row.node.path

    @admin.display(description=lazy("牵头单位"), empty_value="—")
    def lead(self, row: Project) -> str | None:
        return row.lead_unit.label if row.lead_unit else None

    @admin.display(description=lazy("对应需求"))
    def needs(self, row: Project) -> str:
        return _("%(count)d 条") % {"count": len(row.demands.all())}

    @admin.display(description=lazy("进度"), empty_value="—")
    def steps_cell(self, row: Project) -> str | None:
        return progress_words(list(row.milestones.all())) or None

    @admin.display(description=lazy("完成期限"), empty_value="—")
    def due(self, row: Project) -> str | None:
        return day_words(row.due_on) or None

    @admin.display(description=lazy("状态"))
    def status(self, row: Project) -> str:
        return format_html_join(" ", "{}", ((chip(*one),) for one in project_chips(row)))

    # --- One ---

    def object_title(self, obj: Project) -> str:
        return obj.name

    def chips(self, obj: Project) -> list[tuple[str, str]]:
        return project_chips(obj)

    def facts(self, request: HttpRequest, obj: Project) -> list[Fact]:
        lead: Any = obj.lead_unit.name if obj.lead_unit else ""
        if obj.lead_unit is not None and policies.sees(request.user, obj.lead_unit):
            lead = link(lead, reverse("admin:partybuilding_unit_change", args=[obj.lead_unit_id]))
        proposed = obj.lead_unit is not None and obj.state in (ProjectState.DRAFT, ProjectState.OPEN)
        supporting = _("、").join(unit.name for unit in obj.supporting.order_by("name"))
        found = [
            Fact(_("编号"), obj.code),
            Fact(_("实施地点"), obj.node.path),
            Fact(_("拟牵头单位") if proposed else _("牵头单位"), lead),
            Fact(_("配合单位"), supporting),
            Fact(_("开始日期"), day_words(obj.start_on)),
            Fact(_("完成期限"), day_words(obj.due_on)),
            Fact(
                _("购买服务费用") if is_bought_in(obj) else _("预算"),
                _("%(sum)s 元") % {"sum": f"{obj.budget:,.2f}"} if obj.budget is not None else "",
            ),
            Fact(_("项目内容"), obj.text, wide=True),
        ]
        if obj.leader is not None:
            found.append(Fact(_("协调领导"), obj.leader.name))
        if obj.result:
            found.append(Fact(_("完成情况"), obj.result, wide=True))
        if obj.done_on:
            found.append(Fact(_("验收日期"), day_words(obj.done_on)))
        if obj.reason:
            found.append(Fact(_("意见"), obj.reason, wide=True))
        return found

    def parts(self, request: HttpRequest, obj: Project) -> list[Part]:
        return [
            self._demands(request, obj),
            self._resources(obj),
            self._responsibilities(obj),
            self._milestones(obj),
            history(obj),
        ]

    @staticmethod
    def _demands(request: HttpRequest, obj: Project) -> Part:
        seen = Demand.objects.visible_to(request.user).filter(projects=obj).select_related("node", "category")
        rows = [
            [
                link(row.title, reverse("admin:services_demand_change", args=[row.pk])),
                row.node.path,
                row.category.name,
                chip(cards.state_chip(row).label, cards.state_chip(row).tone),
            ]
            for row in seen.order_by("code")[:MOST]
        ]
        columns = [_("需求"), _("地点"), _("类别"), _("状态")]
        return Part(_("对应需求"), columns, rows, _("没有列出对应的需求，可以在“修改”里填需求编号。"))

    @staticmethod
    def _resources(obj: Project) -> Part:
        held = list(obj.allocations.select_related("resource__unit").order_by("pk"))
        left = left_of(one.resource for one in held)
        rows = [
            [
                link(one.resource.name, reverse("admin:services_resource_change", args=[one.resource_id])),
                one.resource.unit.label if one.resource.unit else _("社区自有"),
                f"{one.quantity:,} {one.resource.measure}",
                left_words(one.resource, left[one.resource_id]),
            ]
            for one in held
        ]
        columns = [_("资源"), _("提供单位"), _("本项目使用"), _("总的剩余")]
        return Part(_("所用资源"), columns, rows, _("还没有选用资源。"))

    @staticmethod
    def _responsibilities(obj: Project) -> Part:
        rows = [
            [
                link(row.measure, reverse("admin:services_responsibility_change", args=[row.pk])),
                row.unit.label if row.unit else _("社区"),
                row.person,
                day_words(row.due_on),
                format_html_join(" ", "{}", ((chip(*one),) for one in responsibility_chips(row))),
            ]
            for row in obj.responsibilities.select_related("unit").order_by("state", "due_on", "pk")[:MOST]
        ]
        columns = [_("责任内容"), _("责任单位"), _("责任人"), _("完成期限"), _("状态")]
        return Part(_("责任清单"), columns, rows, _("还没有列出责任：谁负责、做什么、什么时候完成。"))

    @staticmethod
    def _milestones(obj: Project) -> Part:
        rows = [
            [
                row.title,
                day_words(row.due_on),
                day_words(row.done_on) or "—",
                chip(*milestone_chip(row)),
                row.text or "—",
            ]
            for row in obj.milestones.order_by(F("done_on").asc(nulls_last=True), "due_on", "pk")[:MOST]
        ]
        columns = [_("节点"), _("计划日期"), _("完成日期"), _("状态"), _("进展")]
        return Part(_("项目节点"), columns, rows, _("还没有节点。"))

    def object_context(self, request: HttpRequest, obj: Project) -> dict[str, Any]:
        pair = pictures_of(obj, list(obj.photos.order_by("stage", "pk")))
        return {**super().object_context(request, obj), "pair": pair}

    # --- The four lists ---

    def more_urls(self) -> list[URLPattern]:
        return [self.page("lists/", self.lists_view, "lists")]

    def lists_view(self, request: HttpRequest) -> HttpResponse:
        """The totals of the four lists of a place, each with the way to its rows."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        return self.render(request, "admin/four_lists.html", list_pages.context(request, self.url("lists")))
