"""What all of the API shares: one shape for errors, pages with a capped count, token sign-in."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth import authenticate
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import authentication, exceptions, pagination, serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param
from rest_framework.views import APIView, set_rollback

from core import accounts
from core.errors import DomainError, Forbidden, Invalid, NotFound, Throttled
from core.middleware import password_required_message
from core.models import User

COUNT_CAP = 10_000


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


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <key>`: one query for key and account; a key lives a year from its making."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        token = Token.objects.select_related("user").filter(key=key).first()
        if token is None or not token.user.is_active:
            raise exceptions.AuthenticationFailed(_("密钥无效，请重新登录获取。"))
        if token.created + accounts.TOKEN_LIFETIME < timezone.now():
            raise exceptions.AuthenticationFailed(_("密钥已过期，请重新登录获取。"), code="token_expired")
        if token.user.must_change_password:
            raise _password_required()
        return token.user, token


class TokenScheme(OpenApiAuthenticationExtension):
    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "header", "name": "Authorization", "description": "Token <key>"}


class TokenSerializer(serializers.Serializer[Any]):
    phone = serializers.CharField(label=gettext_lazy("手机号码"), max_length=20)
    password = serializers.CharField(label=gettext_lazy("密码"), max_length=128, trim_whitespace=False, write_only=True)


class TokenView(APIView):
    """Token sign-in. Counts failures together with the sign-in page, and locks as it does."""

    authentication_classes = ()
    permission_classes = (AllowAny,)

    @extend_schema(
        operation_id="token_create",
        summary="用手机号码和密码换取密钥",
        request=TokenSerializer,
        responses=inline_serializer(
            "TokenKey", {"token": serializers.CharField(), "expires_at": serializers.DateTimeField()}
        ),
    )
    def post(self, request: Request) -> Response:
        form = TokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        phone = accounts.clean_phone(form.validated_data["phone"])
        # The plain request, so that axes (which marks it) and its middleware speak of the same one.
        user = authenticate(request._request, username=phone, password=form.validated_data["password"])
        if user is None:
            raise Invalid(_("手机号码或密码不对。"), code="wrong_credentials")
        if user.must_change_password:
            raise _password_required()
        token = _fresh_token(user)
        accounts.note_token(user=user)
        content = {"token": token.key, "expires_at": token.created + accounts.TOKEN_LIFETIME}
        return Response(content, status=status.HTTP_200_OK)


def _fresh_token(user: User) -> Token:
    """The account's key; a new one when it has none or the old one has expired."""
    Token.objects.filter(user=user, created__lt=timezone.now() - accounts.TOKEN_LIFETIME).delete()
    return Token.objects.get_or_create(user=user)[0]


def _password_required() -> exceptions.APIException:
    return exceptions.PermissionDenied(password_required_message(), code="password_change_required")


class CappedPagination(pagination.BasePagination):
    """Pages by number (`page`, `page_size`), counting no further than 10,000 rows.

    A full count of a big table costs more than the page itself; nobody reads the number beyond that. Pages beyond
    the cap are still served.
    """

    page_size = 25
    max_page_size = 200

    def paginate_queryset(self, queryset: QuerySet[Any], request: Request, view: Any = None) -> list[Any]:
        self.request = request
        self.size = self._number("page_size", self.page_size, self.max_page_size)
        self.number = self._number("page", 1, 1_000_000)
        start = (self.number - 1) * self.size
        found = list(queryset[start : start + self.size + 1])
        if not found and self.number > 1:
            raise NotFound(_("没有这一页。"), code="no_such_page")
        self.has_next = len(found) > self.size
        rows = found[: self.size]
        if self.has_next:
            self.count = queryset.order_by()[: COUNT_CAP + 1].count()
        else:
            # The last page tells how many there are.
            self.count = start + len(rows)
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "count": min(self.count, COUNT_CAP),
                "count_is_capped": self.count > COUNT_CAP,
                "next": self._link(self.number + 1) if self.has_next else None,
                "previous": self._link(self.number - 1) if self.number > 1 else None,
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["count", "count_is_capped", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "description": "总数，最多数到 10000"},
                "count_is_capped": {"type": "boolean", "description": "总数是否超过 10000"},
                "next": link,
                "previous": link,
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        whole = {"type": "integer", "minimum": 1}
        return [
            {"name": "page", "in": "query", "required": False, "description": "页码", "schema": whole},
            {
                "name": "page_size",
                "in": "query",
                "required": False,
                "description": "每页行数，最多 200",
                "schema": {**whole, "maximum": self.max_page_size},
            },
        ]

    def _number(self, name: str, default: int, maximum: int) -> int:
        text = self.request.query_params.get(name, "")
        if not text:
            return default
        if not (text.isascii() and text.isdigit() and 1 <= len(text) <= 9 and int(text) > 0):
            message = _("%(name)s 应为正整数。") % {"name": name}
            raise Invalid(message, fields={name: message})
        return min(int(text), maximum)

    def _link(self, number: int) -> str:
        return replace_query_param(self.request.build_absolute_uri(), "page", number)
