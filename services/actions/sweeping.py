"""The sweeper: nothing waits for ever. Runs every minute from beat; what it does twice, it does once.

Every round reads what is due in it from an index that holds nothing it has seen to, five hundred rows a transaction and
a fixed number of statements for them, until nothing is left: what waits behind others has its turn in the same run, a
worker that is killed leaves whole batches, and a million running matters cost nothing while none is due. Rows are looked
at again under their locks, so a second beat finds them done; notices are keyed on (what, who, stage).

Ladder of docs/practice.md#loop: a reminder before the limit, a notice when it passes and one the next day, the bulletin
some working days later.
"""

import datetime
from collections.abc import Iterator
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import SYSTEM
from core.audit import Deed
from core.bulk import update_rows
from core.models import OutboxMessage
from core.notices import Message
from grids.models import GridNode
from services import reminders
from services.actions import ladder, wait_sweep
from services.actions.together import Order, make_together
from services.models import Demand, DemandEvent, DemandState, SubOrder, Supervision
from services.models.evaluation import not_solved
from services.notices import message, waiting_message

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
        "told_above": wait_sweep.tell_above(now),
        "lapsed": wait_sweep.lapse_silent(now),
        "climbed": ladder.climb(now),
    }


def batches(rows: QuerySet[Any], moment: str) -> Iterator[list[int]]:
    """Keys of rows in the order of a moment, so many at a time; the next ones are read when these are done. What could
    not be done is left behind, and stands in nobody's way.
    """
    after: tuple[Any, int] | None = None
    while True:
        some = rows
        if after is not None:
            at, pk = after
            some = rows.filter(Q(**{f"{moment}__gt": at}) | Q(**{moment: at, "pk__gt": pk}), **{f"{moment}__gte": at})
        found = list(some.order_by(moment, "pk").values_list(moment, "pk")[:BATCH])
        if not found:
            return
        after = found[-1]
        yield [pk for _at, pk in found]


def mark_late(now: datetime.datetime) -> int:
    """Marks running sub-orders, and their demands, whose limit has passed."""
    late = SubOrder.objects.late(now).filter(late_marked_at__isnull=True)
    return sum(_mark(late, keys, "late", "late_marked_at", _("超过办理时限"), now) for keys in batches(late, "due_at"))


def mark_unanswered(now: datetime.datetime) -> int:
    """Marks sub-orders that were not signed, or whose requester was not contacted, in time."""
    words = _("超过签收或首次联系时限")
    open_ = SubOrder.objects.running().filter(response_late_at__isnull=True)
    unsigned = open_.filter(signed_at__isnull=True, sign_due_at__lt=now)
    silent = open_.filter(contacted_at__isnull=True, contact_due_at__lt=now)
    return sum(
        _mark(rows, keys, "response_late", "response_late_at", words, now)
        for rows, moment in ((silent, "contact_due_at"), (unsigned, "sign_due_at"))
        for keys in batches(rows, moment)
    )


@transaction.atomic
def _mark(due: QuerySet[SubOrder], keys: list[int], name: str, column: str, words: str, now: datetime.datetime) -> int:
    """Marks those of the rows that are still due, with the demand where its lead is late."""
    demands = _hold(keys)
    rows = list(due.filter(pk__in=keys).select_for_update(of=("self",)).select_related("unit").order_by("pk"))
    SubOrder.objects.filter(pk__in=[row.pk for row in rows]).update(**{column: now})
    if name == "late":
        led = [row.demand_id for row in rows if row.is_lead]
        Demand.objects.filter(pk__in=led, late_marked_at__isnull=True, due_at__lt=now).update(late_marked_at=now)
    DemandEvent.objects.bulk_create(
        [
            DemandEvent(
                demand_id=row.demand_id,
                suborder=row,
                name=name,
                title=f"{words}：{row.unit.label}",
                at=now,
                actor_kind=SYSTEM.kind,
            )
            for row in rows
        ],
        batch_size=BATCH,
    )
    deeds = [
        Deed(
            demands[row.demand_id],
            {f"suborder.{row.pk}.{name}": (None, now)},
            label=demands[row.demand_id].code,
        )
        for row in rows
    ]
    audit.record_many(actor=SYSTEM, action=f"suborder.{name}", deeds=deeds)
    return len(rows)


def _hold(suborders: list[int]) -> dict[int, Demand]:
    """Locks the demands of some sub-orders: first of all rows, as whoever moves one does, and in the order of keys."""
    of = SubOrder.objects.filter(pk__in=suborders).values("demand")
    return {row.pk: row for row in Demand.objects.select_for_update().filter(pk__in=of).order_by("pk")}


def remind(now: datetime.datetime) -> int:
    """Writes the reminders that are due and were not written yet."""
    waiting = SubOrder.objects.running().filter(remind_at__lte=now)
    written = sum(_remind_orders(keys, now) for keys in batches(waiting, "remind_at"))
    unanswered = Supervision.objects.filter(answered_at__isnull=True, reminded_at__isnull=True, due_at__lt=now)
    written += sum(_remind_answers(unanswered, keys, now) for keys in batches(unanswered, "due_at"))
    return written + _remind_communities(now)


@transaction.atomic
def _remind_orders(keys: list[int], now: datetime.datetime) -> int:
    _hold(keys)
    due = SubOrder.objects.running().filter(pk__in=keys, remind_at__lte=now)
    rows = list(due.select_for_update(of=("self",)).select_related(*_WITH).order_by("pk"))
    found = [
        message(one.name, row.demand, suborder=row if one.to_order else None, period=one.stage)
        for row in rows
        for one in reminders.due(row, now)
    ]
    for row in rows:
        row.remind_at = reminders.next_at(row, now)
    update_rows(rows, ["remind_at"])
    return _post([one for one in found if one is not None])


@transaction.atomic
def _remind_answers(due: QuerySet[Supervision], keys: list[int], now: datetime.datetime) -> int:
    locked = due.filter(pk__in=keys).select_for_update(of=("self",))
    rows = list(locked.select_related("demand__node", "demand__community").order_by("pk"))
    Supervision.objects.filter(pk__in=[row.pk for row in rows]).update(reminded_at=now)
    found = [message("answer_late", row.demand, period=f"{row.due_at:%Y%m%d%H%M}") for row in rows]
    return _post([one for one in found if one is not None])


def _remind_communities(now: datetime.datetime) -> int:
    """One notice a community and day, however many matters wait: an import of a thousand rows must not send a
    thousand notices the next morning. Asked of each community that was not told today, from an index.
    """
    day = f"{timezone.localdate(now):%Y%m%d}"
    mine = wait_sweep.waits_for_somebody() & ~wait_sweep.ON_STREET & ~wait_sweep.ON_COUNTY
    waiting = Demand.objects.step_late(now).filter(mine).order_by()
    late = GridNode.objects.at("community").filter(Exists(waiting.filter(community=OuterRef("pk")))).order_by("pk")
    keys = {waiting_message(pk, 0, day).key: pk for pk in late.values_list("pk", flat=True)}
    told = set(OutboxMessage.objects.filter(key__in=keys).values_list("key", flat=True))
    asked = [pk for key, pk in keys.items() if key not in told]
    counted = waiting.filter(community__in=asked).values_list("community_id").annotate(number=Count("pk"))
    with transaction.atomic():
        return _post([waiting_message(pk, number, day) for pk, number in counted] if asked else [])


def _post(found: list[Message]) -> int:
    """Puts messages into the outbox. Returns how many were not there before."""
    known = set(OutboxMessage.objects.filter(key__in=[row.key for row in found]).values_list("key", flat=True))
    fresh = [row for row in found if row.key not in known]
    notices.post_many(fresh)
    return len(fresh)


def close_silent(now: datetime.datetime) -> int:
    """Closes off what was checked and nobody evaluated in time; never against a resident who said "not solved"."""
    waiting = Demand.objects.step_late(now).filter(state=DemandState.CHECKED).exclude(not_solved())
    closed = 0
    for keys in batches(waiting, "step_due_at"):
        seen = waiting.filter(pk__in=keys).values_list("pk", "version")
        with transaction.atomic():
            orders = [Order(pk, version, [("close_off", {})]) for pk, version in seen]
            answers = make_together(actor=SYSTEM, orders=orders)
        # What somebody moved in the meantime was refused; the next run looks again.
        closed += sum(answer.error is None for answer in answers)
    return closed


def unpark(now: datetime.datetime) -> int:
    """Tells the community that a parked matter is running again."""
    today = timezone.localdate(now)
    due = Demand.objects.open().filter(parked_until__lte=today)
    return sum(_unpark(due, keys, today) for keys in batches(due, "parked_until"))


@transaction.atomic
def _unpark(due: QuerySet[Demand], keys: list[int], today: datetime.date) -> int:
    locked = due.filter(pk__in=keys).select_for_update(of=("self",)).select_related("node", "community")
    rows = list(locked.order_by("pk"))
    Demand.objects.filter(pk__in=[row.pk for row in rows]).update(parked_until=None)
    deeds = [Deed(row, {"parked_until": (row.parked_until, None)}, label=row.code) for row in rows]
    audit.record_many(actor=SYSTEM, action="demand.unpark", deeds=deeds)
    found = [message("unparked", row, period=f"{today:%Y%m%d}") for row in rows]
    notices.post_many(one for one in found if one is not None)
    return len(rows)
