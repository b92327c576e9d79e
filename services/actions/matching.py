"""Demands and resources brought together: a run makes proposals, people take them up or turn them down.

Locks, in this order: streets of the places, proposals, demands, resources; each in id order. Source: docs/domain.md#g2.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid, NotFound
from core.moving import advance
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.locks import lock_nodes
from grids.actions.permission import require
from grids.models import GridNode
from grids.naming import COMMUNITY
from services import posts
from services.actions.outdating import BATCH, outdate
from services.actions.projects import NewProject, draft_projects
from services.matching import scorer, solver
from services.models import (
    Demand,
    MatchProposal,
    MatchRun,
    Project,
    ProposalState,
    Resource,
    ResourceKind,
    ResourceState,
)
from services.selectors.matching import Material, gather, matchable
from services.selectors.resources import left_of
from services.workflow import PROPOSAL

LEVELS = ("street", COMMUNITY)
MOST_AT_ONCE = 200
# After so long nobody remembers what the figures of a proposal meant; a new run takes a second.
KEPT_DAYS = 30


# --- A run ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Outcome:
    """What a run found. `pairs`: demand, resource, points, reasons; `missed`: why -> demands."""

    pairs: list[tuple[int, int, int, list[str]]]
    missed: dict[str, list[int]]
    score: int
    greedy_score: int


def run_match(*, actor: Actor, node: GridNode) -> MatchRun:
    """Proposes which resources meet which waiting demands of a community or a street, all at once.

    The open proposals of earlier runs of the same place go out of date. Reading and choosing need no lock: what changed
    meanwhile is found when a proposal is taken up.

    Raises:
        NotFound, Forbidden: no `match.run` at the place.
        Invalid: it is neither street nor community, retired, or has nothing to match.
    """
    require(actor, posts.RUN_MATCH, node)
    if node.level_type.key not in LEVELS:
        message = _("供需匹配按社区或街道进行；“%(place)s”是%(level)s。") % {
            "place": node.name,
            "level": node.level_type.name,
        }
        raise Invalid(message, fields={"node": message})
    material = gather(node)
    if not material.needs:
        message = _("“%(place)s”没有已受理、还没有派单的需求，不用匹配。") % {"place": node.name}
        raise Invalid(message, code="nothing_to_match", fields={"node": message})
    if not material.offers:
        message = _("“%(place)s”没有可用的资源，请先在资源清单里登记，核实后再匹配。") % {"place": node.name}
        raise Invalid(message, code="nothing_to_match", fields={"node": message})
    return _store(actor, node, material, _choose(material))


def _choose(material: Material) -> _Outcome:
    scores = scorer.score(material.needs, material.offers, timezone.localdate(), material.refused)
    capacities = [offer.capacity for offer in material.offers]
    choice = solver.assign(scores.total, capacities)
    pairs = [
        (
            material.needs[row].key,
            material.offers[column].key,
            int(scores.total[row, column]),
            scores.reasons(row, column),
        )
        for row, column in choice
    ]
    missed: dict[str, list[int]] = {}
    met = {row for row, _column in choice}
    for row, need in enumerate(material.needs):
        if row not in met:
            missed.setdefault(str(scores.miss(row)), []).append(need.key)
    by_hand = solver.total(scores.total, solver.greedy(scores.total, capacities))
    return _Outcome(pairs, missed, solver.total(scores.total, choice), by_hand)


@transaction.atomic
def _store(actor: Actor, node: GridNode, material: Material, found: _Outcome) -> MatchRun:
    # One run at a time for a street, so that each puts the one before it out of date.
    (node,) = lock_nodes(node)
    if node.is_retired:
        raise Invalid(_("“%(place)s”已撤销，请选择其他地点。") % {"place": node.path}, fields={"node": _("已撤销。")})
    require(actor, posts.RUN_MATCH, node)
    outdate(MatchProposal.objects.filter(run__node=node))
    run = MatchRun.objects.create(
        county_id=node.county_id,
        node=node,
        by=user_of(actor),
        demands=len(material.needs),
        resources=len(material.offers),
        score=found.score,
        greedy_score=found.greedy_score,
        missed=found.missed,
    )
    MatchProposal.objects.bulk_create(
        (
            MatchProposal(run=run, demand_id=demand, resource_id=resource, score=score, reasons=reasons)
            for demand, resource, score, reasons in found.pairs
        ),
        batch_size=BATCH,
    )
    told = {"demands": run.demands, "resources": run.resources, "proposals": len(found.pairs), "score": run.score}
    changes = {name: (None, value) for name, value in told.items()}
    audit.record(actor=actor, action="match.run", obj=run, changes=changes, label=str(run), new=True)
    return run


# --- Taken up, turned down ------------------------------------------------------------------------------------------


def accept_proposals(*, actor: Actor, proposals: Sequence[MatchProposal]) -> list[Project]:
    """Makes a project draft of each proposal, all or none. What a demand was proposed elsewhere goes out of date.

    Args:
        proposals: at most `MOST_AT_ONCE`, of runs where the actor may match.

    Returns the drafts in the order given.

    Raises:
        NotFound, Forbidden: not the actor's place. Invalid: none, or too many.
        InvalidTransition: one is decided or out of date already.
        Conflict: a demand or resource is not what it was: those proposals are now out of date, no draft was made.
    """
    keys = list(dict.fromkeys(proposal.pk for proposal in proposals))
    if not keys:
        raise Invalid(_("请先勾选要采纳的建议。"), code="nothing_chosen")
    if len(keys) > MOST_AT_ONCE:
        raise Invalid(_("一次最多采纳 %(most)d 条，请分几次办理。") % {"most": MOST_AT_ONCE}, code="too_many")
    drafts, faults = _accept(actor, keys)
    if faults:
        lines = "；".join(f"“{row.demand.title}”：{why}" for row, why in faults[:5])
        raise Conflict(
            _("有 %(count)d 条建议已经失效，没有生成任何项目：%(lines)s。其余的请再点一次“采纳”。")
            % {"count": len(faults), "lines": lines},
            code="proposal_outdated",
        )
    return drafts


@transaction.atomic
def _accept(actor: Actor, keys: list[int]) -> tuple[list[Project], list[tuple[MatchProposal, str]]]:
    """The drafts; or the proposals that do not hold any more, with why. These are put out of date."""
    places = GridNode.objects.filter(pk__in=Demand.objects.filter(proposals__in=keys).values("node"))
    hold_places(*places)
    known = {row.pk: row for row in _locked(keys)}
    if len(known) < len(keys):
        raise NotFound(_("没有找到这条建议，或不在您的管辖范围内。"))
    rows = [known[key] for key in keys]
    for row in rows:
        PROPOSAL.check(row, "accept", actor=actor)
    faults = _faults(rows)
    if faults:
        outdate(MatchProposal.objects.filter(pk__in=[row.pk for row, _why in faults]))
        return [], faults
    left = left_of([row.resource for row in rows])
    drafts = draft_projects(actor=actor, rows=[_draft(row, left) for row in rows])
    deeds = []
    for row, project in zip(rows, drafts, strict=True):
        row.state, row.project, row.version = ProposalState.ACCEPTED, project, row.version + 1
        changes = {"state": (ProposalState.PROPOSED, row.state), "project": (None, project.pk)}
        deeds.append(audit.Deed(row, changes, label=row.demand.code))
    MatchProposal.objects.bulk_update(rows, ["state", "project", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action=f"{PROPOSAL.name}.accept", deeds=deeds)
    outdate(MatchProposal.objects.filter(demand__in=[row.demand_id for row in rows]))
    return drafts, []


def _locked(keys: Iterable[int]) -> list[MatchProposal]:
    """Proposals as they are now, with their demands and resources locked and read anew."""
    rows = list(MatchProposal.objects.select_for_update(of=("self",)).filter(pk__in=keys).order_by("pk"))
    demands = _held(Demand, {row.demand_id for row in rows}, "node", "category")
    resources = _held(Resource, {row.resource_id for row in rows}, "node", "unit")
    runs = MatchRun.objects.select_related("node").in_bulk({row.run_id for row in rows})
    for row in rows:
        row.run = runs[row.run_id]
        row.demand, row.resource = demands[row.demand_id], resources[row.resource_id]
    return rows


def _held(model: type[Model], keys: set[int], *related: str) -> dict[int, Any]:
    rows = (
        model._default_manager.select_for_update(of=("self",))
        .select_related(*related)
        .filter(pk__in=keys)
        .order_by("pk")
    )
    return {row.pk: row for row in rows}


def _faults(rows: Sequence[MatchProposal]) -> list[tuple[MatchProposal, str]]:
    """Which of the proposals can not be kept, and why."""
    waiting = set(matchable().filter(pk__in=[row.demand_id for row in rows]).values_list("pk", flat=True))
    left = left_of(list({row.resource_id: row.resource for row in rows}.values()))
    today = timezone.localdate()
    found = []
    for row in rows:
        why = _fault(row, today) if row.demand_id in waiting else _("需求已派单、已立项或已办结")
        if not why and left[row.resource_id] < 1:
            why = _("“%(resource)s”已经没有剩余") % {"resource": row.resource.name}
        if why:
            found.append((row, why))
        else:
            left[row.resource_id] -= 1
    return found


def _fault(row: MatchProposal, today: datetime.date) -> str:
    resource, demand = row.resource, row.demand
    name = {"resource": resource.name}
    if resource.state != ResourceState.AVAILABLE or (resource.end is not None and resource.end < today):
        return _("“%(resource)s”已经不可用") % name
    if resource.unit is not None and not resource.unit.is_active:
        return _("“%(resource)s”的提供单位已停用") % name
    area, place = resource.node, demand.node
    if not (area.tree_id == place.tree_id and area.lft <= place.lft <= area.rght):
        return _("“%(resource)s”不能用在这个地点") % name
    return ""


def _draft(row: MatchProposal, left: dict[int, int]) -> NewProject:
    resource, demand = row.resource, row.demand
    # How much money is a person's decision: the draft starts with what there is.
    quantity = left[resource.pk] if resource.kind == ResourceKind.MONEY else 1
    return NewProject(
        node=demand.node,
        name=demand.title,
        text=_("用“%(resource)s”解决需求 %(code)s。匹配理由：%(reasons)s。")
        % {"resource": resource.name, "code": demand.code, "reasons": "；".join(row.reasons)},
        demands=[demand],
        resources=[(resource, quantity)],
        lead_unit=resource.unit,
        # What is there only later can be held only from then on.
        start_on=resource.start if resource.start > timezone.localdate() else None,
    )


def refuse_proposal(*, actor: Actor, proposal: MatchProposal, reason: str, version: int | None = None) -> MatchProposal:
    """Turns a proposal down; later runs do not bring the two together again.

    Raises NotFound, Forbidden, InvalidTransition, Stale; Invalid without a reason.
    """
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason")

    def note(row: MatchProposal, data: object) -> None:
        row.reason = reason

    return advance(
        PROPOSAL,
        proposal,
        "refuse",
        actor=actor,
        data={"reason": reason},
        version=version,
        effect=note,
        related=("run__node", "demand"),
        label=proposal.demand.code,
    )


# --- Out of date ----------------------------------------------------------------------------------------------------


def outdate_old(now: datetime.datetime | None = None) -> int:
    """Puts proposals out of date that nobody decided on for a month; how many. For the sweeper."""
    limit = (now or timezone.now()) - datetime.timedelta(days=KEPT_DAYS)
    old = MatchProposal.objects.filter(state=ProposalState.PROPOSED, run__at__lt=limit).order_by("pk")
    keys = list(old.values_list("pk", flat=True)[:BATCH])
    return outdate(MatchProposal.objects.filter(pk__in=keys)) if keys else 0
