"""What came of pairings, in the admin: problems with their solutions, and visits."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from partybuilding import actions, posts, raising
from partybuilding.admin import pairing_forms as forms
from partybuilding.admin.pairings import problem_state
from partybuilding.models import PairingKind, PairingProblem, PairingVisit
from partybuilding.pairing_deeds import SOLVE

SHOWN = 60
_KINDS = choice_filter("pairing__kind", lazy("包联类型"), PairingKind.choices, name="kind")


def _correct(*, actor: Any, obj: PairingProblem, **data: Any) -> PairingProblem:
    return actions.correct_problem(actor=actor, problem=obj, **data)


def _reopen(*, actor: Any, obj: PairingProblem, **data: Any) -> PairingProblem:
    return actions.reopen_problem(actor=actor, problem=obj, **data)


def _correct_visit(*, actor: Any, obj: PairingVisit, **data: Any) -> PairingVisit:
    return actions.correct_visit(actor=actor, visit=obj, **data)


class RecordPlaceFilter(PlaceFilter):
    path = "pairing__node"


class SolvedFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "solved"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("0", _("未解决")), ("1", _("已解决"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(solved_on__isnull=value == "0")


class RecordAdmin(SheetAdmin):
    """What both have in common: they hang on a pairing and are made on its page."""

    list_select_related = ("pairing__node", "pairing__unit", "pairing__user")
    search_fields: tuple[str, ...] = (
        "pairing__node__path",
        "pairing__unit__name",
        "pairing__unit__short_name",
        "pairing__user__name",
    )
    search_help_text = lazy("地点、单位、姓名")
    sortable_by = ()
    object_related: tuple[str, ...] = ("pairing__node", "pairing__unit", "pairing__user", "pairing__county")

    @admin.display(description=lazy("地点"))
    def place(self, row: Any) -> str:
        return row.pairing.node.path

    @admin.display(description=lazy("包联单位（人）"))
    def who(self, row: Any) -> str:
        return row.pairing.holder

    def about(self, obj: Any) -> list[Fact]:
        address = reverse("admin:partybuilding_pairing_change", args=[obj.pairing_id])
        return [
            Fact(_("地点"), obj.pairing.node.path, wide=True),
            Fact(obj.pairing.get_kind_display(), link(obj.pairing.holder, address)),
        ]


@admin.register(PairingProblem)
class PairingProblemAdmin(RecordAdmin):
    list_display = ("words", "place", "who", "found", "solved", "state")
    list_display_links = ("words",)
    list_filter = (RecordPlaceFilter, _KINDS, SolvedFilter)
    search_fields = (*RecordAdmin.search_fields, "text")
    search_help_text = lazy("地点、单位、姓名、问题")
    ordering = ("-found_on", "-id")
    object_related = (*RecordAdmin.object_related, "visit", "found_by")
    sheets = ("pairing_problems",)
    empty_text = lazy("走访中发现的问题会列在这里。")
    deeds = (
        SOLVE,
        Deed("correct", lazy("更正"), posts.VISIT_PAIRING, forms.CorrectProblemForm, _correct, lazy("已更正。")),
        Deed(
            "reopen",
            lazy("重新打开"),
            posts.VISIT_PAIRING,
            forms.ReopenForm,
            _reopen,
            lazy("已重新打开。"),
            help=lazy("问题没有真正解决的，重新打开；原来登记的解决情况清空。"),
            tone="danger",
            offered=lambda row: row.is_solved,
        ),
    )

    @admin.display(description=lazy("问题"))
    def words(self, row: PairingProblem) -> str:
        return ellipsis(row.text, SHOWN)

    @admin.display(description=lazy("发现日期"))
    def found(self, row: PairingProblem) -> str:
        return day_words(row.found_on)

    @admin.display(description=lazy("解决日期"), empty_value="—")
    def solved(self, row: PairingProblem) -> str | None:
        return day_words(row.solved_on) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: PairingProblem) -> str:
        return chip(*problem_state(row))

    def object_title(self, obj: PairingProblem) -> str:
        return ellipsis(obj.text, SHOWN)

    def chips(self, obj: PairingProblem) -> list[tuple[str, str]]:
        return [problem_state(obj)]

    def object_context(self, request: HttpRequest, obj: PairingProblem) -> dict[str, Any]:
        context = super().object_context(request, obj)
        address = "" if obj.is_solved else raising.address(obj, request.user)
        if address:
            context["buttons"].append({"label": _("转为需求"), "tone": "plain", "url": address})
        return context

    def facts(self, request: HttpRequest, obj: PairingProblem) -> list[Fact]:
        return [
            *self.about(obj),
            Fact(_("发现日期"), day_words(obj.found_on)),
            Fact(_("登记人"), obj.found_by.name if obj.found_by else ""),
            Fact(_("解决日期"), day_words(obj.solved_on)),
            Fact(_("问题"), obj.text, wide=True),
            Fact(_("解决情况"), obj.solution, wide=True),
        ]


@admin.register(PairingVisit)
class PairingVisitAdmin(RecordAdmin):
    list_display = ("day", "place", "who", "words", "problems")
    list_display_links = ("day",)
    list_filter = (RecordPlaceFilter, _KINDS)
    ordering = ("-visited_on", "-id")
    object_related = (*RecordAdmin.object_related, "visited_by")
    sheets = ("pairing_visits",)
    empty_text = lazy("包联单位和干部在手机上记录的走访会列在这里。")
    deeds = (
        Deed(
            "correct",
            lazy("更正"),
            posts.VISIT_PAIRING,
            forms.CorrectVisitForm,
            _correct_visit,
            lazy("已更正。"),
            tone="main",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).annotate(problem_count=Count("problems"))

    @admin.display(description=lazy("走访日期"))
    def day(self, row: PairingVisit) -> str:
        return day_words(row.visited_on)

    @admin.display(description=lazy("走访情况"))
    def words(self, row: PairingVisit) -> str:
        return ellipsis(row.text, SHOWN)

    @admin.display(description=lazy("发现问题"))
    def problems(self, row: Any) -> int:
        return int(row.problem_count)

    def object_title(self, obj: PairingVisit) -> str:
        return _("%(day)s走访：%(place)s") % {"day": day_words(obj.visited_on), "place": obj.pairing.node.name}

    def facts(self, request: HttpRequest, obj: PairingVisit) -> list[Fact]:
        return [
            *self.about(obj),
            Fact(_("走访日期"), day_words(obj.visited_on)),
            Fact(_("记录人"), obj.visited_by.name if obj.visited_by else ""),
            Fact(_("走访情况"), obj.text, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: PairingVisit) -> list[Part]:
        rows = [
            [
                link(row.text, reverse("admin:partybuilding_pairingproblem_change", args=[row.pk])),
                chip(*problem_state(row)),
                row.solution or "—",
            ]
            for row in PairingProblem.objects.visible_to(request.user).filter(visit=obj)
        ]
        return [Part(_("发现的问题"), [_("问题"), _("状态"), _("解决情况")], rows, _("这次走访没有登记问题。"))]
