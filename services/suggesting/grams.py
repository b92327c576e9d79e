"""Chinese text as a computer can compare it: pairs of neighbouring characters, and the words they come from.

No dictionary: two characters say enough of a short Chinese text, and a village's own names are in no dictionary anyway.
"""

import re
from collections.abc import Collection, Iterator, Mapping

# Runs of Chinese characters; letters and digits keep together as one piece ("4s", "120").
_RUNS = re.compile(r"[\u4e00-\u9fff]+|[a-z0-9]+")
MOST_CHARACTERS = 1000


def _pieces(text: str) -> Iterator[str]:
    """The pairs in the order they stand."""
    for run in _RUNS.findall(text[:MOST_CHARACTERS].casefold()):
        if run[0] < "\u4e00":
            if not run.isdigit():
                yield run
        else:
            yield from (run[at : at + 2] for at in range(len(run) - 1))


def grams(text: str) -> set[str]:
    """The different pairs of neighbouring characters of a text; numbers are left out, they say which and not what."""
    return set(_pieces(text))


def words_behind(text: str, weights: Mapping[str, float], *, most: int = 3, longest: int = 6) -> list[str]:
    """The stretches of a text that weigh most: neighbouring pairs joined to the words they were cut from.

    Args:
        weights: of pairs; those that are not in it end a stretch.
        most: how many. longest: characters of one; beyond, the heaviest part of it.
    """
    found: dict[str, float] = {}
    for run in _RUNS.findall(text[:MOST_CHARACTERS].casefold()):
        for stretch in _stretches(run, weights.keys()):
            word = _heaviest(stretch, weights, longest)
            found[word] = max(found.get(word, 0.0), _weight(word, weights))
    best = sorted(found, key=lambda word: (-found[word], word))
    kept: list[str] = []
    for word in best:
        if not any(word in other or other in word for other in kept):
            kept.append(word)
    return kept[:most]


def _stretches(run: str, known: Collection[str]) -> Iterator[str]:
    if run[0] < "\u4e00":
        if run in known:
            yield run
        return
    start: int | None = None
    for at in range(len(run)):
        inside = run[at : at + 2] in known and at + 2 <= len(run)
        if inside and start is None:
            start = at
        elif not inside and start is not None:
            yield run[start : at + 1]
            start = None


def _heaviest(stretch: str, weights: Mapping[str, float], longest: int) -> str:
    if len(stretch) <= longest or stretch[0] < "\u4e00":
        return stretch
    windows = [stretch[at : at + longest] for at in range(len(stretch) - longest + 1)]
    return max(windows, key=lambda window: _weight(window, weights))


def _weight(word: str, weights: Mapping[str, float]) -> float:
    if word in weights:
        return weights[word]
    return sum(weights.get(word[at : at + 2], 0.0) for at in range(len(word) - 1))
