"""Reads over several models: what an object page, a phone card or the API shows of a demand."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.actors import RESIDENT
from core.errors import NotFound
from core.models import User
from core.prepared import Prepared, keep_loaded, prepared
from core.workflow import Transition
from grids.models import GridNode
from grids.naming import COMMUNITY
from partybuilding.models import Member, Unit
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import (
    Assignment,
    AssignmentState,
    Category,
    Demand,
    DemandEvent,
    DemandState,
    Photo,
    SubOrder,
    SubOrderState,
)
from services.models.demand import Desk
from services.policies import CheckInScope
from services.policies.levels import within_level
from services.reach import units_in_reach
from services.workflow import ASSIGNMENT, BY_MODEL, DEMAND, SUBORDER

Target = Demand | SubOrder | Assignment


@dataclass(frozen=True)
class Action:
    """A button: a move somebody can make now, on which object. `key` names the object in forms and addresses."""

    row: Transition
    target: Target

    @property
    def key(self) -> str:
        return key_of(self.target)

    @property
    def version(self) -> int:
        return self.target.version

    @property
    def whose(self) -> str:
        """Which unit or member the button is about, where that is not plain from the page."""
        if isinstance(self.target, SubOrder):
            return self.target.unit.label
        return self.target.member.name if isinstance(self.target, Assignment) else ""


@dataclass(frozen=True)
class DemandPage:
    """Everything the page of one demand shows to one user.

    `summary` is true for units that only may claim: they see the matter, not what others do with it.
    """

    demand: Demand
    suborders: list[SubOrder]
    events: list[DemandEvent]
    actions: list[Action]
    summary: bool


def key_of(target: Target) -> str:
    """`demand`, `suborder-12` or `assignment-7`."""
    return "demand" if isinstance(target, Demand) else f"{target._meta.model_name}-{target.pk}"


# What a page names beside the demand itself; the API does not ask for it.
_NAMED = ("raised_by", "supervised_unit")


def find_demand(
    user: Any, *, code: str = "", pk: int | None = None, named: tuple[str, ...] = _NAMED, whole: bool = True
) -> Demand:
    """A demand the user may know of, with everything its policies and guards read.

    Args:
        named: relations to bring along.
        whole: with its sub-orders and assignments; a move of the demand itself does without.

    Raises `NotFound` when there is none, or none for this user.
    """
    statement = prepared(("demand", named), lambda code: _wanted(named).filter(code=code), str) if code else None
    found: Demand | None = statement.one(code) if statement else _wanted(named).filter(pk=pk).first()
    if found is not None and whole:
        _load_orders(found)
    # The policy's word on the object in hand is that of its filter (a test holds the two together), and one question
    # for everybody is written once where a question for each set of scopes would be written for each person.
    if found is None or not policies.sees(user, found):
        raise NotFound(_("没有找到这条需求，或不在您的管辖范围内。"))
    return found


def _wanted(named: tuple[str, ...]) -> Any:
    return Demand.objects.with_faces().select_related("node", *named).order_by()


def _load_orders(demand: Demand) -> None:
    """Its sub-orders with their units, and their assignments with their members: two statements, one where it was given to nobody."""
    orders = _ORDERS.all(demand.pk)
    asked: dict[int, list[Assignment]] = {}
    for one in _ASKED.all(demand.pk) if orders else ():
        asked.setdefault(one.suborder_id, []).append(one)
    for order in orders:
        order.demand = demand
        keep_loaded(order, "assignments", asked.get(order.pk, []))
        for one in asked.get(order.pk, ()):
            one.suborder = order
    keep_loaded(demand, "suborders", orders)


_ORDERS = Prepared(lambda pk: SubOrder.objects.filter(demand_id=pk).select_related("unit").order_by("role", "pk"), int)
_ASKED = Prepared(
    lambda pk: Assignment.objects.filter(suborder__demand_id=pk).select_related("member").order_by("suborder_id", "pk"),
    int,
)


def demand_page(user: Any, *, code: str = "", pk: int | None = None, named: tuple[str, ...] = _NAMED) -> DemandPage:
    """The page of one demand, in a fixed number of queries. Arguments and errors as `find_demand`."""
    demand = find_demand(user, code=code, pk=pk, named=named)
    suborders = [row for row in demand.suborders.all() if policies.sees(user, row)]
    summary = only_offered(user, demand)
    events: list[DemandEvent] = []
    if not summary:
        events = _events(demand)
    return DemandPage(demand, suborders, events, actions_of(user, demand), summary)


def _events(demand: Demand) -> list[DemandEvent]:
    """Its timeline, with who acted, on which of its sub-orders, and the pictures. Two statements."""
    orders = {row.pk: row for row in demand.suborders.all()}
    photos: dict[int | None, list[Photo]] = {}
    for photo in _PHOTOS.all(demand.pk):
        photos.setdefault(photo.event_id, []).append(photo)
    events: list[DemandEvent] = _EVENTS.all(demand.pk)
    for event in events:
        event.suborder = orders.get(event.suborder_id)
        keep_loaded(event, "photos", photos.get(event.pk, []))
    return events


_EVENTS = Prepared(
    lambda pk: DemandEvent.objects.filter(demand_id=pk).select_related("actor").order_by("at", "pk"), int
)
_PHOTOS = Prepared(lambda pk: Photo.objects.filter(demand_id=pk).order_by("pk"), int)


def only_offered(user: Any, demand: Demand) -> bool:
    """Whether the user knows the demand by their unit's check-in alone."""
    policy = policies.policy_of(Demand)
    covering = [scope for scope in policies.scopes(user, policy.view) if policy.covers(scope, demand)]
    return all(isinstance(scope, CheckInScope) for scope in covering)


def actions_of(user: Any, demand: Demand) -> list[Action]:
    """Every move the user can make now on the demand, its sub-orders and assignments; the main ones first."""
    found = [Action(row, demand) for row in DEMAND.available(demand, user)]
    for suborder in demand.suborders.all():
        found += [Action(row, suborder) for row in SUBORDER.available(suborder, user)]
        for assignment in suborder.assignments.all():
            found += [Action(row, assignment) for row in ASSIGNMENT.available(assignment, user)]
    weight = {"main": 0, "plain": 1, "danger": 2}
    return sorted(found, key=lambda action: weight[action.row.tone])


def targets_of(demand: Demand) -> Iterable[Target]:
    """The demand, its sub-orders and their assignments, as `find_demand` loaded them."""
    yield demand
    for suborder in demand.suborders.all():
        yield suborder
        yield from suborder.assignments.all()


def of_demand_alone(name: str) -> bool:
    """Whether only the demand itself makes this move: its sub-orders need not be read then."""
    return not any(flow.find(name) for flow in (SUBORDER, ASSIGNMENT))


def target_for(user: Any, demand: Demand, name: str, *, key: str = "") -> Target:
    """The object a move is meant for.

    Args:
        demand: from `find_demand`.
        name: the transition's name.
        key: which object, when the caller knows (`suborder-12`). Else: the one on which the user can make the move
            now; failing that the one on which they hold its right, so that the refusal says what is wrong.

    Raises `NotFound` for a move in no table, or one that concerns nothing the user may know of.
    """
    every = [demand] if of_demand_alone(name) else targets_of(demand)
    known = [target for target in every if BY_MODEL[type(target)].find(name)]
    if key:
        known = [target for target in known if key_of(target) == key]
    seen = [target for target in known if policies.sees(user, target)]
    for target in seen:
        if BY_MODEL[type(target)].offers(target, name, user):
            return target
    for target in seen:
        right = BY_MODEL[type(target)].get(name).right
        if right is not None and policies.can(user, right, target):
            return target
    if not seen:
        raise NotFound(_("这条需求现在没有可以这样办理的事项。"), code="unknown_transition")
    return seen[0]


# What the inputs of a move may be chosen from.


def units_to_dispatch(demand: Demand, user: Any = None) -> QuerySet[Unit]:
    """Units that can be given the matter (`services.reach`); of a desk above the community (`user`'s) more."""
    return units_in_reach(demand, user)


def places_to_transfer(demand: Demand) -> QuerySet[GridNode]:
    """The other communities of the county, street by street."""
    others = GridNode.objects.standing().at(COMMUNITY).filter(county_id=demand.county_id)
    return others.exclude(pk=demand.community_id).select_related("parent").order_by("tree_id", "lft")


def units_to_claim(user: User, demand: Demand) -> QuerySet[Unit]:
    ids = [
        scope.unit_id
        for scope in policies.scopes(user, posts.CLAIM_DEMAND)
        if isinstance(scope, CheckInScope) and scope.place.holds(demand.node)
    ]
    return Unit.objects.filter(pk__in=ids)


def members_to_assign(suborder: SubOrder) -> QuerySet[Member]:
    """Members of the unit who can answer for themselves and were not asked yet."""
    asked = suborder.assignments.live().values("member_id")
    return Member.objects.active().filter(unit=suborder.unit, user__isnull=False).exclude(pk__in=asked)


def categories_for(county_id: int) -> QuerySet[Category]:
    return Category.objects.filter(county_id=county_id, is_active=True)


def category_named(county_id: int, name: str) -> Category | None:
    """The category in use of that name, as every demand that comes by API asks for one."""
    statement = prepared(
        ("category", county_id), lambda name: categories_for(county_id).filter(name=name).order_by(), str
    )
    found: Category | None = statement.one(name)
    return found


def open_demands(category: Category) -> int:
    """How many matters that are not ended carry a category: what retiring it concerns."""
    return Demand.objects.open().filter(category=category).count()


# Lists of the phone page and the desk.


def my_unit_ids(user: User) -> list[int]:
    return [scope.unit_id for scope in policies.scopes(user, posts.SIGN_SUBORDER) if isinstance(scope, UnitScope)]


def suborders_waiting(user: User) -> QuerySet[SubOrder]:
    """Running sub-orders of the units the user is liaison of, the most urgent first."""
    return (
        SubOrder.objects.running()
        .filter(unit_id__in=my_unit_ids(user))
        .exclude(state=SubOrderState.RETURN_REQUESTED)
        .with_faces()
        .order_by("due_at", "pk")
    )


def assignments_waiting(user: User) -> QuerySet[Assignment]:
    """What the user was asked to do, or has taken on and is not finished."""
    return (
        Assignment.objects.live()
        .filter(member__user=user, suborder__in=SubOrder.objects.running())
        .select_related(
            "suborder__unit", "suborder__demand__node", "suborder__demand__category", "suborder__demand__community"
        )
        .order_by("suborder__due_at", "pk")
    )


def demands_to_claim(user: User) -> QuerySet[Demand]:
    """The demand list: published where the user's units have checked in."""
    claimable = policies.within(Demand, user, posts.CLAIM_DEMAND)
    return Demand.objects.filter(claimable, state="published").with_faces().order_by("step_due_at", "pk")


def places_to_raise(user: User) -> QuerySet[GridNode]:
    """The places where the user holds a post that raises demands."""
    held = policies.scopes(user, posts.RAISE_DEMAND)
    ids = [scope.pk for scope in held if hasattr(scope, "pk")]
    return GridNode.objects.standing().filter(pk__in=ids)


def demands_waiting(user: User) -> QuerySet[Demand]:
    """Demands whose next step a place has to make, where the user holds its right; the most urgent first.

    A community accepts, dispatches, checks, closes off, reviews and answers; what nobody claimed in time is its own
    again. What was handed up stands on the desk it was handed to, what a community did not review in time on its
    street's as well, and a whistle on the street's until it is concluded. The step of what is parked waits for its
    date; a review, an answer and a whistle do not.
    """

    def may(right: str) -> Q:
        return policies.within(Demand, user, right)

    def at(right: str, *levels: Desk) -> Q:
        return within_level(user, right, *levels)

    now = timezone.now()
    orders = SubOrder.objects.running().filter(demand=OuterRef("pk"))
    returned = Exists(orders.filter(state=SubOrderState.RETURN_REQUESTED))
    returned_late = Exists(orders.filter(state=SubOrderState.RETURN_REQUESTED, review_due_at__lt=now))
    for_a_unit = Q(state__in=[DemandState.ACCEPTED, DemandState.PUBLISHED])
    step = (
        (may(posts.ACCEPT_DEMAND) & Q(state=DemandState.REGISTERED))
        | (may(posts.ACCEPT_DEMAND) & Q(state=DemandState.ACCEPTED, desk=Desk.COMMUNITY))
        | (may(posts.ACCEPT_DEMAND) & Q(state=DemandState.PUBLISHED, desk=Desk.COMMUNITY, step_due_at__lt=now))
        | (at(posts.DISPATCH_DEMAND, Desk.STREET) & for_a_unit & Q(desk=Desk.STREET))
        | (at(posts.DISPATCH_DEMAND, Desk.COUNTY) & for_a_unit & Q(desk=Desk.COUNTY))
        | (may(posts.CHECK_DEMAND) & Q(state=DemandState.FINISHED))
        | (may(posts.CLOSE_DEMAND) & Q(state=DemandState.CHECKED))
    )
    beside = (
        (may(posts.ACCEPT_DEMAND) & Q(supervised_at__isnull=False, supervised_unit__isnull=True))
        | (at(posts.REVIEW_RETURN, Desk.COMMUNITY) & returned)
        | (at(posts.REVIEW_RETURN, Desk.STREET, Desk.COUNTY) & returned_late)
        | (at(posts.REVIEW_EXTENSION, Desk.COMMUNITY) & Exists(orders.filter(extension_waiting=1)))
        | (
            at(posts.REVIEW_EXTENSION, Desk.STREET, Desk.COUNTY)
            & Exists(orders.filter(extension_waiting=1, review_due_at__lt=now))
        )
        | (may(posts.REVIEW_SECOND_EXTENSION) & Exists(orders.filter(extension_waiting__gt=1)))
        | (at(posts.WHISTLE_DEMAND, Desk.STREET) & Q(whistled_at__isnull=False))
    )
    parked = Q(parked_until__isnull=False, parked_until__gt=timezone.localdate(now))
    wanted = (step & ~parked) | beside
    return Demand.objects.filter(wanted).order_by(F("step_due_at").asc(nulls_last=True), "pk")


def demands_raised_by(user: User) -> Any:
    """What the user raised themselves, where they may still know of it; newest first."""
    return Demand.objects.visible_to(user).filter(raised_by=user).order_by("-registered_at", "-pk")


def todo_count(user: User, *, cap: int = 99) -> int:
    """How many things wait for the user, counted no further than `cap` + 1 a kind. At most three statements."""
    kinds: list[Any] = [suborders_waiting(user), demands_waiting(user)]
    if any(isinstance(scope, MemberScope) for scope in policies.scopes(user, posts.ANSWER_ASSIGNMENT)):
        kinds.append(assignments_waiting(user))
    return sum(rows.order_by()[: cap + 1].count() for rows in kinds)


def with_buttons(demands: Any) -> Any:
    """Demands with everything a card shows and `Workflow.available` reads, whatever the number of rows."""
    return demands.with_faces().prefetch_related("suborders")


# The one button of a card: the first of these that can be pressed. The order is that of the work itself.
_NEXT = (
    "answer_supervision",
    "approve_return",
    "approve_extension",
    "accept",
    "dispatch",
    "check",
    "close_off",
    "claim",
    "sign",
    "take",
    "finish",
    "assign",
    "report",
)


def next_action(actions: Iterable[Action]) -> Action | None:
    """The one next step among what can be done, for a card or a row of the desk."""
    found = [action for action in actions if action.row.name in _NEXT]
    return min(found, key=lambda action: _NEXT.index(action.row.name), default=None)


def may_reveal(user: User, demand: Demand) -> bool:
    """Whether somebody who holds `demand.reveal` on a demand has a use for the resident's contact now.

    A place always has; a unit until its sub-order went back; a member once the assignment is taken.
    """
    policy = policies.policy_of(Demand)
    covering = [scope for scope in policies.scopes(user, posts.REVEAL_CONTACT) if policy.covers(scope, demand)]
    units = {scope.unit_id for scope in covering if isinstance(scope, UnitScope)}
    members = {scope.member_id for scope in covering if isinstance(scope, MemberScope)}
    if len(units) + len(members) < len(covering):
        return True
    kept = [row for row in demand.suborders.all() if row.state != SubOrderState.RETURNED]
    return any(row.unit_id in units for row in kept) or any(
        one.member_id in members and one.state == AssignmentState.TAKEN for row in kept for one in row.assignments.all()
    )


# What a resident sees with a place's token or a follow-up code, without an account.


def public_place(token: str) -> GridNode:
    """The place of a QR code, retired ones too. Raises `NotFound`."""
    related = ("level_type", "community", "county")
    found = GridNode.objects.filter(public_token=token).select_related(*related).first()
    if found is None:
        raise NotFound(_("没有找到这个二维码对应的地点，请重新扫描，或在下面选择所在的小区楼栋。"))
    return found


def followed(code: str) -> Demand:
    """The demand of a follow-up code, with what its page shows. Raises `NotFound` for any code that is none."""
    found = (
        Demand.objects.select_related("node", "category", "lead_unit", "linked_to__lead_unit")
        .prefetch_related("evaluations")
        .filter(follow_code=code)
        .first()
    )
    if found is None:
        raise NotFound(_("没有找到这个查询码，请逐位核对后再试。"))
    return found


# Moves whose words or pictures were meant for the resident.
TOLD_RESIDENT = ("raise", "decline", "withdraw", "finish", "reopen")


def resident_events(demand: Demand) -> list[DemandEvent]:
    """The lines of the timeline a resident may read, of the demand and of the one it was linked to."""
    found = DemandEvent.objects.filter(demand_id=demand.pk, name__in=TOLD_RESIDENT)
    if demand.linked_to_id:
        found = found | DemandEvent.objects.filter(demand_id=demand.linked_to_id, name__in=("decline", "finish"))
    return list(found.select_related("suborder__unit").prefetch_related("photos"))


def resident_actions(demand: Demand) -> list[Action]:
    """The moves a resident with the follow-up code can make now."""
    heard = any(row.round == demand.main.round for row in demand.evaluations.all())
    return [
        Action(row, demand)
        for row in DEMAND.transitions
        if row.resident
        and demand.state in row.sources
        and (row.guard is None or row.guard(demand, RESIDENT) is None)
        and not (heard and row.name == "evaluate")
    ]
