"""Every change of this floor's data. Import from here: `from grids.actions import create_node, appoint`."""

from grids.actions.accounts import GivenAccount, account_for, why_not_theirs
from grids.actions.appointing import Appointed, appoint_person, hand_over_to
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
from grids.actions.compounds import ProfileFacts, describe_compound, describe_compounds
from grids.actions.counties import create_county
from grids.actions.levels import (
    LevelDraft,
    add_level,
    arrange_levels,
    edit_level,
    load_preset,
    move_level,
    remove_level,
)
from grids.actions.locks import hold_places
from grids.actions.remediations import (
    RemediationFacts,
    add_remediation_photos,
    begin_remediation,
    drop_remediation,
    drop_remediation_photos,
    finish_remediation,
    keep_remediations,
    register_remediation,
    update_remediation,
)
from grids.actions.restructuring import NewPart, merge_nodes, move_node, retire_node, split_node
from grids.actions.supervision import set_supervision_phone
from grids.actions.tree import create_node, describe_node, rename_node

__all__ = [
    "Appointed",
    "Correction",
    "GivenAccount",
    "LevelDraft",
    "NewAppointment",
    "NewPart",
    "ProfileFacts",
    "RemediationFacts",
    "account_for",
    "add_level",
    "add_remediation_photos",
    "appoint",
    "appoint_many",
    "appoint_person",
    "arrange_levels",
    "begin_remediation",
    "correct_appointment",
    "correct_appointments",
    "create_county",
    "create_node",
    "describe_compound",
    "describe_compounds",
    "describe_node",
    "drop_remediation",
    "drop_remediation_photos",
    "edit_level",
    "end_appointment",
    "finish_remediation",
    "hand_over",
    "hand_over_to",
    "hold_places",
    "keep_remediations",
    "load_preset",
    "merge_nodes",
    "move_level",
    "move_node",
    "register_remediation",
    "remove_level",
    "rename_node",
    "retire_node",
    "set_supervision_phone",
    "split_node",
    "update_remediation",
    "why_not_theirs",
]
