"""One demand's life, step by step, by the person whose step it is."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core import policies
from core.actors import RESIDENT, SYSTEM
from core.errors import Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from services.actions import move, raise_demand, reveal_contact
from services.clocks import GREEN, RED, YELLOW, colour
from services.models import Assignment, Demand, DemandState, SubOrder, SubOrderState
from services.workflow import ASSIGNMENT, DEMAND, SUBORDER
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db


def raised(cast: Cast, **fields: Any) -> Demand:
    values = {"node": cast.a.building, "category": cast.category, "text": "楼道灯坏了三天，晚上老人上下楼不方便。"}
    return raise_demand(actor=RESIDENT, origin="resident", **{**values, **fields})


def do(actor: Any, target: Any, name: str, **data: Any) -> Demand:
    actor = actor if actor in (RESIDENT, SYSTEM) else fresh(actor)
    return move(actor=actor, target=target, name=name, data=data)


def dispatched(cast: Cast, **data: Any) -> tuple[Demand, SubOrder]:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    demand = do(cast.a.officer, demand, "dispatch", unit=cast.a.unit, **data)
    return demand, demand.suborders.get(unit=cast.a.unit)


def in_service(cast: Cast) -> tuple[Demand, SubOrder]:
    demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member])
    do(cast.a.member_user, Assignment.objects.get(), "take")
    return Demand.objects.get(pk=demand.pk), SubOrder.objects.get(pk=suborder.pk)


def checked(cast: Cast) -> Demand:
    demand, suborder = in_service(cast)
    do(cast.a.member_user, suborder, "report", text="已更换灯泡。")
    do(cast.a.liaison, suborder, "finish", text="更换声控灯 6 盏。")
    return do(cast.a.officer, demand, "check", note="现场看过，灯已亮。")


def test_a_demand_lives_its_whole_life(cast: Cast) -> None:
    demand = checked(cast)
    assert demand.state == DemandState.CHECKED
    demand = do(RESIDENT, demand, "evaluate", solved="yes", satisfaction="satisfied", note="谢谢")
    assert (demand.solved, demand.satisfaction) == (True, "satisfied")
    demand = do(cast.a.secretary, demand, "close_off")
    assert demand.state == DemandState.CLOSED_OFF
    assert demand.closed_at is not None
    names = list(demand.events.values_list("name", flat=True))
    assert names == [
        "raise",
        "accept",
        "dispatch",
        "sign",
        "assign",
        "take",
        "report",
        "finish",
        "check",
        "evaluate",
        "close_off",
    ]
    assert AuditEntry.objects.filter(chain=f"services.demand:{demand.pk}").count() == len(names)


def test_the_clock_starts_at_dispatch_not_at_signing(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    due = suborder.due_at
    assert due is not None and demand.due_at == due
    do(cast.a.liaison, suborder, "sign")
    assert SubOrder.objects.get().due_at == due


def test_a_return_goes_back_to_the_community_and_the_residents_limit_stands(cast: Cast) -> None:
    demand, suborder = dispatched(cast, supporting=[cast.a.supporting_unit])
    due = demand.due_at
    do(cast.a.liaison, suborder, "request_return", reason="路灯归城管局。")
    demand = do(cast.a.officer, suborder, "approve_return", note="情况属实")
    assert demand.state == DemandState.ACCEPTED
    assert demand.lead_unit == cast.a.unit, "the first receiver stays answerable"
    assert due is not None
    assert colour(demand, due + datetime.timedelta(seconds=1)) == RED, "giving it back does not stop the limit"
    assert list(Demand.objects.late(due + datetime.timedelta(seconds=1))) == [demand]
    demand = do(cast.a.officer, demand, "dispatch", unit=cast.a.unit)
    assert demand.due_at == due


def test_a_refused_return_can_not_be_asked_for_again(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "request_return", reason="不归我们。")
    do(cast.a.officer, suborder, "reject_return", reason="属于你单位职责。")
    with pytest.raises(InvalidTransition, match="指定承办"):
        do(cast.a.liaison, suborder, "request_return", reason="还是不归。")


def test_a_second_claim_is_told_who_has_it(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    do(cast.a.officer, demand, "publish")
    claimed = do(cast.a.liaison, demand, "claim")
    assert claimed.lead_unit == cast.a.unit
    with pytest.raises(InvalidTransition, match=cast.a.unit.label):
        do(cast.a.supporting_liaison, demand, "claim")
    assert SubOrder.objects.count() == 1


def test_an_unpublished_demand_is_unknown_to_the_units_of_the_place(cast: Cast) -> None:
    demand = raised(cast)
    with pytest.raises(NotFound):
        do(cast.a.liaison, demand, "claim")


@pytest.mark.parametrize("name", [row.name for row in DEMAND.transitions if row.right])
def test_the_neighbour_can_move_nothing(cast: Cast, name: str) -> None:
    demand = raised(cast)
    for stranger in (cast.b.secretary, cast.b.liaison, cast.b.keeper, cast.nobody):
        with pytest.raises((NotFound, Invalid)) as refusal:
            do(stranger, demand, name)
        assert isinstance(refusal.value, NotFound) or Demand.objects.get().state == "registered"
    assert Demand.objects.get().version == 1


def test_in_scope_but_without_the_right_is_forbidden(cast: Cast) -> None:
    demand = raised(cast)
    with pytest.raises(Forbidden, match="受理"):
        do(cast.a.keeper, demand, "accept")
    with pytest.raises(Forbidden):
        do(cast.department, demand, "accept")


def test_an_old_page_changes_nothing(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    with pytest.raises(Stale):
        move(actor=fresh(cast.a.officer), target=demand, name="publish", version=1)
    assert Demand.objects.get().state == DemandState.ACCEPTED


def test_a_missing_reason_names_the_field(cast: Cast) -> None:
    with pytest.raises(Invalid) as refusal:
        do(cast.a.officer, raised(cast), "decline")
    assert "reason" in refusal.value.fields
    assert Demand.objects.get().state == DemandState.REGISTERED


def test_only_units_that_reported_here_can_be_given_a_demand(cast: Cast) -> None:
    demand = raised(cast)
    do(cast.a.officer, demand, "accept")
    with pytest.raises(Invalid, match="没有在"):
        do(cast.a.officer, demand, "dispatch", unit=cast.b.unit)
    assert not SubOrder.objects.exists()


def test_members_are_asked_and_may_decline(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    do(cast.a.liaison, suborder, "assign", members=[cast.a.member, cast.a.second_member])
    first, second = Assignment.objects.order_by("pk")
    do(cast.a.member_user, first, "pass_up")
    assert SubOrder.objects.get().state == SubOrderState.SIGNED
    with pytest.raises(InvalidTransition, match="请先接受"):
        do(cast.a.second_member_user, suborder, "report", text="到了")
    do(cast.a.second_member_user, second, "take")
    assert SubOrder.objects.get().state == SubOrderState.IN_SERVICE


def test_a_member_of_another_unit_can_not_be_assigned(cast: Cast) -> None:
    _demand, suborder = dispatched(cast)
    do(cast.a.liaison, suborder, "sign")
    with pytest.raises(Invalid, match="不是本单位"):
        do(cast.a.liaison, suborder, "assign", members=[cast.b.member])


def test_not_solved_is_not_closed_without_a_word(cast: Cast) -> None:
    demand = checked(cast)
    do(RESIDENT, demand, "evaluate", solved="no", satisfaction="dissatisfied")
    with pytest.raises(Invalid, match="没有解决"):
        do(cast.a.secretary, demand, "close_off")
    demand = do(cast.a.officer, demand, "redo", reason="灯又不亮了。")
    assert demand.state == DemandState.DISPATCHED
    assert (demand.solved, demand.satisfaction, demand.round) == (None, "", 2)


def test_a_resident_evaluates_once_a_round(cast: Cast) -> None:
    demand = checked(cast)
    do(RESIDENT, demand, "evaluate", solved="yes", satisfaction="fairly")
    with pytest.raises(Invalid, match="已经评价"):
        do(RESIDENT, demand, "evaluate", solved="yes", satisfaction="satisfied")


def test_a_closed_matter_reopens_within_ten_days_only(cast: Cast) -> None:
    demand = do(cast.a.secretary, checked(cast), "close_off")
    Demand.objects.update(closed_at=timezone.now() - datetime.timedelta(days=11))
    with pytest.raises(InvalidTransition, match="超过 10 天"):
        do(RESIDENT, demand, "reopen", reason="又坏了")
    Demand.objects.update(closed_at=timezone.now() - datetime.timedelta(days=9))
    assert do(RESIDENT, demand, "reopen", reason="又坏了").state == DemandState.DISPATCHED


def test_supervision_is_answered_by_whoever_has_the_matter(cast: Cast) -> None:
    demand, suborder = dispatched(cast)
    demand = do(cast.department, demand, "supervise", reason="已超期，请说明。")
    assert demand.supervised_unit == cast.a.unit
    with pytest.raises(InvalidTransition, match="等待答复"):
        do(cast.department, demand, "supervise", reason="再催")
    with pytest.raises(InvalidTransition):
        do(cast.a.officer, demand, "answer_supervision", reason="社区代答")
    demand = do(cast.a.liaison, suborder, "answer_supervision", reason="材料已到，明日完工。")
    assert demand.supervised_at is None


def test_extensions_climb_one_level(cast: Cast) -> None:
    _demand, suborder = in_service(cast)
    until = timezone.localdate() + datetime.timedelta(days=30)
    do(cast.a.liaison, suborder, "request_extension", until=until, reason="等配件")
    do(cast.a.officer, suborder, "approve_extension")
    first = SubOrder.objects.get().due_at
    assert first is not None and timezone.localdate(first) >= until
    later = until + datetime.timedelta(days=30)
    do(cast.a.liaison, suborder, "request_extension", until=later, reason="配件又延迟")
    with pytest.raises(InvalidTransition, match="街道"):
        do(cast.a.officer, suborder, "approve_extension")
    do(cast.street_officer, suborder, "approve_extension")
    assert SubOrder.objects.get().due_at > first


def test_contact_is_revealed_with_a_reason_and_written_down(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三", contact_phone="13900000001")
    assert demand.masked_phone == "139****0001"
    contact = reveal_contact(actor=fresh(cast.a.officer), demand=demand, reason="回电核实")
    assert contact.phone == "13900000001"
    entry = AuditEntry.objects.get(action="demand.reveal_contact")
    assert entry.reason == "回电核实"
    with pytest.raises(Invalid):
        reveal_contact(actor=fresh(cast.a.officer), demand=demand, reason=" ")
    with pytest.raises(Forbidden):
        reveal_contact(actor=fresh(cast.department), demand=demand, reason="看看")
    assert AuditEntry.objects.filter(action="demand.reveal_contact").count() == 1


def test_no_value_of_a_personal_field_reaches_the_trail(cast: Cast) -> None:
    demand = raised(cast, contact_name="张三", contact_phone="13900000001")
    do(cast.a.officer, demand, "accept")
    for entry in AuditEntry.objects.all():
        assert "13900000001" not in str(entry.changes)
        assert "张三" not in str(entry.changes)


def test_colours_follow_the_limit(cast: Cast) -> None:
    demand, _suborder = dispatched(cast)
    assert demand.warn_at and demand.due_at
    assert colour(demand, demand.warn_at - datetime.timedelta(minutes=1)) == GREEN
    assert colour(demand, demand.warn_at) == YELLOW
    assert colour(demand, demand.due_at + datetime.timedelta(seconds=1)) == RED


def test_every_button_offered_can_be_pressed_or_asks_for_something(cast: Cast) -> None:
    demand, suborder = in_service(cast)
    for person in cast.people().values():
        user = fresh(person)
        for flow, obj in ((DEMAND, demand), (SUBORDER, suborder), (ASSIGNMENT, Assignment.objects.get())):
            for row in flow.available(obj, user):
                assert policies.sees(user, obj), (user, row.name)


def test_notices_reach_the_outbox_with_the_move(cast: Cast) -> None:
    dispatched(cast, supporting=[cast.a.supporting_unit])
    kinds = list(OutboxMessage.objects.values_list("kind", flat=True))
    assert kinds == ["demand_raise", "demand_dispatch", "demand_dispatch"]
