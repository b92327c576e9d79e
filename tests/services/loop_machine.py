"""Random people work random matters through the whole loop; after every step the rules that must always hold are checked.

Moves are read from the transition tables, their inputs made from the kinds they declare: a new move or a new desk is
driven from the day it stands in a table. What must hold is written here by hand. For tests and `script/stress-loop`.
"""

import datetime
import random
import re
from collections import Counter
from itertools import chain
from typing import Any, ClassVar

import time_machine
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from core import policies
from core.actors import RESIDENT, SYSTEM
from core.audit_check import Check
from core.errors import DomainError
from core.models import AuditEntry
from core.periods import LOCAL_ZONE
from core.workflow import Input, Transition
from services import clocks
from services.actions import move, raise_demand, sweeping, tallies
from services.actions.rule_versions import LIMITS
from services.actions.settings import update_category, update_limits
from services.models import (
    Assignment,
    AssignmentState,
    Category,
    Demand,
    DemandEvent,
    DemandState,
    LimitUnit,
    LoopSettings,
    SubOrder,
    SubOrderRole,
    SubOrderState,
    Tally,
)
from services.workflow import ASSIGNMENT, BY_MODEL, DEMAND, SUBORDER
from tests.cast import Cast
from tests.factories import fresh

START = datetime.datetime(2026, 3, 2, 9, 0, tzinfo=LOCAL_ZONE)

number = st.integers(0, 10**6)
WORKERS = (
    "a.officer",
    "a.secretary",
    "a.liaison",
    "a.member",
    "a.second_member",
    "a.supporting_liaison",
    "a.supporting_member",
    "a.staff",
    "street_officer",
    "street_secretary",
    "department",
    "b.officer",
    "b.liaison",
)
# Of this county but with no part in what hangs in the other community, and of no county: what they see is nothing.
STRANGERS = ("nobody", "other_county_admin", "other_county_department", "other_county_secretary", "idle_liaison")
NEIGHBOURS = ("b.secretary", "b.officer", "b.keeper")
# States nothing leads out of.
GONE = {DemandState.DECLINED, DemandState.WITHDRAWN}
# Whose last word stands on the table of states: a lead unit has the matter, or had it and it is done.
WITH_A_LEAD = {DemandState.DISPATCHED, DemandState.FINISHED, DemandState.CHECKED, DemandState.CLOSED_OFF}


def columns(row: Any) -> dict[str, Any]:
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


def words_in(text: Any) -> set[str]:
    return set(re.findall(r"[a-z_]+", str(text)))


class Loop(RuleBasedStateMachine):
    """One county's week: set `cast` before it runs."""

    cast: ClassVar[Cast]
    made: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.clock = time_machine.travel(START, tick=False)
        self.time = self.clock.start()
        clocks.forget_limits()
        self.people = {**self.cast.people(), "resident": RESIDENT, "system": SYSTEM}
        self.known: dict[str, Any] = {}
        self.steps = 0
        self.before = self.world()

    def teardown(self) -> None:
        try:
            self.count_again()
            for name in self.people:
                self.sees_what_it_may(name)
            found = list(Check()._check_chains())
            assert not found, [one.text for one in found]
        finally:
            self.clock.stop()
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)
            clocks.forget_limits()

    # --- The world --------------------------------------------------------------------------------------------------

    def world(self) -> dict[tuple[str, int], dict[str, Any]]:
        """Every row that moves, as it is stored."""
        rows = chain(Demand.objects.all(), SubOrder.objects.all(), Assignment.objects.all())
        return {(row._meta.model_name or "", row.pk): columns(row) for row in rows}

    def traces(self) -> tuple[int, int]:
        return DemandEvent.objects.count(), AuditEntry.objects.count()

    def demand(self, pick: int) -> Demand:
        found = list(Demand.objects.select_related("node", "community", "category", "lead_unit").order_by("pk"))
        return found[pick % len(found)]

    def targets(self, demand: Demand) -> list[Any]:
        orders = list(demand.suborders.select_related("unit", "demand").order_by("pk"))
        offers = list(Assignment.objects.filter(suborder__demand=demand).select_related("suborder__demand", "member"))
        return [demand, *orders, *offers]

    def who(self, name: str) -> Any:
        """As the next request would load them; posts do not change here, so that one loading will do."""
        if name not in self.known:
            person = self.people[name]
            self.known[name] = person if person in (RESIDENT, SYSTEM) else fresh(person)
        return self.known[name]

    # --- What people give with a move -------------------------------------------------------------------------------

    def given(self, row: Transition, demand: Demand, pick: int, careful: bool) -> dict[str, Any]:
        """Inputs by their kinds. A careful person leaves out nothing that is asked for and names days to come."""
        data = {}
        for place, item in enumerate(row.inputs, start=1):
            draw = pick // place
            if item.required or careful or draw % 2:
                data[item.name] = self.value(item, demand, draw, careful)
        return data

    def value(self, item: Input, demand: Demand, draw: int, careful: bool) -> Any:
        cast = self.cast
        units = [cast.a.unit, cast.a.supporting_unit, cast.b.unit, cast.idle_unit]
        members = [cast.a.member, cast.a.second_member, cast.a.supporting_member, cast.b.member]
        places = [cast.a.node, cast.b.node, cast.empty_community, cast.other_street_community]
        if item.kind in ("text", "line"):
            return "已经说明情况" if careful or draw % 5 else ""
        if item.kind == "choice":
            return item.choices[draw % len(item.choices)][0]
        if item.kind == "flag":
            return bool(draw % 2)
        if item.kind == "date":
            return timezone.localdate() + datetime.timedelta(days=(draw % 40) + 1 if careful else (draw % 60) - 10)
        if item.kind == "photos":
            return []
        if item.kind == "unit":
            return units[draw % (2 if careful else len(units))]
        if item.kind == "county_unit":
            return units[draw % len(units)]
        if item.kind == "county_units":
            return units[draw % 4 :] if careful else units[draw % 5 : draw % 5 + 2]
        if item.kind == "moment":
            return timezone.now() + datetime.timedelta(hours=draw % 50 + 1 if careful else draw % 50 - 20)
        if item.kind == "units":
            return units[1:2] if careful else units[draw % 4 : draw % 4 + 2]
        if item.kind == "members":
            return members[draw % 4 : draw % 4 + 1 + draw % 2]
        if item.kind in ("place", "node", "community"):
            return places[draw % len(places)]
        if item.kind == "category":
            found = list(Category.objects.filter(county=cast.county).order_by("pk"))
            return found[draw % len(found)]
        if item.kind == "matter":
            return self.demand(draw)
        raise AssertionError(f"an input of a kind the machine does not know: {item.kind}")

    # --- Steps ------------------------------------------------------------------------------------------------------

    @initialize(picks=st.lists(number, min_size=2, max_size=3))
    def begin(self, picks: list[int]) -> None:
        for pick in picks:
            self.raise_one(pick)

    @rule(pick=number)
    def raise_one(self, pick: int) -> None:
        if Demand.objects.open().count() > 4:
            return
        places = [self.cast.a.building, self.cast.a.entrance, self.cast.b.building]
        kinds = list(Category.objects.filter(county=self.cast.county).order_by("pk"))
        raise_demand(
            actor=RESIDENT,
            node=places[pick % 3],
            category=kinds[pick % len(kinds)],
            text="楼道灯不亮",
            origin="resident",
        )
        self.settle(None)

    @rule(seed=number, presses=st.integers(1, 8))
    def some_work(self, seed: int, presses: int) -> None:
        self.people_work(seed, presses)

    def people_work(self, seed: int, presses: int) -> None:
        """Somebody does what a page offers them, so that matters really get on; mostly the step that leads on."""
        for turn in range(presses):
            luck = random.Random(f"{seed} {turn}")
            offered = self.offered(self.demand(luck.randrange(10**6)))
            if not offered:
                continue
            main = [one for one in offered if one[2].tone == "main"]
            if main and luck.random() < 0.6:
                offered = main
            # First which move, then who: else what many may do would be all that is done.
            wanted = luck.choice(sorted({row.name for _name, _target, row in offered}))
            chosen = luck.choice([one for one in offered if one[2].name == wanted])
            self.attempt(*chosen, luck.randrange(10**6), careful=True)

    @rule(seed=number)
    def people_work_hard(self, seed: int) -> None:
        """Work is what is done most."""
        self.people_work(seed, 8)

    def offered(self, demand: Demand) -> list[tuple[str, Any, Transition]]:
        found: list[tuple[str, Any, Transition]] = []
        targets = self.targets(demand)
        for name in WORKERS:
            person = self.who(name)
            for target in targets:
                if policies.sees(person, target):
                    found += [(name, target, row) for row in BY_MODEL[type(target)].available(target, person)]
        for target in targets:
            for row in BY_MODEL[type(target)].transitions:
                if target.state in row.sources:
                    found += [("resident", target, row)] if row.resident else []
                    found += [("system", target, row)] if row.system and row.right is None else []
        return found

    @rule(seed=number, tries=st.integers(1, 5))
    def anybody_tries_anything(self, seed: int, tries: int) -> None:
        """Anybody tries any move of any table, with whatever they type."""
        for turn in range(tries):
            luck = random.Random(f"{seed} any {turn}")
            target = luck.choice(self.targets(self.demand(luck.randrange(10**6))))
            row = luck.choice(BY_MODEL[type(target)].transitions)
            name = luck.choice(sorted(self.people))
            self.attempt(name, target, row, luck.randrange(10**6), careful=False)

    def attempt(self, name: str, target: Any, row: Transition, inputs: int, *, careful: bool) -> None:
        demand = target if isinstance(target, Demand) else getattr(target, "demand", None) or target.suborder.demand
        data = self.given(row, demand, inputs, careful)
        traces = self.traces()
        refused: DomainError | None = None
        try:
            with transaction.atomic():
                move(actor=self.who(name), target=target, name=row.name, data=data)
        except DomainError as error:
            refused = error
        if refused is not None:
            assert re.search("[\u4e00-\u9fff]", str(refused)), refused
            assert refused.status in (400, 403, 404, 409), refused
            assert self.world() == self.before, f"{name} was refused {row.name}, and something changed"
            assert self.traces() == traces
            self.made[f"{row.name} refused"] += 1
            return
        self.made[row.name] += 1
        assert name not in STRANGERS, f"{name} made {row.name}"
        self.settle(row)

    @rule(hours=st.sampled_from((1, 3, 8, 24, 60, 200, 400)), then=st.sampled_from(("", "sweep", "count", "rules")))
    def time_passes(self, hours: int, then: str) -> None:
        self.time.shift(datetime.timedelta(hours=hours))
        if then == "sweep":
            sweeping.sweep()
            self.settle(None)
        elif then == "count":
            self.count_again()
        elif then == "rules":
            self.rules_change(hours + self.steps, hours * 7 + self.steps)

    def rules_change(self, pick: int, figure: int) -> None:
        """A new limit moves none that is set."""
        name = sorted(LIMITS)[pick % len(LIMITS)]
        low, high = LIMITS[name]
        limits = LoopSettings.objects.get(county=self.cast.county)
        update_limits(actor=SYSTEM, limits=limits, **{name: low + figure % (high - low + 1)})
        category = Category.objects.filter(county=self.cast.county).order_by("pk")[pick % 3]
        unit = LimitUnit.values[figure % 3]
        update_category(actor=SYSTEM, category=category, limit_value=1 + figure % 30, limit_unit=unit)
        assert self.world() == self.before

    def count_again(self) -> None:
        """The tally keeper counts what waits; then the table says what the rows say."""
        tallies.refresh_tallies()
        assert not DemandEvent.objects.filter(tallied=False).exists()
        assert list(tallies.differences(self.cast.county)) == []
        assert sum(Tally.objects.values_list("registered", flat=True)) == Demand.objects.count()

    # --- What must hold ---------------------------------------------------------------------------------------------

    def settle(self, row: Transition | None) -> None:
        """After something was done: clocks and ends, against what was before."""
        after = self.world()
        for key, now in after.items():
            old = self.before.get(key)
            if old is None:
                continue
            if key[0] == "demand":
                self.closed_is_closed(old, now, row)
            if key[0] != "assignment":
                self.clocks_go_forward(old, now, row, key)
        assert self.before.keys() <= after.keys()
        self.before = after
        self.times_are_in_order()
        self.one_lead()
        self.events_tell_the_state()
        self.members_are_asked_once()
        self.nobody_sees_more_than_they_may()

    def closed_is_closed(self, old: dict[str, Any], now: dict[str, Any], row: Transition | None) -> None:
        if old["state"] in GONE:
            assert now["state"] == old["state"]
        if old["state"] == now["state"]:
            return
        ways = {(source, one.target) for one in DEMAND.transitions for source in one.sources}
        ways |= {(source, target) for source, target, _words in DEMAND.driven}
        assert (old["state"], now["state"]) in ways, (row and row.name, old["state"], now["state"])
        if old["state"] == DemandState.CLOSED_OFF:
            assert row is not None and row.name == "reopen"

    def clocks_go_forward(
        self, old: dict[str, Any], now: dict[str, Any], row: Transition | None, key: tuple[str, int]
    ) -> None:
        """A limit moves only in moves whose row says so, and back only where it starts anew."""
        was, is_ = old["due_at"], now["due_at"]
        if was == is_:
            return
        assert row is not None and row.limit, f"{row and row.name} moved the limit of {key}"
        if was is not None and is_ is not None and row.limit != "restarts":
            assert is_ > was, f"{row.name} brought the limit of {key} forward"
        if is_ is not None:
            assert is_ > timezone.now(), f"{row.name} set the limit of {key} into the past"

    def times_are_in_order(self) -> None:
        for (kind, pk), row in self.before.items():
            if kind == "suborder":
                for name in ("signed_at", "finished_at", "returned_at", "contacted_at", "sign_due_at", "due_at"):
                    assert row[name] is None or row[name] >= row["dispatched_at"], (kind, pk, name)
                assert row["warn_at"] is None or row["due_at"] is None or row["warn_at"] <= row["due_at"]
            if kind == "demand":
                begun = row["dispatched_at"]
                assert row["finished_at"] is None or row["finished_at"] >= begun, (kind, pk)
                assert row["due_at"] is None or row["due_at"] > begun, (kind, pk)
                assert row["accepted_at"] is None or row["accepted_at"] >= row["registered_at"]

    def one_lead(self) -> None:
        leads = SubOrder.objects.filter(role=SubOrderRole.LEAD).exclude(state=SubOrderState.RETURNED)
        by_demand: dict[int, list[SubOrder]] = {}
        for row in leads:
            by_demand.setdefault(row.demand_id, []).append(row)
        for demand in Demand.objects.all():
            found = by_demand.get(demand.pk, [])
            assert len(found) <= 1
            if demand.state in WITH_A_LEAD:
                assert [row.unit_id for row in found] == [demand.lead_unit_id], demand.state
            if demand.state == DemandState.DISPATCHED:
                assert found[0].is_running
            elif demand.state in WITH_A_LEAD:
                assert found[0].state == SubOrderState.FINISHED

    def events_tell_the_state(self) -> None:
        """The timeline, replayed with the tables, ends in the states that are stored."""
        assignment_moves = {row.name for row in ASSIGNMENT.transitions}
        orders = {row.pk: row for row in SubOrder.objects.all()}
        for demand in Demand.objects.prefetch_related("events"):
            state, states, last = "", {}, demand.registered_at
            for event in sorted(demand.events.all(), key=lambda event: event.pk):
                assert event.at >= last, (demand.pk, event.name)
                last = event.at
                mine = [pk for pk, row in orders.items() if row.demand_id == demand.pk]
                lead = [
                    pk
                    for pk in mine
                    if orders[pk].is_lead and states.get(pk, "") in ("finished", "in_service", "signed")
                ]
                if event.suborder_id is None:
                    if event.from_state or event.to_state:
                        assert event.from_state == state, (event.name, event.from_state, state)
                        state = event.to_state
                    self.drive(SUBORDER, event.name, states, lead[-1:])
                    continue
                pk = event.suborder_id
                states.setdefault(pk, SUBORDER.initial)
                if event.name in assignment_moves:
                    self.drive(SUBORDER, event.name, states, [pk])
                elif event.from_state or event.to_state:
                    assert event.from_state == states[pk], (event.name, event.from_state, states[pk])
                    states[pk] = event.to_state
                    if orders[pk].is_lead:
                        holder = {0: state}
                        self.drive(DEMAND, event.name, holder, [0])
                        state = holder[0]
            assert state == demand.state, (demand.state, state)
            for pk, found in states.items():
                assert found == orders[pk].state, (found, orders[pk].state)

    @staticmethod
    def drive(flow: Any, name: str, states: dict[int, str], keys: list[int]) -> None:
        """What a move of another table brings along, as the table's own `driven` says."""
        for key in keys:
            for source, target, words in flow.driven:
                if states.get(key) == source and name in words_in(words):
                    states[key] = str(target)
                    break

    def nobody_sees_more_than_they_may(self) -> None:
        """Somebody else after each step, everybody in the end."""
        names = [name for name in self.people if name not in ("resident", "system")]
        self.steps += 1
        self.sees_what_it_may(names[self.steps % len(names)])

    def sees_what_it_may(self, name: str) -> None:
        if name in ("resident", "system"):
            return
        person = self.who(name)
        demands = Demand.objects.select_related("node", "community").prefetch_related("suborders__assignments")
        orders = SubOrder.objects.select_related("demand__node").prefetch_related("assignments")
        offers = Assignment.objects.select_related("suborder__demand__node")
        for rows in (demands, orders, offers):
            model: Any = rows.model
            seen = set(model.objects.visible_to(person).values_list("pk", flat=True))
            for row in rows:
                assert (row.pk in seen) == policies.sees(person, row), (name, model.__name__, row.pk)
            if name in STRANGERS[:4]:
                assert not seen, name
        if name in NEIGHBOURS:
            mine = Demand.objects.filter(community=self.cast.b.node)
            assert set(Demand.objects.visible_to(person)) <= set(mine), name

    def members_are_asked_once(self) -> None:
        live = Assignment.objects.exclude(state__in=[AssignmentState.PASSED_UP, AssignmentState.LAPSED])
        pairs = list(live.values_list("suborder_id", "member_id"))
        assert len(pairs) == len(set(pairs))
