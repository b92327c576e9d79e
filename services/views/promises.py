"""What units promised, for everybody (承诺公示): `/r/promises/…`, without an account, and the codes that lead there.

A public list names units and places, never a person: whoever answers for a promise in the unit, and the members who
promised something themselves, are left out (docs/practice.md#lines).
"""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.errors import NotFound
from core.periods import date_words
from grids.models import GridNode
from grids.naming import steps_of
from grids.querysets import in_subtree
from grids.selectors import heir_of
from partybuilding.models import Unit
from services.commitment_words import chips
from services.models import CheckInRole, Commitment, CommitmentState, UnitCheckIn
from services.selectors import commitments as figures
from services.selectors import loop as selectors
from services.views.qr import drawing, public_address, unreachable, visible_place
from services.views.resident import place_token, resident_page

PER_PAGE = 30
_SHOWN = (CommitmentState.OPEN, CommitmentState.REPORTED, CommitmentState.DONE)


# --- For everybody --------------------------------------------------------------------------------------------------


@resident_page
@require_safe
def of_unit(request: HttpRequest, pk: int) -> HttpResponse:
    """The promises of a unit, wherever they are."""
    unit = Unit.objects.active().select_related("county").filter(pk=pk).first()
    if unit is None:
        raise NotFound(_("没有找到这个单位的承诺公示，请重新扫描。"))
    rows = Commitment.objects.filter(unit=unit)
    places = UnitCheckIn.objects.current().filter(unit=unit).select_related("node").order_by("role", "pk")
    context = {
        "heading": unit.name,
        "places": [
            (label, _("、").join(row.node.name for row in places if row.role == role))
            for role, label in ((CheckInRole.LEAD, _("牵头")), (CheckInRole.SUPPORTING, _("配合")))
            if any(row.role == role for row in places)
        ],
        "kept": figures.kept(rows),
        **_listed(request, rows, whose=False),
    }
    return render(request, "services/resident/promises.html", context)


@resident_page
@require_safe
def of_place(request: HttpRequest, token: str) -> HttpResponse:
    """The promises of all units to a community; a code of a place inside it leads there."""
    node = selectors.public_place(place_token(token))
    community = (heir_of(node) if node.is_retired else node) or node
    if community.community_id is None:
        raise NotFound(_("请选择社区，再看承诺公示。"))
    if community.community_id != community.pk:
        found = GridNode.objects.get(pk=community.community_id)
        return redirect("resident:promises", found.public_token)
    rows = Commitment.objects.filter(in_subtree(community, "node", community="community"), unit__isnull=False)
    units = Unit.objects.active().filter(pk__in=rows.filter(state__in=_SHOWN).order_by().values("unit"))
    context = {
        "heading": community.name,
        "kept": figures.kept(rows),
        "units": units.order_by("name"),
        "order_url": reverse("resident:order", args=[community.public_token]),
        **_listed(request, rows, whose=True),
    }
    return render(request, "services/resident/promises.html", context)


def _listed(request: HttpRequest, rows: QuerySet[Commitment], *, whose: bool) -> dict[str, Any]:
    """A page of promises, open ones first, in words that name nobody."""
    shown = (
        rows.filter(state__in=_SHOWN)
        .select_related("node", "unit")
        .order_by(Case(When(state=CommitmentState.DONE, then=1), default=0), "due_on", "pk")
    )
    page = Paginator(shown, PER_PAGE).get_page(request.GET.get("page"))
    today = timezone.localdate()
    return {
        "page": page,
        "cards": [
            {
                "title": row.title,
                "who": row.unit.name if whose and row.unit else "",
                "who_url": reverse("resident:unit_promises", args=[row.unit_id]) if whose and row.unit_id else "",
                "place": steps_of(row.node.path),
                "measure": row.measure,
                "due": date_words(row.due_on),
                "done": date_words(row.done_on) if row.done_on else "",
                "percent": row.percent,
                "chips": chips(row, today),
            }
            for row in page
        ],
    }


# --- The codes that lead there, for the printer ---------------------------------------------------------------------


@login_required
@require_safe
def unit_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The code of a unit's public list, for whoever knows the unit."""
    unit = Unit.objects.visible_to(request.user).active().filter(pk=pk).first()
    if unit is None:
        raise NotFound(_("没有找到这个单位，或不在您的管辖范围内。"))
    return _code_page(request, unit.name, reverse("resident:unit_promises", args=[unit.pk]))


@login_required
@require_safe
def place_code(request: HttpRequest, pk: int) -> HttpResponse:
    """The code of a community's public list."""
    node = visible_place(request, pk)
    if node.community_id != node.pk:
        raise NotFound(_("承诺公示按社区张贴，请选择社区。"))
    return _code_page(request, node.name, reverse("resident:promises", args=[node.public_token]))


def _code_page(request: HttpRequest, name: str, path: str) -> HttpResponse:
    address = public_address(path)
    named = format_html('role="img" aria-label="{}"', _("%(name)s承诺公示的二维码") % {"name": name})
    context = {
        "name": name,
        "svg": drawing(address, named),
        "address": address,
        "page_url": path,
        "unreachable": unreachable(),
    }
    return render(request, "services/qr/promises.html", context)
