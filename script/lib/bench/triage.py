"""Sorting 2,000 demands in one action, beside single moves of as many. Part of script/bench."""

import time
from typing import Any

DEMANDS = 2000
COUNTY = "610927"


def load() -> tuple[Any, Any, list[Any]]:
    """A secretary, a unit that has reported, and twice so many registered demands."""
    from tests import factories as make
    from tests.factories import spec

    county = make.make_county("分拣县", COUNTY)
    make.make_settings(county)
    category = next(iter(make.make_categories(county).values()))
    nodes = make.grow(county, spec("street", "分拣街道", spec("community", "分拣社区", spec("compound", "小区"))))
    unit = make.make_unit(county, "分拣单位")
    make.check_in(unit, nodes[1])
    secretary = make.make_cadre("分拣书记", "community_secretary", nodes[1])
    return secretary, unit, [make.make_demand(nodes[2], category) for _number in range(2 * DEMANDS)]


def _left(rows: list[Any]) -> list[Any]:
    """What stands of the demands, in order, without keys and moments."""
    from core.models import AuditEntry, OutboxMessage
    from services.models import DemandEvent

    found = []
    for row in rows:
        row.refresh_from_db()
        events = (
            DemandEvent.objects.filter(demand=row).order_by("pk").values_list("name", "title", "from_state", "to_state")
        )
        trail = AuditEntry.objects.filter(chain=f"services.demand:{row.pk}").order_by("position")
        told = OutboxMessage.objects.filter(key__startswith=f"demand:{row.pk}:").values_list("kind", "title")
        limits = [limit is not None for limit in (row.due_at, row.warn_at, row.step_due_at)]
        deeds = [(one.action, sorted(one.changes)) for one in trail]
        found.append((row.state, row.version, row.lead_unit_id, limits, list(events), deeds, list(told)))
    return found


def report() -> bool:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from core import policies
    from core.models import User
    from services.actions import move
    from services.actions.triage import Order, triage

    secretary, unit, rows = load()
    actor = policies.with_hints(User.objects.all()).get(pk=secretary.pk)
    together, single = rows[:DEMANDS], rows[DEMANDS:]
    steps: list[tuple[str, dict[str, Any]]] = [("accept", {}), ("dispatch", {"unit": unit})]

    began = time.perf_counter()
    for row in single:
        for name, data in steps:
            move(actor=actor, target=row, name=name, data=data)
    one_by_one = (time.perf_counter() - began) / DEMANDS
    orders = [Order(row.pk, row.version, steps) for row in together]
    with CaptureQueriesContext(connection) as captured:
        began = time.perf_counter()
        answers = triage(actor=actor, orders=orders)
        at_once = (time.perf_counter() - began) / DEMANDS
    done = sum(answer.error is None for answer in answers)
    same = _left(together) == _left(single)
    met = same and done == DEMANDS and at_once < one_by_one
    print(
        f"\n批量分拣：{DEMANDS} 条受理并派单，{len(captured)} 条 SQL（每 500 条 {len(captured) // 4} 条），{at_once * DEMANDS:.1f} 秒"
    )
    print(
        f"每条 {at_once * 1000:.2f} 毫秒，逐条办理 {one_by_one * 1000:.2f} 毫秒，快 {one_by_one / at_once:.1f} 倍；"
        f"逐条比对{'一致' if same else '不一致'}   {'达到' if met else '未达到'}"
    )
    return met
