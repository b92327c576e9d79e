"""Sending messages to the outside: each is claimed, marked as on its way, handed over, and closed.

A message is marked `sending`, with a lease, before its first byte leaves, and closed after the answer. A worker that is
killed in between leaves it so; when the lease is over, it is sent again only where the other side recognises a repetition,
and is otherwise `unsure` until a person decides (docs/decisions/0031). However late it is sent, and however often it was
tried, what is not urgent rests in the quiet hours of its readers.
"""

import datetime
import hashlib
import logging
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, channels, notice_choices, notice_kinds, notice_words, policies, quiet
from core.actors import Actor, user_of
from core.background import start_on_commit
from core.channels import Channel, Outgoing
from core.errors import Conflict, Invalid, NotFound
from core.models import DEAD, ChannelState, NoticePreference, OutboxMessage, OutboxState, User
from core.notice_words import MANAGE_NOTICE
from core.text import clean_line, ellipsis
from core.transport import DeliveryError, NotSentError, UnsureError

logger = logging.getLogger(__name__)

TASK = "core.tasks.send_messages"
BATCH = 100
# Minutes until the next try of a message that was refused or never left.
PAUSES = (1, 5, 30, 120, 360)
MAX_ATTEMPTS = len(PAUSES) + 1
# Longer than any hand-over can take (`core.transport`; a mail server is asked several things in a row).
LEASE = datetime.timedelta(minutes=5)
# One run gives the worker back after this long; what is left is the next one's.
BUDGET_SECONDS = 20.0
# After so many messages in a row that never left or got no answer, the other side is left alone until the next run.
GIVE_UP = 3
TEST_KIND = "channel_test"


def send() -> int:
    """Sends what is due over every configured channel. Returns the number of messages delivered.

    May run in several workers at once: a message is claimed by a conditional update. A run is over after twenty
    seconds; it then asks for another one.
    """
    recover()
    offered = channels.offered()
    _let_go([channel.name for channel in offered])
    ends = time.monotonic() + BUDGET_SECONDS
    delivered = sum(_Run(channel, ends).go() for channel in offered)
    if time.monotonic() > ends and delivered:
        start_on_commit(TASK)
    return delivered


def recover() -> int:
    """Looks after messages whose worker died on the way. Returns how many. Two statements when there are none."""
    now = timezone.now()
    lost = OutboxMessage.objects.filter(state=OutboxState.SENDING, lease_until__lte=now)
    knowing = [channel.name for channel in channels.known() if channel.recognises]
    again = lost.filter(channel__in=knowing, attempts__lt=MAX_ATTEMPTS)
    count = again.update(state=OutboxState.WAITING, due_at=now, lease_until=None)
    words = _("发送时后台程序中断，不知道对方收到没有")
    return count + lost.update(state=OutboxState.UNSURE, error=words, lease_until=None)


def _let_go(offered: list[str]) -> None:
    """Nothing waits for a channel that is not configured any more."""
    orphans = OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lte=timezone.now())
    orphans = orphans.exclude(channel="").exclude(channel__in=offered)
    orphans.update(state=OutboxState.DROPPED, error=_("这个渠道已不再使用"))


@dataclass(frozen=True)
class _Reader:
    """Where a person is reached, and when not."""

    address: str
    hours: quiet.Hours | None


_Readers = Mapping[int, _Reader]


class _Run:
    """One run over one channel."""

    def __init__(self, channel: Channel, ends: float) -> None:
        self.channel, self.ends = channel, ends
        self.delivered = self.silent = 0
        self.worked = False
        self.failure = ""

    def go(self) -> int:
        try:
            while self._may_go_on() and (batch := self._due()):
                readers = self._readers(batch)
                self._put_off(batch, readers)
                for message in batch:
                    if not self._may_go_on() or not self._one(message, readers):
                        return self.delivered
        finally:
            self._note()
        return self.delivered

    def _may_go_on(self) -> bool:
        return time.monotonic() < self.ends and self.silent < GIVE_UP

    def _due(self) -> list[OutboxMessage]:
        waiting = OutboxMessage.objects.filter(state=OutboxState.WAITING, channel=self.channel.name)
        return list(waiting.filter(due_at__lte=timezone.now()).order_by("due_at", "id")[:BATCH])

    def _readers(self, batch: Iterable[OutboxMessage]) -> _Readers:
        """Account -> phone or mail address and quiet hours, of accounts in use. One statement a batch."""
        if not self.channel.readers_per_message:
            return {}
        readers = {reader for message in batch for reader in message.audience.get("readers", ())}
        rows: Any
        if self.channel.name == "email":
            rows = NoticePreference.objects.filter(pk__in=readers, user__is_active=True).exclude(email="")
            rows = rows.values_list("pk", "email", "quiet_from", "quiet_until")
        else:
            hours = ("notice_preference__quiet_from", "notice_preference__quiet_until")
            rows = User.objects.active().filter(pk__in=readers).values_list("pk", "phone", *hours)
        return {
            pk: _Reader(address, notice_choices.own_hours(begins, ends))
            for pk, address, begins, ends in rows.iterator()
        }

    def _leaves_at(self, message: OutboxMessage, readers: _Readers, now: datetime.datetime) -> datetime.datetime:
        """The first moment from now on at which a message may leave."""
        if message.urgent or notice_kinds.is_urgent(message.kind):
            return now
        usual = notice_choices.quiet_hours(None)
        hours = {usual}
        if self.channel.readers_per_message:
            hours = {readers[pk].hours for pk in message.audience.get("readers", ()) if pk in readers}
        found = quiet.earliest_for([one for one in hours if one is not None], now)
        # Only readers who changed their hours since it was written can leave none of the day to a message they share.
        return found if found is not None else quiet.earliest(usual, now)

    def _put_off(self, batch: Iterable[OutboxMessage], readers: _Readers) -> None:
        """Gives what may not leave now the moment at which it may, and counts no try. Two statements where there is any."""
        now = timezone.now()
        moments = {message.pk: self._leaves_at(message, readers, now) for message in batch}
        resting = [pk for pk, moment in moments.items() if moment > now]
        if not resting:
            return
        with transaction.atomic():
            # In one order: another worker may be putting off the same ones.
            rows = OutboxMessage.objects.filter(pk__in=resting, state=OutboxState.WAITING, due_at__lte=now)
            held = list(rows.order_by("pk").select_for_update())
            for row in held:
                row.due_at = moments[row.pk]
            OutboxMessage.objects.bulk_update(held, ["due_at"])

    def _one(self, message: OutboxMessage, readers: _Readers) -> bool:
        """Sends one message. False when the channel has no turn left in this minute."""
        now = timezone.now()
        if self._leaves_at(message, readers, now) > now:
            # Also where its quiet hours began while those before it were on their way: the next batch puts it off.
            return True
        to: tuple[str, ...] = ()
        if self.channel.readers_per_message:
            to = tuple(readers[pk].address for pk in message.audience.get("readers", ()) if pk in readers)
            if not to:
                if _claimed(message):
                    _close(message, state=OutboxState.DROPPED, error=_("收件人已停用或没有地址"))
                return True
        turn, claimed = self._claim(message)
        if claimed:
            self._hand_over(message, to)
        return turn

    def _claim(self, message: OutboxMessage) -> tuple[bool, bool]:
        """Whether the channel has a turn, and whether the message is ours."""
        if not self.channel.per_minute:
            return True, _claimed(message)
        with transaction.atomic():
            # One after another: two workers that count at the same time would both take the last turn.
            ChannelState.objects.get_or_create(name=self.channel.name)
            ChannelState.objects.select_for_update().get(name=self.channel.name)
            since = timezone.now() - datetime.timedelta(minutes=1)
            taken = OutboxMessage.objects.filter(channel=self.channel.name, claimed_at__gt=since).count()
            if taken >= self.channel.per_minute:
                return False, False
            return True, _claimed(message)

    def _hand_over(self, message: OutboxMessage, to: tuple[str, ...]) -> None:
        text = message.body or notice_words.outside(None, message.kind, {})
        subject = notice_kinds.kind_label(message.kind)
        try:
            self.channel.send(Outgoing(subject=subject, text=text, token=token_of(message), to=to))
        except DeliveryError as error:
            self._failed(message, error)
        except Exception as error:
            # A slip of ours, or a machine that answers what nobody foresaw: how far it got is not known.
            logger.warning("message %s not delivered", message.key, exc_info=True)
            self._failed(message, UnsureError(type(error).__name__))
        else:
            self.delivered += 1
            self.silent, self.worked = 0, True
            _close(message, state=OutboxState.DONE, error="")

    def _failed(self, message: OutboxMessage, error: DeliveryError) -> None:
        self.silent = self.silent + 1 if isinstance(error, NotSentError | UnsureError) else 0
        self.failure = ellipsis(str(error), 300)
        unsure = isinstance(error, UnsureError)
        last = message.attempts >= MAX_ATTEMPTS
        if unsure and (last or not self.channel.recognises):
            _close(message, state=OutboxState.UNSURE, error=self.failure)
        elif last:
            _close(message, state=OutboxState.FAILED, error=self.failure)
        else:
            pause = datetime.timedelta(minutes=PAUSES[min(message.attempts, len(PAUSES)) - 1])
            _close(message, state=OutboxState.WAITING, error=self.failure, due_at=timezone.now() + pause)

    def _note(self) -> None:
        """How the channel fared, for the administrator's page. A statement or two a run that did something."""
        now = timezone.now()
        found: dict[str, Any] = {"worked_at": now} if self.worked else {}
        if self.failure:
            found |= {"failed_at": now, "error": self.failure}
        if found:
            ChannelState.objects.update_or_create(name=self.channel.name, defaults=found)


def _claimed(message: OutboxMessage) -> bool:
    """Marks the message as on its way, if nobody else has it or put it off."""
    now = timezone.now()
    waiting = OutboxMessage.objects.filter(pk=message.pk, state=OutboxState.WAITING, attempts=message.attempts)
    claimed = waiting.filter(due_at__lte=now).update(
        state=OutboxState.SENDING, attempts=F("attempts") + 1, claimed_at=now, lease_until=now + LEASE
    )
    message.attempts += 1
    return claimed == 1


def _close(message: OutboxMessage, **values: Any) -> None:
    # Also when the lease ran out meanwhile: whoever has the answer knows better. Not when it is being sent anew.
    ours = OutboxMessage.objects.filter(pk=message.pk, attempts=message.attempts)
    ours.filter(state__in=[OutboxState.SENDING, OutboxState.UNSURE]).update(lease_until=None, **values)


def token_of(message: OutboxMessage) -> str:
    """What the other side recognises a repetition by: the same for every try of a message."""
    return hashlib.sha256(f"{message.key}|{message.resends}".encode()).hexdigest()[:40]


def pile() -> dict[str, int]:
    """How many dead letters there are, and how much should have gone half an hour ago. Two statements."""
    late = timezone.now() - datetime.timedelta(minutes=30)
    waiting = OutboxMessage.objects.filter(state=OutboxState.WAITING, due_at__lt=late)
    return {"dead": OutboxMessage.objects.dead().count(), "late": waiting.count()}


# --- What a person does about it --------------------------------------------------------------------------------------


def resend(*, actor: Actor, messages: Sequence[OutboxMessage], reason: str = "") -> int:
    """Has dead letters sent again, with all their tries. Returns how many.

    Over a channel that recognises repetitions, one that may have arrived goes out under the same token, one that was
    refused under a new one. Over any other, one that may have arrived may arrive twice: that is the person's decision.

    Raises:
        NotFound, Forbidden; Conflict: somebody has seen to one of them already; nothing was changed.
    """
    with transaction.atomic():
        rows = _dead(actor, messages)
        now = timezone.now()
        deeds = []
        for row in rows:
            before = row.state
            row.resends += before == OutboxState.FAILED
            row.state, row.attempts, row.due_at, row.error = OutboxState.WAITING, 0, now, ""
            deeds.append(audit.Deed(row, {"state": (before, row.state)}, label=label_of(row), reason=reason))
        OutboxMessage.objects.bulk_update(rows, ["resends", "state", "attempts", "due_at", "error"], batch_size=500)
        audit.record_many(actor=actor, action="outbox.resend", deeds=deeds)
        start_on_commit(TASK)
        start_on_commit("core.tasks.deliver_notices")
    return len(rows)


def drop(*, actor: Actor, messages: Sequence[OutboxMessage], reason: str) -> int:
    """Lets dead letters go. Returns how many.

    Raises:
        NotFound, Forbidden; Invalid: no reason; Conflict: somebody has seen to one of them already.
    """
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason", required=True)
    with transaction.atomic():
        rows = _dead(actor, messages)
        gone = OutboxState.DROPPED
        deeds = [audit.Deed(row, {"state": (row.state, gone)}, label=label_of(row), reason=reason) for row in rows]
        OutboxMessage.objects.filter(pk__in=[row.pk for row in rows]).update(state=OutboxState.DROPPED)
        audit.record_many(actor=actor, action="outbox.drop", deeds=deeds)
    return len(rows)


def send_test(*, actor: User, channel: str, county_key: int | None) -> OutboxMessage:
    """Puts a test message into a channel; to the actor, where it goes to people.

    Raises:
        Forbidden: no right to look after notices. NotFound: the channel is not configured.
        Invalid: the actor has no mail address. Conflict: one is on its way already.
    """
    if not policies.holds(actor, MANAGE_NOTICE):
        raise NotFound(_("没有这个渠道。"))
    found = channels.find(channel)
    if found is None:
        raise NotFound(_("没有这个渠道，或者还没有配置。"))
    if channel == "email" and not NoticePreference.objects.filter(pk=actor.pk).exclude(email="").exists():
        raise Invalid(_("请先在“通知设置”里填写自己的邮箱。"))
    words = _("这是一条测试消息，收到说明“%(channel)s”可以用。") % {"channel": found.label}
    with transaction.atomic():
        going = Q(state__in=[OutboxState.WAITING, OutboxState.SENDING])
        if OutboxMessage.objects.filter(going, kind=TEST_KIND, channel=channel).exists():
            raise Conflict(_("上一条测试消息还在发送，请稍候刷新页面看结果。"))
        row = OutboxMessage.objects.create(
            key=f"test:{channel}:{actor.pk}:{timezone.now():%Y%m%d%H%M%S%f}",
            kind=TEST_KIND,
            title=notice_kinds.kind_label(TEST_KIND),
            body=notice_words.SIGNATURE + words,
            channel=channel,
            audience={"readers": [actor.pk] if found.readers_per_message else []},
            county_key=county_key,
            urgent=True,
        )
        audit.record(actor=actor, action="outbox.test", obj=row, label=str(found.label), new=True)
        start_on_commit(TASK)
    return row


def label_of(row: OutboxMessage) -> str:
    """A message for lists and the trail: its way and its kind, never what it says."""
    way = channels.label_of(row.channel) if row.channel else _("站内通知")
    return _("%(way)s：%(kind)s") % {"way": way, "kind": notice_kinds.kind_label(row.kind) or _("通知")}


def _dead(actor: Actor, messages: Sequence[OutboxMessage]) -> list[OutboxMessage]:
    """The messages, locked and still dead letters."""
    ids = sorted({message.pk for message in messages})
    rows = list(OutboxMessage.objects.select_for_update().filter(pk__in=ids).order_by("pk"))
    if len(rows) != len(ids):
        raise NotFound(_("没有找到这条消息，可能已过保存期限。"))
    if user_of(actor) is not None:
        for row in rows:
            policies.require(actor, MANAGE_NOTICE, row)
    if any(row.state not in DEAD for row in rows):
        raise Conflict(_("别人刚刚处理了其中的消息，请刷新后再选。"))
    return rows
