"""One ledger per place: everything that happened at a place, newest first, from every floor.

A floor registers a source from its `apps.py`; the place's own page draws them together (docs/domain.md#c4). A source gives
only what the person may see: it starts from `visible_to`. It gives no personal data of residents, and nothing of the
care ledger, whose households are nobody's history.
"""

import datetime
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from core.periods import LOCAL_ZONE
from grids.models import GridNode


@dataclass(frozen=True)
class Picture:
    """A picture, as `components/timeline.html` shows it."""

    url: str
    thumb: str
    alt: str


@dataclass(frozen=True)
class Entry:
    """Something that happened.

    Attributes:
        at: when; a day counts as its beginning.
        title: what, in a few words. text: more of it.
        who: by whom, in words. kind: the word a filter goes by (包联, 整治, 任职, 网格, 需求).
        link: address of the matter, "" when there is none the person may open.
    """

    at: datetime.datetime
    title: str
    text: str = ""
    who: str = ""
    kind: str = ""
    link: str = ""
    pictures: tuple[Picture, ...] = field(default=())


# The place, who looks, how many at most: entries newest first. One or two queries each.
Source = Callable[[GridNode, Any, int], Iterable[Entry]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Adds a source; a second one of the name takes the place of the first."""
    _sources[name] = source


def gather(node: GridNode, user: Any, *, limit: int) -> list[Entry]:
    """What happened at a place and below it, newest first: of every source the newest, `limit` each."""
    found = [entry for source in _sources.values() for entry in source(node, user, limit)]
    return sorted(found, key=lambda entry: entry.at, reverse=True)


def of(node: GridNode, user: Any, *, limit: int = 50) -> list[Entry]:
    """The same over all sources: at most `limit`."""
    return gather(node, user, limit=limit)[:limit]


def day(date: datetime.date) -> datetime.datetime:
    """The beginning of a day here, for what is known by its day alone."""
    return datetime.datetime.combine(date, datetime.time.min, LOCAL_ZONE)
