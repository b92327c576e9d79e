"""Filters of this floor, and the one function by which every floor reads "inside this place"."""

import datetime
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from mptt.managers import TreeManager
from mptt.querysets import TreeQuerySet

from core import policies


def in_subtree(node: Any, path: str = "", *, community: str = "") -> Q:
    """Rows inside a place, as a filter.

    Args:
        node: a `GridNode`, or anything else with `tree_id`, `lft`, `rght` and `community_id`, `pk` (a `NodeScope`).
        path: lookup from the row to its node (`"node"`, `"demand__node"`; empty when the rows are nodes).
        community: lookup from the row to its community column, where it has one. A plain foreign key costs a
            third of the range over the tree (docs/decisions/0002), so it is used wherever the place allows it. It
            also says where a closed row happened, wherever its node has gone since.
    """
    if community and node.community_id == node.pk:
        return Q(**{f"{community}_id": node.pk})
    if community and node.community_id is None:
        path = community
    prefix = f"{path}__" if path else ""
    found = Q(**{f"{prefix}tree_id": node.tree_id})
    if node.lft > 1:
        found &= Q(**{f"{prefix}lft__gte": node.lft, f"{prefix}lft__lte": node.rght})
    if community and node.community_id:
        found &= Q(**{f"{community}_id": node.community_id})
    return found


def current(day: datetime.date | None = None, prefix: str = "") -> Q:
    """Rows with `start` and `end` that hold on a day (today when not given)."""
    day = day or timezone.localdate()
    return Q(**{f"{prefix}start__lte": day}) & (Q(**{f"{prefix}end__isnull": True}) | Q(**{f"{prefix}end__gte": day}))


def unended(prefix: str = "") -> Q:
    """Rows with `start` and `end` that go on after today, those that have not begun yet among them: what must be ended or
    taken elsewhere when its place goes out of use. What was ended before its first day, on it, counts as ended."""
    later = {f"{prefix}end__gt": timezone.localdate()}
    return Q(**{f"{prefix}end__isnull": True}) | Q(**later) & ~Q(**{f"{prefix}end": F(f"{prefix}start")})


class CountyQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "CountyQuerySet":
        return policies.visible(self, user)


class NodeQuerySet(TreeQuerySet):
    def visible_to(self, user: Any) -> "NodeQuerySet":
        return policies.visible(self, user)

    def standing(self) -> "NodeQuerySet":
        """Nodes that are not retired."""
        return self.filter(retired_at__isnull=True)

    def inside(self, node: Any) -> "NodeQuerySet":
        return self.filter(in_subtree(node))

    def at(self, *level_keys: str) -> "NodeQuerySet":
        return self.filter(level_type__key__in=level_keys)


class NodeManager(TreeManager.from_queryset(NodeQuerySet)):  # type: ignore[misc]
    """The tree's manager."""


class AppointmentQuerySet(models.QuerySet[Any]):
    def visible_to(self, user: Any) -> "AppointmentQuerySet":
        return policies.visible(self, user)

    def current(self, day: datetime.date | None = None) -> "AppointmentQuerySet":
        return self.filter(current(day))


class ScopedQuerySet(models.QuerySet[Any]):
    """Rows with a policy and no filters of their own."""

    def visible_to(self, user: Any) -> Any:
        return policies.visible(self, user)


# How long an entry of the care ledger that has run out is still shown, to be confirmed: a visit's round and the post.
CARE_GRACE_DAYS = 30


class CareQuerySet(models.QuerySet[Any]):
    """Households of the care ledger."""

    def visible_to(self, user: Any) -> "CareQuerySet":
        """Whom the user may know of. An entry that nobody confirmed in time is gone, swept or not yet."""
        return policies.visible(self, user).kept()

    def kept(self, day: datetime.date | None = None) -> "CareQuerySet":
        """Without the entries whose time after running out is over: the sweeper erases them."""
        day = day or timezone.localdate()
        return self.filter(expires_on__gt=day - datetime.timedelta(days=CARE_GRACE_DAYS))

    def valid(self, day: datetime.date | None = None) -> "CareQuerySet":
        """Households whose entry has not run out."""
        return self.filter(expires_on__gt=day or timezone.localdate())

    def expired(self, day: datetime.date | None = None) -> "CareQuerySet":
        """Those that have run out."""
        return self.filter(expires_on__lte=day or timezone.localdate())
