"""Moves a block of a tree: adjacent siblings with everything below them, in one statement within a street.

mptt moves one node at a time, and each time rewrites the bounds between the two places; of a community with three hundred
children that is three hundred times the street. A block costs what one node costs. The block goes last below its new
parent, as everything that is new there (docs/decisions/0002).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, IntegerField, Q, When

from grids.models import GridNode

_NUMBER = IntegerField()


@dataclass(frozen=True)
class Block:
    """Bounds of adjacent siblings, the first one's left and the last one's right, and the depth at which they stand."""

    tree_id: int
    first: int
    last: int
    depth: int

    @property
    def width(self) -> int:
        return self.last - self.first + 1

    @property
    def nodes(self) -> Q:
        """Everything in the block, as a filter on nodes."""
        return Q(tree_id=self.tree_id, lft__gte=self.first, lft__lte=self.last)


def block_of(node: GridNode) -> Block:
    """A node with everything below it."""
    return Block(node.tree_id, node.lft, node.rght, node.depth)


def below(node: GridNode) -> Block:
    """Everything below a node; empty when there is nothing."""
    return Block(node.tree_id, node.lft + 1, node.rght - 1, node.depth + 1)


def runs(nodes: Iterable[GridNode]) -> Iterator[list[GridNode]]:
    """Siblings in runs of adjacent ones, in reading order."""
    run: list[GridNode] = []
    for node in sorted(nodes, key=lambda node: node.lft):
        if run and run[-1].rght + 1 != node.lft:
            yield run
            run = []
        run.append(node)
    if run:
        yield run


def hang(block: Block, parent: GridNode) -> Block:
    """Rewrites bounds, depths and parents so that the block stands last below `parent`. Paths and communities are the
    caller's. Both streets are locked; nodes in memory are out of date afterwards. Returns the block where it stands now.

    Args:
        parent: read under the lock; not inside the block.
    """
    if not block.width:
        return block
    top = GridNode.objects.filter(block.nodes, depth=block.depth)
    top.update(parent=parent, version=F("version") + 1)
    deeper = parent.depth + 1 - block.depth
    if block.tree_id != parent.tree_id:
        return _to_other_tree(block, parent, deeper)
    return _within(block, parent, deeper)


def _within(block: Block, parent: GridNode, deeper: int) -> Block:
    """The block changes places with what stands between it and the parent's end."""
    if parent.rght > block.last:
        low, high = block.first, parent.rght - 1
        shift, others = high - block.last, -block.width
    else:
        low, high = parent.rght, block.last
        shift, others = low - block.first, block.width

    def moved(name: str) -> Any:
        inside = Q(**{f"{name}__gte": block.first, f"{name}__lte": block.last})
        between = Q(**{f"{name}__gte": low, f"{name}__lte": high})
        return Case(
            When(inside, then=F(name) + shift),
            When(between, then=F(name) + others),
            default=F(name),
            output_field=_NUMBER,
        )

    touched = GridNode.objects.filter(tree_id=block.tree_id, lft__lte=high, rght__gte=low)
    depth = Case(
        When(lft__gte=block.first, lft__lte=block.last, then=F("depth") + deeper),
        default=F("depth"),
        output_field=_NUMBER,
    )
    touched.update(lft=moved("lft"), rght=moved("rght"), depth=depth)
    return Block(block.tree_id, block.first + shift, block.last + shift, block.depth + deeper)


def _to_other_tree(block: Block, parent: GridNode, deeper: int) -> Block:
    """Room is made there, the block goes over, the gap is closed here."""
    there, here, at = parent.tree_id, block.tree_id, parent.rght
    _shift(there, at - 1, block.width)
    shift = at - block.first
    GridNode.objects.filter(block.nodes).update(
        tree_id=there, lft=F("lft") + shift, rght=F("rght") + shift, depth=F("depth") + deeper
    )
    _shift(here, block.last, -block.width)
    return Block(there, at, at + block.width - 1, block.depth + deeper)


def make_room(parent: GridNode) -> None:
    """Room for one more child behind the last one of `parent`, which is read under the lock."""
    _shift(parent.tree_id, parent.rght - 1, 2)
    parent.rght += 2


def _shift(tree_id: int, after: int, by: int) -> None:
    """Moves every bound of a tree that lies after a number."""

    def moved(name: str) -> Any:
        return Case(When(**{f"{name}__gt": after}, then=F(name) + by), default=F(name), output_field=_NUMBER)

    GridNode.objects.filter(tree_id=tree_id, rght__gt=after).update(lft=moved("lft"), rght=moved("rght"))
