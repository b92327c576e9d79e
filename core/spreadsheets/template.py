"""The empty form of an import: what to fill in, where, and what may be chosen."""

import io
from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

from core.spreadsheets.columns import Column
from core.spreadsheets.styles import (
    ALERT,
    BODY,
    BOLD,
    BOX,
    CENTRE,
    HEADER_FILL,
    LEFT,
    QUIET,
    TEXT_FORMAT,
    put,
    sheet_title,
    text_width,
)
from core.spreadsheets.table import EXAMPLE_MARK
from core.spreadsheets.xlsx_reader import HELP_SHEET, OPTIONS_SHEET

_NOTES_ROW, _HEADER_ROW, _EXAMPLE_ROW = 1, 2, 3
_NARROWEST, _WIDEST = 12, 40
# Excel shows no longer text beside a cell.
_PROMPT_LIMIT = 250


def write_template(columns: Sequence[Column], *, title: str, notes: Sequence[str] = (), rows: int = 2000) -> bytes:
    """A workbook to fill in: a row of notes, the header (required columns red with a star), an example row.

    Columns with choices have a drop-down; every column is formatted as text, so that Excel changes no code, phone
    number or date. A second sheet explains each column. The example row is recognised and skipped by the reader.

    Args:
        columns: those the import reads.
        title: name of the sheet.
        notes: sentences for the row of notes, after the standard ones.
        rows: how many rows below the example have drop-downs.
    """
    columns = [column for column in columns if column.offered]
    book = Workbook()
    sheet = book.active
    sheet.title = sheet_title(title)
    width = len(columns)
    _write_notes(sheet, notes, width)
    for index, column in enumerate(columns, start=1):
        _write_column(sheet, index, column)
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    _write_choices(book, sheet, columns, rows)
    _write_help(book.create_sheet(HELP_SHEET, 1), columns)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _write_notes(sheet: Any, notes: Sequence[str], width: int) -> None:
    sentences = [
        _("带 * 的列必填，列标题请勿改动，可以多列，多出的列不会读取。"),
        _("以“%(mark)s”开头的一行是示例，导入时自动跳过。") % {"mark": EXAMPLE_MARK},
        _("请勿填写身份证号、民族、宗教、政治面貌、信访、犯罪等内容，有这些列的表格会整份退回。"),
        *notes,
    ]
    text = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, start=1))
    cell = put(sheet.cell(_NOTES_ROW, 1), text)
    cell.font, cell.alignment = BODY, LEFT
    # A long note over few columns needs more lines than it has sentences.
    sheet.row_dimensions[_NOTES_ROW].height = 18 * (len(sentences) + (len(sentences) if width < 5 else 0))
    if width > 1:
        sheet.merge_cells(start_row=_NOTES_ROW, start_column=1, end_row=_NOTES_ROW, end_column=width)


def _write_column(sheet: Any, index: int, column: Column) -> None:
    header = put(sheet.cell(_HEADER_ROW, index), f"{column.header}*" if column.required else column.header)
    header.font, header.alignment = (ALERT if column.required else BOLD), CENTRE
    header.fill, header.border = HEADER_FILL, BOX
    mark = EXAMPLE_MARK if index == 1 else ""
    example = put(sheet.cell(_EXAMPLE_ROW, index), mark + column.example)
    example.font, example.alignment, example.number_format = QUIET, LEFT, TEXT_FORMAT
    dimension = sheet.column_dimensions[get_column_letter(index)]
    widest = max(text_width(column.header) + 4, text_width(mark + column.example) + 2, _NARROWEST)
    dimension.width = column.width or min(widest, _WIDEST)
    dimension.number_format = TEXT_FORMAT


def _write_choices(book: Any, sheet: Any, columns: Sequence[Column], rows: int) -> None:
    """Drop-downs, and a hint beside every cell that has a note.

    The choices stand on a hidden sheet: written into the rule itself they may not be longer than 255 characters nor
    hold a comma.
    """
    options = None
    for index, column in enumerate(columns, start=1):
        if not (column.choices or column.note or column.kind == "date"):
            continue
        rule = DataValidation(allow_blank=not column.required)
        if column.choices:
            if options is None:
                options = book.create_sheet(OPTIONS_SHEET)
                options.sheet_state = "hidden"
            for row, choice in enumerate(column.choices, start=1):
                put(options.cell(row, index), choice)
            letter = get_column_letter(index)
            rule.type = "list"
            rule.formula1 = f"'{OPTIONS_SHEET}'!${letter}$1:${letter}${len(column.choices)}"
            rule.errorTitle, rule.error = column.header[:30], _("请从下拉列表里选择。")
            rule.showErrorMessage = True
        hint = column.note or (_("例如 2026-03-05") if column.kind == "date" else "")
        if hint:
            rule.promptTitle, rule.prompt = column.header[:30], hint[:_PROMPT_LIMIT]
            rule.showInputMessage = True
        rule.add(f"{get_column_letter(index)}{_EXAMPLE_ROW + 1}:{get_column_letter(index)}{_EXAMPLE_ROW + rows}")
        sheet.add_data_validation(rule)


def _write_help(sheet: Any, columns: Sequence[Column]) -> None:
    table: list[Sequence[str]] = [(_("列"), _("必填"), _("怎么填"), _("可选项"), _("示例"))]
    for column in columns:
        required = _("必填") if column.required else _("可不填")
        note = column.note or (_("日期，例如 2026-03-05") if column.kind == "date" else "")
        table.append((column.header, required, note, "、".join(column.choices), column.example))
    for number, row in enumerate(table, start=1):
        for index, text in enumerate(row, start=1):
            cell = put(sheet.cell(number, index), text)
            cell.font, cell.alignment, cell.border = (BOLD if number == 1 else BODY), LEFT, BOX
    for letter, width in zip("ABCDE", (16, 8, 50, 40, 24), strict=True):
        sheet.column_dimensions[letter].width = width
