"""What each scope covers of this floor's rows: of the loop (`loop`), of what is woven around it (`weft`), and of cases,
wishes and bulletins (`helping`)."""

from services.policies.helping import (
    CASE_POLICY,
    BulletinItemPolicy,
    BulletinPolicy,
    CaseEntryPolicy,
    HelpPolicy,
    WishPolicy,
)
from services.policies.loop import (
    DEMAND_POLICY,
    OFFERED,
    AssignmentPolicy,
    CheckInPolicy,
    CheckInScope,
    DemandPolicy,
    OfDemand,
    SubOrderPolicy,
    TallyPolicy,
    checkin_grants,
    live_assignments,
    was_offered,
)
from services.policies.weft import WEFT_POLICIES, ReachScope, reach_grants

__all__ = [
    "CASE_POLICY",
    "DEMAND_POLICY",
    "OFFERED",
    "WEFT_POLICIES",
    "AssignmentPolicy",
    "BulletinItemPolicy",
    "BulletinPolicy",
    "CaseEntryPolicy",
    "CheckInPolicy",
    "CheckInScope",
    "DemandPolicy",
    "HelpPolicy",
    "OfDemand",
    "ReachScope",
    "SubOrderPolicy",
    "TallyPolicy",
    "WishPolicy",
    "checkin_grants",
    "live_assignments",
    "reach_grants",
    "was_offered",
]
