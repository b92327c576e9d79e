"""Reads over joint bodies and their seats that more than one face needs."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet
from django.utils import timezone

from core.models import User
from grids.querysets import current, in_subtree, unended
from partybuilding.models import Alliance, AllianceSeat, SeatRole

_CHAIRS = (SeatRole.STANDING_CHAIR, SeatRole.ROTATING_CHAIR)


def alliances_at(user: User, place: Any = None) -> QuerySet[Alliance]:
    """The joint bodies in use that the person may know, at a place and below it."""
    found: QuerySet[Alliance] = Alliance.objects.visible_to(user).filter(is_active=True)
    return found if place is None else found.filter(in_subtree(place, "node"))


def seat_counts(alliances: QuerySet[Alliance]) -> dict[str, int]:
    """How many joint bodies there are, and how many seats of each role whose terms are not over: standing and rotating
    chairs, part-time members, members (docs/domain.md#l4, #g4). Two queries."""
    seats = AllianceSeat.objects.filter(unended(), alliance__in=alliances).order_by().values("role")
    counted = dict(seats.annotate(n=Count("pk")).values_list("role", "n"))
    return {"alliances": alliances.order_by().count(), **{str(role): counted.get(role, 0) for role in SeatRole}}


def chairs_of(alliances: Iterable[Alliance], day: datetime.date | None = None) -> dict[int, list[AllianceSeat]]:
    """Alliance key -> who chairs it on a day (today when not given): standing chairs, then the rotating chair whose turn
    it is. One query."""
    found: dict[int, list[AllianceSeat]] = {one.pk: [] for one in alliances}
    seats = AllianceSeat.objects.filter(current(day or timezone.localdate()), alliance_id__in=list(found))
    for seat in seats.filter(role__in=_CHAIRS).select_related("unit").order_by("start", "pk"):
        found[seat.alliance_id].append(seat)
    for held in found.values():
        # On the day of a handover both have it by the book; the new one chairs.
        turns = [seat for seat in held if seat.role == SeatRole.ROTATING_CHAIR][-1:]
        held[:] = [*(seat for seat in held if seat.role == SeatRole.STANDING_CHAIR), *turns]
    return found
