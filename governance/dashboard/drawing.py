"""Draws the content of a dashboard, and keeps what was drawn for the same figures.

A dashboard is a pure function of its figures, names and day; drawing it costs three times what reading them costs. So
the figures are read with every request, and what was drawn from equal ones is shown again: nothing is ever old, and
nothing needs to be thrown away when a figure changes.
"""

import datetime
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from core.periods import Period, local_date
from governance.dashboard import board
from governance.dashboard.places import Place
from governance.dashboard.selectors import Numbers

# A page is some 40 kB: ten megabytes a process at most.
_KEPT = 256


@dataclass(frozen=True)
class _Sheet:
    """What a content is drawn from. `fingerprint` is equal for what looks equal; the rest is not compared."""

    fingerprint: Hashable
    found: Numbers = field(compare=False)
    place: Place = field(compare=False)
    period: Period = field(compare=False)
    now: datetime.datetime = field(compare=False)
    sort: str = field(compare=False)
    by: str = field(compare=False)
    roots: tuple[Place, ...] = field(compare=False)


def content(
    found: Numbers,
    place: Place,
    period: Period,
    now: datetime.datetime,
    *,
    sort: str = "",
    by: str = "",
    roots: tuple[Place, ...] = (),
) -> SafeString:
    """The content of the page, as HTML.

    Args:
        sort, by: how the table below is ordered, and of which level it is.
        roots: the other places the person's posts reach.

    Raises `Invalid` for a sort key that is none.
    """
    fingerprint = (
        found.fingerprint(),
        place.look(),
        tuple(root.name for root in roots),
        tuple(root.code for root in roots),
        (period, local_date(now), sort, by, get_language()),
    )
    return _draw(_Sheet(fingerprint, found, place, period, now, sort, by, roots))


@lru_cache(maxsize=_KEPT)
def _draw(sheet: _Sheet) -> SafeString:
    context = board.page(sheet.found, sheet.place, sheet.period, sheet.now, sort=sheet.sort, by=sheet.by)
    context["roots"] = sheet.roots
    return render_to_string("dashboard/board.html", context)
