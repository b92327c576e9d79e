"""The readers this floor can name: a unit's people, and a member."""

from collections.abc import Iterable
from typing import Any

from core.notices import register_audience
from partybuilding.models import Member, UnitMembership


def _unit(value: dict[str, Any]) -> Iterable[int]:
    """`{"unit": id, "role": "liaison"}`; without a role, everybody who acts for the unit."""
    held = UnitMembership.objects.current().filter(unit_id=value["unit"], unit__is_active=True)
    if "role" in value:
        held = held.filter(role=value["role"])
    return held.values_list("user_id", flat=True)


def _member(value: dict[str, Any]) -> Iterable[int]:
    """`{"member": id}`: the member's own account, where there is one."""
    found = Member.objects.active().filter(pk=value["member"], user__isnull=False)
    return found.values_list("user_id", flat=True)


def register() -> None:
    register_audience("unit", _unit)
    register_audience("member", _member)
