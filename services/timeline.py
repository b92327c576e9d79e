"""What this floor tells of a place's past (`grids.timeline`): the demands raised there and closed off. By category alone:
a title is what a resident wrote, and may name somebody.
"""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import audit, policies
from core.models import AuditEntry
from grids import timeline
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.timeline import Entry
from services import posts
from services.actions.desk_effects import TRACE
from services.models import Demand, DemandState


def register() -> None:
    """Called once from `apps.py`."""
    timeline.register("demands", _demands)
    timeline.register("transfers", _given_away)


def _demands(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    inside = Demand.objects.visible_to(user).filter(in_subtree(node, "node", community="community"))
    rows = inside.select_related("category", "node", "lead_unit").defer("text", "title")
    for demand in rows.order_by("-registered_at", "-id")[:limit]:
        yield _entry(demand, node, demand.registered_at, _("登记需求：%(category)s"))
    closed = rows.filter(state=DemandState.CLOSED_OFF, closed_at__isnull=False)
    for demand in closed.order_by("-closed_at", "-id")[:limit]:
        yield _entry(demand, node, demand.closed_at, _("需求销号：%(category)s"))


def _given_away(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """What a community gave to another one: it no longer sees the demand, and still knows that it was here."""
    if node.community_id != node.pk or not policies.can(user, posts.TRANSFER_DEMAND, node):
        return
    rows = AuditEntry.objects.filter(chain=audit.chain_of(node), action=TRACE).select_related("actor")
    for row in rows.order_by("-position")[:limit]:
        who = row.actor.name if row.actor else ""
        yield Entry(
            at=row.at, title=_("移交需求：%(where)s") % {"where": row.label}, text=row.reason, who=who, kind=_("需求")
        )


def _entry(demand: Demand, node: GridNode, at: Any, words: str) -> Entry:
    lines = [demand.code, "" if demand.node_id == node.pk else demand.node.path]
    return Entry(
        at=at,
        title=words % {"category": demand.category.name},
        text="\n".join(line for line in lines if line),
        who=demand.lead_unit.label if demand.lead_unit else "",
        kind=_("需求"),
        link=reverse("admin:services_demand_change", args=[demand.pk]),
    )
