"""When a place goes to another community its open demands go along: their timeline says so, and both sides' counts."""

from typing import Any

from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from core.actors import Actor, kind_of, user_of
from core.text import ellipsis
from grids.models import GridNode
from services.actions.tallies import refresh_cell
from services.models import Demand, DemandEvent

BATCH = 500


def follow_place(actor: Actor, pks: list[int], node: Any, old_id: int, new_id: int) -> None:
    """The follower of open demands (`grids.hanging`), inside the transaction that moves the node.

    Args:
        pks: the demands, whose community column is the new one already.
        node: the place that moved; old_id, new_id: the communities.
    """
    community = GridNode.objects.get(pk=new_id)
    title = _("随“%(place)s”调整，转由%(community)s办理") % {
        "place": ellipsis(node.name, 60),
        "community": ellipsis(community.name, 60),
    }
    events = [
        DemandEvent(demand_id=pk, name="follow_place", title=title, actor=user_of(actor), actor_kind=kind_of(actor))
        for pk in pks
    ]
    DemandEvent.objects.bulk_create(events, batch_size=BATCH)
    # The new community's counts follow from the events; the old one's months must be told.
    months = set()
    for start in range(0, len(pks), BATCH):
        rows = Demand.objects.filter(pk__in=pks[start : start + BATCH]).annotate(month=TruncMonth("registered_at"))
        months |= {moment.date() for moment in rows.order_by().values_list("month", flat=True).distinct()}
    for month in sorted(months):
        refresh_cell(old_id, month)
