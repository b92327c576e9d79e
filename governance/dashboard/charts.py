"""What the charts draw, as data for static/js/dashboard.js, and the same figures as tables for everybody else."""

from typing import Any

from django.utils.translation import gettext as _

from core.periods import Period
from governance.dashboard.figures import Links
from governance.dashboard.places import Place
from governance.dashboard.selectors import Numbers, Share
from governance.dashboard.tables import Cell, Column, body, rate_cell
from services.selectors.rates import RATES, rate

MIX_MOST = 12


def rate_names() -> dict[str, str]:
    return {name: str(one.label) for name, one in RATES.items()}


def data(found: Numbers, place: Place, period: Period, links: Links) -> dict[str, Any]:
    """Everything the charts draw. A rate on too small a sample is null: the line has a gap there."""
    chosen = [index for index, (month, _counts) in enumerate(found.months) if period.contains(month.first_day)]
    mix = found.categories[:MIX_MOST][::-1]
    # Before the first demand there was nothing to count, which is not the same as having counted nought.
    begun = next((index for index, (_month, counts) in enumerate(found.months) if counts.registered), 0)
    lines = [(counts.registered, counts.finished) for _month, counts in found.months[begun:]]
    registered, finished = ([None] * begun + [line[side] for line in lines] for side in (0, 1))
    return {
        "words": {
            "registered": _("登记"),
            "finished": _("办结"),
            "late": _("已超期"),
            "pieces": _("件"),
            "small": _("样本不足"),
            **rate_names(),
        },
        "trend": {
            "months": [_("%(month)d月") % {"month": month.number} for month, _counts in found.months],
            "full": [month.label for month, _counts in found.months],
            "chosen": [chosen[0], chosen[-1]] if chosen else [],
            "registered": registered,
            "finished": finished,
            "rates": {name: [rate(counts, name).percent for _month, counts in found.months] for name in RATES},
            "samples": {name: [rate(counts, name).basis for _month, counts in found.months] for name in RATES},
        },
        "mix": {
            "names": [share.name for share in mix],
            "registered": [share.counts.registered for share in mix],
            "finished": [share.counts.finished for share in mix],
            "urls": [share_url(links, place, "category", share) for share in mix],
        },
        "map": [_tile(found, child, links) for child in place.children if found.of(child).registered],
    }


def _tile(found: Numbers, place: Place, links: Links) -> dict[str, Any]:
    lights = found.lights_of(place)
    tile: dict[str, Any] = {
        "name": place.name,
        "value": found.of(place).registered,
        "late": lights.late,
        "running": lights.running,
        "url": links.place(place),
    }
    children = [_tile(found, child, links) for child in place.children if found.of(child).registered]
    return {**tile, "children": children} if children else tile


def share_url(links: Links, place: Place, by: str, share: Share, what: str = "registered") -> str:
    """The list behind one category's or unit's figure; 0 stands for "no unit yet"."""
    return links.happened(place, what, f"&{by}={share.pk or 0}")


def month_table(found: Numbers) -> dict[str, Any]:
    columns = [Column(_("月份"), number=False), Column(_("登记")), Column(_("办结"))]
    columns += [Column(label) for label in rate_names().values()]
    rows = [
        [
            Cell(month.label),
            Cell(counts.registered),
            Cell(counts.finished),
            *(rate_cell(rate(counts, name)) for name in RATES),
        ]
        for month, counts in found.months
    ]
    return {"caption": _("各月登记、办结和三率"), "columns": columns, "body": body(rows, columns)}


def mix_table(found: Numbers, place: Place, links: Links) -> dict[str, Any]:
    columns = [Column(_("类别"), number=False), Column(_("登记")), Column(_("办结"))]
    rows = [
        [
            Cell(share.name),
            Cell(share.counts.registered, share_url(links, place, "category", share)),
            Cell(share.counts.finished, share_url(links, place, "category", share, "finished")),
        ]
        for share in found.categories
    ]
    return {"caption": _("各类别登记和办结"), "columns": columns, "body": body(rows, columns)}
