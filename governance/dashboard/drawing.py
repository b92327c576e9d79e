"""Draws the page of a dashboard, and keeps what was drawn for the same figures.

A dashboard is a pure function of its figures, names and day; drawing it costs three times what reading them costs. So
the figures are read with every request, and what was drawn from equal ones is shown again: nothing is ever old, and
nothing needs to be thrown away when a figure changes. It is drawn without the request, so nothing of a person (a name,
a token of their session) can be in what the next person is shown.
"""

import datetime
from collections.abc import Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import get_language

from core.periods import Period, local_date
from governance.dashboard import board
from governance.dashboard.places import Place
from governance.dashboard.selectors import Reading, numbers

# A page is some 40 kB: ten megabytes a process at most.
_KEPT = 256


@dataclass(frozen=True)
class Sheet:
    """What a page is drawn from. Places may differ in nothing that shows: names, codes, who is below whom.

    Attributes:
        sort, by: how the table below is ordered, and of which level it is.
        roots: the other places the person's posts reach.
        staff: whether there is a way to the desk. bulletins: whether there is one to the bulletins there.
        large: elderly mode.
    """

    reading: Reading
    place: Place
    period: Period
    now: datetime.datetime
    sort: str = ""
    by: str = ""
    roots: tuple[Place, ...] = ()
    staff: bool = False
    bulletins: bool = False
    large: bool = False

    def fingerprint(self) -> Hashable:
        """Equal for pages that look the same."""
        return (
            self.reading,
            self.place.look,
            tuple((root.code, root.name) for root in self.roots),
            (self.period, local_date(self.now), self.sort, self.by),
            (self.staff, self.bulletins, self.large, get_language()),
        )

    def context(self) -> dict[str, Any]:
        """Raises `Invalid` for a sort key that is none."""
        found = numbers(self.reading, self.place, self.period, self.now)
        return {
            **board.page(found, self.place, self.period, self.now, sort=self.sort, by=self.by),
            "roots": self.roots,
            "active": "figures",
            "bulletins": self.bulletins,
        }


def page(sheet: Sheet) -> str:
    """The whole page as HTML. Raises as `Sheet.context`."""
    return _draw(_Kept(sheet.fingerprint(), sheet))


@dataclass(frozen=True)
class _Kept:
    """A sheet as the key of its page."""

    fingerprint: Hashable
    sheet: Sheet = field(compare=False)


@lru_cache(maxsize=_KEPT)
def _draw(kept: _Kept) -> str:
    sheet = kept.sheet
    # The few things the frame asks of the person and the request.
    frame = {"user": {"is_staff": sheet.staff}, "request": {"COOKIES": {"elder": "1" if sheet.large else ""}}}
    return str(render_to_string("dashboard/place.html", {**sheet.context(), **frame}))
