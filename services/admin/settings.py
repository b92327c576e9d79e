"""A county's own figures in the admin: categories, limits, the working calendar."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import working_calendar
from core.admin_base import Fact, ScopedModelAdmin, chip, choice_filter, flag_filter
from core.deeds import Deed, DeedForm
from core.errors import NotFound
from core.models import CalendarDay
from core.periods import date_words
from grids.selectors import managed_county
from services import posts
from services.actions import settings as actions
from services.models import Category, LimitUnit, LoopSettings, Urgency


class CategoryForm(DeedForm):
    name = forms.CharField(label=lazy("类别"), max_length=20, help_text=lazy("居民看到的按钮，四到六个字最清楚。"))
    hint = forms.CharField(label=lazy("举例"), max_length=60, required=False, help_text=lazy("写在按钮下面。"))
    urgency = forms.ChoiceField(label=lazy("紧急程度"), choices=Urgency.choices)
    limit_value = forms.IntegerField(label=lazy("办理时限"), min_value=1, max_value=400, initial=5)
    limit_unit = forms.ChoiceField(
        label=lazy("时限单位"),
        choices=[(LimitUnit.WORKDAYS, lazy("个工作日")), (LimitUnit.HOURS, lazy("小时（不分昼夜和节假日）"))],
    )
    order = forms.IntegerField(
        label=lazy("顺序"), min_value=0, max_value=30000, initial=100, help_text=lazy("小的排在前面。")
    )
    is_public = forms.BooleanField(label=lazy("居民可以选择"), required=False, initial=True)
    is_active = forms.BooleanField(label=lazy("在用"), required=False, initial=True)


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
            Fact(_("居民可选"), _("可选") if obj.is_public else _("不可选")),
            Fact(_("顺序"), obj.order),
        ]


class LimitsForm(DeedForm):
    """Drawn from the model: every figure of a county with its own name, within `actions.LIMITS`."""

    def build(self) -> None:
        for name, (low, high) in actions.LIMITS.items():
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
        names = (*actions.LIMITS, "promise")
        return [Fact(str(LoopSettings._meta.get_field(name).verbose_name), getattr(obj, name)) for name in names]


class DayForm(DeedForm):
    date = forms.DateField(
        label=lazy("日期"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        initial=timezone.localdate,
    )
    is_working = forms.TypedChoiceField(
        label=lazy("这一天"),
        choices=[("1", lazy("上班")), ("0", lazy("休息"))],
        coerce=lambda value: value == "1",
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=lazy("说明"), max_length=60, required=False, help_text=lazy("例如：县庆放假。"))

    def build(self) -> None:
        if self.obj is not None:
            self.fields["date"].disabled = True
            self.initial = {**self.initial, "is_working": "1" if self.obj.is_working else "0"}


def _set_day(*, actor: Any, obj: CalendarDay | None, **data: Any) -> CalendarDay:
    return actions.set_calendar_day(actor=actor, **data)


@admin.register(CalendarDay)
class CalendarDayAdmin(ScopedModelAdmin):
    """Days on which the installation departs from the national calendar. Not a county's: one portal, one calendar."""

    view_right = posts.MANAGE_SETTINGS
    list_display = ("day", "weekday", "worked", "note")
    list_display_links = ("day",)
    ordering = ("-date",)
    sortable_by = ()
    change_list_template = "admin/calendar.html"
    empty_text = lazy("国家节假日和调休已经内置；本地另有安排（县庆、停工等）的日子才需要在这里添加。")
    adding = Deed(
        "add",
        lazy("调整一天"),
        posts.MANAGE_SETTINGS,
        DayForm,
        _set_day,
        lazy("已保存，今后的时限按此计算。"),
        tone="main",
    )
    deeds = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return CalendarDay.objects.order_by("-date")

    def find(self, request: HttpRequest, object_id: int) -> CalendarDay:
        found = CalendarDay.objects.filter(pk=object_id).first()
        if found is None:
            raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        calendar, year = working_calendar.load(), timezone.localdate().year
        unknown = [one for one in (year, year + 1) if not calendar.covers(one)]
        return super().changelist_view(request, {"unknown_years": unknown, **(extra_context or {})})

    @admin.display(description=lazy("日期"))
    def day(self, row: CalendarDay) -> str:
        return date_words(row.date)

    @admin.display(description=lazy("星期"))
    def weekday(self, row: CalendarDay) -> str:
        return "星期" + "一二三四五六日"[row.date.weekday()]

    @admin.display(description=lazy("这一天"))
    def worked(self, row: CalendarDay) -> str:
        return chip(_("上班"), "blue") if row.is_working else chip(_("休息"), "green")

    def object_title(self, obj: CalendarDay) -> str:
        return date_words(obj.date)

    def facts(self, request: HttpRequest, obj: CalendarDay) -> list[Fact]:
        return [
            Fact(_("星期"), self.weekday(obj)),
            Fact(_("这一天"), _("上班") if obj.is_working else _("休息")),
            Fact(_("说明"), obj.note, wide=True),
        ]
