"""Every change of this floor's data. Import from here: `from grids.actions import create_node, appoint`."""

from grids.actions.accounts import GivenAccount, account_for, why_not_theirs
from grids.actions.appointments import (
    Correction,
    NewAppointment,
    appoint,
    appoint_many,
    correct_appointment,
    correct_appointments,
    end_appointment,
    hand_over,
)
from grids.actions.counties import create_county, load_preset
from grids.actions.tree import create_node, describe_node, move_node, rename_node, retire_node

__all__ = [
    "Correction",
    "GivenAccount",
    "NewAppointment",
    "account_for",
    "appoint",
    "appoint_many",
    "correct_appointment",
    "correct_appointments",
    "create_county",
    "create_node",
    "describe_node",
    "end_appointment",
    "hand_over",
    "load_preset",
    "move_node",
    "rename_node",
    "retire_node",
    "why_not_theirs",
]
