"""An empty production database becomes a county with its first administrator."""

import io
import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth import authenticate
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import RequestFactory

from core import policies
from core.actors import SYSTEM
from core.errors import Conflict
from core.models import AuditEntry, User
from grids.actions import create_node
from grids.models import County
from grids.posts import MANAGE_ACCOUNT, MANAGE_NODE
from services.defaults import CATEGORIES, make_defaults
from services.models import Category, LoopSettings
from tests.factories import fresh

PHONE = "13912345678"
PASSWORD = re.compile(r"[a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4}")


def setup_county(**changed: Any) -> str:
    out = io.StringIO()
    options = {
        "code": "610724",
        "name": "西乡县",
        "preset": "xixiang",
        "admin_phone": PHONE,
        "admin_name": "张三",
        **changed,
    }
    call_command("setup_county", stdout=out, **options)
    return out.getvalue()


def test_the_county_stands_with_levels_categories_limits_and_one_administrator(db: None) -> None:
    said = setup_county()
    county = County.objects.get()
    assert (county.code, county.name, county.department) == ("610724", "西乡县", "县委组织部")
    assert county.levels.count() == 8
    assert [row.name for row in Category.objects.filter(county=county)] == [one.name for one in CATEGORIES]
    assert LoopSettings.objects.get(county=county).contact_hours == 2
    admin = User.objects.get()
    assert (admin.phone, admin.must_change_password, admin.is_superuser) == (PHONE, True, False)
    assert policies.can(admin, MANAGE_ACCOUNT, county)
    (password,) = PASSWORD.findall(said)
    assert admin.check_password(password)
    assert said.count(password) == 1


def test_the_administrator_signs_in_must_change_the_password_and_makes_the_first_street(db: None) -> None:
    (password,) = PASSWORD.findall(setup_county())
    admin = User.objects.get()
    assert authenticate(RequestFactory().post("/"), username=PHONE, password=password) == admin
    assert admin.must_change_password
    street = create_node(actor=fresh(admin), county=County.objects.get(), level="street", name="城北街道")
    assert policies.can(fresh(admin), MANAGE_NODE, street)


def test_the_password_is_in_no_row_of_the_trail(db: None) -> None:
    (password,) = PASSWORD.findall(setup_county())
    trail = str(list(AuditEntry.objects.values_list("action", "label", "changes", "reason")))
    assert password not in trail
    assert PHONE not in trail
    assert "account.create" in trail
    assert "appointment.start" in trail


def test_a_second_run_is_refused_and_changes_nothing(db: None) -> None:
    setup_county()
    before = (County.objects.count(), User.objects.count(), Category.objects.count(), AuditEntry.objects.count())
    hashed = User.objects.get().password
    for again in ({}, {"code": "611025", "name": "镇安县", "admin_phone": "13900000001"}):
        with pytest.raises(CommandError, match="已有西乡县（610724）"):
            setup_county(**again)
    assert (
        County.objects.count(),
        User.objects.count(),
        Category.objects.count(),
        AuditEntry.objects.count(),
    ) == before
    assert User.objects.get().password == hashed


def test_another_county_is_made_only_when_said_and_neither_sees_the_other(db: None) -> None:
    setup_county()
    setup_county(code="611025", name="镇安县", preset="zhenan", admin_phone="13900000001", another=True)
    first, second = County.objects.order_by("code")
    assert [level.key for level in second.levels.all()][2] == "sector"
    admin = User.objects.get(phone=PHONE)
    assert policies.sees(admin, first)
    assert not policies.sees(admin, second)
    with pytest.raises(CommandError, match="已经建立"):
        setup_county(another=True, admin_phone="13900000002")


@pytest.mark.parametrize(
    "wrong",
    [
        {"code": "61072"},
        {"code": "610700"},
        {"preset": "none"},
        {"admin_phone": "123"},
        {"admin_name": " "},
        {"name": ""},
    ],
)
def test_a_wrong_input_is_told_and_leaves_an_empty_database(db: None, wrong: dict[str, str]) -> None:
    with pytest.raises(CommandError):
        setup_county(**wrong)
    assert not County.objects.exists()
    assert not User.objects.exists()
    assert not AuditEntry.objects.exists()


def test_every_input_must_be_given(db: None) -> None:
    with pytest.raises(CommandError, match="--preset"):
        call_command("setup_county", "--code", "610724", "--name", "西乡县")


def test_the_defaults_are_eight_buttons_with_icons_that_exist_and_limits_of_the_practice(db: None) -> None:
    setup_county()
    rows = list(Category.objects.all())
    icons = (settings.BASE_DIR / "static/img/icons.svg").read_text(encoding="utf-8")
    assert len(rows) == 8
    assert all(f'id="{row.icon}"' in icons for row in rows)
    assert all(row.hint and row.is_public and len(row.name) <= 4 for row in rows)
    limits = {(row.urgency, row.limit_value, row.limit_unit) for row in rows}
    assert limits == {("urgent", 24, "hours"), ("ordinary", 5, "workdays"), ("complex", 15, "workdays")}


def test_defaults_never_write_over_what_somebody_changed(db: None) -> None:
    setup_county()
    Category.objects.exclude(name="其他").delete()
    with pytest.raises(Conflict):
        make_defaults(County.objects.get())
    assert Category.objects.count() == 1
    assert AuditEntry.objects.filter(actor_kind=SYSTEM.kind).exists()
