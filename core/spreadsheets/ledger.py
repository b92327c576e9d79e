"""A ledger (台账) as a cadre prints it (docs/practice.md, section 7)."""

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import chain, islice
from typing import Any, Literal

from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.utils import get_column_letter

from core.periods import date_words
from core.spreadsheets.styles import (
    BODY,
    BOLD,
    CENTRE,
    HEADER_FILL,
    LEFT,
    RIGHT,
    TITLE,
    Brush,
    sheet_title,
    text_width,
)

_NARROWEST, _WIDEST = 6, 48
# Widths are judged by the first rows: a ledger is written row by row and its widths stand before its rows.
_JUDGED_ROWS = 200
_HEADER_ROW = 3


@dataclass(frozen=True)
class LedgerColumn:
    """A column of a ledger.

    Args:
        title: its header.
        align: texts stand left, codes, dates and short words in the centre, numbers right.
        width: in half-width characters; judged by the content when not given.
        total: whether the totals row adds it up.
    """

    title: str
    align: Literal["left", "centre", "right"] = "left"
    width: int | None = None
    total: bool = False


_ALIGNMENTS = {"left": LEFT, "centre": CENTRE, "right": RIGHT}


def write_ledger(
    *,
    title: str,
    unit: str,
    day: date,
    columns: Sequence[LedgerColumn],
    rows: Iterable[Sequence[object]],
    filled_by: str = "",
    checked_by: str = "",
    mark: str = "",
    totals: bool = True,
) -> bytes:
    """A workbook of one sheet: title, reporting unit and date, header, numbered rows, totals, who filled and checked.

    A4 landscape, fitted to the page's width, header frozen and repeated on every page, page numbers. The totals are
    values, not formulas: previews on a phone calculate nothing.

    Args:
        title: above the table.
        unit: the reporting unit.
        day: the reporting date.
        columns: without the serial number, which is always the first column.
        rows: values in the order of `columns`; may be a generator, only a row at a time is held.
        filled_by, checked_by: names; a line to write on where empty.
        mark: printed in the head of every page, such as who exported it and when. For files with personal data.
        totals: whether there is a totals row; without it nothing is added up.

    ValueError when a row is not as long as `columns`.
    """
    book = Workbook(write_only=True)
    sheet = book.create_sheet(sheet_title(title))
    source = iter(rows)
    first = [tuple(row) for row in islice(source, _JUDGED_ROWS)]
    width = len(columns) + 1
    _set_up_page(sheet, columns, first, mark)

    brush = Brush(sheet)
    sheet.append([brush(title, TITLE, CENTRE)])
    _merge(sheet, 1, 1, width)
    reported = _("填报单位：%(unit)s") % {"unit": unit}, _("填报日期：%(day)s") % {"day": date_words(day)}
    _append_halves(sheet, brush, 2, width, reported)
    titles = (_("序号"), *(column.title for column in columns))
    sheet.append([brush(text, BOLD, CENTRE, boxed=True, fill=HEADER_FILL) for text in titles])

    sums: list[Any] = [0] * len(columns)
    count = 0
    try:
        for count, row in enumerate(chain(first, source), start=1):
            sheet.append(_row_cells(brush, count, row, columns, sums))
    except BaseException:
        # A write-only sheet keeps its rows in a file of its own, which only saving would take away.
        sheet.close()
        sheet._writer.cleanup()
        raise
    if totals:
        sheet.append(_totals_cells(brush, count, columns, sums))
    line = "____________"
    signed = (
        _("填表人：%(name)s") % {"name": filled_by or line},
        _("审核人：%(name)s") % {"name": checked_by or line},
    )
    _append_halves(sheet, brush, _HEADER_ROW + count + (2 if totals else 1), width, signed)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _set_up_page(sheet: Any, columns: Sequence[LedgerColumn], first: Sequence[Sequence[object]], mark: str) -> None:
    sheet.freeze_panes = f"A{_HEADER_ROW + 1}"
    sheet.print_title_rows = f"{_HEADER_ROW}:{_HEADER_ROW}"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = 9  # A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    sheet.page_margins.left = sheet.page_margins.right = 0.4
    sheet.oddFooter.center.text = _("第 %(page)s 页 共 %(pages)s 页") % {"page": "&P", "pages": "&N"}
    # "&" is a command there.
    sheet.oddHeader.right.text = mark.replace("&", "&&") or None
    sheet.row_dimensions[1].height = 30
    sheet.row_dimensions[2].height = 20
    sheet.column_dimensions["A"].width = _NARROWEST
    for index, column in enumerate(columns):
        widest = max([text_width(column.title), *(text_width(row[index]) for row in first if index < len(row))])
        letter = get_column_letter(index + 2)
        sheet.column_dimensions[letter].width = column.width or min(max(widest + 2, _NARROWEST), _WIDEST)


def _merge(sheet: Any, row: int, first: int, last: int) -> None:
    if last > first:
        sheet.merged_cells.add(f"{get_column_letter(first)}{row}:{get_column_letter(last)}{row}")


def _append_halves(sheet: Any, brush: Brush, row: int, width: int, texts: tuple[str, str]) -> None:
    """Appends row number `row`: two texts, each over half of the table's width."""
    half = max(width // 2, 1)
    left, right = brush(texts[0], BODY, LEFT), brush(texts[1], BODY, RIGHT)
    sheet.append([left, *[None] * (half - 1), right])
    _merge(sheet, row, 1, half)
    _merge(sheet, row, half + 1, width)


def _row_cells(
    brush: Brush, number: int, row: Sequence[object], columns: Sequence[LedgerColumn], sums: list[Any]
) -> list[Any]:
    cells = [brush(number, BODY, CENTRE, boxed=True)]
    for index, (column, value) in enumerate(zip(columns, row, strict=True)):
        cells.append(brush(value, BODY, _ALIGNMENTS[column.align], boxed=True))
        if column.total and isinstance(value, int | float | Decimal):
            # A float added to a Decimal would fail; money never comes as a float here.
            sums[index] += Decimal(str(value)) if isinstance(value, float) else value
    return cells


def _totals_cells(brush: Brush, count: int, columns: Sequence[LedgerColumn], sums: Sequence[Any]) -> list[Any]:
    cells = [brush(_("合计"), BOLD, CENTRE, boxed=True)]
    told = False
    for column, total in zip(columns, sums, strict=True):
        value: object = None
        if column.total:
            value = total
        elif not told:
            value, told = _("共 %(count)d 条") % {"count": count}, True
        cells.append(brush(value, BOLD, _ALIGNMENTS[column.align], boxed=True))
    return cells
