"""What must hold of the loop at any moment, said a second time and slowly: from the rows as they are stored, from the events
alone, from the posts and units people have. Nothing here asks the code it judges how it would answer.
"""

import datetime
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from django.db.models import Model
from django.utils import timezone

from core.models import User
from core.workflow import Transition
from grids.models import Appointment, GridNode
from partybuilding.models import Member, UnitMembership
from services.models import (
    Assignment,
    AssignmentState,
    Climb,
    Demand,
    DemandEvent,
    DemandState,
    Extension,
    LoopSettings,
    Parking,
    RateExclusion,
    SubOrder,
    SubOrderRole,
    SubOrderState,
    Supervision,
    UnitCheckIn,
    Whistle,
)
from services.selectors.rates import RATES
from services.workflow import ASSIGNMENT, DEMAND, SUBORDER
from services.workflow.waits import AT_REST, WAITS

Key = tuple[str, int]
# States nothing leads out of.
GONE = {DemandState.DECLINED, DemandState.WITHDRAWN, DemandState.LINKED}
# Whose last word stands on the table of states: a lead unit has the matter, or had it and it is done.
WITH_A_LEAD = {DemandState.DISPATCHED, DemandState.FINISHED, DemandState.CHECKED, DemandState.CLOSED_OFF}
MODELS: tuple[type[Model], ...] = (
    Demand,
    SubOrder,
    Assignment,
    Supervision,
    Extension,
    Parking,
    Whistle,
    RateExclusion,
    Climb,
)


def columns(row: Any) -> dict[str, Any]:
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


@dataclass
class World:
    """Every row that moves and every event, as they are stored."""

    rows: dict[Key, Any] = field(default_factory=dict)
    stored: dict[Key, dict[str, Any]] = field(default_factory=dict)
    events: dict[int, list[DemandEvent]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def now(cls) -> "World":
        world = cls()
        for row in chain(*(model._default_manager.order_by("pk") for model in MODELS)):
            key = (row._meta.model_name or "", row.pk)
            world.rows[key], world.stored[key] = row, columns(row)
        for event in DemandEvent.objects.order_by("pk"):
            world.events[event.demand_id].append(event)
        return world

    def of(self, model: type[Model]) -> list[Any]:
        return [row for (name, _pk), row in self.rows.items() if name == model._meta.model_name]

    def demand_of(self, row: Any) -> Demand:
        if isinstance(row, Demand):
            return row
        order = self.order_of(row)
        found: Demand = self.rows["demand", row.demand_id if order is None else order.demand_id]
        return found

    def order_of(self, row: Any) -> SubOrder | None:
        if isinstance(row, SubOrder):
            return row
        return self.rows["suborder", row.suborder_id] if isinstance(row, Assignment | Extension) else None


def hold(world: World) -> None:
    """All that must be true of one moment."""
    times_are_in_order(world)
    one_lead(world)
    events_tell_the_state(world)
    members_are_asked_once(world)
    marks_tell_the_records(world)
    all_that_waits_has_a_clock(world)


# --- Between two moments ----------------------------------------------------------------------------------------------


def led_from(before: World, after: World, row: Transition | None) -> None:
    """What a step (`row`; None for the sweeper) may make of the moment before."""
    assert before.stored.keys() <= after.stored.keys()
    for key, now in after.stored.items():
        old = before.stored.get(key)
        if old is None:
            continue
        if key[0] == "demand":
            _closed_is_closed(old, now, row)
        if key[0] in ("demand", "suborder"):
            _clocks_go_forward(old, now, row, key)
    for pk, events in before.events.items():
        assert [event.pk for event in after.events[pk]][: len(events)] == [event.pk for event in events]


_WAYS = {(source, one.target) for one in DEMAND.transitions for source in one.sources}
_WAYS |= {(source, target) for source, target, _words in DEMAND.driven}


def _closed_is_closed(old: dict[str, Any], now: dict[str, Any], row: Transition | None) -> None:
    if old["state"] == now["state"]:
        return
    assert old["state"] not in GONE, (row and row.name, old["state"], now["state"])
    assert (old["state"], now["state"]) in _WAYS, (row and row.name, old["state"], now["state"])
    if old["state"] == DemandState.CLOSED_OFF:
        assert row is not None and row.name == "reopen"
        days = LoopSettings.objects.get(county_id=old["county_id"]).reopen_days
        assert timezone.now() <= old["closed_at"] + datetime.timedelta(days=days)


def _clocks_go_forward(old: dict[str, Any], now: dict[str, Any], row: Transition | None, key: Key) -> None:
    """A limit moves only in moves whose row says so, and back only where it starts anew."""
    was, is_ = old["due_at"], now["due_at"]
    if was == is_:
        return
    assert row is not None and row.limit, f"{row and row.name} moved the limit of {key}"
    if was is not None and is_ is not None and row.limit != "restarts":
        assert is_ > was, f"{row.name} brought the limit of {key} forward"
    # Who is given more time so late that it is over already was late all along.
    if is_ is not None and row.limit != "extends":
        assert is_ > timezone.now(), f"{row.name} set the limit of {key} into the past"


# Where a place says what a unit's service was worth, and whether it gets what it asks for.
JUDGEMENTS = {"check", "follow_up", "close_off"}
REVIEWS = {"approve_return", "reject_return", "approve_extension", "reject_extension"}


def judges_others(knowledge: "Knowledge", before: World, target: Any, row: Transition) -> None:
    """Whoever made a move did not judge their own service with it, nor decide what their own unit asked for."""
    if isinstance(target, SubOrder) and row.name in REVIEWS:
        assert target.unit_id not in knowledge.units, f"{knowledge.person} made {row.name} for the own unit"
    if isinstance(target, Demand) and row.name in JUDGEMENTS:
        assert target.lead_unit_id not in knowledge.units, (
            f"{knowledge.person} made {row.name} of the own unit's service"
        )
        went = [one for one in before.of(Assignment) if one.state == AssignmentState.TAKEN]
        went = [one for one in went if before.demand_of(one).pk == target.pk]
        assert knowledge.members.isdisjoint(one.member_id for one in went), f"{knowledge.person} made {row.name}"


# --- At one moment ----------------------------------------------------------------------------------------------------


def times_are_in_order(world: World) -> None:
    for row in world.of(SubOrder):
        for name in ("signed_at", "finished_at", "returned_at", "contacted_at", "sign_due_at", "due_at"):
            moment = getattr(row, name)
            assert moment is None or moment >= row.dispatched_at, (row.pk, name)
        assert row.warn_at is None or row.due_at is None or row.warn_at <= row.due_at
    for row in world.of(Demand):
        begun = row.dispatched_at
        assert row.finished_at is None or row.finished_at >= begun, row.pk
        assert row.due_at is None or row.due_at > begun, row.pk
        assert row.accepted_at is None or row.accepted_at >= row.registered_at


def one_lead(world: World) -> None:
    leads: dict[int, list[SubOrder]] = defaultdict(list)
    for row in world.of(SubOrder):
        if row.role == SubOrderRole.LEAD and row.state != SubOrderState.RETURNED:
            leads[row.demand_id].append(row)
    for demand in world.of(Demand):
        found = leads[demand.pk]
        assert len(found) <= 1
        if demand.state in WITH_A_LEAD:
            assert [row.unit_id for row in found] == [demand.lead_unit_id], demand.state
        if demand.state == DemandState.DISPATCHED:
            assert found[0].is_running
        elif demand.state in WITH_A_LEAD:
            assert found[0].state == SubOrderState.FINISHED


def events_tell_the_state(world: World) -> None:
    """The timeline, replayed with the tables, ends in the states that are stored."""
    assignment_moves = {row.name for row in ASSIGNMENT.transitions}
    orders = {row.pk: row for row in world.of(SubOrder)}
    for demand in world.of(Demand):
        state, last = "", demand.registered_at
        states: dict[int, str] = {}
        for event in world.events[demand.pk]:
            assert event.at >= last, (demand.pk, event.name)
            last = event.at
            at_work = ("finished", "in_service", "signed")
            lead = [pk for pk, found in states.items() if orders[pk].is_lead and found in at_work]
            if event.suborder_id is None:
                if event.from_state or event.to_state:
                    assert event.from_state == state, (event.name, event.from_state, state)
                    state = event.to_state
                _drive(SUBORDER, event.name, states, lead[-1:])
                continue
            pk = event.suborder_id
            states.setdefault(pk, SUBORDER.initial)
            if event.name in assignment_moves:
                _drive(SUBORDER, event.name, states, [pk])
            elif event.from_state or event.to_state:
                assert event.from_state == states[pk], (event.name, event.from_state, states[pk])
                states[pk] = event.to_state
                if orders[pk].is_lead:
                    holder = {0: state}
                    _drive(DEMAND, event.name, holder, [0])
                    state = holder[0]
        assert state == demand.state, (demand.state, state)
        for pk, found in states.items():
            assert found == orders[pk].state, (found, orders[pk].state)


def _drive(flow: Any, name: str, states: dict[int, str], keys: list[int]) -> None:
    """What a move of another table brings along, as the table's own `driven` says."""
    for key in keys:
        for source, target, words in flow.driven:
            if states.get(key) == source and name in str(words).replace("、", " ").split():
                states[key] = str(target)
                break


def members_are_asked_once(world: World) -> None:
    gone = (AssignmentState.PASSED_UP, AssignmentState.LAPSED)
    pairs = [(row.suborder_id, row.member_id) for row in world.of(Assignment) if row.state not in gone]
    assert len(pairs) == len(set(pairs))


def marks_tell_the_records(world: World) -> None:
    """What a demand or an order says of the records beside it, for lists and guards, is what they say."""
    asked = {row.demand_id: row.unit_id for row in world.of(Supervision) if row.answered_at is None}
    called = {row.demand_id for row in world.of(Whistle) if row.ended_at is None}
    extended = {row.suborder_id: row.number for row in world.of(Extension) if row.state == "waiting"}
    parked = {(row.demand_id, row.until) for row in world.of(Parking)}
    left_out = {
        (row.demand_id, rate) for row in world.of(RateExclusion) if row.state == "approved" for rate in row.rates
    }
    for demand in world.of(Demand):
        assert (demand.supervised_at is not None) == (demand.pk in asked)
        assert demand.supervised_unit_id == asked.get(demand.pk)
        assert (demand.whistled_at is not None) == (demand.pk in called)
        assert demand.parked_until is None or (demand.pk, demand.parked_until) in parked
        assert {rate for rate in RATES if getattr(demand, f"skip_{rate}")} == {
            rate for pk, rate in left_out if pk == demand.pk
        }
        if demand.state == DemandState.LINKED:
            # Who was linked has an answer to wait for.
            assert world.rows["demand", demand.linked_to_id].state not in (DemandState.LINKED, DemandState.WITHDRAWN)
    for order in world.of(SubOrder):
        assert order.extension_waiting == extended.get(order.pk, 0)


def all_that_waits_has_a_clock(world: World) -> None:
    """Each row in a state that the table of waits names has the moment at which somebody hears of it."""
    waits = {(row.of, row.state): row.clock.split(".")[-1] for row in WAITS}
    for model in (Demand, SubOrder, Assignment):
        for row in world.of(model):
            clock = waits.get((row._meta.model_name, row.state))
            if clock is None:
                assert row.state in AT_REST[row._meta.model_name]
                continue
            holder = world.order_of(row) if row.state == AssignmentState.TAKEN else row
            if row.state != AssignmentState.TAKEN or (holder and holder.is_running):
                assert getattr(holder, clock) is not None, (row, row.state, clock)
    for order in world.of(SubOrder):
        if order.is_running:
            assert order.remind_at is not None or not is_late_support(order), order.pk
        if order.extension_waiting:
            assert order.review_due_at is not None


def the_ladder_stands_nowhere(world: World) -> None:
    """Right after the sweeper: what is near its limit or past it is on the ladder, and knows when it climbs next."""
    climbs = {row.demand_id: row for row in world.of(Climb)}
    now, today = timezone.now(), timezone.localdate()
    for demand in world.of(Demand):
        parked = demand.parked_until is not None and demand.parked_until > today
        if (
            demand.state in ("accepted", "published", "dispatched")
            and demand.warn_at
            and demand.warn_at <= now
            and not parked
        ):
            row = climbs[demand.pk]
            assert (row.limit, row.next_at is not None and row.next_at > now) == (demand.due_at, True), demand.code


def is_late_support(order: SubOrder) -> bool:
    return order.role == SubOrderRole.SUPPORTING and order.due_at is not None and order.due_at < timezone.now()


# --- Who knows of what ------------------------------------------------------------------------------------------------

# Posts whose holders know the needs of their place, by hand (docs/domain.md); of the cast's posts no others do.
_KNOW = {
    "county_department",
    "county_leader",
    "street_secretary",
    "street_officer",
    "community_secretary",
    "community_officer",
    "community_team_lead",
    "grid_keeper",
    "building_head",
}


@dataclass
class Knowledge:
    """What one person may know of, worked out from what they are: posts, units, membership. Posts do not change here."""

    person: User

    def __post_init__(self) -> None:
        posts = Appointment.objects.filter(user=self.person, end__isnull=True, post__in=_KNOW)
        self.counties = {row.county_id for row in posts if row.county_id}
        self.places = {row.node_id for row in posts if row.node_id}
        self.units = set(UnitMembership.objects.filter(user=self.person).values_list("unit_id", flat=True))
        self.members = set(Member.objects.filter(user=self.person).values_list("pk", flat=True))
        reported = UnitCheckIn.objects.filter(unit_id__in=self.units)
        self.reported = set(reported.values_list("node_id", flat=True))
        self.parents = dict(GridNode.objects.values_list("pk", "parent_id"))

    def around(self, node_id: int | None) -> Iterable[int]:
        """A place and everything it lies in."""
        while node_id is not None:
            yield node_id
            node_id = self.parents[node_id]

    def by_place(self, demand: Demand) -> bool:
        return demand.county_id in self.counties or not self.places.isdisjoint(self.around(demand.node_id))

    def by_work(self, world: World, demand: Demand) -> bool:
        """Their unit was given it, or they are asked to serve there."""
        orders = [row for row in world.of(SubOrder) if row.demand_id == demand.pk]
        return any(row.unit_id in self.units or self.is_asked(world, row) for row in orders)

    def is_asked(self, world: World, order: SubOrder) -> bool:
        asked = (row for row in world.of(Assignment) if row.suborder_id == order.pk and row.member_id in self.members)
        return any(row.state in (AssignmentState.OFFERED, AssignmentState.TAKEN) for row in asked)

    def by_offer(self, demand: Demand) -> bool:
        if demand.published_at is None or demand.state in (DemandState.WITHDRAWN, DemandState.DECLINED):
            return False
        return not self.reported.isdisjoint(self.around(demand.node_id))

    def knows(self, world: World, row: Any) -> bool:
        demand = world.demand_of(row)
        if self.by_place(demand):
            return True
        if isinstance(row, Demand):
            return self.by_work(world, demand) or self.by_offer(demand)
        if isinstance(row, SubOrder):
            return row.unit_id in self.units or self.is_asked(world, row)
        if isinstance(row, Assignment):
            order = world.order_of(row)
            return row.member_id in self.members or (order is not None and order.unit_id in self.units)
        return self.by_work(world, demand)


def sees_what_it_may(knowledge: Knowledge, world: World, name: str, models: Iterable[type[Model]]) -> None:
    for model in models:
        manager: Any = model._default_manager
        seen = set(manager.visible_to(knowledge.person).values_list("pk", flat=True))
        may = {row.pk for row in world.of(model) if knowledge.knows(world, row)}
        assert seen == may, (name, model.__name__, seen ^ may)


# --- The three rates --------------------------------------------------------------------------------------------------

Figures = dict[str, tuple[int, int, int]]
_LABELS = {str(one.label): name for name, one in RATES.items()}


def rates_from_events(world: World) -> dict[int, Figures]:
    """Community -> rate -> numerator, denominator, left out; from timelines, and the limits orders were given."""
    counted: dict[int, dict[str, list[int]]] = defaultdict(lambda: {name: [0, 0, 0] for name in RATES})
    orders = {row.pk: row for row in world.of(SubOrder)}
    for demand in world.of(Demand):
        found = counted[demand.community_id]
        heard, left_out = _heard(world.events[demand.pk])
        due: dict[str, bool | None] = {
            "resolution": None if heard is None else heard[0] == "已解决",
            "satisfaction": None if heard is None else heard[1] in ("满意", "基本满意"),
            "response": _answered(world.events[demand.pk], orders, demand),
        }
        for name, met in due.items():
            if met is not None and name in left_out:
                found[name][2] += 1
            elif met is not None:
                found[name][0] += met
                found[name][1] += 1
    return {key: {name: (n, d, out) for name, (n, d, out) in found.items()} for key, found in counted.items()}


def _heard(events: list[DemandEvent]) -> tuple[list[str] | None, set[str]]:
    """The resident's last word in this round, and the rates the demand is left out of."""
    heard, left_out = None, set()
    for event in events:
        words = event.title.split("：")[-1]
        if event.name in ("redo", "reopen"):
            heard = None
        elif event.name in ("evaluate", "follow_up") and words != "未联系上" and event.from_state != DemandState.LINKED:
            heard = words.split("，")
        elif event.name == "exclude":
            left_out |= {_LABELS[label] for label in words.split("、")}
        elif event.name == "exclude_reverse":
            left_out -= {_LABELS[label] for label in words.split("、")}
    return heard, left_out


def _answered(events: list[DemandEvent], orders: dict[int, SubOrder], demand: Demand) -> bool | None:
    """Whether the lead unit answered in time; None where it still may, or there is none."""
    lead = next(
        (row for row in orders.values() if row.demand_id == demand.pk and row.is_lead and not row.returned_at), None
    )
    if lead is None:
        return None
    mine = [event for event in events if event.suborder_id == lead.pk]
    signed = next((event.at for event in mine if event.name == "sign"), None)
    spoke = (event for event in mine if event.name == "report" or (event.name == "sign" and event.text))
    contacted = next((event.at for event in spoke), None)
    if signed is not None and contacted is not None:
        assert lead.sign_due_at is not None and lead.contact_due_at is not None
        return signed <= lead.sign_due_at and contacted <= lead.contact_due_at
    return False if any(event.name == "response_late" for event in mine) else None
