"""Applications of units to report, in the admin: taken in, sent back, declined."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, ScopedModelAdmin, chip, choice_filter, day_words, link
from core.periods import datetime_words
from core.text import ellipsis
from grids.admin_places import PlaceFilter
from services.checkin_deeds import MOVES
from services.models import ApplicationState, CheckInApplication, CheckInRole

TONES = {
    ApplicationState.APPLIED: "amber",
    ApplicationState.SENT_BACK: "blue",
    ApplicationState.ACCEPTED: "green",
}


@admin.register(CheckInApplication)
class CheckInApplicationAdmin(ScopedModelAdmin):
    list_display = ("unit_name", "place", "what", "brought", "since", "state_chip")
    list_display_links = ("unit_name",)
    list_filter = (
        PlaceFilter,
        choice_filter("state", lazy("状态"), ApplicationState.choices),
        choice_filter("role", lazy("角色"), CheckInRole.choices),
    )
    list_select_related = ("unit", "node")
    search_fields = ("unit__name", "unit__short_name", "node__path")
    search_help_text = lazy("单位名称、报到地")
    ordering = ("-applied_at", "-id")
    sortable_by = ()
    object_related = ("unit", "node__county", "unit_liaison", "applied_by", "renews", "checkin")
    empty_text = lazy("单位联络员在手机上“我的报到”里申请，申请会列在这里等您接收。")
    deeds = MOVES

    @admin.display(description=lazy("申请单位"))
    def unit_name(self, row: CheckInApplication) -> str:
        return row.unit.name

    @admin.display(description=lazy("报到地"))
    def place(self, row: CheckInApplication) -> str:
        return row.node.path

    @admin.display(description=lazy("角色"))
    def what(self, row: CheckInApplication) -> str:
        return _("续签，%(role)s") % {"role": row.get_role_display()} if row.renews_id else row.get_role_display()

    @admin.display(description=lazy("带来的资源和服务"))
    def brought(self, row: CheckInApplication) -> str:
        return ellipsis(row.brings, 40)

    @admin.display(description=lazy("申请日期"))
    def since(self, row: CheckInApplication) -> str:
        return day_words(row.applied_at)

    @admin.display(description=lazy("状态"))
    def state_chip(self, row: CheckInApplication) -> str:
        return chip(*application_state(row))

    def object_title(self, obj: CheckInApplication) -> str:
        return _("%(unit)s → %(place)s") % {"unit": obj.unit.name, "place": obj.node.name}

    def chips(self, obj: CheckInApplication) -> list[tuple[str, str]]:
        return [application_state(obj)]

    def facts(self, request: HttpRequest, obj: CheckInApplication) -> list[Fact]:
        return [
            Fact(_("申请单位"), link(obj.unit.name, reverse("admin:partybuilding_unit_change", args=[obj.unit_id]))),
            Fact(_("报到地"), obj.node.path),
            Fact(_("角色"), obj.get_role_display()),
            Fact(_("共建年限"), _("%(years)d 年") % {"years": obj.years}),
            Fact(_("单位联络员"), liaison(obj.unit_liaison)),
            Fact(_("申请时间"), datetime_words(obj.applied_at)),
            Fact(_("办理时间"), datetime_words(obj.decided_at) if obj.decided_at else ""),
            *_checkin(_("续签的报到"), obj.renews),
            *_checkin(_("报到"), obj.checkin),
            Fact(_("带来的资源和服务"), obj.brings, wide=True),
            *([Fact(_("社区的意见"), obj.reason, wide=True)] if obj.reason else []),
        ]


def application_state(row: CheckInApplication) -> tuple[str, str]:
    """An application's state as a chip."""
    return row.get_state_display(), TONES.get(ApplicationState(row.state), "grey")


def liaison(user: Any) -> str:
    return f"{user.name}（{user.masked_phone}）" if user else ""


def _checkin(label: str, checkin: Any) -> list[Fact]:
    if checkin is None:
        return []
    address = reverse("admin:services_unitcheckin_change", args=[checkin.pk])
    return [Fact(label, link(checkin.number or _("查看"), address))]
