"""Reads over pairings that more than one face needs."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from core import policies
from core.models import User
from grids.models import County
from partybuilding.models import Pairing, PairingGuide, PairingProblem
from partybuilding.pairing_kinds import KINDS, Kind
from partybuilding.policies import UnitScope
from partybuilding.posts import VIEW_PAIRING


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


def held_by(user: User) -> QuerySet[Pairing]:
    """The pairings of today that are the person's own, or those of the units they act for; in reading order of places."""
    units = {scope.unit_id for scope in policies.scopes(user, VIEW_PAIRING) if isinstance(scope, UnitScope)}
    rows: QuerySet[Pairing] = Pairing.objects.visible_to(user).current().filter(Q(user=user) | Q(unit_id__in=units))
    return rows.order_by("kind", "node__tree_id", "node__lft", "pk")


def open_problems(rows: QuerySet[Pairing]) -> QuerySet[Any]:
    """What is not solved at these pairings, oldest first."""
    return PairingProblem.objects.filter(pairing__in=rows, solved_on=None).order_by("found_on", "pk")
