"""What higher floors show on a place's own page, beside what this floor shows itself. Filled from their `apps.py`.

The page is one ledger per place (docs/domain.md#c4): facts, who answers, pairings, what was put right, and the timeline
(`grids.timeline`), each from the floor that knows it.
"""

from collections.abc import Callable, Iterable
from typing import Any

from core.admin_base import Part
from grids.models import GridNode

# The place and who looks: tables for the page, only of what the person may see. A fixed number of queries each.
Source = Callable[[GridNode, Any], Iterable[Part]]

_sources: dict[str, Source] = {}


def register(name: str, source: Source) -> None:
    """Adds a source; a second one of the name takes the place of the first."""
    _sources[name] = source


def named(name: str, node: GridNode, user: Any) -> list[Part]:
    """The tables of one source, for a page of the place that does not show all of them; none while nobody registered it."""
    return list(_sources[name](node, user)) if name in _sources else []


def of(node: GridNode, user: Any) -> list[Part]:
    """The tables of all higher floors for a place, in the order in which they registered."""
    return [part for source in _sources.values() for part in source(node, user)]
