"""Supervision (督办) from the dashboard: pressing one late matter, and following up what was pressed."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from core.errors import Conflict, DomainError, Invalid
from core.models import User
from core.periods import Quarter, datetime_words, time_left_words
from governance.dashboard import lists, rows
from governance.dashboard.board import trail
from governance.dashboard.figures import Links
from governance.dashboard.frame import frame
from governance.dashboard.places import atlas_of
from governance.dashboard.selectors import waiting_supervisions
from grids.naming import steps_of
from services.actions import move
from services.forms import MoveForm, show_refusal
from services.models import Demand, Supervision
from services.selectors import loop as selectors
from services.selectors.loop import Action
from services.views.cards import Chip, Clock
from services.workflow import DEMAND

t = gettext_lazy
STATES = {"waiting": t("等待答复"), "overdue": t("逾期未答复"), "answered": t("已答复")}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def supervise(request: HttpRequest, code: str) -> HttpResponse:
    """Asks for the words of a supervision and makes the move."""
    user = request.user
    assert isinstance(user, User)
    atlas_of(user)  # to whom dashboards are not open, this page is not either
    demand = selectors.find_demand(user, code=code)
    row = DEMAND.may(demand, "supervise", actor=user)
    form = MoveForm(request.POST or None, action=Action(row, demand), user=user)
    back = _back(request, demand)
    if request.method == "POST" and form.is_valid():
        try:
            version = form.cleaned_data["version"]
            move(actor=user, target=demand, name="supervise", data=form.move_data(), version=version)
        except Conflict:
            # An old page, or a supervision that stands: a page of its own says so.
            raise
        except DomainError as error:
            show_refusal(form, error)
        else:
            asked = Supervision.objects.select_related("unit").get(demand=demand, answered_at__isnull=True)
            words = {"title": demand.title, "who": _whose(asked, demand), "due": datetime_words(asked.due_at)}
            messages.success(request, _("已督办“%(title)s”，请%(who)s于%(due)s前答复。") % words)
            return redirect(back)
    now = timezone.now()
    context = {
        **frame(user, "supervisions"),
        "form": form,
        "row": row,
        "demand": demand,
        "face": lists.face(demand, user, now, back),
        "back": back,
        "past": [_face(each, user, now) for each in _with_faces(demand.supervisions.all())],
    }
    return render(request, "dashboard/supervise.html", context)


def _back(request: HttpRequest, demand: Demand) -> str:
    """The list one came from, where that is a page of ours."""
    asked = request.GET.get("back", "")
    if asked and url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure()):
        return asked
    return f"{reverse('dashboard:rows')}?light=late"


def _whose(supervision: Supervision, demand: Demand) -> str:
    return supervision.unit.label if supervision.unit else demand.community.name


@dataclass(frozen=True)
class Face:
    """How one supervision stands in a list."""

    title: str
    url: str
    code: str
    place: list[str]
    whom: str
    chip: Chip
    clock: Clock
    text: str
    asked: str
    answer: str
    answered: str


def _with_faces(supervisions: Any) -> Any:
    return supervisions.select_related("unit", "by", "demand__node", "demand__community")


def _face(row: Supervision, user: Any, now: datetime.datetime) -> Face:
    late = row.answered_at is None and row.due_at < now
    if row.answered_at is not None:
        chip, clock = Chip(str(STATES["answered"]), "green"), Clock()
    else:
        chip = Chip(str(STATES["overdue"]), "red") if late else Chip(str(STATES["waiting"]), "amber")
        clock = Clock("red" if late else "", time_left_words(row.due_at, now))
    return Face(
        title=row.demand.title,
        url=lists.desk_url(row.demand, user),
        code=row.demand.code,
        place=steps_of(row.demand.node.path),
        whom=_whose(row, row.demand),
        chip=chip,
        clock=clock,
        text=row.text,
        asked=datetime_words(row.at),
        answer=row.answer,
        answered=datetime_words(row.answered_at) if row.answered_at else "",
    )


@login_required
@require_safe
def supervision_list(request: HttpRequest) -> HttpResponse:
    """Supervisions in a place: waiting (the next limit first), overdue, answered (the latest first)."""
    atlas = atlas_of(request.user)
    place = atlas.find(request.GET["place"]) if request.GET.get("place") else atlas.start()
    state = request.GET.get("state") or "waiting"
    if state not in STATES:
        raise Invalid(_("没有“%(word)s”这种状态。") % {"word": state[:20]}, code="state")
    now = timezone.now()
    found = Supervision.objects.visible_to(request.user).filter(place.inside("demand__community"))
    found = found.filter(_standing(state, now)).order_by(
        *(("-answered_at",) if state == "answered" else ("due_at",)), "pk"
    )
    sheet = rows.sheet(_with_faces(found), request.GET.get("page", ""))
    waiting, overdue = waiting_supervisions(request.user, place, now)
    counted = {"waiting": waiting, "overdue": overdue}
    base = f"?place={place.code}&state="
    links = Links(Quarter.of(now))
    context = {
        **frame(request.user, "supervisions"),
        "trail": [*trail(place, links)[:-1], {"name": place.name, "url": links.place(place)}],
        "tabs": [(str(label), base + name, name == state, counted.get(name)) for name, label in STATES.items()],
        "faces": [_face(row, request.user, now) for row in sheet.rows],
        "sheet": sheet,
        "pages": {
            "previous": f"{base}{state}&page={sheet.number - 1}" if sheet.number > 1 else "",
            "next": f"{base}{state}&page={sheet.number + 1}" if sheet.has_next else "",
        },
        "late_url": f"{reverse('dashboard:rows')}?place={place.code}&light=late",
    }
    return render(request, "dashboard/supervisions.html", context)


def _standing(state: str, now: datetime.datetime) -> Q:
    if state == "answered":
        return Q(answered_at__isnull=False)
    return Q(answered_at__isnull=True, due_at__lt=now) if state == "overdue" else Q(answered_at__isnull=True)
