"""Which units a project speaks to, and what of the project and responsibility lists is late."""

import datetime
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from partybuilding.models import UnitKind
from services.models import Project, ProjectState, ResponsibilityState, UnitCheckIn


def reported_for(project: Project) -> Any:
    """Check-ins of the units that may claim the project or be appointed: anywhere in its community, or around its
    place; anywhere in the street for a project of the whole street. The same who see it while it is open."""
    rows = UnitCheckIn.objects.current().filter(unit__is_active=True)
    node = project.node
    if project.community_id is None:
        return rows.filter(node__tree_id=node.tree_id)
    around = Q(node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght)
    return rows.filter(around | Q(node__community_id=project.community_id))


def overdue_projects(day: datetime.date | None = None) -> Q:
    """Open or under way beyond the last day."""
    return Q(state__in=[ProjectState.OPEN, ProjectState.RUNNING], due_on__lt=day or timezone.localdate())


def bought_in() -> Q:
    """Services bought in from a social organisation: it leads, and is paid for it (docs/domain.md#c6). Appointed, under way or
    done; what is only planned is not bought yet."""
    states = (ProjectState.RUNNING, ProjectState.FINISHED, ProjectState.DONE)
    return Q(lead_unit__kind=UnitKind.SOCIAL, budget__gt=0, state__in=states)


def is_bought_in(row: Project) -> bool:
    """As `bought_in`, for a project in hand with its lead unit."""
    under_way = row.state in (ProjectState.RUNNING, ProjectState.FINISHED, ProjectState.DONE)
    return under_way and bool(row.budget) and row.lead_unit is not None and row.lead_unit.kind == UnitKind.SOCIAL


@dataclass(frozen=True)
class BoughtIn:
    """How many services were bought in, and for how many yuan."""

    count: int
    cost: Decimal

    @property
    def cost_words(self) -> str:
        """In yuan, from ten thousand on in ten thousands: 8000 元, 3.2 万元."""
        if self.cost < 10_000:
            return _("%(sum)s 元") % {"sum": f"{self.cost:.0f}"}
        return _("%(sum)s 万元") % {"sum": f"{self.cost / 10_000:.1f}"}


def bought_in_figure(rows: QuerySet[Project]) -> BoughtIn:
    """The figure of some projects. One query."""
    found = rows.filter(bought_in()).order_by().aggregate(count=Count("pk"), cost=Sum("budget"))
    return BoughtIn(found["count"], found["cost"] or Decimal(0))


def overdue_responsibilities(day: datetime.date | None = None) -> Q:
    """Not carried out beyond the last day."""
    return Q(state=ResponsibilityState.OPEN, due_on__lt=day or timezone.localdate())
