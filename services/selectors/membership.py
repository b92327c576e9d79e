"""What waits for a member, a community or a unit in the members' check-in, for the phone's first page and its lists."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from core import policies
from core.models import User
from partybuilding.models import Member
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import (
    MEMBER_CHECKIN_OPEN,
    MemberCard,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    ServiceState,
)


@dataclass(frozen=True)
class OwnReport:
    """A member's open report, None when there is none, and how many services came back to them."""

    checkin: MemberCheckIn | None
    sent_back: int


def member_of(user: User) -> Member | None:
    """The member whose account this is, in use. One query, for whoever can be one."""
    keys = [scope.member_id for scope in policies.scopes(user, posts.REPORT_MEMBER_CHECKIN) if _is_member(scope)]
    if not keys:
        return None
    return Member.objects.active().filter(pk__in=keys).select_related("county", "home__level_type", "unit").first()


def is_member(user: User) -> bool:
    """Without a query of its own."""
    return any(_is_member(scope) for scope in policies.scopes(user, posts.REPORT_MEMBER_CHECKIN))


def own_report(user: User) -> OwnReport:
    """One query."""
    keys = [scope.member_id for scope in policies.scopes(user, posts.REPORT_MEMBER_CHECKIN) if _is_member(scope)]
    came_back = Count("services", filter=Q(services__state=ServiceState.SENT_BACK))
    rows = MemberCheckIn.objects.filter(member__in=keys, state__in=MEMBER_CHECKIN_OPEN)
    found: Any = rows.select_related("node", "community").annotate(came_back=came_back).first()
    return OwnReport(found, found.came_back if found else 0)


def reports_waiting(user: User) -> Any:
    """Reports the user may accept, those that waited longest first."""
    mine = policies.within(MemberCheckIn, user, posts.MANAGE_MEMBER_CHECKIN)
    rows = MemberCheckIn.objects.filter(mine, state=MemberCheckInState.APPLIED)
    return rows.select_related("member__unit", "node", "community").order_by("applied_at", "pk")


def services_waiting(user: User) -> Any:
    """Services the user may confirm: not their own."""
    mine = policies.within(ServiceRecord, user, posts.MANAGE_MEMBER_CHECKIN)
    rows = ServiceRecord.objects.filter(mine, state=ServiceState.ENTERED).exclude(checkin__member__user=user)
    return rows.select_related("checkin__member__unit", "checkin__node").order_by("entered_at", "pk")


def cards_for(user: User) -> Any:
    """The quarterly cards of the units the user acts for."""
    units = [scope.unit_id for scope in policies.scopes(user, posts.VIEW_CARD) if isinstance(scope, UnitScope)]
    return MemberCard.objects.filter(unit__in=units)


def receives_cards(user: User) -> bool:
    """Without a query of its own."""
    return any(isinstance(scope, UnitScope) for scope in policies.scopes(user, posts.VIEW_CARD))


def _is_member(scope: Any) -> bool:
    return isinstance(scope, MemberScope)
