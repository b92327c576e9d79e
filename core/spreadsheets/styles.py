"""How our workbooks look, and how a value becomes a cell: one place, so that no writer forgets that text stays text."""

from datetime import date, datetime, time
from decimal import Decimal
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
    if value is None:
        return cell
    if isinstance(value, bool):
        value = _("是") if value else _("否")
    elif isinstance(value, datetime):
        local = value.astimezone(LOCAL_ZONE).replace(tzinfo=None) if value.tzinfo else value
        return _put_day(cell, local, MOMENT_FORMAT)
    elif isinstance(value, date):
        return _put_day(cell, value, DATE_FORMAT)
    elif isinstance(value, int | float | Decimal) and abs(value) < _EXACT:
        cell.value = value
        return cell
    text = storable(str(value))
    # An empty text first: openpyxl decides the type from the value and would make "=1+1" a formula, "#N/A" an error.
    cell.value = ""
    cell._value = text
    cell.data_type = "s"
    if is_risky(text):
        cell.quotePrefix = True
    return cell


def _put_day(cell: BookCell, value: date, number_format: str) -> BookCell:
    day = value.date() if isinstance(value, datetime) else value
    if day < _FIRST_DAY:
        return put(cell, value.isoformat())
    if isinstance(value, datetime) and value.time() == time():
        number_format = DATE_FORMAT
    cell.value = value
    cell.number_format = number_format
    return cell


def styled(sheet: object, value: object, font: Font, alignment: Alignment, *, boxed: bool = False) -> BookCell:
    """A cell for a write-only sheet."""
    cell = put(WriteOnlyCell(sheet), value)
    cell.font, cell.alignment = font, alignment
    if boxed:
        cell.border = BOX
    return cell


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
