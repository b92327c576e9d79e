"""Remediation comes from Excel and goes back to it: one row a project."""

import io
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from core.models import Job
from core.sheets import sheet_of
from core.sheets.jobs import export
from grids.models import Remediation
from tests import factories as make
from tests.cast import Cast
from tests.core.day_sheet import checked, confirmed
from tests.core.test_sheets import figures, table

pytestmark = pytest.mark.django_db

HEADERS = ("小区", "社区", "整治类别", "项目", "数量", "计划完成时间", "开工时间", "竣工日期", "备注")
LIFT = ["和谐小区", "白龙塘社区", "加装电梯", "加装电梯", "4部", "", "2026-01-08", "2026年3月5日", "一号楼"]
DOOR = ["和谐小区", "", "门禁系统", "", "53", "2026-12-01", "", "", ""]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def look(actor: Any, *rows: list[Any], update: bool = False) -> Job:
    content = table(*rows, headers=HEADERS)
    return checked(actor, sheet_of("remediations"), content, name="整治.csv", update=update)


def bring(actor: Any, *rows: list[Any], update: bool = False) -> Job:
    job = look(actor, *rows, update=update)
    assert job.report["sheet"]["errors"] == []
    return confirmed(actor, job)


def faults_of(job: Job) -> list[str]:
    return [f"{row} {column} {reason}" for row, column, reason, _value in job.report["sheet"]["errors"]]


def test_projects_come_in_once_and_change_only_when_asked(cast: Cast) -> None:
    assert figures(bring(cast.a.officer, LIFT, DOOR)) == (2, 0, 0, 0)
    rows = Remediation.objects.order_by("pk").values_list("node", "kind", "title", "quantity")
    pk = cast.a.compound.pk
    assert list(rows) == [(pk, "lift", "加装电梯", 4), (pk, "door_system", "门禁整治", 53)]
    assert [str(row.state.label) for row in Remediation.objects.order_by("pk")] == ["已完成", "计划"]
    assert figures(look(cast.a.officer, LIFT, DOOR)) == (0, 0, 2, 0)
    begun = [*DOOR[:6], "2026-03-01", "", ""]
    assert figures(bring(cast.a.officer, begun)) == (0, 1, 0, 0)
    more = [*begun[:4], "60", *begun[5:]]
    assert faults_of(look(cast.a.officer, more)) == [
        "2  与系统里的不一致：数量。要以表格为准，请勾选“更新已有的内容”后重新上传"
    ]
    assert figures(bring(cast.a.officer, more, update=True)) == (0, 1, 0, 0)
    assert Remediation.objects.get(kind="door_system").version == 3


@pytest.mark.parametrize(
    ("at", "value", "fault"),
    [
        (0, "没有的小区", "小区 没有找到这个小区"),
        (2, "直升机坪", "整治类别 “直升机坪”不在可选项里"),
        (4, "若干", "数量 请填写整数"),
        (4, "0", "数量 数量请填写 1 或更大的整数"),
        (6, "2026-04-01", "竣工日期 完成日期不能早于开工日期"),
        (7, "2099-01-01", "竣工日期 完成日期不能晚于今天"),
        (7, "去年", "竣工日期"),
    ],
)
def test_faults_stand_with_their_row_and_column(cast: Cast, at: int, value: str, fault: str) -> None:
    job = look(cast.a.officer, [*LIFT[:at], value, *LIFT[at + 1 :]])
    assert figures(job) == (0, 0, 0, 1)
    assert faults_of(job)[0].startswith(f"2 {fault}")
    assert not Remediation.objects.exists()


def test_one_project_twice_in_a_table_and_strangers(cast: Cast) -> None:
    assert faults_of(look(cast.a.officer, LIFT, LIFT)) == ["3 项目 与第 2 行是同一个项目"]
    assert "没有这个小区" in faults_of(look(cast.b.officer, LIFT))[0]


def test_the_ledger_has_what_may_be_seen(cast: Cast) -> None:
    bring(cast.a.officer, LIFT, DOOR)
    bring(cast.b.officer, [LIFT[0], "", *LIFT[2:]])
    ids = list(Remediation.objects.order_by("pk").values_list("pk", flat=True))
    content = export(actor=make.fresh(cast.a.officer), sheet=sheet_of("remediations"), ids=ids)
    book = load_workbook(io.BytesIO(content)).active
    assert book is not None
    rows = list(book.iter_rows(min_row=4, values_only=True))
    shown = (
        "城北街道",
        "白龙塘社区",
        "和谐小区",
        "电梯",
        "加装电梯",
        4,
        "已完成",
        None,
        "2026年1月8日",
        "2026年3月5日",
    )
    assert rows[0][1:11] == shown
    assert (rows[2][0], rows[2][6]) == ("合计", 57)
