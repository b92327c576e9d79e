"""Puts a dashboard page together: every text and address of it, so that the template only places them."""

import datetime
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.periods import Month, Period, Quarter, Year
from governance.dashboard import charts
from governance.dashboard.figures import Links, five_figures
from governance.dashboard.places import Place
from governance.dashboard.selectors import Counts, Lights, Numbers, Share
from governance.dashboard.tables import Cell, Column, body, rate_cell
from grids.naming import COMMUNITY
from grids.posts import COUNTY
from services.selectors.rates import RATES, Rate, rate

UNITS_SHOWN = 10
PERIODS_OFFERED = 12

# Rate -> the list that opens from it.
_WHAT = {name: one.denominator for name, one in RATES.items()}


@dataclass(frozen=True)
class Line:
    """A row of the table below: a place or a category with its figures."""

    name: str
    url: str
    counts: Counts
    lights: Lights | None
    links: dict[str, str]


# Sort key -> how a line is weighed. A rate on too small a sample is weighed last, whichever way round.
KEYS: dict[str, Any] = {
    "registered": lambda line: line.counts.registered,
    "finished": lambda line: line.counts.finished,
    **{name: (lambda line, name=name: rate(line.counts, name).percent) for name in RATES},
    "running": lambda line: line.lights.running if line.lights else None,
    "soon": lambda line: line.lights.soon if line.lights else None,
    "late": lambda line: line.lights.late if line.lights else None,
    "stuck": lambda line: line.lights.stuck if line.lights else None,
}


def sorted_lines(lines: list[Line], sort: str) -> list[Line]:
    """Lines by a key of the table, `-` before it for the largest first; as they stand without one.

    Raises `Invalid` for a key that is none.
    """
    if not sort:
        return lines
    weigh = KEYS.get(sort.removeprefix("-"))
    if weigh is None:
        raise Invalid(_("不能按“%(key)s”排序。请点表头里的列名。") % {"key": sort[:20]}, code="sort")
    weighed = [(weigh(line), line) for line in lines]
    known = [pair for pair in weighed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=sort.startswith("-"))
    return [line for _weight, line in known] + [line for weight, line in weighed if weight is None]


def lines_of(found: Numbers, place: Place, links: Links, by: str) -> list[Line]:
    """The next level below; of a community, its categories. `by` "community" skips the streets of a county."""
    if place.level == COMMUNITY:
        return [_category_line(share, place, links) for share in found.categories]
    below = place.communities() if by == COMMUNITY else place.children
    shown = [child for child in below if not child.retired or found.of(child).registered]
    return [_place_line(found, child, links) for child in shown]


def _place_line(found: Numbers, place: Place, links: Links) -> Line:
    name = _("%(name)s（已撤销）") % {"name": place.name} if place.retired else place.name
    addresses = {what: links.happened(place, what) for what in ("registered", "finished", *_WHAT.values())}
    addresses |= {light: links.now(place, light) for light in ("running", "soon", "late", "stuck")}
    return Line(name, links.place(place), found.of(place), found.lights_of(place), addresses)


def _category_line(share: Share, place: Place, links: Links) -> Line:
    whats = ("registered", "finished", *_WHAT.values())
    addresses = {what: charts.share_url(links, place, "category", share, what) for what in whats}
    return Line(share.name, addresses["registered"], share.counts, None, addresses)


def _cells(line: Line) -> list[Cell]:
    cells = [
        Cell(line.name, line.url),
        _count(line.counts.registered, line.links["registered"]),
        _count(line.counts.finished, line.links["finished"]),
    ]
    cells += [rate_cell(rate(line.counts, name), line.links[_WHAT[name]]) for name in RATES]
    if line.lights is not None:
        cells += [
            _count(line.lights.running, line.links["running"]),
            _count(line.lights.soon, line.links["soon"], "amber"),
            _count(line.lights.late, line.links["late"], "red"),
            _count(line.lights.stuck, line.links["stuck"], "red"),
        ]
    return cells


def _count(number: int, url: str, tone: str = "") -> Cell:
    """A nought opens nothing and alarms nobody."""
    return Cell(number, url, tone=tone) if number else Cell(0)


def below_table(found: Numbers, place: Place, links: Links, *, sort: str, by: str, base: str) -> dict[str, Any]:
    """The sortable table of the next level below, with the place's own figures as its totals."""
    lines = sorted_lines(lines_of(found, place, links, by), sort)
    titles = [("registered", _("登记")), ("finished", _("办结")), *charts.rate_names().items()]
    if place.level != COMMUNITY:
        titles += [("running", _("在办")), ("soon", _("将到期")), ("late", _("已超期")), ("stuck", _("环节超时"))]
    first = {COUNTY: _("社区") if by == COMMUNITY else _("街道"), COMMUNITY: _("类别")}.get(place.level, _("社区"))
    columns = [Column(first, number=False, url=f"{base}#below")]
    for key, label in titles:
        down = sort == f"-{key}"
        order = "descending" if down else "ascending" if sort == key else ""
        columns.append(Column(label, url=f"{base}&sort={'' if down else '-'}{key}#below", sort=order))
    whats = ("registered", "finished", *_WHAT.values())
    own = {what: links.happened(place, what) for what in whats}
    own |= {light: links.now(place, light) for light in ("running", "soon", "late", "stuck")}
    lights = None if place.level == COMMUNITY else found.lights_of(place)
    total = Line(_("合计"), "", found.now, lights, own)
    return {
        "caption": caption(place, by),
        "columns": columns,
        "body": body(map(_cells, lines), columns),
        "foot": body([_cells(total)], columns),
        "empty": not lines,
    }


def caption(place: Place, by: str) -> str:
    if place.level == COMMUNITY:
        return _("各类别情况")
    return _("各街道情况") if place.level == COUNTY and by != COMMUNITY else _("各社区情况")


def unit_table(found: Numbers, place: Place, links: Links) -> dict[str, Any]:
    """The lead units with most matters, the rest in one row, and what no unit has yet: together, every demand."""
    columns = [Column(_("牵头单位"), number=False), Column(_("登记")), Column(_("办结"))]
    columns += [Column(_("按时办结")), *(Column(label) for label in charts.rate_names().values())]
    given = [share for share in found.units if share.pk is not None]
    rows = [_unit_cells(share.name, share.counts, place, links, share) for share in given[:UNITS_SHOWN]]
    if rest := given[UNITS_SHOWN:]:
        rows.append(_unit_cells(_("其余 %(count)d 个单位") % {"count": len(rest)}, _total(rest), place, links))
    nobody = [share for share in found.units if share.pk is None]
    rows += [_unit_cells(_("尚未派单"), share.counts, place, links, share) for share in nobody]
    return {"caption": _("牵头单位办理情况"), "columns": columns, "body": body(rows, columns), "empty": not rows}


def _total(shares: list[Share]) -> Counts:
    return Counts(*map(sum, zip(*(share.counts for share in shares), strict=True)))


def _unit_cells(name: str, counts: Counts, place: Place, links: Links, share: Share | None = None) -> list[Cell]:
    def url(what: str) -> str:
        return charts.share_url(links, place, "unit", share, what) if share else ""

    return [
        Cell(name),
        _count(counts.registered, url("registered")),
        _count(counts.finished, url("finished")),
        rate_cell(Rate(counts.finished_in_time, counts.finished)),
        *(rate_cell(rate(counts, what), url(_WHAT[what])) for what in RATES),
    ]


def colour_list(found: Numbers, place: Place, links: Links) -> list[dict[str, Any]]:
    """What runs now by colour, each with its word and what it means (docs/domain.md#p3, the three-colour list)."""
    lights = found.lights_of(place)
    waiting, overdue = found.supervisions
    return [
        {
            "icon": "overdue",
            "tone": "red",
            "word": _("已超期"),
            "count": lights.late,
            "text": _("超过办理时限还没有办结"),
            "url": links.now(place, "late"),
        },
        {
            "icon": "warning",
            "tone": "amber",
            "word": _("将到期"),
            "count": lights.soon,
            "text": _("临近办理时限"),
            "url": links.now(place, "soon"),
        },
        {
            "icon": "on-time",
            "tone": "green",
            "word": _("按时"),
            "count": lights.on_time,
            "text": _("正在办理，时限充足"),
            "url": links.now(place, "on_time"),
        },
        {
            "icon": "clock",
            "tone": "grey",
            "word": _("环节超时"),
            "count": lights.stuck,
            "text": _("受理、派单、核查等环节超过本步时限"),
            "url": links.now(place, "stuck"),
        },
        {
            "icon": "talk",
            "tone": "blue",
            "word": _("督办"),
            "count": waiting,
            "text": _("等待答复，其中 %(overdue)d 件逾期未答复") % {"overdue": overdue},
            "url": f"{reverse('dashboard:supervisions')}?place={place.code}",
        },
    ]


def picker(place: Place, period: Period, now: datetime.datetime) -> dict[str, Any]:
    """The period's controls: one back, one forward, a list, and the three lengths."""
    latest = type(period).of(now)
    offered: list[Period] = [latest]
    while len(offered) < PERIODS_OFFERED:
        offered.append(offered[-1].previous())
    if period not in offered:
        offered.append(period)
        offered.sort(key=lambda each: each.first_day, reverse=True)
    # Within the period shown, or today where it shows the present: from a year one gets to its last quarter.
    day = min(period.last_day, now.date()) if period.first_day <= now.date() else period.first_day
    lengths = ((Month, _("月")), (Quarter, _("季度")), (Year, _("年")))
    return {
        "label": period.label,
        "running": period.contains(now),
        "code": period.code,
        "previous": f"?period={period.previous().code}",
        "next": f"?period={period.next().code}" if period.first_day < latest.first_day else "",
        "offered": [(each.code, each.label, each == period) for each in offered],
        "lengths": [(label, f"?period={kind.of(day).code}", isinstance(period, kind)) for kind, label in lengths],
        "action": reverse("dashboard:place", args=[place.code]),
    }


def page(found: Numbers, place: Place, period: Period, now: datetime.datetime, *, sort: str, by: str) -> dict[str, Any]:
    """The context of templates/dashboard/place.html."""
    links = Links(period)
    base = f"?period={period.code}" + (f"&by={by}" if by else "")
    return {
        "place": place,
        "trail": trail(place, links),
        "picker": picker(place, period, now),
        "figures": five_figures(found, place, period, links, running=period.contains(now)),
        "colours": colour_list(found, place, links),
        "months": charts.month_table(found),
        "mix": charts.mix_table(found, place, links),
        "units": unit_table(found, place, links),
        "below": below_table(found, place, links, sort=sort, by=by, base=base),
        "levels": levels(place, period, by),
        "charts": charts.data(found, place, period, links),
        "ledger": f"{reverse('dashboard:ledger', args=[place.code])}{base}" + (f"&sort={sort}" if sort else ""),
        "empty": not any((found.now.registered, found.before.registered, *found.lights.values())),
    }


def trail(place: Place, links: Links) -> list[dict[str, str]]:
    """The breadcrumb: places in sight are links, those around them are words."""
    seen = {each.name: links.place(each) for each in place.trail[:-1]}
    return [{"name": name, "url": seen.get(name, "")} for name in place.steps]


def levels(place: Place, period: Period, by: str) -> list[tuple[str, str, bool]]:
    """A county's table by street or by community."""
    if place.level != COUNTY:
        return []
    base = f"?period={period.code}"
    return [
        (_("按街道"), f"{base}#below", by != COMMUNITY),
        (_("按社区"), f"{base}&by=community#below", by == COMMUNITY),
    ]
