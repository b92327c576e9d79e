"""Handing work to the background after commit, by the task's name.

By name, because a task module imports the actions it calls: an action that started its task by import would close
a circle.
"""

import threading
import time
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import transaction

# A task without arguments sees to whatever is due, so one start serves all that asked for it in this time.
GATHER_SECONDS = 0.5


@dataclass(frozen=True)
class _Start:
    name: str
    args: tuple[Any, ...]

    def __call__(self) -> None:
        if self.args:
            _hand_over(self.name, *self.args)
        else:
            _gather.start(self.name)


def _hand_over(name: str, *args: Any) -> None:
    # With the patience of the task's class: a broker that is away costs a short pause once, never the request.
    current_app.tasks[name].hand_over(*args)


class _Gather:
    """Hands over a task at once, and then at most once in `GATHER_SECONDS`: a hundred notices in a second are a hundred
    rows in the outbox and two starts of the one task that delivers them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, float] = {}
        self._coming: set[str] = set()

    def start(self, name: str) -> None:
        with self._lock:
            if name in self._coming:
                return  # it starts after us, so it finds our rows
            wait = self._last.get(name, 0.0) + GATHER_SECONDS - time.monotonic()
            if wait > 0:
                self._coming.add(name)
            else:
                self._last[name] = time.monotonic()
        if wait > 0:
            later = threading.Timer(wait, self._late, (name,))
            later.daemon = True  # a process that ends takes its last start along; the sweeper finds the rows
            later.start()
        else:
            _hand_over(name)

    def _late(self, name: str) -> None:
        with self._lock:
            self._coming.discard(name)
            self._last[name] = time.monotonic()
        _hand_over(name)


_gather = _Gather()


def start_on_commit(name: str, *args: Any) -> None:
    """Starts a task once the current transaction is committed (at once when there is none).

    The same start asked for many times in one transaction happens once. What the task works on must be a row that
    a sweeper finds as well: the hand-over may be lost.

    Args:
        name: full name of a registered task ("core.tasks.run_job").
        args: its arguments, ids only. Without any it is a task that sees to whatever is due: see `GATHER_SECONDS`.
    """
    start = _Start(name, args)
    connection = transaction.get_connection()
    here = set(connection.savepoint_ids)
    # Asked for inside a savepoint that is no longer open is no promise: only what stands or falls with us counts.
    if any(savepoints <= here and waiting == start for savepoints, waiting, *_rest in connection.run_on_commit):
        return
    transaction.on_commit(start, robust=True)
