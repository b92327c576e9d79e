"""Compounds: one list and one page for both halves, what stands there and who runs it; and their figures."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from core.errors import NotFound
from core.models import User
from core.spreadsheets import XLSX_TYPE
from grids import actions as grid_actions
from grids import pictures, place_parts
from grids.admin_places import SEARCHED, PlaceFilter
from grids.models import IN_STATE, FacilityKind, GridNode, Remediation, RemediationState
from grids.naming import steps_of
from grids.posts import MANAGE_COMPOUND, VIEW_NODE
from partybuilding import actions, compound_board
from partybuilding.admin.compound_forms import NewProjectForm, ProfileForm, RunningForm
from partybuilding.admin.remediations import state_chip
from partybuilding.models import BranchSetup, Compound, CompoundRunning, Management, OwnersCommittee
from partybuilding.resources.compounds import facilities_of
from partybuilding.selectors.compounds import HAS_BRANCH, board

_TONES = {Management.MANAGED: "green", Management.COMMUNITY: "blue", Management.UNMANAGED: "amber"}
MOST = 100


def management_chip(running: CompoundRunning | None) -> tuple[str, str]:
    """Who runs a compound in a word, and its tone."""
    if running is None:
        return _("未登记"), "grey"
    return running.get_management_display(), _TONES[Management(running.management)]


def branch_words(running: CompoundRunning | None) -> str:
    """The branch with how it was set up."""
    if running is None or running.branch is None:
        return ""
    closed = "" if running.branch.is_active else _("，已停用")
    return f"{running.branch.name}（{running.get_branch_setup_display()}{closed}）"


def _describe(*, actor: Any, obj: Compound, **data: Any) -> None:
    grid_actions.describe_compound(actor=actor, node=obj, **data)


def _run(*, actor: Any, obj: Compound, **data: Any) -> None:
    actions.record_running(actor=actor, node=obj, **data)


def _project(*, actor: Any, obj: Compound, **data: Any) -> None:
    grid_actions.register_remediation(actor=actor, node=obj, **data)


def _stands(compound: Compound) -> bool:
    return not compound.is_retired


class CompoundPlaceFilter(PlaceFilter):
    path = ""
    community = "community"


class ManagementFilter(SelectFilter):
    title = lazy("管理方式")
    parameter_name = "management"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [*Management.choices, ("none", _("未登记"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.filter(compound_running__isnull=True)
        return rows.filter(compound_running__management=value)


class BranchFilter(SelectFilter):
    title = lazy("党支部")
    parameter_name = "branch"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("any", _("有党支部")), *BranchSetup.choices, ("none", _("没有党支部"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == "none":
            return rows.exclude(HAS_BRANCH)
        rows = rows.filter(HAS_BRANCH)
        return rows if value == "any" else rows.filter(compound_running__branch_setup=value)


class CommitteeFilter(SelectFilter):
    title = lazy("业主委员会")
    parameter_name = "committee"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return list(OwnersCommittee.choices)

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        if value == OwnersCommittee.NONE:
            said = [OwnersCommittee.PREPARING, OwnersCommittee.FORMED]
            return rows.exclude(compound_running__committee__in=said)
        return rows.filter(compound_running__committee=value)


class DemonstrationFilter(SelectFilter):
    title = lazy("示范小区")
    parameter_name = "demonstration"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("是")), ("0", _("否"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        shown = Q(compound_profile__is_demonstration=True)
        return rows.filter(shown) if value == "1" else rows.exclude(shown)


@admin.register(Compound)
class CompoundAdmin(SheetAdmin):
    list_display = ("compound", "where", "homes", "managed", "branch", "projects")
    list_display_links = ("compound",)
    list_filter = (CompoundPlaceFilter, ManagementFilter, BranchFilter, CommitteeFilter, DemonstrationFilter)
    list_select_related = ("community", "compound_profile", "compound_running__branch")
    search_fields = ("path", "^code", "compound_running__firm_name", "compound_running__branch__name")
    search_help_text = lazy("小区、物业公司或党支部")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    sheets = ("compounds",)
    object_related = (
        "county",
        "community",
        "successor",
        "compound_profile",
        "compound_running__branch",
        "compound_running__firm",
    )
    object_template = "admin/compound.html"
    lookup_fields = SEARCHED
    empty_text = lazy("先在“网格”里新建小区；没有设小区的县，这里列的是网格。")
    deeds = (
        Deed(
            "describe",
            lazy("修改小区情况"),
            MANAGE_COMPOUND,
            ProfileForm,
            _describe,
            lazy("小区情况已保存。"),
            tone="main",
            offered=_stands,
        ),
        Deed(
            "run",
            lazy("修改管理情况"),
            MANAGE_COMPOUND,
            RunningForm,
            _run,
            lazy("管理情况已保存。"),
            offered=_stands,
        ),
        Deed(
            "project",
            lazy("登记整治项目"),
            MANAGE_COMPOUND,
            NewProjectForm,
            _project,
            lazy("整治项目已登记，照片在项目页上传。"),
            offered=_stands,
        ),
    )

    def more_urls(self) -> list[URLPattern]:
        return [
            self.page("figures/", self.figures_view, "figures"),
            self.page("figures/ledger/", self.figures_ledger_view, "figures_ledger"),
            *super().more_urls(),
        ]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [(_("小区统计"), self.url("figures"), "plain"), *super().tools(request)]

    # --- List ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        projects = Remediation.objects.filter(node=OuterRef("pk")).order_by().values("node")
        finished = projects.filter(IN_STATE[RemediationState.FINISHED])
        rows = super().get_queryset(request).standing()  # type: ignore[attr-defined]
        found: QuerySet[Any] = rows.annotate(
            all_projects=Subquery(projects.annotate(n=Count("pk")).values("n")),
            finished_projects=Subquery(finished.annotate(n=Count("pk")).values("n")),
        )
        return found

    def lookup_text(self, row: Compound) -> str:
        return row.path

    @admin.display(description=lazy("小区"))
    def compound(self, row: Compound) -> str:
        shown = row.profile is not None and row.profile.is_demonstration
        return format_html("{} {}", row.name, chip(_("示范"), "green")) if shown else row.name

    @admin.display(description=lazy("社区"))
    def where(self, row: Compound) -> str:
        return row.community.name if row.community else ""

    @admin.display(description=lazy("户数"), empty_value="—")
    def homes(self, row: Compound) -> int | None:
        return row.households

    @admin.display(description=lazy("管理方式"))
    def managed(self, row: Compound) -> str:
        return chip(*management_chip(row.running))

    @admin.display(description=lazy("党支部"), empty_value="—")
    def branch(self, row: Compound) -> str | None:
        return branch_words(row.running) or None

    @admin.display(description=lazy("整治（完成/全部）"), empty_value="—")
    def projects(self, row: Any) -> str | None:
        return f"{row.finished_projects or 0} / {row.all_projects}" if row.all_projects else None

    # --- The page of one compound ---

    def object_title(self, obj: Compound) -> str:
        return obj.name

    def chips(self, obj: Compound) -> list[tuple[str, str]]:
        found = [management_chip(obj.running)]
        if obj.profile and obj.profile.is_demonstration:
            found.append((_("示范小区"), "green"))
        return [*found, (_("已撤销"), "grey")] if obj.is_retired else found

    def facts(self, request: HttpRequest, obj: Compound) -> list[Fact]:
        where = " · ".join(steps_of(obj.path))
        if policies.can(request.user, VIEW_NODE, obj):
            where = link(where, reverse("admin:grids_gridnode_change", args=[obj.pk]))
        profile, running = obj.profile, obj.running
        found = [
            Fact(_("位置"), where, wide=True),
            Fact(
                _("建成年份"), _("%(year)d年") % {"year": profile.built_year} if profile and profile.built_year else ""
            ),
            Fact(_("户数"), obj.households),
            Fact(_("管理方式"), running.get_management_display() if running else ""),
            Fact(_("物业公司"), self._firm(request, running)),
            Fact(_("业主委员会"), self._committee(running)),
            Fact(_("党支部"), branch_words(running)),
        ]
        if obj.is_retired:
            found += [Fact(_("撤销日期"), day_words(obj.retired_at)), Fact(_("承接者"), obj.successor)]
        facilities = "，".join(f"{FacilityKind(kind).label} {count}" for kind, count in facilities_of(obj).items())
        return [
            *found,
            Fact(_("设施"), facilities, wide=True),
            Fact(_("备注"), profile.note if profile else "", wide=True),
        ]

    @staticmethod
    def _firm(request: HttpRequest, running: CompoundRunning | None) -> str:
        if running is None:
            return ""
        if running.firm is None or not policies.sees(request.user, running.firm):
            return running.firm_name
        return link(running.firm_name, reverse("admin:partybuilding_unit_change", args=[running.firm_id]))

    @staticmethod
    def _committee(running: CompoundRunning | None) -> str:
        if running is None:
            return ""
        words = running.get_committee_display()
        return f"{words}（{day_words(running.committee_on)}）" if running.committee_on else words

    def parts(self, request: HttpRequest, obj: Any) -> list[Part]:
        projects = [
            [
                link(row.title, reverse("admin:grids_remediation_change", args=[row.pk])),
                row.get_kind_display(),
                row.quantity,
                day_words(row.finished_on or row.planned_on),
                chip(*state_chip(row)),
            ]
            for row in obj.shown_projects
        ]
        found = [
            Part(
                _("整治项目"),
                [_("项目名称"), _("整治内容"), _("数量"), _("完成（计划）日期"), _("状态")],
                projects,
                _("还没有登记整治项目。"),
            ),
        ]
        merged = Compound.objects.visible_to(request.user).filter(successor=obj.pk).order_by("-retired_at")
        if rows := [[link(row.name, self.url("change", row.pk)), day_words(row.retired_at)] for row in merged[:MOST]]:
            found.append(Part(_("并入的小区"), [_("小区"), _("撤销日期")], rows))
        return [*found, *place_parts.named("firms", obj, request.user)]

    def object_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """The projects are read once: the table and the pictures show the same."""
        rows = Remediation.objects.visible_to(request.user).filter(node=obj.pk).prefetch_related("photos")
        obj.shown_projects = list(rows[:MOST])
        pairs = [pair for pair in pictures.pairs(obj.shown_projects) if pair.any]
        return {**super().object_context(request, obj), "pairs": pairs}

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        if deed.name == "describe":
            counts = {f"facility_{kind}": count for kind, count in facilities_of(obj).items()}
            profile = obj.profile
            found = {"households": obj.households, "version": profile.version if profile else 0, **counts}
            names = ("built_year", "is_demonstration", "note")
            return {**found, **({name: getattr(profile, name) for name in names} if profile else {})}
        if deed.name == "run":
            running = obj.running
            asked = ("management", "firm_name", "committee", "committee_on", "branch", "branch_setup")
            found = {"version": running.version if running else 0}
            return {**found, **({name: getattr(running, name) for name in asked} if running else {})}
        return {}

    # --- Figures ---

    def figures_view(self, request: HttpRequest) -> HttpResponse:
        """The figures of a place, each a link to its rows, and of the places one step below."""
        place = self._place(request)
        shown = compound_board.page(board(request.user, place), request.user)
        return self.render(request, "admin/compound_figures.html", {**shown, "ledger_url": self._ledger_url(place)})

    def figures_ledger_view(self, request: HttpRequest) -> HttpResponse:
        """The table of the places below as a cadre prints it."""
        user = request.user
        assert isinstance(user, User)
        name, content = compound_board.ledger(board(user, self._place(request)), user)
        response = HttpResponse(content, content_type=XLSX_TYPE)
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
        response.headers["Cache-Control"] = "no-store"
        return response

    def _ledger_url(self, place: GridNode | None) -> str:
        return self.url("figures_ledger") + (f"?place={place.pk}" if place else "")

    def _place(self, request: HttpRequest) -> GridNode | None:
        """The place asked for; without one, the only place of the person's posts, or everything they see."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        nodes = GridNode.objects.visible_to(request.user).standing()
        asked = request.GET.get("place", "")
        if asked:
            known = asked.isascii() and asked.isdigit() and len(asked) < 19
            found: GridNode | None = nodes.filter(pk=int(asked)).first() if known else None
            if found is None:
                raise NotFound(_("没有找到这个地方，或不在您的管辖范围内。"))
            return found
        only = compound_board.only_place(request.user)
        return nodes.filter(pk=only).first() if only else None
