"""Where two steps of the loop meet badly: nobody is forgotten, nothing waits for ever, nobody sees more than they need."""

import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from core.actors import RESIDENT
from core.errors import Forbidden, Invalid, InvalidTransition
from core.models import AuditEntry, OutboxMessage
from services.actions import reveal_contact, sweeping
from services.models import Assignment, Demand, DemandState, Extension, Supervision
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_loop import checked, dispatched, do, in_service, raised

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("name", "state"), [("decline", "declined"), ("withdraw", "withdrawn"), ("link", "linked")])
def test_a_supervision_is_answered_even_when_the_matter_ends_first(cast: Cast, name: str, state: str) -> None:
    demand, other = raised(cast), raised(cast)
    do(cast.department, demand, "supervise", reason="请说明为何无人受理。")
    given: dict[str, Any] = {"matter": other} if name == "link" else {"reason": "另有处理"}
    assert do(cast.a.officer, demand, name, **given).state == state
    assert do(cast.a.officer, demand, "answer_supervision", reason="已联系居民说明。").supervised_at is None
    assert not Supervision.objects.filter(answered_at__isnull=True).exists()


@pytest.mark.parametrize("review", ["approve_return", "reject_return"])
def test_who_gives_it_back_waits_for_no_extension_of_it(cast: Cast, review: str) -> None:
    """Else the extension waits without a limit, and on an order that has ended nobody can decide on it."""
    _demand, order = dispatched(cast)
    do(cast.a.liaison, order, "sign")
    until = timezone.localdate() + datetime.timedelta(days=30)
    do(cast.a.liaison, order, "request_extension", until=until, reason="等配件")
    do(cast.a.liaison, order, "request_return", reason="查明不归我们管。")
    record = Extension.objects.get()
    assert (record.state, record.note) == ("rejected", "已申请退单")
    order.refresh_from_db()
    assert (order.extension_waiting, order.review_due_at is not None) == (0, True)
    do(cast.a.officer, order, review, **({} if review == "approve_return" else {"reason": "就是贵单位的职责。"}))
    if review == "reject_return":
        do(cast.a.liaison, order, "sign")
        do(cast.a.liaison, order, "request_extension", until=until, reason="等配件")
        order.refresh_from_db()
        assert (order.extension_waiting, order.review_due_at is not None) == (1, True)


def test_a_matter_the_resident_calls_unsolved_is_brought_up_when_nobody_acts(cast: Cast) -> None:
    demand = do(RESIDENT, checked(cast), "evaluate", solved="no", satisfaction="dissatisfied")
    assert demand.step_due_at is not None
    sweeping.sweep(demand.step_due_at + datetime.timedelta(minutes=1))
    assert OutboxMessage.objects.filter(kind="demand_step_late").count() == 1


def test_supervisions_behind_a_long_queue_are_reminded_too(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sweeping, "BATCH", 1)
    for _number in range(3):
        do(cast.department, raised(cast), "supervise", reason="请说明。")
    last = max(row.due_at for row in Supervision.objects.all())
    sweeping.remind(last + datetime.timedelta(minutes=1))
    assert OutboxMessage.objects.filter(kind="demand_answer_late").count() == 3


def returned_by_the_lead(cast: Cast) -> Demand:
    """Back with the community, while the supporting unit serves."""
    _demand, suborder = dispatched(cast, supporting=[cast.a.supporting_unit])
    do(cast.a.liaison, suborder, "request_return", reason="不属本单位职责")
    return do(cast.a.officer, suborder, "approve_return")


def test_a_matter_does_not_end_under_a_unit_that_serves(cast: Cast) -> None:
    demand, other = returned_by_the_lead(cast), raised(cast)
    with pytest.raises(InvalidTransition, match="县水务局"):
        do(RESIDENT, demand, "withdraw", reason="不用了")
    with pytest.raises(InvalidTransition, match="县水务局"):
        do(cast.a.officer, demand, "link", matter=other)
    assert Demand.objects.get(pk=demand.pk).state == DemandState.ACCEPTED


def test_the_main_matter_is_not_withdrawn_from_under_those_linked_to_it(cast: Cast) -> None:
    main, neighbour = raised(cast), raised(cast)
    do(cast.a.officer, neighbour, "link", matter=main)
    with pytest.raises(InvalidTransition, match="已并入"):
        do(RESIDENT, main, "withdraw", reason="不用了")
    assert Demand.objects.get(pk=main.pk).state == DemandState.REGISTERED


@pytest.mark.parametrize("end", ["withdraw", "decline"])
def test_nothing_is_linked_to_a_matter_that_gets_no_answer(cast: Cast, end: str) -> None:
    main, neighbour = raised(cast), raised(cast)
    do(cast.a.officer, main, end, reason="重复登记")
    with pytest.raises(Invalid, match="并案"):
        do(cast.a.officer, neighbour, "link", matter=main)


def test_two_matters_are_not_linked_to_each_other(cast: Cast) -> None:
    one, two = raised(cast), raised(cast)
    do(cast.a.officer, one, "link", matter=two)
    with pytest.raises(Invalid):
        # As it was read before the first link was made.
        do(cast.a.officer, two, "link", matter=one)


def test_whoever_was_linked_follows_the_main_matter_wherever_it_goes(cast: Cast) -> None:
    first, second, third = raised(cast), raised(cast), raised(cast)
    do(cast.a.officer, first, "link", matter=second)
    do(cast.a.officer, second, "link", matter=third)
    first.refresh_from_db()
    assert first.linked_to == third
    assert AuditEntry.objects.filter(chain=f"services.demand:{first.pk}", action="demand.link").count() == 2
    do(cast.a.officer, third, "decline", reason="不属本社区，请拨打 12345。")
    page = Client().get(f"/r/follow/{first.follow_code}/")
    assert "请拨打 12345" in page.content.decode()


def test_nobody_takes_on_what_is_over(cast: Cast) -> None:
    _demand, suborder = in_service(cast)
    do(cast.a.liaison, suborder, "assign", members=[cast.a.second_member])
    do(cast.a.liaison, suborder, "finish", text="修好了。")
    offered = Assignment.objects.get(member=cast.a.second_member)
    with pytest.raises(InvalidTransition, match="不用再参加"):
        do(cast.a.second_member_user, offered, "take")
    do(cast.a.second_member_user, offered, "pass_up")


def test_a_unit_that_gave_a_matter_back_does_not_see_the_contact_any_more(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    Demand.objects.update(contact_phone="13912345678")
    assert reveal_contact(actor=fresh(cast.a.liaison), demand=demand, reason="联系").phone == "13912345678"
    do(cast.a.liaison, suborder, "request_return", reason="不属本单位职责")
    do(cast.a.officer, suborder, "approve_return")
    with pytest.raises(Forbidden, match="已退单"):
        reveal_contact(actor=fresh(cast.a.liaison), demand=Demand.objects.get(), reason="再看看")
    assert AuditEntry.objects.filter(action="demand.reveal_contact").count() == 1


def test_a_day_nobody_means_is_refused(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    far = datetime.date(timezone.localdate().year + 6, 1, 5)
    with pytest.raises(Invalid, match="请核对"):
        do(cast.a.officer, demand, "park", until=far, reason="等规划")
    with pytest.raises(Invalid, match="请核对"):
        do(cast.a.liaison, suborder, "request_extension", until=far, reason="等配件")
    assert not Extension.objects.exists()
