"""An import as two jobs, for every list: one that reads the table and shows what would come of it, one that writes it.

Both read the file anew, with the rights the person holds then: what was shown may be old by the time it is confirmed.
The ledger of a long list is a third.
"""

import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import jobs
from core.actors import Actor
from core.errors import Conflict, Invalid, NotFound, TooLarge
from core.jobs import JobRun, LostError, Progress
from core.models import Job, JobState, User
from core.periods import datetime_words
from core.sheets.base import WHAT_WORDS, Line, Plan, Sheet, Task, What, sheet_of
from core.spreadsheets import (
    BoundTable,
    Report,
    RowError,
    Table,
    bind_columns,
    choose_columns,
    table_of,
    write_errors,
    write_ledger,
)
from core.spreadsheets.limits import MAX_BYTES
from core.text import ellipsis
from core.uploads import MEGABYTE

logger = logging.getLogger(__name__)

CHECK, WRITE, EXPORT = "sheet_check", "sheet_import", "sheet_export"
# Faults and rows kept with the job and shown; the workbook has all the faults.
SHOWN_ERRORS, SHOWN_LINES = 200, 30
# Up to here the person waits for a ledger; beyond, a job makes it.
AT_ONCE = 1000
MOST = 100_000


@dataclass
class Outcome:
    """A table that was read: what it would do, or did. `report.created` and `updated` count what would be in a dry
    run, else what was written."""

    sheet: Sheet
    task: Task
    table: Table
    content: bytes
    plan: Plan
    report: Report

    @property
    def goes(self) -> bool:
        return not self.report.errors


def check(
    *,
    actor: Actor,
    sheet: Sheet,
    content: bytes,
    filename: str,
    update: bool = False,
    progress: Progress | None = None,
) -> Outcome:
    """Reads a table and says what it would do; writes nothing.

    Raises:
        Forbidden, NotFound: the actor brings in no such rows.
        Invalid, TooLarge: the file as a whole can not be used; faults of rows are in the report.
    """
    sheet.require(actor, sheet.right)
    where = sheet.where(actor)
    shapes = sheet.shapes(where)
    known = [column for columns in shapes for column in columns]
    table = table_of(content, filename=filename, columns=known, max_rows=sheet.max_rows)
    bound = bind_columns(table, choose_columns(table.headers, shapes), allowed=sheet.allowed)
    task = Task(actor, where, bound, update and sheet.can_update, progress or (lambda done, total: None))
    plan = sheet.plan(task)
    plan.errors = sorted((_as_in(bound, error) for error in plan.errors), key=lambda error: error.row)
    report = Report(
        total=len(table.rows),
        created=plan.count(What.NEW),
        updated=plan.count(What.CHANGED),
        unchanged=plan.count(What.SAME),
        errors=plan.errors,
        ignored_columns=bound.ignored,
        date_order=bound.date_order,
        encoding=table.encoding,
        notes=(*bound.notes, *plan.notes),
    )
    report.skipped = max(0, report.total - report.created - report.updated - report.unchanged - report.bad_rows)
    return Outcome(sheet, task, table, content, plan, report)


def _as_in(table: BoundTable, error: RowError) -> RowError:
    """The fault under the header that the person's own file has for the column."""
    for column in table.columns:
        if column.header == error.column and column.name in table.positions:
            return replace(error, column=table.table.headers[table.positions[column.name]])
    return error


def submit_check(*, actor: User, sheet: Sheet, upload: File, update: bool = False, page: str = "") -> Job:
    """Asks for a dry run. Raises as `check`, but for the table itself; TooLarge for a file above the limit.

    Args:
        page: URL name of the page that shows what was found, called with the sheet's key and the job's number.
    """
    sheet.require(actor, sheet.right)
    sheet.where(actor)
    if upload.size > MAX_BYTES:
        message = _("文件有 %(size)d MB，最大 %(most)d MB。请删去用不到的工作表和图片，或分成几个文件分别导入。") % {
            "size": -(-upload.size // MEGABYTE),
            "most": MAX_BYTES // MEGABYTE,
        }
        raise TooLarge(message, fields={"upload": message})
    return jobs.submit(
        actor=actor,
        kind=CHECK,
        title=_title(_("核对%(label)s"), sheet, upload.name or ""),
        params={"sheet": sheet.key, "update": update, "page": page},
        upload=upload,
        brief=sheet.forgets,
    )


def _title(words: str, sheet: Sheet, name: str) -> str:
    """What the job is called: after its file, unless people's names may stand in the file's name."""
    title = words % {"label": sheet.label}
    if sheet.personal:
        return title
    return _("%(title)s：%(name)s") % {"title": title, "name": ellipsis(name.rsplit("/", 1)[-1], 60)}


def submit_import(*, actor: User, check: Job, keep_good: bool = False) -> Job:
    """Asks for the import of a table that was shown in a dry run. Asked twice, it answers the first one's job.

    Raises:
        NotFound: the dry run is not the actor's own, or its file is no longer kept. Conflict: it is not over, or it
        has faults that were not allowed to be left out.
    """
    if check.owner_id != actor.pk or check.kind != CHECK:
        raise NotFound(_("没有找到这次核对。只有提交人自己能看到。"))
    sheet = sheet_of(check.params["sheet"])
    sheet.require(actor, sheet.right)
    if check.state != JobState.DONE:
        raise Conflict(_("表格还没有核对完，请稍候再确认。"))
    if first := written_job(check):
        return first
    if check.report.get("sheet", {}).get("bad_rows", 0) and not keep_good:
        raise Conflict(_("有错误的行还没有处理：请改好表格重新上传，或勾选“有错误的行不导入”。"))
    name = check.params.get("upload_name", "")
    try:
        with transaction.atomic(), check.upload.open("rb") as file:
            # Two clicks at once: whoever comes second finds the first one's job.
            Job.objects.select_for_update().get(pk=check.pk)
            if first := written_job(check):
                return first
            return jobs.submit(
                actor=actor,
                kind=WRITE,
                title=_title(_("导入%(label)s"), sheet, name),
                params={
                    **{key: check.params.get(key) for key in ("sheet", "update", "page")},
                    "check": check.pk,
                    "keep_good": keep_good,
                },
                upload=File(file, name=name),
                brief=sheet.forgets,
            )
    except (FileNotFoundError, ValueError):
        raise _expired() from None


def written_job(check: Job) -> Job | None:
    """The import of a dry run, if it was confirmed and did not fail."""
    return (
        Job.objects.filter(kind=WRITE, owner_id=check.owner_id, params__check=check.pk)
        .exclude(state=JobState.FAILED)
        .first()
    )


@jobs.job_kind(CHECK, label=gettext_lazy("核对导入表格"))
def run_check(run: JobRun) -> Mapping[str, Any]:
    """The dry run."""
    outcome = _read(run)
    _keep_error_file(run, outcome)
    return _report(outcome, run, written=False)


@jobs.job_kind(WRITE, label=gettext_lazy("导入表格"))
def run_import(run: JobRun) -> Mapping[str, Any]:
    """The import. What came of it is written down with the rows: a worker that dies just after has lost nothing."""
    report = run.job.report or _import(run)
    if report["sheet"]["written"] and sheet_of(run.params["sheet"]).personal:
        _forget(run)
    return report


def _import(run: JobRun) -> dict[str, Any]:
    outcome = _read(run)
    sheet, task, plan = outcome.sheet, outcome.task, outcome.plan
    goes = outcome.goes or bool(run.params.get("keep_good"))
    report = _report(outcome, run, written=goes)
    _keep_error_file(run, outcome)
    if not goes or not plan.to_do:
        return report
    more = [[str(label), str(value)] for label, value in sheet.prepare(run, task, plan)]
    report["sheet"]["more"] = more
    report["lines"] += more
    try:
        with transaction.atomic():
            sheet.write(task, plan)
            sheet.imported(task, plan, _counts(outcome))
            mine = Job.objects.filter(pk=run.job.pk, state=JobState.RUNNING, attempts=run.job.attempts)
            if not mine.update(report=report, params=run.params, result=run.result_name):
                # Another worker has the job by now and does all this itself; the rows written here go with us.
                raise LostError
    except IntegrityError as error:
        logger.warning("job %s: rows collided with others written meanwhile", run.job.pk, exc_info=True)
        raise Conflict(_("导入的同时有人改动了这些内容，本次没有导入。请重新上传核对。")) from error
    return report


def _read(run: JobRun) -> Outcome:
    try:
        with run.upload() as file:
            content = file.read()
    except (FileNotFoundError, ValueError):
        raise _expired() from None
    return check(
        actor=run.actor,
        sheet=sheet_of(run.params["sheet"]),
        content=content,
        filename=run.params.get("upload_name", ""),
        update=bool(run.params.get("update")),
        progress=run.progress,
    )


def _counts(outcome: Outcome) -> dict[str, Any]:
    report = outcome.report
    return {
        # Not the file's name: people put names into it, and the trail is never erased.
        "sha256": hashlib.sha256(outcome.content).hexdigest(),
        "rows": report.total,
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "errors": report.bad_rows,
    }


def _keep_error_file(run: JobRun, outcome: Outcome) -> None:
    if outcome.report.errors:
        stem = run.params.get("upload_name", "").rsplit(".", 1)[0]
        content = write_errors(outcome.content, outcome.table, outcome.report.errors)
        run.save_result(_("%(name)s（错误信息）.xlsx") % {"name": ellipsis(stem, 60)}, content)


def _forget(run: JobRun) -> None:
    """Takes the table of a list of residents away once it is written: the dry run's, with its error file, and the
    import's own. The error file of the import stays until it is fetched, for a day."""
    jobs.drop_files(run.job, "upload")
    if check := Job.objects.filter(pk=int(run.params["check"]), kind=CHECK).first():
        jobs.drop_files(check)


def _report(outcome: Outcome, run: JobRun, *, written: bool) -> dict[str, Any]:
    """The job's report: `lines`, `problems` and `link` for the page of jobs, `sheet` for the page of imports."""
    report, personal, page = outcome.report, outcome.sheet.personal, run.params.get("page")
    shown = report.errors[:SHOWN_ERRORS]
    return {
        "lines": [
            [_("读取"), _("%(count)d 行") % {"count": report.total}],
            [str(WHAT_WORDS[What.NEW]), report.created],
            [str(WHAT_WORDS[What.CHANGED]), report.updated],
            [str(WHAT_WORDS[What.SAME]), report.unchanged],
            [_("有错误"), _("%(count)d 行") % {"count": report.bad_rows}],
        ],
        "problems": [[error.row, error.column, error.message] for error in shown],
        "sheet": {
            **replace(report, errors=[]).as_dict(),
            "errors": [[e.row, e.column, e.message, "" if personal else e.value] for e in shown],
            "error_count": len(report.errors),
            "bad_rows": report.bad_rows,
            "written": written,
            "sample": [_shown(line, personal) for line in outcome.plan.to_do[:SHOWN_LINES]],
            "sheet": outcome.table.sheet,
            "more": [],
        },
        "link": [_("查看这次导入"), reverse(page, args=[outcome.sheet.key, run.job.pk])] if page else None,
    }


def _shown(line: Line, personal: bool) -> dict[str, Any]:
    """A line of the preview; of a resident's row only what would happen to it, and in which columns."""
    return {
        "row": line.number,
        "what": str(WHAT_WORDS[line.what]),
        "name": "" if personal else line.name,
        "changes": [[header, "", ""] if personal else [header, old, new] for header, old, new in line.changes],
    }


def forget(sheet: Sheet) -> int:
    """Takes away every kept file of a list at once: somebody in it is to be gone from everywhere. Returns how many jobs."""
    return jobs.forget(Job.objects.filter(params__sheet=sheet.key, params__brief=True))


def _expired() -> NotFound:
    return NotFound(_("这份表格已过保存期限，请重新上传。"))


# --- Ledgers --------------------------------------------------------------------------------------------------------


def export(*, actor: User, sheet: Sheet, ids: Sequence[int], progress: Progress | None = None) -> bytes:
    """A printable ledger of the rows among `ids` that the actor may export, in that order; written down.

    Raises `Forbidden` without the right anywhere, `Invalid` when nothing or too much is left.
    """
    _check_export(actor, sheet, ids)
    today, now = timezone.localdate(), timezone.now()
    count = 0

    def counted() -> Any:
        nonlocal count
        for row in sheet.ledger_rows(actor, ids, progress or (lambda done, total: None)):
            count += 1
            yield row

    content = write_ledger(
        title=sheet.ledger_title(),
        unit=sheet.ledger_unit(actor),
        day=today,
        columns=sheet.ledger_columns(),
        rows=counted(),
        filled_by=actor.name,
        mark=_("%(name)s %(time)s 导出") % {"name": actor.name, "time": datetime_words(now)},
    )
    if not count:
        raise _nothing()
    sheet.exported(actor, count)
    return content


def ledger_name(sheet: Sheet) -> str:
    return f"{sheet.ledger_title()}{timezone.localdate():%Y%m%d}.xlsx"


def submit_export(*, actor: User, sheet: Sheet, ids: Sequence[int]) -> Job:
    """Asks for the ledger as a job. Raises as `export`."""
    _check_export(actor, sheet, ids)
    title = _("导出%(title)s") % {"title": sheet.ledger_title()}
    params = {"sheet": sheet.key, "ids": list(ids)}
    return jobs.submit(actor=actor, kind=EXPORT, title=title, params=params, brief=sheet.forgets)


@jobs.job_kind(EXPORT, label=gettext_lazy("导出台账"))
def run_export(run: JobRun) -> Mapping[str, Any]:
    """The job: the rows are judged again by what the person may export now."""
    sheet, actor = sheet_of(run.params["sheet"]), run.actor
    assert isinstance(actor, User)
    ids = [int(pk) for pk in run.params["ids"]]
    run.save_result(ledger_name(sheet), export(actor=actor, sheet=sheet, ids=ids, progress=run.progress))
    return {"lines": [[_("选中"), _("%(count)d 条") % {"count": len(ids)}]]}


def _check_export(actor: User, sheet: Sheet, ids: Sequence[int]) -> None:
    sheet.require(actor, sheet.export_right)
    if not ids:
        raise _nothing()
    if len(ids) > MOST:
        raise Invalid(_("一次最多导出 %(most)d 条，请用筛选缩小范围后再导出。") % {"most": MOST})


def _nothing() -> Invalid:
    return Invalid(_("没有可以导出的内容，请换个筛选条件。"), code="nothing_to_export")


def fault(number: int, header: str, message: str, value: object = "") -> RowError:
    """A fault of a row, for `Plan.errors`."""
    return RowError(number, header, message, str(value or ""))
