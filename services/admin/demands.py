"""Demands in the admin: the list, the page of one with its buttons, registering a call, bulk steps, the ledger."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.urls import URLPattern
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies
from core.admin_base import ScopedModelAdmin, chip
from core.deeds import Deed
from core.periods import moment_words
from partybuilding.models import PairingProblem
from services import posts
from services.admin import filters, firms
from services.admin.matching import match_tools
from services.models import Demand, Origin
from services.selectors import triage
from services.views import admin_bulk, admin_demand, admin_moves, admin_triage, cards, imports
from services.views.admin_call import CallForm, register_call


class DemandAdmin(ScopedModelAdmin):
    list_display = ("matter", "place", "kind", "status", "unit", "clock", "registered")
    list_display_links = ("matter",)
    list_filter = filters.ALL
    list_select_related = ("node", "community", "category", "lead_unit")
    search_fields = ("^code", "title", "text", "node__path")
    search_help_text = gettext_lazy("编号、标题、内容、地点")
    ordering = ("-registered_at", "-id")
    sortable_by = ("registered",)
    actions = ("accept_chosen", "dispatch_chosen", "export_chosen")
    change_list_template = "admin/demands.html"
    empty_text = gettext_lazy("居民扫码、网格上报、电话登记或导入表格后，需求会出现在这里。")
    adding = Deed(
        name="call",
        label=gettext_lazy("登记来电"),
        right=posts.RAISE_DEMAND,
        form=CallForm,
        run=register_call,
        done=gettext_lazy("已登记，等待受理。"),
    )

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """A problem found at a paired place brings its place and words along."""
        key = request.GET.get("problem", "")
        if obj is not None or not (key.isascii() and key.isdigit() and len(key) < 19):
            return super().initial(request, deed, obj)
        seen = PairingProblem.objects.visible_to(request.user).select_related("pairing__node")
        problem = seen.filter(pk=int(key)).first()
        if problem is None:
            return {}
        return {"node": problem.pairing.node, "text": problem.text, "origin": Origin.CADRE}

    # --- Columns: what, where, whose, how late ---

    @admin.display(description=gettext_lazy("需求"))
    def matter(self, demand: Demand) -> str:
        return format_html(
            '<span class="cell-main">{}</span><span class="cell-under">{}</span>', demand.title, demand.code
        )

    @admin.display(description=gettext_lazy("地点"))
    def place(self, demand: Demand) -> str:
        return demand.node.path

    @admin.display(description=gettext_lazy("类别"))
    def kind(self, demand: Demand) -> str:
        return demand.category.name

    @admin.display(description=gettext_lazy("状态"))
    def status(self, demand: Demand) -> str:
        shown = [cards.state_chip(demand), *cards.flags(demand)]
        return format_html_join(" ", "{}", ((chip(one.label, one.tone),) for one in shown))

    @admin.display(description=gettext_lazy("承办单位"), empty_value="—")
    def unit(self, demand: Demand) -> str | None:
        return demand.lead_unit.label if demand.lead_unit else None

    @admin.display(description=gettext_lazy("时限"))
    def clock(self, demand: Demand) -> str:
        found = cards.demand_clock(demand, timezone.now())
        return render_to_string("components/clock_chip.html", {"colour": found.colour, "left": found.left})

    @admin.display(description=gettext_lazy("登记"), ordering="registered_at")
    def registered(self, demand: Demand) -> str:
        return moment_words(demand.registered_at, timezone.now())

    # --- What stands above the list ---

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        found = super().tools(request)
        if triage.may_sort(request.user):
            query = urlencode(list(request.GET.lists()), doseq=True)
            found.append((_("批量分拣"), f"{self.url('triage')}?{query}", "plain"))
        found += match_tools(request)
        if policies.holds(request.user, posts.EXPORT_DEMAND):
            query = urlencode(list(request.GET.lists()), doseq=True)
            found.append((_("导出台账"), f"{self.url('export')}?{query}", "plain"))
        if policies.holds(request.user, posts.IMPORT_DEMAND):
            found.append((_("导入"), self.url("import"), "plain"))
        return found

    # --- Steps for several at once ---

    def has_accept_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, posts.ACCEPT_DEMAND)

    def has_dispatch_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, posts.DISPATCH_DEMAND)

    def has_export_permission(self, request: HttpRequest) -> bool:
        return policies.holds(request.user, posts.EXPORT_DEMAND)

    @admin.action(description=gettext_lazy("受理所选"), permissions=["accept"])
    def accept_chosen(self, request: HttpRequest, queryset: QuerySet[Demand]) -> HttpResponse:
        return self._bulk("accept", queryset)

    @admin.action(description=gettext_lazy("派单所选"), permissions=["dispatch"])
    def dispatch_chosen(self, request: HttpRequest, queryset: QuerySet[Demand]) -> HttpResponse:
        return self._bulk("dispatch", queryset)

    @admin.action(description=gettext_lazy("导出所选"), permissions=["export"])
    def export_chosen(self, request: HttpRequest, queryset: QuerySet[Demand]) -> HttpResponse:
        return admin_bulk.export(self, request, queryset)

    def _bulk(self, name: str, queryset: QuerySet[Demand]) -> HttpResponse:
        chosen = queryset.order_by().values_list("pk", flat=True)[: admin_bulk.MOST]
        return redirect(f"{self.url('bulk', name)}?{urlencode({'id': list(chosen)}, doseq=True)}")

    # --- Pages ---

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("<int:object_id>/move/<slug:name>/", self.move_view, "move"),
            self.page("<int:object_id>/contact/", self.contact_view, "contact"),
            self.page("bulk/<slug:name>/", self.bulk_view, "bulk"),
            self.page("triage/", self.triage_view, "triage"),
            self.page("triage/<int:pk>/", self.triage_job_view, "triage_job"),
            self.page("export/", self.export_view, "export"),
            *firms.urls(self),
            *imports.urls(self),
        ]

    def find(self, request: HttpRequest, object_id: int) -> Demand:
        return admin_demand.find(request, object_id)

    def change_view(self, request: HttpRequest, object_id: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return admin_demand.show(self, request, object_id)

    def move_view(self, request: HttpRequest, object_id: int, name: str) -> HttpResponse:
        return admin_moves.move_view(self, request, object_id, name)

    def contact_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        return admin_moves.contact_view(self, request, object_id)

    def bulk_view(self, request: HttpRequest, name: str) -> HttpResponse:
        return admin_bulk.bulk_view(self, request, name)

    def triage_view(self, request: HttpRequest) -> HttpResponse:
        return admin_triage.triage_view(self, request)

    def triage_job_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        return admin_triage.job_view(self, request, pk)

    def export_view(self, request: HttpRequest) -> HttpResponse:
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            # An address that was typed or has grown old: the list says what there is to filter by.
            return redirect(self.url("changelist"))
        return admin_bulk.export(self, request, rows)


admin.site.register(Demand, DemandAdmin)
