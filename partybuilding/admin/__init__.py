"""Admin pages of this floor."""

from partybuilding.admin import (
    alliances,
    compounds,
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
    "members",
    "organisations",
    "pairing_records",
    "pairings",
    "people",
    "remediations",
    "units",
]
