"""What every test may rely on: the engine it runs on, a clean cache, a browser, and honest skips."""

from __future__ import annotations

import gc
import os
import shutil
from collections.abc import Generator
from typing import Any

import hypothesis
import pytest
from django.conf import settings

from tests.cast import cast, transactional_cast  # noqa: F401  (fixtures)
from tests.databases import django_db_setup, migrated_file  # noqa: F401  (fixtures)

# Playwright keeps an event loop in the main thread; without this Django refuses every query made beside it.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")

# How long an example takes says how busy the machine is, nothing about the code. The suite tries the same examples every
# time, so that a red run means a change; `pytest --hypothesis-profile=search` looks for new ones.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None)
hypothesis.settings.load_profile("suite")

STRICT = os.environ.get("STRICT") == "1"


# The words in a file's name that say its tests look at a face: a page, the desk, the phone, the API.
FACES = {"admin", "api", "faces", "mobile", "page", "pages", "phone", "picker", "resident", "view"}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not meant for this engine: deselected, as a skip would claim something is missing.

    What touches neither a database nor Redis is the same on every engine: it runs once, on the embedded default.
    """
    for item in items:
        if _is_face(item):
            item.add_marker("face")
    engine = settings.DATABASES["default"]["ENGINE"]
    wrong = {"postgres"} if engine.endswith("sqlite3") else {"embedded"}
    if "Redis" not in settings.CACHES["default"]["BACKEND"]:
        wrong.add("redis")
    dropped = [item for item in items if wrong & {mark.name for mark in item.iter_markers()}]
    if "embedded" in wrong:
        dropped += [item for item in items if not _depends_on_the_engine(item)]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        gone = set(dropped)
        items[:] = [item for item in items if item not in gone]
    # The longest first, or the last worker ends alone; it starts servers and leaves the other time to migrate.
    items.sort(key=lambda item: item.path.name != "test_scripts.py")


def pytest_configure() -> None:
    """What is imported and collected stays: looking for circles in it, again and again, is a tenth of the suite's time."""
    gc.disable()


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


def _depends_on_the_engine(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    asked = set(getattr(item, "fixturenames", ()))
    return bool(marks & {"django_db", "postgres", "redis"} or asked & {"db", "transactional_db", "live_server"})


def _is_face(item: pytest.Item) -> bool:
    """Whether one engine is enough for the test, where that one is what a county runs on: script/test leaves these to
    PostgreSQL (docs/architecture.md). Importing, and all that commits or races, is said on both."""
    words = set(item.path.stem.split("_"))
    asked = set(getattr(item, "fixturenames", ()))
    commits = "transactional_db" in asked or any(
        mark.kwargs.get("transaction") for mark in item.iter_markers("django_db")
    )
    return bool(words & FACES) and "import" not in words and not commits and _depends_on_the_engine(item)


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Name a long or binary value by its argument: a file's bytes make an unreadable name, and one that differs from
    worker to worker when the file is made at collection (a workbook holds the time it was written)."""
    return argname if isinstance(val, bytes) or (isinstance(val, str) and len(val) > 60) else None


def _refuse_skip(report: Any) -> Any:
    if STRICT and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped under STRICT=1: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, Any, Any]:
    return _refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, Any, Any]:
    return _refuse_skip((yield))


@pytest.fixture(autouse=True)
def clean_cache() -> None:
    """A test must not find what another one cached."""
    from django.core.cache import cache

    from core import working_calendar
    from services import clocks

    cache.clear()
    working_calendar.forget()
    clocks.forget_limits()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium where there is one (CHROMIUM_PATH or PATH), else the one Playwright installed."""
    found = os.environ.get("CHROMIUM_PATH") or shutil.which("chromium") or shutil.which("chromium-browser")
    arguments = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if hasattr(os, "getuid") and os.getuid() == 0:
        arguments.append("--no-sandbox")
    args = {**browser_type_launch_args, "args": arguments}
    return {**args, "executable_path": found} if found else args


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args: dict[str, Any]) -> dict[str, Any]:
    return {**browser_context_args, "locale": "zh-CN", "timezone_id": "Asia/Shanghai"}
