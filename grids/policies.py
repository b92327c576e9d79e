"""Scopes of this floor and what they cover."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils import timezone

from core.models import User
from core.policies import Grant
from core.prepared import Prepared
from grids import posts
from grids.models import Appointment
from grids.querysets import in_subtree


@dataclass(frozen=True)
class CountyScope:
    """The whole of one county."""

    county_id: int


@dataclass(frozen=True)
class NodeScope:
    """The subtree of one node. Carries what `in_subtree` needs, so that checking costs no query."""

    pk: int
    county_id: int
    tree_id: int
    lft: int
    rght: int
    community_id: int | None

    def holds(self, node: Any) -> bool:
        """Whether a node lies inside. A street and a community are known without the bounds, which somebody else's write
        may have shifted since the scope was read."""
        if self.community_id == self.pk:
            return bool(node.community_id == self.pk)
        return bool(node.tree_id == self.tree_id and (self.lft <= 1 or self.lft <= node.lft <= self.rght))


@dataclass(frozen=True)
class BelowScope:
    """The subtree of one node without the node itself (`grids.posts.Post.below`)."""

    node: NodeScope

    @property
    def county_id(self) -> int:
        return self.node.county_id

    def holds(self, node: Any) -> bool:
        """Whether a node lies below."""
        return self.node.holds(node) and bool(node.pk != self.node.pk)


def scope_of(node: Any) -> NodeScope:
    return NodeScope(node.pk, node.county_id, node.tree_id, node.lft, node.rght, node.community_id)


def appointment_grants(user: User, so_far: Sequence[Grant]) -> Iterable[Grant]:
    """The grants that follow from the posts a user holds today."""
    for key, county_id, *node in _HELD.rows(user.pk, *[timezone.localdate()] * 2):
        post = posts.POSTS.get(key)
        if post is not None:
            scope = CountyScope(county_id) if county_id else NodeScope(*node)
            yield Grant(frozenset(post.rights), scope, post.label)
            if post.below and isinstance(scope, NodeScope):
                yield Grant(post.below, BelowScope(scope), post.label)


def _held(user_id: int, start: datetime.date, end: datetime.date) -> Any:
    """The open posts of a user, with the place of each; on a retired node a post opens nothing."""
    return (
        Appointment.objects.filter(Q(end__isnull=True) | Q(end__gte=end), start__lte=start, user_id=user_id)
        .filter(node__retired_at__isnull=True)
        .order_by()
        .values_list(
            "post",
            "county_id",
            "node_id",
            "node__county_id",
            "node__tree_id",
            "node__lft",
            "node__rght",
            "node__community_id",
        )
    )


_HELD = Prepared(_held, int, datetime.date, datetime.date)


class InTree:
    """Policy of rows that hang on a node. `path` leads from the row to it (empty for nodes themselves)."""

    def __init__(self, view: str, *, path: str = "node", county: str = "county", community: str = "") -> None:
        self.view, self.path, self.county, self.community = view, path, county, community

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CountyScope):
            return Q(**{f"{self.county.replace('.', '__')}_id": scope.county_id})
        if isinstance(scope, NodeScope):
            return in_subtree(scope, self._lookup, community=self.community)
        if isinstance(scope, BelowScope):
            itself = f"{self._lookup}__pk" if self._lookup else "pk"
            return in_subtree(scope.node, self._lookup, community=self.community) & ~Q(**{itself: scope.node.pk})
        return None

    @property
    def _lookup(self) -> str:
        return self.path.replace(".", "__")

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, CountyScope):
            return bool(self._reach(obj, self.county + "_id") == scope.county_id)
        if isinstance(scope, NodeScope | BelowScope):
            node = self._reach(obj, self.path) if self.path else obj
            if node is None or not self.community:
                return node is not None and scope.holds(node)
            return self._covers_there(scope, obj, node)
        return False

    def _covers_there(self, scope: "NodeScope | BelowScope", obj: Any, node: Any) -> bool:
        """What `in_subtree` says of a row that carries its community."""
        path = self.community.replace("__", ".")
        community = self._reach(obj, f"{path}_id")
        if community == node.community_id:
            return scope.holds(node)
        # A closed row stays where it happened, and its place has gone elsewhere.
        place = scope.node if isinstance(scope, BelowScope) else scope
        if place.community_id is None:
            return bool(self._reach(obj, path).tree_id == place.tree_id)
        return bool(place.pk == community)

    @staticmethod
    def _reach(obj: Any, path: str) -> Any:
        for step in path.split("."):
            obj = getattr(obj, step, None)
        return obj


class AppointmentPolicy(InTree):
    """Appointments hang on a node or on the county itself."""

    def q(self, scope: Any) -> Q | None:
        if isinstance(scope, CountyScope):
            return Q(county_id=scope.county_id) | Q(node__county_id=scope.county_id)
        return super().q(scope)

    def covers(self, scope: Any, obj: Any) -> bool:
        if isinstance(scope, CountyScope):
            return bool(scope.county_id in (obj.county_id, obj.node.county_id if obj.node else None))
        return super().covers(scope, obj)


class CountyPolicy:
    """A county is known to everyone who holds something in it, and changed by who holds something over all of it."""

    view = posts.VIEW_NODE
    acts_from = (CountyScope,)

    def q(self, scope: Any) -> Q | None:
        return Q(pk=scope.county_id) if isinstance(scope, CountyScope | NodeScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope | NodeScope) and bool(scope.county_id == obj.pk)


class OfCounty:
    """Policy of rows seen at county scope only (accounts, the audit trail)."""

    def __init__(self, view: str, field: str) -> None:
        self.view, self.field = view, field

    def q(self, scope: Any) -> Q | None:
        return Q(**{self.field: scope.county_id}) if isinstance(scope, CountyScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope) and bool(getattr(obj, self.field) == scope.county_id)


class OutboxPolicy(OfCounty):
    """Messages to the outside. One whose readers are not known yet is of no county: whoever looks after notices sees it,
    and none of its words (core/admin_notices.py)."""

    def q(self, scope: Any) -> Q | None:
        if not isinstance(scope, CountyScope):
            return None
        return Q(**{self.field: scope.county_id}) | Q(**{f"{self.field}__isnull": True})

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope) and getattr(obj, self.field) in (None, scope.county_id)


class CountySettings:
    """Rows that say how a county works: read by everybody who holds something in it, changed by its administrators."""

    acts_from = (CountyScope,)

    def __init__(self, view: str = posts.VIEW_NODE) -> None:
        self.view = view

    def q(self, scope: Any) -> Q | None:
        return Q(county_id=scope.county_id) if isinstance(scope, CountyScope | NodeScope) else None

    def covers(self, scope: Any, obj: Any) -> bool:
        return isinstance(scope, CountyScope | NodeScope) and bool(obj.county_id == scope.county_id)


NODE_POLICY = InTree(posts.VIEW_NODE, path="", county="county")
APPOINTMENT_POLICY = AppointmentPolicy(posts.VIEW_APPOINTMENT)
USER_POLICY = OfCounty(posts.VIEW_ACCOUNT, "county_key")
AUDIT_POLICY = OfCounty(posts.VIEW_AUDIT, "county_id")
# A household is seen inside a subtree alone: no county-wide right of the ledger exists (docs/domain.md#lines).
CARE_POLICY = InTree(posts.VIEW_CARE, community="community")
