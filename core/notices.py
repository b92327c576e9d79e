"""Notices: an outbox written with the deed, delivered afterwards into people's boxes and over outside channels.

`post` costs one statement in the caller's transaction; who the readers are is found out by the delivery, through
resolvers that each floor registers (`register_audience`). What goes on to the outside is `core.fanout`'s to say and
`core.sending`'s to send.
"""

import datetime
import json
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import digests, fanout, notice_words, sending
from core.background import start_on_commit
from core.fanout import CHUNK, Reader, Told
from core.models import Notice, OutboxMessage, OutboxState, User
from core.notice_kinds import Field, kind_label, register_fields, register_group, register_kind
from core.prepared import insert
from core.sending import MAX_ATTEMPTS, PAUSES
from core.text import ellipsis

__all__ = [
    "Field",
    "Message",
    "clean_up",
    "deliver",
    "is_local",
    "kind_label",
    "mark_read",
    "post",
    "post_many",
    "register_audience",
    "register_fields",
    "register_group",
    "register_kind",
    "unread_count",
]

logger = logging.getLogger(__name__)

Resolver = Callable[[Any], Iterable[int]]

BATCH = 100
# Leaves room in the key of an outside message for its channel and part.
KEY_LENGTH = 140
# How many old rows go in one statement.
SWEEP = 1000

_audiences: dict[str, Resolver] = {}


@dataclass(frozen=True)
class Message:
    """One notice for `post_many`; the fields mean what the arguments of `post` mean."""

    kind: str
    title: str
    audience: Mapping[str, Any]
    key: str
    body: str = ""
    link: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    urgent: bool = False


def register_audience(word: str, resolver: Resolver) -> None:
    """Registers what a word of an audience means. Called from an app's `ready`.

    Args:
        word: the key in `audience` ("user", "unit").
        resolver: turns the value beside it (plain JSON) into ids of accounts, at the time of delivery.
    """
    _audiences[word] = resolver


def post(
    *,
    kind: str,
    title: str,
    body: str = "",
    link: str = "",
    audience: Mapping[str, Any],
    key: str,
    fields: Mapping[str, Any] | None = None,
    urgent: bool = False,
) -> None:
    """Puts one notice into the outbox, inside the caller's transaction; delivered after commit.

    Args:
        kind: what sort of news it is ("demand_dispatched"); its name and channels come from `register_kind`.
        title, body: what the reader sees; cut at 120 and 500 characters.
        link: address inside the portal, beginning with "/".
        audience: words registered with `register_audience` -> their values; all readers found get it once.
        key: what makes it the same notice ("demand:12:overdue:2026-03-05"); a second one is dropped silently.
        fields: values of the fields registered for the kind, which a county's own words may name.
        urgent: this one must be told at once, at any hour.

    Raises:
        ValueError: unknown word in the audience, key too long, or link to outside; all slips of the caller.
    """
    post_many([Message(kind, title, audience, key, body, link, fields or {}, urgent)])


def post_many(messages: Iterable[Message]) -> None:
    """Puts many notices into the outbox in as few statements as possible. See `post`."""
    rows = [_row(message) for message in messages]
    if not rows:
        return
    if len(rows) == 1:
        insert(rows[0], unless_there=True)
    else:
        OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)
    start_on_commit("core.tasks.deliver_notices")


def mark_read(*, actor: User, notice_id: int | None = None) -> int:
    """Marks one of the actor's own notices as read, or all of them. Returns how many were unread."""
    unread = Notice.objects.visible_to(actor).unread()
    if notice_id is not None:
        unread = unread.filter(pk=notice_id)
    return unread.update(read_at=timezone.now())


def unread_count(user: User, *, cap: int = 99) -> int:
    """How many notices the user has not read, counted no further than `cap` + 1 (one statement)."""
    return Notice.objects.visible_to(user).unread().order_by()[: cap + 1].count()


def deliver() -> int:
    """Fills the boxes of everything due now, and writes what goes on to the outside. Returns the number of notices.

    May run in several workers at once: a message is claimed by a conditional update, boxes hold a notice once.
    """
    delivered = 0
    while batch := _claim_batch():
        delivered += _deliver_batch(batch)
    return delivered


def clean_up(*, before: datetime.datetime) -> int:
    """Removes notices and finished outbox rows older than `before`, some at a time. Returns how many notices went."""
    over = OutboxMessage.objects.exclude(state__in=[OutboxState.WAITING, OutboxState.SENDING])
    _sweep(over.filter(created_at__lt=before))
    return _sweep(Notice.objects.filter(created_at__lt=before))


def _sweep(rows: Any) -> int:
    """In short transactions: nobody waits for a broom that goes through years."""
    count = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:SWEEP]):
        rows.model.objects.filter(pk__in=ids).delete()
        count += len(ids)
    return count


def _row(message: Message) -> OutboxMessage:
    strange = set(message.audience) - set(_audiences)
    if strange:
        raise ValueError(f"unknown audience {sorted(strange)}")
    if len(message.key) > KEY_LENGTH:
        raise ValueError(f"key of a notice is longer than {KEY_LENGTH}: {message.key}")
    if message.link and not is_local(message.link):
        raise ValueError(f"link of a notice leads outside: {message.link}")
    return OutboxMessage(
        key=message.key,
        kind=message.kind,
        title=ellipsis(str(message.title), 120),
        body=ellipsis(str(message.body), 500),
        link=message.link,
        audience=dict(message.audience),
        fields={name: str(value) for name, value in message.fields.items()},
        urgent=message.urgent,
    )


def is_local(link: str) -> bool:
    """Whether a link stays inside the portal whatever a browser makes of it."""
    return link.startswith("/") and not link.startswith(("//", "/\\"))


def _claim_batch() -> list[OutboxMessage]:
    """Takes the next messages: one is due again only when this try must have failed. Three statements."""
    now = timezone.now()
    skip = connection.features.has_select_for_update_skip_locked
    due = OutboxMessage.objects.filter(state=OutboxState.WAITING, channel="", due_at__lte=now)
    with transaction.atomic():
        batch = list(due.order_by("due_at", "id").select_for_update(skip_locked=skip)[:BATCH])
        for attempts, rows in _by_attempts(batch).items():
            pause = datetime.timedelta(minutes=PAUSES[min(attempts, len(PAUSES) - 1)])
            mine = OutboxMessage.objects.filter(pk__in=[row.pk for row in rows])
            mine.update(attempts=F("attempts") + 1, due_at=now + pause)
            for row in rows:
                row.attempts += 1
    return batch


def _deliver_batch(batch: Sequence[OutboxMessage]) -> int:
    """Delivers the messages together; when one of them stands in the way, each on its own."""
    try:
        return _fill_boxes(batch)
    except Exception as error:
        if len(batch) > 1:
            return sum(_deliver_batch([message]) for message in batch)
        return _failed(batch[0], error)


def _failed(message: OutboxMessage, error: Exception) -> int:
    # Whatever went wrong with one message must not keep the others waiting; the row tells what it was.
    logger.warning("notice %s not delivered (try %s)", message.key, message.attempts, exc_info=True)
    state = OutboxState.FAILED if message.attempts >= MAX_ATTEMPTS else OutboxState.WAITING
    words = ellipsis(_("找不到收件人（%(what)s：%(words)s）") % {"what": type(error).__name__, "words": error}, 300)
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(state=state, error=words)
    return 0


def _fill_boxes(batch: Sequence[OutboxMessage]) -> int:
    """A few statements for the whole batch, and one for each audience that is not an account by name."""
    with transaction.atomic():
        told = _readers(batch)
        templates = notice_words.templates_of(message.kind for message in batch)
        boxes = [_box(one.message, reader, templates) for one in told for reader in one.readers]
        Notice.objects.bulk_create(boxes, ignore_conflicts=True, batch_size=500)
        if fanout.send_on(told, templates):
            start_on_commit(sending.TASK)
        for attempts, rows in _by_attempts(batch).items():
            mine = OutboxMessage.objects.filter(pk__in=[row.pk for row in rows], attempts=attempts)
            mine.update(state=OutboxState.DONE, error="")
    return len(batch)


def _box(message: OutboxMessage, reader: Reader, templates: fanout.Templates) -> Notice:
    template = templates.get((reader.county_key, message.kind)) if reader.county_key is not None else None
    title, body = notice_words.inside(
        template, message.kind, title=message.title, body=message.body, fields=message.fields
    )
    return Notice(
        message=message,
        reader_id=reader.pk,
        kind=message.kind,
        title=title,
        body=body,
        link=message.link,
        created_at=message.created_at,
    )


def _by_attempts(batch: Iterable[OutboxMessage]) -> dict[int, list[OutboxMessage]]:
    found: dict[int, list[OutboxMessage]] = defaultdict(list)
    for message in batch:
        found[message.attempts].append(message)
    return found


def _readers(batch: Sequence[OutboxMessage]) -> list[Told]:
    """The messages with the accounts in use they are for. An audience that several share is found out once."""
    known: dict[str, set[int]] = {}
    wanted: list[set[int]] = []
    for message in batch:
        found: set[int] = set()
        for word, value in message.audience.items():
            same = json.dumps([word, value], sort_keys=True)
            if same not in known:
                known[same] = set(_audiences[word](value))
            found |= known[same]
        wanted.append(found)
    everybody = sorted(set().union(*wanted))
    people: dict[int, Reader] = {}
    for start in range(0, len(everybody), CHUNK):
        rows = User.objects.active().filter(pk__in=everybody[start : start + CHUNK]).order_by()
        people |= {pk: Reader(pk, county) for pk, county in rows.values_list("pk", "county_key")}
    return [
        Told(message, [people[pk] for pk in sorted(found) if pk in people])
        for message, found in zip(batch, wanted, strict=True)
    ]


def _users(value: Any) -> Iterable[int]:
    """The audience word "user": one account's id, or a list of them."""
    return [int(item) for item in value] if isinstance(value, list) else [int(value)]


register_audience("user", _users)
register_kind(digests.KIND, gettext_lazy("每日汇总"))
register_kind(sending.TEST_KIND, gettext_lazy("渠道测试"))
