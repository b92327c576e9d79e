"""Starts of the background after commit: at once, never lost among others, and few where many ask for the same."""

import threading
from collections.abc import Iterator

import pytest
from django.db import transaction

from core import background
from core.background import start_on_commit


class Started:
    """What was handed over, and a way to wait for the next."""

    def __init__(self) -> None:
        self.all: list[tuple[object, ...]] = []
        self.told = threading.Condition()

    def __call__(self, name: str, *args: object) -> None:
        with self.told:
            self.all.append((name, *args))
            self.told.notify_all()

    def wait_for(self, number: int) -> list[tuple[object, ...]]:
        with self.told:
            assert self.told.wait_for(lambda: len(self.all) >= number, timeout=10)
            return list(self.all)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Iterator[Started]:
    found = Started()
    monkeypatch.setattr(background, "_hand_over", found)
    monkeypatch.setattr(background, "_gather", background._Gather())
    yield found
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()


@pytest.mark.django_db(transaction=True)
def test_nothing_starts_before_the_commit_or_after_a_rollback(started: Started) -> None:
    with transaction.atomic():
        start_on_commit("deliver")
        start_on_commit("deliver")
        start_on_commit("job", 1)
        assert started.all == []
    assert started.all == [("deliver",), ("job", 1)]
    with transaction.atomic():
        start_on_commit("job", 2)
        transaction.set_rollback(True)
    assert started.all == [("deliver",), ("job", 1)]


@pytest.mark.django_db(transaction=True)
def test_who_asks_right_after_another_is_served_by_a_later_start(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "GATHER_SECONDS", 0.3)
    for _each in range(50):
        start_on_commit("deliver")
    assert started.all == [("deliver",)]
    start_on_commit("send")  # another task does not wait for it
    assert started.all == [("deliver",), ("send",)]
    assert started.wait_for(3) == [("deliver",), ("send",), ("deliver",)]


@pytest.mark.django_db(transaction=True)
def test_a_job_of_its_own_is_never_gathered(started: Started) -> None:
    for number in range(5):
        start_on_commit("job", number)
    assert started.all == [("job", number) for number in range(5)]


def test_whoever_asks_from_many_threads_finds_a_start_after_it(
    started: Started, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "GATHER_SECONDS", 0.01)
    gather, together = background._Gather(), threading.Barrier(8)
    before: list[int] = []

    def ask() -> None:
        together.wait()
        for _each in range(20):
            gather.start("deliver")
            before.append(len(started.all))

    threads = [threading.Thread(target=ask) for _each in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whatever was started when the last of them had asked: a start is done already or still comes.
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join()
    assert len(before) == 160 and 1 <= len(started.all) < 160
    assert gather._coming == set()
