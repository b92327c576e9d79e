"""What each scope covers of this floor's rows: of the loop (`loop`), and of what is woven around it (`weft`)."""

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
    "DEMAND_POLICY",
    "OFFERED",
    "WEFT_POLICIES",
    "AssignmentPolicy",
    "CheckInPolicy",
    "CheckInScope",
    "DemandPolicy",
    "OfDemand",
    "ReachScope",
    "SubOrderPolicy",
    "TallyPolicy",
    "checkin_grants",
    "live_assignments",
    "reach_grants",
    "was_offered",
]
