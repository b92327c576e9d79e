"""Made-up households of the care ledger: every need, every kind of consent, some due, some overdue, some run out.

The grid whose keeper can be signed in with has one of everything; any other has one or two.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from core.models import User
from core.periods import Quarter, day_start
from governance.sample import names
from governance.sample.people import BATCH, Posts
from grids.care import CADENCE, consents_for, expiry, next_visit
from grids.models import CareHousehold, CareKind, CareNeed, CareVisit, ConsentKind, County, GridNode

# Far behind the people who hold posts: a resident is nobody's colleague.
_FIRST_NUMBER = 8000
_KINDS = (
    *(CareKind.ELDERLY_ALONE,) * 5,
    *(CareKind.EMPTY_NEST,) * 4,
    *(CareKind.DISABILITY,) * 3,
    *(CareKind.LOW_INCOME,) * 3,
    *(CareKind.VETERAN_FAMILY,) * 2,
    CareKind.CHILD_LEFT_BEHIND,
    CareKind.CHILD_IN_DIFFICULTY,
    CareKind.SUDDEN_HARDSHIP,
)
_TEXTS = (
    "一切都好，没有需要。",
    "灯泡坏了，已帮忙换好。",
    "腿脚不便，请志愿者每周代购一次。",
    "想参加社区食堂，已告知报名办法。",
    "水龙头漏水，已上报维修。",
    "孩子放学没人接，已联系四点半课堂。",
    "申请临时救助，材料已帮忙准备。",
    "",
)
# The households of the grid that is shown: days since they were confirmed, and days since the last visit.
_SHOWN = (
    (3, 2, (CareKind.ELDERLY_ALONE,)),
    (5, 5, (CareKind.ELDERLY_ALONE, CareKind.LOW_INCOME)),
    (40, 19, (CareKind.ELDERLY_ALONE,)),
    (12, 12, (CareKind.EMPTY_NEST,)),
    (100, 45, (CareKind.EMPTY_NEST, CareKind.VETERAN_FAMILY)),
    (20, 8, (CareKind.DISABILITY,)),
    (110, 28, (CareKind.DISABILITY, CareKind.ELDERLY_ALONE)),
    (9, 9, (CareKind.CHILD_LEFT_BEHIND,)),
    (95, 33, (CareKind.CHILD_IN_DIFFICULTY,)),
    (15, 15, (CareKind.LOW_INCOME,)),
    (130, 60, (CareKind.VETERAN_FAMILY,)),
    (30, 30, (CareKind.SUDDEN_HARDSHIP,)),
    (345, 200, (CareKind.LOW_INCOME,)),
    (380, 120, (CareKind.EMPTY_NEST,)),
)


@dataclass
class Ledger:
    """What is to be written, all unsaved."""

    households: list[CareHousehold]
    needs: list[CareNeed]
    visits: list[CareVisit]


def raise_households(
    county: County, nodes: Sequence[GridNode], posts: Posts, day: datetime.date, shown: GridNode | None
) -> list[CareHousehold]:
    """Writes the ledger of a sample county, in three statements a thousand rows.

    Args:
        day: the sample's day; everything was written down before it began.
        shown: the grid whose keeper can be signed in with, if there is one.
    """
    rng = Random(f"{county.code} care")  # noqa: S311
    found = Ledger([], [], [])
    for grid, buildings in _grids(nodes):
        keeper = next(iter(posts.holders("grid_keeper", grid.pk)), None)
        plans = _SHOWN if shown is not None and grid.pk == shown.pk else _plans(rng, day)
        for since, visited, kinds in plans:
            _add(found, rng, rng.choice(buildings), keeper, day, since, visited, kinds)
    CareHousehold.objects.bulk_create(found.households, batch_size=BATCH)
    CareNeed.objects.bulk_create(found.needs, batch_size=BATCH)
    CareVisit.objects.bulk_create(found.visits, batch_size=BATCH)
    return found.households


def _grids(nodes: Sequence[GridNode]) -> Iterator[tuple[GridNode, list[GridNode]]]:
    """Every grid (or sector, where there are none) with the buildings in it."""
    level = "grid" if any(node.level_key == "grid" for node in nodes) else "sector"
    inside: dict[int, list[GridNode]] = defaultdict(list)
    grid = None
    for node in nodes:
        if node.level_key == level:
            grid = node
        elif node.level_key == "building" and grid is not None and node.tree_id == grid.tree_id:
            inside[grid.pk].append(node)
    yield from ((node, inside[node.pk]) for node in nodes if node.level_key == level and inside[node.pk])


def _plans(rng: Random, day: datetime.date) -> Iterator[tuple[int, int, tuple[CareKind, ...]]]:
    """Most were confirmed this quarter; a few wait for it, and fewer are about to run out."""
    this_quarter = max((day - Quarter.of(day).first_day).days, 1)
    for _household in range(rng.choice((1, 1, 2))):
        since = rng.choices((rng.randrange(1, this_quarter + 1), rng.randrange(90, 300), 350, 375), (80, 15, 3, 2))[0]
        kinds = tuple(dict.fromkeys(rng.choices(_KINDS, k=rng.choice((1, 1, 1, 2)))))
        rhythm = min(CADENCE[kind] for kind in kinds)
        yield since, min(since, rng.randrange(1, rhythm + rhythm // 4 + 2)), kinds


def _add(
    found: Ledger,
    rng: Random,
    building: GridNode,
    keeper: User | None,
    day: datetime.date,
    since: int,
    visited: int,
    kinds: Sequence[CareKind],
) -> None:
    number = len(found.households)
    confirmed_on, visited_on = (day - datetime.timedelta(days=days) for days in (since, visited))
    good = sorted(consents_for(kinds) - ({ConsentKind.GUARDIAN} if not _of_a_child(kinds) else {ConsentKind.WRITTEN}))
    consent_on = confirmed_on - datetime.timedelta(days=rng.choice((0, 30, 90)))
    one = CareHousehold(
        county_id=building.county_id,
        node=building,
        community_id=building.community_id,
        room=f"{rng.randrange(1, 4)}单元{rng.randrange(1, 7)}0{rng.randrange(1, 3)}室",
        name=names.person(_FIRST_NUMBER + number),
        phone=names.resident_phone(number) if rng.random() < 0.9 else "",
        consent=rng.choice(good),
        consent_on=consent_on,
        confirmed_on=confirmed_on,
        expires_on=expiry(confirmed_on, 12),
        last_visit_on=visited_on,
        next_visit_on=next_visit(visited_on, kinds, CADENCE),
        created_by=keeper,
        created_at=day_start(consent_on),
    )
    found.households.append(one)
    found.needs += [CareNeed(household=one, kind=kind) for kind in kinds]
    for back in (0, 1, 2):
        when = visited_on - datetime.timedelta(days=back * min(CADENCE[kind] for kind in kinds))
        if when >= consent_on:
            text = rng.choice(_TEXTS)
            found.visits.append(
                CareVisit(household=one, visited_on=when, visited_by=keeper, text=text, created_at=day_start(when))
            )


def _of_a_child(kinds: Sequence[CareKind]) -> bool:
    return not {CareKind.CHILD_LEFT_BEHIND, CareKind.CHILD_IN_DIFFICULTY}.isdisjoint(kinds)
