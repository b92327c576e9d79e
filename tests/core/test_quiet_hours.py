"""At night nothing leaves but what is urgent: however late a message is sent, and however often it was tried before."""

import datetime
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from core import notice_kinds, notices, quiet, sending
from core.models import Notice, NoticePreference, OutboxMessage, User
from tests.core.far_end import WebEnd, running
from tests.factories import make_user
from tests.grids.test_tree_concurrency import together

CALM, URGENT = "test_calm", "test_urgent"
T = datetime.time
REFUSES, TAKES = {"errcode": 45009, "errmsg": "limit"}, {"errcode": 0}


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    notices.register_kind(CALM, "提醒", outside=True)
    notices.register_kind(URGENT, "督办", outside=True, urgent=True)
    yield
    del notice_kinds._kinds[CALM], notice_kinds._kinds[URGENT]


@pytest.fixture
def web(settings: Any) -> Iterator[WebEnd]:
    with running(WebEnd()) as end:
        settings.NOTICE_SMS_URL = end.url
        yield end


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-03-02 20:55+08:00", tick=False) as clock:
        yield clock


def at(clock: Any, moment: str) -> None:
    """The clock shows "02 21:01": day of March and hour, here."""
    clock.move_to(datetime.datetime.fromisoformat(f"2026-03-{moment.replace(' ', 'T')}+08:00"))


def post(*readers: User, key: str = "k", kind: str = CALM, **details: Any) -> None:
    notices.post(kind=kind, title="漏水", audience={"user": [reader.pk for reader in readers]}, key=key, **details)
    notices.deliver()


def rows() -> list[tuple[str, int, str]]:
    """State, tries and moment of each message to the outside, in the order in which they were written."""
    found = OutboxMessage.objects.exclude(channel="").order_by("pk")
    return [(row.state, row.attempts, f"{timezone.localtime(row.due_at):%d %H:%M}") for row in found]


# --- What comes too late to leave ---------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("setting", ["NOTICE_SMS_URL", "NOTICE_WECOM_URL"])
def test_a_message_refused_till_night_rests_and_keeps_its_tries(
    web: WebEnd, settings: Any, clock: Any, setting: str
) -> None:
    settings.NOTICE_SMS_URL = None
    setattr(settings, setting, web.url)
    web.answer = REFUSES
    post(make_user())
    sending.send()
    at(clock, "02 20:56")
    sending.send()
    assert rows() == [("waiting", 2, "02 21:01")]
    web.answer = TAKES
    at(clock, "02 21:01")
    assert sending.send() == 0
    assert rows() == [("waiting", 2, "03 07:00")]
    at(clock, "03 06:59")
    assert sending.send() == 0
    assert len(web.received) == 2
    at(clock, "03 07:00")
    assert (sending.send(), sending.send()) == (1, 0)
    assert rows() == [("done", 3, "03 07:00")]


@pytest.mark.django_db
def test_what_a_worker_finds_when_it_comes_back_at_night_rests(web: WebEnd, clock: Any) -> None:
    reader = make_user()
    at(clock, "02 20:59")
    post(reader)
    # In the portal it stands at once, and so does what is posted at night.
    at(clock, "02 23:00")
    post(reader, key="later")
    assert Notice.objects.filter(reader=reader).count() == 2
    assert sending.send() == 0
    assert rows() == [("waiting", 0, "03 07:00")] * 2
    assert sending.pile()["late"] == 0
    at(clock, "03 07:00")
    assert sending.send() == 2


@pytest.mark.django_db
def test_what_had_no_turn_before_night_has_it_in_the_morning(web: WebEnd, settings: Any, clock: Any) -> None:
    settings.NOTICE_SMS_URL, settings.NOTICE_WECOM_URL = None, web.url
    reader = make_user()
    at(clock, "02 20:59")
    for number in range(23):
        post(reader, key=f"k{number}")
    assert sending.send() == 20
    at(clock, "02 21:01")
    post(reader, key="urgent", kind=URGENT)
    assert (sending.send(), len(web.received)) == (1, 21)
    assert sorted(rows())[-3:] == [("waiting", 0, "03 07:00")] * 3
    at(clock, "03 07:00")
    assert sending.send() == 3


@pytest.mark.django_db
def test_quiet_hours_that_begin_while_a_batch_is_on_its_way_hold_for_the_rest_of_it(
    web: WebEnd, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = make_user()
    at(clock, "02 20:59")
    for number in range(3):
        post(reader, key=f"k{number}")
    hand_over = sending._Run._hand_over

    def slowly(run: Any, *given: Any) -> None:
        hand_over(run, *given)
        at(clock, "02 21:00")

    monkeypatch.setattr(sending._Run, "_hand_over", slowly)
    assert sending.send() == 1
    assert [row[1:] for row in rows()[1:]] == [(0, "03 07:00")] * 2


@pytest.mark.django_db
def test_a_message_of_a_worker_that_died_rests_and_goes_out_under_the_same_token(web: WebEnd, clock: Any) -> None:
    post(make_user())
    row = OutboxMessage.objects.exclude(channel="").get()
    assert sending._claimed(row)
    at(clock, "02 21:30")
    assert sending.send() == 0
    assert rows() == [("waiting", 1, "03 07:00")]
    at(clock, "03 07:00")
    assert sending.send() == 1
    assert [headers["Idempotency-Key"] for _path, headers, _body in web.received] == [sending.token_of(row)]


@pytest.mark.django_db
@pytest.mark.parametrize(("kind", "details"), [(URGENT, {}), (CALM, {"urgent": True})])
def test_what_is_urgent_goes_at_once_past_all_that_rests(
    web: WebEnd, clock: Any, django_assert_max_num_queries: Callable[[int], Any], kind: str, details: dict[str, Any]
) -> None:
    """Also one that was refused, and however much lies before it: that is put off a hundred at a time."""
    reader = make_user()
    for number in range(120):
        post(reader, key=f"k{number}")
    web.answer = REFUSES
    post(reader, key="urgent", kind=kind, **details)
    OutboxMessage.objects.filter(key__startswith="k").update(due_at=timezone.now() - datetime.timedelta(minutes=1))
    at(clock, "02 23:00")
    with django_assert_max_num_queries(24):
        assert sending.send() == 0
    assert rows()[-1] == ("waiting", 1, "02 23:01")
    web.answer = TAKES
    at(clock, "02 23:01")
    assert (sending.send(), len(web.received)) == (1, 2)
    assert rows()[:-1] == [("waiting", 0, "03 07:00")] * 120


@pytest.mark.django_db
def test_without_quiet_hours_a_message_goes_whenever_a_worker_comes(web: WebEnd, settings: Any, clock: Any) -> None:
    settings.NOTICE_QUIET_HOURS = "off"
    post(make_user())
    at(clock, "03 02:00")
    assert sending.send() == 1


# --- A person's own hours -----------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["sms", "email"])
def test_everybody_has_their_own_rest(web: WebEnd, settings: Any, mailoutbox: list[Any], clock: Any, way: str) -> None:
    """Those whose hours differ share no message: nobody is woken by another's, and nobody waits for another's."""
    everybody = [make_user("照旧的"), make_user("晚睡的"), make_user("白天睡的")]
    own: list[dict[str, Any]] = [
        {},
        {"quiet_from": T(23), "quiet_until": T(6)},
        {"quiet_from": T(7), "quiet_until": T(20)},
    ]
    if way == "email":
        settings.NOTICE_SMS_URL, settings.NOTICE_EMAIL = None, True
    for person, hours in zip(everybody, own, strict=True):
        at_once = {group.name: {"email": "now"} for group in notice_kinds.groups()}
        NoticePreference.objects.create(user=person, email=f"{person.pk}@example.org", choices=at_once, **hours)

    def told() -> int:
        phones = [phone for _path, _headers, body in web.received for phone in body["phones"]]
        return len(phones) if way == "sms" else len(mailoutbox)

    post(*everybody)
    found = []
    for moment in ("02 21:30", "02 23:30", "03 06:30", "03 07:00"):
        at(clock, moment)
        sending.send()
        found.append(told())
    # At half past nine the late one and the one who works at night; in the morning whoever sleeps as everybody does.
    assert found == [2, 2, 2, 3]


@pytest.mark.django_db
def test_readers_of_one_message_whose_hours_leave_none_of_the_day_are_told_by_the_installations(
    web: WebEnd, clock: Any
) -> None:
    """They shared their hours when it was written and changed them since: it does not wait for ever."""
    one, other = make_user("王一"), make_user("李二")
    post(one, other)
    for person, begins, ends in ((one, T(8), T(22)), (other, T(22), T(8))):
        NoticePreference.objects.create(user=person, quiet_from=begins, quiet_until=ends)
    at(clock, "02 23:00")
    assert sending.send() == 0
    assert rows() == [("waiting", 0, "03 07:00")]
    at(clock, "03 07:00")
    assert sending.send() == 1


# --- At once --------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_another_worker_put_off_is_not_claimed(web: WebEnd, clock: Any) -> None:
    post(make_user())
    row = OutboxMessage.objects.exclude(channel="").get()
    OutboxMessage.objects.filter(pk=row.pk).update(due_at=timezone.now() + datetime.timedelta(hours=10))
    assert not sending._claimed(row)
    assert rows() == [("waiting", 0, "03 06:55")]


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_night_send_what_is_urgent_once_and_put_off_the_rest(web: WebEnd, clock: Any) -> None:
    reader = make_user()
    for number in range(30):
        post(reader, key=f"k{number}", kind=URGENT if number % 10 == 9 else CALM)
    at(clock, "02 22:00")
    counts: list[int] = []
    assert not together(*[lambda: counts.append(sending.send())] * 2)
    assert (sum(counts), len(web.received)) == (3, 3)
    assert sorted(rows()) == [("done", 1, "02 20:55")] * 3 + [("waiting", 0, "03 07:00")] * 27


# --- The first moment that is quiet for nobody -----------------------------------------------------------------------------

_HOURS = st.tuples(st.times(), st.times()).filter(lambda hours: hours[0] != hours[1])


@examples(max_examples=30)
@given(st.lists(_HOURS, max_size=4), st.integers(0, 48 * 60 * 60))
def test_the_first_moment_quiet_for_nobody_is_the_first(several: list[quiet.Hours], second: int) -> None:
    now = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC) + datetime.timedelta(seconds=second)
    found = quiet.earliest_for(several, now)
    moments = [now + datetime.timedelta(minutes=20 * number) for number in range(24 * 3)]
    free = [moment for moment in moments if not any(quiet.is_quiet(hours, moment) for hours in several)]
    if found is None:
        assert not free
        return
    assert not any(quiet.is_quiet(hours, found) for hours in several)
    assert now <= found <= now + datetime.timedelta(days=1)
    assert not free or found <= free[0]
    if len(several) == 1:
        assert found == quiet.earliest(several[0], now)
