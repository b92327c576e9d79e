"""Which units a project speaks to, and what of the project and responsibility lists is late."""

import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

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


def overdue_responsibilities(day: datetime.date | None = None) -> Q:
    """Not carried out beyond the last day."""
    return Q(state=ResponsibilityState.OPEN, due_on__lt=day or timezone.localdate())
