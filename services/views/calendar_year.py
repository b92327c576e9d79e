"""A year of the working calendar, month by month: what each day is, and whose word that is."""

import calendar
import datetime
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from core import working_calendar
from core.models import CalendarDay
from core.periods import date_words
from core.working_calendar import WorkingCalendar


@dataclass(frozen=True)
class Cell:
    """A day: its number, a mark beneath it, what kind it is (for its colour), and all of it in words."""

    number: int
    mark: str
    kind: str
    words: str
    url: str


def context(year: int, add_url: str) -> dict[str, Any]:
    """What the page of a year shows.

    Args:
        add_url: where a day is adjusted; gets the day as `?date=`.
    """
    kept = working_calendar.load()
    own = {row.date: row for row in CalendarDay.objects.filter(date__year=year)}
    months = []
    for month in range(1, 13):
        weeks = calendar.Calendar().monthdatescalendar(year, month)
        months.append(
            {
                "name": _("%(month)d 月") % {"month": month},
                "weeks": [
                    [_cell(day, own.get(day), add_url) if day.month == month else None for day in week]
                    for week in weeks
                ],
            }
        )
    return {
        "months": months,
        "weekdays": list("一二三四五六日"),
        "known": kept.covers(year),
        "entered": len(own),
        "year": year,
        "worked": sum(_worked(kept, year)),
    }


def _worked(kept: WorkingCalendar, year: int) -> list[bool]:
    first = datetime.date(year, 1, 1)
    return [
        kept.is_working_day(first + datetime.timedelta(days=number)) for number in range(365 + calendar.isleap(year))
    ]


def _cell(day: datetime.date, own: CalendarDay | None, add_url: str) -> Cell:
    worked, holiday = working_calendar.national(day)
    mark, kind, words = "", "work" if worked else "rest", _("上班") if worked else _("周末")
    if holiday:
        mark, kind = (_("班"), "shifted") if worked else (_("休"), "holiday")
        words = _("国家调休上班（%(name)s）") if worked else _("国家放假（%(name)s）")
        words = words % {"name": _(holiday)}
    if own is not None:
        mark, kind = (_("本班"), "own-work") if own.is_working else (_("本休"), "own-rest")
        words = _("本地安排上班") if own.is_working else _("本地安排休息")
        words += _("：%(note)s") % {"note": own.note} if own.note else ""
    return Cell(day.day, mark, kind, f"{date_words(day)}，{words}", f"{add_url}?date={day:%Y-%m-%d}")
