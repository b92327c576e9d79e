"""A table as it was read: headers and rows, every cell cleaned, nothing interpreted yet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

# Text, or the moment a date cell of Excel holds (naive, as Excel keeps it). Numbers are text: most are codes.
Cell = str | datetime

# The column that `write_errors` adds; a corrected file comes back with it and it means nothing then.
ERROR_HEADER = "错误信息"
# The first cell of a template's example row begins with this; the reader skips such rows.
EXAMPLE_MARK = "【示例】"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of data. `number` is the sheet's own row number, counted from 1, as Excel shows it."""

    number: int
    cells: tuple[Cell, ...]
    # Position -> why this cell can not be used as it is; it matters only if the column is wanted. The position after
    # the last header stands for cells that have no header above them.
    faults: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """A sheet that has been read completely.

    `headers` are as long as every row's `cells`; a column without a header has "". `notes` are sentences for the
    person who imports: what was skipped or assumed.
    """

    filename: str
    kind: str  # "xlsx" or "csv"
    sheet: str
    encoding: str
    headers: tuple[str, ...]
    header_row: int
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()
    # Workbooks of old Macs count days from 1904.
    dates_from_1904: bool = False


@dataclass
class RawSheet:
    """What a format reader hands over: every row that is not blank, up to the limit."""

    name: str
    rows: list[Row]
    encoding: str = ""
    notes: list[str] = field(default_factory=list)
    merged: list[str] = field(default_factory=list)
    dates_from_1904: bool = False
