"""Cases, wishes and bulletins: who helps sees what helping needs, and nobody else who is helped."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from grids.policies import CountyScope, InTree, NodeScope
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import (
    Bulletin,
    BulletinState,
    Help,
    HelpState,
    MemberCheckIn,
    MemberCheckInState,
    Wish,
    WishState,
)
from services.policies.loop import CheckInScope

# Whoever helps, or is asked to; and whoever took it on, and so reads the one timeline of the case.
_INVOLVED = (HelpState.ASKED, HelpState.HELPING, HelpState.DONE)
_HELPING = (HelpState.HELPING, HelpState.DONE)
# Who was asked, and who could not: known to the community alone, so that declining has no consequence.
ENTRIES_OF_COMMUNITY = ("ask", "decline", "withdraw", "lapse")


def _helps(unit_id: int, states: tuple[str, ...], case: str) -> Q:
    return Q(Exists(Help.objects.filter(case=OuterRef(case), unit_id=unit_id, state__in=[str(one) for one in states])))


def _has_help(case: Any, unit_id: int, states: tuple[str, ...]) -> bool:
    return any(row.unit_id == unit_id and row.state in states for row in case.helps.all())


class CasePolicy(InTree):
    """Cases: by their community, and by the units that help or are asked to (docs/decisions/0027).

    Who is only asked knows that there is a case and where; what it says, `reads` tells.
    """

    def __init__(self) -> None:
        super().__init__(posts.VIEW_CASE, community="community")

    def q(self, scope: Any) -> Q | None:
        return _helps(scope.unit_id, _INVOLVED, "pk") if isinstance(scope, UnitScope) else super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return _has_help(obj, scope.unit_id, _INVOLVED)
        return super().covers(scope, obj)

    def reads(self, scope: Any, obj: Any) -> bool:
        """Whether the text, the other helps and the timeline of a case are open inside `scope`."""
        if isinstance(scope, UnitScope):
            return _has_help(obj, scope.unit_id, _HELPING)
        return super().covers(scope, obj)


class HelpPolicy(InTree):
    """Helps: by the community of the case, and by the unit whose own it is until it has declined or was ended."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_CASE, path="case.node", county="case.county", community="case__community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return Q(unit_id=scope.unit_id, state__in=[str(one) for one in _INVOLVED])
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return bool(obj.unit_id == scope.unit_id and obj.state in _INVOLVED)
        return super().covers(scope, obj)


class CaseEntryPolicy(InTree):
    """Lines of a case's timeline: by its community, and by the units that have taken on a help in it."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_CASE, path="case.node", county="case.county", community="case__community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return _helps(scope.unit_id, _HELPING, "case") & ~Q(name__in=ENTRIES_OF_COMMUNITY)
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, UnitScope):
            return obj.name not in ENTRIES_OF_COMMUNITY and _has_help(obj.case, scope.unit_id, _HELPING)
        return super().covers(scope, obj)


CASE_POLICY = CasePolicy()


class WishPolicy(InTree):
    """Wishes: by place; open ones by the units checked in and the members reported there; then by who adopted them."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_WISH, community="community")

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, UnitScope):
            return Q(unit_id=scope.unit_id)
        if isinstance(scope, MemberScope):
            return Q(member_id=scope.member_id) | Q(
                state=WishState.OPEN, community__in=_home(scope).values("community")
            )
        if isinstance(scope, CheckInScope):
            # By the community alone: a unit that reported to one compound must not learn that a wish is from there.
            if scope.place.community_id is None:
                return Q(state=WishState.OPEN, community__tree_id=scope.place.tree_id)
            return Q(state=WishState.OPEN, community_id=scope.place.community_id)
        return super().q(scope)

    def covers(self, scope: Any, obj: Wish) -> bool:
        if isinstance(scope, UnitScope):
            return obj.unit_id == scope.unit_id
        if isinstance(scope, MemberScope):
            here = obj.state == WishState.OPEN and _home(scope).filter(community_id=obj.community_id).exists()
            return obj.member_id == scope.member_id or here
        if isinstance(scope, CheckInScope):
            if scope.place.community_id is None:
                return bool(obj.state == WishState.OPEN and obj.community.tree_id == scope.place.tree_id)
            return bool(obj.state == WishState.OPEN and obj.community_id == scope.place.community_id)
        return super().covers(scope, obj)


def _home(scope: MemberScope) -> Any:
    return MemberCheckIn.objects.filter(member_id=scope.member_id, state=MemberCheckInState.ACCEPTED)


class BulletinPolicy:
    """Bulletins: drafts by the county alone; published ones by every place of it, and by the units named in them."""

    view = posts.VIEW_BULLETIN

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CountyScope):
            return Q(county_id=scope.county_id)
        if isinstance(scope, NodeScope):
            return Q(county_id=scope.county_id, state=BulletinState.PUBLISHED)
        if isinstance(scope, UnitScope):
            named = Bulletin.objects.filter(items__unit_id=scope.unit_id).order_by().values("pk")
            return Q(pk__in=named, state=BulletinState.PUBLISHED)
        return None

    def covers(self, scope: Any, obj: Bulletin) -> bool:
        if isinstance(scope, CountyScope):
            return obj.county_id == scope.county_id
        if obj.state != BulletinState.PUBLISHED:
            return False
        if isinstance(scope, NodeScope):
            return obj.county_id == scope.county_id
        return isinstance(scope, UnitScope) and any(row.unit_id == scope.unit_id for row in obj.items.all())


class BulletinItemPolicy(InTree):
    """What a bulletin names: by the place it is in, and by the unit named; drafts by the county alone."""

    def __init__(self) -> None:
        super().__init__(posts.VIEW_BULLETIN, path="demand.node", county="bulletin.county", community="community")

    def q(self, scope: Any) -> Q | None:
        published = Q(bulletin__state=BulletinState.PUBLISHED)
        if isinstance(scope, UnitScope):
            return Q(unit_id=scope.unit_id) & published
        found = super().q(scope)
        return found & published if found is not None and not isinstance(scope, CountyScope) else found

    def covers(self, scope: Any, obj: Any) -> bool:
        if not isinstance(scope, CountyScope) and obj.bulletin.state != BulletinState.PUBLISHED:
            return False
        if isinstance(scope, UnitScope):
            return bool(obj.unit_id == scope.unit_id)
        return super().covers(scope, obj)
