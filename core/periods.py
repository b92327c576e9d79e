"""Months, quarters, years, and time in words as an office here writes them.

Every period is half open: `start` belongs to it, `end` is the start of the next. All moments are aware; what a person
sees is Beijing time whatever the server's zone.
"""

import re
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol, Self
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from core.errors import Invalid

LOCAL_ZONE = ZoneInfo("Asia/Shanghai")

# What an address or a form may ask for; anything else is a slip.
_YEARS = range(1949, 2200)
_DIGITS = {"一": "1", "二": "2", "三": "3", "四": "4"}


class Calendar(Protocol):
    """What `time_left_words` needs of a working calendar (core.working_calendar)."""

    @property
    def minutes_per_day(self) -> int: ...

    def working_minutes_between(self, start: datetime, end: datetime) -> int: ...


def local_date(moment: date | datetime) -> date:
    """The day a moment falls on here; a plain date is itself. Raises ValueError for a naive datetime."""
    return _local(moment).date() if isinstance(moment, datetime) else moment


def day_start(day: date) -> datetime:
    """Midnight at the beginning of `day`, aware."""
    return datetime.combine(day, time(), LOCAL_ZONE)


def _local(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(LOCAL_ZONE)


class _Period(ABC):
    """What months, quarters and years share."""

    @property
    @abstractmethod
    def code(self) -> str: ...

    @property
    @abstractmethod
    def label(self) -> str: ...

    @property
    @abstractmethod
    def first_day(self) -> date: ...

    @abstractmethod
    def months(self) -> "tuple[Month, ...]": ...

    @abstractmethod
    def next(self) -> Self: ...

    @abstractmethod
    def previous(self) -> Self: ...

    @abstractmethod
    def year_before(self) -> Self:
        """The same period a year earlier (同期)."""

    @property
    def start(self) -> datetime:
        return day_start(self.first_day)

    @property
    def end(self) -> datetime:
        """The first moment that no longer belongs to it."""
        return day_start(self.next().first_day)

    @property
    def last_day(self) -> date:
        return self.next().first_day - timedelta(days=1)

    def contains(self, moment: date | datetime) -> bool:
        return self.first_day <= local_date(moment) <= self.last_day


@dataclass(frozen=True, order=True)
class Month(_Period):
    """A calendar month: `Month(2026, 3)` is 2026年3月, written 2026-03 in addresses."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 12:
            raise ValueError(f"no month {self.number} of {self.year}")

    @classmethod
    def of(cls, moment: date | datetime) -> Self:
        day = local_date(moment)
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Reads 2026-03, 2026-3, 202603 or 2026年3月. Raises Invalid for anything else."""
        found = re.fullmatch(r"([0-9]{4})(?:-|/|年)?([0-9]{1,2})月?", _plain(value))
        if found and 1 <= int(found[2]) <= 12 and int(found[1]) in _YEARS:
            return cls(int(found[1]), int(found[2]))
        raise Invalid(_("“%(value)s”不是月份，请写成 2026-03 的样子。") % {"value": value[:20]}, code="month")

    @property
    def code(self) -> str:
        return f"{self.year:04d}-{self.number:02d}"

    @property
    def label(self) -> str:
        return _("%(year)d年%(month)d月") % {"year": self.year, "month": self.number}

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def quarter(self) -> "Quarter":
        return Quarter(self.year, (self.number + 2) // 3)

    def months(self) -> "tuple[Month]":
        return (self,)

    def next(self) -> Self:
        return type(self)(self.year + 1, 1) if self.number == 12 else type(self)(self.year, self.number + 1)

    def previous(self) -> Self:
        return type(self)(self.year - 1, 12) if self.number == 1 else type(self)(self.year, self.number - 1)

    def year_before(self) -> Self:
        return type(self)(self.year - 1, self.number)

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, order=True)
class Quarter(_Period):
    """A quarter: `Quarter(2026, 1)` is 2026年第一季度, written 2026Q1 in addresses."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= 4:
            raise ValueError(f"no quarter {self.number} of {self.year}")

    @classmethod
    def of(cls, moment: date | datetime) -> Self:
        month = Month.of(moment)
        return cls(month.year, (month.number + 2) // 3)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Reads 2026Q1, 2026-Q1, 2026年第一季度 or 2026年1季度. Raises Invalid for anything else."""
        text = _plain(value).upper()
        found = re.fullmatch(r"([0-9]{4})(?:-?Q([1-4])|年?第?([1-4一二三四])季度?)", text)
        if found and int(found[1]) in _YEARS:
            number = found[2] or found[3]
            return cls(int(found[1]), int(_DIGITS.get(number, number)))
        raise Invalid(_("“%(value)s”不是季度，请写成 2026Q1 的样子。") % {"value": value[:20]}, code="quarter")

    @property
    def code(self) -> str:
        return f"{self.year:04d}Q{self.number}"

    @property
    def label(self) -> str:
        number = "一二三四"[self.number - 1]
        return _("%(year)d年第%(number)s季度") % {"year": self.year, "number": number}

    @property
    def first_day(self) -> date:
        return date(self.year, self.number * 3 - 2, 1)

    def months(self) -> tuple[Month, Month, Month]:
        first = self.number * 3 - 2
        return Month(self.year, first), Month(self.year, first + 1), Month(self.year, first + 2)

    def next(self) -> Self:
        return type(self)(self.year + 1, 1) if self.number == 4 else type(self)(self.year, self.number + 1)

    def previous(self) -> Self:
        return type(self)(self.year - 1, 4) if self.number == 1 else type(self)(self.year, self.number - 1)

    def year_before(self) -> Self:
        return type(self)(self.year - 1, self.number)

    def __str__(self) -> str:
        return self.label


@dataclass(frozen=True, order=True)
class Year(_Period):
    """A calendar year: `Year(2026)` is 2026年, written 2026 in addresses."""

    year: int

    @classmethod
    def of(cls, moment: date | datetime) -> Self:
        return cls(local_date(moment).year)

    @classmethod
    def parse(cls, value: str) -> Self:
        """Reads 2026 or 2026年. Raises Invalid for anything else."""
        found = re.fullmatch(r"([0-9]{4})年?", _plain(value))
        if found and int(found[1]) in _YEARS:
            return cls(int(found[1]))
        raise Invalid(_("“%(value)s”不是年份，请写成 2026 的样子。") % {"value": value[:20]}, code="year")

    @property
    def code(self) -> str:
        return f"{self.year:04d}"

    @property
    def label(self) -> str:
        return _("%(year)d年") % {"year": self.year}

    @property
    def first_day(self) -> date:
        return date(self.year, 1, 1)

    def months(self) -> tuple[Month, ...]:
        return tuple(Month(self.year, number) for number in range(1, 13))

    def next(self) -> Self:
        return type(self)(self.year + 1)

    def previous(self) -> Self:
        return type(self)(self.year - 1)

    def year_before(self) -> Self:
        return self.previous()

    def __str__(self) -> str:
        return self.label


Period = Month | Quarter | Year


def parse_period(value: str) -> Period:
    """Reads a month, a quarter or a year as `code` writes it, or as people do. Raises Invalid for anything else."""
    for kind in (Quarter, Month, Year):
        try:
            return kind.parse(value)
        except Invalid:
            continue
    raise Invalid(
        _("“%(value)s”不是一个时段，请写成 2026Q1（季度）、2026-03（月）或 2026（年）的样子。") % {"value": value[:20]},
        code="period",
    )


def _plain(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).split())


# --- In words -------------------------------------------------------------------------------------------------------


def date_words(day: date | datetime) -> str:
    """2026年3月5日."""
    day = local_date(day)
    return _("%(year)d年%(month)d月%(day)d日") % {"year": day.year, "month": day.month, "day": day.day}


def datetime_words(moment: datetime) -> str:
    """2026年3月5日 14:30."""
    return f"{date_words(moment)} {_local(moment):%H:%M}"


def moment_words(moment: datetime, now: datetime) -> str:
    """A moment in words when it is near now, as a date when it is not.

    刚刚, 5 分钟前, 25 分钟后, 今天 14:30, 昨天 09:00, 明天 10:00, 3月5日 14:30, 2025年3月5日 14:30.
    """
    away = moment - now
    minutes = abs(away) // timedelta(minutes=1)
    if minutes < 60:
        if minutes < 1:
            return _("刚刚") if away <= timedelta() else _("马上")
        return (
            _("%(count)d 分钟前") % {"count": minutes}
            if away < timedelta()
            else _("%(count)d 分钟后") % {"count": minutes}
        )
    local, today = _local(moment), local_date(now)
    clock = f"{local:%H:%M}"
    names = {-1: _("昨天"), 0: _("今天"), 1: _("明天")}
    name = names.get((local.date() - today).days)
    if name:
        return f"{name} {clock}"
    if local.year == today.year:
        return _("%(month)d月%(day)d日") % {"month": local.month, "day": local.day} + f" {clock}"
    return datetime_words(moment)


def time_left_words(due: datetime, now: datetime, calendar: Calendar | None = None) -> str:
    """How long until `due`, or how long past it: 还剩 3 小时, 超期 2 天.

    Whole units only, rounded down: what is said to be left is really left. With a calendar the count is working time
    and says so (还剩 2 个工作日, 还剩 3 个工作小时); without one it is time by the clock.
    """
    late = now > due
    if calendar is None:
        minutes = int(abs(due - now) // timedelta(minutes=1))
        per_day, day, hour = 24 * 60, _("天"), _("小时")
    else:
        minutes = abs(calendar.working_minutes_between(now, due))
        per_day, day, hour = calendar.minutes_per_day, _("个工作日"), _("个工作小时")
    if minutes < 1:
        return _("已超期") if late else _("即将到期")
    if minutes >= per_day:
        count, unit = minutes // per_day, day
    elif minutes >= 60:
        count, unit = minutes // 60, hour
    else:
        count, unit = minutes, _("分钟")
    return (_("超期 %(count)d %(unit)s") if late else _("还剩 %(count)d %(unit)s")) % {"count": count, "unit": unit}
