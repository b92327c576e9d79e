from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

from core import policies
from grids.querysets import current, unended


class UnitQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "UnitQuerySet":
        return policies.visible(self, user)

    def active(self) -> "UnitQuerySet":
        return self.filter(is_active=True)


class MembershipQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "MembershipQuerySet":
        return policies.visible(self, user)

    def current(self) -> "MembershipQuerySet":
        return self.filter(current())


class MemberQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "MemberQuerySet":
        return policies.visible(self, user)

    def active(self) -> "MemberQuerySet":
        return self.filter(is_active=True)


class OrganisationQuerySet(TreeQuerySet):
    def visible_to(self, user: Any) -> "OrganisationQuerySet":
        return policies.visible(self, user)


class OrganisationManager(TreeManager.from_queryset(OrganisationQuerySet)):  # type: ignore[misc]
    """The tree of party organisations."""


class PairingQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "PairingQuerySet":
        return policies.visible(self, user)

    def current(self) -> "PairingQuerySet":
        return self.filter(current())

    def open(self) -> "PairingQuerySet":
        """Those that go on after today, or are yet to begin."""
        return self.filter(unended())

    def with_counts(self) -> "PairingQuerySet":
        """With `visit_count`, `last_visit`, `problem_count` and `open_count`."""
        visits = self._of("PairingVisit")
        problems = self._of("PairingProblem")
        return self.annotate(
            visit_count=_counted(visits),
            last_visit=Subquery(visits.order_by("-visited_on").values("visited_on")[:1]),
            problem_count=_counted(problems),
            open_count=_counted(problems.filter(solved_on=None)),
        )

    @staticmethod
    def _of(name: str) -> models.QuerySet[Any]:
        found: models.QuerySet[Any] = apps.get_model("partybuilding", name)._default_manager.filter(
            pairing=OuterRef("pk")
        )
        return found.order_by()


def _counted(rows: models.QuerySet[Any]) -> Coalesce:
    counted = rows.values("pairing").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted), 0)
