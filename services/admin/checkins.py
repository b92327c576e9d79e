"""Units that have reported to places: registered here, ended here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm
from grids.admin_people import date_input
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from grids.querysets import current
from partybuilding.admin.fields import unit_field
from partybuilding.models import Unit
from services import posts
from services.actions import Settlement, change_check_in, check_in, end_check_in
from services.admin.applications import liaison
from services.checkin_deeds import brings_field, person_choice, role_field, version, years_field
from services.models import CheckInRole, Commitment, SubOrder, UnitCheckIn
from services.selectors.checkins import (
    community_people,
    figures_of,
    has_run_out,
    open_promises,
    running_out,
    runs_out,
    takers_of,
    unit_liaisons,
)
from services.views import cards
from services.workflow.checkins import YEARS


class CheckInForm(DeedForm):
    role = role_field()
    start = forms.DateField(label=lazy("报到日期"), initial=timezone.localdate, widget=date_input())
    years = years_field(
        required=False,
        choices=(("", lazy("不定期")), *YEARS),
        empty_value=None,
        initial="",
        help_text=lazy("协议到期前会提醒续签。"),
    )
    brings = brings_field(required=False)

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_CHECKIN))
        self.fields["unit"] = unit_field(self.user)
        self.fields["node"] = place_field(places, label=_("报到地"))
        self.order_fields(["unit", "node", "role", "start", "years", "brings"])


def _check_in(*, actor: Any, obj: None, **data: Any) -> UnitCheckIn:
    return check_in(actor=actor, **data)


class ChangeForm(DeedForm):
    role = role_field()
    brings = brings_field(required=False)
    until = forms.DateField(
        label=lazy("协议到期"), required=False, widget=date_input(), help_text=lazy("不定期的空着。续签请让单位申请。")
    )
    version = version()

    def build(self) -> None:
        sides = (
            ("unit_liaison", _("单位联络员"), unit_liaisons(self.obj.unit)),
            ("community_liaison", _("社区联络员"), community_people(self.obj.node)),
        )
        for name, label, people in sides:
            named = getattr(self.obj, name)
            # Who was named and has left since stays until somebody else is.
            rows = people if named is None else _with(people, named)
            self.fields[name] = person_choice(label, rows, initial=named, required=False)


def _with(people: Any, named: Any) -> Any:
    return people.model._default_manager.filter(Q(pk__in=people.order_by().values("pk")) | Q(pk=named.pk)).order_by(
        "name"
    )


def _change(*, actor: Any, obj: UnitCheckIn, **data: Any) -> UnitCheckIn:
    return change_check_in(actor=actor, checkin=obj, **data)


DROP = "drop"


class EndForm(DeedForm):
    """Asks of each open promise what becomes of it: another unit takes it over, or it is dropped for a reason."""

    end = forms.DateField(
        label=lazy("结束日期"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍然有效。")
    )
    reason = forms.CharField(label=lazy("结束的理由"), max_length=500, required=False)
    version = version(required=False)

    def build(self) -> None:
        self.promises = open_promises([self.obj.pk])
        takers = takers_of(self.promises)
        for one in self.promises:
            choices = [
                ("", _("请选择")),
                *((str(unit.pk), _("转给%(unit)s") % {"unit": unit.name}) for unit in takers[one.pk]),
            ]
            words = {"title": one.title, "due": day_words(one.due_on), "place": one.node.name}
            self.fields[f"promise_{one.pk}"] = forms.ChoiceField(
                label=_("承诺“%(title)s”（%(place)s，%(due)s前）怎么办") % words,
                choices=[*choices, (DROP, _("终止，不再办"))],
                error_messages={"required": _("请选择转给哪个单位，或者终止。")},
            )
            self.fields[f"why_{one.pk}"] = forms.CharField(
                label=_("理由"), help_text=_("终止的要写。"), max_length=500, required=False
            )

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        found = []
        for one in self.promises:
            chosen, why = data.pop(f"promise_{one.pk}", ""), data.pop(f"why_{one.pk}", "").strip()
            if chosen == DROP and not why:
                self.add_error(f"why_{one.pk}", _("请写明终止的理由。"))
            unit = Unit.objects.get(pk=int(chosen)) if chosen and chosen != DROP else None
            found.append(Settlement(one, unit, why))
        data["settlements"] = found
        return data


def _end(*, actor: Any, obj: UnitCheckIn, **data: Any) -> UnitCheckIn:
    return end_check_in(actor=actor, checkin=obj, **data)


class RunningFilter(SelectFilter):
    """Reported now, with an agreement that runs out, or no longer."""

    title = lazy("状态")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("报到中")), ("out", _("将到期、已到期")), ("0", _("已结束"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "out":
            return rows.filter(running_out())
        return rows.filter(current()) if value == "1" else rows.exclude(current())


def is_running(row: UnitCheckIn) -> bool:
    return row.end is None


@admin.register(UnitCheckIn)
class UnitCheckInAdmin(SheetAdmin):
    list_display = ("unit_name", "kind", "place", "what", "since", "last_day", "state")
    list_display_links = ("unit_name",)
    list_filter = (PlaceFilter, choice_filter("role", lazy("角色"), CheckInRole.choices), RunningFilter)
    list_select_related = ("unit", "node")
    search_fields = ("unit__name", "unit__short_name", "node__path")
    search_help_text = lazy("单位名称、报到地")
    ordering = ("node__tree_id", "node__lft", "role", "id")
    sortable_by = ()
    object_related = ("unit", "node__county", "unit_liaison", "community_liaison")
    change_list_template = "admin/checkins.html"
    sheets = ("checkins",)
    empty_text = lazy("单位向社区报到后，社区才能派单给它，它才能认领需求。")
    adding = Deed(
        "add",
        lazy("登记报到"),
        posts.MANAGE_CHECKIN,
        CheckInForm,
        _check_in,
        lazy("已登记报到。"),
        help=lazy("登记后，这个单位能看到报到地的需求清单并认领，社区能把需求派给它。"),
        tone="main",
    )
    deeds = (
        Deed(
            "change",
            lazy("修改报到"),
            posts.MANAGE_CHECKIN,
            ChangeForm,
            _change,
            lazy("已保存。"),
            help=lazy("改动会通知单位的联络员。"),
            offered=is_running,
        ),
        Deed(
            "end",
            lazy("结束报到"),
            posts.MANAGE_CHECKIN,
            EndForm,
            _end,
            lazy("报到已结束。"),
            help=lazy("结束后不能再认领和派单；手里的派单仍由这个单位办完。没有完成的承诺要逐项写明怎么办。"),
            tone="danger",
            offered=is_running,
        ),
    )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A new one may come with its place, from the page of gaps (where a lead is missing) and from the place's own page."""
        node = request.GET.get("node", "")
        if obj is not None or not (node.isascii() and node.isdigit() and len(node) < 19):
            return super().initial(request, deed, obj)
        role = CheckInRole.SUPPORTING if request.GET.get("role") == CheckInRole.SUPPORTING else CheckInRole.LEAD
        places = GridNode.objects.standing().filter(policies.within(GridNode, request.user, posts.MANAGE_CHECKIN))
        return {"node": places.filter(pk=int(node)).first(), "role": role}

    @admin.display(description=lazy("报到单位"))
    def unit_name(self, row: UnitCheckIn) -> str:
        return row.unit.name

    @admin.display(description=lazy("单位类型"))
    def kind(self, row: UnitCheckIn) -> str:
        return row.unit.get_kind_display()

    @admin.display(description=lazy("报到地"))
    def place(self, row: UnitCheckIn) -> str:
        return row.node.path

    @admin.display(description=lazy("角色"))
    def what(self, row: UnitCheckIn) -> str:
        return row.get_role_display()

    @admin.display(description=lazy("报到日期"))
    def since(self, row: UnitCheckIn) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("协议到期"), empty_value="—")
    def last_day(self, row: UnitCheckIn) -> str | None:
        return day_words(row.until) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: UnitCheckIn) -> str:
        return chip(*state_of(row))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """With the figures of what the list shows."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data and "cl" in response.context_data:
            response.context_data["figures"] = figures_of(response.context_data["cl"].queryset)
        return response

    def chips(self, obj: UnitCheckIn) -> list[tuple[str, str]]:
        return [(obj.get_role_display(), "blue"), state_of(obj)]

    def object_context(self, request: HttpRequest, obj: UnitCheckIn) -> dict[str, Any]:
        context = super().object_context(request, obj)
        papers = [(_("打印回执"), "checkin_receipt"), (_("下载共建协议"), "checkin_agreement")]
        context["buttons"] = [
            *(
                {"label": label, "tone": "plain", "url": reverse(f"places:{name}", args=[obj.pk])}
                for label, name in papers
            ),
            *context["buttons"],
        ]
        return context

    def object_title(self, obj: UnitCheckIn) -> str:
        return _("%(unit)s → %(place)s") % {"unit": obj.unit.name, "place": obj.node.name}

    def facts(self, request: HttpRequest, obj: UnitCheckIn) -> list[Fact]:
        return [
            Fact(_("报到单位"), obj.unit.name),
            Fact(_("单位类型"), obj.unit.get_kind_display()),
            Fact(_("报到地"), obj.node.path),
            Fact(_("回执编号"), obj.number),
            Fact(_("报到日期"), day_words(obj.start)),
            Fact(_("协议到期"), day_words(obj.until) or _("不定期")),
            Fact(_("单位联络员"), liaison(obj.unit_liaison)),
            Fact(_("社区联络员"), liaison(obj.community_liaison)),
            *([Fact(_("结束日期"), day_words(obj.end))] if obj.end else []),
            Fact(_("带来的资源和服务"), obj.brings, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: UnitCheckIn) -> list[Part]:
        """What the unit promised there, and what it was given lately."""
        promised = Commitment.objects.visible_to(request.user).filter(checkin=obj).order_by("-due_on", "pk")[:10]
        given = (
            SubOrder.objects.visible_to(request.user)
            .filter(Q(unit=obj.unit), demand__node__tree_id=obj.node.tree_id)
            .filter(demand__node__lft__gte=obj.node.lft, demand__node__lft__lte=obj.node.rght)
            .select_related("demand")
            .order_by("-dispatched_at")[:10]
        )
        rows = [
            [
                link(row.demand.title, reverse("admin:services_demand_change", args=[row.demand_id])),
                row.get_role_display(),
                chip(cards.state_chip(row).label, cards.state_chip(row).tone),
                day_words(row.dispatched_at),
            ]
            for row in given
        ]
        page = "admin:services_commitment_change"
        promises = [
            [link(row.title, reverse(page, args=[row.pk])), day_words(row.due_on), row.get_state_display()]
            for row in promised
        ]
        columns = [_("需求"), _("角色"), _("状态"), _("派单日期")]
        return [
            Part(_("承诺事项"), [_("承诺事项"), _("完成期限"), _("状态")], promises, _("还没有承诺事项。")),
            Part(_("最近的派单"), columns, rows, _("还没有给这个单位派过单。")),
        ]


def state_of(row: UnitCheckIn) -> tuple[str, str]:
    """A check-in's state as a chip. What has run out is told, and goes on."""
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已结束"), "grey"
    if row.start > today:
        return _("未开始"), "blue"
    if not row.unit.is_active:
        return _("单位已停用"), "amber"
    if has_run_out(row):
        return _("已到期，待续签"), "red"
    return (_("将到期"), "amber") if runs_out(row) else (_("报到中"), "green")
