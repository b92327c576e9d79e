"""Finding one's building without its QR code: street, community, compound, building, each a page; or by its name."""

from typing import Any

from django.db.models import Q, Value
from django.db.models.functions import Replace
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.errors import NotFound
from grids.models import County, GridNode
from grids.naming import steps_of
from services.forms import CodeForm
from services.selectors import loop as selectors
from services.views import following
from services.views.resident import place_token, resident_page, to_heir

PER_PAGE = 30
# Levels no resident knows by name: the page shows what lies in them instead.
UNSEEN = ("sector", "grid")
# The last level a resident is led to: whoever stands before the door scans it.
LAST = "building"
_BELOW = ("unit_entrance", "floor_section", "floor", "core_household")
_WORDS = 4


@resident_page
@require_safe
def start(request: HttpRequest) -> HttpResponse:
    """`/r/` without a code: scan, search, choose a street, or look up what was ordered before."""
    asked = " ".join(request.GET.get("q", "")[:60].split())
    context: dict[str, Any] = {"asked": asked, "form": CodeForm()}
    if asked:
        following.count(request, "places", following.SEARCHES_PER_ADDRESS)
        found = list(_search(asked)[: PER_PAGE + 1])
        context |= {"found": found[:PER_PAGE], "more": len(found) > PER_PAGE}
    else:
        context["counties"] = _counties()
    return render(request, "services/resident/start.html", context)


@resident_page
@require_safe
def inside(request: HttpRequest, token: str) -> HttpResponse:
    """What lies inside a place, one step further down."""
    node = selectors.public_place(place_token(token))
    if node.is_retired:
        return to_heir(request, node)
    if node.level_key == LAST or node.level_key in _BELOW:
        return redirect("resident:order", node.public_token)
    number = _number(request.GET.get("page", ""))
    rows = list(_within(node)[(number - 1) * PER_PAGE : number * PER_PAGE + 1])
    if not rows and number > 1:
        raise NotFound(_("没有这一页。"))
    if not rows:
        return redirect("resident:order", node.public_token) if node.community_id else _nothing_here(request, node)
    context = {
        "node": node,
        "place": steps_of(node.path),
        "rows": rows[:PER_PAGE],
        "previous_url": f"?page={number - 1}" if number > 1 else "",
        "next_url": f"?page={number + 1}" if len(rows) > PER_PAGE else "",
    }
    return render(request, "services/resident/inside.html", context)


def _nothing_here(request: HttpRequest, node: GridNode) -> HttpResponse:
    raise NotFound(_("“%(place)s”还没有登记社区，请联系街道。") % {"place": node.name})


def _counties() -> list[tuple[County, list[GridNode]]]:
    """Each county with its streets."""
    found: dict[County, list[GridNode]] = {}
    for street in GridNode.objects.standing().filter(depth=0).select_related("county").order_by("county", "code"):
        found.setdefault(street.county, []).append(street)
    return list(found.items())


def _within(node: GridNode) -> Any:
    """The next places below that a resident knows, in the tree's order."""
    parents = Q(parent=node)
    for steps in range(1, len(UNSEEN) + 1):
        path = "__".join(["parent"] * steps)
        hidden = {f"{'__'.join(['parent'] * step)}__level_type__key__in": UNSEEN for step in range(1, steps + 1)}
        parents |= Q(**{f"{path}__parent": node}, **hidden)
    return (
        GridNode.objects.standing()
        .filter(parents)
        .exclude(level_type__key__in=UNSEEN)
        .select_related("level_type")
        .order_by("lft")
    )


def _search(asked: str) -> Any:
    """Places with every word in their path and the last one in their own name, larger places first."""
    words = asked.split()[:_WORDS]
    # "3栋" finds "3 栋": nobody types the space.
    found = (
        GridNode.objects.standing()
        .exclude(level_type__key__in=(*UNSEEN, *_BELOW))
        .annotate(own=_without_spaces("name"), whole=_without_spaces("path"))
        .filter(own__icontains=words[-1])
    )
    for word in words[:-1]:
        found = found.filter(whole__icontains=word)
    return found.select_related("level_type").order_by("level_type__order", "tree_id", "lft")


def _without_spaces(column: str) -> Replace:
    return Replace(column, Value(" "), Value(""))


def _number(text: str) -> int:
    return min(int(text), 1000) if text.isascii() and text.isdigit() and len(text) < 6 and int(text) else 1
