"""`/m/care/`: the households a keeper looks after, as the quarter's worklist. Works without JavaScript.

Nothing typed here is kept on the phone as a draft, no address and no message names anybody, and what is revealed stands in
one answer alone.
"""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed, Shown
from core.errors import Conflict, Forbidden, NotFound
from core.masking import is_mobile
from core.models import User
from core.periods import date_words
from core.phone import person, phone_page
from core.phone_deeds import do_deed
from grids import care_deeds, care_selectors
from grids.care import CareState, erased_on, states_of, waiting_for
from grids.models import CareHousehold, CareKind
from grids.naming import steps_of
from grids.posts import ERASE_CARE, MANAGE_CARE, VIEW_CARE

PER_PAGE = 20
MOST_VISITS = 10
TONES = {
    CareState.EXPIRED: "red",
    CareState.TO_VISIT: "amber",
    CareState.EXPIRING: "amber",
    CareState.TO_CONFIRM: "blue",
}


@dataclass(frozen=True)
class Card:
    """A household in the list; `main` is the one thing to do next."""

    household: CareHousehold
    states: list[tuple[str, str]]
    needs: list[str]
    place: list[str]
    visited: str
    main: Deed

    @property
    def main_url(self) -> str:
        return deed_url(self.household, self.main)


def deed_url(household: CareHousehold, deed: Deed) -> str:
    return reverse("mobile:care_deed", args=[household.pk, deed.name])


def card_of(household: CareHousehold) -> Card:
    """Needs must be loaded. Of one that has run out only the door is left to tell."""
    states = states_of(household, timezone.localdate())
    expired = states == [CareState.EXPIRED]
    kinds = {need.kind for need in household.needs.all()}
    visited = _("最近走访 %(day)s") % {"day": date_words(household.last_visit_on)} if household.last_visit_on else ""
    return Card(
        household=household,
        states=[(str(state.label), TONES[state]) for state in states] or [(_("本季度已核实"), "green")],
        needs=[] if expired else [str(label) for kind, label in CareKind.choices if kind in kinds],
        # The community is known to whoever is there; what is walked to is the rest.
        place=steps_of(household.node.path)[2:],
        visited="" if expired else visited or _("还没有走访过"),
        main=care_deeds.VISIT if CareState.TO_VISIT in states else care_deeds.CONFIRM,
    )


@phone_page
@require_safe
def households(request: HttpRequest) -> HttpResponse:
    """What waits first: what would be erased, what is overdue for a visit, what the quarter still has to confirm."""
    user = _carer(request)
    day = timezone.localdate()
    everybody = request.GET.get("all") == "1"
    rows = care_selectors.managed(user).select_related("node").prefetch_related("needs")
    if not everybody:
        rows = rows.filter(care_selectors.something_waits(day))
    pressing = Case(
        When(waiting_for(CareState.EXPIRED, day), then=Value(0)),
        When(waiting_for(CareState.TO_VISIT, day), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    number = _page(request)
    start = (number - 1) * PER_PAGE
    found = list(rows.order_by(pressing, "next_visit_on", "room", "pk")[start : start + PER_PAGE + 1])
    query = {"all": "1"} if everybody else {}
    context = {
        "title": _("关爱走访"),
        "back": reverse("mobile:todo"),
        "cards": [card_of(one) for one in found[:PER_PAGE]],
        "everybody": everybody,
        "progress": care_selectors.summary_of(user),
        "may_erase": policies.holds(user, ERASE_CARE),
        "previous_url": "?" + urlencode({**query, "page": number - 1}) if number > 1 else "",
        "next_url": "?" + urlencode({**query, "page": number + 1}) if len(found) > PER_PAGE else "",
    }
    return phone.show(request, "grids/mobile/care_list.html", context, active="todo")


@phone_page
@require_safe
def household(request: HttpRequest, pk: int) -> HttpResponse:
    """One household: what is needed, when somebody was there, what can be done."""
    user = _carer(request)
    one = _find(user, pk)
    card = card_of(one)
    expired = one.expires_on <= timezone.localdate()
    visits = [] if expired else list(one.visits.select_related("visited_by")[:MOST_VISITS])
    buttons = [
        {"label": deed.label, "url": deed_url(one, deed), "kind": "main" if deed is card.main else _kind(deed)}
        for deed in care_deeds.DEEDS
        if deed.may(user, one)
    ]
    context = {
        "household": one,
        "card": card,
        "place": steps_of(one.node.path),
        "expired": expired,
        "erased_on": date_words(erased_on(one)),
        "days": {
            "next": date_words(one.next_visit_on) if one.next_visit_on else "",
            "consent": date_words(one.consent_on),
            "confirmed": date_words(one.confirmed_on),
            "expires": date_words(one.expires_on),
        },
        "visits": [
            {
                "what": _("走访"),
                "who": visit.visited_by.name if visit.visited_by else "",
                "day": date_words(visit.visited_on),
                "text": visit.text,
            }
            for visit in visits
        ],
        "buttons": sorted(buttons, key=lambda button: _ORDER[str(button["kind"])]),
    }
    return phone.show(request, "grids/mobile/care_household.html", context, active="todo")


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Another household, at one of the person's own places."""
    _carer(request)
    return _do(request, care_deeds.REGISTER, None)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One thing to do, on one screen."""
    user = _carer(request)
    deed = next((deed for deed in care_deeds.DEEDS if deed.name == name), None)
    if deed is None:
        raise NotFound(_("没有这个操作。"))
    one = _find(user, pk)
    policies.require(user, deed.right, one)
    if not deed.is_offered(one):
        return phone.conflict(request, Conflict(_("这户的登记已到期，请先上门核实，再办其他事。")), _page_of(one))
    return _do(request, deed, one)


def _do(request: HttpRequest, deed: Deed, one: CareHousehold | None) -> HttpResponse:
    return do_deed(
        request,
        deed,
        one,
        template="grids/mobile/care_deed.html",
        back=_page_of(one),
        context={"household": one, "place": steps_of(one.node.path) if one else []},
        active="todo",
        done=lambda result: _done(request, deed, one, result),
    )


def _done(request: HttpRequest, deed: Deed, one: CareHousehold | None, result: Any) -> HttpResponse:
    if isinstance(result, Shown):
        # Shown once, in this answer alone: nothing personal goes into the session or an address.
        number = next((value for _label, value in result.lines if is_mobile(value)), "")
        place = steps_of(one.node.path) if one else []
        context = {"shown": result, "number": number, "place": place, "back": _page_of(one)}
        response = phone.show(request, "grids/mobile/care_shown.html", context, active="todo")
        response.headers["Cache-Control"] = "private, no-store"
        return response
    messages.success(request, str(deed.done))
    if isinstance(result, CareHousehold):
        return redirect("mobile:care_household", result.pk)
    return redirect("mobile:care") if deed is care_deeds.ERASE else redirect(_page_of(one))


def _page_of(one: CareHousehold | None) -> str:
    return reverse("mobile:care_household", args=[one.pk]) if one else reverse("mobile:care")


def _carer(request: HttpRequest) -> User:
    """Who looks after households. Raises Forbidden for everybody else on the phone."""
    user = person(request)
    if not policies.holds(user, VIEW_CARE):
        raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(VIEW_CARE)})
    return user


def _find(user: User, pk: int) -> CareHousehold:
    rows = CareHousehold.objects.visible_to(user).filter(pk=pk)
    found = rows.select_related("node", "community").prefetch_related("needs").first()
    if found is None:
        raise NotFound(_("没有找到这户。可能已被删除，或不在您的管辖范围内。"))
    return found


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 and int(text) else 1


def _kind(deed: Deed) -> str:
    return "danger" if deed.tone == "danger" else "plain"


_ORDER = {"main": 0, "plain": 1, "danger": 2}


def _way(user: User) -> list[phone.Way]:
    """The way to the worklist, for whoever looks after households."""
    if not policies.holds(user, MANAGE_CARE):
        return []
    summary = care_selectors.summary_of(user)
    words = {"quarter": summary.quarter.label, "done": summary.done, "total": summary.total}
    note = _("%(quarter)s已核实 %(done)d / %(total)d 户") % words if summary.total else _("还没有登记家庭")
    counted = _("户等您走访或核实")
    return [phone.Way(_("关爱走访"), reverse("mobile:care"), "care", note, summary.waiting, counted, waits=True)]


def register_ways() -> None:
    """Puts the worklist on the phone's first page; called once from `apps.py`."""
    phone.count_waiting("care", lambda user: care_selectors.summary_of(user).waiting)
    phone.offer_ways("care", _way)
