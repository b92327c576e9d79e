"""The whole loop under random people. `script/stress-loop` runs the same machine for as long as one likes."""

import os
import random

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.loop_machine import START, Loop, make_loop_cast, name_of, rows_of, tally
from tests.services.loop_stories import ALL_MOVES, BEFORE, STORIES

pytestmark = pytest.mark.postgres

# Few and always the same ones: what a suite needs is to notice a change. Searching is the script's work.
FEW = settings(
    max_examples=4,
    stateful_step_count=15,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
# What so few steps come to at least, or the machine no longer drives anything.
COMMON = {"demand.accept", "demand.dispatch", "suborder.sign"}


def asked() -> settings:
    """The suite's few, or as many as script/stress-loop was told, with its seed and with shrinking."""
    found = os.environ.get("STRESS_LOOP")
    if not found:
        return FEW
    examples, steps = map(int, found.split())
    phases = (Phase.generate, Phase.shrink)
    return settings(FEW, max_examples=examples, stateful_step_count=steps, derandomize=False, phases=phases)


@pytest.fixture(autouse=True)
def loop(db: None) -> None:
    with time_machine.travel(START, tick=False):
        Loop.cast = make_loop_cast()
    Loop.made.clear()
    Loop.refused.clear()


def test_random_people_never_break_the_loop() -> None:
    run_state_machine_as_test(Loop, settings=asked())  # type: ignore[no-untyped-call]
    # What chance alone did not come to is made below.
    print(tally())  # noqa: T201
    assert not COMMON - set(Loop.made), "never made"


def test_every_move_of_every_table_is_made_and_refused() -> None:
    """One long afternoon: each story is told until its move was made, then a stranger tries it too."""
    assert set(BEFORE) == set(ALL_MOVES), "a move that is in no story"
    machine = Loop()
    try:
        for name in sorted(STORIES, key=lambda name: -len(STORIES[name])):
            done = name in ALL_MOVES and Loop.made[name] > 0
            for turn in range(0 if done else 4):
                done = done or machine.tell(machine.registered(0), STORIES[name], random.Random(f"{name} {turn}"))
            assert done, f"{name} does not come to its end: {machine.stuck}"
        targets = [
            target for pick in range(len(machine.before.rows)) for target in machine.targets(machine.demand(pick))
        ]
        for name in ALL_MOVES:
            some = ((target, row) for target in targets for row in rows_of(target))
            target, row = next(pair for pair in some if name_of(*pair) == name)
            assert not machine.attempt("nobody", target, row, 0, careful=True)
    finally:
        machine.teardown()
    assert not set(ALL_MOVES) - set(Loop.made), "never made"
    assert not set(ALL_MOVES) - set(Loop.refused), "never refused"
