"""Levels come from Excel and go back to it."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.actors import SYSTEM
from core.models import Job
from core.sheets import sheet_of
from core.sheets.jobs import export
from core.spreadsheets import write_template
from grids.actions import create_county, create_node
from grids.models import County
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.core.test_sheets import figures, table

pytestmark = pytest.mark.django_db

HEADERS = ("层级名称", "类型", "负责人")
OURS = (
    ["镇街", "", "书记"],
    ["村社区", "", ""],
    ["综治网格", "网格", "网格长"],
    ["微网格", "", "微网格长"],
    ["楼栋", "", ""],
    ["单元", "", ""],
    ["楼层", "", ""],
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def county() -> County:
    return create_county(actor=SYSTEM, code="610724", name="西乡县", preset="standard")


@pytest.fixture
def admin(county: County) -> Any:
    return make.make_cadre("管理员", "county_admin", county)


def brought(admin: Any, content: bytes, *, update: bool = True) -> Job:
    check = checked(admin, sheet_of("levels"), content, update=update)
    if check.report["sheet"]["bad_rows"]:
        return check
    return confirmed(admin, check)


def faults_of(job: Job) -> list[str]:
    return [f"{row} {column} {reason}" for row, column, reason, _value in job.report["sheet"]["errors"]]


def levels(county: County) -> list[tuple[str, str, str]]:
    return [(level.key, level.name, level.holder_words) for level in county.levels.all()]


def test_a_countys_own_list_is_read_in_its_order(admin: Any, county: County) -> None:
    job = brought(admin, table(*OURS, headers=HEADERS))
    assert figures(job) == (1, 3, 3, 0)
    assert levels(county) == [
        ("street", "镇街", "书记"),
        ("community", "村社区", "社区党组织书记"),
        ("grid", "综治网格", "网格长"),
        ("own_1", "微网格", "微网格长"),
        ("building", "楼栋", "楼栋长"),
        ("unit_entrance", "单元", "单元长"),
        ("floor", "楼层", "楼层长"),
    ]
    again = checked(admin, sheet_of("levels"), table(*OURS, headers=HEADERS))
    assert figures(again) == (0, 0, 7, 0)


def test_what_differs_is_a_fault_unless_it_shall_be_changed(admin: Any, county: County) -> None:
    before = levels(county)
    job = brought(admin, table(["街道（镇）", "", "镇长"], ["社区（村）", "", ""], headers=HEADERS), update=False)
    assert faults_of(job) == ["2 负责人 已有这个层级，负责人与表格不同；要以表格为准，请勾选“更新已有的内容”"]
    assert levels(county) == before


def test_levels_the_table_does_not_name_stay_where_they_are(admin: Any, county: County) -> None:
    job = brought(admin, table(["网格", "网格", ""], ["小区", "", ""], headers=HEADERS), update=False)
    assert [key for key, _name, _holder in levels(county)] == [
        "street",
        "community",
        "grid",
        "compound",
        "building",
        "unit_entrance",
        "floor",
    ]
    assert any("仍然保留" in note for note in job.report["sheet"]["notes"])


def test_an_order_that_breaks_the_tree_is_refused_with_the_places(admin: Any, county: County) -> None:
    street = create_node(actor=SYSTEM, county=county, level="street", name="城北街道")
    community = create_node(actor=SYSTEM, parent=street, level="community", name="东社区")
    grid = create_node(actor=SYSTEM, parent=community, level="grid", name="第一网格")
    create_node(actor=SYSTEM, parent=grid, level="building", name="1 号楼")
    before = levels(county)
    job = brought(admin, table(["街道", ""], ["社区", ""], ["楼栋", ""], ["网格", ""], headers=HEADERS[:2]))
    assert "城北街道 · 东社区 · 第一网格 · 1 号楼" in faults_of(job)[0]
    assert levels(county) == before


def test_rows_that_will_not_do_say_why(admin: Any, county: County) -> None:
    rows = (["街道", "", "1"], ["街 道", "", "2"], ["甲", "网格", "3"], ["乙", "网格", "四"], ["丙", "大队", "5"])
    job = brought(admin, table(*rows, headers=("层级名称", "类型", "顺序")))
    found = "\n".join(faults_of(job))
    assert "3 层级名称 与第 2 行重复" in found
    assert "5 类型 与第 4 行是同一类层级" in found
    assert "5 顺序 请填写数字" in found
    assert "6 类型 “大队”不在可选项里" in found


def test_what_goes_out_comes_back_unchanged(admin: Any, county: County) -> None:
    ids = list(county.levels.values_list("pk", flat=True))
    content = export(actor=admin, sheet=sheet_of("levels"), ids=ids)
    sheet = load_workbook(io.BytesIO(content)).active
    assert [cell.value for cell in sheet[3]] == ["序号", "层级名称", "类型", "负责人", "在用网格"]
    again = checked(admin, sheet_of("levels"), content, name="层级台账.xlsx")
    assert figures(again) == (0, 0, 6, 0)


def test_the_template_is_offered_and_only_to_who_manages_the_county(cast: Cast) -> None:
    sheet = sheet_of("levels")
    assert write_template(sheet.columns(sheet.where(cast.admin)), title="层级")
    for person in (cast.department, cast.street_officer):
        with pytest.raises(Exception, match="权限"):
            checked(person, sheet, table(*OURS, headers=HEADERS))
