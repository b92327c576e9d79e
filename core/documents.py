"""Word files in the layout of official documents: receipts, agreements, minutes, bulletins.

Source: docs/practice.md#habits (A4, title second size, body third size FangSong, 22 lines of 28 characters).
"""

import io
from collections.abc import Sequence
from typing import Any

import docx
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Mm, Pt

CONTENT_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
# Sizes of Chinese print in points: second, third, small fourth.
_SECOND, _THIRD, _SMALL_FOURTH = 22, 16, 12
_TITLE_FONT, _BODY_FONT, _HEADING_FONT = "方正小标宋简体", "仿宋_GB2312", "黑体"
_LINE = Pt(28)
_LONGEST_TITLE = 255


class OfficialDocument:
    """A document built from top to bottom. What is written into it is text, never markup."""

    def __init__(self, title: str) -> None:
        self._document: Any = docx.Document()
        section = self._document.sections[0]
        section.page_width, section.page_height = Mm(210), Mm(297)
        section.top_margin, section.bottom_margin = Mm(37), Mm(35)
        section.left_margin, section.right_margin = Mm(28), Mm(26)
        self._document.core_properties.title = _printable(title)[:_LONGEST_TITLE]
        self._document.core_properties.author = ""
        heading = self._line(title, font=_TITLE_FONT, size=_SECOND, align=WD_ALIGN_PARAGRAPH.CENTER)
        heading.paragraph_format.space_after = Pt(14)

    def heading(self, text: str) -> None:
        """The heading of a part (一、……)."""
        self._line(text, font=_HEADING_FONT, size=_THIRD, indent=True)

    def paragraph(self, text: str) -> None:
        """Body text; line breaks begin new paragraphs."""
        for line in text.splitlines() or [""]:
            self._line(line, indent=True)

    def line(self, text: str) -> None:
        """A line without indent (a salutation, a list of names)."""
        self._line(text)

    def signature(self, *lines: str) -> None:
        """Lines at the right: who signs, and the day."""
        for text in lines:
            self._line(text, align=WD_ALIGN_PARAGRAPH.RIGHT)

    def table(self, headers: Sequence[str], rows: Sequence[Sequence[object]], widths: Sequence[int] = ()) -> None:
        """A ruled table. `widths`: of the columns in millimetres; the page holds 156."""
        table = self._document.add_table(rows=1, cols=len(headers))
        table.style = "Table Grid"
        for row in (headers, *rows):
            cells = table.rows[0].cells if row is headers else table.add_row().cells
            for number, (cell, value) in enumerate(zip(cells, row, strict=True)):
                if widths:
                    cell.width = Mm(widths[number])
                paragraph = cell.paragraphs[0]
                if row is headers:
                    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
                font = _HEADING_FONT if row is headers else _BODY_FONT
                self._run(paragraph, "" if value is None else str(value), font, _SMALL_FOURTH)
        self._document.add_paragraph()

    def content(self) -> bytes:
        """The file."""
        out = io.BytesIO()
        self._document.save(out)
        return out.getvalue()

    def _line(
        self, text: str, *, font: str = _BODY_FONT, size: int = _THIRD, align: Any = None, indent: bool = False
    ) -> Any:
        paragraph = self._document.add_paragraph()
        style = paragraph.paragraph_format
        style.line_spacing = _LINE
        style.space_before = style.space_after = Pt(0)
        if align is not None:
            paragraph.alignment = align
        if indent:
            style.first_line_indent = Pt(size * 2)
        self._run(paragraph, text, font, size)
        return paragraph

    @staticmethod
    def _run(paragraph: Any, text: str, font: str, size: int) -> None:
        run = paragraph.add_run(_printable(text))
        run.font.size = Pt(size)
        run.font.name = font
        run._element.rPr.rFonts.set(qn("w:eastAsia"), font)


def _printable(text: str) -> str:
    """XML holds no control characters: python-docx would refuse the whole document."""
    return "".join(char for char in text if char.isprintable())
