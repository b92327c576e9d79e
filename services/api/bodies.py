"""What a request of the API brings."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request

from core.api.parsing import CarefulJSONParser
from core.errors import Invalid

UPLOADS = (CarefulJSONParser, MultiPartParser, FormParser)


def body_of(request: Request) -> Any:
    """The body, which must be an object (or a form)."""
    if not isinstance(request.data, Mapping):
        raise Invalid(_("请提交一个对象。"))
    return request.data
