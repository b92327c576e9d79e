"""What a matter looks like on the phone: chips, clock, place and buttons, the same on every card and page."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core.models import User
from core.periods import date_words, datetime_words, time_left_words
from grids.naming import steps_of
from services import clocks
from services.models import Assignment, AssignmentState, Demand, DemandState, SubOrder, SubOrderState, Urgency
from services.models.demand import Desk
from services.selectors import loop as selectors
from services.selectors.loop import Action, Target
from services.workflow import ASSIGNMENT, BY_MODEL, DEMAND, SUBORDER

# Blue moves, green is a good end, amber waits for somebody, red is refused; what is not named rests.
TONES: dict[str, dict[str, str]] = {
    DEMAND.name: {
        DemandState.REGISTERED: "amber",
        DemandState.ACCEPTED: "amber",
        DemandState.PUBLISHED: "amber",
        DemandState.DISPATCHED: "blue",
        DemandState.FINISHED: "amber",
        DemandState.CHECKED: "blue",
        DemandState.CLOSED_OFF: "green",
        DemandState.DECLINED: "red",
    },
    SUBORDER.name: {
        SubOrderState.DISPATCHED: "amber",
        SubOrderState.SIGNED: "blue",
        SubOrderState.IN_SERVICE: "blue",
        SubOrderState.RETURN_REQUESTED: "amber",
        SubOrderState.FINISHED: "green",
    },
    ASSIGNMENT.name: {AssignmentState.OFFERED: "amber", AssignmentState.TAKEN: "blue"},
}
# The light as the clock chip of templates/components names it; a clock that stands still has no light.
LIGHTS = {clocks.GREEN: "green", clocks.YELLOW: "amber", clocks.RED: "red"}


@dataclass(frozen=True)
class Chip:
    label: str
    tone: str = "grey"


@dataclass(frozen=True)
class Clock:
    """`colour` is empty when no clock runs; `left` in words."""

    colour: str = ""
    left: str = ""


@dataclass(frozen=True)
class Button:
    label: str
    url: str
    kind: str = "plain"
    whose: str = ""


@dataclass(frozen=True)
class Card:
    title: str
    url: str
    code: str
    chips: list[Chip]
    clock: Clock
    place: list[str]
    meta: list[str]
    buttons: list[Button] = field(default_factory=list)


def demand_url(demand: Demand) -> str:
    return reverse("mobile:demand", args=[demand.code])


def move_url(demand: Demand, action: Action) -> str:
    return f"{reverse('mobile:move', args=[demand.code, action.row.name])}?on={action.key}"


def button(demand: Demand, action: Action, *, kind: str = "", whose: bool = False) -> Button:
    return Button(
        label=str(action.row.label),
        url=move_url(demand, action),
        kind=kind or action.row.tone,
        whose=action.whose if whose else "",
    )


def state_chip(target: Target) -> Chip:
    flow = BY_MODEL[type(target)]
    return Chip(flow.state_label(target.state), TONES[flow.name].get(target.state, "grey"))


def demand_clock(demand: Demand, now: datetime.datetime) -> Clock:
    """The clock that runs: of the next step while somebody has to make one, else of the service."""
    if demand.parked_until and demand.parked_until > timezone.localdate(now):
        return Clock(left=_("挂账至%(day)s") % {"day": date_words(demand.parked_until)})
    if demand.step_due_at is not None:
        colour = clocks.RED if now > demand.step_due_at else clocks.GREEN
        return Clock(LIGHTS[colour], time_left_words(demand.step_due_at, now))
    if demand.due_at is not None and demand.finished_at is None and demand.is_open:
        return Clock(LIGHTS[clocks.colour(demand, now)], time_left_words(demand.due_at, now))
    return Clock()


def suborder_clock(suborder: SubOrder, now: datetime.datetime) -> Clock:
    """Until it is signed the limit for signing runs before the other."""
    if not suborder.is_running or suborder.due_at is None:
        return Clock()
    light = clocks.colour(suborder, now)
    if suborder.signed_at is None and suborder.sign_due_at is not None and now <= suborder.due_at:
        late = now > suborder.sign_due_at
        words = _("签收%(left)s") % {"left": time_left_words(suborder.sign_due_at, now)}
        return Clock(LIGHTS[clocks.RED if late else light], words)
    return Clock(LIGHTS[light], time_left_words(suborder.due_at, now))


def flags(demand: Demand) -> list[Chip]:
    """What must not be overlooked, whatever the state."""
    found = []
    if demand.supervised_at is not None:
        found.append(Chip(_("督办中"), "red"))
    if demand.whistled_at is not None:
        found.append(Chip(_("吹哨中"), "amber"))
    if demand.desk != Desk.COMMUNITY and demand.state in (DemandState.ACCEPTED, DemandState.PUBLISHED):
        found.append(Chip(_("已上报%(desk)s") % {"desk": demand.get_desk_display()}, "amber"))
    if demand.urgency == Urgency.URGENT and demand.is_open:
        found.append(Chip(_("紧急"), "red"))
    if demand.solved is False and demand.is_open:
        found.append(Chip(_("居民说没解决"), "amber"))
    return found


def demand_card(demand: Demand, user: User, now: datetime.datetime) -> Card:
    """A card of a demand from `selectors.with_buttons`."""
    action = selectors.next_action([Action(row, demand) for row in DEMAND.available(demand, user)])
    return Card(
        title=demand.title,
        url=demand_url(demand),
        code=demand.code,
        chips=[state_chip(demand), *flags(demand)],
        clock=demand_clock(demand, now),
        place=steps_of(demand.node.path),
        meta=[demand.category.name, *([demand.lead_unit.label] if demand.lead_unit else [])],
        buttons=[button(demand, action, kind="main")] if action else [],
    )


def suborder_card(suborder: SubOrder, user: User, now: datetime.datetime) -> Card:
    """A card of what a unit was given; needs `with_faces` and the assignments."""
    demand = suborder.demand
    action = selectors.next_action([Action(row, suborder) for row in SUBORDER.available(suborder, user)])
    waiting = [Chip(_("延期待审核"), "amber")] if suborder.extension_waiting else []
    return Card(
        title=demand.title,
        url=demand_url(demand),
        code=demand.code,
        chips=[state_chip(suborder), *waiting, *flags(demand)],
        clock=suborder_clock(suborder, now),
        place=steps_of(demand.node.path),
        meta=[demand.category.name, f"{suborder.unit.label}（{suborder.get_role_display()}）"],
        buttons=[button(demand, action, kind="main")] if action else [],
    )


def assignment_card(assignment: Assignment, user: User, now: datetime.datetime) -> Card:
    """A card of what a member was asked to do. Asked, never ordered: declining stands beside taking."""
    suborder = assignment.suborder
    demand = suborder.demand
    actions = [Action(row, assignment) for row in ASSIGNMENT.available(assignment, user)]
    actions += [Action(row, suborder) for row in SUBORDER.available(suborder, user)]
    main = selectors.next_action(actions)
    buttons = [button(demand, main, kind="main")] if main else []
    buttons += [button(demand, action) for action in actions if action.target is assignment and action != main]
    return Card(
        title=demand.title,
        url=demand_url(demand),
        code=demand.code,
        chips=[state_chip(assignment), *flags(demand)],
        clock=suborder_clock(suborder, now) if suborder.signed_at else Clock(),
        place=steps_of(demand.node.path),
        meta=[demand.category.name, suborder.unit.label],
        buttons=buttons,
    )


def buttons_of(page: Any) -> list[Button]:
    """The buttons of the object page: the next step first, what refuses or stops last."""
    main = selectors.next_action(page.actions)
    names = [action.row.name for action in page.actions]
    found = []
    for action in page.actions:
        kind = "main" if action == main else "danger" if action.row.tone == "danger" else "plain"
        found.append(button(page.demand, action, kind=kind, whose=names.count(action.row.name) > 1))
    order = {"main": 0, "plain": 1, "danger": 2}
    return sorted(found, key=lambda one: order[one.kind])


def limit_words(target: Demand | SubOrder) -> str:
    return datetime_words(target.due_at) if target.due_at else ""
