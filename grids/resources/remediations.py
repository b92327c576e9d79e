"""What is put right in compounds, as a table: one row a project (docs/domain.md#z3)."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.spreadsheets.columns import Record
from core.spreadsheets.numbers import whole_number
from grids.actions.remediations import RemediationFacts, check_remediation, keep_remediations
from grids.models import County, FacilityKind, GridNode, Remediation
from grids.naming import steps_of
from grids.posts import MANAGE_COMPOUND, VIEW_COMPOUND
from grids.resources.base import GridSheet, differs_from_what_stands
from grids.resources.compound_places import Compounds, place_columns

BATCH = 300
_KINDS = {str(label): value for value, label in FacilityKind.choices}
_KIND_WORDS = {
    "加装电梯": "电梯",
    "门禁系统": "门禁",
    "单元门禁": "门禁",
    "监控": "摄像头",
    "监控探头": "摄像头",
    "车位": "停车位",
    "充电设施": "充电桩",
    "路灯": "照明",
    "楼道灯": "照明",
    "下水管网": "管网",
    "雨污管网": "管网",
    "防水": "屋面",
    "路面": "道路",
    "消防": "消防设施",
    "活动室": "活动场所",
}
_DAYS = ("planned_on", "started_on", "finished_on")


class RemediationRows(RowResource):
    kind = Field("get_kind_display", lazy("整治内容"))
    title = Field("title", lazy("项目名称"))
    quantity = Field("quantity", lazy("数量"))
    planned_on = Field("planned_on", lazy("计划完成日期"))
    started_on = Field("started_on", lazy("开工日期"))
    finished_on = Field("finished_on", lazy("完成日期"))
    text = Field("text", lazy("说明"))

    class Meta:
        model = Remediation
        fields = ("kind", "title", "quantity", "planned_on", "started_on", "finished_on", "text")


class RemediationSheet(GridSheet):
    key = "remediations"
    label = lazy("整治项目")
    right = MANAGE_COMPOUND
    export_right = VIEW_COMPOUND

    def columns(self, where: County) -> Sequence[Column]:
        return (
            *place_columns(),
            Column(
                "kind",
                _("整治内容"),
                aliases=(_("整治类型"), _("整治类别"), _("改造内容"), _("设施")),
                required=True,
                choices=tuple(_KINDS),
                synonyms=_KIND_WORDS,
                example="电梯",
            ),
            Column(
                "title",
                _("项目名称"),
                aliases=(_("项目"), _("整治项目"), _("改造项目")),
                max_length=80,
                note=_("同一小区里不重名；不填就用整治内容，如“电梯整治”"),
                example=_("加装电梯"),
                width=20,
            ),
            Column(
                "quantity",
                _("数量"),
                aliases=(_("数目"), _("完成数量")),
                max_length=20,
                note=_("几部、几个、几套；不填就是 1"),
                example="4",
            ),
            Column("planned_on", _("计划完成日期"), aliases=(_("计划日期"), _("计划完成时间")), kind="date", width=14),
            Column(
                "started_on",
                _("开工日期"),
                aliases=(_("开工时间"), _("开始日期"), _("实施日期")),
                kind="date",
                width=14,
            ),
            Column(
                "finished_on",
                _("完成日期"),
                aliases=(_("完成时间"), _("完工日期"), _("竣工日期")),
                kind="date",
                note=_("填了就是已完成；填了开工日期就是进行中"),
                example="2026-03-05",
                width=14,
            ),
            Column("text", _("说明"), aliases=(_("备注"), _("项目说明")), max_length=500, width=30),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("同一小区里项目名称相同的，就是同一个项目；空着的格子不改动原有内容。"),
            _("整治前后的照片在页面上传，不放在表格里。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        plan = Plan()
        # Made once: a resource copies all its fields when it is made.
        rows = RemediationRows()
        records = list(task.table.records())
        places = Compounds(task.actor, task.where, [record for record in records if not record.errors])
        good: list[tuple[Record, GridNode, RemediationFacts]] = []
        seen: dict[tuple[int, str], int] = {}
        for record in records:
            plan.errors += record.errors
            if record.errors:
                continue
            try:
                node = places.of(record)
                facts = _facts(record, node)
                first = seen.setdefault((node.pk, facts.title), record.number)
                if first != record.number:
                    raise Invalid("", fields={"title": _("与第 %(row)d 行是同一个项目") % {"row": first}})
            except Invalid as error:
                plan.errors += task.faults(record, error)
                continue
            good.append((record, node, facts))
        for start in range(0, len(good), BATCH):
            some = good[start : start + BATCH]
            stands = {
                (row.node_id, row.title): row
                for row in Remediation.objects.filter(node__in={node.pk for _record, node, _facts in some})
            }
            for record, node, facts in some:
                found = stands.get((node.pk, facts.title))
                self._judge(task, plan, rows, record, node, facts, found)
            task.progress(start + len(some), len(good))
        return plan

    def _judge(
        self,
        task: Task,
        plan: Plan,
        rows: RemediationRows,
        record: Record,
        node: GridNode,
        facts: RemediationFacts,
        stands: Remediation | None,
    ) -> None:
        after = Remediation(title=facts.title, quantity=1) if stands is None else _copy(stands)
        try:
            check_remediation(facts, after)
        except Invalid as error:
            plan.errors += task.faults(record, error)
            return
        name = f"{node.path} {facts.title}"
        if stands is None:
            plan.lines.append(Line(record.number, What.NEW, name, data=facts))
            return
        changes = rows.differing(stands, after)
        if not task.update and (message := differs_from_what_stands(changes)):
            plan.errors.append(fault(record.number, "", message))
            return
        what = What.CHANGED if changes else What.SAME
        data = facts.of(stands)
        plan.lines.append(Line(record.number, what, name, changes, data=data))

    def write(self, task: Task, plan: Plan) -> None:
        keep_remediations(actor=task.actor, rows=[line.data for line in plan.to_do])

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("小区")),
            LedgerColumn(_("整治内容"), "centre"),
            LedgerColumn(_("项目名称")),
            LedgerColumn(_("数量"), "right", total=True),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("计划完成日期"), "centre"),
            LedgerColumn(_("开工日期"), "centre"),
            LedgerColumn(_("完成日期"), "centre"),
            LedgerColumn(_("说明")),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            rows = Remediation.objects.visible_to(actor).select_related("node", "community").in_bulk(some)
            for pk in some:
                if pk in rows:
                    yield _ledger_row(rows[pk])
            progress(start + len(some), len(ids))


def _ledger_row(row: Remediation) -> list[object]:
    days: list[Any] = [getattr(row, name) for name in _DAYS]
    return [
        steps_of(row.node.path)[0],
        row.community.name,
        row.node.name,
        row.get_kind_display(),
        row.title,
        row.quantity,
        str(row.state.label),
        *(date_words(day) if day else "" for day in days),
        row.text,
    ]


def _facts(record: Record, node: GridNode) -> RemediationFacts:
    """What a row says; an empty cell says nothing. Raises Invalid."""
    given: dict[str, Any] = {"kind": _KINDS[record.text("kind")]}
    given["title"] = record.text("title") or _("%(what)s整治") % {"what": record.text("kind")}
    try:
        quantity = whole_number(record.text("quantity"))
    except Invalid as error:
        raise Invalid(error.message, fields={"quantity": error.message}) from error
    given |= {name: record.day(name) for name in _DAYS} | {"quantity": quantity, "text": record.text("text")}
    return RemediationFacts(node, **{name: value for name, value in given.items() if value not in (None, "")})


def _copy(row: Remediation) -> Remediation:
    return Remediation(**{field.attname: getattr(row, field.attname) for field in Remediation._meta.concrete_fields})
