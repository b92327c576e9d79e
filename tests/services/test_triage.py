"""Many demands sorted in one action: what single moves would have done, in a fixed number of statements."""

from collections.abc import Sequence
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from core.audit_check import Check
from core.errors import Forbidden, Invalid, InvalidTransition, NotFound, Stale
from core.models import AuditEntry, OutboxMessage, User
from services.actions import move, triage
from services.actions.triage import Answer, Order
from services.models import Demand, DemandEvent, SubOrder
from tests.cast import Cast
from tests.factories import fresh, make_demand, make_suborder

pytestmark = pytest.mark.django_db


def sort_out(actor: User, *orders: Order) -> list[Answer]:
    return triage.triage(actor=fresh(actor), orders=orders)


def order(demand: Demand, name: str, then: Sequence[tuple[str, dict[str, Any]]] = (), **data: Any) -> Order:
    return Order(demand.pk, demand.version, [(name, data), *then])


def many(cast: Cast, count: int, **fields: Any) -> list[Demand]:
    """So many registered demands as bare rows."""
    at = timezone.now()
    return Demand.objects.bulk_create(
        Demand(
            county=cast.county,
            node=cast.a.building,
            community=cast.a.node,
            category=cast.category,
            code=f"20260101-{number:06d}",
            title="楼道灯不亮",
            text="三楼楼道灯坏了一周。",
            **{"step_due_at": at, **fields},
        )
        for number in range(count)
    )


# --- What it does is what single moves do ---------------------------------------------------------------------------


def _mixed(cast: Cast, rows: list[Demand], mains: list[Demand]) -> list[Order]:
    """Every kind of order there is, refused ones among them."""
    other = cast.categories["环境卫生"]
    kinds = [
        lambda row: order(row, "accept"),
        lambda row: order(row, "accept", category=other),
        lambda row: order(row, "accept", [("dispatch", {"unit": cast.a.unit, "note": "请先看现场"})], category=other),
        lambda row: order(row, "accept", [("publish", {})]),
        lambda row: order(row, "decline", reason="不属于社区职责，请拨打 12345。"),
        lambda row: order(row, "decline", reason=""),
        lambda row: order(row, "link", matter=mains[0]),
        lambda row: order(row, "link", matter=mains[1]),
        lambda row: order(row, "accept", [("dispatch", {"unit": cast.idle_unit})]),
        lambda row: order(row, "accept", [("dispatch", {"unit": cast.a.unit, "supporting": [cast.a.supporting_unit]})]),
        lambda row: order(row, "publish"),
        lambda row: Order(row.pk, 7, [("accept", {})]),
    ]
    return [kinds[number % len(kinds)](row) for number, row in enumerate(rows)]


def _one_by_one(actor: User, orders: Sequence[Order]) -> list[tuple[tuple[str, ...], str]]:
    found = []
    for one in orders:
        done: list[str] = []
        reason, version = "", one.version
        for name, data in one.steps:
            try:
                demand = Demand.objects.get(pk=one.demand)
                move(actor=actor, target=demand, name=name, data=data, version=version)
            except Exception as error:
                reason = str(error)
                break
            done.append(name)
            version = None
        found.append((tuple(done), reason))
    return found


def _state_of(rows: Sequence[Demand], mains: Sequence[Demand]) -> list[Any]:
    """Everything that stands of each demand, without the keys that two sets of rows can not share."""
    mark = {row.pk: f"main {number}" for number, row in enumerate(mains)}
    found = []
    for row in Demand.objects.filter(pk__in=[one.pk for one in (*rows, *mains)]).order_by("pk"):
        keys = {"id", "code", "follow_code", "linked_to_id"}
        own = {one.attname: getattr(row, one.attname) for one in row._meta.concrete_fields if one.attname not in keys}
        orders = [
            {one.attname: getattr(sub, one.attname) for one in sub._meta.concrete_fields} | {"id": 0, "demand_id": 0}
            for sub in row.suborders.order_by("pk")
        ]
        said = ("name", "text", "at", "actor_id", "actor_kind", "from_state", "to_state", "tallied")
        events = [
            [one.title.split("2026")[0], *(getattr(one, name) for name in said)] for one in row.events.order_by("pk")
        ]
        chain = AuditEntry.objects.filter(chain=f"services.demand:{row.pk}").order_by("position")
        deeds = [
            (one.position, one.action, one.actor_id, one.county_id, one.label == row.code, sorted(one.changes))
            for one in chain
        ]
        told = OutboxMessage.objects.filter(key__startswith=f"demand:{row.pk}:").order_by("key")
        notices = [
            (
                one.kind,
                one.title,
                one.body.replace(row.code, ""),
                one.link.split("demand")[0],
                one.audience,
                one.key.split(":")[3:],
            )
            for one in told
        ]
        found.append((own, mark.get(row.linked_to_id or 0), orders, events, deeds, notices))
    return found


def test_it_leaves_row_by_row_what_single_moves_leave(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage, "BATCH", 25)
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    actor = fresh(cast.a.secretary)
    outcomes, states = [], []
    for round_ in range(2):
        mains = [
            make_demand(cast.a.building, cast.category, registered_at=now, step_due_at=now) for _number in range(2)
        ]
        # What is linked already goes along when its matter is linked on.
        rows = [
            make_demand(cast.a.building, cast.category, registered_at=now, step_due_at=now) for _number in range(60)
        ]
        carried = make_demand(cast.a.building, cast.category, state="linked", linked_to=rows[6], registered_at=now)
        orders = _mixed(cast, rows, mains)
        if round_:
            answers = triage.triage(actor=actor, orders=orders)
            outcomes.append([(answer.made, answer.reason) for answer in answers])
        else:
            outcomes.append(_one_by_one(actor, orders))
        states.append(_state_of([*rows, carried], mains))
    assert outcomes[0] == outcomes[1]
    for single, together in zip(*states, strict=True):
        assert single == together
    assert {made for made, _reason in outcomes[1]} >= {(), ("accept",), ("accept", "dispatch"), ("link",)}
    assert not [finding for finding in Check().run() if finding.problem], "the chains of the trail hold"


def test_what_can_not_be_done_is_named_and_the_rest_is_done(cast: Cast) -> None:
    good, stale, gone, foreign = many(cast, 4)
    Demand.objects.filter(pk=stale.pk).update(version=2)
    move(actor=fresh(cast.a.secretary), target=gone, name="decline", data={"reason": "重复"})
    Demand.objects.filter(pk=foreign.pk).update(node=cast.b.building, community=cast.b.node)
    lost = Order(10**9, 1, [("accept", {})])
    answers = sort_out(
        cast.a.secretary,
        order(good, "accept"),
        order(stale, "accept"),
        Order(gone.pk, None, [("accept", {})]),
        order(foreign, "accept"),
        lost,
    )
    assert [type(answer.error) for answer in answers] == [type(None), Stale, InvalidTransition, NotFound, NotFound]
    assert answers[3].demand is None, "who may not know of it is told nothing"
    assert [Demand.objects.get(pk=one.pk).state for one in (good, stale, gone, foreign)] == [
        "accepted",
        "registered",
        "declined",
        "registered",
    ]
    assert DemandEvent.objects.filter(name="accept").count() == 1


def test_a_second_step_that_fails_leaves_the_first_one_standing(cast: Cast) -> None:
    (demand,) = many(cast, 1)
    (answer,) = sort_out(cast.a.secretary, order(demand, "accept", [("dispatch", {"unit": cast.idle_unit})]))
    assert answer.made == ("accept",)
    assert isinstance(answer.error, Invalid) and "没有在" in answer.reason
    demand.refresh_from_db()
    assert (demand.state, demand.version, demand.lead_unit) == ("accepted", 2, None)
    assert not SubOrder.objects.exists()


def test_links_in_a_row_all_lead_to_the_last_one(cast: Cast) -> None:
    first, second, third, late = many(cast, 4)
    answers = sort_out(
        cast.a.secretary,
        order(first, "link", matter=second),
        order(second, "link", matter=third),
        order(late, "link", matter=second),
    )
    assert [answer.made for answer in answers] == [("link",), ("link",), ()]
    assert answers[2].reason, "nobody waits for what was linked itself"
    assert set(Demand.objects.filter(state="linked").values_list("linked_to", flat=True)) == {third.pk}
    assert not [finding for finding in Check().run() if finding.problem]


def test_two_that_are_linked_to_one_another_do_not_both_vanish(cast: Cast) -> None:
    one, other = many(cast, 2)
    answers = sort_out(cast.a.secretary, order(one, "link", matter=other), order(other, "link", matter=one))
    assert [answer.made for answer in answers] == [("link",), ()]
    assert Demand.objects.get(pk=other.pk).state == "registered"


def test_who_has_not_the_right_changes_nothing(cast: Cast) -> None:
    demand, running = many(cast, 2)
    make_suborder(running, cast.a.unit)
    for stranger, error in ((cast.b.secretary, NotFound), (cast.a.keeper, Forbidden), (cast.a.liaison, NotFound)):
        (answer,) = sort_out(stranger, order(demand, "accept"))
        assert isinstance(answer.error, error), stranger
    demand.refresh_from_db()
    assert demand.version == 1
    assert not DemandEvent.objects.exists()


@pytest.mark.parametrize("wrong", ["too many", "twice", "no such move"])
def test_orders_that_make_no_sense_do_nothing(cast: Cast, wrong: str) -> None:
    (demand,) = many(cast, 1)
    orders = {
        "too many": [Order(number, 1, [("accept", {})]) for number in range(triage.MOST + 1)],
        "twice": [order(demand, "accept")] * 2,
        "no such move": [order(demand, "accept"), Order(10**9, 1, [("close_off", {})])],
    }[wrong]
    with pytest.raises(Invalid):
        sort_out(cast.a.secretary, *orders)
    assert Demand.objects.get().state == "registered"


# --- What it costs --------------------------------------------------------------------------------------------------


def statements(actor: User, orders: Sequence[Order]) -> int:
    with CaptureQueriesContext(connection) as captured:
        answers = triage.triage(actor=actor, orders=orders)
    assert all(answer.made == ("accept", "dispatch") for answer in answers)
    return len(captured)


def test_every_five_hundred_cost_the_same_statements(cast: Cast) -> None:
    actor, other = fresh(cast.a.secretary), cast.categories["环境卫生"]
    steps = [("accept", {"category": other}), ("dispatch", {"unit": cast.a.unit})]
    rows = many(cast, 1520)
    triage.triage(actor=actor, orders=[Order(row.pk, row.version, steps) for row in rows[:20]])  # grants, calendar
    orders = [Order(row.pk, row.version, steps) for row in rows[20:]]
    once = statements(actor, orders[:500])
    assert statements(actor, orders[500:]) == once * 2
    if connection.vendor == "postgresql":
        said = "savepoint, locks, orders, check-ins, outside matters, demands, orders, timeline, trail twice, notices"
        assert once <= 16, said
    else:
        assert once <= 150, "the same, in pieces of what SQLite takes at once"


# --- Killed in the middle -------------------------------------------------------------------------------------------


def test_a_worker_killed_between_two_batches_leaves_whole_ones(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triage, "BATCH", 3)
    rows = many(cast, 8)
    seen: list[int] = []

    def written(answers: list[Answer]) -> None:
        if len(seen) == 2:
            raise KeyboardInterrupt
        seen.append(len(answers))

    with pytest.raises(KeyboardInterrupt):
        triage.triage(actor=fresh(cast.a.secretary), orders=[order(row, "accept") for row in rows], written=written)
    assert Demand.objects.filter(state="accepted").count() == 6
    assert DemandEvent.objects.filter(name="accept").count() == 6
    assert AuditEntry.objects.filter(action="demand.accept").count() == 6
