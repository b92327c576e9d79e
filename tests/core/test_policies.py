"""The registry of who may see and do what, with a small world of its own."""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from core import policies
from core.actors import RESIDENT, SYSTEM
from core.errors import Forbidden, NotFound
from core.models import CalendarDay, User
from core.policies import Grant
from tests.factories import fresh, make_user

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Month:
    number: int


@dataclass(frozen=True)
class Planet:
    """A kind of scope that has no days."""


class DayPolicy:
    view = "day.view"

    def q(self, scope: Any) -> Q | None:
        return Q(date__month=scope.number) if isinstance(scope, Month) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, Month) and obj.date.month == scope.number


held: dict[int, list[Grant]] = {}
asked: list[int] = []


def provider(user: User, found: Any) -> list[Grant]:
    asked.append(user.pk)
    return held.get(user.pk, [])


@pytest.fixture(autouse=True)
def world() -> Iterator[None]:
    """Days belong to months; people hold rights in months. Nothing of it is left behind."""
    before = dict(policies._policies), list(policies._providers), dict(policies._labels)
    policies.register(CalendarDay, DayPolicy())
    policies.provide_scopes(provider)
    policies.name_rights({"day.change": "调整日历"})
    held.clear()
    asked.clear()
    yield
    policies._policies.clear()
    policies._policies.update(before[0])
    policies._providers[:] = before[1]
    policies._labels.clear()
    policies._labels.update(before[2])


@pytest.fixture
def days() -> dict[int, CalendarDay]:
    dates = [datetime.date(2026, month, 1) for month in (3, 4, 5)]
    return {date.month: CalendarDay.objects.create(date=date, is_working=True) for date in dates}


def person(*grants: Grant, **fields: Any) -> User:
    user = make_user("王一", **fields)
    held[user.pk] = list(grants)
    return user


VIEWS_MARCH = Grant(frozenset({"day.view"}), Month(3))
CHANGES_APRIL = Grant(frozenset({"day.view", "day.change"}), Month(4))
CHANGES_BLINDLY = Grant(frozenset({"day.change"}), Month(5))


def months(user: Any) -> set[int]:
    return {day.date.month for day in policies.visible(CalendarDay.objects.all(), user)}


def test_what_is_seen_is_the_sum_of_what_is_held(days: Any) -> None:
    assert months(person(VIEWS_MARCH, CHANGES_APRIL)) == {3, 4}


@pytest.mark.parametrize("somebody", ["nothing", "planet", "superuser", "stopped", "anonymous", "system", "resident"])
def test_who_holds_nothing_here_sees_nothing(days: Any, somebody: str) -> None:
    user: Any = {
        "nothing": lambda: person(),
        "planet": lambda: person(Grant(frozenset({"day.view"}), Planet())),
        "superuser": lambda: person(is_superuser=True),
        "stopped": lambda: person(VIEWS_MARCH, is_active=False),
        "anonymous": AnonymousUser,
        "system": lambda: SYSTEM,
        "resident": lambda: RESIDENT,
    }[somebody]()
    assert months(user) == set()
    assert not any(policies.sees(user, day) for day in days.values())
    assert not policies.holds(user, "day.change")


def test_the_list_and_the_single_object_agree(days: Any) -> None:
    for user in (person(), person(VIEWS_MARCH), person(VIEWS_MARCH, CHANGES_APRIL), person(CHANGES_BLINDLY)):
        assert {month for month, day in days.items() if policies.sees(user, day)} == months(user)
        changeable = CalendarDay.objects.filter(policies.within(CalendarDay, user, "day.change"))
        assert set(changeable) == {day for day in days.values() if policies.can(user, "day.change", day)}


def test_out_of_sight_is_not_found_and_in_sight_without_the_right_is_forbidden(days: Any) -> None:
    user = person(VIEWS_MARCH, CHANGES_APRIL)
    policies.require(user, "day.change", days[4])
    with pytest.raises(Forbidden) as caught:
        policies.require(user, "day.change", days[3])
    assert "调整日历" in caught.value.message
    with pytest.raises(NotFound):
        policies.require(user, "day.change", days[5])


def test_a_right_to_change_without_the_right_to_view_shows_no_list(days: Any) -> None:
    user = person(CHANGES_BLINDLY)
    assert months(user) == set()
    policies.require(user, "day.change", days[5])


def test_grants_are_read_once_for_one_loaded_user_and_again_for_the_next(days: Any) -> None:
    user = person(VIEWS_MARCH)
    months(user)
    policies.holds(user, "day.view")
    assert asked == [user.pk]
    held[user.pk] = [CHANGES_APRIL]
    assert months(user) == {3}
    assert months(fresh(user)) == {4}
    policies.forget_grants(user)
    assert months(user) == {4}


def test_a_right_in_a_menu_holds_wherever_it_is_held() -> None:
    user = person(CHANGES_APRIL)
    assert policies.holds(user, "day.change")
    assert not policies.holds(user, "day.remove")
    assert policies.scopes(user, "day.view") == [Month(4)]
