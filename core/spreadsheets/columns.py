"""The columns an import wants, found in a table and read row by row. The same list makes the import's template."""

import unicodedata
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Literal

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.spreadsheets.cells import cell_text, column_letter
from core.spreadsheets.dates import DateReading, decide_date_order
from core.spreadsheets.forbidden import refuse_forbidden
from core.spreadsheets.headers import header_key
from core.spreadsheets.report import RowError
from core.spreadsheets.table import ERROR_HEADER, Row, Table
from core.text import clean_line, clean_text

Value = str | date | None
_QUOTES = "\"'“”‘’「」"


@dataclass(frozen=True)
class Column:
    """A column an import reads and its template offers.

    Args:
        name: how the code calls it.
        header: how the template heads it.
        aliases: other headers it is found by. Spaces, stars, colons and （必填） never matter. Beside the header itself
            an alias is just another column (an export with 编号 and 工单号 has its number in 编号).
        required: the column must be there and every row must fill it.
        kind: "line" is text without line breaks, "text" keeps them, "date" is a day.
        choices: what may be chosen; anything else is a fault of the row. Spaces and quotes never matter.
        synonyms: other words that people write for a choice.
        max_length: characters a text may have.
        note: what to fill in, for the template.
        example: for the template's example row.
        width: of the template's column, in characters.
        offered: whether the template has it; else it is read where a file has it and never asked for.
        ranked: a file may have several columns that are found by it. The first of the header and the aliases, in their
            order, that has anything in it is read, and the file's notes say which; else two aliases are a fault.
    """

    name: str
    header: str
    aliases: tuple[str, ...] = ()
    required: bool = False
    kind: Literal["line", "text", "date"] = "line"
    choices: tuple[str, ...] = ()
    synonyms: Mapping[str, str] = field(default_factory=dict, hash=False)
    max_length: int = 200
    note: str = ""
    example: str = ""
    width: int | None = None
    offered: bool = True
    ranked: bool = False

    @cached_property
    def keys(self) -> frozenset[str]:
        return frozenset(self.order)

    @cached_property
    def order(self) -> Sequence[str]:
        """The keys of the header and the aliases, the one to be preferred first."""
        return list(dict.fromkeys(header_key(name) for name in (self.header, *self.aliases)))

    @cached_property
    def _meant(self) -> Mapping[str, str]:
        words = {choice: choice for choice in self.choices}
        return {_choice_key(word): choice for word, choice in {**self.synonyms, **words}.items()}

    def choice(self, text: str) -> str:
        """The choice that a cell means. Raises Invalid when there is none."""
        found = self._meant.get(_choice_key(text))
        if found is None:
            options = "、".join(self.choices[:20]) + ("……" if len(self.choices) > 20 else "")
            raise Invalid(_("“%(value)s”不在可选项里，可选：%(options)s") % {"value": text[:30], "options": options})
        return found


def _choice_key(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text) if not char.isspace() and char not in _QUOTES)


@dataclass
class Record:
    """A row read: values by column name ("" or None where empty or where the file has no such column), and faults."""

    number: int
    values: dict[str, Value]
    errors: list[RowError] = field(default_factory=list)

    def text(self, name: str) -> str:
        value = self.values[name]
        assert isinstance(value, str), name
        return value

    def day(self, name: str) -> date | None:
        value = self.values[name]
        assert not isinstance(value, str), name
        return value


@dataclass(frozen=True)
class BoundTable:
    """A table whose columns have been found. `ignored` are the headers nobody asked for, in their order; `chosen` says
    which of several columns for one thing are read."""

    table: Table
    columns: Sequence[Column]
    positions: Mapping[str, int]
    ignored: tuple[str, ...]
    readings: Mapping[str, DateReading]
    chosen: tuple[str, ...] = ()

    def has(self, name: str) -> bool:
        """Whether the file has the column at all."""
        return name in self.positions

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything the person should be told, how dates were read included."""
        return (*self.table.notes, *self.chosen, *(reading.sentence for reading in self.readings.values()))

    @property
    def date_order(self) -> str:
        """The order of the dates, for the report: MDY, or 日期 MDY、期限 YMD when columns differ."""
        orders = {name: reading.order.value for name, reading in self.readings.items()}
        if len(set(orders.values())) <= 1:
            return next(iter(orders.values()), "")
        headers = {column.name: column.header for column in self.columns}
        return "、".join(f"{headers[name]} {order}" for name, order in orders.items())

    def records(self) -> Iterator[Record]:
        """Reads row by row; what is wrong with a row is in its `errors`, nothing is raised."""
        for row in self.table.rows:
            yield self._record(row)

    def _record(self, row: Row) -> Record:
        record = Record(row.number, {})
        slipped = row.faults.get(len(self.table.headers))
        if slipped:
            record.errors.append(RowError(row.number, "", slipped))
        for column in self.columns:
            position = self.positions.get(column.name)
            if position is None:
                record.values[column.name] = None if column.kind == "date" else ""
                continue
            shown = cell_text(row.cells[position])
            try:
                if position in row.faults:
                    raise Invalid(row.faults[position])
                record.values[column.name] = self._value(column, row, position)
            except Invalid as fault:
                record.values[column.name] = None if column.kind == "date" else ""
                record.errors.append(RowError(row.number, self.table.headers[position], fault.message, shown))
        return record

    def _value(self, column: Column, row: Row, position: int) -> Value:
        cell = row.cells[position]
        if column.required and not cell:
            raise Invalid(_("必填，不能为空"))
        if column.kind == "date":
            return self.readings[column.name].parse(cell)
        clean = clean_text if column.kind == "text" else clean_line
        text = clean(cell_text(cell), max_length=column.max_length, label=column.header, required=column.required)
        return column.choice(text) if text and column.choices else text


def choose_columns(headers: Sequence[str], shapes: Sequence[Sequence[Column]]) -> Sequence[Column]:
    """The set of columns that a table's headers were meant for: complete before incomplete, then the one with most of
    its headers there, then the first."""
    found = {header_key(header) for header in headers if header}

    def fit(columns: Sequence[Column]) -> tuple[bool, int]:
        there = [column for column in columns if column.keys & found]
        return all(column in there for column in columns if column.required), len(there)

    return max(shapes, key=fit)


def bind_columns(table: Table, columns: Sequence[Column], *, allowed: Collection[str] = ()) -> BoundTable:
    """Finds the wanted columns in a table and decides how its dates are read.

    Args:
        table: what `open_table` read.
        columns: the wanted columns.
        allowed: what of forbidden headers this import may carry (`MEMBER_ROSTER`, `PETITION_DESK`).

    Raises Invalid when the file carries a column that no import may have, lacks a required one, or has one twice.
    """
    refuse_forbidden(table.headers, allowed=allowed)
    places: dict[str, list[int]] = {}
    present = {header_key(header) for header in table.headers}
    keys = {
        each.name: {own} if not each.ranked and (own := header_key(each.header)) in present else each.keys
        for each in columns
    }
    for position, header in enumerate(table.headers):
        key = header_key(header)
        column = next((each for each in columns if key in keys[each.name]), None)
        if column:
            places.setdefault(column.name, []).append(position)
    chosen = _choose_among(table, columns, places)
    _refuse_twice(table, columns, places)
    _refuse_missing(table, columns, places)
    positions = {name: found[0] for name, found in places.items()}
    readings = {
        column.name: decide_date_order(
            (row.cells[positions[column.name]] for row in table.rows), dates_from_1904=table.dates_from_1904
        )
        for column in columns
        if column.kind == "date" and column.name in positions
    }
    taken = set(positions.values())
    ignored = tuple(
        header
        for position, header in enumerate(table.headers)
        if header and header != ERROR_HEADER and position not in taken
    )
    return BoundTable(table, tuple(columns), positions, ignored, readings, chosen)


def _choose_among(table: Table, columns: Sequence[Column], places: dict[str, list[int]]) -> tuple[str, ...]:
    """Leaves to each ranked column the header it is read from (twice the same is still twice), and says so."""
    said = []
    for column in columns:
        found = places.get(column.name, [])
        if not column.ranked or len(found) < 2:
            continue
        keys = {position: header_key(table.headers[position]) for position in found}
        filled = [position for position in found if any(row.cells[position] for row in table.rows)]
        best = min((keys[position] for position in filled or found), key=column.order.index)
        kept = places[column.name] = [position for position in found if keys[position] == best]
        left = "、".join(f"“{table.headers[position]}”" for position in found if position not in kept)
        if left:
            said.append(
                _("“%(header)s”读取“%(taken)s”一列，没有读取%(left)s。")
                % {"header": column.header, "taken": table.headers[kept[0]], "left": left}
            )
    return tuple(said)


def _refuse_twice(table: Table, columns: Sequence[Column], places: Mapping[str, list[int]]) -> None:
    for column in columns:
        found = places.get(column.name, [])
        if len(found) > 1:
            shown = "、".join(
                _("%(letter)s 列“%(header)s”") % {"letter": column_letter(at), "header": table.headers[at]}
                for at in found
            )
            raise Invalid(
                _("标题重复：%(columns)s 都表示“%(header)s”，请只保留一列。")
                % {"columns": shown, "header": column.header},
                code="header_twice",
            )


def _refuse_missing(table: Table, columns: Sequence[Column], places: Mapping[str, list[int]]) -> None:
    missing = [column.header for column in columns if column.required and column.name not in places]
    if missing:
        seen = "、".join(f"“{header}”" for header in table.headers if header)
        raise Invalid(
            _("缺少必需的列：%(missing)s。第 %(row)d 行读到的标题是 %(seen)s，请对照导入模板修改标题。")
            % {"missing": "、".join(f"“{name}”" for name in missing), "row": table.header_row, "seen": seen[:300]},
            code="header_missing",
        )
