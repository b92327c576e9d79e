"""Where a deed came from: the face and, for people who sign in, the address. One value per request or task.

`core.middleware` sets it for requests, `core.tasks` for background work; the audit trail reads it.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

WEB = _("网页")
PHONE = _("手机")
API = _("接口")
PUBLIC = _("居民页面")
TASK = _("任务")
COMMAND = _("命令")

# The first part of the address decides the face; everything else is a page.
_FACES = {"m": PHONE, "api": API, "r": PUBLIC}

_origin: ContextVar[str | None] = ContextVar("origin", default=None)


def current() -> str:
    """The origin to store with a deed. Outside requests and tasks somebody typed a command."""
    return _origin.get() or str(COMMAND)


def enter(text: str | Promise) -> Token[str | None]:
    return _origin.set(str(text))


def leave(token: Token[str | None]) -> None:
    _origin.reset(token)


@contextmanager
def coming_from(text: str | Promise) -> Iterator[None]:
    """Names the origin of everything recorded inside the block."""
    token = enter(text)
    try:
        yield
    finally:
        leave(token)


def client_address(request: HttpRequest) -> str:
    """The caller's address. The proxies a county trusts (TRUSTED_PROXIES) were taken off before (REMOTE_ADDR)."""
    address = request.META.get("REMOTE_ADDR") or ""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def of_request(request: HttpRequest) -> str:
    """The words for a request. A resident's address is left out: the trail is never erased, and it is personal."""
    face = _FACES.get(request.path_info.lstrip("/").partition("/")[0], WEB)
    return str(face) if face is PUBLIC else f"{face} {client_address(request)}".rstrip()
