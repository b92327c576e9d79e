"""What of this floor hangs on the nodes of the tree (`grids.hanging`) and is in the hands of units (`partybuilding.duties`)."""

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from grids import hanging
from grids.querysets import current
from partybuilding import duties
from services.actions.following import follow_place
from services.models import Demand, SubOrder, UnitCheckIn
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
    duties.register("suborder", label=_("在办的派单"), rows=lambda unit: SubOrder.objects.running().filter(unit=unit))
