"""Reads over units and their people that more than one face needs."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet

from grids.models import County
from grids.querysets import current
from partybuilding.models import Member, Unit, UnitMembership, UnitRole


def liaisons_of(units: Iterable[Unit]) -> dict[int, list[UnitMembership]]:
    """Unit id -> who is its liaison today. One query however many units."""
    found: dict[int, list[UnitMembership]] = {unit.pk: [] for unit in units}
    held = UnitMembership.objects.current().filter(unit_id__in=list(found), role=UnitRole.LIAISON)
    for row in held.select_related("user", "unit").order_by("start", "pk"):
        found[row.unit_id].append(row)
    return found


def units_without_liaison(county: County) -> QuerySet[Unit]:
    """Units in use for which nobody answers: what is dispatched to them reaches no one."""
    liaison = Count(
        "memberships",
        filter=Q(memberships__role=UnitRole.LIAISON, memberships__user__is_active=True)
        & current(prefix="memberships__"),
    )
    found: QuerySet[Unit] = Unit.objects.active().filter(county=county).annotate(liaisons=liaison).filter(liaisons=0)
    return found


def members_to_ask(unit: Unit) -> QuerySet[Member]:
    """The unit's members who can be asked to serve: in use, with an account to answer from."""
    found: QuerySet[Member] = Member.objects.active().filter(unit=unit, user__is_active=True)
    return found.select_related("user").order_by("name", "pk")
