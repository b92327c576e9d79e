"""Many people who redraw one street at the same time, seeded: each makes, moves, splits, merges, renames and retires
places, and hangs demands, check-ins and posts on them. For the suite (a few seconds) and `script/stress-tree` (longer).
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db import DatabaseError, OperationalError, connection

from core.actors import RESIDENT, SYSTEM
from core.errors import DomainError
from core.models import User
from grids.actions import (
    NewPart,
    appoint,
    create_node,
    merge_nodes,
    move_node,
    rename_node,
    retire_node,
    split_node,
)
from grids.models import GridNode, Level
from grids.posts import posts_at
from partybuilding.models import Unit
from services.actions import check_in, raise_demand
from services.models import Category
from tests import factories as make
from tests.factories import spec


@dataclass
class Street:
    """What the writers work on: two streets of one county, the first of them crowded."""

    county: Any
    tree_id: int
    other_tree_id: int
    officers: list[int]
    people: list[int]
    units: list[int]
    category_id: int


def build(communities: int = 3, officers: int = 16) -> Street:
    """A street of some hundred places, a small one beside it, and the people who will work there at once."""
    county = make.make_county()
    make.make_settings(county)
    category = make.make_categories(county)["其他"]
    crowded = make.grow(county, spec("street", "城北街道", *[_community(f"第{n}社区") for n in range(communities)]))
    beside = make.grow(county, spec("street", "城南街道", _community("南门社区")))
    officer_pks = []
    for number in range(officers):
        officer = make.make_cadre(f"干部{number}", "street_officer", crowded[0])
        make.make_appointment(officer, "street_officer", beside[0])
        officer_pks.append(officer.pk)
    people = [make.make_user(f"居民{number}", county=county).pk for number in range(40)]
    units = [make.make_unit(county, f"单位{number}").pk for number in range(20)]
    return Street(county, crowded[0].tree_id, beside[0].tree_id, officer_pks, people, units, category.pk)


def _community(name: str) -> make.Spec:
    grids = [
        spec("grid", f"第{grid}网格", *[spec("building", f"{building} 号楼") for building in range(5)])
        for grid in range(3)
    ]
    return spec("community", name, *[spec("compound", f"{name}小区{n}", *grids) for n in range(3)])


@dataclass
class Outcome:
    """What came of it: operations by name, refusals by operation and code, and what should never reach a user."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    deadlocks: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    slowest: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def run(street: Street, *, writers: int = 16, seconds: float, seed: int) -> Outcome:
    """Lets the writers loose at the same moment and waits for them."""
    outcome = Outcome()
    lock, ready = threading.Lock(), threading.Barrier(writers)
    began = time.monotonic()

    def work(number: int) -> None:
        writer = Writer(street, random.Random(f"{seed}-{number}"), street.officers[number % len(street.officers)])
        try:
            ready.wait(timeout=60)
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                name, deed = writer.choose()
                at = time.monotonic()
                _once(outcome, lock, name, deed)
                with lock:
                    outcome.slowest[name] = max(outcome.slowest.get(name, 0.0), time.monotonic() - at)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=seconds + 120)
    assert not any(thread.is_alive() for thread in threads)
    outcome.seconds = time.monotonic() - began
    return outcome


def _once(outcome: Outcome, lock: threading.Lock, name: str, deed: Callable[[], bool]) -> None:
    try:
        went = deed()
    except DomainError as error:
        with lock:
            outcome.refused[name, error.code] += 1
    except OperationalError as error:
        with lock:
            outcome.deadlocks.append(f"{name}: {error}")
    except (DatabaseError, Exception) as error:
        with lock:
            outcome.faults.append(f"{name}: {type(error).__name__}: {error}")
    else:
        if went:
            with lock:
                outcome.done[name] += 1


class Writer:
    """One person with a mind of their own."""

    def __init__(self, street: Street, rng: random.Random, officer: int) -> None:
        self.street, self.rng, self.officer, self.names = street, rng, officer, 0
        self.category = Category.objects.get(pk=street.category_id)
        self.deeds: list[tuple[str, Callable[[], bool], int]] = [
            ("create", self.create, 30),
            ("move", self.move, 16),
            ("split", self.split, 7),
            ("merge", self.merge, 6),
            ("retire", self.retire, 12),
            ("rename", self.rename, 8),
            ("demand", self.demand, 14),
            ("appoint", self.appoint, 4),
            ("check-in", self.check_in, 3),
        ]

    def choose(self) -> tuple[str, Callable[[], bool]]:
        name, deed, _weight = self.rng.choices(self.deeds, [weight for _name, _deed, weight in self.deeds])[0]
        return name, deed

    @property
    def actor(self) -> User:
        """Read anew each time, as a request does."""
        return User.objects.get(pk=self.officer)

    def name(self) -> str:
        self.names += 1
        return f"{self.officer}-{self.names}"

    def nodes(self, *levels: str, other: bool = False) -> list[GridNode]:
        trees = [self.street.tree_id, self.street.other_tree_id] if other else [self.street.tree_id]
        found = GridNode.objects.standing().filter(tree_id__in=trees).select_related("level_type", "county", "parent")
        return list(found.at(*levels) if levels else found)

    def one(self, *levels: str, other: bool = False) -> GridNode | None:
        found = self.nodes(*levels, other=other)
        return self.rng.choice(found) if found else None

    def create(self) -> bool:
        parent = self.one("community", "compound", "grid", "building")
        if parent is None:
            return False
        later = Level.objects.filter(county=parent.county, order__gt=parent.level_type.order).order_by("order")
        level = self.rng.choice(list(later))
        create_node(actor=self.actor, parent=parent, level=level.key, name=self.name())
        return True

    def move(self) -> bool:
        node = self.one("compound", "grid", "building", "unit_entrance", "community")
        parent = self.one("street", "community", "compound", "grid", other=self.rng.random() < 0.1)
        if node is None or parent is None:
            return False
        move_node(actor=self.actor, node=node, parent=parent)
        return True

    def split(self) -> bool:
        node = self.one("compound", "grid", "building")
        if node is None:
            return False
        children = [child for child in GridNode.objects.standing().filter(parent=node) if self.rng.random() < 0.5]
        split_node(actor=self.actor, node=node, parts=[NewPart(self.name(), children)], reason="拆分")
        return True

    def merge(self) -> bool:
        node = self.one("compound", "grid", "building")
        if node is None:
            return False
        alike = [one for one in self.nodes(node.level_type.key) if one.pk != node.pk]
        sources = self.rng.sample(alike, min(len(alike), self.rng.randint(1, 2)))
        merge_nodes(actor=self.actor, node=node, sources=sources, reason="合并", wanted={"grids.appointment": "follow"})
        return True

    def retire(self) -> bool:
        node, successor = self.one("grid", "building", "unit_entrance", "floor"), self.one("grid", "building")
        if node is None:
            return False
        retire_node(actor=self.actor, node=node, reason="撤销", successor=successor)
        return True

    def rename(self) -> bool:
        node = self.one("community", "compound", "grid", "building")
        if node is None:
            return False
        rename_node(actor=self.actor, node=node, name=self.name(), version=node.version)
        return True

    def demand(self) -> bool:
        node = self.one("grid", "building", "unit_entrance")
        if node is None:
            return False
        raise_demand(actor=RESIDENT, node=node, category=self.category, text="楼道灯不亮", origin="resident")
        return True

    def appoint(self) -> bool:
        node = self.one("grid", "building")
        if node is None:
            return False
        user = User.objects.get(pk=self.rng.choice(self.street.people))
        appoint(actor=self.actor, user=user, post=posts_at(node.level_type.key)[0].key, place=node)
        return True

    def check_in(self) -> bool:
        node = self.one("community", "grid")
        if node is None:
            return False
        check_in(actor=SYSTEM, unit=Unit.objects.get(pk=self.rng.choice(self.street.units)), node=node)
        return True
