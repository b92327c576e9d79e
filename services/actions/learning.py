"""What a county's own demands teach about categories, learned anew each night (`services.suggesting`).

The same demands give the same counts, so a night that ran twice changes nothing. At most `MOST` of the newest are read.
"""

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from core import audit
from core.actors import SYSTEM, Actor
from grids.models import County
from services.models import CategoryLearning, Demand, DemandState
from services.suggesting import Model, learn, text_of

MOST = 20_000
# Every fifth is kept aside for the trial.
KEPT_ASIDE = 5
# Somebody has looked at it, and it was not sent away.
_TAUGHT = (
    DemandState.ACCEPTED,
    DemandState.PUBLISHED,
    DemandState.DISPATCHED,
    DemandState.FINISHED,
    DemandState.CHECKED,
    DemandState.CLOSED_OFF,
)


def learn_categories() -> int:
    """Learns for every county that has accepted demands. Returns how many counties' counts are different now."""
    taught = Demand.objects.filter(county=OuterRef("pk"), state__in=_TAUGHT)
    return sum(learn_county(actor=SYSTEM, county=county) for county in County.objects.filter(Exists(taught)))


def learn_county(*, actor: Actor, county: County) -> bool:
    """Learns from a county's accepted demands in its categories in use; answers whether that changed anything.

    Which demands are kept aside goes by their key, so that the same are tomorrow. What is stored is learned from all of
    them; `tried` and `right` tell how a table learned without those kept aside did on them, counting no answer as wrong.
    """
    rows = Demand.objects.filter(county=county, state__in=_TAUGHT, category__is_active=True).order_by("-pk")
    examples = [
        (pk, category, text_of(title, text))
        for pk, category, title, text in rows.values_list("pk", "category_id", "title", "text")[:MOST].iterator()
    ]
    aside = [one for one in examples if one[0] % KEPT_ASIDE == 0]
    trial = Model(learn((category, text) for pk, category, text in examples if pk % KEPT_ASIDE))
    right = sum(
        bool(found := trial.guesses(text, most=1)) and found[0].category == category for _pk, category, text in aside
    )
    counts = learn((category, text) for _pk, category, text in examples)
    tried = len(aside) if trial.is_ready else 0
    figures = {"examples": len(examples), "tried": tried, "right": right if tried else 0, "counts": counts}
    return _store(actor, county, figures)


@transaction.atomic
def _store(actor: Actor, county: County, figures: dict[str, object]) -> bool:
    row = CategoryLearning.objects.select_for_update(of=("self",)).filter(county=county).first()
    new = row is None
    row = row or CategoryLearning(county=county)
    changes = {
        name: (getattr(row, name), value) for name, value in figures.items() if new or getattr(row, name) != value
    }
    for name, value in figures.items():
        setattr(row, name, value)
    row.learned_at = timezone.now()
    row.save()
    if changes:
        told = {name: pair for name, pair in changes.items() if name != "counts"}
        audit.record(actor=actor, action="category.learn", obj=row, changes=told, label=str(county), new=new)
    return bool(changes)
