"""`/r/`: what residents use without an account. Order by the building's code, follow by one's own, evaluate.

Every post answers with a redirect, so that the back button of WeChat never sends a form again; a form sent twice
orders once (`raise_demand(once=...)`). What is shown here was meant for the resident: no names, no telephone numbers
of others, no notes between offices.
"""

import datetime
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_http_methods, require_safe

from core.actors import RESIDENT
from core.codes import format_follow_code, parse_place_token
from core.errors import Conflict, DomainError, Invalid, InvalidTransition, NotFound, Throttled
from core.periods import date_words, moment_words
from grids.cards import card_of
from grids.models import GridNode
from grids.naming import steps_of
from grids.selectors import heir_of
from services.actions import move, raise_demand
from services.clocks import limits_of
from services.forms import CodeForm, MoveForm, OrderForm, show_refusal
from services.models import Demand, DemandEvent, DemandState, Origin
from services.selectors import loop as selectors
from services.views import following
from services.views.photos import resident_picture
from services.views.qr import drawing, public_address
from services.workflow import DEMAND

View = Callable[..., HttpResponse]

# The state in words for somebody who knows no states. `unit` and `promise` are filled in.
SENTENCES: dict[str, Any] = {
    DemandState.REGISTERED: t("已经登记，等社区受理。%(promise)s。"),
    DemandState.DECLINED: t("社区没有受理这件事，原因写在下面。"),
    DemandState.ACCEPTED: t("社区已经受理，正在安排单位。"),
    DemandState.PUBLISHED: t("社区已经受理，正在请报到单位认领。"),
    DemandState.DISPATCHED: t("%(unit)s正在办理。"),
    DemandState.FINISHED: t("已经办结，社区正在核查。"),
    DemandState.CHECKED: t("已经办结，请您评价。"),
    DemandState.CLOSED_OFF: t("这件事已经办完。"),
    DemandState.WITHDRAWN: t("这件事已经撤回。"),
    DemandState.LINKED: t("有邻居反映了同一件事，已经合在一起办，办到哪一步看下面。"),
}
# Time of the demand -> how the step is called before, while and after.
_STEPS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("registered_at", {"todo": t("登记"), "now": t("登记"), "done": t("已登记")}),
    ("accepted_at", {"todo": t("受理"), "now": t("待受理"), "done": t("已受理")}),
    ("dispatched_at", {"todo": t("服务"), "now": t("服务中"), "done": t("已服务")}),
    ("finished_at", {"todo": t("办结"), "now": t("待办结"), "done": t("已办结")}),
    ("closed_at", {"todo": t("销号"), "now": t("待销号"), "done": t("已销号")}),
)
_SERVING = 2
_THANKS = {
    "evaluate": t("谢谢您的评价，社区已经看到。"),
    "withdraw": t("已经撤回，不再办理。"),
    "reopen": t("已经重启，承办单位会继续办理。"),
}


def resident_page(view: View) -> View:
    """A page without sign-in: refusals lead back to where a resident can go on, nothing is kept by caches between."""

    @wraps(view)
    def page(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = view(request, *args, **kwargs)
        except NotFound as error:
            form = CodeForm(initial={"code": kwargs.get("code", "")})
            response = render(request, "services/resident/lost.html", {"error": error, "form": form}, status=404)
        except Throttled as error:
            response = render(request, "services/resident/slow_down.html", {"error": error}, status=429)
            response.headers["Retry-After"] = str(error.retry_after)
        response.headers["X-Robots-Tag"] = "noindex"
        return response

    return cache_control(private=True, no_cache=True)(page)


# --- Ordering -------------------------------------------------------------------------------------------------------


@resident_page
@require_http_methods(["GET", "HEAD", "POST"])
def order(request: HttpRequest, token: str) -> HttpResponse:
    """The page behind a building's QR code."""
    node = selectors.public_place(place_token(token))
    if node.is_retired:
        return to_heir(request, node)
    if node.community_id is None:
        return redirect("resident:inside", node.public_token)
    categories = selectors.categories_for(node.county_id).filter(is_public=True)
    if request.method != "POST":
        return _order_page(request, node, OrderForm(categories=categories))
    following.count_order(request, node.public_token)
    form = OrderForm(request.POST, request.FILES, categories=categories)
    status = 400
    if form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "website"}
        try:
            demand = raise_demand(actor=RESIDENT, node=node, origin=Origin.RESIDENT, **given)
        except DomainError as error:
            show_refusal(form, error)
            status = error.status
        else:
            return redirect("resident:card", demand.follow_code)
    return _order_page(request, node, form, status=status)


def _order_page(request: HttpRequest, node: GridNode, form: OrderForm, *, status: int = 200) -> HttpResponse:
    if request.FILES:
        # A browser never fills in files again.
        form["photos"].help_text = _("照片没有保存，请重新选一次；最多 6 张。")
    context = {
        "form": form,
        "place": steps_of(node.path),
        "node": node,
        "categories": selectors.categories_for(node.county_id).filter(is_public=True),
        "promise": limits_of(node.county_id).promise,
        "card": card_of(node),
    }
    return render(request, "services/resident/order.html", context, status=status)


def place_token(token: str) -> str:
    try:
        return parse_place_token(token)
    except Invalid as error:
        raise NotFound(error.message) from error


def to_heir(request: HttpRequest, node: GridNode) -> HttpResponse:
    """A code on an old door still works: it leads to the place that took over, else to the nearest one above."""
    heir = heir_of(node)
    if heir is None:
        raise NotFound(_("“%(place)s”已经撤销，请在下面重新选择地点。") % {"place": node.name})
    messages.info(request, _("“%(old)s”现在归“%(new)s”，已为您转到新的地点。") % {"old": node.name, "new": heir.name})
    return redirect("resident:order", heir.public_token)


@resident_page
@require_safe
def card(request: HttpRequest, code: str) -> HttpResponse:
    """What a resident takes away: the follow-up code in large figures, as a picture to keep, and the promise."""
    demand = following.followed(request, code)
    context = {
        "demand": demand,
        "place": steps_of(demand.node.path),
        "promise": limits_of(demand.county_id).promise,
        "spoken": format_follow_code(demand.follow_code),
    }
    return render(request, "services/resident/card.html", context)


@resident_page
@require_safe
def card_picture(request: HttpRequest, code: str) -> HttpResponse:
    """The card as one SVG; static/js/keep.js makes the PNG of it that a phone can put among its pictures."""
    demand = following.followed(request, code, counted=False)
    address = public_address(reverse("resident:follow", args=[demand.follow_code]))
    context = {
        "demand": demand,
        "spoken": format_follow_code(demand.follow_code),
        "promise": limits_of(demand.county_id).promise,
        "day": date_words(demand.registered_at),
        "place_lines": _lines(" · ".join(steps_of(demand.node.path)), 20, 2),
        "qr": drawing(address, mark_safe('x="150" y="340" width="300" height="300"')),
    }
    return render(request, "services/resident/card.svg", context, content_type="image/svg+xml")


def _lines(text: str, width: int, most: int) -> list[str]:
    """A picture does not wrap by itself."""
    found = [text[start : start + width] for start in range(0, len(text), width)]
    if len(found) > most:
        found = [*found[: most - 1], found[most - 1][:-1] + "…"]
    return found


# --- Following ------------------------------------------------------------------------------------------------------


@resident_page
@require_http_methods(["GET", "HEAD", "POST"])
def look_up(request: HttpRequest) -> HttpResponse:
    """Where a code is typed in. Leads to its page, which says whether there is one."""
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        return redirect("resident:follow", form.cleaned_data["code"])
    return render(
        request, "services/resident/look_up.html", {"form": form}, status=400 if form.is_bound and form.errors else 200
    )


@resident_page
@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """How far a matter is, and what the resident can say to it now."""
    demand = following.followed(request, code)
    events = selectors.resident_events(demand)
    actions = {action.row.name: action for action in selectors.resident_actions(demand)}
    evaluate = actions.pop("evaluate", None)
    heard = next((row for row in demand.evaluations.all() if row.round == demand.main.round), None)
    context = {
        "demand": demand,
        "place": steps_of(demand.node.path),
        "spoken": format_follow_code(demand.follow_code),
        "sentence": _sentence(demand),
        "steps": _steps(demand),
        "mine": [resident_picture(photo, code) for photo in _photos(events, "raise")],
        "refusals": [event for event in events if event.name == "decline"],
        "results": [_result(event, code) for event in events if event.name == "finish"],
        "evaluate": MoveForm(action=evaluate, user=None) if evaluate else None,
        "heard": heard,
        "actions": list(actions.values()),
        "reopen_days": limits_of(demand.county_id).reopen_days,
    }
    return render(request, "services/resident/follow.html", context)


@resident_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, code: str, name: str) -> HttpResponse:
    """Evaluating, reopening, withdrawing: one screen each."""
    demand = following.followed(request, code)
    action = next((one for one in selectors.resident_actions(demand) if one.row.name == name), None)
    if action is None:
        return _too_late(request, demand, name)
    form = MoveForm(request.POST or None, action=action, user=None)
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                move(actor=RESIDENT, target=demand, name=name, data=form.move_data())
            except Conflict as error:
                return _conflict(request, demand, error)
            except DomainError as error:
                show_refusal(form, error)
                status = error.status
            else:
                messages.success(request, str(_THANKS[name]))
                return redirect("resident:follow", demand.follow_code)
    context = {"demand": demand, "place": steps_of(demand.node.path), "action": action, "form": form}
    return render(request, "services/resident/act.html", context, status=status)


def _too_late(request: HttpRequest, demand: Demand, name: str) -> HttpResponse:
    """The move exists for residents, but not now; any other name is no page."""
    row = DEMAND.find(name)
    if row is None or not row.resident:
        raise NotFound(_("没有这一页。"))
    words = _("这件事现在是“%(state)s”，不能“%(move)s”。") % {
        "state": demand.get_state_display(),
        "move": row.label,
    }
    guarded = row.guard(demand, RESIDENT) if row.guard and demand.state in row.sources else None
    return _conflict(request, demand, InvalidTransition(guarded or words))


def _conflict(request: HttpRequest, demand: Demand, error: DomainError) -> HttpResponse:
    back = reverse("resident:follow", args=[demand.follow_code])
    return render(request, "errors/409.html", {"error": error, "back_url": back}, status=409)


def _sentence(demand: Demand) -> str:
    if demand.parked_until and demand.parked_until > timezone.localdate() and demand.is_open:
        return _("这件事需要等条件成熟，计划%(day)s起继续办理。") % {"day": date_words(demand.parked_until)}
    return str(SENTENCES[demand.state]) % {
        "unit": demand.lead_unit.name if demand.lead_unit else _("承办单位"),
        "promise": limits_of(demand.county_id).promise,
    }


def _steps(demand: Demand) -> list[dict[str, str]]:
    """Five plain steps. Of a matter that was linked to another one: how far the other one is."""
    main = demand.linked_to or demand
    now = timezone.now()
    times: list[datetime.datetime | None] = [getattr(main, name) for name, _words in _STEPS]
    # What was passed over (a matter dispatched by import) counts as passed; a redo takes back what comes after it.
    last = max(number for number, at in enumerate(times) if at is not None)
    found = []
    for number, ((_name, words), at) in enumerate(zip(_STEPS, times, strict=True)):
        state = "done" if number <= last else "todo"
        if main.is_open and number == (last if last == _SERVING else last + 1):
            state = "now"
        found.append({"label": str(words[state]), "state": state, "when": moment_words(at, now) if at else ""})
    return found


def _photos(events: list[DemandEvent], name: str) -> list[Any]:
    return [photo for event in events if event.name == name for photo in event.photos.all()]


def _result(event: DemandEvent, code: str) -> dict[str, Any]:
    return {
        "unit": event.suborder.unit.name if event.suborder else "",
        "text": event.text,
        "at": event.at,
        "pictures": [resident_picture(photo, code) for photo in event.photos.all()],
    }
