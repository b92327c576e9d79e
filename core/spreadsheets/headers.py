"""Headers as people write them: 姓 名, *姓名, 姓名（必填）, 姓名： all mean 姓名."""

import re
import unicodedata
from collections.abc import Sequence

from core.spreadsheets.table import Row

_REMARK = re.compile(r"[(\[【](必填|选填|必选|可选|可空|下拉选择|请选择)[)\]】]")
_MARKS = " *＊:：.。"


def header_text(value: str) -> str:
    """A header as it is shown in messages: one line, without the marks around it."""
    return "".join(value.split("\n")).strip().strip(_MARKS)


def header_key(value: str) -> str:
    """What two ways of writing the same header have in common."""
    text = unicodedata.normalize("NFKC", value)
    text = _REMARK.sub("", "".join(text.split()))
    return text.strip(_MARKS).casefold()


def count_known(row: Row, known: Sequence[frozenset[str]]) -> int:
    """How many of the wanted columns have their header in this row. `known`: per column the keys of its headers."""
    keys = {header_key(cell) for cell in row.cells if isinstance(cell, str) and cell}
    return sum(1 for names in known if names & keys)
