"""Every transition table of this floor: the closed loop of a demand (`loop`), and what is woven around it."""

from services.workflow import meetings
from services.workflow.bulletins import BULLETIN
from services.workflow.bulletins import ITEM as BULLETIN_ITEM
from services.workflow.cases import CASE, HELP
from services.workflow.checkins import CHECKIN_APPLICATION
from services.workflow.commitments import COMMITMENT
from services.workflow.exclusions import EXCLUSION
from services.workflow.ladder import LADDER
from services.workflow.loop import ASSIGNMENT, BY_MODEL, DEMAND, SUBORDER
from services.workflow.matching import PROPOSAL
from services.workflow.members import MEMBER_CHECKIN, SERVICE
from services.workflow.projects import PROJECT
from services.workflow.resources import RESOURCE, RESPONSIBILITY
from services.workflow.wishes import WISH

# The tables along which a demand moves (`services.actions.moving`).
LOOP = (DEMAND, SUBORDER, ASSIGNMENT)
ALL = (
    *LOOP,
    CHECKIN_APPLICATION,
    COMMITMENT,
    MEMBER_CHECKIN,
    SERVICE,
    PROPOSAL,
    RESOURCE,
    PROJECT,
    RESPONSIBILITY,
    WISH,
    *meetings.ALL,
    CASE,
    HELP,
    EXCLUSION,
    LADDER,
    BULLETIN,
    BULLETIN_ITEM,
)

__all__ = [
    "ALL",
    "ASSIGNMENT",
    "BULLETIN",
    "BULLETIN_ITEM",
    "BY_MODEL",
    "CASE",
    "CHECKIN_APPLICATION",
    "COMMITMENT",
    "DEMAND",
    "EXCLUSION",
    "HELP",
    "LADDER",
    "LOOP",
    "MEMBER_CHECKIN",
    "PROJECT",
    "PROPOSAL",
    "RESOURCE",
    "RESPONSIBILITY",
    "SERVICE",
    "SUBORDER",
    "WISH",
]
