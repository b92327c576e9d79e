from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from core.periods import (
    LOCAL_ZONE,
    Month,
    Quarter,
    Year,
    date_words,
    datetime_words,
    local_date,
    moment_words,
    parse_period,
    time_left_words,
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


NOW = at("2026-03-05 14:30")


def test_a_quarter_knows_its_name_and_its_bounds():
    quarter = Quarter(2026, 1)
    assert quarter.label == str(quarter) == "2026年第一季度"
    assert quarter.code == "2026Q1"
    assert (quarter.start, quarter.end) == (at("2026-01-01"), at("2026-04-01"))
    assert (quarter.first_day, quarter.last_day) == (date(2026, 1, 1), date(2026, 3, 31))
    assert quarter.months() == (Month(2026, 1), Month(2026, 2), Month(2026, 3))
    assert Quarter(2026, 4).label == "2026年第四季度"


def test_quarters_and_months_follow_one_another_over_the_year():
    assert Quarter(2026, 1).previous() == Quarter(2025, 4)
    assert Quarter(2025, 4).next() == Quarter(2026, 1)
    assert Month(2026, 1).previous() == Month(2025, 12)
    assert Month(2025, 12).next() == Month(2026, 1)
    assert Month(2026, 2).last_day == date(2026, 2, 28)
    assert Month(2026, 5).quarter == Quarter(2026, 2)
    assert Month(2026, 3).label == "2026年3月"


def test_a_moment_belongs_to_the_period_it_falls_in_here_not_in_greenwich():
    new_year_in_beijing = datetime(2025, 12, 31, 16, 0, tzinfo=UTC)
    assert Quarter.of(new_year_in_beijing) == Quarter(2026, 1)
    assert Quarter.of(new_year_in_beijing - timedelta(seconds=1)) == Quarter(2025, 4)
    assert Month.of(date(2026, 3, 31)) == Month(2026, 3)
    assert Quarter(2026, 1).contains(new_year_in_beijing)
    assert not Quarter(2026, 1).contains(at("2026-04-01"))
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 1, 1))  # noqa: DTZ001


@pytest.mark.parametrize("value", ["2026Q1", "2026q1", "2026-Q1", " 2026年第一季度 ", "2026年1季度", "２０２６Ｑ１"])
def test_a_quarter_is_read_as_people_write_it(value):
    assert Quarter.parse(value) == Quarter(2026, 1)


@pytest.mark.parametrize("value", ["2026-03", "2026-3", "202603", "2026年3月", "2026/03"])
def test_a_month_is_read_as_people_write_it(value):
    assert Month.parse(value) == Month(2026, 3)


@pytest.mark.parametrize("value", ["", "2026Q5", "2026Q0", "Q1", "0000Q1", "9999Q4", "2026Q1; DROP"])
def test_what_is_no_quarter_is_refused(value):
    with pytest.raises(Invalid):
        Quarter.parse(value)


@pytest.mark.parametrize("value", ["", "2026-13", "2026-00", "0000-01", "2026"])
def test_what_is_no_month_is_refused(value):
    with pytest.raises(Invalid):
        Month.parse(value)


@pytest.mark.parametrize("number", [0, 5])
def test_there_are_four_quarters(number):
    with pytest.raises(ValueError, match="quarter"):
        Quarter(2026, number)


@given(st.dates(date(1950, 1, 1), date(2199, 12, 31)))
def test_every_day_is_in_exactly_one_quarter_and_codes_read_back(day):
    quarter, month = Quarter.of(day), Month.of(day)
    assert quarter.first_day <= day <= quarter.last_day
    assert not quarter.next().contains(day)
    assert not quarter.previous().contains(day)
    assert month in quarter.months()
    assert Quarter.parse(quarter.code) == Quarter.parse(quarter.label) == quarter
    assert Month.parse(month.code) == Month.parse(month.label) == month
    assert quarter.next().previous() == quarter
    assert quarter.end == quarter.next().start


def test_a_year_has_twelve_months_and_the_bounds_of_its_quarters():
    year = Year(2026)
    assert year.label == str(year) == "2026年"
    assert year.code == "2026"
    assert (year.start, year.end) == (Quarter(2026, 1).start, Quarter(2026, 4).end)
    assert year.months() == tuple(Month(2026, number) for number in range(1, 13))
    assert (year.previous(), year.next()) == (Year(2025), Year(2027))
    assert Year.of(datetime(2025, 12, 31, 16, 0, tzinfo=UTC)) == year


def test_the_same_period_a_year_before_is_of_the_same_kind():
    assert Month(2026, 2).year_before() == Month(2025, 2)
    assert Quarter(2026, 1).year_before() == Quarter(2025, 1)
    assert Year(2026).year_before() == Year(2025)
    assert Month(2026, 2).months() == (Month(2026, 2),)


@pytest.mark.parametrize("period", [Month(2026, 3), Quarter(2026, 4), Year(2026)])
def test_a_period_of_any_kind_reads_back_from_its_code_and_its_name(period):
    assert parse_period(period.code) == parse_period(period.label) == period


@pytest.mark.parametrize(
    "value", ["", "本季度", "2026Q5", "2026-13", "26", "0000", "9999", "2026-03-05", "2026 OR 1=1"]
)
def test_what_is_no_period_is_refused_with_an_example(value):
    with pytest.raises(Invalid, match="2026Q1"):
        parse_period(value)


def test_dates_are_written_the_chinese_way():
    assert date_words(date(2026, 3, 5)) == "2026年3月5日"
    assert date_words(datetime(2026, 3, 4, 16, 0, tzinfo=UTC)) == "2026年3月5日"
    assert datetime_words(datetime(2026, 3, 5, 6, 5, tzinfo=UTC)) == "2026年3月5日 14:05"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-03-05 14:30", "刚刚"),
        ("2026-03-05 14:29:30", "刚刚"),
        ("2026-03-05 14:30:30", "马上"),
        ("2026-03-05 14:25", "5 分钟前"),
        ("2026-03-05 14:55", "25 分钟后"),
        ("2026-03-05 09:00", "今天 09:00"),
        ("2026-03-05 17:30", "今天 17:30"),
        ("2026-03-04 09:00", "昨天 09:00"),
        ("2026-03-06 10:00", "明天 10:00"),
        ("2026-01-02 10:00", "1月2日 10:00"),
        ("2025-03-05 14:30", "2025年3月5日 14:30"),
    ],
)
def test_a_moment_near_now_is_told_in_words(moment, words):
    assert moment_words(at(moment), NOW) == words


def test_minutes_before_midnight_are_minutes_not_yesterday():
    assert moment_words(at("2026-03-04 23:50"), at("2026-03-05 00:10")) == "20 分钟前"


@pytest.mark.parametrize(
    ("due", "words"),
    [
        ("2026-03-05 14:30:30", "即将到期"),
        ("2026-03-05 14:55", "还剩 25 分钟"),
        ("2026-03-05 17:59", "还剩 3 小时"),
        ("2026-03-07 14:29", "还剩 1 天"),
        ("2026-03-07 14:30", "还剩 2 天"),
        ("2026-03-05 14:29:30", "已超期"),
        ("2026-03-05 14:20", "超期 10 分钟"),
        ("2026-03-05 09:30", "超期 5 小时"),
        ("2026-03-03 14:30", "超期 2 天"),
    ],
)
def test_time_left_is_told_in_whole_units(due, words):
    assert time_left_words(at(due), NOW) == words


def test_time_left_does_not_depend_on_the_zone_it_is_given_in():
    assert time_left_words(at("2026-03-05 17:30").astimezone(UTC), NOW) == "还剩 3 小时"
