"""One move on one page of the admin, and the look at a resident's contact.

`/admin/services/demand/<pk>/move/<name>/?on=<key>` shows the form drawn from the workflow table; posting it is
`services.actions.move` with the version the person saw. A page that has grown old gets a 409 that shows how things are.
"""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import ScopedModelAdmin
from core.deeds import Shown
from core.errors import Conflict, DomainError, InvalidTransition
from services import posts
from services.actions import move, reveal_contact
from services.forms import MoveForm, RevealForm, show_refusal
from services.models import Demand
from services.selectors import loop as selectors
from services.selectors.loop import Action, Target
from services.views import admin_demand, cards
from services.views.hints import NONE, Hints, hints_of
from services.workflow import BY_MODEL


def pressed(user: Any, target: Target, name: str) -> Action:
    """The button, if it can be pressed. Raises what the move itself would be refused with."""
    row = BY_MODEL[type(target)].may(target, name, actor=user)
    if row.guard is not None and (reason := row.guard(target, user)) is not None:
        raise InvalidTransition(reason, code="guard")
    return Action(row, target)


def move_view(page: ScopedModelAdmin, request: HttpRequest, pk: int, name: str) -> HttpResponse:
    if not page.sees_list(request.user):
        raise PermissionDenied
    demand = admin_demand.find(request, pk)
    target = selectors.target_for(request.user, demand, name, key=request.GET.get("on", ""))
    sent, status = request.method == "POST", 200
    try:
        action = pressed(request.user, target, name)
        hints = _hints(page, request, action)
        form = MoveForm(
            request.POST if sent else None,
            request.FILES if sent else None,
            action=action,
            user=request.user,
            initial=dict(hints.initial),
        )
        if sent:
            status = 400
            if form.is_valid():
                return _moved(page, request, demand, action, form)
    except Conflict as error:
        return conflict(page, request, pk, error)
    except DomainError as error:
        if not sent or error.status not in (400, 413):
            raise
        show_refusal(form, error)
        status = error.status
    return page.render(
        request, "admin/move.html", {**_context(page, demand, action, form), "hints": hints}, status=status
    )


def _hints(page: ScopedModelAdmin, request: HttpRequest, action: Action) -> Hints:
    """What stands beside the form; a form that was sent is decided already."""
    if request.method == "POST":
        return NONE
    return hints_of(
        request.user,
        action,
        request.GET.dict(),
        demand_url=lambda demand: page.url("change", demand.pk),
        link_url=f"{page.url('move', action.target.pk, 'link')}?on=demand",
    )


def _moved(
    page: ScopedModelAdmin, request: HttpRequest, demand: Demand, action: Action, form: MoveForm
) -> HttpResponse:
    data, version = form.move_data(), form.cleaned_data["version"]
    move(actor=request.user, target=action.target, name=action.row.name, data=data, version=version)  # type: ignore[arg-type]
    messages.success(request, _("“%(move)s”已办好：%(title)s") % {"move": action.row.label, "title": demand.title})
    # Who gave it to another community no longer sees it.
    seen = Demand.objects.visible_to(request.user).filter(pk=demand.pk).exists()
    return redirect(page.url("change", demand.pk) if seen else page.url("changelist"))


def _context(page: ScopedModelAdmin, demand: Demand, action: Action, form: MoveForm) -> dict[str, Any]:
    return {
        "title": f"{action.row.label}：{demand.title}",
        "original": demand,
        "deed": {"label": action.row.label, "tone": action.row.tone, "help": action.row.help},
        "clock_words": action.row.clock,
        "whose": action.whose,
        "form": form,
        "chip": cards.state_chip(demand),
        "clock": cards.demand_clock(demand, timezone.now()),
        "back": page.url("change", demand.pk),
    }


def conflict(page: ScopedModelAdmin, request: HttpRequest, pk: int, error: Conflict) -> HttpResponse:
    """What was refused and why, and how the matter stands now: state, last steps, what can be done."""
    found = selectors.demand_page(request.user, pk=pk)
    context = {
        "title": _("这件事刚才有了变化"),
        "original": found.demand,
        "error": error,
        "chip": cards.state_chip(found.demand),
        "events": [admin_demand.line(event) for event in found.events[-3:]],
        "buttons": admin_demand.buttons(page, found),
        "back": page.url("change", pk),
    }
    return page.render(request, "admin/conflict.html", context, status=error.status)


def contact_view(page: ScopedModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """Name and telephone of the resident, after a reason; each look is written down."""
    if not page.sees_list(request.user):
        raise PermissionDenied
    demand = admin_demand.find(request, pk)
    policies.require(request.user, posts.REVEAL_CONTACT, demand)
    sent, status = request.method == "POST", 200
    form = RevealForm(request.POST if sent else None)
    if sent and form.is_valid():
        contact = reveal_contact(actor=request.user, demand=demand, reason=form.reason)  # type: ignore[arg-type]
        shown = Shown(
            _("联系方式：%(title)s") % {"title": demand.title},
            ((_("联系人"), contact.name or "—"), (_("联系电话"), contact.phone or "—")),
            _("只显示这一次，查看已记入审计。请勿截图转发。"),
        )
        context = {"title": shown.title, "shown": shown, "list_url": page.url("change", pk)}
        response = page.render(request, "admin/shown.html", context)
    else:
        status = 400 if sent else 200
        deed = {
            "label": _("查看联系方式"),
            "help": _("居民的姓名和电话只为办理这件事使用。每次查看都会记下您的姓名、时间和理由。"),
        }
        context = {"title": f"{deed['label']}：{demand.title}", "original": demand, "deed": deed, "form": form}
        response = page.render(request, "admin/deed.html", {**context, "back": page.url("change", pk)}, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    return response
