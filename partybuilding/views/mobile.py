"""`/m/pairings/`: the places somebody looks after, in person or for a unit: visit, write down, solve.

Works without JavaScript. Posts answer with a redirect: WeChat's back button must never send a form again.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from core import phone, policies
from core.deeds import Deed
from core.errors import Conflict, NotFound
from core.models import User
from core.periods import date_words
from core.phone import Button, Card, Way, person, phone_page
from core.phone_deeds import do_deed
from grids.naming import steps_of
from partybuilding import raising, selectors
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from partybuilding.pairing_deeds import SOLVE, VISIT
from partybuilding.policies import PairingScope, UnitScope
from partybuilding.posts import VISIT_PAIRING

PER_PAGE = 20
MOST = 30


def ways(user: User) -> list[Way]:
    """The way to one's places, for 我的, and for 待办 while something is unsolved. One query, for whoever can have any."""
    if not any(isinstance(scope, PairingScope | UnitScope) for scope in policies.scopes(user, VISIT_PAIRING)):
        return []
    places, unsolved = selectors.my_figures(user)
    if not places:
        return []
    note = _("%(count)d 处") % {"count": places}
    return [Way(_("我的包联"), reverse("mobile:pairings"), "place", note, unsolved, _("个未解决的问题"))]


def card_of(row: Any) -> Card:
    """The pairing must bring its counts (`with_counts`)."""
    unsolved = [(_("未解决 %(count)d 个") % {"count": row.open_count}, "amber")] if row.open_count else []
    been = _("最近走访 %(day)s") % {"day": date_words(row.last_visit)} if row.last_visit else _("还没有走访过")
    whose = [row.unit.label] if row.unit else []
    return Card(
        title=row.node.name,
        url=_page_of(row),
        place=steps_of(row.node.path),
        chips=[(row.get_kind_display(), "blue"), *unsolved],
        meta=[*whose, been],
        text=row.duty,
        action=(str(VISIT.label), reverse("mobile:pairing_visit", args=[row.pk])),
    )


@phone_page
@require_safe
def pairings(request: HttpRequest) -> HttpResponse:
    """One's places: those where nobody has been for longest come first."""
    rows = selectors.held_by(person(request)).with_counts().select_related("node", "unit", "user")
    rows = rows.order_by(F("last_visit").asc(nulls_first=True), "node__tree_id", "node__lft", "pk")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    context = {"title": _("我的包联"), "cards": [card_of(row) for row in page.object_list], "page": page}
    return phone.show(request, "partybuilding/mobile/pairings.html", context, active="me")


@phone_page
@require_safe
def pairing(request: HttpRequest, pk: int) -> HttpResponse:
    """One place: what is not solved, what was done, what can be done."""
    user = person(request)
    row = _find(user, pk)
    problems = list(row.problems.order_by(F("solved_on").desc(nulls_first=True), "-found_on", "-pk")[:MOST])
    may = policies.can(user, VISIT_PAIRING, row)
    for problem in problems:
        problem.pairing = row
    facts = [
        (_("谁包联"), row.holder),
        (_("职责"), row.duty),
        (_("从哪天起"), date_words(row.start)),
        (_("到哪天止"), date_words(row.end) if row.end else ""),
    ]
    visit_button = Button(VISIT.label, reverse("mobile:pairing_visit", args=[row.pk]), "main")
    context = {
        "kind": _("包联"),
        "name": row.node.name,
        "chips": card_of(row).chips,
        "place": steps_of(row.node.path),
        "facts": [(label, words) for label, words in facts if words],
        "buttons": [visit_button] if may else [],
        "back": reverse("mobile:pairings"),
        "may_visit": may,
        "problems": [
            {
                "row": problem,
                "found": date_words(problem.found_on),
                "solve_url": reverse("mobile:pairing_solve", args=[problem.pk]) if may else "",
                "raise_url": raising.address(problem, user, phone=True),
            }
            for problem in problems
            if not problem.is_solved
        ],
        "events": _events(row, [problem for problem in problems if problem.is_solved]),
    }
    return phone.show(request, "partybuilding/mobile/pairing.html", context, active="me")


def _events(row: Pairing, solved: list[PairingProblem]) -> list[dict[str, Any]]:
    """Visits and solutions, newest first."""
    visits: list[PairingVisit] = list(row.visits.select_related("visited_by")[:MOST])
    found = [
        (visit.visited_on, _("走访"), visit.visited_by.name if visit.visited_by else "", visit.text) for visit in visits
    ]
    found += [
        (problem.solved_on, _("解决问题"), "", f"{problem.text} → {problem.solution}")
        for problem in solved
        if problem.solved_on
    ]
    found.sort(key=lambda event: event[0], reverse=True)
    return [{"what": what, "who": who, "when": date_words(day), "why": why} for day, what, who, why in found]


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def visit(request: HttpRequest, pk: int) -> HttpResponse:
    """A visit on one screen."""
    row = _find(person(request), pk)
    return _do(request, VISIT, row, row)


@phone_page
@require_http_methods(["GET", "HEAD", "POST"])
def solve(request: HttpRequest, pk: int) -> HttpResponse:
    """How a problem was solved."""
    seen = PairingProblem.objects.visible_to(person(request)).select_related("pairing__node", "pairing__county")
    problem = seen.filter(pk=pk).first()
    if problem is None:
        raise NotFound(_("没有找到这个问题，或不在您的包联范围内。"))
    if not SOLVE.is_offered(problem):
        return phone.conflict(request, Conflict(_("这个问题已经解决。")), _page_of(problem.pairing))
    return _do(request, SOLVE, problem.pairing, problem)


def _find(user: User, pk: int) -> Any:
    seen = Pairing.objects.visible_to(user).with_counts().select_related("node", "unit", "user")
    row = seen.filter(pk=pk).first()
    if row is None:
        raise NotFound(_("没有找到这项包联，或不在您的包联范围内。"))
    return row


def _do(request: HttpRequest, deed: Deed, row: Pairing, obj: Any) -> HttpResponse:
    policies.require(person(request), deed.right, obj)
    return do_deed(
        request,
        deed,
        obj,
        template="partybuilding/mobile/pairing_deed.html",
        back=_page_of(row),
        context={"place": steps_of(row.node.path), "problem": obj if isinstance(obj, PairingProblem) else None},
        draft=f"{obj._meta.model_name}-{obj.pk}",
        initial={"version": obj.version} if "version" in deed.form.base_fields else {},
    )


def _page_of(row: Pairing) -> str:
    return reverse("mobile:pairing", args=[row.pk])


__all__ = ["pairing", "pairings", "solve", "visit", "ways"]
