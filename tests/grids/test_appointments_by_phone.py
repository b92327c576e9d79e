"""Streets and communities name their people by name and telephone; accounts stay the county's."""

import pytest

from core import policies
from core.accounts import deactivate, reset_password
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from core.models import AuditEntry, User
from grids.actions import account_for, appoint_person, hand_over_to
from grids.levels import PRESETS
from grids.models import Appointment
from grids.posts import COUNTY, OPEN_ACCOUNT, POSTS, VIEW_ACCOUNT
from tests.cast import Cast
from tests.factories import fresh, next_phone

# docs/domain.md#x4, in the words of the report, and the chain of docs/domain.md#c1.
NINE_KINDS = {
    "street_officer": "街道干部",
    "community_officer": "社区“两委”干部",
    "compound_lead": "小区党组织负责人",
    "property_lead": "小区物业负责人",
    "grid_keeper": "网格员",
    "building_head": "楼栋长",
    "entrance_head": "单元长",
    "floor_section_head": "分楼层长",
    "floor_head": "楼层长",
}
CHAIN = {
    "community_secretary": "community",
    "grid_branch_secretary": "grid",
    "building_group_lead": "building",
    "building_head": "building",
    "core_household": "core_household",
}


def counts() -> tuple[int, ...]:
    return User.objects.count(), Appointment.objects.count(), AuditEntry.objects.count()


def test_the_nine_kinds_of_people_and_the_chain_of_five_have_posts() -> None:
    assert {key: str(POSTS[key].label) for key in NINE_KINDS} == NINE_KINDS
    for key, level in CHAIN.items():
        assert level in POSTS[key].levels


def test_who_answers_for_a_level_of_a_preset_holds_a_post_of_that_level() -> None:
    for preset in PRESETS.values():
        for level in preset.levels:
            assert level.key in POSTS[level.holder_post].levels, (preset.key, level.key)


def test_a_community_lets_its_new_keeper_in(cast: Cast) -> None:
    phone = next_phone()
    made = appoint_person(
        actor=cast.a.officer, name="新网格员", phone=phone, post="grid_keeper", place=cast.a.grid, note="兼"
    )
    assert made.account.password
    user = User.objects.get(phone=phone)
    assert (user.name, user.county_key, user.must_change_password) == ("新网格员", cast.county.pk, True)
    assert user.check_password(made.account.password)
    assert (made.appointment.user, made.appointment.post) == (user, "grid_keeper")
    assert policies.sees(fresh(user), cast.a.building)


def test_whoever_has_an_account_keeps_it(cast: Cast) -> None:
    keeper = cast.a.keeper
    made = appoint_person(
        actor=cast.a.officer, name=keeper.name, phone=keeper.phone, post="building_head", place=cast.a.building
    )
    assert (made.account.password, made.account.user) == (None, keeper)
    assert Appointment.objects.filter(user=keeper).count() == 2


def test_a_phone_of_somebody_else_tells_nothing_but_that(cast: Cast) -> None:
    before = counts()
    for user in (cast.a.keeper, cast.other_county_secretary):
        with pytest.raises(Conflict, match="属于别人") as caught:
            appoint_person(actor=cast.a.officer, name="别的人", phone=user.phone, post="grid_keeper", place=cast.a.grid)
        assert user.name not in caught.value.message
        assert user.phone not in caught.value.message
    deactivate(actor=cast.admin, user=cast.nobody, reason="调离")
    before = (before[0], before[1], before[2] + 1)
    with pytest.raises(Invalid, match="已停用"):
        appoint_person(
            actor=cast.a.officer,
            name=cast.nobody.name,
            phone=cast.nobody.phone,
            post="grid_keeper",
            place=cast.a.grid,
        )
    assert counts() == before


def test_no_account_is_opened_where_the_post_is_refused(cast: Cast) -> None:
    before = counts()
    for post, place, error in (
        ("building_head", cast.a.grid, Invalid),
        ("community_officer", cast.a.node, Forbidden),
        ("street_officer", cast.street, NotFound),
        ("grid_keeper", cast.b.grid, NotFound),
        ("county_admin", cast.county, DomainError),
    ):
        with pytest.raises(error):
            appoint_person(actor=cast.a.officer, name="新人", phone=next_phone(), post=post, place=place)
    for stranger in (cast.b.officer, cast.a.team_lead, cast.a.keeper, cast.department, cast.auditor, cast.a.liaison):
        with pytest.raises((Forbidden, NotFound)):
            appoint_person(actor=stranger, name="新人", phone=next_phone(), post="grid_keeper", place=cast.a.grid)
    assert counts() == before


def test_accounts_are_opened_below_the_place_alone(cast: Cast) -> None:
    before = counts()
    for at in (None, cast.a.node, cast.b.grid):
        with pytest.raises((Forbidden, NotFound)):
            account_for(actor=cast.a.officer, county=cast.county, phone=next_phone(), name="新人", at=at)
    with pytest.raises((Forbidden, NotFound)):
        account_for(actor=cast.other_county_admin, county=cast.county, phone=next_phone(), name="新人", at=cast.a.grid)
    assert counts() == before


def test_letting_people_in_opens_no_list_of_accounts_and_no_passwords(cast: Cast) -> None:
    for officer in (cast.street_secretary, cast.street_officer, cast.a.secretary, cast.a.officer):
        assert policies.holds(officer, OPEN_ACCOUNT)
        assert not policies.holds(officer, VIEW_ACCOUNT)
        assert not User.objects.visible_to(officer).exists()
        with pytest.raises((Forbidden, NotFound)):
            reset_password(actor=officer, user=cast.a.keeper)
    assert not any(OPEN_ACCOUNT in post.rights for post in POSTS.values()), "below the place, never at it"
    assert not any(post.below for post in POSTS.values() if COUNTY in post.levels)


def test_a_successor_may_be_new(cast: Cast) -> None:
    row = Appointment.objects.select_related("node__county", "user").get(user=cast.a.keeper)
    Appointment.objects.filter(pk=row.pk).update(start="2026-01-01")
    row.refresh_from_db()
    made = hand_over_to(actor=cast.a.officer, appointment=row, name="接班人", phone=next_phone(), version=1)
    assert made.account.password
    assert policies.sees(fresh(made.account.user), cast.a.grid)
    assert not policies.sees(fresh(cast.a.keeper), cast.a.grid)
    before = counts()
    with pytest.raises(Conflict, match="不能再交接"):
        hand_over_to(actor=cast.a.officer, appointment=row, name="后来人", phone=next_phone())
    assert counts() == before
