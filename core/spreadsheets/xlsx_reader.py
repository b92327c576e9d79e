"""Reading xlsx safely: a workbook is a zip of XML that anybody may have made by hand.

The sheet is parsed with openpyxl's own row parser rather than through its read-only worksheet, for three reasons: the
worksheet fills every gap between row numbers with empty rows (a single row numbered 10^12 would never end), it can not
tell an empty cell from a formula that was never calculated, and it hides merged cells.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from django.utils.translation import gettext as _
from openpyxl import load_workbook
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import FORMULA_TAG, WorkSheetParser

from core.errors import DomainError, Invalid, TooLarge
from core.spreadsheets.cells import clean_cell
from core.spreadsheets.headers import count_known
from core.spreadsheets.limits import HEADER_WITHIN, MAX_COLUMNS, too_many_columns, too_many_rows
from core.spreadsheets.table import RawSheet, Row
from core.uploads import MEGABYTE

# A full sheet of 100,000 rows unpacks to some 100 MB, of which only a row at a time is held; the other parts are held
# whole.
MAX_UNPACKED = 200 * MEGABYTE
MAX_STRINGS = 64 * MEGABYTE
MAX_OTHER_PART = 16 * MEGABYTE
MAX_PARTS = 2000
# Small files may be packed tightly; a large one that unpacks to this many times its size was made to hurt.
MAX_RATIO = 200
RATIO_MATTERS_ABOVE = 20 * MEGABYTE
# Borders drawn down to the last row of the sheet make a million empty rows.
_BLANK_ROWS_END_THE_TABLE = 20_000

# Sheets of our own templates that hold no data.
HELP_SHEET, OPTIONS_SHEET = "填写说明", "选项"

_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3}[0-9]{1,9}:[A-Z]{1,3}[0-9]{1,9})[\"']")

_TYPES_PART = "[Content_Types].xml"
_NOT_CALCULATED = object()


class _ErrorValue(str):
    """#N/A, #REF! and their like."""

    __slots__ = ()


class _Parser(WorkSheetParser):
    """Tells a formula without a result and an error value from ordinary cells."""

    def parse_cell(self, element: Any) -> dict[str, Any]:
        cell: dict[str, Any] = super().parse_cell(element)
        if cell["data_type"] == "e" and cell["value"] is not None:
            cell["value"] = _ErrorValue(cell["value"])
        # A formula whose result is an empty text says so with its type; one without a type has no result at all.
        elif cell["value"] is None and cell["data_type"] == "n" and element.find(FORMULA_TAG) is not None:
            cell["value"] = _NOT_CALCULATED
        return cell


def check_package(content: bytes) -> None:
    """Refuses a zip that is no workbook or would unpack to more than is taken, by its directory alone.

    Sizes in the directory are binding: Python unpacks no more of a part than it declares. Raises Invalid, TooLarge.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as package:
            parts = package.infolist()
            types = _content_types(package)
    except Exception as error:  # zipfile fails in many ways on hostile directories
        raise _damaged() from error
    names = {part.filename for part in parts}
    if "xl/workbook.xml" not in names and _TYPES_PART not in names:
        raise Invalid(_("这是压缩包或其他格式的文件，不是 Excel 表格，请另存为 .xlsx 后再导入。"), code="not_a_table")
    if any(name.startswith(("word/", "ppt/")) for name in names):
        raise Invalid(_("这是 Word 或 PPT 文件，不是 Excel 表格，请把表格复制到 Excel 里再导入。"), code="not_a_table")
    if "xl/workbook.bin" in names:
        raise Invalid(_("这是 .xlsb 格式，请在 Excel 里另存为 .xlsx 后再导入。"), code="save_as_xlsx")
    unpacked = sum(part.file_size for part in parts)
    packed = max(len(content), 1)
    if (
        len(parts) > MAX_PARTS
        or unpacked > MAX_UNPACKED
        or (unpacked > RATIO_MATTERS_ABOVE and unpacked / packed > MAX_RATIO)
        or any(part.file_size > _part_limit(part.filename, types) for part in parts)
    ):
        raise TooLarge(
            _("这个 Excel 文件解压后过大，无法导入。请新建一个工作簿，只把需要的行复制过去再导入。"),
            code="table_too_large",
        )


def _content_types(package: zipfile.ZipFile) -> dict[str, str]:
    """Part -> what the package declares it to be; openpyxl goes by this and not by the name."""
    if _TYPES_PART not in package.namelist() or package.getinfo(_TYPES_PART).file_size > MEGABYTE:
        return {}
    try:
        # Expat itself stops entities that grow (since 2.4); a megabyte can do no other harm.
        declared = ElementTree.fromstring(package.read(_TYPES_PART)).iter()  # noqa: S314
    except ElementTree.ParseError:
        return {}
    return {part.get("PartName", "").lstrip("/"): part.get("ContentType", "") for part in declared}


def _part_limit(name: str, types: Mapping[str, str]) -> int:
    kind = types.get(name, "")
    if kind.endswith(".sharedStrings+xml"):
        return MAX_STRINGS
    if kind.endswith(".worksheet+xml") or (name.startswith("xl/media/") and not kind):
        return MAX_UNPACKED
    return MAX_OTHER_PART


def read_xlsx(content: bytes, *, max_rows: int, known: Sequence[frozenset[str]]) -> RawSheet:
    """Reads the sheet that holds the data: of the visible, filled ones the one with the most known headers.

    Args:
        content: the file.
        max_rows: rows (not blank) after which reading stops with TooLarge.
        known: for each wanted column the keys of its headers.

    Raises Invalid, TooLarge.
    """
    check_package(content)
    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
        try:
            return _read_book(book, max_rows=max_rows, known=known)
        finally:
            book.close()
    except DomainError:
        raise
    except Exception as error:
        # openpyxl meets hostile XML here and fails in many ways (KeyError, ValueError, ParseError ...); whichever it
        # is, the file is at fault.
        raise _damaged() from error


def _read_book(book: Any, *, max_rows: int, known: Sequence[frozenset[str]]) -> RawSheet:
    best, best_score, filled = None, -1, []
    for sheet in book.worksheets:
        if not isinstance(sheet, ReadOnlyWorksheet) or sheet.sheet_state != "visible":
            continue
        if sheet.title in (HELP_SHEET, OPTIONS_SHEET):
            continue
        head = list(_rows(book, sheet, stop_after=HEADER_WITHIN))
        if not head:
            continue
        filled.append(sheet.title)
        score = max(count_known(row, known) for row in head)
        if score > best_score:
            best, best_score = sheet, score
    if best is None:
        raise Invalid(_("表格是空的，没有找到任何内容。"), code="table_empty")
    raw = RawSheet(name=best.title, rows=[], dates_from_1904=book.epoch == MAC_EPOCH)
    for row in _rows(book, best, notes=raw.notes):
        if len(raw.rows) > max_rows:
            raise too_many_rows(max_rows)
        raw.rows.append(row)
    raw.merged = _merged_ranges(book, best)
    if len(filled) > 1:
        others = "、".join(f"“{name}”" for name in filled if name != best.title)
        raw.notes.append(_("只读取了工作表“%(sheet)s”，没有读取%(others)s。") % {"sheet": best.title, "others": others})
    return raw


def _rows(
    book: Any, sheet: ReadOnlyWorksheet, *, stop_after: int | None = None, notes: list[str] | None = None
) -> Iterator[Row]:
    """The sheet's rows that are not blank, cleaned."""
    found = blank = 0
    with sheet._get_source() as source:
        parser = _Parser(
            source,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        for number, cells in parser.parse():
            row = _row(number, cells)
            if row is None:
                blank += 1
                if blank >= _BLANK_ROWS_END_THE_TABLE:
                    if notes is not None:
                        notes.append(
                            _("第 %(row)d 行之前连续 %(count)d 行空白，之后的内容没有读取。")
                            % {"row": number + 1, "count": blank}
                        )
                    return
                continue
            blank = 0
            found += 1
            yield row
            if found == stop_after:
                return


def _row(number: int, cells: list[dict[str, Any]]) -> Row | None:
    values: dict[int, Any] = {}
    faults: dict[int, str] = {}
    for cell in cells:
        index, value = cell["column"] - 1, cell["value"]
        if value is None:
            continue
        if value is _NOT_CALCULATED:
            text: Any = ""
            fault = _("这一格是公式但没有计算结果，请用 Excel 打开并保存一次，或改成固定的值")
        elif isinstance(value, _ErrorValue):
            text, fault = str(value), _("这一格的公式出错，显示 %(error)s，请改正") % {"error": value}
        else:
            text, fault = clean_cell(value)
        if index >= MAX_COLUMNS:
            if text or fault:
                raise too_many_columns(number)
            continue
        if text:
            values[index] = text
        if fault:
            faults[index] = fault
    if not values and not faults:
        return None
    width = max([*values, *faults]) + 1
    return Row(number, tuple(values.get(index, "") for index in range(width)), faults)


def _merged_ranges(book: Any, sheet: ReadOnlyWorksheet) -> list[str]:
    """The sheet's merged ranges, found by searching its XML: they stand behind the rows, which are not always read."""
    found: list[str] = []
    rest = b""
    with book._archive.open(sheet._worksheet_path) as source:
        while chunk := source.read(MEGABYTE):
            text = rest + chunk
            end = text.rfind(b">") + 1
            found += [match.decode("ascii") for match in _MERGED.findall(text[:end])]
            rest = text[end:]
    return found


def _damaged() -> Invalid:
    return Invalid(_("这个 Excel 文件已损坏或不完整，请在 Excel 里打开并另存为 .xlsx 后再导入。"), code="table_damaged")
