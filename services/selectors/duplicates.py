"""Demands that likely speak of the same matter: the same community, raised within sixty days of one another, open or closed
a little while ago.

Compared by their words, helped by place, category and telephone. A suggestion alone: people link, and each requester keeps
a code and gets an answer (docs/practice.md#loop).
"""

import datetime
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from services.models import Demand, DemandState
from services.models.demand import OPEN_STATES
from services.suggesting import text_of
from services.suggesting.grams import words_behind
from services.suggesting.likeness import Corpus

DAYS = 60
_APART = datetime.timedelta(days=DAYS)
CLOSED_DAYS = 10
# The newest of a community, of the days asked about, that are looked at.
MOST = 4000
SHOWN = 5
# Points of a hundred: what the words make out, and what is added to them.
_WORDS, _SAME_PLACE, _NEAR, _CATEGORY, _PHONE = 75, 15, 8, 5, 10
# Below this many points nothing is said; below this likeness of the words the rest does not count.
LEAST, LEAST_WORDS = 38, 0.35


@dataclass(frozen=True)
class Likeness:
    """Another demand that is likely about the same matter; `score` of a hundred, and `why` in words."""

    demand: Demand
    score: int
    why: list[str]

    @property
    def may_take(self) -> bool:
        """Whether a demand can be linked to it and wait for its answer."""
        return self.demand.is_open


@dataclass(frozen=True)
class _Row:
    """What is compared of a demand."""

    pk: int
    community: int
    category: int
    title: str
    text: str
    node: int
    parent: int | None
    tree: int
    left: int
    right: int
    phone: str
    linked_to: int | None
    at: datetime.datetime


_COLUMNS = (
    "pk",
    "community_id",
    "category_id",
    "title",
    "text",
    "node_id",
    "node__parent_id",
    "node__tree_id",
    "node__lft",
    "node__rght",
    "contact_phone",
    "linked_to_id",
    "registered_at",
)


def likely(demand: Demand) -> list[Likeness]:
    """Up to five demands likely about the same matter, the likeliest first. Two statements (and one for its place, if that
    was not loaded)."""
    return likely_many([demand]).get(demand.pk, [])


def likely_many(demands: Collection[Demand]) -> dict[int, list[Likeness]]:
    """Demand id -> those likely about the same matter, for each that has some. As many statements as for one."""
    if not demands:
        return {}
    prefetch_related_objects(list(demands), "node")
    asked = {demand.pk: _row_of(demand) for demand in demands}
    rows = _candidates(asked.values())
    found: dict[int, list[tuple[int, int, list[str]]]] = {}
    for community in sorted({row.community for row in asked.values()}):
        mine = [row for row in asked.values() if row.community == community]
        found |= _within(mine, rows.get(community, []))
    wanted = {pk for hits in found.values() for pk, _score, _why in hits}
    others = Demand.objects.with_faces().in_bulk(wanted) if wanted else {}
    return {
        pk: [Likeness(others[other], score, why) for other, score, why in hits if other in others]
        for pk, hits in found.items()
        if hits
    }


def _row_of(demand: Demand) -> _Row:
    node = demand.node
    return _Row(
        demand.pk,
        demand.community_id,
        demand.category_id,
        demand.title,
        demand.text,
        node.pk,
        node.parent_id,
        node.tree_id,
        node.lft,
        node.rght,
        demand.contact_phone,
        demand.linked_to_id,
        demand.registered_at,
    )


def _candidates(asked: Collection[_Row]) -> dict[int, list[_Row]]:
    """Community -> those that may be alike. What a desk brings in from its old tables was raised long ago, all of it."""
    lately = Q(state=DemandState.CLOSED_OFF, closed_at__gte=timezone.now() - datetime.timedelta(days=CLOSED_DAYS))
    communities = {row.community for row in asked}
    rows = Demand.objects.filter(
        Q(state__in=[str(state) for state in OPEN_STATES]) | lately,
        community_id__in=communities,
        registered_at__range=(min(row.at for row in asked) - _APART, max(row.at for row in asked) + _APART),
    ).order_by("-registered_at", "-pk")
    found: dict[int, list[_Row]] = {}
    for values in rows.values_list(*_COLUMNS)[: MOST * len(communities)]:
        row = _Row(*values)
        found.setdefault(row.community, []).append(row)
    return {community: some[:MOST] for community, some in found.items()}


def _within(asked: Sequence[_Row], others: Sequence[_Row]) -> dict[int, list[tuple[int, int, list[str]]]]:
    """The likeliest of one community for each that is asked about: their keys, scores and reasons."""
    known = {row.pk for row in others}
    rows = [*others, *(row for row in asked if row.pk not in known)]
    number = {row.pk: at for at, row in enumerate(rows)}
    corpus = Corpus([text_of(row.title, row.text) for row in rows])
    near = corpus.nearest([number[row.pk] for row in asked], range(len(others)), least=LEAST_WORDS)
    found: dict[int, list[tuple[int, int, list[str]]]] = {}
    for row, hits in zip(asked, near, strict=True):
        scored = [(_score(row, rows[at], alike), at) for at, alike in hits if _may_be(row, rows[at])]
        best = sorted((-score, rows[at].pk, at) for score, at in scored if score >= LEAST)[:SHOWN]
        found[row.pk] = [(pk, -score, _why(row, rows[at], corpus.shared(number[row.pk], at))) for score, pk, at in best]
    return found


def _may_be(one: _Row, other: _Row) -> bool:
    return other.linked_to != one.pk and abs(other.at - one.at) <= _APART


def _score(one: _Row, other: _Row, alike: float) -> int:
    points = _WORDS * alike
    points += _SAME_PLACE if one.node == other.node else _NEAR if _is_near(one, other) else 0
    points += _CATEGORY if one.category == other.category else 0
    points += _PHONE if one.phone and one.phone == other.phone else 0
    return min(round(points), 100)


def _is_near(one: _Row, other: _Row) -> bool:
    """Beside each other below the same place, or one inside the other."""
    if one.tree != other.tree:
        return False
    inside = (one.left <= other.left and other.right <= one.right) or (
        other.left <= one.left and one.right <= other.right
    )
    return inside or one.parent == other.parent


def _why(one: _Row, other: _Row, shared: dict[str, float]) -> list[str]:
    words = words_behind(text_of(other.title, other.text), shared, most=2, longest=16)
    found: list[Any] = [_("都提到%(words)s") % {"words": "、".join(f"“{word}”" for word in words)}] if words else []
    if one.node == other.node:
        found.append(_("同一地点"))
    elif _is_near(one, other):
        found.append(_("地点相邻"))
    if one.category == other.category:
        found.append(_("同一类别"))
    if one.phone and one.phone == other.phone:
        found.append(_("同一联系电话"))
    return found
