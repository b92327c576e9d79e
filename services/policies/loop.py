"""What each scope covers of this floor's rows: places see what hangs in them, units what they were given or may
claim, members what they were asked to do."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from core.models import User
from core.policies import Grant
from core.prepared import Prepared
from grids.policies import CountyScope, InTree, NodeScope
from grids.querysets import current, in_subtree
from partybuilding.models import UnitMembership
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import Assignment, Demand, DemandState, SubOrder, UnitCheckIn
from services.models.suborder import LIVE_STATES


@dataclass(frozen=True)
class CheckInScope:
    """The published demands inside one place where a unit has checked in."""

    unit_id: int
    place: NodeScope


def checkin_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from where the user's units have checked in."""
    if not any(isinstance(grant.scope, UnitScope) for grant in so_far):
        return
    for role, unit_id, *place in _CHECKINS.rows(user.pk, timezone.localdate()):
        yield Grant(posts.CHECKIN_RIGHTS[role], CheckInScope(unit_id, NodeScope(*place)))


def _checkins(user_id: int, day: datetime.date) -> Any:
    """Where the units of a user have checked in, with the role of the user there and what a scope says of the place."""
    membership = UnitMembership.objects.filter(
        current(day), user_id=user_id, unit=OuterRef("unit"), unit__is_active=True
    )
    return (
        UnitCheckIn.objects.filter(current(day), Exists(membership), node__retired_at__isnull=True)
        .annotate(person_role=membership.order_by().values("role")[:1])
        .order_by()
        .values_list(
            "person_role",
            "unit_id",
            "node_id",
            "node__county_id",
            "node__tree_id",
            "node__lft",
            "node__rght",
            "node__community_id",
        )
    )


_CHECKINS = Prepared(_checkins, int, datetime.date)


# A demand stays known to the units of the place after somebody claimed it, so that the others learn who has it.
OFFERED = Q(published_at__isnull=False) & ~Q(state__in=[DemandState.WITHDRAWN, DemandState.DECLINED])


def was_offered(demand: Demand) -> bool:
    return demand.published_at is not None and demand.state not in (DemandState.WITHDRAWN, DemandState.DECLINED)


class DemandPolicy(InTree):
    """Demands: by place, by unit, by member, and by check-in."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_DEMAND, path="node", community="community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return Q(Exists(SubOrder.objects.filter(demand=OuterRef("pk"), unit_id=scope.unit_id)))
        if isinstance(scope, MemberScope):
            return Q(Exists(live_assignments(scope).filter(suborder__demand=OuterRef("pk"))))
        if isinstance(scope, CheckInScope):
            return OFFERED & in_subtree(scope.place, "node", community="community")
        return super().q(scope)

    def covers(self, scope: Any, obj: Demand) -> bool:
        if isinstance(scope, UnitScope):
            return any(row.unit_id == scope.unit_id for row in obj.suborders.all())
        if isinstance(scope, MemberScope):
            return _is_asked(scope, obj)
        if isinstance(scope, CheckInScope):
            return was_offered(obj) and super().covers(scope.place, obj)
        return super().covers(scope, obj)


def _is_asked(scope: MemberScope, demand: Demand) -> bool:
    if "suborders" not in getattr(demand, "_prefetched_objects_cache", ()):
        return bool(live_assignments(scope).filter(suborder__demand=demand).exists())
    asked = (row for order in demand.suborders.all() for row in order.assignments.all())
    return any(row.member_id == scope.member_id and row.state in LIVE_STATES for row in asked)


def live_assignments(scope: MemberScope) -> Any:
    return Assignment.objects.live().filter(member_id=scope.member_id)


class SubOrderPolicy(InTree):
    """Sub-orders: by the demand's place, by their own unit, by the members asked to serve."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_DEMAND, path="demand.node", county="demand.county", community="demand__community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return Q(unit_id=scope.unit_id)
        if isinstance(scope, MemberScope):
            return Q(Exists(live_assignments(scope).filter(suborder=OuterRef("pk"))))
        return super().q(scope)

    def covers(self, scope: Any, obj: SubOrder) -> bool:
        if isinstance(scope, UnitScope):
            return obj.unit_id == scope.unit_id
        if isinstance(scope, MemberScope):
            return any(row.member_id == scope.member_id and row.state in LIVE_STATES for row in obj.assignments.all())
        return super().covers(scope, obj)


class AssignmentPolicy(InTree):
    """Assignments: by place, by the unit that asks, by the member who is asked."""

    def __init__(self) -> None:
        super().__init__(
            posts.VIEW_DEMAND,
            path="suborder.demand.node",
            county="suborder.demand.county",
            community="suborder__demand__community",
        )

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return Q(suborder__unit_id=scope.unit_id)
        if isinstance(scope, MemberScope):
            return Q(member_id=scope.member_id)
        return super().q(scope)

    def covers(self, scope: Any, obj: Assignment) -> bool:
        if isinstance(scope, UnitScope):
            return obj.suborder.unit_id == scope.unit_id
        if isinstance(scope, MemberScope):
            return obj.member_id == scope.member_id
        return super().covers(scope, obj)


class OfDemand:
    """Rows that belong to a demand (events, pictures, evaluations ...): seen where the demand is seen.

    Units that only may claim a demand see the demand itself, not what others do with it.
    """

    view = posts.VIEW_DEMAND

    def __init__(self, path: str = "demand") -> None:
        self.path = path

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CheckInScope):
            return None
        inner = DEMAND_POLICY.q(scope)
        if inner is None:
            return None
        if isinstance(scope, CountyScope):
            return Q(**{f"{self.path}__county_id": scope.county_id})
        if isinstance(scope, NodeScope):
            return in_subtree(scope, f"{self.path}__node", community=f"{self.path}__community")
        return Q(**{f"{self.path}__in": Demand.objects.filter(inner)})

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, CheckInScope):
            return False
        target = obj
        for step in self.path.split("__"):
            target = getattr(target, step)
        return DEMAND_POLICY.covers(scope, target)


class CheckInPolicy(InTree):
    """Check-ins: by place, and by the unit itself."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_CHECKIN, path="node", county="node.county")

    def q(self, scope: Any) -> Q | None:
        return Q(unit_id=scope.unit_id) if isinstance(scope, UnitScope) else super().q(scope)

    def covers(self, scope: Any, obj: UnitCheckIn) -> bool:
        return obj.unit_id == scope.unit_id if isinstance(scope, UnitScope) else super().covers(scope, obj)


class TallyPolicy(InTree):
    """Tallies: by the community they count."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_DEMAND, path="community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, NodeScope) and scope.community_id == scope.pk:
            return Q(community_id=scope.pk)
        return super().q(scope)


DEMAND_POLICY = DemandPolicy()
