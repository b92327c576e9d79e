"""Members report to where they live: taken in, sent back, declined, moved, ended; who may, and what is refused."""

import pytest
from django.utils import timezone

from core import policies
from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage, User
from grids.actions import retire_node
from grids.models import GridNode
from partybuilding.models import Member
from services.actions.member_checkins import (
    NewCheckIn,
    Offer,
    change_offer,
    decide_report,
    decide_reports,
    end_member_checkin,
    move_house,
    register_members,
    report_home,
    resend_report,
)
from services.models import MemberCheckIn, MemberCheckInState
from services.selectors.homes import find_homes
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.weft_factories import make_member_checkin

pytestmark = pytest.mark.django_db

OFFER = Offer(skills=("repair", "law"), wished_post="safety", free_time=("weekend_afternoon",), note="会修水管")


def report(member: Member, node: GridNode, offer: Offer = OFFER) -> MemberCheckIn:
    assert member.user is not None
    return report_home(actor=fresh(member.user), member=member, node=node, offer=offer)


def test_a_member_reports_and_the_community_takes_them_in(cast: Cast) -> None:
    row = report(cast.a.member, cast.a.compound)
    assert (row.state, row.community, row.skills, row.free_time) == (
        "applied",
        cast.a.node,
        ["law", "repair"],
        ["weekend_afternoon"],
    )
    assert Member.objects.get(pk=cast.a.member.pk).home is None, "the community has not said so yet"
    again = report(cast.a.member, cast.a.compound)
    assert again.pk == row.pk, "a second tap makes no second report"
    done = decide_report(actor=fresh(cast.a.officer), checkin=row, name="accept", version=row.version)
    assert (done.state, done.decided_at is not None) == ("accepted", True)
    assert Member.objects.get(pk=cast.a.member.pk).home == cast.a.compound
    entry = AuditEntry.objects.get(action="member_checkin.report")
    assert entry.changes["skills"] != [None, ["law", "repair"]], "what somebody can do is personal"
    assert AuditEntry.objects.get(action="member_checkin.accept").changes["state"] == ["applied", "accepted"]
    told = set(OutboxMessage.objects.values_list("kind", flat=True))
    assert {"member_checkin_applied", "member_checkin_accept"} <= told


def test_sent_back_it_comes_again_and_declined_it_is_over(cast: Cast) -> None:
    row = report(cast.a.member, cast.a.compound)
    with pytest.raises(Invalid):
        decide_report(actor=fresh(cast.a.officer), checkin=row, name="send_back")
    row = decide_report(actor=fresh(cast.a.officer), checkin=row, name="send_back", reason="请写清楼栋 13812345678")
    assert (row.state, "13812345678" in row.reason) == ("sent_back", False)
    with pytest.raises(Conflict):
        report(cast.a.member, cast.a.compound)
    me = fresh(cast.a.member_user)
    row = resend_report(actor=me, checkin=row, offer=Offer(note="3 栋"), node=cast.b.compound, version=row.version)
    assert (row.state, row.note, row.reason, row.community) == ("applied", "3 栋", "", cast.b.node)
    row = decide_report(actor=fresh(cast.b.officer), checkin=row, name="decline", reason="不住在本社区")
    assert row.state == "declined"
    assert report(cast.a.member, cast.a.compound).pk != row.pk, "one may report anew"


def test_moving_house_ends_the_one_and_begins_the_other(cast: Cast) -> None:
    old = report(cast.a.member, cast.a.compound)
    old = decide_report(actor=fresh(cast.a.officer), checkin=old, name="accept")
    me = fresh(cast.a.member_user)
    with pytest.raises(Invalid, match="不用再报"):
        move_house(actor=me, checkin=old, node=cast.a.compound)
    with pytest.raises(Stale):
        move_house(actor=me, checkin=old, node=cast.b.compound, version=old.version + 1)
    new = move_house(actor=me, checkin=old, node=cast.b.compound, version=old.version)
    old.refresh_from_db()
    assert (old.state, old.ended_on) == ("ended", timezone.localdate())
    assert (new.state, new.community, new.skills) == ("applied", cast.b.node, ["law", "repair"])


def test_offers_change_and_ends_are_made_by_member_and_community(cast: Cast) -> None:
    row = make_member_checkin(cast.a.member, cast.a.compound)
    row = change_offer(actor=fresh(cast.a.member_user), checkin=row, offer=Offer(skills=("arts",)), version=1)
    assert row.skills == ["arts"]
    for stranger in (cast.a.second_member_user, cast.b.officer, cast.a.liaison, cast.street_officer):
        with pytest.raises(NotFound):
            end_member_checkin(actor=fresh(stranger), checkin=row)
    with pytest.raises(Forbidden):
        end_member_checkin(actor=fresh(cast.department), checkin=row)
    assert MemberCheckIn.objects.get().state == "accepted", "nothing changed"
    row = end_member_checkin(actor=fresh(cast.a.officer), checkin=row, reason="调往外地")
    assert (row.state, row.reason) == ("ended", "调往外地")
    with pytest.raises(InvalidTransition):
        change_offer(actor=fresh(cast.a.member_user), checkin=row, offer=OFFER)


def test_what_can_not_be_reported_is_refused(cast: Cast) -> None:
    far = make.make_member("邻县党员", make.make_unit(cast.other_county, "邻县单位"))
    with pytest.raises(Invalid, match="不在您所在的县"):
        report(far, cast.a.compound)
    with pytest.raises(Invalid, match="请选到居住的小区"):
        report(cast.a.member, cast.a.building)
    with pytest.raises(Invalid):
        report(cast.a.member, cast.a.compound, Offer(skills=("flying",)))
    with pytest.raises(Invalid):
        report(cast.a.member, cast.a.compound, Offer(wished_post="king"))
    with pytest.raises(Forbidden):
        report_home(actor=fresh(cast.a.officer), member=cast.a.member, node=cast.a.compound, offer=OFFER)
    empty = make.make_node(cast.b.node, "compound", "空小区")
    retire_node(actor=SYSTEM, node=empty, reason="已拆除")
    with pytest.raises(Invalid, match="已撤销"):
        report(cast.a.member, empty)
    Member.objects.filter(pk=cast.a.member.pk).update(is_active=False)
    with pytest.raises(Forbidden):
        report(cast.a.member, cast.a.compound)
    report(cast.a.second_member, cast.a.compound)
    with pytest.raises(Conflict, match="搬家了"):
        report(cast.a.second_member, cast.a.node)
    assert MemberCheckIn.objects.count() == 1


def test_many_are_taken_in_at_once_and_what_can_not_be_is_named(
    cast: Cast, django_assert_max_num_queries: object
) -> None:
    unit = cast.a.unit
    rows = [
        make_member_checkin(make.make_member(f"党员{n}", unit), cast.a.compound, state="applied") for n in range(30)
    ]
    strange = make_member_checkin(cast.b.member, cast.b.compound, state="applied")
    ended = make_member_checkin(cast.a.member, cast.a.compound, state="ended")
    officer = fresh(cast.a.officer)
    policies.grants_of(officer)
    with django_assert_max_num_queries(25):  # type: ignore[operator]
        moved = decide_reports(actor=officer, checkins=[*rows, strange, ended], name="accept", versions={rows[0].pk: 9})
    assert len(moved.done) == 29
    assert {refused.row.pk for refused in moved.refused} == {rows[0].pk, strange.pk, ended.pk}
    assert Member.objects.filter(home=cast.a.compound).count() == 29
    assert AuditEntry.objects.filter(action="member_checkin.accept").count() == 29
    strange.refresh_from_db()
    assert strange.state == MemberCheckInState.APPLIED


def test_the_community_registers_from_its_list(cast: Cast) -> None:
    waiting = report(cast.a.member, cast.a.compound)
    rows = [NewCheckIn(cast.a.member, cast.a.compound, OFFER), NewCheckIn(cast.a.second_member, cast.a.node)]
    for stranger in (cast.a.liaison, cast.street_officer, cast.department):
        with pytest.raises((Forbidden, NotFound)):
            register_members(actor=fresh(stranger), rows=rows)
    made = register_members(actor=fresh(cast.a.officer), rows=rows)
    assert {row.state for row in made} == {"accepted"}
    assert MemberCheckIn.objects.count() == 2, "the report that waited was taken in"
    assert MemberCheckIn.objects.get(pk=waiting.pk).version == waiting.version + 1
    with pytest.raises(Conflict):
        register_members(actor=fresh(cast.b.officer), rows=[NewCheckIn(cast.a.member, cast.b.compound)])
    assert [member.home for member in Member.objects.exclude(home=None)] == [cast.a.compound], "a community is no home"


def test_homes_are_found_by_name_and_by_the_code_at_the_door(cast: Cast) -> None:
    assert list(find_homes(cast.county, "白龙塘 和谐")) == [cast.a.compound]
    assert list(find_homes(cast.county, "城北社区")) == [cast.b.compound, cast.b.node]
    assert list(find_homes(cast.county, cast.b.building.public_token.upper())) == [cast.b.compound]
    assert list(find_homes(cast.other_county, cast.b.building.public_token)) == []


@pytest.mark.django_db(transaction=True)
def test_two_taps_at_once_make_one_report(transactional_cast: Cast) -> None:
    cast = transactional_cast
    assert cast.a.member.user_id is not None
    users = [User.objects.get(pk=cast.a.member.user_id) for _n in range(2)]
    errors = together(
        *(
            lambda user=user: report_home(actor=user, member=cast.a.member, node=cast.a.compound, offer=OFFER)
            for user in users
        )
    )
    assert errors == []
    assert MemberCheckIn.objects.count() == 1
