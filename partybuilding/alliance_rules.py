"""What joint bodies there are and where, and how their seats are held. Data. Sources: docs/domain.md#l4, #g4.

Rotating chairs take turns: each has a term with an end, and in one body no two terms share more than the day of the
handover (docs/decisions/0018-rotating-chairs-take-turns.md).
"""

from collections.abc import Mapping

from grids.naming import COMMUNITY, STREET
from partybuilding.models import AllianceKind, SeatRole

# Kind -> the levels of the place it stands at.
LEVELS: Mapping[str, tuple[str, ...]] = {
    AllianceKind.STREET_COMMITTEE: (STREET,),
    AllianceKind.COMMUNITY_COMMITTEE: (COMMUNITY,),
    AllianceKind.ALLIANCE: (STREET, COMMUNITY),
}
# What a body is called that nobody has named: the place's name and this.
NAMES: Mapping[str, str] = {
    AllianceKind.STREET_COMMITTEE: "大工委",
    AllianceKind.COMMUNITY_COMMITTEE: "大党委",
    AllianceKind.ALLIANCE: "党建联盟",
}
# Roles whose terms must end, and of which only one is held at a time.
TAKES_TURNS = (SeatRole.ROTATING_CHAIR,)
# Terms that end within so many days are brought to mind: a month, so that the next joint meeting can see to it.
ENDING_DAYS = 30


def kinds_at(level_key: str) -> list[str]:
    """The kinds of joint bodies that stand at a level."""
    return [str(kind) for kind, levels in LEVELS.items() if level_key in levels]
