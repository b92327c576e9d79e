"""Admin pages of this floor."""

from partybuilding.admin import (
    alliances,
    compounds,
    floating,
    members,
    organisations,
    pairing_records,
    pairings,
    people,
    remediations,
    units,
)

__all__ = [
    "alliances",
    "compounds",
    "floating",
    "members",
    "organisations",
    "pairing_records",
    "pairings",
    "people",
    "remediations",
    "units",
]
