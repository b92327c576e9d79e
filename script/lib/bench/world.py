"""The bench's county: two streets, fourteen communities, a hundred thousand demands, loaded in bulk."""

import datetime
import random
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from core.models import User
from services.actions.tallies import rebuild_tallies
from services.models import Demand, DemandEvent, SubOrder
from tests import factories as make
from tests.factories import spec

BATCH = 5000
STATES = ["registered", "accepted", "published", "dispatched", "finished", "checked", "closed_off", "closed_off"]


@dataclass
class World:
    officer: User
    street_officer: User
    department: User
    liaison: User
    node: Any
    category: Any
    accepted: list[str]
    # What can be dispatched, with a unit that has reported there; what waits to be signed, with whose liaison may.
    to_dispatch: list[tuple[str, int]]
    to_sign: list[tuple[str, User]]
    sample: str


def load(demands: int) -> World:
    """Fills an empty database. Deterministic: the same numbers give the same rows."""
    rng = random.Random(1)
    county = make.make_county()
    make.make_settings(county)
    categories = list(make.make_categories(county).values())
    communities, buildings = [], []
    for street in range(2):
        nodes = make.grow(
            county,
            spec(
                "street",
                f"第{street + 1}街道",
                *(
                    spec(
                        "community",
                        f"第{street * 7 + number + 1}社区",
                        spec(
                            "compound",
                            "小区",
                            spec("grid", "网格", *(spec("building", f"{b} 号楼") for b in range(10))),
                        ),
                    )
                    for number in range(7)
                ),
            ),
        )
        communities += [node for node in nodes if node.level_key == "community"]
        buildings += [node for node in nodes if node.level_key == "building"]
    units = [make.make_unit(county, f"第{number}单位") for number in range(90)]
    for unit in units:
        make.check_in(unit, communities[units.index(unit) % len(communities)])
    _fill(demands, rng, county, categories, buildings, units)
    rebuild_tallies(county)
    first = communities[0]
    accepted = list(
        Demand.objects.filter(node__tree_id=first.tree_id, state="accepted").values_list("code", "community_id")
    )
    reported = {node.pk: unit.pk for node, unit in zip(communities, units, strict=False)}
    half = len(accepted) // 2
    liaisons = {unit.pk: make.make_unit_person(f"联络员{unit.pk}", unit) for unit in units}
    unsigned = SubOrder.objects.filter(state="dispatched").order_by("pk").values_list("demand__code", "unit_id")
    return World(
        officer=make.make_cadre("干部", "community_officer", first),
        street_officer=make.make_cadre("街道干部", "street_officer", first.parent),
        department=make.make_cadre("组织部", "county_department", county),
        liaison=liaisons[units[0].pk],
        node=buildings[0],
        category=categories[0],
        accepted=[code for code, _community in accepted[:half]],
        to_dispatch=[(code, reported[community]) for code, community in accepted[half:]],
        to_sign=[(code, liaisons[unit]) for code, unit in unsigned],
        sample=Demand.objects.filter(community=first, state="dispatched").values_list("code", flat=True)[0],
    )


def _fill(demands: int, rng: random.Random, county: Any, categories: Any, buildings: Any, units: Any) -> None:
    now = timezone.now()
    for start in range(0, demands, BATCH):
        rows = []
        for number in range(start, min(start + BATCH, demands)):
            node, state, at = (
                rng.choice(buildings),
                rng.choice(STATES),
                now - datetime.timedelta(hours=rng.random() * 4000),
            )
            given = state not in ("registered", "accepted", "published")
            done = state in ("finished", "checked", "closed_off")
            rows.append(
                Demand(
                    county=county,
                    node=node,
                    community_id=node.community_id,
                    code=f"20260101-{number:06d}",
                    follow_code=f"{number:012d}",
                    category=rng.choice(categories),
                    title=f"第 {number} 件事",
                    text="楼道灯坏了，晚上老人上下楼不方便。" * 3,
                    state=state,
                    registered_at=at,
                    lead_unit=rng.choice(units) if given else None,
                    dispatched_at=at if given else None,
                    due_at=at + datetime.timedelta(days=5) if given else None,
                    finished_at=at + datetime.timedelta(days=rng.random() * 6) if done else None,
                    solved=rng.random() < 0.9 if state == "closed_off" else None,
                    satisfaction="satisfied" if state == "closed_off" else "",
                )
            )
        saved = Demand.objects.bulk_create(rows)
        SubOrder.objects.bulk_create(
            SubOrder(
                demand=row,
                unit_id=row.lead_unit_id,
                state="finished" if row.finished_at else "dispatched" if row.pk % 2 else "signed",
                due_at=row.due_at,
                signed_at=row.dispatched_at if row.finished_at or not row.pk % 2 else None,
                contacted_at=row.dispatched_at,
            )
            for row in saved
            if row.lead_unit_id
        )
        DemandEvent.objects.bulk_create(
            DemandEvent(demand=row, name=name, title=name, at=row.registered_at)
            for row in saved
            for name in ("raise", "accept", "dispatch")
        )
