"""Working time counted out on the fingers: minute by minute and day by day, from the rules of docs/practice.md#loop.

Shares nothing with `core.working_calendar` but the published holidays, and those it reads as bare lists. A minute is
worked when it begins in working hours; whatever falls outside them waits for the next one. For tests alone.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import cache

from chinese_calendar.constants import holidays, workdays

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
_PUBLISHED = {day.year for day in holidays}


class SlowCalendar:
    """Takes and gives naive moments of Beijing, on whole minutes."""

    def __init__(self, own: Mapping[date, bool], hours: Sequence[tuple[time, time]]) -> None:
        self.own, self.hours = own, hours
        self.works = cache(self._works)

    def _works(self, day: date) -> bool:
        """The county's own word, then the national lists of days off and shifted days, then Monday to Friday."""
        if day in self.own:
            return self.own[day]
        if day.year in _PUBLISHED and day in holidays:
            return False
        if day.year in _PUBLISHED and day in workdays:
            return True
        return day.isoweekday() <= 5

    def worked(self, minute: datetime) -> bool:
        clock = minute.time()
        return self.works(minute.date()) and any(opens <= clock < closes for opens, closes in self.hours)

    def open_at(self, moment: datetime) -> bool:
        """Opening and closing themselves belong to working time."""
        return self.worked(moment) or self.worked(moment - MINUTE)

    def add(self, moment: datetime, minutes: int) -> datetime:
        """The end of the so-many-th worked minute from the moment; for none, the moment work goes on."""
        if minutes == 0:
            while not self.open_at(moment):
                moment += MINUTE
            return moment
        while minutes:
            minutes -= self.worked(moment)
            moment += MINUTE
        return moment

    def take_off(self, moment: datetime, minutes: int) -> datetime:
        if minutes == 0:
            while not self.open_at(moment):
                moment -= MINUTE
            return moment
        while minutes:
            moment -= MINUTE
            minutes -= self.worked(moment)
        return moment

    def between(self, start: datetime, end: datetime) -> int:
        count = 0
        while start < end:
            count += self.worked(start)
            start += MINUTE
        return count

    def add_days(self, moment: datetime, days: int) -> datetime:
        """Closing time of the so-many-th working day; the day itself never counts."""
        day = moment.date()
        while days:
            day += DAY
            days -= self.works(day)
        return datetime.combine(day, self.hours[-1][1])
