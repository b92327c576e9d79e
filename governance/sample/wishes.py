"""Made-up small wishes of households in difficulty, in every state: some twenty in 镇赉 (docs/domain.md#l5), a few in the
community whose people sign in. Everything happened before the sample's day; no wish names anybody.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle

from core.codes import new_matter_code
from core.models import User
from core.periods import Quarter, day_start
from governance.sample import names
from governance.sample.people import Posts, show_place
from governance.sample.weft import Weft
from grids.care import consents_for
from grids.models import CareKind, ConsentKind, County, GridNode
from services.models import MemberCheckIn, MemberCheckInState, ServiceRecord, Wish, WishState

# Far behind the households of the care ledger: nobody stands on both.
_FIRST_NUMBER = 12_000
# Wish, description, need, yuan, what was given, thanks.
_WISHES = (
    ("一副老花镜", "三百度，看报用", CareKind.ELDERLY_ALONE, 120, "配好的老花镜一副", "看得清报纸了，谢谢"),
    ("一台收音机", "声音大一些的", CareKind.ELDERLY_ALONE, 180, "收音机一台，教会了用法", "天天听戏，谢谢"),
    ("一辆轮椅", "出门晒太阳用，可折叠", CareKind.DISABILITY, 480, "折叠轮椅一辆", "能出门了，谢谢好心人"),
    ("一套课外书", "小学四年级", CareKind.CHILD_LEFT_BEHIND, 150, "课外书十本", "书都看完了一遍，谢谢叔叔阿姨"),
    ("一个新书包", "", CareKind.CHILD_IN_DIFFICULTY, 100, "书包和文具一套", "很喜欢，谢谢"),
    ("过冬的棉被", "双人的", CareKind.LOW_INCOME, 260, "棉被一床", "这个冬天暖和了"),
    ("修好漏水的水龙头", "换个水龙头就行", CareKind.EMPTY_NEST, 60, "换了水龙头和软管", "不滴水了，谢谢师傅"),
    ("一部老年手机", "能和儿女视频", CareKind.EMPTY_NEST, 500, "老年手机一部", "见着孙子了，谢谢"),
    ("一张护理床垫", "", CareKind.DISABILITY, 400, "防褥疮床垫一张", ""),
    ("有人陪着去一次县医院", "复查，要排队", CareKind.ELDERLY_ALONE, 0, "陪着看了一上午", "一个人真不行，谢谢"),
    ("一双冬鞋", "四十二码", CareKind.LOW_INCOME, 90, "棉鞋一双", ""),
    ("一盏台灯", "孩子晚上写作业用", CareKind.CHILD_LEFT_BEHIND, 80, "护眼台灯一盏", "写作业不费眼了"),
    (
        "把老照片翻拍洗出来",
        "部队里的老照片",
        CareKind.VETERAN_FAMILY,
        50,
        "翻拍了二十张，装了相册",
        "留给孩子们看，谢谢",
    ),
    ("一个电饭锅", "火灾后添置", CareKind.SUDDEN_HARDSHIP, 200, "电饭锅一个", "又能做饭了，谢谢大家"),
)
# State, days since it was collected, who adopted (m a member, u a unit), days until the limit.
_ALL: tuple[tuple[WishState, int, str, int], ...] = (
    (WishState.COLLECTED, 1, "", 2),
    (WishState.COLLECTED, 2, "", 1),
    (WishState.COLLECTED, 6, "", -2),
    (WishState.OPEN, 5, "", 26),
    (WishState.OPEN, 9, "", 22),
    (WishState.OPEN, 12, "", 20),
    (WishState.OPEN, 38, "", -4),
    (WishState.ADOPTED, 10, "m", 12),
    (WishState.ADOPTED, 14, "u", 9),
    (WishState.ADOPTED, 20, "m", 2),
    (WishState.ADOPTED, 35, "u", -3),
    (WishState.DONE, 16, "m", 2),
    (WishState.DONE, 21, "u", 1),
    (WishState.THANKED, 25, "m", 0),
    (WishState.THANKED, 30, "u", 0),
    (WishState.THANKED, 41, "m", 0),
    (WishState.THANKED, 52, "u", 0),
    (WishState.THANKED, 60, "m", 0),
    (WishState.DECLINED, 22, "", 0),
    (WishState.ENDED, 50, "", 0),
)
# What the community whose people sign in has of it.
_SHOWN = tuple(_ALL[number] for number in (0, 1, 3, 4, 5, 7, 8, 11, 13, 14, 19))
_REASONS = {WishState.DECLINED: "费用超过微心愿的上限，已按帮扶个案办理", WishState.ENDED: "子女已经买好了"}


@dataclass
class Wished:
    """The rows that were written."""

    wishes: list[Wish] = field(default_factory=list)
    services: list[ServiceRecord] = field(default_factory=list)

    @property
    def tables(self) -> list[Sequence[Wish | ServiceRecord]]:
        """Those that hold something, for the trail."""
        return [rows for rows in (self.services, self.wishes) if rows]


def write_wishes(
    county: County,
    nodes: Sequence[GridNode],
    weft: Weft,
    posts: Posts,
    homes: Sequence[MemberCheckIn],
    day: datetime.date,
    shown: GridNode | None,
) -> Wished:
    """Writes a county's wishes.

    Args:
        homes: members' reports. shown: the community whose people sign in; without one, the wishes are spread over four.
    """
    told = Wished()
    communities = [node for node in nodes if node.level_key == "community"]
    places = [shown] if shown is not None else communities[:4]
    buildings = {
        place.pk: [node for node in nodes if node.level_key == "building" and node.community_id == place.pk]
        for place in places
    }
    reported = {
        place.pk: cycle(
            [row for row in homes if row.community_id == place.pk and row.state == MemberCheckInState.ACCEPTED]
            or [None]
        )
        for place in places
    }
    units = {
        place.pk: cycle([row.unit for row in weft.checkins if row.node.community_id == place.pk] or [None])
        for place in places
    }
    if shown is not None:
        # The grid whose keeper can be signed in with has a good part of them.
        grid, _building = show_place(list(nodes))
        mine = [node for node in buildings[shown.pk] if node.parent_id == grid.pk]
        buildings[shown.pk] = [*mine, *buildings[shown.pk][::9]]
    for number, (state, since, who, left) in enumerate(_SHOWN if shown is not None else _ALL):
        place = places[number % len(places)]
        inside = buildings[place.pk]
        node = inside[number % len(inside)] if inside else place
        wish = _wish(county, node, place, _collector(posts, node, place), number, day, since)
        home = next(reported[place.pk]) if who == "m" else None
        unit = next(units[place.pk]) if who and home is None else None
        _go(told, wish, state, day, since, left, home, unit)
    ServiceRecord.objects.bulk_create(told.services)
    Wish.objects.bulk_create(told.wishes)
    return told


def _collector(posts: Posts, node: GridNode, place: GridNode) -> User:
    held = posts.holders("grid_keeper", node.parent_id or 0) or posts.holders("community_secretary", place.pk)
    return held[0]


def _wish(
    county: County, node: GridNode, place: GridNode, collector: User, number: int, day: datetime.date, since: int
) -> Wish:
    title, text, kind, cost, _given, _thanks = _WISHES[number % len(_WISHES)]
    collected = day - datetime.timedelta(days=since)
    paper = ConsentKind.SPOKEN not in consents_for([kind])
    child = kind in (CareKind.CHILD_LEFT_BEHIND, CareKind.CHILD_IN_DIFFICULTY)
    return Wish(
        county=county,
        node=node,
        community=place,
        code=new_matter_code(collected),
        title=title,
        text=text,
        recipient_kind=kind,
        recipient_name=names.person(_FIRST_NUMBER + county.pk * 40 + number),
        recipient_phone=names.resident_phone(6000 + county.pk * 40 + number) if number % 4 else "",
        consent=ConsentKind.GUARDIAN if child else ConsentKind.WRITTEN if paper else ConsentKind.SPOKEN,
        cost=cost,
        collected_by=collector,
        collected_at=day_start(collected) + datetime.timedelta(hours=10),
    )


def _go(
    told: Wished,
    wish: Wish,
    state: WishState,
    day: datetime.date,
    since: int,
    left: int,
    home: MemberCheckIn | None,
    unit: object,
) -> None:
    """Takes a wish as far as its state, a few days a step."""
    given, thanks = next((row[4], row[5]) for row in _WISHES if row[0] == wish.title)
    one, noon = datetime.timedelta(days=1), datetime.timedelta(hours=15)
    wish.state = state
    wish.reason = _REASONS.get(state, "")
    if state not in (WishState.COLLECTED, WishState.DECLINED):
        wish.opened_at = wish.collected_at + one
    if home is not None or unit is not None:
        wish.member, wish.unit = (home.member, None) if home is not None else (None, unit)  # type: ignore[assignment]
        wish.adopted_at = wish.collected_at + 4 * one
    if state in (WishState.DONE, WishState.THANKED):
        done_on = day - (since - 10) * one
        wish.result, wish.done_at = given, day_start(done_on) + noon
        # Not in a quarter whose cards are sent already.
        if home is not None and done_on > max(home.applied_at.date(), Quarter.of(day).first_day):
            thanked = state == WishState.THANKED
            wish.service = ServiceRecord(
                checkin=home,
                served_on=done_on,
                hours="1.5",
                text=f"圆微心愿 {wish.code}：{wish.title}",
                state="confirmed" if thanked else "entered",
                entered_at=wish.done_at,
                decided_at=wish.done_at + one if thanked else None,
                decided_by=wish.collected_by if thanked else None,
            )
            told.services.append(wish.service)
    if state == WishState.THANKED:
        assert wish.done_at is not None
        wish.thanks, wish.thanked_at = thanks, wish.done_at + one
    if state in (WishState.THANKED, WishState.DECLINED, WishState.ENDED):
        wish.closed_at = wish.thanked_at or wish.collected_at + 3 * one
    else:
        wish.due_at = day_start(day) + left * one + datetime.timedelta(hours=18)
    told.wishes.append(wish)
