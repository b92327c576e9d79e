"""Who may make which move from which state, written down by hand: state x move x person -> allowed, 403, 404 or 409.

The tables here are the rules of docs/practice.md#loop in a tester's words. They are kept apart from `services.workflow`
on purpose: a changed row there must turn a test here red (`script/mutate` proves that it does).
"""

import datetime
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from django.utils import timezone

from core import policies
from core.actors import RESIDENT, SYSTEM, user_of
from core.errors import DomainError, Invalid, InvalidTransition
from core.models import User
from core.workflow import Workflow, mermaid
from grids.posts import POSTS, Post
from services.actions import carrying, move
from services.models import (
    Assignment,
    Demand,
    DemandEvent,
    Extension,
    SubOrder,
    SubOrderRole,
    Supervision,
    Whistle,
)
from services.posts import RIGHT_LABELS
from services.workflow import ASSIGNMENT, DEMAND, SUBORDER
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

pytestmark = pytest.mark.django_db

# --- The rules ------------------------------------------------------------------------------------------------------

COMMUNITY = {"a.secretary", "a.officer", "a.team_lead"}
STREET = {"street_secretary", "street_officer"}
DEPARTMENT = {"department"}
LIAISON = {"a.liaison"}
MEMBER = {"a.member"}
LIAISONS_OF_THE_PLACE = {"a.liaison", "a.supporting_liaison"}

# Everybody whose post lies around the building, and so knows of the demand whatever its state.
AROUND = COMMUNITY | STREET | DEPARTMENT | {"a.keeper", "a.building_head"}
UNITS_OF_THE_PLACE = LIAISONS_OF_THE_PLACE | {"a.staff"}

BEFORE_A_UNIT_HAS_IT = {"registered", "accepted", "published"}
WITH_A_UNIT = {"dispatched", "finished", "checked", "closed_off"}
DEMAND_STATES = BEFORE_A_UNIT_HAS_IT | WITH_A_UNIT | {"declined", "withdrawn", "linked"}
SUBORDER_STATES = {"dispatched", "signed", "return_requested", "returned", "in_service", "finished"}
ASSIGNMENT_STATES = {"offered", "taken", "passed_up", "lapsed"}

# move: (states it starts from, who may make it)
DEMAND_MOVES: dict[str, tuple[set[str], set[str]]] = {
    "accept": ({"registered"}, COMMUNITY),
    "decline": ({"registered"}, COMMUNITY),
    "publish": ({"accepted"}, COMMUNITY | STREET),
    "claim": ({"published"}, LIAISONS_OF_THE_PLACE),
    # And the county, of what was handed up to it.
    "dispatch": ({"accepted", "published"}, COMMUNITY | STREET | {"system"}),
    "check": ({"finished"}, COMMUNITY),
    "redo": ({"finished", "checked"}, COMMUNITY),
    "follow_up": ({"checked", "closed_off"}, COMMUNITY),
    "evaluate": ({"checked", "closed_off", "linked"}, {"resident"}),
    "close_off": ({"checked"}, COMMUNITY | {"system"}),
    "reopen": ({"closed_off"}, COMMUNITY | {"resident"}),
    "withdraw": ({"registered", "accepted", "published"}, COMMUNITY | {"resident"}),
    "link": ({"registered", "accepted"}, COMMUNITY),
    "park": ({"accepted", "dispatched"}, COMMUNITY),
    "escalate": ({"accepted", "published"}, COMMUNITY),
    "transfer": ({"registered", "accepted"}, COMMUNITY | STREET | DEPARTMENT),
    "hand_up": ({"accepted", "published"}, STREET),
    "hand_down": ({"accepted", "published"}, STREET),  # or the county, of what stands on its desk
    "whistle": ({"accepted", "published", "dispatched"}, STREET | DEPARTMENT),
    "end_whistle": (DEMAND_STATES, STREET | DEPARTMENT),  # even where the matter ended meanwhile
    "supervise": ({"registered", "accepted", "published", "dispatched", "finished"}, STREET | DEPARTMENT),
    "answer_supervision": (DEMAND_STATES, COMMUNITY),  # who was asked owes the answer, even after the matter ended
}
SUBORDER_MOVES: dict[str, tuple[set[str], set[str]]] = {
    "sign": ({"dispatched"}, LIAISON),
    "request_return": ({"dispatched", "signed"}, LIAISON),
    "approve_return": ({"return_requested"}, COMMUNITY),
    "reject_return": ({"return_requested"}, COMMUNITY),
    "assign": ({"signed", "in_service"}, LIAISON),
    "report": ({"signed", "in_service"}, LIAISON | MEMBER | {"a.staff"}),
    "finish": ({"in_service"}, LIAISON),
    "request_extension": ({"signed", "in_service"}, LIAISON),
    "approve_extension": ({"signed", "in_service"}, COMMUNITY),
    "reject_extension": ({"signed", "in_service"}, COMMUNITY),
    "answer_supervision": (SUBORDER_STATES, LIAISON),  # who was asked owes the answer, even after a return
}
ASSIGNMENT_MOVES: dict[str, tuple[set[str], set[str]]] = {
    "take": ({"offered"}, MEMBER),
    "pass_up": ({"offered"}, MEMBER),
    "lapse": ({"offered"}, {"system"}),  # silence, found by the sweeper
}

# Where a move leads; a move that is not named leaves the state as it is.
TARGETS: dict[str, dict[str, str]] = {
    "demand": {
        "accept": "accepted",
        "decline": "declined",
        "publish": "published",
        "claim": "dispatched",
        "dispatch": "dispatched",
        "check": "checked",
        "redo": "dispatched",
        "close_off": "closed_off",
        "reopen": "dispatched",
        "withdraw": "withdrawn",
        "link": "linked",
        "transfer": "registered",
        "whistle": "dispatched",
    },
    "suborder": {
        "sign": "signed",
        "request_return": "return_requested",
        "approve_return": "returned",
        "reject_return": "dispatched",
        "report": "in_service",
        "finish": "finished",
    },
    "assignment": {"take": "taken", "pass_up": "passed_up", "lapse": "lapsed"},
}
# What a move of the lead unit's sub-order makes of the demand.
DEMAND_AFTER = {"approve_return": "accepted", "finish": "finished"}

# What must be said with a move, and what may be.
REQUIRED: dict[str, set[str]] = {
    "demand.decline": {"reason"},
    "demand.dispatch": {"unit"},
    "demand.redo": {"reason"},
    "demand.evaluate": {"solved", "satisfaction"},
    "demand.reopen": {"reason"},
    "demand.withdraw": {"reason"},
    "demand.link": {"matter"},
    "demand.park": {"until", "reason"},
    "demand.escalate": {"reason"},
    "demand.transfer": {"place", "reason"},
    "demand.hand_up": {"reason"},
    "demand.hand_down": {"reason"},
    "demand.whistle": {"units", "reason"},
    "demand.end_whistle": {"reason"},
    "demand.supervise": {"reason"},
    "demand.answer_supervision": {"reason"},
    "suborder.request_return": {"reason"},
    "suborder.reject_return": {"reason"},
    "suborder.assign": {"members"},
    "suborder.report": {"text"},
    "suborder.finish": {"text"},
    "suborder.request_extension": {"until", "reason"},
    "suborder.reject_extension": {"reason"},
    "suborder.answer_supervision": {"reason"},
}
OPTIONAL: dict[str, set[str]] = {
    "demand.accept": {"category"},
    "demand.claim": {"unit"},
    "demand.dispatch": {"supporting", "note", "designated"},
    "demand.whistle": {"lead", "meet_at", "venue"},
    "demand.check": {"note"},
    "demand.follow_up": {"reached", "solved", "satisfaction", "note"},
    "demand.evaluate": {"note"},
    "demand.close_off": {"note"},
    "suborder.sign": {"contacted"},
    "suborder.approve_return": {"note"},
    "suborder.report": {"photos", "contacted"},
    "suborder.finish": {"photos"},
    "suborder.approve_extension": {"note"},
    "assignment.pass_up": {"note"},
}

# The right each move needs. Separate rights, so that a county can part dispatching, checking and closing.
RIGHTS: dict[str, str] = {
    "demand.accept": "demand.accept",
    "demand.decline": "demand.accept",
    "demand.publish": "demand.publish",
    "demand.claim": "demand.claim",
    "demand.dispatch": "demand.dispatch",
    "demand.check": "demand.check",
    "demand.redo": "demand.check",
    "demand.follow_up": "demand.follow_up",
    "demand.close_off": "demand.close",
    "demand.reopen": "demand.check",
    "demand.withdraw": "demand.accept",
    "demand.link": "demand.accept",
    "demand.park": "demand.park",
    "demand.escalate": "demand.escalate",
    "demand.transfer": "demand.transfer",
    "demand.hand_up": "demand.hand_up",
    "demand.hand_down": "demand.hand_down",
    "demand.whistle": "demand.whistle",
    "demand.end_whistle": "demand.whistle",
    "demand.supervise": "demand.supervise",
    "demand.answer_supervision": "supervision.answer",
    "suborder.sign": "suborder.sign",
    "suborder.request_return": "suborder.sign",
    "suborder.approve_return": "suborder.review_return",
    "suborder.reject_return": "suborder.review_return",
    "suborder.assign": "suborder.assign",
    "suborder.report": "suborder.report",
    "suborder.finish": "suborder.finish",
    "suborder.request_extension": "suborder.finish",
    "suborder.answer_supervision": "supervision.answer",
    "assignment.take": "assignment.answer",
    "assignment.pass_up": "assignment.answer",
}

# What a move may do to the limit of the service; every other move leaves it as it is.
LIMITS: dict[str, str] = {
    "demand.decline": "stops",
    "demand.claim": "starts",
    "demand.dispatch": "starts",
    "demand.redo": "restarts",
    "demand.reopen": "restarts",
    "demand.withdraw": "stops",
    "demand.link": "stops",
    "demand.park": "pauses",
    "demand.whistle": "starts",
    "suborder.approve_return": "stops",
    "suborder.finish": "stops",
    "suborder.approve_extension": "extends",
}

FLOWS: dict[str, tuple[Workflow, dict[str, tuple[set[str], set[str]]], set[str]]] = {
    "demand": (DEMAND, DEMAND_MOVES, DEMAND_STATES),
    "suborder": (SUBORDER, SUBORDER_MOVES, SUBORDER_STATES),
    "assignment": (ASSIGNMENT, ASSIGNMENT_MOVES, ASSIGNMENT_STATES),
}
ALL_MOVES = [f"{flow}.{name}" for flow, (_table, moves, _states) in FLOWS.items() for name in moves]


def test_the_tables_hold_these_moves_and_no_others() -> None:
    for flow, moves, states in FLOWS.values():
        assert {row.name for row in flow.transitions} == set(moves)
        assert set(flow.states) == states


# Conditions beyond the state, by name; what each says is proved further down and in test_desks.
GUARDS: dict[str, str] = {
    "demand.dispatch": "desk_dispatches",
    "demand.check": "not_who_served",
    "demand.follow_up": "not_who_served",
    "demand.evaluate": "may_still_evaluate",
    "demand.close_off": "not_who_served",
    "demand.reopen": "within_reopen_window",
    "demand.park": "not_parked",
    "demand.escalate": "on_the_communitys_desk",
    "demand.transfer": "may_transfer",
    "demand.hand_up": "on_the_streets_desk",
    "demand.hand_down": "on_ones_own_desk",
    "demand.whistle": "no_open_whistle",
    "demand.end_whistle": "whistle_is_open",
    "demand.supervise": "no_open_supervision",
    "demand.answer_supervision": "community_is_supervised",
    "suborder.request_return": "not_designated",
    "suborder.approve_return": "review_is_due",
    "suborder.reject_return": "review_is_due",
    "suborder.report": "has_taken",
    "suborder.request_extension": "may_extend",
    "suborder.approve_extension": "extension_waits",
    "suborder.reject_extension": "extension_waits",
    "suborder.answer_supervision": "unit_is_supervised",
    "assignment.take": "still_wanted",
}
# Either right over extensions: which of the two decides, the guard says.
EITHER = {"suborder.approve_extension", "suborder.reject_extension"}


@pytest.mark.parametrize("key", ALL_MOVES)
def test_a_row_reads_as_it_is_written_down(key: str) -> None:
    """The cheapest answer to a slip of the finger; that the rows do what they say is proved below."""
    kind, name = key.split(".")
    flow, moves, _states = FLOWS[kind]
    row, (sources, who) = flow.get(name), moves[name]
    assert row.sources == sources
    assert row.target == TARGETS[kind].get(name)
    review = ("suborder.review_extension", "suborder.review_second_extension")
    assert (row.right, *row.also) == (review if key in EITHER else (RIGHTS.get(key),))
    assert (row.system, row.resident) == ("system" in who, "resident" in who)
    assert {item.name for item in row.inputs if item.required} == REQUIRED.get(key, set())
    assert {item.name for item in row.inputs if not item.required} == OPTIONAL.get(key, set())
    assert getattr(row.guard, "__name__", "") == GUARDS.get(key, "")


def test_only_these_moves_touch_the_service_limit() -> None:
    found = {f"{kind}.{row.name}": row.limit for kind, (flow, *_) in FLOWS.items() for row in flow.transitions}
    assert {key: limit for key, limit in found.items() if limit} == LIMITS


@pytest.mark.parametrize("state", ["dispatched", "accepted"])
def test_a_move_that_shifts_the_limit_against_its_row_is_an_error_of_ours(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    """Pausing only where the table says so: neither the demand's limit nor that of an order beside it."""
    demand = stage(cast, "demand", state)
    make.make_suborder(demand, cast.b.unit, SubOrderRole.SUPPORTING, due_at=timezone.now() + datetime.timedelta(days=2))
    park = DEMAND.get("park")
    rows = tuple(replace(row, limit="") if row is park else row for row in DEMAND.transitions)
    monkeypatch.setattr(carrying, "BY_MODEL", {Demand: replace(DEMAND, transitions=rows)})
    with pytest.raises(RuntimeError, match="park may not move the limit"):
        move(actor=fresh(cast.a.officer), target=demand, name="park", data=inputs(cast, "demand.park"))
    assert Demand.objects.get(pk=demand.pk).version == demand.version


EARLY, LATE = timezone.now(), timezone.now() + datetime.timedelta(days=1)
# What may become of a limit: the word of the row, then from what to what.
KEEPS = {
    "": set(),
    "starts": {(None, EARLY), (None, LATE)},
    "pauses": {(EARLY, LATE)},
    "extends": {(EARLY, LATE)},
    "restarts": {(None, EARLY), (None, LATE), (EARLY, LATE), (LATE, EARLY)},
    "stops": {(EARLY, None), (LATE, None)},
}


@pytest.mark.parametrize("limit", KEEPS)
def test_a_limit_keeps_to_its_word(limit: str) -> None:
    row = replace(DEMAND.get("park"), limit=limit)
    moments = (None, EARLY, LATE)
    for old, new in ((old, new) for old in moments for new in moments if old != new):
        allowed = (old, new) in KEEPS[limit]
        with nullcontext() if allowed else pytest.raises(RuntimeError, match="park may not move the limit"):
            carrying._keep_limit(row, Demand(due_at=new), {"due_at": old})


# --- The stage ------------------------------------------------------------------------------------------------------


def stage(cast: Cast, kind: str, state: str) -> Any:
    """The object of a table in one of its states, with everything beside it that such a state brings along."""
    if kind == "demand":
        return _demand(cast, state)
    if kind == "suborder":
        whole = {"returned": "accepted", "finished": "finished"}.get(state, "dispatched")
        return _suborder(cast, _demand(cast, whole, bare=True), state)
    return _suborder(cast, _demand(cast, "dispatched", bare=True), "signed", asked=state).assignments.get()


def _demand(cast: Cast, state: str, *, bare: bool = False) -> Demand:
    now = timezone.now()
    demand = make.make_demand(
        cast.a.building,
        cast.category,
        state=state,
        published_at=now if state == "published" else None,
        dispatched_at=now if state in WITH_A_UNIT else None,
        due_at=now + datetime.timedelta(days=3) if state == "dispatched" else None,
        closed_at=now if state == "closed_off" else None,
        linked_to=make.make_demand(cast.a.building, cast.category, state="checked") if state == "linked" else None,
    )
    if state in WITH_A_UNIT and not bare:
        _suborder(cast, demand, "in_service" if state == "dispatched" else "finished")
        make.make_suborder(demand, cast.a.supporting_unit, SubOrderRole.SUPPORTING)
    return demand


def _suborder(cast: Cast, demand: Demand, state: str, *, asked: str = "taken") -> SubOrder:
    due = timezone.now() + datetime.timedelta(days=3)
    suborder = make.make_suborder(demand, cast.a.unit, state=state, due_at=due)
    Assignment.objects.create(suborder=suborder, member=cast.a.member, state=asked, asked_by=cast.a.liaison)
    return SubOrder.objects.select_related("demand__node").get(pk=suborder.pk)


def prepare(obj: Any, name: str, *, extension: int = 1) -> None:
    """What a move waits for, besides the state: an open supervision, an extension asked for."""
    demand = obj if isinstance(obj, Demand) else obj.demand if isinstance(obj, SubOrder) else obj.suborder.demand
    demand.supervised_at = timezone.now() if name == "answer_supervision" else None
    demand.whistled_at = timezone.now() if name == "end_whistle" else None
    demand.desk = "street" if name in ("hand_up", "hand_down") else "community"
    demand.supervised_unit = obj.unit if name == "answer_supervision" and isinstance(obj, SubOrder) else None
    if isinstance(obj, SubOrder):
        obj.extension_waiting = extension if name in ("approve_extension", "reject_extension") else 0


def write_down(cast: Cast, obj: Any, name: str) -> None:
    """The same, in the database, for moves that are really made."""
    prepare(obj, name)
    demand = obj if isinstance(obj, Demand) else obj.demand if isinstance(obj, SubOrder) else obj.suborder.demand
    demand.save()
    obj.save()
    if name == "answer_supervision":
        Supervision.objects.create(
            demand=demand, unit=demand.supervised_unit, text="请说明", by=cast.department, due_at=timezone.now()
        )
    if name == "end_whistle":
        Whistle.objects.create(demand=demand, text="到场处置", by=cast.street_officer, due_at=timezone.now())
    if name in ("approve_extension", "reject_extension"):
        until = timezone.localdate() + datetime.timedelta(days=20)
        Extension.objects.create(suborder=obj, until=until, reason="等配件", by=cast.a.liaison)


def inputs(cast: Cast, key: str) -> dict[str, Any]:
    """Exactly what a move must be given."""
    values: dict[str, Any] = {
        "reason": "路灯不归我们管。",
        "text": "已更换灯泡。",
        "unit": cast.a.unit,
        "units": [cast.b.unit, cast.b.supporting_unit],
        "place": cast.b.building,
        "solved": "yes",
        "satisfaction": "satisfied",
        "until": timezone.localdate() + datetime.timedelta(days=30),
        "members": [cast.a.second_member],
        "matter": None,
    }
    given = {name: values[name] for name in REQUIRED.get(key, ())}
    if "matter" in given:
        given["matter"] = make.make_demand(cast.a.building, cast.category)
    return given


def people(cast: Cast) -> dict[str, Any]:
    return {"resident": RESIDENT, "system": SYSTEM, **{name: fresh(user) for name, user in cast.people().items()}}


def sees(kind: str, state: str, who: str) -> bool:
    """Whether a person knows of the object at all."""
    if who in AROUND:
        return True
    if kind == "demand":
        if state == "published" and who in UNITS_OF_THE_PLACE:
            return True
        return state in WITH_A_UNIT and who in UNITS_OF_THE_PLACE | MEMBER
    if kind == "assignment":
        return who in {"a.liaison", "a.staff"} | MEMBER
    return who in {"a.liaison", "a.staff"} | MEMBER


def expected(kind: str, state: str, name: str, who: str) -> int:
    """0 when the move may be made, else the status of the refusal."""
    sources, may = FLOWS[kind][1][name]
    if who in ("resident", "system"):
        return 403 if who not in may else 0 if state in sources else 409
    if not sees(kind, state, who):
        return 404
    if (kind, name) == ("demand", "claim") and state != "published":
        return 403  # a unit's right to claim comes with the publication
    if who in may:
        return 0 if state in sources else 409
    return 409 if has_the_right_elsewhere(kind, state, name, who) else 403


def has_the_right_elsewhere(kind: str, state: str, name: str, who: str) -> bool:
    """Where the person has such a duty, only not this time: the answer is why not, instead of a plain no."""
    if name == "answer_supervision":
        if kind == "demand":  # the units asked answer on their own order
            return state in WITH_A_UNIT and who in LIAISONS_OF_THE_PLACE
        return who in COMMUNITY  # nobody answers in the unit's place
    if name in ("approve_extension", "reject_extension"):
        return who in STREET | DEPARTMENT  # the first is decided by the community
    if name in ("approve_return", "reject_return"):
        return who in STREET  # only what the community lets wait
    if name in ("dispatch", "hand_down"):
        return who in DEPARTMENT  # only what was handed up to it
    return False


def verdict(flow: Workflow, obj: Any, name: str, who: Any, data: dict[str, Any]) -> int:
    try:
        flow.check(obj, name, actor=who, data=data)
    except DomainError as refusal:
        return refusal.status
    return 0


# --- state x move x person ------------------------------------------------------------------------------------------


STATES = [
    pytest.param(kind, state, id=f"{kind}-{state}")
    for kind, (_flow, _moves, states) in FLOWS.items()
    for state in sorted(states)
]


@pytest.mark.parametrize(("kind", "state"), STATES)
def test_every_move_of_every_person(cast: Cast, kind: str, state: str) -> None:
    flow, moves, _all_states = FLOWS[kind]
    obj = stage(cast, kind, state)
    wrong = []
    given = {name: inputs(cast, f"{kind}.{name}") for name in moves}
    for who, actor in people(cast).items():
        for name in moves:
            prepare(obj, name)
            found = verdict(flow, obj, name, actor, given[name])
            if found != expected(kind, state, name, who):
                wrong.append((who, name, found, expected(kind, state, name, who)))
    assert not wrong, f"{kind} in {state}: (who, move, found, expected)"


@pytest.mark.parametrize(("kind", "state"), STATES)
def test_the_buttons_offered_are_the_moves_allowed(cast: Cast, kind: str, state: str) -> None:
    flow, moves, _all_states = FLOWS[kind]
    obj = stage(cast, kind, state)
    for who, actor in people(cast).items():
        if user_of(actor) is None:
            continue
        offered = set()
        for name in moves:
            prepare(obj, name)
            offered |= {row.name for row in flow.available(obj, actor) if row.name == name}
        assert offered == {name for name in moves if expected(kind, state, name, who) == 0}, who


# --- Where a move leads ---------------------------------------------------------------------------------------------


STEPS = [
    pytest.param(kind, name, state, id=f"{kind}.{name}-{state}")
    for kind, (_flow, moves, _all_states) in FLOWS.items()
    for name, (sources, _who) in moves.items()
    for state in sorted(sources)
]


def actor_for(cast: Cast, who: set[str]) -> Any:
    return next(actor for name, actor in people(cast).items() if name in who)


@pytest.mark.parametrize(("kind", "name", "state"), STEPS)
def test_a_move_leads_where_it_should(cast: Cast, kind: str, name: str, state: str) -> None:
    obj = stage(cast, kind, state)
    write_down(cast, obj, name)
    actor = actor_for(cast, FLOWS[kind][1][name][1])
    demand = move(actor=actor, target=obj, name=name, data=inputs(cast, f"{kind}.{name}"))
    after = TARGETS[kind].get(name, state)
    obj.refresh_from_db()
    assert obj.state == after
    event = DemandEvent.objects.get(name=name)
    assert (event.from_state, event.to_state) == (state, after)
    if kind == "suborder":
        assert demand.state == DEMAND_AFTER.get(name, stage_of_demand(state))
    if (kind, name) == ("assignment", "take"):
        assert obj.suborder.state == "in_service"


def stage_of_demand(state: str) -> str:
    return {"returned": "accepted", "finished": "finished"}.get(state, "dispatched")


@pytest.mark.parametrize("key", ["demand.check", "demand.dispatch", "suborder.finish", "assignment.take"])
def test_a_refused_move_writes_nothing(cast: Cast, key: str) -> None:
    kind, name = key.split(".")
    state = min(FLOWS[kind][2] - FLOWS[kind][1][name][0])
    obj = stage(cast, kind, state)
    with pytest.raises(InvalidTransition):
        move(actor=actor_for(cast, FLOWS[kind][1][name][1]), target=obj, name=name, data=inputs(cast, key))
    before = (obj.state, obj.version)
    obj.refresh_from_db()
    assert (obj.state, obj.version) == before
    assert not DemandEvent.objects.exists()


# --- What must be said ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ALL_MOVES)
def test_a_move_asks_for_what_it_needs_and_for_nothing_more(cast: Cast, key: str) -> None:
    kind, name = key.split(".")
    flow, moves, _states = FLOWS[kind]
    obj = stage(cast, kind, min(moves[name][0]))
    prepare(obj, name)
    actor, given = actor_for(cast, moves[name][1]), inputs(cast, key)
    flow.check(obj, name, actor=actor, data=given)
    for missing in given:
        for empty in ({}, {missing: ""}):
            with pytest.raises(Invalid) as refusal:
                flow.check(obj, name, actor=actor, data={**given, missing: None, **empty})
            assert set(refusal.value.fields) == {missing}
    may = {item.name for item in flow.get(name).inputs}
    assert may == REQUIRED.get(key, set()) | OPTIONAL.get(key, set())


# --- Rights are separate --------------------------------------------------------------------------------------------

VIEW = "demand.view"


def holder(cast: Cast, monkeypatch: pytest.MonkeyPatch, rights: set[str]) -> User:
    """Somebody in a post made for the test, at the community, with exactly these rights."""
    monkeypatch.setitem(POSTS, "tailored", Post("tailored", "专岗", ("community",), rights))
    return make.make_cadre("专岗", "tailored", cast.a.node)


@pytest.mark.parametrize("key", RIGHTS)
def test_a_right_opens_its_moves_and_no_other_right_does(cast: Cast, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    kind, name = key.split(".")
    flow, moves, _states = FLOWS[kind]
    obj = stage(cast, kind, min(moves[name][0]))
    only = holder(cast, monkeypatch, {VIEW, RIGHTS[key]})
    flow.may(obj, name, actor=fresh(only))
    everything_else = set(RIGHT_LABELS) - {RIGHTS[key]}
    monkeypatch.setitem(POSTS, "tailored", Post("tailored", "专岗", ("community",), everything_else))
    with pytest.raises(DomainError) as refusal:
        flow.may(obj, name, actor=fresh(only))
    assert refusal.value.status == 403


# Rights whose moves a guard divides among levels: who holds them at all.
HELD = {
    "suborder.review_return": COMMUNITY | STREET,
    "suborder.review_extension": COMMUNITY | STREET,
    "suborder.review_second_extension": STREET | DEPARTMENT,
    "demand.dispatch": COMMUNITY | STREET | DEPARTMENT,
    "demand.hand_down": STREET | DEPARTMENT,
    "supervision.answer": COMMUNITY | LIAISON,
}


def test_these_hold_what_a_guard_divides_among_levels(cast: Cast) -> None:
    suborder = stage(cast, "suborder", "in_service")
    everybody = {name: actor for name, actor in people(cast).items() if user_of(actor) is not None}
    for right, who in HELD.items():
        assert {name for name, user in everybody.items() if policies.can(user, right, suborder)} == who, right


@pytest.mark.parametrize("name", ["approve_extension", "reject_extension"])
@pytest.mark.parametrize(
    ("number", "right"), [(1, "suborder.review_extension"), (2, "suborder.review_second_extension")]
)
def test_either_right_over_extensions_decides_its_own_kind(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, name: str, number: int, right: str
) -> None:
    obj = stage(cast, "suborder", "in_service")
    prepare(obj, name, extension=number)
    given = inputs(cast, f"suborder.{name}")
    only = fresh(holder(cast, monkeypatch, {VIEW, right}))
    SUBORDER.check(obj, name, actor=only, data=given)
    prepare(obj, name, extension=3 - number)
    with pytest.raises(InvalidTransition):
        SUBORDER.check(obj, name, actor=only, data=given)


# --- Conditions beyond the state ------------------------------------------------------------------------------------


def refused(flow: Workflow, obj: Any, name: str, actor: Any, data: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidTransition, match=words) as refusal:
        flow.check(obj, name, actor=actor, data=data)
    assert refusal.value.code == "guard"


def test_a_closed_matter_reopens_for_ten_days(cast: Cast) -> None:
    demand = stage(cast, "demand", "closed_off")
    given = inputs(cast, "demand.reopen")
    for actor in (RESIDENT, fresh(cast.a.officer)):
        demand.closed_at = timezone.now() - datetime.timedelta(days=9, hours=23)
        DEMAND.check(demand, "reopen", actor=actor, data=given)
        demand.closed_at = timezone.now() - datetime.timedelta(days=10, hours=1)
        refused(DEMAND, demand, "reopen", actor, given, "超过 10 天")


def test_what_is_parked_is_parked_once(cast: Cast) -> None:
    demand = stage(cast, "demand", "accepted")
    officer, given = fresh(cast.a.officer), inputs(cast, "demand.park")
    demand.parked_until = timezone.localdate() + datetime.timedelta(days=1)
    refused(DEMAND, demand, "park", officer, given, "已经挂账")
    demand.parked_until = timezone.localdate()
    DEMAND.check(demand, "park", actor=officer, data=given)


def test_one_supervision_waits_at_a_time(cast: Cast) -> None:
    demand = stage(cast, "demand", "dispatched")
    demand.supervised_at = timezone.now()
    refused(DEMAND, demand, "supervise", fresh(cast.department), {"reason": "再催"}, "等待答复")


def test_whoever_was_asked_answers_the_supervision(cast: Cast) -> None:
    suborder = stage(cast, "suborder", "in_service")
    demand, given = suborder.demand, {"reason": "明日完工。"}
    officer, liaison = fresh(cast.a.officer), fresh(cast.a.liaison)
    # Nothing was asked.
    refused(DEMAND, demand, "answer_supervision", officer, given, "没有需要社区答复")
    refused(SUBORDER, suborder, "answer_supervision", liaison, given, "没有需要贵单位答复")
    # The unit was asked.
    demand.supervised_at, demand.supervised_unit = timezone.now(), cast.a.unit
    refused(DEMAND, demand, "answer_supervision", officer, given, "没有需要社区答复")
    refused(SUBORDER, suborder, "answer_supervision", officer, given, "没有需要贵单位答复")
    SUBORDER.check(suborder, "answer_supervision", actor=liaison, data=given)
    # Another unit was asked.
    demand.supervised_unit = cast.a.supporting_unit
    refused(SUBORDER, suborder, "answer_supervision", liaison, given, "没有需要贵单位答复")


def test_a_designated_unit_does_not_return(cast: Cast) -> None:
    suborder = stage(cast, "suborder", "signed")
    suborder.designated = True
    refused(SUBORDER, suborder, "request_return", fresh(cast.a.liaison), {"reason": "不归我们。"}, "指定承办")


@pytest.mark.parametrize("asked", ["offered", "taken"])
def test_a_member_reports_after_taking_the_assignment(cast: Cast, asked: str) -> None:
    suborder = stage(cast, "assignment", asked).suborder
    member, given = fresh(cast.a.member_user), {"text": "到了。"}
    if asked == "offered":
        refused(SUBORDER, suborder, "report", member, given, "请先接受")
    else:
        SUBORDER.check(suborder, "report", actor=member, data=given)


def test_an_extension_is_asked_for_in_time_and_one_at_a_time(cast: Cast) -> None:
    suborder = stage(cast, "suborder", "in_service")
    liaison, given = fresh(cast.a.liaison), inputs(cast, "suborder.request_extension")
    suborder.extension_waiting = 1
    refused(SUBORDER, suborder, "request_extension", liaison, given, "等待审核")
    suborder.extension_waiting = 0
    suborder.due_at = timezone.now() - datetime.timedelta(minutes=1)
    refused(SUBORDER, suborder, "request_extension", liaison, given, "已超过办理时限")


@pytest.mark.parametrize("name", ["approve_extension", "reject_extension"])
def test_an_extension_is_decided_when_one_waits_and_by_the_level_it_climbed_to(cast: Cast, name: str) -> None:
    suborder = stage(cast, "suborder", "in_service")
    given = inputs(cast, f"suborder.{name}")
    officer, street = fresh(cast.a.officer), fresh(cast.street_officer)
    refused(SUBORDER, suborder, name, officer, given, "没有等待审核")
    suborder.extension_waiting = 1
    SUBORDER.check(suborder, name, actor=officer, data=given)
    refused(SUBORDER, suborder, name, street, given, "由社区审核")
    suborder.review_due_at = timezone.now() - datetime.timedelta(minutes=1)
    SUBORDER.check(suborder, name, actor=street, data=given)  # the community let it wait
    refused(SUBORDER, suborder, name, fresh(cast.department), given, "由社区审核")
    suborder.extension_waiting = 2
    refused(SUBORDER, suborder, name, officer, given, "须由街道审核")
    SUBORDER.check(suborder, name, actor=street, data=given)


def test_who_comes_too_late_to_claim_is_told_who_has_it(cast: Cast) -> None:
    demand = stage(cast, "demand", "dispatched")
    demand.published_at = timezone.now()
    with pytest.raises(InvalidTransition, match=cast.a.unit.label):
        DEMAND.check(demand, "claim", actor=fresh(cast.a.supporting_liaison))


@pytest.mark.parametrize("state", sorted(DEMAND_STATES - {"published", "declined", "withdrawn"}))
def test_what_was_offered_once_is_claimed_only_while_it_is_offered(cast: Cast, state: str) -> None:
    demand = stage(cast, "demand", state)
    demand.published_at = timezone.now()
    assert verdict(DEMAND, demand, "claim", fresh(cast.a.supporting_liaison), {}) == 409


def test_the_diagram_shows_what_the_moves_of_another_table_bring_along() -> None:
    # As test_a_move_leads_where_it_should and test_loop find them.
    assert {(source, target) for source, target, _words in DEMAND.driven} == {
        ("dispatched", "finished"),
        ("dispatched", "accepted"),
    }
    assert {(source, target) for source, target, _words in SUBORDER.driven} == {
        ("signed", "in_service"),
        ("finished", "in_service"),
    }
    drawn = mermaid(DEMAND)
    assert "registered --> accepted: 受理 accept" in drawn
    assert "dispatched --> finished: （牵头单位办结 finish）" in drawn
    assert "dispatched --> [*]" not in drawn
    for state in ("declined", "closed_off", "withdrawn", "linked"):
        assert f"{state} --> [*]" in drawn
