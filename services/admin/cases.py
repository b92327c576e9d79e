"""Cases in the admin, for their community: who has not answered, what each unit gives, one timeline, the next step."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, Value, When
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, choice_filter, day_words, link
from core.deeds import Deed
from core.periods import datetime_words
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from grids.models import CareHousehold, GridNode
from grids.posts import VIEW_CARE
from services import posts
from services.case_deeds import CASE_DEEDS, HELP_DEEDS, OPEN, main_deed
from services.case_faces import case_chip, due_words, event, help_chips
from services.models import CaseState, Demand, Help, HelpCase, HelpKind, HelpState
from services.selectors import cases as selectors


class CasePlaceFilter(PlaceFilter):
    community = "community"


class HelpPlaceFilter(PlaceFilter):
    path = "case__node"
    community = "case__community"


class NextFilter(SelectFilter):
    title = lazy("下一步")
    parameter_name = "next"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("等社区办的"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(selectors.to_do())


@admin.register(HelpCase)
class HelpCaseAdmin(ScopedModelAdmin):
    list_display = ("what", "place", "units", "review", "next_words", "state_words")
    list_display_links = ("what",)
    list_filter = (CasePlaceFilter, choice_filter("state", lazy("状态"), CaseState.choices), NextFilter)
    search_fields = ("title", "code", "node__path")
    search_help_text = lazy("事由、编号、地点")
    sortable_by = ()
    object_template = "admin/case.html"
    empty_text = lazy("有家庭突然遇到难处，征得同意后建一个个案，请几个单位一起帮。")
    adding = OPEN
    deeds = CASE_DEEDS

    def sees_list(self, user: Any) -> bool:
        """A unit's people have the phone; the desk is the community's."""
        return policies.holds(user, posts.MANAGE_CASE)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waits = Case(When(selectors.to_do(), then=Value(0)), default=Value(1))
        rank = Case(When(state=CaseState.OPEN, then=waits), default=Value(2))
        rows = selectors.cases(request.user).filter(selectors.manages(request.user))  # type: ignore[arg-type]
        return rows.order_by(rank, "review_on", "-pk")

    def find(self, request: HttpRequest, object_id: int) -> Any:
        return selectors.find_case(request.user, object_id)  # type: ignore[arg-type]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come from a place, a household of the care ledger, or a demand: where it is, and nothing more."""
        if obj is not None:
            return {} if deed.name in {"note", "review", "ask"} else super().initial(request, deed, obj)
        return preset(request.user, request.GET)

    # --- List ---

    @admin.display(description=lazy("事由"))
    def what(self, row: HelpCase) -> str:
        return ellipsis(row.title, 40)

    @admin.display(description=lazy("地点"))
    def place(self, row: HelpCase) -> str:
        return row.node.path

    @admin.display(description=lazy("在帮的单位"))
    def units(self, row: HelpCase) -> str:
        given = (HelpState.HELPING, HelpState.DONE)
        labels = [one.unit.label for one in row.helps.all() if one.state in given]
        return ellipsis("、".join(dict.fromkeys(labels)), 40)

    @admin.display(description=lazy("下次回看"))
    def review(self, row: HelpCase) -> str:
        return day_words(row.review_on)

    @admin.display(description=lazy("下一步"))
    def next_words(self, row: HelpCase) -> str:
        words, tone = selectors.next_step(row, list(row.helps.all()))
        return chip(words, tone) if words else ""

    @admin.display(description=lazy("状态"))
    def state_words(self, row: HelpCase) -> str:
        return chip(*case_chip(row))

    # --- One ---

    def object_title(self, obj: HelpCase) -> str:
        return obj.title

    def chips(self, obj: HelpCase) -> list[tuple[str, str]]:
        return [case_chip(obj)]

    def object_context(self, request: HttpRequest, obj: HelpCase) -> dict[str, Any]:
        context = super().object_context(request, obj)
        helps = list(obj.helps.all())
        if obj.state == CaseState.OPEN:
            main = self.url("deed", obj.pk, main_deed(obj, helps))
            for button in context["buttons"]:
                button["tone"] = "main" if button["url"] == main else button["tone"]
            context["buttons"].sort(key=lambda button: button["tone"] != "main")
        if obj.erased_at is None:
            address = reverse("places:case_sheet", args=[obj.pk])
            context["buttons"].append({"label": _("打印个案单"), "tone": "plain", "url": address})
        events = [event(one) for one in selectors.entries_of(request.user, obj)]  # type: ignore[arg-type]
        return {**context, "step": selectors.next_step(obj, helps), "events": events}

    def facts(self, request: HttpRequest, obj: HelpCase) -> list[Fact]:
        place: Any = obj.node.path
        if policies.sees(request.user, obj.node):
            place = link(place, reverse("admin:grids_gridnode_change", args=[obj.node_id]))
        found = [
            Fact(_("编号"), obj.code),
            Fact(_("地点"), place),
            Fact(_("同意"), f"{obj.get_consent_display()}，{day_words(obj.consent_on)}"),
            Fact(_("建案"), f"{obj.opened_by.name}，{day_words(obj.opened_at)}"),
            Fact(_("下次回看"), day_words(obj.review_on)),
        ]
        if obj.household is not None and policies.can(request.user, VIEW_CARE, obj.household):
            address = reverse("admin:grids_carehousehold_change", args=[obj.household_id])
            found.append(Fact(_("关爱台账"), link(_("看这户"), address)))
        if obj.closed_at is not None:
            found += [
                Fact(_("结案"), datetime_words(obj.closed_at)),
                Fact(_("清除内容"), day_words(obj.erased_at or obj.erase_on)),
                Fact(_("帮扶成效"), obj.result, wide=True),
            ]
        return found

    def parts(self, request: HttpRequest, obj: HelpCase) -> list[Part]:
        rows = [
            [
                link(one.unit.label, reverse("admin:services_help_change", args=[one.pk])),
                one.get_kind_display(),
                one.wanted,
                due_words(one) or "—",
                one.result or "—",
                _chips(one),
            ]
            for one in selectors.helps_shown(request.user, obj)  # type: ignore[arg-type]
        ]
        columns = [_("单位"), _("帮扶方式"), _("希望提供"), _("期限"), _("结果"), _("状态")]
        return [Part(_("各单位的帮扶"), columns, rows, _("还没有邀请单位。点“邀请单位”，请几个单位各帮一样。"))]


@admin.register(Help)
class HelpAdmin(ScopedModelAdmin):
    list_display = ("unit_name", "kind_words", "of_case", "until", "state_words")
    list_display_links = ("unit_name",)
    list_filter = (
        HelpPlaceFilter,
        choice_filter("state", lazy("状态"), HelpState.choices),
        choice_filter("kind", lazy("帮扶方式"), HelpKind.choices),
    )
    search_fields = ("unit__name", "unit__short_name", "case__title", "case__code")
    search_help_text = lazy("单位、事由、个案编号")
    sortable_by = ()
    ordering = ("-asked_at", "-pk")
    list_select_related = ("unit", "case__community", "case__node")
    object_related = ("unit", "case__community", "case__node__county", "asked_by")
    empty_text = lazy("在帮扶个案里邀请单位，各单位的帮扶就列在这里。")
    deeds = HELP_DEEDS

    def sees_list(self, user: Any) -> bool:
        return policies.holds(user, posts.MANAGE_CASE)

    @admin.display(description=lazy("单位"))
    def unit_name(self, row: Help) -> str:
        return row.unit.name

    @admin.display(description=lazy("帮扶方式"))
    def kind_words(self, row: Help) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("个案"))
    def of_case(self, row: Help) -> str:
        return ellipsis(row.case.title, 30)

    @admin.display(description=lazy("期限"))
    def until(self, row: Help) -> str:
        return due_words(row)

    @admin.display(description=lazy("状态"))
    def state_words(self, row: Help) -> str:
        return _chips(row)

    def object_title(self, obj: Help) -> str:
        return f"{obj.unit.label}（{obj.get_kind_display()}）"

    def chips(self, obj: Help) -> list[tuple[str, str]]:
        return help_chips(obj)

    def facts(self, request: HttpRequest, obj: Help) -> list[Fact]:
        case = link(obj.case.title, reverse("admin:services_helpcase_change", args=[obj.case_id]))
        return [
            Fact(_("个案"), case, wide=True),
            Fact(_("单位"), obj.unit.name),
            Fact(_("帮扶方式"), obj.get_kind_display()),
            Fact(_("希望提供"), obj.wanted, wide=True),
            Fact(_("邀请"), f"{obj.asked_by.name}，{day_words(obj.asked_at)}"),
            Fact(_("期限"), due_words(obj)),
            Fact(_("完成时间"), datetime_words(obj.done_at) if obj.done_at else ""),
            Fact(_("结果"), obj.result, wide=True),
        ]


def _chips(row: Help) -> str:
    return format_html_join(" ", "{}", ((chip(words, tone),) for words, tone in help_chips(row)))


def preset(user: Any, asked: Any) -> dict[str, Any]:
    """What the form of a new case starts with, from `node`, `household` or `demand` of an address. Of a household and of a
    demand the place alone is taken, and of a demand its number: what residents wrote stays where they wrote it."""

    def key(name: str) -> int:
        value = asked.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 19 else 0

    places = GridNode.objects.standing().filter(policies.within(GridNode, user, posts.MANAGE_CASE))
    if key("household"):
        home = CareHousehold.objects.visible_to(user).filter(pk=key("household")).first()
        return {"household": home, "node": places.filter(pk=home.node_id).first()} if home is not None else {}
    if key("demand"):
        demand = Demand.objects.visible_to(user).filter(pk=key("demand")).first()
        if demand is None:
            return {}
        words = _("由需求 %(code)s 转来。") % {"code": demand.code}
        return {"node": places.filter(pk=demand.node_id).first(), "text": words}
    return {"node": places.filter(pk=key("node")).first()} if key("node") else {}


__all__ = ["HelpAdmin", "HelpCaseAdmin", "preset"]
