"""Party members, their accounts and their organisations."""

import pytest
from django.utils import timezone

from core import policies
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import AuditEntry, User
from grids.actions import merge_nodes, retire_node
from partybuilding.actions import (
    add_member,
    create_organisation,
    create_unit,
    give_member_account,
    retire_organisation,
    update_member,
    update_unit,
)
from partybuilding.models import Member, PartyOrganisation
from tests.cast import Cast
from tests.factories import fresh, make_member, make_node, make_organisation, make_user

PHONE = "13812345678"


def test_a_member_is_registered_and_the_trail_keeps_no_personal_data(cast: Cast) -> None:
    member = add_member(actor=cast.admin, county=cast.county, name="张 三", phone="+86 138-1234-5678", unit=cast.a.unit)
    assert (member.name, member.phone, member.user) == ("张 三", PHONE, None)
    entry = AuditEntry.objects.get(chain=f"partybuilding.member:{member.pk}")
    assert entry.changes["name"] == entry.changes["phone"] == ["***", "***"]
    assert "张" not in entry.label
    assert entry.county_id == cast.county.pk


def test_one_phone_is_one_member_of_a_county(cast: Cast) -> None:
    with pytest.raises(Conflict, match=r"\*\*\*\*"):
        add_member(actor=cast.admin, county=cast.county, name="别人", phone=cast.a.member.phone)
    other = add_member(actor=cast.admin, county=cast.county, name="张三", phone=PHONE)
    with pytest.raises(Conflict):
        update_member(actor=cast.admin, member=other, phone=cast.a.member.phone)
    other.refresh_from_db()
    assert other.phone == PHONE


@pytest.mark.parametrize("wrong", [{"name": " "}, {"phone": "12345"}, {"name": "长" * 61}])
def test_a_member_without_usable_name_or_phone_is_refused(cast: Cast, wrong: dict[str, str]) -> None:
    count = Member.objects.count()
    with pytest.raises(Invalid):
        add_member(**{"actor": cast.admin, "county": cast.county, "name": "张三", "phone": PHONE, **wrong})
    assert Member.objects.count() == count


def test_unit_and_branch_are_of_the_county_and_in_use(cast: Cast) -> None:
    closed = update_unit(actor=cast.admin, unit=cast.idle_unit, is_active=False)
    far = make_organisation(cast.other_county, "邻县支部")
    for wrong in ({"unit": closed}, {"branch": far}):
        with pytest.raises(Invalid):
            add_member(**{"actor": cast.admin, "county": cast.county, "name": "张三", "phone": PHONE, **wrong})
        with pytest.raises(Invalid):
            update_member(**{"actor": cast.admin, "member": cast.a.member, **wrong})


def test_a_member_lives_in_a_compound_of_the_county_and_nobody_reads_it_in_the_trail(cast: Cast) -> None:
    member = add_member(actor=cast.admin, county=cast.county, name="张三", phone=PHONE, home=cast.a.compound)
    assert member.home == cast.a.compound
    member = update_member(actor=cast.admin, member=member, home=cast.b.compound)
    entry = AuditEntry.objects.get(chain=f"partybuilding.member:{member.pk}", action="member.update")
    assert entry.changes == {"home": ["***", "***"]}
    far = make_node(cast.other_county_community, "compound", "远处小区")
    gone = make_node(cast.empty_community, "compound", "拆了的小区", retired_at=timezone.now())
    for wrong in (cast.a.building, cast.a.node, far, gone):
        with pytest.raises(Invalid) as refused:
            update_member(actor=cast.admin, member=member, home=wrong)
        assert "home" in refused.value.fields
    member.refresh_from_db()
    assert member.home == cast.b.compound
    assert update_member(actor=cast.admin, member=member, home=None).home is None


def test_a_compound_that_goes_hands_its_members_on(cast: Cast) -> None:
    member = add_member(actor=cast.admin, county=cast.county, name="张三", phone=PHONE, home=cast.a.compound)
    heir = make_node(cast.a.node, "compound", "新和谐小区")
    cast.a.compound.refresh_from_db()
    merge_nodes(actor=cast.admin, node=heir, sources=[cast.a.compound], reason="合并")
    member.refresh_from_db()
    assert member.home == heir


def test_a_member_gets_an_account_with_a_first_password_to_be_changed(cast: Cast) -> None:
    member = add_member(actor=cast.admin, county=cast.county, name="张三", phone=PHONE, unit=cast.a.unit)
    given = give_member_account(actor=cast.admin, member=member)
    user = User.objects.get(phone=PHONE)
    assert given.password is not None
    assert user.check_password(given.password)
    assert (user.must_change_password, user.county_key) == (True, cast.county.pk)
    assert policies.holds(fresh(user), policies.USE_MOBILE)
    with pytest.raises(Conflict, match="已经有账号"):
        give_member_account(actor=cast.admin, member=member)


def test_an_account_of_the_same_person_becomes_the_members(cast: Cast) -> None:
    cadre = cast.a.officer
    member = add_member(actor=cast.admin, county=cast.county, name=cadre.name, phone=cadre.phone)
    given = give_member_account(actor=cast.admin, member=member)
    assert (given.user, given.password) == (cadre, None)
    member.refresh_from_db()
    assert member.user == cadre


def test_somebody_elses_account_is_not_handed_over(cast: Cast) -> None:
    wrong_name = add_member(actor=cast.admin, county=cast.county, name="别人", phone=cast.a.officer.phone)
    far = make_user("张三", county=cast.other_county, phone=PHONE)
    wrong_county = add_member(actor=cast.admin, county=cast.county, name="张三", phone=far.phone)
    for member in (wrong_name, wrong_county):
        with pytest.raises(Conflict, match="属于别人"):
            give_member_account(actor=cast.admin, member=member)
        member.refresh_from_db()
        assert member.user is None


def test_only_the_county_administrator_keeps_members(cast: Cast) -> None:
    member = make_member("无账号", cast.a.unit, account=False)
    before = (Member.objects.count(), User.objects.count(), AuditEntry.objects.count())
    for actor in cast.people().values():
        if actor == cast.admin:
            continue
        with pytest.raises((Forbidden, NotFound)):
            add_member(actor=actor, county=cast.county, name="张三", phone=PHONE)
        with pytest.raises((Forbidden, NotFound)):
            update_member(actor=actor, member=member, name="改名")
        with pytest.raises((Forbidden, NotFound)):
            give_member_account(actor=actor, member=member)
    assert (Member.objects.count(), User.objects.count(), AuditEntry.objects.count()) == before


def test_a_member_out_of_use_holds_nothing_and_gets_no_account(cast: Cast) -> None:
    update_member(actor=cast.admin, member=cast.a.member, is_active=False)
    assert not policies.holds(fresh(cast.a.member_user), policies.USE_MOBILE)
    member = make_member("无账号", cast.a.unit, account=False, is_active=False)
    with pytest.raises(Invalid):
        give_member_account(actor=cast.admin, member=member)


def test_organisations_form_a_tree_in_their_county(cast: Cast) -> None:
    top = create_organisation(
        actor=cast.admin, county=cast.county, name="城北街道党工委", kind="work_committee", node=cast.street
    )
    committee = create_organisation(
        actor=cast.admin, county=cast.county, name="白龙塘社区党委", kind="committee", parent=top, node=cast.a.node
    )
    branches = [
        create_organisation(actor=cast.admin, county=cast.county, name=f"第{n}党支部", parent=committee)
        for n in (1, 2, 3)
    ]
    top.refresh_from_db()
    assert (top.lft, top.rght) == (1, 10)
    assert [row.name for row in top.get_descendants()] == ["白龙塘社区党委", "第1党支部", "第2党支部", "第3党支部"]
    assert {row.depth for row in branches} == {2}
    other = create_organisation(actor=cast.admin, county=cast.county, name="县住建局党支部", unit=cast.a.unit)
    assert other.tree_id != top.tree_id


def test_organisations_of_another_county_closed_ones_and_taken_names_are_refused(cast: Cast) -> None:
    far = make_organisation(cast.other_county, "邻县支部")
    unit = create_unit(actor=cast.admin, county=cast.county, name="县供电局")
    make_organisation(cast.county, "第一支部")
    count = PartyOrganisation.objects.count()
    for wrong in (
        {"parent": far},
        {"node": cast.other_county_community},
        {"node": cast.a.node, "unit": unit},
        {"kind": "x"},
        {"name": ""},
    ):
        with pytest.raises(Invalid):
            create_organisation(**{"actor": cast.admin, "county": cast.county, "name": "新支部", **wrong})
    with pytest.raises(Conflict):
        create_organisation(actor=cast.admin, county=cast.county, name="第一支部")
    with pytest.raises((Forbidden, NotFound)):
        create_organisation(actor=cast.a.secretary, county=cast.county, name="新支部")
    assert PartyOrganisation.objects.count() == count


def test_an_organisation_is_closed_from_below_and_holds_its_place_until_then(cast: Cast) -> None:
    top = create_organisation(
        actor=cast.admin, county=cast.county, name="社区党委", kind="committee", node=cast.empty_community
    )
    branch = create_organisation(actor=cast.admin, county=cast.county, name="楼栋党支部", parent=top)
    with pytest.raises(Conflict, match="在用的党组织"):
        retire_organisation(actor=cast.admin, organisation=top)
    with pytest.raises(Conflict, match="在用的党组织"):
        retire_node(actor=cast.admin, node=cast.empty_community, reason="撤并")
    retire_organisation(actor=cast.admin, organisation=branch)
    retire_organisation(actor=cast.admin, organisation=top)
    assert retire_node(actor=cast.admin, node=cast.empty_community, reason="撤并").is_retired
