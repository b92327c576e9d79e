"""Statements of the dashboard, each written once for a shape: a question about one place, asked by the holders of one
set of scopes (docs/decisions/0008-prepared-queries.md). A page asks five of them; writing their SQL anew would cost more
than everything else on the page."""

from collections.abc import Callable, Hashable
from typing import Any

from django.db.models import QuerySet

from core.prepared import Prepared

# A county has a few hundred: its places times the few kinds of people who look at them.
_MOST = 4096
_kept: dict[Hashable, Prepared] = {}


def prepared(shape: Hashable, build: Callable[..., "QuerySet[Any, Any]"], *types: type) -> Prepared:
    """The statement of a shape.

    Args:
        shape: everything `build` depends on but its arguments; two questions of one shape must be the same question.
            The scopes stand for `visible_to`: what a policy's filter says follows from the scope alone, never from
            the day or the person.
        build, types: as `Prepared` takes them.
    """
    found = _kept.get(shape)
    if found is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        found = _kept[shape] = Prepared(build, *types)
    return found
