"""Nothing waits for ever, and what is swept twice happens once."""

import datetime

import pytest
from django.utils import timezone

from core.actors import RESIDENT
from core.models import AuditEntry, OutboxMessage
from services.actions import sweeping
from services.models import Demand, DemandEvent, DemandState, SubOrder
from tests.cast import Cast
from tests.services.test_loop import checked, dispatched, do, raised

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
