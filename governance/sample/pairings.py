"""Who looks after which place in the sample, with visits, problems and solutions (docs/domain.md#x5, #z1).

西乡: 22 county leaders for 14 communities; 92 units and the 2,500 cadres who reported go into 273 grids of the 619 the
sample has (it presses the heads of 36 communities into 14, see `County.note`). 镇安: 102 units cover 44 sectors.
"""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from core.models import User
from core.periods import day_start
from governance.sample.facts import CountyFacts
from governance.sample.people import BATCH, Accounts, Posts
from governance.sample.tree import even
from governance.sample.weft import SHOWN_UNITS, Weft
from grids.models import Appointment, County, GridNode
from partybuilding.models import Pairing, PairingGuide, PairingKind, PairingProblem, PairingVisit, Unit

_QUARTER = 91
_DUTIES = (
    "牵头整治停车和充电",
    "协调老旧管网改造",
    "帮助成立业主委员会",
    "整治飞线充电和楼道堆物",
    "解决路灯、门禁等小修小补",
    "联系社区，协调部门办实事",
)
_CADRE_DUTY = "入户走访，收集民情，帮办小事"
_VISITS = (
    "和网格员一起走了楼道和消防通道，劝离占道电动车 3 辆。",
    "召开院坝会，听取居民对停车管理的意见。",
    "检查地下室和管网井盖，与社区商定维修办法。",
    "参加社区联席会议，认领两件小事。",
    "组织党员清理楼道杂物，清运垃圾一车。",
    "和物业、业委会一起核对公共收益账目。",
    "宣传燃气和用电安全，发放明白纸。",
    "查看充电桩安装位置，协调供电公司现场勘查。",
)
# What was found, and how it was solved.
_PROBLEMS = (
    ("单元门门禁损坏，关不上", "协调物业更换门禁 2 套"),
    ("楼道灯多处不亮", "更换声控灯 12 盏"),
    ("飞线充电屡禁不止", "新装充电桩 10 个，拆除飞线"),
    ("下水管道堵塞，雨天返水", "疏通管道 40 米，更换井盖 3 个"),
    ("车棚漏雨", "更换顶棚，费用由单位解决"),
    ("停车无序，消防通道被占", "重新划线，设隔离桩，物业专人看守"),
    ("健身器材松动", "联系教体局加固更换"),
    ("树枝遮挡路灯和监控", "联系园林中心修剪"),
    ("井盖破损有响声", "更换防沉降井盖"),
    ("外墙砖空鼓有脱落危险", "围挡警示，已列入改造计划并完成修补"),
    ("小区没有休息座椅", "添置座椅 6 张"),
    ("快递车堵住出入口", "与快递企业商定停放点"),
)


@dataclass
class Paired:
    """What is to be written, unsaved until `write`."""

    pairings: list[Pairing] = field(default_factory=list)
    visits: list[PairingVisit] = field(default_factory=list)
    problems: list[PairingProblem] = field(default_factory=list)

    def write(self) -> None:
        Pairing.objects.bulk_create(self.pairings, batch_size=BATCH)
        PairingVisit.objects.bulk_create(self.visits, batch_size=BATCH)
        PairingProblem.objects.bulk_create(self.problems, batch_size=BATCH)


def hire_leaders(accounts: Accounts, county: County, facts: CountyFacts, posts: Posts, shown: bool) -> list[User]:
    """The county's leaders, unsaved, as their people are written first."""
    leaders = []
    for number in range(facts.leaders):
        if shown and number == 0:
            user = accounts.show(county, role="县级领导（包联社区）", door="/m/pairings/")
        else:
            user = accounts.hire(county)
        start = accounts.founded + datetime.timedelta(days=10)
        posts.rows.append(Appointment(user=user, post="county_leader", county=county, start=start))
        leaders.append(user)
    return leaders


def pair_places(
    county: County,
    facts: CountyFacts,
    nodes: Sequence[GridNode],
    weft: Weft,
    leaders: Sequence[User],
    day: datetime.date,
) -> Paired:
    """Writes the pairings of a sample county, in a few statements a thousand rows."""
    story = _Story(county, day, Random(f"{facts.code} pairings"))  # noqa: S311
    communities = [node for node in nodes if node.level_key == "community"]
    for number, leader in enumerate(leaders):
        story.pair(PairingKind.LEADER, communities[number % len(communities)], user=leader, duty=_DUTIES[-1])
    if facts.paired_grids:
        _pair_grids(story, communities, nodes, weft, facts.paired_grids)
        guides = {"department": ("grid", 3), "cadre": ("", 3)}
    else:
        level = "sector" if facts.preset == "zhenan" else "grid"
        _pair_one_each(story, [node for node in nodes if node.level_key == level], weft)
        guides = {"leader": ("", 2), "department": (level, 1), "cadre": ("", 3)}
    PairingGuide.objects.bulk_create(
        PairingGuide(county=county, kind=kind, level=level, most=most) for kind, (level, most) in guides.items()
    )
    story.paired.write()
    return story.paired


def _pair_grids(
    story: "_Story", communities: Sequence[GridNode], nodes: Sequence[GridNode], weft: Weft, total: int
) -> None:
    """Each unit goes into some grids of the community it reports to first, and its cadres with it."""
    inside: dict[int, list[GridNode]] = defaultdict(list)
    for node in nodes:
        if node.level_key == "grid" and node.community_id is not None:
            inside[node.community_id].append(node)
    free = {pk: iter(grids) for pk, grids in inside.items()}
    shares = even(total, len(weft.units))
    # Two units took more than the guide says, and two less: a county looks like that.
    for more, less in ((0, -1), (1, -2)):
        shares[more], shares[less] = shares[more] + 2, shares[less] - 1
    shares[2] -= 2
    for number, (unit, share) in enumerate(zip(weft.units, shares, strict=True)):
        home = free[communities[number % len(communities)].pk]
        grids = [next(home) for _grid in range(share)]
        story.pair_unit(unit, grids, weft)
        for place, member in enumerate(weft.members[unit.pk]):
            assert member.user is not None
            story.pair(PairingKind.CADRE, grids[place % share], user=member.user, duty=_CADRE_DUTY)


def _pair_one_each(story: "_Story", places: Sequence[GridNode], weft: Weft) -> None:
    """Every unit one sector (or grid): the one it reports to, else one of the community it reports to; those with
    fewest units first."""
    reported = {row.unit_id: row.node for row in reversed(weft.checkins)}
    held: dict[int, int] = dict.fromkeys((place.pk for place in places), 0)
    for unit in weft.units:
        home = reported[unit.pk]
        inside = [place for place in places if home.pk in (place.pk, place.community_id)]
        chosen = min(inside, key=lambda place: held[place.pk])
        held[chosen.pk] += 1
        story.pair_unit(unit, [chosen], weft)


class _Story:
    """Pairs and tells what came of it."""

    def __init__(self, county: County, day: datetime.date, rng: Random) -> None:
        self.county, self.day, self.rng = county, day, rng
        self.paired = Paired()

    def pair_unit(self, unit: Unit, places: Sequence[GridNode], weft: Weft) -> None:
        for place in places:
            row = self._row(PairingKind.DEPARTMENT, place, self.rng.choice(_DUTIES[:-1]), unit=unit)
            self._tell(row, weft.liaisons[unit.pk].user, always_open=unit.short_name in SHOWN_UNITS)

    def pair(self, kind: str, place: GridNode, *, user: User, duty: str) -> None:
        row = self._row(kind, place, duty, user=user)
        # Most cadres go in the name of their unit, whose visits are written down; a few write their own.
        if kind == PairingKind.LEADER or self.rng.random() < 0.08:
            self._tell(row, user, always_open=kind == PairingKind.LEADER and len(self.paired.pairings) == 1)

    def _row(self, kind: str, place: GridNode, duty: str, **holder: User | Unit) -> Pairing:
        start = self.day - datetime.timedelta(days=self.rng.randint(200, 400))
        row = Pairing(county=self.county, kind=kind, node=place, duty=duty, start=start, **holder)
        self.paired.pairings.append(row)
        return row

    def _tell(self, row: Pairing, who: User, *, always_open: bool) -> None:
        """A visit a quarter, the latest one in this or the last; now and then a problem, most of them solved."""
        day = self.day - datetime.timedelta(days=self.rng.randint(3, 70))
        first = True
        while day >= row.start:
            visited_on = self._weekday(day, row.start)
            visit = PairingVisit(
                pairing=row,
                visited_on=visited_on,
                text=self.rng.choice(_VISITS),
                visited_by=who,
                created_at=day_start(visited_on),
            )
            self.paired.visits.append(visit)
            if self.rng.random() < 0.22 or (first and always_open):
                self._find(row, visit, who, opened=first and always_open)
            first = False
            day -= datetime.timedelta(days=_QUARTER + self.rng.randint(-20, 20))

    def _find(self, row: Pairing, visit: PairingVisit, who: User, *, opened: bool) -> None:
        text, solution = self.rng.choice(_PROBLEMS)
        solved_on = visit.visited_on + datetime.timedelta(days=self.rng.randint(2, 45))
        solved = not opened and solved_on < self.day and self.rng.random() < 0.92
        self.paired.problems.append(
            PairingProblem(
                pairing=row,
                visit=visit,
                found_on=visit.visited_on,
                text=text,
                found_by=who,
                solution=solution if solved else "",
                solved_on=solved_on if solved else None,
                created_at=day_start(visit.visited_on),
            )
        )

    @staticmethod
    def _weekday(day: datetime.date, first: datetime.date) -> datetime.date:
        back = day - datetime.timedelta(days=max(0, day.weekday() - 4))
        return max(back, first)
