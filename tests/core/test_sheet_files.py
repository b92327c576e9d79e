"""Tables as people really send them, through a whole import: what can be read goes in, what can not says where and why."""

import csv
import datetime
import io
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from core.models import CalendarDay, Job, JobState
from core.sheets import register
from core.spreadsheets import error_file
from tests.cast import Cast
from tests.core.day_sheet import DaySheet, checked, confirmed, unregister

pytestmark = pytest.mark.django_db

HEADERS = ["日期", "安排", "说明"]
ROW = ["2026-10-08", "休息", "县庆"]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = tmp_path
    return tmp_path


@pytest.fixture(autouse=True)
def days() -> Iterator[DaySheet]:
    sheet = DaySheet()
    register(sheet)
    yield sheet
    unregister()


def book(*rows: list[Any], headers: list[Any] | None = None, finish: Callable[[Any], None] | None = None) -> bytes:
    workbook = Workbook()
    page = workbook.active
    assert page is not None
    for row in (headers or HEADERS, *rows):
        page.append(row)
    if finish:
        finish(page)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def text(*rows: list[Any], encoding: str = "utf-8-sig", headers: list[Any] | None = None) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([headers or HEADERS, *rows])
    return out.getvalue().encode(encoding)


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<Types/>")
        package.writestr("xl/workbook.xml", b"0" * (300 * 1024 * 1024))
    return out.getvalue()


def figures(job: Job) -> tuple[int, int, int]:
    found = job.report["sheet"]
    return found["created"], found["unchanged"], found["bad_rows"]


# --- What goes in -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("gbk.csv", text(ROW, encoding="gb18030")),
        ("utf8.csv", text(ROW, encoding="utf-8")),
        ("utf16.csv", text(ROW, encoding="utf-16")),
        ("date.xlsx", book([datetime.date(2026, 10, 8), "休息", "县庆"])),
        ("text.xlsx", book(["2026年10月8日", "休息", "县庆"])),
        ("slash.xlsx", book(["10/08/2026", "休息", "县庆"])),
        ("compact.xlsx", book([20261008, "休息", "县庆"])),
        ("spaces.xlsx", book(["　2026-10-08 ", " 休息", "县庆\n"])),
        ("alias.xlsx", book(ROW, headers=["哪 一 天：", "*安排", "说明（选填）"])),
        ("order.xlsx", book(["x", "县庆", "休息", "2026-10-08"], headers=["序号", "说明", "安排", "日期"])),
        ("title.xlsx", book(["序号", *HEADERS], ["1", *ROW], headers=["西乡县调休安排表"])),
        ("signed.xlsx", book(ROW, ["合计：1 天"], ["填表人：张三", "", "审核人：李四"])),
        ("blank.xlsx", book(ROW, [None, None, None], ["", " ", ""], ["　", None, None])),
        ("painted.xlsx", book(ROW, finish=lambda page: setattr(page.cell(9000, 3), "number_format", "@"))),
        ("formula.csv", text(["2026-10-08", "休息", "'=县庆"])),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_can_be_read_goes_in(cast: Cast, days: DaySheet, name: str, content: bytes) -> None:
    check = checked(cast.admin, days, content, name=name)
    assert (check.state, check.error) == (JobState.DONE, "")
    assert figures(check) == (1, 0, 0), check.report["sheet"]["errors"]
    confirmed(cast.admin, check)
    row = CalendarDay.objects.get()
    assert (row.date, row.is_working) == (datetime.date(2026, 10, 8), False)
    assert row.note.lstrip("=") == "县庆"


# --- What is refused as a whole -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, ["旧版 Excel（.xls）", "另存为 .xlsx"]),
        ("x.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), ["打开密码"]),
        ("x.xlsx", bomb, ["解压后过大"]),
        ("x.xlsx", book(ROW, ROW, finish=lambda page: page.merge_cells("B2:B3")), ["合并单元格", "B2:B3"]),
        (
            "x.xlsx",
            book(["x", *ROW], headers=["哪 天", "哪一天", *HEADERS[1:]]),
            ["标题重复", "A 列“哪 天”", "B 列“哪一天”"],
        ),
        ("x.csv", text([*ROW, "x"], headers=[*HEADERS, "日期"]), ["标题重复", "A 列“日期”", "D 列“日期”"]),
        ("x.xlsx", book(["休息"], headers=["安排"]), ["缺少必需的列", "日期", "第 1 行"]),
        ("x.xlsx", book([*ROW, "x"], headers=[*HEADERS, "身份证号"]), ["身份证号", "没有保存任何内容"]),
        ("x.xlsx", book(), ["没有任何数据"]),
        ("x.csv", "日期,安排\n".encode() + b"2026-10-08,\xff\xff\n", ["第 2 行", "乱码"]),
        ("x.csv", b'\xe6\x97\xa5\xe6\x9c\x9f,a\n"2026,b\n', ["第 2 行", "引号"]),
        ("x.csv", b"", ["空的"]),
        ("x.xlsx", b"%PDF-1.7", ["PDF"]),
        ("x.xlsx", book(ROW)[:-300], ["已损坏"]),
        ("x.xls", book(ROW), ["扩展名", ".xlsx"]),
    ],
)
def test_what_can_not_be_used_says_why_and_changes_nothing(
    cast: Cast, days: DaySheet, name: str, content: Any, words: list[str]
) -> None:
    check = checked(cast.admin, days, content() if callable(content) else content, name=name)
    assert check.state == JobState.FAILED
    for one in words:
        assert one in check.error
    assert not CalendarDay.objects.exists()


def test_a_row_too_many_is_refused_and_the_last_one_allowed_is_read(cast: Cast, days: DaySheet) -> None:
    days.max_rows = 2
    rows = [[f"2026-10-{number:02}", "休息", ""] for number in (8, 9, 10)]
    assert figures(checked(cast.admin, days, text(*rows[:2]))) == (2, 0, 0)
    check = checked(cast.admin, days, text(*rows))
    assert (check.state, "超过 2 行" in check.error) == (JobState.FAILED, True)


# --- What is wrong with a row -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column", "words"),
    [
        (["", "休息", ""], "日期", "必填"),
        (["2026-02-30", "休息", ""], "日期", "这一天不存在"),
        (["去年国庆", "休息", ""], "日期", "不是日期"),
        (["26-10-08", "休息", ""], "日期", "四位年份"),
        (["2026-10-09", "放假", ""], "安排", "可选：上班、休息"),
        (["2026-10-09", "休息", "一二三四五六七八九十一"], "说明", "10"),
        (["2026-10-08", "上班", ""], "日期", "与第 2 行重复"),
        (["2026-10-09", "休息", "=1/0"], "说明", "公式"),
        (["2026-10-09", "休息", 1234567890123456789], "说明", "超过 15 位"),
    ],
)
def test_a_bad_row_is_named_with_its_column_and_nothing_goes_in(
    cast: Cast, days: DaySheet, row: list[Any], column: str, words: str
) -> None:
    check = checked(cast.admin, days, book(ROW, row), name="调休.xlsx")
    ((number, header, reason, _value),) = check.report["sheet"]["errors"]
    assert (number, header) == (3, column)
    assert words in reason
    page = load_workbook(check.result.open("rb")).active
    assert page is not None
    assert words in page["D3"].value
    assert not CalendarDay.objects.exists()


def test_a_fault_stands_under_the_header_that_the_file_itself_has(cast: Cast, days: DaySheet) -> None:
    check = checked(
        cast.admin,
        days,
        book(["2026-10-08", "休息", ""], ["2026-10-08", "休息", ""], headers=["哪一天", *HEADERS[1:]]),
        name="a.xlsx",
    )
    ((number, header, reason, _value),) = check.report["sheet"]["errors"]
    assert (number, header, reason) == (3, "哪一天", "与第 2 行重复")
    page = load_workbook(check.result.open("rb")).active
    assert page is not None
    assert page["A3"].fill.fgColor.rgb != page["A2"].fill.fgColor.rgb


def test_dates_that_contradict_each_other_are_named_one_by_one(cast: Cast, days: DaySheet) -> None:
    rows = [[day, "休息", ""] for day in ("10/23/2026", "24/10/2026", "05/06/2026")]
    check = checked(cast.admin, days, book(*rows), name="调休.xlsx")
    ((number, header, reason, _value),) = check.report["sheet"]["errors"]
    assert (number, header) == (4, "日期")
    assert "分不清月和日" in reason


def test_one_bad_row_among_many_thousand_is_named_and_nothing_changes(
    cast: Cast, days: DaySheet, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As a file of 100,000 rows: too large to be edited in place.
    monkeypatch.setattr(error_file, "_IN_PLACE_CELLS", 20_000)
    first = datetime.date(1910, 1, 1)
    rows: list[list[Any]] = [[first + datetime.timedelta(days=number), "休息", ""] for number in range(10_000)]
    rows[7_776][1] = "放假"
    check = checked(cast.admin, days, text(*rows))
    assert (check.state, figures(check)) == (JobState.DONE, (9_999, 0, 1))
    ((number, header, _reason, value),) = check.report["sheet"]["errors"]
    assert (number, header, value) == (7_778, "安排", "放假")
    assert len(check.report["sheet"]["sample"]) == 30
    faulty = load_workbook(check.result.open("rb"), read_only=True).worksheets[0]
    assert [row[3].value for row in faulty.iter_rows(min_row=7_778, max_row=7_778)] != [None]
    assert not CalendarDay.objects.exists()
