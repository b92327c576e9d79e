"""Reads of this floor over several models. Import from here: `from partybuilding.selectors import liaisons_of`."""

from partybuilding.selectors.pairings import Guide, guides_of, held_by, open_problems
from partybuilding.selectors.units import liaisons_of, members_to_ask, units_without_liaison

__all__ = [
    "Guide",
    "guides_of",
    "held_by",
    "liaisons_of",
    "members_to_ask",
    "open_problems",
    "units_without_liaison",
]
