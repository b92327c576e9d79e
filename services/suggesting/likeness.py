"""How alike texts are: the weight of the pairs of characters they share, rare ones weighing more, against what both weigh.

Sparse matrices of one community's recent demands: two thousand texts against two thousand take seconds, not minutes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cached_property
from itertools import chain

import numpy as np
from scipy import sparse

from services.suggesting.grams import grams

# Among a handful of texts nothing is rare yet: as if so many more had been read.
FEW = 50
# So many are compared one by one: to build the matrix of all the others would take longer.
A_FEW = 8


class Corpus:
    """Texts made ready to be compared.

    Args:
        texts: all that are compared, in the order by which they are asked for. How rare a pair is, is counted in them.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self.pieces = [grams(text) for text in texts]
        often = Counter(chain.from_iterable(self.pieces))
        self.weights = {gram: math.log(1 + (len(texts) + FEW) / count) for gram, count in often.items()}
        self._lengths = [math.sqrt(self._weight(some)) or 1.0 for some in self.pieces]

    def nearest(self, asked: Sequence[int], among: Sequence[int], *, least: float) -> list[list[tuple[int, float]]]:
        """For each text that is asked about, those among others that are at least so alike (0 to 1), with how much."""
        if not asked or not among:
            return [[] for _one in asked]
        if len(asked) <= A_FEW:
            return [self._near(one, among, least) for one in asked]
        found = (self._rows[list(asked)] @ self._rows[list(among)].T).tocsr()
        answer: list[list[tuple[int, float]]] = []
        for row in range(len(asked)):
            start, end = found.indptr[row], found.indptr[row + 1]
            pairs = zip(found.indices[start:end], found.data[start:end], strict=True)
            near = sorted((among[at], float(value)) for at, value in pairs if value >= least)
            answer.append([pair for pair in near if pair[0] != asked[row]])
        return answer

    def _near(self, one: int, among: Sequence[int], least: float) -> list[tuple[int, float]]:
        """The same for one text, without a matrix of all the others."""
        mine, length = self.pieces[one], self._lengths[one]
        alike = ((at, self._weight(mine & self.pieces[at]) / (length * self._lengths[at])) for at in among if at != one)
        return sorted((at, value) for at, value in alike if value >= least)

    def _weight(self, some: Iterable[str]) -> float:
        return sum(self.weights[gram] for gram in some)

    @cached_property
    def _rows(self) -> sparse.csr_matrix:
        column = {gram: number for number, gram in enumerate(self.weights)}
        ends = np.cumsum([0, *(len(some) for some in self.pieces)])
        columns = np.fromiter((column[gram] for some in self.pieces for gram in some), np.int32, int(ends[-1]))
        values = np.fromiter(
            (math.sqrt(self.weights[gram]) for some in self.pieces for gram in some), np.float64, int(ends[-1])
        )
        rows = sparse.csr_matrix((values, columns, ends), shape=(len(self.pieces), len(column)))
        return sparse.diags(1 / np.asarray(self._lengths)) @ rows

    def shared(self, one: int, other: int) -> dict[str, float]:
        """The pairs two texts share, with their weights."""
        return {gram: self.weights[gram] for gram in self.pieces[one] & self.pieces[other]}
