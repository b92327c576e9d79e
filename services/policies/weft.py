"""Check-ins, promises, lists and meetings: seen with their place, by the units and members they are of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q

from core.models import User
from core.policies import Grant, Policy
from grids.policies import InTree, NodeScope
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import (
    Activity,
    AgendaItem,
    Attendance,
    Certificate,
    CheckInApplication,
    Commitment,
    CommitmentProgress,
    Evidence,
    JointMeeting,
    MatchProposal,
    MatchRun,
    MeetingState,
    MemberCard,
    MemberCheckIn,
    Milestone,
    Project,
    ProjectResource,
    ProjectState,
    Resolution,
    Resource,
    Responsibility,
    ServiceRating,
    ServiceRecord,
)
from services.policies.loop import CheckInScope


@dataclass(frozen=True)
class ReachScope:
    """What reaches down to a place from above it: what a unit offers to the whole street, the street's meeting."""

    place: NodeScope


_FROM_ABOVE = frozenset({posts.VIEW_RESOURCE, posts.VIEW_MEETING})


def reach_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """Who sees resources or meetings of a place sees those above it that concern it. Never more than seeing."""
    for grant in so_far:
        rights = grant.rights & _FROM_ABOVE
        if rights and isinstance(grant.scope, NodeScope):
            yield Grant(rights, ReachScope(grant.scope), grant.source)


class OfPlaceAndUnits(InTree):
    """Rows of a place, and of the units or members that foreign keys of the row name."""

    def __init__(self, view: str, *, units: Sequence[str] = (), members: Sequence[str] = (), **tree: str) -> None:
        """Args:
        units, members: paths from the row to a unit or member ("unit", "checkin.member").
        tree: how the row hangs on its place, as `InTree`.
        """
        super().__init__(view, **tree)
        self.units, self.members = units, members

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope | MemberScope):
            named, pk = (self.units, scope.unit_id) if isinstance(scope, UnitScope) else (self.members, scope.member_id)
            found = None
            for path in named:
                part = Q(**{f"{path.replace('.', '__')}_id": pk})
                found = part if found is None else found | part
            return found
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return any(self._reach(obj, f"{path}_id") == scope.unit_id for path in self.units)
        if isinstance(scope, MemberScope):
            return any(self._reach(obj, f"{path}_id") == scope.member_id for path in self.members)
        return super().covers(scope, obj)


class ResourcePolicy(OfPlaceAndUnits):
    """Resources: also those of the places above, which may be used here."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_RESOURCE, units=("unit",))

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, ReachScope):
            place = scope.place
            return Q(node__tree_id=place.tree_id, node__lft__lt=place.lft, node__rght__gt=place.rght)
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, ReachScope):
            return _is_above(obj.node, scope.place)
        return super().covers(scope, obj)


def _is_above(node: Any, place: NodeScope) -> bool:
    return bool(node.tree_id == place.tree_id and node.lft < place.lft and node.rght > place.rght)


class ProjectPolicy(OfPlaceAndUnits):
    """Projects: also by the units that support them; while one can be claimed, by the units checked in there."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_PROJECT, units=("lead_unit",))

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            supported = Project.supporting.through.objects.filter(unit_id=scope.unit_id)
            return Q(lead_unit_id=scope.unit_id) | Q(pk__in=supported.values("project"))
        if isinstance(scope, CheckInScope):
            place = scope.place
            if place.community_id is None:
                return Q(state=ProjectState.OPEN, node__tree_id=place.tree_id)
            return Q(state=ProjectState.OPEN, community_id=place.community_id)
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return obj.lead_unit_id == scope.unit_id or any(unit.pk == scope.unit_id for unit in obj.supporting.all())
        if isinstance(scope, CheckInScope):
            place = scope.place
            if obj.state != ProjectState.OPEN:
                return False
            if place.community_id is None:
                return bool(obj.node.tree_id == place.tree_id)
            return bool(obj.community_id == place.community_id)
        return super().covers(scope, obj)


class MeetingPolicy(InTree):
    """Meetings: with their place and below it, and by the units that are asked, once they are."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_MEETING)

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            asked = Attendance.objects.filter(unit_id=scope.unit_id)
            return Q(pk__in=asked.values("meeting")) & ~Q(state=MeetingState.PLANNED)
        if isinstance(scope, ReachScope):
            place = scope.place
            above = Q(node__tree_id=place.tree_id, node__lft__lt=place.lft, node__rght__gt=place.rght)
            return above | Q(node__isnull=True, county_id=place.county_id)
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            asked = any(row.unit_id == scope.unit_id for row in obj.attendances.all())
            return asked and obj.state != MeetingState.PLANNED
        if isinstance(scope, ReachScope):
            if obj.node is None:
                return bool(obj.county_id == scope.place.county_id)
            return _is_above(obj.node, scope.place)
        return super().covers(scope, obj)


class Through:
    """Rows that are seen where the row they belong to is seen."""

    def __init__(self, model: type[Model], policy: Any, *paths: str) -> None:
        """Args:
        model, policy: what they belong to. paths: foreign keys that lead there ("step__commitment"); one is filled.
        """
        self.view, self.model, self.policy, self.paths = policy.view, model, policy, paths

    def q(self, scope: Any) -> Q | None:
        inner = self.policy.q(scope)
        if inner is None:
            return None
        seen = self.model._default_manager.filter(inner).order_by().values("pk")
        found = Q(pk__in=[])
        for path in self.paths:
            found |= Q(**{f"{path}__in": seen})
        return found

    def covers(self, scope: Any, obj: Any) -> bool:
        for path in self.paths:
            target = obj
            for step in path.split("__"):
                target = getattr(target, step) if target is not None else None
            if target is not None:
                return bool(self.policy.covers(scope, target))
        return False


class EvidencePolicy:
    """Pictures of a project, or of a step of a promise."""

    view = posts.VIEW_EVIDENCE

    def q(self, scope: Any) -> Q | None:
        parts = [part.q(scope) for part in (_OF_PROJECT_PHOTO, _OF_STEP_PHOTO)]
        found = [part for part in parts if part is not None]
        return found[0] | found[1] if len(found) == 2 else (found[0] if found else None)

    def covers(self, scope: Any, obj: Any) -> bool:
        part = _OF_PROJECT_PHOTO if obj.project_id else _OF_STEP_PHOTO
        return part.covers(scope, obj)


PROJECT_POLICY = ProjectPolicy()
MEETING_POLICY = MeetingPolicy()
COMMITMENT_POLICY = OfPlaceAndUnits(posts.VIEW_COMMITMENT, units=("unit",), members=("member",), community="community")
_OF_PROJECT_PHOTO = Through(Project, PROJECT_POLICY, "project")
_OF_STEP_PHOTO = Through(Commitment, COMMITMENT_POLICY, "step__commitment")

WEFT_POLICIES: dict[type[Model], Policy] = {
    CheckInApplication: OfPlaceAndUnits(posts.VIEW_CHECKIN, county="node.county", units=("unit",)),
    MemberCheckIn: OfPlaceAndUnits(
        posts.VIEW_MEMBER_CHECKIN, county="node.county", community="community", members=("member",)
    ),
    ServiceRecord: OfPlaceAndUnits(
        posts.VIEW_MEMBER_CHECKIN,
        path="checkin.node",
        county="checkin.node.county",
        community="checkin__community",
        members=("checkin.member",),
    ),
    MemberCard: OfPlaceAndUnits(
        posts.VIEW_CARD, path="community", county="community.county", units=("unit",), members=("member",)
    ),
    Certificate: OfPlaceAndUnits(posts.VIEW_MEMBER_CHECKIN, path="community", members=("member",)),
    Commitment: COMMITMENT_POLICY,
    CommitmentProgress: Through(Commitment, COMMITMENT_POLICY, "commitment"),
    Activity: OfPlaceAndUnits(posts.VIEW_ACTIVITY, community="community"),
    Resource: ResourcePolicy(),
    Project: PROJECT_POLICY,
    ProjectResource: Through(Project, PROJECT_POLICY, "project"),
    Milestone: Through(Project, PROJECT_POLICY, "project"),
    Responsibility: Through(Project, PROJECT_POLICY, "project"),
    Evidence: EvidencePolicy(),
    MatchRun: InTree(posts.VIEW_MATCH),
    MatchProposal: InTree(posts.VIEW_MATCH, path="run.node", county="run.county"),
    JointMeeting: MEETING_POLICY,
    Attendance: Through(JointMeeting, MEETING_POLICY, "meeting"),
    AgendaItem: Through(JointMeeting, MEETING_POLICY, "meeting"),
    Resolution: Through(JointMeeting, MEETING_POLICY, "meeting"),
    ServiceRating: OfPlaceAndUnits(posts.VIEW_RATING, path="community", units=("unit",)),
}
