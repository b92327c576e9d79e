"""What every place of a level should have, and whether it has: the columns of the page of gaps (缺口).

The kinds of pairings are such columns (`selectors.columns_of`); a higher floor adds its own from its `apps.py` (the lead
unit of a community is a check-in).
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.db.models import Exists
from django.utils.functional import Promise


@dataclass(frozen=True)
class Cover:
    """A column of the page.

    Attributes:
        label: what a place should have, e.g. 牵头单位.
        level: key of the level of which every place should have it; empty where none is meant to.
        held: whether a place (`OuterRef("pk")`) has it today, from somebody who is there to answer.
        add: where it is given to a place: a URL name of the admin, and the right that opens it.
    """

    key: str
    label: str | Promise
    level: str
    held: Callable[[], Exists]
    add: tuple[str, str]


_registered: dict[str, Cover] = {}


def register(cover: Cover) -> None:
    """Adds a column; a second one of the key takes the place of the first."""
    _registered[cover.key] = cover


def registered() -> list[Cover]:
    return list(_registered.values())
