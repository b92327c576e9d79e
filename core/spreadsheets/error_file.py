"""A file sent back with its errors: the person corrects it in place and sends it again."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter

from core.errors import Invalid
from core.spreadsheets.cells import cell_text
from core.spreadsheets.headers import header_text
from core.spreadsheets.report import RowError
from core.spreadsheets.styles import (
    ALERT,
    BODY,
    BOLD,
    BOX,
    CENTRE,
    FAULT_FILL,
    HEADER_FILL,
    LEFT,
    Brush,
    put,
    text_width,
)
from core.spreadsheets.table import ERROR_HEADER, Table
from core.spreadsheets.xlsx_reader import check_package

# Above this many cells the workbook is not opened as a whole (about 50 bytes of memory for each byte of file).
_IN_PLACE_CELLS = 300_000
_ERROR_WIDTH = 60


def write_errors(content: bytes, table: Table, errors: Sequence[RowError]) -> bytes:
    """The file as a workbook with a column 错误信息 behind the others, and the faulty cells coloured.

    An xlsx comes back as it was, formats, notes and other sheets included, its formulas as their values (a formula
    that nothing calculates again would be refused when the file returns). A csv, and a workbook too large to edit,
    comes back as a new workbook with the same columns and rows. A column 错误信息 from an earlier round is used again.

    Args:
        content: the file as it was sent.
        table: what `open_table` read from it.
        errors: by row number of the sheet; those of the same row are joined.
    """
    messages = _by_row(errors)
    cells = len(table.rows) * max(len(table.headers), 1)
    if table.kind == "xlsx" and cells <= _IN_PLACE_CELLS:
        return _edited(content, table, errors, messages)
    return _rewritten(table, errors, messages)


def _by_row(errors: Sequence[RowError]) -> dict[int, str]:
    parts: dict[int, list[str]] = {}
    for error in errors:
        text = (
            error.message if not error.column or error.column in error.message else f"{error.column}：{error.message}"
        )
        parts.setdefault(error.row, []).append(text.rstrip("。"))
    return {row: "；".join(dict.fromkeys(texts)) for row, texts in parts.items()}


def _faulty(errors: Sequence[RowError], table: Table) -> set[tuple[int, int]]:
    positions = {header: index for index, header in enumerate(table.headers, start=1)}
    return {(error.row, positions[error.column]) for error in errors if error.column in positions}


def _edited(content: bytes, table: Table, errors: Sequence[RowError], messages: Mapping[int, str]) -> bytes:
    check_package(content)
    try:
        book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
        sheet = book[table.sheet]
    except Exception as error:
        # The same bytes were read before, but by the lenient parser; see xlsx_reader.
        raise Invalid(
            _("这个 Excel 文件无法写入错误信息，请另存为新的 .xlsx 后再导入。"), code="table_damaged"
        ) from error
    column = _error_column(sheet, table)
    for row in table.rows:
        sheet.cell(row.number, column).value = None
    _head(sheet.cell(table.header_row, column))
    for number, message in messages.items():
        cell = put(sheet.cell(number, column), message)
        cell.font, cell.alignment = ALERT, LEFT
    for number, index in _faulty(errors, table):
        sheet.cell(number, index).fill = FAULT_FILL
    sheet.column_dimensions[get_column_letter(column)].width = _ERROR_WIDTH
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _error_column(sheet: Any, table: Table) -> int:
    for index, header in enumerate(table.headers, start=1):
        if header == ERROR_HEADER:
            return index
    # Behind everything, notes without a header included.
    index = len(table.headers) + 1
    while any(sheet.cell(row.number, index).value is not None for row in table.rows):
        index += 1
    return index


def _head(cell: Any) -> None:
    put(cell, ERROR_HEADER)
    cell.font, cell.alignment, cell.fill, cell.border = ALERT, CENTRE, HEADER_FILL, BOX


def _rewritten(table: Table, errors: Sequence[RowError], messages: Mapping[int, str]) -> bytes:
    kept = [index for index, header in enumerate(table.headers) if header_text(header) != ERROR_HEADER]
    faulty = _faulty(errors, table)
    book = Workbook(write_only=True)
    sheet = book.create_sheet(table.sheet or "表1")
    sheet.freeze_panes = "A2"
    for place, index in enumerate(kept, start=1):
        widest = max(text_width(cell_text(row.cells[index])) for row in table.rows[:100])
        width = min(max(widest, text_width(table.headers[index]), 8) + 2, 40)
        sheet.column_dimensions[get_column_letter(place)].width = width
    sheet.column_dimensions[get_column_letter(len(kept) + 1)].width = _ERROR_WIDTH
    brush = Brush(sheet)
    header = [brush(table.headers[index], BOLD, CENTRE, boxed=True, fill=HEADER_FILL) for index in kept]
    sheet.append([*header, brush(ERROR_HEADER, ALERT, CENTRE, boxed=True, fill=HEADER_FILL)])
    for row in table.rows:
        cells = [
            brush(row.cells[index] or None, BODY, LEFT, fill=FAULT_FILL if (row.number, index + 1) in faulty else None)
            for index in kept
        ]
        sheet.append([*cells, brush(messages.get(row.number), ALERT, LEFT)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
