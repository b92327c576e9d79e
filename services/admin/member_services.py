"""Services of members in the admin: confirmed or sent back, one by one or many at once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, chip, choice_filter, day_words, link
from core.admin_sheets import SheetAdmin
from grids.admin_places import PlaceFilter
from services.actions.member_services import decide_services, plain
from services.admin.member_parts import MANAGE, MOST, QuarterFilter, state_chip, tell
from services.member_deeds import SERVICE_DEEDS
from services.models import (
    ServiceRecord,
    ServiceState,
)


class ServicePlaceFilter(PlaceFilter):
    path = "checkin__node"
    community = "checkin__community"


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=lazy("请写一句说明"),
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("每位党员都会看到同一句话。"),
    )


@admin.register(ServiceRecord)
class ServiceRecordAdmin(SheetAdmin):
    list_display = ("what", "who", "place", "day", "length", "state_words")
    list_display_links = ("what",)
    list_filter = (ServicePlaceFilter, QuarterFilter, choice_filter("state", lazy("状态"), ServiceState.choices))
    list_select_related = ("checkin__member", "checkin__node")
    search_fields = ("checkin__member__name", "text", "checkin__node__path")
    search_help_text = lazy("姓名、内容、小区")
    ordering = ("-served_on", "-id")
    sortable_by = ()
    object_related = ("checkin__member__unit", "checkin__node__county", "checkin__community__county", "decided_by")
    sheets = ("member_services",)
    actions = ("confirm_chosen", "send_back_chosen")
    empty_text = lazy("党员在手机上填写服务后会列在这里，由社区确认。")
    deeds = SERVICE_DEEDS

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, MANAGE)

    @admin.action(description=lazy("确认所选"), permissions=["decide"])
    def confirm_chosen(self, request: HttpRequest, queryset: QuerySet[ServiceRecord]) -> None:
        user: Any = request.user
        moved = decide_services(actor=user, services=list(queryset[:MOST]), name="confirm")
        tell(self, request, moved, _("已确认"))

    @admin.action(description=lazy("退回所选"), permissions=["decide"])
    def send_back_chosen(self, request: HttpRequest, queryset: QuerySet[ServiceRecord]) -> HttpResponse:
        keys = queryset.order_by().values_list("pk", flat=True)[:MOST]
        return redirect(f"{self.url('send_back')}?{'&'.join(f'id={key}' for key in keys)}")

    def more_urls(self) -> list[URLPattern]:
        return [self.page("send-back/", self.send_back_view, "send_back")]

    def send_back_view(self, request: HttpRequest) -> HttpResponse:
        """Many at once, with one word."""
        if not self.has_decide_permission(request):
            return redirect(self.url("changelist"))
        sent = request.method == "POST"
        asked = (request.POST if sent else request.GET).getlist("id")
        keys = [int(key) for key in asked if key.isascii() and key.isdigit() and len(key) < 19][:MOST]
        rows = list(self.get_queryset(request).filter(pk__in=keys).select_related("checkin__member"))
        form = ReasonForm(request.POST if sent else None)
        if sent and form.is_valid():
            user: Any = request.user
            moved = decide_services(actor=user, services=rows, name="send_back", reason=form.cleaned_data["reason"])
            tell(self, request, moved, _("已退回"))
            return redirect(self.url("changelist"))
        context = {"title": _("退回所选的服务"), "rows": rows, "form": form, "back": self.url("changelist")}
        return self.render(request, "admin/services_back.html", context, status=400 if sent else 200)

    @admin.display(description=lazy("服务内容"))
    def what(self, row: ServiceRecord) -> str:
        return row.text

    @admin.display(description=lazy("党员"))
    def who(self, row: ServiceRecord) -> str:
        return row.checkin.member.name

    @admin.display(description=lazy("小区"))
    def place(self, row: ServiceRecord) -> str:
        return row.checkin.node.path

    @admin.display(description=lazy("日期"))
    def day(self, row: ServiceRecord) -> str:
        return day_words(row.served_on)

    @admin.display(description=lazy("小时"))
    def length(self, row: ServiceRecord) -> str:
        return plain(row.hours)

    @admin.display(description=lazy("状态"))
    def state_words(self, row: ServiceRecord) -> str:
        return chip(*state_chip(row))

    def object_title(self, obj: ServiceRecord) -> str:
        return str(obj)

    def chips(self, obj: ServiceRecord) -> list[tuple[str, str]]:
        return [state_chip(obj)]

    def facts(self, request: HttpRequest, obj: ServiceRecord) -> list[Fact]:
        checkin = reverse("admin:services_membercheckin_change", args=[obj.checkin_id])
        return [
            Fact(_("服务内容"), obj.text, wide=True),
            Fact(_("党员"), link(obj.checkin.member.name, checkin)),
            Fact(_("所在单位"), obj.checkin.member.unit.name if obj.checkin.member.unit else ""),
            Fact(_("小区"), obj.checkin.node.path, wide=True),
            Fact(_("日期"), day_words(obj.served_on)),
            Fact(_("时长（小时）"), plain(obj.hours)),
            Fact(_("填写日期"), day_words(obj.entered_at)),
            Fact(_("确认日期"), day_words(obj.decided_at) if obj.state == ServiceState.CONFIRMED else ""),
            Fact(_("确认人"), obj.decided_by.name if obj.decided_by else ""),
            Fact(_("意见"), obj.reason, wide=True),
        ]
