"""What a person sees whose sign-in is locked: a page, or the API's own error form."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def locked(
    request: HttpRequest, original_response: HttpResponse | None = None, credentials: dict[str, Any] | None = None
) -> HttpResponse:
    """Answer a sign-in that axes refuses: 429 with the time to wait, in words and in Retry-After."""
    minutes = settings.ENV.LOCKOUT_MINUTES
    context = {"minutes": minutes, "failures": settings.ENV.LOCKOUT_FAILURES}
    response: HttpResponse
    if request.path.startswith("/api/"):
        message = _("连续 %(failures)s 次输错密码，账号已暂时锁定。请 %(minutes)s 分钟后再试，或请管理员重置密码。")
        response = JsonResponse({"code": "throttled", "message": message % context}, status=429)
    else:
        response = render(request, "registration/locked.html", context, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response
