"""How often something may be done from one place or address. Counted in the database, where all processes see it.

Fixed windows: simple to explain ("5 次/10 分钟"), one row per key and window. A burst across the border of two windows
may reach twice the limit, which is well enough against scripts and guessing.
"""

import datetime
import hashlib

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Throttled
from core.models import ThrottleHit


def hit(key: str, *, limit: int, window_seconds: int) -> None:
    """Counts one attempt and refuses it when there were too many.

    Call it outside the transaction of the attempt: a count that is rolled back with a failed guess counts nothing.

    Args:
        key: what is limited and for whom ("order:61072400100100100101:10.0.0.8").
        limit: attempts allowed in a window.
        window_seconds: length of the window.

    Raises:
        Throttled: one attempt too many; says when to try again, also in `retry_after` (seconds).
    """
    now = timezone.now()
    start = datetime.datetime.fromtimestamp(now.timestamp() // window_seconds * window_seconds, tz=datetime.UTC)
    key = _fitting(key)
    row = ThrottleHit.objects.filter(key=key, window=start)
    # One transaction, so that the row stays locked until it is read: of two at the limit exactly one is refused.
    # It ends before the refusal, which must not take the count back.
    with transaction.atomic():
        if not row.update(hits=F("hits") + 1):
            # Two first attempts at once: one row wins, both are counted on it.
            ThrottleHit.objects.bulk_create([ThrottleHit(key=key, window=start)], ignore_conflicts=True)
            row.update(hits=F("hits") + 1)
        hits = row.values_list("hits", flat=True).get()
    if hits > limit:
        raise _refusal(round((start - now).total_seconds() + window_seconds))


def clean_up(*, before: datetime.datetime) -> int:
    """Removes windows that began before `before`; returns how many."""
    return ThrottleHit.objects.filter(window__lt=before).delete()[0]


def _fitting(key: str) -> str:
    return key if len(key) <= 120 else hashlib.sha256(key.encode()).hexdigest()


def _refusal(seconds: int) -> Throttled:
    seconds = max(1, seconds)
    if seconds < 60:
        wait = _("%(n)s 秒") % {"n": seconds}
    elif seconds < 3600:
        wait = _("%(n)s 分钟") % {"n": -(-seconds // 60)}
    else:
        wait = _("%(n)s 小时") % {"n": -(-seconds // 3600)}
    error = Throttled(_("操作过于频繁，请在%(wait)s后再试。") % {"wait": wait})
    error.retry_after = seconds
    return error
