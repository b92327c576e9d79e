"""What units of the sample promised, what they did together with communities, and what both sides say of it.

镇安 has the published figures (docs/domain.md#z1, #z2); those of the other counties are made up. Everything happened
before the sample's day; who answers for a promise is the unit's own liaison.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from core.periods import day_start
from governance.sample import facts as figures
from governance.sample.facts import CountyFacts
from governance.sample.people import BATCH, Posts
from governance.sample.tree import share
from governance.sample.weft import SHOWN_UNITS, Weft
from grids.models import County, GridNode
from partybuilding.models import Unit
from services.models import (
    Activity,
    ActivityKind,
    Commitment,
    CommitmentProgress,
    CommitmentState,
    RatingSide,
    Satisfaction,
    ServiceRating,
    UnitCheckIn,
)

# Title, and when it counts as done.
_PROMISES = (
    ("更换楼道灯", "楼道灯全部能亮"),
    ("维修单元门", "单元门能自动关上"),
    ("清理楼道杂物", "楼道、消防通道没有堆放物"),
    ("补种小区绿化", "裸露的地方都补种成活"),
    ("划停车位", "停车位划线并编号"),
    ("建非机动车充电棚", "充电棚通电能用"),
    ("疏通排水管道", "雨天不积水"),
    ("修补破损路面", "坑洼全部补平"),
    ("办健康讲座和义诊", "每季度一次，有签到和照片"),
    ("送法进小区", "每季度一场普法宣讲"),
    ("为独居老人上门服务", "每月上门一次"),
    ("开暑期托管班", "开班不少于 20 天"),
    ("安装健身器材", "器材安装到位、能正常使用"),
    ("加装楼道扶手", "各单元扶手安装到位"),
    ("修缮小区公告栏", "公告栏完好，每月更新"),
    ("招聘岗位进社区", "每季度一场，提供岗位不少于 50 个"),
    ("组织消防演练", "半年一次，各楼栋都有人参加"),
    ("资助困难家庭学生", "结对资助到学期末"),
    ("清理河道垃圾", "河道两岸没有垃圾"),
    ("更换老旧水表", "水表更换完、计量准确"),
)
_STEPS = ("已经和社区、楼栋长看过现场，定了方案。", "材料到位，已经开工。", "完成了一大半，正在收尾。")
_REPORT = "已经全部做完，请社区核实。"
_ACTIVITIES = (
    (ActivityKind.HYGIENE, "环境卫生清理"),
    (ActivityKind.POLICY, "惠民政策宣讲"),
    (ActivityKind.VISIT, "走访慰问困难家庭"),
    (ActivityKind.HEALTH, "健康义诊进小区"),
    (ActivityKind.CULTURE, "邻里文艺演出"),
    (ActivityKind.PARTY_DAY, "联合主题党日"),
    (ActivityKind.LAW, "法律知识讲座"),
)
_GRADES = (Satisfaction.SATISFIED,) * 7 + (Satisfaction.FAIRLY,) * 2 + (Satisfaction.DISSATISFIED,)
_WORDS = {
    Satisfaction.SATISFIED: ("办得好，居民满意。", "说到做到，配合得好。", ""),
    Satisfaction.FAIRLY: ("办成了，时间稍长。", "基本达到标准，请继续维护。"),
    Satisfaction.DISSATISFIED: ("联系不及时，希望改进。",),
}


@dataclass
class Promised:
    """The rows that were written."""

    commitments: list[Commitment] = field(default_factory=list)
    activities: list[Activity] = field(default_factory=list)
    ratings: list[ServiceRating] = field(default_factory=list)

    @property
    def tables(self) -> list[Sequence[Commitment | Activity | ServiceRating]]:
        """Those that hold something, for the trail."""
        return [rows for rows in (self.commitments, self.activities, self.ratings) if rows]


def write_promises(
    county: County,
    facts: CountyFacts,
    nodes: list[GridNode],
    weft: Weft,
    posts: Posts,
    day: datetime.date,
    shown: GridNode | None,
) -> Promised:
    """Writes a county's promises, joint activities and ratings. `shown`: the community whose people sign in."""
    story = _Story(county, nodes, weft, posts, day, Random(f"{facts.code} promises"))  # noqa: S311
    communities = [node for node in nodes if node.level_key == "community"]
    if facts is figures.ZHENAN:
        home, others = communities[0], communities[1:]
        story.promise(home, figures.XINCHENG_COMMITMENTS, figures.XINCHENG_DONE)
        story.gather(home, figures.XINCHENG_ACTIVITIES)
        rest = figures.ZHENAN_COMMITMENTS - figures.XINCHENG_COMMITMENTS
        done = figures.ZHENAN_DONE - figures.XINCHENG_DONE
        parts = zip(others, share(rest, len(others), story.rng), share(done, len(others), story.rng), strict=True)
        for node, promised, kept in parts:
            story.promise(node, promised, min(kept, promised))
            story.gather(node, 11)
        story.even_out(others, done)
    else:
        for number, node in enumerate(communities):
            if node is shown:
                story.tell_shown(node)
            else:
                story.promise(node, 4, 2, turn=number * 3)
            story.gather(node, 6 if node is shown else 1)
    story.write()
    return story.rows


class _Story:
    def __init__(
        self, county: County, nodes: list[GridNode], weft: Weft, posts: Posts, day: datetime.date, rng: Random
    ) -> None:
        self.county, self.weft, self.posts, self.day, self.rng = county, weft, posts, day, rng
        self.compounds = [node for node in nodes if node.level_key == "compound"]
        self.rows = Promised()
        self.steps: list[CommitmentProgress] = []
        self.joined: list[tuple[Activity, list[Unit]]] = []
        self.checkins: dict[int, list[UnitCheckIn]] = {}
        for row in weft.checkins:
            assert row.node.community_id is not None
            self.checkins.setdefault(row.node.community_id, []).append(row)

    # --- Promises ---

    def promise(self, community: GridNode, promised: int, done: int, turn: int = 0) -> None:
        """So many promises to a community and its compounds, so many of them kept; of the rest a few wait for the
        community, and a few are past their day. `turn`: with which unit and which promise to begin."""
        held = self.checkins.get(community.pk, [])
        for number in range(promised if held else 0):
            checkin = held[(turn + number) % len(held)]
            state = CommitmentState.DONE if number < done else CommitmentState.OPEN
            if number >= done and (number - done) % 5 == 1:
                state = CommitmentState.REPORTED
            self.add(checkin, turn + number, state, late=state == CommitmentState.OPEN and (number - done) % 5 == 3)

    def even_out(self, communities: Sequence[GridNode], done: int) -> None:
        """Where a community was to keep more promises than it has, the others keep them."""
        keys = {node.pk for node in communities}
        rows = [row for row in self.rows.commitments if row.community_id in keys]
        missing = done - sum(row.state == CommitmentState.DONE for row in rows)
        for row in [row for row in rows if row.state != CommitmentState.DONE][:missing]:
            self.keep(row)

    def tell_shown(self, community: GridNode) -> None:
        """Some of every state, of the units whose liaisons sign in where they have reported there."""
        held = self.checkins.get(community.pk, [])
        held = sorted(held, key=lambda row: row.unit.short_name not in SHOWN_UNITS)
        states = [CommitmentState.OPEN] * 4 + [CommitmentState.REPORTED] * 2 + [CommitmentState.DONE] * 6
        for number, state in enumerate(states):
            self.add(held[number % min(2, len(held))], number, state, late=number == 0, soon=number == 1)
        dropped = self.add(held[0], len(states), CommitmentState.OPEN)
        dropped.state, dropped.reason = CommitmentState.DROPPED, "老旧小区改造已经包含这一项，不再单独办理"
        moved = self.add(held[-1], len(states) + 1, CommitmentState.OPEN)
        taken = self.add(held[0], len(states) + 1, CommitmentState.OPEN, node=moved.node)
        taken.promised_on = self.day - datetime.timedelta(days=9)
        moved.state, moved.reason, moved.moved_to = CommitmentState.MOVED, "单位职能调整，由接手单位继续办", taken

    def add(
        self,
        checkin: UnitCheckIn,
        number: int,
        state: str,
        *,
        late: bool = False,
        soon: bool = False,
        node: GridNode | None = None,
    ) -> Commitment:
        community = checkin.node.community_id
        inside = [one for one in self.compounds if one.community_id == community]
        inside = [one for one in inside if checkin.node.lft <= one.lft <= checkin.node.rght]
        place = node or (inside[number % len(inside)] if inside and number % 3 else checkin.node)
        title, measure = _PROMISES[number % len(_PROMISES)]
        day = datetime.timedelta(days=1)
        due = 0 - self.rng.randint(3, 12) if late else 5 if soon else self.rng.randint(20, 150)
        # A promise for each round of the list on a day of its own: the same unit may promise the same again later.
        promised_on = self.day - (60 + number % 40 + 45 * (number // len(_PROMISES))) * day
        row = Commitment(
            county=self.county,
            unit=checkin.unit,
            checkin=checkin,
            node=place,
            community_id=community,
            title=title,
            measure=measure,
            owner=self.weft.liaisons[checkin.unit.pk].user.name,
            promised_on=promised_on,
            due_on=self.day + due * day,
            state=state,
        )
        self.rows.commitments.append(row)
        if state == CommitmentState.OPEN:
            row.percent = (0, 20, 45, 70)[number % 4]
            self._tell(row, number % 4)
        elif state == CommitmentState.REPORTED:
            row.percent = 100
            row.reported_at = day_start(self.day - (1 + number % 2) * day) + datetime.timedelta(hours=10)
            self._tell(row, 3)
        else:
            self.keep(row)
        return row

    def keep(self, row: Commitment) -> None:
        """Reported done and confirmed, on the day it was reported; one in eight after its day."""
        row.state, row.percent = CommitmentState.DONE, 100
        row.done_on = self.day - datetime.timedelta(days=self.rng.randint(2, 45))
        row.due_on = row.done_on + datetime.timedelta(days=-3 if self.rng.random() < 1 / 8 else self.rng.randint(1, 20))
        row.reported_at = day_start(row.done_on) + datetime.timedelta(hours=16)
        row.confirmed_by = next(iter(self.posts.holders("community_secretary", row.community_id)), None)
        self._tell(row, 3)

    def _tell(self, row: Commitment, count: int) -> None:
        liaison = self.weft.liaisons[row.unit.pk].user if row.unit else None
        last = row.reported_at.date() if row.reported_at else self.day - datetime.timedelta(days=1)
        self.steps = [step for step in self.steps if step.commitment is not row]
        words = [*_STEPS[: max(0, count - (1 if row.reported_at else 0))], *([_REPORT] if row.reported_at else [])]
        for number, text in enumerate(words):
            back = (len(words) - 1 - number) * 9
            at = day_start(last - datetime.timedelta(days=back)) + datetime.timedelta(hours=10)
            percent = row.percent * (number + 1) // len(words)
            self.steps.append(CommitmentProgress(commitment=row, at=at, percent=percent, text=text, by=liaison))

    # --- Activities ---

    def gather(self, community: GridNode, count: int) -> None:
        """So many activities of a community with one to three of its units, over the last ten months."""
        units = [row.unit for row in self.checkins.get(community.pk, [])]
        for number in range(count if units else 0):
            kind, title = _ACTIVITIES[number % len(_ACTIVITIES)]
            row = Activity(
                county=self.county,
                node=community,
                community=community,
                kind=kind,
                title=title,
                held_on=self.day - datetime.timedelta(days=3 + 6 * number),
                people=self.rng.randint(15, 90),
                text="",
            )
            first = number % len(units)
            chosen = (units[first:] + units[:first])[: 1 + number % 3]
            self.rows.activities.append(row)
            self.joined.append((row, list({unit.pk: unit for unit in chosen}.values())))

    # --- Ratings ---

    def _rate(self) -> Iterator[ServiceRating]:
        """Both sides of most promises that were kept, a day or two after; the latest are still to be rated."""
        kept = [row for row in self.rows.commitments if row.state == CommitmentState.DONE]
        for number, row in enumerate(sorted(kept, key=lambda row: row.done_on or self.day)):
            assert row.unit is not None and row.done_on is not None
            for side in RatingSide:
                if (number + (side == RatingSide.UNIT)) % 5 == 0 or (self.day - row.done_on).days < 4:
                    continue
                grade = _GRADES[self.rng.randrange(len(_GRADES))]
                by_community = side == RatingSide.COMMUNITY
                yield ServiceRating(
                    county=self.county,
                    community_id=row.community_id,
                    unit=row.unit,
                    side=side,
                    commitment=row,
                    grade=grade,
                    text=_WORDS[grade][self.rng.randrange(len(_WORDS[grade]))] if by_community else "",
                    by=row.confirmed_by if by_community else self.weft.liaisons[row.unit.pk].user,
                    at=day_start(row.done_on) + datetime.timedelta(days=1, hours=9 + number % 8),
                )

    def write(self) -> None:
        # A promise that went to another unit is written after the one it became.
        later = [row for row in self.rows.commitments if row.moved_to is not None]
        Commitment.objects.bulk_create([row for row in self.rows.commitments if row.moved_to is None], batch_size=BATCH)
        Commitment.objects.bulk_create(later, batch_size=BATCH)
        CommitmentProgress.objects.bulk_create(self.steps, batch_size=BATCH)
        Activity.objects.bulk_create(self.rows.activities, batch_size=BATCH)
        through = Activity.units.through
        through.objects.bulk_create(
            [through(activity_id=row.pk, unit_id=unit.pk) for row, units in self.joined for unit in units],
            batch_size=BATCH,
        )
        self.rows.ratings = list(self._rate())
        ServiceRating.objects.bulk_create(self.rows.ratings, batch_size=BATCH)
