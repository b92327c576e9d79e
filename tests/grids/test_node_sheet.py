"""The tree comes from Excel, in either shape, in any order, and goes back to it."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.actors import SYSTEM
from core.errors import Forbidden
from core.models import AuditEntry, Job, User
from core.sheets import sheet_of
from core.sheets.jobs import export
from grids.actions import create_county, create_node, retire_node
from grids.models import County, GridNode
from grids.soundness import faults
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.core.test_sheets import figures, table

pytestmark = pytest.mark.django_db

LONG = ("层级", "名称", "上级编码", "编码", "户数")
# Children before their parents.
ROWS = (
    ["楼栋", "1 号楼", "W1", "", "60"],
    ["网格", "第一网格", "610724001001", "W1", "420"],
    ["社区", "东社区", "610724001000", "610724001001", ""],
    ["街道", "城北街道", "", "610724001", ""],
    ["网格", "第二网格", "610724001001", "610724001001007", "380"],
)
WIDE = ("镇街", "社区（村）", "小区", "网格", "楼号", "单元", "户数", "地址")
PATHS = (
    ["城北街道", "东社区", "", "第一网格", "1 号楼", "1 单元", "12", ""],
    ["城北街道", "东社区", "", "第一网格", "1 号楼", "2 单元", "12", ""],
    ["城北街道", "东社区", "", "第一网格", "", "", "420", "东风路 8 号"],
    ["城北街道", "西社区", "和谐小区", "", "3 号楼", "", "", ""],
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def county() -> County:
    return create_county(actor=SYSTEM, code="610724", name="西乡县", preset="xixiang")


@pytest.fixture
def admin(county: County) -> User:
    return make.make_cadre("管理员", "county_admin", county)


def brought(
    actor: User, content: bytes, *, update: bool = False, keep_good: bool = False, name: str = "网格.csv"
) -> Job:
    """Dry run, and the import where the dry run lets it; the trees are sound afterwards."""
    job = checked(actor, sheet_of("nodes"), content, update=update, name=name)
    assert not job.error, job.error
    if keep_good or not job.report["sheet"]["bad_rows"]:
        job = confirmed(actor, job, keep_good=keep_good)
        assert not job.error, job.error
    assert list(faults()) == []
    return job


def long(*rows: list[str], headers: tuple[str, ...] = LONG) -> bytes:
    return table(*rows, headers=headers)


def faults_of(job: Job) -> list[str]:
    return [f"{row} {column} {reason}" for row, column, reason, _value in job.report["sheet"]["errors"]]


def notes_of(job: Job) -> str:
    return "\n".join(job.report["sheet"]["notes"])


def paths() -> list[str]:
    return [node.path for node in GridNode.objects.standing().order_by("tree_id", "lft")]


def everything() -> list[Any]:
    columns = ("pk", "path", "code", "external_code", "households", "address", "lft", "rght", "version")
    return list(GridNode.objects.order_by("pk").values_list(*columns))


# --- The way in -----------------------------------------------------------------------------------------------------


def test_a_long_table_makes_the_tree_whatever_the_order_of_its_rows(admin: User) -> None:
    job = brought(admin, long(*ROWS))
    assert figures(job) == (5, 0, 0, 0)
    assert paths() == [
        "城北街道",
        "城北街道 · 东社区",
        "城北街道 · 东社区 · 第一网格",
        "城北街道 · 东社区 · 第一网格 · 1 号楼",
        "城北街道 · 东社区 · 第二网格",
    ]
    first, second = (GridNode.objects.get(name=name) for name in ("第一网格", "第二网格"))
    # A code by the rule stays, another one is kept beside the portal's own.
    assert (second.code, second.external_code) == ("610724001001007", "")
    assert (first.code, first.external_code, first.households) == ("610724001001008", "W1", 420)
    assert "1 行的编码不合系统的编排规则" in notes_of(job)
    assert AuditEntry.objects.filter(action="node.create").count() == 5
    assert AuditEntry.objects.get(action="sheet.import").label == "西乡县 网格"


def test_a_wide_table_makes_what_is_on_the_way_once(admin: User) -> None:
    job = brought(admin, table(*PATHS, headers=WIDE))
    assert figures(job) == (4, 0, 0, 0)
    assert "另有 5 个上级在表里没有单独成行，一并新建" in notes_of(job)
    assert paths() == [
        "城北街道",
        "城北街道 · 东社区",
        "城北街道 · 东社区 · 第一网格",
        "城北街道 · 东社区 · 第一网格 · 1 号楼",
        "城北街道 · 东社区 · 第一网格 · 1 号楼 · 1 单元",
        "城北街道 · 东社区 · 第一网格 · 1 号楼 · 2 单元",
        "城北街道 · 西社区",
        "城北街道 · 西社区 · 和谐小区",
        "城北街道 · 西社区 · 和谐小区 · 3 号楼",
    ]
    grid = GridNode.objects.get(name="第一网格")
    assert (grid.households, grid.address) == (420, "东风路 8 号")
    assert GridNode.objects.get(name="东社区").code == "610724001001"


@pytest.mark.parametrize("content", [long(*ROWS), table(*PATHS, headers=WIDE)])
def test_the_same_table_twice_changes_nothing(admin: User, content: bytes) -> None:
    brought(admin, content)
    before = everything()
    for update in (False, True):
        again = checked(admin, sheet_of("nodes"), content, update=update)
        assert figures(again) == (0, 0, len(content.splitlines()) - 1, 0), faults_of(again)
    assert everything() == before


def test_new_rows_come_last_among_their_siblings_in_streets_that_stand(cast: Cast) -> None:
    rows = (
        ["楼栋", "3 号楼", cast.a.grid.code, "", ""],
        ["网格", "第二网格", cast.b.node.code, "", ""],
        ["社区", "河西社区", cast.street.code, "", ""],
        ["楼栋", "4 号楼", cast.a.grid.code, "", ""],
        ["单元", "9 单元", cast.b.building.code, "", ""],
        ["街道", "城东街道", "", "", ""],
    )
    before = len(paths())
    job = brought(cast.admin, long(*rows))
    assert figures(job) == (6, 0, 0, 0)
    assert len(paths()) == before + 6
    names = [node.name for node in GridNode.objects.filter(parent=cast.a.grid).order_by("lft")]
    assert names == ["1 号楼", "2 号楼", "3 号楼", "4 号楼"]
    assert [node.name for node in cast.street.get_children()][-1] == "河西社区"
    assert GridNode.objects.get(name="河西社区").community.name == "河西社区"


@pytest.mark.parametrize(
    ("header", "words"),
    [("上级", "城北街道 · 东社区"), ("上级位置", "城北街道/东社区"), ("上级", "东社区"), ("上级名称", "610724001001")],
)
def test_a_parent_is_named_by_path_name_or_code(admin: User, header: str, words: str) -> None:
    rows = (["网格", "第一网格", words, ""], ["社区", "东社区", "城北街道", "610724001001"], ["镇", "城北街道", "", ""])
    job = brought(admin, table(*rows, headers=("级别", "网格名称", header, "区划代码")))
    assert figures(job) == (3, 0, 0, 0), faults_of(job)
    assert paths()[-1] == "城北街道 · 东社区 · 第一网格"
    assert GridNode.objects.get(name="城北街道").code == "610724001000"


def test_names_that_are_not_the_only_ones_are_told_apart_by_street_and_community(admin: User) -> None:
    headers = ("层级", "名称", "上级", "所属街道", "所属社区")
    rows = (
        ["街道", "城北街道", "", "", ""],
        ["街道", "城南街道", "", "", ""],
        ["社区", "东社区", "", "城北街道", ""],
        ["社区", "东社区", "", "城南街道", ""],
        ["网格", "第一网格", "", "城北街道", "东社区"],
        ["网格", "第一网格", "", "城南街道", "东社区"],
        ["楼栋", "1 号楼", "第一网格", "城南街道", "东社区"],
    )
    brought(admin, table(*rows, headers=headers))
    assert GridNode.objects.get(name="1 号楼").path == "城南街道 · 东社区 · 第一网格 · 1 号楼"
    job = brought(admin, table(["楼栋", "2 号楼", "第一网格", "", ""], headers=headers))
    assert faults_of(job) == ["2 上级 有不止一处叫“第一网格”，请改填上级的编码或完整位置"]


# --- What will not do ----------------------------------------------------------------------------------------------


def test_faults_name_their_row_and_what_to_do(cast: Cast) -> None:
    before = everything()
    rows = (
        ["街道", "城东街道", "", "611025001", ""],
        ["大队", "甲", cast.street.code, "", ""],
        ["网格", "乙", "", "", ""],
        ["网格", "丙", "000", "", ""],
        ["网格", "丁", cast.street.code, "", ""],
        ["社区", "戊", cast.a.node.code, "", ""],
        ["小区", "己", cast.a.grid.code, "", ""],
        ["楼栋", "庚", cast.a.grid.code, "", "许多"],
        ["楼栋", "辛·壬", cast.a.grid.code, "", ""],
        ["楼栋", "癸", cast.a.grid.code, "X1", ""],
        ["楼栋", "子", cast.a.grid.code, "x1", ""],
        ["楼栋", "丑", cast.a.grid.code, "", ""],
        ["楼栋", "丑", cast.a.grid.code, "", ""],
        ["社区", "寅", cast.street.code, "610724002009", ""],
        ["街道", "卯", cast.street.code, "", ""],
        ["楼栋", "", cast.a.grid.code, "", ""],
        ["社区", "辰", cast.street.code, cast.other_county_community.code, ""],
    )
    job = brought(cast.admin, long(*rows))
    found = faults_of(job)
    expected = [
        "2 编码 编码 611025001000 不在本县：应以 610724 开头",
        "3 层级 “大队”不在可选项里",
        "4 上级 请填写上级",
        "5 上级编码 没有找到上级“000”",
        "6 上级编码 “网格”要设在某个社区之下",
        "7 上级编码 “社区”不能设在“社区”之下",
        "8 上级编码 “小区”不能设在“网格”之下",
        "9 户数 户数请填写 0 至 1,000,000 的整数",
        "10 名称 名称里不能用“·”",
        "12 编码 与第 11 行的编码相同",
        "14 名称 与第 13 行重名",
        "15 编码 编码 610724002009 应以所在街道的编码 610724001 开头",
        "16 上级 “街道”直接属于县",
        "17 名称 必填，不能为空",
        "18 编码 编码 611025001001 不在本县",
    ]
    assert len(found) == len(expected)
    for line, beginning in zip(found, expected, strict=True):
        assert line.startswith(beginning)
    assert everything() == before


def test_circles_are_told_with_their_rows(admin: User) -> None:
    rows = (
        ["网格", "甲", "B", "A", ""],
        ["楼栋", "乙", "A", "B", ""],
        ["网格", "丙", "C", "C", ""],
        ["单元", "丁", "B", "", ""],
    )
    found = faults_of(brought(admin, long(*rows)))
    assert found[0] == "2 上级编码 上级绕成了圈：第 2 → 3 → 2 行互为上级"
    assert "3 上级 它的上级“甲”（第 2 行）有错误，要先改好" in found
    assert "4 上级编码 上级填成了它自己" in found
    assert "5 上级 它的上级“乙”（第 3 行）有错误，要先改好" in found
    assert not GridNode.objects.exists()


def test_one_bad_row_leaves_out_itself_and_what_hangs_on_it(admin: User) -> None:
    rows = (*ROWS, ["楼栋", "2 号楼", "W2", "", ""], ["网格", "第三网格", "610724001001", "W2", "很多"])
    job = brought(admin, long(*rows))
    assert figures(job)[3] == 2
    assert not GridNode.objects.exists()
    job = brought(admin, long(*rows), keep_good=True)
    assert figures(job) == (5, 0, 0, 2)
    assert len(paths()) == 5


def test_two_streets_of_one_code_are_refused(admin: User) -> None:
    rows = (["街道", "城北街道", "", "610724001", ""], ["街道", "城东街道", "", "610724001000", ""])
    assert faults_of(brought(admin, long(*rows))) == ["3 编码 与第 2 行的编码相同"]
    brought(admin, long(rows[0]))
    found = faults_of(brought(admin, long(rows[1])))
    assert "已有“城北街道”，名称与表格不同" in found[0]


def test_a_retired_parent_says_who_took_over(cast: Cast) -> None:
    heir = make.make_node(cast.a.node, "grid", "第九网格")
    old = make.make_node(cast.a.node, "grid", "老网格")
    retire_node(actor=SYSTEM, node=old, successor=heir, reason="合并")
    rows = (["楼栋", "7 号楼", old.code, "", ""], ["网格", "老网格", cast.a.node.code, "", ""])
    found = faults_of(brought(cast.admin, long(*rows)))
    words = f"“{old.path}”（{old.code}）已撤销，由“{heir.path}”（{heir.code}）承接，请改填它"
    assert found == [f"2 上级编码 {words}", f"3 名称 {words}"]


def test_a_grid_of_another_size_is_remarked_on_and_comes_in(admin: User) -> None:
    rows = [list(row) for row in ROWS]
    rows[1][4], rows[4][4] = "820", "120户"
    job = brought(admin, long(*rows))
    assert figures(job) == (5, 0, 0, 0)
    assert "2 个网格不在 300 至 500 户之间，请核实；不影响导入。例如第 3 行“第一网格”820 户、第 6 行" in notes_of(job)


def test_wide_rows_that_will_not_do(cast: Cast) -> None:
    headers = ("街道", "社区", "小区", "网格", "楼栋", "编码", "户数")
    street, community = cast.street.name, cast.a.node.name
    rows = (
        ["", "", "", "", "", "", "5"],
        [street, "", "", "第五网格", "", "", ""],
        ["", "和平社区", "", "第六网格", "", "", ""],
        [street, community, "甲小区", "", "", "", "1"],
        [street, community, "甲小区", "", "", "", "2"],
        [street, community, "乙·小区", "", "1 号楼", "", ""],
    )
    found = faults_of(brought(cast.admin, table(*rows, headers=headers)))
    assert found[0].startswith("2  这一行没有填任何一级的名称")
    assert found[1] == "3 网格 “网格”要设在某个社区之下，不能直接设在“街道”之下"
    assert found[2] == "4 社区 请补上街道：没有叫“和平社区”的社区，或不止一个"
    assert "6 小区 与第 5 行是同一处，内容却不同" in found
    assert "7 小区 名称里不能用“·”" in found
    assert "7 上级 它的上级“乙·小区”（第 7 行）有错误，要先改好" in found


# --- Changing what stands -------------------------------------------------------------------------------------------


def test_names_and_facts_follow_the_table_only_when_asked_to(cast: Cast) -> None:
    headers = ("层级", "名称", "编码", "户数", "地址", "网格类型")
    rows = (
        ["网格", "东方网格", cast.a.grid.code, "333", "", "专属网格"],
        ["楼栋", "2 号楼", cast.a.other_building.code, "", "东风路", ""],
        ["社区", "白龙塘社区", cast.a.node.code, "", "", ""],
    )
    before = everything()
    job = brought(cast.admin, table(*rows, headers=headers))
    assert faults_of(job)[0].startswith(
        "2 名称 已有“城北街道 · 白龙塘社区 · 和谐小区 · 第一网格”，名称、网格类型、户数与表格不同；"
    )
    assert everything() == before
    job = brought(cast.admin, table(*rows, headers=headers), update=True)
    assert figures(job) == (0, 2, 1, 0)
    cast.a.floor.refresh_from_db()
    assert cast.a.floor.path == "城北街道 · 白龙塘社区 · 和谐小区 · 东方网格 · 1 号楼 · 1 单元 · 1 层"
    grid = GridNode.objects.get(pk=cast.a.grid.pk)
    assert (grid.households, grid.kind, grid.version) == (333, "dedicated", 2)
    deeds = AuditEntry.objects.filter(chain=f"grids.gridnode:{grid.pk}").values_list("action", flat=True)
    assert sorted(deeds) == ["node.describe", "node.rename"]
    again = checked(cast.admin, sheet_of("nodes"), table(*rows, headers=headers), update=True)
    assert figures(again) == (0, 0, 3, 0)


def test_a_row_with_a_code_and_another_parent_moves_the_place(cast: Cast) -> None:
    rows = (
        ["网格", "第二网格", cast.b.compound.code, "", ""],
        ["楼栋", "2 号楼", cast.b.grid.code, cast.a.other_building.code, ""],
    )
    job = brought(cast.admin, long(*rows))
    assert "换" in notes_of(job) or "3 名称" in faults_of(job)[0] or "3 上级" in faults_of(job)[0]
    rows = (rows[0], ["楼栋", "甲楼", cast.b.grid.code, cast.a.other_building.code, ""])
    job = brought(cast.admin, long(*rows), update=True)
    assert figures(job) == (1, 1, 0, 0), faults_of(job)
    moved = GridNode.objects.get(pk=cast.a.other_building.pk)
    assert (moved.name, moved.parent, moved.community, moved.code) == (
        "甲楼",
        cast.b.grid,
        cast.b.node,
        cast.a.other_building.code,
    )


def test_a_place_is_not_moved_into_itself_nor_onto_a_name_that_is_taken(cast: Cast) -> None:
    rows = (
        ["小区", "和谐小区", "Q", cast.a.compound.code, ""],
        ["楼栋", "1 号楼", cast.b.grid.code, cast.a.building.code, ""],
        ["片区", "新片区", cast.a.node.code, "Q", ""],
        ["社区", "白龙塘社区", cast.other_street.code, cast.a.node.code, ""],
    )
    job = brought(cast.admin, long(*rows), update=True)
    assert faults_of(job) == [f"3 名称 同一个上级之下已有“1 号楼”（{cast.b.building.code}）"]


def test_rows_without_a_path_describe_the_place_of_their_code(cast: Cast) -> None:
    rows = ([cast.a.grid.code, "401"], ["没有的编码", "1"])
    job = brought(cast.admin, table(*rows, headers=("网格编码", "户数")), update=True, keep_good=True)
    assert figures(job) == (0, 1, 0, 1)
    assert GridNode.objects.get(pk=cast.a.grid.pk).households == 401


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_a_community_brings_in_what_lies_below_it_and_nothing_else(cast: Cast) -> None:
    wide = ("街道", "社区", "小区", "网格", "楼栋")
    here = [cast.street.name, cast.a.node.name, "和谐小区", "第一网格", "8 号楼"]
    assert figures(brought(cast.a.officer, table(here, headers=wide))) == (1, 0, 0, 0)
    # Its own file has no columns for what is the same in every row.
    assert figures(brought(cast.a.officer, table(["和谐小区", "第一网格", "9 号楼"], headers=wide[2:]))) == (1, 0, 0, 0)
    before = everything()
    there = [cast.street.name, cast.b.node.name, "和谐小区", "第一网格", "8 号楼"]
    found = faults_of(brought(cast.a.officer, table(there, headers=wide)))
    assert "不在您的管辖范围内" in found[0]
    rows = (
        ["楼栋", "10 号楼", cast.b.grid.code, "", ""],
        ["社区", "新社区", cast.street.code, "", ""],
        ["街道", "新街道", "", "", ""],
    )
    found = faults_of(brought(cast.a.officer, long(*rows)))
    assert "没有找到上级" in found[0]
    assert "不在您的管辖范围内" in found[1]
    assert "新建“街道”要由县级管理员办理" in found[2]
    rename = ["社区", "改名社区", "", cast.a.node.code, ""]
    found = faults_of(brought(cast.a.officer, long(rename), update=True))
    assert "不归您维护" in found[0]
    assert everything() == before


def test_a_street_brings_in_communities_of_its_own(cast: Cast) -> None:
    job = brought(
        cast.street_officer, table([cast.street.name, "江边社区", "第一网格"], headers=("街道", "社区", "网格"))
    )
    assert figures(job) == (1, 0, 0, 0)
    found = faults_of(
        brought(cast.street_officer, table([cast.other_street.name, "江边社区"], headers=("街道", "社区")))
    )
    assert "新建“街道”要由县级管理员办理" in "\n".join(found)
    for person in (cast.a.keeper, cast.department):
        with pytest.raises(Forbidden):
            checked(person, sheet_of("nodes"), long(*ROWS))


# --- Out again ------------------------------------------------------------------------------------------------------


def test_the_ledger_is_printable_and_comes_back_unchanged(cast: Cast) -> None:
    GridNode.objects.filter(pk=cast.a.grid.pk).update(households=420, address="东风路 8 号", external_code="S-1")
    ids = list(GridNode.objects.filter(tree_id=cast.street.tree_id).order_by("lft").values_list("pk", flat=True))
    content = export(actor=cast.admin, sheet=sheet_of("nodes"), ids=ids)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet["A1"].value == "网格台账"
    assert [cell.value for cell in sheet[3]][:5] == ["序号", "层级", "名称", "上级位置", "编码"]
    again = checked(cast.admin, sheet_of("nodes"), content, name="网格台账.xlsx", update=True)
    assert figures(again) == (0, 0, len(ids), 0), faults_of(again)
    partly = export(actor=cast.a.officer, sheet=sheet_of("nodes"), ids=ids)
    rows = [row[2].value for row in load_workbook(io.BytesIO(partly)).active.iter_rows(min_row=4)]
    assert "城北社区" not in rows
    assert "白龙塘社区" in rows


def test_what_went_out_builds_the_same_tree_again(admin: User) -> None:
    brought(admin, long(*ROWS))
    street = GridNode.objects.order_by("lft")
    content = export(actor=admin, sheet=sheet_of("nodes"), ids=list(street.values_list("pk", flat=True)))
    before = list(street.values_list("path", "code", "external_code", "households"))
    for node in reversed(street):
        GridNode.objects.filter(community=node).update(community=None)
        GridNode.objects.filter(pk=node.pk).delete()
    assert figures(brought(admin, content, name="网格台账.xlsx")) == (5, 0, 0, 0)
    assert list(street.all().values_list("path", "code", "external_code", "households")) == before


def test_a_street_made_meanwhile_is_not_made_twice(cast: Cast) -> None:
    content = long(["网格", "第二网格", cast.a.node.code, "", ""])
    check = checked(cast.admin, sheet_of("nodes"), content)
    create_node(actor=SYSTEM, parent=cast.a.node, level="grid", name="第二网格")
    job = confirmed(cast.admin, check)
    assert figures(job) == (0, 0, 1, 0)
