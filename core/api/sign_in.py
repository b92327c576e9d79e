"""Where a program gets its key."""

from typing import Any

from django.contrib.auth import authenticate
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers, status
from rest_framework.authtoken.models import Token
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core import accounts
from core.api.authentication import TokenAuthentication, password_required
from core.errors import Invalid
from core.models import User


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
            raise password_required()
        token = _fresh_token(user)
        accounts.note_token(user=user)
        content = {"token": token.key, "expires_at": token.created + accounts.TOKEN_LIFETIME}
        return Response(content, status=status.HTTP_200_OK)


def _fresh_token(user: User) -> Token:
    """The account's key; a new one when it has none or the old one has expired."""
    Token.objects.filter(user=user, created__lt=timezone.now() - accounts.TOKEN_LIFETIME).delete()
    return Token.objects.get_or_create(user=user)[0]
