"""Word files open as what they are, in the layout of official documents, whatever was typed into them."""

import io

import docx
from docx.oxml.ns import qn

from core.documents import OfficialDocument


def opened(document: OfficialDocument) -> "docx.document.Document":
    return docx.Document(io.BytesIO(document.content()))


def test_the_page_is_that_of_an_official_document() -> None:
    document = OfficialDocument("共建协议")
    document.heading("一、共建内容")
    document.paragraph("甲方提供会议室。\n乙方负责开门。")
    document.signature("新城社区党委", "2026年3月5日")
    found = opened(document)
    section = found.sections[0]
    assert (round(section.page_width.mm), round(section.page_height.mm)) == (210, 297)
    assert [line.text for line in found.paragraphs] == [
        "共建协议",
        "一、共建内容",
        "甲方提供会议室。",
        "乙方负责开门。",
        "新城社区党委",
        "2026年3月5日",
    ]
    title, _heading, body, *_rest = found.paragraphs
    assert title.runs[0].font.size.pt == 22 and body.runs[0].font.size.pt == 16
    assert body.runs[0]._element.rPr.rFonts.get(qn("w:eastAsia")) == "仿宋_GB2312"
    assert found.core_properties.author == ""


def test_a_table_keeps_its_cells_and_shows_nothing_for_nothing() -> None:
    document = OfficialDocument("纪要")
    document.table(["议题", "责任人"], [["楼道亮化", "王主任"], ["停车位", None]], widths=[100, 56])
    table = opened(document).tables[0]
    assert [[cell.text for cell in row.cells] for row in table.rows] == [
        ["议题", "责任人"],
        ["楼道亮化", "王主任"],
        ["停车位", ""],
    ]


def test_control_characters_and_markup_are_text() -> None:
    document = OfficialDocument("一\x00二<w:p/>")
    document.paragraph("=cmd|'/c calc'!A1\x0b")
    found = opened(document)
    assert [line.text for line in found.paragraphs] == ["一二<w:p/>", "=cmd|'/c calc'!A1"]


def test_an_empty_paragraph_is_an_empty_line() -> None:
    document = OfficialDocument("纪要")
    document.paragraph("")
    assert [line.text for line in opened(document).paragraphs] == ["纪要", ""]
