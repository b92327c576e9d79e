"""Splitting, merging and retiring places: what goes where, what hangs on them, and what is refused without a trace."""

import datetime
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from core.actors import SYSTEM
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from grids import hanging
from grids.actions import NewPart, create_node, merge_nodes, move_node, retire_node, split_node
from grids.hanging import Fate
from grids.models import Appointment, GridNode
from grids.soundness import faults
from partybuilding.models import PartyOrganisation
from services.actions.tallies import differences, rebuild_tallies, refresh_tallies
from services.models import Demand, DemandEvent, Tally, UnitCheckIn
from tests.cast import Cast
from tests.factories import check_in, fresh, make_appointment, make_demand, make_node, make_organisation, make_unit

TODAY = timezone.localdate
DAY = datetime.timedelta(days=1)
POSTS = "grids.appointment"
CHECKINS = "services.unitcheckin"


def again(node: GridNode) -> GridNode:
    return GridNode.objects.select_related("county", "level_type", "parent").get(pk=node.pk)


def names(parent: GridNode) -> list[str]:
    return list(GridNode.objects.standing().filter(parent=parent).order_by("lft").values_list("name", flat=True))


def everything() -> list[list[tuple[Any, ...]]]:
    """All that a refusal must leave alone."""
    models: list[Any] = [GridNode, Demand, Appointment, UnitCheckIn, PartyOrganisation, AuditEntry]
    return [list(model.objects.order_by("pk").values_list()) for model in models]


@pytest.fixture
def grid(cast: Cast) -> GridNode:
    """A grid of four buildings beside the cast's own."""
    node = make_node(cast.a.compound, "grid", "第二网格", households=800)
    for number in range(11, 15):
        make_node(again(node), "building", f"{number} 号楼")
    return again(node)


def child(node: GridNode, name: str) -> GridNode:
    return GridNode.objects.select_related("county", "level_type").get(parent=node, name=name)


# --- Split ----------------------------------------------------------------------------------------------------------


def test_a_grid_is_split_and_the_chosen_buildings_go_along(cast: Cast, grid: GridNode) -> None:
    make_node(child(grid, "12 号楼"), "floor", "1 层")
    given = [child(grid, "12 号楼"), child(grid, "14 号楼")]
    (new,) = split_node(
        actor=cast.a.officer,
        node=grid,
        parts=[NewPart("第三网格", given, households=380)],
        households=420,
        reason="超过 500 户",
        version=grid.version,
    )
    assert (names(grid), names(new)) == (["11 号楼", "13 号楼"], ["12 号楼", "14 号楼"])
    assert (again(grid).households, new.households) == (420, 380)
    assert (again(grid).code, new.level_type.key, new.parent_id) == (grid.code, "grid", cast.a.compound.pk)
    assert new.code != grid.code
    floor = GridNode.objects.get(name="1 层", parent__name="12 号楼")
    assert floor.path.endswith("第三网格 · 12 号楼 · 1 层")
    assert floor.depth == new.depth + 2
    assert list(faults()) == []
    entry = AuditEntry.objects.get(chain=f"grids.gridnode:{grid.pk}", action="node.split")
    assert entry.reason == "超过 500 户"
    assert entry.changes["split_into"] == [None, [new.path]]
    moved = AuditEntry.objects.get(chain=f"grids.gridnode:{given[0].pk}", action="node.move")
    assert moved.changes["path"] == [given[0].path, again(given[0]).path]
    assert moved.reason == "超过 500 户"


def test_one_node_becomes_three_and_may_keep_nothing(cast: Cast, grid: GridNode) -> None:
    first, second = split_node(
        actor=cast.a.officer,
        node=grid,
        parts=[
            NewPart("第三网格", [child(grid, "11 号楼"), child(grid, "12 号楼")]),
            NewPart("第四网格", [child(grid, "13 号楼"), child(grid, "14 号楼")]),
        ],
        reason="调整",
    )
    assert (names(grid), names(first), names(second)) == ([], ["11 号楼", "12 号楼"], ["13 号楼", "14 号楼"])
    assert list(faults()) == []


def test_what_hangs_on_the_node_stays_and_what_hangs_below_goes_along(cast: Cast, grid: GridNode) -> None:
    stays, goes = make_demand(grid, cast.category), make_demand(child(grid, "12 号楼"), cast.category)
    keeper = make_appointment(cast.nobody, "grid_keeper", grid)
    (new,) = split_node(
        actor=cast.a.officer, node=grid, parts=[NewPart("第三网格", [child(grid, "12 号楼")])], reason="调整"
    )
    for row in (stays, goes, keeper):
        row.refresh_from_db()
    assert (stays.node_id, keeper.node_id, keeper.end) == (grid.pk, grid.pk, None)
    assert goes.node.parent_id == new.pk
    assert not DemandEvent.objects.exists(), "the community is the same, so there is nothing to tell"


def test_a_community_is_split_with_open_demands_and_the_past_stays(cast: Cast, grid: GridNode) -> None:
    building = child(grid, "12 号楼")
    make_node(cast.a.node, "grid", "第九网格")
    mine = child(cast.a.node, "第九网格")
    moved = make_node(mine, "building", "21 号楼")
    opened, closed = make_demand(moved, cast.category), make_demand(moved, cast.category, state="closed_off")
    rebuild_tallies(cast.county)
    (new,) = split_node(
        actor=cast.street_officer,
        node=again(cast.a.node),
        parts=[NewPart("新河社区", [again(mine)])],
        reason="撤一建二",
    )
    opened.refresh_from_db()
    closed.refresh_from_db()
    assert (opened.community_id, closed.community_id) == (new.pk, cast.a.node.pk)
    assert GridNode.objects.get(pk=moved.pk).community_id == new.pk
    assert GridNode.objects.get(pk=building.pk).community_id == cast.a.node.pk
    assert DemandEvent.objects.get().title == "随“白龙塘社区”拆分，转由新河社区办理"
    refresh_tallies()
    assert list(differences(cast.county)) == []
    assert {row.community_id: row.registered for row in Tally.objects.all()} == {cast.a.node.pk: 1, new.pk: 1}
    assert list(faults()) == []


def test_a_street_is_split(cast: Cast) -> None:
    (new,) = split_node(
        actor=cast.admin, node=again(cast.street), parts=[NewPart("城西街道", [again(cast.b.node)])], reason="区划调整"
    )
    assert new.parent_id is None
    assert names(new) == ["城北社区"]
    assert GridNode.objects.get(pk=cast.b.floor.pk).tree_id == new.tree_id
    assert list(faults()) == []


def test_a_split_that_will_not_do_changes_nothing(cast: Cast, grid: GridNode) -> None:
    twelve = child(grid, "12 号楼")
    before = everything()
    refused: list[tuple[type[Exception], dict[str, Any]]] = [
        (Invalid, {"parts": []}),
        (Invalid, {"parts": [NewPart("")]}),
        (Invalid, {"parts": [NewPart("第三网格")], "reason": " "}),
        (Invalid, {"parts": [NewPart("第三网格", [cast.a.building])]}),
        (Invalid, {"parts": [NewPart("第三网格", [twelve]), NewPart("第四网格", [twelve])]}),
        (Invalid, {"parts": [NewPart("第三网格")], "households": -1}),
        (Conflict, {"parts": [NewPart("第一网格")]}),
        (Conflict, {"parts": [NewPart("第三网格"), NewPart("第三网格")]}),
        (Stale, {"parts": [NewPart("第三网格")], "version": 9}),
    ]
    for error, wrong in refused:
        with pytest.raises(error):
            split_node(actor=cast.a.officer, node=grid, **{"reason": "调整", **wrong})
    for actor, error in ((cast.a.team_lead, Forbidden), (cast.b.officer, NotFound), (cast.nobody, NotFound)):
        with pytest.raises(error):
            split_node(actor=actor, node=grid, parts=[NewPart("第三网格")], reason="调整")
    with pytest.raises(Forbidden):
        split_node(actor=cast.a.officer, node=cast.a.node, parts=[NewPart("新社区")], reason="调整")
    assert everything() == before


# --- Merge ----------------------------------------------------------------------------------------------------------


def test_grids_are_merged_with_their_buildings_and_retired_in_favour_of_the_one_that_remains(
    cast: Cast, grid: GridNode
) -> None:
    third = make_node(cast.a.node, "grid", "第三网格")
    make_node(third, "building", "30 号楼")
    done = merge_nodes(
        actor=cast.a.officer,
        node=again(cast.a.grid),
        sources=[grid, again(third)],
        reason="户数太少",
        households=900,
    )
    assert names(done) == ["1 号楼", "2 号楼", "11 号楼", "12 号楼", "13 号楼", "14 号楼", "30 号楼"]
    assert done.households == 900
    for source in (grid, third):
        gone = again(source)
        assert (gone.is_retired, gone.successor_id, names(gone)) == (True, done.pk, [])
    assert list(faults()) == []
    entry = AuditEntry.objects.get(chain=f"grids.gridnode:{done.pk}", action="node.merge")
    assert entry.changes["merged"] == [None, [grid.path, third.path]]
    assert AuditEntry.objects.get(chain=f"grids.gridnode:{grid.pk}", action="node.retire").reason == "户数太少"


def test_communities_are_merged_across_streets_with_all_that_hangs_on_them(cast: Cast) -> None:
    away = cast.other_street_community
    mine = make_node(away, "grid", "南门网格")
    opened = [make_demand(again(away), cast.category), make_demand(again(mine), cast.category)]
    closed = [make_demand(again(away), cast.category, state="closed_off")]
    unit = make_unit(cast.county, "县供电局")
    check_in(unit, away)
    check_in(cast.a.unit, away)
    branch = make_organisation(cast.county, "南门社区党委", node=away)
    officer = make_appointment(cast.nobody, "community_officer", away)
    rebuild_tallies(cast.county)
    merge_nodes(actor=cast.admin, node=again(cast.a.node), sources=[again(away)], reason="撤并")
    for demand in [*opened, *closed, branch, officer]:
        demand.refresh_from_db()
    assert [(row.node_id, row.community_id) for row in opened] == [
        (cast.a.node.pk, cast.a.node.pk),
        (mine.pk, cast.a.node.pk),
    ]
    assert (closed[0].node_id, closed[0].community_id) == (away.pk, away.pk), "the past stays where it was"
    assert branch.node_id == cast.a.node.pk
    assert (officer.end, officer.node_id) == (TODAY(), away.pk)
    assert [str(row.unit) for row in UnitCheckIn.objects.filter(node=cast.a.node, end=None)].count("县供电局") == 1
    assert UnitCheckIn.objects.filter(node=cast.a.node, end=None, unit=cast.a.unit).count() == 1
    assert set(UnitCheckIn.objects.filter(node=away).values_list("end", flat=True)) == {TODAY()}
    assert {event.title for event in DemandEvent.objects.all()} == {
        "随“南门社区”合并，转到“白龙塘社区”，由白龙塘社区办理",
        "随“南门社区”合并，转由白龙塘社区办理",
    }
    refresh_tallies()
    assert list(differences(cast.county)) == []
    assert list(faults()) == []


def test_a_merge_that_will_not_do_changes_nothing(cast: Cast, grid: GridNode) -> None:
    same = make_node(cast.a.node, "grid", "第三网格")
    make_node(same, "building", "1 号楼")
    gone = retire_node(actor=SYSTEM, node=make_node(cast.a.node, "grid", "第四网格"), reason="撤")
    target = again(cast.a.grid)
    before = everything()
    refused: list[tuple[type[Exception], list[GridNode], dict[str, Any]]] = [
        (Invalid, [], {}),
        (Invalid, [target], {}),
        (Invalid, [again(cast.a.building)], {}),
        (Invalid, [grid], {"reason": ""}),
        (Conflict, [again(same)], {}),
        (Conflict, [gone], {}),
        (Stale, [grid], {"version": 9}),
    ]
    for error, sources, wrong in refused:
        with pytest.raises(error):
            merge_nodes(actor=cast.a.officer, node=target, sources=sources, **{"reason": "合并", **wrong})
    with pytest.raises(Conflict, match="“1 号楼”"):
        merge_nodes(actor=cast.a.officer, node=target, sources=[again(same)], reason="合并")
    with pytest.raises(NotFound):
        merge_nodes(actor=cast.a.officer, node=target, sources=[again(cast.b.grid)], reason="合并")
    with pytest.raises(Forbidden):
        merge_nodes(actor=cast.a.keeper, node=target, sources=[grid], reason="合并")
    assert everything() == before


def test_demands_with_the_number_of_another_community_s_stand_in_the_way(cast: Cast) -> None:
    number = {"external_number": "12", "external_date": "2026-03-05"}
    make_demand(cast.b.building, cast.category, **number)
    make_demand(cast.a.floor, cast.category, **number)
    before = everything()
    with pytest.raises(Conflict, match="1 条未销号的需求"):
        move_node(actor=cast.admin, node=again(cast.a.building), parent=again(cast.b.node))
    assert everything() == before
    (line,) = hanging.what_follows(_below(cast.a.building), cast.b.node.pk, cast.department)
    assert (line.fate, line.count) == (Fate.BY_HAND, 1)


def _below(node: GridNode) -> Any:
    from grids.querysets import in_subtree

    return in_subtree(again(node))


# --- Retire ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def busy(cast: Cast) -> GridNode:
    """A building on which a bit of everything hangs."""
    node = cast.a.other_building
    make_demand(node, cast.category)
    make_demand(node, cast.category, state="closed_off")
    make_appointment(cast.nobody, "building_head", node, start=TODAY() - 40 * DAY)
    make_appointment(cast.a.keeper, "building_head", node, start=TODAY() + 3 * DAY)
    check_in(cast.idle_unit, node, start=TODAY() - 40 * DAY)
    make_organisation(cast.county, "2 号楼党小组", node=node)
    return again(node)


def test_everything_goes_over_to_the_successor_or_ends(cast: Cast, busy: GridNode) -> None:
    successor = again(cast.a.building)
    retire_node(actor=cast.a.officer, node=busy, reason="已拆除", successor=successor)
    opened, closed = Demand.objects.order_by("pk")
    assert (opened.node_id, closed.node_id) == (successor.pk, busy.pk)
    assert DemandEvent.objects.get().title == "随“2 号楼”撤销，转到“1 号楼”"
    assert PartyOrganisation.objects.get().node_id == successor.pk
    old, new = UnitCheckIn.objects.filter(unit=cast.idle_unit).order_by("pk")
    assert (old.node_id, old.end, new.node_id, new.start, new.end) == (busy.pk, TODAY(), successor.pk, TODAY(), None)
    assert list(Appointment.objects.filter(node=busy).order_by("start").values_list("end", flat=True)) == [
        TODAY(),
        TODAY() + 3 * DAY,
    ]
    assert list(faults()) == []
    trail = AuditEntry.objects.get(chain=f"services.unitcheckin:{new.pk}")
    assert (trail.action, trail.reason) == ("checkin.start", "随“2 号楼”撤销：已拆除")
    trail = AuditEntry.objects.get(chain__startswith="services.demand", action="place.follow")
    assert trail.changes == {"node_id": [busy.pk, successor.pk]}
    assert trail.county_id == cast.county.pk


def test_who_holds_a_post_may_serve_on_at_the_successor(cast: Cast, busy: GridNode) -> None:
    successor = again(cast.a.building)
    make_appointment(cast.nobody, "building_head", successor)
    retire_node(
        actor=cast.a.officer, node=busy, reason="合并", successor=successor, wanted={POSTS: "follow", CHECKINS: "end"}
    )
    serving = Appointment.objects.filter(node=successor, end=None, user=cast.a.keeper).get()
    assert serving.start == TODAY() + 3 * DAY
    assert Appointment.objects.filter(node=successor, end=None, user=cast.nobody).count() == 1, "not twice"
    assert not Appointment.objects.filter(node=busy, end=None).exists()
    assert not UnitCheckIn.objects.filter(node=successor).exists()
    assert fresh(cast.nobody)
    assert list(faults()) == []


def test_a_post_that_the_successor_does_not_have_ends(cast: Cast, busy: GridNode) -> None:
    retire_node(actor=cast.admin, node=busy, reason="合并", successor=again(cast.a.grid), wanted={POSTS: "follow"})
    assert not Appointment.objects.filter(node=cast.a.grid, post="building_head").exists()
    assert list(faults()) == []


def test_without_a_successor_demands_and_organisations_are_for_somebody_to_decide(cast: Cast, busy: GridNode) -> None:
    before = everything()
    with pytest.raises(Conflict) as caught:
        retire_node(actor=cast.a.officer, node=busy, reason="已拆除")
    assert "1 条未销号的需求" in caught.value.message
    assert "1 条在用的党组织" in caught.value.message
    assert everything() == before


def test_a_street_takes_over_no_demand(cast: Cast, busy: GridNode) -> None:
    with pytest.raises(Conflict, match="1 条未销号的需求"):
        retire_node(actor=cast.admin, node=busy, reason="已拆除", successor=again(cast.street))


# --- What would happen ----------------------------------------------------------------------------------------------


def told(lines: list[hanging.Line]) -> dict[tuple[str, Fate], int]:
    return {(line.label, line.fate): line.count for line in lines}


def test_what_hangs_is_told_before(cast: Cast, busy: GridNode) -> None:
    alone = hanging.what_hangs([busy], cast.a.officer)
    assert told(alone) == {
        ("未结束的任职", Fate.END): 2,
        ("未销号的需求", Fate.BY_HAND): 1,
        ("未结束的单位报到", Fate.END): 1,
        ("在用的党组织", Fate.BY_HAND): 1,
    }
    with_successor = hanging.what_hangs([busy], cast.a.officer, successor=again(cast.a.building))
    assert told(with_successor) == {
        ("未结束的任职", Fate.END): 2,
        ("未销号的需求", Fate.FOLLOW): 1,
        ("未结束的单位报到", Fate.FOLLOW): 1,
        ("在用的党组织", Fate.FOLLOW): 1,
    }
    choices = {line.kind: line.choices for line in with_successor if line.choices}
    assert choices == {POSTS: (Fate.END, Fate.FOLLOW), CHECKINS: (Fate.FOLLOW, Fate.END)}
    wanted = hanging.what_hangs(
        [busy], cast.a.officer, successor=again(cast.a.building), wanted={POSTS: "follow", CHECKINS: "nonsense"}
    )
    assert told(wanted)["未结束的任职", Fate.FOLLOW] == 2
    assert told(wanted)["未结束的单位报到", Fate.FOLLOW] == 1


def test_examples_are_only_of_what_the_person_may_see(cast: Cast, busy: GridNode) -> None:
    demand = Demand.objects.order_by("pk").first()
    assert demand is not None
    seen = {line.kind: line.examples for line in hanging.what_hangs([busy], cast.a.officer)}
    assert seen["services.demand"] == (str(demand),)
    seen = {line.kind: line.examples for line in hanging.what_hangs([busy], cast.admin)}
    assert seen["services.demand"] == (), "an administrator sees no matters"


def test_what_is_told_is_what_happens(cast: Cast, busy: GridNode) -> None:
    """Each kind, whatever is wanted of it: the page and the deed are one."""
    successor = again(cast.a.building)
    for wanted in ({}, {POSTS: "follow"}, {CHECKINS: "end"}):
        lines = hanging.what_hangs([busy], SYSTEM_READER, successor=successor, wanted=wanted)
        follow = sum(line.count for line in lines if line.fate is Fate.FOLLOW)
        assert follow == sum(1 for _line in _went(busy, successor, wanted))


class _Nobody:
    is_authenticated = False


SYSTEM_READER = _Nobody()


def _went(node: GridNode, successor: GridNode, wanted: dict[str, str]) -> list[Any]:
    """The rows that hang on the successor after a retirement that is undone again."""
    from django.db import transaction

    found: list[Any] = []
    with transaction.atomic():
        before = {kind.key: kind.open_rows().filter(**{kind.node: successor}).count() for kind in hanging.registered()}
        retire_node(actor=SYSTEM, node=again(node), reason="试", successor=successor, wanted=wanted)
        for kind in hanging.registered():
            more = kind.open_rows().filter(**{kind.node: successor}).count() - before[kind.key]
            found += [kind.key] * more
        transaction.set_rollback(True)
    return found


def test_registering_an_end_without_a_word_for_it_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="word"):
        hanging.register(GridNode, label="x", open=lambda: _nothing(), fates=[Fate.END])


def _nothing() -> Any:
    from django.db.models import Q

    return Q(pk__in=[])


@pytest.mark.parametrize("make", [lambda cast: cast.a.grid, lambda cast: cast.a.node])
def test_a_new_place_is_as_good_as_an_old_one(cast: Cast, make: Callable[[Cast], GridNode]) -> None:
    """After a split the new node can be written below, and merged back."""
    node = again(make(cast))
    (new,) = split_node(actor=SYSTEM, node=node, parts=[NewPart("新的")], reason="试")
    level = "grid" if node.level_type.key == "community" else "building"
    create_node(actor=SYSTEM, parent=again(new), level=level, name="里面的")
    merge_nodes(actor=SYSTEM, node=again(node), sources=[again(new)], reason="合回来")
    assert "里面的" in names(node)
    assert list(faults()) == []
