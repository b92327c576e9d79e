"""Every change of this floor's data. Import from here: `from partybuilding.actions import create_unit`."""

from partybuilding.actions.members import (
    MemberChange,
    NewMember,
    add_member,
    add_members,
    give_member_account,
    link_member_accounts,
    update_member,
    update_members,
)
from partybuilding.actions.memberships import (
    NewMembership,
    RoleCorrection,
    add_membership,
    add_memberships,
    correct_roles,
    end_membership,
)
from partybuilding.actions.organisations import create_organisation, update_organisation
from partybuilding.actions.pairing_guides import set_pairing_guide
from partybuilding.actions.pairing_records import (
    add_problem,
    add_visit,
    correct_problem,
    correct_visit,
    reopen_problem,
    solve_problem,
)
from partybuilding.actions.pairings import (
    NewPairing,
    PairingChange,
    change_duty,
    change_pairings,
    end_pairing,
    hand_over_pairing,
    start_pairing,
    start_pairings,
)
from partybuilding.actions.running import RunningFacts, record_running, record_runnings
from partybuilding.actions.units import NewUnit, UnitChange, create_unit, create_units, update_unit, update_units

__all__ = [
    "MemberChange",
    "NewMember",
    "NewMembership",
    "NewPairing",
    "NewUnit",
    "PairingChange",
    "RoleCorrection",
    "RunningFacts",
    "UnitChange",
    "add_member",
    "add_members",
    "add_membership",
    "add_memberships",
    "add_problem",
    "add_visit",
    "change_duty",
    "change_pairings",
    "correct_problem",
    "correct_roles",
    "correct_visit",
    "create_organisation",
    "create_unit",
    "create_units",
    "end_membership",
    "end_pairing",
    "give_member_account",
    "hand_over_pairing",
    "link_member_accounts",
    "record_running",
    "record_runnings",
    "reopen_problem",
    "set_pairing_guide",
    "solve_problem",
    "start_pairing",
    "start_pairings",
    "update_member",
    "update_members",
    "update_organisation",
    "update_unit",
    "update_units",
]
