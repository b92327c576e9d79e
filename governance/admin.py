"""Accounts in the admin: made with what their person holds, given a new first password, stopped."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import accounts, policies
from core.admin_base import Fact, Part, chip, day_words, flag_filter, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, NothingToFill, Shown
from core.models import Job, User
from core.periods import datetime_words
from governance.accounts import handout
from governance.accounts.ledger import PeopleLedger, held_words, with_holdings
from governance.accounts.words import KINDS
from governance.views import account_pages
from grids.admin_people import person_text
from grids.models import Appointment
from partybuilding.models import UnitMembership

_DISPENSED = lazy("首次密码只显示这一次，系统不保存。请当面交给本人；首次登录必须修改。")


class PersonForm(DeedForm):
    name = forms.CharField(label=lazy("姓名"), max_length=60)
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def build(self) -> None:
        # The number is not shown again: whoever corrects it types the right one.
        self.initial = {**self.initial, "phone": ""}
        self.fields["phone"].help_text = _("现为 %(phone)s；不改就不填。") % {"phone": self.obj.masked_phone}


class ReasonForm(DeedForm):
    reason = forms.CharField(label=lazy("理由"), max_length=500, widget=forms.Textarea(attrs={"rows": 3}))


def _update(*, actor: Any, obj: User, name: str, phone: str) -> User:
    return accounts.update_account(actor=actor, user=obj, name=name, phone=phone or None)


def _reset(*, actor: Any, obj: User) -> Shown:
    password = accounts.reset_password(actor=actor, user=obj)
    lines = ((_("姓名"), obj.name), (_("登录手机号码"), obj.masked_phone), (_("首次密码"), password))
    return Shown(_("密码已重置"), lines, str(_DISPENSED))


def _stop(*, actor: Any, obj: User, reason: str) -> User:
    return accounts.deactivate(actor=actor, user=obj, reason=reason)


def _start(*, actor: Any, obj: User, reason: str) -> User:
    return accounts.reactivate(actor=actor, user=obj, reason=reason)


@admin.register(User)
class UserAdmin(SheetAdmin):
    """Seen at county scope alone."""

    sheets = (*KINDS, PeopleLedger.key)

    list_display = ("person", "number", "held", "password_state", "state")
    list_display_links = ("person",)
    list_filter = (
        flag_filter("is_active", lazy("状态"), lazy("在用"), lazy("停用")),
        flag_filter("must_change_password", lazy("密码"), lazy("首次密码未改"), lazy("已改密码")),
    )
    search_fields = ("name", "=phone")
    search_help_text = lazy("姓名、完整手机号码")
    ordering = ("name", "id")
    sortable_by = ()
    lookup_fields = ("name", "=phone")
    empty_text = lazy("新建账号，或用表格成批导入。")
    deeds = (
        Deed(
            "reset",
            lazy("重置密码"),
            accounts.MANAGE_ACCOUNT,
            NothingToFill,
            _reset,
            lazy("已重置。"),
            help=lazy("原密码立即失效，已登录的地方都会退出，被锁定的账号同时解锁。新的首次密码只显示一次。"),
            tone="main",
            offered=lambda user: user.is_active,
        ),
        Deed("edit", lazy("修改"), accounts.MANAGE_ACCOUNT, PersonForm, _update, lazy("已保存。")),
        Deed(
            "stop",
            lazy("停用"),
            accounts.MANAGE_ACCOUNT,
            ReasonForm,
            _stop,
            lazy("已停用，不能再登录。"),
            help=lazy("停用后立即不能登录；办过的事和记录都保留。"),
            tone="danger",
            offered=lambda user: user.is_active,
        ),
        Deed(
            "start",
            lazy("启用"),
            accounts.MANAGE_ACCOUNT,
            ReasonForm,
            _start,
            lazy("已启用，可以用原密码登录。"),
            offered=lambda user: not user.is_active,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return with_holdings(super().get_queryset(request))

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return User.objects.visible_to(request.user).active()

    def lookup_text(self, row: User) -> str:
        return person_text(row)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, accounts.MANAGE_ACCOUNT)

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        if not self.has_add_permission(request):
            return []
        # The door in place of a button for each of the three tables.
        out = [tool for tool in super().tools(request) if tool[1].startswith(self.url("export", PeopleLedger.key))]
        return [(_("新建账号"), self.url("add"), "main"), (_("表格导入"), self.url("import_door"), "plain"), *out]

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return account_pages.add(self, request)

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("import/", self.door_view, "import_door"),
            self.page("import/<int:pk>/handout/", self.handout_view, "handout"),
        ]

    def door_view(self, request: HttpRequest) -> HttpResponse:
        return account_pages.import_door(self, request)

    def handout_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return account_pages.handout(self, request, pk)

    def job_deeds(self, job: Job) -> list[tuple[str, str]]:
        return [(_("领取首次密码发放单"), self.url("handout", job.pk))] if handout.waits(job) else []

    @admin.display(description=lazy("姓名"))
    def person(self, user: User) -> str:
        return user.name

    @admin.display(description=lazy("手机号码"))
    def number(self, user: User) -> str:
        return user.masked_phone

    @admin.display(description=lazy("岗位和单位"), empty_value="—")
    def held(self, user: Any) -> str | None:
        return held_words(user) or None

    @admin.display(description=lazy("密码"))
    def password_state(self, user: User) -> str:
        return chip(_("首次密码未改"), "amber") if user.must_change_password else _("已改")

    @admin.display(description=lazy("状态"))
    def state(self, user: User) -> str:
        return chip(*_used(user))

    def chips(self, obj: User) -> list[tuple[str, str]]:
        return [_used(obj)]

    def facts(self, request: HttpRequest, obj: User) -> list[Fact]:
        changed = datetime_words(obj.password_changed_at) if obj.password_changed_at else _("首次密码未改")
        return [
            Fact(_("手机号码"), obj.masked_phone),
            Fact(_("密码"), changed if obj.must_change_password or obj.password_changed_at else _("已设置")),
            Fact(_("建立时间"), datetime_words(obj.created_at)),
        ]

    def parts(self, request: HttpRequest, obj: User) -> list[Part]:
        posts = Appointment.objects.visible_to(request.user).filter(user=obj).select_related("node", "county")[:50]
        units = UnitMembership.objects.visible_to(request.user).filter(user=obj).select_related("unit")[:50]
        today = timezone.localdate()
        rows = [
            [
                link(row.post_label, reverse("admin:grids_appointment_change", args=[row.pk])),
                row.place,
                day_words(row.start),
                _("在任") if row.end is None or row.end >= today else day_words(row.end),
            ]
            for row in posts
        ]
        rows += [
            [
                link(row.get_role_display(), reverse("admin:partybuilding_unitmembership_change", args=[row.pk])),
                row.unit.name,
                day_words(row.start),
                _("在任") if row.end is None or row.end >= today else day_words(row.end),
            ]
            for row in units
        ]
        columns = [_("岗位或角色"), _("地点或单位"), _("开始"), _("结束")]
        return [Part(_("岗位和单位"), columns, rows, _("没有任何岗位：登录后看不到业务数据。请到“岗位任职”里任命。"))]


def _used(user: User) -> tuple[str, str]:
    return (_("在用"), "green") if user.is_active else (_("停用"), "red")
