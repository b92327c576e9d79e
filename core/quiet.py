"""Quiet hours: when nothing but what is urgent leaves the portal."""

import datetime
from collections.abc import Collection

from django.utils import timezone

Hours = tuple[datetime.time, datetime.time]


def parse(text: str) -> Hours | None:
    """ "21:00-07:00" as two times; "off" (or nothing) is no quiet hours. Raises ValueError."""
    if text in {"", "off"}:
        return None
    begins, separator, ends = text.partition("-")
    if not separator or begins == ends:
        raise ValueError(text)
    hours = (datetime.time.fromisoformat(begins.strip()), datetime.time.fromisoformat(ends.strip()))
    if hours[0] == hours[1]:
        raise ValueError(text)
    return hours


def is_quiet(hours: Hours | None, moment: datetime.datetime) -> bool:
    """Whether `moment` lies in the hours, which may run over midnight. The first minute is quiet, the last is not."""
    if hours is None:
        return False
    begins, ends = hours
    now = timezone.localtime(moment).time()
    return begins <= now < ends if begins < ends else now >= begins or now < ends


def earliest(hours: Hours | None, moment: datetime.datetime) -> datetime.datetime:
    """The first moment from `moment` on that is not quiet."""
    if hours is None or not is_quiet(hours, moment):
        return moment
    return next_at(hours[1], moment)


def earliest_for(several: Collection[Hours], moment: datetime.datetime) -> datetime.datetime | None:
    """The first moment from `moment` on that is quiet for nobody; None where their hours together leave none of the day."""
    found = [moment, *sorted(next_at(ends, moment) for _begins, ends in several)]
    return next((at for at in found if not any(is_quiet(hours, at) for hours in several)), None)


def next_at(clock: datetime.time, moment: datetime.datetime) -> datetime.datetime:
    """The next time the clock shows that, after `moment`."""
    local = timezone.localtime(moment)
    found = local.replace(hour=clock.hour, minute=clock.minute, second=clock.second, microsecond=clock.microsecond)
    return found if found > local else found + datetime.timedelta(days=1)
