"""`/m/`: what members, liaisons, unit staff and grid keepers carry in their pocket; cadres as well.

Buttons come from the workflow tables, every change is `services.actions.move` or `raise_demand`. Posts answer with a
redirect: WeChat's back button must never send a form again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t
from django.views.decorators.http import require_http_methods, require_safe

from core import notices, phone, policies
from core.errors import Conflict, DomainError, InvalidTransition, NotFound
from core.models import User
from core.phone import person, phone_page
from grids.models import Appointment, GridNode
from grids.naming import steps_of
from partybuilding.models import Member, UnitMembership
from partybuilding.policies import UnitScope
from services import posts
from services.actions import move, raise_demand, reveal_contact
from services.forms import MoveForm, RaiseForm, RevealForm, show_refusal
from services.models import Demand, DemandEvent, Origin, Satisfaction, SubOrder
from services.selectors import loop as selectors
from services.selectors.loop import Action, DemandPage, Target
from services.views import cards
from services.views.demand_rates import climb_of, rung_chips
from services.views.hints import NONE, Hints, hints_of
from services.views.photos import picture
from services.workflow import BY_MODEL

# Cards of one kind on the first page; the most urgent ones, the rest moves up as they are done.
MOST = 30
_NOTHING = {
    "unit": t("还没有单位在这里报到，不能派单。请先在干部工作台办理单位报到。"),
    "members": t("本单位的党员都已经安排过，或者还没有开通账号。等他们回应，或请县级管理员开通账号。"),
}
PLACES = 60


def show(
    request: HttpRequest, template: str, context: dict[str, Any], *, active: str, status: int = 200
) -> HttpResponse:
    """A phone page of this floor."""
    return phone.show(request, f"services/mobile/{template}.html", context, active=active, status=status)


# --- 待办 -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Group:
    """Cards under one heading; `more` when there are others behind them."""

    label: str
    cards: list[cards.Card]
    more: bool = False


@phone_page
@require_safe
def todo(request: HttpRequest) -> HttpResponse:
    """What waits for the person, by the clock."""
    user = person(request)
    mine = (
        selectors.demands_raised_by(user).open() if policies.holds(user, posts.RAISE_DEMAND) else Demand.objects.none()
    )
    groups = [
        _group(
            _("请您参加的服务"),
            selectors.assignments_waiting(user).prefetch_related("suborder__assignments"),
            cards.assignment_card,
            user,
        ),
        _group(
            _("本单位的派单"),
            selectors.suborders_waiting(user).prefetch_related("assignments"),
            cards.suborder_card,
            user,
        ),
        _group(_("等社区办理"), selectors.with_buttons(selectors.demands_waiting(user)), cards.demand_card, user),
    ]
    ways = phone.waiting_ways(user)
    waiting = sum(len(group.cards) for group in groups) + sum(way.count for way in ways if way.waits)
    raised = _group(_("我上报的，正在办"), selectors.with_buttons(mine), cards.demand_card, user, most=10)
    context = {
        "groups": [group for group in groups if group.cards],
        "raised": raised,
        "todo_count": f"{waiting}+" if any(group.more for group in groups) else waiting,
        "may_claim": policies.holds(user, posts.CLAIM_DEMAND),
        "in_unit": any(isinstance(scope, UnitScope) for scope in policies.scopes(user, posts.VIEW_DEMAND)),
        "may_raise": policies.holds(user, posts.RAISE_DEMAND),
        "ways": ways,
    }
    return render(request, "services/mobile/todo.html", {"active": "todo", **context})


def _group(label: str, rows: Any, face: Callable[..., cards.Card], user: User, *, most: int = MOST) -> Group:
    now = timezone.now()
    found = list(rows[: most + 1])
    return Group(label, [face(row, user, now) for row in found[:most]], len(found) > most)


# --- One demand -----------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def demand(request: HttpRequest, code: str) -> HttpResponse:
    """A demand as the person may see it, with what they can do now."""
    user = person(request)
    page = selectors.demand_page(user, code=code)
    now = timezone.now()
    found = page.demand
    raised = [event for event in page.events if event.name == "raise"]
    context = {
        "page": page,
        "demand": found,
        "place": steps_of(found.node.path),
        "chips": [cards.state_chip(found), *cards.flags(found), *_rung(page)],
        "clock": cards.demand_clock(found, now),
        "due": cards.limit_words(found),
        "buttons": cards.buttons_of(page),
        "pictures": [picture(photo) for event in raised for photo in event.photos.all()],
        "suborders": [_suborder(row, now) for row in page.suborders],
        "events": [_event(event) for event in page.events],
        "may_reveal": not page.summary and _has_contact(found) and selectors.may_reveal(user, found),
        "has_contact": _has_contact(found),
        "supervision": _supervision(page),
        "satisfaction": dict(Satisfaction.choices).get(found.satisfaction, ""),
    }
    return show(request, "demand", context, active="todo")


def _rung(page: DemandPage) -> list[cards.Chip]:
    return [] if page.summary else [cards.Chip(*one) for one in rung_chips(climb_of(page.demand))]


def _has_contact(found: Demand) -> bool:
    return bool(found.contact_phone or found.contact_name)


def _suborder(row: SubOrder, now: Any) -> dict[str, Any]:
    return {
        "row": row,
        "chip": cards.state_chip(row),
        "clock": cards.suborder_clock(row, now),
        "due": cards.limit_words(row),
        "people": [(one.member.name, cards.state_chip(one)) for one in row.assignments.all()],
    }


def _event(event: DemandEvent) -> dict[str, Any]:
    return {
        "what": event.title,
        "who": event.actor_name,
        "when": event.at,
        "why": event.text,
        "pictures": [picture(photo) for photo in event.photos.all()],
    }


def _supervision(page: DemandPage) -> str:
    """What was asked, while the answer is awaited."""
    if page.demand.supervised_at is None:
        return ""
    asked = [event.text for event in page.events if event.name == "supervise"]
    return asked[-1] if asked else ""


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def make_move(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """One move on one screen. `on` in the address names the object; the version travels in the form."""
    user = person(request)
    found = selectors.find_demand(user, code=code)
    target = selectors.target_for(user, found, name, key=request.GET.get("on", ""))
    try:
        action = _action(user, target, name)
        hints = _hints(request, found, action)
        form = MoveForm(
            request.POST or None, request.FILES or None, action=action, user=user, initial=dict(hints.initial)
        )
        status = 200
        if request.method == "POST":
            status = 400
            if form.is_valid():
                return _made(request, found, action, form)
    except Conflict as error:
        return _conflict(request, found, error)
    except DomainError as error:
        if request.method != "POST" or error.status not in (400, 413):
            raise
        show_refusal(form, error)
        status = error.status
    if request.FILES and "photos" in form.fields:
        form["photos"].help_text = _("照片没有保存，请重新选一次；最多 6 张。")
    context = {
        "demand": found,
        "place": steps_of(found.node.path),
        "action": action,
        "form": form,
        "draft": _draft(found, action),
        "whose": action.whose,
        "nothing": _nothing_to_choose(form),
        "hints": hints,
        "back": cards.demand_url(found),
    }
    return show(request, "move", context, active="todo", status=status)


def _hints(request: HttpRequest, found: Demand, action: Action) -> Hints:
    """What stands beside the form; a form that was sent is decided already."""
    if request.method == "POST":
        return NONE
    return hints_of(
        person(request),
        action,
        request.GET.dict(),
        demand_url=cards.demand_url,
        link_url=f"{reverse('mobile:move', args=[found.code, 'link'])}?on=demand",
    )


def _action(user: Any, target: Target, name: str) -> Action:
    """The button, if it can be pressed; a form is not shown for a move that would be refused."""
    row = BY_MODEL[type(target)].may(target, name, actor=user)
    if row.guard is not None and (reason := row.guard(target, user)) is not None:
        raise InvalidTransition(reason, code="guard")
    return Action(row, target)


def _made(request: HttpRequest, found: Demand, action: Action, form: MoveForm) -> HttpResponse:
    version = form.cleaned_data["version"]
    move(actor=person(request), target=action.target, name=action.row.name, data=form.move_data(), version=version)
    # The page that follows forgets the draft (templates/base_mobile.html).
    done = _("“%(move)s”已办好。") % {"move": action.row.label}
    messages.success(request, done, extra_tags=_draft(found, action))
    # Who declines no longer knows of the matter.
    if Demand.objects.visible_to(request.user).filter(pk=found.pk).exists():
        return redirect(cards.demand_url(found))
    return redirect("mobile:todo")


def _nothing_to_choose(form: MoveForm) -> str:
    """What to do first, where a required choice has nothing in it."""
    for name, words in _NOTHING.items():
        field: Any = form.fields.get(name)
        if field is not None and field.required and not field.queryset.exists():
            return str(words)
    return ""


def _draft(found: Demand, action: Action) -> str:
    return f"{found.code}-{action.row.name}-{action.key}"


def _conflict(request: HttpRequest, found: Demand, error: Conflict) -> HttpResponse:
    return phone.conflict(request, error, cards.demand_url(found))


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def contact(request: HttpRequest, code: str) -> HttpResponse:
    """Name and telephone of the resident, after a reason; each look is written down (`reveal_contact`)."""
    user = person(request)
    found = selectors.find_demand(user, code=code)
    policies.require(user, posts.REVEAL_CONTACT, found)
    form = RevealForm(request.POST or None)
    revealed = None
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            # Shown once, in this answer alone: nothing personal goes into the session or an address.
            revealed = reveal_contact(actor=user, demand=found, reason=form.reason)
            status = 200
    context = {
        "demand": found,
        "place": steps_of(found.node.path),
        "form": form,
        "contact": revealed,
        "back": cards.demand_url(found),
    }
    response = show(request, "contact", context, active="todo", status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response


# --- 上报 -----------------------------------------------------------------------------------------------------------


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """A keeper raises a demand at a place of their own."""
    user = person(request)
    if not policies.holds(user, posts.RAISE_DEMAND):
        return show(request, "report_closed", {}, active="report")
    node = _place(user, request.GET.get("at", ""))
    if node is None or node.community_id is None:
        return redirect("mobile:report_place")
    categories = selectors.categories_for(node.county_id)
    form = RaiseForm(request.POST or None, request.FILES or None, categories=categories, county_id=node.county_id)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            given = dict(form.cleaned_data)
            given["once"] = f"{user.pk}:{given['once']}"
            origin = Origin.CADRE if user.is_staff else Origin.KEEPER
            try:
                raised = raise_demand(actor=user, node=node, origin=origin, **given)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, _("已上报，编号 %(code)s。") % {"code": raised.code}, extra_tags="report")
                return redirect(cards.demand_url(raised))
    if request.FILES:
        form["photos"].help_text = _("照片没有保存，请重新选一次；最多 6 张。")
    context = {
        "form": form,
        "categories": categories,
        "node": node,
        "place": steps_of(node.path),
    }
    return show(request, "report", context, active="report", status=status)


def _place(user: User, pk: str) -> GridNode | None:
    """The place asked for, or the first one where the user holds a post. Raises `NotFound` outside their places."""
    nodes = GridNode.objects.standing().select_related("community")
    if not pk:
        mine = selectors.places_to_raise(user).select_related("community")
        return mine.order_by("-depth", "tree_id", "lft").first()
    found = None
    if pk.isascii() and pk.isdigit() and len(pk) < 19:
        found = nodes.filter(policies.within(GridNode, user, posts.RAISE_DEMAND), pk=int(pk)).first()
    if found is None:
        raise NotFound(_("没有找到这个地点，或不在您的管辖范围内。"))
    return found


@phone_page
@require_safe
def report_place(request: HttpRequest) -> HttpResponse:
    """Another place to report: one's own places, and step by step what lies in them."""
    user = person(request)
    if not policies.holds(user, posts.RAISE_DEMAND):
        return redirect("mobile:report")
    inside = request.GET.get("in", "")
    node = _place(user, inside) if inside else None
    rows = GridNode.objects.standing().filter(parent=node) if node else selectors.places_to_raise(user)
    number = lists_number(request)
    found = list(rows.order_by("tree_id", "lft")[(number - 1) * PLACES : number * PLACES + 1])
    query = f"in={node.pk}&" if node else ""
    context = {
        "node": node,
        "place": steps_of(node.path) if node else [],
        "rows": found[:PLACES],
        "up": node.parent_id if node and _is_mine(user, node.parent) else None,
        "previous_url": f"?{query}page={number - 1}" if number > 1 else "",
        "next_url": f"?{query}page={number + 1}" if len(found) > PLACES else "",
    }
    return show(request, "report_place", context, active="report")


def _is_mine(user: User, node: GridNode | None) -> bool:
    return node is not None and policies.can(user, posts.RAISE_DEMAND, node)


def lists_number(request: HttpRequest) -> int:
    """The page asked for; the first one for anything that is no number."""
    text = request.GET.get("page", "")
    return min(int(text), 1000) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1


# --- 我的 -----------------------------------------------------------------------------------------------------------


@phone_page
@require_safe
def me(request: HttpRequest) -> HttpResponse:
    """What one holds, and the switches of one's own account."""
    user = person(request)
    held = Appointment.objects.current().filter(user=user).select_related("node", "county")
    units = UnitMembership.objects.current().filter(user=user).select_related("unit")
    member = Member.objects.active().filter(user=user).select_related("unit", "branch").first()
    context = {
        "appointments": [
            (row, steps_of(row.node.path) if row.node else [row.county.name if row.county else ""]) for row in held
        ],
        "units": units,
        "member": member,
        "unread": notices.unread_count(user),
        "ways": phone.ways(user),
    }
    return show(request, "me", context, active="me")
