"""The choice for a whole list at once: which resource for which demand, so that the points together are the most.

An assignment with capacities: a demand gets one resource at the most, a resource serves as many demands as it has places
for. Each place becomes a column of its own, and scipy's assignment solver finds the best choice exactly
(docs/decisions/0023-matching-is-an-assignment.md). The same input gives the same answer.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

Choice = list[tuple[int, int]]


def assign(scores: "NDArray[Any]", capacities: Sequence[int]) -> Choice:
    """The choice with the most points.

    Args:
        scores: whole points, a row for each demand and a column for each resource; 0 where they do not go together.
        capacities: how many demands each resource serves at the most.

    Returns (row, column) pairs in the order of the rows.
    """
    # See `scorer.score`: only who matches pays for the import.
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    rows = np.flatnonzero((scores > 0).any(axis=1))
    # More places than there are demands are never filled.
    places = np.minimum(np.array(capacities, dtype=np.int64), (scores > 0).sum(axis=0))
    columns = np.repeat(np.arange(scores.shape[1]), places)
    offered = scores[np.ix_(rows, columns)]
    # A pair of 0 points stands for "no resource": every demand may go without.
    chosen = zip(*linear_sum_assignment(offered, maximize=True), strict=True)
    return [(int(rows[row]), int(columns[column])) for row, column in chosen if offered[row, column] > 0]


def greedy(scores: "NDArray[Any]", capacities: Sequence[int]) -> Choice:
    """What comes of going down the list, each demand taking the best resource that is left: how it is done by hand."""
    left = list(capacities)
    found: Choice = []
    for row, line in enumerate(scores.tolist()):
        best = max((column for column in range(len(left)) if left[column] > 0), key=lambda at: line[at], default=None)
        if best is not None and line[best] > 0:
            found.append((row, best))
            left[best] -= 1
    return found


def total(scores: "NDArray[Any]", choice: Choice) -> int:
    return sum(int(scores[row, column]) for row, column in choice)
