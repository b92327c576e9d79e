"""`/m/cases/`: for a unit what it is asked for and helps with, for a community its cases. Works without JavaScript.

Who is only asked sees title, community and what is wanted; everything else is there once the help is taken on.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed
from core.errors import Conflict, Forbidden, NotFound
from core.models import User
from core.periods import date_words
from core.phone import Button, Card, person, phone_page
from core.phone_deeds import do_deed, lead_on
from grids.naming import steps_of
from services import posts
from services.admin.cases import preset
from services.case_deeds import CASE_DEEDS, HELP_DEEDS, OPEN, main_deed
from services.case_faces import case_chip, due_words, event, help_chips
from services.models import CaseState, Help, HelpCase, HelpState
from services.selectors import cases as selectors

PER_PAGE = 20


@phone_page
@require_safe
def cases(request: HttpRequest) -> HttpResponse:
    """The helps of one's units that run; and, for who works in a community, its cases. What is over is one touch away."""
    user = person(request)
    over = request.GET.get("over") == "1"
    manages = policies.holds(user, posts.MANAGE_CASE)
    rows = selectors.cases(user)
    page = None
    if manages or over:
        # Of a unit's own the running ones stand above, one card for each help.
        mine = selectors.over(user) if over else selectors.manages(user) & Q(state=CaseState.OPEN)
        found = rows.filter(mine).order_by("state", "-closed_at" if over else "review_on", "pk")
        page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    context = {
        "title": _("帮扶个案"),
        "helps": [] if over else [_help_card(row) for row in selectors.own_helps(user)[:PER_PAGE]],
        "cards": [_case_card(user, row) for row in page] if page is not None else [],
        "page": page,
        "query": "over=1" if over else "",
        "over": over,
        "manages": manages,
        "is_unit": bool(selectors.units_of(user)),
        "open_url": reverse("mobile:case_open") if manages else "",
    }
    return phone.show(request, "services/cases/mobile_list.html", context, active="me")


def _help_card(row: Help) -> Card:
    asked = row.state == HelpState.ASKED
    return Card(
        title=row.case.title,
        url=reverse("mobile:case", args=[row.case_id]),
        place=steps_of(row.case.community.path),
        chips=[*help_chips(row), (row.get_kind_display(), "grey")],
        meta=[row.unit.label, due_words(row)],
        text=row.wanted if asked else "",
        action=(_("看看再回应"), reverse("mobile:case", args=[row.case_id])) if asked else None,
    )


def _case_card(user: User, row: HelpCase) -> Card:
    managed = policies.can(user, posts.MANAGE_CASE, row)
    step = selectors.next_step(row, list(row.helps.all())) if managed else ("", "")
    meta = [_("%(day)s结案") % {"day": date_words(row.closed_at)}] if row.closed_at else []
    if row.review_on and managed:
        meta.append(_("%(day)s回看") % {"day": date_words(row.review_on)})
    return Card(
        title=row.title,
        url=reverse("mobile:case", args=[row.pk]),
        place=steps_of(row.node.path if managed or selectors.reads(user, row) else row.community.path),
        chips=[case_chip(row), *([step] if step[0] else [])],
        meta=meta,
    )


@phone_page
@require_safe
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """One case, as much of it as the person may know: their own helps with what can be done, the others', the timeline."""
    user = person(request)
    row = selectors.find_case(user, pk)
    whole, managed = selectors.reads(user, row), policies.can(user, posts.MANAGE_CASE, row)
    helps = selectors.helps_shown(user, row)
    mine = selectors.units_of(user)
    main = main_deed(row, helps) if managed else ""
    context = {
        "kind": _("帮扶个案"),
        "name": row.title,
        "back": reverse("mobile:cases"),
        "case": row,
        "whole": whole,
        "managed": managed,
        "place": steps_of(row.node.path if whole else row.community.path),
        "chips": [case_chip(row)],
        "step": selectors.next_step(row, helps) if managed else ("", ""),
        "own": [_shown(user, one, row) for one in helps if one.unit_id in mine],
        "others": [_shown(user, one, row) for one in helps if one.unit_id not in mine],
        "buttons": [
            Button(
                deed.label,
                reverse("mobile:case_move", args=[row.pk, deed.name]),
                "main" if deed.name == main else deed.tone,
            )
            for deed in sorted(CASE_DEEDS, key=lambda one: one.name != main)
            if managed and deed.may(user, row)
        ],
        "events": [event(one) for one in selectors.entries_of(user, row)] if whole else None,
        "review": date_words(row.review_on) if row.review_on and managed else "",
    }
    return phone.show(request, "services/cases/mobile_one.html", context, active="me")


def _shown(user: User, row: Help, case: HelpCase) -> dict[str, Any]:
    row.case = case
    return {
        "help": row,
        "chips": help_chips(row),
        "due": due_words(row),
        "buttons": [
            {"deed": deed, "url": reverse("mobile:help_move", args=[row.pk, deed.name])}
            for deed in HELP_DEEDS
            if deed.may(user, row)
        ],
    }


# --- What is done -----------------------------------------------------------------------------------------------------


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def open_case(request: HttpRequest) -> HttpResponse:
    """A new case on one screen. Kept as a draft on no phone: it is somebody's."""
    user = person(request)
    if not OPEN.may(user):
        raise Forbidden(_("个案由社区建立。"))
    return do_deed(
        request,
        OPEN,
        None,
        template="services/cases/mobile_deed.html",
        back=reverse("mobile:cases"),
        context={"place": []},
        initial=preset(user, request.GET),
        done=lambda row: lead_on(request, OPEN, reverse("mobile:case", args=[row.pk])),
    )


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def case_move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One move of the community, on one screen."""
    user = person(request)
    row = selectors.find_case(user, pk)
    deed = _deed(CASE_DEEDS, name)
    policies.require(user, deed.right, row)
    back = reverse("mobile:case", args=[pk])
    initial = {"version": row.version} | ({"title": row.title, "text": row.text} if name == "change" else {})
    return _do(request, deed, row, row, back, initial)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def help_move(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One move of a unit's own help, on one screen. Who declined or stepped back sees the case no more."""
    user = person(request)
    row = selectors.find_help(user, pk)
    deed = _deed(HELP_DEEDS, name)
    policies.require(user, deed.right, row)
    back = reverse("mobile:case", args=[row.case_id])
    initial: dict[str, Any] = {"version": row.version}
    return _do(request, deed, row, row.case, back, initial)


def _deed(deeds: tuple[Deed, ...], name: str) -> Deed:
    found = next((deed for deed in deeds if deed.name == name), None)
    if found is None:
        raise NotFound(_("没有这个操作。"))
    return found


def _do(request: HttpRequest, deed: Deed, obj: Any, case: HelpCase, back: str, initial: dict[str, Any]) -> HttpResponse:
    user = person(request)
    if not deed.is_offered(obj):
        state = obj.get_state_display()
        words = _("现在是“%(state)s”，不能“%(deed)s”，请返回看最新情况。")
        return phone.conflict(request, Conflict(words % {"state": state, "deed": deed.label}), back)

    def done(result: Any) -> HttpResponse:
        still = selectors.cases(user).filter(pk=case.pk).exists()
        return lead_on(request, deed, back if still else reverse("mobile:cases"))

    whole = selectors.reads(user, case)
    context = {"place": steps_of(case.node.path if whole else case.community.path), "about": case.title}
    return do_deed(
        request,
        deed,
        obj,
        template="services/cases/mobile_deed.html",
        back=back,
        context=context,
        initial=initial,
        done=done,
    )


__all__ = ["case", "case_move", "cases", "help_move", "open_case"]
