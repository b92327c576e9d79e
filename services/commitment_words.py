"""How a promise stands, in words and tones; the same on the desk, the phone and the public page."""

import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from services.models import Commitment, CommitmentState
from services.selectors.commitments import SOON_DAYS

TONES = {
    CommitmentState.OPEN: "blue",
    CommitmentState.REPORTED: "amber",
    CommitmentState.DONE: "green",
    CommitmentState.MOVED: "grey",
    CommitmentState.DROPPED: "grey",
}


def chips(row: Commitment, today: datetime.date | None = None) -> list[tuple[str, str]]:
    """The state, and beside it what must not be overlooked: (words, tone)."""
    found = [(str(row.get_state_display()), TONES[CommitmentState(row.state)])]
    flag = lateness(row, today)
    return [*found, flag] if flag else found


def lateness(row: Commitment, today: datetime.date | None = None) -> tuple[str, str] | None:
    """超期 3 天 or 还剩 2 天, while somebody has to do something about it."""
    today = today or timezone.localdate()
    if row.state != CommitmentState.OPEN:
        return None
    days = (row.due_on - today).days
    if days < 0:
        return _("超期 %(days)d 天") % {"days": -days}, "red"
    if days <= SOON_DAYS:
        return (_("还剩 %(days)d 天") % {"days": days}) if days else _("今天到期"), "amber"
    return None


def steps_of(row: Commitment, most: int = 50) -> list[Any]:
    """What who promised told of the work, newest first, with its pictures. Two queries."""
    return list(row.steps.select_related("by").prefetch_related("photos")[:most])
