"""The answer to what went wrong on our side. Asks nothing of the database: it may be the one that is away."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

RETRY_SECONDS = 10


def answer(request: HttpRequest) -> HttpResponse:
    """Django's `handler500`: called while the exception is being handled; it was logged before.

    A database that is starting anew, or that gave way to somebody else, answers 503 and says when to come back.
    """
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    status = 503 if away else 500
    if request.path_info.startswith("/api/"):
        message = _("系统正在恢复，这一次没有保存，请稍后再试。") if away else _("系统出了点问题，已记下，请稍后再试。")
        response: HttpResponse = JsonResponse(
            {"code": "unavailable" if away else "fault", "message": message, "fields": {}}, status=status
        )
    else:
        response = HttpResponse(render_to_string(f"errors/{status}.html"), status=status)
    if away:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
