"""The whole loop under random people. `script/stress-loop` runs the same machine for as long as one likes."""

import os

import pytest
import time_machine
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.cast import make_cast
from tests.services.loop_machine import START, Loop

# Few and always the same ones: what a suite needs is to notice a change. Searching is the script's work.
FEW = settings(
    max_examples=4,
    stateful_step_count=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


# What so few steps come to at least, or the machine no longer drives anything.
COMMON = {"accept", "dispatch", "sign"}


def asked() -> settings:
    """The suite's few, or as many as script/stress-loop was told, with its seed and with shrinking."""
    found = os.environ.get("STRESS_LOOP")
    if not found:
        return FEW
    examples, steps = map(int, found.split())
    phases = (Phase.generate, Phase.shrink)
    return settings(FEW, max_examples=examples, stateful_step_count=steps, derandomize=False, phases=phases)


@pytest.mark.django_db
def test_random_people_never_break_the_loop() -> None:
    with time_machine.travel(START, tick=False):
        Loop.cast = make_cast()
    run_state_machine_as_test(Loop, settings=asked())  # type: ignore[no-untyped-call]
    moved = {name for name in Loop.made if " " not in name}
    print(*(f"{name}: {times}" for name, times in sorted(Loop.made.items())), sep="\n")  # noqa: T201
    assert moved >= COMMON, COMMON - moved
