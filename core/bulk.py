"""Writing many rows at once, where Django's own way costs more than the rows.

`bulk_update` writes a CASE with a branch for every row and column, and spends longer on drawing it up than the database
on carrying it out; both databases know UPDATE ... FROM (VALUES ...), one statement whatever stands in it.
"""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection, models

BATCH = 500


def update_rows(rows: Sequence[models.Model], columns: Collection[str]) -> int:
    """Writes columns of rows that are in the database already, 500 a statement.

    Args:
        rows: of one model; their keys are not written.
        columns: names of columns (`category_id`) or fields; none that is computed by the database.

    Returns how many rows were found.
    """
    if not rows:
        return 0
    meta, quote = rows[0]._meta, connection.ops.quote_name
    fields: list[Any] = [field for field in meta.concrete_fields if {field.name, field.attname} & set(columns)]
    assert meta.pk is not None
    typed = connection.vendor == "postgresql"  # SQLite keeps a value as it comes; a cast would make a number of a time

    def cast(number: int, field: Any) -> str:
        kind = str((field.rel_db_type if field.is_relation else field.db_type)(connection))
        # Without its length: a cast to varchar(80) would cut what an assignment refuses.
        return f"CAST(v.column{number} AS {kind.partition('(')[0]})" if typed else f"v.column{number}"

    table = quote(meta.db_table)
    assigned = ", ".join(
        f"{quote(field.column)} = {cast(number, field)}" for number, field in enumerate(fields, start=2)
    )
    line = f"({', '.join(['%s'] * (len(fields) + 1))})"
    where = f"{table}.{quote(str(meta.pk.column))} = {cast(1, meta.pk)}"
    found = 0
    with connection.cursor() as cursor:
        for start in range(0, len(rows), BATCH):
            some = rows[start : start + BATCH]
            lines = ", ".join([line] * len(some))
            values = [
                field.get_db_prep_save(getattr(row, field.attname), connection)
                for row in some
                for field in (meta.pk, *fields)
            ]
            # Names come from the models; every value is a parameter.
            cursor.execute(f"UPDATE {table} SET {assigned} FROM (VALUES {lines}) AS v WHERE {where}", values)  # noqa: S608
            found += cursor.rowcount
    return found
