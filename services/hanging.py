"""What of this floor hangs on the nodes of the tree (`grids.hanging`) and is in the hands of units (`partybuilding.duties`)."""

import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from grids import hanging
from grids.querysets import current
from partybuilding import duties
from partybuilding.models import Unit
from services.actions.following import follow_place
from services.clocks import limits_of
from services.models import Demand, SubOrder, SubOrderState, UnitCheckIn
from services.models.demand import OPEN_STATES


def register() -> None:
    """Called once from `apps.py`."""
    hanging.register(
        Demand,
        label=_("未销号的需求"),
        community="community",
        open=lambda: Q(state__in=[str(state) for state in OPEN_STATES]),
        follower=follow_place,
    )
    hanging.register(UnitCheckIn, label=_("未结束的单位报到"), open=current)
    duties.register("suborder", label=_("没有了结的派单"), rows=_in_hand)


def _in_hand(unit: Unit) -> Any:
    """Orders a unit still has to do with: running, finished but not closed off, or closed off and still reopenable.

    A redo or a reopening puts an order in service again; at a unit that is closed nobody could act on it.
    """
    reopenable = timezone.now() - datetime.timedelta(days=limits_of(unit.county_id).reopen_days)
    unfinished = Q(demand__state__in=[str(state) for state in OPEN_STATES]) | Q(demand__closed_at__gte=reopenable)
    kept = SubOrder.objects.filter(unit=unit).exclude(state=SubOrderState.RETURNED)
    return kept.filter(unfinished | Q(pk__in=SubOrder.objects.running().filter(unit=unit)))
