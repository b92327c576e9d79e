"""One shape for every refusal of the API: {code, message, fields}."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from core.errors import DomainError, Forbidden, NotFound, Throttled


def error_body(error: DomainError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "fields": error.fields}


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answers every refusal as {code, message, fields}; anything else is a fault of ours and stays a 500."""
    if isinstance(error, Http404):
        error = NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
    elif isinstance(error, PermissionDenied):
        error = Forbidden(_("您没有办理这件事的权限。"))
    if isinstance(error, DomainError):
        set_rollback()
        headers = {}
        if isinstance(error, Throttled) and error.retry_after:
            headers["Retry-After"] = str(error.retry_after)
        return Response(error_body(error), status=error.status, headers=headers)
    if not isinstance(error, exceptions.APIException):
        return None
    set_rollback()
    headers = {}
    if getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = error.auth_header
    if getattr(error, "wait", None):
        headers["Retry-After"] = str(int(error.wait))
    return Response(_body_of(error), status=error.status_code, headers=headers)


def _body_of(error: exceptions.APIException) -> dict[str, Any]:
    if isinstance(error, exceptions.ParseError):
        # The framework's own words are English and speak of parsers.
        return {"code": "parse_error", "message": _("提交的内容无法读取，应为 JSON 格式。"), "fields": {}}
    if not isinstance(error, exceptions.ValidationError):
        return {"code": str(error.get_codes()), "message": str(error.detail), "fields": {}}
    detail = error.detail
    if not isinstance(detail, Mapping):
        return {"code": "invalid", "message": _sentence(detail), "fields": {}}
    fields = {name: _sentence(messages) for name, messages in detail.items() if name != "non_field_errors"}
    message = _sentence(detail.get("non_field_errors") or [_("提交的内容有误，请按提示修改。")])
    return {"code": "invalid", "message": message, "fields": fields}


def _sentence(detail: Any) -> str:
    if isinstance(detail, Mapping):
        return " ".join(_sentence(part) for part in detail.values())
    if isinstance(detail, list | tuple):
        return " ".join(_sentence(part) for part in detail if part)
    return str(detail)
