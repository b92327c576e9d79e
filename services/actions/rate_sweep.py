"""Exclusions nobody decides on and bulletins nobody answers: a reminder at the limit, the next rung as long again later.

Every hour. Keyed on (row, limit, kind): a second beat writes nothing.
"""

import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import SYSTEM
from core.models import OutboxMessage
from core.notices import Message
from services import rate_notices
from services.actions.bulletin_items import settle_ended
from services.clocks import clock_for
from services.models import BulletinItem, DemandEvent, ExclusionState, RateExclusion

BATCH = 500


def sweep_rates(now: datetime.datetime | None = None) -> dict[str, int]:
    """Returns how many rows each round touched."""
    now = now or timezone.now()
    return {"settled": settle_ended(), "exclusions": _exclusions(now), "answers": _answers(now)}


def _exclusions(now: datetime.datetime) -> int:
    found = []
    waiting = RateExclusion.objects.filter(state=ExclusionState.REQUESTED, due_at__lt=now)
    for row in waiting.select_related("demand__community"):
        clock = clock_for(row.demand.county_id)
        limit = f"{row.due_at:%Y%m%d%H%M}"
        found.append(rate_notices.of_exclusion("late", row, period=limit))
        if now >= clock.workdays(row.due_at, clock.limits.exclusion_workdays):
            found.append(rate_notices.of_exclusion("stuck", row, period=limit))
    return len(_post(found))


def _answers(now: datetime.datetime) -> int:
    found: list[Message] = []
    rows: dict[str, BulletinItem] = {}
    waiting = BulletinItem.objects.open().filter(due_at__lt=now, bulletin__state="published")
    for row in waiting.select_related("bulletin", "demand", "community", "unit"):
        assert row.due_at is not None
        clock = clock_for(row.bulletin.county_id)
        limit = f"{row.due_at:%Y%m%d%H%M}"
        late = rate_notices.of_item("late", row, period=limit)
        rows[late.key] = row
        found.append(late)
        if now >= clock.workdays(row.due_at, clock.limits.bulletin_answer_workdays):
            found.append(rate_notices.of_item("silent", row, period=limit))
    with transaction.atomic():
        fresh = _post(found)
        DemandEvent.objects.bulk_create(
            DemandEvent(
                demand_id=rows[one.key].demand_id,
                name="bulletin_late",
                title=_("通报事项超过答复时限"),
                at=now,
                actor_kind=SYSTEM.kind,
                tallied=True,
            )
            for one in fresh
            if one.key in rows
        )
    return len(fresh)


def _post(found: list[Message]) -> list[Message]:
    """Writes those that were not written yet."""
    fresh: list[Message] = []
    for start in range(0, len(found), BATCH):
        some = found[start : start + BATCH]
        known = set(OutboxMessage.objects.filter(key__in=[row.key for row in some]).values_list("key", flat=True))
        fresh += [row for row in some if row.key not in known]
    notices.post_many(fresh)
    return fresh
