"""The tree at the desk: opened branch by branch, searched, and changed by deeds that show first what they will do."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from core.models import AuditEntry
from grids.actions import NewPart, merge_nodes, split_node
from grids.models import Appointment, GridNode
from services.models import Demand
from tests.cast import Cast
from tests.factories import check_in, make_appointment, make_cadre, make_demand, make_node
from tests.governance.test_admin_matrix import signed_in
from tests.governance.test_admin_pages import confirmed, sent, text_of

pytestmark = pytest.mark.django_db
COUNTS = json.loads((Path(__file__).parents[1] / "query_counts.json").read_text())
TREE = "/admin/grids/gridnode/tree/"


def names(answer: HttpResponse) -> list[str]:
    """The places on the page, in order."""
    assert answer.status_code == 200
    return re.findall(r'class="tree__name"\s+href="[^"]*">([^<]*)<', text_of(answer))


def again(node: GridNode) -> GridNode:
    return GridNode.objects.select_related("county", "level_type", "parent").get(pk=node.pk)


# --- The tree -------------------------------------------------------------------------------------------------------


def test_the_tree_begins_where_ones_sight_begins(cast: Cast) -> None:
    assert names(signed_in(cast.admin).get(TREE)) == ["城北街道", "城南街道"]
    assert names(signed_in(cast.street_officer).get(TREE)) == ["城北街道"]
    assert names(signed_in(cast.a.officer).get(TREE)) == ["白龙塘社区"]
    make_appointment(cast.a.officer, "community_officer", cast.b.node)
    make_appointment(cast.a.officer, "grid_keeper", cast.a.grid)
    assert names(signed_in(cast.a.officer).get(TREE)) == ["白龙塘社区", "城北社区"]


def test_a_branch_opens_by_a_link_and_the_address_remembers_it(cast: Cast) -> None:
    client = signed_in(cast.admin)
    first = text_of(client.get(TREE))
    toggle = re.search(rf'href="([^"]+)"\s+rel="nofollow"\s+data-branch="{cast.street.pk}"', first)
    assert toggle
    opened = client.get(toggle[1].replace("&amp;", "&"))
    assert names(opened) == ["城北街道", "白龙塘社区", "城北社区", "新民社区", "城南街道"]
    assert 'aria-expanded="true"' in text_of(opened)
    both = client.get(TREE, {"open": f"{cast.street.pk},{cast.a.node.pk}"})
    assert names(both) == ["城北街道", "白龙塘社区", "和谐小区", "城北社区", "新民社区", "城南街道"]


def test_the_script_is_given_one_branch(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert names(client.get(TREE, {"branch": cast.street.pk})) == ["白龙塘社区", "城北社区", "新民社区"]
    assert "<html" not in text_of(client.get(TREE, {"branch": cast.street.pk}))
    assert signed_in(cast.b.officer).get(TREE, {"branch": cast.a.node.pk}).status_code == 404


def test_nothing_out_of_sight_stands_in_the_tree(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    opened = ",".join(str(pk) for pk in GridNode.objects.values_list("pk", flat=True))
    page = text_of(client.get(TREE, {"open": opened}))
    assert "城北社区" not in page
    assert "城关社区" not in page
    for node in (cast.b.node, cast.street, cast.other_county_community):
        assert client.get(TREE, {"at": node.pk}).status_code == 404
    assert signed_in(cast.auditor).get(TREE).status_code == 403


@pytest.mark.parametrize("asked", ["at=x", "open=a,b,,9", "page=0", "page=99999999999", "branch=-1", "at=0"])
def test_an_address_by_hand_does_no_harm(cast: Cast, asked: str) -> None:
    assert signed_in(cast.admin).get(f"{TREE}?{asked}").status_code == 200


def test_a_row_says_what_one_asks_of_a_place(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.grid.pk).update(households=712)
    page = text_of(signed_in(cast.a.officer).get(TREE, {"at": cast.a.compound.pk}))
    for words in ("第一网格", cast.a.grid.code, "712 户", "规模不合", "2 个楼栋", "网格员甲"):
        assert words in page, words
    page = text_of(signed_in(cast.a.officer).get(TREE, {"at": cast.a.grid.pk}))
    assert page.count("空缺") == 1, "one of the two buildings has nobody"


def test_only_buttons_that_open_are_drawn(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    page = text_of(client.get(TREE))
    own = set(re.findall(r'href="([^"]*)"[^>]*>\s*(改名|拆分|撤销|新建下级)', page))
    assert {words for _link, words in own} == {"新建下级"}, "a community keeps what is below it, not itself"
    page = text_of(client.get(TREE, {"at": cast.a.compound.pk}))
    menu = re.findall(r'<div class="tree__menu">(.*?)</div>', page, re.S)
    links = re.findall(r'href="([^"]*)"', menu[0])
    assert len(links) == 8
    for link in links:
        assert client.get(link.replace("&amp;", "&")).status_code == 200, link
    assert "tree__menu" not in text_of(signed_in(cast.department).get(TREE))


def test_a_new_place_is_made_from_its_row(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    address = f"{reverse('admin:grids_gridnode_add')}?parent={cast.a.grid.pk}"
    page = text_of(client.get(address))
    assert cast.a.grid.path in page
    levels = re.findall(r'<option value="(\w*)"', page.split('name="level"')[1].split("</select>")[0])
    assert levels == ["", "building", "unit_entrance", "floor_section", "floor"], "what can stand below a grid"
    stranger = f"{reverse('admin:grids_gridnode_add')}?parent={cast.b.grid.pk}"
    assert client.get(stranger).status_code == 404


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 号楼", ["1 号楼", "1 单元", "1 层"]),
        ("网格员甲", ["第一网格"]),
        ("解放路", ["2 号楼"]),
        ("和谐 2 号", ["2 号楼"]),
        ("没有这里", []),
    ],
)
def test_a_place_is_found_by_name_address_and_person(cast: Cast, text: str, found: list[str]) -> None:
    GridNode.objects.filter(pk=cast.a.other_building.pk).update(address="解放路 8 号")
    assert names(signed_in(cast.a.officer).get(TREE, {"q": text})) == found


def test_a_search_by_code_and_inside_one_place(cast: Cast) -> None:
    client = signed_in(cast.admin)
    assert names(client.get(TREE, {"q": cast.b.grid.code}))[:1] == ["第一网格"]
    assert len(names(client.get(TREE, {"q": "2 号楼"}))) == 2
    assert names(client.get(TREE, {"q": "2 号楼", "at": cast.b.node.pk})) == ["2 号楼"]
    assert names(signed_in(cast.a.officer).get(TREE, {"q": "网格员乙"})) == []


def test_a_wide_level_is_read_page_by_page(cast: Cast) -> None:
    parent = make_node(cast.a.node, "grid", "大网格")
    for number in range(1, 61):
        make_node(again(parent), "building", f"{number} 栋")
    client = signed_in(cast.a.officer)
    first = client.get(TREE, {"at": parent.pk})
    assert names(first) == [f"{number} 栋" for number in range(1, 51)]
    assert f"at={parent.pk}&amp;page=2" in text_of(first)
    assert names(client.get(TREE, {"at": parent.pk, "page": 2})) == [f"{number} 栋" for number in range(51, 61)]
    branch = text_of(client.get(TREE, {"branch": parent.pk}))
    assert "还有 10 个" in branch


@pytest.mark.parametrize("rows", [3, 60])
def test_a_page_of_the_tree_costs_a_fixed_number_of_queries(cast: Cast, rows: int) -> None:
    for number in range(rows):
        node = make_node(again(cast.a.grid), "building", f"{number} 栋")
        make_node(node, "unit_entrance", "1 单元")
        make_cadre(f"楼栋长{number}", "building_head", node)
    client = signed_in(cast.admin)
    opened = ",".join(str(node.pk) for node in (cast.street, cast.a.node, cast.a.compound, cast.a.grid))
    client.get(TREE)
    for key, asked in {
        "admin.tree": {"open": opened},
        "admin.tree_level": {"at": cast.a.grid.pk},
        "admin.tree_found": {"q": "栋"},
        "admin.tree_branch": {"branch": cast.a.grid.pk},
    }.items():
        with CaptureQueriesContext(connection) as captured:
            assert client.get(TREE, asked).status_code == 200
        assert len(captured) == COUNTS[key], key


# --- Deeds that show first what they will do ------------------------------------------------------------------------


def test_retiring_shows_what_hangs_and_then_does_it(cast: Cast) -> None:
    node = cast.a.other_building
    demand = make_demand(node, cast.category)
    check_in(cast.idle_unit, node)
    client = signed_in(cast.a.officer)
    data = {"reason": "已拆除", "successor": cast.a.building.path, "version": 1}
    page = text_of(sent(client, GridNode, data, to=node, deed="retire"))
    for words in ("1 条未销号的需求", "1 条未结束的单位报到", demand.code, "转到承接者", "到当天结束", "确认撤销"):
        assert words in page, words
    assert not again(node).is_retired
    chosen = {**data, "choice.services.unitcheckin": "end"}
    assert confirmed(client, GridNode, chosen, to=node, deed="retire").status_code == 302
    assert again(node).successor_id == cast.a.building.pk
    assert Demand.objects.get().node_id == cast.a.building.pk
    assert not cast.idle_unit.checkins.filter(end=None).exists()


def test_what_must_be_seen_to_first_stands_in_the_way_and_says_where(cast: Cast) -> None:
    node = cast.a.other_building
    make_demand(node, cast.category)
    client = signed_in(cast.a.officer)
    page = text_of(sent(client, GridNode, {"reason": "拆除", "version": 1}, to=node, deed="retire"))
    assert "请先处理" in page
    assert f"/admin/services/demand/?place={node.pk}" in page
    assert 'name="seen"' not in page
    forced = {"reason": "拆除", "version": 1, "seen": "0" * 64}
    assert "请先处理" in text_of(sent(client, GridNode, forced, to=node, deed="retire"))
    assert not again(node).is_retired


def test_what_changed_since_it_was_shown_is_shown_again(cast: Cast) -> None:
    node = cast.a.other_building
    client = signed_in(cast.a.officer)
    data = {"reason": "拆除", "successor": cast.a.building.path, "version": 1}
    seal = re.search(r'name="seen"\s+value="(\w+)"', text_of(sent(client, GridNode, data, to=node, deed="retire")))
    assert seal
    make_demand(node, cast.category)
    page = text_of(sent(client, GridNode, {**data, "seen": seal[1]}, to=node, deed="retire"))
    assert "请再看一遍" in page and "1 条未销号的需求" in page
    other = {**data, "reason": "别的理由", "seen": seal[1]}
    assert "请再看一遍" in text_of(sent(client, GridNode, other, to=node, deed="retire"))
    assert not again(node).is_retired


def test_an_old_page_is_told_so(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    for deed, data in (
        ("retire", {"reason": "拆除"}),
        ("merge", {"reason": "合并", "other": cast.a.building.path}),
        ("split", {"reason": "拆分", "name_1": "3 号楼"}),
        ("move", {"parent": cast.a.node.path}),
    ):
        if deed == "merge":
            data = {"reason": "合并", "sources": [cast.a.building.pk]}
        answer = sent(client, GridNode, {**data, "version": 9}, to=cast.a.other_building, deed=deed)
        assert answer.status_code == 409, deed
    assert not AuditEntry.objects.filter(action__startswith="node.").exists()


def test_a_grid_is_split_at_the_desk(cast: Cast) -> None:
    client = signed_in(cast.a.officer)
    GridNode.objects.filter(pk=cast.a.grid.pk).update(households=900)
    data: dict[str, Any] = {
        "name_1": "第二网格",
        "households_1": 410,
        f"divide-{cast.a.other_building.pk}": "1",
        f"divide-{cast.a.building.pk}": "0",
        "households": 490,
        "reason": "超过 500 户",
        "version": 1,
    }
    page = text_of(sent(client, GridNode, data, to=cast.a.grid, deed="split"))
    assert "新建“第二网格”，与“第一网格”并列；划过去：2 号楼。" in page
    assert GridNode.objects.filter(level_type__key="grid", parent=cast.a.compound).count() == 1, "only shown so far"
    assert confirmed(client, GridNode, data, to=cast.a.grid, deed="split").status_code == 302
    new = GridNode.objects.get(name="第二网格")
    assert (new.households, again(cast.a.grid).households) == (410, 490)
    assert again(cast.a.other_building).parent_id == new.pk
    wrong = {"name_1": "第三网格", f"divide-{cast.a.building.pk}": "2", "reason": "调整", "version": 2}
    assert "请填写名称" in text_of(sent(client, GridNode, wrong, to=cast.a.grid, deed="split"))


def test_neighbours_and_one_from_elsewhere_are_merged_at_the_desk(cast: Cast) -> None:
    a = cast.a
    (beside,) = split_node(actor=cast.admin, node=again(a.grid), parts=[NewPart("第二网格")], reason="x")
    far = make_node(a.node, "grid", "第九网格", households=120, code="610724001001909")
    GridNode.objects.filter(pk__in=[a.grid.pk, beside.pk]).update(households=200)
    client = signed_in(a.officer)
    nothing = sent(client, GridNode, {"reason": "x", "version": again(a.grid).version}, to=a.grid, deed="merge")
    assert "请选择要并入的" in text_of(nothing)
    data = {"sources": [beside.pk], "other": far.path, "reason": "户数太少", "version": again(a.grid).version}
    page = text_of(sent(client, GridNode, data, to=a.grid, deed="merge"))
    assert "“第二网格”撤销" in page and "“第九网格”撤销" in page
    assert confirmed(client, GridNode, data, to=a.grid, deed="merge").status_code == 302
    assert again(a.grid).households == 520, "the sum, when nobody says otherwise"
    assert again(far).successor_id == a.grid.pk


def test_what_the_deed_would_refuse_is_said_before(cast: Cast) -> None:
    (beside,) = split_node(actor=cast.admin, node=again(cast.a.grid), parts=[NewPart("第二网格")], reason="x")
    make_node(again(beside), "building", "1 号楼")
    data = {"sources": [beside.pk], "reason": "合并", "version": again(cast.a.grid).version}
    page = text_of(sent(signed_in(cast.a.officer), GridNode, data, to=cast.a.grid, deed="merge"))
    assert "同名的下级" in page
    assert 'name="seen"' not in page


# --- A place's own page ---------------------------------------------------------------------------------------------


def test_the_page_of_a_place_tells_its_past(cast: Cast) -> None:
    (new,) = split_node(
        actor=cast.a.officer, node=again(cast.a.grid), parts=[NewPart("第二网格")], reason="超过 500 户"
    )
    merge_nodes(actor=cast.a.officer, node=again(cast.a.grid), sources=[again(new)], reason="合回来")
    demand = make_demand(cast.a.building, cast.category)
    client = signed_in(cast.a.officer)
    page = text_of(client.get(reverse("admin:grids_gridnode_change", args=[cast.a.grid.pk])))
    for words in ("拆分网格", "合并网格", "超过 500 户", "两委甲", f"登记需求：{cast.category.name}", "到任：网格员甲"):
        assert words in page, words
    assert demand.title not in page, "a title is what a resident wrote"
    only = text_of(client.get(reverse("admin:grids_gridnode_change", args=[cast.a.grid.pk]), {"kind": "需求"}))
    assert "登记需求" in only and "合回来" not in only
    department = text_of(signed_in(cast.admin).get(reverse("admin:grids_gridnode_change", args=[cast.a.grid.pk])))
    assert "登记需求" not in department, "an administrator sees no matters"
    assert Appointment.objects.filter(node=cast.a.grid).exists()


def test_the_list_of_places_inside_a_street_begins_with_the_street(cast: Cast) -> None:
    listed = text_of(signed_in(cast.admin).get(f"/admin/grids/gridnode/?place={cast.street.pk}"))
    assert f"/admin/grids/gridnode/{cast.street.pk}/change/" in listed
    assert f"/admin/grids/gridnode/{cast.other_street.pk}/change/" not in listed
