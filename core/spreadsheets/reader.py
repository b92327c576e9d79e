"""The one way to read a table somebody sends: `open_table`, then `columns.bind_columns`."""

from collections.abc import Sequence
from pathlib import PurePath
from typing import IO

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.spreadsheets.cells import cell_text, column_letter
from core.spreadsheets.columns import Column
from core.spreadsheets.csv_reader import read_csv
from core.spreadsheets.headers import count_known, header_text
from core.spreadsheets.limits import HEADER_WITHIN, MAX_BYTES, MAX_ROWS, too_many_rows
from core.spreadsheets.table import EXAMPLE_MARK, RawSheet, Row, Table
from core.spreadsheets.xlsx_reader import check_package, read_xlsx
from core.uploads import read_at_most

# How the rows below the data of a printed ledger begin.
_FEET = ("合计", "总计", "填表人", "制表人", "审核人")
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF87a", b"GIF89a")
_ARCHIVES = (b"Rar!", b"7z\xbc\xaf")


def open_table(
    file: IO[bytes],
    *,
    filename: str,
    columns: Sequence[Column] = (),
    max_rows: int = MAX_ROWS,
    max_bytes: int = MAX_BYTES,
) -> Table:
    """Reads a table completely, cleaned and without interpreting it.

    xlsx, and csv in UTF-8 (with or without byte order mark), UTF-16 with one, or GB18030. What a file is follows from
    its content; a name that says otherwise is refused. Leading, trailing and blank rows are dropped (row numbers stay
    those of the sheet); a template's example row is skipped and noted; the totals and signatures below a ledger are no
    data.

    Args:
        file: an upload or any binary file.
        filename: its name, for the extension and the messages.
        columns: the wanted columns. With them the header is found below titles and notes, and the right one of
            several sheets; without, the first row that is not blank is the header.
        max_rows, max_bytes: what is taken in one go.

    Raises:
        TooLarge: more bytes, rows or columns than are taken, or a zip bomb.
        Invalid: not a table, damaged, another format, an unreadable encoding, unbalanced quotes, merged cells from the
            header on, nothing in it, or nothing below the header.
    """
    content = read_at_most(file, max_bytes, what=_("表格文件"), advice=_("请分成几个文件分别导入。"))
    return table_of(content, filename=filename, columns=columns, max_rows=max_rows)


def table_of(content: bytes, *, filename: str, columns: Sequence[Column] = (), max_rows: int = MAX_ROWS) -> Table:
    """As `open_table`, from bytes in hand."""
    kind = _kind_of(content, PurePath(filename).suffix.lower())
    known = [column.keys for column in columns]
    # The rows above the header count too while reading, hence the extra.
    taken = max_rows + HEADER_WITHIN
    if kind == "xlsx":
        raw = read_xlsx(content, max_rows=taken, known=known)
    else:
        raw = read_csv(content, max_rows=taken)
    return _shape(raw, kind=kind, filename=filename, known=known, max_rows=max_rows)


def _shape(raw: RawSheet, *, kind: str, filename: str, known: Sequence[frozenset[str]], max_rows: int) -> Table:
    """Finds the header and makes every row as wide as it."""
    position = _header_position(raw.rows, known)
    header = raw.rows[position]
    body = _without_foot(raw.rows[position + 1 :])
    _refuse_merged(raw.merged, header.number, body[-1].number if body else header.number)
    headers = tuple(header_text(cell_text(cell)) for cell in header.cells)
    while headers and not headers[-1]:
        headers = headers[:-1]
    if not headers:
        raise Invalid(
            _("第 %(row)d 行应是标题行，却没有文字，请在表格最上面写好各列的标题。") % {"row": header.number},
            code="table_no_header",
        )
    notes = list(raw.notes)
    rows = []
    for row in body:
        if _is_example(row):
            notes.append(_("第 %(row)d 行是填写示例，已跳过。") % {"row": row.number})
        else:
            rows.append(row)
    if not rows:
        raise Invalid(
            _("标题行（第 %(row)d 行）下面没有任何数据，请填写后再导入。") % {"row": header.number},
            code="table_no_rows",
        )
    if len(rows) > max_rows:
        raise too_many_rows(max_rows)
    nameless = _columns_without_header(headers, rows)
    if kind == "xlsx" and nameless:
        letters = "、".join(column_letter(index) for index in nameless)
        notes.append(_("%(columns)s 列没有标题，没有读取。") % {"columns": letters})
    return Table(
        filename=filename,
        kind=kind,
        sheet=raw.name,
        encoding=raw.encoding,
        headers=headers,
        header_row=header.number,
        rows=tuple(_fit(row, len(headers), kind) for row in rows),
        notes=tuple(notes),
        dates_from_1904=raw.dates_from_1904,
    )


def _header_position(rows: Sequence[Row], known: Sequence[frozenset[str]]) -> int:
    """The row with the most known headers among the first ones; the very first when none has any."""
    scores = [count_known(row, known) for row in rows[:HEADER_WITHIN]]
    return scores.index(max(scores))


def _without_foot(rows: Sequence[Row]) -> Sequence[Row]:
    """The rows without what a printed ledger has below its data: totals, and the line of who filled and checked it."""
    end = len(rows)
    while end and _first_text(rows[end - 1]).startswith(_FEET):
        end -= 1
    return rows[:end]


def _refuse_merged(ranges: Sequence[str], header_row: int, last_row: int) -> None:
    """Merged cells above the header are titles, below the data a foot; between, they leave rows without a value."""
    faulty = []
    for area in ranges:
        top, bottom = (int(corner.lstrip(_LETTERS)) for corner in area.split(":"))
        if bottom >= header_row and top <= last_row:
            faulty.append(area)
    if faulty:
        shown = "、".join(faulty[:5]) + (_("等 %(count)d 处") % {"count": len(faulty)} if len(faulty) > 5 else "")
        raise Invalid(
            _("表格里有合并单元格（%(cells)s），请取消合并、把每一格填完整后再导入。") % {"cells": shown},
            code="merged_cells",
        )


def _is_example(row: Row) -> bool:
    return _first_text(row).startswith(EXAMPLE_MARK)


def _first_text(row: Row) -> str:
    first = next((cell for cell in row.cells if cell), "")
    return first if isinstance(first, str) else ""


def _columns_without_header(headers: Sequence[str], rows: Sequence[Row]) -> list[int]:
    width = max(len(row.cells) for row in rows)
    blank = [index for index in range(width) if index >= len(headers) or not headers[index]]
    return [index for index in blank if any(index < len(row.cells) and row.cells[index] for row in rows)]


def _fit(row: Row, width: int, kind: str) -> Row:
    """The row as wide as the header.

    What stands beyond it in a csv file is a fault of the row: most likely a text with a comma in it that lacks its
    quotes, so that every cell behind it has slipped. In a workbook cells do not slip.
    """
    faults = {index: fault for index, fault in row.faults.items() if index < width}
    extra = len(row.cells) - width
    if extra > 0 and kind == "csv":
        faults[width] = _("这一行比标题多出 %(count)d 格，可能是文字里的逗号没有加引号") % {"count": extra}
    cells = row.cells[:width] + ("",) * max(-extra, 0)
    return Row(row.number, cells, faults)


# --- What a file is -------------------------------------------------------------------------------------------------


def _kind_of(content: bytes, extension: str) -> str:
    """ "xlsx" or "csv", by the content. Raises Invalid that says what the file is instead and what to do."""
    start = content[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not content.strip():
        raise Invalid(_("文件是空的，请检查后再导入。"), code="table_empty")
    if content.startswith(_OLE):
        raise _old_office(content, extension)
    if start.startswith(b"%pdf-"):
        raise Invalid(_("这是 PDF 文件，不是表格（改扩展名不会改变内容），请用 Excel 文件导入。"), code="not_a_table")
    if content.startswith(_PICTURES):
        raise Invalid(_("这是图片，不是表格，请用 Excel 文件导入。"), code="not_a_table")
    if content.startswith(_ARCHIVES):
        raise Invalid(_("这是压缩包，请先解压，再导入里面的 .xlsx 文件。"), code="not_a_table")
    if start.startswith((b"<html", b"<!doctype html", b"<table", b"<?xml", b"<meta", b"<head")):
        raise Invalid(_("这个文件其实是网页格式，请用 Excel 打开，另存为 .xlsx 后再导入。"), code="save_as_xlsx")
    kind = "xlsx" if content.startswith(_ZIP) else "csv"
    if kind == "xlsx" and extension in {".csv", ".txt", ".tsv", ".xls"}:
        check_package(content)
        raise Invalid(
            _("文件名以 %(extension)s 结尾，内容却是新版 Excel 表格，请把扩展名改为 .xlsx 后再导入。")
            % {"extension": extension},
            code="extension",
        )
    if kind == "csv" and extension in {".xlsx", ".xlsm", ".xls", ".et"}:
        raise Invalid(
            _("文件名以 %(extension)s 结尾，内容却不是 Excel 表格，请用 Excel 打开，另存为 .xlsx 后再导入。")
            % {"extension": extension},
            code="extension",
        )
    return kind


def _old_office(content: bytes, extension: str) -> Invalid:
    # A workbook with a password is wrapped into the old container, whatever its extension.
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Invalid(_("这个表格设了打开密码，请在 Excel 里取消密码、保存后再导入。"), code="table_locked")
    if extension in {".doc", ".wps"}:
        return Invalid(_("这是 Word 文件，不是表格，请把表格复制到 Excel 里再导入。"), code="not_a_table")
    return Invalid(_("这是旧版 Excel（.xls）或 WPS 格式，请另存为 .xlsx 后再导入。"), code="save_as_xlsx")
