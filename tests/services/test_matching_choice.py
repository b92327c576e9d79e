"""The points of a pair by what they mean, and the choice for a whole list: never worse than by hand, exact where one can
try everything."""

import datetime
import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching import scorer, solver, weights
from services.matching.features import Need, Offer, Reach, grams
from services.matching.scorer import Miss

TODAY = datetime.date(2026, 11, 21)
WATER, CLEAN = 1, 2


def need(**fields: Any) -> Need:
    given = {
        "key": 1,
        "category": WATER,
        "category_name": "水电气暖",
        "title": "三楼水管漏水",
        "text": "厨房的水管漏水，把楼下都泡了。",
        "tree": 1,
        "at": 50,
        "due": TODAY + datetime.timedelta(days=7),
    }
    return Need(**{**given, **fields})


def offer(**fields: Any) -> Offer:
    given = {
        "key": 1,
        "category": WATER,
        "name": "水管维修队",
        "text": "修水管、换水龙头",
        "tree": 1,
        "first": 40,
        "last": 60,
        "place": "和谐小区",
        "reach": Reach.NEAR,
        "start": TODAY,
        "end": None,
        "left": 3,
        "measure": "次",
        "most": 5,
        "load": 0,
        "kept": 0,
        "due": 0,
    }
    return Offer(**{**given, **fields})


def points(one: Need, other: Offer) -> int:
    return int(scorer.score([one], [other], TODAY).total[0, 0])


def miss(one: Need, *others: Offer, refused: Any = ()) -> Miss:
    found = scorer.score([one], others, TODAY, refused)
    assert not found.total.any()
    return found.miss(0)


def test_the_table_makes_a_hundred_and_says_why() -> None:
    assert sum(weight.most for weight in weights.ALL) == 100
    assert all(weight.why for weight in weights.ALL)
    assert weights.PLACE.most == weights.PLACE_NEAR > weights.PLACE_COMMUNITY > weights.PLACE_STREET
    assert weights.CATEGORY.most + weights.WORDS.most > sum(weight.most for weight in weights.ALL) / 2


def test_the_same_category_and_the_same_words_come_first() -> None:
    best = points(need(), offer())
    clear = {"name": "水管漏水", "text": "厨房水管漏水"}
    assert points(need(), offer(**clear)) > points(need(), offer(**clear, category=None)) > 0
    assert points(need(), offer(**clear, category=None)) > points(need(), offer(**clear, category=CLEAN))
    assert points(need(), offer(**clear)) > best


def test_the_category_alone_is_not_enough_however_near_and_idle_the_unit_is() -> None:
    assert points(need(), offer(name="环境整治", text="清扫院落", kept=50, due=50)) == 0
    assert points(need(), offer(name="环境整治", text="清扫院落", category=CLEAN)) == 0


def test_a_word_of_a_long_text_says_less_than_the_same_word_of_a_short_one() -> None:
    other = offer(name="电动车充电棚", text="")
    short = need(title="请看看", text="楼道里电动车飞线充电。")
    filler = "".join(chr(0x5000 + number) for number in range(300))
    long = need(title="请看看", text=f"楼道里电动车飞线充电。{filler}")
    assert points(long, offer(name="充电柜", text="")) == 0 < points(short, offer(name="充电柜", text=""))
    assert points(short, other) > points(long, other)


def test_common_words_and_particles_prove_nothing() -> None:
    assert grams("我们小区的居民反映") == set()
    assert grams("水管漏水") == {"水管", "管漏", "漏水"}
    assert points(need(), offer(category=None, name="居民服务", text="解决小区居民反映的问题")) == 0


def test_a_rare_word_says_more_than_one_everybody_uses() -> None:
    lists = [need(key=number, title="路灯不亮", text="路灯坏了") for number in range(30)]
    lists.append(need(key=99, title="电梯困人", text="路灯下面"))
    lamps, lift = offer(category=CLEAN, name="路灯"), offer(category=CLEAN, name="电梯")
    rarity = scorer.score(lists, [lamps, lift], TODAY).rarity
    assert rarity["电梯"] > rarity["路灯"]


def test_nearer_places_come_first_and_strange_places_never() -> None:
    near = points(need(), offer())
    community = points(need(), offer(reach=Reach.COMMUNITY, first=2))
    street = points(need(), offer(reach=Reach.STREET, first=1))
    assert near > community > street > 0
    assert miss(need(), offer(first=60, last=70)) == Miss.OUT_OF_AREA
    assert miss(need(), offer(tree=2)) == Miss.OUT_OF_AREA


def test_days_must_suit() -> None:
    day = datetime.timedelta(days=1)
    through = points(need(), offer())
    assert through > points(need(), offer(end=TODAY + day)) > 0
    assert through > points(need(), offer(start=TODAY + day)) > 0
    assert miss(need(), offer(start=TODAY - 9 * day, end=TODAY - day)) == Miss.NOTHING_LEFT
    assert miss(need(), offer(start=TODAY + 30 * day)) == Miss.NOTHING_LEFT


def test_units_with_little_in_hand_and_kept_promises_come_first() -> None:
    assert points(need(), offer(load=0)) > points(need(), offer(load=4)) > points(need(), offer(load=50))
    unknown = points(need(), offer())
    assert points(need(), offer(kept=8, due=8)) > unknown > points(need(), offer(kept=0, due=8))
    # One promise kept does not outrun a long record.
    assert scorer.kept_points(offer(kept=1, due=1)) <= scorer.kept_points(offer(kept=19, due=20))
    assert all(
        0 <= scorer.kept_points(offer(kept=k, due=n)) <= weights.KEPT.most for n in range(30) for k in range(n + 1)
    )


def test_why_nothing_was_found_is_told() -> None:
    other = offer(category=CLEAN, name="清扫", text="")
    assert miss(need(), other) == Miss.NO_CATEGORY
    assert miss(need(), offer(left=0)) == Miss.NOTHING_LEFT
    assert miss(need(), offer(name="停车", text="", load=50, reach=Reach.STREET)) == Miss.WEAK
    assert miss(need(), offer(), refused={(1, 1)}) == Miss.REFUSED
    found = scorer.score([need()], [offer()], TODAY)
    assert found.miss(0) == Miss.TAKEN
    assert set(scorer.MISS_WORDS) == set(Miss)


def test_a_proposal_says_why_in_words() -> None:
    other = offer(kept=7, due=8, load=2)
    assert scorer.score([need()], [other], TODAY).reasons(0, 0) == [
        "类别相同：水电气暖",
        "文字相近：水管",
        "同在和谐小区",
        "办理期限内可用，还有 3 次",
        "目前手上 2 件在办",
        "近一年承诺 8 项按时完成 7 项",
    ]
    own = offer(category=None, load=None, reach=Reach.STREET, place="城北街道", end=TODAY)
    assert scorer.score([need()], [own], TODAY).reasons(0, 0) == [
        "文字相近：水管",
        "城北街道内都可以用",
        "可用到2026年11月21日，要抓紧，还有 3 次",
        "社区自己的资源",
    ]


@pytest.mark.parametrize(("score", "words"), [(100, "很合适"), (80, "很合适"), (79, "合适"), (50, "可以考虑")])
def test_a_score_has_a_word(score: int, words: str) -> None:
    assert weights.grade(score) == words


def test_nothing_on_either_side_is_no_error() -> None:
    assert scorer.score([], [], TODAY).total.shape == (0, 0)
    assert solver.assign(scorer.score([need()], [], TODAY).total, []) == []
    assert solver.assign(scorer.score([], [offer()], TODAY).total, [3]) == []


# --- The choice -----------------------------------------------------------------------------------------------------

lists = st.integers(1, 5).flatmap(
    lambda columns: st.tuples(
        st.lists(
            st.lists(st.one_of(st.just(0), st.integers(50, 100)), min_size=columns, max_size=columns),
            min_size=1,
            max_size=5,
        ),
        st.lists(st.integers(0, 3), min_size=columns, max_size=columns),
    )
)


def best_of_all(rows: list[list[int]], capacities: list[int]) -> int:
    """The most points there are, by trying every choice."""
    best = 0
    for choice in itertools.product(range(-1, len(capacities)), repeat=len(rows)):
        if all(choice.count(column) <= most for column, most in enumerate(capacities)):
            best = max(best, sum(line[column] for line, column in zip(rows, choice, strict=True) if column >= 0))
    return best


@settings(max_examples=60, deadline=None)
@given(lists)
def test_the_choice_is_the_best_there_is_and_keeps_the_rules(case: tuple[list[list[int]], list[int]]) -> None:
    rows, capacities = case
    scores = np.array(rows)
    choice = solver.assign(scores, capacities)
    by_hand = solver.greedy(scores, capacities)
    for found in (choice, by_hand):
        assert len({row for row, _column in found}) == len(found)
        assert all(scores[row, column] > 0 for row, column in found)
        served = [column for _row, column in found]
        assert all(served.count(column) <= most for column, most in enumerate(capacities))
    assert solver.total(scores, by_hand) <= solver.total(scores, choice) == best_of_all(rows, capacities)
    assert solver.assign(scores, capacities) == choice


def test_going_down_the_list_wastes_what_the_next_one_needs() -> None:
    scores = np.array([[90, 85], [88, 0]])
    assert solver.total(scores, solver.greedy(scores, [1, 1])) == 90
    assert solver.assign(scores, [1, 1]) == [(0, 1), (1, 0)]


def test_a_resource_serves_no_more_than_is_left_of_it() -> None:
    assert [offer(left=left, most=3).capacity for left in (0, 1, 9)] == [0, 1, 3]
    needs = [need(key=number) for number in range(4)]
    one = replace(offer(), left=2)
    found = scorer.score(needs, [one], TODAY)
    assert len(solver.assign(found.total, [one.capacity])) == 2
