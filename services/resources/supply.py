"""The resource list as a table: one row a resource, known by its place, its unit and its name (docs/domain.md#l1)."""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.models import User
from core.periods import date_words
from core.sheets import Plan, RowResource, Task
from core.sheets.base import Progress
from core.spreadsheets import Column, LedgerColumn, Record
from core.text import split_words
from grids.actions.terms import batches
from grids.models import County
from grids.resources.base import GridSheet
from grids.resources.places import PlaceColumns
from partybuilding.resources.pairings import place_cells
from services import posts
from services.actions.resources import MOST_QUANTITY, ResourceFacts, keep_resources
from services.models import Category, FreeTime, ProjectResource, Resource, ResourceKind, ResourceState
from services.models.words import labels_of
from services.resource_kinds import MEASURES
from services.resources.lists import FaultError, Planner, day_column, unit_column
from services.selectors.resources import left_of

BATCH = 300
AREA, UNIT, KIND, NAME, QUANTITY, MEASURE = "使用范围", "提供单位", "类型", "资源名称", "数量", "计量单位"
CATEGORY, TIMES, START, END, TEXT = "对应需求类别", "可用时段", "可用起", "可用止", "说明"
_KINDS = {str(label): str(value) for value, label in ResourceKind.choices}
_KIND_WORDS = {
    **dict.fromkeys(("人员", "人才", "志愿者", "队伍", "人力资源"), "人力"),
    **dict.fromkeys(("专业", "技能", "智力", "技术资源", "专业技术"), "技术"),
    **dict.fromkeys(("场地", "阵地", "场所资源", "场地资源", "阵地资源"), "场所"),
    **dict.fromkeys(("设备", "设施", "物资", "物质", "设施设备资源"), "设施设备"),
    **dict.fromkeys(("资金资源", "经费", "项目资金"), "资金"),
    **dict.fromkeys(("服务资源", "服务项目"), "服务"),
}
_ANY_TIME = {"随时", "不限", "长期", "全天"}
_NUMBER = re.compile(r"(\d[\d,，]*)\s*(\D*)")


class ResourceRow(RowResource):
    kind = Field("get_kind_display", KIND)
    quantity = Field("quantity", QUANTITY)
    measure = Field("measure", MEASURE)
    category = Field("category__name", CATEGORY)
    times = Field("times", TIMES)
    start = Field("start", START)
    end = Field("end", END)
    text = Field("text", TEXT)

    class Meta:
        model = Resource
        fields = ("kind", "quantity", "measure", "category", "times", "start", "end", "text")


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            AREA,
            aliases=("地点", "服务范围", "可用范围", "位置", "编码", "完整位置", "使用地点"),
            max_length=400,
            note=_("在哪个范围内可以用：社区、小区，或整个街道"),
            example="东关社区",
            width=26,
        ),
    )


class ResourceSheet(GridSheet):
    key = "resources"
    label = lazy("资源清单")
    right = posts.MANAGE_RESOURCE
    export_right = posts.VIEW_RESOURCE

    def columns(self, where: County) -> Sequence[Column]:
        return (
            *places_of(where).columns(),
            unit_column(
                "unit",
                UNIT,
                ("单位", "单位名称", "所属单位", "驻区单位", "资源提供单位", "责任单位"),
                _("社区自己的资源不填"),
                "县住房和城乡建设局",
            ),
            Column(
                "kind",
                KIND,
                aliases=("资源类型", "资源类别", "类别"),
                choices=tuple(_KINDS),
                synonyms=_KIND_WORDS,
                required=True,
                example="场所",
                width=12,
            ),
            Column(
                "name",
                NAME,
                aliases=("资源", "名称", "资源内容", "项目名称"),
                required=True,
                max_length=60,
                example="三楼会议室",
                width=24,
            ),
            Column("quantity", QUANTITY, aliases=("资源数量",), max_length=30, note=_("不填就是 1"), example="1"),
            Column("measure", MEASURE, aliases=("单位（计量）", "量词"), max_length=10, example="间"),
            Column("category", CATEGORY, aliases=("需求类别", "服务领域"), max_length=30, note=_("不限的不填")),
            Column(
                "times", TIMES, aliases=("时段", "开放时间", "服务时间"), note=_("如 周末上午、周末下午；随时的不填")
            ),
            day_column("start", START, ("开始日期", "起始日期"), _("不填就是今天")),
            day_column("end", END, ("结束日期", "有效期至"), _("长期的不填")),
            Column("text", TEXT, aliases=("备注", "资源说明", "具体内容"), kind="text", max_length=300, width=30),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("同一单位在同一范围内，资源名称相同的就是同一项。"),
            _("导入的资源不用再核实，直接可用。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task, places_of(task.where)).plan()

    def write(self, task: Task, plan: Plan) -> None:
        keep_resources(actor=task.actor, rows=[line.data for line in plan.to_do])

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(AREA),
            LedgerColumn(UNIT),
            LedgerColumn(KIND, "centre"),
            LedgerColumn(NAME),
            LedgerColumn(QUANTITY, "right"),
            LedgerColumn(MEASURE, "centre"),
            LedgerColumn(_("剩余"), "right"),
            LedgerColumn(_("使用的项目（个）"), "right", total=True),
            LedgerColumn(CATEGORY, "centre"),
            LedgerColumn(TIMES),
            LedgerColumn(START, "centre"),
            LedgerColumn(END, "centre"),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("最近核对"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = Resource.objects.visible_to(actor).select_related("node", "unit", "category").in_bulk(some)
            left = left_of(rows.values())
            used = _uses(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.node),
                    row.unit.name if row.unit else "",
                    row.get_kind_display(),
                    row.name,
                    row.quantity,
                    row.measure,
                    left[row.pk],
                    used.get(row.pk, 0),
                    row.category.name if row.category else "",
                    labels_of(FreeTime, row.times),
                    date_words(row.start),
                    date_words(row.end) if row.end else "",
                    row.get_state_display(),
                    date_words(row.checked_on),
                )
            done += len(some)
            progress(done, len(ids))


def _uses(pks: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    kept = ProjectResource.objects.filter(resource__in=pks).exclude(project__state="dropped")
    for pk in kept.values_list("resource", flat=True):
        found[pk] = found.get(pk, 0) + 1
    return found


class _Planner(Planner):
    right = posts.MANAGE_RESOURCE
    rows = ResourceRow()

    def know(self, records: Sequence[Record]) -> None:
        self.categories = {row.name: row for row in Category.objects.filter(county=self.county, is_active=True)}
        names = {record.text("name") for record in records}
        self.standing: dict[tuple[int, int | None, str], Resource] = {}
        for some in batches(sorted(names), BATCH):
            rows = Resource.objects.filter(county=self.county, name__in=some).exclude(state=ResourceState.WITHDRAWN)
            for row in rows.select_related("node", "unit", "category"):
                self.standing[row.node_id, row.unit_id, row.name] = row

    def judge(self, record: Record) -> None:
        node, unit = self.place(record), self.unit(record, "unit")
        assert node is not None
        name = record.text("name")
        key = (node.pk, unit.pk if unit else None, name)
        self.once(key, record, NAME)
        said = self._said(record)
        words = f"{node.name} {name}"
        before = self.standing.get(key)
        if before is None:
            said.setdefault("measure", MEASURES[said["kind"]])
            self.new(record, words, ResourceFacts(node=node, unit=unit, name=name, **said))
            return
        after = copy(before)
        for field, value in said.items():
            setattr(after, field, value)
        headers = {header for field, header in _HEADERS.items() if field in said}
        self.differ(
            record, words, before, after, headers, lambda: ResourceFacts(before, version=before.version, **said)
        )

    def _said(self, record: Record) -> dict[str, Any]:
        """What the cells say of the resource; an empty one says nothing."""
        said: dict[str, Any] = {"kind": _KINDS[record.text("kind")]}
        if text := record.text("quantity"):
            found = _NUMBER.fullmatch(text)
            number = int(re.sub(r"\D", "", found.group(1))) if found else 0
            if not 1 <= number <= MOST_QUANTITY or found is None:
                raise FaultError(QUANTITY, _("数量请填写 1 或更大的整数"), text)
            said["quantity"] = number
            if measure := found.group(2).strip():
                said["measure"] = measure[:10]
        if text := record.text("measure"):
            said["measure"] = text
        if text := record.text("category"):
            if text not in self.categories:
                raise FaultError(CATEGORY, _("本县没有这个类别"), text)
            said["category"] = self.categories[text]
        if text := record.text("times"):
            said["times"] = _times(text)
        if text := record.text("text"):
            said["text"] = text
        for name in ("start", "end"):
            if day := record.day(name):
                said[name] = day
        if "end" in said and "start" in said and said["end"] < said["start"]:
            raise FaultError(END, _("可用止不能早于可用起"), said["end"].isoformat())
        return said


_HEADERS = {
    "kind": KIND,
    "quantity": QUANTITY,
    "measure": MEASURE,
    "category": CATEGORY,
    "times": TIMES,
    "start": START,
    "end": END,
    "text": TEXT,
}


def _times(text: str) -> list[str]:
    known = {str(label): str(value) for value, label in FreeTime.choices}
    found = []
    for word in split_words(text):
        if word in _ANY_TIME:
            continue
        if word not in known:
            words = _("没有“%(word)s”这个时段，可填：%(known)s")
            raise FaultError(TIMES, words % {"word": word, "known": "、".join(known)}, text)
        found.append(known[word])
    return [value for value in FreeTime.values if value in found]
