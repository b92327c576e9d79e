"""The kinds of party organisations: what may hang below what, and what a name says of its kind. Data.

A work committee is sent by a committee and leads committees, general branches and branches; a branch has groups, and
nothing else has. Sources: docs/domain.md#c1 (community committee, grid and compound branch, building group), and
《中国共产党支部工作条例（试行）》 for branch and group.
"""

from collections.abc import Mapping
from typing import Any

from grids.compounds import COMPOUND
from partybuilding.models import Domain, OrganisationKind

_LEADS = (
    OrganisationKind.WORK_COMMITTEE,
    OrganisationKind.COMMITTEE,
    OrganisationKind.GENERAL_BRANCH,
    OrganisationKind.BRANCH,
)
BELOW: Mapping[str, tuple[str, ...]] = {
    OrganisationKind.WORK_COMMITTEE: _LEADS,
    OrganisationKind.COMMITTEE: _LEADS,
    OrganisationKind.GENERAL_BRANCH: (OrganisationKind.BRANCH,),
    OrganisationKind.BRANCH: (OrganisationKind.GROUP,),
    OrganisationKind.GROUP: (),
}
# What stands nowhere but below another.
NEVER_ON_TOP = (OrganisationKind.GROUP,)

# The end of a name -> the kind, the first that fits.
_ENDINGS: tuple[tuple[str, str], ...] = (
    ("党工委", OrganisationKind.WORK_COMMITTEE),
    ("工作委员会", OrganisationKind.WORK_COMMITTEE),
    ("工委", OrganisationKind.WORK_COMMITTEE),
    ("总支部委员会", OrganisationKind.GENERAL_BRANCH),
    ("总支部", OrganisationKind.GENERAL_BRANCH),
    ("总支", OrganisationKind.GENERAL_BRANCH),
    ("支部委员会", OrganisationKind.BRANCH),
    ("支部", OrganisationKind.BRANCH),
    ("党小组", OrganisationKind.GROUP),
    ("党委", OrganisationKind.COMMITTEE),
    ("委员会", OrganisationKind.COMMITTEE),
)


def may_hang(kind: str, above: str | None) -> bool:
    """Whether an organisation of a kind may hang below one of another kind, or (None) stand on top."""
    return kind not in NEVER_ON_TOP if above is None else kind in BELOW[above]


def kind_of_name(name: str) -> str:
    """The kind a name ends with; empty when it says none."""
    return next((str(kind) for ending, kind in _ENDINGS if name.endswith(ending)), "")


def domain_of_seat(node: Any, unit: Any) -> str:
    """The domain of an organisation nobody has said another one of: its unit's, a compound's, else the communities'."""
    if unit is not None:
        return str(unit.domain)
    return str(Domain.COMPOUND if node is not None and node.level_type.key == COMPOUND else Domain.COMMUNITY)
