"""What every request passes: where it comes from, who must first change a password, what a refusal looks like."""

import time
from collections.abc import Callable
from typing import Any

from csp.constants import HEADER
from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import origin
from core.errors import DomainError, Invalid, Throttled

Respond = Callable[[HttpRequest], HttpResponse]

SEEN = "seen_at"
# Addresses that need no account; somebody who must change a password may still use them.
_PUBLIC = ("/r/", "/static/", "/healthz")
# Views that stay open until the password is changed.
_OPEN_VIEWS = {"core:password", "login", "logout", "admin:login", "admin:logout", "elder"}

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}
# Django's own pages for developers have their styles within.
_TRACED = (404, 500)


class OriginMiddleware:
    """Names where deeds of this request come from, for the audit trail."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with origin.coming_from(origin.of_request(request)):
            return self.get_response(request)


class HeadersMiddleware:
    """Adds the security headers a response does not have yet, and keeps personal pages out of shared caches."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response
        # No page has a policy or a nonce of its own, so the words are put together once.
        self.policy = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        if not (settings.DEBUG and response.status_code in _TRACED):
            response.headers.setdefault(HEADER, self.policy)
        if _has_session(request) or "Authorization" in request.headers:
            # Not no-store: the back button of WeChat would lose a form that is half filled in.
            response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class DomainErrorMiddleware:
    """Turns a DomainError of a page into a page with its message; the API has its own mapping (core.api)."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return _refusal(request, exception) if isinstance(exception, DomainError) else None


def _refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    if request.headers.get("HX-Request") == "true":
        response = render(
            request, "components/banner.html", {"tone": "red", "text": error.message}, status=error.status
        )
        # The part of the page that asked stays as it was; the message stands where messages stand.
        response.headers["HX-Retarget"] = ".messages"
        response.headers["HX-Reswap"] = "innerHTML"
    else:
        response = render(request, f"errors/{error.status}.html", {"error": error}, status=error.status)
    if isinstance(error, Throttled) and error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


class AddressMiddleware:
    """Refuses an address with a NUL character in it: no page has one, and PostgreSQL can not even be asked for it."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if "\x00" not in request.path_info and "%00" not in request.META.get("QUERY_STRING", ""):
            return self.get_response(request)
        error = Invalid(_("网址里有无法识别的字符，请重新输入，或从首页进入。"), code="address")
        if request.path_info.startswith("/api/"):
            return JsonResponse({"code": error.code, "message": error.message, "fields": {}}, status=error.status)
        return _refusal(request, error)


class IdleMiddleware:
    """Ends a cadre's session after SESSION_IDLE_MINUTES without a click; phones of volunteers stay signed in.

    The session is written again only when a quarter of that time has passed, not with every request. Pages that ask
    by themselves (`?poll=1`) are no click.
    """

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        # After the view: whoever signs in or out just now is judged by the new session.
        if _has_session(request) and request.GET.get("poll") != "1":
            self._keep(request)
        return response

    @staticmethod
    def _keep(request: HttpRequest) -> None:
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            return
        idle = settings.SESSION_IDLE_MINUTES * 60
        now = int(time.time())
        if now - request.session.get(SEEN, 0) < idle / 4:
            return
        request.session[SEEN] = now
        request.session.set_expiry(idle if user.is_staff else settings.SESSION_COOKIE_AGE)


class PasswordMiddleware:
    """Lets nobody do anything with a first password but change it."""

    def __init__(self, get_response: Respond) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        if not _has_session(request) or request.path_info.startswith(_PUBLIC):
            return None
        user = getattr(request, "user", None)
        if user is None or not getattr(user, "must_change_password", False):
            return None
        match = request.resolver_match
        if match is not None and match.view_name in _OPEN_VIEWS:
            return None
        return _to_password_page(request)


def password_required_message() -> str:
    return _("请先登录网页，把首次密码改成自己的密码。")


def _to_password_page(request: HttpRequest) -> HttpResponse:
    if request.path_info.startswith("/api/"):
        content = {"code": "password_change_required", "message": password_required_message(), "fields": {}}
        return JsonResponse(content, status=403)
    address = reverse("core:password")
    if request.headers.get("HX-Request") == "true":
        response = HttpResponse(status=204)
        response.headers["HX-Redirect"] = address
        return response
    if request.method == "GET":
        address += "?" + urlencode({"next": request.get_full_path()})
    return redirect(address)


def _has_session(request: HttpRequest) -> bool:
    """Whether there can be a signed-in person at all, without asking the database."""
    session = getattr(request, "session", None)
    return session is not None and session.session_key is not None
