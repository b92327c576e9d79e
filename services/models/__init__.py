from services.models.checkin import CheckInRole, UnitCheckIn
from services.models.demand import Demand, DemandState, Origin
from services.models.evaluation import Evaluation, FollowUp, Satisfaction
from services.models.event import DemandEvent, Photo
from services.models.records import Extension, ExtensionState, Parking, Supervision
from services.models.settings import Category, LimitUnit, LoopSettings, Urgency
from services.models.suborder import Assignment, AssignmentState, SubOrder, SubOrderRole, SubOrderState
from services.models.tally import Tally

__all__ = [
    "Assignment",
    "AssignmentState",
    "Category",
    "CheckInRole",
    "Demand",
    "DemandEvent",
    "DemandState",
    "Evaluation",
    "Extension",
    "ExtensionState",
    "FollowUp",
    "LimitUnit",
    "LoopSettings",
    "Origin",
    "Parking",
    "Photo",
    "Satisfaction",
    "SubOrder",
    "SubOrderRole",
    "SubOrderState",
    "Supervision",
    "Tally",
    "UnitCheckIn",
    "Urgency",
]
