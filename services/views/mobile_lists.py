"""`/m/lists/`: the lists a person may read, by what they hold. Always cards, never a table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as t
from django.views.decorators.http import require_safe

from core import policies
from core.models import User
from core.phone import person, phone_page
from grids.policies import CountyScope, NodeScope
from partybuilding.policies import MemberScope, UnitScope
from services import posts
from services.models import Assignment, Demand, DemandState, SubOrder
from services.policies import CheckInScope
from services.selectors import loop as selectors
from services.views import cards
from services.views.mobile import lists_number, show

PER_PAGE = 20


@dataclass(frozen=True)
class List:
    """A list of the page.

    Attributes:
        scopes: shown to whoever holds `demand.view` in one of these.
        rows: what is in it; `running`: the part that is not over yet; `face`: row to card.
        demand: lookup from a row to its demand.
        empty: what to say and do when there is nothing in it.
    """

    name: str
    label: Promise | str
    scopes: tuple[type, ...]
    rows: Callable[[User], Any]
    running: Q
    face: Callable[..., cards.Card]
    demand: str = ""
    empty: Promise | str = ""


_OPEN = Q(state__in=[state for state in DemandState.values if Demand(state=state).is_open])


def _offered(user: User) -> Any:
    rows = Demand.objects.visible_to(user).filter(state=DemandState.PUBLISHED)
    return selectors.with_buttons(rows).order_by("step_due_at", "pk")


def _units(user: User) -> Any:
    ids = [scope.unit_id for scope in policies.scopes(user, posts.VIEW_DEMAND) if isinstance(scope, UnitScope)]
    return SubOrder.objects.filter(unit_id__in=ids).with_faces().prefetch_related("assignments").order_by("-pk")


def _asked(user: User) -> Any:
    ids = [scope.member_id for scope in policies.scopes(user, posts.VIEW_DEMAND) if isinstance(scope, MemberScope)]
    rows = Assignment.objects.live().filter(member_id__in=ids).prefetch_related("suborder__assignments")
    return rows.select_related(
        "suborder__unit", "suborder__demand__node", "suborder__demand__category", "suborder__demand__community"
    ).order_by("-pk")


def _area(user: User) -> Any:
    return selectors.with_buttons(Demand.objects.visible_to(user)).order_by("-registered_at", "-pk")


def _raised(user: User) -> Any:
    return selectors.with_buttons(selectors.demands_raised_by(user))


_SUBORDER_RUNS = ["dispatched", "signed", "return_requested", "in_service"]
_PLACES = (NodeScope, CountyScope)
LISTS = (
    List(
        "offered",
        t("可认领"),
        (CheckInScope,),
        _offered,
        Q(),
        cards.demand_card,
        empty=t("现在没有等待认领的需求。社区发布新的需求后，会在这里出现，也会通知您。"),
    ),
    List(
        "unit",
        t("本单位"),
        (UnitScope,),
        _units,
        Q(state__in=_SUBORDER_RUNS),
        cards.suborder_card,
        "demand__",
        empty=t("本单位还没有派单。可以去“可认领”里看看。"),
    ),
    List(
        "asked",
        t("我参加的"),
        (MemberScope,),
        _asked,
        Q(suborder__state__in=_SUBORDER_RUNS),
        cards.assignment_card,
        "suborder__demand__",
        empty=t("还没有请您参加的服务。单位安排后会通知您，接受或婉拒都可以。"),
    ),
    List(
        "area",
        t("辖区"),
        _PLACES,
        _area,
        _OPEN,
        cards.demand_card,
        empty=t("辖区里还没有需求。看到什么事，可以在“上报”里登记。"),
    ),
    List(
        "raised",
        t("我上报的"),
        _PLACES,
        _raised,
        _OPEN,
        cards.demand_card,
        empty=t("您还没有上报过。看到什么事，可以在“上报”里登记。"),
    ),
)


def lists_of(user: User) -> list[List]:
    """The lists a person may open, by what they hold."""
    held = policies.scopes(user, posts.VIEW_DEMAND)
    return [one for one in LISTS if any(isinstance(scope, one.scopes) for scope in held)]


@phone_page
@require_safe
def lists(request: HttpRequest) -> HttpResponse:
    user = person(request)
    known = lists_of(user)
    chosen = next((one for one in known if one.name == request.GET.get("list")), known[0] if known else None)
    if chosen is None:
        return show(request, "lists", {"lists": [], "cards": []}, active="lists")
    only_open = request.GET.get("all") != "1"
    asked = " ".join(request.GET.get("q", "")[:60].split())
    rows = chosen.rows(user)
    if only_open:
        rows = rows.filter(chosen.running)
    if asked:
        prefix = chosen.demand
        rows = rows.filter(Q(**{f"{prefix}title__icontains": asked}) | Q(**{f"{prefix}code__startswith": asked}))
    number = lists_number(request)
    found = list(rows[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
    now = timezone.now()
    query = {"list": chosen.name, **({} if only_open else {"all": "1"}), **({"q": asked} if asked else {})}
    context = {
        "lists": known if len(known) > 1 else [],
        "chosen": chosen,
        "only_open": only_open,
        "asked": asked,
        "cards": [chosen.face(row, user, now) for row in found[:PER_PAGE]],
        "has_filter": bool(chosen.running),
        "previous_url": "?" + urlencode({**query, "page": number - 1}) if number > 1 else "",
        "next_url": "?" + urlencode({**query, "page": number + 1}) if len(found) > PER_PAGE else "",
        "may_raise": policies.holds(user, posts.RAISE_DEMAND),
    }
    return show(request, "lists", context, active="lists")
