"""How many members reported where, and what of theirs was confirmed: the one place that counts (docs/domain.md#z1, #z2).

Persons are counted, never compared: nothing here sorts members by what they did.
"""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, Q, Sum

from core.periods import Period, Quarter
from grids.models import County, GridNode
from grids.querysets import in_subtree
from partybuilding.models import Member
from services.models import MemberCheckIn, MemberCheckInState, ServiceRecord, ServiceState

Place = County | GridNode


@dataclass(frozen=True)
class MemberFigures:
    """Members who have reported (accepted, not ended), and the services and hours their communities confirmed."""

    reported: int = 0
    services: int = 0
    hours: Decimal = Decimal(0)

    def __add__(self, other: "MemberFigures") -> "MemberFigures":
        return MemberFigures(self.reported + other.reported, self.services + other.services, self.hours + other.hours)


def member_figures(place: Place, period: Period | None = None) -> MemberFigures:
    """The figures of a county, a street, a community or a place in one. Two queries.

    Args:
        period: of the services; all there are when not given. Who reported is counted as of now.
    """
    return sum(figures_by_community(place, period).values(), MemberFigures())


def figures_by_community(place: Place, period: Period | None = None) -> dict[int, MemberFigures]:
    """Community key -> figures, of the communities inside a place that have any. Two queries."""
    reported = MemberCheckIn.objects.filter(_inside(place), state=MemberCheckInState.ACCEPTED)
    served = ServiceRecord.objects.filter(_inside(place, "checkin__"), state=ServiceState.CONFIRMED)
    if period is not None:
        served = served.filter(served_on__gte=period.first_day, served_on__lte=period.last_day)
    found: dict[int, MemberFigures] = {}
    for community, count in reported.order_by().values_list("community").annotate(Count("pk")):
        found[community] = MemberFigures(reported=count)
    summed = served.order_by().values_list("checkin__community").annotate(Count("pk"), Sum("hours"))
    for community, count, hours in summed:
        found[community] = found.get(community, MemberFigures()) + MemberFigures(services=count, hours=hours)
    return found


def _inside(place: Place, prefix: str = "") -> Q:
    if isinstance(place, County):
        return Q(**{f"{prefix}community__county": place})
    return in_subtree(place, f"{prefix}node", community=f"{prefix}community")


def figures_of(member: Member, quarter: Quarter | None = None) -> MemberFigures:
    """A member's own confirmed services and hours, for themselves. One query."""
    served = ServiceRecord.objects.filter(checkin__member=member, state=ServiceState.CONFIRMED)
    if quarter is not None:
        served = served.filter(served_on__gte=quarter.first_day, served_on__lte=quarter.last_day)
    found = served.aggregate(services=Count("pk"), hours=Sum("hours"))
    return MemberFigures(services=found["services"], hours=found["hours"] or Decimal(0))
