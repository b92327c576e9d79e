"""Matching on the desk: a run with its proposals, taken up by the dozen; and the proposals as a list of their own."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.paginator import Paginator
from django.db.models import Case, Count, Q, QuerySet, When
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, ScopedModelAdmin, SelectFilter, chip, choice_filter, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed, DeedForm, NothingToFill, deed_of
from core.errors import Conflict, Invalid
from core.periods import datetime_words
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from services import posts
from services.actions.matching import LEVELS, accept_proposals, refuse_proposal, run_match
from services.matching import weights
from services.matching.scorer import MISS_WORDS, Miss
from services.models import Demand, MatchProposal, MatchRun, ProposalState
from services.workflow import PROPOSAL

PER_PAGE = 50
MOST_MISSED = 100
TONES = {
    ProposalState.PROPOSED: "blue",
    ProposalState.ACCEPTED: "green",
    ProposalState.REFUSED: "grey",
    ProposalState.OUTDATED: "grey",
}
# What can still be decided comes first.
_ORDER = Case(When(state=ProposalState.PROPOSED, then=0), default=1)


def match_places(user: Any) -> QuerySet[GridNode]:
    """Streets and communities where the user may match."""
    places = GridNode.objects.standing().at(*LEVELS).filter(policies.within(GridNode, user, posts.RUN_MATCH))
    return places.order_by("tree_id", "lft")


def grade_chip(score: int) -> tuple[str, str]:
    """A score in number and word: 92 分 很合适."""
    tone = "green" if score >= weights.GRADES[0][0] else "blue" if score >= weights.GRADES[1][0] else "grey"
    return _("%(score)d 分 %(words)s") % {"score": score, "words": weights.grade(score)}, tone


def match_tools(request: HttpRequest) -> list[tuple[str, str, str]]:
    """The button 供需匹配 above the demand list and the resource list, for the place the list is narrowed to."""
    if not policies.holds(request.user, posts.RUN_MATCH):
        return []
    place = request.GET.get("place", "")
    query = f"?{urlencode({'node': place})}" if place else ""
    return [(_("供需匹配"), reverse("admin:services_matchrun_add") + query, "plain")]


class PlaceChoice(forms.ModelChoiceField):
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.path)


class RunForm(DeedForm):
    def build(self) -> None:
        places = match_places(self.user).select_related("level_type")
        only = places[:2]
        self.fields["node"] = PlaceChoice(
            queryset=places,
            label=_("范围"),
            initial=only[0] if len(only) == 1 else None,
            help_text=_("社区：用本社区和街道的资源；街道：各社区的需求和资源一起配。"),
        )


def _run(*, actor: Any, obj: None, node: GridNode) -> MatchRun:
    return run_match(actor=actor, node=node)


@admin.register(MatchRun)
class MatchRunAdmin(ScopedModelAdmin):
    list_display = ("place", "when", "sizes", "found", "waiting", "points")
    list_display_links = ("place",)
    list_filter = (PlaceFilter,)
    list_select_related = ("node", "by")
    ordering = ("-at", "-id")
    sortable_by = ()
    object_related = ("node", "county", "by")
    object_template = "admin/match_run.html"
    empty_text = lazy("点“供需匹配”，把已受理的需求和可用的资源一次配好；采纳后生成项目草稿。")
    adding = Deed(
        "add",
        lazy("供需匹配"),
        posts.RUN_MATCH,
        RunForm,
        _run,
        lazy("匹配好了，请逐条看过后采纳。"),
        help=lazy(
            "把已受理、还没有派单的需求和可用的资源一次统筹，给每条需求推荐最多一项资源，并说明理由。"
            "这里只是建议，不占用资源，也不通知单位；同一范围上一次还没处理的建议随之失效。"
        ),
        tone="main",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        waiting = Q(proposals__state=ProposalState.PROPOSED)
        rows = super().get_queryset(request)
        return rows.annotate(made=Count("proposals"), waiting=Count("proposals", filter=waiting))

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        """The button of a place's list names the place."""
        node = request.GET.get("node", "")
        named = node.isascii() and node.isdigit() and len(node) < 19
        place = match_places(request.user).filter(pk=int(node)).first() if named else None
        return {"node": place} if place is not None else {}

    # --- List ---

    @admin.display(description=lazy("范围"))
    def place(self, row: MatchRun) -> str:
        return row.node.path

    @admin.display(description=lazy("匹配时间"))
    def when(self, row: MatchRun) -> str:
        return datetime_words(row.at)

    @admin.display(description=lazy("需求、资源"))
    def sizes(self, row: MatchRun) -> str:
        return _("%(demands)d 条、%(resources)d 项") % {"demands": row.demands, "resources": row.resources}

    @admin.display(description=lazy("建议"))
    def found(self, row: Any) -> str:
        return str(row.made)

    @admin.display(description=lazy("待定"))
    def waiting(self, row: Any) -> str:
        return chip(row.waiting, "amber") if row.waiting else "0"

    @admin.display(description=lazy("总分"))
    def points(self, row: MatchRun) -> str:
        return str(row.score)

    # --- One run ---

    def object_title(self, obj: MatchRun) -> str:
        return _("%(place)s供需匹配") % {"place": obj.node.name}

    def facts(self, request: HttpRequest, obj: MatchRun) -> list[Fact]:
        more = obj.score - obj.greedy_score
        total = _("%(score)d 分") % {"score": obj.score}
        if more:
            total = _("%(score)d 分，一次统筹比逐条匹配多 %(more)d 分") % {"score": obj.score, "more": more}
        made = obj.proposals.count()
        missed = sum(len(keys) for keys in obj.missed.values())
        return [
            Fact(_("范围"), obj.node.path),
            Fact(_("匹配时间"), datetime_words(obj.at)),
            Fact(_("发起人"), obj.by.name if obj.by else _("系统")),
            Fact(_("需求"), _("%(count)d 条，配上 %(made)d 条") % {"count": obj.demands, "made": made}),
            Fact(_("资源"), _("%(count)d 项") % {"count": obj.resources}),
            Fact(_("没有配上"), _("%(count)d 条") % {"count": missed}),
            Fact(_("总分"), total, wide=True),
        ]

    def object_context(self, request: HttpRequest, obj: MatchRun) -> dict[str, Any]:
        rows = (
            obj.proposals.order_by(_ORDER, "-score", "pk")
            .select_related("demand__node", "demand__category", "resource__unit", "project")
            .visible_to(request.user)
        )
        page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
        may = policies.can(request.user, posts.RUN_MATCH, obj)
        chosen = request.GET.getlist("chosen")
        lines = [
            {
                "row": row,
                "grade": grade_chip(row.score),
                "state": (row.get_state_display(), TONES[ProposalState(row.state)]),
                "open": may and row.state == ProposalState.PROPOSED,
                "chosen": "all" in chosen or str(row.pk) in chosen,
                "provider": provider_of(row),
                "resource_url": reverse("admin:services_resource_change", args=[row.resource_id]),
                "project_url": row.project_id and reverse("admin:services_project_change", args=[row.project_id]),
            }
            for row in page.object_list
        ]
        ledger = reverse("admin:services_matchproposal_export", args=["match_proposals"])
        return {
            **super().object_context(request, obj),
            "page": page,
            "lines": lines,
            "undecided": any(line["open"] for line in lines),
            "missed": _missed(request, obj),
            "accept_url": self.url("accept", obj.pk),
            "export_url": f"{ledger}?{urlencode({'run': obj.pk})}",
            "again_url": f"{self.url('add')}?{urlencode({'node': obj.node_id})}" if may else "",
        }

    def more_urls(self) -> list[URLPattern]:
        return [self.page("<int:object_id>/accept/", self.accept_view, "accept")]

    def accept_view(self, request: HttpRequest, object_id: int) -> HttpResponse:
        """Drafts of the chosen proposals of one page, or of the one whose button was pressed."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        run = self.find(request, object_id)
        policies.require(request.user, posts.RUN_MATCH, run)
        sent = request.POST.getlist("one") or request.POST.getlist("proposal")
        keys = [key for key in sent[:PER_PAGE] if key.isascii() and key.isdigit() and len(key) < 19]
        back = {"page": request.POST.get("page", "")[:6]}
        try:
            chosen = {row.pk: row for row in run.proposals.filter(pk__in=keys)}
            wanted = [chosen[int(key)] for key in keys if int(key) in chosen]
            drafts = accept_proposals(actor=request.user, proposals=wanted)
        except (Conflict, Invalid) as error:
            messages.error(request, error.message)
            return redirect(f"{self.url('change', run.pk)}?{urlencode({**back, 'chosen': keys}, doseq=True)}")
        messages.success(
            request, _("已生成 %(count)d 个项目草稿，请到项目清单补充内容后发布。") % {"count": len(drafts)}
        )
        return redirect(f"{self.url('change', run.pk)}?{urlencode(back)}")


def _missed(request: HttpRequest, run: MatchRun) -> list[tuple[str, int, list[Demand]]]:
    """Demands that got nothing, by why: the words, how many, the first of them that the person sees."""
    keys = [key for some in run.missed.values() for key in some[:MOST_MISSED]]
    seen = Demand.objects.visible_to(request.user).select_related("node", "category").in_bulk(keys)
    return [
        (
            str(MISS_WORDS[why]),
            len(run.missed[why]),
            [seen[key] for key in run.missed[why][:MOST_MISSED] if key in seen],
        )
        for why in Miss
        if run.missed.get(why)
    ]


# --- Proposals ------------------------------------------------------------------------------------------------------


class RunFilter(SelectFilter):
    """The latest runs, and the one that is asked for."""

    title = lazy("批次")
    parameter_name = "run"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        runs = MatchRun.objects.visible_to(request.user).select_related("node")
        asked = str(self.used_parameters.get(self.parameter_name) or "")
        found = list(runs[:20])
        if asked.isascii() and asked.isdigit() and len(asked) < 19 and int(asked) not in {row.pk for row in found}:
            found += runs.filter(pk=int(asked))
        return [(str(row.pk), f"{row.node.name} {datetime_words(row.at)}") for row in found]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(run=int(value))


class RunPlaceFilter(PlaceFilter):
    path = "run__node"


class RefuseForm(DeedForm):
    reason = forms.CharField(
        label=lazy("理由"), max_length=500, help_text=lazy("说明为什么不合适，不写住户的姓名、电话。")
    )
    version = forms.IntegerField(widget=forms.HiddenInput)


def _accept(*, actor: Any, obj: MatchProposal) -> MatchProposal:
    accept_proposals(actor=actor, proposals=[obj])
    return obj


def _refuse(*, actor: Any, obj: MatchProposal, **data: Any) -> MatchProposal:
    return refuse_proposal(actor=actor, proposal=obj, **data)


@admin.register(MatchProposal)
class MatchProposalAdmin(SheetAdmin):
    list_display = ("matter", "place", "offer", "provider", "points", "status")
    list_display_links = ("matter",)
    list_filter = (RunPlaceFilter, RunFilter, choice_filter("state", lazy("状态"), ProposalState.choices))
    list_select_related = ("demand__node", "resource__unit", "run__node")
    search_fields = ("demand__title", "^demand__code", "resource__name", "resource__unit__name")
    search_help_text = lazy("需求、编号、资源、单位")
    ordering = ("-run_id", "-score", "id")
    sortable_by = ()
    object_related = ("run__node", "run__county", "demand__node", "demand__category", "resource__unit", "project")
    sheets = ("match_proposals",)
    empty_text = lazy("还没有建议。在“供需匹配”里做一次匹配，建议会出现在这里。")
    deeds = (deed_of(PROPOSAL, "accept", NothingToFill, _accept), deed_of(PROPOSAL, "refuse", RefuseForm, _refuse))

    @admin.display(description=lazy("需求"))
    def matter(self, row: MatchProposal) -> str:
        return row.demand.title

    @admin.display(description=lazy("地点"))
    def place(self, row: MatchProposal) -> str:
        return row.demand.node.path

    @admin.display(description=lazy("资源"))
    def offer(self, row: MatchProposal) -> str:
        return row.resource.name

    @admin.display(description=lazy("提供单位"))
    def provider(self, row: MatchProposal) -> str:
        return provider_of(row)

    @admin.display(description=lazy("匹配分"))
    def points(self, row: MatchProposal) -> str:
        return chip(*grade_chip(row.score))

    @admin.display(description=lazy("状态"))
    def status(self, row: MatchProposal) -> str:
        return chip(row.get_state_display(), TONES[ProposalState(row.state)])

    def object_title(self, obj: MatchProposal) -> str:
        return _("%(resource)s → %(demand)s") % {"resource": obj.resource.name, "demand": obj.demand.title}

    def chips(self, obj: MatchProposal) -> list[tuple[str, str]]:
        return [(obj.get_state_display(), TONES[ProposalState(obj.state)]), grade_chip(obj.score)]

    def facts(self, request: HttpRequest, obj: MatchProposal) -> list[Fact]:
        demand = link(obj.demand.title, reverse("admin:services_demand_change", args=[obj.demand_id]))
        resource = link(obj.resource.name, reverse("admin:services_resource_change", args=[obj.resource_id]))
        run = link(datetime_words(obj.run.at), reverse("admin:services_matchrun_change", args=[obj.run_id]))
        found = [
            Fact(_("需求"), demand),
            Fact(_("类别"), obj.demand.category.name),
            Fact(_("地点"), obj.demand.node.path),
            Fact(_("资源"), resource),
            Fact(_("提供单位"), provider_of(obj)),
            Fact(_("匹配时间"), run),
            Fact(_("理由"), "\n".join(obj.reasons), wide=True),
        ]
        if obj.project is not None:
            address = reverse("admin:services_project_change", args=[obj.project_id])
            found.append(Fact(_("项目"), link(str(obj.project), address), wide=True))
        if obj.reason:
            found.append(Fact(_("不采纳的理由"), obj.reason, wide=True))
        return found

    def after(self, request: HttpRequest, deed: Deed, obj: Any, result: Any) -> HttpResponse:
        """Back among the others of its run."""
        super().after(request, deed, obj, result)
        return redirect(reverse("admin:services_matchrun_change", args=[obj.run_id]))


def provider_of(row: MatchProposal) -> str:
    return row.resource.unit.label if row.resource.unit else _("社区自有")
