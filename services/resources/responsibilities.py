"""The responsibility list as a table: one row a measure, known by its project and its words (docs/domain.md#l1)."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.models import User
from core.periods import date_words
from core.sheets import Plan, RowResource, Task
from core.sheets.base import Progress, What
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions.terms import batches
from grids.models import County
from grids.resources.base import GridSheet
from partybuilding.resources.pairings import place_cells
from services import posts
from services.actions.project_records import (
    NewResponsibility,
    ResponsibilityChange,
    assign_responsibilities,
    change_responsibilities,
)
from services.models import Project, ProjectState, Responsibility
from services.resources.lists import FaultError, Planner, day_column, unit_column

BATCH = 300
PROJECT, UNIT, PERSON, MEASURE, DUE = "项目", "责任单位", "责任人", "责任内容", "完成期限"
DONE, TEXT, STATE = "落实日期", "落实情况", "状态"


class ResponsibilityRow(RowResource):
    unit = Field("unit__name", UNIT)
    person = Field("person", PERSON)
    due_on = Field("due_on", DUE)

    class Meta:
        model = Responsibility
        fields = ("unit", "person", "due_on")


class ResponsibilitySheet(GridSheet):
    key = "responsibilities"
    label = lazy("责任清单")
    right = posts.MANAGE_PROJECT
    export_right = posts.VIEW_PROJECT

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "project",
                PROJECT,
                aliases=("项目编号", "项目名称", "编号", "所属项目", "对应项目"),
                required=True,
                max_length=100,
                note=_("项目编号；名称没有重复的，填项目名称也可以"),
                example="楼道亮化",
                width=24,
            ),
            unit_column("unit", UNIT, ("单位", "承办单位", "牵头单位"), _("社区自己负责的不填"), "县住房和城乡建设局"),
            Column(
                "person", PERSON, aliases=("姓名", "负责人", "联系人"), required=True, max_length=60, example="王主任"
            ),
            Column(
                "measure",
                MEASURE,
                aliases=("责任", "措施", "工作措施", "责任事项", "工作内容"),
                required=True,
                max_length=200,
                example="更换楼道灯 12 盏",
                width=36,
            ),
            day_column("due_on", DUE, ("完成时限", "截止日期", "时限"), _("不填的随项目")),
            day_column("done_on", DONE, ("完成日期", "完成时间"), _("已经落实的填")),
            Column("text", TEXT, aliases=("完成情况", "进展"), kind="text", max_length=500, width=30),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("同一项目里责任内容相同的就是同一条。"),
            _("已有的责任，落实情况不随表格改动，请在责任清单里登记。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        change_responsibilities(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.CHANGED])
        assign_responsibilities(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.NEW])

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("实施地点")),
            LedgerColumn(_("项目编号"), "centre"),
            LedgerColumn(_("项目名称")),
            LedgerColumn(UNIT),
            LedgerColumn(PERSON, "centre"),
            LedgerColumn(MEASURE),
            LedgerColumn(DUE, "centre"),
            LedgerColumn(STATE, "centre"),
            LedgerColumn(DONE, "centre"),
            LedgerColumn(TEXT),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = Responsibility.objects.visible_to(actor).select_related("project__node", "unit").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.project.node),
                    row.project.code,
                    row.project.name,
                    row.unit.name if row.unit else "",
                    row.person,
                    row.measure,
                    date_words(row.due_on),
                    row.get_state_display(),
                    date_words(row.done_on) if row.done_on else "",
                    row.text,
                )
            done += len(some)
            progress(done, len(ids))


class _Planner(Planner):
    right = posts.MANAGE_PROJECT
    rows = ResponsibilityRow()

    def know(self, records: Sequence[Record]) -> None:
        words = sorted({record.text("project") for record in records})
        self.projects: dict[str, list[Project]] = {}
        standing: dict[int, Project] = {}
        for some in batches(words, BATCH):
            for field in ("code", "name"):
                there = Project.objects.filter(county=self.county, **{f"{field}__in": some})
                rows = policies.seen_by(there, self.task.actor)
                for row in rows.exclude(state=ProjectState.DROPPED).select_related("node", "county"):
                    self.projects.setdefault(getattr(row, field), []).append(row)
                    standing[row.pk] = row
        self.standing: dict[tuple[int, str], Responsibility] = {}
        for pks in batches(sorted(standing), BATCH):
            for one in Responsibility.objects.filter(project__in=pks).select_related("unit"):
                one.project = standing[one.project_id]
                self.standing[one.project_id, one.measure] = one

    def judge(self, record: Record) -> None:
        project, unit = self._project(record.text("project")), self.unit(record, "unit")
        measure, person = record.text("measure"), record.text("person")
        self.once((project.pk, measure), record, MEASURE)
        due, done = record.day("due_on"), record.day("done_on")
        name = f"{project.name}：{measure}"
        before = self.standing.get((project.pk, measure))
        if before is None:
            due = due or project.due_on
            if due is None:
                raise FaultError(DUE, _("请填写完成期限：项目也没有填"))
            text = record.text("text") if done else ""
            self.new(record, name, NewResponsibility(project, person, measure, due, unit, done, text))
            return
        said: dict[str, Any] = {"person": person}
        if due is not None:
            said["due_on"] = due
        if unit is not None:
            said["unit"] = unit
        after = copy(before)
        for field, value in said.items():
            setattr(after, field, value)
        headers = {header for field, header in (("unit", UNIT), ("person", PERSON), ("due_on", DUE)) if field in said}
        self.differ(
            record, name, before, after, headers, lambda: ResponsibilityChange(before, version=before.version, **said)
        )

    def _project(self, text: str) -> Project:
        found = self.projects.get(text, [])
        if len(found) == 1:
            return found[0]
        if found:
            raise FaultError(PROJECT, _("有 %(count)d 个项目叫这个名称，请填项目编号") % {"count": len(found)}, text)
        raise FaultError(PROJECT, _("没有这个项目，或不在您的管辖范围内"), text)
