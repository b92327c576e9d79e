"""Scopes of this floor: a unit, and a member."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from core.models import User
from core.policies import Grant
from grids.policies import CountyScope, NodeScope
from partybuilding import posts
from partybuilding.models import Member, UnitMembership


@dataclass(frozen=True)
class UnitScope:
    """What concerns one unit."""

    unit_id: int


@dataclass(frozen=True)
class MemberScope:
    """What concerns one party member."""

    member_id: int


def unit_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from acting for units."""
    held = UnitMembership.objects.current().filter(user=user, unit__is_active=True).select_related("unit")
    for membership in held:
        yield Grant(frozenset(posts.RIGHTS[membership.role]), UnitScope(membership.unit_id), membership.unit.name)


def member_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from being a party member."""
    for member_id in Member.objects.active().filter(user=user).values_list("pk", flat=True):
        yield Grant(frozenset(posts.RIGHTS["member"]), MemberScope(member_id), "")


class UnitPolicy:
    """Units are county-wide knowledge: whoever may view units anywhere in the county may know them all."""

    view = posts.VIEW_UNIT

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CountyScope | NodeScope):
            return Q(county_id=scope.county_id)
        return Q(pk=scope.unit_id) if isinstance(scope, UnitScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, CountyScope | NodeScope):
            return bool(obj.county_id == scope.county_id)
        return isinstance(scope, UnitScope) and bool(obj.pk == scope.unit_id)


class OfUnit:
    """Rows of a unit's own people: seen by the county and by the unit."""

    def __init__(self, view: str, county: str) -> None:
        self.view, self.county = view, county

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CountyScope):
            return Q(**{self.county: scope.county_id})
        return Q(unit_id=scope.unit_id) if isinstance(scope, UnitScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, CountyScope):
            county_id = obj.unit.county_id if self.county.startswith("unit__") else obj.county_id
            return bool(county_id == scope.county_id)
        return isinstance(scope, UnitScope) and bool(obj.unit_id == scope.unit_id)


class OrganisationPolicy:
    """Party organisations are known county-wide to cadres, like units."""

    view = posts.VIEW_ORGANISATION

    def q(self, scope: Any) -> Q | None:
        return Q(county_id=scope.county_id) if isinstance(scope, CountyScope | NodeScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope | NodeScope) and bool(obj.county_id == scope.county_id)
