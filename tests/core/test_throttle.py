"""Rate limits: counted where all processes see them, told in plain words."""

import datetime
import threading
from typing import Any

import pytest
import time_machine
from django.db import connections
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core import throttle
from core.errors import Throttled
from core.models import ThrottleHit
from core.tasks import clean_up

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 12, 0, tzinfo=datetime.UTC)


def hit(key: str = "order:10.0.0.8", limit: int = 3, window_seconds: int = 600) -> None:
    throttle.hit(key, limit=limit, window_seconds=window_seconds)


def test_the_limit_itself_is_allowed_and_one_more_is_not() -> None:
    with time_machine.travel(NOON, tick=False):
        for _number in range(3):
            hit()
        with pytest.raises(Throttled):
            hit()


def test_the_message_says_when_to_try_again() -> None:
    with time_machine.travel(NOON + datetime.timedelta(minutes=4, seconds=30), tick=False):
        hit(limit=1)
        with pytest.raises(Throttled) as caught:
            hit(limit=1)
    assert caught.value.message == "操作过于频繁，请在6 分钟后再试。"
    assert caught.value.retry_after == 330


@pytest.mark.parametrize(("seconds", "words"), [(30, "30 秒"), (3600, "1 小时"), (86400, "24 小时"), (60, "1 分钟")])
def test_the_wait_is_told_in_a_fitting_unit(seconds: int, words: str) -> None:
    with time_machine.travel(NOON.replace(hour=0), tick=False):
        hit(limit=1, window_seconds=seconds)
        with pytest.raises(Throttled, match=words):
            hit(limit=1, window_seconds=seconds)


def test_the_next_window_begins_anew() -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        hit(limit=1)
        clock.shift(599)
        with pytest.raises(Throttled):
            hit(limit=1)
        clock.shift(1)
        hit(limit=1)


def test_keys_do_not_touch_one_another() -> None:
    hit("order:10.0.0.8", limit=1)
    hit("order:10.0.0.9", limit=1)
    hit("follow:10.0.0.8", limit=1)


def test_a_long_key_is_counted_as_itself() -> None:
    hit("k" * 500, limit=1)
    hit("k" * 501, limit=1)
    with pytest.raises(Throttled):
        hit("k" * 500, limit=1)


@pytest.mark.django_db(transaction=True)
def test_attempts_at_the_same_moment_are_all_counted() -> None:
    threads_count, each = 4, 5
    barrier = threading.Barrier(threads_count, timeout=30)
    refused: list[int] = []

    def run() -> None:
        try:
            barrier.wait()
            for _number in range(each):
                try:
                    hit(limit=12, window_seconds=86400)
                except Throttled:
                    refused.append(1)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _number in range(threads_count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ThrottleHit.objects.get().hits == threads_count * each
    assert len(refused) == threads_count * each - 12


@given(limit=st.integers(1, 20), seconds=st.floats(0, 10**9))
def test_the_wait_never_leads_into_the_same_window(limit: int, seconds: float) -> None:
    with time_machine.travel(NOON + datetime.timedelta(seconds=seconds), tick=False) as clock:
        key = f"k{seconds}-{limit}"
        for _number in range(limit):
            hit(key, limit=limit)
        with pytest.raises(Throttled) as caught:
            hit(key, limit=limit)
        assert 0 < caught.value.retry_after <= 600
        clock.shift(caught.value.retry_after + 1)
        hit(key, limit=limit)


def test_old_counts_are_removed(settings: Any) -> None:
    with time_machine.travel(timezone.now() - datetime.timedelta(days=3)):
        hit("old")
    hit("new")
    clean_up()
    assert [row.key for row in ThrottleHit.objects.all()] == ["new"]
