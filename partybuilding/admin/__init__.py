"""Admin pages of this floor."""

from partybuilding.admin import members, organisations, people, units

__all__ = ["members", "organisations", "people", "units"]
