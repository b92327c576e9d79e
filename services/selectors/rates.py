"""The three rates, once: what each counts above and below the line, and what an approved exclusion leaves out.

Source: docs/practice.md#rates. The tally keeper counts with these filters, lists behind figures filter with them, and
every page, ledger, bulletin and program takes its figures from here. What is left out of a rate would stand below its
line otherwise: denominator and exclusions together are always everything that was due.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from services.models import Satisfaction

t = gettext_lazy

# Below this a rate says nothing about a place, and nobody is ranked by it.
SMALL = 10


@dataclass(frozen=True)
class Measure:
    """One of the rates.

    Attributes:
        name, label: in code (also the column of an exclusion that asks to be left out of it), and on screen.
        due: what stands below the line, `met`: what of it stands above, both but for exclusions.
        skip: column of the demand that leaves it out.
        of_orders: `due` and `met` speak of the lead unit's order, not of the demand.
        numerator, denominator, excluded: the columns of `services.Tally`.
    """

    name: str
    label: Any
    due: Q
    met: Q
    skip: str
    numerator: str
    denominator: str
    of_orders: bool = False

    @property
    def excluded(self) -> str:
        return f"excluded_{self.name}"

    def filters(self) -> dict[str, Q]:
        """Column of the tally -> what it counts."""
        skip = f"demand__{self.skip}" if self.of_orders else self.skip
        counts, left_out = Q(**{skip: False}), Q(**{skip: True})
        return {
            self.denominator: self.due & counts,
            self.numerator: self.due & self.met & counts,
            self.excluded: self.due & left_out,
        }


_ANSWERED = Q(signed_at__isnull=False, contacted_at__isnull=False)
# Valid follow-ups: the resident was heard, by evaluation or by telephone.
_HEARD = Q(solved__isnull=False)

MEASURES = (
    Measure(
        "response",
        t("响应率"),
        # Settled ones only: answered, or marked by the sweeper as not answered in time.
        due=_ANSWERED | Q(response_late_at__isnull=False),
        met=_ANSWERED & Q(signed_at__lte=F("sign_due_at"), contacted_at__lte=F("contact_due_at")),
        skip="skip_response",
        numerator="response_met",
        denominator="response_due",
        of_orders=True,
    ),
    Measure(
        "resolution",
        t("解决率"),
        due=_HEARD,
        met=Q(solved=True),
        skip="skip_resolution",
        numerator="solved",
        denominator="followed_up",
    ),
    Measure(
        "satisfaction",
        t("满意率"),
        due=_HEARD,
        met=Q(satisfaction__in=[Satisfaction.SATISFIED, Satisfaction.FAIRLY]),
        skip="skip_satisfaction",
        numerator="satisfied",
        denominator="rated",
    ),
)
RATES: dict[str, Measure] = {one.name: one for one in MEASURES}
COLUMNS = tuple(column for one in MEASURES for column in one.filters())


def filters(*, of_orders: bool) -> dict[str, Q]:
    """Column of the tally -> filter, of what is counted in demands or in orders."""
    return {name: where for one in MEASURES if one.of_orders is of_orders for name, where in one.filters().items()}


@dataclass(frozen=True)
class Rate:
    """A share with what it rests on, and what was left out of it. `percent` is None where the sample is too small."""

    numerator: int
    denominator: int
    excluded: int = 0

    @property
    def percent(self) -> float | None:
        return round(self.numerator * 100 / self.denominator, 1) if self.denominator >= SMALL else None

    @property
    def words(self) -> str:
        """96.4%, 样本不足, or a dash where there is no sample at all."""
        if self.percent is not None:
            return f"{self.percent}%"
        return _("样本不足") if self.denominator else "—"

    @property
    def left_out(self) -> str:
        """已剔除 3 件; empty where nothing was."""
        return _("已剔除 %(count)s 件") % {"count": f"{self.excluded:,}"} if self.excluded else ""

    @property
    def basis(self) -> str:
        """1,448/1,502，已剔除 3 件; empty where there is no sample."""
        share = f"{self.numerator:,}/{self.denominator:,}" if self.denominator else ""
        return "，".join(part for part in (share, self.left_out) if part)

    def plus(self, other: "Rate") -> "Rate":
        return Rate(
            self.numerator + other.numerator, self.denominator + other.denominator, self.excluded + other.excluded
        )


NO_RATE = Rate(0, 0)


def rate(counts: Any, name: str) -> Rate:
    """One of the three rates of some counts: a mapping, or anything with the tally's names as attributes."""
    one = RATES[name]
    read = counts.__getitem__ if isinstance(counts, Mapping) else lambda column: getattr(counts, column)
    return Rate(read(one.numerator), read(one.denominator), read(one.excluded))


def rates_of(counts: Any) -> dict[str, Rate]:
    return {name: rate(counts, name) for name in RATES}


def totals(tallies: QuerySet[Any], *, more: Iterable[str] = ()) -> dict[str, int]:
    """Sums of some tallies: the columns of the rates, and `more` of them. One statement."""
    found = tallies.order_by().aggregate(**{f"n_{name}": Sum(name) for name in (*COLUMNS, *more)})
    return {name: found[f"n_{name}"] or 0 for name in (*COLUMNS, *more)}


def by_community(tallies: QuerySet[Any]) -> list[tuple[str, str, dict[str, Rate]]]:
    """(code, name, rates) of each community that some tallies count, in the order of the tree. One statement."""
    rows = (
        tallies.order_by("community__tree_id", "community__lft")
        .values("community__code", "community__name")
        .annotate(**{f"n_{name}": Sum(name) for name in COLUMNS})
    )
    return [
        (row["community__code"], row["community__name"], rates_of({name: row[f"n_{name}"] for name in COLUMNS}))
        for row in rows
    ]
