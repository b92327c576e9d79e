"""Party members in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.accounts import MANAGE_ACCOUNT
from core.admin_base import (
    Fact,
    ScopedModelAdmin,
    chip,
    flag_filter,
)
from core.deeds import Deed, DeedForm, NothingToFill, Shown
from grids.admin_places import PlaceFilter, place_field
from grids.compounds import with_profiles
from grids.models import GridNode
from grids.selectors import managed_county
from partybuilding import actions, posts
from partybuilding.admin.fields import IN_USE, organisation_field, unit_field, used
from partybuilding.models import Member


class MemberForm(DeedForm):
    name = forms.CharField(label=lazy("姓名"), max_length=60)
    phone = forms.CharField(
        label=lazy("手机号码"),
        max_length=20,
        widget=forms.TextInput(attrs={"type": "tel", "inputmode": "numeric", "autocomplete": "off"}),
    )

    def build(self) -> None:
        self.fields["unit"] = unit_field(self.user, label=_("所在单位"), required=False)
        self.fields["branch"] = organisation_field(self.user, label=_("所在支部"), required=False)
        compounds = GridNode.objects.standing().visible_to(self.user).filter(with_profiles())
        self.fields["home"] = place_field(
            compounds.select_related("county", "level_type"),
            label=_("居住小区"),
            required=False,
            help_text=_("填小区名称中的几个字。居住在县城以外的不填。"),
        )
        if self.obj is not None:
            # The number is not shown again: whoever corrects it types the right one.
            phone = self.fields["phone"]
            phone.required, phone.help_text = (
                False,
                _("现为 %(phone)s；不改就不填。") % {"phone": self.obj.masked_phone},
            )
            standing = {name: getattr(self.obj, name) for name in ("unit", "branch", "home")}
            self.initial = {**self.initial, "phone": "", **standing}


def _add_member(*, actor: Any, obj: None, **data: Any) -> Member:
    return actions.add_member(actor=actor, county=managed_county(actor, posts.MANAGE_MEMBER), **data)


def _update_member(*, actor: Any, obj: Member, phone: str, **data: Any) -> Member:
    changed = {"phone": phone} if phone else {}
    return actions.update_member(actor=actor, member=obj, **changed, **data)


def _close_member(*, actor: Any, obj: Member) -> Member:
    return actions.update_member(actor=actor, member=obj, is_active=False)


def _open_member(*, actor: Any, obj: Member) -> Member:
    return actions.update_member(actor=actor, member=obj, is_active=True)


def _give_account(*, actor: Any, obj: Member) -> Shown:
    given = actions.give_member_account(actor=actor, member=obj)
    if given.password is None:
        return Shown(
            _("已关联账号"),
            ((_("姓名"), given.user.name), (_("登录手机号码"), given.user.masked_phone)),
            _("这个手机号码原来就有账号，密码不变。"),
        )
    return Shown(
        _("账号已开通"),
        ((_("姓名"), given.user.name), (_("登录手机号码"), given.user.masked_phone), (_("首次密码"), given.password)),
        _("首次密码只显示这一次，请当面交给本人；首次登录必须修改。"),
    )


class HomeFilter(PlaceFilter):
    title = lazy("居住地")
    path = "home"


@admin.register(Member)
class MemberAdmin(ScopedModelAdmin):
    list_display = ("person", "number", "unit_name", "branch_name", "lives", "account", "state")
    list_display_links = ("person",)
    list_filter = (
        HomeFilter,
        flag_filter("is_active", lazy("状态"), *IN_USE),
        flag_filter("user__isnull", lazy("账号"), lazy("没有账号"), lazy("有账号")),
    )
    list_select_related = ("unit", "branch", "home")
    search_fields = ("name", "=phone", "unit__name", "branch__name")
    search_help_text = lazy("姓名、完整手机号码、单位、支部")
    lookup_fields = ("name", "=phone")
    ordering = ("unit__name", "name", "id")
    sortable_by = ()
    object_related = ("county", "unit", "branch", "home", "user")
    empty_text = lazy("登记党员；成批的请用表格导入。")
    adding = Deed("add", lazy("登记党员"), posts.MANAGE_MEMBER, MemberForm, _add_member, lazy("已登记。"), tone="main")
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_MEMBER, MemberForm, _update_member, lazy("已保存。"), tone="main"),
        Deed(
            "account",
            lazy("开通账号"),
            MANAGE_ACCOUNT,
            NothingToFill,
            _give_account,
            lazy("已开通。"),
            help=lazy("用登记的手机号码开通，首次密码只显示一次，请当面交给本人。"),
            offered=lambda row: row.is_active and row.user_id is None,
        ),
        Deed(
            "close",
            lazy("停用"),
            posts.MANAGE_MEMBER,
            NothingToFill,
            _close_member,
            lazy("已停用。"),
            help=lazy("停用后不能再被安排服务，以前的服务记录保留。"),
            tone="danger",
            offered=lambda row: row.is_active,
        ),
        Deed(
            "open",
            lazy("启用"),
            posts.MANAGE_MEMBER,
            NothingToFill,
            _open_member,
            lazy("已启用。"),
            offered=lambda row: not row.is_active,
        ),
    )

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super().lookup_rows(request).filter(is_active=True)

    def lookup_text(self, row: Member) -> str:
        return f"{row.name}（{row.masked_phone}）"

    @admin.display(description=lazy("姓名"))
    def person(self, row: Member) -> str:
        return row.name

    @admin.display(description=lazy("手机号码"))
    def number(self, row: Member) -> str:
        return row.masked_phone

    @admin.display(description=lazy("所在单位"), empty_value="—")
    def unit_name(self, row: Member) -> str | None:
        return row.unit.name if row.unit else None

    @admin.display(description=lazy("所在支部"), empty_value="—")
    def branch_name(self, row: Member) -> str | None:
        return row.branch.name if row.branch else None

    @admin.display(description=lazy("居住小区"), empty_value="—")
    def lives(self, row: Member) -> str | None:
        return row.home.name if row.home else None

    @admin.display(description=lazy("账号"))
    def account(self, row: Member) -> str:
        return _("已开通") if row.user_id else _("未开通")

    @admin.display(description=lazy("状态"))
    def state(self, row: Member) -> str:
        return chip(*used(row))

    def chips(self, obj: Member) -> list[tuple[str, str]]:
        return [used(obj)]

    def facts(self, request: HttpRequest, obj: Member) -> list[Fact]:
        return [
            Fact(_("手机号码"), obj.masked_phone),
            Fact(_("账号"), _("已开通") if obj.user_id else _("未开通")),
            Fact(_("所在单位"), obj.unit or ""),
            Fact(_("所在支部"), obj.branch or ""),
            Fact(_("居住小区"), obj.home.path if obj.home else "", wide=True),
        ]
