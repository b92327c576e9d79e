"""Matters the community must not be made lead for (清单外事项). Source: docs/practice.md#loop.

The list binds whoever dispatches: a unit of the community's own may help with such a matter, it may not lead it.
"""

from collections.abc import Collection, Iterable

from django.utils.translation import gettext as _

from partybuilding.models import Domain, Unit
from services.models import Demand, OutsideMatter


def matters_of(county_ids: Collection[int]) -> list[OutsideMatter]:
    """The matters in use in some counties, with their categories. Two statements."""
    rows = OutsideMatter.objects.filter(county_id__in=set(county_ids), is_active=True)
    return list(rows.prefetch_related("categories"))


def fits(matter: OutsideMatter, demand: Demand, category_id: int | None = None) -> bool:
    """Whether a matter of the list is what a demand is about: by its category, or by one of the words in its text.

    Args:
        matter: from `matters_of`.
        category_id: the category the demand would get; its own when not given.
    """
    if matter.county_id != demand.county_id:
        return False
    wanted = demand.category_id if category_id is None else category_id
    if any(category.pk == wanted for category in matter.categories.all()):
        return True
    return word_in(matter.words, demand) is not None


def word_in(words: Iterable[str], demand: Demand) -> str | None:
    """The first of some words that stands in a demand's title or text, whatever its case."""
    text = f"{demand.title}\n{demand.text}".casefold()
    return next((word for word in words if word.casefold() in text), None)


def outside_matter(demand: Demand) -> OutsideMatter | None:
    """The matter of the county's list that a demand falls under, if any. Two statements."""
    return next((matter for matter in matters_of([demand.county_id]) if fits(matter, demand)), None)


def outside_matters(demands: Collection[Demand]) -> dict[int, OutsideMatter]:
    """Demand id -> the matter it falls under, for those that do. Two statements whatever the number."""
    matters = matters_of({demand.county_id for demand in demands})
    found: dict[int, OutsideMatter] = {}
    for demand in demands:
        for matter in matters:
            if fits(matter, demand):
                found[demand.pk] = matter
                break
    return found


def is_of_community(unit: Unit) -> bool:
    """Whether a unit belongs to the community itself."""
    return unit.domain == Domain.COMMUNITY


def refusal(matter: OutsideMatter, unit: Unit) -> str:
    """Why a unit can not lead a matter of the list, on what basis, and what to do instead."""
    basis = _("（依据：%(basis)s）") % {"basis": matter.basis} if matter.basis else ""
    return _(
        "“%(matter)s”是清单外事项%(basis)s，不能由“%(unit)s”牵头。请改派有此职责的部门；本社区没有合适的报到单位时，请上报街道。"
    ) % {"matter": matter.name, "basis": basis, "unit": unit.label}
