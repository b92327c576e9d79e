"""Outside channels for notices. One that is not configured (settings NOTICE_*, EMAIL_*) is not offered.

What leaves the portal names no matter, place or person: a group chat has readers the portal does not know, and a
text message passes through a supplier. It says that there is news of a kind, and where to sign in; a county's own words
may add what tells no more (`core.notice_kinds.Field.outside`).
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.transport import RefusedError, UnsureError, post_json, send_mail

# One text message request may carry this many numbers.
PHONES_PER_REQUEST = 50


@dataclass(frozen=True)
class Outgoing:
    """What a channel is given.

    Attributes:
        subject, text: the words, as they leave.
        to: phones or mail addresses of the readers, if the channel asks for readers.
        token: the same for every try of one message, so that the other side can recognise a repetition.
    """

    subject: str
    text: str
    token: str
    to: tuple[str, ...] = ()


class Channel(Protocol):
    """One way out.

    Attributes:
        readers_per_message: how many readers one message serves; 0 for a channel that is a place, not people.
        recognises: whether the other side recognises a repetition by the token and drops it.
        per_minute: how many messages the other side takes in a minute; 0 when it does not say.
    """

    name: str
    label: str | Promise
    readers_per_message: int
    recognises: bool
    per_minute: int

    def configured(self) -> bool: ...

    def send(self, outgoing: Outgoing) -> None:
        """Hands the message over. Raises the errors of `core.transport`."""


def _setting(name: str) -> str:
    return str(getattr(settings, name, "") or "")


def _require_zero(answer: Mapping[str, Any], *names: str) -> None:
    """The robots answer 200 to everything; whether they took it stands in a number."""
    found = next((answer[name] for name in names if name in answer), None)
    if not isinstance(found, int) or isinstance(found, bool):
        raise UnsureError(_("对方的答复看不懂"))
    if found != 0:
        words = str(answer.get("errmsg") or answer.get("msg") or "")[:120]
        raise RefusedError(_("对方拒绝（%(code)s %(words)s）") % {"code": found, "words": words})


class Robot:
    """What the group robots have in common: a place that takes twenty messages a minute and knows no repetition."""

    readers_per_message = 0
    recognises = False
    per_minute = 20


class WeCom(Robot):
    """A robot in a WeCom group (企业微信群机器人)."""

    name = "wecom"
    label: str | Promise = gettext_lazy("企业微信群机器人")

    def configured(self) -> bool:
        return bool(_setting("NOTICE_WECOM_URL"))

    def send(self, outgoing: Outgoing) -> None:
        payload = {"msgtype": "text", "text": {"content": outgoing.text}}
        _require_zero(post_json(_setting("NOTICE_WECOM_URL"), payload), "errcode")


class DingTalk(Robot):
    """A robot in a DingTalk group (钉钉群机器人), signed when it has a secret."""

    name = "dingtalk"
    label: str | Promise = gettext_lazy("钉钉群机器人")

    def configured(self) -> bool:
        return bool(_setting("NOTICE_DINGTALK_URL"))

    def send(self, outgoing: Outgoing) -> None:
        url, secret = _setting("NOTICE_DINGTALK_URL"), _setting("NOTICE_DINGTALK_SECRET")
        if secret:
            moment = str(round(time.time() * 1000))
            sign = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
            url += f"{'&' if '?' in url else '?'}timestamp={moment}&sign={quote_plus(base64.b64encode(sign))}"
        _require_zero(post_json(url, {"msgtype": "text", "text": {"content": outgoing.text}}), "errcode")


class Feishu(Robot):
    """A robot in a Feishu group (飞书群机器人), signed when it has a secret. Its signature is the other way round: the
    moment (in seconds) and the secret are the key, and nothing is what they sign."""

    name = "feishu"
    label: str | Promise = gettext_lazy("飞书群机器人")

    def configured(self) -> bool:
        return bool(_setting("NOTICE_FEISHU_URL"))

    def send(self, outgoing: Outgoing) -> None:
        payload: dict[str, Any] = {"msg_type": "text", "content": {"text": outgoing.text}}
        if secret := _setting("NOTICE_FEISHU_SECRET"):
            moment = str(int(time.time()))
            sign = hmac.new(f"{moment}\n{secret}".encode(), b"", hashlib.sha256).digest()
            payload = {"timestamp": moment, "sign": base64.b64encode(sign).decode(), **payload}
        _require_zero(post_json(_setting("NOTICE_FEISHU_URL"), payload), "code", "StatusCode")


class Sms:
    """A text message gateway over HTTP: POST {"phones": [...], "text": "..."} with a bearer token. It must drop a request
    whose `Idempotency-Key` it has seen, and answer as it did the first time (docs/deploy.md)."""

    name = "sms"
    label: str | Promise = gettext_lazy("短信")
    readers_per_message = PHONES_PER_REQUEST
    recognises = True
    per_minute = 0

    def configured(self) -> bool:
        return bool(_setting("NOTICE_SMS_URL"))

    def send(self, outgoing: Outgoing) -> None:
        headers = {"Idempotency-Key": outgoing.token}
        if token := _setting("NOTICE_SMS_TOKEN"):
            headers["Authorization"] = f"Bearer {token}"
        answer = post_json(_setting("NOTICE_SMS_URL"), {"phones": list(outgoing.to), "text": outgoing.text}, headers)
        if "errcode" in answer:
            _require_zero(answer, "errcode")


class _Mail:
    recognises = False
    per_minute = 0

    def _send(self, outgoing: Outgoing, to: tuple[str, ...]) -> None:
        subject = _("【经纬】%(subject)s") % {"subject": outgoing.subject or _("新消息")}
        send_mail(to, subject, outgoing.text, message_id=f"<{outgoing.token}@jingwei>")


class Mailbox(_Mail):
    """Mail to the duty mailboxes (NOTICE_EMAIL_TO)."""

    name = "mailbox"
    label: str | Promise = gettext_lazy("值班邮箱")
    readers_per_message = 0

    def configured(self) -> bool:
        return bool(getattr(settings, "NOTICE_EMAIL_TO", None))

    def send(self, outgoing: Outgoing) -> None:
        self._send(outgoing, tuple(settings.NOTICE_EMAIL_TO))


class Email(_Mail):
    """Mail to a person's own address; nobody sees another's."""

    name = "email"
    label: str | Promise = gettext_lazy("个人邮箱")
    readers_per_message = 1

    def configured(self) -> bool:
        return bool(getattr(settings, "NOTICE_EMAIL", False))

    def send(self, outgoing: Outgoing) -> None:
        self._send(outgoing, outgoing.to)


_channels: dict[str, Channel] = {}


def register(make: Callable[[], Channel]) -> None:
    channel = make()
    _channels[channel.name] = channel


def offered() -> list[Channel]:
    """The channels that are configured, in the order in which they were registered."""
    return [channel for channel in _channels.values() if channel.configured()]


def known() -> list[Channel]:
    """All there are, configured or not."""
    return list(_channels.values())


def find(name: str) -> Channel | None:
    """The channel of that name, or None when there is none or it is not configured."""
    channel = _channels.get(name)
    return channel if channel is not None and channel.configured() else None


def label_of(name: str) -> str:
    return str(_channels[name].label) if name in _channels else name


_ours: tuple[Callable[[], Channel], ...] = (WeCom, DingTalk, Feishu, Sms, Mailbox, Email)
for _make in _ours:
    register(_make)
