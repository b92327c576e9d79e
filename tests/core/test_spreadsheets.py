"""Reading tables: what is taken, what is refused, and that nothing else ever happens."""

import io
import zipfile
from datetime import UTC, date, datetime, time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from core.errors import Invalid, TooLarge
from core.spreadsheets import Column, Table, open_table, table_of
from core.spreadsheets import xlsx_reader as xlsx

STRINGS = "xl/media/strings.xml"  # any name will do; what counts is the declared type
COLUMNS = (Column("code", "编号", required=True), Column("title", "标题", aliases=("主题",), required=True))


def book(*rows, edit=None, sheets=()) -> bytes:
    """A workbook with these rows on its first sheet."""
    made = Workbook()
    sheet = made.active
    sheet.title = "数据"
    for row in rows:
        sheet.append(row)
    for name, content in sheets:
        other = made.create_sheet(name)
        for row in content:
            other.append(row)
    if edit:
        edit(made)
    out = io.BytesIO()
    made.save(out)
    return out.getvalue()


def replaced(content: bytes, part: str, change) -> bytes:
    """The workbook with one of its parts changed, or added, by hand."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            data = before.read(name)
            after.writestr(name, change(data) if name == part else data)
        if part not in before.namelist():
            after.writestr(part, change(b""))
    return out.getvalue()


def sheet_xml(rows: str, tail: str = "") -> bytes:
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{namespace}"><sheetData>{rows}</sheetData>{tail}</worksheet>'.encode()


def with_shared_strings(*strings: str) -> bytes:
    """A workbook of one column as Excel writes it: texts in a part of their own. (openpyxl writes them inline.)"""
    namespace = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    items = "".join(f"<si><t>{text}</t></si>" for text in strings)
    rows = "".join(f'<row r="{n + 1}"><c r="A{n + 1}" t="s"><v>{n}</v></c></row>' for n in range(len(strings)))
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    content = replaced(raw_book(rows), STRINGS, lambda _none: f'<sst xmlns="{namespace}">{items}</sst>'.encode())
    return replaced(
        content,
        "[Content_Types].xml",
        lambda old: old.replace(
            b"</Types>", f'<Override PartName="/{STRINGS}" ContentType="{kind}"/></Types>'.encode()
        ),
    )


def raw_book(rows: str, tail: str = "") -> bytes:
    return replaced(book(["x"]), "xl/worksheets/sheet1.xml", lambda _old: sheet_xml(rows, tail))


def read(content: bytes, name: str = "a.xlsx", columns=(), **options) -> Table:
    return open_table(io.BytesIO(content), filename=name, columns=columns, **options)


def values(table: Table) -> list[tuple]:
    return [row.cells for row in table.rows]


def refusal(content: bytes, name: str = "a.xlsx", columns=(), **options) -> str:
    with pytest.raises((Invalid, TooLarge)) as refused:
        read(content, name, columns, **options)
    return refused.value.message


# --- Workbooks ---


def test_a_workbook_is_read_with_the_row_numbers_of_the_sheet():
    table = read(book(["编号", "标题"], ["1", "路灯不亮"], [], ["2", "井盖松动"], [None, "　"], []))
    assert table.headers == ("编号", "标题")
    assert [(row.number, row.cells) for row in table.rows] == [(2, ("1", "路灯不亮")), (4, ("2", "井盖松动"))]
    assert (table.kind, table.sheet, table.header_row) == ("xlsx", "数据", 1)


def test_cells_are_cleaned_and_numbers_that_are_codes_stay_codes():
    row = [12.0, 610724001001, 0.1 + 0.2, True, "\u3000 路灯 \n不亮\xa0", "0138", time(8, 30), None]
    cells = read(book(list("abcdefgh"), row)).rows[0].cells
    assert cells == ("12", "610724001001", "0.3", "是", "路灯 \n不亮", "0138", "08:30", "")


def test_dates_of_excel_come_as_moments():
    cells = read(book(["a", "b"], [date(2026, 3, 5), datetime(2026, 3, 5, 14, 30)])).rows[0].cells  # noqa: DTZ001
    assert cells == (datetime(2026, 3, 5), datetime(2026, 3, 5, 14, 30))  # noqa: DTZ001


def test_a_number_too_long_for_excel_is_a_fault_of_its_cell():
    row = read(book(["a", "b"], ["x", 6107240010010070012])).rows[0]
    assert "15 位" in row.faults[1]
    assert 0 not in row.faults


def test_a_formula_gives_its_value_and_one_never_calculated_is_a_fault():
    cells = '<c r="A1" t="inlineStr"><is><t>甲</t></is></c><c r="B1" t="inlineStr"><is><t>乙</t></is></c>'
    results = (
        '<c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>IF(1,"")</f><v></v></c>',
        '<c r="A3"><f>1+1</f><v></v></c><c r="B3"><v>5</v></c>',
        '<c r="A4"><f>1+1</f></c><c r="B4" t="e"><f>1/0</f><v>#DIV/0!</v></c>',
    )
    rows = "".join(f'<row r="{number}">{row}</row>' for number, row in enumerate((cells, *results), start=1))
    table = read(raw_book(rows))
    assert [row.cells[0] for row in table.rows] == ["2", "", ""]
    assert [sorted(row.faults) for row in table.rows] == [[], [0], [0, 1]]
    assert "没有计算结果" in table.rows[1].faults[0]
    assert "#DIV/0!" in table.rows[2].faults[1]


def test_merged_cells_in_the_data_are_refused_with_their_address():
    content = book(["编号", "标题"], ["1", "a"], [None, "b"], edit=lambda made: made.active.merge_cells("A2:A3"))
    assert "A2:A3" in refusal(content)
    header = book(["编号", "标题", None], ["1", "a", "b"], edit=lambda made: made.active.merge_cells("B1:C1"))
    assert "B1:C1" in refusal(header)


def test_a_merged_title_above_the_header_is_a_title():
    def merge(made):
        made.active.merge_cells("A1:B1")

    table = read(book(["需求台账"], ["填报单位：新城社区"], ["编号", "标题"], ["1", "a"], edit=merge), columns=COLUMNS)
    assert table.header_row == 3
    assert values(table) == [("1", "a")]


def test_what_a_ledger_has_below_its_data_is_no_data():
    rows = (["编号", "标题"], ["1", "a"], ["合计", "共 1 条"], ["填表人：张三", "审核人：李四"])
    table = read(book(*rows, edit=lambda made: made.active.merge_cells("A4:B4")))
    assert values(table) == [("1", "a")]


def test_the_sheet_with_the_wanted_headers_is_chosen_and_the_others_named():
    content = book(["说明"], ["请看第二张表"], sheets=[("清单", [["编号", "标题"], ["1", "a"]]), ("空", [])])
    table = read(content, columns=COLUMNS)
    assert table.sheet == "清单"
    assert "数据" in "".join(table.notes)
    assert "空" not in "".join(table.notes)


def test_a_hidden_sheet_is_not_read():
    def hide(made):
        made["清单"].sheet_state = "hidden"

    content = book(["编号", "标题"], ["1", "a"], sheets=[("清单", [["编号", "标题"], ["2", "b"]])], edit=hide)
    assert values(read(content)) == [("1", "a")]


def test_a_column_without_a_header_is_not_read_and_said():
    table = read(book(["编号", None, "标题"], ["1", "旁注", "a", "更多"]))
    assert table.headers == ("编号", "", "标题")
    assert values(table) == [("1", "旁注", "a")]
    assert "B、D" in "".join(table.notes)


def test_the_example_row_of_a_template_is_skipped():
    table = read(book(["编号", "标题"], ["【示例】1", "路灯不亮"], ["2", "b"]))
    assert values(table) == [("2", "b")]
    assert "示例" in table.notes[0]


def test_dates_counted_from_1904_are_understood():
    def count_from_1904(made):
        from openpyxl.utils.datetime import MAC_EPOCH

        made.epoch = MAC_EPOCH

    table = read(book(["a"], [date(2026, 3, 5)], edit=count_from_1904))
    assert table.dates_from_1904
    assert table.rows[0].cells == (datetime(2026, 3, 5),)  # noqa: DTZ001


def test_a_million_empty_rows_with_borders_do_not_hold_up_the_reading():
    head = '<row r="1"><c r="A1" t="inlineStr"><is><t>甲</t></is></c></row><row r="2"><c r="A2"><v>1</v></c></row>'
    empty = "".join(f'<row r="{number}"><c r="A{number}" s="0"/></row>' for number in range(3, 60_000))
    table = read(raw_book(head + empty))
    assert values(table) == [("1",)]
    assert "空白" in "".join(table.notes)


def test_a_row_numbered_beyond_every_sheet_is_one_row():
    rows = '<row r="1"><c t="inlineStr"><is><t>甲</t></is></c></row><row r="999999999999"><c><v>1</v></c></row>'
    assert read(raw_book(rows)).rows[0].number == 999999999999


def test_an_entity_bomb_is_refused():
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e0 'lol'>" + entities.encode() + b"]>"
    cell = '<row r="1"><c r="A1" t="inlineStr"><is><t>&e11;</t></is></c></row>'
    content = replaced(book(["x"]), "xl/worksheets/sheet1.xml", lambda _old: bomb + sheet_xml(cell))
    assert "损坏" in refusal(content)


def test_a_zip_bomb_is_refused_by_its_directory(monkeypatch):
    content = replaced(book(["x"], ["y"]), "xl/worksheets/sheet1.xml", lambda old: old + b" " * (30 * 1024 * 1024))
    assert len(content) < 200_000
    monkeypatch.setattr(xlsx, "load_workbook", None)  # it must not come to that
    assert "解压后过大" in refusal(content)


def test_texts_are_found_where_excel_puts_them():
    assert values(read(with_shared_strings("标题", "路灯不亮", "_x000D_\n井盖_x000d_松动"))) == [
        ("路灯不亮",),
        ("井盖\n松动",),
    ]


@pytest.mark.parametrize(("limit", "part"), [("MAX_OTHER_PART", "xl/styles.xml"), ("MAX_STRINGS", STRINGS)])
def test_a_part_that_is_held_whole_has_a_limit_of_its_own_whatever_it_is_called(monkeypatch, limit, part):
    content = replaced(with_shared_strings("编号", "1"), part, lambda old: old + b" " * 3000)
    assert read(content)
    monkeypatch.setattr(xlsx, limit, 100)
    with pytest.raises(TooLarge):
        xlsx.check_package(content)


# --- csv ---


@pytest.mark.parametrize(
    ("codec", "name"), [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB18030"), ("utf-16", "UTF-16")]
)
def test_the_encoding_of_a_csv_is_recognised(codec, name):
    table = read("编号,标题\n1,路灯不亮𠮷\n".encode(codec), "a.csv")
    assert (table.headers, values(table)) == (("编号", "标题"), [("1", "路灯不亮𠮷")])
    assert table.encoding == name


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，"])
def test_the_delimiter_is_recognised(delimiter):
    text = f'编号{delimiter}标题{delimiter}内容\n1{delimiter}"a,b;c"{delimiter}"d\te"\n'
    assert values(read(text.encode(), "a.csv")) == [("1", "a,b;c", "d\te")]


def test_line_breaks_in_quotes_belong_to_the_cell_and_rows_keep_their_numbers():
    table = read('编号,标题\r\n1,"路灯\r\n不亮"\r\n\r\n2,"他说""好"""\r\n'.encode(), "a.csv")
    assert [(row.number, row.cells) for row in table.rows] == [(2, ("1", "路灯\n不亮")), (4, ("2", '他说"好"'))]


def test_a_quote_that_is_never_closed_is_refused_with_its_row():
    assert "第 3 行" in refusal('编号,标题\n1,a\n2,"b\n3,c\n'.encode(), "a.csv")


def test_cells_beyond_the_header_are_a_fault_of_the_row():
    table = read("编号,标题\n1,路灯,不亮\n2,b\n3\n".encode(), "a.csv")
    assert "多出 1 格" in table.rows[0].faults[2]
    assert not table.rows[1].faults
    assert table.rows[2].cells == ("3", "")


def test_codes_that_excel_turned_into_powers_are_a_fault():
    table = read("编号,标题\n6.10724E+11,a\n".encode(), "a.csv")
    assert "科学计数法" in table.rows[0].faults[0]


def test_damage_in_utf8_is_not_taken_for_another_encoding():
    text = "编号,标题\n1,路灯不亮请尽快派人来修理\n2,井盖松动请尽快派人来修理\n".encode()
    message = refusal(text[:-3] + b"\xff\n", "a.csv")
    assert "第 3 行" in message
    assert "UTF-8" in message
    assert "UTF-8" in refusal(b"\xef\xbb\xbf" + "编号\n".encode() + b"\xff\xff\n", "a.csv")


def test_bytes_that_are_no_text_are_refused():
    assert "乱码" in refusal(b"\xff\x00\x80\xfe", "a.csv")
    assert "不是表格" in refusal(b"a,b\n1,\x00\n", "a.csv")


# --- What is refused ---

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.xlsx", "空"),
        (b" \r\n ", "a.csv", "空"),
        (b"%PDF-1.7 ...", "a.xlsx", "PDF"),
        (b"%PDF-1.7 ...", "a.csv", "PDF"),
        (b"\xff\xd8\xff\xe0....", "a.xlsx", "图片"),
        (b"Rar!\x1a\x07", "a.xlsx", "压缩包"),
        (OLE, "a.xls", "另存为 .xlsx"),
        (OLE, "a.xlsx", "另存为 .xlsx"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "a.xlsx", "密码"),
        (OLE, "a.doc", "Word"),
        (b"<html><table><tr><td>1</td></tr></table>", "a.xls", "网页"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><Workbook/>", "a.xls", "网页"),
        ("编号,标题\n1,a\n".encode(), "a.xlsx", "不是 Excel"),
        ("编号\t标题\n1\ta\n".encode(), "a.xls", "不是 Excel"),
        (book(["编号"], ["1"]), "a.csv", "改为 .xlsx"),
        (book(["编号"], ["1"]), "a.xls", "改为 .xlsx"),
        (book(["编号"], ["1"])[:200], "a.xlsx", "损坏"),
        (b"PK\x03\x04" + b"\x00" * 100, "a.xlsx", "损坏"),
        (book(), "a.xlsx", "空"),
        (book(["编号", "标题"]), "a.xlsx", "没有任何数据"),
        ("编号,标题\n\n".encode(), "a.csv", "没有任何数据"),
        (raw_book('<row r="1"><c r="A1"><v>not a number</v></c></row>'), "a.xlsx", "损坏"),
    ],
)
def test_what_is_no_readable_table_is_refused_in_plain_words(content, name, words):
    assert words in refusal(content, name)


def test_other_zips_are_named_for_what_they_are():
    def zipped(*names):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as package:
            for name in names:
                package.writestr(name, "x")
        return out.getvalue()

    assert "Word" in refusal(zipped("[Content_Types].xml", "word/document.xml"), "a.xlsx")
    assert "xlsb" in refusal(zipped("[Content_Types].xml", "xl/workbook.bin"), "a.xlsx")
    assert "不是 Excel" in refusal(zipped("photo.jpg"), "a.xlsx")


def test_fifty_megabytes_are_refused_before_anything_is_read():
    class Huge(io.BytesIO):
        size = 50 * 1024 * 1024

        def read(self, *_count):
            raise AssertionError("read")

    with pytest.raises(TooLarge) as refused:
        open_table(Huge(), filename="a.xlsx")
    assert "20 MB" in refused.value.message
    assert "50 MB" in refused.value.message


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_more_rows_than_are_taken_are_refused_and_exactly_as_many_are_read(name):
    rows = [["编号"], *([str(number)] for number in range(30))]
    content = book(*rows) if name == "a.xlsx" else "\n".join(row[0] for row in rows).encode()
    assert len(read(content, name, max_rows=30).rows) == 30
    assert "29 行" in refusal(content, name, max_rows=29)
    assert "5 行" in refusal(content, name, max_rows=5)


@pytest.mark.parametrize("name", ["a.xlsx", "a.csv"])
def test_more_columns_than_are_taken_are_refused(name):
    row = [f"c{number}" for number in range(201)]
    content = book(row, row) if name == "a.xlsx" else (",".join(row) + "\n").encode() * 2
    assert "200 列" in refusal(content, name)


# --- Whatever comes ---

GOOD = (
    book(["编号", "标题"], ["1", "路灯不亮"], [2, date(2026, 3, 5)]),
    "编号,标题\n1,路灯不亮\n".encode(),
    "编号\t标题\n1\t路灯不亮\n".encode("gb18030"),
)
names = st.sampled_from(["a.xlsx", "a.csv", "a.txt", "a.xls", "a"])


def readable_or_refused(content: bytes, name: str) -> None:
    try:
        table = table_of(content, filename=name, columns=COLUMNS)
    except (Invalid, TooLarge):
        return
    assert table.rows
    for row in table.rows:
        assert len(row.cells) == len(table.headers)
        assert all(isinstance(cell, str | datetime) for cell in row.cells)


@settings(max_examples=300)
@given(st.binary(max_size=400), names)
@example(b'"', "a.csv")
@example(b"\xff\xfe", "a.csv")
@example("编号\n'".encode(), "a.csv")
def test_any_bytes_are_a_table_or_refused(content, name):
    readable_or_refused(content, name)


@settings(max_examples=300)
@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]))
def test_any_text_is_a_table_or_refused(text, codec):
    readable_or_refused(text.encode(codec, "ignore"), "a.csv")


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(GOOD), st.integers(0, 6000), st.binary(max_size=20), st.booleans())
def test_a_damaged_table_is_a_table_or_refused(content, position, noise, cut):
    position %= len(content)
    damaged = content[:position] + noise + (b"" if cut else content[position + len(noise) :])
    for name in ("a.xlsx", "a.csv"):
        readable_or_refused(damaged, name)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["xl/worksheets/sheet1.xml", "xl/workbook.xml", "xl/styles.xml", STRINGS, "[Content_Types].xml"]),
    st.integers(0, 3000),
    st.sampled_from(
        [b"<", b"/>", b'"', b"-1", b"999999999999999999", b"<c/>", b"&x;", b"\xff", b"<row r='x'>", b"<v>1e999</v>"]
    ),
)
def test_a_workbook_with_a_damaged_part_is_a_table_or_refused(part, position, noise):
    def damage(old: bytes) -> bytes:
        at = position % len(old)
        return old[:at] + noise + old[at + len(noise) :]

    readable_or_refused(replaced(with_shared_strings("标题", "编号", "1"), part, damage), "a.xlsx")


def test_a_moment_with_a_zone_loses_only_the_zone():
    from core.spreadsheets.cells import clean_cell

    assert clean_cell(datetime(2026, 3, 5, tzinfo=UTC)) == (datetime(2026, 3, 5), "")  # noqa: DTZ001
