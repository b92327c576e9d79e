"""Units in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import (
    Fact,
    Part,
    chip,
    choice_filter,
    day_words,
    flag_filter,
    link,
)
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, NothingToFill
from grids.selectors import managed_county
from partybuilding import actions, posts
from partybuilding.admin.fields import IN_USE, used
from partybuilding.models import DOMAIN_OF_KIND, Domain, Member, Unit, UnitKind, UnitMembership


class UnitForm(DeedForm):
    name = forms.CharField(label=lazy("单位名称"), max_length=60)
    short_name = forms.CharField(
        label=lazy("简称"), max_length=20, required=False, help_text=lazy("清单和通知里用简称，省地方。")
    )
    kind = forms.ChoiceField(label=lazy("单位类型"), choices=UnitKind.choices)
    domain = forms.ChoiceField(
        label=lazy("所属领域"),
        choices=[("", lazy("按单位类型")), *Domain.choices],
        required=False,
        help_text=lazy("行业、产业链、园区等与单位类型不同的才选。"),
    )
    credit_code = forms.CharField(label=lazy("统一社会信用代码"), max_length=18, required=False)
    address = forms.CharField(label=lazy("地址"), max_length=200, required=False)
    duty = forms.CharField(
        label=lazy("主要职责"),
        max_length=300,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=lazy("派单的人据此判断该派给谁。"),
    )

    def build(self) -> None:
        if self.obj is not None and self.obj.domain == DOMAIN_OF_KIND[UnitKind(self.obj.kind)]:
            self.initial = {**self.initial, "domain": ""}


def _create_unit(*, actor: Any, obj: None, **data: Any) -> Unit:
    return actions.create_unit(actor=actor, county=managed_county(actor, posts.MANAGE_UNIT), **data)


def _update_unit(*, actor: Any, obj: Unit, **data: Any) -> Unit:
    return actions.update_unit(actor=actor, unit=obj, **data)


def _close_unit(*, actor: Any, obj: Unit) -> Unit:
    return actions.update_unit(actor=actor, unit=obj, is_active=False)


def _open_unit(*, actor: Any, obj: Unit) -> Unit:
    return actions.update_unit(actor=actor, unit=obj, is_active=True)


@admin.register(Unit)
class UnitAdmin(SheetAdmin):
    sheets = ("units",)
    list_display = ("name", "what", "domain_name", "duty", "state")
    list_filter = (
        choice_filter("kind", lazy("单位类型"), UnitKind.choices),
        choice_filter("domain", lazy("所属领域"), Domain.choices),
        flag_filter("is_active", lazy("状态"), *IN_USE),
    )
    search_fields = ("name", "short_name", "duty")
    search_help_text = lazy("名称、简称或职责")
    ordering = ("name",)
    sortable_by = ("name",)
    object_related = ("county",)
    lookup_fields = ("name", "short_name")
    empty_text = lazy("登记单位，成批的用表格导入；再为它安排联络员、办理报到。")
    adding = Deed("add", lazy("登记单位"), posts.MANAGE_UNIT, UnitForm, _create_unit, lazy("单位已登记。"), tone="main")
    deeds = (
        Deed("edit", lazy("修改"), posts.MANAGE_UNIT, UnitForm, _update_unit, lazy("已保存。"), tone="main"),
        Deed(
            "close",
            lazy("停用"),
            posts.MANAGE_UNIT,
            NothingToFill,
            _close_unit,
            lazy("已停用。"),
            help=lazy("停用后不能再派单、认领；还有没有了结的派单时不能停用。"),
            tone="danger",
            offered=lambda unit: unit.is_active,
        ),
        Deed(
            "open",
            lazy("启用"),
            posts.MANAGE_UNIT,
            NothingToFill,
            _open_unit,
            lazy("已启用。"),
            offered=lambda unit: not unit.is_active,
        ),
    )

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super().lookup_rows(request).filter(is_active=True)

    def lookup_text(self, row: Unit) -> str:
        return row.name

    @admin.display(description=lazy("单位类型"))
    def what(self, unit: Unit) -> str:
        return unit.get_kind_display()

    @admin.display(description=lazy("所属领域"))
    def domain_name(self, unit: Unit) -> str:
        return unit.get_domain_display()

    @admin.display(description=lazy("状态"))
    def state(self, unit: Unit) -> str:
        return chip(*used(unit))

    def chips(self, obj: Unit) -> list[tuple[str, str]]:
        return [used(obj)]

    def facts(self, request: HttpRequest, obj: Unit) -> list[Fact]:
        return [
            Fact(_("简称"), obj.short_name),
            Fact(_("单位类型"), obj.get_kind_display()),
            Fact(_("所属领域"), obj.get_domain_display()),
            Fact(_("统一社会信用代码"), obj.credit_code),
            Fact(_("地址"), obj.address),
            Fact(_("主要职责"), obj.duty, wide=True),
        ]

    def parts(self, request: HttpRequest, obj: Unit) -> list[Part]:
        if not policies.holds(request.user, posts.VIEW_MEMBER):
            return []
        held = UnitMembership.objects.visible_to(request.user).current().filter(unit=obj).select_related("user")
        page = "admin:partybuilding_unitmembership_change"
        rows = [
            [link(row.user.name, reverse(page, args=[row.pk])), row.get_role_display(), day_words(row.start)]
            for row in held
        ]
        members = Member.objects.visible_to(request.user).active().filter(unit=obj).count()
        listed = f"{reverse('admin:partybuilding_member_changelist')}?q={obj.name}"
        more = (_("本单位党员 %(count)d 人") % {"count": members}, listed)
        return [
            Part(
                _("联络员和工作人员"),
                [_("姓名"), _("角色"), _("开始日期")],
                rows,
                _("还没有联络员：派给这个单位的单子没有人能签收。请到“单位人员”里登记。"),
                more if rows else None,
            )
        ]
