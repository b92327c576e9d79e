"""Which places have a compound profile. Data decides, not code: the compounds of a county; where a county has no such
level, its grids (docs/domain.md#levels)."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from grids.models.county import Level
from grids.naming import GRID

COMPOUND = "compound"


def profile_levels() -> Any:
    """The level of each county whose nodes have a profile."""
    own = Level.objects.filter(county=OuterRef("county"), key=COMPOUND)
    return Level.objects.filter(Q(key=COMPOUND) | (Q(key=GRID) & ~Exists(own))).order_by()


def with_profiles() -> Q:
    """The nodes that have, or may have, a profile."""
    return Q(level_type__in=profile_levels().values("pk"))


def have_profiles(nodes: Any) -> set[int]:
    """Level ids, among those of some nodes, whose nodes have a profile. One query."""
    return set(profile_levels().filter(pk__in={node.level_type_id for node in nodes}).values_list("pk", flat=True))
