"""The day's digest: one message a person, a channel and a day, saying how much news of which group there is."""

import datetime
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from core import channels, notice_choices, notice_kinds, notice_words, quiet
from core.background import start_on_commit
from core.models import DigestEntry, Notice, NoticePreference, OutboxMessage, User

KIND = "digest"
BATCH = 500
TASK = "core.tasks.send_messages"


def build() -> int:
    """Writes the digests that are due. Returns how many messages. Idempotent: what a digest counted is gone with it.

    May run in several workers at once: the entries are locked, and a digest is keyed by person, channel and day.
    """
    made = 0
    while (found := _build_some()) is not None:
        made += found
    return made


def _build_some() -> int | None:
    """The digests of the next people; None when none are due, or others are at it."""
    now = timezone.now()
    with transaction.atomic():
        due = DigestEntry.objects.filter(due_at__lte=now)
        people = sorted(due.order_by("reader").values_list("reader", flat=True).distinct()[:BATCH])
        # A person at a time is one worker's: entries locked one by one would cross.
        skip = connection.features.has_select_for_update_skip_locked
        held = NoticePreference.objects.filter(pk__in=people).order_by("pk").select_for_update(skip_locked=skip)
        preferences = {row.pk: row for row in held}
        if not preferences:
            return None
        unread = Notice.objects.filter(message=OuterRef("message"), reader=OuterRef("reader"), read_at__isnull=True)
        entries = list(due.filter(reader__in=preferences).annotate(unread=Exists(unread)))
        rows, postponed = _messages(entries, preferences, now)
        OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True, batch_size=BATCH)
        tomorrow = {entry.pk for entry in entries if (entry.reader_id, entry.channel) in postponed}
        DigestEntry.objects.filter(pk__in=tomorrow).update(due_at=now + datetime.timedelta(days=1))
        DigestEntry.objects.filter(pk__in={entry.pk for entry in entries} - tomorrow).delete()
        if rows:
            start_on_commit(TASK)
    return len(rows)


def _messages(
    entries: Sequence[DigestEntry], preferences: Mapping[int, NoticePreference], now: datetime.datetime
) -> tuple[list[OutboxMessage], set[tuple[int, str]]]:
    """The digests of some entries, and (reader, channel) that had theirs today: their news waits for tomorrow's."""
    counted: dict[tuple[int, str], Counter[str]] = defaultdict(Counter)
    for entry in entries:
        if getattr(entry, "unread", True):
            counted[entry.reader_id, entry.channel][notice_kinds.group_of(entry.kind)] += 1
    day = timezone.localdate(now)
    keys = {(reader, channel): f"digest:{reader}:{channel}:{day:%Y%m%d}" for reader, channel in counted}
    had = set(OutboxMessage.objects.filter(key__in=keys.values()).values_list("key", flat=True))
    counties = dict(User.objects.filter(pk__in=preferences).values_list("pk", "county_key"))
    rows = []
    for (reader, channel), groups in counted.items():
        if keys[reader, channel] in had or channels.find(channel) is None:
            continue
        rows.append(
            OutboxMessage(
                key=keys[reader, channel],
                kind=KIND,
                title=notice_kinds.kind_label(KIND),
                body=words(groups),
                channel=channel,
                audience={"readers": [reader]},
                county_key=counties.get(reader),
                due_at=quiet.earliest(notice_choices.quiet_hours(preferences.get(reader)), now),
            )
        )
    return rows, {pair for pair, key in keys.items() if key in had}


def words(counts: Counter[str]) -> str:
    """What a digest says: how many of which group, in the order of the groups. No matter, place or person."""
    parts = [
        _("%(group)s %(count)d 条") % {"group": group.label, "count": counts[group.name]}
        for group in notice_kinds.groups()
        if counts[group.name]
    ]
    told = {"count": counts.total(), "groups": "，".join(parts), "link": notice_words.address()}
    return notice_words.SIGNATURE + _("今日汇总：%(count)d 条新通知（%(groups)s）。请登录查看：%(link)s") % told
