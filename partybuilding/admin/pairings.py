"""Who looks after which place, in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from partybuilding import actions, posts
from partybuilding.admin import pairing_forms as forms
from partybuilding.admin import pairing_gaps as gap_pages
from partybuilding.models import Pairing, PairingKind, PairingProblem, PairingVisit
from partybuilding.pairing_deeds import VISIT
from partybuilding.pairing_kinds import KINDS

MOST = 100


def _start(*, actor: Any, obj: None, **data: Any) -> Pairing:
    return actions.start_pairing(actor=actor, **data)


def _change(*, actor: Any, obj: Pairing, **data: Any) -> Pairing:
    return actions.change_duty(actor=actor, pairing=obj, **data)


def _hand_over(*, actor: Any, obj: Pairing, **data: Any) -> Pairing:
    return actions.hand_over_pairing(actor=actor, pairing=obj, **data)


def _end(*, actor: Any, obj: Pairing, **data: Any) -> Pairing:
    return actions.end_pairing(actor=actor, pairing=obj, **data)


def _problem(*, actor: Any, obj: Pairing, **data: Any) -> Pairing:
    actions.add_problem(actor=actor, pairing=obj, **data)
    return obj


class StateFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("包联中")), ("0", _("已结束"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        over = Q(end__lt=timezone.localdate())
        return rows.exclude(over) if value == "1" else rows.filter(over)


class RecordFilter(SelectFilter):
    """What is in the record: something unsolved, or no visit yet."""

    title = lazy("走访和问题")
    parameter_name = "record"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("open", _("有未解决的问题")), ("none", _("还没有走访"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "open":
            return rows.filter(Exists(PairingProblem.objects.filter(pairing=OuterRef("pk"), solved_on=None)))
        return rows.exclude(Exists(PairingVisit.objects.filter(pairing=OuterRef("pk"))))


@admin.register(Pairing)
class PairingAdmin(SheetAdmin):
    list_display = ("what", "place", "who", "since", "visited", "problems", "state")
    list_display_links = ("place",)
    list_filter = (PlaceFilter, choice_filter("kind", lazy("包联类型"), PairingKind.choices), StateFilter, RecordFilter)
    list_select_related = ("node", "unit", "user")
    search_fields = ("node__path", "unit__name", "unit__short_name", "user__name")
    search_help_text = lazy("地点、单位、姓名")
    # Leader, department, cadre.
    ordering = ("node__tree_id", "node__lft", "-kind", "id")
    sortable_by = ()
    object_related = ("county", "node__level_type", "node__county", "unit", "user")
    sheets = ("pairings", *gap_pages.SHEETS)
    empty_text = lazy("登记县级领导、部门、干部包联哪些地方；也可以整表导入。")
    adding = Deed(
        "add",
        lazy("登记包联"),
        posts.MANAGE_PAIRING,
        forms.StartForm,
        _start,
        lazy("已登记包联。"),
        help=lazy(
            "登记后，包联的人和单位能在手机上看到这个地方，记录走访、问题和解决情况。社区的牵头单位在“单位报到”里登记。"
        ),
        tone="main",
    )
    deeds = (
        VISIT,
        Deed("problem", lazy("登记问题"), posts.VISIT_PAIRING, forms.ProblemForm, _problem, lazy("已登记问题。")),
        Deed("change", lazy("修改职责"), posts.MANAGE_PAIRING, forms.DutyForm, _change, lazy("已保存。")),
        Deed(
            "hand_over",
            lazy("交接"),
            posts.MANAGE_PAIRING,
            forms.HandOverForm,
            _hand_over,
            lazy("已交接。"),
            help=lazy("一步办完：原来的结束，新的开始。没有解决的问题转给接手的，走访记录留在原来名下。"),
            offered=forms.is_open,
        ),
        Deed(
            "end",
            lazy("结束包联"),
            posts.MANAGE_PAIRING,
            forms.EndForm,
            _end,
            lazy("包联已结束。"),
            help=lazy("走访和问题的记录都保留。换人、换单位请用“交接”。"),
            tone="danger",
            offered=forms.is_open,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).with_counts()  # type: ignore[attr-defined]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come with its place and kind, from the page of gaps and from the place's own page."""
        if obj is not None:
            return super().initial(request, deed, obj)
        found: dict[str, Any] = {}
        if request.GET.get("kind") in KINDS:
            found["kind"] = request.GET["kind"]
        node = request.GET.get("node", "")
        if node.isascii() and node.isdigit() and len(node) < 19:
            places = GridNode.objects.standing().filter(policies.within(GridNode, request.user, posts.MANAGE_PAIRING))
            found["node"] = places.filter(pk=int(node)).first()
        return found

    # --- List ---

    @admin.display(description=lazy("包联类型"))
    def what(self, row: Pairing) -> str:
        return row.get_kind_display()

    @admin.display(description=lazy("地点"))
    def place(self, row: Pairing) -> str:
        return row.node.path

    @admin.display(description=lazy("包联单位（人）"))
    def who(self, row: Pairing) -> str:
        return row.holder

    @admin.display(description=lazy("开始日期"))
    def since(self, row: Pairing) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("最近走访"), empty_value="—")
    def visited(self, row: Any) -> str | None:
        return day_words(row.last_visit) or None

    @admin.display(description=lazy("未解决的问题"))
    def problems(self, row: Any) -> str:
        return chip(row.open_count, "amber") if row.open_count else "0"

    @admin.display(description=lazy("状态"))
    def state(self, row: Pairing) -> str:
        return chip(*state_of(row))

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        found = [tool for tool in super().tools(request) if not any(f"/{key}/" in tool[1] for key in gap_pages.SHEETS)]
        return [*found, (_("缺口与超载"), self.url("gaps"), "plain")]

    # --- One ---

    def object_title(self, obj: Pairing) -> str:
        return _("%(holder)s → %(place)s") % {"holder": obj.holder, "place": obj.node.name}

    def chips(self, obj: Pairing) -> list[tuple[str, str]]:
        return [(obj.get_kind_display(), "blue"), state_of(obj)]

    def facts(self, request: HttpRequest, obj: Pairing) -> list[Fact]:
        place: Any = obj.node.path
        if policies.sees(request.user, obj.node):
            place = link(place, reverse("admin:grids_gridnode_change", args=[obj.node_id]))
        who: Any = obj.holder
        if obj.unit is not None and policies.sees(request.user, obj.unit):
            who = link(obj.unit.name, reverse("admin:partybuilding_unit_change", args=[obj.unit_id]))
        return [
            Fact(_("包联地点"), place, wide=True),
            Fact(_("包联单位") if obj.unit_id else _("包联人"), who),
            *([Fact(_("手机号码"), obj.user.masked_phone)] if obj.user else []),
            Fact(_("开始日期"), day_words(obj.start)),
            Fact(_("结束日期"), day_words(obj.end)),
            Fact(_("包联职责"), obj.duty, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Pairing) -> list[Part]:
        problems = PairingProblem.objects.visible_to(request.user).filter(pairing=obj)
        visits = PairingVisit.objects.visible_to(request.user).filter(pairing=obj).select_related("visited_by")
        rows = [
            [
                link(row.text, reverse("admin:partybuilding_pairingproblem_change", args=[row.pk])),
                day_words(row.found_on),
                chip(*problem_state(row)),
                row.solution or "—",
            ]
            for row in problems.order_by(F("solved_on").desc(nulls_first=True), "-found_on", "-pk")[:MOST]
        ]
        been = [
            [
                link(day_words(row.visited_on), reverse("admin:partybuilding_pairingvisit_change", args=[row.pk])),
                row.text,
                row.visited_by.name if row.visited_by else "—",
            ]
            for row in visits[:MOST]
        ]
        return [
            Part(_("问题"), [_("问题"), _("发现日期"), _("状态"), _("解决情况")], rows, _("还没有登记过问题。")),
            Part(_("走访"), [_("走访日期"), _("走访情况"), _("记录人")], been, _("还没有走访记录。")),
        ]

    # --- Gaps and overloads ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("gaps/", self.gaps_view, "gaps"),
            self.page("guides/", self.guides_view, "guides"),
        ]

    def gaps_view(self, request: HttpRequest) -> HttpResponse:
        return gap_pages.show(self, request)

    def guides_view(self, request: HttpRequest) -> HttpResponse:
        return gap_pages.change_guides(self, request)

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        answer = super().after(request, deed, obj, result)
        return redirect(self.url("gaps")) if deed is gap_pages.GUIDES else answer

    def export_ids(self, request: HttpRequest) -> list[int]:
        key = request.resolver_match.kwargs["key"] if request.resolver_match else ""
        return gap_pages.export_ids(request, key) if key in gap_pages.SHEETS else super().export_ids(request)


def state_of(row: Pairing) -> tuple[str, str]:
    """A pairing's state as a chip. Where nobody is there any more, that is said first."""
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已结束"), "grey"
    if row.user is not None and not row.user.is_active:
        return _("账号已停用"), "amber"
    if row.unit is not None and not row.unit.is_active:
        return _("单位已停用"), "amber"
    return (_("包联中"), "green") if row.start <= today else (_("未开始"), "blue")


def problem_state(row: PairingProblem) -> tuple[str, str]:
    return (_("已解决"), "green") if row.is_solved else (_("未解决"), "amber")
