"""Joint activities as a table (docs/domain.md#z2), and ratings as a ledger."""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.errors import Invalid
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
from partybuilding.models import Unit
from partybuilding.resources.pairings import place_cells
from partybuilding.unit_names import UnitNames
from services.actions.activities import ActivityFacts, judge_activity, keep_activities
from services.models import Activity, ActivityKind, ServiceRating
from services.posts import MANAGE_ACTIVITY, VIEW_ACTIVITY, VIEW_RATING
from services.resources.placed import PlacedPlanner

TITLE, KIND, PLACE, DAY, UNITS, PEOPLE, TEXT = (
    "活动名称",
    "类型",
    "地点",
    "日期",
    "参加单位",
    "参加人数",
    "活动情况",
)
BATCH = 300
_KIND_OF = {str(label): value for value, label in ActivityKind.choices}
_OTHER = str(ActivityKind.OTHER.label)
_KIND_WORDS = {
    **dict.fromkeys(("卫生", "清洁", "环境整治", "环境卫生整治", "志愿清扫"), str(ActivityKind.HYGIENE.label)),
    **dict.fromkeys(("宣传", "宣讲", "政策宣讲"), str(ActivityKind.POLICY.label)),
    **dict.fromkeys(("走访", "慰问", "帮扶", "送温暖"), str(ActivityKind.VISIT.label)),
    **dict.fromkeys(("义诊", "健康", "体检", "健康讲座"), str(ActivityKind.HEALTH.label)),
    **dict.fromkeys(("文体", "文化", "文艺", "体育", "联欢"), str(ActivityKind.CULTURE.label)),
    **dict.fromkeys(("党日", "党课", "党建活动"), str(ActivityKind.PARTY_DAY.label)),
    **dict.fromkeys(("调解", "矛盾调解"), str(ActivityKind.MEDIATION.label)),
    **dict.fromkeys(("普法", "法律宣讲", "法治讲座"), str(ActivityKind.LAW.label)),
}
_BETWEEN = re.compile(r"[、,，;；\n]+")


def places_of(county: County) -> PlaceColumns:
    column = Column(
        "place",
        PLACE,
        aliases=("活动地点", "位置", "编码", "完整位置", "举办地点"),
        max_length=400,
        note=_("社区、小区、楼栋：位置或编码；也可以按街道、社区、小区分列填"),
        example="新城社区",
        width=24,
    )
    return PlaceColumns(county, column)


class ActivityRow(RowResource):
    kind = Field("get_kind_display", KIND)
    people = Field("people", PEOPLE)
    text = Field("text", TEXT)
    units = Field("unit_words", UNITS)


class ActivitySheet(GridSheet):
    key = "activities"
    label = lazy("共建活动")
    right = MANAGE_ACTIVITY
    export_right = VIEW_ACTIVITY

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "title", TITLE, aliases=("活动", "名称", "主题", "活动主题"), required=True, max_length=80, width=28
            ),
            Column(
                "kind",
                KIND,
                aliases=("活动类型", "类别", "活动类别"),
                choices=tuple(_KIND_OF),
                synonyms=_KIND_WORDS,
                note=_("不填就是%(kind)s") % {"kind": _OTHER},
                example=str(ActivityKind.HYGIENE.label),
                width=14,
            ),
            *places_of(where).columns(),
            Column(
                "held_on",
                DAY,
                aliases=("活动日期", "时间", "活动时间", "举办时间"),
                required=True,
                kind="date",
                example="2026-03-05",
                width=14,
            ),
            Column(
                "units",
                UNITS,
                aliases=("单位", "共建单位", "参与单位", "参加部门", "联办单位"),
                required=True,
                kind="text",
                max_length=1000,
                note=_("登记的名称，几个单位用顿号分开"),
                example="县住房和城乡建设局、县水利局",
                width=30,
            ),
            Column("people", PEOPLE, aliases=("人数", "参与人数", "参加人次")),
            Column("text", TEXT, aliases=("情况", "活动内容", "内容", "备注"), kind="text", max_length=500, width=36),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (_("同一地点同一天同名的是同一次活动。"), _("只登记已经办过的活动。"))

    def plan(self, task: Task) -> Plan:
        return _Planner(task, places_of(task.where)).plan()

    def write(self, task: Task, plan: Plan) -> None:
        rows: list[ActivityFacts] = [line.data for line in plan.to_do]
        hold_places(*{row.node.pk: row.node for row in rows}.values())
        keep_activities(actor=task.actor, rows=rows)

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(PLACE),
            LedgerColumn(TITLE),
            LedgerColumn(KIND, "centre"),
            LedgerColumn(DAY, "centre"),
            LedgerColumn(UNITS),
            LedgerColumn(_("单位数"), "right"),
            LedgerColumn(PEOPLE, "right", total=True),
            LedgerColumn(TEXT),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = Activity.objects.visible_to(actor).select_related("node").prefetch_related("units").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                units = sorted(unit.label for unit in row.units.all())
                yield (
                    *place_cells(row.node),
                    row.title,
                    row.get_kind_display(),
                    date_words(row.held_on),
                    "、".join(units),
                    len(units),
                    row.people if row.people is not None else "",
                    row.text,
                )
            done += len(some)
            progress(done, len(ids))


class _Planner(PlacedPlanner):
    right = MANAGE_ACTIVITY

    def prepare(self, records: Sequence[Record]) -> None:
        self.names, self.fields = UnitNames(self.county), ActivityRow()
        nodes = {node.pk for found in self.found.values() for node in found.nodes}
        self.standing: dict[tuple[Any, ...], Activity] = {}
        for some in batches(sorted(nodes), BATCH):
            for row in Activity.objects.filter(node_id__in=some).select_related("node").prefetch_related("units"):
                self.standing[(row.node_id, row.title, row.held_on)] = row

    def row(self, record: Record) -> Line:
        node, held_on = self.place(record), record.day("held_on")
        assert held_on is not None
        key = (node.pk, record.text("title"), held_on)
        self.once(record, key)
        given: dict[str, Any] = {"units": self._units(record)}
        if record.text("kind"):
            given["kind"] = _KIND_OF[record.text("kind")]
        if record.text("people"):
            given["people"] = self._people(record)
        if record.text("text"):
            given["text"] = record.text("text")
        before = self.standing.get(key)
        name = f"{node.name} {record.text('title')}"
        if before is None:
            given = {"kind": ActivityKind.OTHER, "people": None, "text": "", **given}
            facts = ActivityFacts(node, title=record.text("title"), held_on=held_on, **given)
            judge_activity(facts, Activity(node=node, county_id=node.county_id, community_id=node.community_id))
            return Line(record.number, What.NEW, name, data=facts)
        facts = ActivityFacts(node, before, before.version, **given)
        after = copy(before)
        judge_activity(facts, after)
        before.unit_words, after.unit_words = _words(before.units.all()), _words(given["units"])  # type: ignore[attr-defined]
        return self.changed(record, name, self.fields.differing(before, after), facts)

    def _units(self, record: Record) -> list[Unit]:
        found = {}
        for name in filter(None, (part.strip() for part in _BETWEEN.split(record.text("units")))):
            unit = self.names.find(name, field="units")
            found[unit.pk] = unit
        return list(found.values())

    @staticmethod
    def _people(record: Record) -> int:
        text = record.text("people").strip().removesuffix("人")
        if not (text.isascii() and text.isdigit() and len(text) < 7):
            message = _("参加人数请填整数")
            raise Invalid(message, fields={"people": message})
        return int(text)


def _words(units: Any) -> str:
    return "、".join(sorted(unit.label for unit in units))


class RatingLedger(GridSheet):
    key = "ratings"
    label = lazy("双向评价")
    export_right = VIEW_RATING
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("社区")),
            LedgerColumn(_("单位")),
            LedgerColumn(_("评价方"), "centre"),
            LedgerColumn(_("服务")),
            LedgerColumn(_("评价"), "centre"),
            LedgerColumn(_("意见")),
            LedgerColumn(_("评价日期"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        related = ("community", "unit", "suborder__demand", "project", "commitment")
        for some in batches(ids, BATCH):
            rows = ServiceRating.objects.visible_to(actor).select_related(*related).in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                service = row.suborder.demand.title if row.suborder else str(row.project or row.commitment)
                yield (
                    row.community.name,
                    row.unit.label,
                    row.get_side_display(),
                    service,
                    row.get_grade_display(),
                    row.text,
                    date_words(row.at),
                )
            done += len(some)
            progress(done, len(ids))
