"""The limits of the loop against a calculator that counts on the fingers, and under clocks that go wrong."""

import datetime
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.actors import RESIDENT, SYSTEM
from core.working_calendar import DEFAULT_HOURS, WorkingCalendar
from grids.models import County
from services.clocks import Clock, moment_after
from services.models import Category, Demand, LimitUnit, LoopSettings, SubOrder
from tests.cast import Cast
from tests.core.test_working_calendar_slowly import fits, hours, moments, own_days, zoned
from tests.services.test_loop import do, in_service, raised
from tests.slow_calendar import SlowCalendar

Both = tuple[Clock, SlowCalendar]
COUNTY = County(name="西乡县")


@st.composite
def clocks(draw: st.DrawFn) -> Both:
    own, stretches = draw(own_days), draw(hours)
    names = ("sign_hours", "contact_hours")
    limits = LoopSettings(
        county=COUNTY, **{name: draw(st.integers(1, 80)) for name in names}, yellow_percent=draw(st.integers(1, 90))
    )
    return Clock(limits, WorkingCalendar(own, stretches), version=7), SlowCalendar(own, stretches)


ORDINARY = (Clock(LoopSettings(county=COUNTY), WorkingCalendar(), version=7), SlowCalendar({}, DEFAULT_HOURS))


def category(value: int, unit: str, contact: int | None = None) -> Category:
    return Category(pk=1, limit_value=value, limit_unit=unit, contact_hours=contact)


def slow_hours(slow: SlowCalendar, start: datetime.datetime, value: int) -> datetime.datetime:
    return zoned(slow.add(start, value * 60))


@settings(max_examples=40)
@given(clocks(), moments, st.integers(1, 10), st.sampled_from(LimitUnit.values), st.none() | st.integers(1, 5))
@example(ORDINARY, datetime.datetime(2026, 2, 14, 17, 0), 1, "work_hours", None)  # noqa: DTZ001
def test_every_limit_of_an_order_is_as_on_the_fingers(both, start, value, unit, contact):
    clock, slow = both
    kind = category(value, unit, contact)
    clock.limits.sign_hours, clock.limits.contact_hours = 1 + value % 4, 1 + value % 3
    order, demand = SubOrder(), Demand(category=kind)
    if unit == LimitUnit.WORK_HOURS and fits(slow, value * 60) != value * 60:
        return
    clock.start_suborder(order, kind, zoned(start))
    clock.start_service(demand, zoned(start))
    if unit == LimitUnit.HOURS:
        due = zoned(start) + timedelta(hours=value)
    elif unit == LimitUnit.WORK_HOURS:
        due = slow_hours(slow, start, value)
    else:
        due = zoned(slow.add_days(start, value))
    assert (order.due_at, demand.due_at) == (due, due)
    assert (order.rule_version, demand.rule_version) == (7, 7)
    if fits(slow, 5 * 60) == 5 * 60:
        assert order.sign_due_at == slow_hours(slow, start, clock.limits.sign_hours)
        assert order.contact_due_at == slow_hours(slow, start, contact or clock.limits.contact_hours)
    assert zoned(start) < order.warn_at < order.due_at
    # The share of the span that is left when the light turns yellow.
    share = (order.due_at - order.warn_at) / (order.due_at - zoned(start)) * 100
    assert share == pytest.approx(clock.limits.yellow_percent)


@settings(max_examples=40)
@given(clocks(), moments, st.integers(0, 8 * 24 * 60), st.integers(1, 40))
@example(ORDINARY, datetime.datetime(2026, 2, 13, 16, 0), 5 * 24 * 60, 11)  # noqa: DTZ001
def test_a_parked_clock_has_left_what_it_had(both, now, length, days):
    """What is left when the clock stops is left on the morning it goes on; a limit never comes nearer."""
    clock, slow = both
    due, until = now + timedelta(minutes=length), now.date() + timedelta(days=days)
    found = clock.resume_on(until, zoned(due), zoned(now))
    morning = datetime.datetime.combine(until, datetime.time())
    expected = slow.add(morning, slow.between(now, due))
    assert found == zoned(max(expected, due))


@given(clocks(), moments, st.integers(-600, 8 * 24 * 60), st.integers(1, 400))
def test_a_clock_in_plain_hours_has_left_what_it_had_by_day_and_night(both, now, length, days):
    clock, _slow = both
    due, until = now + timedelta(minutes=length), now.date() + timedelta(days=days)
    found = clock.resume_on(until, zoned(due), zoned(now), by_the_wall=True)
    morning = datetime.datetime.combine(until, datetime.time())
    assert found == zoned(morning + max(due - now, timedelta()))


@given(clocks(), moments)
def test_a_day_named_as_a_limit_ends_at_closing_time_of_it_or_of_the_next_worked(both, moment):
    clock, slow = both
    day = moment.date()
    assert clock.end_of(day) == zoned(slow.add_days(moment - timedelta(days=1), 1))
    assert clock.end_of(day).date() >= day


# --- Clocks that go wrong -------------------------------------------------------------------------------------------


def test_a_moment_is_never_before_what_happened():
    ahead = timezone.now() + timedelta(hours=3)
    assert moment_after(None, ahead) == ahead
    assert moment_after(None, ahead - timedelta(days=9)) < ahead


def around(clock: timedelta) -> Any:
    """A process whose clock is that much off. Two days from now, so that a clock behind is not before every post."""
    return time_machine.travel(datetime.datetime.now(datetime.UTC) + timedelta(days=2) + clock, tick=True)


@pytest.mark.django_db
@pytest.mark.parametrize("off", [timedelta(hours=-30), timedelta(minutes=-5), timedelta(hours=40)])
def test_a_process_with_a_wrong_clock_finishes_nothing_before_it_began(cast: Cast, off: timedelta) -> None:
    with around(timedelta()):
        demand, order = in_service(cast)
        due = demand.due_at
    with around(off):
        demand = do(cast.a.liaison, order, "finish", text="修好了")
    order.refresh_from_db()
    assert order.finished_at is not None
    assert order.dispatched_at <= order.signed_at <= order.finished_at  # type: ignore[operator]
    assert demand.due_at == due
    assert demand.step_due_at is not None
    assert demand.step_due_at > order.finished_at
    moments = list(demand.events.order_by("pk").values_list("at", flat=True))
    assert moments == sorted(moments)


MOVES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("a.officer", "demand", "accept", {}),
    ("a.officer", "demand", "dispatch", {"unit": "unit"}),
    ("a.liaison", "order", "sign", {}),
    ("a.liaison", "order", "report", {"text": "在修"}),
    ("a.liaison", "order", "finish", {"text": "修好了"}),
    ("a.officer", "demand", "redo", {"reason": "又坏了"}),
    ("a.liaison", "order", "finish", {"text": "修好了"}),
    ("a.officer", "demand", "check", {}),
    ("system", "demand", "close_off", {}),
    ("resident", "demand", "reopen", {"reason": "又坏了"}),
)
AGAIN = ("redo", "reopen")


@pytest.mark.django_db
def test_whatever_clocks_the_processes_have_time_never_goes_back_in_a_demand(cast: Cast) -> None:
    """Every move by a process with another clock, up to a day behind or ahead; two runs that go up and down."""
    people = {**cast.people(), "system": SYSTEM, "resident": RESIDENT}
    for offsets in ((0, -20, 24, -24, 3, -1, 24, -24, 12, -12), (24, 0, -24, 24, 0, -24, 24, 0, -24, 24)):
        with around(timedelta(hours=offsets[0])):
            demand = raised(cast)
        due = None
        for (who, what, name, data), off in zip(MOVES, offsets, strict=True):
            given_data = {**data, "unit": cast.a.unit} if "unit" in data else data
            target: Any = demand if what == "demand" else demand.suborders.get()
            with around(timedelta(hours=off)):
                do(people[who], target, name, **given_data)
            demand = Demand.objects.get(pk=demand.pk)
            moments = list(demand.events.order_by("pk").values_list("at", flat=True))
            assert moments == sorted(moments), name
            if demand.due_at is not None:
                assert demand.dispatched_at is not None
                assert demand.due_at > demand.dispatched_at
                assert due is None or demand.due_at == due or (name in AGAIN and demand.due_at > moments[-1])
            due = demand.due_at
            assert demand.step_due_at is None or demand.step_due_at > moments[-1]
            assert demand.finished_at is None or demand.finished_at >= demand.dispatched_at  # type: ignore[operator]
