"""The working calendar in the admin: days on which the installation departs from the national one, and years at a glance."""

import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import working_calendar
from core.admin_base import Fact, ScopedModelAdmin, chip
from core.deeds import Deed, DeedForm
from core.errors import NotFound
from core.models import CalendarDay
from core.periods import date_words
from services import posts
from services.actions import settings as actions
from services.views import calendar_year

YEARS = range(2000, 2101)


class DayForm(DeedForm):
    date = forms.DateField(
        label=lazy("日期"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        initial=timezone.localdate,
    )
    until = forms.DateField(
        label=lazy("到（连续几天时填）"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    is_working = forms.TypedChoiceField(
        label=lazy("这一天"),
        choices=[("1", lazy("上班")), ("0", lazy("休息")), ("", lazy("不再调整，按国家安排"))],
        coerce=lambda value: value == "1",
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label=lazy("说明"), max_length=60, required=False, help_text=lazy("例如：县庆放假。"))


def _set_days(*, actor: Any, obj: None, **data: Any) -> CalendarDay | None:
    return actions.set_calendar_days(actor=actor, **data)


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
        lazy("调整工作日"),
        posts.MANAGE_SETTINGS,
        DayForm,
        _set_days,
        lazy("已保存，今后的时限按此计算。"),
        tone="main",
    )
    deeds = ()

    def more_urls(self) -> list[URLPattern]:
        return [self.page("year/<int:year>/", self.year_view, "year")]

    def year_view(self, request: HttpRequest, year: int) -> HttpResponse:
        """A year at a glance: which days are off or shifted by the nation, which by the county's own word."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        if year not in YEARS:
            raise NotFound(_("没有这一年的日历。"))
        context = calendar_year.context(year, self.url("add"))
        near = [one for one in (year - 1, year + 1) if one in YEARS]
        return self.render(
            request,
            "admin/calendar_year.html",
            {
                "title": _("%(year)d 年工作日历") % {"year": year},
                "tools": [
                    *((_("%(year)d 年") % {"year": one}, self.url("year", one), "plain") for one in near),
                    *super().tools(request),
                ],
                **context,
            },
        )

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        year = timezone.localdate().year
        looks = [(_("%(year)d 年日历") % {"year": one}, self.url("year", one), "plain") for one in (year, year + 1)]
        return [*looks, *super().tools(request)]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A day pressed in the year's view, with the opposite of what holds there."""
        try:
            day = datetime.date.fromisoformat(request.GET.get("date", ""))
        except ValueError:
            return super().initial(request, deed, obj)
        if day.year not in YEARS:
            return super().initial(request, deed, obj)
        return {"date": day, "is_working": "0" if working_calendar.load().is_working_day(day) else "1"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return CalendarDay.objects.order_by("-date")

    def find(self, request: HttpRequest, object_id: int) -> CalendarDay:
        found = CalendarDay.objects.filter(pk=object_id).first()
        if found is None:
            raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
        return found

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        calendar, year = working_calendar.load(), timezone.localdate().year
        unknown = [(one, calendar.entered(one)) for one in (year, year + 1) if not calendar.covers(one)]
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
