"""Queries of one fixed shape that every request asks: their SQL is written once a process.

Django writes a query's SQL anew each time; for the two or three questions behind every single request (who is this,
what do they hold) that costs more than the answer. The query stays an ordinary queryset, so scope and portability are
Django's; only its text is kept. Measured: docs/decisions/0008-prepared-queries.md.
"""

import datetime
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from types import NoneType
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection, connections, models, transaction
from django.db.models import Field, Model, QuerySet
from django.db.models.base import ModelState
from django.db.models.constants import OnConflict
from django.db.models.signals import post_init, post_save, pre_init, pre_save
from django.db.models.sql import InsertQuery

_Value = int | str | datetime.date
# Stand-ins that no real row holds, found again among the parameters of the written SQL.
_STAND_INS: dict[type, tuple[_Value, ...]] = {
    int: (2_000_000_011, 2_000_000_012),
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

    def rows(self, *values: _Value, tail: str = "") -> list[tuple[Any, ...]]:
        """The rows of a `values_list` query, as the database gives them: ask for whole numbers and texts only.

        Args:
            tail: what the statement ends with, for a lock that the ORM has no word for.
        """
        here = connections[DEFAULT_DB_ALIAS]
        kept = self._written(here)
        if not kept.sql:
            return []
        with here.cursor() as cursor:
            cursor.execute(kept.sql + tail, kept.filled(values, here))
            return list(cursor.fetchall())

    def one(self, *values: _Value) -> Any:
        """The object of a query over whole rows that finds one at most, with its annotations and the objects that
        `select_related` names; else None."""
        here = connections[DEFAULT_DB_ALIAS]
        kept = self._written(here)
        if not kept.sql:
            return None
        with here.cursor() as cursor:
            cursor.execute(kept.sql, kept.filled(values, here))
            row = cursor.fetchone()
        return kept.maker.made(row) if row is not None else None

    def all(self, *values: _Value) -> list[Any]:
        """The objects of a query over whole rows, as `one` makes them."""
        here = connections[DEFAULT_DB_ALIAS]
        kept = self._written(here)
        if not kept.sql:
            return []
        with here.cursor() as cursor:
            cursor.execute(kept.sql, kept.filled(values, here))
            found = cursor.fetchall()
        return [kept.maker.made(row) for row in found]

    def _written(self, here: Any) -> "_Written":
        kept = self._kept.get(here.vendor)
        if kept is None:
            kept = self._kept[here.vendor] = self._write(here)
        return kept

    def _write(self, here: Any) -> "_Written":
        left = {kind: list(items) for kind, items in _STAND_INS.items()}
        stand_ins = [left[kind].pop(0) for kind in self._types]
        queryset = self._build(*stand_ins)
        compiler = queryset.query.get_compiler(DEFAULT_DB_ALIAS)
        try:
            sql, params = compiler.as_sql()
        except EmptyResultSet:
            # Whatever is asked: nobody sees anything without a scope.
            return _Written("", [], compiler)
        names = {str(_adapted(stand_in, here)): index for index, stand_in in enumerate(stand_ins)}
        slots = [(names.get(str(param)), param) for param in params]
        if set(names.values()) - {place for place, _param in slots}:
            raise ValueError("an argument does not reach the SQL as it was given")
        return _Written(sql, slots, compiler)


class _Written:
    """A query's text, and what fills its places."""

    def __init__(self, sql: str, slots: list[tuple[int | None, Any]], compiler: Any) -> None:
        self.sql, self.slots, self._compiler = sql, slots, compiler

    def filled(self, values: tuple[_Value, ...], here: Any) -> list[Any]:
        given = [_adapted(value, here) for value in values]
        return [param if place is None else given[place] for place, param in self.slots]

    @cached_property
    def maker(self) -> "_Maker":
        """For a query over whole rows."""
        return _Maker(self._compiler)


class _Maker:
    """How a row becomes an object with its annotations and relations, as Django's own `ModelIterable` does it."""

    def __init__(self, compiler: Any) -> None:
        self.whole = _Part(compiler.klass_info, compiler.select)
        self.annotations = compiler.annotation_col_map
        self.converters = compiler.get_converters([column[0] for column in compiler.select])

    def made(self, found: Sequence[Any]) -> Any:
        row = list(found)
        for place, (converters, expression) in self.converters.items():
            for convert in converters:
                row[place] = convert(row[place], expression, connection)
        obj = self.whole.made(row)
        for name, place in self.annotations.items():
            setattr(obj, name, row[place])
        return obj


class _Part:
    """The columns of a row that are one object, and the objects it points to (`select_related`)."""

    def __init__(self, info: Any, select: Any) -> None:
        self.model = info["model"]
        first, last = info["select_fields"][0], info["select_fields"][-1] + 1
        self.own = slice(first, last)
        self.names = [column[0].target.attname for column in select[first:last]]
        self.key = first + self.names.index(self.model._meta.pk.attname)
        listens = pre_init.has_listeners(self.model) or post_init.has_listeners(self.model)
        # A third of what a row costs is that Django looks at every column again on its way into the object.
        ours = self.model.__init__ is not Model.__init__ or self.model.from_db.__func__ is not Model.from_db.__func__  # type: ignore[attr-defined]
        self.plain = not ours and not listens
        self.related = [
            (_Part(one, select), one["local_setter"], one["remote_setter"])
            for one in info.get("related_klass_infos", ())
        ]

    def made(self, row: list[Any]) -> Any:
        """The object, or None where an outer join found none."""
        if row[self.key] is None:
            return None
        if self.plain:
            obj = self.model.__new__(self.model)
            obj._state = ModelState()
            obj._state.adding, obj._state.db = False, DEFAULT_DB_ALIAS
            obj.__dict__.update(zip(self.names, row[self.own], strict=True))
        else:
            obj = self.model.from_db(DEFAULT_DB_ALIAS, self.names, row[self.own])
        for part, local, remote in self.related:
            other = part.made(row)
            local(obj, other)
            if other is not None:
                remote(other, obj)
        return obj


def _adapted(value: _Value, here: Any) -> Any:
    """An argument as the engine's driver takes it."""
    if isinstance(value, datetime.datetime):
        return here.ops.adapt_datetimefield_value(value)
    return here.ops.adapt_datefield_value(value) if isinstance(value, datetime.date) else value


def insert(row: Model, *, unless_there: bool = False) -> None:
    """Writes a new row, as `row.save(force_insert=True)` does; the statement of its model is kept.

    A model that does more when it is saved (a `save` of its own, listeners, a key it is given) is saved by Django.

    Args:
        unless_there: a row that a unique constraint refuses is dropped silently; the object gets no key then.

    Raises IntegrityError as `save` does.
    """
    model = type(row)
    if _is_plain(model) and row.pk is None:
        row._prepare_related_fields_for_save(operation_name="save")  # type: ignore[attr-defined]
        with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS):
            _insert_of(row, unless_there).run(row)
    elif unless_there:
        model._default_manager.bulk_create([row], ignore_conflicts=True)
    else:
        row.save(force_insert=True)


def _is_plain(model: type[Model]) -> bool:
    listens = pre_save.has_listeners(model) or post_save.has_listeners(model)
    return model.save is Model.save and not model._meta.parents and model._meta.auto_field is not None and not listens


class _Insert:
    """The statement that writes a row of a model."""

    def __init__(self, row: Model, unless_there: bool) -> None:
        key = row._meta.auto_field
        fields: list[Field[Any, Any]] = [one for one in row._meta.local_concrete_fields if one is not key]
        query = InsertQuery(type(row), on_conflict=OnConflict.IGNORE if unless_there else None)
        query.insert_values(fields, [row])
        compiler: Any = query.get_compiler(DEFAULT_DB_ALIAS)
        compiler.returning_fields = [] if unless_there else [key]
        ((self.sql, params),) = compiler.as_sql()
        self.columns = _columns(fields)
        self.returns = not unless_there
        if len(params) != len(fields):
            raise ValueError(f"a column of {row._meta.label} is not written as one plain value")

    def run(self, row: Model) -> None:
        here = connections[DEFAULT_DB_ALIAS]  # `connection` looks it up anew for every column
        with here.cursor() as cursor:
            cursor.execute(self.sql, _values(self.columns, row, here, add=True))
            if self.returns:
                (row.pk,) = cursor.fetchone()
        row._state.adding, row._state.db = False, DEFAULT_DB_ALIAS


# Fields that write a value of this type, and None, as it is; anything else of them goes Django's way.
_AS_IT_IS: dict[type["Field[Any, Any]"], type] = {
    models.CharField: str,
    models.TextField: str,
    models.BooleanField: bool,
    models.SmallIntegerField: int,
    models.PositiveSmallIntegerField: int,
    models.IntegerField: int,
    models.PositiveIntegerField: int,
    models.BigIntegerField: int,
    models.ForeignKey: int,
    models.DateTimeField: NoneType,
    models.DateField: NoneType,
}
# A field, its attribute, and the type of `_AS_IT_IS`; else None.
_Column = tuple["Field[Any, Any]", str, type | None]


def _columns(fields: Sequence["Field[Any, Any]"]) -> list[_Column]:
    return [(one, one.attname, None if _sets_itself(one) else _AS_IT_IS.get(type(one))) for one in fields]


def _sets_itself(field: "Field[Any, Any]") -> bool:
    return getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)


def _values(columns: list[_Column], row: Model, here: Any, *, add: bool) -> list[Any]:
    """What the statement writes: Django turns every value over three times, and most of them are written as they are."""
    return [
        value
        if kind and ((value := getattr(row, name)) is None or type(value) is kind)
        else field.get_db_prep_save(field.pre_save(row, add), here)
        for field, name, kind in columns
    ]


_inserts: dict[tuple[type[Model], bool, str], _Insert] = {}


def _insert_of(row: Model, unless_there: bool) -> _Insert:
    shape = (type(row), unless_there, connection.vendor)
    found = _inserts.get(shape)
    if found is None:
        found = _inserts[shape] = _Insert(row, unless_there)
    return found


def update(row: Model, columns: Sequence[str]) -> None:
    """Writes some columns of a row that is there, as `row.save(update_fields=columns)` does; the statement is kept.

    Raises IntegrityError as `save` does, and DatabaseError where the row is gone.
    """
    model = type(row)
    if not _is_plain(model):
        row.save(update_fields=columns)
        return
    shape = (model, *columns, connection.vendor)
    kept = _updates.get(shape) or _updates.setdefault(shape, _update_of(model, columns))
    sql, written = kept
    here = connections[DEFAULT_DB_ALIAS]
    values = _values(written, row, here, add=False)
    with transaction.mark_for_rollback_on_error(using=DEFAULT_DB_ALIAS), here.cursor() as cursor:
        cursor.execute(sql, [*values, row.pk])
        if cursor.rowcount != 1:
            raise DatabaseError(f"{model._meta.label} {row.pk} is not there to be written")


_Update = tuple[str, list[_Column]]
# The columns that the moves of the tables change together: some dozens.
_updates: dict[tuple[Any, ...], _Update] = {}


def _update_of(model: type[Model], columns: Sequence[str]) -> _Update:
    known: dict[str, Any] = {one.attname: one for one in model._meta.local_concrete_fields}
    fields, quoted = [known[column] for column in columns], connection.ops.quote_name
    given = ", ".join(f"{quoted(field.column)} = %s" for field in fields)
    key: Any = model._meta.pk
    return f"UPDATE {quoted(model._meta.db_table)} SET {given} WHERE {quoted(key.column)} = %s", _columns(fields)  # noqa: S608


# A county has a few hundred: its places times the few kinds of people who look at them.
_MOST = 4096
_of_shape: dict[Hashable, Prepared] = {}


def prepared(shape: Hashable, build: Callable[..., "QuerySet[Any, Any]"], *types: type) -> Prepared:
    """The statement of a shape.

    Args:
        shape: everything `build` depends on but its arguments; two questions of one shape must be the same question.
            The scopes stand for `visible_to`: what a policy's filter says follows from the scope alone, never from
            the day or the person.
        build, types: as `Prepared` takes them.
    """
    found = _of_shape.get(shape)
    if found is None:
        if len(_of_shape) >= _MOST:
            _of_shape.clear()
        found = _of_shape[shape] = Prepared(build, *types)
    return found


def keep_loaded(obj: Any, relation: str, rows: list[Any]) -> None:
    """Hands an object the rows of a relation that points to it, read by other means, as `prefetch_related` would."""
    found = getattr(obj, relation).get_queryset()
    found._result_cache, found._prefetch_done = rows, True
    obj.__dict__.setdefault("_prefetched_objects_cache", {})[relation] = found
