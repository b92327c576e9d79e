"""Compounds of the sample: who runs them, what stands there, what was put right, with drawn pictures.

镇安's figures are the published ones (docs/domain.md#z3, #z5); those of 西乡 are made up, as the reports give none.
"""

import datetime
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from uuid import UUID

from django.core.files.base import ContentFile

from core.periods import day_start
from core.photos import make_thumbnail
from governance.sample import facts as figures
from governance.sample.drawing import draw
from governance.sample.facts import CountyFacts
from governance.sample.people import BATCH
from governance.sample.tree import even, share
from grids.models import (
    CompoundProfile,
    County,
    Facility,
    FacilityKind,
    GridNode,
    PhotoStage,
    Remediation,
    RemediationPhoto,
)
from partybuilding.models import (
    BranchSetup,
    CompoundRunning,
    Management,
    OwnersCommittee,
    PartyOrganisation,
    Unit,
    UnitKind,
)

_TITLES = {
    FacilityKind.LIFT: "加装电梯",
    FacilityKind.DOOR_SYSTEM: "更换单元门禁",
    FacilityKind.CAMERA: "安装监控探头",
    FacilityKind.PARKING: "增划停车位",
    FacilityKind.CHARGER: "建充电棚",
    FacilityKind.LIGHTING: "修复楼道灯",
    FacilityKind.PIPES: "疏通改造下水管网",
    FacilityKind.ROOF: "屋面防水",
    FacilityKind.ROAD: "修补小区道路",
    FacilityKind.GREENERY: "补种绿化",
}
# What 西乡 does beside, and at most how much in one project.
_OTHER_WORK = {
    FacilityKind.DOOR_SYSTEM: 8,
    FacilityKind.CAMERA: 12,
    FacilityKind.PARKING: 20,
    FacilityKind.CHARGER: 10,
    FacilityKind.LIGHTING: 30,
    FacilityKind.PIPES: 2,
    FacilityKind.ROOF: 3,
    FacilityKind.ROAD: 1,
    FacilityKind.GREENERY: 1,
}
_FIRMS = (
    *("安居", "和家", "邻里", "众诚", "康宁", "佳美", "恒信", "金桥", "绿城居", "万家"),
    *("顺意", "同心", "福源", "明德", "锦程", "宏达", "嘉园", "惠民", "瑞祥", "天和"),
)
# Compounds of each county whose projects have pictures.
_WITH_PICTURES = 4


@dataclass
class Plan:
    """One compound to be. A branch that serves several compounds has its name at each."""

    node: GridNode
    management: str
    firm: str = ""
    unit: Unit | None = None
    setup: str = ""
    branch: str = ""
    demonstration: bool = False
    # Kind, quantity, days since it was finished (None: not yet), whether it has begun.
    work: list[tuple[FacilityKind, int, int | None, bool]] = field(default_factory=list)


def plan_compounds(facts: CountyFacts, nodes: Sequence[GridNode], units: Sequence[Unit]) -> list[Plan]:
    """Who runs each compound of a county, and what is put right there; the same every time."""
    rng = Random(f"{facts.code} compounds")  # noqa: S311
    compounds = [node for node in nodes if node.level_key == "compound"]
    zhenan = facts.preset == "zhenan"
    managed = figures.ZHENAN_MANAGED if zhenan else len(compounds) * 2 // 3
    chosen = {node.pk for node in rng.sample(compounds, managed)}
    plans = [Plan(node, Management.MANAGED if node.pk in chosen else "") for node in compounds]
    kept = [plan for plan in plans if plan.management]
    left = [plan for plan in plans if not plan.management]
    for number, plan in enumerate(left):
        plan.management = Management.COMMUNITY if number % 4 == 0 else Management.UNMANAGED
    _share_firms(kept, units, figures.ZHENAN_FIRMS if zhenan else len(_FIRMS))
    with_branch = figures.ZHENAN_MANAGED_BRANCHES if zhenan else managed // 2
    _set_up([*rng.sample(kept, with_branch), *left[: len(left) * 5 // 6]])
    if zhenan:
        _published_work(left, rng)
    else:
        _made_up_work(plans, rng)
    return plans


def _share_firms(plans: list[Plan], units: Sequence[Unit], count: int) -> None:
    """Firms of some compounds each; the first of them are units of the county and have their own branch."""
    registered = {unit.name: unit for unit in units if unit.kind == UnitKind.PROPERTY}
    names = [
        *registered,
        *(f"示例{name}物业服务公司" for name in _FIRMS if f"示例{name}物业服务公司" not in registered),
    ]
    rest = iter(plans)
    for name, few in zip(names[:count], even(len(plans), count), strict=True):
        for _number in range(few):
            plan = next(rest)
            plan.firm, plan.unit = name, registered.get(name)


def _set_up(plans: list[Plan]) -> None:
    """The three ways in turn (docs/domain.md#z3); two compounds that were joined share the branch of the first."""
    ways = (BranchSetup.SINGLE, BranchSetup.ATTACHED, BranchSetup.SINGLE, BranchSetup.MERGED, BranchSetup.MERGED)
    ordered = sorted(plans, key=lambda plan: (plan.node.tree_id, plan.node.lft))
    shared = ""
    for number, plan in enumerate(ordered):
        plan.setup = ways[number % len(ways)]
        own = f"{plan.node.name}党支部"
        second = plan.setup == BranchSetup.MERGED and number % len(ways) == len(ways) - 1
        plan.branch = shared if second and shared else own
        shared = own if plan.setup == BranchSetup.MERGED else ""


def _published_work(plans: list[Plan], rng: Random) -> None:
    """The published quantities, finished in compounds without property management, some of which are shown to others."""
    for plan in plans[: figures.ZHENAN_DEMONSTRATION]:
        plan.demonstration = True
    for kind, total in figures.ZHENAN_REMEDIATION.items():
        places = plans[: min(total, 12)] if kind != FacilityKind.LIFT else plans[:3]
        for plan, quantity in zip(places, share(total, len(places), rng), strict=True):
            plan.work.append((FacilityKind(kind), quantity, rng.randrange(10, 300), True))
    for plan in plans[12:16]:
        plan.work.append((FacilityKind.PIPES, 1, None, plan is plans[12]))


def _made_up_work(plans: list[Plan], rng: Random) -> None:
    for number, plan in enumerate(plans):
        if number < _WITH_PICTURES:
            plan.work.append((FacilityKind.LIFT, 1, 20 + number, True))
        for kind in rng.sample(list(_OTHER_WORK), rng.choice((0, 0, 1, 1, 2))):
            done = rng.randrange(5, 400) if rng.random() < 0.75 else None
            plan.work.append((kind, rng.randint(1, _OTHER_WORK[kind]), done, rng.random() < 0.5))
        plan.demonstration = number % 17 == 0


def branches_of(plans: Sequence[Plan]) -> dict[int, str]:
    """Compound key -> the branch that is set up there, each branch once."""
    found: dict[str, int] = {}
    for plan in plans:
        if plan.branch:
            found.setdefault(plan.branch, plan.node.pk)
    return {pk: name for name, pk in found.items()}


def write_compounds(
    county: County, plans: Sequence[Plan], day: datetime.date
) -> tuple[list[CompoundProfile], list[CompoundRunning], list[Remediation]]:
    """Writes both halves and the projects with their pictures, in a few statements."""
    rng = Random(f"{county.code} facts")  # noqa: S311
    profiles = [_profile(county, plan, rng) for plan in plans]
    CompoundProfile.objects.bulk_create(profiles, batch_size=BATCH)
    standing = [row for plan, profile in zip(plans, profiles, strict=True) for row in _facilities(plan, profile, rng)]
    Facility.objects.bulk_create(standing, batch_size=BATCH)
    named = PartyOrganisation.objects.filter(county=county, name__in={plan.branch for plan in plans})
    branches = {row.name: row for row in named}
    runnings = [_running(county, plan, branches.get(plan.branch), rng, day) for plan in plans]
    CompoundRunning.objects.bulk_create(runnings, batch_size=BATCH)
    projects = [row for plan in plans for row in _projects(county, plan, day)]
    Remediation.objects.bulk_create(projects, batch_size=BATCH)
    _draw(plans, projects)
    return profiles, runnings, projects


def _profile(county: County, plan: Plan, rng: Random) -> CompoundProfile:
    old = plan.management != Management.MANAGED
    return CompoundProfile(
        county=county,
        node=plan.node,
        built_year=rng.randint(1983, 2003) if old else rng.randint(1998, 2021),
        is_demonstration=plan.demonstration,
        note="老旧院落，没有围墙。" if old and rng.random() < 0.2 else "",
    )


def _facilities(plan: Plan, profile: CompoundProfile, rng: Random) -> Iterator[Facility]:
    """What stands there, with what was put right."""
    counts = {FacilityKind.LIGHTING: rng.randint(6, 40), FacilityKind.FIRE: rng.randint(2, 12)}
    if plan.management == Management.MANAGED:
        counts |= {
            FacilityKind.DOOR_SYSTEM: rng.randint(2, 12),
            FacilityKind.CAMERA: rng.randint(8, 40),
            FacilityKind.PARKING: rng.randint(20, 160),
        }
    for kind, quantity, done, _begun in plan.work:
        if done is not None:
            counts[kind] = counts.get(kind, 0) + quantity
    yield from (Facility(profile=profile, kind=kind, count=count) for kind, count in counts.items())


def _running(
    county: County, plan: Plan, branch: PartyOrganisation | None, rng: Random, day: datetime.date
) -> CompoundRunning:
    ways = (OwnersCommittee.FORMED, OwnersCommittee.FORMED, OwnersCommittee.PREPARING, OwnersCommittee.NONE)
    committee = rng.choice(ways)
    formed = committee == OwnersCommittee.FORMED
    return CompoundRunning(
        county=county,
        node=plan.node,
        management=plan.management,
        firm_name=plan.firm,
        firm=plan.unit,
        committee=committee,
        committee_on=day - datetime.timedelta(days=rng.randint(60, 1500)) if formed else None,
        branch=branch,
        branch_setup=plan.setup,
    )


def _projects(county: County, plan: Plan, day: datetime.date) -> Iterator[Remediation]:
    for kind, quantity, done, begun in plan.work:
        finished = day - datetime.timedelta(days=done) if done is not None else None
        started = (finished or day) - datetime.timedelta(days=25) if begun or finished else None
        yield Remediation(
            county=county,
            node=plan.node,
            community_id=plan.node.community_id,
            kind=kind,
            title=_TITLES[kind],
            quantity=quantity,
            planned_on=finished or day + datetime.timedelta(days=40 + quantity),
            started_on=started,
            finished_on=finished,
            created_at=day_start((started or day) - datetime.timedelta(days=20)),
        )


def _draw(plans: Sequence[Plan], projects: Sequence[Remediation]) -> None:
    """Before and after of what is finished in a few compounds: drawn, of no real place."""
    shown = {plan.node.pk for plan in plans if plan.work}
    shown = set(sorted(shown & {row.node_id for row in projects if row.finished_on})[:_WITH_PICTURES])
    photos = []
    for row in projects:
        if row.node_id not in shown or row.finished_on is None:
            continue
        for stage in PhotoStage:
            data = draw(row.kind, stage)
            photo = RemediationPhoto(
                remediation=row, stage=stage, size=len(data), digest=hashlib.sha256(data).hexdigest()
            )
            name = UUID(int=Random(f"{row.node_id} {row.kind} {stage}").getrandbits(128)).hex  # noqa: S311
            photo.file.save(f"{name}.jpg", ContentFile(data), save=False)
            photo.thumbnail.save(f"{name}-s.jpg", ContentFile(make_thumbnail(data)), save=False)
            photos.append(photo)
    RemediationPhoto.objects.bulk_create(photos)
