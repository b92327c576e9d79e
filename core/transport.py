"""Handing one message to somebody else's machine, and knowing afterwards how far it got.

Three ends beside success: it never left (`NotSentError`), the other side said no (`RefusedError`), or nobody can tell
(`UnsureError`): the request was on its way when the answer failed to come, or came as something that is no answer. The
first two may be tried again; the third only where the other side recognises a repetition (docs/decisions/0031).
"""

import http.client
import json
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from django.core.mail import EmailMessage, get_connection
from django.utils.translation import gettext as _

# For each step, and for the whole of it: a machine that drips one byte after another holds nobody up.
TIMEOUT_SECONDS = 5
TOTAL_SECONDS = 10
MAX_ANSWER = 64 * 1024
# An answer of these says that somebody in between lost the trail, not that the message was refused.
_NO_VERDICT = {408, 502, 504}


class DeliveryError(RuntimeError):
    """Not delivered, or not known to be. The message is a sentence for the administrator, without any address."""


class NotSentError(DeliveryError):
    """Nothing left the portal: the other side could not be reached."""


class RefusedError(DeliveryError):
    """The other side took note and said no."""


class UnsureError(DeliveryError):
    """It may have arrived."""


def post_json(url: str, payload: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Posts JSON and reads a JSON object. A redirect is a refusal: it is not followed.

    An answer without a body counts as an empty object: its status says enough.

    Raises:
        NotSentError, RefusedError, UnsureError.
    """
    body = json.dumps(payload, ensure_ascii=False).encode()
    given = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body)), **(headers or {})}
    parts = urlsplit(url)
    target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
    connection = _connected(url)
    try:
        with _deadline(connection.sock):
            connection.request("POST", target, body, given)
            response = connection.getresponse()
            answer = response.read(MAX_ANSWER)
            if response.length:
                raise UnsureError(_("对方的答复不完整"))
    except (OSError, http.client.HTTPException) as error:
        raise UnsureError(_("对方没有答复（%(what)s）") % {"what": _name(error)}) from None
    finally:
        connection.close()
    _require_success(response.status)
    try:
        found = json.loads(answer or b"{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnsureError(_("对方的答复看不懂"))
    return found


def _connected(url: str) -> http.client.HTTPConnection:
    """Raises NotSentError. Up to here nothing of the message has left."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise NotSentError(_("渠道的网址不对，应以 http:// 或 https:// 开头"))
    make = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = make(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.connect()
    except (OSError, ValueError) as error:
        connection.close()
        raise NotSentError(_("连不上对方（%(what)s）") % {"what": _name(error)}) from None
    return connection


@contextmanager
def _deadline(sock: Any) -> Iterator[None]:
    """Ends whatever is read from or written to the socket when the time for the whole is over."""

    def end() -> None:
        with suppress(OSError):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)

    timer = threading.Timer(TOTAL_SECONDS, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _require_success(status: int) -> None:
    if status in _NO_VERDICT:
        raise UnsureError(_("对方的网关没有得到答复（HTTP %(status)s）") % {"status": status})
    if 300 <= status < 400:
        raise RefusedError(_("对方要求转到别的网址（HTTP %(status)s），已拒绝") % {"status": status})
    if not 200 <= status < 300:
        raise RefusedError(_("对方拒绝（HTTP %(status)s）") % {"status": status})


def send_mail(to: Sequence[str], subject: str, text: str, *, message_id: str) -> None:
    """Hands one mail to the mail server.

    Raises:
        NotSentError, RefusedError, UnsureError.
    """
    connection = get_connection()
    try:
        connection.open()
    except (OSError, smtplib.SMTPException) as error:
        raise NotSentError(_("连不上发信服务器（%(what)s）") % {"what": _name(error)}) from None
    mail = EmailMessage(subject, text, None, list(to), headers={"Message-ID": message_id}, connection=connection)
    try:
        sent = mail.send()
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPResponseException) as error:
        raise RefusedError(_("发信服务器拒绝（%(what)s）") % {"what": _codes(error)}) from None
    except (OSError, smtplib.SMTPException) as error:
        # Somewhere between the greeting and the last full stop: it may be in the queue over there.
        raise UnsureError(_("发信服务器没有答复（%(what)s）") % {"what": _name(error)}) from None
    finally:
        # How the goodbye goes says nothing about the mail.
        with suppress(OSError, smtplib.SMTPException):
            connection.close()
    if not sent:
        raise NotSentError(_("连不上发信服务器"))


def _codes(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPResponseException) -> str:
    """The server's codes alone: its words repeat addresses."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return "、".join(sorted({str(code) for code, _words in error.recipients.values()}))
    return str(error.smtp_code)


def _name(error: BaseException) -> str:
    """What went wrong, without the address: a robot's address is its password."""
    if isinstance(error, TimeoutError):
        return _("超时")
    if isinstance(error, ssl.SSLError):
        return _("证书或加密不符")
    if isinstance(error, ConnectionRefusedError):
        return _("拒绝连接")
    if isinstance(error, ConnectionError | http.client.HTTPException):
        return _("连接中断")
    if isinstance(error, socket.gaierror):
        return _("找不到主机")
    return type(error).__name__
