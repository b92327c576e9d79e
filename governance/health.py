"""/healthz: can this process serve, and is the background alive? No secrets, no addresses, no versions."""

from __future__ import annotations

import time
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from core import sending
from governance.celery import HEARTBEAT

# Beat asks for a heartbeat every 15 seconds; four in a row missing is a dead worker, beat or broker.
STALE_SECONDS = 60
# A pile of so many dead letters is no accident any more.
DEAD_LETTERS = 20

_migrated = False


def _pending() -> int:
    """How many migrations are not applied. Reading them all from disk is slow, so a zero is remembered."""
    global _migrated
    if _migrated:
        return 0
    executor = MigrationExecutor(connection)
    pending = len(executor.migration_plan(executor.loader.graph.leaf_nodes()))
    _migrated = pending == 0
    return pending


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        return {"ok": True, "pending_migrations": _pending()}
    except DatabaseError:
        return {"ok": False, "pending_migrations": None}


def worker_state() -> dict[str, Any]:
    beat_at = cache.get(HEARTBEAT)
    age = None if beat_at is None else max(0, round(time.time() - beat_at))
    return {"ok": age is not None and age <= STALE_SECONDS, "heartbeat_age_seconds": age}


def _notices() -> dict[str, Any]:
    """Dead letters, and what should have gone half an hour ago. Told, never a reason to restart anything: a supplier that
    is away is an administrator's matter."""
    pile = sending.pile()
    return {"ok": pile["dead"] < DEAD_LETTERS and pile["late"] == 0, **pile}


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while pages can be served, 503 when the database is away or not migrated.

    A dead worker is "degraded", still 200: taking the pages away as well would help nobody. A monitor that wants to
    be woken for it asks for `?strict=1` and gets 503.
    """
    database, worker = _database(), worker_state()
    serving = database["ok"] and database["pending_migrations"] == 0
    notices = _notices() if serving else {"ok": None, "dead": None, "late": None}
    status = "down" if not serving else "ok" if worker["ok"] else "degraded"
    failed = status == "down" or (status == "degraded" and request.GET.get("strict") == "1")
    answer = {"status": status, "database": database, "worker": worker, "notices": notices}
    return JsonResponse(answer, status=503 if failed else 200)
