"""The resource list: who offers what, who checks it, how much of it is left."""

from typing import Any

import pytest

from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry, OutboxMessage
from partybuilding.models import UnitMembership
from services.actions import draft_projects, offer_resource, register_resource, resources
from services.actions.projects import NewProject, accept_project, change_project, drop_project, finish_project
from services.models import Project, Resource
from services.selectors.resources import left_of, usable_at, with_left
from tests.cast import Cast
from tests.factories import check_in, fresh
from tests.weft_factories import make_project, make_resource, soon, today

pytestmark = pytest.mark.django_db

ROOM: dict[str, Any] = {"kind": "place", "name": "三楼会议室", "measure": "间"}


def left(resource: Resource) -> int:
    return left_of([Resource.objects.get(pk=resource.pk)])[resource.pk]


def test_a_unit_offers_and_the_community_checks(cast: Cast) -> None:
    row = offer_resource(actor=cast.a.liaison, unit=cast.a.unit, node=cast.a.node, times=["evening"], **ROOM)
    assert (row.state, row.county, row.times) == ("offered", cast.county, ["evening"])
    assert OutboxMessage.objects.filter(kind="resource_offer").count() == 1
    sent_back = resources.send_back_resource(actor=cast.a.officer, resource=row, reason="请写明能坐多少人")
    assert (sent_back.state, sent_back.reason) == ("sent_back", "请写明能坐多少人")
    changed = resources.change_resource(actor=cast.a.liaison, resource=row, text="能坐 40 人", version=row.version + 1)
    assert changed.state == "offered", "what the unit changes is handed in again"
    checked = resources.check_resource(actor=cast.a.officer, resource=row, version=changed.version)
    assert (checked.state, checked.reason) == ("available", "")
    deeds = AuditEntry.objects.filter(chain=f"services.resource:{row.pk}").order_by("position")
    assert [deed.action for deed in deeds] == [
        "resource.register",
        "resource.send_back",
        "resource.change",
        "resource.check",
    ]


def test_what_a_unit_changes_is_checked_again_and_what_the_community_changes_is_not(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.a.node)
    assert resources.change_resource(actor=cast.a.officer, resource=row, quantity=3).state == "available"
    assert resources.change_resource(actor=cast.a.liaison, resource=row, quantity=3).state == "available"
    assert resources.change_resource(actor=cast.a.liaison, resource=row, quantity=2).state == "offered"


def test_the_community_registers_its_own_and_on_behalf(cast: Cast) -> None:
    own = register_resource(actor=cast.a.officer, node=cast.a.node, **ROOM)
    behalf = register_resource(actor=cast.a.officer, node=cast.a.node, unit=cast.a.unit, **ROOM)
    assert (own.state, own.unit, behalf.state, behalf.unit) == ("available", None, "available", cast.a.unit)
    with pytest.raises(Conflict):
        register_resource(actor=cast.a.officer, node=cast.a.node, **ROOM)
    assert Resource.objects.count() == 2


@pytest.mark.parametrize(
    ("who", "where", "error"),
    [
        ("b.liaison", "a.node", NotFound),
        ("b.officer", "a.node", NotFound),
        ("a.keeper", "a.node", NotFound),
        ("department", "a.node", Forbidden),
        ("a.staff", "a.node", Forbidden),
        ("a.liaison", "b.node", Invalid),
        ("idle_liaison", "a.node", NotFound),
        ("other_county_secretary", "a.node", NotFound),
    ],
)
def test_only_the_unit_itself_or_the_place_offers(cast: Cast, who: str, where: str, error: type[DomainError]) -> None:
    node = (cast.a if where.startswith("a.") else cast.b).node
    with pytest.raises(error):
        offer_resource(actor=cast.people()[who], unit=cast.a.unit, node=node, **ROOM)
    assert not Resource.objects.exists()


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"quantity": 0}, "quantity"),
        ({"kind": "gold"}, "kind"),
        ({"name": " "}, "name"),
        ({"times": ["never"]}, "times"),
        ({"start": soon(3), "end": soon(2)}, "end"),
    ],
)
def test_what_can_not_be_used_is_named(cast: Cast, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as raised:
        register_resource(actor=cast.a.officer, node=cast.a.node, **{**ROOM, **given})
    assert field in raised.value.fields
    assert not Resource.objects.exists()


def test_a_stopped_unit_or_a_retired_place_takes_nothing(cast: Cast) -> None:
    cast.idle_unit.is_active = False
    cast.idle_unit.save()
    with pytest.raises(Invalid, match="不是本县在用的单位"):
        register_resource(actor=cast.a.officer, node=cast.a.node, unit=cast.idle_unit, **ROOM)
    type(cast.a.node).objects.filter(pk=cast.a.building.pk).update(retired_at="2026-01-01T00:00:00+08:00")
    with pytest.raises(Invalid, match="已撤销"):
        register_resource(actor=cast.a.officer, node=cast.a.building, **ROOM)
    assert not Resource.objects.exists()


def test_nobody_checks_their_own_offer(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.a.node, state="offered")
    with pytest.raises(Forbidden):
        resources.check_resource(actor=cast.a.liaison, resource=row)
    with pytest.raises(NotFound):
        resources.check_resource(actor=cast.b.officer, resource=row)
    with pytest.raises(Stale):
        resources.check_resource(actor=cast.a.officer, resource=row, version=7)
    assert Resource.objects.get().state == "offered"


def test_what_the_street_offers_is_seen_below_and_changed_above(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.street)
    assert Resource.objects.visible_to(cast.a.officer).filter(pk=row.pk).exists()
    with pytest.raises(Forbidden):
        resources.change_resource(actor=cast.a.officer, resource=row, quantity=2)
    assert resources.change_resource(actor=cast.street_officer, resource=row, quantity=2).quantity == 2


# --- How much is left -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "after"), [("place", 3), ("people", 3), ("money", 1), ("service", 1)])
def test_a_done_project_gives_back_what_is_not_used_up(cast: Cast, kind: str, after: int) -> None:
    row = make_resource(cast.a.unit, cast.a.node, kind=kind, quantity=3)
    (project,) = draft_projects(actor=cast.a.officer, rows=[NewProject(cast.a.node, "修车棚", resources=[(row, 2)])])
    assert left(row) == 1
    Project.objects.update(state="running", lead_unit=cast.a.unit)
    finish_project(actor=cast.a.liaison, project=project, result="修好了")
    assert left(row) == 1
    accept_project(actor=cast.a.officer, project=project)
    assert left(row) == after
    assert with_left(Resource.objects.all()).get().left == after


def test_a_dropped_project_gives_everything_back(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.a.node, kind="money", quantity=3000, measure="元")
    new = NewProject(cast.a.node, "修车棚", resources=[(row, 3000)])
    (project,) = draft_projects(actor=cast.a.officer, rows=[new])
    drop_project(actor=cast.a.officer, project=project, reason="改由物业办")
    assert left(row) == 3000


def test_no_more_is_promised_than_there_is(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.a.node, quantity=2)
    with pytest.raises(Conflict, match="只剩 2 间"):
        draft_projects(actor=cast.a.officer, rows=[NewProject(cast.a.node, "讲座", resources=[(row, 3)])])
    two = [NewProject(cast.a.node, "讲座", resources=[(row, 1)]), NewProject(cast.a.node, "义诊", resources=[(row, 2)])]
    with pytest.raises(Conflict):
        draft_projects(actor=cast.a.officer, rows=two)
    assert not Project.objects.exists()
    (project,) = draft_projects(actor=cast.a.officer, rows=two[1:])
    assert left(row) == 0
    change_project(actor=cast.a.officer, project=project, resources=[(row, 1)])
    assert left(row) == 1
    change_project(actor=cast.a.officer, project=project, resources=[(row, 2)])
    assert left(row) == 0
    with pytest.raises(Conflict, match="不能少于"):
        resources.change_resource(actor=cast.a.officer, resource=row, quantity=1)


def test_what_is_in_use_is_not_withdrawn(cast: Cast) -> None:
    row = make_resource(cast.a.unit, cast.a.node)
    (project,) = draft_projects(actor=cast.a.officer, rows=[NewProject(cast.a.node, "讲座", resources=[(row, 1)])])
    with pytest.raises(Conflict, match="讲座"):
        resources.withdraw_resource(actor=cast.a.liaison, resource=row, reason="不外借了")
    drop_project(actor=cast.a.officer, project=project, reason="取消")
    assert resources.withdraw_resource(actor=cast.a.liaison, resource=row, reason="不外借了").state == "withdrawn"
    with pytest.raises(Conflict):
        resources.change_resource(actor=cast.a.liaison, resource=row, quantity=2)


def test_only_what_is_checked_of_this_area_and_day_is_used(cast: Cast) -> None:
    good = make_resource(cast.a.unit, cast.street, name="街道的")
    others = [
        make_resource(cast.b.unit, cast.b.node, name="邻社区的"),
        make_resource(cast.a.unit, cast.a.node, name="待核实的", state="offered"),
        make_resource(cast.a.unit, cast.a.node, name="过期的", start=soon(-9), end=soon(-1)),
        make_resource(cast.a.unit, cast.a.node, name="没开始的", start=soon(9)),
    ]
    assert list(Resource.objects.filter(usable_at(cast.a.node, today()))) == [good]
    for row in others:
        with pytest.raises(DomainError):
            draft_projects(actor=cast.street_officer, rows=[NewProject(cast.a.node, "讲座", resources=[(row, 1)])])
    assert not Project.objects.exists()
    assert draft_projects(actor=cast.a.officer, rows=[NewProject(cast.a.node, "讲座", resources=[(good, 1)])])


def test_a_unit_confirms_that_nothing_changed(cast: Cast) -> None:
    rows = [make_resource(cast.a.unit, cast.a.node, name=name, checked_on=soon(-60)) for name in ("会议室", "投影仪")]
    other = make_resource(cast.b.unit, cast.b.node, checked_on=soon(-60))
    with pytest.raises(Forbidden):
        resources.confirm_unchanged(actor=cast.a.officer, unit=cast.a.unit)
    assert resources.confirm_unchanged(actor=cast.a.liaison, unit=cast.a.unit) == 2
    assert resources.confirm_unchanged(actor=cast.a.liaison, unit=cast.a.unit) == 0
    assert {row.checked_on for row in Resource.objects.filter(pk__in=[row.pk for row in rows])} == {today()}
    other.refresh_from_db()
    assert other.checked_on == soon(-60)


def test_a_liaison_of_two_units_offers_for_both(cast: Cast) -> None:
    UnitMembership.objects.create(user=cast.a.liaison, unit=cast.b.unit, role="liaison")
    check_in(cast.b.unit, cast.a.building)
    row = offer_resource(actor=fresh(cast.a.liaison), unit=cast.b.unit, node=cast.a.node, **ROOM)
    assert row.unit == cast.b.unit
    assert make_project(cast.a.node).state == "draft"
