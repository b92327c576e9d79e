"""The page 微心愿统计: how wishes stand in a place, by community and by unit, with every figure a link to its rows; and the same
as ledgers. Source: docs/domain.md#l5."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from core.admin_base import Part, link
from core.models import User
from core.spreadsheets import XLSX_TYPE, LedgerColumn, write_ledger
from grids.models import County, GridNode
from grids.selectors import reporting_unit
from partybuilding.compound_board import Figure
from services.admin.two_way import person
from services.models import WishState
from services.posts import VIEW_WISH
from services.selectors.wishes import Line, UnitLine, WishFigures, board, by_unit, place_of


def show(page: Any, request: HttpRequest) -> HttpResponse:
    """The figures of a place, of its communities, then unit by unit."""
    _user, county, place = _where(page, request)
    found = board(county, place)
    query = f"?{urlencode({'place': place.pk})}" if place else ""
    context = {
        "title": _("微心愿统计"),
        "where": place.name if place else county.name,
        "figures": _figures(found.whole, place),
        "parts": [_by_community(found.lines), _by_unit(by_unit(county, place))],
        "ledger_url": page.url("figures_ledger") + query,
        "units_ledger_url": page.url("figures_ledger") + (f"{query}&by=unit" if query else "?by=unit"),
    }
    return page.render(request, "admin/wish_figures.html", context)


def ledger(page: Any, request: HttpRequest) -> HttpResponse:
    """What the page shows, as a cadre prints it: by community, or `by=unit`."""
    user, county, place = _where(page, request)
    name = place.name if place else county.name
    rows: list[Sequence[object]]
    if request.GET.get("by") == "unit":
        title = _("%(place)s微心愿认领情况（按单位）") % {"place": name}
        columns = [
            LedgerColumn(_("单位")),
            LedgerColumn(_("认领（个）"), "right", total=True),
            LedgerColumn(_("圆梦（个）"), "right", total=True),
            LedgerColumn(_("折合费用（元）"), "right", total=True),
        ]
        rows = [[one.unit.name, one.adopted, one.done, one.money] for one in by_unit(county, place)]
    else:
        title = _("%(place)s微心愿情况") % {"place": name}
        columns = [LedgerColumn(_("社区")), *(LedgerColumn(words, "right") for words in _headers())]
        found = board(county, place)
        # Who adopts in two communities is one adopter of the whole: the last row is counted, not added up.
        rows = [[line.community.name, *_cells(line.figures)] for line in found.lines]
        rows.append([_("合计") if rows else name, *_cells(found.whole)])
    today = timezone.localdate()
    content = write_ledger(
        title=title,
        unit=reporting_unit(user, VIEW_WISH),
        day=today,
        columns=columns,
        rows=iter(rows),
        filled_by=user.name,
    )
    response = HttpResponse(content, content_type=XLSX_TYPE)
    response.headers["Content-Disposition"] = content_disposition_header(True, f"{title}{today:%Y%m%d}.xlsx") or ""
    response.headers["Cache-Control"] = "no-store"
    return response


def _where(page: Any, request: HttpRequest) -> tuple[User, County, GridNode | None]:
    user = person(request)
    if not page.sees_list(user):
        raise PermissionDenied
    return user, *place_of(user, request.GET.get("place", ""))


def _rows(place: GridNode | None, **query: Any) -> str:
    given = {**({"place": place.pk} if place else {}), **query}
    return reverse("admin:services_wish_changelist") + (f"?{urlencode(given)}" if given else "")


def _figures(found: WishFigures, place: GridNode | None) -> list[Figure]:
    adopters = _("党员 %(members)d 名，单位 %(units)d 个") % {"members": found.members, "units": found.units}
    waits = _("待审核 %(count)d 个") % {"count": found.waiting} if found.waiting else ""
    return [
        Figure(_("征集"), f"{found.collected:,}", _("个"), _rows(place), note=waits),
        Figure(_("待认领"), f"{found.open:,}", _("个"), _rows(place, state=WishState.OPEN)),
        Figure(_("认领"), f"{found.adopted:,}", _("个"), note=adopters),
        Figure(_("圆梦"), f"{found.done:,}", _("个"), "", found.done, found.adopted),
        Figure(_("答谢"), f"{found.thanked:,}", _("个"), _rows(place, state=WishState.THANKED)),
        Figure(_("折合费用"), f"{found.money:,}", _("元")),
    ]


def _headers() -> list[str]:
    return [
        _("征集"),
        _("待审核"),
        _("待认领"),
        _("认领"),
        _("圆梦"),
        _("答谢"),
        _("认领党员"),
        _("认领单位"),
        _("折合费用（元）"),
    ]


def _cells(found: WishFigures) -> list[int]:
    return [
        found.collected,
        found.waiting,
        found.open,
        found.adopted,
        found.done,
        found.thanked,
        found.members,
        found.units,
        found.money,
    ]


def _by_community(lines: Sequence[Line]) -> Part:
    rows = [[link(line.community.name, _rows(line.community)), *_cells(line.figures)] for line in lines]
    return Part(_("各社区"), [_("社区"), *_headers()], rows, _("还没有征集微心愿。"))


def _by_unit(lines: Sequence[UnitLine]) -> Part:
    rows = [[one.unit.name, one.adopted, one.done, f"{one.money:,}"] for one in lines]
    columns = [_("单位"), _("认领"), _("圆梦"), _("折合费用（元）")]
    return Part(_("各单位认领情况（按单位名称排列）"), columns, rows, _("还没有单位认领。"))
