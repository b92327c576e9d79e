import time as clock
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import working_calendar
from core.models import CalendarDay
from core.periods import LOCAL_ZONE, time_left_words
from core.working_calendar import WorkingCalendar, parse_hours

CALENDAR = WorkingCalendar()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


# 2026-03-02 is a Monday of an ordinary week.
MONDAY = date(2026, 3, 2)

moments = st.datetimes(datetime(2003, 6, 1), datetime(2030, 1, 1), timezones=st.just(LOCAL_ZONE))  # noqa: DTZ001
minutes = st.integers(0, 60 * 24 * 60)
calendars = st.builds(
    WorkingCalendar,
    st.dictionaries(st.dates(date(2003, 1, 1), date(2031, 1, 1)), st.booleans(), max_size=30),
    st.sampled_from(
        [
            working_calendar.DEFAULT_HOURS,
            parse_hours("08:00-12:00,14:30-18:00"),
            parse_hours("00:00-23:59"),
            parse_hours("09:00-10:00,10:30-11:00,11:15-11:16"),
        ]
    ),
)


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        (date(2026, 3, 2), True),
        (date(2026, 3, 7), False),
        (date(2026, 2, 17), False),  # Spring Festival, a Tuesday
        (date(2026, 2, 14), True),  # a Saturday worked for it
        (date(2026, 10, 10), True),  # a Saturday worked for National Day
        (date(2027, 2, 8), True),  # not published yet: Monday to Friday
        (date(2027, 2, 6), False),
        (date(2003, 10, 1), True),  # before the library begins
    ],
)
def test_working_days_follow_the_national_calendar_with_its_shifted_days(day, worked):
    assert CALENDAR.is_working_day(day) is worked


def test_an_override_stands_before_the_national_calendar():
    calendar = WorkingCalendar({date(2026, 3, 2): False, date(2026, 3, 7): True})
    assert not calendar.is_working_day(date(2026, 3, 2))
    assert calendar.is_working_day(date(2026, 3, 7))
    assert calendar.is_working_day(date(2026, 3, 3))
    assert CALENDAR.is_working_day(date(2026, 3, 2))


def test_a_year_without_published_holidays_is_admitted():
    assert CALENDAR.covers(2026)
    assert not CALENDAR.covers(2027)
    assert not CALENDAR.covers(2003)


def test_a_day_entered_by_hand_does_not_make_the_years_holidays_known():
    calendar = WorkingCalendar({date(2027, 2, 8): False, date(2026, 5, 20): False})
    assert not calendar.covers(2027)
    assert (calendar.entered(2027), calendar.entered(2026), calendar.entered(2028)) == (1, 1, 0)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        ("2026-03-02 09:00", 2, "2026-03-02 11:00"),
        ("2026-03-02 11:00", 2, "2026-03-02 15:00"),
        ("2026-03-02 11:00", 1, "2026-03-02 12:00"),
        ("2026-03-02 12:30", 1, "2026-03-02 15:00"),
        ("2026-03-02 07:00", 1, "2026-03-02 09:30"),
        ("2026-03-02 17:00", 0.5, "2026-03-02 17:30"),
        ("2026-03-02 17:00", 1, "2026-03-03 09:00"),
        ("2026-03-02 17:30", 1, "2026-03-03 09:30"),
        ("2026-03-02 20:00", 2, "2026-03-03 10:30"),
        ("2026-03-06 17:00", 2, "2026-03-09 10:00"),  # over the weekend
        ("2026-03-07 10:00", 2, "2026-03-09 10:30"),  # from a Saturday
        ("2026-03-02 08:30", 7, "2026-03-02 17:30"),
        ("2026-03-02 08:30", 14, "2026-03-03 17:30"),
        ("2026-02-13 17:00", 2, "2026-02-14 10:00"),  # the Saturday is worked
        ("2026-02-14 17:00", 2, "2026-02-24 10:00"),  # over the Spring Festival
        ("2026-03-02 12:00", 0, "2026-03-02 12:00"),
        ("2026-03-02 12:01", 0, "2026-03-02 14:00"),
        ("2026-03-07 12:00", 0, "2026-03-09 08:30"),
    ],
)
def test_working_hours_are_added(start, hours, end):
    assert CALENDAR.add_hours(at(start), hours) == at(end)


@pytest.mark.parametrize(
    ("end", "hours", "start"),
    [
        ("2026-03-02 11:00", 2, "2026-03-02 09:00"),
        ("2026-03-02 15:00", 2, "2026-03-02 11:00"),
        ("2026-03-02 15:00", 1, "2026-03-02 14:00"),
        ("2026-03-03 09:00", 0.5, "2026-03-03 08:30"),
        ("2026-03-03 09:00", 1, "2026-03-02 17:00"),
        ("2026-03-09 08:30", 1, "2026-03-06 16:30"),
        ("2026-03-07 12:00", 7, "2026-03-06 08:30"),
        ("2026-03-03 17:30", 14, "2026-03-02 08:30"),
        ("2026-03-07 12:00", 0, "2026-03-06 17:30"),
        ("2026-03-02 13:00", 0, "2026-03-02 12:00"),
    ],
)
def test_working_hours_are_taken_off_for_reminders(end, hours, start):
    assert CALENDAR.subtract_hours(at(end), hours) == at(start)


@pytest.mark.parametrize(
    ("start", "days", "end"),
    [
        ("2026-03-02 09:00", 1, "2026-03-03 17:30"),
        ("2026-03-02 20:00", 1, "2026-03-03 17:30"),
        ("2026-03-01 09:00", 1, "2026-03-02 17:30"),  # from a Sunday
        ("2026-03-06 09:00", 1, "2026-03-09 17:30"),
        ("2026-03-02 09:00", 5, "2026-03-09 17:30"),
        ("2026-02-13 09:00", 2, "2026-02-24 17:30"),  # Saturday 14 worked, then the Spring Festival
        ("2026-12-30 09:00", 5, "2027-01-06 17:30"),  # into a year not published
    ],
)
def test_a_limit_in_days_ends_at_closing_time_and_does_not_count_the_first_day(start, days, end):
    assert CALENDAR.add_days(at(start), days) == at(end)


@pytest.mark.parametrize("days", [0, -1])
def test_a_limit_below_one_day_is_refused(days):
    with pytest.raises(ValueError, match="at least one"):
        CALENDAR.add_days(at("2026-03-02 09:00"), days)


@pytest.mark.parametrize("method", [CALENDAR.add_hours, CALENDAR.subtract_hours])
def test_negative_hours_are_refused(method):
    with pytest.raises(ValueError, match="negative"):
        method(at("2026-03-02 09:00"), -1)


@pytest.mark.parametrize(
    ("start", "end", "worked"),
    [
        ("2026-03-02 09:00", "2026-03-02 11:30", 150),
        ("2026-03-02 12:00", "2026-03-02 14:00", 0),
        ("2026-03-02 00:00", "2026-03-03 00:00", 420),
        ("2026-03-06 17:00", "2026-03-09 09:00", 60),
        ("2026-03-07 09:00", "2026-03-08 09:00", 0),
        ("2026-03-03 09:00", "2026-03-02 09:00", -420),
        ("2026-03-02 09:00", "2026-03-02 09:01:59", 1),
        (
            "2025-12-31 09:00",
            "2027-01-04 09:00",
            420 * (WorkingCalendar()._count(date(2025, 12, 31), date(2027, 1, 4))),
        ),
    ],
)
def test_working_minutes_are_counted(start, end, worked):
    assert CALENDAR.working_minutes_between(at(start), at(end)) == worked


def test_counting_days_agrees_with_looking_at_each():
    first, last = date(2025, 11, 3), date(2027, 3, 1)
    each = [first + timedelta(days=n) for n in range((last - first).days)]
    slow = sum(CALENDAR.is_working_day(day) for day in each)
    assert CALENDAR.working_minutes_between(at("2025-11-03"), at("2027-03-01")) == slow * 420


@given(calendars, moments, minutes)
def test_added_hours_are_exactly_the_hours_between_and_end_in_working_time(calendar, start, count):
    end = calendar.add_hours(start, count / 60)
    assert end >= start
    assert calendar.is_working_time(end)
    assert calendar.working_minutes_between(start, end) == count


@given(calendars, moments, minutes)
def test_subtracting_mirrors_adding(calendar, end, count):
    start = calendar.subtract_hours(end, count / 60)
    assert start <= end
    assert calendar.is_working_time(start)
    assert calendar.working_minutes_between(start, end) == count


@given(calendars, moments, minutes, minutes)
def test_more_hours_never_end_earlier(calendar, start, one, other):
    less, more = sorted([one, other])
    assert calendar.add_hours(start, less / 60) <= calendar.add_hours(start, more / 60)


@given(calendars, moments, moments, minutes)
def test_a_later_start_never_ends_earlier(calendar, one, other, count):
    first, second = sorted([one, other])
    assert calendar.add_hours(first, count / 60) <= calendar.add_hours(second, count / 60)


@given(calendars, moments)
def test_a_moment_outside_hours_starts_at_the_next_opening(calendar, moment):
    opening = calendar.next_opening(moment)
    assert calendar.is_working_time(opening)
    assert calendar.working_time_between(moment, opening) == timedelta()
    assert calendar.add_hours(moment, 1) == calendar.add_hours(opening, 1)
    assert (opening == moment) == calendar.is_working_time(moment)


@given(calendars, moments, st.integers(1, 400))
def test_added_days_are_working_days_at_closing_time(calendar, start, count):
    end = calendar.add_days(start, count)
    assert end > start
    assert calendar.is_working_day(end.date())
    assert end.time() == calendar.hours[-1][1]
    assert calendar._count(start.date() + timedelta(days=1), end.date()) == count - 1


@given(calendars, moments, moments, moments)
def test_stretches_of_working_time_add_up(calendar, one, other, third):
    first, second, last = sorted([one, other, third])
    parts = calendar.working_time_between(first, second) + calendar.working_time_between(second, last)
    assert calendar.working_time_between(first, last) == parts
    assert calendar.working_time_between(last, first) == -parts


def test_moments_of_any_zone_mean_the_same_and_naive_ones_are_refused():
    end = CALENDAR.add_hours(datetime(2026, 3, 2, 1, 0, tzinfo=UTC), 2)
    assert end == at("2026-03-02 11:00")
    assert end.utcoffset() == timedelta(hours=8)
    with pytest.raises(ValueError, match="time zone"):
        CALENDAR.add_hours(datetime(2026, 3, 2, 9, 0), 1)  # noqa: DTZ001


def test_a_hundred_thousand_hours_are_added_without_walking_through_them():
    CALENDAR.add_hours(at("2026-03-02 09:00"), 100_000)
    begun = clock.process_time()
    for _ in range(200):
        CALENDAR.add_hours(at("2026-03-02 09:00"), 100_000)
    assert clock.process_time() - begun < 0.5


@pytest.mark.parametrize(
    "hours",
    [(), ((time(12), time(8)),), ((time(8), time(12)), (time(11), time(17))), ((time(8), time(8)),)],
)
def test_hours_out_of_order_are_refused(hours):
    with pytest.raises(ValueError, match="in order"):
        WorkingCalendar(hours=hours)


def test_hours_are_read_from_a_setting():
    assert parse_hours("8:30-12:00, 14:00-17:30") == working_calendar.DEFAULT_HOURS


@pytest.mark.parametrize("value", ["", "8-12", "08:30-25:00", "14:00-12:00", "08:30"])
def test_a_malformed_setting_is_refused(value):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_hours(value)


def test_time_left_is_told_in_working_time():
    now = at("2026-03-06 16:30")
    assert time_left_words(at("2026-03-09 09:30"), now, CALENDAR) == "还剩 2 个工作小时"
    assert time_left_words(at("2026-03-10 17:30"), now, CALENDAR) == "还剩 2 个工作日"
    assert time_left_words(at("2026-03-05 16:00"), now, CALENDAR) == "超期 1 个工作日"
    assert time_left_words(at("2026-03-06 17:00"), now, CALENDAR) == "还剩 30 分钟"
    assert time_left_words(at("2026-03-06 17:30"), at("2026-03-07 10:00"), CALENDAR) == "已超期"


@pytest.fixture
def fresh():
    working_calendar.forget()
    yield
    working_calendar.forget()


@pytest.mark.django_db
def test_the_calendar_in_force_has_the_days_entered_by_hand(fresh, django_assert_num_queries):
    assert working_calendar.load().is_working_day(MONDAY)
    row = CalendarDay.objects.create(date=MONDAY, is_working=False, note="县庆")
    with django_assert_num_queries(1):
        assert not working_calendar.load().is_working_day(MONDAY)
        working_calendar.load()
    row.delete()
    assert working_calendar.load().is_working_day(MONDAY)


@pytest.mark.django_db
def test_the_calendar_in_force_has_the_hours_that_are_set(fresh, settings):
    settings.WORKING_HOURS = "08:00-12:00,15:00-18:00"
    end = working_calendar.load().add_hours(at("2026-03-02 11:30"), 1)
    assert end == at("2026-03-02 15:30")
