"""Ledgers, templates, files with their errors, csv: what a cadre opens, and that text in them stays text."""

import csv
import io
import os
import re
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet._writer import ALL_TEMP_FILES

from core.spreadsheets import (
    Column,
    LedgerColumn,
    RowError,
    bind_columns,
    error_file,
    table_of,
    write_csv,
    write_errors,
    write_ledger,
    write_template,
)
from core.spreadsheets.cells import clean_cell
from core.text import clean_text

RISKY = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", '=HYPERLINK("http://x")', " =1", "＝1", "#N/A", "'=1", "''=1", "-"]
DAY = date(2026, 3, 5)
LEDGER = [LedgerColumn("日期", "centre"), LedgerColumn("标题"), LedgerColumn("次数", "right", total=True)]


def ledger(rows, columns=LEDGER, **options) -> bytes:
    return write_ledger(
        title="需求台账", unit="新城社区", day=DAY, columns=columns, rows=rows, **{"filled_by": "张三", **options}
    )


def opened(content: bytes):
    return load_workbook(io.BytesIO(content))


def column_of(content: bytes, letter: str) -> list:
    return [cell.value for cell in opened(content).active[letter]]


def has_formula(content: bytes) -> bool:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        sheets = [package.read(name).decode() for name in package.namelist() if "worksheets/" in name]
    return any(re.search(r"<f[ />]", sheet) for sheet in sheets)


# --- Ledgers ---


def test_a_ledger_is_laid_out_as_an_office_prints_it():
    content = ledger([(DAY, "路灯不亮", 2), (None, "井盖松动", 3)])
    sheet = opened(content).active
    rows = list(sheet.iter_rows(values_only=True))
    assert rows[0] == ("需求台账", None, None, None)
    assert rows[1] == ("填报单位：新城社区", None, "填报日期：2026年3月5日", None)
    assert rows[2] == ("序号", "日期", "标题", "次数")
    assert rows[3] == (1, datetime(2026, 3, 5), "路灯不亮", 2)  # noqa: DTZ001
    assert rows[4] == (2, None, "井盖松动", 3)
    assert rows[5] == ("合计", "共 2 条", None, 5)
    assert rows[6][0] == "填表人：张三"
    assert rows[6][2].startswith("审核人：__")
    assert {str(area) for area in sheet.merged_cells.ranges} == {"A1:D1", "A2:B2", "C2:D2", "A7:B7", "C7:D7"}
    assert sheet["B4"].number_format == 'yyyy"年"m"月"d"日"'
    assert sheet["C4"].border.left.style == sheet["C6"].border.bottom.style == "thin"


def test_a_ledger_prints_on_a4_across_with_its_header_on_every_page():
    sheet = opened(ledger([(DAY, "路灯不亮", 2)], mark="张三 & 李四 导出")).active
    assert (sheet.page_setup.orientation, int(sheet.page_setup.paperSize)) == ("landscape", 9)
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (int(sheet.page_setup.fitToWidth), int(sheet.page_setup.fitToHeight)) == (1, 0)
    assert sheet.freeze_panes == "A4"
    assert sheet.print_title_rows == "$3:$3"
    assert "&P" in sheet.oddFooter.center.text
    assert sheet.oddHeader.right.text == "张三 && 李四 导出"


def test_columns_are_as_wide_as_their_text_within_reason():
    sheet = opened(ledger([(DAY, "字" * 200, 2)])).active
    assert sheet.column_dimensions["C"].width == 48
    assert 6 <= sheet.column_dimensions["D"].width < 12


def test_totals_add_whole_numbers_fractions_and_money_and_skip_the_rest():
    rows = [(None, "a", Decimal("0.10")), (None, "b", 0.2), (None, "c", 3), (None, "d", None), (None, "e", "很多")]
    assert opened(ledger(rows)).active["D9"].value == pytest.approx(3.3)


def test_a_ledger_without_rows_or_totals_is_still_a_ledger():
    rows = list(opened(ledger([])).active.iter_rows(values_only=True))
    assert rows[3][:2] == ("合计", "共 0 条")
    rows = list(opened(ledger([(DAY, "a", 1)], totals=False)).active.iter_rows(values_only=True))
    assert rows[4][0] == "填表人：张三"


def test_a_row_of_another_length_is_a_mistake_of_the_caller():
    with pytest.raises(ValueError, match="zip"):
        ledger([(DAY, "a")])


def test_a_source_that_fails_half_way_leaves_nothing_behind():
    def failing():
        yield from [(DAY, "a", 1)] * 300
        raise RuntimeError("the database went away")

    before = set(ALL_TEMP_FILES)
    with pytest.raises(RuntimeError, match="went away"):
        ledger(failing())
    assert not [path for path in set(ALL_TEMP_FILES) - before if os.path.exists(path)]


def test_moments_are_written_in_beijing_time():
    moment = datetime(2026, 3, 4, 16, 30, tzinfo=UTC)
    assert opened(ledger([(moment, "a", 1)])).active["B4"].value == datetime(2026, 3, 5, 0, 30)  # noqa: DTZ001


@pytest.mark.parametrize("title", ["a/b:c*[d]?\\", "很长" * 40, "'", "", "=1"])
def test_any_title_makes_a_sheet(title):
    content = write_ledger(title=title, unit="=u", day=DAY, columns=LEDGER, rows=[])
    assert opened(content).active["A1"].value in (title, None)
    assert not has_formula(content)


@pytest.mark.parametrize("text", RISKY)
def test_text_that_looks_like_a_formula_stays_text_in_a_workbook(text):
    content = ledger([(text, text, text)])
    assert not has_formula(content)
    cell = opened(content).active["C4"]
    assert (cell.value, cell.data_type) == (text, "s")
    if text not in {"#N/A"}:
        assert cell.quotePrefix or text.startswith("'")


def test_real_numbers_below_zero_stay_numbers():
    sheet = opened(ledger([(None, "a", -5)])).active
    assert (sheet["D4"].value, sheet["D4"].data_type, sheet["D4"].quotePrefix) == (-5, "n", False)


def test_what_a_workbook_can_not_hold_is_left_out():
    assert opened(ledger([(None, "路\x00灯\x1b\ud800", 1)])).active["C4"].value == "路灯"
    long = opened(ledger([(None, "字" * 40_000, 1)])).active["C4"].value
    assert len(long) == 32_767
    assert long.endswith("…")


def test_a_long_code_given_as_a_number_keeps_its_digits():
    assert opened(ledger([(None, 6107240010010070012, 1)])).active["C4"].value == "6107240010010070012"


def test_a_ledger_can_be_sent_back_as_an_import():
    columns = (Column("day", "日期", kind="date"), Column("title", "标题"))
    table = table_of(ledger([(DAY, "=路灯", 1), (None, "b", 2)]), filename="a.xlsx", columns=columns)
    records = list(bind_columns(table, columns).records())
    assert [record.values for record in records] == [{"day": DAY, "title": "=路灯"}, {"day": None, "title": "b"}]


# --- csv ---


@pytest.mark.parametrize("text", RISKY)
def test_text_that_looks_like_a_formula_is_escaped_in_csv_and_read_back_whole(text):
    content = write_csv(["标题"], [[text]])
    raw = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))[1][0]
    assert not raw.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "＝"))
    assert table_of(content, filename="a.csv").rows[0].cells == (clean_cell(text)[0],)


def test_csv_opens_in_excel_and_keeps_types_apart():
    content = write_csv(["a", "b", "c", "d", "e"], [[-5, DAY, datetime(2026, 3, 4, 16, 30, tzinfo=UTC), None, True]])
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.decode("utf-8-sig").splitlines()[1] == "-5,2026-03-05,2026-03-05 00:30,,是"


# --- Round trips ---

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t"), max_size=40)
sheets = st.lists(st.tuples(texts, texts), min_size=1, max_size=6)


def cleaned(rows) -> list[tuple]:
    kept = [tuple(clean_cell(text)[0] for text in row) for row in rows]
    return [row for row in kept if any(row)]


@settings(max_examples=150)
@given(sheets)
def test_csv_comes_back_as_it_went(rows):
    content = write_csv(["甲", "乙"], [("x", "x"), *rows])
    table = table_of(content, filename="a.csv")
    assert [row.cells for row in table.rows][1:] == cleaned(rows)


@settings(max_examples=60, deadline=None)
@given(sheets)
def test_a_ledger_comes_back_as_it_went(rows):
    columns = [LedgerColumn("甲"), LedgerColumn("乙")]
    wanted = (Column("a", "甲"), Column("b", "乙"))
    table = table_of(ledger(rows, columns), filename="a.xlsx", columns=wanted)
    assert [row.cells[1:] for row in table.rows] == [tuple(clean_cell(text)[0] for text in row) for row in rows]


# --- Templates ---

FORM = (
    Column("title", "标题", required=True, example="路灯不亮", note="一句话说清"),
    Column("kind", "类别", choices=("环境卫生", "物业, 管理", "=其他"), example="环境卫生"),
    Column("day", "日期", kind="date", example="2026-03-05"),
    Column("phone", "电话"),
)


def test_a_template_has_notes_a_header_an_example_and_drop_downs():
    made = opened(write_template(FORM, title="导入需求", notes=["一次不超过 1000 行。"]))
    sheet = made["导入需求"]
    assert made.sheetnames == ["导入需求", "填写说明", "选项"]
    assert made["选项"].sheet_state == "hidden"
    assert "一次不超过" in sheet["A1"].value
    assert "身份证" in sheet["A1"].value
    assert [cell.value for cell in sheet[2]] == ["标题*", "类别", "日期", "电话"]
    assert sheet["A3"].value == "【示例】路灯不亮"
    rules = {str(rule.sqref).split(":")[0]: rule for rule in sheet.data_validations.dataValidation}
    assert rules["B4"].formula1 == "'选项'!$B$1:$B$3"
    assert [cell.value for cell in made["选项"]["B"]] == list(FORM[1].choices)
    assert made["选项"]["B3"].data_type == "s"
    assert "一句话" in rules["A4"].prompt
    assert "2026-03-05" in rules["C4"].prompt
    assert "D4" not in rules
    assert sheet.column_dimensions["D"].number_format == "@"
    assert sheet.freeze_panes == "A3"


def test_the_template_explains_every_column_on_a_sheet_of_its_own():
    rows = list(opened(write_template(FORM, title="x"))["填写说明"].iter_rows(values_only=True))
    assert rows[1] == ("标题", "必填", "一句话说清", None, "路灯不亮")
    assert rows[2][3] == "环境卫生、物业, 管理、=其他"
    assert len(rows) == 5


def test_a_template_filled_in_is_read_and_its_example_is_not():
    made = opened(write_template(FORM, title="导入需求"))
    made["导入需求"].append(["井盖松动", "物业, 管理", "2026/3/6", "0138"])
    out = io.BytesIO()
    made.save(out)
    table = table_of(out.getvalue(), filename="a.xlsx", columns=FORM)
    record = list(bind_columns(table, FORM).records())
    assert [each.values for each in record] == [
        {"title": "井盖松动", "kind": "物业, 管理", "day": date(2026, 3, 6), "phone": "0138"}
    ]
    assert record[0].errors == []


# --- Files with their errors ---


def sent() -> bytes:
    made = Workbook()
    sheet = made.active
    sheet.title = "数据"
    sheet.append(["需求清单", None, None])
    sheet.merge_cells("A1:C1")
    sheet.append(["编号", "标题", "次数"])
    sheet.append(["1", "a", 5])
    sheet.append([])
    sheet.append(["3", "=1+1", 7])
    sheet["B5"].data_type = "s"
    sheet["B3"].number_format = "@"
    made.create_sheet("备注").append(["请勿删除"])
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


WANTED = (Column("code", "编号"), Column("title", "标题"))
ERRORS = [
    RowError(5, "标题", "太长。", "x"),
    RowError(5, "编号", "编号已经用过"),
    RowError(3, "", "=坏了"),
]


def test_a_workbook_comes_back_as_it_was_with_its_errors_beside_the_rows():
    content = sent()
    back = write_errors(content, table_of(content, filename="a.xlsx", columns=WANTED), ERRORS)
    made = opened(back)
    assert made.sheetnames == ["数据", "备注"]
    sheet = made["数据"]
    assert [cell.value for cell in sheet["D"]] == [None, "错误信息", "=坏了", None, "标题：太长；编号已经用过"]
    assert sheet["D3"].data_type == "s"
    assert (sheet["B5"].value, sheet["B5"].data_type) == ("=1+1", "s")
    assert sheet["B3"].number_format == "@"
    assert str(next(iter(sheet.merged_cells.ranges))) == "A1:C1"
    assert sheet["B5"].fill.fill_type == sheet["A5"].fill.fill_type == "solid"
    assert sheet["A3"].fill.fill_type is None
    assert not has_formula(back)


def test_a_corrected_file_uses_the_same_column_again():
    content = sent()
    back = write_errors(content, table_of(content, filename="a.xlsx", columns=WANTED), ERRORS)
    table = table_of(back, filename="a.xlsx", columns=WANTED)
    assert [row.number for row in table.rows] == [3, 5]
    again = write_errors(back, table, [RowError(3, "标题", "重复")])
    assert column_of(again, "D") == [None, "错误信息", "标题：重复", None, None]
    assert opened(again).active.max_column == 4


def test_notes_beside_the_table_are_not_overwritten():
    made = Workbook()
    for row in (["编号", "标题"], ["1", "a", "旁注"], ["2", "b"]):
        made.active.append(row)
    out = io.BytesIO()
    made.save(out)
    content = out.getvalue()
    sheet = opened(write_errors(content, table_of(content, filename="a.xlsx"), [RowError(2, "标题", "重复")])).active
    assert [cell.value for cell in sheet[2]] == ["1", "a", "旁注", "标题：重复"]
    assert sheet["D1"].value == "错误信息"


def check_rewritten(content: bytes, name: str) -> None:
    table = table_of(content, filename=name, columns=WANTED)
    back = write_errors(content, table, [RowError(table.rows[1].number, "标题", "重复")])
    sheet = opened(back).active
    assert [cell.value for cell in sheet[1]][-1] == "错误信息"
    assert [cell.value for cell in sheet[3]][-1] == "标题：重复"
    assert (sheet["B3"].value, sheet["B3"].data_type) == ("=1+1", "s")
    assert sheet["B3"].fill.fill_type == "solid"
    assert sheet["B2"].fill.fill_type is None
    again = table_of(back, filename="a.xlsx", columns=WANTED)
    assert [row.cells[:2] for row in again.rows] == [row.cells[:2] for row in table.rows]


def test_a_csv_comes_back_as_a_workbook_with_the_same_rows():
    check_rewritten("编号,标题\n0138,a\n3,'=1+1\n".encode("gb18030"), "a.csv")


def test_a_workbook_too_large_to_edit_comes_back_with_the_same_rows(monkeypatch):
    monkeypatch.setattr(error_file, "_IN_PLACE_CELLS", 1)
    check_rewritten(sent(), "a.xlsx")


def test_cleaning_for_storage_agrees_with_cleaning_of_cells():
    assert clean_text("\u3000路灯\xa0", max_length=9, label="x") == clean_cell("\u3000路灯\xa0")[0]
