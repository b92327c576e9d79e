"""The working calendar against one that counts minute by minute and day by day, over random calendars."""

from datetime import date, datetime, time, timedelta

from hypothesis import example, given, settings
from hypothesis import strategies as st

from core.periods import LOCAL_ZONE
from core.working_calendar import DEFAULT_HOURS, WorkingCalendar
from tests.slow_calendar import SlowCalendar

# Around the Spring Festival and the turn of two years: shifted days, long holidays, and a year not published yet.
FIRST = date(2025, 12, 20)
DAYS = 430
own_days = st.dictionaries(
    st.integers(-40, DAYS + 60).map(lambda days: FIRST + timedelta(days=days)), st.booleans(), max_size=40
)


@st.composite
def odd_hours(draw: st.DrawFn) -> tuple[tuple[time, time], ...]:
    edges = draw(st.lists(st.integers(0, 24 * 60 - 1), min_size=2, max_size=6, unique=True).map(sorted))
    clocks = [time(minute // 60, minute % 60) for minute in edges[: len(edges) // 2 * 2]]
    return tuple(zip(clocks[::2], clocks[1::2], strict=True))


hours = st.one_of(st.just(DEFAULT_HOURS), odd_hours())
moments = st.integers(0, DAYS * 24 * 60).map(
    lambda minutes: datetime.combine(FIRST, time()) + timedelta(minutes=minutes)
)
lengths = st.integers(0, 3000)
SPRING = datetime(2026, 2, 14, 17, 0)  # noqa: DTZ001  a Saturday that is worked, before nine days off


def zoned(moment: datetime) -> datetime:
    return moment.replace(tzinfo=LOCAL_ZONE)


def both(own: dict[date, bool], stretches: tuple[tuple[time, time], ...]) -> tuple[WorkingCalendar, SlowCalendar]:
    return WorkingCalendar(own, stretches), SlowCalendar(own, stretches)


def fits(slow: SlowCalendar, minutes: int) -> int:
    """No more than a fortnight of working time: one worked minute a day would be walked for years."""
    a_day = sum((closes.hour - opens.hour) * 60 + closes.minute - opens.minute for opens, closes in slow.hours)
    return minutes % (8 * a_day + 1)


@settings(max_examples=60)
@given(own_days, hours, moments, lengths)
@example({}, DEFAULT_HOURS, SPRING, 60)
@example({}, DEFAULT_HOURS, SPRING, 0)
def test_hours_are_added_as_on_the_fingers(own, stretches, start, minutes):
    calendar, slow = both(own, stretches)
    minutes = fits(slow, minutes)
    assert calendar.add_hours(zoned(start), minutes / 60) == zoned(slow.add(start, minutes))
    assert calendar.add_time(zoned(start), timedelta(minutes=minutes)) == zoned(slow.add(start, minutes))


@settings(max_examples=60)
@given(own_days, hours, moments, lengths)
@example({}, DEFAULT_HOURS, datetime(2026, 2, 24, 9, 0), 60)  # noqa: DTZ001
def test_hours_are_taken_off_as_on_the_fingers(own, stretches, end, minutes):
    calendar, slow = both(own, stretches)
    minutes = fits(slow, minutes)
    assert calendar.subtract_hours(zoned(end), minutes / 60) == zoned(slow.take_off(end, minutes))


@settings(max_examples=60)
@given(own_days, hours, moments, st.integers(0, 14 * 24 * 60))
@example({}, DEFAULT_HOURS, SPRING, 14 * 24 * 60)
def test_minutes_between_are_counted_as_on_the_fingers(own, stretches, start, length):
    calendar, slow = both(own, stretches)
    end = start + timedelta(minutes=length)
    assert calendar.working_minutes_between(zoned(start), zoned(end)) == slow.between(start, end)
    assert calendar.working_minutes_between(zoned(end), zoned(start)) == -slow.between(start, end)


@given(own_days, hours, moments, st.integers(1, 60))
@example({}, DEFAULT_HOURS, SPRING, 1)
def test_days_are_added_as_on_the_fingers(own, stretches, start, days):
    calendar, slow = both(own, stretches)
    assert calendar.add_days(zoned(start), days) == zoned(slow.add_days(start, days))


@given(own_days, hours, moments)
def test_open_and_shut_are_told_apart_as_on_the_fingers(own, stretches, moment):
    calendar, slow = both(own, stretches)
    assert calendar.is_working_day(moment.date()) == slow.works(moment.date())
    assert calendar.is_working_time(zoned(moment)) == slow.open_at(moment)
    assert calendar.next_opening(zoned(moment)) == zoned(slow.add(moment, 0))


@given(
    own_days,
    hours,
    st.datetimes(datetime(2025, 12, 20), datetime(2027, 2, 1), timezones=st.just(LOCAL_ZONE)),  # noqa: DTZ001
    st.timedeltas(timedelta(microseconds=1), timedelta(days=10)),
)
def test_an_exact_length_ends_at_the_earliest_moment_by_which_it_has_passed(own, stretches, start, length):
    """To the microsecond, where counting minutes does not reach."""
    calendar = WorkingCalendar(own, stretches)
    end = calendar.add_time(start, length)
    assert calendar.working_time_between(start, end) == length
    assert calendar.working_time_between(start, end - timedelta(microseconds=1)) < length
