from grids.models.appointment import Appointment
from grids.models.county import County, Level
from grids.models.node import GridNode, NodeKind

__all__ = ["Appointment", "County", "GridNode", "Level", "NodeKind"]
