"""The rules of the care ledger as tables, and its dates. Lines: docs/domain.md#lines; reasons: docs/decisions/0017.

A county may set its own days between visits (`CareCadence`) and a shorter life of an entry (`County.care_months`); what
is here holds where it has not.
"""

import calendar
import datetime
from collections.abc import Collection, Iterable, Mapping

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from core.periods import Quarter
from grids.models import CareHousehold, CareKind, ConsentKind
from grids.querysets import CARE_GRACE_DAYS

# Days between two visits, by need. Somebody old and alone is looked after weekly, who may fall or fall ill monthly,
# everybody else with the quarterly round of visits (docs/domain.md#x6).
CADENCE: Mapping[str, int] = {
    CareKind.ELDERLY_ALONE: 7,
    CareKind.EMPTY_NEST: 30,
    CareKind.DISABILITY: 30,
    CareKind.CHILD_LEFT_BEHIND: 30,
    CareKind.CHILD_IN_DIFFICULTY: 30,
    CareKind.LOW_INCOME: 90,
    CareKind.SUDDEN_HARDSHIP: 30,
    CareKind.VETERAN_FAMILY: 90,
}
MOST_DAYS = 366

# Health and children are sensitive data: a consent of its own on paper, the guardian's for a child under 14
# (docs/practice.md#lines). For any other need the consent given face to face is enough.
ON_PAPER: frozenset[str] = frozenset({ConsentKind.WRITTEN, ConsentKind.GUARDIAN})
CONSENT_ASKED: Mapping[str, frozenset[str]] = {
    CareKind.DISABILITY: ON_PAPER,
    CareKind.CHILD_LEFT_BEHIND: ON_PAPER,
    CareKind.CHILD_IN_DIFFICULTY: ON_PAPER,
}

# No entry lives longer unconfirmed, whatever a county sets (docs/practice.md#left-out).
MOST_MONTHS = 12
# How long before its end an entry is said to run out.
WARN_DAYS = 30
# A figure above the community smaller than this could point at a household.
SMALL = 5

# An unmask is for a visit, a call, a matter: more than this in an hour is copying the ledger.
REVEALS_AN_HOUR = 30


class CareState(models.TextChoices):
    """What an entry waits for; several at once, except that one that has run out waits for nothing else."""

    EXPIRED = "expired", _("已到期，待核实")
    TO_VISIT = "to_visit", _("待走访")
    EXPIRING = "expiring", _("将到期")
    TO_CONFIRM = "to_confirm", _("本季度待核实")


class RevealPurpose(models.TextChoices):
    """Why somebody looks. Chosen, not written: the audit trail is never erased, and a written reason names people."""

    VISIT = "visit", _("上门走访前联系")
    CALL = "call", _("电话问候")
    CHECK = "check", _("核对登记的信息")
    HELP = "help", _("帮助办理救助、补贴等事项")
    URGENT = "urgent", _("紧急情况")


class EraseReason(models.TextChoices):
    """Why an entry is erased; chosen for the same reason."""

    ASKED = "asked", _("本人或监护人要求删除")
    NO_NEED = "no_need", _("已不需要关爱")
    MOVED = "moved", _("已搬离本社区")
    WRONG = "wrong", _("登记有误")


def add_months(day: datetime.date, months: int) -> datetime.date:
    """The same day of a later month, or that month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return datetime.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def expiry(confirmed_on: datetime.date, months: int) -> datetime.date:
    """The first day on which an entry no longer holds."""
    return add_months(confirmed_on, min(months, MOST_MONTHS))


def next_visit(since: datetime.date, needs: Collection[str], cadence: Mapping[str, int]) -> datetime.date:
    """When the need that asks for the most visits wants the next one.

    Args:
        since: the last visit, or the day of registration where there was none.
        needs: at least one.
        cadence: days by need, of the county.
    """
    return since + datetime.timedelta(days=min(cadence[need] for need in needs))


def consents_for(needs: Iterable[str]) -> frozenset[str]:
    """The kinds of consent that will do for all of these needs."""
    found = frozenset(ConsentKind.values)
    for need in needs:
        found &= CONSENT_ASKED.get(need, found)
    return found


def states_of(household: CareHousehold, day: datetime.date) -> list[CareState]:
    """What an entry waits for on a day, the most pressing first; `waiting_for` says the same as a filter."""
    if household.expires_on <= day:
        return [CareState.EXPIRED]
    found = []
    if household.next_visit_on is not None and household.next_visit_on <= day:
        found.append(CareState.TO_VISIT)
    if household.expires_on <= day + datetime.timedelta(days=WARN_DAYS):
        found.append(CareState.EXPIRING)
    if household.confirmed_on < Quarter.of(day).first_day:
        found.append(CareState.TO_CONFIRM)
    return found


def waiting_for(state: str, day: datetime.date) -> Q:
    """The entries that wait for something on a day. Raises ValueError for a state there is none of."""
    valid = Q(expires_on__gt=day)
    found = {
        CareState.EXPIRED: ~valid,
        CareState.TO_VISIT: valid & Q(next_visit_on__lte=day),
        CareState.EXPIRING: valid & Q(expires_on__lte=day + datetime.timedelta(days=WARN_DAYS)),
        CareState.TO_CONFIRM: valid & Q(confirmed_on__lt=Quarter.of(day).first_day),
    }
    return found[CareState(state)]


def erased_on(household: CareHousehold) -> datetime.date:
    """The day on which the sweeper erases an entry that nobody confirms."""
    return household.expires_on + datetime.timedelta(days=CARE_GRACE_DAYS)
