"""Who is really calling, behind the reverse proxies a county may have.

Anybody can send X-Forwarded-For. It is believed only as far as it was written by addresses in TRUSTED_PROXIES; the
result replaces REMOTE_ADDR, so that throttles, lock-out and audit trail all read one place.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

FORWARDED_FOR = "HTTP_X_FORWARDED_FOR"
FORWARDED_PROTO = "HTTP_X_FORWARDED_PROTO"
FORWARDED_HOST = "HTTP_X_FORWARDED_HOST"


def _trusted(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
        parsed = parsed.ipv4_mapped
    return any(parsed in network for network in settings.TRUSTED_PROXIES)


def _origin(peer: str, chain: list[str]) -> str:
    """Walk the chain from the nearest hop outwards and stop at the first address that is not one of our proxies."""
    origin = peer
    for hop in reversed(chain):
        if not _trusted(origin):
            break
        try:
            origin = str(ipaddress.ip_address(hop))
        except ValueError:
            break
    return origin


class TrustedProxyMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        peer = meta.get("REMOTE_ADDR") or ""
        if _trusted(peer):
            chain = [part.strip() for part in meta.get(FORWARDED_FOR, "").split(",") if part.strip()]
            meta["REMOTE_ADDR"] = _origin(peer, chain)
        else:
            for name in (FORWARDED_FOR, FORWARDED_PROTO, FORWARDED_HOST):
                meta.pop(name, None)
        return self.get_response(request)


def client_address(request: HttpRequest) -> str:
    """The caller's address, for axes; the middleware above has already settled it."""
    return request.META.get("REMOTE_ADDR") or ""
