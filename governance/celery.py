"""The Celery app: how work is handed to the background, and what happens when the broker is away."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from typing import Any

from celery import Celery
from celery.contrib.django.task import DjangoTask
from celery.signals import beat_init
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "governance.settings")

logger = logging.getLogger(__name__)

HEARTBEAT = "worker-heartbeat"
# After a failed hand-over the next requests do not even try for this long: each would wait for the same timeout.
PAUSE_SECONDS = 15.0


class PatientTask(DjangoTask):
    """A task whose hand-over after commit never fails the request that asked for it.

    The row it is about is committed by then, and every kind of row that waits has a sweeper, so a hand-over that is
    lost costs a minute, not the work.
    """

    abstract = True
    _paused_until = 0.0

    def hand_over(self, *args: Any) -> None:
        """Hands over at once; for what is called after the commit."""
        self._hand_over(args, {})

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        transaction.on_commit(lambda: self._hand_over(args, kwargs))

    def apply_async_on_commit(self, args: Any = (), kwargs: Any = None, **options: Any) -> None:
        transaction.on_commit(lambda: self._hand_over(args, kwargs or {}, **options))

    def _hand_over(self, args: Any, kwargs: dict[str, Any], **options: Any) -> None:
        if time.monotonic() < PatientTask._paused_until:
            return
        try:
            self.apply_async(args, kwargs, **options)
        except (OperationalError, OSError) as error:
            PatientTask._paused_until = time.monotonic() + PAUSE_SECONDS
            logger.warning("broker away, %s left to its sweeper: %s", self.name, type(error).__name__)


app = Celery("jingwei", task_cls=PatientTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@app.task(name="governance.celery.heartbeat")
def heartbeat() -> None:
    """Say that beat, broker and a worker are all alive; /healthz reads how long ago."""
    cache.set(HEARTBEAT, time.time(), timeout=24 * 3600)


@beat_init.connect
def first_heartbeat(**kwargs: Any) -> None:
    """Do not wait a whole interval before /healthz may call a fresh start healthy."""
    with contextlib.suppress(OperationalError, OSError):
        heartbeat.delay()
