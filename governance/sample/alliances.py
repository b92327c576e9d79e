"""Joint bodies with their seats, and a station for floating members, in a sample county.

镇赉: 10 alliances, one a community, with 10 standing chairs, 20 rotating chairs and 120 members (docs/domain.md#l4): in each
the paired leader, two units that take turns by half-year, and twelve. Elsewhere every community has a 大党委 with part-time
members from the units that reported there (docs/domain.md#g4), and every street a 大工委.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.models import User
from governance.sample import names
from governance.sample.people import BATCH, Posts
from governance.sample.weft import Weft
from grids.models import County, GridNode
from partybuilding.alliance_rules import NAMES
from partybuilding.models import (
    Alliance,
    AllianceKind,
    AllianceSeat,
    FloatingContact,
    FloatingMember,
    SeatRole,
    Station,
    Unit,
)

# docs/domain.md#l4: 120 members on 10 alliances, 20 rotating chairs.
MEMBERS, TURNS = 12, 2
_PART_TIME = 5
_HALF_YEAR = 182
_FOUNDED = datetime.date(2023, 3, 1)
# Kept elsewhere, days since registration, days since the last contact (None: none yet); the last is overdue.
_FLOATING = (
    ("外省示例市建筑集团第三党支部", 300, 12),
    ("邻县示例镇示例村党支部", 210, 45),
    ("省城示例街道示例社区党支部", 150, 30),
    ("外省示例物流公司党支部", 60, None),
    ("邻市示例学校党支部", 400, 120),
)
_CONTACTED = ("电话问候，工作稳定，愿意参加周末志愿服务。", "来驿站参加了主题党日，帮助办理了子女入学咨询。")


def seat_alliances(
    county: County,
    nodes: Sequence[GridNode],
    weft: Weft,
    posts: Posts,
    leaders: Sequence[User],
    day: datetime.date,
    *,
    of_communities: bool,
) -> tuple[list[Alliance], list[AllianceSeat]]:
    """Writes the joint bodies of a county.

    Args:
        of_communities: an alliance for each community, as in 镇赉; else a 大党委 each, and a 大工委 for each street.
    """
    communities = [node for node in nodes if node.level_key == "community"]
    alliances, seats = [], []
    if of_communities:
        for number, (node, units) in enumerate(zip(communities, _units_of(communities, weft), strict=True)):
            body = _body(county, node, AllianceKind.ALLIANCE)
            alliances.append(body)
            seats += _alliance_seats(body, leaders[number % len(leaders)], units, weft, day)
    else:
        for node in nodes:
            if node.level_key == "street":
                body, role, title = (
                    _body(county, node, AllianceKind.STREET_COMMITTEE),
                    "street_secretary",
                    "街道党工委书记",
                )
            elif node.level_key == "community":
                body, role = _body(county, node, AllianceKind.COMMUNITY_COMMITTEE), "community_secretary"
                title = "社区党组织书记"
            else:
                continue
            alliances.append(body)
            chairs = posts.holders(role, node.pk)[:1]
            seats += [_seat(body, SeatRole.STANDING_CHAIR, user, None, title) for user in chairs]
            if node.level_key == "community":
                reported = [row.unit for row in weft.checkins if row.node.community_id == node.pk]
                seats += [
                    _seat(body, SeatRole.PART_TIME, weft.liaisons[unit.pk].user, unit, "负责人")
                    for unit in list(dict.fromkeys(reported))[:_PART_TIME]
                ]
    Alliance.objects.bulk_create(alliances, batch_size=BATCH)
    AllianceSeat.objects.bulk_create(seats, batch_size=BATCH)
    return alliances, seats


def open_station(
    county: County, community: GridNode, posts: Posts, day: datetime.date
) -> tuple[list[Station], list[FloatingMember]]:
    """Writes a station in a community with a few invented floating members, one of whom nobody was in touch with."""
    keepers = posts.holders("community_officer", community.pk) or posts.holders("community_secretary", community.pk)
    keeper = keepers[0] if keepers else None
    station = Station(county=county, node=community, name=f"{community.name}流动党员驿站", keeper=keeper)
    station.address = "示例路 1 号党群服务中心一楼"
    station.save(force_insert=True)
    floating = [
        FloatingMember(
            county=county,
            station=station,
            name=names.person(13_000 + number),
            phone=names.resident_phone(9_000 + number),
            kept_at=kept_at,
            contact=keeper,
            start=day - datetime.timedelta(days=since),
        )
        for number, (kept_at, since, _last) in enumerate(_FLOATING)
    ]
    FloatingMember.objects.bulk_create(floating, batch_size=BATCH)
    FloatingContact.objects.bulk_create(
        FloatingContact(
            floating=one,
            contacted_on=day - datetime.timedelta(days=last),
            text=_CONTACTED[number % len(_CONTACTED)],
            by=keeper,
        )
        for number, (one, (_kept, _since, last)) in enumerate(zip(floating, _FLOATING, strict=True))
        if last is not None
    )
    return [station], floating


def _body(county: County, node: GridNode, kind: AllianceKind) -> Alliance:
    return Alliance(county=county, node=node, kind=kind, name=f"{node.name}{NAMES[kind]}", founded_on=_FOUNDED)


def _seat(body: Alliance, role: SeatRole, user: User, unit: Unit | None, title: str) -> AllianceSeat:
    return AllianceSeat(alliance=body, role=role, name=user.name, unit=unit, title=title, start=_FOUNDED)


def _alliance_seats(
    body: Alliance, leader: User, units: Sequence[Unit], weft: Weft, day: datetime.date
) -> Iterator[AllianceSeat]:
    yield _seat(body, SeatRole.STANDING_CHAIR, leader, None, "县级领导")
    begun = day - datetime.timedelta(days=60)
    for number, unit in enumerate(units[:TURNS]):
        chair = _seat(body, SeatRole.ROTATING_CHAIR, weft.liaisons[unit.pk].user, unit, "主要负责人")
        chair.start = begun + datetime.timedelta(days=_HALF_YEAR * number)
        chair.end = begun + datetime.timedelta(days=_HALF_YEAR * (number + 1))
        yield chair
    for unit in units[TURNS:]:
        yield _seat(body, SeatRole.MEMBER, weft.liaisons[unit.pk].user, unit, "成员单位负责人")


def _units_of(communities: Sequence[GridNode], weft: Weft) -> Iterator[list[Unit]]:
    """For each community the units that sit on its alliance: first those that reported there, then others in turn."""
    reported: dict[int, list[Unit]] = defaultdict(list)
    for row in weft.checkins:
        reported[row.node.community_id or 0].append(row.unit)
    for number, node in enumerate(communities):
        turned = [*weft.units[number * MEMBERS :], *weft.units[: number * MEMBERS]]
        yield list(dict.fromkeys([*reported[node.pk], *turned]))[: MEMBERS + TURNS]
