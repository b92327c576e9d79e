"""The clocks of the loop: when each limit falls, and what colour a matter has. No other file computes a limit.

The service clock starts at dispatch, in working time (docs/practice.md#loop). Urgent matters are limited in hours of
the wall clock: a burst pipe does not wait for Monday.
"""

import datetime
from dataclasses import dataclass
from time import monotonic
from typing import Any

from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import working_calendar
from core.working_calendar import WorkingCalendar
from services.models import Category, Demand, LimitUnit, LoopSettings, SubOrder
from services.models.demand import CLOCK_STATES

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


_KEEP_SECONDS = 60
_kept: dict[int, tuple[float, LoopSettings]] = {}


def limits_of(county_id: int) -> LoopSettings:
    """A county's settings, kept for a minute in each process like the calendar: every move asks for them."""
    kept = _kept.get(county_id)
    if kept is None or monotonic() - kept[0] > _KEEP_SECONDS:
        # A county that has set nothing yet has the defaults.
        found = LoopSettings.objects.filter(county_id=county_id).first() or LoopSettings(county_id=county_id)
        kept = _kept[county_id] = (monotonic(), found)
    return kept[1]


def forget_limits(**_signal: Any) -> None:
    """Makes the next `limits_of` read the database again."""
    _kept.clear()


post_save.connect(forget_limits, sender=LoopSettings, dispatch_uid="loop_settings_saved")
post_delete.connect(forget_limits, sender=LoopSettings, dispatch_uid="loop_settings_deleted")


def clock_for(county_id: int) -> Clock:
    """The clock of a county: its limits on the calendar in force."""
    return Clock(limits_of(county_id), working_calendar.load())


def colour(obj: Demand | SubOrder, now: datetime.datetime | None = None) -> str:
    """The light of a running demand or sub-order; always shown with its word from `WORDS`."""
    running = obj.state in CLOCK_STATES if isinstance(obj, Demand) else obj.is_running
    return light(running, obj.warn_at, obj.due_at, obj.finished_at, now or timezone.now())


def light(
    running: bool,
    warn_at: datetime.datetime | None,
    due_at: datetime.datetime | None,
    finished_at: datetime.datetime | None,
    now: datetime.datetime,
) -> str:
    """The colour from the bare facts, for rows that are no objects."""
    end = now if running else finished_at
    if due_at is None or end is None:
        return STILL
    if end > due_at:
        return RED
    return YELLOW if running and warn_at is not None and end >= warn_at else GREEN
