"""Who acts for a unit, in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import (
    Fact,
    ScopedModelAdmin,
    SelectFilter,
    chip,
    choice_filter,
    day_words,
)
from core.deeds import Deed, DeedForm
from grids.admin_people import date_input, person_field
from grids.querysets import current
from partybuilding import actions, posts
from partybuilding.admin.fields import unit_field
from partybuilding.models import UnitMembership, UnitRole


class JoinForm(DeedForm):
    role = forms.ChoiceField(label=lazy("角色"), choices=UnitRole.choices, widget=forms.RadioSelect)
    start = forms.DateField(label=lazy("开始日期"), initial=timezone.localdate, widget=date_input())

    def build(self) -> None:
        self.fields["user"] = person_field(self.user)
        self.fields["unit"] = unit_field(self.user)
        self.order_fields(["user", "unit", "role", "start"])


class LeaveForm(DeedForm):
    end = forms.DateField(
        label=lazy("结束日期"), initial=timezone.localdate, widget=date_input(), help_text=lazy("当天仍有权限。")
    )
    reason = forms.CharField(label=lazy("理由"), max_length=500, required=False)


def _join(*, actor: Any, obj: None, **data: Any) -> UnitMembership:
    return actions.add_membership(actor=actor, **data)


def _leave(*, actor: Any, obj: UnitMembership, **data: Any) -> UnitMembership:
    return actions.end_membership(actor=actor, membership=obj, **data)


class RunningFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "running"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在任")), ("0", _("已结束"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(current()) if value == "1" else rows.exclude(current())


@admin.register(UnitMembership)
class UnitMembershipAdmin(ScopedModelAdmin):
    """The county's business: other cadres see a unit, not its people."""

    view_right = posts.VIEW_MEMBER
    list_display = ("person", "unit_name", "what", "since", "until", "state")
    list_display_links = ("person",)
    list_filter = (choice_filter("role", lazy("角色"), UnitRole.choices), RunningFilter)
    list_select_related = ("user", "unit")
    search_fields = ("user__name", "unit__name", "unit__short_name")
    search_help_text = lazy("姓名、单位")
    ordering = ("unit__name", "role", "id")
    sortable_by = ()
    object_related = ("user", "unit")
    empty_text = lazy("登记联络员后，派给单位的单子才有人签收。")
    adding = Deed(
        "add",
        lazy("登记单位人员"),
        posts.MANAGE_UNIT,
        JoinForm,
        _join,
        lazy("已登记。"),
        help=lazy("联络员签收、安排人员、办结；工作人员反馈进展。"),
        tone="main",
    )
    deeds = (
        Deed(
            "end",
            lazy("结束"),
            posts.MANAGE_UNIT,
            LeaveForm,
            _leave,
            lazy("已结束。"),
            help=lazy("单位手里的派单仍留在单位，由其他联络员办理。"),
            tone="danger",
            offered=lambda row: row.end is None,
        ),
    )

    @admin.display(description=lazy("姓名"))
    def person(self, row: UnitMembership) -> str:
        return row.user.name

    @admin.display(description=lazy("单位"))
    def unit_name(self, row: UnitMembership) -> str:
        return row.unit.name

    @admin.display(description=lazy("角色"))
    def what(self, row: UnitMembership) -> str:
        return row.get_role_display()

    @admin.display(description=lazy("开始日期"))
    def since(self, row: UnitMembership) -> str:
        return day_words(row.start)

    @admin.display(description=lazy("结束日期"), empty_value="—")
    def until(self, row: UnitMembership) -> str | None:
        return day_words(row.end) or None

    @admin.display(description=lazy("状态"))
    def state(self, row: UnitMembership) -> str:
        return chip(*_held(row))

    def object_title(self, obj: UnitMembership) -> str:
        return _("%(name)s：%(unit)s") % {"name": obj.user.name, "unit": obj.unit.name}

    def chips(self, obj: UnitMembership) -> list[tuple[str, str]]:
        return [_held(obj)]

    def facts(self, request: HttpRequest, obj: UnitMembership) -> list[Fact]:
        return [
            Fact(_("姓名"), obj.user.name),
            Fact(_("手机号码"), obj.user.masked_phone),
            Fact(_("单位"), obj.unit.name),
            Fact(_("角色"), obj.get_role_display()),
            Fact(_("开始日期"), day_words(obj.start)),
            Fact(_("结束日期"), day_words(obj.end)),
        ]


def _held(row: UnitMembership) -> tuple[str, str]:
    today = timezone.localdate()
    if row.end is not None and row.end < today:
        return _("已结束"), "grey"
    return (_("在任"), "green") if row.start <= today else (_("未开始"), "blue")
