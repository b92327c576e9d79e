"""Reads over pairings that more than one face needs."""

from dataclasses import dataclass

from django.db.models import Count, Q

from core import policies
from core.models import User
from grids.models import County
from partybuilding.models import Pairing, PairingGuide
from partybuilding.pairing_kinds import KINDS, Kind
from partybuilding.policies import UnitScope
from partybuilding.posts import VIEW_PAIRING
from partybuilding.querysets import PairingQuerySet


@dataclass(frozen=True)
class Guide:
    """What a county wants of a kind: `level` of which every place should have one (empty: of none), `most` a holder."""

    kind: Kind
    level: str
    most: int


def guides_of(county: County) -> dict[str, Guide]:
    """Kind -> what the county wants of it, in the table's order. Two queries."""
    levels = set(county.levels.values_list("key", flat=True))
    own = {row.kind: row for row in PairingGuide.objects.filter(county=county)}
    found = {}
    for key, kind in KINDS.items():
        row = own.get(key)
        level = row.level if row and (not row.level or row.level in levels) else kind.due_level(levels)
        found[key] = Guide(kind, level, row.most if row else kind.most)
    return found


def held_by(user: User) -> PairingQuerySet:
    """The pairings of today that are the person's own, or those of the units they act for; in reading order of places."""
    units = {scope.unit_id for scope in policies.scopes(user, VIEW_PAIRING) if isinstance(scope, UnitScope)}
    rows = Pairing.objects.visible_to(user).current().filter(Q(user=user) | Q(unit_id__in=units))
    return rows.order_by("kind", "node__tree_id", "node__lft", "pk")


def my_figures(user: User) -> tuple[int, int]:
    """How many places are the person's, and how many problems there are not solved. One query."""
    found = (
        held_by(user)
        .order_by()
        .aggregate(
            places=Count("pk", distinct=True),
            unsolved=Count("problems", filter=Q(problems__solved_on=None)),
        )
    )
    return found["places"], found["unsolved"]
