"""Messages to the outside: over real sockets, once each, whatever the other end does and whenever a worker dies."""

import datetime
import multiprocessing
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest
import time_machine
from django.core import mail
from django.db import connections
from django.utils import timezone

from core import channels, notice_kinds, notices, sending, transport
from core.errors import Conflict, Invalid, NotFound
from core.models import AuditEntry, ChannelState, NoticePreference, OutboxMessage, OutboxState, User
from tests.cast import Cast
from tests.core.far_end import MailEnd, WebEnd, running
from tests.factories import fresh, make_user
from tests.grids.test_tree_concurrency import together

pytestmark = pytest.mark.django_db

KIND = "test_urgent"
ROBOTS = {"wecom": "NOTICE_WECOM_URL", "dingtalk": "NOTICE_DINGTALK_URL", "feishu": "NOTICE_FEISHU_URL"}
SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def reader() -> User:
    return make_user("王一")


@pytest.fixture(autouse=True)
def urgent() -> Iterator[None]:
    """A kind that leaves the portal at any hour."""
    notices.register_kind(KIND, "督办", outside=True, urgent=True)
    yield
    del notice_kinds._kinds[KIND]


@pytest.fixture
def web() -> Iterator[WebEnd]:
    with running(WebEnd()) as end:
        yield end


@pytest.fixture
def post_office(settings: Any) -> Iterator[MailEnd]:
    with running(MailEnd()) as end:
        settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", end.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        yield end


def post(*readers: User, key: str = "demand:1:supervise", kind: str = KIND, **details: Any) -> None:
    audience = {"user": [reader.pk for reader in readers]}
    notices.post(**{"kind": kind, "title": "阳光小区张大爷家漏水", "audience": audience, "key": key, **details})
    notices.deliver()


def outside(channel: str = "") -> OutboxMessage:
    rows = OutboxMessage.objects.exclude(channel="")
    return rows.get(channel=channel) if channel else rows.get()


# --- What leaves ------------------------------------------------------------------------------------------------------


def test_without_configuration_no_channel_is_offered_and_nothing_leaves(reader: User) -> None:
    assert channels.offered() == []
    post(reader)
    assert OutboxMessage.objects.count() == 1


@pytest.mark.parametrize("robot", ROBOTS)
def test_a_robot_gets_one_message_that_names_no_matter(reader: User, web: WebEnd, settings: Any, robot: str) -> None:
    setattr(settings, ROBOTS[robot], web.url)
    post(reader, make_user("李二"))
    assert sending.send() == 1
    assert sending.send() == 0
    [text] = web.texts
    assert "督办" in text and "/notices/" in text
    assert "张大爷" not in text and "阳光" not in text
    assert outside().state == OutboxState.DONE


def test_robots_with_a_secret_are_signed_each_in_its_way(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_DINGTALK_URL, settings.NOTICE_DINGTALK_SECRET = web.url, "SEC-test"
    settings.NOTICE_FEISHU_URL, settings.NOTICE_FEISHU_SECRET = web.url, "feishu-test"
    with time_machine.travel("2026-03-02 08:00+08:00", tick=False):
        post(reader)
        sending.send()
    (path, _headers, _body), (_path, _headers, body) = web.received
    assert "&timestamp=1772409600000&sign=" in path
    # Signed by hand: openssl dgst -sha256 -hmac $'1772409600\nfeishu-test' < /dev/null
    assert (body["timestamp"], body["sign"]) == ("1772409600", FEISHU_SIGNATURE)


FEISHU_SIGNATURE = "N/8FC6BD9euaLh7cxAePagaQEqKroi/Oj+bJqrAeSL0="


def test_the_sms_gateway_gets_phones_token_and_a_key_for_repetitions(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_SMS_URL, settings.NOTICE_SMS_TOKEN = web.url, "geheim"
    other, stopped = make_user("李二"), make_user("赵三", is_active=False)
    post(reader, other, stopped)
    sending.send()
    [(_path, headers, body)] = web.received
    assert headers["Authorization"] == "Bearer geheim"
    assert len(headers["Idempotency-Key"]) == 40
    assert body["phones"] == [reader.phone, other.phone]


def test_mail_goes_to_the_duty_mailbox_and_to_each_own_address(
    reader: User, post_office: MailEnd, settings: Any
) -> None:
    settings.NOTICE_EMAIL_TO, settings.NOTICE_EMAIL = ["zhiban@example.org"], True
    NoticePreference.objects.create(user=reader, email="wang@example.org")
    post(reader, make_user("没有邮箱"))
    assert sending.send() == 2
    assert sorted(to for to, _text in post_office.received) == [["wang@example.org"], ["zhiban@example.org"]]
    letter = message_from_bytes(post_office.received[0][1], policy=policy.default)
    assert letter["Subject"] == "【经纬】督办"
    assert "请登录查看" in letter.get_content() and "张大爷" not in letter.get_content()
    assert letter["Message-ID"].endswith("@jingwei>")


# --- What the other end may do ----------------------------------------------------------------------------------------

REFUSED, UNSURE, DONE = (OutboxState.WAITING, OutboxState.UNSURE, OutboxState.DONE)
ANSWERS: dict[str, tuple[dict[str, Any], OutboxState, OutboxState]] = {
    # Name: what it does, how a robot's message stands then, how a text message stands.
    "says no": ({"answer": {"errcode": 45009, "errmsg": "limit"}}, REFUSED, REFUSED),
    "is broken": ({"status": 500, "answer": {}}, REFUSED, REFUSED),
    "knows no such robot": ({"status": 404, "answer": b"no"}, REFUSED, REFUSED),
    "leads elsewhere": ({"status": 302, "headers": {"Location": "http://127.0.0.1:1/"}}, REFUSED, REFUSED),
    "has lost its own other end": ({"status": 504, "answer": b""}, UNSURE, REFUSED),
    "talks rubbish": ({"answer": b"<html>welcome</html>"}, UNSURE, REFUSED),
    "answers a list": ({"answer": [1]}, UNSURE, REFUSED),
    "does not say whether it took it": ({"answer": {"ok": 1}}, UNSURE, DONE),
    "says truth for a number": ({"answer": {"errcode": False}}, UNSURE, REFUSED),
    "hangs up": ({"drop": True}, UNSURE, REFUSED),
    "breaks off": ({"answer": b"{", "headers": {"Content-Length": "99"}}, UNSURE, REFUSED),
    "answers with nothing": ({"answer": b""}, UNSURE, DONE),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_became_of_a_message_follows_from_the_answer(
    reader: User, web: WebEnd, settings: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 1)
    behaviour, robot, sms = ANSWERS[name]
    vars(web).update(behaviour)
    settings.NOTICE_WECOM_URL = settings.NOTICE_SMS_URL = web.url
    post(reader)
    sending.send()
    assert (outside("wecom").state, outside("sms").state) == (robot, sms)
    assert len(web.received) == 2
    for row in (outside("wecom"), outside("sms")):
        assert bool(row.error) == (row.state != DONE)
        assert "secret" not in row.error and "127.0.0.1" not in row.error
        if row.state == OutboxState.WAITING:
            assert (row.attempts, row.due_at > timezone.now()) == (1, True)
    assert ChannelState.objects.get(name="wecom").error == outside("wecom").error


@pytest.mark.parametrize("drips", [False, True])
def test_a_slow_answer_is_waited_for_so_long_and_no_longer(
    reader: User, web: WebEnd, settings: Any, monkeypatch: pytest.MonkeyPatch, drips: bool
) -> None:
    """Also when a byte comes now and then: the time for the whole counts."""
    monkeypatch.setattr(transport, "TIMEOUT_SECONDS", 5 if drips else 0.2)
    monkeypatch.setattr(transport, "TOTAL_SECONDS", 0.3 if drips else 10)
    settings.NOTICE_WECOM_URL = web.url
    web.hold()
    post(reader)
    before = timezone.now()
    sending.send()
    assert timezone.now() - before < datetime.timedelta(seconds=4)
    assert outside().state == OutboxState.UNSURE
    assert len(web.received) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/send?key=secret", "file:///etc/passwd", "https://"])
def test_what_never_left_is_tried_again_later_and_later_and_is_then_a_dead_letter(
    reader: User, settings: Any, url: str
) -> None:
    settings.NOTICE_WECOM_URL = url
    pauses = []
    with time_machine.travel("2026-03-02 08:00+08:00", tick=False) as clock:
        post(reader)
        for _try in range(sending.MAX_ATTEMPTS):
            sending.send()
            row = outside()
            pauses.append(round((row.due_at - timezone.now()).total_seconds() / 60))
            assert sending.send() == 0
            clock.move_to(max(row.due_at, timezone.now()))
    assert pauses[:-1] == [1, 5, 30, 120, 360]
    assert (row.state, row.attempts) == (OutboxState.FAILED, sending.MAX_ATTEMPTS)
    assert "secret" not in row.error


def test_a_plain_address_that_is_asked_for_tls_gets_nothing(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_WECOM_URL = web.url.replace("http://", "https://")
    post(reader)
    sending.send()
    assert (outside().state, web.received) == (OutboxState.WAITING, [])


@pytest.mark.parametrize(
    ("says", "state"),
    [
        ({"RCPT": "550 nobody of that name"}, OutboxState.WAITING),
        ({"MAIL": "452 full"}, OutboxState.WAITING),
        ({"END": "554 spam"}, OutboxState.WAITING),
        ({"END": "hang up"}, OutboxState.UNSURE),
    ],
)
def test_a_mail_server_says_no_or_nothing(
    reader: User, post_office: MailEnd, settings: Any, says: dict[str, str], state: OutboxState
) -> None:
    settings.NOTICE_EMAIL_TO = ["zhiban@example.org"]
    post_office.says = says
    post(reader)
    sending.send()
    row = outside()
    assert (row.state, row.attempts) == (state, 1)
    assert "zhiban" not in row.error


def test_a_mail_server_without_tls_gets_no_mail_where_tls_is_asked_for(
    reader: User, post_office: MailEnd, settings: Any
) -> None:
    settings.NOTICE_EMAIL_TO, settings.EMAIL_USE_TLS = ["zhiban@example.org"], True
    post(reader)
    sending.send()
    assert (outside().state, post_office.received) == (OutboxState.WAITING, [])


def test_one_channel_that_fails_keeps_no_other_waiting(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_WECOM_URL, settings.NOTICE_EMAIL_TO = "http://127.0.0.1:1/", ["zhiban@example.org"]
    for number in range(5):
        post(reader, key=f"k{number}")
    assert sending.send() == 5
    assert len(mail.outbox) == 5
    # After three in vain the other side is left alone until the next run.
    tried = OutboxMessage.objects.filter(channel="wecom", attempts=1)
    assert tried.count() == sending.GIVE_UP


def test_no_more_than_the_other_end_takes_in_a_minute(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_WECOM_URL = web.url
    with time_machine.travel("2026-03-02 08:00+08:00", tick=False) as clock:
        for number in range(25):
            post(reader, key=f"k{number}")
        assert (sending.send(), sending.send()) == (20, 0)
        clock.shift(61)
        assert sending.send() == 5
    assert len(web.received) == 25


def test_nothing_waits_for_a_channel_that_is_gone(reader: User, settings: Any) -> None:
    settings.NOTICE_WECOM_URL = "http://127.0.0.1:1/"
    post(reader)
    settings.NOTICE_WECOM_URL = None
    sending.send()
    assert outside().state == OutboxState.DROPPED


def test_a_text_message_for_nobody_any_more_is_let_go(reader: User, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_SMS_URL = web.url
    post(reader)
    User.objects.update(is_active=False)
    sending.send()
    assert (outside().state, web.received) == (OutboxState.DROPPED, [])


# --- Never twice ------------------------------------------------------------------------------------------------------


def in_a_process(work: Callable[[], Any]) -> Any:
    """Starts the work in a process of its own, on connections of its own."""
    connections.close_all()

    def run() -> None:
        connections.close_all()
        work()

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def killed_in_the_middle(end: Any) -> None:
    """A worker takes what is due, and is killed while it waits for the answer to what it has just handed over."""
    end.hold()
    worker = in_a_process(sending.send)
    end.wait_for_one()
    worker.kill()
    worker.join(30)
    assert worker.exitcode == -9
    end.release()


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_in_the_middle_sends_nothing_twice_over_any_channel(
    settings: Any, web: WebEnd, post_office: MailEnd
) -> None:
    reader = make_user("王一")
    NoticePreference.objects.create(user=reader, email="wang@example.org")
    ways: dict[str, tuple[str, Any, Any]] = {name: (setting, web.url, web) for name, setting in ROBOTS.items()}
    ways["sms"] = ("NOTICE_SMS_URL", web.url, web)
    ways["mailbox"] = ("NOTICE_EMAIL_TO", ["zhiban@example.org"], post_office)
    ways["email"] = ("NOTICE_EMAIL", True, post_office)
    arrived, states = {}, {}
    for name, (setting, value, end) in ways.items():
        setattr(settings, setting, value)
        end.received.clear()
        post(reader, key=name)
        killed_in_the_middle(end)
        row = outside(name)
        assert row.state == OutboxState.SENDING
        # Nobody touches it while the lease runs.
        sending.send()
        assert len(end.received) == 1, name
        OutboxMessage.objects.filter(pk=row.pk).update(lease_until=timezone.now())
        for _round in range(2):
            sending.send()
        arrived[name], states[name] = len(end.received), outside(name).state
        if name == "sms":
            # The gateway sees by the key that it has this one already.
            assert len({headers["Idempotency-Key"] for _path, headers, _body in end.received}) == 1
        setattr(settings, setting, None)
    assert arrived == {"wecom": 1, "dingtalk": 1, "feishu": 1, "sms": 2, "mailbox": 1, "email": 1}
    assert states == {**dict.fromkeys(ways, OutboxState.UNSURE), "sms": OutboxState.DONE}


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_send_each_once(settings: Any, web: WebEnd) -> None:
    reader = make_user("王一")
    settings.NOTICE_WECOM_URL = settings.NOTICE_SMS_URL = web.url
    for number in range(12):
        post(reader, key=f"k{number}")
    counts: list[int] = []
    assert not together(*[lambda: counts.append(sending.send())] * 2)
    assert (sum(counts), len(web.received)) == (24, 24)
    assert len({headers.get("Idempotency-Key") for _path, headers, _body in web.received}) == 13
    assert set(OutboxMessage.objects.values_list("state", flat=True)) == {OutboxState.DONE}


def test_an_answer_after_the_lease_still_counts(reader: User, web: WebEnd, settings: Any) -> None:
    """A worker that was slow, not dead: what it knows is better than that nobody knows."""
    settings.NOTICE_WECOM_URL = web.url
    post(reader)
    row = outside()
    assert sending._claimed(row)
    OutboxMessage.objects.update(lease_until=timezone.now())
    sending.recover()
    assert outside().state == OutboxState.UNSURE
    sending._close(row, state=OutboxState.DONE, error="")
    assert outside().state == OutboxState.DONE


def test_a_message_costs_two_statements(
    reader: User, web: WebEnd, settings: Any, django_assert_max_num_queries: Callable[[int], Any]
) -> None:
    settings.NOTICE_SMS_URL = web.url
    for number in range(20):
        post(reader, key=f"k{number}")
    with django_assert_max_num_queries(2 * 20 + 14):
        assert sending.send() == 20


# --- Dead letters -----------------------------------------------------------------------------------------------------


def dead(county: Any, state: str = "failed", channel: str = "sms", key: str = "dead") -> OutboxMessage:
    return OutboxMessage.objects.create(
        key=key,
        kind=KIND,
        title="督办",
        body="【经纬】",
        channel=channel,
        county_key=county.pk,
        state=state,
        attempts=6,
    )


def test_a_dead_letter_is_sent_again_by_a_person_and_the_trail_says_so(cast: Cast, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_SMS_URL = web.url
    letters = [dead(cast.county, "failed", key="a"), dead(cast.county, "unsure", key="b")]
    OutboxMessage.objects.update(audience={"readers": [cast.admin.pk]})
    before = [sending.token_of(row) for row in letters]
    assert sending.resend(actor=cast.admin, messages=letters) == 2
    assert sending.send() == 2
    tokens = [headers["Idempotency-Key"] for _path, headers, _body in web.received]
    # Refused: a new one. Unsure: the same, so that the other side can tell.
    assert before[0] not in tokens and before[1] in tokens
    assert (
        list(AuditEntry.objects.filter(action="outbox.resend").values_list("county_id", flat=True))
        == [cast.county.pk] * 2
    )


def test_dead_letters_are_let_go_with_a_reason(cast: Cast) -> None:
    letter = dead(cast.county)
    with pytest.raises(Invalid):
        sending.drop(actor=cast.admin, messages=[letter], reason=" ")
    sending.drop(actor=cast.admin, messages=[letter], reason="已电话告知")
    letter.refresh_from_db()
    assert letter.state == OutboxState.DROPPED
    assert AuditEntry.objects.get(action="outbox.drop").reason == "已电话告知"


@pytest.mark.parametrize("deed", [sending.resend, sending.drop])
def test_who_may_not_or_comes_too_late_changes_nothing(cast: Cast, deed: Any) -> None:
    own, far = dead(cast.county, key="own"), dead(cast.other_county, key="far")
    for actor, letters, refusal in (
        (cast.a.officer, [own], NotFound),
        (cast.admin, [own, far], NotFound),
        (cast.superuser, [own], NotFound),
    ):
        with pytest.raises(refusal):
            deed(actor=fresh(actor), messages=letters, reason="试")
    sending.drop(actor=cast.admin, messages=[own], reason="试")
    with pytest.raises(Conflict):
        deed(actor=cast.admin, messages=[own], reason="试")
    assert set(OutboxMessage.objects.values_list("key", "state")) == {("own", "dropped"), ("far", "failed")}


def test_a_test_message_goes_the_whole_way(cast: Cast, web: WebEnd, settings: Any) -> None:
    settings.NOTICE_SMS_URL = web.url
    admin = fresh(cast.admin)
    sending.send_test(actor=admin, channel="sms", county_key=cast.county.pk)
    with pytest.raises(Conflict):
        sending.send_test(actor=admin, channel="sms", county_key=cast.county.pk)
    sending.send()
    assert web.received[0][2]["phones"] == [admin.phone]
    assert ChannelState.objects.get(name="sms").worked_at is not None
    for actor, channel in ((admin, "wecom"), (admin, "pigeon"), (fresh(cast.a.officer), "sms")):
        with pytest.raises(NotFound):
            sending.send_test(actor=actor, channel=channel, county_key=None)
