"""Filters of the demand list: state, clock, period, category, origin, unit, place, and what waits for me."""

import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin_base import SelectFilter, choice_filter
from core.periods import Month, Quarter
from grids.admin_places import PlaceFilter
from partybuilding.models import Unit
from services.models import Category, DemandState, Origin, SubOrder
from services.selectors import loop as selectors

OPEN = "open"


class DemandPlaceFilter(PlaceFilter):
    community = "community"


class WaitingFilter(SelectFilter):
    title = _("待办")
    parameter_name = "wait"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.user = request.user
        return [("me", _("等我办"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(pk__in=selectors.demands_waiting(self.user).order_by().values("pk"))  # type: ignore[arg-type]


class StateFilter(SelectFilter):
    title = _("状态")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(OPEN, _("未销号")), *DemandState.choices]

    def narrow(self, rows: Any, value: str) -> QuerySet[Any]:
        return rows.open() if value == OPEN else rows.filter(state=value)


class LightFilter(SelectFilter):
    title = _("时限")
    parameter_name = "light"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        coloured = [("late", _("红：已超期")), ("soon", _("黄：将到期")), ("on_time", _("绿：按时"))]
        return [*coloured, ("step", _("下一步超时")), ("supervised", _("督办中"))]

    def narrow(self, rows: Any, value: str) -> QuerySet[Any]:
        now = timezone.now()
        if value == "soon":
            return rows.due_soon(now)
        if value == "late":
            return rows.late(now)
        if value == "on_time":
            return rows.on_time(now)
        return rows.step_late(now) if value == "step" else rows.filter(supervised_at__isnull=False)


class PeriodFilter(SelectFilter):
    title = _("登记时间")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        today = timezone.localdate()
        month, quarter = Month.of(today), Quarter.of(today)
        shown = [month, month.previous(), quarter, quarter.previous()]
        self.spans: dict[str, tuple[datetime.datetime, datetime.datetime]] = {
            one.code: (one.start, one.end) for one in shown
        }
        year = str(today.year)
        self.spans[year] = (Month(today.year, 1).start, Month(today.year, 12).end)
        words = (_("本月"), _("上月"), _("本季度"), _("上季度"))
        named = [(one.code, f"{word}（{one.label}）") for one, word in zip(shown, words, strict=True)]
        return [*named, (year, _("今年"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        start, end = self.spans[value]
        return rows.filter(registered_at__gte=start, registered_at__lt=end)


class CategoryFilter(SelectFilter):
    title = _("类别")
    parameter_name = "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = Category.objects.visible_to(request.user)
        return [
            (str(row.pk), row.name if row.is_active else _("%(name)s（停用）") % {"name": row.name}) for row in seen
        ]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(category_id=int(value))


class UnitFilter(SelectFilter):
    """Lead or supporting."""

    title = _("承办单位")
    parameter_name = "unit"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(str(unit.pk), unit.label) for unit in Unit.objects.visible_to(request.user).active().order_by("name")]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        given = SubOrder.objects.filter(demand=OuterRef("pk"), unit_id=int(value))
        return rows.filter(Q(lead_unit_id=int(value)) | Exists(given))


OriginFilter = choice_filter("origin", _("来源"), Origin.choices)

ALL = (
    WaitingFilter,
    DemandPlaceFilter,
    StateFilter,
    LightFilter,
    PeriodFilter,
    CategoryFilter,
    UnitFilter,
    OriginFilter,
)
