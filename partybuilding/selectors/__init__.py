"""Reads of this floor over several models. Import from here: `from partybuilding.selectors import liaisons_of`."""

from partybuilding.selectors.gaps import (
    Column,
    Line,
    Load,
    columns_of,
    gaps,
    missing,
    missing_any,
    overloads,
)
from partybuilding.selectors.pairings import Guide, guides_of, held_by, my_figures
from partybuilding.selectors.units import liaisons_of, members_to_ask, named_person, units_without_liaison

__all__ = [
    "Column",
    "Guide",
    "Line",
    "Load",
    "columns_of",
    "gaps",
    "guides_of",
    "held_by",
    "liaisons_of",
    "members_to_ask",
    "missing",
    "missing_any",
    "my_figures",
    "named_person",
    "overloads",
    "units_without_liaison",
]
