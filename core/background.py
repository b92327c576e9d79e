"""Handing work to the background after commit, by the task's name.

By name, because a task module imports the actions it calls: an action that started its task by import would close
a circle.
"""

import logging
from dataclasses import dataclass
from typing import Any

from celery import current_app
from django.db import transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Start:
    name: str
    args: tuple[Any, ...]

    def __call__(self) -> None:
        # The commit is done by now, so this hands over at once, with the patience of the task's class: a broker
        # that is away costs a short pause once, never the request.
        current_app.tasks[self.name].delay_on_commit(*self.args)


def start_on_commit(name: str, *args: Any) -> None:
    """Starts a task once the current transaction is committed (at once when there is none).

    The same start asked for many times in one transaction happens once. What the task works on must be a row that
    a sweeper finds as well: the hand-over may be lost.

    Args:
        name: full name of a registered task ("core.tasks.run_job").
        args: its arguments, ids only.
    """
    start = _Start(name, args)
    connection = transaction.get_connection()
    here = set(connection.savepoint_ids)
    # Asked for inside a savepoint that is no longer open is no promise: only what stands or falls with us counts.
    if any(savepoints <= here and waiting == start for savepoints, waiting, *_rest in connection.run_on_commit):
        return
    transaction.on_commit(start, robust=True)
