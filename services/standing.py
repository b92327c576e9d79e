"""Where units and members have reported, and so where they may promise something. A few queries, however many ask."""

from collections.abc import Iterable, Sequence
from typing import Any

from services.models import MemberCheckIn, MemberCheckInState, UnitCheckIn

BATCH = 500


def checkins_of(units: Iterable[int], *, lock: bool = False) -> dict[int, list[UnitCheckIn]]:
    """Unit -> its check-ins of today, with their places.

    Args:
        lock: keeps them from being ended until the transaction is over.
    """
    found: dict[int, list[UnitCheckIn]] = {}
    pks = sorted(set(units))
    for start in range(0, len(pks), BATCH):
        rows = UnitCheckIn.objects.current().filter(unit_id__in=pks[start : start + BATCH]).order_by("pk")
        if lock:
            rows = rows.select_for_update(no_key=True, of=("self",))
        for row in rows.select_related("node"):
            found.setdefault(row.unit_id, []).append(row)
    return found


def member_checkins_of(members: Iterable[int], *, lock: bool = False) -> dict[int, MemberCheckIn]:
    """Member -> the check-in the community has accepted; a member has one at most."""
    rows = MemberCheckIn.objects.filter(member_id__in=set(members), state=MemberCheckInState.ACCEPTED).order_by("pk")
    if lock:
        rows = rows.select_for_update(no_key=True, of=("self",))
    return {row.member_id: row for row in rows}


def nearest(checkins: Sequence[UnitCheckIn], node: Any) -> UnitCheckIn | None:
    """The check-in by which a unit serves a place: at it or the nearest above it, else one inside it."""
    above = [row for row in checkins if _holds(row.node, node)]
    if above:
        return max(above, key=lambda row: row.node.lft)
    return next((row for row in checkins if _holds(node, row.node)), None)


def _holds(outer: Any, inner: Any) -> bool:
    return bool(outer.tree_id == inner.tree_id and outer.lft <= inner.lft and outer.rght >= inner.rght)
