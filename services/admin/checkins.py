"""Units that have reported to places: registered here, ended here."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, ScopedModelAdmin, SelectFilter, chip, choice_filter, day_words, link
from core.deeds import Deed, DeedForm
from grids.admin_places import PlaceFilter, place_field
from grids.models import GridNode
from grids.querysets import current
from partybuilding.admin.fields import unit_field
from services import posts
from services.actions import check_in, end_check_in
from services.models import CheckInRole, SubOrder, UnitCheckIn
from services.views import cards


class CheckInForm(DeedForm):
    role = forms.ChoiceField(
        label=lazy("角色"), choices=CheckInRole.choices, widget=forms.RadioSelect, initial=CheckInRole.SUPPORTING
    )
    start = forms.DateField(
        label=lazy("报到日期"),
        initial=timezone.localdate,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )

    def build(self) -> None:
        places = GridNode.objects.standing().filter(policies.within(GridNode, self.user, posts.MANAGE_CHECKIN))
        self.fields["unit"] = unit_field(self.user)
        self.fields["node"] = place_field(places, label=_("报到地"))
        self.order_fields(["unit", "node", "role", "start"])


def _check_in(*, actor: Any, obj: None, **data: Any) -> UnitCheckIn:
    return check_in(actor=actor, **data)


class EndForm(DeedForm):
    end = forms.DateField(
        label=lazy("结束日期"),
        initial=timezone.localdate,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=lazy("当天仍然有效。"),
    )


def _end(*, actor: Any, obj: UnitCheckIn, end: Any) -> UnitCheckIn:
    return end_check_in(actor=actor, checkin=obj, end=end)


class RunningFilter(SelectFilter):
    """Reported now, or no longer."""

    title = lazy("状态")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("报到中")), ("0", _("已结束"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(current()) if value == "1" else rows.exclude(current())


@admin.register(UnitCheckIn)
class UnitCheckInAdmin(ScopedModelAdmin):
    list_display = ("unit_name", "kind", "place", "what", "since", "state")
    list_display_links = ("unit_name",)
    list_filter = (PlaceFilter, choice_filter("role", lazy("角色"), CheckInRole.choices), RunningFilter)
    list_select_related = ("unit", "node")
    search_fields = ("unit__name", "unit__short_name", "node__path")
    search_help_text = lazy("单位名称、报到地")
    ordering = ("node__tree_id", "node__lft", "role", "id")
    sortable_by = ()
    object_related = ("unit", "node__county")
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
            "end",
            lazy("结束报到"),
            posts.MANAGE_CHECKIN,
            EndForm,
            _end,
            lazy("报到已结束。"),
            help=lazy("结束后不能再认领和派单；手里的派单仍由这个单位办完。"),
            tone="danger",
            offered=lambda row: row.end is None,
        ),
    )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """The page of gaps names the place that has no lead unit."""
        node = request.GET.get("node", "")
        if obj is not None or not (node.isascii() and node.isdigit() and len(node) < 19):
            return super().initial(request, deed, obj)
        places = GridNode.objects.standing().filter(policies.within(GridNode, request.user, posts.MANAGE_CHECKIN))
        return {"node": places.filter(pk=int(node)).first(), "role": CheckInRole.LEAD}

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

    @admin.display(description=lazy("状态"))
    def state(self, row: UnitCheckIn) -> str:
        return chip(*_state(row))

    def chips(self, obj: UnitCheckIn) -> list[tuple[str, str]]:
        return [_state(obj)]

    def object_title(self, obj: UnitCheckIn) -> str:
        return _("%(unit)s → %(place)s") % {"unit": obj.unit.name, "place": obj.node.name}

    def facts(self, request: HttpRequest, obj: UnitCheckIn) -> list[Fact]:
        return [
            Fact(_("报到单位"), obj.unit.name),
            Fact(_("单位类型"), obj.unit.get_kind_display()),
            Fact(_("报到地"), obj.node.path),
            Fact(_("角色"), obj.get_role_display()),
            Fact(_("报到日期"), day_words(obj.start)),
            Fact(_("结束日期"), day_words(obj.end)),
        ]

    def parts(self, request: HttpRequest, obj: UnitCheckIn) -> list[Part]:
        """What the unit was given there lately."""
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
        columns = [_("需求"), _("角色"), _("状态"), _("派单日期")]
        return [Part(_("最近的派单"), columns, rows, _("还没有给这个单位派过单。"))]


def _state(row: UnitCheckIn) -> tuple[str, str]:
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已结束"), "grey"
    return (_("报到中"), "green") if row.start <= today else (_("未开始"), "blue")
