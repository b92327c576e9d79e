"""What script/mutate runs: every small change of the workflow tables, each against the tests of the loop and the tables of the weft.

The tests are collected once, on one database; each change is made in the loaded tables, the tests run until one fails,
and the table is put back. The tests likely to notice run first, then those that noticed lately, so that most changes cost one test.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
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
}

TESTS = [
    "tests/services/test_workflow_matrix.py",
    "tests/services/test_weft_matrix.py",
    "tests/services/test_desks.py",
    "tests/services/test_loop.py",
    "tests/services/test_api.py",
    "tests/services/test_api_public.py",
    "tests/services/test_sweeping.py",
]


@dataclass(frozen=True)
class Mutation:
    """One change: what is said of it, the table's rows with it, and words in the names of tests likely to notice."""

    flow: Any
    words: str
    rows: tuple[Any, ...]
    likely: tuple[str, ...]


def mutations() -> Iterator[Mutation]:
    """Every change of one row that could be somebody's slip."""
    from services.posts import RIGHT_LABELS
    from services.workflow import ALL

    for flow in ALL:
        limited = any(row.limit for row in flow.transitions)
        for number, row in enumerate(flow.transitions):
            others = flow.transitions[:number], flow.transitions[number + 1 :]
            key = f"{flow.name}.{row.name}"
            yield Mutation(flow, f"{key}: dropped", others[0] + others[1], ("hold_these_moves",))
            for words, changed in _changes(row, list(flow.states), list(RIGHT_LABELS), limited):
                words = f"{key}: {words}"
                if words not in SAME:
                    yield Mutation(flow, words, (*others[0], changed, *others[1]), _likely(flow, row, words))


def _likely(flow: Any, row: Any, words: str) -> tuple[str, ...]:
    key, what = words.split(": ")
    last = what.rsplit(" ", 1)[-1]
    state = last if last in flow.states else min(row.sources)
    everybody = f"every_person[{flow.name}-{state}]"
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
        kept = change.flow.transitions
        items.sort(key=lambda item: next((n for n, word in enumerate(change.likely) if word in item.nodeid), 9))
        object.__setattr__(change.flow, "transitions", change.rows)
        try:
            return not self.passes(items, later)
        finally:
            object.__setattr__(change.flow, "transitions", kept)

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
    options.add_argument("--only", default="", help="only changes whose description begins so")
    options.add_argument("--part", default="1/1", help="2/3: the second of three parts, to be run side by side")
    options.add_argument("--list", action="store_true", help="say the changes and make none")
    options.add_argument("tests", nargs="*", default=TESTS)
    given = options.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()
    part, parts = (int(number) for number in given.part.split("/"))
    wanted = [change for change in mutations() if change.words.startswith(given.only)][part - 1 :: parts]
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
    ]
    code = pytest.main([*selection, *given.tests], plugins=[mutator])
    if not mutator.total:
        print("no change was made")
        return int(code) or 1
    print(f"{mutator.total} changes in {time.monotonic() - began:.0f} s, {len(mutator.survivors)} not noticed")
    return 1 if mutator.survivors else 0


if __name__ == "__main__":
    sys.exit(main())
