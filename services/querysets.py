from typing import Any

from django.db.models import Q
from django.utils import timezone

from grids.querysets import ScopedQuerySet, current


class CheckInQuerySet(ScopedQuerySet):
    def current(self) -> "CheckInQuerySet":
        return self.filter(current())

    def covering(self, node: Any) -> "CheckInQuerySet":
        """Check-ins at the node or above it, in units that are in use: who may be given what hangs there."""
        return self.current().filter(
            node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght, unit__is_active=True
        )


class DemandQuerySet(ScopedQuerySet):
    def open(self) -> "DemandQuerySet":
        return self.filter(state__in=["registered", "accepted", "published", "dispatched", "finished", "checked"])

    def under_limit(self) -> "DemandQuerySet":
        """Those whose service limit runs (services.models.demand.UNDER_LIMIT), in the words of its partial index."""
        return self.filter(state__in=["accepted", "published", "dispatched"], due_at__isnull=False)

    def late(self, now: Any = None) -> "DemandQuerySet":
        """Past the service limit and not finished yet. Read live, from the index on running demands."""
        return self.under_limit().filter(due_at__lt=now or timezone.now())

    def due_soon(self, now: Any = None) -> "DemandQuerySet":
        now = now or timezone.now()
        return self.under_limit().filter(warn_at__lte=now, due_at__gte=now)

    def on_time(self, now: Any = None) -> "DemandQuerySet":
        """Under a limit, and not near it yet."""
        now = now or timezone.now()
        return self.under_limit().filter(Q(warn_at__isnull=True) | Q(warn_at__gt=now), due_at__gte=now)

    def step_late(self, now: Any = None) -> "DemandQuerySet":
        """Somebody has let the next step wait beyond its own limit."""
        return self.filter(step_due_at__lt=now or timezone.now())

    def with_faces(self) -> "DemandQuerySet":
        """What every list row shows, in one query."""
        return self.select_related("node", "community", "category", "lead_unit")


class SubOrderQuerySet(ScopedQuerySet):
    def running(self) -> "SubOrderQuerySet":
        return self.filter(state__in=["dispatched", "signed", "return_requested", "in_service"])

    def late(self, now: Any = None) -> "SubOrderQuerySet":
        return self.running().filter(due_at__lt=now or timezone.now())

    def with_faces(self) -> "SubOrderQuerySet":
        return self.select_related("unit", "demand", "demand__node", "demand__category", "demand__community")


class AssignmentQuerySet(ScopedQuerySet):
    def waiting(self) -> "AssignmentQuerySet":
        return self.filter(state="offered")

    def live(self) -> "AssignmentQuerySet":
        """Those that were not declined, neither in words nor by silence."""
        return self.filter(state__in=["offered", "taken"])


class BulletinItemQuerySet(ScopedQuerySet):
    def waiting(self) -> "BulletinItemQuerySet":
        """Named in a published bulletin and not settled."""
        return self.filter(state__in=["open", "answered"], bulletin__state="published")

    def open(self) -> "BulletinItemQuerySet":
        """Without an answer yet."""
        return self.filter(state="open")
