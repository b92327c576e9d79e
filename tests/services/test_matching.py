"""Runs of matching: what is read, what is proposed, what becomes of a proposal, who may, and what happened meanwhile."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry
from grids.models import GridNode
from services.actions.matching import accept_proposals, outdate_old, refuse_proposal, run_match
from services.models import (
    Demand,
    MatchProposal,
    MatchRun,
    Project,
    ProjectResource,
    ProposalState,
    Resource,
)
from services.selectors.matching import gather
from tests import factories as make
from tests.cast import Cast
from tests.grids.test_tree_concurrency import together
from tests.weft_factories import make_commitment, make_project, make_resource, soon, today

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())


def water(cast: Cast, **fields: Any) -> Resource:
    given = {
        "category": cast.category,
        "name": "水管维修队",
        "kind": "service",
        "quantity": 3,
        "measure": "次",
        **fields,
    }
    unit = given.pop("unit", cast.a.unit)
    return make_resource(unit, given.pop("node", cast.a.node), **given)


def leak(cast: Cast, **fields: Any) -> Demand:
    given = {"state": "accepted", "title": "水管漏水", "text": "厨房水管漏水。", **fields}
    return make.make_demand(given.pop("node", cast.a.building), given.pop("category", cast.category), **given)


def one(cast: Cast) -> MatchProposal:
    """A run with one proposal."""
    water(cast)
    leak(cast)
    run_match(actor=cast.a.officer, node=cast.a.node)
    return MatchProposal.objects.get()


# --- A run ----------------------------------------------------------------------------------------------------------


def test_a_run_proposes_with_its_reasons_and_keeps_the_totals(cast: Cast) -> None:
    resource, demand = water(cast), leak(cast)
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    proposal = run.proposals.get()
    assert (proposal.demand, proposal.resource, proposal.state) == (demand, resource, "proposed")
    assert proposal.reasons[:3] == ["类别相同：水电气暖", "文字相近：水管", "同在白龙塘社区"]
    assert (run.by, run.demands, run.resources, run.missed) == (cast.a.officer, 1, 1, {})
    assert run.score == run.greedy_score == proposal.score
    assert AuditEntry.objects.get(action="match.run").county_id == cast.county.pk


def test_only_what_waits_is_matched(cast: Cast) -> None:
    water(cast)
    wanted = [leak(cast), leak(cast, state="published")]
    for state in ("registered", "dispatched", "closed_off"):
        leak(cast, state=state)
    leak(cast, node=cast.b.building)
    make_project(cast.a.building).demands.add(leak(cast))
    wanted.append(leak(cast))
    make_project(cast.a.building, state="dropped").demands.add(wanted[-1])
    assert [need.key for need in gather(cast.a.node).needs] == [demand.pk for demand in wanted]


def test_resources_of_the_place_and_of_the_street_above_are_used(cast: Cast) -> None:
    wanted = {water(cast, node=node).pk for node in (cast.a.compound, cast.a.node, cast.street)}
    for state in ("offered", "sent_back", "withdrawn"):
        water(cast, state=state, name=state)
    water(cast, unit=make.make_unit(cast.county, "已停用的单位", is_active=False))
    wanted.add(water(cast, unit=None).pk)
    neighbours = water(cast, node=cast.b.node)
    water(cast, node=cast.other_street)
    assert {offer.key for offer in gather(cast.a.node).offers} == wanted
    assert {offer.key for offer in gather(cast.street).offers} == {*wanted, neighbours.pk}


def test_a_street_brings_its_communities_together(cast: Cast) -> None:
    shared = water(cast, node=cast.street, quantity=2)
    demands = {leak(cast).pk, leak(cast, node=cast.b.building).pk}
    run = run_match(actor=cast.street_officer, node=cast.street)
    assert set(run.proposals.values_list("demand", "resource")) == {(pk, shared.pk) for pk in demands}


def test_load_record_and_what_is_left_are_read_from_the_books(cast: Cast) -> None:
    resource, unit = water(cast, quantity=5), cast.a.unit
    ago = lambda days: today() - datetime.timedelta(days=days)  # noqa: E731
    make.make_suborder(leak(cast, state="dispatched"), unit)
    make.make_suborder(leak(cast, state="closed_off"), unit, state="finished")
    project = make_project(cast.a.building, unit)
    make_project(cast.a.building, unit, state="done")
    ProjectResource.objects.create(project=project, resource=resource, quantity=2)
    make_commitment(unit, cast.a.building, title="还没到期")
    make_commitment(unit, cast.a.building, title="按时", due_on=ago(5), state="done", done_on=ago(6))
    make_commitment(unit, cast.a.building, title="晚了", due_on=ago(5), state="done", done_on=ago(4))
    make_commitment(unit, cast.a.building, title="过期没做", due_on=ago(5))
    make_commitment(unit, cast.a.building, title="早做完", due_on=soon(), state="done", done_on=ago(1))
    make_commitment(unit, cast.a.building, title="很久以前", due_on=ago(400), state="done", done_on=ago(401))
    make_commitment(unit, cast.a.building, title="终止", due_on=ago(5), state="dropped")
    (offer,) = gather(cast.a.node).offers
    # An order, a project, two promises.
    assert (offer.left, offer.load, offer.kept, offer.due) == (3, 4, 2, 4)


def test_a_run_costs_the_same_whatever_the_rows(cast: Cast) -> None:
    def counted() -> int:
        officer = make.fresh(cast.a.officer)
        with CaptureQueriesContext(connection) as captured:
            run_match(actor=officer, node=cast.a.node)
        return len(captured)

    water(cast)
    leak(cast)
    run_match(actor=cast.a.officer, node=cast.a.node)
    few = counted()
    for number in range(12):
        leak(cast)
        water(cast, unit=make.make_unit(cast.county, f"单位{number}"), quantity=9)
    run_match(actor=cast.a.officer, node=cast.a.node)
    assert counted() == few == COUNTS["match.run"]
    assert MatchProposal.objects.filter(state="proposed").count() == 13


def test_what_found_nothing_is_kept_with_why(cast: Cast) -> None:
    water(cast, node=cast.a.compound, quantity=1)
    met, taken = leak(cast), leak(cast)
    strange = leak(cast, category=cast.categories["其他"], title="办证", text="咨询办证。")
    outside = leak(cast, node=cast.a.node)
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    assert run.proposals.get().demand == met
    assert run.missed == {"taken": [taken.pk], "no_category": [strange.pk], "out_of_area": [outside.pk]}


def test_nothing_to_match_is_said_and_nothing_is_kept(cast: Cast) -> None:
    with pytest.raises(Invalid, match="没有已受理"):
        run_match(actor=cast.a.officer, node=cast.a.node)
    leak(cast)
    with pytest.raises(Invalid, match="没有可用的资源"):
        run_match(actor=cast.a.officer, node=cast.a.node)
    with pytest.raises(Invalid, match="按社区或街道进行"):
        run_match(actor=cast.a.officer, node=cast.a.building)
    assert not MatchRun.objects.exists()


def test_a_place_out_of_use_is_not_matched(cast: Cast) -> None:
    water(cast)
    leak(cast)
    GridNode.objects.filter(pk=cast.a.node.pk).update(retired_at=timezone.now())
    with pytest.raises(Invalid, match="已撤销"):
        run_match(actor=SYSTEM, node=cast.a.node)
    assert not MatchRun.objects.exists()


def test_a_run_is_for_who_keeps_the_lists_there(cast: Cast) -> None:
    water(cast)
    leak(cast)
    for stranger in (cast.b.secretary, cast.other_street_officer, cast.other_county_secretary, cast.nobody):
        with pytest.raises(NotFound):
            run_match(actor=stranger, node=cast.a.node)
    for looker in (cast.department, cast.admin):
        with pytest.raises(Forbidden):
            run_match(actor=looker, node=cast.a.node)
    assert not MatchRun.objects.exists()
    run_match(actor=cast.street_secretary, node=cast.a.node)
    run_match(actor=SYSTEM, node=cast.a.node)


def test_a_new_run_puts_the_open_proposals_of_the_old_one_out_of_date(cast: Cast) -> None:
    proposal = one(cast)
    leak(cast, node=cast.b.building)
    water(cast, node=cast.b.node)
    elsewhere = run_match(actor=cast.b.officer, node=cast.b.node).proposals.get()
    again = run_match(actor=cast.a.officer, node=cast.a.node)
    proposal.refresh_from_db()
    elsewhere.refresh_from_db()
    assert (proposal.state, elsewhere.state, again.proposals.get().state) == ("outdated", "proposed", "proposed")
    entry = AuditEntry.objects.get(action="match_proposal.outdate")
    assert (entry.actor_kind, entry.label) == ("system", proposal.demand.code)


def test_the_same_lists_give_the_same_proposals(cast: Cast) -> None:
    for number in range(6):
        water(cast, name=f"水管维修{number}队", quantity=1)
        leak(cast)
    found = [
        list(run_match(actor=SYSTEM, node=cast.a.node).proposals.values_list("demand", "resource", "score", "reasons"))
        for _each in range(2)
    ]
    assert found[0] == found[1] and len(found[0]) == 6


# --- Taken up -------------------------------------------------------------------------------------------------------


def test_accepted_proposals_are_project_drafts_in_one_click(cast: Cast) -> None:
    resource = water(cast)
    demands = [leak(cast), leak(cast)]
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    drafts = accept_proposals(actor=cast.a.officer, proposals=list(run.proposals.all()))
    assert [project.demands.get() for project in drafts] == demands
    for project in drafts:
        assert (project.state, project.lead_unit, project.node) == ("draft", cast.a.unit, cast.a.building)
        assert list(project.allocations.values_list("resource", "quantity")) == [(resource.pk, 1)]
    assert set(run.proposals.values_list("state", "project")) == {("accepted", project.pk) for project in drafts}
    assert AuditEntry.objects.filter(action="match_proposal.accept", actor=cast.a.officer).count() == 2


def test_money_goes_whole_into_the_draft_for_a_person_to_cut(cast: Cast) -> None:
    water(cast, kind="money", quantity=5000, measure="元")
    leak(cast)
    leak(cast)
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    (draft,) = accept_proposals(actor=cast.a.officer, proposals=list(run.proposals.all()))
    assert draft.allocations.get().quantity == 5000


def unchanged(proposal: MatchProposal, state: str = "proposed") -> None:
    proposal.refresh_from_db()
    assert (proposal.state, proposal.project) == (state, None)
    assert not Project.objects.exists()


def test_proposals_of_another_community_can_not_be_touched(cast: Cast) -> None:
    proposal = one(cast)
    for stranger in (cast.b.secretary, cast.other_county_secretary, cast.a.liaison):
        with pytest.raises(NotFound):
            accept_proposals(actor=stranger, proposals=[proposal])
        with pytest.raises(NotFound):
            refuse_proposal(actor=stranger, proposal=proposal, reason="不要")
    with pytest.raises(Forbidden):
        accept_proposals(actor=cast.department, proposals=[proposal])
    unchanged(proposal)


def test_nothing_chosen_is_said(cast: Cast) -> None:
    with pytest.raises(Invalid, match="请先勾选"):
        accept_proposals(actor=cast.a.officer, proposals=[])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda proposal: Resource.objects.update(state="withdrawn"), "已经不可用"),
        (
            lambda proposal: Resource.objects.update(end=today() - datetime.timedelta(days=1), start="2020-01-01"),
            "已经不可用",
        ),
        (lambda proposal: proposal.resource.unit.__class__.objects.update(is_active=False), "提供单位已停用"),
        (lambda proposal: Demand.objects.update(state="dispatched"), "需求已派单"),
        (lambda proposal: make_project(proposal.demand.node).demands.add(proposal.demand), "已立项"),
        (
            lambda proposal: ProjectResource.objects.create(
                project=make_project(proposal.demand.node), resource=proposal.resource, quantity=3
            ),
            "已经没有剩余",
        ),
        (
            lambda proposal: Resource.objects.update(node=proposal.demand.node.parent.children.last()),
            "不能用在这个地点",
        ),
    ],
)
def test_what_changed_meanwhile_makes_a_proposal_out_of_date_and_never_a_project(
    cast: Cast, change: Any, words: str
) -> None:
    proposal = one(cast)
    change(proposal)
    before = Project.objects.count()
    with pytest.raises(Conflict, match=words) as refusal:
        accept_proposals(actor=cast.a.officer, proposals=[proposal])
    assert proposal.demand.title in str(refusal.value)
    proposal.refresh_from_db()
    assert (proposal.state, Project.objects.count()) == ("outdated", before)


def test_one_that_changed_stops_the_others_until_they_are_chosen_again(cast: Cast) -> None:
    water(cast)
    gone, stays = leak(cast), leak(cast)
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    Demand.objects.filter(pk=gone.pk).update(state="dispatched")
    with pytest.raises(Conflict, match="没有生成任何项目"):
        accept_proposals(actor=cast.a.officer, proposals=list(run.proposals.all()))
    assert not Project.objects.exists()
    assert dict(run.proposals.values_list("demand", "state")) == {gone.pk: "outdated", stays.pk: "proposed"}
    assert len(accept_proposals(actor=cast.a.officer, proposals=list(run.proposals.filter(state="proposed")))) == 1


def test_the_last_one_of_a_resource_goes_to_one_of_two_drafts(cast: Cast) -> None:
    resource = water(cast, node=cast.street, quantity=2)
    leak(cast)
    leak(cast)
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    Resource.objects.filter(pk=resource.pk).update(quantity=1)
    first, second = run.proposals.order_by("demand")
    with pytest.raises(Conflict, match="没有剩余"):
        accept_proposals(actor=cast.a.officer, proposals=[first, second])
    assert not Project.objects.exists()
    assert list(run.proposals.order_by("demand").values_list("state", flat=True)) == ["proposed", "outdated"]
    accept_proposals(actor=cast.a.officer, proposals=[first])
    assert ProjectResource.objects.get().resource == resource


def test_a_demand_that_became_a_project_leaves_its_other_proposals(cast: Cast) -> None:
    proposal = one(cast)
    street = run_match(actor=cast.street_officer, node=cast.street).proposals.get()
    accept_proposals(actor=cast.street_officer, proposals=[street])
    unchanged_here = MatchProposal.objects.get(pk=proposal.pk)
    assert (unchanged_here.state, unchanged_here.project) == ("outdated", None)
    with pytest.raises(InvalidTransition, match="已失效"):
        accept_proposals(actor=cast.a.officer, proposals=[proposal])
    assert Project.objects.count() == 1


def test_of_two_clicks_one_makes_the_draft(transactional_cast: Cast) -> None:
    cast = transactional_cast
    proposal = one(cast)
    people = [make.fresh(cast.a.officer), make.fresh(cast.a.secretary)]
    errors = together(*(lambda user=user: accept_proposals(actor=user, proposals=[proposal]) for user in people))
    assert [isinstance(error, Conflict) for error in errors] == [True]
    assert Project.objects.count() == ProjectResource.objects.count() == 1


def test_two_runs_at_once_leave_one_open_proposal(transactional_cast: Cast) -> None:
    cast = transactional_cast
    one(cast)
    people = [make.fresh(cast.a.officer), make.fresh(cast.a.secretary)]
    assert together(*(lambda user=user: run_match(actor=user, node=cast.a.node) for user in people)) == []
    assert MatchProposal.objects.filter(state="proposed").count() == 1


def test_two_places_can_not_draw_the_last_one_twice(transactional_cast: Cast) -> None:
    cast = transactional_cast
    water(cast, node=cast.street, quantity=1)
    leak(cast)
    leak(cast, node=cast.b.building)
    here = run_match(actor=cast.a.officer, node=cast.a.node).proposals.get()
    there = run_match(actor=cast.b.officer, node=cast.b.node).proposals.get()
    chosen = [(make.fresh(cast.a.officer), here), (make.fresh(cast.b.officer), there)]
    errors = together(
        *(lambda who=who, what=what: accept_proposals(actor=who, proposals=[what]) for who, what in chosen)
    )
    assert [isinstance(error, Conflict) for error in errors] == [True]
    assert ProjectResource.objects.count() == 1
    assert sorted(MatchProposal.objects.values_list("state", flat=True)) == ["accepted", "outdated"]


# --- Turned down, out of date ---------------------------------------------------------------------------------------


def test_what_was_turned_down_is_not_proposed_again(cast: Cast) -> None:
    proposal = one(cast)
    with pytest.raises(Invalid):
        refuse_proposal(actor=cast.a.officer, proposal=proposal, reason=" ")
    with pytest.raises(Stale):
        refuse_proposal(actor=cast.a.officer, proposal=proposal, reason="不合适", version=proposal.version + 1)
    unchanged(proposal)
    refuse_proposal(actor=cast.a.officer, proposal=proposal, reason="单位这个月停工", version=proposal.version)
    proposal.refresh_from_db()
    assert (proposal.state, proposal.reason) == (ProposalState.REFUSED, "单位这个月停工")
    run = run_match(actor=cast.a.officer, node=cast.a.node)
    assert run.missed == {"refused": [proposal.demand_id]}
    with pytest.raises(InvalidTransition, match="不采纳"):
        accept_proposals(actor=cast.a.officer, proposals=[proposal])


def test_what_nobody_decided_on_for_a_month_goes_out_of_date_once(cast: Cast) -> None:
    proposal = one(cast)
    assert outdate_old() == 0
    later = timezone.now() + datetime.timedelta(days=31)
    assert [outdate_old(later), outdate_old(later)] == [1, 0]
    unchanged(proposal, "outdated")
