"""The overview of the four lists: totals by state with the way to the rows, and community by community."""

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, link
from core.errors import NotFound
from grids.models import GridNode
from services import posts
from services.admin.matching import match_tools
from services.selectors.lists import (
    DEMANDS,
    LABELS,
    PROJECTS,
    RESOURCES,
    RESPONSIBILITIES,
    ListTotal,
    by_community,
    four_lists,
)

_PAGES = {
    DEMANDS: "admin:services_demand_changelist",
    RESOURCES: "admin:services_resource_changelist",
    PROJECTS: "admin:services_project_changelist",
    RESPONSIBILITIES: "admin:services_responsibility_changelist",
}
# What the list pages call everything that is on the list, and what is late on it.
_LISTED = {"state": "listed"}
_LATE = {DEMANDS: {"light": "late"}, PROJECTS: {"state": "late"}, RESPONSIBILITIES: {"state": "late"}}


def context(request: HttpRequest, address: str) -> dict[str, Any]:
    """What templates/admin/four_lists.html draws, of the place asked for.

    Args:
        address: of the page itself.

    Raises NotFound for a place whose lists the person does not read.
    """
    places = places_of(request.user)
    place = _asked(request, places)
    parts = [_totals(four_lists(request.user, place), place)]
    inside = [node for node in places if place is None or _is_below(node, place)]
    if inside:
        parts.append(_communities(inside, by_community(request.user, place), address))
    above = next((node for node in places if place is not None and node.pk == place.parent_id), None)
    up = None
    if place is not None and len(places) > 1:
        up = (above.name, f"{address}?place={above.pk}") if above else (_("全部"), address)
    title = _("四张清单：%(place)s") % {"place": place.name} if place else _("四张清单")
    return {"title": title, "parts": parts, "up": up, "tools": match_tools(request)}


def places_of(user: Any) -> list[GridNode]:
    """Streets and communities whose lists the person reads, in the order of the tree."""
    seen = policies.within(GridNode, user, posts.VIEW_PROJECT)
    rows = GridNode.objects.standing().at("street", "community").filter(seen)
    return list(rows.order_by("tree_id", "lft")[:600])


def _asked(request: HttpRequest, places: list[GridNode]) -> GridNode | None:
    wanted = request.GET.get("place", "")
    if wanted:
        place = next((node for node in places if str(node.pk) == wanted), None)
        if place is None:
            raise NotFound(_("没有找到这个地点，或不在您的管辖范围内。"))
        return place
    return places[0] if len(places) == 1 else None


def _is_below(node: GridNode, place: GridNode) -> bool:
    return node.tree_id == place.tree_id and place.lft < node.lft < place.rght


def _totals(lists: Iterable[ListTotal], place: GridNode | None) -> Part:
    rows = []
    for one in lists:
        late = link(one.late, _to(one.key, place, **_LATE[one.key])) if one.late else "—"
        whole = {} if one.key == DEMANDS else _LISTED
        rows.append(
            [
                link(one.label, _to(one.key, place, **whole)),
                format_html('<strong class="total">{}</strong>', one.total),
                f"{one.done_words} {one.done}",
                late,
                format_html_join(
                    " · ",
                    '<a href="{}">{}</a> {}',
                    ((_to(one.key, place, state=state.key), state.label, state.count) for state in one.states),
                )
                or "—",
            ]
        )
    columns = [_("清单"), _("在册（项）"), _("办成"), _("超期"), _("各状态")]
    return Part(_("合计"), columns, rows)


def _communities(places: list[GridNode], totals: dict[int | None, dict[str, int]], address: str) -> Part:
    nothing = dict.fromkeys(LABELS, 0)
    rows = []
    for node in places:
        if node.community_id is None:
            continue
        counts = totals.get(node.pk, nothing)
        rows.append([link(node.path, f"{address}?place={node.pk}"), *(counts[key] for key in LABELS)])
    if None in totals:
        rows.append([_("街道统筹"), *(totals[None][key] for key in LABELS)])
    return Part(_("各社区"), [_("社区"), *(str(label) for label in LABELS.values())], rows)


def _to(key: str, place: GridNode | None, **query: str) -> str:
    at = {"place": str(place.pk)} if place else {}
    return f"{reverse(_PAGES[key])}?{urlencode({**at, **query})}"
