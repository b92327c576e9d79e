"""What templates say about people, time and codes. Every filter takes None and gives an empty text for it."""

import re
from datetime import date, datetime
from unicodedata import east_asian_width

from django import template
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe

from core import codes, masking, periods

register = template.Library()

# In half letters: a date (2026年12月13日), a code or a state stands on one line up to here; a sentence does not.
_ONE_LINE = 17


@register.filter
def mask_phone(value: str | None) -> str:
    """138****5678."""
    return masking.mask_phone(value)


@register.filter
def mask_name(value: str | None) -> str:
    """张*丰."""
    return masking.mask_name(value)


@register.filter
def cn_date(value: date | datetime | None) -> str:
    """2026年3月5日, the day here whatever the moment's zone."""
    return periods.date_words(value) if value else ""


@register.filter
def cn_datetime(value: datetime | None) -> str:
    """In words near now (5 分钟前, 今天 14:30, 明天 10:00), else with its date. For screens."""
    return periods.moment_words(value, timezone.now()) if value else ""


@register.filter
def cn_datetime_full(value: datetime | None) -> str:
    """2026年3月5日 14:30. For paper and for anything read later than today."""
    return periods.datetime_words(value) if value else ""


@register.filter
def time_left(due: datetime | None) -> str:
    """还剩 3 小时, 超期 2 天: by the clock on the wall, which is the one people look at."""
    return periods.time_left_words(due, timezone.now()) if due else ""


@register.filter
def follow_code(value: str | None) -> str:
    """3847 2915 6602."""
    return codes.format_follow_code(value) if value else ""


@register.filter
def is_short(value: object) -> bool:
    """Whether what a cell shows is too short to be broken: a date, a code, a state, a name."""
    words = strip_tags(str(value)).strip()
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in words) <= _ONE_LINE


@register.filter
def whole_cell(cell: str) -> str:
    """A drawn cell of a list (`<td class="…">`), kept on one line if it is short. Columns otherwise shrink to a letter."""
    if not isinstance(cell, SafeString) or not is_short(cell):
        return cell
    return mark_safe(re.sub(r' class="([^"]*)"', r' class="\1 nowrap"', cell, count=1))  # noqa: S308
