"""Which category a text is likely of, learned by counting: naive Bayes over pairs of characters.

Small, local, and it can say why: each pair of characters speaks for a category as far as it stands more often there than
elsewhere. No model to download, nothing leaves the portal.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from services.suggesting.grams import grams, words_behind

# Pairs kept by a county: those in most texts. More than this makes nothing better and the row bigger.
VOCABULARY = 6000
# A category nobody has used a few times can not be told from chance.
FEWEST = 5
CAUTION = 8
# Counting takes words for independent witnesses and is too sure of itself by about this much.
MODESTY = 2.5
# A text of which less than this share was ever seen is of another world: what is found in it is found by chance. Of texts
# like those learned from, one in fifty has less; of strange ones, one in fifty has as much (715 requests of a real desk).
FAMILIAR = 0.35
# Under the name of no pair of characters: how many texts of the category were learned from.
TEXTS = ""

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Guess:
    """A category, how sure (0 to 1, of all categories together), and the words of the text that speak for it."""

    category: int
    share: float
    words: list[str]


def learn(examples: Iterable[tuple[int, str]]) -> Counts:
    """Counts of texts by category and pair of characters, from (category id, text). The same texts give the same counts,
    in whatever order they come."""
    texts: Counter[int] = Counter()
    seen: dict[int, Counter[str]] = {}
    for category, text in examples:
        texts[category] += 1
        seen.setdefault(category, Counter()).update(grams(text))
    kept = [category for category in sorted(texts) if texts[category] >= FEWEST]
    total: Counter[str] = Counter()
    for category in kept:
        total.update(seen[category])
    # A pair that stood in one text alone says nothing about the next one.
    common = sorted((gram for gram in total if total[gram] > 1), key=lambda gram: (-total[gram], gram))
    vocabulary = set(common[:VOCABULARY])
    return {
        str(category): {
            TEXTS: texts[category],
            **{gram: count for gram, count in sorted(seen[category].items()) if gram in vocabulary},
        }
        for category in kept
    }


class Model:
    """Counts made ready to be asked.

    Args:
        counts: from `learn`.
        only: categories that may be answered; all learned ones when not given.
    """

    def __init__(self, counts: Mapping[str, Mapping[str, int]], only: Iterable[int] | None = None) -> None:
        wanted = None if only is None else {str(pk) for pk in only}
        self.counts = {int(key): rows for key, rows in counts.items() if wanted is None or key in wanted}

    @property
    def is_ready(self) -> bool:
        """Whether there are two categories to choose between."""
        return len(self.counts) > 1

    @cached_property
    def _vocabulary(self) -> set[str]:
        return {gram for rows in self.counts.values() for gram in rows} - {TEXTS}

    @cached_property
    def _weights(self) -> dict[int, dict[str, float]]:
        """How far a pair that stands in a text of the category outweighs one that stands in all texts alike, as a logarithm.

        Shares are drawn towards the pair's share of all texts, as if `CAUTION` more of them had been read: what was seen
        once in a category of six texts is no evidence yet.
        """
        everything = self._texts
        total: Counter[str] = Counter()
        for rows in self.counts.values():
            total.update(rows)
        usual = {gram: total[gram] / everything for gram in self._vocabulary}
        found: dict[int, dict[str, float]] = {}
        for category, rows in self.counts.items():
            known, others = rows[TEXTS] + CAUTION, everything - rows[TEXTS] + CAUTION
            found[category] = {
                gram: math.log(
                    ((rows.get(gram, 0) + CAUTION * share) / known)
                    / ((total[gram] - rows.get(gram, 0) + CAUTION * share) / others)
                )
                for gram, share in usual.items()
            }
        return found

    @cached_property
    def _texts(self) -> int:
        return sum(rows[TEXTS] for rows in self.counts.values())

    def guesses(self, text: str, *, most: int = 3) -> list[Guess]:
        """The likeliest categories, the best first; none where too little of the text was ever seen."""
        written = grams(text)
        known = written & self._vocabulary
        if not known or len(known) < FAMILIAR * len(written) or not self.is_ready:
            return []
        scores: dict[int, float] = {}
        for category, rows in self.counts.items():
            weights = self._weights[category]
            evidence = sum(weights[gram] for gram in known)
            # Neighbouring pairs repeat one another: ten pairs are not ten witnesses.
            scores[category] = evidence / math.sqrt(len(known)) + math.log(rows[TEXTS] / self._texts)
        shares = _shares(scores)
        best: Sequence[int] = sorted(scores, key=lambda category: (-scores[category], category))[:most]
        return [Guess(category, shares[category], self._words(text, known, category)) for category in best]

    def _words(self, text: str, known: Iterable[str], category: int) -> list[str]:
        weights = self._weights[category]
        return words_behind(text, {gram: weights[gram] for gram in known if weights[gram] > 0.7})


def _shares(scores: Mapping[int, float]) -> dict[int, float]:
    highest = max(scores.values())
    parts = {category: math.exp((score - highest) / MODESTY) for category, score in scores.items()}
    total = sum(parts.values())
    return {category: part / total for category, part in parts.items()}
