"""A county's own figures in the admin: categories and limits."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import Fact, ScopedModelAdmin, chip, choice_filter, flag_filter
from core.deeds import Deed, DeedForm
from grids.selectors import managed_county
from services import posts
from services.actions import settings as actions
from services.actions.rule_versions import LIMITS
from services.models import Category, LimitUnit, LoopSettings, Urgency
from services.selectors.loop import open_demands


class CategoryForm(DeedForm):
    name = forms.CharField(label=lazy("类别"), max_length=20, help_text=lazy("居民看到的按钮，四到六个字最清楚。"))
    hint = forms.CharField(label=lazy("举例"), max_length=60, required=False, help_text=lazy("写在按钮下面。"))
    urgency = forms.ChoiceField(label=lazy("紧急程度"), choices=Urgency.choices)
    limit_value = forms.IntegerField(label=lazy("办理时限"), min_value=1, max_value=400, initial=5)
    limit_unit = forms.ChoiceField(
        label=lazy("时限单位"),
        choices=[
            (LimitUnit.WORKDAYS, lazy("个工作日")),
            (LimitUnit.WORK_HOURS, lazy("个工作小时")),
            (LimitUnit.HOURS, lazy("小时（不分昼夜和节假日）")),
        ],
    )
    contact_hours = forms.IntegerField(
        label=lazy("首次联系时限（工作小时）"),
        min_value=LIMITS["contact_hours"][0],
        max_value=LIMITS["contact_hours"][1],
        required=False,
        help_text=lazy("不填的按全县的时限。"),
    )
    order = forms.IntegerField(
        label=lazy("顺序"), min_value=0, max_value=30000, initial=100, help_text=lazy("小的排在前面。")
    )
    is_public = forms.BooleanField(label=lazy("居民可以选择"), required=False, initial=True)
    is_active = forms.BooleanField(label=lazy("在用"), required=False, initial=True)

    def build(self) -> None:
        if self.obj is not None and (number := open_demands(self.obj)):
            self.fields["is_active"].help_text = _(
                "还有 %(number)d 条没有办结的需求是这个类别：停用后照常办理，待受理的须改为别的类别才能受理。"
            ) % {"number": number}


def _add_category(*, actor: Any, obj: None, **data: Any) -> Category:
    county = managed_county(actor, posts.MANAGE_SETTINGS)
    return actions.create_category(actor=actor, county=county, **data)


def _change_category(*, actor: Any, obj: Category, **data: Any) -> Category:
    return actions.update_category(actor=actor, category=obj, **data)


@admin.register(Category)
class CategoryAdmin(ScopedModelAdmin):
    list_display = ("name", "hint", "level", "limit", "public", "active", "order")
    list_filter = (
        choice_filter("urgency", lazy("紧急程度"), Urgency.choices),
        flag_filter("is_active", lazy("状态"), lazy("在用"), lazy("停用")),
    )
    ordering = ("county", "order", "id")
    sortable_by = ()
    object_related = ("county",)
    empty_text = lazy("新增类别后，居民和干部登记需求时就能选择。")
    adding = Deed(
        "add",
        lazy("新增类别"),
        posts.MANAGE_SETTINGS,
        CategoryForm,
        _add_category,
        lazy("类别已新增。"),
        tone="main",
    )
    deeds = (
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_SETTINGS,
            CategoryForm,
            _change_category,
            lazy("已保存。"),
            help=lazy("新时限从以后派出的单子算起，已经在办的不变。停用的类别不能再选，原来的需求仍照常显示。"),
            tone="main",
        ),
    )

    @admin.display(description=lazy("紧急程度"))
    def level(self, row: Category) -> str:
        return row.get_urgency_display()

    @admin.display(description=lazy("办理时限"))
    def limit(self, row: Category) -> str:
        return row.limit_words

    @admin.display(description=lazy("居民可选"))
    def public(self, row: Category) -> str:
        return _("可选") if row.is_public else _("不可选")

    @admin.display(description=lazy("状态"))
    def active(self, row: Category) -> str:
        return chip(_("在用"), "green") if row.is_active else chip(_("停用"))

    def chips(self, obj: Category) -> list[tuple[str, str]]:
        return [(_("在用"), "green") if obj.is_active else (_("停用"), "grey")]

    def facts(self, request: HttpRequest, obj: Category) -> list[Fact]:
        return [
            Fact(_("县"), obj.county.name),
            Fact(_("举例"), obj.hint),
            Fact(_("紧急程度"), obj.get_urgency_display()),
            Fact(_("办理时限"), obj.limit_words),
            Fact(_("首次联系时限"), _contact_words(obj)),
            Fact(_("居民可选"), _("可选") if obj.is_public else _("不可选")),
            Fact(_("没有办结的需求"), _("%(number)d 条") % {"number": open_demands(obj)}),
            Fact(_("顺序"), obj.order),
        ]


def _contact_words(row: Category) -> str:
    hours = row.contact_hours
    return _("%(hours)d 个工作小时") % {"hours": hours} if hours else _("按全县的时限")


class LimitsForm(DeedForm):
    """Drawn from the model: every figure of a county with its own name, within `LIMITS`."""

    def build(self) -> None:
        for name, (low, high) in LIMITS.items():
            field = LoopSettings._meta.get_field(name)
            self.fields[name] = forms.IntegerField(
                label=str(field.verbose_name),
                initial=getattr(self.obj, name),
                validators=[MinValueValidator(low), MaxValueValidator(high)],
                widget=forms.NumberInput(attrs={"min": low, "max": high}),
            )
        self.fields["promise"] = forms.CharField(
            label=_("对居民的承诺"), max_length=60, initial=self.obj.promise, help_text=_("居民提交后看到的一句话。")
        )


def _change_limits(*, actor: Any, obj: LoopSettings, **data: Any) -> LoopSettings:
    return actions.update_limits(actor=actor, limits=obj, **data)


@admin.register(LoopSettings)
class LoopSettingsAdmin(ScopedModelAdmin):
    list_display = ("county_name", "promise")
    list_display_links = ("county_name",)
    list_select_related = ("county",)
    sortable_by = ()
    object_related = ("county",)
    deeds = (
        Deed(
            "edit",
            lazy("修改"),
            posts.MANAGE_SETTINGS,
            LimitsForm,
            _change_limits,
            lazy("已保存。"),
            help=lazy("新的时限从下一步算起，已经在计时的不变。"),
            tone="main",
        ),
    )

    @admin.display(description=lazy("县"))
    def county_name(self, row: LoopSettings) -> str:
        return row.county.name

    def object_title(self, obj: LoopSettings) -> str:
        return _("%(county)s办理时限") % {"county": obj.county.name}

    def facts(self, request: HttpRequest, obj: LoopSettings) -> list[Fact]:
        names = (*LIMITS, "promise")
        return [Fact(str(LoopSettings._meta.get_field(name).verbose_name), getattr(obj, name)) for name in names]
