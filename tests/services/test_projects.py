"""The project list: drafted, claimed, carried out, accepted; and two who want the same thing at once."""

from typing import Any

import pytest

from core.errors import Conflict, DomainError, Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from partybuilding.models import UnitMembership
from services.actions import NewProject, claim_project, draft_projects, projects
from services.models import Demand, Project, ProjectResource, Resource
from services.selectors.resources import left_of
from tests.cast import Cast
from tests.factories import check_in, fresh, make_demand
from tests.grids.test_tree_concurrency import together
from tests.weft_factories import make_project, make_resource, soon

pytestmark = pytest.mark.django_db


def drafted(cast: Cast, **facts: Any) -> Project:
    (row,) = draft_projects(
        actor=cast.a.officer, rows=[NewProject(cast.a.node, "楼道亮化", **{"due_on": soon(), **facts})]
    )
    return row


def opened(cast: Cast, **facts: Any) -> Project:
    return projects.publish_project(actor=cast.a.officer, project=drafted(cast, **facts))


def test_from_draft_to_acceptance(cast: Cast) -> None:
    demand = make_demand(cast.a.building, state="accepted")
    resource = make_resource(cast.a.supporting_unit, cast.a.node)
    row = opened(cast, demands=[demand], resources=[(resource, 1)], supporting=[cast.a.supporting_unit])
    assert (row.community, row.county, row.state) == (cast.a.node, cast.county, "open")
    claimed = claim_project(actor=cast.a.liaison, project=row, unit=cast.a.unit, version=row.version)
    assert (claimed.state, claimed.lead_unit) == ("running", cast.a.unit)
    assert claimed.claimed_at is not None
    finished = projects.finish_project(actor=cast.a.liaison, project=row, result="灯都亮了，电话13812345678")
    assert finished.state == "finished"
    assert "13812345678" not in finished.result
    again = projects.send_back_project(actor=cast.a.officer, project=row, reason="三单元还不亮")
    assert (again.state, again.reason, again.finished_at) == ("running", "三单元还不亮", None)
    projects.finish_project(actor=cast.a.liaison, project=row, result="都亮了")
    done = projects.accept_project(actor=cast.a.officer, project=row, reason="看过了")
    assert done.state == "done"
    assert done.done_on is not None
    assert Demand.objects.get().state == "accepted", "a project closes no demand"
    told = OutboxMessage.objects.values_list("kind", flat=True)
    assert {"project_publish", "project_claim", "project_finish", "project_send_back", "project_accept"} <= set(told)
    actions = AuditEntry.objects.filter(chain=f"services.project:{row.pk}").order_by("position")
    assert [deed.action for deed in actions] == [
        *("project.draft", "project.publish", "project.claim", "project.finish"),
        *("project.send_back", "project.finish", "project.accept"),
    ]


def test_the_supporting_unit_takes_the_lead_and_supports_no_more(cast: Cast) -> None:
    row = opened(cast, supporting=[cast.a.supporting_unit])
    claim_project(actor=cast.a.supporting_liaison, project=row, unit=cast.a.supporting_unit)
    assert not row.supporting.exists()


@pytest.mark.parametrize(
    ("who", "error"),
    [("b.liaison", NotFound), ("a.staff", Forbidden), ("a.officer", Forbidden), ("idle_liaison", NotFound)],
)
def test_only_a_liaison_of_a_unit_that_reported_there_claims(cast: Cast, who: str, error: type[DomainError]) -> None:
    row = opened(cast)
    with pytest.raises(error):
        claim_project(actor=cast.people()[who], project=row, unit=cast.a.unit)
    with pytest.raises(Forbidden):
        claim_project(actor=cast.a.liaison, project=row, unit=cast.b.unit)
    row.refresh_from_db()
    assert (row.state, row.lead_unit) == ("open", None)


def test_a_unit_that_reported_to_a_part_of_the_community_claims_too(cast: Cast) -> None:
    check_in(cast.b.unit, cast.a.building)
    row = opened(cast)
    assert claim_project(actor=fresh(cast.b.liaison), project=row, unit=cast.b.unit).lead_unit == cast.b.unit


def test_the_place_appoints_and_changes_the_lead(cast: Cast) -> None:
    row = drafted(cast)
    with pytest.raises(Invalid, match="没有在"):
        projects.appoint_lead(actor=cast.a.officer, project=row, unit=cast.b.unit)
    assert projects.appoint_lead(actor=cast.a.officer, project=row, unit=cast.a.unit).state == "running"
    changed = projects.appoint_lead(actor=cast.a.officer, project=row, unit=cast.a.supporting_unit)
    assert changed.lead_unit == cast.a.supporting_unit
    with pytest.raises(NotFound):
        projects.finish_project(actor=cast.a.liaison, project=row, result="做完了")


def test_a_supporting_unit_does_not_report_the_whole_and_the_lead_does_not_accept_it(cast: Cast) -> None:
    row = make_project(cast.a.node, cast.a.unit)
    row.supporting.add(cast.a.supporting_unit)
    with pytest.raises(InvalidTransition, match="牵头单位"):
        projects.finish_project(actor=cast.a.supporting_liaison, project=row, result="做完了")
    projects.finish_project(actor=cast.a.liaison, project=row, result="做完了")
    with pytest.raises(Forbidden):
        projects.accept_project(actor=cast.a.liaison, project=row)
    UnitMembership.objects.create(user=cast.a.officer, unit=cast.a.unit, role="liaison")
    with pytest.raises(InvalidTransition, match="自己的项目"):
        projects.accept_project(actor=fresh(cast.a.officer), project=row)
    assert Project.objects.get().state == "finished"


def test_a_project_without_a_last_day_is_not_published(cast: Cast) -> None:
    row = drafted(cast, due_on=None)
    with pytest.raises(InvalidTransition, match="完成期限"):
        projects.publish_project(actor=cast.a.officer, project=row)
    with pytest.raises(Stale):
        projects.publish_project(actor=cast.a.officer, project=row, version=9)


def test_what_does_not_belong_together_is_refused(cast: Cast) -> None:
    here, there = make_demand(cast.a.building, state="accepted"), make_demand(cast.b.building, state="accepted")
    dead = make_demand(cast.a.building, state="withdrawn")
    for facts in (
        {"demands": [there]},
        {"demands": [dead]},
        {"due_on": soon(1), "start_on": soon(2)},
        {"lead_unit": cast.other_county_community},
    ):
        facts = dict(facts)
        if "lead_unit" in facts:
            cast.idle_unit.is_active = False
            cast.idle_unit.save()
            facts["lead_unit"] = cast.idle_unit
        with pytest.raises(DomainError):
            drafted(cast, **facts)
    assert not Project.objects.exists()
    assert drafted(cast, demands=[here]).demands.get() == here


@pytest.mark.parametrize(
    ("who", "error"),
    [("b.officer", NotFound), ("a.keeper", NotFound), ("department", Forbidden), ("a.liaison", NotFound)],
)
def test_who_may_draft(cast: Cast, who: str, error: type[DomainError]) -> None:
    with pytest.raises(error):
        draft_projects(actor=cast.people()[who], rows=[NewProject(cast.a.node, "楼道亮化")])
    assert not Project.objects.exists()


def test_a_street_drafts_for_several_communities(cast: Cast) -> None:
    demands = [make_demand(place.building, state="accepted") for place in (cast.a, cast.b)]
    (row,) = draft_projects(actor=cast.street_officer, rows=[NewProject(cast.street, "亮化", demands=demands)])
    assert (row.community, row.demands.count()) == (None, 2)


def test_changes_say_what_changed_and_a_finished_project_stands(cast: Cast) -> None:
    row = drafted(cast)
    same = projects.change_project(actor=cast.a.officer, project=row, name="楼道亮化", version=1)
    assert same.version == 1
    changed = projects.change_project(actor=cast.a.officer, project=row, name="庭院亮化", supporting=[cast.a.unit])
    assert changed.version == 2
    entry = AuditEntry.objects.get(action="project.change")
    assert entry.changes == {"name": ["楼道亮化", "庭院亮化"], "supporting": [[], [cast.a.unit.pk]]}
    Project.objects.update(state="done")
    with pytest.raises(Conflict):
        projects.change_project(actor=cast.a.officer, project=row, name="别的")


def test_a_demand_that_went_elsewhere_stays_named_and_does_not_stop_the_project(cast: Cast) -> None:
    gone, dead, here = (make_demand(cast.a.building, state="accepted") for _each in range(3))
    row = drafted(cast, demands=[gone, dead])
    gone.node, gone.community, dead.state = cast.b.building, cast.b.node, "withdrawn"
    gone.save()
    dead.save()
    projects.change_project(actor=cast.a.officer, project=row, demands=[dead, here])
    assert set(row.demands.all()) == {gone, dead, here}, "nobody took out what they do not see"
    projects.change_project(actor=cast.street_officer, project=row, demands=[gone, here])
    assert set(row.demands.all()) == {gone, here}
    projects.change_project(actor=cast.street_officer, project=row, demands=[here])
    assert set(row.demands.all()) == {here}
    for actor, error in ((cast.a.officer, NotFound), (cast.street_officer, Invalid)):
        with pytest.raises(error):
            projects.change_project(actor=actor, project=row, demands=[gone, here])


# --- At once --------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_two_projects_that_want_the_last_of_a_resource_one_gets_it(transactional_cast: Cast) -> None:
    cast = transactional_cast
    resource = make_resource(cast.a.unit, cast.a.node, quantity=3)
    actors = [fresh(cast.a.officer), fresh(cast.a.secretary)]
    errors = together(
        *(
            lambda actor=actor: draft_projects(
                actor=actor, rows=[NewProject(cast.a.node, "讲座", resources=[(resource, 2)])]
            )
            for actor in actors
        )
    )
    assert [type(error) for error in errors] == [Conflict]
    assert "只剩 1 间" in str(errors[0])
    assert ProjectResource.objects.get().quantity == 2
    assert left_of(Resource.objects.all()) == {resource.pk: 1}
    assert Project.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_units_that_claim_at_once_one_leads(transactional_cast: Cast) -> None:
    cast = transactional_cast
    row = opened(cast)
    pairs = [(fresh(cast.a.liaison), cast.a.unit), (fresh(cast.a.supporting_liaison), cast.a.supporting_unit)]
    errors = together(
        *(
            lambda pair=pair: claim_project(actor=pair[0], project=row, unit=pair[1], version=row.version)
            for pair in pairs
        )
    )
    row.refresh_from_db()
    assert row.lead_unit is not None
    assert len(errors) == 1
    assert isinstance(errors[0], Conflict | NotFound), "the other learns who has it, or no longer sees it"
    assert row.version == 3
