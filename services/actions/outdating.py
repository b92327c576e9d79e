"""Proposals that do not hold any more: a later run, a demand taken up or gone elsewhere, a month without a decision."""

from collections.abc import Collection

from django.db import transaction
from django.db.models import Q, QuerySet

from core import audit
from core.actors import SYSTEM
from services.models import Demand, MatchProposal, ProposalState
from services.workflow import PROPOSAL

BATCH = 500


@transaction.atomic
def outdate(proposals: QuerySet[MatchProposal]) -> int:
    """Moves those of the proposals that are still open to 已失效, in the system's name; how many."""
    rows = proposals.filter(state=ProposalState.PROPOSED).select_related("run", "demand").order_by("pk")
    open_rows = list(rows.select_for_update(of=("self",)))
    for row in open_rows:
        PROPOSAL.check(row, "outdate", actor=SYSTEM)
        row.state, row.version = ProposalState.OUTDATED, row.version + 1
    MatchProposal.objects.bulk_update(open_rows, ["state", "version"], batch_size=BATCH)
    changes = {"state": (ProposalState.PROPOSED, ProposalState.OUTDATED)}
    deeds = [audit.Deed(row, changes, label=row.demand.code) for row in open_rows]
    audit.record_many(actor=SYSTEM, action=f"{PROPOSAL.name}.outdate", deeds=deeds)
    return len(open_rows)


def outdate_for(demands: Collection[Demand]) -> None:
    """The open proposals for demands that are somebody else's now. Hold them before the demands (`hold_proposals`)."""
    outdate(MatchProposal.objects.filter(demand__in=[demand.pk for demand in demands]))


def hold_proposals(demand: Demand) -> None:
    """Locks the open proposals for a demand and what is linked to it: before the demand itself, as whoever takes one up."""
    open_rows = MatchProposal.objects.filter(Q(demand=demand.pk) | Q(demand__linked_to=demand.pk))
    locked = open_rows.filter(state=ProposalState.PROPOSED).select_for_update(of=("self",)).order_by("pk")
    list(locked.values_list("pk", flat=True))
