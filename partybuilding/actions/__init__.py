"""Every change of this floor's data. Import from here: `from partybuilding.actions import create_unit`."""

from partybuilding.actions.members import GivenAccount, add_member, give_member_account, update_member
from partybuilding.actions.memberships import add_membership, end_membership
from partybuilding.actions.organisations import create_organisation, update_organisation
from partybuilding.actions.units import create_unit, update_unit

__all__ = [
    "GivenAccount",
    "add_member",
    "add_membership",
    "create_organisation",
    "create_unit",
    "end_membership",
    "give_member_account",
    "update_member",
    "update_organisation",
    "update_unit",
]
