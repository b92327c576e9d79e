"""Random people work random matters through the whole loop; after every step the rules that must always hold are checked.

Moves are read from the transition tables, their inputs made from the kinds they declare: a new move or a new desk is
driven from the day it stands in a table. How a move comes about is in `loop_stories`, what must hold in `loop_truths`,
both written by hand. For tests and `script/stress-loop`.
"""

import datetime
import os
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
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
from core.models import AuditEntry, OutboxMessage
from core.moving import advance
from core.periods import LOCAL_ZONE
from core.workflow import Input, Transition, Workflow
from services import actions, clocks, posts
from services.actions import raise_demand, sweeping, tallies
from services.actions.rate_sweep import sweep_rates
from services.actions.rule_versions import LIMITS
from services.actions.settings import update_category, update_limits
from services.models import (
    Category,
    Climb,
    Demand,
    DemandEvent,
    DemandState,
    LimitUnit,
    LoopSettings,
    RateExclusion,
    SubOrder,
    Tally,
)
from services.selectors.rates import rates_of, totals
from services.workflow import BY_MODEL, EXCLUSION, LADDER
from tests import factories as make
from tests.cast import Cast, make_cast
from tests.factories import fresh
from tests.services.loop_inputs import Giving
from tests.services.loop_stories import ALL_MOVES, REQUEST, STORIES, WAITED
from tests.services.loop_truths import (
    JUDGEMENTS,
    MODELS,
    REVIEWS,
    Knowledge,
    World,
    hold,
    judges_others,
    led_from,
    rates_from_events,
    sees_what_it_may,
    the_ladder_stands_nowhere,
)

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
    "leader",
    "both",
    "b.officer",
    "b.secretary",
    "b.liaison",
    "b.supporting_liaison",
    "b.member",
    "idle_liaison",
    "other_street_officer",
)
# Of this county but without a part in it, and of another county: nothing of what hangs here is theirs.
STRANGERS = ("nobody", "other_county_admin", "other_county_department", "other_county_secretary")
OPEN_AT_MOST = 4
BOTH = "两头兼的"

TABLES: dict[Any, Workflow] = {**BY_MODEL, RateExclusion: EXCLUSION, Climb: LADDER}
# The asking itself is no row of a table: the exclusion begins with it.
ASK = Transition(
    "request",
    "申请剔除",
    frozenset(map(str, DemandState)),
    None,
    posts.REQUEST_EXCLUSION,
    inputs=(Input("rates", "率", "rates", required=True), Input("reason", "理由", required=True)),
)
EXCLUDE: dict[str, Callable[..., Any]] = {
    "approve": actions.approve_exclusion,
    "reject": actions.reject_exclusion,
    "withdraw": actions.withdraw_exclusion,
    "reverse": actions.reverse_exclusion,
}


def make_loop_cast() -> Cast:
    """The cast, a leader who looks after one of its communities, and a cadre there who acts for a unit as well."""
    cast = make_cast()
    make.make_appointment(make.make_unit_person(BOTH, cast.a.unit), "community_officer", cast.a.node)
    make.make_pairing(cast.a.node, make.make_cadre("包联领导", "county_leader", cast.county), "leader")
    return cast


def name_of(target: Any, row: Transition) -> str:
    return REQUEST if row is ASK else f"{TABLES[type(target)].name}.{row.name}"


def rows_of(target: Any) -> tuple[Transition, ...]:
    return (*TABLES[type(target)].transitions, *((ASK,) if isinstance(target, Demand) else ()))


class Loop(Giving, RuleBasedStateMachine):
    """One county's weeks: set `cast` (`make_loop_cast`) before it runs."""

    examples: ClassVar[int] = 0
    made: ClassVar[Counter[str]] = Counter()
    refused: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.clock = time_machine.travel(START, tick=False)
        self.time = self.clock.start()
        clocks.forget_limits()
        paired = self.cast.a.node.pairings.get(kind="leader").user
        both = self.cast.a.unit.memberships.get(user__name=BOTH).user
        self.people = {**self.cast.people(), "leader": paired, "both": both, "resident": RESIDENT, "system": SYSTEM}
        self.known: dict[str, Any] = {}
        self.knowledge: dict[str, Knowledge] = {}
        self.steps = 0
        # Where a story that was not told to its end came to stand, and why.
        self.stuck = ""
        self.before = World.now()

    def teardown(self) -> None:
        try:
            self.count_again()
            for name in self.accounts():
                self.sees_what_it_may(name)
            found = list(Check()._check_chains())
            assert not found, [one.text for one in found]
            Loop.examples += 1
            if "STRESS_LOOP" in os.environ:
                line = f"{Loop.examples} examples, {self.made.total()} moves made, {self.refused.total()} refused"
                print(line, flush=True)  # noqa: T201
        finally:
            self.clock.stop()
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)
            clocks.forget_limits()

    # --- The world --------------------------------------------------------------------------------------------------

    def traces(self) -> tuple[int, int, int]:
        return DemandEvent.objects.count(), AuditEntry.objects.count(), OutboxMessage.objects.count()

    def demand(self, pick: int) -> Demand:
        keys = sorted(pk for model, pk in self.before.rows if model == "demand")
        return self.load(keys[pick % len(keys)])

    @staticmethod
    def load(pk: int) -> Demand:
        rows = Demand.objects.select_related("node", "community", "category", "lead_unit", "climb")
        return rows.prefetch_related("suborders__assignments__member", "suborders__unit", "exclusions").get(pk=pk)

    @staticmethod
    def targets(demand: Demand) -> list[Any]:
        """The matter and what moves beside it, all with the one demand in hand."""
        found: list[Any] = [demand]
        for order in demand.suborders.all():
            order.demand = demand
            found.append(order)
            for one in order.assignments.all():
                one.suborder = order
                found.append(one)
        for row in [*demand.exclusions.all(), *([demand.climb] if hasattr(demand, "climb") else [])]:
            row.demand = demand
            found.append(row)
        return found

    def accounts(self) -> list[str]:
        return [name for name in self.people if name not in ("resident", "system")]

    def who(self, name: str) -> Any:
        """As the next request would load them; posts do not change here, so that one loading will do."""
        if name not in self.known:
            person = self.people[name]
            self.known[name] = person if person in (RESIDENT, SYSTEM) else fresh(person)
        return self.known[name]

    # --- Steps ------------------------------------------------------------------------------------------------------

    @initialize(picks=st.lists(number, min_size=2, max_size=3))
    def begin(self, picks: list[int]) -> None:
        for pick in picks:
            self.raise_one(pick)

    @rule(pick=number)
    def raise_one(self, pick: int) -> None:
        if Demand.objects.open().count() <= OPEN_AT_MOST:
            self.registered(pick)

    def registered(self, pick: int) -> int:
        places = [self.cast.a.building, self.cast.a.entrance, self.cast.b.building]
        kinds = list(Category.objects.filter(county=self.cast.county).order_by("pk"))
        demand = raise_demand(
            actor=RESIDENT,
            node=places[pick % 3],
            category=kinds[pick % len(kinds)],
            text="楼道灯不亮",
            origin="resident",
        )
        self.settle(None)
        return demand.pk

    @rule(seed=number, presses=st.integers(1, 8))
    def some_work(self, seed: int, presses: int) -> None:
        self.people_work(seed, presses)

    @rule(seed=number)
    def people_work_hard(self, seed: int) -> None:
        """Work is what is done most."""
        self.people_work(seed, 8)

    def people_work(self, seed: int, presses: int) -> None:
        """Somebody does what a page offers them, so that matters really get on; mostly the step that leads on."""
        for turn in range(presses):
            luck = random.Random(f"{seed} {turn}")
            offered = list(self.offered(self.demand(luck.randrange(10**6))))
            if not offered:
                continue
            main = [one for one in offered if one[2].tone == "main"]
            if main and luck.random() < 0.6:
                offered = main
            # First which move, then who: else what many may do would be all that is done.
            wanted = luck.choice(sorted({name_of(target, row) for _who, target, row in offered}))
            chosen = luck.choice([one for one in offered if name_of(*one[1:]) == wanted])
            self.attempt(*chosen, luck.randrange(10**6), careful=True)

    def offered(self, demand: Demand, only: str = "") -> Iterable[tuple[str, Any, Transition]]:
        """Who may make which move of this matter now."""
        for target in self.targets(demand):
            for row in rows_of(target):
                if getattr(target, TABLES[type(target)].field) not in row.sources:
                    continue
                if only and name_of(target, row) != only:
                    continue
                if row.resident:
                    yield "resident", target, row
                if row.system and row.right is None and not isinstance(target, Climb):
                    yield "system", target, row
                yield from ((name, target, row) for name in WORKERS if self.may(name, target, row))

    def may(self, name: str, target: Any, row: Transition) -> bool:
        person = self.who(name)
        rights = (row.right, *row.also) if row.right else ()
        if not policies.sees(person, target) or not any(policies.can(person, right, target) for right in rights):
            return False
        return row.guard is None or row.guard(target, person) is None

    @rule(name=st.sampled_from(sorted(STORIES)), seed=number)
    def a_story_goes_on(self, name: str, seed: int) -> None:
        """What leads to some move is done, as far as it can be: with a new matter, or from where an old one stands."""
        luck = random.Random(f"{seed} {name}")
        steps = STORIES[name]
        if luck.random() < 0.5 and Demand.objects.open().count() <= OPEN_AT_MOST:
            self.tell(self.registered(luck.randrange(10**6)), steps, luck)
            return
        demand = self.demand(luck.randrange(10**6))
        here = [place for place, step in enumerate(steps) if any(self.offered(demand, step))]
        self.tell(demand.pk, steps[max(here, default=0) :], luck)

    def tell(self, pk: int, steps: Iterable[str], luck: random.Random) -> bool:
        """Makes moves of one matter, one after the other, each by somebody who may; whether it came to the end."""
        self.stuck = ""
        for step in steps:
            if not self.comes_about(pk, step, luck):
                self.stuck = self.stuck or f"{step}: nobody may"
                return False
        return True

    def comes_about(self, pk: int, step: str, luck: random.Random) -> bool:
        if step in WAITED:
            made = self.made[step]
            for _limit in range(16):
                self.next_limit_passes(pk)
                if self.made[step] > made:
                    return True
            return False
        offered = list(self.offered(self.load(pk), step))
        # A matter gets on by what its lead unit does.
        offered = [one for one in offered if getattr(one[1], "role", "") == "lead"] or offered
        # Whoever acts on both sides is the first to judge where a page lets them: `judges_others` says whether it should have.
        offered = [one for one in offered if one[0] == "both" and one[2].name in JUDGEMENTS | REVIEWS] or offered
        return bool(offered) and self.attempt(*luck.choice(offered), luck.randrange(10**6), careful=True)

    @rule(seed=number, tries=st.integers(1, 5))
    def anybody_tries_anything(self, seed: int, tries: int) -> None:
        """Anybody tries any move of any table, with whatever they type; half of the time somebody with the right to."""
        for turn in range(tries):
            luck = random.Random(f"{seed} any {turn}")
            targets = self.targets(self.demand(luck.randrange(10**6)))
            # First a table, then a row of it: else it would nearly always be the matter itself.
            table = luck.choice(sorted({TABLES[type(one)].name for one in targets}))
            target = luck.choice([one for one in targets if TABLES[type(one)].name == table])
            row = luck.choice(rows_of(target))
            entitled = [name for name in WORKERS if row.right and policies.can(self.who(name), row.right, target)]
            name = luck.choice(entitled if entitled and luck.random() < 0.5 else sorted(self.people))
            if isinstance(target, Demand | SubOrder) or name not in ("resident", "system"):
                self.attempt(name, target, row, luck.randrange(10**6), careful=luck.random() < 0.3, page=luck.random())

    def attempt(self, name: str, target: Any, row: Transition, pick: int, *, careful: bool, page: float = 1) -> bool:
        """Whether it was done; where it was refused nothing at all has changed. `page`: small for an old one."""
        data = self.given(name, row, target, pick, careful)
        version = target.version - (page < 0.1) if careful or page < 0.4 else None
        traces, key = self.traces(), name_of(target, row)
        refused: DomainError | None = None
        try:
            self.act(self.who(name), target, row, data, version)
        except DomainError as error:
            refused = error
        if refused is not None:
            assert re.search("[\u4e00-\u9fff]", str(refused)), refused
            assert refused.status in (400, 403, 404, 409), refused
            assert self.traces() == traces
            # Every third time only: reading everything again is what refusals cost most.
            if pick % 3 == 0:
                assert World.now().stored == self.before.stored, f"{name} was refused {key}, and something changed"
            self.refused[key] += 1
            self.stuck = f"{key}: {refused}"
            return False
        self.made[key] += 1
        assert name not in STRANGERS, f"{name} made {key}"
        if name not in ("resident", "system"):
            judges_others(self.knowledge_of(name), self.before, target, row)
        self.settle(row)
        return True

    @staticmethod
    def act(actor: Any, target: Any, row: Transition, data: dict[str, Any], version: int | None) -> None:
        if row is ASK:
            actions.request_exclusion(
                actor=actor, demand=target, rates=data.get("rates", ()), reason=data.get("reason", "")
            )
        elif isinstance(target, RateExclusion):
            words = {item.name: data.get(item.name, "") for item in row.inputs}
            EXCLUDE[row.name](actor=actor, exclusion=target, version=version, **words)
        elif row.name == "instruct":
            actions.instruct(actor=actor, climb=target, text=data.get("text", ""), version=version)
        elif isinstance(target, Climb):
            advance(LADDER, target, row.name, actor=actor, data=data, version=version)
        else:
            actions.move(actor=actor, target=target, name=row.name, data=data, version=version)

    # --- Time -------------------------------------------------------------------------------------------------------

    @rule(hours=st.sampled_from((1, 3, 8, 24, 60, 200, 400)), then=st.sampled_from(("", "sweep", "count", "rules")))
    def time_passes(self, hours: int, then: str) -> None:
        self.time.shift(datetime.timedelta(hours=hours))
        if then == "sweep":
            self.sweep()
        elif then == "count":
            self.count_again()
        elif then == "rules":
            self.rules_change(hours + self.steps, hours * 7 + self.steps)

    @rule(pick=number)
    def a_limit_passes(self, pick: int) -> None:
        self.next_limit_passes(self.demand(pick).pk)

    def next_limit_passes(self, pk: int) -> None:
        """The clock goes on to just after the next moment at which something of a matter is due."""
        now = timezone.now()
        due = []
        for target in self.targets(self.load(pk)):
            for name in ("step_due_at", "warn_at", "due_at", "sign_due_at", "review_due_at", "next_at"):
                moment = getattr(target, name, None)
                due += [moment] if moment is not None and moment > now else []
        self.time.shift(min(due, default=now + datetime.timedelta(days=1)) - now + datetime.timedelta(minutes=1))
        self.sweep()

    def sweep(self) -> None:
        """The sweeper goes round; at once again, and nothing is left for it to do."""
        known = set(AuditEntry.objects.values_list("pk", flat=True))
        sweeping.sweep()
        sweep_rates()
        self.settle(None)
        deeds = AuditEntry.objects.exclude(pk__in=known).values_list("action", flat=True)
        self.made.update(name for name in deeds if name in ALL_MOVES)
        the_ladder_stands_nowhere(self.before)
        traces = self.traces()
        sweeping.sweep()
        sweep_rates()
        assert self.traces() == traces
        assert World.now().stored == self.before.stored, "what it does twice, it does once"

    def rules_change(self, pick: int, figure: int) -> None:
        """A new limit moves none that is set."""
        name = sorted(LIMITS)[pick % len(LIMITS)]
        low, high = LIMITS[name]
        limits = LoopSettings.objects.get(county=self.cast.county)
        update_limits(actor=SYSTEM, limits=limits, **{name: low + figure % (high - low + 1)})
        category = Category.objects.filter(county=self.cast.county).order_by("pk")[pick % 3]
        unit = LimitUnit.values[figure % 3]
        update_category(actor=SYSTEM, category=category, limit_value=1 + figure % 30, limit_unit=unit)
        assert World.now().stored == self.before.stored

    def count_again(self) -> None:
        """The tally keeper counts what waits; then the table says what the rows say, and what the events say."""
        tallies.refresh_tallies()
        assert not DemandEvent.objects.filter(tallied=False).exists()
        assert list(tallies.differences(self.cast.county)) == []
        assert sum(Tally.objects.values_list("registered", flat=True)) == Demand.objects.count()
        for community, told in rates_from_events(self.before).items():
            counted = rates_of(totals(Tally.objects.filter(community=community)))
            found = {name: (one.numerator, one.denominator, one.excluded) for name, one in counted.items()}
            assert found == told, (community, found, told)

    # --- What must hold ---------------------------------------------------------------------------------------------

    def settle(self, row: Transition | None) -> None:
        """After something was done (`row`; None for the sweeper and the raising of a matter)."""
        after = World.now()
        led_from(self.before, after, row)
        self.before = after
        hold(after)
        # Somebody else after each step, everybody in the end.
        names = self.accounts()
        self.steps += 1
        beside = MODELS[3 + self.steps % (len(MODELS) - 3)]
        self.sees_what_it_may(names[self.steps % len(names)], (*MODELS[:3], beside))

    def sees_what_it_may(self, name: str, models: Iterable[Any] = MODELS) -> None:
        sees_what_it_may(self.knowledge_of(name), self.before, name, models)

    def knowledge_of(self, name: str) -> Knowledge:
        if name not in self.knowledge:
            self.knowledge[name] = Knowledge(self.who(name))
        return self.knowledge[name]


def tally() -> str:
    """Which moves were made and refused, how often."""
    width = max(map(len, ALL_MOVES))
    others = sorted(set(Loop.made) - set(ALL_MOVES))
    return "\n".join(
        f"{name:{width}}  made {Loop.made[name]:5}  refused {Loop.refused[name]:5}" for name in chain(ALL_MOVES, others)
    )
