"""Notices: written with the deed, delivered once, tried again when a channel fails, read by their reader alone."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.db import transaction
from django.test import Client
from django.utils import timezone

from core import notices, sending
from core.models import Notice, OutboxMessage, OutboxState, User
from core.tasks import deliver_notices
from governance.celery import PatientTask
from tests.factories import make_user
from tests.grids.test_tree_concurrency import together

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    return make_user("王一")


@pytest.fixture
def failing() -> Iterator[str]:
    """An audience whose readers can not be found out at the moment."""

    def fail(value: Any) -> list[int]:
        raise LookupError("no such place")

    notices.register_audience("test_failing", fail)
    yield "test_failing"
    del notices._audiences["test_failing"]


def post(reader: User | None = None, **details: Any) -> None:
    audience = {"user": reader.pk} if reader else {}
    notices.post(**{"kind": "test", "title": "新派单", "audience": audience, "key": "demand:1:dispatched", **details})


# --- Outbox -----------------------------------------------------------------------------------------------------------


def test_posting_costs_one_statement(reader: User, django_assert_num_queries: Callable[[int], Any]) -> None:
    with transaction.atomic(), django_assert_num_queries(1):
        post(reader)


def test_the_same_news_twice_is_one_notice(reader: User) -> None:
    post(reader)
    post(reader, title="又一次")
    notices.deliver()
    assert [notice.title for notice in Notice.objects.all()] == ["新派单"]


def test_news_of_a_transaction_that_fails_is_never_told(reader: User) -> None:
    with transaction.atomic():
        post(reader)
        transaction.set_rollback(True)
    assert notices.deliver() == 0
    assert not Notice.objects.exists()


@pytest.mark.parametrize(
    "details",
    [
        {"audience": {"nobody_registered_this": 1}},
        {"key": "k" * 141},
        {"link": "https://example.org/"},
        {"link": "//example.org/"},
        {"link": "/\\example.org/"},
    ],
)
def test_a_slip_of_the_caller_is_refused_and_nothing_is_posted(details: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - for programmers, who read the traceback
        post(**details)
    assert not OutboxMessage.objects.exists()


def test_long_texts_are_cut_with_a_mark(reader: User) -> None:
    post(reader, title="题" * 200, body="文" * 600)
    message = OutboxMessage.objects.get()
    assert (len(message.title), len(message.body)) == (120, 500)
    assert message.title.endswith("…")


def test_delivery_is_asked_for_once_after_commit(
    reader: User, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks() as callbacks, transaction.atomic():
        post(reader, key="a")
        post(reader, key="b")
        notices.post_many([notices.Message("test", "新派单", {"user": reader.pk}, key) for key in "cd"])
    assert len(callbacks) == 1


def test_a_broker_that_is_away_fails_no_request(
    reader: User, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PatientTask, "_paused_until", 0.0)
    task = current_app.tasks["core.tasks.deliver_notices"]
    send = task.apply_async
    with current_app.connection_for_write("redis://127.0.0.1:1/0") as nowhere:
        monkeypatch.setattr(task, "apply_async", lambda args, kwargs: send(args, kwargs, connection=nowhere))
        with django_capture_on_commit_callbacks(execute=True):
            post(reader)
    assert PatientTask._paused_until > 0, "the broker was never asked"
    assert OutboxMessage.objects.get().state == OutboxState.WAITING


# --- Boxes ------------------------------------------------------------------------------------------------------------


def test_every_reader_of_an_audience_finds_it_in_the_box_once(reader: User) -> None:
    other = make_user("李二")
    notices.register_audience("test_both", lambda value: [reader.pk, other.pk])
    try:
        post(audience={"user": reader.pk, "test_both": None}, link="/m/", body="请签收")
        deliver_notices()
    finally:
        del notices._audiences["test_both"]
    assert set(Notice.objects.values_list("reader", "title", "body", "link")) == {
        (reader.pk, "新派单", "请签收", "/m/"),
        (other.pk, "新派单", "请签收", "/m/"),
    }
    assert OutboxMessage.objects.get().state == OutboxState.DONE


def test_a_stopped_account_gets_nothing(reader: User) -> None:
    stopped = make_user("李二", is_active=False)
    post(audience={"user": [reader.pk, stopped.pk]})
    notices.deliver()
    assert [notice.reader for notice in Notice.objects.all()] == [reader]


def test_delivering_twice_leaves_one_notice(reader: User) -> None:
    post(reader)
    notices.deliver()
    # A worker died after filling the boxes and before it could say so.
    OutboxMessage.objects.update(state=OutboxState.WAITING, due_at=timezone.now())
    notices.deliver()
    assert Notice.objects.count() == 1
    assert OutboxMessage.objects.get().state == OutboxState.DONE


def test_a_message_that_fails_is_tried_later_and_later_and_then_given_up(failing: str, reader: User) -> None:
    with time_machine.travel("2026-03-02 08:00+08:00", tick=False) as clock:
        post(audience={failing: 1})
        post(reader, key="other")
        pauses = []
        for _try in range(sending.MAX_ATTEMPTS):
            notices.deliver()
            message = OutboxMessage.objects.get(key="demand:1:dispatched")
            pauses.append((message.due_at - timezone.now()).total_seconds() / 60)
            assert notices.deliver() == 0
            clock.move_to(message.due_at)
        message.refresh_from_db()
    assert (message.state, message.attempts) == (OutboxState.FAILED, sending.MAX_ATTEMPTS)
    assert pauses == [1, 5, 30, 120, 360, 360]
    assert "no such place" in message.error
    # One that fails keeps no other waiting.
    assert Notice.objects.filter(reader=reader).count() == 1


def test_a_message_is_tried_again_after_its_worker_died(reader: User) -> None:
    post(reader)
    message = OutboxMessage.objects.get()
    assert notices._claim_batch() == [message]
    assert notices.deliver() == 0
    with time_machine.travel(timezone.now() + datetime.timedelta(minutes=2)):
        assert notices.deliver() == 1


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_every_message_once() -> None:
    reader = make_user("王一")
    notices.post_many([notices.Message("test", "新派单", {"user": reader.pk}, f"k{number}") for number in range(30)])
    counts: list[int] = []
    assert not together(*[lambda: counts.append(notices.deliver())] * 2)
    assert sum(counts) == 30
    assert Notice.objects.count() == 30


def test_a_batch_costs_the_same_whatever_it_holds(django_assert_num_queries: Callable[[int], Any]) -> None:
    people = [make_user(f"读者{number}") for number in range(5)]
    for size in (10, 100):
        notices.post_many(
            notices.Message("test", "新派单", {"user": people[number % 5].pk}, f"{size}:{number}")
            for number in range(size)
        )
        # Claim (2 and a savepoint's pair), readers, words, boxes, close, another pair; and a look that finds no more.
        with django_assert_num_queries(13):
            assert notices.deliver() == size
    assert Notice.objects.count() == 110


def test_old_notices_go_and_waiting_news_stays(reader: User) -> None:
    post(reader, key="old")
    notices.deliver()
    post(reader, key="waiting")
    notices.clean_up(before=timezone.now() + datetime.timedelta(seconds=1))
    assert not Notice.objects.exists()
    assert [message.key for message in OutboxMessage.objects.all()] == ["waiting"]


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def box(reader: User) -> list[Notice]:
    for number in range(3):
        post(reader, key=f"n{number}", title=f"通知 {number}", link="/jobs/" if number else "")
    notices.deliver()
    return list(Notice.objects.order_by("pk"))


def test_the_page_shows_ones_own_notices_and_nobody_elses(client: Client, reader: User, box: list[Notice]) -> None:
    client.force_login(reader)
    assert "通知 2" in client.get("/notices/").content.decode()
    client.force_login(make_user("陌生人"))
    page = client.get("/notices/").content.decode()
    assert "通知 2" not in page
    assert "还没有通知" in page


def test_without_sign_in_the_page_asks_for_it(client: Client) -> None:
    assert client.get("/notices/").status_code == 302


def test_opening_a_notice_marks_it_and_leads_to_its_matter(client: Client, reader: User, box: list[Notice]) -> None:
    client.force_login(reader)
    assert client.post(f"/notices/{box[1].pk}/").url == "/jobs/"
    assert client.post(f"/notices/{box[0].pk}/").url == "/notices/"
    assert notices.unread_count(reader) == 1
    assert "通知 0" not in client.get("/notices/?unread=1").content.decode()


def test_a_stranger_can_neither_open_nor_mark_it(client: Client, box: list[Notice]) -> None:
    stranger = make_user("陌生人")
    client.force_login(stranger)
    assert client.post(f"/notices/{box[1].pk}/").status_code == 404
    client.post("/notices/read/")
    assert not Notice.objects.exclude(read_at=None).exists()


def test_looking_alone_marks_nothing(client: Client, reader: User, box: list[Notice]) -> None:
    client.force_login(reader)
    assert client.get(f"/notices/{box[1].pk}/").status_code == 405
    client.get("/notices/")
    assert notices.unread_count(reader) == 3


def test_all_are_marked_at_once(client: Client, reader: User, box: list[Notice]) -> None:
    client.force_login(reader)
    client.post("/notices/read/")
    assert notices.unread_count(reader) == 0


def test_the_unread_count_stops_at_its_cap(reader: User, box: list[Notice]) -> None:
    assert notices.unread_count(reader, cap=1) == 2


def test_pages_lead_through_a_long_box(client: Client, reader: User) -> None:
    for number in range(45):
        post(reader, key=f"n{number}", title=f"第{number}号")
    notices.deliver()
    client.force_login(reader)
    seen, address = [], "/notices/"
    while address:
        response = client.get(address)
        seen += [notice.title for notice, _label in response.context["notices"]]
        address = response.context["next_url"] and "/notices/" + response.context["next_url"]
    assert seen == [f"第{number}号" for number in reversed(range(45))]


@pytest.mark.parametrize("before", ["abc", "-1", "9" * 30, "１２"])
def test_a_strange_page_mark_shows_the_first_page(client: Client, reader: User, box: list[Notice], before: str) -> None:
    client.force_login(reader)
    assert "通知 2" in client.get("/notices/", {"before": before}).content.decode()
