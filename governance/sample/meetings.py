"""The joint meetings of the sample (docs/domain.md#l4, #x2).

镇赉: 45 meetings, 70 problems of six kinds, of which leaders took 34. 西乡: 3 of the county and more than 40 of streets and
communities; the shown community has one behind it, resolved to the last item, and one ahead with an agenda.
"""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from core.models import User
from core.periods import LOCAL_ZONE, Quarter
from governance.sample.facts import CountyFacts
from governance.sample.people import BATCH, Posts
from governance.sample.weft import Weft
from grids.models import County, GridNode
from partybuilding.models import Pairing, PairingKind, Unit
from services.models import (
    AgendaItem,
    Attendance,
    Demand,
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionKind,
    ResolutionState,
    Theme,
)
from services.selectors.meetings import proposed_title, theme_of

# docs/domain.md#l4.
ZHENLAI_MEETINGS, ZHENLAI_PROBLEMS, ZHENLAI_LEADERS = 45, 70, 34
# docs/domain.md#x2.
XIXIANG_COUNTY_MEETINGS = 3
_HOUR = datetime.time(9, 0)
_MATTERS: dict[Theme, tuple[str, ...]] = {
    Theme.RENEWAL: ("老旧小区路面破损", "楼道照明线路老化", "小区排水管网改造", "加装单元门禁", "屋面漏雨维修"),
    Theme.ABANDONED: ("无物业小区垃圾清运", "弃管小区引入物业", "弃管小区公共照明", "无人管理的车棚"),
    Theme.HYGIENE: ("小区周边占道经营", "楼道杂物堆放", "垃圾分类点位不足", "绿化带缺株补种"),
    Theme.HARDSHIP: ("独居老人助餐", "困难家庭冬季取暖", "大病家庭临时救助", "残疾人家庭无障碍改造"),
    Theme.SAFETY: ("电动车飞线充电", "消防通道被占", "夜间巡防力量不足", "路口缺少减速带"),
    Theme.SERVICE: ("社区活动场所不足", "老年课堂师资不足", "便民缴费点太远", "假期儿童托管"),
}
_ACTIONS = ("现场勘查，列出清单并实施", "出资金、出人力，社区配合组织", "制定方案，公示后实施", "组织党员志愿者承担")
_RESULTS = ("已完成，居民认可。", "已整改到位，社区回访满意。", "已落实，转入日常管理。")


@dataclass
class Meetings:
    """What is to be written."""

    meetings: list[JointMeeting] = field(default_factory=list)
    attendances: list[Attendance] = field(default_factory=list)
    items: list[AgendaItem] = field(default_factory=list)
    resolutions: list[Resolution] = field(default_factory=list)

    @property
    def tables(self) -> list[list[JointMeeting] | list[AgendaItem] | list[Resolution]]:
        return [self.meetings, self.items, self.resolutions]

    def write(self) -> None:
        JointMeeting.objects.bulk_create(self.meetings, batch_size=BATCH)
        Attendance.objects.bulk_create(self.attendances, batch_size=BATCH)
        AgendaItem.objects.bulk_create(self.items, batch_size=BATCH)
        Resolution.objects.bulk_create(self.resolutions, batch_size=BATCH)


class _Story:
    """Tells one meeting after another."""

    def __init__(self, county: County, posts: Posts, weft: Weft, leaders: dict[int, User], day: datetime.date) -> None:
        self.county, self.posts, self.day, self.leaders = county, posts, day, leaders
        self.rng = Random(f"{county.code} meetings")  # noqa: S311
        self.units = weft.units
        self.liaisons = {pk: row.user.name for pk, row in weft.liaisons.items()}
        self.here: dict[int, list[Unit]] = defaultdict(list)
        for checkin in weft.checkins:
            self.here[checkin.node.community_id or checkin.node_id].append(checkin.unit)
        self.told = Meetings()
        self._matters = dict.fromkeys(Theme, 0)

    def moment(self, day: datetime.date) -> datetime.datetime:
        return datetime.datetime.combine(day, _HOUR, tzinfo=LOCAL_ZONE)

    def day_in(self, quarter: Quarter) -> datetime.date:
        """A working day of a quarter that is over."""
        day = quarter.first_day + datetime.timedelta(days=self.rng.randint(40, 75))
        return day - datetime.timedelta(days=max(0, day.weekday() - 4))

    def units_of(self, node: GridNode | None) -> list[Unit]:
        if node is None:
            return self.units
        if node.parent_id is None:
            found = [unit for pk in self.communities_of[node.pk] for unit in self.here[pk]]
            return list({unit.pk: unit for unit in found}.values())
        return self.here[node.pk]

    communities_of: dict[int, list[int]]

    def host(self, node: GridNode | None) -> str:
        post = "street_secretary" if node is not None and node.parent_id is None else "community_secretary"
        held = self.posts.holders(post, node.pk) if node is not None else []
        return held[0].name if held else ""

    def meet(self, node: GridNode | None, day: datetime.date, *, state: MeetingState) -> JointMeeting:
        held_at, quarter = self.moment(day), Quarter.of(day)
        over = state == MeetingState.CLOSED
        meeting = JointMeeting(
            county=self.county,
            node=node,
            title=proposed_title(self.county, node, quarter),
            quarter=quarter.first_day,
            held_at=held_at,
            venue=f"{node.name}会议室" if node is not None else f"{self.county.name}会议中心",
            host=self.host(node),
            state=state,
            published_at=held_at - datetime.timedelta(days=7),
            closed_at=held_at + datetime.timedelta(hours=2) if over else None,
            summary="会议对照清单逐项认领，明确责任单位、责任人和期限。" if over else "",
        )
        self.told.meetings.append(meeting)
        for unit in self.units_of(node):
            self.told.attendances.append(self._attendance(meeting, unit, over=over))
        return meeting

    def _attendance(self, meeting: JointMeeting, unit: Unit, *, over: bool) -> Attendance:
        assert meeting.published_at is not None
        answered = meeting.published_at + datetime.timedelta(days=1)
        dice = self.rng.random()
        if dice < 0.1:
            return Attendance(meeting=meeting, unit=unit, state=Presence.EXCUSED, note="另有会议", answered_at=answered)
        if not over and dice > 0.6:
            return Attendance(meeting=meeting, unit=unit)
        state = Presence.PRESENT if over else Presence.COMING
        person = self.liaisons.get(unit.pk, "")
        return Attendance(meeting=meeting, unit=unit, state=state, person=person, answered_at=answered)

    def matter(self, meeting: JointMeeting, order: int, theme: Theme) -> AgendaItem:
        """A problem in words alone, each of a kind in its turn."""
        number = self._matters[theme]
        self._matters[theme] += 1
        title = _MATTERS[theme][number % len(_MATTERS[theme])]
        item = AgendaItem(meeting=meeting, order=order, title=title, theme=theme)
        self.told.items.append(item)
        return item

    def by_leader(self, item: AgendaItem, leader: User) -> None:
        item.state = ItemState.LEADER
        self._resolve(item, ResolutionKind.LEADER, f"请协调解决“{item.title}”", leader.name, leader=leader)

    def by_unit(self, item: AgendaItem) -> None:
        unit = self.rng.choice(self.units_of(item.meeting.node) or self.units)
        item.state, item.unit = ItemState.RESOLVED, unit
        item.claimed_at = item.meeting.held_at + datetime.timedelta(minutes=self.rng.randint(10, 90))
        owner = self.liaisons.get(unit.pk) or "单位负责人"
        self._resolve(item, ResolutionKind.TASK, self.rng.choice(_ACTIONS), owner, unit=unit)

    def _resolve(self, item: AgendaItem, kind: ResolutionKind, text: str, owner: str, **fields: object) -> None:
        """Kept within its quarter and a half; what is younger than that goes on, now and then beyond its day."""
        met = item.meeting.held_at.date()
        due_on = met + datetime.timedelta(days=self.rng.choice((30, 45, 60, 90)))
        done_on = met + datetime.timedelta(days=self.rng.randint(15, 100))
        done = done_on < self.day
        made = Resolution(
            meeting=item.meeting,
            item=item,
            kind=kind,
            text=text,
            owner=owner,
            due_on=due_on,
            state=ResolutionState.DONE if done else ResolutionState.OPEN,
            done_on=done_on if done else None,
            result=self.rng.choice(_RESULTS) if done else "",
            created_at=item.meeting.closed_at,
            **fields,
        )
        self.told.resolutions.append(made)


def hold_meetings(
    county: County,
    facts: CountyFacts,
    nodes: Sequence[GridNode],
    posts: Posts,
    weft: Weft,
    pairings: Sequence[Pairing],
    demands: Sequence[Demand],
    day: datetime.date,
    shown: bool,
) -> Meetings:
    """Writes the meetings of a sample county, in a few statements."""
    leaders = {row.node_id: row.user for row in pairings if row.kind == PairingKind.LEADER and row.user is not None}
    story = _Story(county, posts, weft, leaders, day)
    streets = [node for node in nodes if node.level_key == "street"]
    communities = [node for node in nodes if node.level_key == "community"]
    story.communities_of = {
        street.pk: [node.pk for node in communities if node.parent_id == street.pk] for street in streets
    }
    if facts.exact_demands:
        _zhenlai(story, streets, communities)
    elif facts.preset == "xixiang":
        _xixiang(story, streets, communities)
        if shown:
            _shown(story, communities[0], demands)
    story.told.write()
    return story.told


def _quarters(day: datetime.date, number: int) -> list[Quarter]:
    """The latest quarters that are over, the latest first."""
    found, one = [], Quarter.of(day).previous()
    for _each in range(number):
        found.append(one)
        one = one.previous()
    return found


def _zhenlai(story: _Story, streets: Sequence[GridNode], communities: Sequence[GridNode]) -> None:
    """Each community four times, each street once, the county twice; the figures of L4 to the unit."""
    quarters = _quarters(story.day, 4)
    places: list[tuple[GridNode | None, Quarter]] = [(node, quarter) for quarter in quarters for node in communities]
    places += [(node, quarters[1]) for node in streets]
    places += [(None, quarters[0]), (None, quarters[2])]
    assert len(places) == ZHENLAI_MEETINGS
    themes = list(Theme)
    for number, (node, quarter) in enumerate(places):
        meeting = story.meet(node, story.day_in(quarter), state=MeetingState.CLOSED)
        # One problem each, and a second one at the first ones, until there are seventy.
        for order in range(1, 3 if number < ZHENLAI_PROBLEMS - ZHENLAI_MEETINGS else 2):
            story.matter(meeting, order, themes[len(story.told.items) % len(themes)])
    led = 0
    for item in story.told.items:
        leader = story.leaders.get(item.meeting.node_id or 0)
        if leader is not None and led < ZHENLAI_LEADERS:
            story.by_leader(item, leader)
            led += 1
        else:
            story.by_unit(item)


def _xixiang(story: _Story, streets: Sequence[GridNode], communities: Sequence[GridNode]) -> None:
    """The county three times, each street once, each community in each of three quarters; light."""
    quarters = _quarters(story.day, XIXIANG_COUNTY_MEETINGS)
    places: list[tuple[GridNode | None, Quarter]] = [(None, quarter) for quarter in quarters]
    places += [(node, quarters[0]) for node in streets]
    places += [(node, quarter) for quarter in quarters for node in communities]
    themes = list(Theme)
    for node, quarter in places:
        meeting = story.meet(node, story.day_in(quarter), state=MeetingState.CLOSED)
        several = node is communities[0] and quarter == quarters[0]
        for order in range(1, 6 if several else 2):
            item = story.matter(meeting, order, themes[len(story.told.items) % len(themes)])
            leader = story.leaders.get(meeting.node_id or 0)
            if leader is not None and order == 2:
                story.by_leader(item, leader)
            else:
                story.by_unit(item)
            if several:
                item.said = "社区介绍了情况，参会单位逐一表态，商定先易后难、分步解决。"


def _shown(story: _Story, community: GridNode, demands: Sequence[Demand]) -> None:
    """The shown community's next meeting: the notice is out, and the agenda is of what nobody has yet."""
    ahead = story.day + datetime.timedelta(days=5)
    while ahead.weekday() > 4:
        ahead += datetime.timedelta(days=1)
    meeting = story.meet(community, ahead, state=MeetingState.PUBLISHED)
    meeting.published_at = story.moment(story.day - datetime.timedelta(days=1))
    free = [one for one in demands if one.community_id == community.pk and one.state in ("accepted", "published")]
    free.sort(key=lambda one: (one.escalated_at is None, one.registered_at))
    for order, demand in enumerate(free[:5], start=1):
        story.told.items.append(
            AgendaItem(meeting=meeting, order=order, title=demand.title[:100], theme=theme_of(demand), demand=demand)
        )
    story.matter(meeting, len(free[:5]) + 1, Theme.SERVICE)
