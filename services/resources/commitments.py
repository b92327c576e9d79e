"""Promises as a table: who promised which place what, by when, and what came of it (docs/domain.md#z1)."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.errors import Invalid
from core.masking import mask_name
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions import hold_places
from grids.actions.terms import batches
from grids.models import County
from grids.resources.base import GridSheet
from grids.resources.places import PlaceColumns
from partybuilding.resources.pairings import place_cells
from partybuilding.unit_names import UnitNames
from services import standing
from services.actions.commitments import (
    CommitmentChange,
    NewCommitment,
    change_commitments,
    identity_of,
    judge_commitment,
    make_commitments,
)
from services.models import COMMITMENT_COUNTED, Commitment, CommitmentState
from services.posts import MANAGE_COMMITMENT, VIEW_COMMITMENT
from services.resources.placed import PlacedPlanner

UNIT, PLACE, TITLE, MEASURE, OWNER = "承诺单位", "受益地点", "承诺事项", "完成标准", "责任人"
DUE, PROMISED, PERCENT, DONE = "完成期限", "承诺日期", "进度（%）", "完成日期"
BATCH = 300


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("地点", "受益小区", "服务地点", "位置", "编码", "完整位置", "承诺地点", "服务对象"),
            max_length=400,
            note=_("社区、小区、楼栋：位置或编码；也可以按街道、社区、小区分列填"),
            example="新城社区和谐小区",
            width=28,
        ),
    )


class CommitmentRow(RowResource):
    """What a row may change of a promise that stands."""

    measure = Field("measure", MEASURE)
    owner = Field("owner", OWNER)
    due_on = Field("due_on", DUE)


class CommitmentSheet(GridSheet):
    key = "commitments"
    label = lazy("承诺事项")
    right = MANAGE_COMMITMENT
    export_right = VIEW_COMMITMENT

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "unit",
                UNIT,
                aliases=("单位", "单位名称", "报到单位", "驻区单位", "责任单位", "共建单位", "认领单位"),
                required=True,
                max_length=60,
                note=_("登记的全称或简称"),
                example="县住房和城乡建设局",
                width=24,
            ),
            *places_of(where).columns(),
            Column(
                "title",
                TITLE,
                aliases=("事项", "承诺内容", "服务事项", "承诺服务事项", "项目", "内容"),
                required=True,
                max_length=100,
                example="更换楼道灯",
                width=28,
            ),
            Column(
                "measure",
                MEASURE,
                aliases=("完成标准和要求", "标准", "目标", "办理标准", "完成目标", "措施"),
                required=True,
                max_length=200,
                note=_("怎样算完成，写得能核对"),
                example="12 盏灯都亮",
                width=24,
            ),
            Column(
                "owner", OWNER, aliases=("负责人", "承办人", "联系人"), required=True, max_length=60, example="王一"
            ),
            Column(
                "due_on",
                DUE,
                aliases=("期限", "完成时限", "办结时限", "计划完成时间", "完成时间", "截止日期"),
                required=True,
                kind="date",
                example="2027-06-30",
                width=14,
            ),
            Column(
                "promised_on", PROMISED, aliases=("承诺时间", "登记日期"), kind="date", note=_("不填就是今天"), width=14
            ),
            Column("percent", PERCENT, aliases=("进度", "完成进度", "进展"), note=_("新登记的可以填，0 到 100")),
            Column(
                "done_on",
                DONE,
                aliases=("办结日期", "实际完成时间", "实际完成日期", "确认日期"),
                kind="date",
                note=_("以前已完成并经社区核实的才填"),
                width=14,
            ),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("单位按登记的名称填写；名称只差一点的，会提示是不是某个单位，不会自动替换。"),
            _("单位要在受益地点、它的上级或它里面报到。"),
            _("平台里的承诺由单位申报、社区确认完成；表格里的“完成日期”只用来补登以前已经完成的。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task, places_of(task.where)).plan()

    def write(self, task: Task, plan: Plan) -> None:
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        nodes = [*(row.commitment.node for row in changed), *(row.node for row in new)]
        hold_places(*{node.pk: node for node in nodes}.values())
        change_commitments(actor=task.actor, rows=changed)
        make_commitments(actor=task.actor, rows=new)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(PLACE),
            LedgerColumn(_("承诺单位（党员）")),
            LedgerColumn(TITLE),
            LedgerColumn(MEASURE),
            LedgerColumn(OWNER, "centre"),
            LedgerColumn(PROMISED, "centre"),
            LedgerColumn(DUE, "centre"),
            LedgerColumn(PERCENT, "right"),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(DONE, "centre"),
            LedgerColumn(_("承诺数"), "right", total=True),
            LedgerColumn(_("完成数"), "right", total=True),
            LedgerColumn(_("超期数"), "right", total=True),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done, today = 0, timezone.localdate()
        for some in batches(ids, BATCH):
            rows = Commitment.objects.visible_to(actor).select_related("node", "unit", "member").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.node),
                    row.holder,
                    row.title,
                    row.measure,
                    mask_name(row.owner),
                    date_words(row.promised_on),
                    date_words(row.due_on),
                    row.percent,
                    row.get_state_display(),
                    date_words(row.done_on) if row.done_on else "",
                    int(row.state in COMMITMENT_COUNTED),
                    int(row.state == CommitmentState.DONE),
                    int(row.state == CommitmentState.OPEN and row.due_on < today),
                )
            done += len(some)
            progress(done, len(ids))


class _Planner(PlacedPlanner):
    right = MANAGE_COMMITMENT

    def prepare(self, records: Sequence[Record]) -> None:
        self.units = UnitNames(self.county)
        self.fields = CommitmentRow()
        nodes = {node.pk for found in self.found.values() for node in found.nodes}
        self.standing: dict[tuple[Any, ...], list[Commitment]] = {}
        for some in batches(sorted(nodes), BATCH):
            rows = Commitment.objects.filter(node_id__in=some, unit__isnull=False).exclude(state=CommitmentState.MOVED)
            for row in rows.select_related("node", "unit").order_by("promised_on", "pk"):
                self.standing.setdefault((row.unit_id, row.node_id, row.title), []).append(row)
        named = {record.text("unit") for record in records}
        self.checkins = standing.checkins_of(
            found.pk for name in named if (found := self._unit_or_none(name)) is not None
        )

    def _unit_or_none(self, name: str) -> Any:
        try:
            return self.units.find(name)
        except Invalid:
            return None

    def row(self, record: Record) -> Line:
        node, unit = self.place(record), self.units.find(record.text("unit"))
        due_on, promised_on = record.day("due_on"), record.day("promised_on")
        assert due_on is not None
        row = NewCommitment(
            node,
            record.text("title"),
            record.text("measure"),
            record.text("owner"),
            due_on,
            unit,
            promised_on=promised_on,
            percent=self._percent(record),
            done_on=record.day("done_on"),
        )
        self.once(record, (unit.pk, node.pk, row.title, promised_on))
        name = f"{unit.label} {row.title}"
        known = self.standing.get((unit.pk, node.pk, row.title), [])
        before = next((one for one in reversed(known) if promised_on is None or one.promised_on == promised_on), None)
        if before is None:
            one = judge_commitment(row, node, self.checkins, {})
            self.once(record, identity_of(one))
            return Line(record.number, What.NEW, name, data=row)
        return self._again(record, before, row, name)

    def _again(self, record: Record, before: Commitment, row: NewCommitment, name: str) -> Line:
        """A promise that stands. That it is done is said in the portal, by the unit and then the community."""
        if row.done_on is not None and before.state != CommitmentState.DONE:
            words = _("平台里这项承诺还没有完成（%(state)s），请由单位申报、社区确认")
            raise Invalid(words, fields={"done_on": words % {"state": before.get_state_display()}})
        after = copy(before)
        after.measure, after.owner, after.due_on = row.measure, row.owner, row.due_on
        changes = [(header, _day(old), _day(new)) for header, old, new in self.fields.differing(before, after)]
        if changes and before.state != CommitmentState.OPEN:
            words = _("这项承诺%(state)s，不能再修改：%(columns)s")
            columns = "、".join(header for header, _old, _new in changes)
            raise Invalid(words % {"state": before.get_state_display(), "columns": columns})
        data = CommitmentChange(before, measure=row.measure, owner=row.owner, due_on=row.due_on)
        return self.changed(record, name, changes, data)

    @staticmethod
    def _percent(record: Record) -> int:
        text = record.text("percent").strip().rstrip("%％")
        if not text:
            return 0
        if not (text.isascii() and text.isdigit() and int(text) <= 100):
            message = _("进度请填 0 到 100 之间的整数")
            raise Invalid(message, fields={"percent": message})
        return int(text)


def _day(words: str) -> str:
    """A date as a page writes it; other words as they are."""
    parts = words.split("-")
    if [len(part) for part in parts] != [4, 2, 2]:
        return words
    return f"{int(parts[0])}年{int(parts[1])}月{int(parts[2])}日"
