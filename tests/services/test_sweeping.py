"""Nothing waits for ever, and what is swept twice happens once."""

import datetime
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import RESIDENT
from core.models import AuditEntry, OutboxMessage
from services.actions import sweeping
from services.models import Demand, DemandEvent, DemandState, SubOrder
from tests.cast import Cast
from tests.factories import make_demand
from tests.services.test_loop import checked, dispatched, do, raised
from tests.services.test_triage import many

pytestmark = pytest.mark.django_db


def after(moment: datetime.datetime | None, **span: float) -> datetime.datetime:
    assert moment is not None
    return moment + datetime.timedelta(**span)


def kinds() -> list[str]:
    return list(OutboxMessage.objects.order_by("pk").values_list("kind", flat=True))


def test_lateness_is_marked_once_and_told_up_the_ladder(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    OutboxMessage.objects.all().delete()
    now = after(suborder.due_at, minutes=1)
    assert sweeping.sweep(now)["late"] == 1
    assert sweeping.sweep(now)["late"] == 0
    demand.refresh_from_db()
    assert demand.late_marked_at == now
    assert SubOrder.objects.get().late_marked_at == now
    assert DemandEvent.objects.filter(name="late").count() == 1
    assert AuditEntry.objects.filter(action="suborder.late", actor_kind="system").count() == 1
    assert kinds().count("demand_late") == 1
    sweeping.sweep(after(suborder.due_at, days=1, minutes=1))
    assert kinds().count("demand_late") == 2
    assert "demand_bulletin" not in kinds()
    sweeping.sweep(after(suborder.due_at, days=30))
    assert kinds().count("demand_bulletin") == 1
    assert kinds().count("demand_late") == 2


def test_yellow_is_told_before_the_limit(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    sweeping.sweep(after(suborder.warn_at, minutes=-1))
    assert "demand_due_soon" not in kinds()
    sweeping.sweep(after(suborder.warn_at, minutes=1))
    assert kinds().count("demand_due_soon") == 1
    assert SubOrder.objects.get().late_marked_at is None


def test_a_unit_that_never_answers_counts_against_the_response_rate(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    sweeping.sweep(after(suborder.sign_due_at, minutes=1))
    assert SubOrder.objects.get().response_late_at is not None
    assert DemandEvent.objects.filter(name="response_late").count() == 1
    assert "demand_sign_late" in kinds()


def test_a_demand_nobody_accepts_is_brought_up(cast: Cast) -> None:
    demand = raised(cast)
    sweeping.sweep(after(demand.step_due_at, minutes=1))
    sweeping.sweep(after(demand.step_due_at, minutes=2))
    assert kinds().count("demand_step_late") == 1


def test_many_waiting_matters_make_one_reminder_a_day(cast: Cast) -> None:
    first = raised(cast)
    for _number in range(3):
        raised(cast)
    raised(cast, node=cast.b.building)
    sweeping.sweep(after(first.step_due_at, minutes=1))
    sweeping.sweep(after(first.step_due_at, minutes=5))
    told = OutboxMessage.objects.filter(kind="demand_step_late").values_list("title", flat=True)
    assert sorted(told) == ["有 1 条需求等待过久，请办理下一步", "有 4 条需求等待过久，请办理下一步"]
    sweeping.sweep(after(first.step_due_at, days=1))
    assert kinds().count("demand_step_late") == 4


def test_nobody_stands_behind_the_queue_for_reminders(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    suborders = [dispatched(cast)[1] for _number in range(5)]
    now = after(suborders[-1].due_at, minutes=1)
    sweeping.remind(now)
    assert kinds().count("demand_late") == 5


def test_what_nobody_evaluates_closes_off_by_itself(cast: Cast) -> None:
    demand = checked(cast)
    assert sweeping.sweep(after(demand.step_due_at, minutes=-1))["closed"] == 0
    assert sweeping.sweep(after(demand.step_due_at, minutes=1))["closed"] == 1
    demand.refresh_from_db()
    assert demand.state == DemandState.CLOSED_OFF
    assert demand.solved is None, "closed is not solved"


def test_what_the_resident_calls_unsolved_never_closes_by_itself(cast: Cast) -> None:
    demand = do(RESIDENT, checked(cast), "evaluate", solved="no", satisfaction="dissatisfied")
    assert sweeping.sweep(after(demand.step_due_at, days=30))["closed"] == 0
    assert Demand.objects.get().state == DemandState.CHECKED


def test_a_parked_matter_is_not_late_and_comes_back(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    until = timezone.localdate() + datetime.timedelta(days=60)
    do(cast.a.secretary, demand, "park", until=until, reason="等开春施工")
    assert sweeping.sweep(after(suborder.due_at, days=1))["late"] == 0
    later = timezone.now() + datetime.timedelta(days=61)
    assert sweeping.sweep(later)["unparked"] == 1
    assert sweeping.sweep(later)["unparked"] == 0
    demand.refresh_from_db()
    assert demand.parked_until is None


# --- What it costs --------------------------------------------------------------------------------------------------


def test_a_backlog_longer_than_a_batch_is_worked_off_in_one_run(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 2)
    orders = [dispatched(cast)[1] for _number in range(5)]
    now = after(orders[-1].due_at, minutes=1)
    found = sweeping.sweep(now)
    assert (found["late"], found["unanswered"]) == (5, 5)
    assert Demand.objects.filter(late_marked_at=now).count() == 5
    assert DemandEvent.objects.filter(name="late").count() == 5
    again = sweeping.sweep(now)
    assert not any(again[name] for name in ("late", "unanswered", "reminded", "closed", "unparked"))


def test_a_row_that_can_not_be_closed_stands_in_nobodys_way(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 1)
    first, second, third = checked_rows(cast)
    real = sweeping.make_together

    def refuses(*, actor: Any, orders: Any) -> Any:
        seen = [replace(one, version=99) if one.demand == first.pk else one for one in orders]
        return real(actor=actor, orders=seen)

    monkeypatch.setattr(sweeping, "make_together", refuses)
    assert sweeping.close_silent(timezone.now()) == 2
    assert [Demand.objects.get(pk=row.pk).state for row in (first, second, third)] == ["checked", *["closed_off"] * 2]


def checked_rows(cast: Cast) -> list[Demand]:
    """Three demands that were checked some days ago, as bare rows."""
    return [
        make_demand(
            cast.a.building, cast.category, state="checked", step_due_at=timezone.now() - datetime.timedelta(days=n)
        )
        for n in (3, 2, 1)
    ]


def test_a_reminder_follows_a_limit_that_was_moved(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    later = timezone.localdate(suborder.due_at) + datetime.timedelta(days=20)
    do(cast.a.liaison, suborder, "request_extension", until=later, reason="要等材料")
    do(cast.a.officer, suborder, "approve_extension")
    old, suborder = suborder.due_at, SubOrder.objects.get(pk=suborder.pk)
    OutboxMessage.objects.all().delete()
    sweeping.remind(after(old, minutes=1))
    assert "demand_late" not in kinds()
    sweeping.remind(after(suborder.due_at, minutes=1))
    assert kinds().count("demand_late") == 1


ROUNDS = (
    sweeping.mark_late,
    sweeping.mark_unanswered,
    sweeping.remind,
    sweeping.close_silent,
    sweeping.unpark,
)


def _scanned(plan: dict[str, Any]) -> int:
    """Rows that a plan took from the tables of demands and orders, the ones it threw away among them."""
    own = 0
    if plan.get("Relation Name") in ("services_demand", "services_suborder"):
        own = int((plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) * plan["Actual Loops"])
    return own + sum(_scanned(part) for part in plan.get("Plans", ()))


@pytest.mark.postgres
def test_each_round_reads_what_is_due_and_nothing_else(cast: Cast) -> None:
    """Of 2,000 running orders 20 are due. An index that holds more than that would be read through."""
    now = timezone.now()
    demands = many(cast, 2000, state="dispatched", lead_unit=cast.a.unit, step_due_at=None)
    limits = [now + datetime.timedelta(days=5 if number % 100 else -1) for number in range(2000)]
    for row, limit in zip(demands, limits, strict=True):
        row.due_at = limit
    Demand.objects.bulk_update(demands, ["due_at"], batch_size=500)
    fields = ("due_at", "warn_at", "sign_due_at", "contact_due_at", "remind_at")
    SubOrder.objects.bulk_create(
        SubOrder(demand=row, unit=cast.a.unit, **dict.fromkeys(fields, row.due_at)) for row in demands
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        # Small tables are read through whatever indexes they have.
        cursor.execute("SET LOCAL enable_seqscan = off")
    for run in ROUNDS:
        with CaptureQueriesContext(connection) as captured:
            run(now)
        first = next(query["sql"] for query in captured if query["sql"].startswith("SELECT"))
        read = 0
        with connection.cursor() as cursor, transaction.atomic():
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {first}")
            read = _scanned(cursor.fetchone()[0][0]["Plan"])
        assert read <= 20, (run.__name__, first)
    assert SubOrder.objects.filter(late_marked_at__isnull=False).count() == 20
    assert SubOrder.objects.filter(response_late_at__isnull=False).count() == 20
