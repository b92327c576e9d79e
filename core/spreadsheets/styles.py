"""How our workbooks look, and how a value becomes a cell: one place, so that no writer forgets that text stays text."""

from datetime import date, datetime, time
from decimal import Decimal
from typing import Any
from unicodedata import east_asian_width

from django.utils.translation import gettext as _
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import Cell as BookCell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side

from core.periods import LOCAL_ZONE
from core.spreadsheets.safety import is_risky, storable

FONT = "宋体"
BODY = Font(name=FONT, size=11)
BOLD = Font(name=FONT, size=11, bold=True)
TITLE = Font(name="黑体", size=16, bold=True)
QUIET = Font(name=FONT, size=11, italic=True, color="808080")
ALERT = Font(name=FONT, size=11, bold=True, color="B4232A")

_LINE = Side(style="thin", color="808080")
BOX = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)
HEADER_FILL = PatternFill("solid", fgColor="E8EDF3")
FAULT_FILL = PatternFill("solid", fgColor="FBE3E4")

CENTRE = Alignment(horizontal="center", vertical="center", wrap_text=True)
LEFT = Alignment(horizontal="left", vertical="center", wrap_text=True)
RIGHT = Alignment(horizontal="right", vertical="center", wrap_text=True)

DATE_FORMAT = 'yyyy"年"m"月"d"日"'
MOMENT_FORMAT = 'yyyy"年"m"月"d"日" hh:mm'
TEXT_FORMAT = "@"

# Excel can not write an earlier day.
_FIRST_DAY = date(1900, 3, 1)
# More digits would be lost in a number.
_EXACT = 10**15


def put(cell: BookCell, value: object) -> BookCell:
    """Puts a value into a cell with the type it has: text always as text, never as a formula or an error value."""
    held, number_format = _held(value)
    if isinstance(held, str):
        _put_text(cell, held)
        if is_risky(held):
            cell.quotePrefix = True
    elif held is not None:
        cell.value = held
    if number_format:
        cell.number_format = number_format
    return cell


class Brush:
    """Makes the cells of one write-only sheet. Each look is worked out once: openpyxl compares whole fonts and borders
    for every cell otherwise, which takes longer than everything else."""

    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet
        self._looks: dict[tuple[object, ...], Any] = {}

    def __call__(
        self, value: object, font: Font, alignment: Alignment, *, boxed: bool = False, fill: PatternFill | None = None
    ) -> BookCell:
        held, number_format = _held(value)
        cell = WriteOnlyCell(self._sheet)
        quoted = isinstance(held, str) and is_risky(held)
        if isinstance(held, str):
            _put_text(cell, held)
        elif held is not None:
            cell.value = held
        key = (id(font), id(alignment), boxed, id(fill), number_format, quoted)
        if key not in self._looks:
            model = WriteOnlyCell(self._sheet)
            model.font, model.alignment = font, alignment
            if boxed:
                model.border = BOX
            if fill is not None:
                model.fill = fill
            if number_format:
                model.number_format = number_format
            if quoted:
                model.quotePrefix = True
            self._looks[key] = model._style
        cell._style = self._looks[key]
        return cell


def _put_text(cell: BookCell, text: str) -> None:
    # Not through `cell.value`: openpyxl decides the type from the value, "=1+1" would be a formula, "#N/A" an error.
    cell._value = text
    cell.data_type = "s"


def _held(value: Any) -> tuple[Any, str]:
    """What a cell is to hold (a text, number, date or nothing), and the number format that shows it."""
    if value is None or isinstance(value, str):
        return (storable(value) if value else value), ""
    if isinstance(value, bool):
        return (_("是") if value else _("否")), ""
    if isinstance(value, datetime):
        local = value.astimezone(LOCAL_ZONE).replace(tzinfo=None) if value.tzinfo else value
        if local.date() < _FIRST_DAY:
            return f"{local:%Y-%m-%d %H:%M}", ""
        return local, (DATE_FORMAT if local.time() == time() else MOMENT_FORMAT)
    if isinstance(value, date):
        return (value, DATE_FORMAT) if value >= _FIRST_DAY else (value.isoformat(), "")
    if isinstance(value, int | float | Decimal) and -_EXACT < value < _EXACT:
        return value, ""
    return storable(str(value)), ""


def text_width(value: object) -> int:
    """How wide a value stands, in half-width characters; the widest line of a text counts."""
    if isinstance(value, datetime):
        return 20
    if isinstance(value, date):
        return 14
    lines = str("" if value is None else value).splitlines()
    return max((sum(2 if east_asian_width(char) in "WFA" else 1 for char in line) for line in lines), default=0)


def sheet_title(text: str) -> str:
    """The text as a sheet may be called: 31 characters, none of []:*?/\\ and no apostrophe at its ends."""
    return storable(text).translate(dict.fromkeys(map(ord, "[]:*?/\\\n\t"), " ")).strip("' ")[:31].strip("' ") or "表1"
