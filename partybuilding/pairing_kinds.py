"""The kinds of pairings: who looks after what, at which levels, and how many places one may hold. Data.

Sources: docs/domain.md#x5 (county leaders to communities, units and cadres into grids), #z1 (departments to sectors),
#z3 (a pairing list per sector), #g1 (leaders to communities and grids). The lead department of a community is no kind of
its own: it is the unit's check-in there (docs/decisions/0015-one-lead-department-is-a-check-in.md).
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from partybuilding.models import PairingKind


class Holder(StrEnum):
    """Who can hold a pairing of a kind."""

    PERSON = "person"
    UNIT = "unit"


@dataclass(frozen=True)
class Kind:
    """A kind of pairing.

    Attributes:
        levels: keys of the levels at which it is made.
        due: levels of which every place should have one: the first the county has. A county may say otherwise.
        most: places one holder should have at most, unless the county says otherwise; more is shown, never refused.
    """

    key: PairingKind
    holder: Holder
    levels: tuple[str, ...]
    due: tuple[str, ...]
    most: int

    @property
    def label(self) -> str:
        return str(self.key.label)

    def due_level(self, county_levels: Collection[str]) -> str:
        """The level of which every place should have one, in a county with these levels; empty when it has none."""
        return next((level for level in self.due if level in county_levels), "")


_TABLE = (
    Kind(PairingKind.LEADER, Holder.PERSON, ("community", "sector", "grid"), ("community",), 2),
    Kind(PairingKind.DEPARTMENT, Holder.UNIT, ("sector", "compound", "grid"), ("sector", "compound", "grid"), 3),
    Kind(PairingKind.CADRE, Holder.PERSON, ("grid", "building", "unit_entrance"), ("building",), 3),
)

KINDS: dict[str, Kind] = {str(kind.key): kind for kind in _TABLE}


def kinds_at(level_key: str) -> list[Kind]:
    """The kinds that can be made at a level, in the table's order."""
    return [kind for kind in KINDS.values() if level_key in kind.levels]
