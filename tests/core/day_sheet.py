"""A small list as a table, for the tests of what every table shares: days on which the county departs from the calendar.

Its page stands in the admin of `tests.core.day_urls`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from import_export.fields import Field

from core.actors import Actor
from core.admin_base import choice_filter
from core.admin_sheets import SheetAdmin
from core.errors import NotFound
from core.jobs import JobRun
from core.models import CalendarDay, Job, User
from core.sheets import Line, Plan, RowResource, Sheet, Task, What, base, submit_check, submit_import
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.tasks import run_job
from services.posts import MANAGE_SETTINGS
from tests.factories import fresh

WORKED, FREE = "上班", "休息"


class DayRow(RowResource):
    worked = Field("is_working", "安排")
    note = Field("note", "说明")

    class Meta:
        model = CalendarDay
        fields = ("worked", "note")


class DaySheet(Sheet):
    key = "days"
    label = "调休日"
    right = MANAGE_SETTINGS
    export_right = MANAGE_SETTINGS

    def __init__(self) -> None:
        self.brought: list[Mapping[str, Any]] = []
        self.taken: list[int] = []

    def where(self, actor: Actor) -> str:
        if getattr(actor, "name", "") == "无处可去":
            raise NotFound("没有地方。")
        return "全县"

    def columns(self, where: Any) -> Sequence[Column]:
        return (
            Column(
                "day", "日期", aliases=("哪一天", "哪天"), required=True, kind="date", note="公历", example="2026-10-08"
            ),
            Column("worked", "安排", required=True, choices=(WORKED, FREE), example=FREE),
            Column("note", "说明", max_length=10, example="县庆"),
        )

    def notes(self, where: Any) -> Sequence[str]:
        return ("国家的节假日已经内置。",)

    def plan(self, task: Task) -> Plan:
        found, rows = Plan(), list(task.table.records())
        standing = {row.date: row for row in CalendarDay.objects.all()}
        seen: dict[Any, int] = {}
        for done, record in enumerate(rows):
            task.progress(done, len(rows))
            found.errors += record.errors
            if record.errors:
                continue
            day = record.day("day")
            assert day is not None
            if day in seen:
                found.errors.append(fault(record.number, "日期", f"与第 {seen[day]} 行重复", day))
                continue
            seen[day] = record.number
            wanted = CalendarDay(date=day, is_working=record.text("worked") == WORKED, note=record.text("note"))
            self._judge(task, found, record.number, standing.get(day), wanted)
        found.notes.append("按公历读取。")
        return found

    def _judge(self, task: Task, found: Plan, number: int, before: CalendarDay | None, wanted: CalendarDay) -> None:
        changes = DayRow().differing(before, wanted) if before else []
        what = What.NEW if before is None else What.CHANGED if changes else What.SAME
        if what is What.CHANGED and not task.update:
            columns = "、".join(header for header, _old, _new in changes)
            found.errors.append(fault(number, changes[0][0], f"与已有的不同：{columns}。要改请勾选“更新已有的内容”"))
            return
        found.lines.append(Line(number, what, f"{wanted.date:%Y-%m-%d}", changes, (before, wanted)))

    def prepare(self, run: JobRun, task: Task, plan: Plan) -> Sequence[tuple[str, str]]:
        run.params["prepared"] = len(plan.to_do)
        return [("准备", f"{len(plan.to_do)} 天")]

    def write(self, task: Task, plan: Plan) -> None:
        CalendarDay.objects.bulk_create([line.data[1] for line in plan.to_do if line.what is What.NEW])
        for line in plan.to_do:
            if line.what is What.CHANGED:
                before, wanted = line.data
                CalendarDay.objects.filter(pk=before.pk).update(is_working=wanted.is_working, note=wanted.note)

    def imported(self, task: Task, plan: Plan, found: Mapping[str, Any]) -> None:
        self.brought.append(found)

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return [LedgerColumn("日期"), LedgerColumn("安排"), LedgerColumn("说明")]

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        rows = CalendarDay.objects.in_bulk(ids)
        for row in (rows[pk] for pk in ids if pk in rows):
            yield row.date, WORKED if row.is_working else FREE, row.note

    def exported(self, actor: User, count: int) -> None:
        self.taken.append(count)


class ResidentSheet(DaySheet):
    """The same, as if it held residents."""

    key = "residents"
    label = "居民"
    personal = True


class DayAdmin(SheetAdmin):
    sheets = ("days",)
    view_right = MANAGE_SETTINGS
    list_display = ("date", "is_working", "note")
    list_filter = (choice_filter("is_working", "安排", (("1", WORKED), ("0", FREE))),)
    search_fields = ("note",)
    ordering = ("-date",)

    def get_queryset(self, request: Any) -> Any:
        return CalendarDay.objects.order_by("-date")


def unregister() -> None:
    for key in ("days", "residents"):
        base._sheets.pop(key, None)


# --- An import, step by step ------------------------------------------------------------------------------------------


def checked(actor: User, sheet: Sheet, content: bytes, *, name: str = "调休.csv", update: bool = False) -> Job:
    """A dry run that a worker has done."""
    file = SimpleUploadedFile(name, content)
    return done(submit_check(actor=fresh(actor), sheet=sheet, upload=file, update=update))


def confirmed(actor: User, check: Job, *, keep_good: bool = False) -> Job:
    """The import of a dry run, done as well."""
    return done(submit_import(actor=fresh(actor), check=check, keep_good=keep_good))


def done(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job
