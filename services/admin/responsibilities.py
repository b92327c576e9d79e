"""The responsibility list in the admin: who answers for which measure of a project, by when."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.admin_trail import history
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from partybuilding.models import Unit
from services import list_deeds as deeds
from services.list_faces import responsibility_chips
from services.models import Responsibility, ResponsibilityState
from services.selectors.projects import overdue_responsibilities


class ResponsibilityPlaceFilter(PlaceFilter):
    path = "project__node"


class ResponsibilityStateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*ResponsibilityState.choices, ("late", _("已超期")), ("listed", _("在清单上（没有取消）"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "late":
            return rows.filter(overdue_responsibilities())
        return rows.exclude(state=ResponsibilityState.DROPPED) if value == "listed" else rows.filter(state=value)


class ResponsibleUnitFilter(SelectFilter):
    title = lazy("责任单位")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = Responsibility.objects.visible_to(request.user).order_by()
        units = Unit.objects.filter(Q(pk__in=seen.values("unit"))).order_by("name")
        return [(str(unit.pk), unit.label) for unit in units]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(unit_id=int(value))


@admin.register(Responsibility)
class ResponsibilityAdmin(SheetAdmin):
    list_display = ("what", "project_name", "who", "person", "due", "status")
    list_display_links = ("what",)
    list_filter = (ResponsibilityPlaceFilter, ResponsibilityStateFilter, ResponsibleUnitFilter)
    list_select_related = ("project__node", "unit")
    search_fields = ("measure", "person", "^project__code", "project__name", "project__node__path", "unit__name")
    search_help_text = lazy("责任内容、责任人、项目、单位")
    ordering = ("state", "due_on", "id")
    sortable_by = ()
    object_related = ("project__node", "project__county", "project__lead_unit", "unit")
    sheets = ("responsibilities",)
    empty_text = lazy("在项目页面“列责任”：谁负责、做什么、什么时候完成；也可以整表导入。")
    deeds = deeds.RESPONSIBILITY_DEEDS

    @admin.display(description=lazy("责任内容"))
    def what(self, row: Responsibility) -> str:
        return ellipsis(row.measure, 40)

    @admin.display(description=lazy("项目"))
    def project_name(self, row: Responsibility) -> str:
        # Beneath the name: a column of its own would leave no room for who and when.
        words = '<span class="cell-main">{}</span><span class="cell-under">{}</span>'
        return format_html(words, row.project.name, row.project.node.path)

    @admin.display(description=lazy("责任单位"))
    def who(self, row: Responsibility) -> str:
        return row.unit.label if row.unit else _("社区")

    @admin.display(description=lazy("完成期限"))
    def due(self, row: Responsibility) -> str:
        return day_words(row.due_on)

    @admin.display(description=lazy("状态"))
    def status(self, row: Responsibility) -> str:
        return format_html_join(" ", "{}", ((chip(*one),) for one in responsibility_chips(row)))

    def object_title(self, obj: Responsibility) -> str:
        return ellipsis(obj.measure, 60)

    def chips(self, obj: Responsibility) -> list[tuple[str, str]]:
        return responsibility_chips(obj)

    def facts(self, request: HttpRequest, obj: Responsibility) -> list[Fact]:
        project = link(str(obj.project), reverse("admin:services_project_change", args=[obj.project_id]))
        return [
            Fact(_("项目"), project, wide=True),
            Fact(_("实施地点"), obj.project.node.path),
            Fact(_("责任单位"), obj.unit.name if obj.unit else _("社区")),
            Fact(_("责任人"), obj.person),
            Fact(_("完成期限"), day_words(obj.due_on)),
            Fact(_("落实日期"), day_words(obj.done_on)),
            Fact(_("责任内容"), obj.measure, wide=True),
            Fact(_("落实情况"), obj.text, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Responsibility) -> list[Part]:
        return [history(obj)]
