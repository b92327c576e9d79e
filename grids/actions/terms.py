"""What is held from a day to a day (a post, a place in a unit) begins and ends by the same few rules, written once."""

import datetime
from collections.abc import Iterable, Iterator
from typing import Any, Protocol, TypeVar

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Conflict, Invalid
from core.models import User
from core.periods import date_words
from grids.models import County

BATCH = 500
T = TypeVar("T")


class Term(Protocol):
    """The first day and the last, rights included on both; no last day while it runs."""

    start: Any
    end: Any


def locked_people(pks: Iterable[int]) -> dict[int, User]:
    """The people's rows are the lock: two windows must not give the same person the same thing twice, and no constraint
    covers all of it. In id order, so that two imports wait for one another instead of blocking each other."""
    users: dict[int, User] = {}
    for some in batches(sorted(pks)):
        locked = User.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
        users.update({user.pk: user for user in locked})
    return users


def check_person(user: User, county: County) -> None:
    """Raises Invalid for an account that is stopped or of another county."""
    if not user.is_active:
        message = _("这个账号已停用，请先启用。")
        raise Invalid(message, fields={"user": message})
    if user.county_key != county.pk:
        message = _("这个账号不属于%(county)s。") % {"county": county.name}
        raise Invalid(message, fields={"user": message})


def meet(held: Term, start: datetime.date, end: datetime.date | None = None) -> bool:
    """Whether what is held shares days with a term to come; the last day of one may be the first of the other."""
    return (held.end is None or held.end > start) and (end is None or held.start < end)


def check_days(start: datetime.date, end: datetime.date | None) -> None:
    """Raises Invalid when the last day lies before the first."""
    if end is not None and end < start:
        message = _("最后一天不能早于第一天 %(start)s。") % {"start": date_words(start)}
        raise Invalid(message, fields={"end": message})


def last_day(held: Term, end: datetime.date | None) -> datetime.date:
    """The day on which something is to end: today when not given.

    Raises:
        Conflict: it has an end already. Invalid: the day lies before the first one.
    """
    if held.end is not None:
        raise Conflict(_("已办理过，最后一天是 %(end)s。") % {"end": date_words(held.end)}, code="ended_already")
    end = end or timezone.localdate()
    check_days(held.start, end)
    return end


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists short enough for one statement."""
    rows = list(items)
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
