"""How alike texts are: the weight of the pairs of characters they share, rare ones weighing more, against what both weigh.

Sparse matrices of one community's recent demands: two thousand texts against two thousand take seconds, not minutes.
"""

import math
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import numpy as np
from scipy import sparse

from services.suggesting.grams import grams

# Among a handful of texts nothing is rare yet: as if so many more had been read.
FEW = 50


class Corpus:
    """Texts made ready to be compared.

    Args:
        texts: all that are compared, in the order by which they are asked for. How rare a pair is, is counted in them.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        pieces = [grams(text) for text in texts]
        often = Counter(chain.from_iterable(pieces))
        self.weights = {gram: math.log(1 + (len(texts) + FEW) / count) for gram, count in often.items()}
        column = {gram: number for number, gram in enumerate(sorted(often))}
        ends = np.cumsum([0, *(len(some) for some in pieces)])
        columns = np.fromiter((column[gram] for some in pieces for gram in some), np.int32, int(ends[-1]))
        values = np.fromiter(
            (math.sqrt(self.weights[gram]) for some in pieces for gram in some), np.float64, int(ends[-1])
        )
        self.pieces = pieces
        rows = sparse.csr_matrix((values, columns, ends), shape=(len(texts), len(column)))
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        lengths[lengths == 0] = 1
        self._rows = sparse.diags(1 / lengths) @ rows

    def nearest(self, asked: Sequence[int], among: Sequence[int], *, least: float) -> list[list[tuple[int, float]]]:
        """For each text that is asked about, those among others that are at least so alike (0 to 1), with how much."""
        if not asked or not among:
            return [[] for _one in asked]
        found = (self._rows[list(asked)] @ self._rows[list(among)].T).tocsr()
        answer: list[list[tuple[int, float]]] = []
        for row in range(len(asked)):
            start, end = found.indptr[row], found.indptr[row + 1]
            pairs = zip(found.indices[start:end], found.data[start:end], strict=True)
            answer.append(
                [(among[at], float(value)) for at, value in pairs if value >= least and among[at] != asked[row]]
            )
        return answer

    def shared(self, one: int, other: int) -> dict[str, float]:
        """The pairs two texts share, with their weights."""
        return {gram: self.weights[gram] for gram in self.pieces[one] & self.pieces[other]}
