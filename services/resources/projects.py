"""The project list as a table: one row a project, known by its code, or by its place and name (docs/domain.md#g2)."""

import re
from collections.abc import Collection, Iterator, Sequence
from copy import copy
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.actors import Actor
from core.models import User
from core.periods import date_words
from core.sheets import Plan, RowResource, Task
from core.sheets.base import Progress, What
from core.spreadsheets import Column, LedgerColumn, Record
from core.text import split_words
from grids.actions import hold_places
from grids.actions.terms import batches
from grids.models import County, GridNode
from grids.resources.base import GridSheet
from grids.resources.places import PlaceColumns
from partybuilding.resources.pairings import place_cells
from services import posts
from services.actions.projects import NewProject, ProjectChange, change_projects, draft_projects
from services.models import Demand, Project, ProjectState, Resource, ResourceState
from services.resources.lists import FaultError, Planner, day_column, unit_column

BATCH = 300
CODE, NAME, PLACE, TEXT, DEMANDS, RESOURCES = "项目编号", "项目名称", "实施地点", "项目内容", "需求编号", "所用资源"
LEAD, SUPPORTING, BUDGET, START, DUE = "牵头单位", "配合单位", "预算（元）", "开始日期", "完成期限"
STATE, DONE, RESULT = "状态", "验收日期", "完成情况"
_STATES = {str(label): str(value) for value, label in ProjectState.choices}
# What a table may say of a project that is not here yet.
_BEGUN = ("草拟", "待认领", "实施中", "已完成")
_STATE_WORDS = {
    **dict.fromkeys(("完成", "办结", "已办结", "已验收", "完工"), "已完成"),
    **dict.fromkeys(("进行中", "推进中", "正在实施", "在建", "已认领"), "实施中"),
    **dict.fromkeys(("未认领", "发布", "已发布"), "待认领"),
    **dict.fromkeys(("计划", "拟实施", "草稿", "未开始"), "草拟"),
}
_AMOUNT = re.compile(r"(.+?)\s*[×xX*＊]\s*(\d+)\D*")
_NOTE = re.compile(r"(.+?)（([^（）]+)）")


class ProjectRow(RowResource):
    name = Field("name", NAME)
    text = Field("text", TEXT)
    budget = Field("budget", BUDGET)
    start_on = Field("start_on", START)
    due_on = Field("due_on", DUE)

    class Meta:
        model = Project
        fields = ("name", "text", "budget", "start_on", "due_on")


_HEADERS = {"name": NAME, "text": TEXT, "budget": BUDGET, "start_on": START, "due_on": DUE}


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("地点", "位置", "编码", "完整位置", "项目地点"),
            max_length=400,
            note=_("社区、小区、楼栋；涉及几个社区的填街道"),
            example="东关社区和谐小区",
            width=26,
        ),
    )


class ProjectSheet(GridSheet):
    key = "projects"
    label = lazy("项目清单")
    right = posts.MANAGE_PROJECT
    export_right = posts.VIEW_PROJECT

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column("code", CODE, aliases=("编号",), max_length=20, note=_("新项目不填，由系统编号"), width=18),
            Column("name", NAME, aliases=("项目", "名称"), required=True, max_length=80, example="楼道亮化", width=26),
            *places_of(where).columns(),
            Column("text", TEXT, aliases=("内容", "项目简介", "主要内容"), kind="text", max_length=1000, width=36),
            Column(
                "demands", DEMANDS, aliases=("对应需求", "需求"), max_length=500, note=_("几个的用、隔开"), width=22
            ),
            Column(
                "resources",
                RESOURCES,
                aliases=("资源", "对应资源", "使用资源"),
                max_length=500,
                note=_("如 三楼会议室×1、志愿者×10；资源要先在资源清单里"),
                width=26,
            ),
            unit_column("lead", LEAD, ("责任单位", "认领单位", "实施单位"), _("全称或简称"), "县住房和城乡建设局"),
            unit_column("supporting", SUPPORTING, ("参与单位", "协办单位"), _("几个的用、隔开")),
            Column("budget", BUDGET, aliases=("预算", "资金", "投入资金", "资金（元）"), max_length=30, width=14),
            day_column("start_on", START, ("开始时间", "启动时间")),
            day_column("due_on", DUE, ("完成时限", "截止日期", "计划完成时间"), _("草拟以外的必填")),
            Column(
                "state",
                STATE,
                aliases=("项目状态", "进展", "进度"),
                choices=tuple(_STATES),
                synonyms=_STATE_WORDS,
                note=_("不填就是草拟；已有项目的状态在页面上办理"),
                width=12,
            ),
            day_column("done_on", DONE, ("完成日期", "完成时间"), _("已完成的必填")),
            Column("result", RESULT, aliases=("成效", "完成成效"), kind="text", max_length=1000, width=30),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("填了项目编号的按编号认，没填的按实施地点和项目名称认。"),
            _("资源按名称认；同名的写成“会议室（县图书馆）×1”。"),
            _("已有的项目，状态、牵头单位不随表格改动，请在项目页面办理。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task, places_of(task.where)).plan()

    def write(self, task: Task, plan: Plan) -> None:
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        # Places before resources before projects, as everywhere.
        nodes = {row.node.pk: row.node for row in new} | {row.project.node_id: row.project.node for row in changed}
        hold_places(*nodes.values())
        change_projects(actor=task.actor, rows=changed)
        draft_projects(actor=task.actor, rows=new)

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(CODE, "centre"),
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(PLACE),
            LedgerColumn(NAME),
            LedgerColumn(TEXT),
            LedgerColumn(DEMANDS),
            LedgerColumn(RESOURCES),
            LedgerColumn(LEAD),
            LedgerColumn(SUPPORTING),
            LedgerColumn(BUDGET, "right", total=True),
            LedgerColumn(START, "centre"),
            LedgerColumn(DUE, "centre"),
            LedgerColumn(STATE, "centre"),
            LedgerColumn(DONE, "centre"),
            LedgerColumn(RESULT),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            seen = Project.objects.visible_to(actor).select_related("node", "lead_unit")
            rows = seen.prefetch_related(_demands_for(actor), "supporting", "allocations__resource").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    row.code,
                    *place_cells(row.node),
                    row.name,
                    row.text,
                    "、".join(demand.code for demand in row.demands.all()),
                    "、".join(f"{one.resource.name}×{one.quantity}" for one in row.allocations.all()),
                    row.lead_unit.name if row.lead_unit else "",
                    "、".join(unit.name for unit in row.supporting.all()),
                    row.budget if row.budget is not None else "",
                    date_words(row.start_on) if row.start_on else "",
                    date_words(row.due_on) if row.due_on else "",
                    row.get_state_display(),
                    date_words(row.done_on) if row.done_on else "",
                    row.result,
                )
            done += len(some)
            progress(done, len(ids))


def _demands_for(actor: Actor) -> Any:
    """Of the demands that projects name, those the actor sees: one may have gone to another community."""
    return Prefetch("demands", policies.seen_by(Demand.objects.order_by("code"), actor))


class _Planner(Planner):
    right = posts.MANAGE_PROJECT
    rows = ProjectRow()

    def know(self, records: Sequence[Record]) -> None:
        actor = self.task.actor
        self.by_code: dict[str, Project] = {}
        self.by_name: dict[tuple[int, str], Project] = {}
        rows = policies.seen_by(Project.objects.filter(county=self.county), actor)
        rows = rows.select_related("node", "lead_unit").prefetch_related(
            _demands_for(actor), "supporting", "allocations__resource__unit"
        )
        for some in batches(sorted({record.text("code") for record in records} - {""}), BATCH):
            self.by_code.update({row.code: row for row in rows.filter(code__in=some)})
        for some in batches(sorted({record.text("name") for record in records}), BATCH):
            for row in rows.filter(name__in=some).exclude(state=ProjectState.DROPPED).order_by("-pk"):
                self.by_name[row.node_id, row.name] = row
        self.demands = self._demands(records)
        self.resources: dict[str, list[Resource]] = {}
        if any(record.text("resources") for record in records):
            there = Resource.objects.filter(county=self.county, state=ResourceState.AVAILABLE)
            for one in policies.seen_by(there, actor).select_related("unit", "node"):
                self.resources.setdefault(one.name, []).append(one)

    def _demands(self, records: Sequence[Record]) -> dict[str, Demand]:
        codes = sorted({code for record in records for code in split_words(record.text("demands"))})
        found: dict[str, Demand] = {}
        for some in batches(codes, BATCH):
            rows = policies.seen_by(Demand.objects.filter(code__in=some), self.task.actor)
            found.update({row.code: row for row in rows})
        return found

    def judge(self, record: Record) -> None:
        name, code = record.text("name"), record.text("code")
        node = self.place(record, required=not code)
        before = self._standing(code, node, name)
        self.once(before.pk if before else (node.pk if node else 0, name), record, NAME)
        if before is None:
            assert node is not None
            self._begin(record, node)
            return
        if node is not None and node.pk != before.node_id:
            raise FaultError(PLACE, _("这个项目在“%(place)s”，地点不能随表格改动") % {"place": before.node.path})
        self._judge(record, before)

    def _standing(self, code: str, node: GridNode | None, name: str) -> Project | None:
        if code:
            found = self.by_code.get(code)
            if found is None:
                raise FaultError(CODE, _("没有这个编号的项目，或不在您的管辖范围内；新项目不填编号"), code)
            return found
        return self.by_name.get((node.pk, name)) if node is not None else None

    def _begin(self, record: Record, node: GridNode) -> None:
        said = self._said(record, node)
        state = record.text("state") or _BEGUN[0]
        if state not in _BEGUN:
            raise FaultError(STATE, _("新项目只能填：%(states)s") % {"states": "、".join(_BEGUN)}, state)
        lead, due = self.unit(record, "lead"), record.day("due_on")
        begun = state in _BEGUN[2:]
        if state != _BEGUN[0] and due is None:
            raise FaultError(DUE, _("“%(state)s”的项目请填写完成期限") % {"state": state})
        if begun and lead is None:
            raise FaultError(LEAD, _("“%(state)s”的项目请填写牵头单位") % {"state": state})
        done = record.day("done_on") if state == _BEGUN[3] else None
        if state == _BEGUN[3] and done is None:
            raise FaultError(DONE, _("已完成的项目请填写验收日期"))
        more: dict[str, Any] = {
            "state": _STATES[state],
            "done_on": done,
            "result": record.text("result") if done else "",
        }
        self.new(record, f"{node.name} {said['name']}", NewProject(node=node, lead_unit=lead, **said, **more))

    def _judge(self, record: Record, before: Project) -> None:
        said = self._said(record, before.node, {one.code for one in before.demands.all()})
        after = copy(before)
        for field in _HEADERS:
            if field in said:
                setattr(after, field, said[field])
        more = []
        for field, header, old in (
            ("demands", DEMANDS, {one.pk: one.code for one in before.demands.all()}),
            ("supporting", SUPPORTING, {one.pk: one.name for one in before.supporting.all()}),
        ):
            if field in said and {one.pk for one in said[field]} != set(old):
                new = [getattr(one, "code", "") or one.name for one in said[field]]
                more.append((header, "、".join(old.values()), "、".join(new)))
        if "resources" in said:
            held = {(one.resource_id, one.quantity) for one in before.allocations.all()}
            if {(one.pk, number) for one, number in said["resources"]} != held:
                old_words = "、".join(f"{one.resource.name}×{one.quantity}" for one in before.allocations.all())
                more.append((RESOURCES, old_words, record.text("resources")))
        headers = {header for field, header in _HEADERS.items() if field in said}
        name = f"{before.node.name} {before.name}"
        self.differ(
            record, name, before, after, headers, lambda: ProjectChange(before, version=before.version, **said), more
        )

    # --- Cells ---

    def _said(self, record: Record, node: GridNode, held: Collection[str] = ()) -> dict[str, Any]:
        """What the cells say of the project; an empty one says nothing. `held`: the demands it names already."""
        said: dict[str, Any] = {"name": record.text("name")}
        if text := record.text("text"):
            said["text"] = text
        if text := record.text("demands"):
            said["demands"] = self._find_demands(text, node, held)
        if text := record.text("resources"):
            said["resources"] = [self._resource(word, node) for word in split_words(text)]
        if text := record.text("supporting"):
            said["supporting"] = self.units_in(record, "supporting", split_words(text))
        if text := record.text("budget"):
            said["budget"] = _money(text)
        for name in ("start_on", "due_on"):
            if day := record.day(name):
                said[name] = day
        return said

    def _find_demands(self, text: str, node: GridNode, held: Collection[str]) -> list[Demand]:
        found = []
        for code in split_words(text):
            demand = self.demands.get(code)
            if demand is None:
                raise FaultError(DEMANDS, _("没有这个编号的需求，或不在您的管辖范围内"), code)
            if node.community_id and demand.community_id != node.community_id and code not in held:
                raise FaultError(DEMANDS, _("这条需求不在项目所在的社区"), code)
            found.append(demand)
        return found

    def _resource(self, word: str, node: GridNode) -> tuple[Resource, int]:
        amount = _AMOUNT.fullmatch(word)
        name, number = (amount.group(1), int(amount.group(2))) if amount else (word, 1)
        known, whose = self.resources.get(name, []), ""
        if not known and (noted := _NOTE.fullmatch(name)):
            known, whose = self.resources.get(noted.group(1), []), noted.group(2)
        here = [
            one
            for one in known
            if one.node.tree_id == node.tree_id and one.node.lft <= node.lft and node.rght <= one.node.rght
        ]
        if whose:
            here = [one for one in here if one.unit is not None and whose in (one.unit.name, one.unit.short_name)]
        if not here:
            raise FaultError(RESOURCES, _("资源清单里没有能在这里使用的这项资源"), word)
        if len(here) > 1:
            raise FaultError(RESOURCES, _("有几项资源叫这个名称，请写成“名称（提供单位）×数量”"), word)
        return here[0], number


def _money(text: str) -> Decimal:
    try:
        amount = Decimal(re.sub(r"[,，\s元¥￥]", "", text)).quantize(Decimal("0.01"))
    except InvalidOperation:
        amount = Decimal(-1)
    if amount < 0:
        raise FaultError(BUDGET, _("预算请填写金额，单位：元"), text)
    return amount
