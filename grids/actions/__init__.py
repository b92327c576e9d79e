"""Every change of this floor's data. Import from here: `from grids.actions import create_node, appoint`."""

from grids.actions.accounts import GivenAccount, account_for, why_not_theirs
from grids.actions.appointments import NewAppointment, appoint, appoint_many, end_appointment
from grids.actions.counties import create_county, load_preset
from grids.actions.tree import create_node, describe_node, move_node, rename_node, retire_node

__all__ = [
    "GivenAccount",
    "NewAppointment",
    "account_for",
    "appoint",
    "appoint_many",
    "create_county",
    "create_node",
    "describe_node",
    "end_appointment",
    "load_preset",
    "move_node",
    "rename_node",
    "retire_node",
    "why_not_theirs",
]
