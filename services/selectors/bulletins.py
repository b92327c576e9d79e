"""What a bulletin says: the three rates by community, the matters it names, what the last ones left open.

Of a matter it names kind, place, unit and how late it is, never its words: a resident wrote them and may have named
somebody. A published bulletin says what was written into it then (`Bulletin.figures`), a draft what is true now.
Source: docs/domain.md#z8.
"""

import datetime
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core.periods import date_words, day_start
from grids.models import GridNode
from services.actions import tallies
from services.clocks import clock_for
from services.models import (
    Bulletin,
    BulletinItem,
    BulletinItemState,
    BulletinState,
    Demand,
    DemandState,
    Rung,
)
from services.selectors.rates import RATES, Rate, rates_of

_NAMED_STATES = (BulletinState.DRAFT, BulletinState.PUBLISHED)


def proposed(county_id: int) -> QuerySet[Demand]:
    """Matters that have stood on the ladder long enough, and that no bulletin has named since their limit passed."""
    rows = Demand.objects.under_limit().filter(
        county_id=county_id, climb__rung__in=[Rung.BULLETIN, Rung.LEADER], climb__limit=F("due_at")
    )
    return rows.filter(~Exists(_named())).order_by("community__tree_id", "community__lft", "due_at", "pk")


def to_name(county_id: int, now: datetime.datetime) -> QuerySet[Demand]:
    """Everything that is late and in no bulletin: what may be named by hand."""
    return Demand.objects.late(now).filter(county_id=county_id).filter(~Exists(_named()))


def _named() -> QuerySet[BulletinItem]:
    return BulletinItem.objects.filter(
        demand=OuterRef("pk"), bulletin__state__in=_NAMED_STATES, bulletin__created_at__gte=OuterRef("due_at")
    )


def left_open(bulletin: Bulletin) -> QuerySet[BulletinItem]:
    """What earlier bulletins named and nobody has settled (回头看)."""
    rows = BulletinItem.objects.filter(
        bulletin__county=bulletin.county_id,
        bulletin__state=BulletinState.PUBLISHED,
        state__in=[BulletinItemState.OPEN, BulletinItemState.ANSWERED],
    )
    rows = rows.exclude(bulletin=bulletin.pk).select_related("bulletin", "community", "unit", "demand__category")
    return rows.order_by("bulletin__year", "bulletin__number", "pk")


def late_days(demand: Demand, now: datetime.datetime) -> int:
    """Whole working days since the limit passed."""
    if demand.due_at is None:
        return 0
    calendar = clock_for(demand.county_id).calendar
    return max(calendar.working_minutes_between(demand.due_at, now), 0) // calendar.minutes_per_day


def who_has(demand: Demand) -> Any:
    """The unit that is named: the one at work, or nobody where the community let it wait."""
    return demand.lead_unit if demand.state == DemandState.DISPATCHED else None


@dataclass(frozen=True)
class Line:
    """A community's rates; `rank` is empty where no sample is large enough to rank it by."""

    name: str
    rates: dict[str, Rate]
    rank: int | None = None


@dataclass(frozen=True)
class Named:
    """A matter as the paper names it."""

    code: str
    community: str
    category: str
    unit: str
    late_days: int = 0
    bulletin: str = ""
    state: str = ""


@dataclass(frozen=True)
class Said:
    """All a bulletin says besides its own words."""

    total: dict[str, Rate]
    lines: list[Line]
    items: list[Named]
    carried: list[Named]


def said(bulletin: Bulletin, now: datetime.datetime | None = None) -> Said:
    """What the bulletin says: as it was frozen, or, of a draft, as things stand now."""
    found = bulletin.figures or figures(bulletin, now or timezone.now())
    lines = [Line(row["name"], _rates(row["rates"])) for row in found["communities"]]
    return Said(
        _rates(found["total"]),
        ranked(lines),
        [Named(**row) for row in found["items"]],
        [Named(**row) for row in found["carried"]],
    )


def figures(bulletin: Bulletin, now: datetime.datetime) -> dict[str, Any]:
    """What is written into a bulletin when it is published: plain JSON, names as they are today.

    Args:
        now: the moment lateness is judged at.
    """
    where = Q(
        county=bulletin.county_id,
        registered_at__gte=day_start(bulletin.since),
        registered_at__lt=day_start(bulletin.until + datetime.timedelta(days=1)),
    )
    by_community: dict[int, Counter[str]] = defaultdict(lambda: Counter(dict.fromkeys(tallies.COUNTED, 0)))
    total: Counter[str] = Counter(dict.fromkeys(tallies.COUNTED, 0))
    for (community_id, *_rest), counts in tallies.count(where).items():
        by_community[community_id].update(counts)
        total.update(counts)
    places = GridNode.objects.at("community").filter(county=bulletin.county_id).order_by("tree_id", "lft")
    items = bulletin.items.select_related("demand__category", "demand__lead_unit", "community", "unit")
    return {
        "communities": [
            {"name": place.name, "rates": _plain(rates_of(by_community[place.pk]))}
            for place in places
            if place.retired_at is None or place.pk in by_community
        ],
        "total": _plain(rates_of(total)),
        "items": [
            {**_named_as(row), "late_days": late_days(row.demand, now)} for row in items.order_by("community", "pk")
        ],
        "carried": [
            {**_named_as(row), "bulletin": number_words(row.bulletin), "state": row.get_state_display()}
            for row in left_open(bulletin)
        ],
    }


def _named_as(row: BulletinItem) -> dict[str, Any]:
    return {
        "code": row.demand.code,
        "community": row.community.name,
        "category": row.demand.category.name,
        "unit": row.unit.name if row.unit else "",
    }


def ranked(lines: Iterable[Line]) -> list[Line]:
    """Best first: by resolution, then satisfaction, then response. Who rests on too small a sample is listed after, unranked."""
    rows = list(lines)
    keys = ("resolution", "satisfaction", "response")
    sure = [one for one in rows if all(one.rates[name].percent is not None for name in keys)]
    sure.sort(key=lambda one: [-(one.rates[name].percent or 0) for name in keys])
    found: list[Line] = []
    for number, one in enumerate(sure, start=1):
        same = found and [found[-1].rates[key].percent for key in keys] == [one.rates[key].percent for key in keys]
        found.append(Line(one.name, one.rates, found[-1].rank if same else number))
    return found + [one for one in rows if one not in sure]


def number_words(bulletin: Bulletin) -> str:
    """2026年第3期, or 草稿."""
    if bulletin.number is None:
        return str(bulletin.get_state_display())
    return _("%(year)d年第%(number)d期") % {"year": bulletin.year, "number": bulletin.number}


def span_words(bulletin: Bulletin) -> str:
    return _("%(since)s至%(until)s") % {"since": date_words(bulletin.since), "until": date_words(bulletin.until)}


def _plain(found: dict[str, Rate]) -> dict[str, list[int]]:
    return {name: [one.numerator, one.denominator, one.excluded] for name, one in found.items()}


def _rates(found: dict[str, list[int]]) -> dict[str, Rate]:
    return {name: Rate(*found[name]) for name in RATES}
