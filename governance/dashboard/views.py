"""`/dashboard/`: one place and period on a page, and the ledger of its table."""

import io
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.messages import get_messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.periods import Period, Quarter, local_date, parse_period
from core.spreadsheets import XLSX_TYPE, LedgerColumn, write_ledger
from governance.dashboard import board, drawing, selectors
from governance.dashboard.figures import Links
from governance.dashboard.frame import reads_bulletins
from governance.dashboard.places import atlas_of
from grids.naming import COMMUNITY
from services.selectors.rates import RATES, rate


@login_required
@require_safe
def dashboard(request: HttpRequest, code: str = "") -> HttpResponse:
    """The dashboard of a place; without a code, of the widest place the person's posts reach."""
    atlas = atlas_of(request.user)
    place = atlas.find(code) if code else atlas.start()
    now = timezone.now()
    period = _period(request)
    sheet = drawing.Sheet(
        selectors.read(request.user, place, period, now),
        place,
        period,
        now,
        sort=request.GET.get("sort", ""),
        by=_by(request),
        roots=tuple(root for root in atlas.roots if root is not place.top),
        staff=bool(getattr(request.user, "is_staff", False)),
        bulletins=reads_bulletins(request.user),
        large=request.COOKIES.get("elder") == "1",
    )
    if get_messages(request):
        # What the person is told stands on this page alone.
        return render(request, "dashboard/place.html", sheet.context())
    return HttpResponse(drawing.page(sheet))


def _period(request: HttpRequest) -> Period:
    asked = request.GET.get("period", "")
    return parse_period(asked) if asked else Quarter.of(timezone.now())


def _by(request: HttpRequest) -> str:
    return COMMUNITY if request.GET.get("by") == COMMUNITY else ""


@login_required
@require_safe
def ledger(request: HttpRequest, code: str) -> FileResponse:
    """The table of the next level below as a cadre prints it."""
    place = atlas_of(request.user).find(code)
    now, period, by = timezone.now(), _period(request), _by(request)
    found = selectors.numbers(selectors.read(request.user, place, period, now), place, period, now)
    lines = board.lines_of(found, place, Links(period), by)
    title = _("%(place)s%(period)s%(what)s") % {
        "place": place.name,
        "period": period.label,
        "what": board.caption(place, by),
    }
    content = write_ledger(
        title=title,
        unit="".join(place.steps),
        day=local_date(now),
        columns=_ledger_columns(place.level == COMMUNITY),
        rows=map(_ledger_row, board.sorted_lines(lines, request.GET.get("sort", ""))),
    )
    return FileResponse(io.BytesIO(content), as_attachment=True, filename=f"{title}.xlsx", content_type=XLSX_TYPE)


def _ledger_columns(of_categories: bool) -> list[LedgerColumn]:
    def counted(label: str) -> LedgerColumn:
        return LedgerColumn(label, "right", total=True)

    def share(label: str) -> LedgerColumn:
        return LedgerColumn(label, "right")

    columns = [
        LedgerColumn(_("类别") if of_categories else _("地点")),
        *map(counted, (_("登记"), _("办结"), _("按时办结"), _("应响应"), _("按时响应"))),
        counted(_("响应剔除")),
        share(_("响应率")),
        *map(counted, (_("有效回访"), _("已解决"), _("解决剔除"))),
        share(_("解决率")),
        *map(counted, (_("有效评价"), _("满意和基本满意"), _("满意剔除"))),
        share(_("满意率")),
    ]
    if not of_categories:
        columns += map(counted, (_("在办"), _("将到期"), _("已超期"), _("环节超时")))
    return columns


def _ledger_row(line: board.Line) -> list[Any]:
    counts = line.counts
    row: list[Any] = [line.name, counts.registered, counts.finished, counts.finished_in_time]
    for found in (rate(counts, name) for name in RATES):
        row += [found.denominator, found.numerator, found.excluded, found.words]
    if line.lights is not None:
        row += [line.lights.running, line.lights.soon, line.lights.late, line.lights.stuck]
    return row
