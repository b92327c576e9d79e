"""Members who reported to where they live: what they offer, what they did, last quarter's cards, a certificate.

Figures of docs/domain.md#z1, #z2; names, skills and services are invented. Everything is written set by set.
"""

import datetime
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random

from core.codes import new_certificate_code
from core.periods import Quarter, day_start
from governance.sample import facts as figures
from governance.sample.facts import CountyFacts
from governance.sample.people import BATCH, Posts, show_place
from governance.sample.weft import SHOWN_UNITS, Weft
from grids.models import County, GridNode
from partybuilding.models import Member
from services.models import (
    Certificate,
    FreeTime,
    MemberCard,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
    Skill,
    WishedPost,
)

# What members of a county without figures of its own reported, of each hundred.
_SHARE = 20
# Of those who reported, one in so many served in a quarter.
_SERVING = 4
_WAITING_REPORTS, _WAITING_SERVICES = 6, 5
_TEXTS = (
    ("清理楼道杂物", "2"),
    ("入户宣传反诈骗", "1.5"),
    ("帮独居老人检查水电", "1"),
    ("小区门口文明劝导", "2"),
    ("调解邻里噪音纠纷", "1.5"),
    ("给孩子们辅导作业", "2"),
    ("捡拾绿化带垃圾", "1.5"),
    ("义务理发时维持秩序", "3"),
    ("协助测量血压", "2"),
    ("更换楼道灯泡", "0.5"),
    ("帮老年人用手机缴费", "1"),
    ("消防通道劝导挪车", "1"),
)
_NOTES = ("", "", "", "会用打印机、投影仪", "有电工证", "当过小学老师", "家里有梯子和工具箱", "会说当地方言")


@dataclass
class Reported:
    """What the members of a county reported and did, unsaved until it is written."""

    checkins: list[MemberCheckIn] = field(default_factory=list)
    services: list[ServiceRecord] = field(default_factory=list)
    cards: list[MemberCard] = field(default_factory=list)
    certificates: list[Certificate] = field(default_factory=list)

    @property
    def tables(self) -> Sequence[Sequence[MemberCheckIn | ServiceRecord | MemberCard | Certificate]]:
        return [table for table in (self.checkins, self.services, self.cards, self.certificates) if table]


def settle_members(facts: CountyFacts, nodes: Sequence[GridNode], weft: Weft, shown: bool) -> dict[int, GridNode]:
    """Says, before members are written, who lives in which compound. Answers place in the list of members -> home.

    镇安: all 2,150 take part, 318 of them in 新城社区 (docs/domain.md#z1, #z2).
    """
    rng = Random(f"{facts.code} homes")  # noqa: S311
    members = members_of(weft)
    communities = [node for node in nodes if node.level_key == "community"]
    compounds: dict[int, list[GridNode]] = defaultdict(list)
    for node in nodes:
        if node.level_key == "compound" and node.community_id is not None:
            compounds[node.community_id].append(node)
    if facts.preset == "zhenan":
        first, others = communities[0], communities[1:]
        where = [first] * figures.XINCHENG_MEMBERS
        where += [others[number % len(others)] for number in range(len(members) - len(where))]
        rng.shuffle(where)
    else:
        where = [communities[number % len(communities)] for number in range(len(members) * _SHARE // 100)]
    homes = {}
    for number, community in zip(_order(members, len(where)), where, strict=True):
        homes[number] = rng.choice(compounds[community.pk])
    if shown:
        grid, _building = show_place(list(nodes))
        homes[_shown(weft, members)] = next(node for node in nodes if node.pk == grid.parent_id)
    for number, home in homes.items():
        members[number].home = home
    return homes


def members_of(weft: Weft) -> list[Member]:
    return [row for unit in weft.units for row in weft.members[unit.pk]]


def _order(members: Sequence[Member], count: int) -> list[int]:
    """Members evenly over the units, so that every unit has some who reported."""
    step = max(len(members) // count, 1) if count else 1
    return [number * step for number in range(count)]


def _shown(weft: Weft, members: Sequence[Member]) -> int:
    """The one whose account can be signed in with: the first of its unit."""
    unit = next(unit for unit in weft.units if unit.short_name == SHOWN_UNITS[0])
    return members.index(weft.members[unit.pk][0])


def report_members(
    county: County,
    facts: CountyFacts,
    homes: dict[int, GridNode],
    weft: Weft,
    posts: Posts,
    day: datetime.date,
    shown: bool,
) -> Reported:
    """Writes reports, services, last quarter's cards and a certificate, once the members are there."""
    rng = Random(f"{facts.code} member check-ins")  # noqa: S311
    members = members_of(weft)
    told = Reported()
    quarter = Quarter.of(day).previous()
    me = _shown(weft, members) if shown else -1
    for number, home in sorted(homes.items()):
        told.checkins.append(_checkin(members[number], home, day, quarter, rng))
    if shown:
        _wait(told.checkins, members[me], day)
    MemberCheckIn.objects.bulk_create(told.checkins, batch_size=BATCH)
    accepted = [row for row in told.checkins if row.state == MemberCheckInState.ACCEPTED]
    for place, row in enumerate(accepted):
        if place % _SERVING == 0 or (shown and row.member_id == members[me].pk):
            told.services += _served(row, quarter, day, posts, rng)
    if shown:
        told.services += _latest(accepted, members[me], day)
    ServiceRecord.objects.bulk_create(told.services, batch_size=BATCH)
    told.cards = _cards(told.services, quarter, posts, rng)
    MemberCard.objects.bulk_create(told.cards, batch_size=BATCH)
    if shown:
        told.certificates = [_certificate(county, told.services, members[me], day)]
        Certificate.objects.bulk_create(told.certificates)
    return told


def _checkin(member: Member, home: GridNode, day: datetime.date, quarter: Quarter, rng: Random) -> MemberCheckIn:
    """Reported and accepted before the quarter the cards are about."""
    reported = quarter.first_day - datetime.timedelta(days=rng.randint(3, 200))
    return MemberCheckIn(
        member=member,
        node=home,
        community_id=home.community_id,
        skills=[key for key in Skill.values if rng.random() < 0.14] or [Skill.OTHER.value],
        free_time=[key for key in FreeTime.values if rng.random() < 0.4] or [FreeTime.WEEKEND_AFTERNOON.value],
        wished_post=rng.choice(WishedPost.values),
        note=rng.choice(_NOTES),
        state=MemberCheckInState.ACCEPTED,
        applied_at=day_start(reported),
        decided_at=day_start(reported + datetime.timedelta(days=rng.randint(1, 4))),
    )


def _wait(checkins: Sequence[MemberCheckIn], me: Member, day: datetime.date) -> None:
    """A few reports that the shown community has not answered yet."""
    community = next(row.community_id for row in checkins if row.member is me)
    here = [row for row in checkins if row.community_id == community and row.member is not me]
    for number, row in enumerate(here[:_WAITING_REPORTS]):
        row.state, row.decided_at = MemberCheckInState.APPLIED, None
        row.applied_at = day_start(day - datetime.timedelta(days=number + 1))


def _served(row: MemberCheckIn, quarter: Quarter, day: datetime.date, posts: Posts, rng: Random) -> list[ServiceRecord]:
    """One to three services in the quarter, confirmed a few days later by somebody of the community."""
    days = rng.sample(range((quarter.last_day - quarter.first_day).days), rng.randint(1, 3))
    found = []
    for after in days:
        served_on = quarter.first_day + datetime.timedelta(days=after)
        text, hours = rng.choice(_TEXTS)
        found.append(
            ServiceRecord(
                checkin=row,
                served_on=served_on,
                hours=Decimal(hours),
                text=text,
                state=ServiceState.CONFIRMED,
                entered_at=day_start(served_on),
                decided_at=day_start(served_on + datetime.timedelta(days=2)),
                decided_by=posts.holders("community_secretary", row.community_id)[0],
            )
        )
    return found


def _latest(accepted: Sequence[MemberCheckIn], me: Member, day: datetime.date) -> list[ServiceRecord]:
    """What waits at the shown community: some services to confirm, and one that came back to the shown member."""
    mine = next(row for row in accepted if row.member is me)
    others = [row for row in accepted if row.community_id == mine.community_id and row is not mine]
    found = [
        ServiceRecord(
            checkin=row,
            served_on=day - datetime.timedelta(days=number + 1),
            hours=Decimal(_TEXTS[number][1]),
            text=_TEXTS[number][0],
            entered_at=day_start(day - datetime.timedelta(days=number)),
        )
        for number, row in enumerate(others[:_WAITING_SERVICES])
    ]
    found.append(
        ServiceRecord(
            checkin=mine,
            served_on=day - datetime.timedelta(days=5),
            hours=Decimal(8),
            text="小区门口文明劝导",
            state=ServiceState.SENT_BACK,
            reason="那天活动是上午两个小时，请核对时长。",
            entered_at=day_start(day - datetime.timedelta(days=4)),
            decided_at=day_start(day - datetime.timedelta(days=3)),
        )
    )
    return found


def _cards(services: Sequence[ServiceRecord], quarter: Quarter, posts: Posts, rng: Random) -> list[MemberCard]:
    """What the communities sent back to the units a few days into the new quarter; most units have read theirs."""
    served: dict[tuple[int, int], list[ServiceRecord]] = defaultdict(list)
    for row in services:
        if row.state == ServiceState.CONFIRMED and quarter.contains(row.served_on):
            served[row.checkin.member_id, row.checkin.community_id].append(row)
    sent = day_start(quarter.next().first_day + datetime.timedelta(days=5))
    cards = []
    for (_member, community_id), rows in served.items():
        member = rows[0].checkin.member
        assert member.unit is not None
        unread = member.unit.short_name in SHOWN_UNITS or rng.random() < 0.2
        cards.append(
            MemberCard(
                member=member,
                unit=member.unit,
                community_id=community_id,
                quarter=quarter.first_day,
                services=len(rows),
                hours=sum((row.hours for row in rows), Decimal(0)),
                sent_at=sent,
                sent_by=posts.holders("community_secretary", community_id)[0],
                read_at=None if unread else sent + datetime.timedelta(days=rng.randint(1, 20)),
            )
        )
    return cards


def _certificate(county: County, services: Sequence[ServiceRecord], me: Member, day: datetime.date) -> Certificate:
    rows = [row for row in services if row.checkin.member is me and row.state == ServiceState.CONFIRMED]
    issued = day - datetime.timedelta(days=10)
    return Certificate(
        county=county,
        member=me,
        community_id=rows[0].checkin.community_id,
        code=new_certificate_code(),
        since=issued - datetime.timedelta(days=365),
        until=issued,
        services=len(rows),
        hours=sum((row.hours for row in rows), Decimal(0)),
        issued_at=day_start(issued),
    )
