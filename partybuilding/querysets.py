from typing import Any

from django.db import models
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

from core import policies
from grids.querysets import current


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
