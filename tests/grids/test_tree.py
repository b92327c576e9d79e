"""Writing to the tree: what goes in right, and what is refused without a trace."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from core.actors import RESIDENT, SYSTEM
from core.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, Stale
from core.models import AuditEntry
from grids.actions import (
    create_county,
    create_node,
    describe_node,
    load_preset,
    move_node,
    rename_node,
    retire_node,
)
from grids.levels import PRESETS
from grids.models import Appointment, County, GridNode
from services.actions.tallies import differences, rebuild_tallies, refresh_tallies
from services.models import DemandEvent, DemandState, Tally
from tests.cast import Cast
from tests.factories import make_appointment, make_demand


def check_tree() -> str:
    out = io.StringIO()
    try:
        call_command("check_tree", stdout=out)
    except CommandError as error:
        return out.getvalue() + str(error)
    return ""


def snapshot() -> list[tuple[object, ...]]:
    return list(
        GridNode.objects.order_by("pk").values_list(
            "pk", "name", "path", "parent", "community", "tree_id", "lft", "rght", "depth", "retired_at", "version"
        )
    )


def again(node: GridNode) -> GridNode:
    return GridNode.objects.select_related("level_type", "county").get(pk=node.pk)


# --- Counties and presets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("preset", "keys"),
    [
        ("xixiang", "street community compound grid building unit_entrance floor_section floor"),
        ("zhenan", "street community sector compound building unit_entrance"),
        ("chengwu", "street community grid building core_household"),
        ("standard", "street community grid building unit_entrance floor"),
    ],
)
def test_a_county_gets_the_levels_of_its_preset_in_order(db: None, preset: str, keys: str) -> None:
    county = create_county(actor=SYSTEM, code="610724", name="西乡县", preset=preset)
    assert [level.key for level in county.levels.all()] == keys.split()
    assert set(PRESETS) == {"xixiang", "zhenan", "chengwu", "standard"}


def test_a_county_is_made_once_and_by_the_system_alone(cast: Cast) -> None:
    with pytest.raises(Conflict):
        create_county(actor=SYSTEM, code="610724", name="西乡县", preset="xixiang")
    for actor in (cast.admin, cast.superuser, RESIDENT):
        with pytest.raises(Forbidden):
            create_county(actor=actor, code="371723", name="成武县", preset="chengwu")
    assert County.objects.count() == 2


@pytest.mark.parametrize(
    "wrong", [{"code": "610700"}, {"code": "6107"}, {"name": " "}, {"preset": "other"}, {"code": "610724001"}]
)
def test_a_county_with_a_wrong_code_name_or_preset_is_refused(db: None, wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        create_county(**{"actor": SYSTEM, "code": "610724", "name": "西乡县", "preset": "xixiang", **wrong})
    assert not County.objects.exists()


def test_levels_are_exchanged_only_while_no_node_stands_on_them(cast: Cast) -> None:
    with pytest.raises(Conflict, match="还有网格"):
        load_preset(actor=cast.admin, county=cast.county, preset="standard")
    empty = create_county(actor=SYSTEM, code="371723", name="成武县", preset="standard")
    load_preset(actor=SYSTEM, county=empty, preset="chengwu")
    assert [level.key for level in empty.levels.all()][-1] == "core_household"
    with pytest.raises(NotFound):
        load_preset(actor=cast.admin, county=empty, preset="standard")


# --- New nodes ------------------------------------------------------------------------------------------------------


def test_a_chain_of_nodes_gets_codes_paths_and_community(db: None) -> None:
    county = create_county(actor=SYSTEM, code="610724", name="西乡县", preset="xixiang")
    street = create_node(actor=SYSTEM, county=county, level="street", name="城北街道")
    community = create_node(actor=SYSTEM, parent=street, level="community", name="新民社区")
    compound = create_node(actor=SYSTEM, parent=community, level="compound", name="和谐小区")
    grid = create_node(actor=SYSTEM, parent=compound, level="grid", name="第一网格")
    building = create_node(actor=SYSTEM, parent=grid, level="building", name="1 号楼")
    lone = create_node(actor=SYSTEM, parent=community, level="building", name="独栋")
    floor = create_node(actor=SYSTEM, parent=building, level="floor", name="3 层")
    assert [node.code for node in (street, community, compound, grid, building, lone, floor)] == [
        "610724001000",
        "610724001001",
        "610724001001X001",
        "610724001001001",
        "610724001001001001",
        "610724001001L001",
        "610724001001001001001",
    ]
    assert floor.path == "城北街道 · 新民社区 · 和谐小区 · 第一网格 · 1 号楼 · 3 层"
    assert again(community).community_id == floor.community_id == community.pk
    assert again(street).community_id is None
    assert check_tree() == ""


def test_serials_count_on_and_a_retired_code_is_never_given_again(cast: Cast) -> None:
    made = [create_node(actor=cast.admin, parent=cast.a.compound, level="grid", name=f"第{n}网格") for n in range(2, 4)]
    retire_node(actor=cast.admin, node=made[-1], reason="并入第一网格")
    another = create_node(actor=cast.admin, parent=cast.a.node, level="grid", name="第4网格")
    codes = [node.code for node in (*made, another)]
    assert len(set(codes)) == 3
    assert codes == sorted(codes)
    assert all(code.startswith(cast.a.node.code) and len(code) == 15 for code in codes)
    assert check_tree() == ""


@pytest.mark.parametrize(
    ("name", "code"),
    [("城东街道", "610724003000"), ("沙河镇", "610724100000"), ("高川乡", "610724200000")],
)
def test_a_street_and_a_town_get_codes_of_their_kind(cast: Cast, name: str, code: str) -> None:
    node = create_node(actor=cast.admin, county=cast.county, level="street", name=name)
    assert node.code == code
    assert (node.lft, node.rght, node.depth) == (1, 2, 0)
    assert not GridNode.objects.filter(tree_id=node.tree_id).exclude(pk=node.pk).exists()


def test_a_division_code_may_be_given_and_must_fit_its_place(cast: Cast) -> None:
    street = create_node(actor=cast.admin, county=cast.county, level="street", name="堰口镇", code="610724105")
    assert street.code == "610724105000"
    village = create_node(actor=cast.admin, parent=street, level="community", name="三合村")
    assert village.code == "610724105200"
    before = snapshot()
    for wrong in ("610724001001", "610724105", "61072410", "610724105200"):
        with pytest.raises(DomainError):
            create_node(actor=cast.admin, parent=street, level="community", name="新社区", code=wrong)
    with pytest.raises(Invalid, match="外部编码"):
        create_node(actor=cast.admin, parent=cast.a.node, level="grid", name="新网格", code="610724001001009")
    assert snapshot() == before


def test_only_those_who_keep_the_grid_make_nodes(cast: Cast) -> None:
    before, trail = snapshot(), AuditEntry.objects.count()
    keeps = (cast.a.secretary, cast.a.officer, cast.street_secretary, cast.street_officer)
    for name, actor in cast.people().items():
        if actor == cast.admin:
            continue
        if actor not in keeps:
            with pytest.raises((Forbidden, NotFound)):
                create_node(actor=actor, parent=cast.a.node, level="grid", name="新网格")
        with pytest.raises((Forbidden, NotFound)):
            create_node(actor=actor, county=cast.county, level="street", name=f"{name}街道")
    assert snapshot() == before
    assert AuditEntry.objects.count() == trail


def test_levels_keep_their_order_and_nothing_small_stands_outside_a_community(cast: Cast) -> None:
    before = snapshot()
    for parent, level in (
        (cast.a.building, "grid"),
        (cast.a.grid, "grid"),
        (cast.street, "street"),
        (cast.street, "building"),
        (cast.a.compound, "community"),
        (cast.a.node, "no_such_level"),
    ):
        with pytest.raises(Invalid):
            create_node(actor=cast.admin, parent=parent, level=level, name="新节点")
    with pytest.raises(Invalid):
        create_node(actor=cast.admin, county=cast.county, level="community", name="无街道社区")
    assert snapshot() == before


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "长" * 61},
        {"name": "甲 · 乙"},
        {"households": -1},
        {"kind": "x"},
        {"address": "路" * 201},
    ],
)
def test_facts_that_do_not_fit_are_refused(cast: Cast, wrong: dict[str, object]) -> None:
    before = snapshot()
    with pytest.raises(Invalid):
        create_node(**{"actor": cast.admin, "parent": cast.a.node, "level": "grid", "name": "新网格", **wrong})
    assert snapshot() == before


def test_two_standing_siblings_do_not_share_a_name_but_a_retired_one_does_not_count(cast: Cast) -> None:
    with pytest.raises(Conflict, match="1 号楼"):
        create_node(actor=cast.admin, parent=cast.a.grid, level="building", name="1 号楼")
    with pytest.raises(Conflict):
        create_node(actor=cast.admin, county=cast.county, level="street", name="城北街道")
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    assert create_node(actor=cast.admin, parent=cast.a.grid, level="building", name="2 号楼").pk
    assert check_tree() == ""


def test_every_write_leaves_one_audit_row_with_the_county(cast: Cast) -> None:
    node = create_node(actor=cast.admin, parent=cast.a.grid, level="building", name="3 号楼")
    rename_node(actor=cast.admin, node=node, name="三号楼")
    describe_node(actor=cast.admin, node=node, households=24)
    move_node(actor=cast.admin, node=node, parent=cast.a.compound)
    retire_node(actor=cast.admin, node=node, reason="已拆除")
    rows = AuditEntry.objects.filter(chain=f"grids.gridnode:{node.pk}").order_by("position")
    assert [row.action for row in rows] == [
        "node.create",
        "node.rename",
        "node.describe",
        "node.move",
        "node.retire",
    ]
    assert {row.county_id for row in rows} == {cast.county.pk}
    assert rows[1].changes == {"name": ["3 号楼", "三号楼"]}
    assert rows[4].reason == "已拆除"


# --- Renaming and describing ----------------------------------------------------------------------------------------


def test_a_new_name_reaches_every_path_below_and_no_other(cast: Cast) -> None:
    other = again(cast.b.floor).path
    rename_node(actor=cast.admin, node=cast.a.compound, name="阳光小区")
    assert again(cast.a.floor).path == "城北街道 · 白龙塘社区 · 阳光小区 · 第一网格 · 1 号楼 · 1 单元 · 1 层"
    assert again(cast.b.floor).path == other
    rename_node(actor=cast.admin, node=cast.street, name="城北办")
    assert again(cast.a.floor).path.startswith("城北办 · 白龙塘社区 · ")
    assert again(cast.other_street_community).path == "城南街道 · 南门社区"
    assert check_tree() == ""


def test_an_old_page_renames_nothing(cast: Cast) -> None:
    version = cast.a.grid.version
    rename_node(actor=cast.admin, node=cast.a.grid, name="东网格", version=version)
    before = snapshot()
    with pytest.raises(Stale):
        rename_node(actor=cast.admin, node=cast.a.grid, name="西网格", version=version)
    with pytest.raises(Stale):
        describe_node(actor=cast.admin, node=cast.a.grid, households=300, version=version)
    with pytest.raises(Conflict):
        rename_node(actor=cast.admin, node=cast.a.other_building, name="1 号楼")
    assert snapshot() == before


def test_a_path_that_would_not_fit_is_refused_before_it_is_cut(cast: Cast) -> None:
    node = cast.a.floor
    for place in (cast.street, cast.a.node, cast.a.compound, cast.a.grid, cast.a.building, cast.a.floor):
        rename_node(actor=cast.admin, node=again(place), name="长" * 60)
    before = snapshot()
    with pytest.raises(Invalid, match="最多 400 字"):
        rename_node(actor=cast.admin, node=cast.a.entrance, name="长" * 30)
    assert len(again(node).path) == 382
    assert snapshot() == before


def test_describing_leaves_alone_what_is_not_given(cast: Cast) -> None:
    node = describe_node(actor=cast.admin, node=cast.a.grid, households=320, external_code="SX-0007")
    node = describe_node(actor=cast.admin, node=node, kind="dedicated")
    assert (node.households, node.external_code, node.kind, node.address) == (320, "SX-0007", "dedicated", "")
    with pytest.raises((Forbidden, NotFound)):
        describe_node(actor=cast.b.secretary, node=cast.a.grid, households=1)
    assert again(node).households == 320


def test_a_community_keeps_what_lies_below_it_and_not_itself(cast: Cast) -> None:
    made = create_node(actor=cast.a.officer, parent=cast.a.node, level="grid", name="新网格")
    rename_node(actor=cast.a.secretary, node=made, name="第九网格")
    retire_node(actor=cast.a.officer, node=made, reason="并入第一网格")
    for change in (
        lambda: rename_node(actor=cast.a.secretary, node=cast.a.node, name="别的社区"),
        lambda: retire_node(actor=cast.a.secretary, node=cast.a.node, reason="不要了"),
        lambda: rename_node(actor=cast.street_officer, node=cast.street, name="别的街道"),
        lambda: move_node(actor=cast.a.secretary, node=cast.a.building, parent=cast.b.grid),
        lambda: create_node(actor=cast.a.secretary, parent=cast.street, level="community", name="新社区"),
    ):
        with pytest.raises((Forbidden, NotFound)):
            change()


# --- Moving ---------------------------------------------------------------------------------------------------------


def test_a_subtree_moves_to_the_neighbour_with_community_path_and_open_demands(cast: Cast) -> None:
    category = cast.category
    opened = make_demand(cast.a.floor, category)
    closed = make_demand(cast.a.floor, category, state=DemandState.CLOSED_OFF)
    elsewhere = make_demand(cast.a.other_building, category)
    code = cast.a.building.code
    move_node(actor=cast.admin, node=cast.a.building, parent=cast.b.compound)
    for node in (cast.a.building, cast.a.entrance, cast.a.floor):
        assert again(node).community_id == cast.b.node.pk
    assert again(cast.a.floor).path == "城北街道 · 城北社区 · 和谐小区 · 1 号楼 · 1 单元 · 1 层"
    assert again(cast.a.building).code == code
    for demand, community in ((opened, cast.b.node), (closed, cast.a.node), (elsewhere, cast.a.node)):
        demand.refresh_from_db()
        assert demand.community_id == community.pk
    siblings = list(again(cast.b.compound).get_children().values_list("name", flat=True))
    assert siblings == ["第一网格", "1 号楼"]
    assert check_tree() == ""


def test_a_community_moves_to_another_street_and_stays_itself(cast: Cast) -> None:
    opened = make_demand(cast.a.floor, cast.category)
    move_node(actor=cast.admin, node=cast.a.node, parent=cast.other_street)
    assert again(cast.a.floor).tree_id == cast.other_street.tree_id
    assert again(cast.a.floor).community_id == cast.a.node.pk
    assert again(cast.a.node).path == "城南街道 · 白龙塘社区"
    opened.refresh_from_db()
    assert opened.community_id == cast.a.node.pk
    assert check_tree() == ""


def test_moves_that_make_no_tree_are_refused(cast: Cast) -> None:
    before = snapshot()
    for node, parent in (
        (cast.a.compound, cast.a.building),
        (cast.a.compound, cast.a.compound),
        (cast.a.grid, cast.b.building),
        (cast.street, cast.other_street),
        (cast.a.grid, cast.other_street),
        (cast.a.node, cast.b.node),
    ):
        with pytest.raises(Invalid):
            move_node(actor=cast.admin, node=node, parent=parent)
    with pytest.raises(NotFound):
        move_node(actor=cast.admin, node=cast.a.grid, parent=cast.other_county_community)
    with pytest.raises(Invalid, match="别的县"):
        move_node(actor=SYSTEM, node=cast.a.grid, parent=cast.other_county_community)
    with pytest.raises(Conflict):
        move_node(actor=cast.admin, node=cast.a.grid, parent=cast.b.compound)
    assert snapshot() == before


def test_a_stale_tree_number_is_a_conflict_and_not_a_wrong_lock(cast: Cast) -> None:
    old = again(cast.a.building)
    move_node(actor=cast.admin, node=cast.a.node, parent=cast.other_street)
    with pytest.raises(Conflict, match="别的街道"):
        rename_node(actor=cast.admin, node=old, name="新楼")


# --- Retiring -------------------------------------------------------------------------------------------------------


def test_a_node_in_use_is_not_retired_and_the_message_counts_what_holds_it(cast: Cast) -> None:
    before = snapshot()
    with pytest.raises(Conflict, match="1 个在用的下级"):
        retire_node(actor=cast.admin, node=cast.a.building, reason="已拆除")
    demand = make_demand(cast.a.other_building, cast.category)
    make_appointment(cast.nobody, "building_head", cast.a.other_building)
    with pytest.raises(Conflict, match="1 条未销号的需求"):
        retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    assert snapshot() == before
    assert Appointment.objects.get(node=cast.a.other_building).end is None

    demand.state = DemandState.CLOSED_OFF
    demand.save()
    node = retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除", successor=cast.a.building)
    assert node.is_retired
    assert node.successor == cast.a.building
    assert check_tree() == ""


def test_a_retired_node_is_not_touched_again(cast: Cast) -> None:
    node = retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    before = snapshot()
    for attempt in (
        lambda: rename_node(actor=cast.admin, node=node, name="新楼"),
        lambda: describe_node(actor=cast.admin, node=node, households=1),
        lambda: move_node(actor=cast.admin, node=node, parent=cast.a.compound),
        lambda: create_node(actor=cast.admin, parent=node, level="floor", name="1 层"),
        lambda: retire_node(actor=cast.admin, node=node, reason="再撤一次"),
    ):
        with pytest.raises(Conflict, match="已撤销"):
            attempt()
    assert snapshot() == before


def test_retiring_wants_a_reason_and_a_successor_that_will_do(cast: Cast) -> None:
    before = snapshot()
    with pytest.raises(Invalid):
        retire_node(actor=cast.admin, node=cast.a.other_building, reason=" ")
    with pytest.raises(Invalid):
        retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除", successor=cast.a.other_building)
    with pytest.raises(Invalid):
        retire_node(actor=SYSTEM, node=cast.a.other_building, reason="已拆除", successor=cast.other_county_community)
    with pytest.raises(NotFound):
        retire_node(
            actor=cast.admin, node=cast.a.other_building, reason="已拆除", successor=cast.other_county_community
        )
    assert snapshot() == before


# --- check_tree finds what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"rght": 99}, "右边界"),
        ({"lft": 5}, "左边界"),
        ({"depth": 7}, "深度"),
        ({"tree_id": 77}, "树 77 的第一个节点不是它的根"),
        ({"path": "别处"}, "位置"),
        ({"community_id": None}, "所属社区"),
        ({"retired_at": "2026-01-01T00:00Z"}, "上级却已撤销"),
    ],
)
def test_check_tree_names_a_damaged_node(cast: Cast, damage: dict[str, object], words: str) -> None:
    assert check_tree() == ""
    GridNode.objects.filter(pk=cast.a.grid.pk).update(**damage)
    assert words in check_tree()


def test_check_tree_finds_a_parent_level_or_county_that_contradicts_the_bounds(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.entrance.pk).update(parent=cast.a.other_building)
    assert "按边界应为" in check_tree()
    GridNode.objects.filter(pk=cast.a.entrance.pk).update(parent=cast.a.building)
    GridNode.objects.filter(pk=cast.a.entrance.pk).update(level_type=cast.a.compound.level_type)
    assert "层级不在上级的层级之后" in check_tree()
    GridNode.objects.filter(pk=cast.a.entrance.pk).update(level_type=cast.a.entrance.level_type)
    GridNode.objects.filter(pk=cast.a.entrance.pk).update(county=cast.other_county)
    assert "不在同一个县" in check_tree()


def test_check_tree_finds_two_streets_that_share_a_number(cast: Cast) -> None:
    GridNode.objects.filter(tree_id=cast.other_street.tree_id).update(tree_id=cast.street.tree_id)
    assert "右边界" in check_tree() or "左边界" in check_tree()


def test_check_tree_finds_rows_whose_community_is_not_true(cast: Cast) -> None:
    demand = make_demand(cast.a.building, cast.category, community_id=cast.b.node.pk)
    assert f"需求 {demand.pk}" in check_tree()
    demand.state = DemandState.CLOSED_OFF
    demand.save()
    assert check_tree() == ""
    demand.community = cast.a.grid
    demand.save()
    assert "所属社区不是社区" in check_tree()


def test_check_tree_finds_open_rows_on_a_retired_node(cast: Cast) -> None:
    retire_node(actor=cast.admin, node=cast.a.other_building, reason="已拆除")
    make_demand(cast.a.other_building, cast.category)
    assert "已撤销" in check_tree()


def test_counts_and_timeline_follow_the_open_demands_to_the_other_community(cast: Cast) -> None:
    demands = [make_demand(cast.a.floor, cast.category) for _number in range(3)]
    make_demand(cast.a.other_building, cast.category)
    rebuild_tallies(cast.county)
    move_node(actor=cast.admin, node=cast.a.building, parent=cast.b.compound)
    refresh_tallies()
    assert list(differences(cast.county)) == []
    counted = {row.community_id: row.registered for row in Tally.objects.all()}
    assert counted == {cast.a.node.pk: 1, cast.b.node.pk: 3}
    event = DemandEvent.objects.get(demand=demands[0])
    assert event.title == "随“1 号楼”调整，转由城北社区办理"
    assert event.actor == cast.admin
