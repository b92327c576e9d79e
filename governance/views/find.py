"""One search over what a person may know of: demands by code, title and place, places, units."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import policies
from core.lookups import search
from grids.models import GridNode
from grids.posts import VIEW_NODE
from partybuilding.models import Unit
from partybuilding.posts import VIEW_UNIT
from services import posts
from services.models import Demand
from services.views import cards

MOST = 10
LONGEST = 60


def find(request: HttpRequest) -> HttpResponse:
    text = " ".join(request.GET.get("q", "").split())[:LONGEST]
    user: Any = request.user
    if text and policies.holds(user, posts.VIEW_DEMAND):
        exact = Demand.objects.visible_to(user).filter(code=text).first()
        if exact is not None:
            return redirect("admin:services_demand_change", exact.pk)
    context = {
        **admin.site.each_context(request),
        "title": _("查找"),
        "find_query": text,
        "groups": _groups(user, text) if text else [],
    }
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, "admin/find.html", context)


def _groups(user: Any, text: str) -> list[dict[str, Any]]:
    found = []
    if policies.holds(user, posts.VIEW_DEMAND):
        rows = search(Demand.objects.visible_to(user), ("^code", "title", "node__path"), text)
        rows = rows.with_faces().order_by("-registered_at", "-pk")  # type: ignore[attr-defined]
        found.append(_group(_("需求"), rows, "services_demand", text, _demand))
    if policies.holds(user, VIEW_NODE):
        nodes = search(GridNode.objects.visible_to(user).standing(), ("path", "^code"), text).order_by("tree_id", "lft")
        found.append(_group(_("网格"), nodes.select_related("level_type"), "grids_gridnode", text, _place))
    if policies.holds(user, VIEW_UNIT):
        units = search(Unit.objects.visible_to(user), ("name", "short_name"), text).order_by("name")
        found.append(_group(_("单位"), units, "partybuilding_unit", text, _unit))
    return [group for group in found if group["rows"]]


def _group(title: str, rows: QuerySet[Any], page: str, text: str, face: Any) -> dict[str, Any]:
    found = list(rows[: MOST + 1])
    more = f"{reverse(f'admin:{page}_changelist')}?{urlencode({'q': text})}" if len(found) > MOST else ""
    shown = [{"url": reverse(f"admin:{page}_change", args=[row.pk]), **face(row)} for row in found[:MOST]]
    return {"title": title, "rows": shown, "more_url": more}


def _demand(demand: Demand) -> dict[str, Any]:
    return {
        "name": demand.title,
        "under": f"{demand.code} · {demand.node.path}",
        "chip": cards.state_chip(demand),
        "clock": cards.demand_clock(demand, timezone.now()),
    }


def _place(node: GridNode) -> dict[str, Any]:
    return {"name": node.name, "under": f"{node.level_type.name} · {node.path}"}


def _unit(unit: Unit) -> dict[str, Any]:
    return {"name": unit.name, "under": unit.get_kind_display()}
