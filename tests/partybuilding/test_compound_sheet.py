"""Compounds come from the cadres' own Excel files and go back to it, both halves in one row."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.models import AuditEntry, Job
from core.sheets import sheet_of
from core.sheets.jobs import export
from core.spreadsheets import write_template
from grids.models import CompoundProfile, Facility, Level
from partybuilding.actions import record_running
from partybuilding.models import Compound, CompoundRunning, PartyOrganisation, UnitKind
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.core.test_sheets import figures, table
from tests.grids.test_compounds_sheet import faults_of

pytestmark = pytest.mark.django_db

HEADERS = (
    "小区名称",
    "所属社区",
    "建成年代",
    "总户数",
    "有无物业",
    "物业企业",
    "业委会",
    "成立时间",
    "小区党支部",
    "组建方式",
    "电梯（部）",
    "车位",
    "是否示范小区",
    "备注",
)
FULL = [
    *("和谐小区", "白龙塘", "1998年", "1,200户", "有", "平安物业公司", "有", "2026年3月5日"),
    *("和谐小区党支部", "挂靠", "4部", "41", "√", "老旧小区"),
]
EMPTY = [""] * (len(HEADERS) - 2)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture
def branch(cast: Cast) -> PartyOrganisation:
    return make.make_organisation(cast.county, "和谐小区党支部")


def look(actor: Any, *rows: list[Any], headers: tuple[str, ...] = HEADERS, update: bool = False) -> Job:
    return checked(actor, sheet_of("compounds"), table(*rows, headers=headers), name="小区.csv", update=update)


def bring(actor: Any, *rows: list[Any], **how: Any) -> Job:
    job = look(actor, *rows, **how)
    assert job.report["sheet"]["errors"] == []
    return confirmed(actor, job)


def with_cell(header: str, value: str) -> list[str]:
    row = list(FULL)
    row[HEADERS.index(header)] = value
    return row


def test_a_row_of_a_cadres_own_table_fills_both_halves(cast: Cast, branch: PartyOrganisation) -> None:
    firm = make.make_unit(cast.county, "平安物业公司", kind=UnitKind.PROPERTY)
    assert figures(bring(cast.a.officer, FULL)) == (1, 0, 0, 0)
    compound = Compound.objects.get(pk=cast.a.compound.pk)
    profile, running = compound.profile, compound.running
    assert profile is not None and running is not None
    assert (compound.households, profile.built_year, profile.is_demonstration) == (1200, 1998, True)
    assert dict(Facility.objects.values_list("kind", "count")) == {"lift": 4, "parking": 41}
    assert (running.management, running.firm, running.committee) == ("managed", firm, "formed")
    assert (f"{running.committee_on}", running.branch, running.branch_setup) == ("2026-03-05", branch, "attached")
    assert not CompoundRunning.objects.filter(node=cast.b.compound).exists()
    assert figures(look(cast.a.officer, FULL)) == (0, 0, 1, 0)
    assert AuditEntry.objects.filter(action="sheet.import").count() == 1


def test_what_differs_is_told_and_changed_only_when_asked(cast: Cast, branch: PartyOrganisation) -> None:
    bring(cast.a.officer, FULL)
    changed = with_cell("有无物业", "三无")
    changed[HEADERS.index("物业企业")] = "无"
    job = look(cast.a.officer, changed)
    assert figures(job) == (0, 0, 0, 1)
    assert faults_of(job) == ["2  与系统里的不一致：管理方式、物业公司。要以表格为准，请勾选“更新已有的内容”后重新上传"]
    assert figures(bring(cast.a.officer, changed, update=True)) == (0, 1, 0, 0)
    running = CompoundRunning.objects.get()
    assert (running.management, running.firm_name, running.version) == ("unmanaged", "", 2)
    assert CompoundProfile.objects.get().version == 1


def test_empty_cells_leave_alone_and_new_facts_fill_in(cast: Cast) -> None:
    record_running(actor=cast.a.officer, node=cast.a.compound, management="unmanaged")
    few = ("小区", "社区", "建成年份", "业委会", "门禁")
    job = bring(cast.a.officer, ["和谐小区", "白龙塘社区", "1998", "筹建中", "53套"], headers=few)
    assert figures(job) == (0, 1, 0, 0)
    running = CompoundRunning.objects.get()
    assert (running.management, running.committee) == ("unmanaged", "preparing")
    assert figures(bring(cast.a.officer, ["和谐小区", "", "", "", ""], headers=few)) == (0, 0, 1, 0)
    assert Facility.objects.get().count == 53


@pytest.mark.parametrize(
    ("header", "value", "fault"),
    [
        ("小区名称", "没有的小区", "小区名称 没有找到这个小区"),
        ("所属社区", "南门社区", "所属社区 这个社区（街道）没有这个小区"),
        ("建成年代", "九十年代", "建成年代 请填写四位数字的年份"),
        ("建成年代", "1066", "建成年代 建成年份请填"),
        ("总户数", "约1200", "总户数 请填写整数"),
        ("有无物业", "三无", "物业企业 只有“有物业管理”的小区填物业公司"),
        ("有无物业", "不清楚", "有无物业 “不清楚”不在可选项里"),
        ("业委会", "筹备中", "成立时间 业主委员会成立了，才填成立日期"),
        ("成立时间", "2099-01-01", "成立时间 业主委员会成立日期不能晚于今天"),
        ("组建方式", "", "组建方式 请选择党支部的组建方式"),
        ("小区党支部", "无", "小区党支部 选了组建方式，请同时填党支部"),
        ("小区党支部", "别处党支部", "小区党支部 本县没有登记这个党组织"),
        ("电梯（部）", "2.5", "电梯（部） 请填写整数"),
        ("是否示范小区", "也许", "是否示范小区 “也许”不在可选项里"),
    ],
)
def test_faults_stand_with_their_row_and_column_and_nothing_is_written(
    cast: Cast, branch: PartyOrganisation, header: str, value: str, fault: str
) -> None:
    job = look(cast.a.officer, with_cell(header, value))
    assert figures(job) == (0, 0, 0, 1)
    assert faults_of(job)[0].startswith(f"2 {fault}")
    assert not CompoundProfile.objects.exists() and not CompoundRunning.objects.exists()


def test_one_name_in_two_communities_asks_for_the_community(cast: Cast) -> None:
    headers = ("小区", "社区", "位置或编码", "户数")
    assert (
        "有 2 个小区叫这个名称" in faults_of(look(cast.street_officer, ["和谐小区", "", "", "9"], headers=headers))[0]
    )
    assert figures(look(cast.street_officer, ["和谐小区", "城北社区", "", "9"], headers=headers)) == (1, 0, 0, 0)
    assert figures(look(cast.street_officer, ["和谐小区", "", cast.b.compound.code, "9"], headers=headers))[0] == 1
    path = "城北街道/城北社区/和谐小区"
    assert figures(look(cast.street_officer, [path, "", "", "9"], headers=headers)) == (1, 0, 0, 0)
    wrong = look(cast.street_officer, ["别的小区", "", path, "9"], headers=headers)
    assert "与小区名称不一致" in faults_of(wrong)[0]
    twice = look(cast.a.officer, *[["和谐小区", "", "", "9"]] * 2, headers=headers)
    assert faults_of(twice) == ["3 小区 与第 2 行是同一个小区"]


def test_the_neighbours_compound_is_nowhere(cast: Cast) -> None:
    job = look(cast.a.officer, ["和谐小区", "", cast.b.compound.code, "9"], headers=("小区", "社区", "编码", "户数"))
    assert "没有找到这个小区，或不在您的管辖范围内" in faults_of(job)[0]


def test_a_county_without_compounds_brings_in_its_grids(cast: Cast) -> None:
    Level.objects.filter(county=cast.other_county, key="compound").delete()
    grid = make.make_node(cast.other_county_community, "grid", "第一网格")
    row = ["第一网格", "城关", "1998", "三无"]
    bring(cast.other_county_secretary, row, headers=("网格", "社区", "建成年份", "管理方式"))
    assert CompoundRunning.objects.get().node_id == grid.pk
    wrong = ["第一网格", "白龙塘", "1998", "三无"]
    job = look(cast.a.officer, wrong, headers=("网格", "社区", "建成年份", "管理方式"))
    assert "没有找到这个小区" in faults_of(job)[0], "here a grid is no compound"


def test_one_new_branch_of_two_compounds_is_registered_once(cast: Cast) -> None:
    make.make_node(cast.a.node, "compound", "东院")
    rows = [[name, "白龙塘", "三无", "联合党支部", "联合组建"] for name in ("和谐小区", "东院")]
    bring(cast.admin, *rows, headers=("小区", "社区", "管理方式", "党支部", "组建方式"))
    branch = PartyOrganisation.objects.get(name="联合党支部")
    assert CompoundRunning.objects.filter(branch=branch, branch_setup="merged").count() == 2


def test_a_new_branch_is_registered_by_whoever_may_below_the_communitys(cast: Cast) -> None:
    above = make.make_organisation(cast.county, "白龙塘社区党委", kind="committee", node=cast.a.node)
    job = look(cast.admin, FULL)
    assert "将新登记 1 个党支部：和谐小区党支部。" in job.report["sheet"]["notes"]
    assert not PartyOrganisation.objects.filter(name="和谐小区党支部").exists()
    confirmed(cast.admin, job)
    made = PartyOrganisation.objects.get(name="和谐小区党支部")
    assert (made.parent, made.node_id, CompoundRunning.objects.get().branch) == (above, cast.a.compound.pk, made)
    assert figures(look(cast.admin, FULL)) == (0, 0, 1, 0)


def test_a_unit_registered_later_is_linked_by_the_next_table(cast: Cast, branch: PartyOrganisation) -> None:
    bring(cast.a.officer, FULL)
    firm = make.make_unit(cast.county, "平安物业公司", kind=UnitKind.PROPERTY)
    assert figures(bring(cast.a.officer, FULL)) == (0, 1, 0, 0)
    assert CompoundRunning.objects.get().firm == firm


def test_somebody_changes_the_compound_between_looking_and_writing(
    cast: Cast, branch: PartyOrganisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    sheet = sheet_of("compounds")
    job = look(cast.a.officer, FULL)
    write = sheet.write

    def later(task: Any, plan: Any) -> None:
        record_running(actor=cast.a.secretary, node=cast.a.compound, management="community")
        write(task, plan)

    monkeypatch.setattr(sheet, "write", later)
    failed = confirmed(cast.a.officer, job)
    assert failed.state == "failed"
    assert not CompoundProfile.objects.exists()


def test_a_long_table_costs_a_few_queries_for_each_some_hundred_rows(
    cast: Cast, django_assert_max_num_queries: Any
) -> None:
    rows = []
    for number in range(40):
        make.make_node(cast.a.node, "compound", f"小区{number}")
        rows.append([f"小区{number}", "", "1998", "90", "有", f"物业{number % 3}", *[""] * 4, "2", "", "", ""])
    with django_assert_max_num_queries(130):
        bring(cast.a.officer, *rows)
    assert CompoundRunning.objects.count() == Facility.objects.count() == 40


def test_the_template_offers_every_column(cast: Cast) -> None:
    sheet = sheet_of("compounds")
    content = write_template(sheet.columns(cast.county), title="小区档案", notes=sheet.notes(cast.county))
    book = load_workbook(io.BytesIO(content)).active
    assert book is not None
    words = {str(cell.value) for row in book.iter_rows(max_row=4) for cell in row}
    assert {"小区", "管理方式", "业委会", "党支部", "组建方式", "电梯", "停车位", "示范小区"} <= {
        w.strip("*") for w in words
    }


def test_the_ledger_has_what_may_be_seen(cast: Cast, branch: PartyOrganisation) -> None:
    bring(cast.a.officer, FULL)
    sheet = sheet_of("compounds")
    ids = [cast.a.compound.pk, cast.b.compound.pk]
    book = load_workbook(io.BytesIO(export(actor=make.fresh(cast.a.team_lead), sheet=sheet, ids=ids))).active
    assert book is not None
    rows = list(book.iter_rows(min_row=4, values_only=True))
    assert rows[0][1:] == (
        *("城北街道", "白龙塘社区", "和谐小区", 1998, 1200, "有物业管理", "平安物业公司", "已成立", "2026年3月5日"),
        *("和谐小区党支部", "挂靠建", "电梯4、停车位41", "是", "老旧小区"),
    )
    assert rows[1][0] == "合计"
    assert AuditEntry.objects.get(action="sheet.export").changes == {"rows": [None, 1]}
