"""Outside channels for notices. One that is not configured (settings NOTICE_*) is not offered.

What leaves the portal names no matter, place or person: a group chat has readers the portal does not know, and a
text message passes through a supplier. It says that there is news of a kind, and where to sign in.
"""

import base64
import hashlib
import hmac
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote_plus, urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.translation import gettext as _

TIMEOUT_SECONDS = 5
# One text message request may carry this many numbers.
PHONES_PER_REQUEST = 50


class ChannelError(RuntimeError):
    """The other side did not take the message; it will be tried again."""


@dataclass(frozen=True)
class Outgoing:
    """What a channel is given: the kind of news, and the readers' phones if it asked for readers."""

    subject: str
    phones: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        subject = self.subject or _("新消息")
        return _("【经纬】有新的“%(subject)s”通知，请登录查看：%(link)s") % {
            "subject": subject,
            "link": f"{settings.PUBLIC_URL}/notices/",
        }


class Channel(Protocol):
    """`readers_per_message`: how many readers one message serves; 0 for a channel that is a place, not people."""

    name: str
    readers_per_message: int

    def configured(self) -> bool: ...

    def send(self, outgoing: Outgoing) -> None:
        """Hands the message over. Raises ChannelError (or OSError) when it was not taken."""


def _setting(name: str) -> str:
    return str(getattr(settings, name, "") or "")


def _post_json(url: str, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ChannelError("the address of a channel must begin with http:// or https://")
    request = urllib.request.Request(  # noqa: S310 - scheme checked above
        url,
        data=json.dumps(payload, ensure_ascii=False).encode(),
        headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:  # noqa: S310 - see above
            body = response.read(64 * 1024)
    except urllib.error.HTTPError as error:
        raise ChannelError(f"HTTP {error.code}") from None
    except OSError as error:
        # Without the address: a robot's address is its password.
        raise ChannelError(type(error).__name__) from None
    try:
        answer = json.loads(body or b"{}")
    except ValueError:
        raise ChannelError("the answer is not JSON") from None
    return answer if isinstance(answer, dict) else {}


def _require_no_error(answer: Mapping[str, Any]) -> None:
    if answer.get("errcode", 0) != 0:
        raise ChannelError(f"errcode {answer['errcode']}: {answer.get('errmsg', '')}"[:200])


class WeCom:
    """A robot in a WeCom group (企业微信群机器人)."""

    name = "wecom"
    readers_per_message = 0

    def configured(self) -> bool:
        return bool(_setting("NOTICE_WECOM_URL"))

    def send(self, outgoing: Outgoing) -> None:
        payload = {"msgtype": "text", "text": {"content": outgoing.text}}
        _require_no_error(_post_json(_setting("NOTICE_WECOM_URL"), payload))


class DingTalk:
    """A robot in a DingTalk group (钉钉群机器人), signed when it has a secret."""

    name = "dingtalk"
    readers_per_message = 0

    def configured(self) -> bool:
        return bool(_setting("NOTICE_DINGTALK_URL"))

    def send(self, outgoing: Outgoing) -> None:
        url, secret = _setting("NOTICE_DINGTALK_URL"), _setting("NOTICE_DINGTALK_SECRET")
        if secret:
            moment = str(round(time.time() * 1000))
            signature = hmac.new(secret.encode(), f"{moment}\n{secret}".encode(), hashlib.sha256).digest()
            sign = quote_plus(base64.b64encode(signature))
            url += f"{'&' if '?' in url else '?'}timestamp={moment}&sign={sign}"
        _require_no_error(_post_json(url, {"msgtype": "text", "text": {"content": outgoing.text}}))


class Sms:
    """A text message gateway over HTTP: POST {"phones": [...], "text": "..."} with a bearer token."""

    name = "sms"
    readers_per_message = PHONES_PER_REQUEST

    def configured(self) -> bool:
        return bool(_setting("NOTICE_SMS_URL"))

    def send(self, outgoing: Outgoing) -> None:
        token = _setting("NOTICE_SMS_TOKEN")
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        _post_json(_setting("NOTICE_SMS_URL"), {"phones": list(outgoing.phones), "text": outgoing.text}, headers)


class Email:
    """Mail to the duty mailboxes (NOTICE_EMAIL_TO); accounts themselves have no address."""

    name = "email"
    readers_per_message = 0

    def configured(self) -> bool:
        return bool(getattr(settings, "NOTICE_EMAIL_TO", None))

    def send(self, outgoing: Outgoing) -> None:
        subject = _("【经纬】%(subject)s") % {"subject": outgoing.subject or _("新消息")}
        EmailMessage(subject, outgoing.text, None, list(settings.NOTICE_EMAIL_TO)).send()


_channels: dict[str, Channel] = {}


def register(make: Callable[[], Channel]) -> None:
    channel = make()
    _channels[channel.name] = channel


def offered() -> list[Channel]:
    """The channels that are configured, in the order in which they were registered."""
    return [channel for channel in _channels.values() if channel.configured()]


def find(name: str) -> Channel | None:
    """The channel of that name, or None when there is none or it is not configured."""
    channel = _channels.get(name)
    return channel if channel is not None and channel.configured() else None


for _make in (WeCom, DingTalk, Sms, Email):
    register(_make)
