"""One move on several demands, and the ledger of a list.

All of them go through `services.actions.triage`, with the versions the person saw: what can not be done is named with its
reason, the rest is done.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import ScopedModelAdmin
from core.errors import DomainError, NotFound
from core.spreadsheets import XLSX_TYPE
from partybuilding.models import Unit
from services import posts
from services.actions import exporting
from services.actions.triage import Order, triage
from services.forms import MoveForm
from services.models import Demand
from services.reach import serves
from services.selectors import loop as selectors
from services.selectors.loop import Action
from services.views import cards
from services.views.admin_moves import pressed
from services.workflow import DEMAND

MOST = 50
# Moves that make sense for several at once, and the right that opens the page.
BULK = {"accept": posts.ACCEPT_DEMAND, "dispatch": posts.DISPATCH_DEMAND}


@dataclass(frozen=True)
class Outcome:
    demand: Demand
    problem: str = ""

    @property
    def chip(self) -> cards.Chip:
        return cards.state_chip(self.demand)


def bulk_view(page: ScopedModelAdmin, request: HttpRequest, name: str) -> HttpResponse:
    if name not in BULK:
        raise NotFound(_("没有这个批量操作。"))
    if not policies.holds(request.user, BULK[name]):
        raise PermissionDenied
    sent = request.method == "POST"
    chosen = _chosen(request, (request.POST if sent else request.GET).getlist("id"))
    able, unable = _sort_out(request.user, chosen, name)
    if not able:
        return page.render(request, "admin/bulk_done.html", _result(page, name, [], unable))
    form = _form(request, able, name, sent)
    if sent and form.is_valid():
        done, failed = _run(request, able, name, form)
        return page.render(request, "admin/bulk_done.html", _result(page, name, done, [*failed, *unable]))
    row = DEMAND.get(name)
    context = {
        "title": _("批量%(move)s") % {"move": row.label},
        "deed": {"label": _("%(move)s %(count)d 条") % {"move": row.label, "count": len(able)}, "help": row.help},
        "able": able,
        "unable": unable,
        "form": form,
        "back": page.url("changelist"),
    }
    return page.render(request, "admin/bulk.html", context, status=400 if sent else 200)


def _chosen(request: HttpRequest, ids: list[str]) -> list[Demand]:
    wanted = [int(text) for text in ids if text.isascii() and text.isdigit() and len(text) < 19][:MOST]
    rows = Demand.objects.visible_to(request.user).filter(pk__in=wanted).order_by("registered_at", "pk")
    return list(selectors.with_buttons(rows))


def _sort_out(user: Any, demands: list[Demand], name: str) -> tuple[list[Demand], list[Outcome]]:
    able: list[Demand] = []
    unable: list[Outcome] = []
    for demand in demands:
        try:
            pressed(user, demand, name)
        except DomainError as error:
            unable.append(Outcome(demand, error.message))
        else:
            able.append(demand)
    return able, unable


def _form(request: HttpRequest, able: list[Demand], name: str, sent: bool) -> MoveForm:
    """The move's own form; units are those that can be given matters at every place, categories stay as they are."""
    action = Action(DEMAND.get(name), able[0])
    form = MoveForm(request.POST if sent else None, action=action, user=request.user)
    for field in ("version", "category"):
        form.fields.pop(field, None)
    units: QuerySet[Unit] = Unit.objects.order_by("name")
    for node in {demand.node for demand in able}:
        units = units.filter(serves(node))
    for field in ("unit", "supporting"):
        if field in form.fields:
            form.fields[field].queryset = units  # type: ignore[attr-defined]
    return form


def _run(request: HttpRequest, demands: list[Demand], name: str, form: MoveForm) -> tuple[list[Outcome], list[Outcome]]:
    failed: list[Outcome] = []
    orders: list[Order] = []
    for demand in demands:
        seen = request.POST.get(f"version-{demand.pk}", "")
        if seen.isascii() and seen.isdigit() and len(seen) < 10:
            orders.append(Order(demand.pk, int(seen), [(name, form.cleaned_data)]))
        else:
            failed.append(Outcome(demand, _("没有读到页面上的版本，请刷新列表后再办理。")))
    known = {demand.pk: demand for demand in demands}
    answers = triage(actor=request.user, orders=orders)  # type: ignore[arg-type]
    done = [Outcome(answer.demand) for answer in answers if answer.error is None and answer.demand is not None]
    failed += [Outcome(known[answer.order.demand], answer.reason) for answer in answers if answer.error is not None]
    return done, failed


def _result(page: ScopedModelAdmin, name: str, done: list[Outcome], failed: list[Outcome]) -> dict[str, Any]:
    label = DEMAND.get(name).label
    return {
        "title": _("批量%(move)s的结果") % {"move": label},
        "label": label,
        "done": done,
        "failed": failed,
        "back": page.url("changelist"),
    }


def export(page: ScopedModelAdmin, request: HttpRequest, rows: QuerySet[Demand]) -> HttpResponse:
    """The rows as a ledger: at once when there are few, else by a job whose file is offered when it is ready."""
    user: Any = request.user
    if not policies.holds(user, posts.EXPORT_DEMAND):
        raise PermissionDenied
    ids = list(rows.values_list("pk", flat=True)[: exporting.MOST + 1])
    try:
        if len(ids) <= exporting.AT_ONCE:
            return _download(exporting.export_demands(actor=user, ids=ids))
        job = exporting.submit_export(actor=user, ids=ids)
    except DomainError as error:
        if error.status in (403, 404):
            raise
        messages.error(request, error.message)
        return redirect(page.url("changelist"))
    messages.info(request, _("导出的条数较多，正在后台生成，好了会通知您。"))
    return redirect("core:job", job.pk)


def _download(content: bytes) -> HttpResponse:
    response = HttpResponse(content, content_type=XLSX_TYPE)
    name = f"{_('需求台账')}{timezone.localdate():%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    response.headers["Cache-Control"] = "private, no-store"
    return response
