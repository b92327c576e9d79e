"""Extra conditions of moves: each answers with the reason for a refusal, or None. Named by the tables in `workflow`."""

import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.actors import Actor, user_of
from grids.policies import CountyScope, NodeScope
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.clocks import limits_of
from services.models import Assignment, AssignmentState, Commitment, Demand, SubOrder, Wish


def within_reopen_window(demand: Demand, actor: Actor) -> str | None:
    """A closed matter reopens for a while only (10 days unless the county says otherwise)."""
    days = limits_of(demand.county_id).reopen_days
    if demand.closed_at and timezone.now() > demand.closed_at + datetime.timedelta(days=days):
        return _("销号已超过 %(days)d 天，不能重启。请登记一条新的需求。") % {"days": days}
    return None


def community_is_supervised(demand: Demand, actor: Actor) -> str | None:
    """The community answers what was asked while no unit had the matter."""
    scopes = policies.scopes(user_of(actor), posts.ANSWER_SUPERVISION)
    in_place = any(isinstance(scope, NodeScope | CountyScope) for scope in scopes)
    if in_place and demand.supervised_at is not None and demand.supervised_unit_id is None:
        return None
    return _("这条需求没有需要社区答复的督办。")


def no_open_supervision(demand: Demand, actor: Actor) -> str | None:
    if demand.supervised_at is not None:
        return _("已有一条督办在等待答复，答复后才能再次督办。")
    return None


def who_has_it(demand: Demand) -> str | None:
    """For the liaison who was a moment too late."""
    if demand.lead_unit is None:
        return None
    return _("这条需求已由“%(unit)s”承办，请查看清单中的其他需求。") % {"unit": demand.lead_unit.label}


def not_parked(demand: Demand, actor: Actor) -> str | None:
    if demand.parked_until and demand.parked_until > timezone.localdate():
        return _("这条需求已经挂账。")
    return None


def not_designated(suborder: SubOrder, actor: Actor) -> str | None:
    """A designated unit cannot return (docs/practice.md#loop)."""
    return _("指定承办的单位不能退单。") if suborder.designated else None


def unit_is_supervised(suborder: SubOrder, actor: Actor) -> str | None:
    """The unit that was asked answers itself; the community has the same right for its own, and answers for no unit."""
    demand = suborder.demand
    asked = demand.supervised_at is not None and demand.supervised_unit_id == suborder.unit_id
    scopes = policies.scopes(user_of(actor), posts.ANSWER_SUPERVISION)
    if asked and any(isinstance(scope, UnitScope) and scope.unit_id == suborder.unit_id for scope in scopes):
        return None
    return _("没有需要贵单位答复的督办。")


def has_taken(suborder: SubOrder, actor: Actor) -> str | None:
    """The unit's own people may report; a member only after taking the assignment."""
    scopes = policies.scopes(user_of(actor), posts.REPORT_SUBORDER)
    if any(isinstance(scope, UnitScope) and scope.unit_id == suborder.unit_id for scope in scopes):
        return None
    mine = {scope.member_id for scope in scopes if isinstance(scope, MemberScope)}
    if any(row.member_id in mine and row.state == AssignmentState.TAKEN for row in suborder.assignments.all()):
        return None
    return _("请先接受安排，再反馈进展。")


def still_wanted(assignment: Assignment, actor: Actor) -> str | None:
    """Nobody takes on, and with it sees the resident's number of, what is finished or went back."""
    return None if assignment.suborder.is_running else _("这件事已经办结或退回，不用再参加了，谢谢。")


def may_extend(suborder: SubOrder, actor: Actor) -> str | None:
    """An extension is asked for before the limit, one at a time."""
    if suborder.extension_waiting:
        return _("已有一次延期申请在等待审核。")
    if suborder.due_at and timezone.now() > suborder.due_at:
        return _("已超过办理时限，不能再申请延期。")
    return None


def extension_waits(suborder: SubOrder, actor: Actor) -> str | None:
    """The second extension of a sub-order is decided one level up."""
    number = suborder.extension_waiting
    if not number:
        return _("没有等待审核的延期申请。")
    right = posts.REVIEW_EXTENSION if number == 1 else posts.REVIEW_SECOND_EXTENSION
    if not policies.can(user_of(actor), right, suborder):
        if number == 1:
            return _("首次延期由社区审核。")
        return _("第 %(number)d 次延期须由街道审核。") % {"number": number}
    return None


def not_ones_own(commitment: Commitment, actor: Actor) -> str | None:
    """Whoever acts for a unit, or made a promise, does not say that it was kept, whatever other post they hold."""
    if is_ones_own(commitment, actor):
        return _("您是承诺方的人，不能确认自己的承诺。请由社区其他人办理。")
    return None


def is_ones_own(row: Commitment | Wish, actor: Actor) -> bool:
    """Whether the actor belongs to the side that promised or adopted: acts for the unit in any role, or is the member."""
    for grant in policies.grants_of(user_of(actor)):
        scope = grant.scope
        if isinstance(scope, UnitScope) and scope.unit_id == row.unit_id:
            return True
        if isinstance(scope, MemberScope) and scope.member_id == row.member_id:
            return True
    return False
