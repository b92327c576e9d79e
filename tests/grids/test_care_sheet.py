"""The care ledger by Excel: what comes in, what is refused whole, what goes out."""

import csv
import datetime
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from core import jobs
from core.errors import Forbidden, Invalid
from core.models import AuditEntry, Job, JobState, User
from core.sheets import Outcome, check, sheet_of, submit_check, submit_import
from core.sheets.jobs import export, submit_export
from grids.actions.care import confirm_household, record_visit
from grids.models import CareHousehold, CareVisit
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

NAME, PHONE, ROOM = "欧阳惠莲", "13987651234", "502室"
HEADERS = ["地点", "门牌", "联系人", "电话", "关爱类别", "同意方式", "同意日期", "最近走访日期"]
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


def today() -> datetime.date:
    return timezone.localdate()


def row(cast: Cast, **changes: Any) -> list[str]:
    values = {
        "地点": cast.a.building.path,
        "门牌": ROOM,
        "联系人": NAME,
        "电话": PHONE,
        "关爱类别": "独居老人、低收入家庭",
        "同意方式": "本人当面口头同意",
        "同意日期": str(today()),
        "最近走访日期": "",
    }
    return [str(value) for value in {**values, **changes}.values()]


def table(*rows: list[str], headers: list[str] | None = None, encoding: str = "utf-8-sig") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers or HEADERS, *rows])
    return out.getvalue().encode(encoding)


def judged(actor: User, content: bytes, *, update: bool = False) -> Outcome:
    return check(actor=fresh(actor), sheet=sheet_of("households"), content=content, filename="台账.csv", update=update)


def imported(actor: User, content: bytes, *, update: bool = False, keep_good: bool = False) -> Job:
    """Through both jobs, as a person does it."""
    upload = ContentFile(content, name="台账.csv")
    dry = submit_check(actor=fresh(actor), sheet=sheet_of("households"), upload=upload, update=update)
    jobs.run(dry.pk)
    dry.refresh_from_db()
    assert dry.state == JobState.DONE, dry.error
    job = submit_import(actor=fresh(actor), check=dry, keep_good=keep_good)
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.DONE, job.error
    return job


def figures(outcome: Outcome) -> tuple[int, int, int, int]:
    report = outcome.report
    return report.created, report.updated, report.unchanged, report.bad_rows


def faults(outcome: Outcome) -> list[tuple[int, str]]:
    return [(error.row, error.column) for error in outcome.report.errors]


# --- Coming in ------------------------------------------------------------------------------------------------------


def test_a_ledger_comes_in_and_twice_changes_nothing(cast: Cast) -> None:
    visited = today() - 3 * DAY
    content = table(
        row(cast, 最近走访日期=visited),
        row(cast, 门牌="503室", 关爱类别="残疾", 同意方式="书面", 电话=""),
        row(cast, 地点=cast.a.grid.code, 门牌="504室", 关爱类别="烈军属、退役军人家庭", 同意方式="监护人签字"),
    )
    assert figures(judged(cast.a.officer, content)) == (3, 0, 0, 0)
    imported(cast.a.officer, content)
    one = CareHousehold.objects.get(room=ROOM)
    assert (one.name, one.phone, one.consent, one.node) == (NAME, PHONE, "spoken", cast.a.building)
    assert one.last_visit_on == visited == one.visits.get().visited_on
    assert one.next_visit_on == visited + 7 * DAY
    assert [need.kind for need in CareHousehold.objects.get(room="504室").needs.all()] == ["veteran_family"]
    for update in (False, True):
        assert figures(judged(cast.a.officer, content, update=update)) == (0, 0, 3, 0)
    trail = AuditEntry.objects.get(action="sheet.import")
    assert trail.changes["created"] == [None, 3]
    assert "台账.csv" not in json.dumps(trail.changes, ensure_ascii=False)


def test_files_of_their_own_are_read(cast: Cast) -> None:
    headers = ["位置", "房号", "户主姓名", "手机号码", "困难类别", "知情同意", "签字日期", "上次走访", "备注"]
    content = table(
        [*row(cast, 地点="和谐小区 · 第一网格 · 1 号楼", 同意方式="口头同意"), "老人爱下棋"],
        [*row(cast, 地点="白龙塘社区/和谐小区/第一网格/2 号楼", 门牌="101", 关爱类别="空巢，低保"), ""],
        headers=headers,
        encoding="gb18030",
    )
    outcome = judged(cast.a.officer, content)
    assert figures(outcome) == (2, 0, 0, 0)
    assert list(outcome.report.ignored_columns) == ["备注"]
    imported(cast.a.officer, content)
    assert set(CareHousehold.objects.values_list("node", flat=True)) == {cast.a.building.pk, cast.a.other_building.pk}
    assert not CareVisit.objects.filter(text__contains="下棋").exists()


def test_a_column_for_each_level_is_read_as_offices_keep_their_lists(cast: Cast) -> None:
    headers = ["社区", "小区", "楼栋", "单元", "房号", "姓名", "类别", "同意方式", "同意日期"]
    rest = ["502", NAME, "独居", "口头", str(today())]
    content = table(["白龙塘", "和谐小区", "1", "1", *rest], ["白龙塘", "和谐", "2", "", *rest], headers=headers)
    imported(cast.a.officer, content)
    assert set(CareHousehold.objects.values_list("node", flat=True)) == {cast.a.entrance.pk, cast.a.other_building.pk}


BAD: list[tuple[dict[str, Any], str]] = [
    ({"地点": ""}, "地点"),
    ({"地点": "没有这个地方"}, "地点"),
    ({"地点": "白龙塘社区"}, "地点"),
    ({"门牌": ""}, "门牌"),
    ({"门牌": "301（刑满释放）"}, "门牌"),
    ({"联系人": ""}, "联系人"),
    ({"联系人": "张三（上访户）"}, "联系人"),
    ({"电话": "12345"}, "电话"),
    ({"关爱类别": ""}, "关爱类别"),
    ({"关爱类别": "独居老人、少数民族"}, "关爱类别"),
    ({"关爱类别": "爱下棋"}, "关爱类别"),
    ({"同意方式": ""}, "同意方式"),
    ({"同意方式": "不同意"}, "同意方式"),
    ({"关爱类别": "残疾人"}, "同意方式"),
    ({"关爱类别": "留守儿童"}, "同意方式"),
    ({"同意日期": ""}, "同意日期"),
    ({"同意日期": "2100-01-01"}, "同意日期"),
    ({"同意日期": "2020-01-01"}, "同意日期"),
    ({"最近走访日期": "2100-01-01"}, "最近走访日期"),
]


@pytest.mark.parametrize(("change", "column"), BAD)
def test_a_bad_row_is_named_with_its_column_and_the_good_ones_wait(
    cast: Cast, change: dict[str, Any], column: str
) -> None:
    outcome = judged(cast.a.officer, table(row(cast, 门牌="1"), row(cast, **change)))
    assert set(faults(outcome)) == {(3, column)}
    assert figures(outcome) == (1, 0, 0, 1)
    assert not CareHousehold.objects.exists()


def test_who_was_visited_lately_need_not_have_agreed_lately(cast: Cast) -> None:
    long_ago = today() - 500 * DAY
    imported(cast.a.officer, table(row(cast, 同意日期=long_ago, 最近走访日期=today() - 10 * DAY)))
    assert CareHousehold.objects.get().confirmed_on == today() - 10 * DAY


@pytest.mark.parametrize(
    "header",
    ["民族", "宗教信仰", "是否信访", "犯罪记录", "重点人员类别", "政治面貌", "身份证号", "既往病史", "信用积分"],
)
def test_a_forbidden_column_refuses_the_whole_file(cast: Cast, header: str) -> None:
    content = table([*row(cast), "x"], headers=[*HEADERS, header])
    with pytest.raises(Invalid) as refused:
        judged(cast.a.officer, content)
    assert refused.value.code == "forbidden_columns"
    assert header in refused.value.message and "平台不" in refused.value.message
    assert not CareHousehold.objects.exists()


@pytest.mark.parametrize("missing", ["同意方式", "同意日期", "关爱类别"])
def test_a_file_without_consent_is_no_ledger(cast: Cast, missing: str) -> None:
    at = HEADERS.index(missing)
    short = row(cast)
    content = table(short[:at] + short[at + 1 :], headers=HEADERS[:at] + HEADERS[at + 1 :])
    with pytest.raises(Invalid, match=missing):
        judged(cast.a.officer, content)


def test_the_same_household_twice_in_a_file_is_a_fault(cast: Cast) -> None:
    outcome = judged(cast.a.officer, table(row(cast), row(cast, 电话="")))
    assert faults(outcome) == [(3, "门牌")]
    assert "第 2 行" in outcome.report.errors[0].message


def test_a_difference_is_a_fault_without_the_switch_and_a_change_with_it(cast: Cast) -> None:
    imported(cast.a.officer, table(row(cast)))
    content = table(row(cast, 电话="13911112222", 关爱类别="独居老人、残疾人", 同意方式="本人书面同意"))
    outcome = judged(cast.a.officer, content)
    assert figures(outcome) == (0, 0, 0, 1)
    assert "电话、关爱类别、同意方式" in outcome.report.errors[0].message
    imported(cast.a.officer, content, update=True)
    one = CareHousehold.objects.get()
    assert (one.phone, one.consent, one.version) == ("13911112222", "written", 2)
    assert {need.kind for need in one.needs.all()} == {"elderly_alone", "disability"}
    assert AuditEntry.objects.get(action="care.correct").changes["phone"] == ["***", "***"]


def test_an_older_table_takes_nothing_back(cast: Cast) -> None:
    imported(cast.a.officer, table(row(cast, 最近走访日期=today() - 30 * DAY, 同意日期=today() - 30 * DAY)))
    one = CareHousehold.objects.get()
    record_visit(actor=cast.a.keeper, household=one, visited_on=today())
    confirm_household(actor=cast.a.keeper, household=one)
    content = table(row(cast, 最近走访日期=today() - 30 * DAY, 同意日期=today() - 30 * DAY, 电话=""))
    assert figures(judged(cast.a.officer, content, update=True)) == (0, 0, 1, 0)
    newer = table(row(cast, 最近走访日期=today() - DAY, 同意日期=today() - 30 * DAY))
    assert figures(judged(cast.a.officer, newer, update=True)) == (0, 0, 1, 0)


def test_a_newer_visit_brings_an_entry_that_has_run_out_back(cast: Cast) -> None:
    one = make.make_household(
        cast.a.building, ("elderly_alone", "low_income"), name=NAME, room=ROOM, phone=PHONE, days_ago=370
    )
    CareHousehold.objects.update(consent="spoken")
    old = table(row(cast, 同意日期=one.consent_on))
    assert faults(judged(cast.a.officer, old, update=True)) == [(2, "门牌")]
    imported(cast.a.officer, table(row(cast, 同意日期=one.consent_on, 最近走访日期=today())), update=True)
    one.refresh_from_db()
    assert one.confirmed_on == today()
    assert one.visits.get().visited_on == today()


def test_what_changed_since_the_dry_run_stops_the_import(cast: Cast) -> None:
    imported(cast.a.officer, table(row(cast)))
    sheet = sheet_of("households")
    outcome = judged(cast.a.officer, table(row(cast, 电话="13911112222")), update=True)
    confirm_household(actor=cast.a.keeper, household=CareHousehold.objects.get())
    CareHousehold.objects.update(version=7)
    with pytest.raises(Exception, match="没有做任何改动"):
        sheet.write(outcome.task, outcome.plan)
    assert CareHousehold.objects.get().phone == PHONE


# --- Who, and how much ----------------------------------------------------------------------------------------------


def test_nobody_brings_a_household_into_a_neighbours_place(cast: Cast) -> None:
    for actor in (cast.b.officer, cast.b.secretary):
        outcome = judged(actor, table(row(cast)))
        assert faults(outcome) == [(2, "地点")]
        assert "不在您的管辖范围内" in outcome.report.errors[0].message
    for actor in (cast.street_officer, cast.department, cast.admin, cast.superuser, cast.a.team_lead, cast.a.liaison):
        with pytest.raises(Forbidden):
            judged(actor, table(row(cast)))
    assert not CareHousehold.objects.exists()


@pytest.mark.parametrize("rows", [30, 300])
def test_judging_costs_the_same_whatever_the_rows(cast: Cast, rows: int) -> None:
    content = table(*(row(cast, 门牌=f"{n}室") for n in range(rows)))
    person = fresh(cast.a.officer)
    with CaptureQueriesContext(connection) as captured:
        outcome = check(actor=person, sheet=sheet_of("households"), content=content, filename="x.csv")
    assert outcome.report.created == rows
    assert len(captured) <= 15


def test_the_page_of_the_import_tells_no_rows_content(cast: Cast) -> None:
    content = table(row(cast), row(cast, 门牌="9", 关爱类别="爱下棋"))
    upload = ContentFile(content, name=f"{NAME}.csv")
    job = submit_check(actor=cast.a.officer, sheet=sheet_of("households"), upload=upload)
    jobs.run(job.pk)
    job.refresh_from_db()
    told = json.dumps([job.report, job.title], ensure_ascii=False)
    for word in (NAME, PHONE, ROOM, "爱下棋"):
        assert word not in told


def test_the_template_can_be_sent_back_as_it_is(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.a.officer)
    answer = client.get("/admin/grids/carehousehold/import/households/template/")
    book = load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    assert [cell.value.rstrip("*") for cell in sheet[2]] == HEADERS
    with pytest.raises(Invalid):
        check(actor=cast.a.officer, sheet=sheet_of("households"), content=answer.content, filename="x.xlsx")
    for column, value in enumerate(row(cast), start=1):
        sheet.cell(4, column, value)
    out = io.BytesIO()
    book.save(out)
    outcome = check(actor=cast.a.officer, sheet=sheet_of("households"), content=out.getvalue(), filename="x.xlsx")
    assert figures(outcome) == (1, 0, 0, 0)


# --- Going out ------------------------------------------------------------------------------------------------------


def ledger(content: bytes) -> tuple[str, str]:
    """The text of the sheet, and what is printed in its head."""
    sheet = load_workbook(io.BytesIO(content)).worksheets[0]
    text = "\n".join(str(cell.value) for line in sheet.iter_rows() for cell in line if cell.value is not None)
    return text, str(sheet.oddHeader.right.text)


def test_the_ledger_goes_out_masked_without_doors_and_marked(cast: Cast) -> None:
    one = make.make_household(cast.a.building, ("disability",), name=NAME, phone=PHONE, room=ROOM)
    gone = make.make_household(cast.a.building, name="孙玉芳", days_ago=370)
    theirs = make.make_household(cast.b.building, name="钱桂花")
    ids = [one.pk, gone.pk, theirs.pk]
    text, mark = ledger(export(actor=fresh(cast.a.officer), sheet=sheet_of("households"), ids=ids))
    assert "欧*惠莲" in text and "139****1234" in text and "残疾人" in text and "共 1 条" in text
    for hidden in (NAME, PHONE, ROOM, "孙", "钱"):
        assert hidden not in text
    assert cast.a.officer.name in mark and "导出" in mark
    entry = AuditEntry.objects.get(action="sheet.export")
    assert (entry.actor, entry.changes) == (cast.a.officer, {"rows": [None, 1]})


@pytest.mark.parametrize("role", ["a.keeper", "a.team_lead", "street_secretary", "department", "admin", "superuser"])
def test_nobody_else_takes_a_ledger_out(cast: Cast, role: str) -> None:
    one = make.make_household(cast.a.building)
    with pytest.raises(Forbidden):
        export(actor=fresh(cast.people()[role]), sheet=sheet_of("households"), ids=[one.pk])
    with pytest.raises(Forbidden):
        submit_export(actor=fresh(cast.people()[role]), sheet=sheet_of("households"), ids=[one.pk])
    assert not AuditEntry.objects.exists()


def test_a_neighbour_takes_nothing_out(cast: Cast) -> None:
    one = make.make_household(cast.a.building)
    with pytest.raises(Invalid):
        export(actor=fresh(cast.b.officer), sheet=sheet_of("households"), ids=[one.pk])
    assert not AuditEntry.objects.exists()


def test_a_kept_ledger_is_kept_a_day(cast: Cast, store: Path) -> None:
    one = make.make_household(cast.a.building)
    job = submit_export(actor=cast.a.officer, sheet=sheet_of("households"), ids=[one.pk])
    jobs.run(job.pk)
    job.refresh_from_db()
    assert job.result
    jobs.clean_up_brief(now=timezone.now() + DAY)
    job.refresh_from_db()
    assert not job.result
