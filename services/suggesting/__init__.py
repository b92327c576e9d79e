"""Which category a text is likely of, by what the county's own demands taught (docs/decisions/0029-routing-rules.md).

`suggest` answers from the counts that `services.actions.learning` keeps; nothing is said when unsure or untaught.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.models import Category, CategoryLearning
from services.suggesting.bayes import Model, learn

__all__ = ["SURE", "Model", "Suggestion", "learn", "suggest", "text_of"]

# The first suggestion must have at least this share of all; others are shown beside it from `WORTH` on.
SURE, WORTH = 0.6, 0.15
# Fewer examples than this teach nothing that should be said aloud.
FEWEST_EXAMPLES = 30
_kept: dict[int, tuple[datetime, frozenset[int], Model]] = {}


@dataclass(frozen=True)
class Suggestion:
    """A category a text is likely of: its share (0 to 1) against all others, and the words that speak for it."""

    category_id: int
    share: float
    words: list[str]


def text_of(title: str, text: str) -> str:
    """What of a demand is looked at."""
    return f"{title}\n{text}"


def suggest(county_id: int, texts: Sequence[str]) -> list[list[Suggestion]]:
    """For each text the likely categories in use, the likeliest first; empty when unsure or when nothing was taught.

    Two statements, and a third when the county has learned something since this process last asked.
    """
    model = _model(county_id) if texts else None
    if model is None:
        return [[] for _text in texts]
    return [_of(model, text) for text in texts]


def _of(model: Model, text: str) -> list[Suggestion]:
    found = model.guesses(text)
    if not found or found[0].share < SURE or not found[0].words:
        return []
    return [Suggestion(one.category, one.share, one.words) for one in found if one.share >= WORTH]


def _model(county_id: int) -> Model | None:
    rows = CategoryLearning.objects.filter(county_id=county_id, examples__gte=FEWEST_EXAMPLES)
    learned_at = rows.values_list("learned_at", flat=True).first()
    if learned_at is None:
        return None
    active = frozenset(Category.objects.filter(county_id=county_id, is_active=True).values_list("pk", flat=True))
    kept = _kept.get(county_id)
    if kept is None or kept[:2] != (learned_at, active):
        counts = rows.values_list("counts", flat=True).first() or {}
        kept = _kept[county_id] = (learned_at, active, Model(counts, only=active))
    return kept[2] if kept[2].is_ready else None
