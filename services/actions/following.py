"""When a place goes to another community its open demands go along: their timeline says so, and both sides' counts."""

from collections.abc import Mapping

from django.db.models.functions import TruncMonth
from django.utils.translation import gettext as _

from core.actors import kind_of, user_of
from core.text import ellipsis
from grids.hanging import Passage
from grids.models import GridNode
from services.actions.tallies import refresh_cell
from services.models import Demand, DemandEvent

BATCH = 500


def follow_place(passage: Passage, went: Mapping[int, int]) -> None:
    """The follower of open demands (`grids.hanging`): a line in each timeline, and the old community's counts.

    Args:
        went: the demands, whose place and community are the new ones already.
    """
    title, actor, pks = _title(passage), passage.actor, list(went)
    events = [
        DemandEvent(demand_id=pk, name="follow_place", title=title, actor=user_of(actor), actor_kind=kind_of(actor))
        for pk in pks
    ]
    DemandEvent.objects.bulk_create(events, batch_size=BATCH)
    if passage.old_community == passage.new_community or passage.old_community is None:
        return
    # The new community's counts follow from the events; the old one's months must be told.
    months = set()
    for start in range(0, len(pks), BATCH):
        rows = Demand.objects.filter(pk__in=pks[start : start + BATCH]).annotate(month=TruncMonth("registered_at"))
        months |= {moment.date() for moment in rows.order_by().values_list("month", flat=True).distinct()}
    for month in sorted(months):
        refresh_cell(passage.old_community, month)


def _title(passage: Passage) -> str:
    words = {"place": ellipsis(passage.node.name, 40), "deed": passage.deed}
    if passage.old_community != passage.new_community:
        words["community"] = ellipsis(GridNode.objects.get(pk=passage.new_community).name, 40)
    if passage.successor is None:
        return _("随“%(place)s”%(deed)s，转由%(community)s办理") % words
    words["successor"] = ellipsis(passage.successor.name, 40)
    if "community" in words:
        return _("随“%(place)s”%(deed)s，转到“%(successor)s”，由%(community)s办理") % words
    return _("随“%(place)s”%(deed)s，转到“%(successor)s”") % words
