"""Scopes of this floor: a unit, and a member."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.models import User
from core.policies import Grant
from core.prepared import Prepared
from grids.policies import CountyScope, InTree, NodeScope
from grids.querysets import current
from partybuilding import posts
from partybuilding.models import AllianceSeat, Member, Pairing, UnitMembership


@dataclass(frozen=True)
class UnitScope:
    """What concerns one unit."""

    unit_id: int


@dataclass(frozen=True)
class MemberScope:
    """What concerns one party member."""

    member_id: int


@dataclass(frozen=True)
class PairingScope:
    """One pairing, held by a person."""

    pairing_id: int


def unit_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from acting for units."""
    for role, unit_id, name in _MEMBERSHIPS.rows(user.pk, timezone.localdate()):
        yield Grant(frozenset(posts.RIGHTS[role]), UnitScope(unit_id), name)


# Asked by every request of somebody who acts for a unit.
_MEMBERSHIPS = Prepared(
    lambda user_id, day: (
        UnitMembership.objects.filter(current(day), user_id=user_id, unit__is_active=True)
        .order_by()
        .values_list("role", "unit_id", "unit__name")
    ),
    int,
    datetime.date,
)


def member_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from being a party member."""
    for (member_id,) in _MEMBER.rows(user.pk):
        yield Grant(frozenset(posts.RIGHTS["member"]), MemberScope(member_id), "")


_MEMBER = Prepared(lambda user_id: Member.objects.active().filter(user_id=user_id).order_by().values_list("pk"), int)


def pairing_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from being paired with a place in person. On a retired place there is none."""
    held = Pairing.objects.current().filter(user=user, node__retired_at__isnull=True)
    for pk in held.values_list("pk", flat=True):
        yield Grant(posts.PAIRED_RIGHTS, PairingScope(pk), "")


class UnitPolicy:
    """Units are county-wide knowledge: whoever may view units anywhere in the county may know them all."""

    view = posts.VIEW_UNIT
    acts_from = (CountyScope, UnitScope)

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
    acts_from = (CountyScope,)

    def q(self, scope: Any) -> Q | None:
        return Q(county_id=scope.county_id) if isinstance(scope, CountyScope | NodeScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope | NodeScope) and bool(obj.county_id == scope.county_id)


class AlliancePolicy(InTree):
    """Joint bodies and their seats: seen with the place, and by the units that sit on one."""

    def __init__(self, path: str = "") -> None:
        """Args:
        path: from the row to its alliance, empty for alliances themselves.
        """
        at = f"{path}." if path else ""
        super().__init__(posts.VIEW_ALLIANCE, path=f"{at}node", county=f"{at}county")
        self.at = path

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            held = AllianceSeat.objects.filter(unit_id=scope.unit_id)
            return Q(**{f"{self.at or 'pk'}__in": held.values("alliance")})
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            alliance_id = obj.alliance_id if self.at else obj.pk
            return AllianceSeat.objects.filter(alliance_id=alliance_id, unit_id=scope.unit_id).exists()
        return super().covers(scope, obj)


class PairingPolicy(InTree):
    """Pairings and what hangs on them: seen with the place, by the unit that holds one, by the person who holds one."""

    def __init__(self, path: str = "") -> None:
        """Args:
        path: from the row to its pairing, empty for pairings themselves.
        """
        at = f"{path}." if path else ""
        super().__init__(posts.VIEW_PAIRING, path=f"{at}node", county=f"{at}county")
        self.at = at

    def q(self, scope: Any) -> Q | None:
        at = self.at.replace(".", "__")
        if isinstance(scope, UnitScope):
            return Q(**{f"{at}unit_id": scope.unit_id})
        if isinstance(scope, PairingScope):
            return Q(**{f"{at}pk": scope.pairing_id})
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return bool(self._reach(obj, f"{self.at}unit_id") == scope.unit_id)
        if isinstance(scope, PairingScope):
            return bool(self._reach(obj, f"{self.at}pk") == scope.pairing_id)
        return super().covers(scope, obj)
