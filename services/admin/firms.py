"""The page 物业服务: what property firms were advised, what was passed on to them and what came of it, each figure a link to
its rows; the same as ledgers; and a sheet for the review of a firm (述职评议). Source: docs/domain.md#c5."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, link
from core.documents import CONTENT_TYPE
from core.errors import NotFound
from core.models import User
from core.periods import Period
from core.spreadsheets import XLSX_TYPE, LedgerColumn, write_ledger
from grids.models import GridNode
from grids.policies import CountyScope
from grids.selectors import reporting_unit
from partybuilding.compound_board import Figure
from partybuilding.models import Unit
from services import firm_papers
from services.admin.filters import offered_periods
from services.admin.two_way import person
from services.posts import VIEW_FIRM
from services.selectors.firms import Board, Figures, FirmLine, board
from services.selectors.two_way import place_of


def urls(page: Any) -> list[URLPattern]:
    """The pages' addresses, beneath the list of demands."""

    def bound(view: Any) -> Any:
        return lambda request, **kwargs: view(page, request, **kwargs)

    return [
        page.page("firms/", bound(show), "firms"),
        page.page("firms/ledger/", bound(ledger), "firms_ledger"),
        page.page("firms/<int:pk>/review/", bound(review), "firm_review"),
    ]


def show(page: Any, request: HttpRequest) -> HttpResponse:
    """The figures of a place, firm by firm, then of what it is made of."""
    user, found = _asked(request)
    links = _Links(found.place, found.period)
    context = {
        "title": _("物业服务"),
        "where": found.place.name if found.place else found.county.name,
        "trail": _trail(user, found),
        "periods": [
            (words, one.label, _Links(found.place, one).board(), one == found.period)
            for one, words in offered_periods()
        ],
        "figures": _figures(found.whole, links),
        "parts": [_firms(found, links), _below(found)],
        "ledger_url": links.address("firms_ledger"),
        "firms_ledger_url": links.address("firms_ledger", by="firm"),
    }
    return page.render(request, "admin/firm_figures.html", context)


def ledger(page: Any, request: HttpRequest) -> HttpResponse:
    """What the page shows, as a cadre prints it: by place, or `by=firm`."""
    user, found = _asked(request)
    where = found.place.name if found.place else found.county.name
    words = {"place": where, "period": found.period.label if found.period else ""}
    rows: list[Sequence[object]]
    if request.GET.get("by") == "firm":
        title = _("%(place)s%(period)s物业企业服务情况") % words
        first = [LedgerColumn(_("物业企业")), LedgerColumn(_("在管小区"), "right")]
        rows = [[line.firm.name, line.compounds, *_cells(line.figures)] for line in found.firms]
        rows.append([_("合计"), "", *_cells(found.whole)])
    else:
        title = _("%(place)s%(period)s物业服务情况") % words
        first = [LedgerColumn(_("地点"))]
        rows = [[node.name, *_cells(figures)] for node, figures in found.below]
        # An advice to two firms is one: the last row is counted, not added up.
        rows.append([_("合计") if rows else where, *_cells(found.whole)])
    content = write_ledger(
        title=title,
        unit=reporting_unit(user, VIEW_FIRM),
        day=timezone.localdate(),
        columns=[*first, *(LedgerColumn(words, "right") for words in _headers())],
        rows=iter(rows),
        filled_by=user.name,
    )
    return _file(content, XLSX_TYPE, f"{title}{timezone.localdate():%Y%m%d}.xlsx")


def review(page: Any, request: HttpRequest, pk: int) -> HttpResponse:
    """The sheet on which a firm is reviewed, as a Word file."""
    user, found = _asked(request)
    line = next((one for one in found.firms if one.firm.pk == pk), None)
    if line is None or found.period is None:
        raise NotFound(_("这里没有这家物业企业。"))
    content = firm_papers.review(found, line, by=reporting_unit(user, VIEW_FIRM))
    return _file(content, CONTENT_TYPE, _("物业企业评议表（%(firm)s）.docx") % {"firm": line.firm.label})


def _asked(request: HttpRequest) -> tuple[User, Board]:
    """Who asks, and the board of the place and period: the widest place they see and this year unless they say so. Raises
    NotFound for a place out of sight."""
    user = person(request)
    if not policies.holds(user, VIEW_FIRM):
        raise PermissionDenied
    county, place = place_of(user, request.GET.get("place", ""), VIEW_FIRM)
    offered: dict[str, Period] = {one.code: one for one, _words in offered_periods()}
    period = offered.get(request.GET.get("period", "")) or list(offered.values())[-1]
    return user, board(county, place, period)


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response.headers["Content-Disposition"] = content_disposition_header(True, name) or ""
    response.headers["Cache-Control"] = "no-store"
    return response


# --- What the page says ---------------------------------------------------------------------------------------------


class _Links:
    """Addresses of a place in a period, and of the lists behind its figures."""

    def __init__(self, place: GridNode | None, period: Period | None) -> None:
        self.query = {**({"place": place.pk} if place else {}), **({"period": period.code} if period else {})}

    def address(self, name: str, *args: Any, **query: Any) -> str:
        return f"{reverse(f'admin:services_demand_{name}', args=args)}?{urlencode({**self.query, **query})}"

    def board(self) -> str:
        return self.address("firms")

    def demands(self, standing: str = "any", firm: Unit | None = None) -> str:
        return self.address("changelist", passed=standing, **({"unit": firm.pk} if firm else {}))

    def advice(self, firm: Unit | None = None) -> str:
        query = {**self.query, "kind": "advice", "firm": firm.pk if firm else "any"}
        return f"{reverse('admin:services_activity_changelist')}?{urlencode(query)}"


def _trail(user: User, found: Board) -> list[tuple[str, str]]:
    """The way back up as far as the person sees: (name, address)."""
    place = found.place
    if place is None:
        return []
    seen = GridNode.objects.filter(policies.within(GridNode, user, VIEW_FIRM))
    above = seen.filter(tree_id=place.tree_id, lft__lt=place.lft, rght__gt=place.rght).order_by("lft")
    whole = any(isinstance(scope, CountyScope) for scope in policies.scopes(user, VIEW_FIRM))
    steps: list[GridNode | None] = [*([None] if whole else []), *above]
    return [(one.name if one else found.county.name, _Links(one, found.period).board()) for one in steps]


def _figures(found: Figures, links: _Links) -> list[Figure]:
    satisfied, graded, orders = found.rate("satisfaction"), found.graded, found.orders
    grades = _("满意 %(satisfied)d，基本满意 %(fairly)d，不满意 %(dissatisfied)d") % {
        "satisfied": graded.satisfied,
        "fairly": graded.fairly,
        "dissatisfied": graded.dissatisfied,
    }

    def many(label: str, value: int, unit: str, address: str = "", note: str = "") -> Figure:
        return Figure(label, f"{value:,}", unit, address if value else "", note=note)

    return [
        many(_("物业指导"), found.advice, _("次"), links.advice()),
        many(_("转物业办理"), found.passed, _("件"), links.demands()),
        many(_("已办结"), orders["finished"], _("件"), links.demands("finished")),
        many(_("办理中"), orders["open"], _("件"), links.demands("open")),
        many(_("超期"), orders["late"], _("件"), links.demands("late")),
        many(_("已退回"), orders["returned"], _("件"), links.demands("returned")),
        many(_("居民确认解决"), found.heard, _("人次")),
        Figure(
            _("满意率"),
            satisfied.words,
            "",
            "",
            satisfied.numerator,
            satisfied.denominator,
            note=satisfied.left_out,
        ),
        many(_("社区评价"), graded.count, _("次"), note=grades if graded.count else ""),
    ]


def _linked(value: int, address: str) -> Any:
    return link(f"{value:,}", address) if value else 0


def _headers() -> list[str]:
    return [
        _("物业指导"),
        _("转办"),
        _("已办结"),
        _("办理中"),
        _("超期"),
        _("已退回"),
        _("确认解决"),
        _("满意率"),
        _("社区评价"),
    ]


def _cells(found: Figures) -> list[Any]:
    """In the order of the headers."""
    orders = [found.orders[name] for name in ("finished", "open", "late", "returned")]
    return [found.advice, found.passed, *orders, found.heard, _rate(found), _grades(found)]


def _linked_cells(found: Figures, links: _Links, firm: Unit | None = None) -> list[Any]:
    advice, passed, finished, running, late, returned, *rest = _cells(found)
    if firm is not None and not firm.is_active:
        # The list of demands is not narrowed to a unit out of use.
        return _cells(found)
    return [
        _linked(advice, links.advice(firm)),
        _linked(passed, links.demands("any", firm)),
        _linked(finished, links.demands("finished", firm)),
        _linked(running, links.demands("open", firm)),
        _linked(late, links.demands("late", firm)),
        _linked(returned, links.demands("returned", firm)),
        *rest,
    ]


def _rate(found: Figures) -> str:
    rate = found.rate("satisfaction")
    return f"{rate.words}（{rate.basis}）" if rate.denominator else rate.words


def _grades(found: Figures) -> str:
    graded = found.graded
    if not graded.count:
        return "—"
    share = _("样本不足") if graded.is_small else f"{graded.percent}%"
    return f"{share}（{graded.satisfied + graded.fairly}/{graded.count}）"


def _below(found: Board) -> Part:
    rows = []
    for node, figures in found.below:
        links = _Links(node, found.period)
        rows.append([link(node.name, links.board()), *_linked_cells(figures, links)])
    return Part(_("各地情况"), [_("地点"), *_headers()], rows, _("下面没有再分的地方。"))


def _firms(found: Board, links: _Links) -> Part:
    rows = [
        [_firm(line), line.compounds, *_linked_cells(line.figures, links, line.firm), _paper(line, links)]
        for line in found.firms
    ]
    titles = [_("物业企业"), _("在管小区"), *_headers(), _("述职评议")]
    empty = _("这里还没有登记物业企业。先在“单位”登记物业企业，再在“小区档案”登记它管理的小区。")
    return Part(_("各物业企业（按名称排列）"), titles, rows, empty)


def _firm(line: FirmLine) -> Any:
    return link(line.firm.name, reverse("admin:partybuilding_unit_change", args=[line.firm.pk]))


def _paper(line: FirmLine, links: _Links) -> Any:
    return link(_("评议表"), links.address("firm_review", line.firm.pk))
