"""Every change of this floor's data. Import from here: `from partybuilding.actions import create_unit`."""

from partybuilding.actions.members import (
    NewMember,
    add_member,
    add_members,
    give_member_account,
    link_member_accounts,
    update_member,
)
from partybuilding.actions.memberships import NewMembership, add_membership, add_memberships, end_membership
from partybuilding.actions.organisations import create_organisation, update_organisation
from partybuilding.actions.running import RunningFacts, record_running, record_runnings
from partybuilding.actions.units import create_unit, update_unit

__all__ = [
    "NewMember",
    "NewMembership",
    "RunningFacts",
    "add_member",
    "add_members",
    "add_membership",
    "add_memberships",
    "create_organisation",
    "create_unit",
    "end_membership",
    "give_member_account",
    "link_member_accounts",
    "record_running",
    "record_runnings",
    "update_member",
    "update_organisation",
    "update_unit",
]
