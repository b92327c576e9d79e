"""Plain csv for other systems; people are given a workbook."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from core.periods import LOCAL_ZONE
from core.spreadsheets.safety import escape_formula


def write_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """The rows as csv in UTF-8 with a byte order mark, without which Excel takes it for GB18030.

    Texts that begin like a formula get an apostrophe before them (see `safety`). Dates are 2026-03-05, moments
    2026-03-05 14:30 in Beijing time, None is empty.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_plain(header) for header in headers])
    for row in rows:
        writer.writerow([_plain(value) for value in row])
    return out.getvalue().encode("utf-8-sig", "replace")


def _plain(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        local = value.astimezone(LOCAL_ZONE) if value.tzinfo else value
        return f"{local:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return f"{value:%Y-%m-%d}"
    if isinstance(value, bool | str):
        return escape_formula(("是" if value else "否") if isinstance(value, bool) else value.replace("\0", ""))
    # Numbers stay numbers: a minus sign is no formula there. Everything else (lazy texts, codes) is text.
    return str(value) if isinstance(value, int | float) or hasattr(value, "as_tuple") else escape_formula(str(value))
