"""When a visit is due and when an entry runs out: the dates, and that filter and page say the same of them."""

import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.periods import Quarter
from grids.care import (
    CADENCE,
    MOST_MONTHS,
    CareState,
    add_months,
    consents_for,
    erased_on,
    expiry,
    next_visit,
    states_of,
    waiting_for,
)
from grids.models import CareHousehold, CareKind, ConsentKind
from tests import factories as make
from tests.cast import Cast

DAYS = st.dates(min_value=datetime.date(2000, 1, 1), max_value=datetime.date(2150, 1, 1))
NEEDS = st.frozensets(st.sampled_from(CareKind.values), min_size=1)


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-03-05", 12, "2027-03-05"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2026-10-31", 4, "2027-02-28"),
        ("2026-12-31", 12, "2027-12-31"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(day: str, months: int, expected: str) -> None:
    assert add_months(datetime.date.fromisoformat(day), months) == datetime.date.fromisoformat(expected)


@given(DAYS, st.integers(1, 36))
def test_an_entry_holds_for_its_months_and_never_longer_than_a_year(day: datetime.date, months: int) -> None:
    end = expiry(day, months)
    assert day < end <= add_months(day, MOST_MONTHS)
    assert (end.year * 12 + end.month) - (day.year * 12 + day.month) == min(months, MOST_MONTHS)


@given(DAYS, DAYS, st.integers(1, 12))
def test_who_is_confirmed_later_runs_out_no_earlier(first: datetime.date, second: datetime.date, months: int) -> None:
    early, late = sorted((first, second))
    assert expiry(early, months) <= expiry(late, months)


@given(DAYS, NEEDS, st.fixed_dictionaries({kind: st.integers(1, 366) for kind in CareKind.values}))
def test_the_need_that_asks_for_the_most_visits_decides(
    since: datetime.date, needs: frozenset[str], cadence: dict[str, int]
) -> None:
    due = next_visit(since, needs, cadence)
    assert due > since
    for more in CareKind.values:
        assert next_visit(since, needs | {more}, cadence) <= due
    assert due in {since + datetime.timedelta(days=cadence[need]) for need in needs}


@given(NEEDS)
def test_more_needs_never_ask_for_less_consent(needs: frozenset[str]) -> None:
    good = consents_for(needs)
    assert good
    assert (ConsentKind.SPOKEN in good) == needs.isdisjoint({"disability", "child_left_behind", "child_in_difficulty"})


@pytest.mark.django_db
@given(today=DAYS, confirmed=st.integers(-430, 0), months=st.integers(1, 12), visit=st.integers(-60, 60))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filter_and_page_say_the_same(
    cast: Cast, today: datetime.date, confirmed: int, months: int, visit: int
) -> None:
    CareHousehold.objects.all().delete()
    confirmed_on = today + datetime.timedelta(days=confirmed)
    one = make.make_household(
        cast.a.building,
        confirmed_on=confirmed_on,
        consent_on=confirmed_on,
        expires_on=expiry(confirmed_on, months),
        next_visit_on=today + datetime.timedelta(days=visit),
    )
    said = set(states_of(one, today))
    assert said == {state for state in CareState if CareHousehold.objects.filter(waiting_for(state, today)).exists()}
    assert (CareState.EXPIRED in said) == (not CareHousehold.objects.valid(today).exists())
    assert CareHousehold.objects.kept(today).exists() == (today < erased_on(one))
    if CareState.TO_CONFIRM in said:
        assert one.confirmed_on < Quarter.of(today).first_day


def test_the_portals_own_days_are_within_the_bounds() -> None:
    assert all(1 <= days <= 366 for days in CADENCE.values())
