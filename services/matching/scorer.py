"""How well each resource suits each demand: whole points from the table in `weights`, and why, in words."""

import datetime
import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.periods import date_words
from services.matching import weights
from services.matching.features import Need, Offer, Reach, grams

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Rows of a list this short would make every word look common: as if so many more, without the word, had been read.
_ELSEWHERE = 100
_SHOWN_WORDS = 3
_PLACE_POINTS = {
    Reach.NEAR: weights.PLACE_NEAR,
    Reach.COMMUNITY: weights.PLACE_COMMUNITY,
    Reach.STREET: weights.PLACE_STREET,
}


class Miss(StrEnum):
    """Why nothing is proposed for a demand, the first that holds."""

    OUT_OF_AREA = "out_of_area"
    NO_CATEGORY = "no_category"
    NOTHING_LEFT = "nothing_left"
    REFUSED = "refused"
    WEAK = "weak"
    TAKEN = "taken"


MISS_WORDS = {
    Miss.OUT_OF_AREA: lazy("没有能用到这里的资源"),
    Miss.NO_CATEGORY: lazy("没有这个类别的资源"),
    Miss.NOTHING_LEFT: lazy("同类资源已经用完或不在可用期"),
    Miss.REFUSED: lazy("合适的资源以前推荐过，没有采纳"),
    Miss.WEAK: lazy("有同类资源，但都不够合适"),
    Miss.TAKEN: lazy("合适的资源这一次给了更合适的需求"),
}


@dataclass(frozen=True)
class Scores:
    """A run held together: a row for each demand, a column for each resource.

    Attributes:
        total: points; 0 where the two may not or should not be brought together.
        reached: the resource may be used at the demand's place.
        alike: it is of the demand's category, or of none.
        usable: something of it is left, on a day that serves.
        refused: somebody turned the pair down before.
    """

    needs: Sequence[Need]
    offers: Sequence[Offer]
    rarity: Mapping[str, float]
    total: "NDArray[Any]"
    reached: "NDArray[Any]"
    alike: "NDArray[Any]"
    usable: "NDArray[Any]"
    refused: "NDArray[Any]"

    def miss(self, row: int) -> Miss:
        """Why a demand that was given nothing got nothing."""
        reached, alike, usable = self.reached[row], self.alike[row], self.usable[row]
        if not reached.any():
            return Miss.OUT_OF_AREA
        if self.total[row].any():
            return Miss.TAKEN
        if (reached & usable & self.refused[row]).any():
            return Miss.REFUSED
        if not (reached & alike).any():
            return Miss.NO_CATEGORY
        return Miss.WEAK if (reached & alike & usable).any() else Miss.NOTHING_LEFT

    def reasons(self, row: int, column: int) -> list[str]:
        """Why the two suit one another, in short sentences, the weightiest first."""
        need, offer = self.needs[row], self.offers[column]
        found = (
            [_("类别相同：%(category)s") % {"category": need.category_name}] if need.category == offer.category else []
        )
        if words := self._shared_words(need, offer):
            found.append(_("文字相近：%(words)s") % {"words": "、".join(words)})
        return [*found, _place_words(offer), _when_words(need, offer), *_unit_words(offer)]

    def _shared_words(self, need: Need, offer: Offer) -> list[str]:
        """The rarest stretches of the resource's words that the demand uses as well."""
        asked = grams(need.title) | grams(need.text)
        runs: dict[str, float] = {}
        for text in (offer.name, offer.text):
            run, weight = "", 0.0
            for at in range(len(text)):
                word = text[at : at + 2]
                if word in asked and word in self.rarity:
                    run = run + word[1] if run else word
                    weight += self.rarity[word]
                elif run:
                    runs[run], run, weight = weight, "", 0.0
        shown: list[str] = []
        for run in sorted(runs, key=lambda run: (-runs[run], run)):
            if not any(run in other for other in shown):
                shown.append(run)
        return shown[:_SHOWN_WORDS]


def score(
    needs: Sequence[Need],
    offers: Sequence[Offer],
    today: datetime.date,
    refused: Collection[tuple[int, int]] = (),
) -> Scores:
    """Holds every demand beside every resource.

    Args:
        refused: (demand, resource) that somebody turned down before; not proposed again.
    """
    # The numeric packages cost each process seconds and memory; only who matches pays.
    import numpy as np

    def column(values: Any) -> "NDArray[Any]":
        return np.array(list(values), dtype=np.int64)[None, :]

    def row(values: Any) -> "NDArray[Any]":
        return np.array(list(values), dtype=np.int64)[:, None]

    rarity, words = _word_points(needs, offers)
    wanted, given = row(need.category for need in needs), column(offer.category or 0 for offer in offers)
    same, unnamed = wanted == given, given == 0
    due = row(max(need.due, today).toordinal() for need in needs)
    start = column(offer.start.toordinal() for offer in offers)
    end = column((offer.end or datetime.date.max).toordinal() for offer in offers)
    at = row(need.at for need in needs)
    reached = row(need.tree for need in needs) == column(offer.tree for offer in offers)
    reached &= (column(offer.first for offer in offers) <= at) & (at <= column(offer.last for offer in offers))
    usable = (start <= due) & (end >= today.toordinal()) & (column(offer.capacity for offer in offers) > 0)
    points = (
        words
        + np.where(same, weights.CATEGORY.most, 0)
        + np.where(unnamed, weights.CATEGORY_OPEN, 0)
        + np.where((start <= today.toordinal()) & (end >= due), weights.WHEN.most, weights.WHEN_PART)
        + column(_PLACE_POINTS[offer.reach] + load_points(offer) + kept_points(offer) for offer in offers)
    )
    turned_down = np.zeros(points.shape, dtype=bool)
    rows = {need.key: at for at, need in enumerate(needs)}
    columns = {offer.key: at for at, offer in enumerate(offers)}
    for need_key, offer_key in refused:
        if need_key in rows and offer_key in columns:
            turned_down[rows[need_key], columns[offer_key]] = True
    good = (points >= weights.FLOOR) & (words >= weights.WORDS_LEAST)
    allowed = reached & usable & ~turned_down & good
    total = np.where(allowed, points, 0)
    turned_down &= good
    return Scores(needs, offers, rarity, total, reached, same | unnamed, usable, turned_down)


def load_points(offer: Offer) -> int:
    if offer.load is None:
        return weights.LOAD_OWN
    return max(weights.LOAD.most - weights.LOAD_STEP * offer.load, 0)


def kept_points(offer: Offer) -> int:
    """The share of promises kept, as if one more had been kept and one more missed: few promises prove little."""
    share, most = offer.due + 2, weights.KEPT.most
    return (2 * most * (offer.kept + 1) + share) // (2 * share)


def _word_points(needs: Sequence[Need], offers: Sequence[Offer]) -> tuple[dict[str, float], "NDArray[Any]"]:
    """How rare each word is that both sides use, and the points for what the words of each pair have in common."""
    import numpy as np

    titles = [grams(need.title) for need in needs]
    texts = [grams(need.text) for need in needs]
    given = [grams(f"{offer.name}。{offer.text}") for offer in offers]
    asked = [title | words for title, words in zip(titles, texts, strict=True)]
    seen = Counter(word for words in (*asked, *given) for word in words)
    # In a fixed order, so that sums come out the same whatever order a set has.
    shared = sorted(set().union(*asked) & set().union(*given))
    everything = len(needs) + len(offers) + _ELSEWHERE
    rarity = {word: weights.WORD_LEAST + math.log(everything / (seen[word] + 1)) for word in shared}
    places = {word: at for at, word in enumerate(shared)}
    said = _table(titles, places, [weights.TITLE_TIMES] * len(titles))
    # What the title says already is not counted again.
    said += _table([text - title for text, title in zip(texts, titles, strict=True)], places, list(map(_weight, texts)))
    rare = np.array([rarity[word] for word in shared])
    evidence = np.asarray((said @ (_table(given, places, [1.0] * len(given)) * rare).T).todense())
    return rarity, np.rint(weights.WORDS.most * (1 - np.exp(-evidence / weights.WORDS_SCALE))).astype(np.int64)


def _weight(words: Collection[str]) -> float:
    """What one word of a text counts: in a long one some word is met by chance."""
    return min(1.0, math.sqrt(weights.TEXT_FULL / max(len(words), 1)))


def _table(rows: Sequence[Collection[str]], places: Mapping[str, int], values: Sequence[float]) -> Any:
    """A sparse matrix with a row's value where a word stands in the row."""
    import numpy as np
    from scipy.sparse import csr_array

    columns = [sorted(places[word] for word in words if word in places) for words in rows]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.array([at for row in columns for at in row], dtype=np.int64)
    data = np.repeat(np.array(values, dtype=float), list(map(len, columns)))
    return csr_array((data, flat, ends), shape=(len(rows), len(places)))


# --- In words -------------------------------------------------------------------------------------------------------


def _place_words(offer: Offer) -> str:
    if offer.reach is Reach.STREET:
        return _("%(place)s内都可以用") % {"place": offer.place}
    return _("同在%(place)s") % {"place": offer.place}


def _when_words(need: Need, offer: Offer) -> str:
    if offer.end is not None and offer.end < need.due:
        when = _("可用到%(day)s，要抓紧") % {"day": date_words(offer.end)}
    else:
        when = _("办理期限内可用")
    return _("%(when)s，还有 %(left)d %(measure)s") % {"when": when, "left": offer.left, "measure": offer.measure}


def _unit_words(offer: Offer) -> list[str]:
    if offer.load is None:
        return [_("社区自己的资源")]
    load = _("目前手上 %(count)d 件在办") % {"count": offer.load} if offer.load else _("目前手上没有在办的事")
    if not offer.due:
        return [load]
    return [load, _("近一年承诺 %(due)d 项按时完成 %(kept)d 项") % {"due": offer.due, "kept": offer.kept}]
