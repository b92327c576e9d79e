"""What the address of a request asks for, and the rows it names."""

from collections.abc import Collection
from typing import TypeVar

from django.db.models import Model, QuerySet
from django.utils.translation import gettext as _
from rest_framework.request import Request

from core.errors import Invalid, NotFound

M = TypeVar("M", bound=Model)

# No number of a row is beyond this; what is, no database holds.
BIG = 10**18


def chosen(request: Request, name: str, values: Collection[str]) -> str:
    """A parameter that is one of some words, or empty. Raises Invalid."""
    value = request.query_params.get(name, "")
    if value and value not in values:
        message = _("只能是 %(values)s。") % {"values": "、".join(values)}
        raise Invalid(message, fields={name: message})
    return value


def number(request: Request, name: str) -> int | None:
    """A parameter that is the number of a row, or None when it is not given. Raises Invalid."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        message = _("%(name)s 应为正整数。") % {"name": name}
        raise Invalid(message, fields={name: message})
    return int(text)


def one(rows: QuerySet[M], pk: int, missing: str = "") -> M:
    """The row with this number among those the caller may see.

    Args:
        missing: the sentence when there is none, where the page has a better word than “这条记录”.

    Raises NotFound.
    """
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound(missing or _("没有找到这条记录，或不在您的管辖范围内。"))
    return found
