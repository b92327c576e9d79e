"""What templates say about people, time and codes. Every filter takes None and gives an empty text for it."""

from datetime import date, datetime

from django import template
from django.utils import timezone

from core import codes, masking, periods

register = template.Library()


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
