"""What a request of the API brings."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.serializers import Serializer

from core.api.parsing import CarefulJSONParser
from core.errors import Invalid
from core.models import User

UPLOADS = (CarefulJSONParser, MultiPartParser, FormParser)


def body_of(request: Request) -> Any:
    """The body, which must be an object (or a form)."""
    if not isinstance(request.data, Mapping):
        raise Invalid(_("请提交一个对象。"))
    return request.data


def given(request: Request, serializer: type[Serializer[Any]]) -> dict[str, Any]:
    """The inputs of a request as its serializer reads them. Raises the framework's own refusal of each field.

    Args:
        serializer: reads nothing but what it is given; one of each kind is kept, as a list keeps one for all its rows,
            because copying its fields for every request costs more than reading them.
    """
    reader = _readers.get(serializer)
    if reader is None:
        reader = _readers[serializer] = serializer()
    return dict(reader.run_validation(body_of(request)))


_readers: dict[type[Serializer[Any]], Serializer[Any]] = {}


def caller(request: Request) -> User:
    """The signed-in account; the default permission has seen to it that there is one."""
    assert isinstance(request.user, User)
    return request.user


def version_of(body: Mapping[str, Any]) -> int | None:
    """The version the caller acted on, where the body has one. Raises Invalid for what is no number."""
    value = body.get("version")
    if value in (None, ""):
        return None
    try:
        return int(value)
    except (TypeError, ValueError) as error:
        raise Invalid(_("版本应为整数。"), fields={"version": _("应为整数。")}) from error
