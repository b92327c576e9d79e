"""Every change of this floor's data. Import from here: `from services.actions import move, raise_demand`."""

from services.actions.activities import change_activity, drop_activity, register_activity
from services.actions.checkin_ends import end_check_in
from services.actions.checkins import change_check_in, check_in
from services.actions.commitment_moves import (
    confirm_commitment,
    drop_commitment,
    move_commitment,
    report_done,
    report_progress,
    send_back_commitment,
)
from services.actions.commitments import (
    CommitmentChange,
    NewCommitment,
    Settlement,
    change_commitment,
    change_commitments,
    make_commitment,
    make_commitments,
    settle_commitments,
)
from services.actions.moving import move
from services.actions.projects import NewProject, claim_project, draft_projects
from services.actions.raising import raise_demand
from services.actions.ratings import rate
from services.actions.resources import ResourceFacts, keep_resources, offer_resource, register_resource
from services.actions.revealing import Contact, reveal_contact

__all__ = [
    "CommitmentChange",
    "Contact",
    "NewCommitment",
    "NewProject",
    "ResourceFacts",
    "Settlement",
    "change_activity",
    "change_check_in",
    "change_commitment",
    "change_commitments",
    "check_in",
    "claim_project",
    "confirm_commitment",
    "draft_projects",
    "drop_activity",
    "drop_commitment",
    "end_check_in",
    "keep_resources",
    "make_commitment",
    "make_commitments",
    "move",
    "move_commitment",
    "offer_resource",
    "raise_demand",
    "rate",
    "register_activity",
    "register_resource",
    "report_done",
    "report_progress",
    "reveal_contact",
    "send_back_commitment",
    "settle_commitments",
]
