"""The clocks of the loop: when each limit falls, and what colour a matter has. No other file computes a limit.

The service clock starts at dispatch, in working time (docs/practice.md#loop). Urgent matters are limited in hours of
the wall clock: a burst pipe does not wait for Monday.
"""

import datetime
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import working_calendar
from core.working_calendar import WorkingCalendar
from services.models import Category, Demand, LimitUnit, LoopSettings, SubOrder

GREEN, YELLOW, RED, STILL = "green", "yellow", "red", "still"
WORDS = {GREEN: _("按时"), YELLOW: _("将到期"), RED: _("已超期"), STILL: _("未计时")}


@dataclass(frozen=True)
class Clock:
    """One county's limits on one calendar.

    Attributes:
        limits: the county's settings.
        calendar: working days and hours.
    """

    limits: LoopSettings
    calendar: WorkingCalendar

    def service_due(self, category: Category, start: datetime.datetime) -> datetime.datetime:
        """End of the service limit of a category, from the dispatch at `start`."""
        if category.limit_unit == LimitUnit.HOURS:
            return start + datetime.timedelta(hours=category.limit_value)
        return self.calendar.add_days(start, category.limit_value)

    def warn_at(self, start: datetime.datetime, due: datetime.datetime) -> datetime.datetime:
        """When the light turns yellow: the county's share of the span is left."""
        return due - (due - start) * self.limits.yellow_percent / 100

    def workdays(self, start: datetime.datetime, days: int) -> datetime.datetime:
        return self.calendar.add_days(start, days)

    def work_hours(self, start: datetime.datetime, hours: int) -> datetime.datetime:
        return self.calendar.add_hours(start, hours)

    def end_of(self, day: datetime.date) -> datetime.datetime:
        """Closing time of a day somebody named as a limit; of the working day after it when it is none."""
        noon = timezone.make_aware(datetime.datetime.combine(day - datetime.timedelta(days=1), datetime.time(12)))
        return self.calendar.add_days(noon, 1)

    def start_suborder(self, suborder: SubOrder, category: Category, start: datetime.datetime) -> None:
        """Sets every limit of a sub-order dispatched at `start`."""
        suborder.dispatched_at = start
        suborder.sign_due_at = self.work_hours(start, self.limits.sign_hours)
        suborder.contact_due_at = self.work_hours(start, self.limits.contact_hours)
        suborder.due_at = self.service_due(category, start)
        suborder.warn_at = self.warn_at(start, suborder.due_at)
        suborder.late_marked_at = None

    def start_service(self, demand: Demand, start: datetime.datetime) -> None:
        """Starts the demand's own service limit: at the first dispatch, and again when it is redone or reopened."""
        demand.due_at = self.service_due(demand.category, start)
        demand.warn_at = self.warn_at(start, demand.due_at)
        demand.late_marked_at = None

    def resume_on(self, until: datetime.date, due: datetime.datetime, now: datetime.datetime) -> datetime.datetime:
        """Where a limit falls when its clock stands still from now until the morning of `until`."""
        left = max(self.calendar.working_minutes_between(now, due), 0)
        morning = timezone.make_aware(datetime.datetime.combine(until, datetime.time.min))
        return self.calendar.add_hours(morning, left / 60)


def clock_for(county: Any) -> Clock:
    """The clock of a county (with its `loop_settings` at hand)."""
    return Clock(county.loop_settings, working_calendar.load())


def colour(obj: Demand | SubOrder, now: datetime.datetime | None = None) -> str:
    """The light of a running demand or sub-order; always shown with its word from `WORDS`."""
    running = obj.state == "dispatched" if isinstance(obj, Demand) else obj.is_running
    if obj.due_at is None:
        return STILL
    end = (now or timezone.now()) if running else obj.finished_at
    if end is None:
        return STILL
    if end > obj.due_at:
        return RED
    if running and obj.warn_at is not None and end >= obj.warn_at:
        return YELLOW
    return GREEN
