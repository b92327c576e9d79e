"""The sweeper: nothing waits for ever. Runs every minute from beat; what it does twice, it does once.

Lateness is marked under the lock, one matter a transaction, so that a worker killed half-way loses nothing. Notices are
keyed on (what, who, stage): a second beat writes none. Ladder of docs/practice.md#loop: a reminder before the limit,
a notice when it passes and one the next day, the bulletin some working days later.
"""

import datetime
import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import SYSTEM
from core.errors import DomainError
from core.models import OutboxMessage
from core.notices import Message
from services.actions import wait_sweep
from services.actions.moving import move
from services.clocks import clock_for
from services.models import Demand, DemandEvent, DemandState, SubOrder, SubOrderState, Supervision
from services.notices import message, waiting_message

logger = logging.getLogger(__name__)
BATCH = 500
_WITH = ("demand__node", "demand__community", "unit")


def sweep(now: datetime.datetime | None = None) -> dict[str, int]:
    """Goes round everything that waits. Returns how many rows each round touched."""
    now = now or timezone.now()
    return {
        "late": mark_late(now),
        "unanswered": mark_unanswered(now),
        "reminded": remind(now),
        "closed": close_silent(now),
        "unparked": unpark(now),
        "lapsed": wait_sweep.lapse_silent(now),
    }


def mark_late(now: datetime.datetime) -> int:
    """Marks running sub-orders, and their demands, whose limit has passed."""
    waiting = SubOrder.objects.late(now).filter(late_marked_at__isnull=True).order_by("due_at")
    marked = 0
    for demand_id, suborder_id in waiting.values_list("demand_id", "pk")[:BATCH]:
        marked += _mark_one(demand_id, suborder_id, now)
    return marked


@transaction.atomic
def _mark_one(demand_id: int, suborder_id: int, now: datetime.datetime) -> bool:
    demand = Demand.objects.select_for_update().get(pk=demand_id)
    row = (
        SubOrder.objects.select_for_update(of=("self",))
        .select_related("unit")
        .late(now)
        .filter(pk=suborder_id, late_marked_at__isnull=True)
        .first()
    )
    if row is None:
        return False
    row.late_marked_at = now
    row.save(update_fields=["late_marked_at"])
    if demand.late_marked_at is None and demand.due_at is not None and demand.due_at < now and row.is_lead:
        demand.late_marked_at = now
        demand.save(update_fields=["late_marked_at"])
    _write_down(demand, row, "late", _("超过办理时限"), now)
    return True


def mark_unanswered(now: datetime.datetime) -> int:
    """Marks sub-orders that were not signed, or whose requester was not contacted, in time."""
    silent = Q(signed_at__isnull=True, sign_due_at__lt=now) | Q(contacted_at__isnull=True, contact_due_at__lt=now)
    waiting = SubOrder.objects.running().filter(silent, response_late_at__isnull=True).order_by("pk")
    marked = 0
    for demand_id, suborder_id in waiting.values_list("demand_id", "pk")[:BATCH]:
        with transaction.atomic():
            demand = Demand.objects.select_for_update().get(pk=demand_id)
            rows = SubOrder.objects.running().filter(silent, pk=suborder_id, response_late_at__isnull=True)
            if not rows.update(response_late_at=now):
                continue
            row = SubOrder.objects.select_related("unit").get(pk=suborder_id)
            _write_down(demand, row, "response_late", _("超过签收或首次联系时限"), now)
            marked += 1
    return marked


def _write_down(demand: Demand, row: SubOrder, name: str, words: str, now: datetime.datetime) -> None:
    DemandEvent.objects.create(
        demand=demand,
        suborder=row,
        name=name,
        title=f"{words}：{row.unit.label}",
        at=now,
        actor_kind=SYSTEM.kind,
    )
    audit.record(
        actor=SYSTEM,
        action=f"suborder.{name}",
        obj=demand,
        label=demand.code,
        changes={f"suborder.{row.pk}.{name}": (None, now)},
    )


def remind(now: datetime.datetime) -> int:
    """Writes the reminders that are due and were not written yet."""
    written = 0
    for found in _batches([*_suborder_reminders(now), *_step_reminders(now), *_answer_reminders(now)]):
        known = set(OutboxMessage.objects.filter(key__in=[row.key for row in found]).values_list("key", flat=True))
        fresh = [row for row in found if row.key not in known]
        if fresh:
            with transaction.atomic():
                notices.post_many(fresh)
        written += len(fresh)
    return written


def _batches(found: list[Message]) -> Iterable[list[Message]]:
    return (found[start : start + BATCH] for start in range(0, len(found), BATCH))


def _suborder_reminders(now: datetime.datetime) -> Iterable[Message]:
    """Of every running sub-order: whoever stands behind five hundred others is reminded all the same."""
    running = SubOrder.objects.running().select_related(*_WITH).order_by("due_at")
    for row in running.filter(warn_at__lte=now, due_at__gte=now):
        yield from _one("due_soon", row.demand, row, f"{row.due_at:%Y%m%d%H%M}")
    for row in running.filter(due_at__lt=now):
        assert row.due_at is not None
        limit = f"{row.due_at:%Y%m%d%H%M}"
        yield from _one("late", row.demand, row, f"{limit}.0")
        yield from _one("late_community", row.demand, row, limit)
        if now >= row.due_at + datetime.timedelta(days=1):
            yield from _one("late", row.demand, row, f"{limit}.1")
        clock = clock_for(row.demand.county_id)
        if now >= clock.workdays(row.due_at, clock.limits.bulletin_workdays):
            yield from _one("bulletin", row.demand, None, limit)
    for row in running.filter(state=SubOrderState.DISPATCHED, sign_due_at__lt=now):
        yield from _one("sign_late", row.demand, row, f"{row.sign_due_at:%Y%m%d%H%M}")
    for row in running.filter(review_due_at__lt=now):
        yield from _one("review_late", row.demand, row, f"{row.review_due_at:%Y%m%d%H%M}")


def _step_reminders(now: datetime.datetime) -> Iterable[Message]:
    """One notice a community and day, however many matters wait: an import of a thousand rows must not send a
    thousand notices the next morning.
    """
    # What was checked closes off by itself, unless the resident says it is not solved: then the community must act.
    mine = ~Q(state=DemandState.CHECKED) | Q(solved=False)
    waiting = Demand.objects.step_late(now).filter(mine).order_by()
    day = f"{timezone.localdate(now):%Y%m%d}"
    for community_id, number in waiting.values_list("community_id").annotate(number=Count("pk")):
        yield waiting_message(community_id, number, day)


def _answer_reminders(now: datetime.datetime) -> Iterable[Message]:
    waiting = Supervision.objects.filter(answered_at__isnull=True, due_at__lt=now).select_related(
        "demand__node", "demand__community"
    )
    for row in waiting:
        yield from _one("answer_late", row.demand, None, f"{row.due_at:%Y%m%d%H%M}")


def _one(name: str, demand: Demand, suborder: SubOrder | None, stage: str) -> Iterable[Message]:
    found = message(name, demand, suborder=suborder, period=stage)
    return [found] if found is not None else []


def close_silent(now: datetime.datetime) -> int:
    """Closes off what was checked and nobody evaluated in time; never against a resident who said "not solved"."""
    waiting = Demand.objects.step_late(now).filter(state=DemandState.CHECKED).exclude(solved=False)
    closed = 0
    for demand in waiting.order_by("step_due_at")[:BATCH]:
        try:
            move(actor=SYSTEM, target=demand, name="close_off", version=demand.version)
        except DomainError as error:
            # Somebody moved it in the meantime; the next round looks again.
            logger.info("not closed: %s %s", demand.code, error.code)
        else:
            closed += 1
    return closed


def unpark(now: datetime.datetime) -> int:
    """Tells the community that a parked matter is running again."""
    today = timezone.localdate(now)
    due = Demand.objects.open().filter(parked_until__lte=today).select_related("node", "community")
    count = 0
    for demand in due[:BATCH]:
        with transaction.atomic():
            if not Demand.objects.filter(pk=demand.pk, parked_until__lte=today).update(parked_until=None):
                continue
            audit.record(
                actor=SYSTEM,
                action="demand.unpark",
                obj=demand,
                label=demand.code,
                changes={"parked_until": (demand.parked_until, None)},
            )
            found = message("unparked", demand, period=f"{today:%Y%m%d}")
            notices.post_many([found] if found else [])
            count += 1
    return count
