"""What keeps a unit in use. Higher floors register here what a unit still has in hand; such a unit is not closed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.functional import Promise

from partybuilding.models import Unit


@dataclass(frozen=True)
class Duty:
    """Rows a unit has in hand; `label` is what a cadre calls them, for "还有 3 件没有了结的派单"."""

    label: str | Promise
    rows: Callable[[Unit], QuerySet[Any]]


_registered: dict[str, Duty] = {}


def register(name: str, *, label: str | Promise, rows: Callable[[Unit], QuerySet[Any]]) -> None:
    """Registers rows; a second call with the same name takes the place of the first."""
    _registered[name] = Duty(label, rows)


def in_hand(unit: Unit) -> list[tuple[int, str | Promise]]:
    """(count, label) of everything the unit still has in hand."""
    counted = [(duty.rows(unit).count(), duty.label) for duty in _registered.values()]
    return [(count, label) for count, label in counted if count]
