"""Sign-in by phone and password. Rights are no business of a backend here: they follow from `core.policies`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.db.models import QuerySet
from django.http import HttpRequest

from core.models import User
from core.policies import with_hints
from core.prepared import Prepared


def _with_id(user_id: int) -> QuerySet[User]:
    return with_hints(User.objects.active()).filter(pk=user_id)


_BY_ID = Prepared(_with_id, int)


class PhoneBackend(BaseBackend):
    """Stands behind axes' own backend, which counts failures and refuses a locked pair of account and address.

    The phone is taken exactly as it was counted: were spellings forgiven here, each spelling would have tries of its
    own. Forms tidy it up before they ask.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        if username is None or password is None:
            return None
        user = User.objects.filter(phone=username).first()
        if user is None:
            # As slow as a wrong password, so that nobody can tell who has an account.
            User().set_password(password)
            return None
        return user if user.check_password(password) and user.is_active else None

    def get_user(self, user_id: int) -> User | None:
        found: User | None = _BY_ID.one(int(user_id))
        return found
