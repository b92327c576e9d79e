"""Accounts for cadres, liaisons and members, one by one. By a table: test_people_sheets.py."""

import pytest

from core import policies
from core.accounts import deactivate
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import User
from governance.accounts.actions import create_cadre_account, create_liaison_account, create_member_account
from partybuilding.models import Member
from tests.cast import Cast
from tests.factories import fresh, make_member
from tests.governance.tables import everything

PHONE = "13612345678"


# --- One by one -----------------------------------------------------------------------------------------------------


def test_a_cadre_gets_account_and_post_in_one_step(cast: Cast) -> None:
    given = create_cadre_account(
        actor=cast.admin, phone=PHONE, name="张三", post="community_officer", place=cast.a.node
    )
    assert given.password is not None
    user = User.objects.get(phone=PHONE)
    assert user.check_password(given.password)
    assert user.must_change_password
    assert policies.sees(user, cast.a.building)
    assert not policies.sees(user, cast.b.building)


def test_a_liaison_gets_account_and_unit_and_a_member_is_registered_with_theirs(cast: Cast) -> None:
    create_liaison_account(actor=cast.admin, phone=PHONE, name="李四", unit=cast.a.unit)
    assert policies.sees(User.objects.get(phone=PHONE), cast.a.unit)
    given = create_member_account(
        actor=cast.admin, county=cast.county, phone="13612345679", name="王五", unit=cast.a.unit
    )
    member = Member.objects.get(phone="13612345679")
    assert (member.user, member.unit) == (given.user, cast.a.unit)


def test_somebody_known_keeps_their_account_and_password(cast: Cast) -> None:
    before = cast.a.officer.password
    given = create_cadre_account(
        actor=cast.admin,
        phone=cast.a.officer.phone,
        name=cast.a.officer.name,
        post="community_officer",
        place=cast.b.node,
    )
    assert (given.user, given.password) == (cast.a.officer, None)
    cast.a.officer.refresh_from_db()
    assert cast.a.officer.password == before
    assert policies.sees(fresh(cast.a.officer), cast.b.node)
    registered = make_member("赵六", cast.a.unit, account=False)
    given = create_member_account(actor=cast.admin, county=cast.county, phone=registered.phone, name="赵六")
    registered.refresh_from_db()
    assert registered.user == given.user
    assert registered.unit == cast.a.unit


def test_a_refused_post_leaves_no_account_behind(cast: Cast) -> None:
    before = everything()
    for wrong in ({"post": "street_officer"}, {"post": "no_such_post"}, {"phone": "123"}, {"name": ""}):
        with pytest.raises(Invalid):
            create_cadre_account(
                **{
                    "actor": cast.admin,
                    "phone": PHONE,
                    "name": "张三",
                    "post": "community_officer",
                    "place": cast.a.node,
                    **wrong,
                }
            )
    with pytest.raises(Conflict, match="属于别人"):
        create_cadre_account(
            actor=cast.admin, phone=cast.b.officer.phone, name="张三", post="community_officer", place=cast.a.node
        )
    with pytest.raises(Conflict):
        create_member_account(actor=cast.admin, county=cast.county, phone=cast.a.member.phone, name="别人")
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    with pytest.raises(Invalid, match="已停用"):
        create_liaison_account(actor=cast.admin, phone=cast.nobody.phone, name=cast.nobody.name, unit=cast.a.unit)
    assert everything()[:4] == before[:4]


def test_only_the_countys_administrator_makes_accounts(cast: Cast) -> None:
    before = everything()
    for actor in cast.people().values():
        if actor == cast.admin:
            continue
        for attempt in (
            lambda actor=actor: create_cadre_account(
                actor=actor, phone=PHONE, name="张三", post="grid_keeper", place=cast.a.grid
            ),
            lambda actor=actor: create_liaison_account(actor=actor, phone=PHONE, name="张三", unit=cast.a.unit),
            lambda actor=actor: create_member_account(actor=actor, county=cast.county, phone=PHONE, name="张三"),
        ):
            with pytest.raises((Forbidden, NotFound)):
                attempt()
    assert everything() == before
