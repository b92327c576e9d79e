"""One cell: from whatever a workbook holds to text or a moment; and addresses as Excel shows them."""

import re
from datetime import date, datetime, time, timedelta

from django.utils.translation import gettext as _

from core.spreadsheets.table import Cell

# White space of every kind, and the invisible characters that copying from web pages and WeChat leaves at the ends.
_ENDS = " \t\r\n\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
_ENDS += "\u2028\u2029\u202f\u205f\u3000\u200b\u200e\u200f\u2060\ufeff"
# How a workbook writes a carriage return inside a text.
_ESCAPED_RETURN = re.compile(r"_x000[dD]_\n?")
_SCIENTIFIC = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]{2,3}")
# Excel keeps 15 digits of a number and turns the rest into zeros.
_EXACT_DIGITS = 15


def clean_cell(value: object) -> tuple[Cell, str]:
    """The cell as text or moment, and why it can not be used ("" when it can)."""
    if value is None:
        return "", ""
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, bool):
        return (_("是") if value else _("否")), ""
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime):
        return value.replace(tzinfo=None), ""
    if isinstance(value, date):
        return datetime.combine(value, time()), ""
    if isinstance(value, time):
        return f"{value:%H:%M}", ""
    if isinstance(value, timedelta):
        minutes = value // timedelta(minutes=1)
        return f"{minutes // 60}:{minutes % 60:02d}", ""
    return _text(str(value))


def _text(value: str) -> tuple[str, str]:
    text = _ESCAPED_RETURN.sub("\n", value).replace("\r\n", "\n").replace("\r", "\n").strip(_ENDS)
    if _SCIENTIFIC.fullmatch(text):
        return text, _("长数字被 Excel 显示成了科学计数法，请把这一列设为文本格式后重新填写")
    return text, ""


def _number(value: int | float) -> tuple[str, str]:
    """A number as a person wrote it: 12.0 is 12, 0.1 + 0.2 is 0.3."""
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            return "", _("这一格不是有效的数字")
        if not value.is_integer():
            return f"{value:.15g}", ""
        value = int(value)
    if abs(value) >= 10**_EXACT_DIGITS:
        return str(value)[:40], _("数字超过 15 位，Excel 已经丢失了后面的数字，请把这一列设为文本格式后重新填写")
    return str(value), ""


def column_letter(index: int) -> str:
    """The letter of a column counted from 0: A, B ... Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_text(cell: Cell) -> str:
    """A cell as text: a moment as 2026-03-05, with its time when it has one."""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    return cell
