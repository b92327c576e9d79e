"""Queries of one fixed shape that every request asks: their SQL is written once a process.

Django writes a query's SQL anew each time; for the two or three questions behind every single request (who is this,
what do they hold) that costs more than the answer. The query stays an ordinary queryset, so scope and portability are
Django's; only its text is kept. Measured: docs/decisions/0008-prepared-queries.md.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_Value = int | str | datetime.date
# Stand-ins that no real row holds, found again among the parameters of the written SQL.
_STAND_INS: dict[type, tuple[_Value, ...]] = {
    int: (-900_000_001, -900_000_002),
    str: ("\x01first\x01", "\x01second\x01"),
    datetime.date: (datetime.date(1801, 1, 1), datetime.date(1802, 2, 2)),
    datetime.datetime: (
        datetime.datetime(1801, 1, 1, 1, tzinfo=datetime.UTC),
        datetime.datetime(1802, 2, 2, 2, tzinfo=datetime.UTC),
    ),
}


class Prepared:
    """A query with arguments, its SQL kept per database engine.

    Args:
        build: makes the queryset from the arguments; their values may appear in plain comparisons only, and must not
            change its shape.
        types: the arguments' types, at most two of each of int, str, date, datetime.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *types: type) -> None:
        self._build, self._types = build, types
        self._kept: dict[str, _Written] = {}

    def rows(self, *values: _Value) -> list[tuple[Any, ...]]:
        """The rows of a `values_list` query, as the database gives them: ask for whole numbers and texts only."""
        kept = self._written()
        with connection.cursor() as cursor:
            cursor.execute(kept.sql, kept.filled(values))
            return list(cursor.fetchall())

    def one(self, *values: _Value) -> Any:
        """The object of a query over whole rows (annotations included) that finds one at most; else None."""
        kept = self._written()
        found = next(iter(kept.model._base_manager.raw(kept.sql, kept.filled(values))), None)
        if found is not None:
            for name, annotation, converters in kept.converters:
                for convert in converters:
                    setattr(found, name, convert(getattr(found, name), annotation, connection))
        return found

    def _written(self) -> "_Written":
        kept = self._kept.get(connection.vendor)
        if kept is None:
            kept = self._kept[connection.vendor] = self._write()
        return kept

    def _write(self) -> "_Written":
        left = {kind: list(items) for kind, items in _STAND_INS.items()}
        stand_ins = [left[kind].pop(0) for kind in self._types]
        queryset = self._build(*stand_ins)
        sql, params = queryset.query.sql_with_params()
        names = {str(_adapted(stand_in)): index for index, stand_in in enumerate(stand_ins)}
        slots = [(names.get(str(param)), param) for param in params]
        if set(names.values()) - {place for place, _param in slots}:
            raise ValueError("an argument does not reach the SQL as it was given")
        # A raw query converts its model's columns itself, annotations it leaves as they come.
        converters = [
            (
                name,
                annotation,
                [*connection.ops.get_db_converters(annotation), *annotation.get_db_converters(connection)],
            )
            for name, annotation in queryset.query.annotation_select.items()
        ]
        return _Written(queryset.model, sql, slots, converters)


@dataclass(frozen=True)
class _Written:
    """A query's text, what fills its places, and how its annotations become Python values."""

    model: Any
    sql: str
    slots: list[tuple[int | None, Any]]
    converters: list[tuple[str, Any, list[Callable[..., Any]]]]

    def filled(self, values: tuple[_Value, ...]) -> list[Any]:
        given = [_adapted(value) for value in values]
        return [param if place is None else given[place] for place, param in self.slots]


def _adapted(value: _Value) -> Any:
    """An argument as the engine's driver takes it."""
    if isinstance(value, datetime.datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return connection.ops.adapt_datefield_value(value) if isinstance(value, datetime.date) else value
