"""Every change of this floor's data. Import from here: `from services.actions import move, raise_demand`."""

from services.actions.activities import change_activity, drop_activity, register_activity
from services.actions.bulletin_items import answer_item, send_back_item, settle_item
from services.actions.bulletins import (
    add_item,
    change_bulletin,
    draft_bulletin,
    publish_bulletin,
    take_out,
    withdraw_bulletin,
)
from services.actions.case_helps import (
    accept_help,
    decline_help,
    end_help,
    finish_help,
    leave_help,
    report_help,
    withdraw_help,
)
from services.actions.cases import (
    ask_help,
    change_case,
    close_case,
    erase_case,
    note_case,
    open_case,
    reopen_case,
    review_case,
)
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
from services.actions.exclusions import (
    approve_exclusion,
    reject_exclusion,
    request_exclusion,
    reverse_exclusion,
    withdraw_exclusion,
)
from services.actions.ladder import instruct
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
    "accept_help",
    "add_item",
    "answer_item",
    "approve_exclusion",
    "ask_help",
    "change_activity",
    "change_bulletin",
    "change_case",
    "change_check_in",
    "change_commitment",
    "change_commitments",
    "check_in",
    "claim_project",
    "close_case",
    "confirm_commitment",
    "decline_help",
    "draft_bulletin",
    "draft_projects",
    "drop_activity",
    "drop_commitment",
    "end_check_in",
    "end_help",
    "erase_case",
    "finish_help",
    "instruct",
    "keep_resources",
    "leave_help",
    "make_commitment",
    "make_commitments",
    "move",
    "move_commitment",
    "note_case",
    "offer_resource",
    "open_case",
    "publish_bulletin",
    "raise_demand",
    "rate",
    "register_activity",
    "register_resource",
    "reject_exclusion",
    "reopen_case",
    "report_done",
    "report_help",
    "report_progress",
    "request_exclusion",
    "reveal_contact",
    "reverse_exclusion",
    "review_case",
    "send_back_commitment",
    "send_back_item",
    "settle_commitments",
    "settle_item",
    "take_out",
    "withdraw_bulletin",
    "withdraw_exclusion",
    "withdraw_help",
]
