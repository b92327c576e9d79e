"""What the old place had on a demand does not outlive its move: proposals go out of date, the meeting lets go of it."""

import datetime
from typing import Any

import pytest
from django.utils import timezone

from core.errors import Conflict, Invalid, InvalidTransition
from core.models import AuditEntry
from services.actions import meeting_moves, meeting_table, move
from services.actions.matching import accept_proposals, run_match
from services.actions.meeting_moves import DEFER
from services.actions.meeting_rows import put_off
from services.models import AgendaItem, Demand, JointMeeting, MatchProposal, Project, Resolution
from services.workflow import PROPOSAL
from tests import factories as make
from tests import weft_factories as weave
from tests.cast import Cast
from tests.factories import fresh
from tests.grids.test_tree_concurrency import together
from tests.services.test_meetings import planned, task

pytestmark = pytest.mark.django_db


def demand_in(cast: Cast, **fields: Any) -> Demand:
    given = {"state": "accepted", "title": "水管漏水", "text": "厨房水管漏水。", **fields}
    return make.make_demand(cast.a.building, cast.category, **given)


def resource(cast: Cast, **fields: Any) -> None:
    """Usable in the whole street: what could be used in the old place could be used in the new one."""
    given = {
        "category": cast.category,
        "name": "水管维修队",
        "kind": "service",
        "quantity": 3,
        "measure": "次",
        **fields,
    }
    weave.make_resource(cast.a.unit, cast.street, **given)


def transfer(cast: Cast, demand: Demand) -> Demand:
    data = {"place": cast.b.building, "reason": "在城北社区地界内。"}
    return move(actor=fresh(cast.a.officer), target=demand, name="transfer", data=data)


def accepted_there(cast: Cast, demand: Demand) -> None:
    move(actor=fresh(cast.b.officer), target=Demand.objects.get(pk=demand.pk), name="accept")


def on_the_table(cast: Cast, demand: Demand, *, node: Any = None, **fields: Any) -> AgendaItem:
    meeting = weave.make_meeting(node or cast.a.node, cast.a.unit, state="running")
    item = AgendaItem.objects.create(meeting=meeting, order=1, title=demand.title, demand=demand, **fields)
    return AgendaItem.objects.select_related("meeting").get(pk=item.pk)


# --- Proposals --------------------------------------------------------------------------------------------------------


def test_open_proposals_go_out_of_date_with_the_move_and_no_others(cast: Cast) -> None:
    demand, stays = demand_in(cast), demand_in(cast)
    resource(cast)
    run_match(actor=fresh(cast.a.officer), node=cast.a.node)
    transfer(cast, demand)
    states = {row.demand_id: row.state for row in MatchProposal.objects.all()}
    assert states == {demand.pk: "outdated", stays.pk: "proposed"}
    assert AuditEntry.objects.get(action=f"{PROPOSAL.name}.outdate").label == demand.code
    accepted_there(cast, demand)
    with pytest.raises(InvalidTransition):
        accept_proposals(actor=fresh(cast.a.officer), proposals=[MatchProposal.objects.get(demand=demand)])
    assert not Project.objects.exists()
    # The new place finds it anew.
    assert run_match(actor=fresh(cast.b.officer), node=cast.b.node).proposals.get().demand == demand


def test_what_was_linked_loses_its_proposals_as_well(cast: Cast) -> None:
    demand, linked = demand_in(cast), demand_in(cast)
    resource(cast)
    run_match(actor=fresh(cast.a.officer), node=cast.a.node)
    Demand.objects.filter(pk=linked.pk).update(state="linked", linked_to=demand)
    transfer(cast, demand)
    assert set(MatchProposal.objects.values_list("state", flat=True)) == {"outdated"}


def test_a_move_that_is_refused_leaves_them_as_they_are(cast: Cast) -> None:
    demand = demand_in(cast)
    resource(cast)
    run_match(actor=fresh(cast.a.officer), node=cast.a.node)
    data = {"place": cast.a.other_building, "reason": "移交。"}
    with pytest.raises(Invalid, match="就在本社区"):
        move(actor=fresh(cast.a.officer), target=demand, name="transfer", data=data)
    assert MatchProposal.objects.get().state == "proposed"


def test_taken_up_and_moved_at_once_one_waits_for_the_other(transactional_cast: Cast) -> None:
    cast = transactional_cast
    demand = demand_in(cast)
    resource(cast)
    run_match(actor=fresh(cast.a.officer), node=cast.a.node)
    proposal, officer = MatchProposal.objects.get(), fresh(cast.a.officer)
    errors = together(
        lambda: transfer(cast, demand) and None,
        lambda: accept_proposals(actor=officer, proposals=[proposal]) and None,
    )
    proposal.refresh_from_db()
    assert all(isinstance(error, Conflict | InvalidTransition) for error in errors), errors
    assert (proposal.state, Project.objects.count()) in {("outdated", 0), ("accepted", 1)}
    assert Demand.objects.get().community_id == cast.b.node.pk


# --- The table --------------------------------------------------------------------------------------------------------


def test_nothing_comes_of_it_at_the_old_table_nor_at_the_next(cast: Cast) -> None:
    demand, officer = demand_in(cast), fresh(cast.a.officer)
    item = on_the_table(cast, demand)
    transfer(cast, demand)
    accepted_there(cast, demand)
    with pytest.raises(InvalidTransition, match="已移交“城北社区”"):
        meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item)
    for kind in ("task", "project", "leader"):
        with pytest.raises(InvalidTransition, match="请改为缓议"):
            meeting_table.resolve_item(actor=officer, item=item, resolution=task(kind=kind, unit=cast.a.unit))
    meeting_moves.close_meeting(actor=officer, meeting=item.meeting, fates={item.pk: DEFER})
    assert not Resolution.objects.exists()
    assert not planned(cast).items.exists(), "the next meeting of the place does not take it up"
    assert JointMeeting.objects.get(pk=item.meeting_id).items.get().state == "deferred", "that it was told stays"


def test_what_the_table_has_given_is_not_moved_away_before_the_meeting_ends(cast: Cast) -> None:
    demand = demand_in(cast)
    item = on_the_table(cast, demand)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item)
    with pytest.raises(InvalidTransition, match="正在开会，会上这条需求是“已认领”。请会议结束后再移交"):
        transfer(cast, demand)
    assert Demand.objects.get(pk=demand.pk).community_id == cast.a.node.pk
    meeting_table.release_item(actor=fresh(cast.a.liaison), item=item)
    assert transfer(cast, demand).community_id == cast.b.node.pk


def test_a_table_that_is_about_both_places_keeps_the_matter(cast: Cast) -> None:
    demand = demand_in(cast)
    item = on_the_table(cast, demand, node=cast.street)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item)
    assert transfer(cast, demand).community_id == cast.b.node.pk
    meeting_table.release_item(actor=fresh(cast.a.liaison), item=item)
    meeting_moves.close_meeting(actor=fresh(cast.street_officer), meeting=item.meeting, fates={item.pk: DEFER})
    accepted_there(cast, demand)
    following = weave.make_meeting(cast.street, state="planned", held_at=timezone.now() + datetime.timedelta(days=9))
    assert list(put_off(following)) == [item], "the street's next meeting goes on with it"


def test_a_claim_that_crossed_with_the_move_takes_no_effect(cast: Cast) -> None:
    demand, officer = demand_in(cast), fresh(cast.a.officer)
    item = on_the_table(cast, demand)
    meeting_table.claim_item(actor=fresh(cast.a.liaison), item=item)
    meeting_table.resolve_item(actor=officer, item=item, resolution=task(kind="project"))
    there = {"community": cast.b.node, "node": cast.b.building, "transfers": 1, "accepted_at": timezone.now()}
    Demand.objects.filter(pk=demand.pk).update(**there)
    with pytest.raises(Conflict, match="已移交“城北社区”"):
        meeting_moves.close_meeting(actor=officer, meeting=item.meeting)
    assert JointMeeting.objects.get(pk=item.meeting_id).state == "running" and not Project.objects.exists()
