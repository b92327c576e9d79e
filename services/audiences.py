"""The readers this floor can name: the liaisons of the units that have checked in at a place."""

from collections.abc import Iterable
from typing import Any

from core.notices import register_audience
from grids.models import GridNode
from grids.querysets import current
from partybuilding.models import UnitMembership, UnitRole
from services.models import UnitCheckIn


def _checked_in(value: dict[str, Any]) -> Iterable[int]:
    """`{"node": id}`: liaisons of every unit whose check-in covers the node."""
    node = GridNode.objects.filter(pk=value["node"]).first()
    if node is None:
        return []
    units = UnitCheckIn.objects.covering(node).values("unit_id")
    held = UnitMembership.objects.filter(current(), role=UnitRole.LIAISON, unit_id__in=units)
    return held.values_list("user_id", flat=True)


def register() -> None:
    register_audience("checked_in", _checked_in)
