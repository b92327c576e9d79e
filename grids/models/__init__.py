from grids.models.appointment import Appointment
from grids.models.care import CareCadence, CareHousehold, CareKind, CareNeed, CareVisit, ConsentKind
from grids.models.compound import (
    IN_STATE,
    CompoundProfile,
    Facility,
    FacilityKind,
    PhotoStage,
    Remediation,
    RemediationPhoto,
    RemediationState,
)
from grids.models.county import County, Level
from grids.models.node import GridNode, NodeKind
from grids.models.vacancy import Vacancy

__all__ = [
    "IN_STATE",
    "Appointment",
    "CareCadence",
    "CareHousehold",
    "CareKind",
    "CareNeed",
    "CareVisit",
    "CompoundProfile",
    "ConsentKind",
    "County",
    "Facility",
    "FacilityKind",
    "GridNode",
    "Level",
    "NodeKind",
    "PhotoStage",
    "Remediation",
    "RemediationPhoto",
    "RemediationState",
    "Vacancy",
]
