"""A joint meeting from its call to its last resolution; who may do what, and what is refused."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage, User
from core.periods import Quarter
from grids.models import GridNode
from services.actions import (
    confirm_commitment,
    meeting_moves,
    meeting_sweep,
    meeting_table,
    meetings,
    report_done,
    resolutions,
)
from services.actions.meeting_moves import DEFER
from services.actions.meeting_table import NewResolution
from services.actions.meetings import NewItem
from services.models import (
    AgendaItem,
    Attendance,
    Commitment,
    Demand,
    JointMeeting,
    MatchProposal,
    MatchRun,
    Project,
    Resolution,
)
from services.selectors import meetings as selectors
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.weft_factories import make_project, make_resource, soon

pytestmark = pytest.mark.django_db
DAY = datetime.timedelta(days=1)


def published_demand(cast: Cast, **fields: Any) -> Demand:
    now = timezone.now()
    return make.make_demand(cast.a.building, cast.category, **{"state": "published", "published_at": now, **fields})


def planned(cast: Cast, *, days: int = 7, actor: User | None = None) -> JointMeeting:
    return meetings.plan_meeting(
        actor=actor or fresh(cast.a.officer),
        county=cast.county,
        node=cast.a.node,
        held_at=timezone.now() + days * DAY,
        venue="社区会议室",
        host="书记甲",
    )


def running(cast: Cast, *rows: NewItem) -> JointMeeting:
    """A meeting of community `a` under way, with an agenda."""
    officer = fresh(cast.a.officer)
    meeting = planned(cast)
    meetings.add_items(actor=officer, meeting=meeting, rows=rows or [NewItem("楼道亮化")])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    return meeting_moves.start_meeting(actor=officer, meeting=meeting)


def item_of(meeting: JointMeeting, number: int = 0) -> AgendaItem:
    return list(AgendaItem.objects.filter(meeting=meeting).select_related("meeting", "unit"))[number]


def task(text: str = "更换楼道灯", **fields: Any) -> NewResolution:
    return NewResolution(**{"kind": "task", "text": text, "owner": "王主任", "due_on": soon(), **fields})


def told(kind: str) -> list[dict[str, Any]]:
    return list(OutboxMessage.objects.filter(kind=kind).order_by("pk").values_list("audience", flat=True))


# --- Called ---------------------------------------------------------------------------------------------------------


def test_a_community_calls_a_meeting_and_its_units_are_asked(cast: Cast) -> None:
    meeting = planned(cast)
    quarter = Quarter.of(meeting.held_at)
    assert meeting.title == f"{quarter.label}{cast.a.node.name}联席会议"
    assert meeting.quarter == quarter.first_day
    assert {row.unit for row in meeting.attendances.all()} == {cast.a.unit, cast.a.supporting_unit}
    assert not told("meeting_published")


def test_the_county_asks_every_unit_in_use(cast: Cast) -> None:
    make.make_unit(cast.county, "已停用的单位", is_active=False)
    meeting = meetings.plan_meeting(
        actor=fresh(cast.department),
        county=cast.county,
        node=None,
        held_at=timezone.now() + 5 * DAY,
        venue="县委会议室",
    )
    asked = {row.unit for row in meeting.attendances.all()}
    assert asked == {cast.a.unit, cast.a.supporting_unit, cast.b.unit, cast.b.supporting_unit, cast.idle_unit}
    with pytest.raises(NotFound):
        meeting_moves.cancel_meeting(actor=fresh(cast.other_county_department), meeting=meeting, reason="无")
    with pytest.raises(Forbidden):
        meeting_moves.cancel_meeting(actor=fresh(cast.a.officer), meeting=meeting, reason="无")


@pytest.mark.parametrize("who", ["b.officer", "a.liaison", "a.keeper", "other_county_department"])
def test_nobody_else_calls_a_meeting_of_the_community(cast: Cast, who: str) -> None:
    with pytest.raises((Forbidden, NotFound)):
        planned(cast, actor=fresh(cast.people()[who]))
    assert not JointMeeting.objects.exists()


def test_a_meeting_needs_a_place_that_calls_meetings_and_a_time_to_come(cast: Cast) -> None:
    given = {"actor": fresh(cast.a.officer), "county": cast.county, "venue": "会议室"}
    with pytest.raises(Invalid) as refused:
        meetings.plan_meeting(node=cast.a.building, held_at=timezone.now() + DAY, **given)
    assert "node" in refused.value.fields
    with pytest.raises(Invalid) as refused:
        meetings.plan_meeting(node=cast.a.node, held_at=timezone.now() - DAY, **given)
    assert "held_at" in refused.value.fields
    GridNode.objects.filter(pk=cast.a.node.pk).update(retired_at=timezone.now())
    with pytest.raises(Invalid):
        meetings.plan_meeting(node=cast.a.node, held_at=timezone.now() + DAY, **{**given, "actor": SYSTEM})


def test_the_same_place_meets_once_at_a_time(cast: Cast) -> None:
    when = timezone.now() + 5 * DAY
    given = {"actor": fresh(cast.a.officer), "county": cast.county, "node": cast.a.node, "venue": "会议室"}
    meetings.plan_meeting(held_at=when, **given)
    with pytest.raises(Conflict):
        meetings.plan_meeting(held_at=when, **given)
    assert JointMeeting.objects.count() == 1


# --- Agenda and notice ----------------------------------------------------------------------------------------------


def test_the_agenda_is_made_of_what_nobody_has_yet(cast: Cast) -> None:
    ordinary, taken = published_demand(cast), published_demand(cast, state="dispatched")
    escalated = published_demand(cast, state="accepted", escalated_at=timezone.now())
    open_project, led = make_project(cast.a.grid, state="open"), make_project(cast.a.grid, cast.a.unit)
    meeting, officer = planned(cast), fresh(cast.a.officer)
    assert list(selectors.demands_for(officer, meeting)) == [escalated, ordinary]
    assert list(selectors.projects_for(officer, meeting)) == [open_project]
    meetings.add_items(
        actor=officer,
        meeting=meeting,
        rows=[NewItem(demand=escalated), NewItem(project=open_project), NewItem("公共收益怎么用", theme="service")],
    )
    assert [item.title for item in meeting.items.all()] == [escalated.title, open_project.name, "公共收益怎么用"]
    assert not selectors.projects_for(officer, meeting).exists()
    for row in (NewItem(demand=escalated), NewItem(project=open_project)):
        with pytest.raises(Conflict):
            meetings.add_items(actor=officer, meeting=meeting, rows=[row])
    for row in (NewItem(demand=taken), NewItem(project=led), NewItem("  "), NewItem("题", theme="没有")):
        with pytest.raises(Invalid):
            meetings.add_items(actor=officer, meeting=meeting, rows=[row])
    assert meeting.items.count() == 3
    meetings.remove_items(actor=officer, meeting=meeting, items=[item_of(meeting, 2)])
    assert meeting.items.count() == 2


def test_the_theme_is_guessed_from_the_category(cast: Cast) -> None:
    demand = make.make_demand(cast.a.building, cast.categories["环境卫生"], state="accepted")
    meeting = planned(cast)
    meetings.add_items(actor=fresh(cast.a.officer), meeting=meeting, rows=[NewItem(demand=demand)])
    assert item_of(meeting).theme == "hygiene"


def test_the_notice_goes_out_three_days_ahead_or_with_a_reason(cast: Cast) -> None:
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    officer, meeting = fresh(cast.a.officer), planned(cast, days=2)
    with pytest.raises(Invalid):
        meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem("楼道亮化")])
    with pytest.raises(Invalid) as refused:
        meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    assert set(refused.value.fields) == {"reason"}
    meeting.refresh_from_db()
    assert meeting.state == "planned"
    published = meeting_moves.publish_meeting(actor=officer, meeting=meeting, reason="汛期紧急")
    assert (published.state, published.reason) == ("published", "汛期紧急")
    assert {"user": leader.pk} in told("meeting_published")
    assert {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}} in told("meeting_published")
    with pytest.raises(InvalidTransition):
        meeting_moves.publish_meeting(actor=officer, meeting=meeting, reason="再发")


def test_a_new_time_is_told_and_asked_about_again(cast: Cast) -> None:
    officer, meeting = fresh(cast.a.officer), planned(cast)
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem("楼道亮化")])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    attendance = meeting.attendances.get(unit=cast.a.unit)
    meeting_table.answer_meeting(actor=fresh(cast.a.liaison), attendance=attendance, coming=True, words="李科长")
    changed = meetings.change_meeting(
        actor=officer, meeting=meeting, title="", held_at=meeting.held_at + DAY, venue="新会议室"
    )
    attendance.refresh_from_db()
    assert (changed.venue, attendance.state) == ("新会议室", "invited")
    assert len(told("meeting_changed")) == 2
    with pytest.raises(Stale):
        meetings.change_meeting(
            actor=officer, meeting=meeting, title="", held_at=meeting.held_at, venue="别处", version=1
        )


def test_once_told_no_unit_is_taken_off_the_list(cast: Cast) -> None:
    officer, meeting = fresh(cast.a.officer), planned(cast)
    meetings.set_units(actor=officer, meeting=meeting, units=[cast.a.unit])
    assert meeting.attendances.count() == 1
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem("楼道亮化")])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    with pytest.raises(Conflict):
        meetings.set_units(actor=officer, meeting=meeting, units=[cast.idle_unit])
    meetings.set_units(actor=officer, meeting=meeting, units=[cast.a.unit, cast.idle_unit])
    assert {"unit": {"unit": cast.idle_unit.pk, "role": "liaison"}} in told("meeting_published")
    far = make.make_unit(cast.other_county, "邻县单位")
    with pytest.raises(Invalid):
        meetings.set_units(actor=officer, meeting=meeting, units=[cast.a.unit, cast.idle_unit, far])


# --- Who comes ------------------------------------------------------------------------------------------------------


def test_units_answer_and_are_marked_present(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    mine = meeting.attendances.get(unit=cast.a.unit)
    other = meeting.attendances.get(unit=cast.a.supporting_unit)
    with pytest.raises(Invalid):
        meeting_table.answer_meeting(actor=fresh(cast.a.liaison), attendance=mine, coming=True, words=" ")
    meeting_table.answer_meeting(actor=fresh(cast.a.liaison), attendance=mine, coming=True, words="李科长")
    meeting_table.answer_meeting(actor=officer, attendance=other, coming=False, words="有防汛任务")
    with pytest.raises(InvalidTransition):
        meeting_table.answer_meeting(actor=fresh(cast.a.liaison), attendance=other, coming=True, words="抢答")
    with pytest.raises(Forbidden):
        meeting_table.answer_meeting(actor=fresh(cast.a.staff), attendance=mine, coming=True, words="工作人员")
    with pytest.raises(NotFound):
        meeting_table.answer_meeting(actor=fresh(cast.b.liaison), attendance=mine, coming=True, words="邻居")
    assert meeting_table.mark_present(actor=officer, meeting=meeting, present=[mine]) == 1
    assert meeting_table.mark_present(actor=officer, meeting=meeting, present=[mine]) == 0
    assert meeting_table.mark_present(actor=officer, meeting=meeting, present=[other]) == 2
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.state, other.state) == ("coming", "present")


# --- Claims ---------------------------------------------------------------------------------------------------------


def test_a_unit_claims_at_the_table_and_the_second_is_told_who_has_it(cast: Cast) -> None:
    meeting = running(cast)
    before = meeting.revision
    claimed = meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    assert (claimed.state, claimed.unit, claimed.claimed_by) == ("claimed", cast.a.unit, cast.a.liaison)
    meeting.refresh_from_db()
    assert meeting.revision > before
    with pytest.raises(InvalidTransition) as late:
        meeting_table.claim_item(actor=fresh(cast.a.supporting_liaison), item=item_of(meeting))
    assert cast.a.unit.label in late.value.message
    with pytest.raises(InvalidTransition):
        meeting_table.release_item(actor=fresh(cast.a.supporting_liaison), item=item_of(meeting))
    meeting_table.release_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    assert meeting_table.claim_item(actor=fresh(cast.a.supporting_liaison), item=item_of(meeting)).state == "claimed"


def test_claims_are_for_those_who_are_asked(cast: Cast) -> None:
    meeting = running(cast)
    item = item_of(meeting)
    for who, error in (
        (cast.b.liaison, NotFound),
        (cast.idle_liaison, NotFound),
        (cast.b.officer, NotFound),
        (cast.a.staff, Forbidden),
        (cast.a.team_lead, None),
    ):
        if error is not None:
            with pytest.raises(error):
                meeting_table.claim_item(actor=fresh(who), item=item)
    with pytest.raises(Invalid):
        meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item, unit=cast.a.supporting_unit)
    with pytest.raises(Invalid):
        meeting_table.claim_item(actor=fresh(cast.a.officer), item=item)
    item.refresh_from_db()
    assert item.state == "open"
    assert meeting_table.claim_item(actor=fresh(cast.a.officer), item=item, unit=cast.a.unit).unit == cast.a.unit


def test_nothing_is_claimed_before_the_meeting_begins_or_after_somebody_has_it(cast: Cast) -> None:
    officer, demand = fresh(cast.a.officer), published_demand(cast)
    meeting = planned(cast)
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem(demand=demand)])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    with pytest.raises(InvalidTransition):
        meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    meeting_moves.start_meeting(actor=officer, meeting=meeting)
    demand.state, demand.lead_unit = "dispatched", cast.a.supporting_unit
    demand.save()
    with pytest.raises(InvalidTransition) as refused:
        meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    assert cast.a.supporting_unit.label in refused.value.message


def test_a_demand_is_claimed_by_a_unit_that_has_reported_there(cast: Cast) -> None:
    officer, demand = fresh(cast.department), published_demand(cast)
    meeting = meetings.plan_meeting(
        actor=officer, county=cast.county, node=None, held_at=timezone.now() + 5 * DAY, venue="县委会议室"
    )
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem(demand=demand)])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    meeting_moves.start_meeting(actor=officer, meeting=meeting)
    with pytest.raises(Invalid) as refused:
        meeting_table.claim_item(actor=fresh(cast.idle_liaison), item=item_of(meeting))
    assert refused.value.code == "unit_not_checked_in"
    assert meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting)).unit == cast.a.unit


# --- Resolutions ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"owner": ""}, "owner"),
        ({"owner": " \u200b"}, "owner"),
        ({"due_on": None}, "due_on"),
        ({"due_on": datetime.date(2020, 1, 1)}, "due_on"),
        ({"text": ""}, "text"),
        ({"kind": "promise"}, "kind"),
        ({"kind": "commitment"}, "unit"),
        ({"kind": "project"}, "unit"),
        ({"kind": "leader"}, "leader"),
    ],
)
def test_a_resolution_without_owner_day_or_unit_is_refused(cast: Cast, fields: dict[str, Any], field: str) -> None:
    meeting = running(cast)
    with pytest.raises(Invalid) as refused:
        meeting_table.resolve_item(actor=fresh(cast.a.officer), item=item_of(meeting), resolution=task(**fields))
    assert field in refused.value.fields
    assert not Resolution.objects.exists()
    assert item_of(meeting).state == "open"


def test_only_whoever_called_the_meeting_resolves(cast: Cast) -> None:
    meeting = running(cast)
    for who, error in ((cast.a.liaison, Forbidden), (cast.b.officer, NotFound)):
        with pytest.raises(error):
            meeting_table.resolve_item(actor=fresh(who), item=item_of(meeting), resolution=task())
    assert not Resolution.objects.exists()


def test_a_hard_one_goes_to_the_paired_leader(cast: Cast) -> None:
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    meeting, officer = running(cast), fresh(cast.a.officer)
    resolution = task("请协调老旧管网资金", kind="leader", owner="")
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=resolution)
    assert (made.leader, made.owner, item_of(meeting).state) == (leader, "县领导", "leader")
    assert not told("resolution_leader")
    assert not selectors.matters_of_leader(fresh(leader)).exists()
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    assert told("resolution_leader") == [{"user": leader.pk}]
    assert list(selectors.matters_of_leader(fresh(leader))) == [made]
    with pytest.raises(InvalidTransition):
        resolutions.coordinate_resolution(actor=officer, resolution=made, result="冒名")
    done = resolutions.coordinate_resolution(actor=fresh(leader), resolution=made, result="已列入年度计划")
    assert (done.state, done.done_on) == ("done", timezone.localdate())


def test_a_leader_without_a_post_is_not_given_what_they_can_not_see(cast: Cast) -> None:
    leader = make.make_user("无职领导", county=cast.county)
    make.make_pairing(cast.a.node, leader, "leader")
    meeting = running(cast)
    with pytest.raises(Invalid) as refused:
        meeting_table.resolve_item(
            actor=fresh(cast.a.officer), item=item_of(meeting), resolution=task(kind="leader", owner="")
        )
    assert "leader" in refused.value.fields


# --- The end --------------------------------------------------------------------------------------------------------


def test_closing_asks_what_becomes_of_each_open_item(cast: Cast) -> None:
    meeting, officer = running(cast, NewItem("一"), NewItem("二"), NewItem("三")), fresh(cast.a.officer)
    first, second, third = (item_of(meeting, number) for number in range(3))
    meeting_table.resolve_item(actor=officer, item=first, resolution=task())
    with pytest.raises(Invalid) as refused:
        meeting_moves.close_meeting(actor=officer, meeting=meeting, fates={second.pk: DEFER})
    assert set(refused.value.fields) == {f"item_{third.pk}"}
    with pytest.raises(Invalid) as refused:
        meeting_moves.close_meeting(actor=officer, meeting=meeting, fates={second.pk: DEFER, third.pk: task(owner="")})
    assert set(refused.value.fields) == {f"item_{third.pk}_owner"}
    meeting.refresh_from_db()
    assert meeting.state == "running"
    assert item_of(meeting, 1).state == "open"
    closed = meeting_moves.close_meeting(
        actor=officer, meeting=meeting, summary="开得好", fates={second.pk: DEFER, third.pk: task()}
    )
    assert (closed.state, closed.summary) == ("closed", "开得好")
    assert [item.state for item in closed.items.all()] == ["resolved", "deferred", "resolved"]
    with pytest.raises(InvalidTransition):
        meeting_table.resolve_item(actor=officer, item=first, resolution=task())
    after = planned(cast)
    assert [(item.title, item.came_from) for item in after.items.all()] == [("二", second)]


def test_what_is_put_off_goes_to_a_meeting_that_stands_already_and_only_once(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    following, later = planned(cast, days=20), planned(cast, days=30)
    meeting_moves.close_meeting(actor=officer, meeting=meeting, fates={item_of(meeting).pk: DEFER})
    assert [item.title for item in following.items.all()] == ["楼道亮化"]
    assert not later.items.exists()
    meeting_moves.cancel_meeting(actor=officer, meeting=following, reason="合并到下次")
    assert [item.title for item in later.items.all()] == ["楼道亮化"]


def test_a_claimed_demand_is_the_units_once_the_meeting_closes(cast: Cast) -> None:
    claimed, told_off = published_demand(cast), published_demand(cast, state="accepted", published_at=None)
    meeting, officer = running(cast, NewItem(demand=claimed), NewItem(demand=told_off)), fresh(cast.a.officer)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    meeting_table.claim_item(actor=officer, item=item_of(meeting, 1), unit=cast.a.supporting_unit)
    claimed.refresh_from_db()
    assert claimed.state == "published", "until the meeting closes everything can be taken back"
    for number in (0, 1):
        meeting_table.resolve_item(actor=officer, item=item_of(meeting, number), resolution=task())
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    claimed.refresh_from_db()
    told_off.refresh_from_db()
    assert (claimed.state, claimed.lead_unit) == ("dispatched", cast.a.unit)
    assert (told_off.state, told_off.lead_unit) == ("dispatched", cast.a.supporting_unit)
    assert claimed.events.get(name="claim").actor == cast.a.liaison
    assert told_off.events.get(name="dispatch").actor == cast.a.officer


def test_nothing_takes_effect_when_one_matter_was_taken_elsewhere(cast: Cast) -> None:
    demand = published_demand(cast)
    meeting, officer = running(cast, NewItem("楼道亮化"), NewItem(demand=demand)), fresh(cast.a.officer)
    commitment = task(kind="commitment", unit=cast.a.unit)
    meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=commitment)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting, 1))
    meeting_table.resolve_item(actor=officer, item=item_of(meeting, 1), resolution=task())
    Demand.objects.filter(pk=demand.pk).update(state="dispatched", lead_unit=cast.a.supporting_unit)
    with pytest.raises(Conflict) as refused:
        meeting_moves.close_meeting(actor=officer, meeting=meeting)
    assert cast.a.supporting_unit.label in refused.value.message
    meeting.refresh_from_db()
    assert meeting.state == "running"
    assert not Commitment.objects.exists()


def test_a_commitment_is_made_at_the_end_and_the_resolution_follows_it(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    resolution = task("12 盏灯都亮", kind="commitment", unit=cast.a.unit)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=resolution)
    assert not Commitment.objects.exists()
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    made.refresh_from_db()
    promise = made.commitment
    assert promise is not None
    assert (promise.unit, promise.title, promise.measure, promise.owner) == (
        cast.a.unit,
        "楼道亮化",
        "12 盏灯都亮",
        "王主任",
    )
    with pytest.raises(InvalidTransition):
        resolutions.finish_resolution(actor=officer, resolution=made, result="做完了")
    report_done(actor=fresh(cast.a.liaison), commitment=promise, text="灯都亮了")
    confirm_commitment(actor=officer, commitment=promise)
    assert meeting_sweep.sweep_meetings()["resolutions_followed"] == 0, "it followed at once"
    made.refresh_from_db()
    assert (made.state, made.done_on) == ("done", timezone.localdate())


def test_a_resolution_dropped_at_the_table_opens_its_item_again(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task())
    with pytest.raises(Invalid):
        resolutions.drop_resolution(actor=officer, resolution=made, reason="")
    resolutions.drop_resolution(actor=officer, resolution=made, reason="写错了")
    assert item_of(meeting).state == "open"
    with pytest.raises(Invalid):
        meeting_moves.close_meeting(actor=officer, meeting=meeting)


def test_a_task_is_finished_with_words_and_corrected_with_a_reason(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task())
    given = {"actor": officer, "resolution": made, "text": "换 12 盏灯", "owner": "李主任", "due_on": soon(10)}
    meeting_table.correct_resolution(**given)
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    with pytest.raises(Invalid) as refused:
        meeting_table.correct_resolution(**{**given, "due_on": soon(20)})
    assert "reason" in refused.value.fields
    meeting_table.correct_resolution(**{**given, "due_on": soon(20), "reason": "等材料"})
    with pytest.raises(Invalid):
        resolutions.finish_resolution(actor=officer, resolution=made, result="")
    for who, error in ((cast.a.liaison, Forbidden), (cast.b.officer, NotFound)):
        with pytest.raises(error):
            resolutions.finish_resolution(actor=fresh(who), resolution=made, result="做完了")
    done = resolutions.finish_resolution(actor=officer, resolution=made, result="已换灯 12 盏")
    assert (done.state, done.result, done.owner) == ("done", "已换灯 12 盏", "李主任")
    with pytest.raises(Conflict):
        meeting_table.correct_resolution(**{**given, "reason": "再改"})


# --- Nothing waits for ever -----------------------------------------------------------------------------------------


def test_units_are_reminded_the_day_before_once(cast: Cast) -> None:
    officer, meeting = fresh(cast.a.officer), planned(cast)
    meetings.add_items(actor=officer, meeting=meeting, rows=[NewItem("楼道亮化")])
    meeting_moves.publish_meeting(actor=officer, meeting=meeting)
    excused = meeting.attendances.get(unit=cast.a.supporting_unit)
    meeting_table.answer_meeting(actor=officer, attendance=excused, coming=False, words="出差")
    assert meeting_sweep.remind(meeting.held_at - 2 * DAY) == 0
    near = meeting.held_at - DAY / 2
    assert [meeting_sweep.remind(near), meeting_sweep.remind(near)] == [1, 0]
    assert told("meeting_tomorrow") == [{"unit": {"unit": cast.a.unit.pk, "role": "liaison"}}]


def test_a_meeting_left_running_is_reminded_of_and_closed(cast: Cast) -> None:
    meeting = running(cast, NewItem("一"), NewItem("二"))
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    meeting_table.resolve_item(actor=fresh(cast.a.officer), item=item_of(meeting, 1), resolution=task())
    next_day = meeting.held_at + 1.5 * DAY
    assert [meeting_sweep.remind(next_day), meeting_sweep.remind(next_day)] == [1, 0]
    assert [meeting_sweep.end_left(next_day), meeting_sweep.end_left(meeting.held_at + 4 * DAY)] == [0, 1]
    meeting.refresh_from_db()
    assert (meeting.state, item_of(meeting).state, item_of(meeting, 1).state) == ("closed", "deferred", "resolved")
    assert [item.title for item in planned(cast, days=30).items.all()] == ["一"]


def test_a_meeting_nobody_opened_lapses(cast: Cast) -> None:
    meeting = planned(cast)
    meetings.add_items(actor=fresh(cast.a.officer), meeting=meeting, rows=[NewItem("一")])
    assert meeting_sweep.end_left(meeting.held_at + 6 * DAY) == 0
    assert meeting_sweep.end_left(meeting.held_at + 8 * DAY) == 1
    meeting.refresh_from_db()
    assert meeting.state == "cancelled"
    assert [item.title for item in planned(cast, days=30).items.all()] == ["一"]


def test_a_late_resolution_is_told_once(cast: Cast) -> None:
    meeting, officer = running(cast), fresh(cast.a.officer)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task(unit=cast.a.unit))
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    later = timezone.now() + 40 * DAY
    assert [meeting_sweep.remind(later), meeting_sweep.remind(later)] == [2, 0]
    assert {"unit": {"unit": cast.a.unit.pk, "role": "liaison"}} in told("resolution_late")
    assert selectors.is_late(made, timezone.localdate(later))


# --- Figures --------------------------------------------------------------------------------------------------------


def test_the_figures_count_what_meetings_came_to(cast: Cast) -> None:
    leader = make.make_cadre("县领导", "county_leader", cast.county)
    make.make_pairing(cast.street, leader, "leader")
    officer = fresh(cast.a.officer)
    meeting = running(cast, NewItem("一", theme="safety"), NewItem("二", theme="safety"), NewItem("三"))
    first, second, third = (item_of(meeting, number) for number in range(3))
    made = meeting_table.resolve_item(actor=officer, item=first, resolution=task())
    meeting_table.resolve_item(actor=officer, item=second, resolution=task(kind="leader", owner=""))
    assert selectors.figures(officer).held == 0
    meeting_moves.close_meeting(actor=officer, meeting=meeting, fates={third.pk: DEFER})
    resolutions.finish_resolution(actor=officer, resolution=made, result="已换")
    Resolution.objects.exclude(pk=made.pk).update(due_on=timezone.localdate() - DAY)
    for who in (officer, fresh(cast.department), fresh(cast.street_officer)):
        found = selectors.figures(who)
        assert (found.held, found.problems, found.leaders, found.themes["safety"]) == (1, 2, 1, 2)
        assert (found.done, found.open, found.late, found.dropped, found.resolutions) == (1, 1, 1, 0, 2)
    held = Quarter.of(meeting.held_at)
    assert selectors.figures(officer, node=cast.a.node, period=held).held == 1
    assert selectors.figures(officer, period=held.previous()).held == 0
    assert selectors.figures(fresh(cast.department), node=cast.b.node).problems == 0
    assert selectors.figures(fresh(cast.b.officer)).held == 0


def test_the_trail_tells_of_a_meeting_without_names(cast: Cast) -> None:
    meeting = running(cast)
    mine = Attendance.objects.get(meeting=meeting, unit=cast.a.unit)
    meeting_table.answer_meeting(actor=fresh(cast.a.liaison), attendance=mine, coming=True, words="李某某")
    meeting_table.resolve_item(actor=fresh(cast.a.officer), item=item_of(meeting), resolution=task())
    entries = list(AuditEntry.objects.values_list("action", flat=True))
    assert {"meeting.plan", "meeting.agenda", "meeting.publish", "meeting.start", "attendance.come"} <= set(entries)
    assert "resolution.make" in entries
    words = " ".join(str(changes) for changes in AuditEntry.objects.values_list("changes", flat=True))
    assert "李某某" not in words
    assert "王主任" not in words


# --- Projects -------------------------------------------------------------------------------------------------------


def test_a_claimed_project_is_led_by_the_unit_once_the_meeting_closes(cast: Cast) -> None:
    first, second = make_project(cast.a.grid, state="open"), make_project(cast.a.grid, state="open", name="修车棚")
    meeting, officer = running(cast, NewItem(project=first), NewItem(project=second)), fresh(cast.a.officer)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    meeting_table.claim_item(actor=officer, item=item_of(meeting, 1), unit=cast.a.supporting_unit)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task(kind="project"))
    meeting_table.resolve_item(actor=officer, item=item_of(meeting, 1), resolution=task())
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    for project, unit in ((first, cast.a.unit), (second, cast.a.supporting_unit)):
        project.refresh_from_db()
        assert (project.state, project.lead_unit) == ("running", unit)
    made.refresh_from_db()
    assert made.project == first
    Project.objects.filter(pk=first.pk).update(state="done", done_on=timezone.localdate(), result="亮了")
    meeting_sweep.sweep_meetings()
    made.refresh_from_db()
    assert (made.state, made.result) == ("done", "亮了")


def test_a_resolution_makes_a_project_with_its_demand(cast: Cast) -> None:
    demand = published_demand(cast)
    meeting, officer = running(cast, NewItem(demand=demand)), fresh(cast.a.officer)
    resolution = task("整条楼道换灯", kind="project", unit=cast.a.unit)
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=resolution)
    assert not Project.objects.exists()
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    made.refresh_from_db()
    project = made.project
    assert project is not None
    assert (project.name, project.state, project.lead_unit, project.due_on) == (
        demand.title,
        "running",
        cast.a.unit,
        made.due_on,
    )
    assert list(project.demands.all()) == [demand]
    demand.refresh_from_db()
    assert demand.lead_unit == cast.a.unit


def test_the_county_resolves_a_project_that_the_place_takes_up(cast: Cast) -> None:
    department, demand = fresh(cast.department), published_demand(cast)
    meeting = meetings.plan_meeting(
        actor=department, county=cast.county, node=None, held_at=timezone.now() + 5 * DAY, venue="县委会议室"
    )
    kept = published_demand(cast, state="accepted", published_at=None)
    assert list(selectors.demands_for(department, meeting)) == [demand]
    with pytest.raises(Invalid):
        meetings.add_items(actor=department, meeting=meeting, rows=[NewItem(demand=kept)])
    meetings.add_items(actor=department, meeting=meeting, rows=[NewItem(demand=demand), NewItem("全县文明养犬")])
    meeting_moves.publish_meeting(actor=department, meeting=meeting)
    meeting_moves.start_meeting(actor=department, meeting=meeting)
    with pytest.raises(Invalid) as refused:
        meeting_table.claim_item(actor=department, item=item_of(meeting), unit=cast.a.unit)
    assert "unit" in refused.value.fields, "the county gives no community's demand away: the unit claims it itself"
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    with pytest.raises(Invalid) as refused:
        meeting_table.resolve_item(
            actor=department, item=item_of(meeting, 1), resolution=task(kind="project", unit=cast.a.unit)
        )
    assert "kind" in refused.value.fields
    meeting_table.resolve_item(actor=department, item=item_of(meeting), resolution=task(kind="project"))
    meeting_moves.close_meeting(actor=department, meeting=meeting, fates={item_of(meeting, 1).pk: task()})
    project = Project.objects.get()
    assert (project.state, project.lead_unit) == ("draft", cast.a.unit)
    demand.refresh_from_db()
    assert demand.lead_unit == cast.a.unit


def test_a_proposal_becomes_a_project_with_its_resource_led_by_who_claimed(cast: Cast) -> None:
    demand = published_demand(cast)
    resource = make_resource(cast.a.supporting_unit, cast.a.node)
    run = MatchRun.objects.create(county=cast.county, node=cast.a.node, demands=1, resources=1)
    proposal = MatchProposal.objects.create(run=run, demand=demand, resource=resource, score=60, reasons=["类别相同"])
    officer, meeting = fresh(cast.a.officer), planned(cast)
    assert list(selectors.proposals_for(officer, meeting)) == [proposal]
    meeting = running(cast, NewItem(proposal=proposal))
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item_of(meeting))
    made = meeting_table.resolve_item(actor=officer, item=item_of(meeting), resolution=task(kind="project"))
    meeting_moves.close_meeting(actor=officer, meeting=meeting)
    made.refresh_from_db()
    proposal.refresh_from_db()
    demand.refresh_from_db()
    project = made.project
    assert project is not None
    assert (project.lead_unit, project.state, project.due_on) == (cast.a.unit, "running", made.due_on)
    assert [row.resource for row in project.allocations.all()] == [resource]
    assert (proposal.state, proposal.project, demand.lead_unit) == ("accepted", project, cast.a.unit)
