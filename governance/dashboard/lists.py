"""`/dashboard/rows/`: the demands behind a figure, and from where what is late is supervised."""

import datetime
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core import policies
from core.periods import date_words
from governance.dashboard import rows
from governance.dashboard.board import trail
from governance.dashboard.figures import Links
from governance.dashboard.frame import frame
from governance.dashboard.places import atlas_of
from governance.dashboard.rows import FAMILIES, LIGHTS, WHAT, Question
from grids.naming import steps_of
from services import clocks
from services.models import Demand
from services.selectors.loop import with_buttons
from services.views import cards
from services.workflow import DEMAND


@dataclass(frozen=True)
class Face:
    """How one demand stands in a list."""

    title: str
    url: str
    code: str
    place: list[str]
    category: str
    unit: str
    registered: str
    chips: list[cards.Chip]
    clock: cards.Clock
    supervise: str


def is_pressing(demand: Demand, now: datetime.datetime) -> bool:
    """Late in service, or at a step that waits beyond its limit: what is supervised."""
    running_late = demand.finished_at is None and demand.is_open and clocks.colour(demand, now) == clocks.RED
    return running_late or (demand.step_due_at is not None and demand.step_due_at < now)


def face(demand: Demand, user: Any, now: datetime.datetime, back: str) -> Face:
    """Args: demand: from `with_buttons`. back: the address of the list."""
    may = is_pressing(demand, now) and DEMAND.offers(demand, "supervise", user)
    return Face(
        title=demand.title,
        url=desk_url(demand, user),
        code=demand.code,
        place=steps_of(demand.node.path),
        category=demand.category.name,
        unit=demand.lead_unit.label if demand.lead_unit else _("尚未派单"),
        registered=date_words(demand.registered_at),
        chips=[cards.state_chip(demand), *cards.flags(demand)],
        clock=cards.demand_clock(demand, now),
        supervise=f"{reverse('dashboard:supervise', args=[demand.code])}?{urlencode({'back': back})}" if may else "",
    )


def desk_url(demand: Demand, user: Any) -> str:
    """The demand's page on the desk, for whoever works there."""
    if not policies.holds(user, policies.USE_DESK):
        return ""
    return reverse("admin:services_demand_change", args=[demand.pk])


@login_required
@require_safe
def row_list(request: HttpRequest) -> HttpResponse:
    atlas = atlas_of(request.user)
    now = timezone.now()
    question = rows.read(request.user, atlas, request.GET, now)
    found = rows.sheet(with_buttons(rows.demands(request.user, question, now)), request.GET.get("page", ""))
    here = request.get_full_path()
    context = {
        **frame(request.user),
        "question": question,
        "trail": _trail(question, now),
        "period": question.period.label if question.period else _("此刻"),
        "tabs": _tabs(question),
        "faces": [face(demand, request.user, now, here) for demand in found.rows],
        "sheet": found,
        "pages": _pages(question, found),
    }
    return render(request, "dashboard/rows.html", context)


def _trail(question: Question, now: datetime.datetime) -> list[dict[str, str]]:
    period = question.period or rows.Quarter.of(now)
    links = Links(period)
    steps = trail(question.place, links)
    return [*steps[:-1], {"name": question.place.name, "url": links.place(question.place)}]


def _tabs(question: Question) -> list[tuple[str, str, bool]]:
    """What belongs to the same figure: one list beside the other."""
    if question.light:
        return [
            (str(label), f"?{question.query(light=name)}", name == question.light) for name, label in LIGHTS.items()
        ]
    family = next(family for family in FAMILIES if question.what in family)
    return [(str(WHAT[name].label), f"?{question.query(what=name)}", name == question.what) for name in family]


def _pages(question: Question, found: rows.Sheet) -> dict[str, str]:
    def page(number: int) -> str:
        return f"?{question.query(page=str(number))}"

    return {
        "previous": page(found.number - 1) if found.number > 1 else "",
        "next": page(found.number + 1) if found.has_next else "",
    }
