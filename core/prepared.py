"""Queries of one fixed shape that every request asks: their SQL is written once a process.

Django writes a query's SQL anew each time; for the two or three questions behind every single request (who is this,
what do they hold) that costs more than the answer. The query stays an ordinary queryset, so scope and portability are
Django's; only its text is kept. Measured: docs/decisions/0008-prepared-queries.md.
"""

import datetime
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.db.models import QuerySet

_Value = int | str | datetime.date
# Stand-ins that no real row holds, found again among the parameters of the written SQL.
_STAND_INS: dict[type, tuple[_Value, ...]] = {
    int: (-900_000_001, -900_000_002),
    str: ("\x01first\x01", "\x01second\x01"),
    datetime.date: (datetime.date(1801, 1, 1), datetime.date(1802, 2, 2)),
}


class Prepared:
    """A query with arguments, its SQL kept per database engine.

    Args:
        build: makes the queryset from the arguments; their values may appear in plain comparisons only, and must not
            change its shape.
        types: the arguments' types, at most two of each of int, str, date.
    """

    def __init__(self, build: Callable[..., QuerySet[Any, Any]], *types: type) -> None:
        self._build, self._types = build, types
        self._kept: dict[str, tuple[str, list[tuple[int | None, Any]]]] = {}

    def rows(self, *values: _Value) -> list[tuple[Any, ...]]:
        """The rows of a `values_list` query, as the database gives them."""
        sql, params = self._with(values)
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            return list(cursor.fetchall())

    def one(self, *values: _Value) -> Any:
        """The object of a query over whole rows (annotations included) that finds one at most; else None."""
        sql, params = self._with(values)
        model: Any = self._build(*self._stand_ins()).model
        return next(iter(model._base_manager.raw(sql, params)), None)

    def _stand_ins(self) -> list[_Value]:
        left = {kind: list(items) for kind, items in _STAND_INS.items()}
        return [left[kind].pop(0) for kind in self._types]

    def _with(self, values: tuple[_Value, ...]) -> tuple[str, list[Any]]:
        kept = self._kept.get(connection.vendor)
        if kept is None:
            stand_ins = {str(stand_in): index for index, stand_in in enumerate(self._stand_ins())}
            sql, params = self._build(*self._stand_ins()).query.sql_with_params()
            places = [stand_ins.get(str(param)) for param in params]
            if set(stand_ins.values()) - set(places):
                raise ValueError("an argument does not reach the SQL as it was given")
            kept = self._kept[connection.vendor] = (sql, list(zip(places, params, strict=True)))
        sql, slots = kept
        given = [_adapted(value) for value in values]
        return sql, [param if place is None else given[place] for place, param in slots]


def _adapted(value: _Value) -> Any:
    return connection.ops.adapt_datefield_value(value) if isinstance(value, datetime.date) else value
