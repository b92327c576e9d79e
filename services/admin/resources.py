"""The resource list in the admin: what there is, how much of it is left, and where it is used."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.admin_trail import history
from core.deeds import Deed
from core.periods import Month
from grids.admin_places import PlaceFilter, asked_place
from partybuilding.models import Unit
from services import list_deeds as deeds
from services.admin.matching import match_tools
from services.list_faces import left_words, project_chips, resource_chips
from services.models import FreeTime, ProjectResource, Resource, ResourceKind, ResourceState
from services.models.words import labels_of
from services.selectors.resources import left_of, usable, with_left

MOST = 100


class ResourceStateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*ResourceState.choices, ("listed", _("在清单上（没有撤回）"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.exclude(state=ResourceState.WITHDRAWN) if value == "listed" else rows.filter(state=value)


class LeftFilter(SelectFilter):
    """What can be used now, what is used up, what nobody has looked at this month."""

    title = lazy("可用情况")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("some", _("现在可用、有剩余")),
            ("none", _("已经用完")),
            ("over", _("已过期")),
            ("old", _("本月没有核对")),
        ]

    def narrow(self, rows: Any, value: str) -> QuerySet[Any]:
        today = timezone.localdate()
        if value == "some":
            return rows.filter(usable(today), left__gt=0)
        if value == "none":
            return rows.filter(usable(today), left__lte=0)
        standing = rows.filter(state=ResourceState.AVAILABLE)
        if value == "over":
            return standing.filter(end__lt=today)
        return standing.filter(checked_on__lt=Month.of(today).first_day)


class UnitFilter(SelectFilter):
    title = lazy("提供单位")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        seen = Resource.objects.visible_to(request.user).filter(unit__isnull=False)
        units = Unit.objects.filter(pk__in=seen.order_by().values("unit")).order_by("name")
        return [("own", _("社区自有")), *((str(unit.pk), unit.label) for unit in units)]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(unit=None) if value == "own" else rows.filter(unit_id=int(value))


@admin.register(Resource)
class ResourceAdmin(SheetAdmin):
    list_display = ("what", "kind_words", "who", "place", "left_cell", "when", "status")
    list_display_links = ("what",)
    list_filter = (
        PlaceFilter,
        ResourceStateFilter,
        choice_filter("kind", lazy("类型"), ResourceKind.choices),
        UnitFilter,
        LeftFilter,
    )
    list_select_related = ("node", "unit", "category")
    search_fields = ("name", "text", "unit__name", "unit__short_name", "node__path")
    search_help_text = lazy("资源、单位、地点")
    ordering = ("node__tree_id", "node__lft", "kind", "name", "id")
    sortable_by = ()
    object_related = ("county", "node", "unit", "category")
    lookup_fields = ("name", "unit__name", "unit__short_name")
    sheets = ("resources",)
    empty_text = lazy("报到单位在手机上提供资源，社区核实后列在这里；社区也可以直接登记，或整表导入。")
    adding = deeds.REGISTER
    deeds = deeds.RESOURCE_DEEDS

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_left(super().get_queryset(request))

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), *match_tools(request)]

    def lookup_text(self, row: Resource) -> str:
        return deeds.forms.resource_words(row)

    @admin.display(description=lazy("资源"))
    def what(self, row: Resource) -> str:
        return row.name

    @admin.display(description=lazy("类型"))
    def kind_words(self, row: Resource) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("提供单位"))
    def who(self, row: Resource) -> str:
        return row.unit.label if row.unit else _("社区自有")

    @admin.display(description=lazy("使用范围"))
    def place(self, row: Resource) -> str:
        return row.node.path

    @admin.display(description=lazy("剩余"))
    def left_cell(self, row: Any) -> str:
        return left_words(row, row.left)

    @admin.display(description=lazy("最近核对"))
    def when(self, row: Resource) -> str:
        return day_words(row.checked_on)

    @admin.display(description=lazy("状态"))
    def status(self, row: Resource) -> str:
        return format_html_join(" ", "{}", ((chip(*one),) for one in resource_chips(row)))

    # --- One ---

    def chips(self, obj: Resource) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "grey"), *resource_chips(obj)]

    def facts(self, request: HttpRequest, obj: Resource) -> list[Fact]:
        who: Any = _("社区自有")
        if obj.unit is not None:
            who = obj.unit.name
            if policies.sees(request.user, obj.unit):
                who = link(who, reverse("admin:partybuilding_unit_change", args=[obj.unit_id]))
        until = day_words(obj.end) or _("长期")
        return [
            Fact(_("提供单位"), who),
            Fact(_("使用范围"), obj.node.path),
            Fact(_("数量"), left_words(obj, left_of([obj])[obj.pk])),
            Fact(_("对应需求类别"), obj.category.name if obj.category else _("不限")),
            Fact(_("可用时段"), labels_of(FreeTime, obj.times) or _("随时")),
            Fact(_("可用期限"), _("%(start)s 至 %(end)s") % {"start": day_words(obj.start), "end": until}),
            Fact(_("最近核对"), day_words(obj.checked_on)),
            Fact(_("说明"), obj.text, wide=True),
            *([Fact(_("意见"), obj.reason, wide=True)] if obj.reason else []),
        ]

    def parts(self, request: HttpRequest, obj: Resource) -> list[Part]:
        seen = ProjectResource.objects.visible_to(request.user).filter(resource=obj)
        seen = seen.select_related("project__node", "project__lead_unit")
        rows = [
            [
                link(one.project.name, reverse("admin:services_project_change", args=[one.project_id])),
                one.project.node.path,
                format_html("{} {}", one.quantity, obj.measure),
                format_html_join(" ", "{}", ((chip(*each),) for each in project_chips(one.project))),
            ]
            for one in seen.order_by(F("project__done_on").desc(nulls_first=True), "-pk")[:MOST]
        ]
        columns = [_("项目"), _("实施地点"), _("数量"), _("状态")]
        return [Part(_("用在哪些项目"), columns, rows, _("还没有项目使用这项资源。")), history(obj)]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one is registered where the person works, when there is no doubt about it."""
        if obj is not None:
            return super().initial(request, deed, obj)
        if node := asked_place(request, deeds.posts.MANAGE_RESOURCE):
            return {"node": node}
        places = deeds.forms.GridNode.objects.standing().filter(
            policies.within(deeds.forms.GridNode, request.user, deeds.posts.MANAGE_RESOURCE), Q(pk=F("community_id"))
        )
        found = list(places[:2])
        return {"node": found[0]} if len(found) == 1 else {}
