"""Promises in the admin: the community puts them down for units, confirms them or sends them back."""

from typing import Any

from django.contrib import admin
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, deed_of
from core.periods import datetime_words
from core.text import ellipsis
from grids.admin_places import PlaceFilter, asked_place
from services import actions, evidence, posts
from services.admin import commitment_forms as forms
from services.admin import two_way
from services.commitment_words import chips, steps_of
from services.models import Commitment, CommitmentState
from services.selectors.commitments import COUNTED, due_soon, overdue
from services.workflow import COMMITMENT


def _make(*, actor: Any, obj: None, **data: Any) -> Commitment:
    return actions.make_commitment(actor=actor, **data)


def _confirm(*, actor: Any, obj: Commitment, version: int) -> Commitment:
    return actions.confirm_commitment(actor=actor, commitment=obj, version=version)


def _send_back(*, actor: Any, obj: Commitment, **data: Any) -> Commitment:
    return actions.send_back_commitment(actor=actor, commitment=obj, **data)


def _change(*, actor: Any, obj: Commitment, **data: Any) -> Commitment:
    return actions.change_commitment(actor=actor, commitment=obj, **data)


def _move(*, actor: Any, obj: Commitment, **data: Any) -> Commitment:
    return actions.move_commitment(actor=actor, commitment=obj, **data)


def _drop(*, actor: Any, obj: Commitment, **data: Any) -> Commitment:
    return actions.drop_commitment(actor=actor, commitment=obj, **data)


class CommitmentPlaceFilter(PlaceFilter):
    community = "community"


class StateFilter(SelectFilter):
    """The states, and what the figures count."""

    title = lazy("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("counted", _("计入承诺数")),
            *CommitmentState.choices,
            ("overdue", _("已超期")),
            ("soon", _("即将到期")),
        ]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        special = {"counted": COUNTED, "overdue": overdue(), "soon": due_soon()}
        return rows.filter(special[value]) if value in special else rows.filter(state=value)


class WhoFilter(SelectFilter):
    """Units, or members for themselves."""

    title = lazy("承诺方")
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("unit", _("单位")), ("member", _("党员"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(unit__isnull=value == "member")


@admin.register(Commitment)
class CommitmentAdmin(SheetAdmin):
    list_display = ("what", "who", "place", "until", "progress", "state_words")
    list_display_links = ("what",)
    list_filter = (CommitmentPlaceFilter, StateFilter, WhoFilter)
    list_select_related = ("unit", "member", "node")
    search_fields = ("title", "unit__name", "unit__short_name", "node__path")
    search_help_text = lazy("承诺事项、单位、地点")
    sortable_by = ()
    object_related = ("node__county", "community", "unit", "member", "checkin", "confirmed_by", "moved_to__unit")
    sheets = ("commitments",)
    empty_text = lazy("单位在手机上作出承诺，社区也可以代为登记，或整表导入。")
    adding = Deed(
        "add",
        lazy("登记承诺"),
        posts.MANAGE_COMMITMENT,
        forms.MakeForm,
        _make,
        lazy("已登记承诺。"),
        help=lazy(
            "登记后通知单位联络员，由单位反馈进展、申报完成，社区确认后才算完成。承诺事项在单位的承诺公示上公开。"
        ),
        tone="main",
    )
    deeds = (
        deed_of(COMMITMENT, "confirm", forms.ConfirmForm, _confirm),
        deed_of(COMMITMENT, "send_back", forms.ReasonForm, _send_back),
        deed_of(COMMITMENT, "change", forms.ChangeForm, _change),
        deed_of(COMMITMENT, "move", forms.MoveForm, _move),
        deed_of(COMMITMENT, "drop", forms.ReasonForm, _drop),
    )

    def get_ordering(self, request: HttpRequest) -> Any:
        """What waits for the community first, then what runs, what is due first; what is over last."""
        rank = Case(When(state=CommitmentState.REPORTED, then=0), When(state=CommitmentState.OPEN, then=1), default=2)
        return (rank, "due_on", "pk")

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come with its place, from the place's own page."""
        node = asked_place(request, posts.MANAGE_COMMITMENT) if obj is None else None
        return {"node": node} if node else super().initial(request, deed, obj)

    # --- List ---

    @admin.display(description=lazy("承诺事项"))
    def what(self, row: Commitment) -> str:
        return ellipsis(row.title, 40)

    @admin.display(description=lazy("承诺单位（党员）"))
    def who(self, row: Commitment) -> str:
        return row.holder

    @admin.display(description=lazy("受益地点"))
    def place(self, row: Commitment) -> str:
        return row.node.path

    @admin.display(description=lazy("完成期限"))
    def until(self, row: Commitment) -> str:
        return day_words(row.due_on)

    @admin.display(description=lazy("进度"))
    def progress(self, row: Commitment) -> str:
        return f"{row.percent}%"

    @admin.display(description=lazy("状态"))
    def state_words(self, row: Commitment) -> str:
        return format_html_join(" ", "{}", ((chip(words, tone),) for words, tone in chips(row)))

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("双报到双服务统计"), self.url("figures"), "plain")]

    # --- One ---

    def chips(self, obj: Commitment) -> list[tuple[str, str]]:
        return chips(obj)

    def facts(self, request: HttpRequest, obj: Commitment) -> list[Fact]:
        user = request.user
        who: Any = obj.holder
        if obj.unit is not None and policies.sees(user, obj.unit):
            who = link(obj.unit.name, reverse("admin:partybuilding_unit_change", args=[obj.unit_id]))
        place: Any = obj.node.path
        if policies.sees(user, obj.node):
            place = link(place, reverse("admin:grids_gridnode_change", args=[obj.node_id]))
        found = [
            Fact(_("承诺单位") if obj.unit_id else _("承诺党员"), who),
            Fact(_("责任人"), obj.owner),
            Fact(_("受益地点"), place, wide=True),
            Fact(_("完成标准"), obj.measure, wide=True),
            Fact(_("承诺日期"), day_words(obj.promised_on)),
            Fact(_("完成期限"), day_words(obj.due_on)),
            Fact(_("进度"), f"{obj.percent}%"),
            Fact(_("申报完成"), datetime_words(obj.reported_at) if obj.reported_at else ""),
            Fact(_("完成日期"), day_words(obj.done_on)),
            Fact(_("确认人"), obj.confirmed_by.name if obj.confirmed_by else ""),
        ]
        if obj.reason:
            found.append(Fact(_("意见"), obj.reason, wide=True))
        if obj.moved_to is not None and policies.sees(user, obj.moved_to):
            found.append(Fact(_("转接给"), link(obj.moved_to.holder, self.url("change", obj.moved_to_id))))
        former = Commitment.objects.visible_to(user).select_related("unit", "member").filter(moved_to=obj).first()
        if former is not None:
            found.append(Fact(_("接自"), link(former.holder, self.url("change", former.pk))))
        return found

    def parts(self, request: HttpRequest, obj: Commitment) -> list[Part]:
        rows = [
            [
                datetime_words(step.at),
                f"{step.percent}%",
                step.text,
                step.by.name if step.by else "—",
                format_html_join(
                    " ",
                    '<a href="{}"><img src="{}" alt="{}" width="72" height="72" loading="lazy"></a>',
                    ((one.url, one.thumb, one.alt) for one in map(evidence.picture, step.photos.all())),
                )
                or "—",
            ]
            for step in steps_of(obj)
        ]
        columns = [_("时间"), _("进度"), _("进展"), _("反馈人"), _("照片")]
        return [Part(_("进展"), columns, rows, _("还没有反馈过进展。单位联络员在手机“我的承诺”里反馈。"))]

    # --- Figures ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("figures/", self.figures_view, "figures"),
            self.page("figures/ledger/", self.ledger_view, "figures_ledger"),
        ]

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        return two_way.show(self, request)

    def ledger_view(self, request: HttpRequest) -> HttpResponse:
        return two_way.ledger(self, request)
