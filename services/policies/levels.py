"""Whose desk is whose: a community, its street, the county. Where several levels hold one right, these tell them apart."""

from typing import Any

from django.db.models import Q

from core import policies
from grids.policies import CountyScope, NodeScope
from services.models import Demand
from services.models.demand import Desk
from services.policies.loop import DEMAND_POLICY


def level_of(scope: Any) -> Desk | None:
    """The desk that a scope of a post is of; None for a unit's or a member's."""
    if isinstance(scope, CountyScope):
        return Desk.COUNTY
    if isinstance(scope, NodeScope):
        return Desk.COMMUNITY if scope.community_id is not None else Desk.STREET
    return None


def levels_on(user: Any, right: str, demand: Demand) -> set[Desk]:
    """The levels at which a user holds a right over a demand. Costs no query."""
    held = (scope for scope in policies.scopes(user, right) if DEMAND_POLICY.covers(scope, demand))
    return {level for level in map(level_of, held) if level is not None}


def within_level(user: Any, right: str, *levels: Desk) -> Q:
    """The demands over which a user holds a right at one of some levels, as a filter."""
    found = Q(pk__in=[])
    for scope in dict.fromkeys(policies.scopes(user, right)):
        if level_of(scope) in levels:
            found |= DEMAND_POLICY.q(scope) or Q(pk__in=[])
    return found
