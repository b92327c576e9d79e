"""The sweeper over a million running demands of which one in a hundred is late. Part of script/bench.

The rows are copied inside the database from one that was made by hand, so that they are there within a minute or two.
Beside the sweep stands one UPDATE by hand of the very rows it marks, and the sweep that comes a minute later, when nothing
is due: what it reads then is what a minute costs a county.
"""

import datetime
import time
from typing import Any

from django.utils import timezone

COUNTY = "610925"
COMMUNITIES = 200
LATE_EVERY = 100
TABLES = ("services_demand", "services_suborder")


def load(demands: int) -> None:
    """A county of so many demands at work, signed and contacted, every hundredth beyond its limit."""
    from django.db import connection

    from services.models import Demand, SubOrder
    from tests import factories as make
    from tests.factories import spec

    county = make.make_county("清扫县", COUNTY)
    make.make_settings(county)
    category = next(iter(make.make_categories(county).values()))
    nodes = make.grow(
        county, spec("street", "清扫街道", *(spec("community", f"第{n}社区") for n in range(COMMUNITIES)))
    )
    unit = make.make_unit(county, "清扫单位")
    now = timezone.now()
    first = make.make_demand(
        nodes[1], category, state="dispatched", lead_unit=unit, dispatched_at=now, due_at=now, warn_at=now
    )
    order = make.make_suborder(
        first, unit, state="in_service", dispatched_at=now, signed_at=now, contacted_at=now, due_at=now, warn_at=now
    )
    late = f"n % {LATE_EVERY} = 0"
    due = f"CASE WHEN {late} THEN now() - interval '1 hour' ELSE now() + interval '5 days' END"
    warn = f"CASE WHEN {late} THEN now() - interval '2 hours' ELSE now() + interval '4 days' END"
    node = f"(ARRAY{[one.pk for one in nodes[1:]]})[n % {COMMUNITIES} + 1]"
    with connection.cursor() as cursor:
        _copy(
            cursor,
            Demand,
            first.pk,
            {
                "code": "'20260102-' || lpad(n::text, 7, '0')",
                "follow_code": "'s' || lpad(n::text, 11, '0')",
                "node_id": node,
                "community_id": node,
                "due_at": due,
                "warn_at": warn,
            },
            f"generate_series(1, {demands}) AS n",
        )
        _copy(
            cursor,
            SubOrder,
            order.pk,
            {"demand_id": "d.id", "due_at": "d.due_at", "warn_at": "d.warn_at", "remind_at": "d.warn_at"},
            f"services_demand AS d WHERE d.county_id = {county.pk} AND d.id <> {first.pk} AND t.id = {order.pk}",
        )
        cursor.execute("DELETE FROM services_suborder WHERE id = %s", [order.pk])
        cursor.execute("DELETE FROM services_demand WHERE id = %s", [first.pk])
        cursor.execute("VACUUM ANALYZE services_demand")
        cursor.execute("VACUUM ANALYZE services_suborder")


def _copy(cursor: Any, model: Any, pk: int, values: dict[str, str], source: str) -> None:
    """Many rows like one of them, with some columns said otherwise."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    taken = ", ".join(values.get(column, f't."{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    where = "" if "WHERE" in source else f" WHERE t.id = {pk}"
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({names}) SELECT {taken} FROM {model._meta.db_table} AS t, {source}{where}"
    )


def _read() -> int:
    """Rows the database has handed out of the two tables so far, by index or by going through them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
            " WHERE relname = ANY(%s)",
            [list(TABLES)],
        )
        return int(cursor.fetchone()[0])


def _by_hand(now: datetime.datetime) -> tuple[int, float]:
    """The same rows marked by one statement, then taken back."""
    from django.db import connection, transaction

    with transaction.atomic(), connection.cursor() as cursor:
        began = time.perf_counter()
        cursor.execute(
            "UPDATE services_suborder SET late_marked_at = %s WHERE late_marked_at IS NULL AND due_at < %s"
            " AND state IN ('dispatched', 'signed', 'return_requested', 'in_service')",
            [now, now],
        )
        took = time.perf_counter() - began
        found = cursor.rowcount
        transaction.set_rollback(True)
    return found, took


def report(demands: int) -> bool:
    """Prints rows and seconds of each round; whether the sweep touches what is due and nothing else."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from services.actions import sweeping
    from services.models import SubOrder

    began = time.perf_counter()
    load(demands)
    print(f"\n清扫：{demands} 条在办需求，{demands // LATE_EVERY} 条超期（装入 {time.perf_counter() - began:.0f} 秒）")
    now = timezone.now()
    rows, seconds = _by_hand(now)
    print(f"手写一条 UPDATE 标记 {rows} 行：{seconds:.2f} 秒")
    rounds = {
        "late": sweeping.mark_late,
        "unanswered": sweeping.mark_unanswered,
        "reminded": sweeping.remind,
        "closed": sweeping.close_silent,
        "unparked": sweeping.unpark,
    }
    print(f"{'一轮':12} {'办了':>8} {'秒':>8} {'SQL':>6} {'读到的行':>10}   一分钟后再来：办了、秒、SQL、读到的行")
    sound = True
    for name, run in rounds.items():
        figures: list[Any] = []
        for _time in range(2):
            before = _read()
            with CaptureQueriesContext(connection) as captured:
                began = time.perf_counter()
                done = run(now)
                took = time.perf_counter() - began
            figures.append((done, took, len(captured), _read() - before))
        (done, took, asked, read), (again, later, asked_again, read_again) = figures
        print(
            f"{name:12} {done:>8} {took:>8.2f} {asked:>6} {read:>10}   {again}、{later:.3f}、{asked_again}、{read_again}"
        )
        sound = sound and again == 0 and read_again <= demands // LATE_EVERY
    marked = SubOrder.objects.filter(late_marked_at__isnull=False).count()
    met = sound and marked == demands // LATE_EVERY
    print(f"标记 {marked} 条，未到期的一条未动   目标 只碰到期的，再来一次什么也不做 {'达到' if met else '未达到'}")
    return met
