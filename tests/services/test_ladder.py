"""A late matter climbs: each rung once, on its timeline, to the leader at last; a new limit begins at the foot."""

import datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import policies
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import OutboxMessage, User
from services import posts
from services.actions import instruct, ladder, sweeping
from services.clocks import clock_for
from services.models import Climb, Demand, DemandEvent, Rung, SubOrder
from services.workflow import LADDER
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.services.test_loop import dispatched, do, in_service

pytestmark = pytest.mark.django_db

DAY = datetime.timedelta(days=1)
MINUTE = datetime.timedelta(minutes=1)


@pytest.fixture
def leader(cast: Cast) -> User:
    found = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, found, "leader")
    return found


def rungs(demand: Demand) -> list[str]:
    found = DemandEvent.objects.filter(demand=demand, name__startswith="ladder_").order_by("pk")
    return [name.removeprefix("ladder_") for name in found.values_list("name", flat=True)]


def moments(demand: Demand) -> dict[Rung, datetime.datetime]:
    """When each rung is due, worked out apart from the ladder."""
    clock = clock_for(demand.county_id)
    assert demand.due_at and demand.warn_at
    return {
        Rung.NEAR: demand.warn_at,
        Rung.LATE: demand.due_at,
        Rung.NEXT_DAY: demand.due_at + DAY,
        Rung.BULLETIN: clock.calendar.add_days(demand.due_at, 5),
        Rung.LEADER: clock.calendar.add_days(demand.due_at, 10),
    }


def test_each_rung_is_climbed_at_its_time_and_once(cast: Cast, leader: User) -> None:
    demand, _order = dispatched(cast)
    climbed: list[str] = []
    for rung, due in moments(demand).items():
        ladder.climb(due - MINUTE)
        assert rungs(demand) == climbed
        climbed.append(str(rung))
        for _twice in range(2):
            ladder.climb(due + MINUTE)
        assert rungs(demand) == climbed
        assert Climb.objects.get(demand=demand).rung == rung
    kinds = OutboxMessage.objects.filter(kind__in=["demand_bulletin", "ladder_leader"]).order_by("pk")
    assert list(kinds.values_list("kind", flat=True)) == ["demand_bulletin", "ladder_leader"]
    assert OutboxMessage.objects.get(kind="ladder_leader").audience == {"user": leader.pk}
    assert DemandEvent.objects.get(name="ladder_leader").text == "包联领导：县领导"


def test_the_timeline_says_once_that_it_is_late(cast: Cast) -> None:
    """The order's being late says it already; the rung is climbed all the same."""
    demand, _order = dispatched(cast)
    sweeping.sweep(moments(demand)[Rung.LATE] + MINUTE)
    names = DemandEvent.objects.filter(demand=demand, name__contains="late").values_list("name", flat=True)
    assert sorted(names) == ["late", "response_late"]
    assert Climb.objects.get(demand=demand).rung == Rung.LATE


def test_only_leaders_instruct(cast: Cast, leader: User) -> None:
    demand, _order = in_service(cast)
    demand.published_at = timezone.now()  # offered to units all around
    people = {**cast.people(), "leader": leader}
    may = {name for name, user in people.items() if policies.can(fresh(user), posts.INSTRUCT_DEMAND, demand)}
    assert may == {"leader"}


def test_without_a_leader_the_county_is_told_so(cast: Cast) -> None:
    demand, _order = dispatched(cast)
    ladder.climb(moments(demand)[Rung.LEADER] + MINUTE)
    told = OutboxMessage.objects.get(kind="ladder_unpaired")
    assert told.audience == {"post": {"right": "demand.supervise", "county": cast.county.pk}}
    assert "还没有包联领导" in DemandEvent.objects.get(name="ladder_leader").text


def test_a_supporting_unit_is_not_forgotten_when_the_lead_is_done(cast: Cast, leader: User) -> None:
    """Its order climbs no ladder; it is said again every five working days, closed or not, until it has finished."""
    demand, order = in_service(cast)
    support = make.make_suborder(demand, cast.a.supporting_unit, "supporting", state="in_service", due_at=order.due_at)
    do(cast.a.liaison, order, "finish", text="修好了。")
    Demand.objects.filter(pk=demand.pk).update(state="closed_off")
    clock = clock_for(cast.county.pk)
    assert support.due_at

    def told(days: int) -> list[tuple[str, str]]:
        """What is new once so many working days have passed since the limit, and with whom; twice is once."""
        known = set(OutboxMessage.objects.values_list("pk", flat=True))
        for _twice in range(2):
            sweeping.sweep(clock.workdays(support.due_at, days) + MINUTE)  # type: ignore[arg-type]
        kinds = ("demand_late", "demand_late_community", "demand_bulletin")
        rows = OutboxMessage.objects.exclude(pk__in=known).filter(kind__in=kinds)
        return sorted((row.kind, next(iter(row.audience))) for row in rows)

    both = [("demand_late", "unit"), ("demand_late_community", "post")]
    told(3)
    assert told(5) == [("demand_bulletin", "post")]
    assert told(9) == []
    assert told(10) == told(15) == both
    assert told(30) == both, "what a sweeper that stood still has missed is said once"
    assert not Climb.objects.filter(demand=demand, rung=Rung.BULLETIN).exists()
    do(cast.a.supporting_liaison, SubOrder.objects.get(pk=support.pk), "finish", text="已配合。")
    assert told(40) == []


def test_what_goes_to_another_community_under_its_limit_climbs_on_there(cast: Cast, leader: User) -> None:
    """The resident's time is not begun anew: while nobody has accepted it there it stands still, and then goes on."""
    demand, order = dispatched(cast)
    due = moments(demand)
    ladder.climb(due[Rung.NEAR] + MINUTE)
    do(cast.a.liaison, order, "request_return", reason="不归我们管。")
    do(cast.a.officer, order, "approve_return")
    do(cast.a.officer, demand, "transfer", place=cast.b.node, reason="在那边。")
    ladder.climb(due[Rung.LATE] + MINUTE)
    assert rungs(demand) == ["near"]
    do(cast.b.officer, demand, "accept")
    for _twice in range(2):
        ladder.climb(due[Rung.NEXT_DAY] + MINUTE)
    assert rungs(demand) == ["near", "late", "next_day"]


def test_what_is_finished_climbs_no_further(cast: Cast, leader: User) -> None:
    demand, order = in_service(cast)
    at = moments(demand)
    ladder.climb(at[Rung.NEXT_DAY] + MINUTE)
    do(cast.a.liaison, order, "finish", text="换好了")
    ladder.climb(at[Rung.LEADER] + MINUTE)
    assert rungs(demand) == ["late", "next_day"]
    row = Climb.objects.select_related("demand").get()
    assert row.next_at is None and not row.stands


def test_a_redo_begins_at_the_foot(cast: Cast, leader: User) -> None:
    demand, order = in_service(cast)
    ladder.climb(moments(demand)[Rung.LATE] + MINUTE)
    do(cast.a.liaison, order, "finish", text="换好了")
    demand = do(cast.a.officer, demand, "redo", reason="还不亮")
    Demand.objects.filter(pk=demand.pk).update(due_at=demand.due_at + 30 * DAY, warn_at=demand.warn_at + 30 * DAY)  # type: ignore[operator]
    demand.refresh_from_db()
    ladder.climb(moments(demand)[Rung.NEAR] + MINUTE)
    assert rungs(demand) == ["late", "near"]
    assert Climb.objects.get().rung == Rung.NEAR


def test_an_extension_moves_the_ladder(cast: Cast, leader: User) -> None:
    demand, order = in_service(cast)
    first = moments(demand)
    until = timezone.localdate() + 40 * DAY
    do(cast.a.liaison, order, "request_extension", until=until, reason="等配件")
    do(cast.a.officer, SubOrder.objects.get(pk=order.pk), "approve_extension")
    ladder.climb(first[Rung.LEADER] + MINUTE)
    assert rungs(demand) == []


def test_a_parked_matter_stands_still_where_it_is(cast: Cast, leader: User) -> None:
    demand, _order = dispatched(cast)
    at = moments(demand)
    ladder.climb(at[Rung.NEXT_DAY] + MINUTE)
    until = timezone.localdate(at[Rung.LEADER]) + 20 * DAY
    Demand.objects.filter(pk=demand.pk).update(parked_until=until)
    demand.parkings.create(plan="等开春", until=until, by=cast.a.officer, at=at[Rung.NEXT_DAY] + 2 * MINUTE)
    ladder.climb(at[Rung.LEADER] + MINUTE)
    assert rungs(demand) == ["late", "next_day"]
    Demand.objects.filter(pk=demand.pk).update(parked_until=None)
    morning = timezone.make_aware(datetime.datetime.combine(until, datetime.time(1)))
    ladder.climb(morning)
    assert rungs(demand) == ["late", "next_day"], "the days it was parked are nobody's delay"
    ladder.climb(clock_for(cast.county.pk).workdays(morning, 5) + MINUTE)
    assert rungs(demand)[-1] == "bulletin"


def test_the_leader_says_what_is_to_be_done(cast: Cast, leader: User) -> None:
    demand, _order = dispatched(cast)
    ladder.climb(moments(demand)[Rung.LEADER] + MINUTE)
    row = Climb.objects.get()
    instruct(actor=fresh(leader), climb=row, text="请住建局三日内办结，电话 13912345678", version=row.version)
    event = DemandEvent.objects.get(name="instruct")
    assert (event.title, event.actor) == ("领导批示", leader)
    assert "13912345678" not in event.text
    told = OutboxMessage.objects.filter(kind="ladder_instruct").order_by("pk")
    assert [row.audience for row in told] == [
        {"post": {"right": "demand.dispatch", "node": cast.a.node.pk}},
        {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}},
    ]


def test_the_leader_is_reminded_as_long_as_it_is_not_done(cast: Cast, leader: User) -> None:
    demand, _order = dispatched(cast)
    at = moments(demand)[Rung.LEADER] + MINUTE
    ladder.climb(at)
    later = clock_for(cast.county.pk).workdays(at, ladder.REMIND_WORKDAYS) + MINUTE
    for _twice in range(2):
        ladder.climb(later)
    assert OutboxMessage.objects.filter(kind="ladder_remind").count() == 1


def test_nobody_else_instructs(cast: Cast, leader: User) -> None:
    demand, _order = dispatched(cast)
    at = moments(demand)
    ladder.climb(at[Rung.BULLETIN] + MINUTE)
    row = Climb.objects.get()
    with pytest.raises(Conflict):
        instruct(actor=fresh(leader), climb=row, text="抓紧")
    ladder.climb(at[Rung.LEADER] + MINUTE)
    other = make.make_cadre("另一领导", "county_leader", cast.county)
    with pytest.raises(Conflict, match="包联"):
        instruct(actor=fresh(other), climb=row, text="抓紧")
    for person in (cast.department, cast.a.officer, cast.a.liaison):
        with pytest.raises(Forbidden):
            instruct(actor=fresh(person), climb=row, text="抓紧")
    for person in (cast.b.officer, cast.other_county_department):
        with pytest.raises(NotFound):
            instruct(actor=fresh(person), climb=row, text="抓紧")
    with pytest.raises(Invalid):
        instruct(actor=fresh(leader), climb=row, text=" ")
    assert not DemandEvent.objects.filter(name="instruct").exists()


def test_only_what_is_due_is_touched_in_a_fixed_number_of_statements(cast: Cast) -> None:
    now = timezone.now()

    def late(number: int) -> None:
        for _each in range(number):
            make.make_demand(
                cast.a.building, state="dispatched", due_at=now - MINUTE, warn_at=now - DAY, lead_unit=cast.a.unit
            )

    for _each in range(5):
        make.make_demand(cast.a.building, state="dispatched", due_at=now + 9 * DAY, warn_at=now + 8 * DAY)
    late(1)
    ladder.climb(now)
    costs = []
    for number in (2, 20):
        late(number)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ladder.climb(now)
        costs.append(len(queries))
    assert costs[0] == costs[1]
    assert Climb.objects.count() == 23
    with CaptureQueriesContext(connection) as queries:
        ladder.climb(now + MINUTE)
    assert len(queries) == 2


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.integers(0, 20 * 24), st.sampled_from(["climb", "finish", "limit"])), max_size=8))
def test_whatever_happens_rungs_come_in_order_and_once_a_limit(cast: Cast, steps: list[tuple[int, str]]) -> None:
    DemandEvent.objects.all().delete()
    Climb.objects.all().delete()
    start = now = timezone.now()
    demand = make.make_demand(cast.a.building, state="dispatched", due_at=start + 5 * DAY, warn_at=start + 4 * DAY)
    limits = 1
    for hours, what in steps:
        now += datetime.timedelta(hours=hours)
        if what == "finish":
            Demand.objects.filter(pk=demand.pk).update(state="finished")
        elif what == "limit":
            Demand.objects.filter(pk=demand.pk).update(state="dispatched", due_at=now + DAY, warn_at=now)
            limits += 1
        ladder.climb(now)
    order = [str(one.rung) for one in ladder.RUNGS]
    runs: list[list[str]] = []
    for name in (one for one in rungs(demand) if one != "remind"):
        if not runs or order.index(name) <= order.index(runs[-1][-1]):
            runs.append([])
        runs[-1].append(name)
    # What is late when it is first seen begins with that.
    assert all("".join(run) in "".join(order) and run[0] in ("near", "late") for run in runs)
    assert len(runs) <= limits


def test_the_rungs_and_the_table_agree() -> None:
    moved = [row.name for row in LADDER.transitions if row.target]
    assert [str(step.rung) for step in ladder.RUNGS] == moved
