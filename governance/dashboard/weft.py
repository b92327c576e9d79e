"""`/dashboard/<place>/weft/`: who reported, what was promised and kept, and the four lists of a place.

The figures are those of `services.selectors`, the same as on every other face; nothing is counted here.
"""

from collections.abc import Iterable

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from governance.dashboard.figures import Figure
from governance.dashboard.frame import frame
from governance.dashboard.places import Place, atlas_of
from governance.dashboard.tables import Cell, Column, body
from grids.models import County, GridNode
from grids.posts import COUNTY
from services.selectors import cases, lists, projects, two_way, wishes

# Where the rows behind a figure are listed, for whoever works at a desk.
_LISTS = {
    lists.DEMANDS: "admin:services_demand_changelist",
    lists.RESOURCES: "admin:services_resource_changelist",
    lists.PROJECTS: "admin:services_project_changelist",
    lists.RESPONSIBILITIES: "admin:services_responsibility_changelist",
}


@login_required
@require_safe
def weft(request: HttpRequest, code: str = "") -> HttpResponse:
    """The page of a place; without a code, of the widest place the person's posts reach."""
    atlas = atlas_of(request.user)
    place = atlas.find(code) if code else atlas.start()
    found, node = _board(place)
    desk = bool(getattr(request.user, "is_staff", False))
    columns = [Column(label, number=number > 0) for number, label in enumerate(_headers())]
    # The dashboard ends at communities; what lies in one is named and opens nothing.
    open_to = {each.pk: reverse("dashboard:weft_place", args=[each.code]) for each in atlas.by_code.values()}
    context = {
        **frame(request.user, "weft"),
        "place": place,
        "trail": [{"name": name, "url": _above(place, name)} for name in place.steps],
        "figures": _figures(request, place, found, node, desk=desk),
        "caption": _("各处情况"),
        "columns": columns,
        "body": body(
            (_cells(line.place.name, open_to.get(line.place.pk, ""), line) for line in found.lines if line.place),
            columns,
        ),
        "foot": body([_cells(_("合计"), "", found.whole)], columns),
        "empty": not found.lines,
        # The same figures with the rows behind them and their ledgers, for whoever works at a desk.
        "desk": _desk("admin:services_commitment_figures", node) if desk else "",
        "roots": [root for root in atlas.roots if root is not place.top],
    }
    return render(request, "dashboard/weft.html", context)


def _board(place: Place) -> tuple[two_way.Board, GridNode | None]:
    county = County.objects.get(pk=place.county_id)
    node = None if place.level == COUNTY else GridNode.objects.get(pk=place.pk)
    return two_way.board(county, node), node


def _above(place: Place, name: str) -> str:
    seen = {each.name: reverse("dashboard:weft_place", args=[each.code]) for each in place.trail[:-1]}
    return seen.get(name, "")


def _headers() -> list[str]:
    return [
        _("地点"),
        _("报到单位"),
        _("牵头单位"),
        _("配合单位"),
        _("报到党员"),
        _("承诺事项"),
        _("已完成"),
        _("完成率"),
        _("共建活动"),
    ]


def _cells(name: str, url: str, line: two_way.Line) -> list[Cell]:
    kept = line.kept
    return [
        Cell(name, url),
        Cell(line.units),
        Cell(line.lead),
        Cell(line.supporting),
        Cell(line.members),
        Cell(kept.promised),
        Cell(kept.done),
        Cell(f"{kept.percent}%" if kept.promised else "—"),
        Cell(line.activities),
    ]


def _desk(name: str, node: GridNode | None) -> str:
    return reverse(name) + (f"?place={node.pk}" if node is not None else "")


def _figures(
    request: HttpRequest, place: Place, board: two_way.Board, node: GridNode | None, *, desk: bool
) -> Iterable[Figure]:
    """The place's own figures: who reported, what was kept, the four lists, households helped."""
    whole = board.whole

    def rows(name: str) -> str:
        return _desk(name, node) if desk else ""

    kept = whole.kept
    found = [
        Figure(
            _("报到单位"),
            rows("admin:services_unitcheckin_changelist"),
            str(whole.units),
            _("个"),
            note=_("牵头 %(lead)d，配合 %(supporting)d") % {"lead": whole.lead, "supporting": whole.supporting},
        ),
        Figure(_("报到党员"), rows("admin:services_membercheckin_changelist"), str(whole.members), _("名")),
        Figure(
            _("承诺完成"),
            rows("admin:services_commitment_changelist"),
            str(kept.percent or 0),
            "%",
            str(kept.done),
            kept.promised,
            note=_("逾期 %(count)d 项") % {"count": kept.overdue} if kept.overdue else "",
        ),
        Figure(_("共建活动"), rows("admin:services_activity_changelist"), str(whole.activities), _("次")),
    ]
    wished = wishes.figures_of(wishes.in_place(place.county_id, node))
    found.append(
        Figure(
            _("微心愿圆梦"),
            rows("admin:services_wish_changelist"),
            str(wished.percent or 0),
            "%",
            str(wished.done),
            wished.adopted,
            note=_("征集 %(collected)d，答谢 %(thanked)d") % {"collected": wished.collected, "thanked": wished.thanked},
        )
    )
    for total in lists.four_lists(request.user, node):
        note = _("%(words)s %(done)d") % {"words": total.done_words, "done": total.done}
        if total.late:
            note = _("%(note)s，逾期 %(late)d") % {"note": note, "late": total.late}
        found.append(Figure(total.label, rows(_LISTS[total.key]), str(total.total), _("项"), note=note))
    bought = projects.bought_in_figure(lists.rows_of(lists.PROJECTS, request.user, node))
    listed = rows(_LISTS[lists.PROJECTS])
    where = f"{listed}{'&' if '?' in listed else '?'}state=bought_in" if listed else ""
    found.append(
        Figure(_("购买服务"), where, str(bought.count), _("项"), note=bought.cost_words if bought.count else "")
    )
    # Figures alone, and to nowhere: who is helped is for the community and for who helps (docs/decisions/0027).
    helped = cases.figures(board.county, node)
    words = {"done": helped.done, "helping": helped.helping}
    note = _("帮完 %(done)d 项，在帮 %(helping)d 项") % words if helped.cases else ""
    found.append(Figure(_("帮扶个案"), "", str(helped.cases), _("件"), note=note))
    return found
