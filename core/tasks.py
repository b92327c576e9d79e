"""The ground floor's tasks: ids in, one action called. All are idempotent; beat runs the sweepers (settings.BEAT)."""

import datetime
import logging
from typing import Any

from celery import shared_task
from celery.signals import task_postrun, task_prerun
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.utils import timezone

from core import accounts, digests, jobs, notices, origin, seals, sending, throttle

logger = logging.getLogger(__name__)

# Logs are kept a year or more (docs/practice.md#lines); notices are part of what a person was told.
KEEP_NOTICES = datetime.timedelta(days=400)
KEEP_THROTTLE = datetime.timedelta(days=2)


@shared_task
def deliver_notices() -> None:
    notices.deliver()


@shared_task
def send_messages() -> None:
    sending.send()


@shared_task
def build_digests() -> None:
    digests.build()


@shared_task
def run_job(job_id: int) -> None:
    jobs.run(job_id)


@shared_task
def sweep_jobs() -> None:
    jobs.sweep()


@shared_task
def clean_up_brief_jobs() -> None:
    jobs.clean_up_brief()


@shared_task
def seal_audit() -> None:
    seals.seal()


@shared_task
def clean_up() -> None:
    """Removes what has served its time: counters, sessions, tokens, files of jobs, old notices."""
    now = timezone.now()
    throttle.clean_up(before=now - KEEP_THROTTLE)
    accounts.clean_up(now=now)
    jobs.clean_up(now=now)
    notices.clean_up(before=now - KEEP_NOTICES)
    if settings.SESSION_ENGINE == "django.contrib.sessions.backends.db":
        SessionStore.clear_expired()


# Everything a task records comes from "任务", whatever floor the task lives on.


@task_prerun.connect
def _enter(task: Any = None, **kwargs: Any) -> None:
    task.request.origin_token = origin.enter(origin.TASK)


@task_postrun.connect
def _leave(task: Any = None, **kwargs: Any) -> None:
    token = getattr(task.request, "origin_token", None)
    if token is not None:
        origin.leave(token)
