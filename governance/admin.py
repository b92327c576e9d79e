"""Accounts in the admin: made with what their person holds, given a new first password, stopped."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import accounts
from core.admin_base import Fact, Part, ScopedModelAdmin, chip, day_words, flag_filter, link
from core.deeds import Deed, DeedForm, NothingToFill, Shown
from core.models import User
from core.periods import datetime_words
from governance.accounts import actions
from governance.accounts.sheets import posts_of
from governance.views import account_import
from grids.actions import GivenAccount
from grids.admin import date_input, person_text
from grids.admin_places import managed_county, place_field
from grids.models import Appointment, GridNode
from grids.posts import COUNTY, POSTS
from partybuilding.admin.fields import organisation_field, unit_field
from partybuilding.models import UnitMembership, UnitRole

CADRE, LIAISON, MEMBER = "cadre", "liaison", "member"
_DISPENSED = lazy("首次密码只显示这一次，系统不保存。请当面交给本人；首次登录必须修改。")


class AccountForm(DeedForm):
    """A person, and what they hold: a post, a role in a unit, or membership."""

    name = forms.CharField(label=lazy("姓名"), max_length=60)
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=20,
        help_text=lazy("就是登录名。已有账号的人只增加下面的职务，密码不变。"),
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )
    what = forms.ChoiceField(
        label=lazy("身份"),
        choices=[(CADRE, lazy("干部、网格员和各级负责人")), (LIAISON, lazy("单位人员")), (MEMBER, lazy("党员"))],
        widget=forms.RadioSelect,
    )
    post = forms.ChoiceField(label=lazy("岗位"), required=False, help_text=lazy("干部和网格人员填写。"))
    role = forms.ChoiceField(
        label=lazy("单位角色"), choices=UnitRole.choices, required=False, help_text=lazy("单位人员填写，不填就是联络员。")
    )

    def build(self) -> None:
        county = managed_county(self.user, accounts.MANAGE_ACCOUNT)
        labels = {key: words for words, key in posts_of(county).items()}
        self.fields["post"].choices = [("", _("请选择")), *labels.items()]  # type: ignore[attr-defined]
        places = GridNode.objects.standing().visible_to(self.user)
        self.fields["place"] = place_field(
            places, label=_("任职地"), required=False, help_text=_("干部和网格人员填写；县级岗位不填。")
        )
        self.fields["unit"] = unit_field(
            self.user, required=False, help_text=_("单位人员必填；党员有单位的填写。")
        )
        self.fields["branch"] = organisation_field(
            self.user, label=_("所在支部"), required=False, help_text=_("党员有支部的填写。")
        )
        self.order_fields(["name", "phone", "what", "post", "place", "unit", "role", "branch"])

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        what, post = data.get("what"), POSTS.get(data.get("post") or "")
        if what == CADRE and post is None and "post" not in self.errors:
            self.add_error("post", _("请选择岗位。"))
        if what == CADRE and post is not None and "place" not in self.errors:
            self._check_place(post, data.get("place"))
        if what == LIAISON and not data.get("unit") and "unit" not in self.errors:
            self.add_error("unit", _("请填写单位。"))
        return data

    def _check_place(self, post: Any, place: GridNode | None) -> None:
        if COUNTY in post.levels and place is not None:
            self.add_error("place", _("“%(post)s”是县级岗位，不填任职地。") % {"post": post.label})
        elif COUNTY not in post.levels and place is None:
            self.add_error("place", _("请填写任职地。"))


def create(*, actor: Any, obj: None, name: str, phone: str, what: str, **data: Any) -> Shown:
    county = managed_county(actor, accounts.MANAGE_ACCOUNT)
    person = {"actor": actor, "name": name, "phone": phone}
    if what == CADRE:
        given = actions.create_cadre_account(**person, post=data["post"], place=data["place"] or county)
    elif what == LIAISON:
        given = actions.create_liaison_account(**person, unit=data["unit"], role=data["role"] or UnitRole.LIAISON)
    else:
        given = actions.create_member_account(**person, county=county, unit=data["unit"], branch=data["branch"])
    return handed(given)


def handed(given: GivenAccount) -> Shown:
    """What the administrator is shown once."""
    lines = ((_("姓名"), given.user.name), (_("登录手机号码"), given.user.phone))
    if given.password is None:
        return Shown(_("已增加职务"), lines, _("这个手机号码原来就有账号，密码不变。"))
    return Shown(_("账号已开通"), (*lines, (_("首次密码"), given.password)), str(_DISPENSED))


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
class UserAdmin(ScopedModelAdmin):
    """Seen at county scope alone."""

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
    lookup_fields = ("name", "phone")
    empty_text = lazy("新建账号，或用表格成批导入。")
    adding = Deed(
        "add", lazy("新建账号"), accounts.MANAGE_ACCOUNT, AccountForm, create, lazy("账号已开通。"), tone="main"
    )
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
        posts = Appointment.objects.current().select_related("node", "county")
        units = UnitMembership.objects.current().select_related("unit")
        return (
            super()
            .get_queryset(request)
            .prefetch_related(
                Prefetch("appointments", posts, to_attr="posts_now"),
                Prefetch("unit_memberships", units, to_attr="units_now"),
            )
        )

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return User.objects.visible_to(request.user).active()

    def lookup_text(self, row: User) -> str:
        return person_text(row)

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        found = super().tools(request)
        return [*found, (_("表格导入"), self.url("import"), "plain")] if found else found

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("import/", self.import_view, "import"),
            self.page("import/<slug:kind>/template/", self.template_view, "template"),
            self.page("import/<int:pk>/handout/", self.handout_view, "handout"),
        ]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        return account_import.start(self, request)

    def template_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        return account_import.template(self, request, kind)

    def handout_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return account_import.handout(self, request, pk)

    @admin.display(description=lazy("姓名"))
    def person(self, user: User) -> str:
        return user.name

    @admin.display(description=lazy("手机号码"))
    def number(self, user: User) -> str:
        return user.masked_phone

    @admin.display(description=lazy("岗位和单位"), empty_value="—")
    def held(self, user: Any) -> str | None:
        posts = [f"{row.post_label}（{row.node.name if row.node else row.county.name}）" for row in user.posts_now]
        units = [f"{row.unit.label}{row.get_role_display()}" for row in user.units_now]
        return "；".join([*posts, *units]) or None

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
