"""Token sign-in. Apart from the views: the framework loads this while it loads its own views."""

from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.authtoken.models import Token

from core import accounts
from core.middleware import password_required_message
from core.models import User
from core.policies import with_hints
from core.prepared import Prepared


def password_required() -> exceptions.APIException:
    return exceptions.PermissionDenied(password_required_message(), code="password_change_required")


def _with_key(key: str) -> QuerySet[User]:
    return (
        with_hints(User.objects.active()).filter(auth_token__key=key).annotate(token_created=F("auth_token__created"))
    )


_OWNER = Prepared(_with_key, str)


def _owner_of(key: str) -> Any:
    return _OWNER.one(key)


class TokenAuthentication(authentication.TokenAuthentication):
    """`Authorization: Token <key>`: one query for key and account; a key lives a year from its making."""

    def authenticate_credentials(self, key: str) -> tuple[User, Token]:
        user = _owner_of(key)
        if user is None:
            raise exceptions.AuthenticationFailed(_("密钥无效，请重新登录获取。"))
        token = Token(key=key, user=user, created=user.token_created)
        if token.created + accounts.TOKEN_LIFETIME < timezone.now():
            raise exceptions.AuthenticationFailed(_("密钥已过期，请重新登录获取。"), code="token_expired")
        if user.must_change_password:
            raise password_required()
        return user, token
