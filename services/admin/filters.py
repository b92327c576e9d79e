"""Filters of the demand list: state, clock, period, category, origin, unit, place, and what waits for me."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core.admin_base import SelectFilter, choice_filter
from core.periods import Month, Period, Quarter, Year
from grids.admin_places import PlaceFilter
from partybuilding.models import Unit
from services.models import Category, DemandState, Origin, SubOrder
from services.selectors import firms
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


def offered_periods() -> list[tuple[Period, Any]]:
    """The periods a list or a page of figures is narrowed to, and what they are called today."""
    today = timezone.localdate()
    month, quarter = Month.of(today), Quarter.of(today)
    return [
        (month, _("本月")),
        (month.previous(), _("上月")),
        (quarter, _("本季度")),
        (quarter.previous(), _("上季度")),
        (Year.of(today), _("今年")),
    ]


class PeriodFilter(SelectFilter):
    title = _("登记时间")
    parameter_name = "period"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        self.periods = {one.code: one for one, _words in offered_periods()}
        return [
            (one.code, words if isinstance(one, Year) else f"{words}（{one.label}）")
            for one, words in offered_periods()
        ]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        period = self.periods[value]
        return rows.filter(registered_at__gte=period.start, registered_at__lt=period.end)


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


class PassedFilter(SelectFilter):
    """What was passed on to property firms, or to the one that the list is narrowed to. Offered where a figure leads here."""

    title = _("转物业")
    parameter_name = "passed"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        unit = request.GET.get("unit", "")
        self.firm = int(unit) if unit.isascii() and unit.isdigit() and len(unit) < 19 else None
        return [("any", _("全部")), *STANDINGS.items()] if request.GET.get("passed") else []

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        given = firms.orders(self.firm).filter(demand=OuterRef("pk"))
        return rows.filter(Exists(given if value == "any" else given.filter(firms.standings()[value])))


STANDINGS = {"open": _("办理中"), "finished": _("已办结"), "late": _("超期"), "returned": _("已退回")}
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
    PassedFilter,
)
