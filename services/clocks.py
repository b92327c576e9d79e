"""The clocks of the loop: when each limit falls, and what colour a matter has. No other file computes a limit.

The service clock starts at dispatch, in working time (docs/practice.md#loop). Urgent matters are limited in hours of
the wall clock: a burst pipe does not wait for Monday.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import OuterRef, Subquery
from django.db.models.signals import post_delete, post_save
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from core import working_calendar
from core.working_calendar import WorkingCalendar
from services.models import Category, Demand, LimitUnit, LoopSettings, RuleVersion, SubOrder
from services.models.demand import CLOCK_STATES

GREEN, YELLOW, RED, STILL = "green", "yellow", "red", "still"
WORDS = {GREEN: _("按时"), YELLOW: _("将到期"), RED: _("已超期"), STILL: _("未计时")}


@dataclass(frozen=True)
class Clock:
    """One county's limits on one calendar.

    Attributes:
        limits: the county's settings.
        calendar: working days and hours.
        version: number of the county's `RuleVersion` these limits are; None while it has none.
        categories: that version's limits by category, {str(id): [name, value, unit, contact hours]}. A category it
            does not name has the limits of its row.
    """

    limits: LoopSettings
    calendar: WorkingCalendar
    version: int | None = None
    categories: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def limit_of(self, category: Category) -> tuple[int, str, int]:
        """Service limit (value, `LimitUnit`) and first-contact limit (working hours) of a category."""
        row = category.limit_value, category.limit_unit, category.contact_hours
        value, unit, contact = tuple(self.categories.get(str(category.pk), (None, *row)))[1:]
        return value, unit, contact or self.limits.contact_hours

    def service_due(self, category: Category, start: datetime.datetime) -> datetime.datetime:
        """End of the service limit of a category, from the dispatch at `start`."""
        value, unit, _contact = self.limit_of(category)
        if unit == LimitUnit.HOURS:
            return start + datetime.timedelta(hours=value)
        if unit == LimitUnit.WORK_HOURS:
            return self.calendar.add_hours(start, value)
        return self.calendar.add_days(start, value)

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
        _value, _unit, contact_hours = self.limit_of(category)
        suborder.dispatched_at = start
        suborder.sign_due_at = self.work_hours(start, self.limits.sign_hours)
        suborder.contact_due_at = self.work_hours(start, contact_hours)
        self._start(suborder, category, start)

    def restart_suborder(self, suborder: SubOrder, category: Category, start: datetime.datetime) -> None:
        """A new service limit for what is redone or reopened at `start`. Signing and first contact were long ago."""
        self._start(suborder, category, start)

    def start_service(self, demand: Demand, start: datetime.datetime) -> None:
        """Starts the demand's own service limit: at the first dispatch, and again when it is redone or reopened."""
        self._start(demand, demand.category, start)

    def _start(self, row: Demand | SubOrder, category: Category, start: datetime.datetime) -> None:
        row.due_at = self.service_due(category, start)
        row.warn_at = self.warn_at(start, row.due_at)
        row.late_marked_at = None
        row.rule_version = self.version

    def resume_on(
        self, until: datetime.date, due: datetime.datetime, now: datetime.datetime, *, by_the_wall: bool = False
    ) -> datetime.datetime:
        """Where a limit falls when its clock stands still from now until the morning of `until`: never before `due`.

        `by_the_wall`: for limits in plain hours, whose clock knows no nights and no holidays.
        """
        morning = timezone.make_aware(datetime.datetime.combine(until, datetime.time.min))
        if by_the_wall:
            return max(due, morning + max(due - now, datetime.timedelta()))
        left = max(self.calendar.working_time_between(now, due), datetime.timedelta())
        return max(due, self.calendar.add_time(morning, left))


def later(one: datetime.datetime | None, other: datetime.datetime) -> datetime.datetime:
    """The later of a limit that may not be set and another."""
    return other if one is None or one < other else one


def moment_after(*known: datetime.datetime | None) -> datetime.datetime:
    """Now, but never before what is known to have happened: the clock of another process may be ahead of this one's."""
    return max([timezone.now(), *(moment for moment in known if moment is not None)])


@dataclass(frozen=True)
class _Kept:
    at: float
    limits: LoopSettings
    version: int | None
    categories: Mapping[str, Sequence[Any]]


_KEEP_SECONDS = 60
_kept: dict[int, _Kept] = {}


def _rules_of(county_id: int) -> _Kept:
    """A county's settings and the number of its rules, kept for a minute in each process like the calendar: every move
    asks for them. Read in one statement, so that the limits are those of the version that is named.
    """
    kept = _kept.get(county_id)
    if kept is None or monotonic() - kept.at > _KEEP_SECONDS:
        kept = _kept[county_id] = _read(county_id)
    return kept


def _read(county_id: int) -> _Kept:
    newest = RuleVersion.objects.filter(county=OuterRef("county")).order_by("-number")
    row: Any = (
        LoopSettings.objects.filter(county_id=county_id)
        .annotate(of_number=Subquery(newest.values("number")[:1]), of_rules=Subquery(newest.values("rules")[:1]))
        .first()
    )
    if row is None:
        # A county that has set nothing yet has the defaults.
        return _Kept(monotonic(), LoopSettings(county_id=county_id), None, {})
    return _Kept(monotonic(), row, row.of_number, (row.of_rules or {}).get("categories", {}))


def limits_of(county_id: int) -> LoopSettings:
    """A county's settings."""
    return _rules_of(county_id).limits


def forget_limits(**_signal: Any) -> None:
    """Makes the next `limits_of` read the database again; once more at the commit, as another thread of this process
    may have read the old figures meanwhile.
    """
    _kept.clear()
    if _signal:
        transaction.on_commit(_kept.clear)


for _model in (LoopSettings, RuleVersion):
    post_save.connect(forget_limits, sender=_model, dispatch_uid=f"{_model.__name__}_saved")
    post_delete.connect(forget_limits, sender=_model, dispatch_uid=f"{_model.__name__}_deleted")


def clock_for(county_id: int) -> Clock:
    """The clock of a county: its limits on the calendar in force."""
    rules = _rules_of(county_id)
    return Clock(rules.limits, working_calendar.load(), rules.version, rules.categories)


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
