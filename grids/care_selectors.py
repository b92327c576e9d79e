"""Reads of the care ledger: how often, what waits, and figures without persons."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.periods import Quarter
from grids.care import CADENCE, SMALL, CareState, waiting_for
from grids.models import CareCadence, CareHousehold, CareKind, CareNeed, GridNode
from grids.naming import COMMUNITY
from grids.policies import CountyScope, NodeScope
from grids.posts import COUNT_CARE, MANAGE_CARE, VIEW_CARE
from grids.querysets import in_subtree


def cadence_of(county_id: int) -> dict[str, int]:
    """Days between two visits by need, as the county wants them. One query."""
    own = CareCadence.objects.filter(county_id=county_id).values_list("kind", "days")
    return {**CADENCE, **dict(own)}


def managed(user: Any) -> QuerySet[CareHousehold]:
    """The entries a user looks after: keeps, visits, confirms."""
    return CareHousehold.objects.kept().filter(policies.within(CareHousehold, user, MANAGE_CARE))


def something_waits(day: datetime.date) -> Q:
    """Entries that wait for anything at all on a day."""
    found = Q(pk__in=[])
    for state in CareState:
        found |= waiting_for(state, day)
    return found


def _pressing(day: datetime.date) -> Q:
    """What can not wait for the quarter's round."""
    found = Q(pk__in=[])
    for state in (CareState.EXPIRED, CareState.TO_VISIT, CareState.EXPIRING):
        found |= waiting_for(state, day)
    return found


@dataclass(frozen=True)
class Summary:
    """The round of a quarter, of the households somebody looks after.

    Attributes:
        waiting: those to be visited, and those that have run out or soon will.
        done: of `total`, those confirmed since the quarter began.
    """

    quarter: Quarter
    waiting: int = 0
    done: int = 0
    total: int = 0


def summary_of(user: Any) -> Summary:
    """One query, read once per loaded user (that is: once per request); none for who looks after nobody."""
    day = timezone.localdate()
    quarter = Quarter.of(day)
    if not policies.holds(user, MANAGE_CARE):
        return Summary(quarter)
    kept: Summary | None = getattr(user, "_care_summary", None)
    if kept is None:
        counted = managed(user).aggregate(
            waiting=Count("pk", filter=_pressing(day)),
            done=Count("pk", filter=Q(confirmed_on__gte=quarter.first_day)),
            total=Count("pk"),
        )
        kept = user._care_summary = Summary(quarter, **counted)
    return kept


# --- Figures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Figures:
    """Counts of one community. An entry that has run out counts in none.

    Attributes:
        exact: whether whoever asks may see the households themselves; else small counts stay untold (`shown`).
        needs: by key of `CareKind`; a household may have several.
        in_time: households whose next visit is not overdue. confirmed: those confirmed this quarter.
    """

    community: GridNode
    exact: bool
    households: int
    needs: Mapping[str, int]
    in_time: int
    confirmed: int

    def shown(self, count: int) -> str:
        """A count as this reader may read it."""
        return str(count) if self.exact or not 0 < count < SMALL else _("少于 %(small)d") % {"small": SMALL}

    def share(self, part: int) -> str:
        """A part of the households, above the line and below; untold where the whole is."""
        if not self.exact and 0 < self.households < SMALL:
            return self.shown(self.households)
        return f"{part} / {self.households}"


def figures_of(user: Any, day: datetime.date | None = None) -> list[Figures]:
    """Counts community by community, wherever the user may count. Four queries, whatever the number of communities.

    Who may see the ledger of a community reads the figures as they are; for everybody else small ones stay untold, so
    that no figure points at a household.
    """
    day = day or timezone.localdate()
    scope = policies.within(CareHousehold, user, COUNT_CARE)
    valid = CareHousehold.objects.valid(day).filter(scope).order_by()
    quarter = Quarter.of(day).first_day
    counted = {
        row["community"]: row
        for row in valid.values("community").annotate(
            households=Count("pk"),
            in_time=Count("pk", filter=~waiting_for(CareState.TO_VISIT, day)),
            confirmed=Count("pk", filter=Q(confirmed_on__gte=quarter)),
        )
    }
    needs: dict[int, dict[str, int]] = {}
    by_need = CareNeed.objects.filter(household__in=valid).order_by().values_list("household__community", "kind")
    for community, kind, count in by_need.annotate(n=Count("pk")):
        needs.setdefault(community, {})[kind] = count
    found = []
    for node in _communities(user):
        row = counted.get(node.pk, {"households": 0, "in_time": 0, "confirmed": 0})
        by_kind = {str(kind): needs.get(node.pk, {}).get(kind, 0) for kind in CareKind.values}
        exact = policies.can(user, VIEW_CARE, node) or _keeps_in(user, node)
        found.append(Figures(node, exact, row["households"], by_kind, row["in_time"], row["confirmed"]))
    return found


def total_of(column: list[tuple[Figures, int]]) -> str:
    """The sum of one count over communities, unless it would tell the only small one among them."""
    total = sum(count for _figures, count in column)
    hidden = [count for figures, count in column if not figures.exact and 0 < count < SMALL]
    if hidden and (len(hidden) == 1 or sum(hidden) < SMALL):
        return "—"
    return str(total)


def _keeps_in(user: Any, community: GridNode) -> bool:
    """Whether the only households counted for the user there are those of the user's own places."""
    return not any(_covers(scope, community) for scope in policies.scopes(user, COUNT_CARE))


def _covers(scope: Any, node: GridNode) -> bool:
    if isinstance(scope, CountyScope):
        return scope.county_id == node.county_id
    return isinstance(scope, NodeScope) and scope.holds(node)


def _communities(user: Any) -> QuerySet[GridNode]:
    """The communities in which the user may count, and those that own places of the user's lie in."""
    wanted = Q(pk__in=[])
    for scope in policies.scopes(user, COUNT_CARE):
        if isinstance(scope, CountyScope):
            wanted |= Q(county_id=scope.county_id)
        elif isinstance(scope, NodeScope):
            wanted |= Q(pk=scope.community_id) if scope.community_id else in_subtree(scope)
    rows = GridNode.objects.standing().at(COMMUNITY).filter(wanted)
    return rows.select_related("parent").order_by("tree_id", "lft")
