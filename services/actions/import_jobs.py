"""An import as two jobs: one that reads the table and shows what would come of it, one that writes it.

Both read the file anew, with the rights the person holds then: what was shown may be old by the time it is confirmed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.files.base import File
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import jobs, policies
from core.errors import Conflict, NotFound
from core.jobs import JobRun, LostError
from core.models import Job, JobState, User
from core.text import ellipsis
from grids.models import GridNode
from grids.naming import SEPARATOR
from services import posts
from services.actions.import_rows import Line
from services.actions.importing import Outcome, import_demands, require

CHECK = "demand_import_check"
WRITE = "demand_import"
KINDS = (CHECK, WRITE)
# Faults kept with the job and shown; the workbook has them all.
SHOWN_ERRORS = 200


def find_community(user: User, pk: int) -> GridNode:
    """A community by its key, with what an import reads of it.

    Raises Forbidden without `demand.import` anywhere, NotFound outside the user's own communities.
    """
    found = GridNode.objects.select_related("county__loop_settings").filter(pk=pk).first()
    if found is None:
        raise NotFound(_("没有找到这个社区，或不在您的管辖范围内。"))
    require(user, found)
    return found


def submit_check(*, actor: User, community: GridNode, upload: File) -> Job:
    """Asks for a dry run. Raises as `importing.require`; TooLarge for a file above the limit of uploads."""
    require(actor, community)
    name = ellipsis((upload.name or "").rsplit("/", 1)[-1], 80)
    return jobs.submit(
        actor=actor,
        kind=CHECK,
        title=_("核对：%(name)s") % {"name": name},
        params={"community": community.pk},
        upload=upload,
    )


def submit_import(*, actor: User, check: Job, keep_good: bool = False) -> Job:
    """Asks for the import of a table that was shown in a dry run. Asked twice, it answers the first one's job.

    Args:
        check: a job of `submit_check` that is done.
        keep_good: whether the rows without faults are imported when others have some.

    Raises:
        NotFound: the dry run is not the actor's own, or its file is no longer kept. Conflict: it is not over.
        Forbidden, NotFound: see `importing.require`.
    """
    if check.owner_id != actor.pk or check.kind != CHECK:
        raise NotFound(_("没有找到这次核对。只有提交人自己能看到。"))
    community = find_community(actor, check.params["community"])
    if check.state != JobState.DONE:
        raise Conflict(_("表格还没有核对完，请稍候再确认。"))
    running = Job.objects.filter(kind=WRITE, owner=actor, params__check=check.pk).exclude(state=JobState.FAILED)
    if first := running.filter(params__keep_good=keep_good).first():
        return first
    name = check.params.get("upload_name", "")
    try:
        with check.upload.open("rb") as file:
            return jobs.submit(
                actor=actor,
                kind=WRITE,
                title=_("导入：%(name)s") % {"name": ellipsis(name, 80)},
                params={"community": community.pk, "check": check.pk, "keep_good": keep_good},
                upload=File(file, name=name),
            )
    except (FileNotFoundError, ValueError):
        raise NotFound(_("这份表格已过保存期限，请重新上传。")) from None


@jobs.job_kind(CHECK, label=gettext_lazy("核对导入表格"))
def run_check(run: JobRun) -> Mapping[str, Any]:
    """The dry run."""
    outcome = _import(run, dry_run=True)
    _keep_error_file(run, outcome)
    return report_of(outcome, run)


@jobs.job_kind(WRITE, label=gettext_lazy("导入需求"))
def run_import(run: JobRun) -> Mapping[str, Any]:
    """The import. What came of it is written with the rows: a worker that dies just after has not lost the figures."""

    def written(outcome: Outcome) -> None:
        mine = Job.objects.filter(pk=run.job.pk, state=JobState.RUNNING, attempts=run.job.attempts)
        if not mine.update(report=report_of(outcome, run)):
            # Another worker has the job by now and does all this itself; the rows written here go with us.
            raise LostError

    outcome, report = None, run.job.report
    if not report:
        outcome = _import(run, keep_good=bool(run.params.get("keep_good")), written=written)
        report = report_of(outcome, run)
    # Drawn after the commit: a large workbook takes its time, and nobody should wait for it at the lock.
    if report["import"]["error_count"]:
        _keep_error_file(run, outcome or _import(run, dry_run=True))
    return report


def _import(run: JobRun, **how: Any) -> Outcome:
    community = GridNode.objects.select_related("county__loop_settings").get(pk=run.params["community"])
    with run.upload() as file:
        content = file.read()
    return import_demands(
        actor=run.actor,
        community=community,
        content=content,
        filename=run.params.get("upload_name", ""),
        progress=run.progress,
        **how,
    )


def _keep_error_file(run: JobRun, outcome: Outcome) -> None:
    if outcome.report.errors:
        stem = run.params.get("upload_name", "").rsplit(".", 1)[0]
        run.save_result(_("%(name)s（错误信息）.xlsx") % {"name": ellipsis(stem, 60)}, outcome.error_file())


def report_of(outcome: Outcome, run: JobRun) -> dict[str, Any]:
    """The job's report: `lines` and `problems` for the page of jobs, `import` for the page of imports."""
    report, numbers = outcome.report, outcome.reading.numbers
    shown = report.errors[:SHOWN_ERRORS]
    created = _("可以导入") if outcome.dry_run else _("新增")
    return {
        "lines": [
            [_("读取"), _("%(count)d 行") % {"count": report.total}],
            [created, _("%(count)d 条") % {"count": report.created}],
            [_("以前已导入"), _("%(count)d 条") % {"count": report.unchanged}],
            [_("有错误"), _("%(count)d 行") % {"count": report.bad_rows}],
        ],
        "problems": [[error.row, error.column, error.message] for error in shown],
        "link": [_("查看核对结果"), f"/admin/services/demand/import/{run.job.pk}/"],
        "import": {
            **replace(report, errors=[]).as_dict(),
            "errors": [[error.row, numbers.get(error.row, ""), error.column, error.message] for error in shown],
            "error_count": len(report.errors),
            "bad_rows": report.bad_rows,
            "written": outcome.written,
            "categories": outcome.categories,
            "places": outcome.places,
            "sample": _shown(outcome.sample),
            "sheet": outcome.reading.table.sheet,
            "kind": outcome.reading.table.kind,
        },
    }


def _shown(lines: Sequence[Line]) -> list[dict[str, Any]]:
    nodes = GridNode.objects.filter(pk__in={line.demand.node_id for line in lines}).select_related("community")
    # Everything lies in the one community, which needs no saying.
    paths = {node.pk: node.path.removeprefix(f"{node.community}{SEPARATOR}") for node in nodes}
    return [
        {
            "number": line.demand.external_number,
            "day": f"{line.demand.external_date}",
            "title": line.demand.title,
            "category": line.demand.category.name,
            "place": line.demand.place_text,
            "placed": line.placed.value,
            "path": paths.get(line.demand.node_id, ""),
        }
        for line in lines
    ]


def communities_of(user: User) -> Any:
    """The communities into which the user may import, for a choice."""
    return GridNode.objects.standing().at("community").filter(policies.within(GridNode, user, posts.IMPORT_DEMAND))
