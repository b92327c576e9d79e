"""Notices: an outbox written with the deed, delivered afterwards into people's boxes and over outside channels.

`post` costs one statement in the caller's transaction; who the readers are is found out by the delivery, through
resolvers that each floor registers (`register_audience`).
"""

import datetime
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.functional import Promise

from core import channels
from core.background import start_on_commit
from core.models import Notice, OutboxMessage, OutboxState, User

logger = logging.getLogger(__name__)

Resolver = Callable[[Any], Iterable[int]]

BATCH = 100
# Minutes until the next try, also how long one try may take before another worker may have the message.
PAUSES = (1, 5, 30, 120, 360)
MAX_ATTEMPTS = len(PAUSES) + 1
# Leaves room in the key of an outside message for its channel and part.
KEY_LENGTH = 140
# Word of an audience that the delivery itself writes for an outside channel.
_CHANNEL = "channel"

_audiences: dict[str, Resolver] = {}
_kinds: dict[str, "Kind"] = {}


@dataclass(frozen=True)
class Kind:
    """A kind of notice. `outside` ones also leave the portal, over whatever channels are configured."""

    name: str
    label: str | Promise
    outside: bool = False


@dataclass(frozen=True)
class Message:
    """One notice for `post_many`; the fields mean what the arguments of `post` mean."""

    kind: str
    title: str
    audience: Mapping[str, Any]
    key: str
    body: str = ""
    link: str = ""


def register_audience(word: str, resolver: Resolver) -> None:
    """Registers what a word of an audience means. Called from an app's `ready`.

    Args:
        word: the key in `audience` ("user", "unit").
        resolver: turns the value beside it (plain JSON) into ids of accounts, at the time of delivery.
    """
    _audiences[word] = resolver


def register_kind(name: str, label: str | Promise, *, outside: bool = False) -> None:
    """Gives a kind its Chinese name, and says whether it also goes out over outside channels."""
    _kinds[name] = Kind(name, label, outside)


def kind_label(name: str) -> str:
    return str(_kinds[name].label) if name in _kinds else ""


def post(*, kind: str, title: str, body: str = "", link: str = "", audience: Mapping[str, Any], key: str) -> None:
    """Puts one notice into the outbox, inside the caller's transaction; delivered after commit.

    Args:
        kind: what sort of news it is ("demand_dispatched"); its name and channels come from `register_kind`.
        title, body: what the reader sees; cut at 120 and 500 characters.
        link: address inside the portal, beginning with "/".
        audience: words registered with `register_audience` -> their values; all readers found get it once.
        key: what makes it the same notice ("demand:12:overdue:2026-03-05"); a second one is dropped silently.

    Raises:
        ValueError: unknown word in the audience, key too long, or link to outside; all slips of the caller.
    """
    post_many([Message(kind, title, audience, key, body, link)])


def post_many(messages: Iterable[Message]) -> None:
    """Puts many notices into the outbox in as few statements as possible. See `post`."""
    rows = [_row(message) for message in messages]
    if not rows:
        return
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
    """Delivers everything due now. Returns the number of messages delivered.

    May run in several workers at once: a message is claimed by a conditional update, boxes hold a notice once.
    """
    delivered = 0
    while batch := list(
        OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lte=timezone.now()).order_by("due_at", "id")[
            :BATCH
        ]
    ):
        delivered += sum(_deliver(message) for message in batch if _claim(message))
    return delivered


def clean_up(*, before: datetime.datetime) -> int:
    """Removes notices and finished outbox rows older than `before`. Returns how many notices went."""
    OutboxMessage.objects.exclude(state=OutboxState.WAITING).filter(created_at__lt=before).delete()
    return Notice.objects.filter(created_at__lt=before).delete()[0]


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
        title=_cut(message.title, 120),
        body=_cut(message.body, 500),
        link=message.link,
        audience=dict(message.audience),
    )


def is_local(link: str) -> bool:
    """Whether a link stays inside the portal whatever a browser makes of it."""
    return link.startswith("/") and not link.startswith(("//", "/\\"))


def _cut(text: str, length: int) -> str:
    text = str(text)
    return text if len(text) <= length else text[: length - 1] + "…"


def _claim(message: OutboxMessage) -> bool:
    """Takes the message: it is due again only when this try must have failed."""
    pause = datetime.timedelta(minutes=PAUSES[min(message.attempts, len(PAUSES) - 1)])
    waiting = OutboxMessage.objects.filter(pk=message.pk, state=OutboxState.WAITING, attempts=message.attempts)
    claimed = waiting.update(attempts=F("attempts") + 1, due_at=timezone.now() + pause)
    message.attempts += 1
    return claimed == 1


def _deliver(message: OutboxMessage) -> bool:
    try:
        if _CHANNEL in message.audience:
            _send_outside(message)
        else:
            _fill_boxes(message)
    except Exception as error:
        # Whatever went wrong with one message must not keep the others waiting; the row tells what it was.
        logger.warning("notice %s not delivered (try %s)", message.key, message.attempts, exc_info=True)
        state = OutboxState.FAILED if message.attempts >= MAX_ATTEMPTS else OutboxState.WAITING
        _close(message, state=state, error=_cut(f"{type(error).__name__}: {error}", 300))
        return False
    return True


def _close(message: OutboxMessage, **values: Any) -> None:
    OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts).update(**values)


def _fill_boxes(message: OutboxMessage) -> None:
    with transaction.atomic():
        readers = _readers(message.audience)
        Notice.objects.bulk_create(
            [
                Notice(
                    message=message,
                    reader_id=reader,
                    kind=message.kind,
                    title=message.title,
                    body=message.body,
                    link=message.link,
                    created_at=message.created_at,
                )
                for reader in readers
            ],
            ignore_conflicts=True,
            batch_size=500,
        )
        _send_on(message, readers)
        _close(message, state=OutboxState.DONE, error="")


def _readers(audience: Mapping[str, Any]) -> list[int]:
    found = {reader for word, value in audience.items() for reader in _audiences[word](value)}
    return sorted(User.objects.active().filter(pk__in=found).values_list("pk", flat=True)) if found else []


def _send_on(message: OutboxMessage, readers: list[int]) -> None:
    """Writes one outbox row per outside channel, so that each is tried again on its own."""
    kind = _kinds.get(message.kind)
    if kind is None or not kind.outside or not readers:
        return
    rows = []
    for channel in channels.offered():
        size = channel.readers_per_message or len(readers)
        for part, start in enumerate(range(0, len(readers), size)):
            audience = {_CHANNEL: channel.name, "readers": readers[start : start + size]}
            rows.append(
                OutboxMessage(
                    key=f"{message.key}#{channel.name}{part}",
                    kind=message.kind,
                    title=message.title,
                    link=message.link,
                    audience=audience,
                )
            )
            if not channel.readers_per_message:
                break
    OutboxMessage.objects.bulk_create(rows, ignore_conflicts=True, batch_size=500)


def _send_outside(message: OutboxMessage) -> None:
    channel = channels.find(message.audience[_CHANNEL])
    if channel is None:
        _close(message, state=OutboxState.DONE, error="channel is not configured any more")
        return
    phones: list[str] = []
    if channel.readers_per_message:
        readers = User.objects.active().filter(pk__in=message.audience["readers"])
        phones = list(readers.values_list("phone", flat=True))
        if not phones:
            _close(message, state=OutboxState.DONE, error="")
            return
    channel.send(channels.Outgoing(subject=kind_label(message.kind), phones=tuple(phones)))
    _close(message, state=OutboxState.DONE, error="")


def _users(value: Any) -> Iterable[int]:
    """The audience word "user": one account's id, or a list of them."""
    return [int(item) for item in value] if isinstance(value, list) else [int(value)]


register_audience("user", _users)
