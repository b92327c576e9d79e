"""The resource, project and responsibility lists of the sample: 镇赉's in the published numbers (docs/domain.md#l1), and some
of each in the community of 西乡 that is shown. What is offered and done is made up.
"""

import datetime
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from uuid import UUID

from django.core.files.base import ContentFile

from core.periods import day_start
from core.photos import make_thumbnail
from governance.sample import names
from governance.sample.demands import Demands
from governance.sample.drawing import draw
from governance.sample.people import BATCH
from grids.models import FacilityKind, GridNode, PhotoStage
from partybuilding.models import Unit
from services.models import (
    Demand,
    DemandState,
    Evidence,
    FreeTime,
    Milestone,
    Project,
    ProjectResource,
    ProjectState,
    Resource,
    ResourceKind,
    ResourceState,
    Responsibility,
    ResponsibilityState,
)
from services.resource_kinds import COMES_BACK, MEASURES

K, P = ResourceKind, ProjectState
# Kind, name, least and most of it.
_OFFERS: tuple[tuple[str, str, int, int], ...] = (
    (K.PLACE, "会议室", 1, 3),
    (K.PEOPLE, "党员志愿者", 8, 40),
    (K.SERVICE, "政策宣讲", 4, 12),
    (K.EQUIPMENT, "音响投影设备", 1, 3),
    (K.SKILL, "水电维修技术人员", 2, 6),
    (K.MONEY, "惠民项目资金", 5000, 60000),
    (K.PLACE, "停车场错时开放", 20, 60),
    (K.SERVICE, "法律咨询", 4, 12),
    (K.PEOPLE, "环境卫生突击队", 10, 30),
    (K.SKILL, "调解员", 2, 5),
    (K.EQUIPMENT, "除雪铲冰工具", 20, 80),
    (K.SERVICE, "健康义诊", 4, 10),
    (K.PLACE, "图书阅览室", 1, 2),
    (K.SKILL, "课业辅导教师", 3, 8),
    (K.EQUIPMENT, "应急发电机", 1, 2),
    (K.SERVICE, "就业招聘专场", 2, 6),
    (K.MONEY, "困难家庭帮扶资金", 3000, 20000),
    (K.PEOPLE, "文艺演出队", 8, 20),
    (K.PLACE, "室外健身场地", 1, 2),
    (K.SERVICE, "家电维修", 4, 12),
    (K.SKILL, "心理咨询师", 1, 3),
    (K.EQUIPMENT, "修剪绿化车辆", 1, 3),
)
_OWN = ((K.PLACE, "党群服务中心多功能厅", 1, 1), (K.PLACE, "四点半课堂", 1, 2), (K.EQUIPMENT, "桌椅帐篷", 20, 60))
# What is said of them, and the category of demands they are for.
_ABOUT: dict[str, tuple[str, str]] = {
    "会议室": ("可坐三十至六十人，有投影。", ""),
    "党员志愿者": ("周末上门，帮独居老人买药、打扫，接送孩子。", "困难帮扶"),
    "政策宣讲": ("医保、养老、防诈骗的政策和办理手续。", "其他"),
    "音响投影设备": ("活动、放电影用。", ""),
    "水电维修技术人员": ("跳闸、停电、水管漏水、暖气不热的检修。", "水电气暖"),
    "惠民项目资金": ("小游园、坡道、健身器材等小型改造。", "物业维修"),
    "停车场错时开放": ("晚上和周末停车位对居民开放。", "停车交通"),
    "法律咨询": ("物业、欠薪、赡养、邻里纠纷的法律咨询。", "邻里纠纷"),
    "环境卫生突击队": ("清理垃圾、楼道杂物、雨水井、小广告。", "环境卫生"),
    "调解员": ("噪音、漏水、油烟等邻里纠纷的调解。", "邻里纠纷"),
    "健康义诊": ("量血压、看慢性病，行动不便的上门。", "困难帮扶"),
    "课业辅导教师": ("放学后、周末辅导孩子作业。", "困难帮扶"),
    "就业招聘专场": ("求职登记、技能培训、灵活用工。", "困难帮扶"),
    "困难家庭帮扶资金": ("大病、上学、突发变故的家庭。", "困难帮扶"),
    "家电维修": ("家电、电路、门锁的小修。", "物业维修"),
    "心理咨询师": ("孩子、老人的心理疏导。", "困难帮扶"),
    "修剪绿化车辆": ("种树补绿、修剪枯树。", "环境卫生"),
    "四点半课堂": ("放学后照看孩子写作业。", "困难帮扶"),
}
_WORKS = ("便民改造", "环境整治", "安全隐患整治", "设施维修", "便民服务", "绿化提升", "楼道亮化", "停车秩序整治")
_MEASURES = ("现场勘查并确定方案", "组织人员施工", "落实资金和材料", "会同物业、业主代表验收", "入户征求居民意见")
_STEPS = ("现场勘查", "材料进场", "组织实施")
_RESULTS = (
    "已全部完成，居民代表现场查看，表示满意。",
    "按期完成，已与物业商定日常管护。",
    "完成并试用一周，运行正常。",
)
# How many projects of a hundred stand in each state; the rest are done.
_SHARES = ((P.DRAFT, 2), (P.OPEN, 4), (P.RUNNING, 10), (P.FINISHED, 3))
_OFF_LIST = (DemandState.DECLINED, DemandState.WITHDRAWN, DemandState.LINKED)
_WITH_PICTURES = 2


@dataclass
class Lists:
    """What was written."""

    resources: list[Resource] = field(default_factory=list)
    projects: list[Project] = field(default_factory=list)
    responsibilities: list[Responsibility] = field(default_factory=list)

    @property
    def tables(self) -> tuple[Sequence[Resource], Sequence[Project], Sequence[Responsibility]]:
        return self.resources, self.projects, self.responsibilities


def write_lists(demands: Demands, day: datetime.date, only: GridNode | None) -> Lists:
    """Writes the lists of a county, a few statements a table.

    Args:
        only: the community they are told of; all communities when not given.
    """
    found = Lists()
    facts = demands.ground.facts
    if not facts.resources:
        return found
    teller = _Teller(demands, day, Random(f"{facts.code} lists"), [only] if only else None)  # noqa: S311
    found.resources = teller.offer(facts.resources)
    Resource.objects.bulk_create(found.resources, batch_size=BATCH)
    found.projects = teller.plan(facts.projects)
    Project.objects.bulk_create(found.projects, batch_size=BATCH)
    teller.link(found.projects)
    found.responsibilities = [teller.answer(project) for project in found.projects]
    Responsibility.objects.bulk_create(found.responsibilities, batch_size=BATCH)
    teller.picture(found.projects, shown=only is not None)
    return found


class _Teller:
    """Draws who offers what, what came of it, and by whom."""

    def __init__(self, demands: Demands, day: datetime.date, rng: Random, communities: list[GridNode] | None) -> None:
        self.ground, self.day, self.rng = demands.ground, day, rng
        self.communities = communities or self.ground.communities
        self.wanted: dict[int, list[Demand]] = defaultdict(list)
        for story in demands.stories:
            if story.demand.state not in _OFF_LIST and story.demand.community_id:
                self.wanted[story.demand.community_id].append(story.demand)
        self.stock: dict[int, list[Resource]] = defaultdict(list)
        self.left: dict[int, int] = {}
        self.used: dict[int, tuple[Demand, list[tuple[Resource, int]], list[Unit]]] = {}

    # --- Resources ---

    def offer(self, total: int) -> list[Resource]:
        taken: set[tuple[int | None, int, str]] = set()
        rows: list[Resource] = []
        for number in range(total * 3):
            if len(rows) == total:
                break
            community = self.communities[number % len(self.communities)]
            units = self.ground.units_here(community)
            own = number % 13 == 0
            unit = None if own else units[(number // len(self.communities)) % len(units)]
            kind, name, least, most = self.rng.choice(_OWN if own else _OFFERS)
            key = (unit.pk if unit else None, community.pk, name)
            if key in taken:
                continue
            taken.add(key)
            rows.append(self._resource(len(rows), community, unit, str(kind), name, self.rng.randint(least, most)))
        for row in rows:
            if row.state == ResourceState.AVAILABLE:
                self.stock[row.node_id].append(row)
        return rows

    def _resource(
        self, number: int, node: GridNode, unit: Unit | None, kind: str, name: str, quantity: int
    ) -> Resource:
        state = ResourceState.AVAILABLE
        if unit is not None and number % 17 == 5:
            state = ResourceState.OFFERED if number % 2 else ResourceState.SENT_BACK
        start = self.day - datetime.timedelta(days=self.rng.randint(100, 180))
        text, category = _ABOUT.get(name, ("", ""))
        return Resource(
            county=self.ground.county,
            unit=unit,
            node=node,
            kind=kind,
            name=name,
            text=text,
            category=self.ground.categories.get(category),
            quantity=quantity // 1000 * 1000 if kind == K.MONEY else quantity,
            measure="个车位" if "停车" in name else MEASURES[kind],
            times=self.rng.choice(([], [FreeTime.WORKDAY], [FreeTime.WEEKEND_MORNING, FreeTime.WEEKEND_AFTERNOON])),
            start=start,
            state=state,
            reason="请写明可以使用的时间。" if state == ResourceState.SENT_BACK else "",
            checked_on=self.day - datetime.timedelta(days=self.rng.randint(2, 40)),
        )

    # --- Projects ---

    def plan(self, total: int) -> list[Project]:
        self.left = {row.pk: row.quantity for rows in self.stock.values() for row in rows}
        rng, rows, codes = self.rng, [], set()
        turns = {node.pk: iter(self._in_turn(node)) for node in self.communities}
        for number, state in enumerate(self._states(total)):
            community = self.communities[number % len(self.communities)]
            demand = next(turns[community.pk])
            row = self._project(community, demand, state)
            while row.code in codes:
                row.code = f"{row.created_at:%Y%m%d}-{rng.randrange(10**6):06d}"
            codes.add(row.code)
            rows.append(row)
        return rows

    def _states(self, total: int) -> list[str]:
        found: list[str] = []
        for state, share in _SHARES:
            found += [str(state)] * max(1, total * share // 100)
        found += [str(P.DONE)] * (total - len(found))
        self.rng.shuffle(found)
        return found

    def _in_turn(self, community: GridNode) -> Iterator[Demand]:
        """The demands of a community, solved ones first; then once more, as several projects may serve one."""
        rows = sorted(self.wanted[community.pk], key=lambda demand: demand.state != DemandState.CLOSED_OFF)
        while rows:
            yield from rows

    def _project(self, community: GridNode, demand: Demand, state: str) -> Project:
        rng, done = self.rng, state == P.DONE
        began = self.day - datetime.timedelta(days=rng.randint(45, 150) if done else rng.randint(8, 40))
        due = began + datetime.timedelta(days=rng.randint(30, 60))
        units = self.ground.units_here(community)
        lead = demand.lead_unit if demand.lead_unit in units else rng.choice(units)
        if len(self.communities) == 1 and state == P.RUNNING:
            # The unit whose liaison can be signed in with finds something to do.
            lead = units[0]
        claimed = state not in (P.DRAFT, P.OPEN)
        finished = self.day - datetime.timedelta(days=rng.randint(2, 6))
        if done:
            finished = min(began + datetime.timedelta(days=rng.randint(15, 50)), finished)
        row = Project(
            county=self.ground.county,
            node=demand.node,
            community=community,
            code=f"{began:%Y%m%d}-{rng.randrange(10**6):06d}",
            name=f"{self.ground.words(demand.node)}{rng.choice(_WORKS)}",
            text=f"回应居民反映的“{demand.title}”，整合单位资源办理。",
            lead_unit=lead if claimed else None,
            budget=Decimal(rng.randrange(2, 60) * 500) if rng.random() < 0.5 else None,
            start_on=began,
            due_on=due,
            state=state,
            created_at=day_start(began),
            claimed_at=day_start(began + datetime.timedelta(days=3)) if claimed else None,
            finished_at=day_start(finished) if done or state == P.FINISHED else None,
            done_on=finished + datetime.timedelta(days=1) if done else None,
            result=rng.choice(_RESULTS) if done or state == P.FINISHED else "",
        )
        supporting = [unit for unit in rng.sample(units, min(2, len(units))) if unit != lead]
        self.used[id(row)] = (demand, self._take(community, done), supporting if claimed else [])
        return row

    def _take(self, community: GridNode, done: bool) -> list[tuple[Resource, int]]:
        """One or two resources of the community, no more than there is."""
        found = []
        for resource in self.rng.sample(self.stock[community.pk], min(2, len(self.stock[community.pk]))):
            want = max(1, resource.quantity // 10)
            if self.left[resource.pk] < want:
                continue
            if not (done and COMES_BACK[resource.kind]):
                self.left[resource.pk] -= want
            found.append((resource, want))
        return found

    def link(self, projects: Sequence[Project]) -> None:
        demands, supporting = Project.demands.through, Project.supporting.through
        met, helped, held, steps = [], [], [], []
        for row in projects:
            demand, resources, units = self.used[id(row)]
            met.append(demands(project_id=row.pk, demand_id=demand.pk))
            helped += [supporting(project_id=row.pk, unit_id=unit.pk) for unit in units]
            held += [ProjectResource(project=row, resource=resource, quantity=n) for resource, n in resources]
            steps += self._steps(row)
        for model, made in ((demands, met), (supporting, helped), (ProjectResource, held), (Milestone, steps)):
            model._default_manager.bulk_create(made, batch_size=BATCH)

    def _steps(self, row: Project) -> Iterator[Milestone]:
        if row.lead_unit is None or row.start_on is None:
            return
        over = row.state in (P.DONE, P.FINISHED)
        for number, title in enumerate(_STEPS):
            due = row.start_on + datetime.timedelta(days=8 * (number + 1))
            done = due < self.day and (over or number == 0)
            yield Milestone(project=row, title=title, due_on=due, done_on=due if done else None)

    # --- Responsibilities and pictures ---

    def answer(self, row: Project) -> Responsibility:
        done = row.state in (P.DONE, P.FINISHED)
        finished = row.done_on or (row.finished_at.date() if row.finished_at else None)
        return Responsibility(
            project=row,
            unit=row.lead_unit,
            person=names.person(self.rng.randrange(6000, 8000)),
            measure=self.rng.choice(_MEASURES),
            due_on=row.due_on,
            state=ResponsibilityState.DONE if done else ResponsibilityState.OPEN,
            done_on=finished if done else None,
            text="已按要求落实。" if done else "",
        )

    def picture(self, projects: Sequence[Project], *, shown: bool) -> None:
        """Before and after of a few projects: drawn, of no real place."""
        photos = []
        for row in [row for row in projects if row.state == P.DONE][: _WITH_PICTURES if shown else 0]:
            for stage in PhotoStage:
                data = draw(FacilityKind.LIGHTING, stage)
                photo = Evidence(project=row, stage=str(stage), size=len(data), digest=hashlib.sha256(data).hexdigest())
                name = UUID(int=Random(f"{row.code} {stage}").getrandbits(128)).hex  # noqa: S311
                photo.file.save(f"{name}.jpg", ContentFile(data), save=False)
                photo.thumbnail.save(f"{name}-s.jpg", ContentFile(make_thumbnail(data)), save=False)
                photos.append(photo)
        Evidence.objects.bulk_create(photos)
