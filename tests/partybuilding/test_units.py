"""Units and who acts for them."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core import policies
from core.accounts import deactivate
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry
from governance.accounts.actions import create_liaison_account
from partybuilding.actions import add_membership, create_unit, end_membership, update_unit
from partybuilding.models import Unit, UnitMembership
from partybuilding.posts import VIEW_UNIT
from partybuilding.selectors import liaisons_of, members_to_ask, units_without_liaison
from services.models import Demand, SubOrderState
from tests.cast import Cast
from tests.factories import fresh, make_demand, make_member, make_suborder, make_unit

USCC = "91350100M000100Y43"
DAY = datetime.timedelta(days=1)


def test_a_unit_is_registered_with_clean_facts_and_a_trail(cast: Cast) -> None:
    unit = create_unit(
        actor=cast.admin, county=cast.county, name=" 县供电局 ", kind="state_company", credit_code=USCC.lower()
    )
    assert (unit.name, unit.credit_code, unit.label) == ("县供电局", USCC, "县供电局")
    entry = AuditEntry.objects.get(chain=f"partybuilding.unit:{unit.pk}")
    assert (entry.action, entry.county_id) == ("unit.create", cast.county.pk)


def test_a_units_domain_follows_its_kind_until_somebody_chooses_another(cast: Cast) -> None:
    unit = create_unit(actor=cast.admin, county=cast.county, name="城北小学", kind="school")
    assert unit.domain == "school"
    unit = update_unit(actor=cast.admin, unit=unit, kind="institution")
    assert unit.domain == "institution"
    unit = update_unit(actor=cast.admin, unit=unit, domain="chain")
    unit = update_unit(actor=cast.admin, unit=unit, kind="state_company")
    assert (unit.kind, unit.domain) == ("state_company", "chain")
    assert update_unit(actor=cast.admin, unit=unit, domain="").domain == "state_company"
    chosen = create_unit(actor=cast.admin, county=cast.county, name="恒兴公司", kind="company", domain="park")
    assert chosen.domain == "park"
    with pytest.raises(Invalid, match="领域"):
        update_unit(actor=cast.admin, unit=chosen, domain="army")


@pytest.mark.parametrize(
    "wrong", [{"name": ""}, {"name": "长" * 61}, {"kind": "x"}, {"credit_code": "123"}, {"duty": "长" * 301}]
)
def test_a_unit_with_facts_that_do_not_fit_is_refused(cast: Cast, wrong: dict[str, str]) -> None:
    count = Unit.objects.count()
    with pytest.raises(Invalid):
        create_unit(**{"actor": cast.admin, "county": cast.county, "name": "县供电局", **wrong})
    with pytest.raises(Invalid):
        update_unit(actor=cast.admin, unit=cast.a.unit, **wrong)  # type: ignore[arg-type]
    assert Unit.objects.count() == count


def test_names_are_unique_in_a_county_and_codes_everywhere(cast: Cast) -> None:
    with pytest.raises(Conflict, match="县住建局"):
        create_unit(actor=cast.admin, county=cast.county, name="县住建局")
    create_unit(actor=SYSTEM, county=cast.other_county, name="县住建局", credit_code=USCC)
    with pytest.raises(Conflict, match="信用代码"):
        update_unit(actor=cast.admin, unit=cast.a.unit, credit_code=USCC)
    with pytest.raises(Conflict):
        update_unit(actor=cast.admin, unit=cast.a.unit, name=cast.b.unit.name)
    cast.a.unit.refresh_from_db()
    assert (cast.a.unit.name, cast.a.unit.credit_code) == ("县住建局", "")


def test_an_administrator_makes_nobody_of_themselves_in_a_unit(cast: Cast) -> None:
    before = UnitMembership.objects.count()
    with pytest.raises(Forbidden, match="另一位管理员"):
        add_membership(actor=cast.admin, user=fresh(cast.admin), unit=cast.a.unit)
    with pytest.raises(Forbidden):
        create_liaison_account(actor=cast.admin, phone=cast.admin.phone, name=cast.admin.name, unit=cast.a.unit)
    assert UnitMembership.objects.count() == before


def test_only_the_county_administrator_keeps_units_and_their_people(cast: Cast) -> None:
    before = (Unit.objects.count(), UnitMembership.objects.count(), AuditEntry.objects.count())
    membership = UnitMembership.objects.get(user=cast.a.liaison)
    for actor in cast.people().values():
        if actor == cast.admin:
            continue
        with pytest.raises((Forbidden, NotFound)):
            create_unit(actor=actor, county=cast.county, name="县供电局")
        with pytest.raises((Forbidden, NotFound)):
            update_unit(actor=actor, unit=cast.a.unit, name="改名")
        with pytest.raises((Forbidden, NotFound)):
            add_membership(actor=actor, user=cast.nobody, unit=cast.a.unit)
        with pytest.raises((Forbidden, NotFound)):
            end_membership(actor=actor, membership=membership)
    assert (Unit.objects.count(), UnitMembership.objects.count(), AuditEntry.objects.count()) == before


def test_a_unit_with_orders_in_hand_is_not_closed(cast: Cast) -> None:
    suborder = make_suborder(make_demand(cast.a.building, state="dispatched"), cast.a.unit)
    with pytest.raises(Conflict, match="1 件没有了结的派单"):
        update_unit(actor=cast.admin, unit=cast.a.unit, is_active=False)
    suborder.state = SubOrderState.FINISHED
    suborder.save()
    Demand.objects.update(state="finished")
    with pytest.raises(Conflict, match="1 件没有了结"):
        update_unit(actor=cast.admin, unit=cast.a.unit, is_active=False)
    Demand.objects.update(state="closed_off", closed_at=timezone.now() - datetime.timedelta(days=9))
    with pytest.raises(Conflict, match="1 件没有了结"):
        update_unit(actor=cast.admin, unit=cast.a.unit, is_active=False)
    Demand.objects.update(closed_at=timezone.now() - datetime.timedelta(days=11))
    unit = update_unit(actor=cast.admin, unit=cast.a.unit, is_active=False)
    assert not unit.is_active
    assert not policies.holds(fresh(cast.a.liaison), VIEW_UNIT)
    with pytest.raises(Invalid, match="已停用"):
        add_membership(actor=cast.admin, user=cast.nobody, unit=unit)


def test_acting_for_a_unit_opens_that_unit_alone(cast: Cast) -> None:
    add_membership(actor=cast.admin, user=cast.nobody, unit=cast.a.unit, role="staff")
    person = fresh(cast.nobody)
    assert policies.sees(person, cast.a.unit)
    assert not policies.sees(person, cast.b.unit)


def test_nobody_acts_twice_for_one_unit_but_may_for_two(cast: Cast) -> None:
    with pytest.raises(Conflict, match="联络员"):
        add_membership(actor=cast.admin, user=cast.a.liaison, unit=cast.a.unit, role="staff")
    add_membership(actor=cast.admin, user=cast.a.liaison, unit=cast.idle_unit)
    assert UnitMembership.objects.current().filter(user=cast.a.liaison).count() == 2


def test_a_role_changes_by_ending_and_beginning_on_the_same_day(cast: Cast) -> None:
    end_membership(actor=cast.admin, membership=UnitMembership.objects.get(user=cast.a.staff), reason="改任")
    add_membership(actor=cast.admin, user=cast.a.staff, unit=cast.a.unit, role="liaison")
    with pytest.raises(Conflict):
        add_membership(actor=cast.admin, user=cast.a.staff, unit=cast.a.unit, role="liaison")


def test_who_left_acts_no_more(cast: Cast) -> None:
    membership = UnitMembership.objects.get(user=cast.a.liaison)
    UnitMembership.objects.update(start=timezone.localdate() - 9 * DAY)
    end_membership(actor=cast.admin, membership=membership, end=timezone.localdate() - DAY)
    assert not policies.sees(fresh(cast.a.liaison), cast.a.unit)
    with pytest.raises(Conflict):
        end_membership(actor=cast.admin, membership=membership)
    with pytest.raises(Invalid):
        end_membership(
            actor=cast.admin,
            membership=UnitMembership.objects.get(user=cast.b.liaison),
            end=timezone.localdate() - 10 * DAY,
        )


def test_a_stopped_account_one_of_another_county_and_an_unknown_role_are_refused(cast: Cast) -> None:
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    for wrong in (
        {"user": cast.nobody},
        {"user": cast.other_county_secretary},
        {"user": cast.department, "role": "boss"},
    ):
        with pytest.raises(Invalid):
            add_membership(**{"actor": cast.admin, "unit": cast.a.unit, **wrong})


def test_liaisons_members_and_units_without_anybody(cast: Cast, django_assert_num_queries: Any) -> None:
    lonely = make_unit(cast.county, "县档案馆")
    with django_assert_num_queries(1):
        found = liaisons_of([cast.a.unit, lonely])
    assert [row.user for row in found[cast.a.unit.pk]] == [cast.a.liaison]
    assert found[lonely.pk] == []
    deactivate(actor=cast.admin, user=cast.idle_liaison, reason="调离")
    assert {unit.name for unit in units_without_liaison(cast.county)} == {"县档案馆", "县气象局"}
    make_member("无账号党员", cast.a.unit, account=False)
    make_member("已停用党员", cast.a.unit, is_active=False)
    assert {member.name for member in members_to_ask(cast.a.unit)} == {"党员甲", "第二党员甲"}
