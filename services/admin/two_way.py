"""The page 双报到双服务: units, members, promises and activities of a place, with every figure a link to its rows; and the
same as ledgers. Source: docs/domain.md#z1, #z2.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, link
from core.models import User
from core.spreadsheets import XLSX_TYPE, LedgerColumn, write_ledger
from grids.models import County, GridNode
from grids.policies import CountyScope
from grids.selectors import reporting_unit
from partybuilding.compound_board import Figure
from services.models import Activity, Commitment, MemberCheckIn, UnitCheckIn
from services.posts import VIEW_COMMITMENT
from services.selectors.commitments import UnitKept, by_unit
from services.selectors.two_way import Board, Line, board, place_of


def show(page: Any, request: HttpRequest) -> HttpResponse:
    """The figures of a place and of what it is made of, then unit by unit."""
    user, county, place = where(page, request)
    found = board(county, place)
    query = f"?place={place.pk}" if place else ""
    context = {
        "title": _("双报到双服务"),
        "where": place.name if place else county.name,
        "trail": _trail(user, place),
        "figures": _figures(found.whole, place),
        "parts": [_below(found), _units(by_unit(county, place), place)],
        "ledger_url": page.url("figures_ledger") + query,
        "units_ledger_url": page.url("figures_ledger") + (f"{query}&by=unit" if query else "?by=unit"),
    }
    return page.render(request, "admin/two_way.html", context)


def ledger(page: Any, request: HttpRequest) -> HttpResponse:
    """What the page shows, as a cadre prints it: by place, or `by=unit`."""
    user, county, place = where(page, request)
    name = place.name if place else county.name
    if request.GET.get("by") == "unit":
        title = _("%(place)s承诺完成情况（按单位）") % {"place": name}
        columns, rows = _unit_columns(), [_unit_row(one) for one in by_unit(county, place)]
    else:
        title = _("%(place)s双报到双服务情况") % {"place": name}
        found = board(county, place)
        columns = _columns()
        # A unit that reports to several communities is one unit of the county: the last row is counted, not added up.
        rows = [_row(line.place.name if line.place else "", line) for line in found.lines]
        rows.append(_row(_("合计") if rows else name, found.whole))
    content = write_ledger(
        title=title,
        unit=reporting_unit(user, VIEW_COMMITMENT),
        day=timezone.localdate(),
        columns=columns,
        rows=iter(rows),
        filled_by=user.name,
    )
    response = HttpResponse(content, content_type=XLSX_TYPE)
    file = f"{title}{timezone.localdate():%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = content_disposition_header(True, file) or ""
    response.headers["Cache-Control"] = "no-store"
    return response


def where(page: Any, request: HttpRequest) -> tuple[User, County, GridNode | None]:
    """Who asks, and of which place: the one asked for, else the widest the person sees. Raises NotFound."""
    user = person(request)
    if not page.sees_list(user):
        raise PermissionDenied
    return user, *place_of(user, request.GET.get("place", ""))


def person(request: HttpRequest) -> User:
    """Whoever passed the door of the admin."""
    assert isinstance(request.user, User)
    return request.user


# --- What the page says ---------------------------------------------------------------------------------------------


def _address(name: str, place: GridNode | None, **query: Any) -> str:
    given = {**({"place": place.pk} if place else {}), **query}
    return reverse(name) + (f"?{urlencode(given)}" if given else "")


def _list(model: type[Model], place: GridNode | None, **query: Any) -> str:
    """The list of a model narrowed to a place; empty where the desk has no such list."""
    if not admin.site.is_registered(model):
        return ""
    return _address(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist", place, **query)


def _board(place: GridNode | None) -> str:
    return _address("admin:services_commitment_figures", place)


def _trail(user: User, place: GridNode | None) -> list[tuple[str, str]]:
    """The way back up as far as the person sees: (name, address)."""
    if place is None:
        return []
    seen = GridNode.objects.filter(policies.within(GridNode, user, VIEW_COMMITMENT))
    above = seen.filter(tree_id=place.tree_id, lft__lt=place.lft, rght__gt=place.rght).order_by("lft")
    whole = any(isinstance(scope, CountyScope) for scope in policies.scopes(user, VIEW_COMMITMENT))
    steps = [(place.county.name, _board(None))] if whole else []
    return [*steps, *((node.name, _board(node)) for node in above)]


def _figures(line: Line, place: GridNode | None) -> list[Figure]:
    roles = _("牵头 %(lead)d，配合 %(supporting)d") % {"lead": line.lead, "supporting": line.supporting}
    kept = line.kept
    promises = {"model": Commitment, "place": place}
    dropped = _("另有终止 %(count)d 项，不计入") % {"count": kept.dropped} if kept.dropped else ""
    return [
        Figure(_("报到单位"), f"{line.units:,}", _("个"), _list(UnitCheckIn, place, running=1), note=roles),
        Figure(_("报到党员"), f"{line.members:,}", _("人"), _list(MemberCheckIn, place, state="accepted")),
        Figure(_("承诺事项"), f"{kept.promised:,}", _("项"), _list(**promises, state="counted"), note=dropped),
        Figure(_("已完成"), f"{kept.done:,}", _("项"), _list(**promises, state="done")),
        Figure(
            _("完成率"),
            f"{kept.percent}%" if kept.promised else "",
            "",
            _list(**promises, state="counted"),
            kept.done,
            kept.promised,
        ),
        Figure(_("待确认"), f"{kept.waiting:,}", _("项"), _list(**promises, state="reported")),
        Figure(_("已超期"), f"{kept.overdue:,}", _("项"), _list(**promises, state="overdue")),
        Figure(_("共建活动"), f"{line.activities:,}", _("次"), _list(Activity, place)),
    ]


def _linked(value: int, address: str) -> Any:
    return link(f"{value:,}", address) if value and address else f"{value:,}"


def _below(found: Board) -> Part:
    titles = [
        _("地点"),
        _("报到单位"),
        _("牵头"),
        _("配合"),
        _("报到党员"),
        _("承诺"),
        _("完成"),
        _("完成率"),
        _("超期"),
        _("共建活动"),
    ]
    rows = []
    for line in found.lines:
        place, kept = line.place, line.kept
        assert place is not None
        rows.append(
            [
                link(place.name, _board(place)),
                _linked(line.units, _list(UnitCheckIn, place, running=1)),
                _linked(line.lead, _list(UnitCheckIn, place, running=1, role="lead")),
                _linked(line.supporting, _list(UnitCheckIn, place, running=1, role="supporting")),
                _linked(line.members, _list(MemberCheckIn, place, state="accepted")),
                _linked(kept.promised, _list(Commitment, place, state="counted")),
                _linked(kept.done, _list(Commitment, place, state="done")),
                kept.rate,
                _linked(kept.overdue, _list(Commitment, place, state="overdue")),
                _linked(line.activities, _list(Activity, place)),
            ]
        )
    return Part(_("各地情况"), titles, rows, _("下面没有再分的地方。"))


def _units(rows: Sequence[UnitKept], place: GridNode | None) -> Part:
    shown = [
        [
            link(one.unit.name, _list(Commitment, place, q=one.unit.name, state="counted")),
            one.kept.promised,
            one.kept.done,
            one.kept.rate,
            one.kept.waiting,
            one.kept.overdue,
            link(_("承诺公示"), reverse("places:promises", args=[one.unit.pk])),
        ]
        for one in rows
    ]
    titles = [_("单位"), _("承诺"), _("完成"), _("完成率"), _("待确认"), _("超期"), _("公示")]
    return Part(_("各单位承诺完成情况（按单位名称排列）"), titles, shown, _("这里还没有单位作出承诺。"))


# --- As ledgers -----------------------------------------------------------------------------------------------------


def _columns() -> list[LedgerColumn]:
    numbers = (
        _("报到单位"),
        _("牵头单位"),
        _("配合单位"),
        _("报到党员"),
        _("承诺事项"),
        _("已完成"),
        _("完成率"),
        _("已超期"),
        _("共建活动"),
    )
    return [LedgerColumn(_("地点")), *(LedgerColumn(title, "right") for title in numbers)]


def _row(name: str, line: Line) -> list[object]:
    kept = line.kept
    rate = f"{kept.percent}%" if kept.promised else "—"
    counted = [line.units, line.lead, line.supporting, line.members, kept.promised, kept.done]
    return [name, *counted, rate, kept.overdue, line.activities]


def _unit_columns() -> list[LedgerColumn]:
    return [
        LedgerColumn(_("单位")),
        LedgerColumn(_("承诺事项"), "right", total=True),
        LedgerColumn(_("已完成"), "right", total=True),
        LedgerColumn(_("完成率"), "right"),
        LedgerColumn(_("待确认"), "right", total=True),
        LedgerColumn(_("已超期"), "right", total=True),
    ]


def _unit_row(one: UnitKept) -> list[object]:
    kept = one.kept
    rate = f"{kept.percent}%" if kept.promised else "—"
    return [one.unit.name, kept.promised, kept.done, rate, kept.waiting, kept.overdue]
