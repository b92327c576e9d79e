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
from services.models import Assignment, AssignmentState, Commitment, Demand, DemandState, SubOrder, Wish
from services.models.demand import Desk
from services.policies.levels import levels_on
from services.reach import may_dispatch


def within_reopen_window(demand: Demand, actor: Actor) -> str | None:
    """A closed matter reopens for a while only (10 days unless the county says otherwise)."""
    days = limits_of(demand.county_id).reopen_days
    if demand.closed_at and timezone.now() > demand.closed_at + datetime.timedelta(days=days):
        return _("销号已超过 %(days)d 天，不能重启。请登记一条新的需求。") % {"days": days}
    return None


def may_still_evaluate(demand: Demand, actor: Actor) -> str | None:
    """Until the matter can not be reopened any more; who was linked to it, once there is a result to speak of."""
    main = demand.main
    if main.state not in (DemandState.CHECKED, DemandState.CLOSED_OFF):
        return _("您反映的事和另一件一起办理，还没有办结。办结核查后就可以评价。")
    days = limits_of(demand.county_id).reopen_days
    if main.closed_at and timezone.now() > main.closed_at + datetime.timedelta(days=days):
        return _("销号已超过 %(days)d 天，不能再评价。还有问题请登记一条新的需求。") % {"days": days}
    return None


def not_who_served(demand: Demand, actor: Actor) -> str | None:
    """Whoever acts for the lead unit, or went there for it, does not say that it served well, whatever post they hold."""
    user = user_of(actor)
    if user is None:
        return None
    scopes = [grant.scope for grant in policies.grants_of(user)]
    served = any(isinstance(scope, UnitScope) and scope.unit_id == demand.lead_unit_id for scope in scopes)
    members = [scope.member_id for scope in scopes if isinstance(scope, MemberScope)]
    if members and not served:
        went = Assignment.objects.filter(member_id__in=members, state=AssignmentState.TAKEN)
        served = went.filter(suborder__demand_id=demand.pk).exists()
    return _("您是承办单位的人，不能核查、回访、销号自己办的事。请由社区其他人办理。") if served else None


def desk_dispatches(demand: Demand, actor: Actor) -> str | None:
    """The county dispatches only what was handed up to it: it does not reach over the heads of those below."""
    user = user_of(actor)
    if user is None or demand.desk == Desk.COUNTY:
        return None
    if not may_dispatch(user, demand):
        return _("这条需求没有上报到县级，由社区或街道派单。")
    return None


def on_the_communitys_desk(demand: Demand, actor: Actor) -> str | None:
    if demand.desk != Desk.COMMUNITY:
        return _("这条需求已经上报，正在等%(desk)s办理。") % {"desk": demand.get_desk_display()}
    return None


def on_the_streets_desk(demand: Demand, actor: Actor) -> str | None:
    if demand.desk == Desk.COUNTY:
        return _("这条需求已经上报县级。")
    if demand.desk == Desk.COMMUNITY:
        return _("这条需求还在社区办理，社区上报到街道后才能再上报县级。")
    return None


def on_ones_own_desk(demand: Demand, actor: Actor) -> str | None:
    """Whoever has it hands it down; the street does not take it off the county's desk."""
    if demand.desk == Desk.COMMUNITY:
        return _("这条需求就在社区办理，不用交回。")
    if Desk(demand.desk) not in levels_on(user_of(actor), posts.HAND_DOWN_DEMAND, demand):
        return _("这条需求正在等%(desk)s办理，由%(desk)s交回。") % {"desk": demand.get_desk_display()}
    return None


def may_transfer(demand: Demand, actor: Actor) -> str | None:
    """A matter is not passed round: a second time only those above the communities decide. What is asked of this
    community is answered, and what it has parked or called together is settled, before it lets go."""
    if demand.transfers and levels_on(user_of(actor), posts.TRANSFER_DEMAND, demand) == {Desk.COMMUNITY}:
        return _("这条需求已经移交过一次，再次移交由街道或县级决定。")
    if demand.supervised_at is not None:
        return _("这条需求有督办在等待答复，答复后才能移交。")
    if demand.whistled_at is not None:
        return _("这条需求的吹哨还没有办结，办结后才能移交。")
    return not_parked(demand, actor)


def no_open_whistle(demand: Demand, actor: Actor) -> str | None:
    if demand.whistled_at is not None:
        return _("这条需求已经吹哨，办结后才能再吹。")
    return None


def whistle_is_open(demand: Demand, actor: Actor) -> str | None:
    if demand.whistled_at is None:
        return _("这条需求没有要办结的吹哨。")
    return None


def review_is_due(suborder: SubOrder, actor: Actor) -> str | None:
    """The community reviews, by somebody who is not of the unit; where it has let its limit pass, so may its street."""
    if (reason := _not_who_asked(suborder, actor)) is not None:
        return reason
    levels = levels_on(user_of(actor), posts.REVIEW_RETURN, suborder.demand)
    return None if Desk.COMMUNITY in levels else _waits_below(suborder)


def _not_who_asked(suborder: SubOrder, actor: Actor) -> str | None:
    """Whoever acts for the unit of an order, in any role, does not decide what the unit asks for, whatever post they hold."""
    scopes = (grant.scope for grant in policies.grants_of(user_of(actor)))
    if any(isinstance(scope, UnitScope) and scope.unit_id == suborder.unit_id for scope in scopes):
        return _("这是您所在单位的申请，要由别人审核。请告知社区或街道的其他同志。")
    return None


def _waits_below(suborder: SubOrder) -> str | None:
    if suborder.review_due_at is None or timezone.now() <= suborder.review_due_at:
        return _("由社区审核；社区超过审核时限没有审核的，街道可以审核。")
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
    """The second extension of a sub-order is decided one level up, and none by the unit that asks."""
    number = suborder.extension_waiting
    if not number:
        return _("没有等待审核的延期申请。")
    if (reason := _not_who_asked(suborder, actor)) is not None:
        return reason
    right = posts.REVIEW_EXTENSION if number == 1 else posts.REVIEW_SECOND_EXTENSION
    levels = levels_on(user_of(actor), right, suborder.demand)
    if not levels:
        if number == 1:
            return _("首次延期由社区审核。")
        return _("第 %(number)d 次延期须由街道审核。") % {"number": number}
    return _waits_below(suborder) if number == 1 and Desk.COMMUNITY not in levels else None


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
