"""Versions of a county's limits: written with every change, named by what was given a limit, moving nothing old."""

import datetime
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.cache import cache

from core.models import AuditEntry, CalendarDay
from core.periods import LOCAL_ZONE
from grids.models import County
from services import clocks
from services.actions import rule_versions
from services.actions.settings import create_category, set_calendar_day, update_category, update_limits
from services.clocks import clock_for
from services.defaults import make_defaults
from services.models import Demand, LimitUnit, LoopSettings, RuleVersion, SubOrder
from tests.cast import Cast, make_cast
from tests.factories import make_county
from tests.grids.test_tree_concurrency import together
from tests.services.test_loop import checked, dispatched, do, in_service

pytestmark = pytest.mark.django_db


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


def numbers(county: County) -> list[int]:
    return list(RuleVersion.objects.filter(county=county).order_by("number").values_list("number", flat=True))


def limits(cast: Cast, **values: Any) -> None:
    update_limits(actor=cast.admin, limits=LoopSettings.objects.get(county=cast.county), **values)


def test_a_new_county_begins_with_its_first_version() -> None:
    county = make_county("洋县", "610723")
    make_defaults(county)
    first = RuleVersion.objects.get(county=county)
    assert first.number == clock_for(county.pk).version == 1
    assert first.rules["limits"]["sign_hours"] == 4
    assert len(first.rules["categories"]) == 8
    assert first.rules["limits"].keys() == rule_versions.LIMITS.keys()


def test_every_limit_of_the_settings_can_be_set_and_is_in_the_version() -> None:
    kept = {field.name for field in LoopSettings._meta.concrete_fields} - {"id", "county", "promise"}
    assert set(rule_versions.LIMITS) == kept
    row = LoopSettings()
    assert all(low <= getattr(row, name) <= high for name, (low, high) in rule_versions.LIMITS.items())


def test_a_change_of_limits_writes_what_was_and_what_is(cast: Cast) -> None:
    limits(cast, sign_hours=6)
    before, after = RuleVersion.objects.order_by("number")
    assert (before.number, after.number) == (1, 2)
    assert before.rules["limits"]["sign_hours"] == 4
    assert after.rules["limits"]["sign_hours"] == 6
    assert after.by == cast.admin
    assert AuditEntry.objects.filter(action="rules.version").count() == 2
    assert clock_for(cast.county.pk).version == 2


def test_what_changes_no_limit_writes_no_version(cast: Cast) -> None:
    limits(cast, sign_hours=6)
    limits(cast, sign_hours=6, promise="当天联系您")
    update_category(actor=cast.admin, category=cast.category, name="水电", order=5, is_public=False)
    assert numbers(cast.county) == [1, 2]


def test_a_categorys_limit_and_a_new_category_write_one(cast: Cast) -> None:
    update_category(
        actor=cast.admin, category=cast.category, limit_value=6, limit_unit=LimitUnit.WORK_HOURS, contact_hours=1
    )
    create_category(actor=cast.admin, county=cast.county, name="噪音扰民")
    assert numbers(cast.county) == [1, 2, 3]
    newest = RuleVersion.objects.get(number=3)
    assert newest.rules["categories"][str(cast.category.pk)] == ["水电气暖", 6, "work_hours", 1]
    assert numbers(cast.other_county) == []


def test_a_refused_change_writes_none(cast: Cast) -> None:
    for wrong in ({"contact_hours": 81}, {"limit_value": 0}, {"limit_unit": "weeks"}):
        with pytest.raises(Exception, match="请"):
            update_category(actor=cast.admin, category=cast.category, **wrong)
    with pytest.raises(Exception, match="请填写 1 到 90"):
        limits(cast, leader_workdays=0)
    assert numbers(cast.county) == []


def test_a_categorys_own_limits_are_kept(cast: Cast) -> None:
    """Six working hours from 16:00, and contact within the category's one hour, not the county's two."""
    update_category(
        actor=cast.admin, category=cast.category, limit_value=6, limit_unit=LimitUnit.WORK_HOURS, contact_hours=1
    )
    order = SubOrder(unit=cast.a.unit)
    clock_for(cast.county.pk).start_suborder(order, cast.category, at("2026-03-02 16:00"))
    assert order.due_at == at("2026-03-03 15:00")
    assert order.contact_due_at == at("2026-03-02 17:00")
    assert order.sign_due_at == at("2026-03-03 11:00")
    assert order.rule_version == 2


def test_what_is_given_a_limit_names_the_version(cast: Cast) -> None:
    demand, order = dispatched(cast)
    assert (demand.rule_version, order.rule_version) == (None, None)
    limits(cast, check_workdays=3)
    demand, order = dispatched(cast)
    assert (demand.rule_version, order.rule_version) == (2, 2)


@pytest.mark.parametrize("name", ["redo", "reopen"])
def test_what_is_done_again_runs_by_the_rules_of_the_day(cast: Cast, name: str) -> None:
    demand = checked(cast)
    if name == "reopen":
        demand = do(cast.a.officer, demand, "close_off")
    update_category(actor=cast.admin, category=cast.category, limit_value=9)
    demand = do(cast.a.officer, demand, name, reason="又坏了")
    assert (demand.rule_version, demand.suborders.get().rule_version) == (2, 2)
    assert demand.due_at == demand.suborders.get().due_at == clock_for(cast.county.pk).workdays(demand_at(demand), 9)


def demand_at(demand: Demand) -> datetime.datetime:
    return demand.events.order_by("at").last().at  # type: ignore[union-attr]


def test_an_extension_keeps_the_version(cast: Cast) -> None:
    limits(cast, sign_hours=5)
    demand, order = in_service(cast)
    update_category(actor=cast.admin, category=cast.category, limit_value=9)
    until = demand.due_at.date() + datetime.timedelta(days=20)  # type: ignore[union-attr]
    do(cast.a.liaison, order, "request_extension", until=until, reason="等配件")
    demand = do(cast.a.officer, order, "approve_extension")
    assert (demand.rule_version, demand.suborders.get().rule_version) == (2, 2)


def due_times() -> list[Any]:
    names = ("pk", "step_due_at", "warn_at", "due_at", "rule_version")
    orders = ("pk", "sign_due_at", "contact_due_at", "warn_at", "due_at", "review_due_at", "rule_version")
    return [*Demand.objects.order_by("pk").values_list(*names), *SubOrder.objects.order_by("pk").values_list(*orders)]


def test_no_changed_rule_and_no_changed_calendar_moves_an_old_limit(cast: Cast) -> None:
    checked(cast)
    demand, _order = dispatched(cast)
    before = due_times()
    assert any(value for row in before for value in row[1:])
    limits(cast, **{name: high for name, (_low, high) in rule_versions.LIMITS.items()})
    limits(cast, **{name: low for name, (low, _high) in rule_versions.LIMITS.items()})
    update_category(
        actor=cast.admin, category=cast.category, limit_value=1, limit_unit=LimitUnit.HOURS, contact_hours=80
    )
    assert demand.due_at is not None
    for days in range(-2, 3):
        day = (demand.due_at + datetime.timedelta(days=days)).date()
        set_calendar_day(actor=cast.admin, date=day, is_working=days % 2 == 0)
    assert CalendarDay.objects.count() == 5
    assert due_times() == before


def test_the_version_costs_no_query_of_its_own(cast: Cast, django_assert_num_queries: Any) -> None:
    clocks.forget_limits()
    limits(cast, sign_hours=3)
    clock_for(cast.county.pk)
    cache.clear()
    clocks.forget_limits()
    with django_assert_num_queries(1):
        assert clock_for(cast.county.pk).version == 2
        assert clock_for(cast.county.pk).limits.sign_hours == 3


def test_a_limit_that_another_process_changed_a_moment_ago_is_used_as_the_version_says(cast: Cast) -> None:
    """This process still works by version 2: with the limits of version 2, and saying so."""
    limits(cast, sign_hours=3)
    kept = clocks._rules_of(cast.county.pk)
    update_category(actor=cast.admin, category=cast.category, limit_value=40)
    clocks._kept[cast.county.pk] = kept
    demand, _order = dispatched(cast)
    assert demand.rule_version == 2
    assert demand.due_at == clock_for(cast.county.pk).workdays(demand.dispatched_at, 5)  # type: ignore[arg-type]


def test_every_county_that_exists_is_given_its_first_version(cast: Cast) -> None:
    migration = import_module("services.migrations.0008_first_rule_versions")
    migration.write_first_versions(apps, None)
    migration.write_first_versions(apps, None)
    assert set(migration.LIMITS) == set(rule_versions.LIMITS)
    assert numbers(cast.county) == numbers(cast.other_county) == [1]
    limits(cast, sign_hours=4)
    assert numbers(cast.county) == [1]


@pytest.mark.django_db(transaction=True)
def test_two_who_change_rules_at_once_write_two_versions(transactional_db: None) -> None:
    cast = make_cast()
    errors = together(
        lambda: limits(cast, sign_hours=6),
        lambda: update_category(actor=cast.admin, category=cast.category, limit_value=7),
        lambda: update_category(actor=cast.admin, category=cast.categories["其他"], limit_value=8),
    )
    assert errors == []
    assert numbers(cast.county) == [1, 2, 3, 4]
    newest = RuleVersion.objects.get(county=cast.county, number=4)
    assert newest.rules == rule_versions.rules_in_force(cast.county)
