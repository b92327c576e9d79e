"""The quarter of one community, from the first check-in to the cards: every face tells the same figures at the end."""

import datetime
import io
from typing import Any

import pytest
import time_machine
from django.test import Client
from openpyxl import load_workbook

from core.periods import LOCAL_ZONE, Quarter
from grids.models import GridNode
from partybuilding.models import Unit
from services.actions import (
    applications,
    matching,
    meeting_moves,
    meeting_table,
    meetings,
    projects,
    ratings,
    resources,
)
from services.actions.commitment_moves import confirm_commitment, report_done
from services.actions.member_cards import receive_cards, send_cards
from services.actions.member_checkins import Offer, decide_reports, report_home
from services.actions.member_services import decide_services, enter_service
from services.models import Commitment, JointMeeting, MemberCard, Project, Resolution
from services.selectors import lists, two_way
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh
from tests.governance.counted import signed_in, words

pytestmark = pytest.mark.django_db

QUARTER = Quarter(2026, 3)
BEGIN = datetime.datetime(2026, 7, 6, 9, tzinfo=LOCAL_ZONE)


def day(number: int) -> datetime.date:
    """A day of the quarter's first month."""
    return datetime.date(2026, 7, number)


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


@pytest.fixture
def played(cast: Cast, clock: Any) -> Cast:
    """Plays the quarter in 新民社区, where nobody had reported before."""
    here = cast.empty_community
    secretary = make.make_cadre("新民书记", "community_secretary", here)
    compound = make.make_node(here, "compound", "新民小区")
    lead, other = _two_units_report(cast, here, secretary)
    _ten_members_report(cast, compound, secretary)
    _lists_are_drawn_up(cast, here, secretary, lead, other)
    run = matching.run_match(actor=fresh(secretary), node=here)
    assert run.score >= run.greedy_score > 0
    matching.accept_proposals(actor=fresh(secretary), proposals=list(run.proposals.all()))
    _they_meet(cast, here, secretary, lead, clock)
    _projects_are_done(cast, secretary)
    _promises_are_kept(secretary)
    _cards_go_back(cast, here, secretary, clock)
    return cast


def _two_units_report(cast: Cast, here: Any, secretary: Any) -> tuple[Unit, Unit]:
    found = []
    for name, role in (("县档案局", "lead"), ("县文旅局", "supporting")):
        unit = make.make_unit(cast.county, name)
        liaison = make.make_unit_person(f"{name}联络员", unit)
        asked = applications.apply_to_check_in(actor=liaison, unit=unit, node=here, role=role, brings="会议室", years=2)
        applications.accept(actor=fresh(secretary), application=asked, community_liaison=secretary)
        found.append(unit)
    return found[0], found[1]


def _ten_members_report(cast: Cast, compound: Any, secretary: Any) -> None:
    unit = make.make_unit(cast.county, "县统计局")
    make.make_unit_person("统计联络员", unit)
    reported = []
    for number in range(10):
        member = make.make_member(f"党员{number}", unit)
        assert member.user is not None
        reported.append(report_home(actor=fresh(member.user), member=member, node=compound, offer=Offer(["repair"])))
    decided = decide_reports(actor=fresh(secretary), checkins=reported, name="accept")
    assert len(decided.done) == 10 and not decided.refused
    served = [
        enter_service(actor=fresh(row.member.user), checkin=row, served_on=day(6), hours="1.5", text="清理楼道")
        for row in reported[:4]
    ]
    assert len(decide_services(actor=fresh(secretary), services=served, name="confirm").done) == 4


def _lists_are_drawn_up(cast: Cast, here: Any, secretary: Any, lead: Unit, other: Unit) -> None:
    water = cast.categories["水电气暖"]
    for number in range(4):
        make.make_demand(here, water, state="accepted", title=f"水管漏水{number}", text="楼道水管漏水，请派人维修水管")
    for unit, name in ((lead, "水管维修队"), (other, "水电维修服务")):
        liaison = fresh(unit.memberships.get().user)
        offered = resources.offer_resource(
            actor=liaison,
            unit=unit,
            node=here,
            kind="service",
            name=name,
            text="楼道水管维修",
            quantity=1,
            measure="次",
            category=water,
        )
        resources.check_resource(actor=fresh(secretary), resource=offered)


def _they_meet(cast: Cast, here: Any, secretary: Any, lead: Unit, clock: Any) -> None:
    held_at = BEGIN + datetime.timedelta(days=10)
    meeting = meetings.plan_meeting(
        actor=fresh(secretary), county=cast.county, node=here, held_at=held_at, venue="社区会议室"
    )
    meetings.add_items(
        actor=fresh(secretary),
        meeting=meeting,
        rows=[meetings.NewItem(title="楼道亮化"), meetings.NewItem(title="充电桩选址")],
    )
    meeting_moves.publish_meeting(actor=fresh(secretary), meeting=meeting)
    clock.move_to(held_at)
    meeting_moves.start_meeting(actor=fresh(secretary), meeting=meeting)
    light, charging = meeting.items.order_by("order")
    liaison = fresh(lead.memberships.get().user)
    meeting_table.claim_item(actor=liaison, item=light)
    for item, kind, unit in ((light, "commitment", None), (charging, "task", lead)):
        meeting_table.resolve_item(
            actor=fresh(secretary),
            item=item,
            resolution=meeting_table.NewResolution(
                kind=kind, text=item.title, due_on=datetime.date(2026, 9, 20), owner="王主任", unit=unit
            ),
        )
    meeting_moves.close_meeting(actor=fresh(secretary), meeting=meeting, summary="议定两项")


def _projects_are_done(cast: Cast, secretary: Any) -> None:
    for project in Project.objects.filter(community=cast.empty_community):
        lead = project.lead_unit
        assert lead is not None
        liaison = fresh(lead.memberships.get().user)
        if project.state == "draft":
            projects.change_project(actor=fresh(secretary), project=project, due_on=datetime.date(2026, 9, 20))
            projects.appoint_lead(actor=fresh(secretary), project=project, unit=lead)
        projects.finish_project(actor=liaison, project=project, result="已修好")
        projects.accept_project(actor=fresh(secretary), project=project)
        ratings.rate(actor=fresh(secretary), side="community", service=project, grade="satisfied")
        ratings.rate(actor=liaison, side="unit", service=project, grade="satisfied")


def _promises_are_kept(secretary: Any) -> None:
    for promise in Commitment.objects.filter(state="open"):
        assert promise.unit is not None
        report_done(actor=fresh(promise.unit.memberships.get().user), commitment=promise, text="灯都亮了")
        confirm_commitment(actor=fresh(secretary), commitment=promise)


def _cards_go_back(cast: Cast, here: Any, secretary: Any, clock: Any) -> None:
    clock.move_to(datetime.datetime(2026, 10, 8, 9, tzinfo=LOCAL_ZONE))
    sent = send_cards(actor=fresh(secretary), community=here, quarter=QUARTER)
    assert sent.made == 4
    unit = Unit.objects.get(name="县统计局")
    assert receive_cards(actor=fresh(unit.memberships.get().user), unit=unit, quarter=QUARTER) == 4


def test_the_quarter_ends_as_it_was_played(played: Cast) -> None:
    here = GridNode.objects.get(pk=played.empty_community.pk)
    line = two_way.board(played.county, here).whole
    assert (line.units, line.lead, line.supporting, line.members) == (2, 1, 1, 10)
    assert (line.kept.promised, line.kept.done) == (1, 1)
    done = Project.objects.filter(community=here)
    assert done.count() == 2 and {row.state for row in done} == {"done"}
    assert MemberCard.objects.filter(community=here, read_at__isnull=False).count() == 4
    assert JointMeeting.objects.get(node=here).state == "closed"
    assert sorted(Resolution.objects.values_list("kind", flat=True)) == ["commitment", "task"]


def test_api_dashboard_desk_and_ledger_agree(played: Cast) -> None:
    here = GridNode.objects.get(pk=played.empty_community.pk)
    officer = make.make_cadre("新民两委", "community_officer", here)
    client: Client = signed_in(officer)
    line = two_way.board(played.county, here).whole
    told = client.get(f"/api/v1/two-way/?place={here.code}").json()
    assert (told["units"], told["lead"], told["supporting"], told["members"]) == (2, 1, 1, 10)
    assert (told["commitments"]["promised"], told["commitments"]["done"], told["activities"]) == (1, 1, 0)

    board = words(client.get(f"/dashboard/{here.code}/weft/").content.decode())
    assert "报到单位 2 个 牵头 1，配合 1" in board and "报到党员 10 名" in board and "承诺完成 100 % 1 / 1" in board
    desk = words(client.get(f"/admin/services/commitment/figures/?place={here.pk}").content.decode())
    assert "报到单位 2 个" in desk and "报到党员 10 人" in desk and "承诺事项 1 项" in desk

    ledger = client.get(f"/admin/services/commitment/figures/ledger/?place={here.pk}")
    rows = list(load_workbook(io.BytesIO(ledger.getvalue())).active.iter_rows(values_only=True))
    totals = next(row for row in rows if row[1] in ("合计", here.name))
    assert list(totals[2:6]) == [line.units, line.lead, line.supporting, line.members]
    assert totals[6:8] == (1, 1)

    for total in lists.four_lists(fresh(officer), here):
        assert f"{total.label} {total.total} 项" in board, total.key
