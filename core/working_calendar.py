"""Working time: which days are worked, from when to when, and what a limit of so many hours or days comes to.

The national calendar with its shifted working days comes from `chinesecalendar`; a county's departures from it are
`core.CalendarDay` rows; the hours are the setting WORKING_HOURS. Rules: docs/practice.md, section 3.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from time import monotonic
from typing import Any

import chinese_calendar
from chinese_calendar.constants import holidays as _published
from django.conf import settings
from django.db import transaction
from django.db.models.signals import post_delete, post_save

from core.models import CalendarDay
from core.periods import LOCAL_ZONE

Hours = Sequence[tuple[time, time]]

DEFAULT_HOURS: Hours = ((time(8, 30), time(12)), (time(14), time(17, 30)))

_PUBLISHED_YEARS = frozenset(day.year for day in _published)
_NOTHING = timedelta()


@lru_cache(maxsize=64)
def _national_days(year: int) -> tuple[int, ...]:
    """The ordinals of a year's working days; Monday to Friday where the national calendar is not published yet."""
    known = year in _PUBLISHED_YEARS
    days = map(date.fromordinal, range(date(year, 1, 1).toordinal(), date(year, 12, 31).toordinal() + 1))
    return tuple(day.toordinal() for day in days if (chinese_calendar.is_workday(day) if known else day.weekday() < 5))


def national(day: date) -> tuple[bool, str]:
    """Whether the nation works on a day, and the holiday it is off or shifted for: (False, "春节"). Monday to Friday,
    and no holiday, in years that are not published.
    """
    if day.year not in _PUBLISHED_YEARS:
        return day.weekday() < 5, ""
    _off, name = chinese_calendar.get_holiday_detail(day)
    return chinese_calendar.is_workday(day), chinese_calendar.Holiday(name).chinese if name else ""


class WorkingCalendar:
    """Working days and hours, and arithmetic on them. Immutable; nothing here touches the database.

    Moments go in aware, of any zone, and come out in Beijing time; a naive one is a ValueError. The moments of opening
    and of closing both belong to working time: a limit that runs out with the day ends at 17:30, not at 08:30 next day.

    Args:
        overrides: day -> worked or not, before the national calendar.
        hours: (opening, closing) of each stretch of a working day, in order, not overlapping. ValueError otherwise.
    """

    def __init__(self, overrides: Mapping[date, bool] | None = None, hours: Hours = DEFAULT_HOURS) -> None:
        self.overrides = dict(overrides or {})
        self.hours = tuple(hours)
        edges = [edge for stretch in self.hours for edge in stretch]
        if not edges or any(later <= earlier for earlier, later in pairwise(edges)):
            raise ValueError(f"working hours must be in order and not overlap: {self.hours}")
        self._opens = [_since_midnight(opening) for opening, _closing in self.hours]
        self._closes = [_since_midnight(closing) for _opening, closing in self.hours]
        # Working time of a day that lies before each stretch, and (last) of the whole day.
        self._before = [_NOTHING]
        for opens, closes in zip(self._opens, self._closes, strict=True):
            self._before.append(self._before[-1] + closes - opens)
        self._per_day = self._before[-1]
        self._years: dict[int, tuple[int, ...]] = {}

    # --- Days ---

    @property
    def minutes_per_day(self) -> int:
        return self._per_day // timedelta(minutes=1)

    def covers(self, year: int) -> bool:
        """Whether the national holidays of the year are known. Pages say so where they are not, whatever days somebody
        has entered by hand: a county's own holiday does not tell when the Spring Festival is.
        """
        return year in _PUBLISHED_YEARS

    def entered(self, year: int) -> int:
        """How many days of the year were entered by hand."""
        return sum(day.year == year for day in self.overrides)

    def is_working_day(self, day: date) -> bool:
        worked = self._days(day.year)
        place = bisect_left(worked, day.toordinal())
        return place < len(worked) and worked[place] == day.toordinal()

    def is_working_time(self, moment: datetime) -> bool:
        """Whether the moment lies in working hours, opening and closing included."""
        day, clock = _split(moment)
        return self.is_working_day(day) and any(
            opens <= clock <= closes for opens, closes in zip(self._opens, self._closes, strict=True)
        )

    def next_opening(self, moment: datetime) -> datetime:
        """The moment itself inside working hours, else the next opening."""
        day, clock = _split(moment)
        if self.is_working_time(moment):
            return _join(day, clock)
        if self.is_working_day(day):
            for opens in self._opens:
                if clock < opens:
                    return _join(day, opens)
        return _join(self._day_after(day, 1), self._opens[0])

    def add_days(self, start: datetime, days: int) -> datetime:
        """Closing time of the `days`-th working day after the day of `start`.

        The day of `start` never counts (Civil Code, article 201), whatever the hour and whether worked or not: from
        Monday 09:00, from Monday 20:00 and from the Sunday before, one working day ends on Tuesday, Tuesday and Monday
        at closing time. ValueError when `days` is below 1.
        """
        if days < 1:
            raise ValueError("a limit in working days is at least one day")
        day, _clock = _split(start)
        return _join(self._day_after(day, days), self._closes[-1])

    # --- Hours ---

    def add_hours(self, start: datetime, hours: float) -> datetime:
        """The earliest moment by which `hours` working hours have passed since `start`.

        A start outside working hours counts from the next opening. Monday 17:00 plus one hour is Tuesday 09:00;
        Monday 17:00 plus half an hour is Monday 17:30. ValueError when `hours` is negative.
        """
        return self.add_time(start, _length(hours))

    def add_time(self, start: datetime, length: timedelta) -> datetime:
        """As `add_hours`, for an exact length of working time, such as `working_time_between` answers."""
        wanted = length
        if wanted < _NOTHING:
            raise ValueError("working time can not be negative")
        if wanted == _NOTHING:
            return self.next_opening(start)
        day, clock = _split(start)
        if self.is_working_day(day):
            wanted += self._passed(clock)
            if wanted <= self._per_day:
                return _join(day, self._clock_ending(wanted))
            wanted -= self._per_day
        days = -(-wanted // self._per_day)
        return _join(self._day_after(day, days), self._clock_ending(wanted - (days - 1) * self._per_day))

    def subtract_hours(self, end: datetime, hours: float) -> datetime:
        """The latest moment from which `hours` working hours are left until `end`: when to remind of a limit.

        The mirror of `add_hours`: Tuesday 09:00 less half an hour is Tuesday 08:30. ValueError when `hours` is
        negative.
        """
        wanted = _length(hours)
        day, clock = _split(end)
        if wanted == _NOTHING and self.is_working_time(end):
            return _join(day, clock)
        if self.is_working_day(day):
            passed = self._passed(clock)
            if wanted == _NOTHING and passed > _NOTHING:
                return _join(day, self._clock_ending(passed))
            if _NOTHING < wanted <= passed:
                return _join(day, self._clock_beginning(passed - wanted))
            wanted -= passed
        if wanted <= _NOTHING:
            return _join(self._day_before(day, 1), self._closes[-1])
        days = -(-wanted // self._per_day)
        return _join(self._day_before(day, days), self._clock_beginning(days * self._per_day - wanted))

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The working time from `start` to `end`, exactly; negative when `end` comes first."""
        if end < start:
            return -self.working_time_between(end, start)
        first, first_clock = _split(start)
        last, last_clock = _split(end)
        whole = self._count(first, last) * self._per_day
        if self.is_working_day(first):
            whole -= self._passed(first_clock)
        if self.is_working_day(last):
            whole += self._passed(last_clock)
        return whole

    def working_minutes_between(self, start: datetime, end: datetime) -> int:
        """Whole working minutes from `start` to `end`; negative when `end` comes first."""
        length = self.working_time_between(start, end)
        minutes = abs(length) // timedelta(minutes=1)
        return minutes if length >= _NOTHING else -minutes

    # --- Inside ---

    def _days(self, year: int) -> tuple[int, ...]:
        """The year's working days as ordinals, in order. Counting and finding are then a bisection, not a walk."""
        days = self._years.get(year)
        if days is None:
            changed = {day.toordinal(): worked for day, worked in self.overrides.items() if day.year == year}
            days = _national_days(year)
            if changed:
                kept = {day for day in days if changed.get(day, True)}
                days = tuple(sorted(kept | {day for day, worked in changed.items() if worked}))
            self._years[year] = days
        return days

    def _count(self, first: date, last: date) -> int:
        """Working days from `first` up to but without `last`."""
        count = -bisect_left(self._days(first.year), first.toordinal())
        count += sum(len(self._days(year)) for year in range(first.year, last.year))
        return count + bisect_left(self._days(last.year), last.toordinal())

    def _day_after(self, day: date, number: int) -> date:
        """The `number`-th working day after `day`, which itself does not count."""
        for year in range(day.year, MAXYEAR + 1):
            days = self._days(year)
            passed = bisect_right(days, day.toordinal())
            if number <= len(days) - passed:
                return date.fromordinal(days[passed + number - 1])
            number -= len(days) - passed
        raise ValueError("beyond the end of the calendar")

    def _day_before(self, day: date, number: int) -> date:
        """The `number`-th working day before `day`, which itself does not count."""
        for year in range(day.year, 0, -1):
            days = self._days(year)
            passed = bisect_left(days, day.toordinal())
            if number <= passed:
                return date.fromordinal(days[passed - number])
            number -= passed
        raise ValueError("before the beginning of the calendar")

    def _passed(self, clock: timedelta) -> timedelta:
        """Working time of a working day that has passed at `clock`."""
        stretch = bisect_right(self._opens, clock)
        if not stretch:
            return _NOTHING
        return self._before[stretch - 1] + min(clock, self._closes[stretch - 1]) - self._opens[stretch - 1]

    def _clock_ending(self, passed: timedelta) -> timedelta:
        """The earliest clock time at which `passed` (more than nothing) has passed: 12:00 rather than 14:00."""
        stretch = bisect_left(self._before, passed) - 1
        return self._opens[stretch] + passed - self._before[stretch]

    def _clock_beginning(self, passed: timedelta) -> timedelta:
        """The latest clock time at which no more than `passed` (less than a day) has passed: 14:00, not 12:00."""
        stretch = bisect_right(self._before, passed) - 1
        return self._opens[stretch] + passed - self._before[stretch]


def _since_midnight(clock: time) -> timedelta:
    return timedelta(hours=clock.hour, minutes=clock.minute, seconds=clock.second, microseconds=clock.microsecond)


def _split(moment: datetime) -> tuple[date, timedelta]:
    """Day and time since midnight, in Beijing."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    local = moment.astimezone(LOCAL_ZONE)
    return local.date(), _since_midnight(local.time())


def _join(day: date, clock: timedelta) -> datetime:
    return (datetime.combine(day, time()) + clock).replace(tzinfo=LOCAL_ZONE)


def _length(hours: float) -> timedelta:
    if hours < 0:
        raise ValueError("working hours can not be negative")
    return timedelta(hours=float(hours))


# --- The calendar of this installation ------------------------------------------------------------------------------

_KEEP_SECONDS = 60.0
_kept: tuple[float, WorkingCalendar] | None = None


def parse_hours(value: str) -> Hours:
    """Reads working hours as the setting writes them: "08:30-12:00,14:00-17:30". ValueError when malformed."""
    stretches = []
    for part in value.split(","):
        found = re.fullmatch(r"\s*([0-9]{1,2}:[0-9]{2})\s*[-–]\s*([0-9]{1,2}:[0-9]{2})\s*", part)
        if not found:
            raise ValueError(f"not a stretch of working hours: {part!r}")
        stretches.append((_clock(found[1]), _clock(found[2])))
    WorkingCalendar(hours=stretches)  # refuses what is out of order
    return tuple(stretches)


def _clock(value: str) -> time:
    hour, minute = value.split(":")
    return time(int(hour), int(minute))


def load() -> WorkingCalendar:
    """The calendar in force: national days, the `CalendarDay` rows over them, the hours of WORKING_HOURS.

    Kept for a minute in each process, because every list of matters asks for it; a row saved in this process counts
    at once, one saved in another within the minute.
    """
    global _kept
    now = monotonic()
    if _kept is None or now - _kept[0] > _KEEP_SECONDS:
        overrides = dict(CalendarDay.objects.order_by().values_list("date", "is_working"))
        hours = getattr(settings, "WORKING_HOURS", None)
        _kept = (now, WorkingCalendar(overrides, parse_hours(hours) if hours else DEFAULT_HOURS))
    return _kept[1]


def forget(**_signal: Any) -> None:
    """Makes the next `load` read the database again; once more at the commit, as another thread of this process may
    have read the old days meanwhile.
    """
    global _kept
    _kept = None
    if _signal:
        transaction.on_commit(forget)


post_save.connect(forget, sender=CalendarDay, dispatch_uid="working_calendar_saved")
post_delete.connect(forget, sender=CalendarDay, dispatch_uid="working_calendar_deleted")
