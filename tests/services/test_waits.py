"""Nothing waits for ever: what becomes of each waiting state when nobody acts."""

import datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from core.models import AuditEntry, OutboxMessage
from services import posts, reminders
from services.actions import move
from services.actions.sweeping import sweep
from services.clocks import clock_for
from services.models import (
    Assignment,
    AssignmentState,
    Demand,
    Evaluation,
    Extension,
    SubOrder,
    SubOrderState,
    Supervision,
    Whistle,
)
from services.selectors import loop as selectors
from services.workflow import ASSIGNMENT, DEMAND, SUBORDER
from services.workflow.waits import AT_REST, WAITS, Wait
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db


# --- Members who do not answer ---------------------------------------------------------------------------------------


def asked(cast: Cast) -> Assignment:
    demand = make.make_demand(cast.a.building, cast.category, state="dispatched")
    due = timezone.now() + datetime.timedelta(days=20)
    suborder = make.make_suborder(demand, cast.a.unit, state="signed", due_at=due)
    move(actor=fresh(cast.a.liaison), target=suborder, name="assign", data={"members": [cast.a.member]})
    return suborder.assignments.get()


def test_silence_lapses_and_the_liaison_asks_somebody_else(cast: Cast) -> None:
    one = asked(cast)
    assert one.due_at is not None
    assert sweep(one.due_at - datetime.timedelta(minutes=1))["lapsed"] == 0
    after = one.due_at + datetime.timedelta(minutes=1)
    assert sweep(after)["lapsed"] == 1
    assert sweep(after)["lapsed"] == 0
    one.refresh_from_db()
    assert one.state == AssignmentState.LAPSED
    told = OutboxMessage.objects.get(kind="demand_lapse")
    assert told.audience == {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}}
    # No consequence: the same member may be asked again.
    move(actor=fresh(cast.a.liaison), target=SubOrder.objects.get(), name="assign", data={"members": [cast.a.member]})
    assert Assignment.objects.waiting().count() == 1


def test_silence_about_what_is_done_troubles_nobody(cast: Cast) -> None:
    one = asked(cast)
    assert one.due_at is not None
    SubOrder.objects.update(state=SubOrderState.FINISHED)
    assert sweep(one.due_at + datetime.timedelta(minutes=1))["lapsed"] == 1
    assert not OutboxMessage.objects.filter(kind="demand_lapse").exists()


# --- Every state -----------------------------------------------------------------------------------------------------


def test_every_state_waits_for_somebody_or_rests() -> None:
    """A state added without a row here would be one in which a matter can be forgotten."""
    for flow in (DEMAND, SUBORDER, ASSIGNMENT):
        waiting = {row.state for row in WAITS if row.of == flow.name}
        assert waiting | AT_REST[flow.name] == set(flow.states)
        assert not waiting & AT_REST[flow.name]
    assert {row.of for row in WAITS} >= {"supervision", "extension", "parking", "whistle", "exclusion"}


def staged(cast: Cast, wait: Wait, limit: datetime.datetime) -> Any:
    """The thing that waits, its clock at `limit`, and nothing else that would speak up."""
    if wait.of == "demand":
        dispatched = wait.state == "dispatched"
        state = {"step_due_at": limit} if not dispatched else {"due_at": limit}
        solved = {"solved": False} if wait.state == "checked" else {}
        demand = make.make_demand(cast.a.building, cast.category, state=wait.state, **state, **solved)
        return order(demand, cast, due_at=limit) if dispatched else demand
    if wait.of == "suborder":
        field = {"signed": "due_at", "in_service": "due_at"}.get(wait.state, wait.clock)
        demand = make.make_demand(cast.a.building, cast.category, state="dispatched")
        values = {"due_at": limit + datetime.timedelta(days=1)} if field == "sign_due_at" else {}
        return order(demand, cast, state=wait.state, **{**values, field: limit})
    demand = make.make_demand(cast.a.building, cast.category, state="dispatched")
    if wait.of == "assignment":
        row = order(demand, cast, state="in_service", **({"due_at": limit} if wait.state == "taken" else {}))
        due = limit if wait.state == "offered" else None
        return row.assignments.create(member=cast.a.member, asked_by=cast.a.liaison, state=wait.state, due_at=due)
    if wait.of == "supervision":
        make.make_suborder(demand, cast.a.unit, state="in_service")
        Demand.objects.filter(pk=demand.pk).update(supervised_at=limit, supervised_unit=cast.a.unit)
        return Supervision.objects.create(
            demand=demand, unit=cast.a.unit, text="请说明", by=cast.department, due_at=limit
        )
    if wait.of == "extension":
        row = order(demand, cast, state="in_service", extension_waiting=1, review_due_at=limit)
        return Extension.objects.create(suborder=row, until=limit.date(), reason="等配件", by=cast.a.liaison)
    if wait.of == "parking":
        Demand.objects.filter(pk=demand.pk).update(parked_until=timezone.localdate(limit))
        return demand
    Demand.objects.filter(pk=demand.pk).update(whistled_at=limit)
    return Whistle.objects.create(demand=demand, text="请到场", by=cast.street_officer, due_at=limit)


def order(demand: Demand, cast: Cast, **values: Any) -> SubOrder:
    row = make.make_suborder(demand, cast.a.unit, **{"state": "in_service", **values})
    row.remind_at = reminders.first_at(row)
    row.save()
    return row


@pytest.mark.parametrize(
    "wait", [pytest.param(row, id=f"{row.of}-{row.state}") for row in WAITS if row.of != "exclusion"]
)
def test_nothing_waits_for_ever(cast: Cast, wait: Wait) -> None:
    """Long past its limit, with nobody doing anything: the rows' notices came, and not all to the same desk."""
    limit = timezone.now()
    staged(cast, wait, limit)
    clock = clock_for(cast.county.pk)
    for days in (0, 1, 2, clock.limits.bulletin_workdays + 1, clock.limits.bulletin_workdays + 2):
        sweep(clock.workdays(limit, days) + datetime.timedelta(minutes=1) if days else limit + _MINUTE)
    told = OutboxMessage.objects.filter(kind__startswith="demand_")
    assert {row.kind for row in told} == set(wait.tells), "these and no others"
    if wait.ends:
        return
    readers = {str(row.audience) for row in told}
    assert len(readers) > 1, "one desk reminded again and again is a matter forgotten"
    assert any(row.audience.get("post", {}).get("county") == cast.county.pk for row in told)


def test_what_ends_by_itself_ends_at_its_limit_and_nothing_else_does(cast: Cast) -> None:
    """The sweeper's own moves are those the rows name: silence closes off, lets lapse, takes up again, and no more."""
    for wait in WAITS:
        if wait.of == "exclusion":
            continue
        with transaction.atomic():
            limit = timezone.now()
            staged(cast, wait, limit)
            Demand.objects.update(solved=None)
            sweep(limit + _MINUTE)
            deeds = AuditEntry.objects.values_list("action", flat=True)
            ended = {name.split(".")[1] for name in deeds} & {"close_off", "lapse", "unpark"}
            assert ended == {wait.ends} - {""}, wait
            transaction.set_rollback(True)


_MINUTE = datetime.timedelta(minutes=1)


def test_the_day_s_reminders_are_written_once_and_again_the_next_day(cast: Cast) -> None:
    limit = timezone.now() - datetime.timedelta(days=30)
    for _number in range(3):
        make.make_demand(cast.a.building, cast.category, step_due_at=limit)
    make.make_demand(cast.b.building, cast.category, step_due_at=limit)
    now = timezone.now()
    for _number in range(2):
        sweep(now)
    titles = sorted(OutboxMessage.objects.filter(kind__startswith="demand_step_late").values_list("kind", "title"))
    assert [kind for kind, _title in titles] == [
        "demand_step_late",
        "demand_step_late",
        "demand_step_late_county",
        "demand_step_late_street",
    ]
    assert "4 条" in titles[2][1] and "4 条" in titles[3][1]
    sweep(now + datetime.timedelta(days=1))
    assert OutboxMessage.objects.filter(kind__startswith="demand_step_late").count() == 8


@pytest.mark.parametrize(("desk", "kinds"), [("street", {"_street"}), ("county", {"_county"})])
def test_what_was_handed_up_is_brought_to_mind_on_its_own_desk(cast: Cast, desk: str, kinds: set[str]) -> None:
    now = timezone.now()
    make.make_demand(
        cast.a.building, cast.category, state="accepted", desk=desk, step_due_at=now - datetime.timedelta(minutes=5)
    )
    sweep(now)
    found = OutboxMessage.objects.filter(kind__startswith="demand_step_late").values_list("kind", flat=True)
    assert {kind.removeprefix("demand_step_late") for kind in found} == kinds


# --- Reviews that nobody makes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("approve_return", {"state": "return_requested"}),
        ("approve_extension", {"state": "in_service", "extension_waiting": 1}),
    ],
)
def test_the_street_reviews_what_the_community_lets_wait(cast: Cast, name: str, fields: dict[str, Any]) -> None:
    now = timezone.now()
    demand = make.make_demand(cast.a.building, cast.category, state="dispatched")
    values = {"due_at": now + datetime.timedelta(days=9), "review_due_at": now + _MINUTE}
    row = make.make_suborder(demand, cast.a.unit, **fields, **values)
    if name == "approve_extension":
        until = timezone.localdate(now) + datetime.timedelta(days=30)
        Extension.objects.create(suborder=row, until=until, reason="等配件", by=cast.a.liaison)
    row = SubOrder.objects.select_related("demand__node").get()
    street = fresh(cast.street_officer)
    assert name not in {one.name for one in SUBORDER.available(row, street)}
    assert demand not in selectors.demands_waiting(street)
    assert demand in selectors.demands_waiting(fresh(cast.a.officer))
    SubOrder.objects.update(review_due_at=now - _MINUTE)
    assert demand in selectors.demands_waiting(street)
    move(actor=street, target=row, name=name)
    assert SubOrder.objects.get().review_due_at is None


def test_parking_hides_no_review(cast: Cast) -> None:
    later = timezone.localdate() + datetime.timedelta(days=40)
    demand = make.make_demand(cast.a.building, cast.category, state="dispatched", parked_until=later)
    make.make_suborder(demand, cast.a.unit, state="return_requested")
    still = make.make_demand(cast.a.building, cast.category, state="accepted", parked_until=later)
    waiting = set(selectors.demands_waiting(fresh(cast.a.officer)))
    assert demand in waiting and still not in waiting


def test_what_a_neighbour_calls_unsolved_is_not_closed_in_silence(cast: Cast) -> None:
    now = timezone.now()
    main = make.make_demand(cast.a.building, cast.category, state="checked", step_due_at=now - _MINUTE)
    linked = make.make_demand(cast.a.building, cast.category, state="linked", linked_to=main)
    word = Evaluation.objects.create(demand=linked, round=1, solved=False, satisfaction="dissatisfied")
    assert sweep(now)["closed"] == 0
    word.solved = True
    word.save()
    assert sweep(now)["closed"] == 1


def test_the_rights_the_waits_count_on_are_held(cast: Cast) -> None:
    assert {posts.REVIEW_RETURN, posts.REVIEW_EXTENSION, posts.WHISTLE_DEMAND} <= posts.POST_RIGHTS["street_officer"]
    assert {posts.DISPATCH_DEMAND, posts.HAND_DOWN_DEMAND} <= posts.POST_RIGHTS["county_department"]
