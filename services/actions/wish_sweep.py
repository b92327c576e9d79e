"""No small wish waits for ever, and nobody's name is kept for longer than it is needed.

Every state has a limit. Whoever is to act is reminded when it has passed, once a week; fourteen days after it the portal
acts itself: what nobody checked or adopted ends, what was not done goes back to be adopted, what nobody confirmed counts as
arrived. Everybody concerned is told. Source: docs/practice.md#wishes.
"""

import datetime
from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import SYSTEM
from core.errors import DomainError
from core.models import OutboxMessage
from core.periods import date_words
from grids.care import MOST_MONTHS, add_months
from services import wish_notices
from services.actions.wish_moves import end_wish, release_wish, thank_wish
from services.actions.wishes import PERSONAL, RELATED, label_of
from services.models import Wish, WishState
from services.wish_notices import message

BATCH = 500
# Days after a limit that nobody kept until the portal acts itself.
GRACE = datetime.timedelta(days=14)
# Who adopted is reminded so many days before the limit.
SOON = datetime.timedelta(days=3)
_REMINDS = {
    WishState.COLLECTED: "unchecked",
    WishState.OPEN: "unadopted",
    WishState.ADOPTED: "overdue",
    WishState.DONE: "unconfirmed",
}
_WEEK = datetime.timedelta(days=7)


def sweep_wishes(now: datetime.datetime | None = None) -> dict[str, int]:
    """Goes round once; a second round at the same time writes nothing. Returns how many were reminded, settled, erased."""
    now = now or timezone.now()
    return {"settled": _settle(now), "told": _remind(now), "erased": erase_recipients(now)}


def _remind(now: datetime.datetime) -> int:
    """What is due, and what an adopter should soon see to. Only what the index of due times gives is read."""
    rows = Wish.objects.filter(due_at__lte=now + SOON).select_related(*RELATED).order_by("due_at", "pk")
    found = []
    for row in rows.filter(Q(due_at__lte=now) | Q(state=WishState.ADOPTED)).iterator(chunk_size=BATCH):
        assert row.due_at is not None
        if row.due_at > now:
            found.append(message("due_soon", row, body=_until(row), period=f"{row.due_at:%Y%m%d}"))
        else:
            weeks = (now - row.due_at) // _WEEK
            kind = _REMINDS[WishState(row.state)]
            found.append(message(kind, row, body=_NEXT[kind](row), period=f"{row.due_at:%Y%m%d}.{weeks}"))
    told = 0
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        known = set(OutboxMessage.objects.filter(key__in=[one.key for one in some]).values_list("key", flat=True))
        fresh = [one for one in some if one.key not in known]
        with transaction.atomic():
            wish_notices.several(fresh)
        told += len(fresh)
    return told


def _settle(now: datetime.datetime) -> int:
    """What nobody saw to for so long. Each in a transaction of its own; who acted meanwhile was quicker."""
    late = Wish.objects.filter(due_at__lte=now - GRACE).select_related(*RELATED).order_by("due_at", "pk")
    done = 0
    for row in list(late):
        try:
            _SETTLES[WishState(row.state)](row)
        except DomainError:
            continue
        done += 1
    return done


def _end(row: Wish) -> None:
    words = _("到期没有审核，系统结束") if row.state == WishState.COLLECTED else _("到期没有人认领，系统结束")
    end_wish(actor=SYSTEM, wish=row, reason=words, version=row.version)


def _release(row: Wish) -> None:
    release_wish(actor=SYSTEM, wish=row, reason=_("过了圆梦期限，系统收回重新发布"), version=row.version)


def _thank(row: Wish) -> None:
    thank_wish(actor=SYSTEM, wish=row, version=row.version)


_SETTLES: dict[WishState, Callable[[Wish], None]] = {
    WishState.COLLECTED: _end,
    WishState.OPEN: _end,
    WishState.ADOPTED: _release,
    WishState.DONE: _thank,
}


def _until(row: Wish) -> str:
    assert row.due_at is not None
    return _("请在%(day)s前送到社区；办不了可以退回") % {"day": date_words(row.due_at)}


_NEXT: dict[str, Callable[[Wish], str]] = {
    "unchecked": lambda row: _("请审核；过期 14 天没有审核的，系统自动结束"),
    "unadopted": lambda row: _("请联系单位认领、延长认领期或结束；过期 14 天的，系统自动结束"),
    "overdue": lambda row: _("请尽快送到社区；办不了可以退回，不用写理由"),
    "unconfirmed": lambda row: _("请确认送达；过期 14 天没有确认的，按已送达了结"),
}


def erase_recipients(now: datetime.datetime) -> int:
    """Erases whose wish it was, twelve months after it was done or ended; of the place the community alone is left.
    Returns how many."""
    today = timezone.localdate(now)
    limit = timezone.make_aware(datetime.datetime.combine(add_months(today, -MOST_MONTHS), datetime.time.min))
    over = Q(done_at__lt=limit) | Q(done_at__isnull=True, closed_at__lt=limit)
    count = 0
    while True:
        with transaction.atomic():
            rows = Wish.objects.filter(over, closed_at__isnull=False, erased_at__isnull=True)
            found = list(rows.select_for_update(of=("self",)).select_related("community").order_by("pk")[:BATCH])
            if not found:
                return count
            deeds = [_erase(row, now) for row in found]
            Wish.objects.bulk_update(found, [*_ERASED, "version"], batch_size=BATCH)
            audit.record_many(actor=SYSTEM, action="wish.erase", deeds=deeds)
        count += len(found)


_ERASED = ("recipient_name", "recipient_phone", "node", "erased_at")


def _erase(row: Wish, now: datetime.datetime) -> audit.Deed:
    changes: dict[str, tuple[Any, Any]] = {
        "recipient_name": (row.recipient_name, ""),
        "recipient_phone": (row.recipient_phone, ""),
        "node_id": (row.node_id, row.community_id),
    }
    row.recipient_name = row.recipient_phone = ""
    row.node, row.erased_at, row.version = row.community, now, row.version + 1
    return audit.Deed(row, changes, label=label_of(row), personal=PERSONAL)
