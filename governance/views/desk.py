"""The first page of the admin, and where to say that the portal asks too much."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import phone, policies
from core.audit_words import deed_words, object_words
from core.periods import moment_words
from governance.desk import Desk, Row, Rows, desk_of
from grids.models import County
from services import posts
from services.selectors.rates import RATES, Rate, rates_of
from services.views.admin_call import CallForm

_LIST = "admin:services_demand_changelist"


def index(request: HttpRequest) -> TemplateResponse:
    user: Any = request.user
    desk = desk_of(user)
    context = {
        **admin.site.each_context(request),
        "title": _("等我办") if desk.waiting is not None else _("工作台"),
        "desk": desk,
        "sections": _sections(desk),
        "ways": phone.desk_ways(user),
        "figures": _figures(desk),
        "rates": _rates(desk),
        "call": CallForm(user=user, auto_id="call_%s") if policies.holds(user, posts.RAISE_DEMAND) else None,
        "deeds": [_deed(entry) for entry in desk.deeds or []],
        "shortcuts": _shortcuts() if desk.setup is not None else [],
    }
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, "admin/index.html", context)


def _shortcuts() -> list[tuple[str, str]]:
    """What an administrator does most."""
    return [
        (_("新建账号"), reverse("admin:core_user_add")),
        (_("表格导入账号"), reverse("admin:core_user_import_door")),
        (_("任命"), reverse("admin:grids_appointment_add")),
        (_("登记单位人员"), reverse("admin:partybuilding_unitmembership_add")),
        (_("登记报到"), reverse("admin:services_unitcheckin_add")),
        (_("新建网格"), reverse("admin:grids_gridnode_add")),
    ]


def _sections(desk: Desk) -> list[dict[str, Any]]:
    if desk.waiting is None:
        return []
    listed = reverse(_LIST)
    waiting = _section(_("等我办"), desk.waiting, f"{listed}?wait=me", _("没有等您办的事。"))
    waiting["main"] = True
    late = _section(_("已超期"), desk.late, f"{listed}?light=late", _("没有超期的需求。"))
    soon = _section(_("将到期"), desk.soon, f"{listed}?light=soon", _("没有快到期的需求。"))
    closed = _section(_("最近销号"), desk.closed, f"{listed}?state=closed_off", _("近期还没有销号的需求。"))
    closed["quiet"] = True
    found = [waiting, soon, late, closed]
    if desk.unanswered.rows:
        found.insert(1, _section(_("督办超期未答复"), desk.unanswered, f"{listed}?light=supervised", ""))
    return found


def _section(title: str, rows: Rows, more_url: str, empty: str) -> dict[str, Any]:
    return {
        "title": title,
        "rows": [_row(row) for row in rows.rows],
        "more_url": more_url if rows.more else "",
        "empty": empty,
    }


def _row(row: Row) -> dict[str, Any]:
    demand = row.demand
    closed = demand.closed_at
    found = {
        "row": row,
        "demand": demand,
        "url": reverse("admin:services_demand_change", args=[demand.pk]),
        "closed": moment_words(closed, timezone.now()) if closed else "",
    }
    if row.action is not None:
        address = reverse("admin:services_demand_move", args=[demand.pk, row.action.row.name])
        found |= {"action_label": row.action.row.label, "action_url": f"{address}?on={row.action.key}"}
    return found


def _figures(desk: Desk) -> list[tuple[str, int, str, str]]:
    """(words, count, tone, address) of the figures beside the rows."""
    counts = desk.figures
    if not counts:
        return []
    listed = reverse(_LIST)
    return [
        (_("待受理"), counts["registered"], "", f"{listed}?state=registered"),
        (_("待派单、待认领"), counts["to_dispatch"], "", f"{listed}?state=open"),
        (_("办理中"), counts["running"], "", f"{listed}?state=dispatched"),
        (_("待核查"), counts["to_check"], "", f"{listed}?state=finished"),
        (_("将到期"), counts["soon"], "amber", f"{listed}?light=soon"),
        (_("已超期"), counts["late"], "red", f"{listed}?light=late"),
    ]


def _rates(desk: Desk) -> list[tuple[str, Rate]]:
    """The three rates of this month."""
    return [(str(RATES[name].label), found) for name, found in rates_of(desk.month).items()] if desk.month else []


def _deed(entry: Any) -> dict[str, Any]:
    return {
        "what": deed_words(entry.action),
        "label": entry.label or object_words(entry.chain),
        "who": entry.actor_name,
        "when": moment_words(entry.at, timezone.now()),
        "why": entry.reason,
        "url": reverse("admin:core_auditentry_change", args=[entry.pk]),
    }


def burden(request: HttpRequest) -> TemplateResponse:
    """Whom to tell that a page asks for too much (docs/practice.md: do not burden the grass roots)."""
    user: Any = request.user
    counties = {
        scope.county_id for grant in policies.grants_of(user) if (scope := grant.scope) and hasattr(scope, "county_id")
    }
    context = {
        **admin.site.each_context(request),
        "title": _("反映填报负担"),
        "counties": County.objects.filter(pk__in=counties),
    }
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    return TemplateResponse(request, "admin/burden.html", context)
