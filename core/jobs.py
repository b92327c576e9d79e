"""Long work somebody asked for (imports, exports, bulletins): a row with progress, run by a worker.

A kind must be idempotent: a worker may die half-way, and the sweeper then starts the job again.
"""

import datetime
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath
from typing import Any

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage
from django.db import DatabaseError, OperationalError, connection, connections, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import files, notices
from core.actors import SYSTEM, Actor, user_of
from core.background import start_on_commit
from core.errors import DomainError, TooLarge
from core.models import Job, JobState

logger = logging.getLogger(__name__)

TASK = "core.tasks.run_job"
MAX_ATTEMPTS = 3
MAX_UPLOAD_BYTES = 50 * 1024 * 1024
PROGRESS_SECONDS = 0.5
BEAT_SECONDS = 15
# A beat may be late while the work's own transaction holds SQLite's only write lock.
STALE = datetime.timedelta(minutes=5)
WAITING_LONG = datetime.timedelta(minutes=2)
KEEP_FILES = datetime.timedelta(days=30)
# With the hourly sweep, what holds people's data is gone a day after it came.
KEEP_BRIEFLY = datetime.timedelta(hours=23)
BRIEF_FOLDER = "jobs/brief"
NOTICE_KIND = "job"
# What of a brief job's parameters goes with its files: people put names into the names of files.
_TELLING = {"brief", "upload_name", "result_name"}


class LostError(RuntimeError):
    """The run was too slow and the job was given to another worker; nothing more may be written for it."""


@dataclass(frozen=True)
class JobKind:
    """A kind of work. `run` gets the `JobRun` and returns the report (plain JSON) or None.

    The job's page shows of the report `lines`, a list of [label, value], `problems`, a list of [row, column, reason], and
    `link`, the [words, address] of a page with more of it; other keys are for programs.
    """

    name: str
    label: str | Promise
    run: Callable[["JobRun"], Mapping[str, Any] | None]


_kinds: dict[str, JobKind] = {}

Progress = Callable[[int, int], None]
Work = Callable[["JobRun"], Mapping[str, Any] | None]


def job_kind(name: str, *, label: str | Promise) -> Callable[[Work], Work]:
    """Registers the decorated function as the work of a kind. Its module is imported from an app's `ready`."""

    def register(work: Work) -> Work:
        _kinds[name] = JobKind(name, label, work)
        return work

    return register


def kind_label(name: str) -> str:
    return str(_kinds[name].label) if name in _kinds else ""


class JobRun:
    """What the work of a kind is given: whose it is, what was asked, its files, and where to tell how far it is."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.params: dict[str, Any] = job.params
        # Set already when an earlier worker wrote it down and died.
        self.result_name = job.result.name or ""
        self._done = self._total = 0
        self._told = 0.0
        self._lost = threading.Event()

    @property
    def actor(self) -> Actor:
        """The account in whose name the work is done, with the rights it holds now."""
        return self.job.owner or SYSTEM

    @contextmanager
    def upload(self) -> Iterator[File]:
        """The uploaded file, opened for reading in binary."""
        with self.job.upload.open("rb") as file:
            yield file

    def progress(self, done: int, total: int) -> None:
        """Says how far the work is. Cheap: written at most twice a second, and never inside a transaction, where
        nobody could see it (the beat, on a connection of its own, writes it then).

        Raises:
            LostError: another worker has the job now; let it pass.
        """
        self._done, self._total = done, total
        if self._lost.is_set():
            raise LostError
        if connection.in_atomic_block or time.monotonic() - self._told < PROGRESS_SECONDS:
            return
        self._told = time.monotonic()
        self._beat()

    def save_result(self, filename: str, content: bytes | File) -> None:
        """Keeps the result file, offered to the owner under `filename` for 30 days (a brief job's for one)."""
        file = ContentFile(content) if isinstance(content, bytes) else content
        self.result_name = self.job.result.storage.save(_stored_name(self.job, "result", filename), file)
        self.params["result_name"] = filename

    def _beat(self) -> None:
        if not self._mine().update(beat_at=timezone.now(), done=self._done, total=self._total):
            self._lost.set()

    def _mine(self) -> Any:
        return Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING, attempts=self.job.attempts)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Keeps `beat_at` fresh while the work is too busy to tell."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_beating, args=(stop,), name=f"job-{self.job.pk}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(timeout=BEAT_SECONDS)

    def _keep_beating(self, stop: threading.Event) -> None:
        try:
            while not stop.wait(BEAT_SECONDS):
                try:
                    self._beat()
                except DatabaseError:
                    logger.info("job %s: beat not written, the database is busy", self.job.pk)
        finally:
            connections.close_all()

    def finish(self, state: JobState, *, report: Mapping[str, Any] | None = None, error: str = "") -> None:
        """Closes the job and tells its owner, unless another worker has it by now."""
        done, total = self._done, self._total
        if state == JobState.DONE:
            done = total
        with transaction.atomic():
            closed = self._mine().update(
                state=state,
                report=dict(report or {}),
                error=error[:500],
                result=self.result_name,
                params=self.params,
                done=done,
                total=total,
                finished_at=timezone.now(),
            )
            if closed:
                _tell_owner(self.job, state)

    def give_back(self) -> None:
        """Lets the sweeper start the job again."""
        self._mine().update(state=JobState.WAITING, beat_at=timezone.now())


def submit(
    *,
    actor: Actor,
    kind: str,
    title: str,
    params: Mapping[str, Any],
    upload: File | None = None,
    brief: bool = False,
) -> Job:
    """Asks for a job; a worker starts it after commit.

    Args:
        actor: becomes the owner, who alone sees the job and its files, and in whose name it works.
        kind: a name registered with `job_kind`.
        title: what the owner reads, at most 120 characters.
        params: plain JSON for the work.
        upload: a file to work on, at most 50 MB; it is kept for 30 days.
        brief: its files hold people's data. Within a day they go, and with them all of the report but its figures.

    Raises:
        TooLarge: the file.
        LookupError: an unknown kind, which is a slip of the caller.
    """
    if kind not in _kinds:
        raise LookupError(f"no job kind {kind!r}")
    job = Job(kind=kind, title=title[:120], owner=user_of(actor), params=dict(params))
    if brief:
        job.params["brief"] = True
    if upload is not None:
        if upload.size > MAX_UPLOAD_BYTES:
            raise TooLarge(_("文件超过 50 MB，请拆分后分次导入。"), fields={"upload": _("文件超过 50 MB。")})
        job.params["upload_name"] = PurePath(upload.name or "").name[:120]
        job.upload = job.upload.storage.save(_stored_name(job, "upload", upload.name or ""), upload)
    job.save()
    start_on_commit(TASK, job.pk)
    return job


def run(job_id: int) -> None:
    """Does the work of a waiting job; does nothing when another worker was faster."""
    claimed = Job.objects.filter(pk=job_id, state=JobState.WAITING).update(
        state=JobState.RUNNING, attempts=F("attempts") + 1, beat_at=timezone.now()
    )
    if not claimed:
        return
    work = JobRun(Job.objects.select_related("owner").get(pk=job_id))
    with work.beating():
        _work(work)


def _work(work: JobRun) -> None:
    kind, owner = _kinds.get(work.job.kind), work.job.owner
    if kind is None:
        work.finish(JobState.FAILED, error=_("系统已不再支持这类任务，请联系系统维护人员。"))
        return
    if owner is not None and not owner.is_active:
        work.finish(JobState.FAILED, error=_("申请人的账号已停用，任务没有执行。"))
        return
    try:
        report = kind.run(work)
    except LostError:
        logger.warning("job %s was taken over by another worker", work.job.pk)
    except DomainError as error:
        work.finish(JobState.FAILED, report={"fields": error.fields}, error=error.message)
    except OperationalError:
        # The database was busy or away: the same work may well succeed in a minute.
        logger.warning("job %s interrupted (try %s)", work.job.pk, work.job.attempts, exc_info=True)
        work.give_back()
    except Exception:
        logger.exception("job %s failed", work.job.pk)
        work.finish(
            JobState.FAILED,
            error=_("处理时出现意外错误，没有完成。请联系系统维护人员，并告知任务编号 %(n)s。") % {"n": work.job.pk},
        )
    else:
        work.finish(JobState.DONE, report=report)


def sweep() -> int:
    """Starts again what waits too long or whose worker died; gives up after three tries. Returns how many."""
    now = timezone.now()
    touched = 0
    silent = Q(beat_at__lt=now - WAITING_LONG) | Q(beat_at__isnull=True, created_at__lt=now - WAITING_LONG)
    for job in Job.objects.filter(silent, state=JobState.WAITING):
        touched += _restart(job) if job.attempts < MAX_ATTEMPTS else _give_up(job)
    for job in Job.objects.filter(state=JobState.RUNNING, beat_at__lt=now - STALE):
        touched += _restart(job) if job.attempts < MAX_ATTEMPTS else _give_up(job)
    return touched


def _unchanged(job: Job) -> Any:
    return Job.objects.filter(pk=job.pk, state=job.state, attempts=job.attempts, beat_at=job.beat_at)


def _restart(job: Job) -> int:
    with transaction.atomic():
        restarted = _unchanged(job).update(state=JobState.WAITING, beat_at=timezone.now())
        if restarted:
            start_on_commit(TASK, job.pk)
    return restarted


def _give_up(job: Job) -> int:
    with transaction.atomic():
        closed = _unchanged(job).update(
            state=JobState.FAILED,
            finished_at=timezone.now(),
            error=_("后台程序多次中断，任务没有完成。请重新提交；再次失败时请联系系统维护人员。"),
        )
        if closed:
            _tell_owner(job, JobState.FAILED)
    return closed


def _tell_owner(job: Job, state: JobState) -> None:
    if job.owner_id is None:
        return
    words = {JobState.DONE: _("“%(title)s”已完成"), JobState.FAILED: _("“%(title)s”没有完成")}
    notices.post(
        kind=NOTICE_KIND,
        title=words[state] % {"title": job.title},
        link=f"/jobs/{job.pk}/",
        audience={"user": job.owner_id},
        key=f"job:{job.pk}:{state.value}",
    )


def drop_files(job: Job, *fields: str) -> None:
    """Takes files of a job away before their time, after commit: they hold what must not be kept.

    Args:
        fields: "upload", "result"; both when none is given.
    """
    for field in fields or ("upload", "result"):
        file = getattr(job, field)
        Job.objects.filter(pk=job.pk).update(**{field: ""})
        if file.name:
            transaction.on_commit(partial(file.storage.delete, file.name))


def forget(rows: Iterable[Job]) -> int:
    """Takes away the files of brief jobs and all of their reports but the figures. Returns how many jobs."""
    count = 0
    for job in rows:
        drop_files(job)
        params = {name: value for name, value in job.params.items() if name not in _TELLING}
        # A refusal quotes what it read where it looked for the headers.
        error = _("表格没有导入。原表已删除，详细原因不再保留。") if job.error else ""
        report = {"lines": job.report.get("lines", [])}
        Job.objects.filter(pk=job.pk).update(params=params, report=report, error=error)
        count += 1
    return count


def clean_up_brief(*, now: datetime.datetime | None = None) -> int:
    """Forgets the brief jobs of yesterday; removes their files also where no row was committed. Returns how many."""
    before = (now or timezone.now()) - KEEP_BRIEFLY
    over = Job.objects.filter(state__in=[JobState.DONE, JobState.FAILED])
    count = forget(over.filter(params__brief=True, created_at__lt=before))
    _remove_older(Job._meta.get_field("upload").storage, BRIEF_FOLDER, before)
    return count


def clean_up(*, now: datetime.datetime | None = None) -> int:
    """Removes the files of jobs after 30 days, also those whose row was never committed. Returns how many."""
    before = (now or timezone.now()) - KEEP_FILES
    old = Job.objects.filter(created_at__lt=before).exclude(state__in=[JobState.WAITING, JobState.RUNNING])
    old.exclude(upload="", result="").update(upload="", result="")
    storage = Job._meta.get_field("upload").storage
    return _remove_older(storage, "jobs", before)


def _remove_older(storage: Storage, folder: str, before: datetime.datetime) -> int:
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:
        return 0
    removed = sum(_remove_older(storage, f"{folder}/{name}", before) for name in folders)
    for name in files:
        path = f"{folder}/{name}"
        if storage.get_modified_time(path) < before:
            storage.delete(path)
            removed += 1
    return removed


def _stored_name(job: Job, field: str, filename: str) -> str:
    """A name that says nothing and collides with nothing; the person's own file name is kept in `params`."""
    suffix = PurePath(filename).suffix.lower()
    suffix = suffix if suffix in {".xlsx", ".xls", ".csv", ".docx", ".zip", ".pdf", ".txt"} else ""
    if job.params.get("brief"):
        return f"{BRIEF_FOLDER}/{uuid.uuid4().hex}{suffix}"
    return job._meta.get_field(field).generate_filename(job, f"{uuid.uuid4().hex}{suffix}")  # type: ignore[union-attr]


notices.register_kind(NOTICE_KIND, gettext_lazy("后台任务"))
files.register("job-result", Job, "result", name=lambda job: job.params.get("result_name", ""))
files.register("job-upload", Job, "upload", name=lambda job: job.params.get("upload_name", ""))
