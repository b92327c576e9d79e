"""Admin pages of this floor."""

from partybuilding.admin import members, organisations, pairing_records, pairings, people, units

__all__ = ["members", "organisations", "pairing_records", "pairings", "people", "units"]
