"""Figures as they stand on the page: what they rest on, what was left out of them, and how they moved, in words."""

from dataclasses import dataclass, field

from django.urls import reverse
from django.utils.translation import gettext as _

from core.periods import Month, Period, Quarter
from governance.dashboard.places import Place
from governance.dashboard.selectors import Numbers
from services.selectors.rates import MEASURES, Rate, rate


@dataclass
class Figure:
    """One of the five figures, as `components/figure.html` draws it."""

    label: str
    url: str
    value: str = ""
    unit: str = ""
    numerator: str = ""
    denominator: str | int = ""
    note: str = ""
    small: bool = False
    trend: str = "same"
    trend_text: str = ""
    better: bool | None = None
    compare: list[str] = field(default_factory=list)


class Links:
    """Addresses of the lists behind the figures. Put together by hand: a page has two hundred of them.

    Everything in them is a code or a number of ours, which needs no quoting.
    """

    def __init__(self, period: Period) -> None:
        self.rows = reverse("dashboard:rows")
        self.period = period.code

    def happened(self, place: Place, what: str, more: str = "") -> str:
        """Demands registered in the period: `what` is a name of `rows.WHAT`."""
        return f"{self.rows}?place={place.code}&period={self.period}&what={what}{more}"

    def now(self, place: Place, light: str) -> str:
        """Demands in service now."""
        return f"{self.rows}?place={place.code}&light={light}"

    def place(self, place: Place) -> str:
        return f"{reverse('dashboard:place', args=[place.code])}?period={self.period}"


def _before_word(period: Period) -> str:
    if isinstance(period, Month):
        return _("上月")
    return _("上季度") if isinstance(period, Quarter) else _("上年")


def five_figures(found: Numbers, place: Place, period: Period, links: Links, *, running: bool) -> list[Figure]:
    """登记, 办结 and the three rates, each against the period before, the year before and the place around.

    Args:
        running: the period is not over yet; its counts are not held against a whole one.
    """
    around = place.top if place.top is not place else None
    counts = [
        _count_figure(_("登记"), "registered", found, period, links.happened(place, "registered"), around, running),
        _count_figure(_("办结"), "finished", found, period, links.happened(place, "finished"), around, running),
    ]
    if found.now.registered:
        counts[1].note = _("占登记 %(share)s%%，其中按时 %(in_time)s 件") % {
            "share": round(found.now.finished * 100 / found.now.registered, 1),
            "in_time": f"{found.now.finished_in_time:,}",
        }
    rates = [
        _rate_figure(str(one.label), one.name, found, period, links.happened(place, one.denominator), around)
        for one in MEASURES
    ]
    return [*counts, *rates]


def _count_figure(
    label: str, name: str, found: Numbers, period: Period, url: str, around: Place | None, running: bool
) -> Figure:
    now, before, year_before = (getattr(each, name) for each in (found.now, found.before, found.year_before))
    figure = Figure(label, url, value=f"{now:,}", unit=_("件"))
    words = {"word": _before_word(period), "count": f"{abs(now - before):,}", "before": f"{before:,}"}
    if not found.before.registered:
        if name == "registered":
            figure.compare.append(_("%(word)s没有登记") % words)
    elif running:
        # A part of a period is not held against a whole one.
        figure.compare.append(_("%(word)s全期 %(before)s 件") % words)
    elif now == before:
        figure.trend_text = _("与%(word)s持平") % words
    else:
        figure.trend = "up" if now > before else "down"
        figure.trend_text = (_("比%(word)s多 %(count)s 件") if now > before else _("比%(word)s少 %(count)s 件")) % words
    if year_before:
        figure.compare.append(_("去年同期 %(count)s 件") % {"count": f"{year_before:,}"})
    whole = getattr(found.around, name)
    if around is not None and whole:
        share = {"place": around.word, "share": round(now * 100 / whole, 1)}
        figure.compare.append(_("占%(place)s %(share)s%%") % share)
    return figure


def _rate_figure(label: str, name: str, found: Numbers, period: Period, url: str, around: Place | None) -> Figure:
    now, before = rate(found.now, name), rate(found.before, name)
    figure = Figure(label, url, unit="%", numerator=f"{now.numerator:,}", denominator=0, note=now.left_out)
    if now.denominator:
        figure.denominator = f"{now.denominator:,}"
    if now.percent is None:
        figure.small = bool(now.denominator)
    else:
        figure.value = f"{now.percent}"
        if before.percent is not None:
            _put_trend(figure, round(now.percent - before.percent, 1), _before_word(period))
    year_before = rate(found.year_before, name)
    if year_before.denominator:
        figure.compare.append(_("去年同期 %(rate)s（%(basis)s）") % _said(year_before))
    if around is not None:
        whole = rate(found.around, name)
        if whole.denominator:
            figure.compare.append(_("%(place)s %(rate)s（%(basis)s）") % {"place": around.word, **_said(whole)})
    return figure


def _said(share: Rate) -> dict[str, str]:
    return {"rate": share.words, "basis": share.basis}


def _put_trend(figure: Figure, moved: float, word: str) -> None:
    words = {"word": word, "points": abs(moved)}
    if moved == 0:
        figure.trend_text = _("与%(word)s持平") % words
        return
    figure.trend, figure.better = ("up", True) if moved > 0 else ("down", False)
    text = _("比%(word)s高 %(points)s 个百分点") if moved > 0 else _("比%(word)s低 %(points)s 个百分点")
    figure.trend_text = text % words
