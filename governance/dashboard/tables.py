"""Rows of a table as HTML, put together here: a page has three hundred cells, and the template language would spend
more on them than on everything else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from services.selectors.rates import Rate


@dataclass(frozen=True)
class Column:
    """A column as `components/table.html` draws its head. `sort`: ascending, descending or nothing."""

    label: str
    number: bool = True
    url: str = ""
    sort: str = ""


class Cell(NamedTuple):
    """`text` leads to `url` where there is one; `note` stands small beside it; `tone` colours a figure that has a word."""

    text: str | int
    url: str = ""
    note: str = ""
    tone: str = ""


def rate_cell(share: Rate, url: str = "") -> Cell:
    """A rate that shows what it rests on; without a sample there is nothing to open."""
    return Cell(share.words, url if share.denominator else "", share.basis)


def body(rows: Iterable[Sequence[Cell]], columns: Sequence[Column]) -> SafeString:
    """The rows; the first cell names its row."""
    ends = [' class="number">' if column.number else ">" for column in columns]
    lines = []
    for row in rows:
        head, *cells = row
        line = [f'<tr><th scope="row">{_inner(head)}</th>']
        line += [f"<td{end}{_inner(cell)}</td>" for cell, end in zip(cells, ends[1:], strict=True)]
        line.append("</tr>")
        lines.append("".join(line))
    # Every text and address in it went through `escape`.
    return mark_safe("\n".join(lines))  # noqa: S308


def _inner(cell: Cell) -> str:
    text, url, note, tone = cell
    shown = f"{text:,}" if isinstance(text, int) else str(escape(text))
    if url:
        shown = f'<a href="{escape(url)}">{shown}</a>'
    if tone:
        shown = f'<span class="tone-{tone}">{shown}</span>'
    return f'{shown} <span class="basis">{escape(note)}</span>' if note else shown
