"""What a person chose: over which way, at once or in the day's digest, and not at night."""

import datetime
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from core import digests, notice_kinds, notices, quiet
from core.errors import Invalid, Stale
from core.models import AuditEntry, DigestEntry, Notice, NoticePreference, OutboxMessage, User
from core.notice_choices import choose, options, plan
from tests.factories import make_user
from tests.grids.test_tree_concurrency import together

LOOP, SUPERVISION, MEETING = "demand_late", "demand_supervise", "meeting_published"
ORDINARY = "meeting_left"
T = datetime.time
NIGHT = (T(21), T(7))


@pytest.fixture
def ways(settings: Any) -> None:
    """Text messages and mail are configured; nothing is sent in these tests."""
    settings.NOTICE_SMS_URL, settings.NOTICE_EMAIL = "http://127.0.0.1:1/", True


@pytest.fixture
def reader() -> User:
    return make_user("王一")


def decide(user: User, version: int = 0, **given: Any) -> NoticePreference:
    return choose(actor=user, version=version, **{"email": "a@example.org", "choices": {}, "digest_at": T(8), **given})


def post(reader: User, kind: str, key: str = "k", **details: Any) -> None:
    notices.post(kind=kind, title="楼道灯", audience={"user": reader.pk}, key=key, **details)
    notices.deliver()


def sent() -> dict[str, str]:
    """Channel -> when it goes, in local time."""
    rows = OutboxMessage.objects.exclude(channel="").values_list("channel", "due_at")
    return {channel: f"{timezone.localtime(due):%d %H:%M}" for channel, due in rows}


# --- Ways -------------------------------------------------------------------------------------------------------------


def preference(address: str = "", **choices: str) -> NoticePreference:
    """Choices of the loop's and the supervision's group alike: sms="off"."""
    return NoticePreference(email=address, choices={"loop": choices, "supervision": choices, "meeting": choices})


@pytest.mark.parametrize(
    ("chosen", "kind", "urgent", "expected"),
    [
        (None, LOOP, False, {"sms": "now"}),
        (None, ORDINARY, False, {}),
        (preference("a@b.cn"), ORDINARY, False, {"email": "digest"}),
        (preference("a@b.cn"), LOOP, False, {"sms": "now", "email": "digest"}),
        (preference("a@b.cn"), LOOP, True, {"sms": "now", "email": "now"}),
        (preference("a@b.cn", sms="off", email="off"), LOOP, False, {}),
        (preference("a@b.cn", sms="digest", email="now"), LOOP, False, {"sms": "digest", "email": "now"}),
        # What must be told at once waits for no digest, whatever stands in the row.
        (preference("a@b.cn", sms="digest", email="digest"), SUPERVISION, False, {"sms": "now", "email": "now"}),
        (preference("", email="now"), LOOP, False, {"sms": "now"}),
    ],
)
def test_how_one_is_told(chosen: NoticePreference | None, kind: str, urgent: bool, expected: dict[str, str]) -> None:
    assert plan(chosen, kind, urgent=urgent) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"choices": {"supervision": {"sms": "digest"}}}, "supervision_sms"),
        ({"choices": {"loop": {"sms": "maybe"}}}, "loop_sms"),
        ({"choices": {"nothing": {"sms": "now"}}}, "nothing_sms"),
        ({"choices": {"review": {"sms": "now"}}}, "review_sms"),
        ({"choices": {"loop": {"wecom": "now"}}}, "loop_wecom"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.cn\nBcc: c@d.cn"}, "email"),
        ({"quiet_from": T(22)}, "quiet_until"),
        ({"quiet_until": T(6)}, "quiet_from"),
        ({"quiet_from": T(6), "quiet_until": T(6)}, "quiet_until"),
    ],
)
def test_what_is_not_on_offer_is_refused(reader: User, given: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        decide(reader, **given)
    assert field in refused.value.fields
    assert not NoticePreference.objects.exists()


@pytest.mark.django_db
def test_choices_are_kept_with_a_version_and_the_trail_keeps_no_address(reader: User) -> None:
    decide(reader, choices={"loop": {"sms": "off", "email": "digest"}})
    row = NoticePreference.objects.get()
    # What is as the portal has it anyway is not written down: it may change for everybody.
    assert (row.version, row.choices) == (1, {"loop": {"sms": "off"}})
    for version in (0, 2):
        with pytest.raises(Stale):
            decide(reader, version=version)
    decide(reader, version=1, email="")
    assert "example" not in str(list(AuditEntry.objects.values_list("changes", "label", "reason")))


# --- Quiet hours ------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("now", "kind", "urgent", "own", "due"),
    [
        ("12:00", LOOP, False, None, "02 12:00"),
        ("20:59", LOOP, False, None, "02 20:59"),
        ("21:00", LOOP, False, None, "03 07:00"),
        ("23:59", LOOP, False, None, "03 07:00"),
        ("00:10", LOOP, False, None, "02 07:00"),
        ("06:59", LOOP, False, None, "02 07:00"),
        ("07:00", LOOP, False, None, "02 07:00"),
        ("23:00", SUPERVISION, False, None, "02 23:00"),
        ("23:00", LOOP, True, None, "02 23:00"),
        ("21:30", LOOP, False, (T(22), T(6)), "02 21:30"),
        ("06:30", LOOP, False, (T(22), T(6)), "02 06:30"),
        ("20:30", LOOP, False, (T(20), T(9)), "03 09:00"),
        ("12:30", LOOP, False, (T(12), T(14)), "02 14:00"),
        ("23:00", LOOP, False, (T(12), T(14)), "02 23:00"),
    ],
)
def test_what_can_wait_waits_for_the_morning(
    reader: User, settings: Any, now: str, kind: str, urgent: bool, own: Any, due: str
) -> None:
    settings.NOTICE_SMS_URL = "http://127.0.0.1:1/"
    if own:
        NoticePreference.objects.create(user=reader, quiet_from=own[0], quiet_until=own[1])
    with time_machine.travel(f"2026-03-02 {now}+08:00", tick=False):
        post(reader, kind, urgent=urgent)
        # In the portal it stands at once.
        assert Notice.objects.count() == 1
    assert sent() == {"sms": due}


@pytest.mark.django_db
def test_a_robot_is_quiet_at_night_as_well_and_hours_can_be_switched_off(reader: User, settings: Any) -> None:
    settings.NOTICE_WECOM_URL = "http://127.0.0.1:1/"
    with time_machine.travel("2026-03-02 23:00+08:00", tick=False):
        post(reader, LOOP)
        assert sent() == {"wecom": "03 07:00"}
        settings.NOTICE_QUIET_HOURS = "off"
        OutboxMessage.objects.all().delete()
        post(reader, LOOP)
        assert sent() == {"wecom": "02 23:00"}


@given(st.times(), st.times(), st.integers(0, 400 * 24 * 60))
def test_the_earliest_moment_is_never_quiet_never_earlier_and_within_a_day(
    begins: datetime.time, ends: datetime.time, minute: int
) -> None:
    begins, ends = begins.replace(second=0, microsecond=0), ends.replace(second=0, microsecond=0)
    if begins == ends:
        return
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(minutes=minute)
    found = quiet.earliest((begins, ends), now)
    assert not quiet.is_quiet((begins, ends), found)
    assert now <= found <= now + datetime.timedelta(days=1)
    assert found == now or timezone.localtime(found).time() == ends


# --- Digest -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def gathering(reader: User, ways: None) -> User:
    """Somebody with a mail address: mail comes once a day, at eight."""
    NoticePreference.objects.create(user=reader, email="a@example.org", choices={"meeting": {"sms": "digest"}})
    return reader


@pytest.mark.django_db
def test_a_digest_counts_what_came_and_is_sent_once_a_day(gathering: User) -> None:
    with time_machine.travel("2026-03-02 12:00+08:00", tick=False) as clock:
        for number in range(3):
            post(gathering, "demand_finish", key=f"r{number}")
        post(gathering, MEETING, key="m")
        post(gathering, ORDINARY, key="read")
        Notice.objects.filter(message__key="read").update(read_at=timezone.now())
        assert digests.build() == 0
        clock.move_to(datetime.datetime(2026, 3, 3, 0, 1, tzinfo=datetime.UTC))
        assert (digests.build(), digests.build()) == (2, 0)
        mails = OutboxMessage.objects.get(channel="email")
        assert "4 条新通知（会议 1 条，审核和核查 3 条）" in mails.body
        assert "会议 1 条" in OutboxMessage.objects.get(channel="sms").body
        assert not DigestEntry.objects.exists()
        # A second day's.
        post(gathering, ORDINARY, key="later")
        clock.shift(datetime.timedelta(days=1))
        assert digests.build() == 1
    assert sorted(OutboxMessage.objects.filter(channel="email").values_list("key", flat=True)) == [
        f"digest:{gathering.pk}:email:20260303",
        f"digest:{gathering.pk}:email:20260304",
    ]


@pytest.mark.django_db
def test_nothing_new_sends_nothing_and_urgent_news_waits_for_no_digest(gathering: User) -> None:
    with time_machine.travel("2026-03-02 12:00+08:00", tick=False) as clock:
        post(gathering, SUPERVISION)
        assert sent() == {"sms": "02 12:00", "email": "02 12:00"}
        clock.shift(datetime.timedelta(days=2))
        assert digests.build() == 0


@pytest.mark.django_db
def test_a_second_digest_of_a_day_waits_for_the_next(gathering: User) -> None:
    with time_machine.travel("2026-03-02 07:30+08:00", tick=False) as clock:
        post(gathering, ORDINARY, key="a")
        clock.shift(3600)
        assert digests.build() == 1
        NoticePreference.objects.update(digest_at=T(18))
        post(gathering, ORDINARY, key="b")
        clock.shift(datetime.timedelta(hours=10))
        assert digests.build() == 0
        clock.shift(datetime.timedelta(days=1))
        assert digests.build() == 1
    assert OutboxMessage.objects.filter(channel="email").count() == 2


@pytest.mark.django_db(transaction=True)
def test_a_doubled_beat_sends_one_digest(ways: None) -> None:
    people = [make_user(f"读者{number}") for number in range(5)]
    for person in people:
        NoticePreference.objects.create(user=person, email="a@example.org")
        post(person, ORDINARY, key=f"k{person.pk}")
    DigestEntry.objects.update(due_at=timezone.now())
    assert not together(digests.build, digests.build)
    assert OutboxMessage.objects.filter(kind=digests.KIND).count() == 5
    assert not DigestEntry.objects.exists()


# --- The page ---------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_page_offers_what_there_is_and_keeps_what_is_chosen(client: Client, reader: User, ways: None) -> None:
    client.force_login(reader)
    page = client.get("/account/notices/").content.decode()
    assert "短信：派单办理" in page and "邮箱：派单办理" not in page and "21:00 至 07:00" in page
    form = client.get("/account/notices/").context["form"]
    data = {name: form[name].value() for name in form.fields} | {"email": "a@example.org", "loop_sms": "off"}
    data = {name: value for name, value in data.items() if value is not None}
    assert client.post("/account/notices/", data).status_code == 302
    row = NoticePreference.objects.get()
    assert (row.email, row.choices) == ("a@example.org", {"loop": {"sms": "off"}})
    assert client.post("/account/notices/", data).status_code == 409
    assert "邮箱：派单办理" in client.get("/account/notices/").content.decode()
    bad = client.post("/account/notices/", {**data, "version": 1, "supervision_sms": "digest", "email": "x"})
    assert bad.status_code == 400
    assert NoticePreference.objects.get().version == 1


@pytest.mark.django_db
def test_without_ways_out_there_is_nothing_to_choose(client: Client, reader: User) -> None:
    client.force_login(reader)
    assert "现在只有站内通知" in client.get("/account/notices/").content.decode()


def test_what_must_be_told_at_once_is_offered_no_digest() -> None:
    assert options("supervision", "sms") == ["now", "off"]
    assert options("loop", "sms") == ["now", "digest", "off"]
    assert options("review", "sms") == []
    assert [group.name for group in notice_kinds.groups()][:2] == ["supervision", "loop"]
