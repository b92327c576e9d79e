"""What a grid says of itself to the people who live there: on the card at the door, and behind its QR code.

The keeper's name and an office's telephone. Never the keeper's own number: whoever keeps a grid is reached through the
portal, and complained of where they do not pick up the telephone themselves.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from grids.models import GridNode
from grids.naming import COMMUNITY, GRID, STREET
from grids.selectors import holders_of

# Who answers to a household, best first: the keeper of the grid; where a county has no grids, of what it has instead.
_KEPT = (GRID, "compound", "sector", COMMUNITY)
# Names that stand on a card; of more, how many.
NAMED = 12


@dataclass(frozen=True)
class Card:
    """Attributes:
    node: the place the card hangs at. kept: the place whose keeper is named, the node itself or one above.
    title: what the county calls the keeper. keepers: their names; none while the post is vacant.
    covers: what the kept place consists of; empty unless asked for. parts: of how many.
    phone: the supervision telephone, of the nearest place above that has one or the county's.
    """

    node: GridNode
    kept: GridNode
    title: str
    keepers: tuple[str, ...]
    phone: str
    covers: tuple[str, ...] = ()
    parts: int = 0

    @property
    def area(self) -> str:
        """What the keeper answers for, in words: 1 号楼、2 号楼等 12 处，约 380 户."""
        named = "、".join(self.covers)
        if self.parts > len(self.covers):
            named = _("%(named)s等 %(count)d 处") % {"named": named, "count": self.parts}
        homes = _("约 %(count)d 户") % {"count": self.kept.households} if self.kept.households else ""
        return "，".join(part for part in (named, homes) if part)


def card_of(node: GridNode) -> Card | None:
    """The card of one place, without what it covers; None for a street. Two queries."""
    return next(iter(cards_of([node], covers=False)), None)


def cards_of(nodes: Sequence[GridNode], *, covers: bool = True) -> list[Card]:
    """The cards of places inside one street, in the order given; streets have none. Two or three queries.

    Args:
        nodes: with `county` loaded.
        covers: whether the cards say what their grid consists of.
    """
    above = _above(nodes)
    kept: dict[int, GridNode] = {}
    for node in nodes:
        chain = {place.level_type.key: place for place in above[node.pk]}
        found = next((chain[key] for key in _KEPT if key in chain), None)
        if found is not None:
            kept[node.pk] = found
    held = holders_of(kept.values())
    parts = _parts(kept.values()) if covers else {}
    cards = []
    for node in nodes:
        if node.pk not in kept:
            continue
        place = kept[node.pk]
        post = place.level_type.holder_post
        names = [row.user.name for row in held[place.pk] if row.post == post and row.user.is_active]
        phones = [one.supervision_phone for one in reversed(above[node.pk]) if one.supervision_phone]
        below = parts.get(place.pk, [])
        cards.append(
            Card(
                node=node,
                kept=place,
                title=place.level_type.holder_words,
                keepers=tuple(names),
                phone=phones[0] if phones else node.county.supervision_phone,
                covers=tuple(below[:NAMED]),
                parts=len(below),
            )
        )
    return cards


def _above(nodes: Sequence[GridNode]) -> dict[int, list[GridNode]]:
    """Node id -> the places that matter on a card from the street down to the node itself. One query."""
    found: dict[int, list[GridNode]] = {node.pk: [] for node in nodes}
    if not nodes:
        return found
    frame = GridNode.objects.filter(
        tree_id__in={node.tree_id for node in nodes},
        lft__lte=max(node.lft for node in nodes),
        rght__gte=min(node.rght for node in nodes),
        level_type__key__in=(STREET, *_KEPT),
    )
    for place in frame.select_related("level_type").order_by("lft"):
        for node in nodes:
            if place.tree_id == node.tree_id and place.lft <= node.lft <= place.rght:
                found[node.pk].append(place)
    return found


def _parts(places: Iterable[GridNode]) -> dict[int, list[str]]:
    """Node id -> names of what hangs on it directly. One query."""
    pks = {place.pk for place in places}
    found: dict[int, list[str]] = {}
    below = GridNode.objects.standing().filter(parent_id__in=pks).order_by("tree_id", "lft")
    for parent, name in below.values_list("parent_id", "name"):
        found.setdefault(parent or 0, []).append(name)
    return found
