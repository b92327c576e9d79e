"""What script/mutate runs: every small change of the workflow tables, and of the data that says beside them who holds which right,
what a limit may become and whom a wait tells; each against the tests of the loop and the tables of the weft.

The tests are collected once, on one database; each change is made in the loaded tables, the tests run until one fails,
and the table is put back. The tests likely to notice run first, then those that noticed lately, so that most changes cost one test.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import django
import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
os.chdir(ROOT)

# Changes that make no difference to anybody, and why.
SAME = {
    # A unit's right to claim comes with the offer, which a declined or withdrawn demand no longer is (DemandPolicy).
    "demand.claim: also from declined",
    "demand.claim: also from withdrawn",
    # The guard wants a matter that is checked or closed off, and names what is missing.
    *(
        f"demand.evaluate: also from {state}"
        for state in ("registered", "declined", "accepted", "published", "dispatched", "finished", "withdrawn")
    ),
}

TESTS = [
    "tests/services/test_workflow_matrix.py",
    "tests/services/test_weft_matrix.py",
    "tests/services/test_desks.py",
    "tests/services/test_loop.py",
    "tests/services/test_api.py",
    "tests/services/test_api_public.py",
    "tests/services/test_sweeping.py",
    "tests/services/test_waits.py",
    "tests/services/test_ladder.py",
    "tests/services/test_exclusions.py",
]
# The tables as they are written down a second time notice nearly everything at once; without them (`--behaviour`) it has
# to be noticed by what no longer happens, or happens and should not.
READ = "reads_as_it_is_written_down or these_moves_and_no_others or touch_the_service_limit"
BEHAVIOUR = "--behaviour" in sys.argv
Undo = Callable[[], None]


@dataclass(frozen=True)
class Mutation:
    """One change: what is said of it, how it is made (answers with how it is taken back), and words in the names of
    tests likely to notice."""

    words: str
    make: Callable[[], Undo]
    likely: tuple[str, ...]


def attribute(thing: Any, name: str, value: Any) -> Callable[[], Undo]:
    """Another value of one attribute, frozen or not."""

    def make() -> Undo:
        kept = getattr(thing, name)
        object.__setattr__(thing, name, value)
        return lambda: object.__setattr__(thing, name, kept)

    return make


def entry(table: dict[str, Any], key: str, value: Any) -> Callable[[], Undo]:
    """Another value under one key."""

    def make() -> Undo:
        kept = table[key]
        table[key] = value
        return lambda: table.update({key: kept})

    return make


def mutations() -> Iterator[Mutation]:
    """Every change that could be somebody's slip."""
    yield from _of_tables()
    yield from _of_limits()
    yield from _of_waits()
    yield from _of_posts()


def _of_tables() -> Iterator[Mutation]:
    from services.posts import RIGHT_LABELS
    from services.workflow import ALL

    for flow in ALL:
        limited = any(row.limit for row in flow.transitions)
        for number, row in enumerate(flow.transitions):
            others = flow.transitions[:number], flow.transitions[number + 1 :]
            key = f"{flow.name}.{row.name}"
            dropped = attribute(flow, "transitions", others[0] + others[1])
            yield Mutation(f"{key}: dropped", dropped, ("hold_these_moves",))
            for words, changed in _changes(row, list(flow.states), list(RIGHT_LABELS), limited):
                words = f"{key}: {words}"
                if words not in SAME:
                    rows = (*others[0], changed, *others[1])
                    yield Mutation(words, attribute(flow, "transitions", rows), _likely(flow, row, words))


def _of_limits() -> Iterator[Mutation]:
    """What a move may make of the service limit, by the word of its row."""
    from services.actions.carrying import _KEEPS

    for limit in _KEEPS:
        # What is left alone may become nothing as it is.
        for allowed in (True, False) if limit else (True,):
            words = f"limit.{limit or 'left alone'}: {'anything' if allowed else 'nothing'} goes"
            change = entry(_KEEPS, limit, lambda old, new, allowed=allowed: allowed)
            yield Mutation(words, change, ("keeps_to_its_word",))


def _of_waits() -> Iterator[Mutation]:
    """Whom a wait tells, and how it ends by itself; what a rung of the ladder brings along."""
    from services.actions.ladder import RUNGS
    from services.workflow.waits import WAITS

    for wait in WAITS:
        key = f"wait.{wait.of}.{wait.state}"
        likely = (f"waits_for_ever[{wait.of}-{wait.state}]",)
        for told in wait.tells:
            less = tuple(one for one in wait.tells if one != told)
            yield Mutation(f"{key}: does not tell {told}", attribute(wait, "tells", less), likely)
        if wait.ends:
            yield Mutation(f"{key}: does not end", attribute(wait, "ends", ""), ("ends_by_itself",))
    for step in RUNGS:
        if step.written:
            yield Mutation(f"rung.{step.rung}: written twice", attribute(step, "written", ""), ("test_ladder",))
        if step.tell.__name__ != "<lambda>":
            silent = attribute(step, "tell", lambda climb, leaders: ())
            yield Mutation(f"rung.{step.rung}: tells nobody", silent, ("test_ladder",))


def _of_posts() -> Iterator[Mutation]:
    """One right more or less of a post, or of what somebody is in a unit: of the rights the loop's moves need."""
    from grids.posts import POSTS
    from partybuilding.posts import RIGHTS
    from services.posts import CHECKIN_RIGHTS
    from services.workflow import EXCLUSION, LADDER, LOOP

    rights: dict[str, str] = {}
    for flow in (*LOOP, EXCLUSION, LADDER):
        for row in flow.transitions:
            for right in (row.right, *row.also):
                if right:
                    rights.setdefault(right, f"every_person[{flow.name}-{min(row.sources)}]")
    held: dict[str, Any] = {f"post.{post.key}": post.rights for post in POSTS.values() if post.key in IN_CAST}
    held |= {f"unit.{role}": found for role, found in RIGHTS.items()}
    for key, found in held.items():
        for right, likely in rights.items():
            less = right in found
            yield Mutation(
                f"{key}: {'without' if less else 'also'} {right}", _turn(found, right), (likely, *_OF_EVERYBODY)
            )
    for role, some in CHECKIN_RIGHTS.items():
        for right, likely in rights.items():
            if not right.startswith(OF_DEMAND):
                continue
            change = entry(CHECKIN_RIGHTS, role, some ^ {right})
            words = f"checkin.{role}: {'without' if right in some else 'also'} {right}"
            yield Mutation(words, change, (likely, *_OF_EVERYBODY))


_OF_EVERYBODY = ("of_everybody_these", "only_leaders_instruct", "divides_among_levels")


# What is offered where a unit has checked in are demands: over orders, members and exclusions it opens nothing (CheckInScope).
OF_DEMAND = ("demand.", "supervision.", "exclusion.request")
# The posts somebody of the tests' cast holds; of the others nobody can tell what they hold.
IN_CAST = {
    "county_department",
    "county_admin",
    "county_auditor",
    "street_secretary",
    "street_officer",
    "community_secretary",
    "community_officer",
    "community_team_lead",
    "grid_keeper",
    "building_head",
}


def _turn(found: set[str], right: str) -> Callable[[], Undo]:
    def make() -> Undo:
        found.symmetric_difference_update({right})
        return lambda: found.symmetric_difference_update({right})

    return make


def _likely(flow: Any, row: Any, words: str) -> tuple[str, ...]:
    key, what = words.split(": ")
    last = what.rsplit(" ", 1)[-1]
    state = last if last in flow.states else min(row.sources)
    everybody = f"every_person[{flow.name}-{state}]"
    if not BEHAVIOUR:
        return (f"reads_as_it_is_written_down[{key}]", f"these_moves_and_no_others[{flow.name}]", everybody)
    if what.startswith("leads to"):
        return (f"leads_where_it_should[{key}-", f"these_moves_and_no_others[{flow.name}]")
    if what.startswith("needs"):
        return (f"no_other_right_does[{key}]", everybody, f"these_moves_and_no_others[{flow.name}]")
    if what.startswith("limit"):
        return ("touch_the_service_limit",)
    if "input" in what:
        return (f"nothing_more[{key}]", f"these_moves_and_no_others[{flow.name}]")
    return (everybody, f"[{key}-", f"[{key}]", f"these_moves_and_no_others[{flow.name}]")


def _changes(row: Any, states: list[str], rights: list[str], limited: bool) -> Iterator[tuple[str, Any]]:
    for state in states:
        if state in row.sources:
            yield f"no longer from {state}", replace(row, sources=row.sources - {state})
        else:
            yield f"also from {state}", replace(row, sources=row.sources | {state})
    for target in {None, states[0], states[-1]} - {row.target}:
        yield f"leads to {target}", replace(row, target=target)
    yield "no right opens it" if row.right else "a right opens it", replace(row, right=None if row.right else rights[0])
    if row.right:  # its neighbours in the list are held by much the same people: the slip that is hardest to see
        place = rights.index(row.right)
        for right in {rights[place - 1], rights[(place + 1) % len(rights)]} - {*row.also}:
            yield f"needs {right}", replace(row, right=right)
    for extra in row.also:
        yield f"without also {extra}", replace(row, also=tuple(one for one in row.also if one != extra))
    for name in ("guard", "otherwise"):
        if getattr(row, name):
            yield f"without {name}", replace(row, **{name: None})
    for name in ("resident", "system"):
        yield f"{name} {not getattr(row, name)}", replace(row, **{name: not getattr(row, name)})
    for limit in {"", "pauses"} - {row.limit} if limited else ():
        yield f"limit {limit or 'left alone'}", replace(row, limit=limit)
    for place, item in enumerate(row.inputs):
        rest = row.inputs[:place], row.inputs[place + 1 :]
        yield f"without input {item.name}", replace(row, inputs=rest[0] + rest[1])
        turned = replace(item, required=not item.required)
        yield (
            f"input {item.name} {'required' if turned.required else 'optional'}",
            replace(row, inputs=(*rest[0], turned, *rest[1])),
        )


class Later:
    """Stands for the next test: says only that the session goes on, so that the database is kept."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[Any]:
        return [self.session]


class Mutator:
    """Runs the collected tests once per change instead of once."""

    def __init__(self, wanted: list[Mutation]) -> None:
        self.wanted, self.total = wanted, 0
        self.failed, self.said = False, ""
        self.survivors: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed, self.said = True, report.longreprtext

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        items, later = list(session.items), Later(session)
        quiet(session)
        if not self.passes(items, later):
            raise pytest.UsageError(f"the tables as they are fail {items[0].nodeid}: {self.said}")
        began = time.monotonic()
        for change in self.wanted:
            self.total += 1
            if not self.noticed(change, items, later):
                self.survivors.append(change.words)
                print(f"SURVIVES  {change.words}", flush=True)
            if self.total % 50 == 0:
                print(f"          {self.total} changes, {time.monotonic() - began:.0f} s", flush=True)
        self.run_one(items[0], None)
        return True

    def noticed(self, change: Mutation, items: list[Any], later: Later) -> bool:
        items.sort(key=lambda item: next((n for n, word in enumerate(change.likely) if word in item.nodeid), 9))
        undo = change.make()
        try:
            return not self.passes(items, later)
        finally:
            undo()

    def passes(self, items: list[Any], later: Later) -> bool:
        """Runs until one fails, which moves to the front."""
        for number, item in enumerate(items):
            self.failed = False
            self.run_one(item, later)
            if self.failed:
                items.insert(0, items.pop(number))
                return False
        return True

    @staticmethod
    def run_one(item: Any, following: Any) -> None:
        item._initrequest()
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def quiet(session: pytest.Session) -> None:
    """Failures are what is wanted here: no dots, no tracebacks."""
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")

    def hush(*_args: Any, **_kwargs: Any) -> None:
        pass

    for name in ("pytest_runtest_logreport", "pytest_runtest_logstart", "pytest_runtest_logfinish"):
        hooks: Any = getattr(session.config.hook, name)
        for one in list(hooks.get_hookimpls()):
            if one.plugin is reporter:
                one.function = hush


def main() -> int:
    options = argparse.ArgumentParser(prog="script/mutate")
    options.add_argument("--only", default="", help="only changes whose description begins so; several by commas")
    options.add_argument("--part", default="1/1", help="2/3: the second of three parts, to be run side by side")
    options.add_argument("--behaviour", action="store_true", help="without the tests that only read the tables")
    options.add_argument("--list", action="store_true", help="say the changes and make none")
    options.add_argument("tests", nargs="*", default=TESTS)
    given = options.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    part, parts = (int(number) for number in given.part.split("/"))
    wanted = [change for change in mutations() if change.words.startswith(tuple(given.only.split(",")))][
        part - 1 :: parts
    ]
    if given.list or not wanted:
        print("\n".join(change.words for change in wanted))
        return 0
    mutator = Mutator(wanted)
    began = time.monotonic()
    selection = [
        "-qq",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:randomly",
        "-m",
        "not browser",
        "--no-header",
        "--no-summary",
        "--tb=line",
        *(["-k", f"not ({READ})"] if BEHAVIOUR else []),
    ]
    code = pytest.main([*selection, *given.tests], plugins=[mutator])
    if not mutator.total:
        print("no change was made")
        return int(code) or 1
    print(f"{mutator.total} changes in {time.monotonic() - began:.0f} s, {len(mutator.survivors)} not noticed")
    return 1 if mutator.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
