"""Reading csv as Chinese offices make it: UTF-8 or GB18030, commas or tabs, line breaks inside quotes."""

import codecs
import csv
import io

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.spreadsheets.cells import clean_cell
from core.spreadsheets.limits import MAX_COLUMNS, too_many_columns, too_many_rows
from core.spreadsheets.safety import unescape_formula
from core.spreadsheets.table import Cell, RawSheet, Row

_DELIMITERS = ",\t;|，"
# This many correct multi-byte characters before the first wrong one: UTF-8 with damage, not another encoding.
_SURELY_UTF8 = 20


def decode_text(content: bytes) -> tuple[str, str]:
    """The text and the name of its encoding, decided strictly: no byte is replaced or dropped.

    A byte order mark decides; without one, what is not UTF-8 must be GB18030. Raises Invalid when it is neither, with
    the line that breaks it.
    """
    for mark, encoding in (
        (codecs.BOM_UTF8, "UTF-8"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if content.startswith(mark):
            codec = "utf-8-sig" if encoding == "UTF-8" else "utf-16"
            return _decoded(content, codec, encoding), encoding
    try:
        return content.decode("utf-8"), "UTF-8"
    except UnicodeDecodeError as error:
        correct = content[: error.start].decode("utf-8")
        if len(correct) - len(correct.encode("ascii", "ignore")) >= _SURELY_UTF8:
            raise _garbled("UTF-8", content, error) from error
    return _decoded(content, "gb18030", "GB18030"), "GB18030"


def _decoded(content: bytes, codec: str, encoding: str) -> str:
    try:
        return content.decode(codec)
    except UnicodeDecodeError as error:
        raise _garbled(encoding, content, error) from error


def _garbled(encoding: str, content: bytes, error: UnicodeDecodeError) -> Invalid:
    line = content.count(b"\n", 0, error.start) + 1
    return Invalid(
        _("文件第 %(line)d 行有乱码，按 %(encoding)s 编码读不出来。请用 Excel 或 WPS 打开，另存为 .xlsx 后再导入。")
        % {"line": line, "encoding": encoding},
        code="encoding",
    )


def read_csv(content: bytes, *, max_rows: int) -> RawSheet:
    """Reads a csv file. Raises Invalid (encoding, unbalanced quotes, not text), TooLarge."""
    text, encoding = decode_text(content)
    if "\0" in text:
        raise Invalid(_("这不是表格文件，请用 Excel 打开原文件，另存为 .xlsx 后再导入。"), code="not_a_table")
    raw = RawSheet(name="", rows=[], encoding=encoding)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            row = _row(number, record)
            if row is None:
                continue
            if len(raw.rows) > max_rows:
                raise too_many_rows(max_rows)
            raw.rows.append(row)
    except csv.Error as error:
        raise Invalid(
            _("文件第 %(row)d 行（第 %(line)d 行文字）的引号不配对，后面的内容无法分列，请检查后再导入。")
            % {"row": number + 1, "line": reader.line_num},
            code="csv_quotes",
        ) from error
    if not raw.rows:
        raise Invalid(_("表格是空的，没有找到任何内容。"), code="table_empty")
    return raw


def _delimiter(text: str) -> str:
    """The delimiter that occurs most in the first line that says something, outside quotes; a comma when none does."""
    counts = dict.fromkeys(_DELIMITERS, 0)
    quoted = said = False
    for char in text[:100_000]:
        if char == '"':
            quoted = not quoted
        elif char in "\r\n" and not quoted and said:
            break
        elif not quoted and char in counts:
            counts[char] += 1
        said = said or not char.isspace()
    return max(counts, key=lambda char: counts[char])


def _row(number: int, record: list[str]) -> Row | None:
    cells: list[Cell] = []
    faults: dict[int, str] = {}
    for index, value in enumerate(record):
        cell, fault = clean_cell(unescape_formula(value))
        cells.append(cell)
        if fault:
            faults[index] = fault
    while cells and not cells[-1]:
        cells.pop()
    if not cells:
        return None
    if len(cells) > MAX_COLUMNS:
        raise too_many_columns(number)
    return Row(number, tuple(cells), faults)
