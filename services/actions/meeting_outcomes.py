"""What a closing meeting brings about: demands go to the units that claimed them, resolutions become commitments and
projects. Source: docs/domain.md#g2.

Called under the locks of the places and of the meeting. Whoever closes the meeting acts; a demand that a unit's own liaison
claimed at the table is claimed in the liaison's name, as on the phone.
"""

import logging

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor, user_of
from core.errors import Conflict, DomainError
from grids.actions.permission import can
from partybuilding.models import Unit
from services import posts
from services.actions.commitments import NewCommitment, make_commitments
from services.actions.matching import accept_proposals
from services.actions.meeting_rows import ITEM_RELATED, PERSONAL
from services.actions.moving import move
from services.actions.projects import NewProject, appoint_lead, change_project, claim_project, draft_projects
from services.meeting_rules import FREE_DEMAND, went_elsewhere
from services.models import (
    AgendaItem,
    DemandState,
    ItemState,
    JointMeeting,
    Project,
    ProjectState,
    ProposalState,
    Resolution,
    ResolutionKind,
    ResolutionState,
)
from services.reach import may_dispatch
from services.selectors.meetings import place_of
from services.selectors.projects import reported_for

logger = logging.getLogger(__name__)


def take_effect(actor: Actor, meeting: JointMeeting) -> list[Resolution]:
    """Brings about what the meeting resolved; answers its open resolutions.

    Raises Conflict, naming the item, when a matter found somebody else outside the meeting, and whatever the actions
    of demands, commitments and projects refuse. When the system closes a meeting that was left running, what can not
    take effect stays a task: it must not keep the meeting open for ever.
    """
    items = AgendaItem.objects.filter(meeting=meeting, state__in=[ItemState.RESOLVED, ItemState.LEADER])
    rows = Resolution.objects.filter(meeting=meeting, state=ResolutionState.OPEN).select_related("unit").order_by("pk")
    by_item: dict[int, list[Resolution]] = {}
    for row in rows:
        by_item.setdefault(row.item_id, []).append(row)
    for item in items.select_related(*ITEM_RELATED).order_by("order", "pk"):
        made = by_item.get(item.pk, [])
        for row in made:
            row.item, row.meeting = item, meeting
        try:
            with transaction.atomic():
                _bring_about(actor, item, made)
        except DomainError as error:
            if actor is not SYSTEM:
                words = _("议题“%(title)s”：%(reason)s") % {"title": item.title, "reason": error.message}
                raise Conflict(words, code=error.code) from error
            logger.warning("item %s of meeting %s stays a task: %s", item.pk, meeting.pk, error.code)
    return [row for some in by_item.values() for row in some]


def _bring_about(actor: Actor, item: AgendaItem, rows: list[Resolution]) -> None:
    if (gone := went_elsewhere(item)) is not None:
        raise Conflict(gone, code="went_elsewhere")
    unit = item.unit or next((row.unit for row in rows if row.unit is not None), None)
    # Projects before the demand is given away: both want it as it was on the agenda.
    if item.project is not None and unit is not None:
        _give_project(actor, item, item.project, unit)
    for row in rows:
        if row.kind == ResolutionKind.PROJECT:
            row.project = item.project or _draft(actor, item, row)
            _link(actor, row, "project_id")
    if item.demand is not None and unit is not None:
        _give_demand(actor, item, unit)
    for row in rows:
        if row.kind == ResolutionKind.COMMITMENT:
            _commit(actor, item, row)


def _give_project(actor: Actor, item: AgendaItem, project: Project, unit: Unit) -> None:
    """The unit leads the project from now on: claimed by its liaison, or appointed by whoever closes the meeting."""
    if project.lead_unit_id == unit.pk:
        return
    if project.state != ProjectState.OPEN:
        who = project.lead_unit.label if project.lead_unit else project.get_state_display()
        raise Conflict(_("这个项目会外已由“%(who)s”认领，请先撤回认领或改为缓议。") % {"who": who})
    claimer = item.claimed_by
    if item.unit is not None and claimer is not None and policies.can(claimer, posts.CLAIM_PROJECT, project):
        claim_project(actor=claimer, project=project, unit=unit)
    elif policies.can(actor, posts.MANAGE_PROJECT, project):
        appoint_lead(actor=actor, project=project, unit=unit)


def _draft(actor: Actor, item: AgendaItem, row: Resolution) -> Project:
    """A project of what was resolved, led by its unit; of a proposal that is taken up, with its resource.

    Whoever keeps the place's projects adds what is missing. Where that is not the one who closes the meeting (the county),
    it is a draft of the meeting's own.
    """
    place = place_of(item)
    assert place is not None and row.unit is not None
    proposal = item.proposal
    if proposal is not None and proposal.state == ProposalState.PROPOSED and can(actor, posts.RUN_MATCH, proposal):
        (project,) = accept_proposals(actor=actor, proposals=[proposal])
        project = change_project(actor=actor, project=project, due_on=row.due_on)
        return _led(actor, project, row.unit)
    keeps = actor is not SYSTEM and policies.can(actor, posts.MANAGE_PROJECT, place)
    new = NewProject(
        place,
        item.title[:80],
        row.text,
        demands=[item.demand] if item.demand is not None else [],
        lead_unit=row.unit,
        due_on=row.due_on,
    )
    (project,) = draft_projects(actor=actor if keeps else SYSTEM, rows=[new])
    return _led(actor, project, row.unit) if keeps else project


def _led(actor: Actor, project: Project, unit: Unit) -> Project:
    """Who, what and by when are settled: it runs, where the unit has reported; else it stays a draft."""
    if not reported_for(project).filter(unit=unit).exists():
        return project
    return appoint_lead(actor=actor, project=project, unit=unit)


def _give_demand(actor: Actor, item: AgendaItem, unit: Unit) -> None:
    """The unit has the demand from now on: claimed by its liaison, or dispatched by whoever closes the meeting. The county,
    which dispatches nothing, leaves it to the community; the resolution stands as a task."""
    demand, claimer = item.demand, item.claimed_by
    assert demand is not None
    if demand.state not in FREE_DEMAND:
        if demand.lead_unit_id == unit.pk:
            return
        who = demand.lead_unit.label if demand.lead_unit else demand.get_state_display()
        raise Conflict(_("这条需求会外已由“%(who)s”承办，请先撤回认领或改为缓议。") % {"who": who})
    may_claim = claimer is not None and policies.can(claimer, posts.CLAIM_DEMAND, demand)
    if demand.state == DemandState.PUBLISHED and item.unit is not None and may_claim:
        assert claimer is not None
        move(actor=claimer, target=demand, name="claim", data={"unit": unit})
    elif may_dispatch(user_of(actor), demand):
        note = _("%(meeting)s议定") % {"meeting": item.meeting.title}
        move(actor=actor, target=demand, name="dispatch", data={"unit": unit, "note": note})


def _commit(actor: Actor, item: AgendaItem, row: Resolution) -> None:
    place = place_of(item)
    assert place is not None and row.unit is not None
    new = NewCommitment(place, item.title, row.text[:200], row.owner, row.due_on, unit=row.unit)
    (row.commitment,) = make_commitments(actor=actor, rows=[new])
    _link(actor, row, "commitment_id")


def _link(actor: Actor, row: Resolution, name: str) -> None:
    row.version += 1
    row.save(update_fields=[name.removesuffix("_id"), "version"])
    changes = {name: (None, getattr(row, name))}
    audit.record(
        actor=actor, action="resolution.take_effect", obj=row, label=row.item.title, changes=changes, personal=PERSONAL
    )
