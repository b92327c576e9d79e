"""What waits for a member, a community or a unit in the members' check-in, for the phone's first page and its lists."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, Value
from django.utils.translation import gettext as _

from core import policies
from core.accounts import clean_phone
from core.errors import Invalid
from core.models import User
from grids.models import County
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


def named_member(county: County, name: str, phone: str) -> Member:
    """The member who is named and not looked up: a county's members are not every community's to read.

    Raises Invalid under `name` or `phone`: there is no such member, or the number is another one's.
    """
    number = clean_phone(phone)
    member = Member.objects.active().filter(county=county, phone=number).select_related("county", "unit").first()
    if member is None:
        message = _("本县没有登记这个手机号码的党员，请核对，或请县级管理员先登记。")
        raise Invalid(message, fields={"phone": message})
    if member.name != name.strip():
        message = _("这个手机号码登记的不是这个姓名，请核对。")
        raise Invalid(message, fields={"name": message})
    return member


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


@dataclass(frozen=True)
class Waiting:
    """How many reports and services wait for a community."""

    reports: int = 0
    services: int = 0


def how_many_wait(user: User) -> Waiting:
    """One query."""
    parts = [
        rows.order_by()
        .annotate(kind=Value(kind))
        .values("kind")
        .annotate(count=Count("pk"))
        .values_list("kind", "count")
        for kind, rows in (("reports", reports_waiting(user)), ("services", services_waiting(user)))
    ]
    return Waiting(**dict(parts[0].union(parts[1], all=True)))


def cards_for(user: User) -> Any:
    """The quarterly cards of the units the user acts for."""
    units = [scope.unit_id for scope in policies.scopes(user, posts.VIEW_CARD) if isinstance(scope, UnitScope)]
    return MemberCard.objects.filter(unit__in=units)


def receives_cards(user: User) -> bool:
    """Without a query of its own."""
    return any(isinstance(scope, UnitScope) for scope in policies.scopes(user, posts.VIEW_CARD))


def _is_member(scope: Any) -> bool:
    return isinstance(scope, MemberScope)
