"""批量分拣: a page of demands that wait to be sorted, each with what is suggested for it, and one button for all of them.

What is filled in becomes orders of `services.actions.triage`: up to a hundred while the person waits, more as a job. The
result names what could not be done with its reason. Works without JavaScript.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import jobs
from core.admin_base import ScopedModelAdmin
from core.errors import DomainError, Invalid, NotFound
from core.models import Job, JobState, User
from partybuilding.unit_names import UnitNames
from services.actions import triage, triage_jobs
from services.actions.triage_jobs import AT_ONCE, Kept, Plan, Refused
from services.models import Demand, DemandState, Desk
from services.selectors import triage as selectors
from services.selectors.loop import categories_for
from services.selectors.triage import Suggestion
from services.views import cards
from services.workflow import DEMAND

PAGE = 200
LEAVE = ""
# What can be chosen for a row, by its state: name of the choice -> moves, words. A dispatch without a unit is left out.
CHOICES: dict[str, dict[str, tuple[tuple[str, ...], Any]]] = {
    DemandState.REGISTERED: {
        "dispatch": (("accept", "dispatch"), gettext_lazy("受理、派单")),
        "publish": (("accept", "publish"), gettext_lazy("受理并发布认领")),
        "link": (("link",), gettext_lazy("并案")),
        "decline": (("decline",), gettext_lazy("不予受理")),
        LEAVE: ((), gettext_lazy("先不办")),
    },
    DemandState.ACCEPTED: {
        "dispatch": (("dispatch",), gettext_lazy("派单")),
        "publish": (("publish",), gettext_lazy("发布认领")),
        "link": (("link",), gettext_lazy("并案")),
        LEAVE: ((), gettext_lazy("先不办")),
    },
}
# The same for all rows that are done at once.
FOR_ALL = {
    "dispatch": gettext_lazy("受理、派单"),
    "publish": gettext_lazy("发布认领"),
    "decline": gettext_lazy("不予受理"),
}
# For the rows of the filter that are not on the page: name of the choice -> words, and the moves by state. A row in another
# state is none of its business.
REST: dict[str, tuple[Any, dict[str, tuple[str, ...]]]] = {
    "dispatch": (
        gettext_lazy("按建议受理、派单"),
        {DemandState.REGISTERED: ("accept", "dispatch"), DemandState.ACCEPTED: ("dispatch",)},
    ),
    "accept": (gettext_lazy("只受理"), {DemandState.REGISTERED: ("accept",)}),
    "publish": (
        gettext_lazy("受理并发布认领"),
        {DemandState.REGISTERED: ("accept", "publish"), DemandState.ACCEPTED: ("publish",)},
    ),
}
# How many rows are gone through for as many as may be done at once: some of those that were accepted have no step.
LOOKED_AT = 5 * triage.MOST


@dataclass(frozen=True)
class Line:
    """One row of the page."""

    demand: Demand
    suggestion: Suggestion
    number: int

    @property
    def chip(self) -> cards.Chip:
        return cards.state_chip(self.demand)

    @property
    def choices(self) -> list[tuple[str, Any]]:
        return [(name, words) for name, (_moves, words) in CHOICES[self.demand.state].items()]

    @property
    def chosen(self) -> str:
        """What the row starts with. What is likely known already waits for somebody to decide."""
        return LEAVE if self.suggestion.twin else self.choices[0][0]

    @property
    def category_id(self) -> int:
        return self.suggestion.category.pk if self.suggestion.category else self.demand.category_id

    @property
    def supporting_words(self) -> str:
        return "、".join(unit.label for unit in self.suggestion.supporting) if self.suggestion.unit else ""

    @property
    def desk_words(self) -> str:
        """Who handles it by a rule that names no unit."""
        desk = self.suggestion.desk
        return _("规则：由%(desk)s办理") % {"desk": Desk(desk).label} if desk else ""

    @property
    def is_new_category(self) -> bool:
        return self.category_id != self.demand.category_id


def triage_view(page: ScopedModelAdmin, request: HttpRequest) -> HttpResponse:
    user = _sorter(request)
    try:
        changes = page.get_changelist_instance(request)
        rows = selectors.waiting(user, changes.get_queryset(request))
    except IncorrectLookupParameters:
        return redirect(page.url("triage"))
    if request.method == "POST":
        return _sent(page, request, user, rows)
    states: dict[str, int] = dict(rows.order_by().values_list("state").annotate(Count("pk")))
    paginator = Paginator(rows, PAGE)
    paginator.count = sum(states.values())
    shown = paginator.get_page(request.GET.get("p"))
    demands = list(shown.object_list)
    suggested = selectors.suggestions(demands)
    first = shown.start_index()
    lines = [Line(demand, suggested[demand.pk], first + number) for number, demand in enumerate(demands)]
    query = request.GET.copy()
    query.pop("p", None)
    context = {
        "title": _("批量分拣"),
        "cl": changes,
        "shown": shown,
        "lines": lines,
        "most": triage.MOST,
        "rest_choices": _rest_choices(states, demands),
        "for_all": FOR_ALL.items(),
        "categories": categories_for(demands[0].county_id) if demands else (),
        "units": selectors.units_around(demands),
        "query": query.urlencode(),
        "back": page.url("changelist"),
    }
    return page.render(request, "admin/triage.html", context)


def _rest_choices(states: dict[str, int], shown: list[Demand]) -> list[tuple[str, str]]:
    """What can be done with the rows that are not on the page, and with how many of them."""
    left = Counter(states)
    left.subtract(demand.state for demand in shown)
    room = triage.MOST - len(shown)
    choices: list[tuple[str, str]] = []
    for name, (words, moves) in REST.items():
        count = sum(left[state] for state in moves)
        told = (
            _("%(words)s（%(count)d 条）") if count <= room else _("%(words)s（共 %(count)d 条，这次最多 %(room)d 条）")
        )
        if count > 0:
            choices.append((name, told % {"words": words, "count": count, "room": room}))
    return choices


def _sorter(request: HttpRequest) -> User:
    if not isinstance(request.user, User) or not selectors.may_sort(request.user):
        raise PermissionDenied
    return request.user


def _sent(page: ScopedModelAdmin, request: HttpRequest, user: User, rows: Any) -> HttpResponse:
    sent = _Sent(request, user)
    plans, refused = sent.plans()
    kept = triage_jobs.NOTHING_KEPT
    if request.POST.get("rest"):
        others, kept = sent.rest(rows, triage.MOST - max(len(sent.seen), len(plans)))
        plans += others
    back = page.url("triage") + (f"?{request.GET.urlencode()}" if request.GET else "")
    if len(plans) > AT_ONCE:
        job = triage_jobs.submit_triage(actor=user, plans=plans, refused=refused, kept=kept)
        return redirect(f"{page.url('triage_job', job.pk)}?{urlencode({'back': request.GET.urlencode()})}")
    answers = triage.triage(actor=user, orders=triage_jobs.orders_of(plans), held=kept.held)
    return _result(page, request, triage_jobs.report_of(answers, refused, kept), back)


class _Sent:
    """What was filled in, as plans."""

    def __init__(self, request: HttpRequest, user: User) -> None:
        self.post, self.user = request.POST, user
        # What is said for all of a page leaves those alone that are to be left; whoever ticks one means it.
        self.whole_page = self.post.get("which") == "page"
        ids = self.post.getlist("shown" if self.whole_page else "row")
        keys = list(dict.fromkeys(number for text in ids if (number := _number(text)) is not None))[: triage.MOST]
        self.seen = [
            number for text in self.post.getlist("shown")[: triage.MOST] if (number := _number(text)) is not None
        ]
        found = Demand.objects.visible_to(user).filter(pk__in=keys).select_related("county", "category")
        self.demands: dict[int, Demand] = {demand.pk: demand for demand in found}
        self.keys = [key for key in keys if key in self.demands]
        self.names: dict[int, UnitNames] = {}
        codes = {code for key in self.keys if (code := self._given("matter", key))}
        matters = Demand.objects.visible_to(user).filter(code__in=codes).only("pk", "code")
        self.matters = {row.code: row.pk for row in matters}

    def _given(self, name: str, key: int) -> str:
        """What stands in a row; what was said for all of them goes before it."""
        return str(self.post.get(f"{name}-all") or self.post.get(f"{name}-{key}", "")).strip()[:200]

    def plans(self) -> tuple[list[Plan], list[Refused]]:
        """Plans of the rows that were to be done, and those of them that say something nobody can do."""
        plans: list[Plan] = []
        refused: list[Refused] = []
        for key in self.keys:
            demand = self.demands[key]
            chosen = self._given("do", key)
            left = self.post.get(f"do-{key}") == LEAVE
            if left and (chosen == LEAVE or self.whole_page):
                continue
            try:
                choice, version = (
                    CHOICES.get(demand.state, {}).get(chosen),
                    _number(self.post.get(f"version-{key}", "")),
                )
                if choice is None or version is None:
                    raise Invalid(_("这条需求刚刚有了变化，请刷新页面后再办理。"))
                steps = [[name, self._inputs(name, demand)] for name in self._moves(choice[0], key)]
                if steps:
                    plans.append([key, version, steps])
            except DomainError as error:
                refused.append([key, demand.code, demand.title, "", error.message])
        return plans, refused

    def _moves(self, moves: tuple[str, ...], key: int) -> list[str]:
        return [name for name in moves if name != "dispatch" or self._given("unit", key)]

    def _inputs(self, name: str, demand: Demand) -> dict[str, Any]:
        if name == "accept":
            category = _number(self._given("category", demand.pk))
            return {"category": category} if category and category != demand.category_id else {}
        if name == "dispatch":
            if demand.county_id not in self.names:
                self.names[demand.county_id] = UnitNames(demand.county)
            return self._units(demand.pk, self.names[demand.county_id])
        if name == "link":
            code = self._given("matter", demand.pk)
            if code not in self.matters:
                raise Invalid(_("没有找到要并入的需求“%(code)s”，请填写完整的编号。") % {"code": code or "—"})
            return {"matter": self.matters[code]}
        if name == "decline":
            return {"reason": str(self.post.get("reason", "")).strip()[:500]}
        return {}

    def _units(self, key: int, names: UnitNames) -> dict[str, Any]:
        """Who leads it; whom a rule adds goes along as long as it is the unit of that rule."""
        unit = names.find(self._given("unit", key))
        supporting = self.post.getlist(f"supporting-{key}")
        if not supporting or unit.name != self.post.get(f"suggested-{key}"):
            return {"unit": unit.pk}
        return {"unit": unit.pk, "supporting": [names.find(name, field="supporting").pk for name in supporting]}

    def rest(self, rows: Any, room: int) -> tuple[list[Plan], Kept]:
        """Plans of at most `room` of the filter's rows that are not on the page, and what was kept back of them."""
        _words, moves = REST.get(self.post.get("rest_do", "dispatch"), ("", {}))
        others = rows.filter(state__in=list(moves)).exclude(pk__in=self.seen)
        # What is registered has a step for certain, and goes before what was accepted and may have none.
        others = others.order_by("-state", *rows.query.order_by)
        plans: list[Plan] = []
        held: list[int] = []
        left: Counter[str] = Counter()
        for start in range(0, LOOKED_AT, triage.MOST):
            demands = list(others[start : start + triage.MOST]) if len(plans) < room else []
            suggested = selectors.suggestions(demands)
            for demand in demands:
                if len(plans) == room:
                    break
                suggestion = suggested[demand.pk]
                steps = _steps(demand, suggestion, moves[demand.state])
                if steps:
                    plans.append([demand.pk, demand.version, steps])
                    held += [demand.pk] if suggestion.twin else []
                else:
                    left["twins" if suggestion.twin else "unitless"] += 1
            if len(demands) < triage.MOST:
                break
        return plans, Kept(held, **left)


def _steps(demand: Demand, suggestion: Suggestion, moves: tuple[str, ...]) -> list[Any]:
    """Moves of a row nobody has looked at, with the inputs that are suggested for it: no dispatch where no unit is, and no
    more than accepted where it is likely known already."""
    category = suggestion.category
    if suggestion.twin:
        moves = tuple(name for name in moves if name == "accept")
    inputs = {
        "accept": {"category": category.pk} if category and category.pk != demand.category_id else {},
        "dispatch": _sent_to(suggestion),
    }
    return [[name, inputs.get(name, {})] for name in moves if name != "dispatch" or suggestion.unit]


def _sent_to(suggestion: Suggestion) -> dict[str, Any]:
    if suggestion.unit is None:
        return {}
    supporting = [unit.pk for unit in suggestion.supporting]
    return {"unit": suggestion.unit.pk, **({"supporting": supporting} if supporting else {})}


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def job_view(page: ScopedModelAdmin, request: HttpRequest, pk: int) -> HttpResponse:
    """The progress of a job, then what came of it."""
    user = _sorter(request)
    job = Job.objects.visible_to(user).filter(pk=pk, kind=triage_jobs.KIND).first()
    if job is None:
        raise NotFound(_("没有找到这次分拣。只有提交人自己能看到。"))
    query = request.GET.get("back", "")
    back = page.url("triage") + (f"?{query}" if query else "")
    if job.state in (JobState.DONE, JobState.FAILED):
        report = job.report.get("triage") or triage_jobs.report_of([], job.params.get("refused", ()))
        return _result(page, request, report, back, job)
    context = {"title": _("正在分拣"), "job": job, "kind_label": jobs.kind_label(job.kind), "back_url": back}
    return page.render(request, "admin/triage_done.html", context)


def _kept_words(kept: dict[str, int]) -> list[str]:
    """What was not done with the rows that were not on the page, and what to do now."""
    words = {
        "held": _("其余各条中有 %(count)d 条可能重复，只受理，没有派单、没有发布；请逐条看过，再并案或派单。"),
        "twins": _("其余各条中有 %(count)d 条早已受理、可能重复，这次没有动；请逐条看过，再并案或派单。"),
        "unitless": _("其余各条中有 %(count)d 条早已受理、没有建议单位，这次没有动；请逐条填上单位再派。"),
    }
    return [text % {"count": kept[name]} for name, text in words.items() if kept.get(name)]


def _result(
    page: ScopedModelAdmin, request: HttpRequest, report: dict[str, Any], back: str, job: Job | None = None
) -> HttpResponse:
    counted = [(DEMAND.get(name).label, count) for name, count in report["counted"].items()]
    context = {
        "title": _("分拣结果"),
        "report": report,
        "counted": counted,
        "kept": _kept_words(report.get("kept", {})),
        "job": job,
        "over": True,
        "back_url": back,
        "list_url": page.url("changelist"),
    }
    return page.render(request, "admin/triage_done.html", context)
