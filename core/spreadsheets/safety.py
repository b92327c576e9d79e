"""Text that must stay text: a cell that begins like a formula is run by whoever opens the file.

The decision, once for all writers:
* xlsx: the cell is stored as a text (never as a formula) with Excel's own quote prefix, so that it also stays text
  when somebody edits it. What is seen and copied is the text itself, unchanged.
* csv has no types: an apostrophe is put before the text. Our reader takes it off again, so nothing is lost on the way
  back.
Numbers and dates are stored as numbers and dates and need none of this.
"""

import re

# "@" and full-width signs begin a formula in some versions and locales; a tab or line end is skipped before one.
_RISKY_STARTS = tuple("=+-@\t\r\n＝＋－＠")
# What a workbook can not hold at all.
_NOT_FOR_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# Excel's limit for one cell.
CELL_LIMIT = 32_767


def is_risky(text: str) -> bool:
    """Whether a spreadsheet program might take the text for a formula."""
    return text.lstrip(" ").startswith(_RISKY_STARTS)


def escape_formula(text: str) -> str:
    """The text as a csv cell may hold it."""
    return f"'{text}" if is_risky(text.lstrip("'")) else text


def unescape_formula(text: str) -> str:
    """Takes off the apostrophe that `escape_formula` put on."""
    return text[1:] if text.startswith("'") and is_risky(text.lstrip("'")) else text


def storable(text: str) -> str:
    """The text without what a workbook can not hold, and no longer than a cell."""
    text = _NOT_FOR_XML.sub("", text)
    return text if len(text) <= CELL_LIMIT else text[: CELL_LIMIT - 1] + "…"
