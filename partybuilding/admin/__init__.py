"""Admin pages of this floor."""

from partybuilding.admin import (
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
    "compounds",
    "members",
    "organisations",
    "pairing_records",
    "pairings",
    "people",
    "remediations",
    "units",
]
