"""The project list: drafted from demands and resources, claimed, carried out, accepted. Source: docs/domain.md#g2, #l1.

Locks, in this order: the streets of the places, resources (`hold_resources`), the project; each in id order. What becomes
of the demands a project meets is decided in their own loop: a project never closes one (docs/decisions/0022-the-four-lists.md).
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor
from core.codes import new_matter_code
from core.errors import Conflict, Forbidden, NotFound, Stale
from core.models import User
from core.moving import advance
from core.text import clean_text
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches
from grids.models import GridNode
from partybuilding.models import Unit
from services import posts
from services.actions.project_checks import (
    FACTS,
    bad,
    begin,
    check_days,
    check_demands,
    check_resources,
    check_units,
    clean_fact,
    clean_reason,
    scrub,
)
from services.actions.resolutions import follow_ends
from services.actions.resources import hold_resources
from services.list_notices import tell_project
from services.models import (
    PROJECT_HOLDS,
    Demand,
    Project,
    ProjectResource,
    ProjectState,
    Resource,
    Responsibility,
    ResponsibilityState,
)
from services.policies import CheckInScope
from services.selectors.projects import reported_for
from services.workflow import PROJECT

UNCHANGED: Any = object()
_RELATED = ("node", "lead_unit", "county", "community")
_TRIES = 5


@dataclass(frozen=True)
class NewProject:
    """A project to be.

    Attributes:
        node: where it is carried out; a street for one that concerns several communities.
        demands: that it meets; of the same community (for a street, of the same street).
        resources: with the quantity it needs of each, in the resource's own measure.
        budget: in yuan. leader: the paired leader a hard one went to.
        state: beyond a draft for what a list on paper brings along; `done_on`, `result` for what is done already.
    """

    node: GridNode
    name: str
    text: str = ""
    demands: Sequence[Demand] = ()
    resources: Sequence[tuple[Resource, int]] = ()
    lead_unit: Unit | None = None
    supporting: Sequence[Unit] = ()
    budget: Decimal | None = None
    start_on: datetime.date | None = None
    due_on: datetime.date | None = None
    leader: User | None = None
    state: str = ProjectState.DRAFT
    done_on: datetime.date | None = None
    result: str = ""


@dataclass(frozen=True)
class ProjectChange:
    """What shall be said of a project that stands. What is not given stays; `resources` replaces all it holds."""

    project: Project
    name: str = UNCHANGED
    text: str = UNCHANGED
    demands: Sequence[Demand] = UNCHANGED
    resources: Sequence[tuple[Resource, int]] = UNCHANGED
    supporting: Sequence[Unit] = UNCHANGED
    budget: Decimal | None = UNCHANGED
    start_on: datetime.date | None = UNCHANGED
    due_on: datetime.date | None = UNCHANGED
    leader: User | None = UNCHANGED
    version: int | None = None


@transaction.atomic
def draft_projects(*, actor: Actor, rows: Sequence[NewProject]) -> list[Project]:
    """Drafts many projects in a few statements; all or none.

    Each holds its resources from now on. One with a lead unit stays a draft until it is published or the unit appointed,
    unless `state` says that it is further than that.

    Raises:
        NotFound, Forbidden: no `project.manage` at a place, or a demand or resource out of the actor's sight.
        Invalid: a fact is not usable, a place retired, a unit closed or of another county, a demand or resource of
            another place. Conflict: there is not as much of a resource as they want together.
    """
    nodes = {node.pk: node for node in hold_places(*{row.node.pk: row.node for row in rows}.values())}
    require(actor, posts.MANAGE_PROJECT, *nodes.values())
    held = {one.pk: one for one in hold_resources(pair for row in rows for pair in row.resources)}
    now = timezone.now()
    made = []
    for row in rows:
        node = nodes[row.node.pk]
        if node.is_retired:
            raise bad("node", _("“%(place)s”已撤销，请选择其他地点。") % {"place": node.path})
        one = Project(county=node.county, node=node, community=node.community, created_at=now, lead_unit=row.lead_unit)
        for name in FACTS:
            setattr(one, name, clean_fact(name, getattr(row, name), one))
        check_units(one, [*row.supporting, *([row.lead_unit] if row.lead_unit else [])])
        check_days(one)
        begin(actor, one, row)
        check_demands(actor, one, row.demands)
        check_resources(actor, one, [held[resource.pk] for resource, _quantity in row.resources])
        made.append(one)
    _write(made)
    _link(made, rows)
    deeds = [audit.Deed(one, _told(one, row), label=label_of(one)) for one, row in zip(made, rows, strict=True)]
    audit.record_many(actor=actor, action="project.draft", deeds=deeds, new=True)
    return made


def change_project(*, actor: Actor, project: Project, **changes: Any) -> Project:
    """Says anew what a project is about, what it uses, whom and what it serves. `changes`: as `ProjectChange`.

    Raises as `draft_projects`; Stale for an old page; Conflict when the project is finished, done or dropped.
    """
    return change_projects(actor=actor, rows=[ProjectChange(project, **changes)])[0]


@transaction.atomic
def change_projects(*, actor: Actor, rows: Sequence[ProjectChange]) -> list[Project]:
    """Corrects many projects, for imports; all or none. Raises as `change_project`."""
    _hold_for(rows)
    changed = []
    for row in rows:
        one = locked_project(row.project)
        require(actor, posts.MANAGE_PROJECT, one)
        if row.version is not None and row.version != one.version:
            raise Stale(_("这个项目刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))
        if one.state not in (ProjectState.DRAFT, ProjectState.OPEN, ProjectState.RUNNING):
            words = _("项目%(state)s，不能再修改。") % {"state": one.get_state_display()}
            raise Conflict(words, code="project_closed")
        changes = _change(actor, one, row)
        if changes:
            one.version += 1
            one.save(update_fields=[*(name for name in changes if name in FACTS), "version"])
            audit.record(actor=actor, action="project.change", obj=one, changes=changes, label=label_of(one))
        changed.append(one)
    return changed


# --- Moves ----------------------------------------------------------------------------------------------------------


def publish_project(*, actor: Actor, project: Project, version: int | None = None) -> Project:
    """Opens a project to the units that have checked in there. Raises as `core.moving.advance`."""
    return _move("publish", actor, project, {}, version)


def claim_project(*, actor: Actor, project: Project, unit: Unit, version: int | None = None) -> Project:
    """A unit that has checked in there takes the lead. Of two that claim at once exactly one gets it.

    Raises as `core.moving.advance`; Forbidden when the actor does not claim for that unit; Invalid when it is closed.
    """

    def effect(row: Project, data: Any) -> None:
        scopes = [scope for scope in policies.scopes(actor, posts.CLAIM_PROJECT) if isinstance(scope, CheckInScope)]
        policy = policies.policy_of(Project)
        # The row is running by now, and the policy asks about open ones.
        row.state = ProjectState.OPEN
        mine = any(scope.unit_id == unit.pk and policy.covers(scope, row) for scope in scopes)
        row.state = ProjectState.RUNNING
        if not mine:
            raise Forbidden(_("“%(unit)s”没有在这里报到，或您不是它的联络员，不能认领。") % {"unit": unit})
        _take_lead(row, unit)

    return _move("claim", actor, project, {"unit": unit}, version, effect)


def appoint_lead(*, actor: Actor, project: Project, unit: Unit, version: int | None = None) -> Project:
    """The place settles which unit leads; also when the lead changes. Raises as `core.moving.advance`; Invalid when the
    unit is closed or has not checked in there."""

    def effect(row: Project, data: Any) -> None:
        if not reported_for(row).filter(unit=unit).exists():
            words = _("“%(unit)s”没有在“%(place)s”报到，请先登记报到。") % {"unit": unit, "place": row.node.path}
            raise bad("unit", words)
        _take_lead(row, unit)

    return _move("appoint", actor, project, {"unit": unit}, version, effect)


def finish_project(*, actor: Actor, project: Project, result: str, version: int | None = None) -> Project:
    """The lead unit says it is done, and what came of it. Raises as `core.moving.advance`."""
    text = scrub(clean_text(result, max_length=1000, label=_("完成情况"), field="result"))

    def effect(row: Project, data: Any) -> None:
        row.result, row.finished_at, row.reason = text, timezone.now(), ""

    return _move("finish", actor, project, {"result": text}, version, effect)


def accept_project(*, actor: Actor, project: Project, reason: str = "", version: int | None = None) -> Project:
    """The place accepts what was done. What is given back is free again (`services.resource_kinds`).

    Raises as `core.moving.advance`.
    """

    def effect(row: Project, data: Any) -> None:
        row.done_on, row.reason = timezone.localdate(), data["reason"]

    return _move("accept", actor, project, {"reason": clean_reason(reason)}, version, effect)


def send_back_project(*, actor: Actor, project: Project, reason: str, version: int | None = None) -> Project:
    """Something is missing; the lead unit goes on. Raises as `core.moving.advance`."""

    def effect(row: Project, data: Any) -> None:
        row.finished_at, row.reason = None, data["reason"]

    return _move("send_back", actor, project, {"reason": clean_reason(reason)}, version, effect)


@transaction.atomic
def drop_project(*, actor: Actor, project: Project, reason: str, version: int | None = None) -> Project:
    """Calls a project off; what it held is free, what was to be done for it is off too. Raises as `core.moving.advance`."""

    def effect(row: Project, data: Any) -> None:
        row.reason = data["reason"]

    row = _move("drop", actor, project, {"reason": clean_reason(reason)}, version, effect)
    open_ones = list(row.responsibilities.select_for_update().filter(state=ResponsibilityState.OPEN).order_by("pk"))
    deeds = []
    for one in open_ones:
        one.project, one.state, one.version = row, ResponsibilityState.DROPPED, one.version + 1
        changes = {"state": (ResponsibilityState.OPEN, ResponsibilityState.DROPPED)}
        deeds.append(audit.Deed(one, changes, label=label_of(row), reason=row.reason))
    Responsibility.objects.bulk_update(open_ones, ["state", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="responsibility.drop", deeds=deeds)
    return row


def label_of(row: Project) -> str:
    return f"{row.code} {row.name}"


def locked_project(project: Project) -> Project:
    """The project as it is now, its row locked."""
    rows = Project.objects.select_for_update(of=("self",)).select_related(*_RELATED)
    found = rows.filter(pk=project.pk).first()
    if found is None:
        raise NotFound(_("没有找到这个项目，或不在您的管辖范围内。"))
    return found


def _take_lead(row: Project, unit: Unit) -> None:
    check_units(row, [unit])
    row.lead_unit, row.claimed_at = unit, timezone.now()
    row.supporting.remove(unit)


def _move(
    name: str, actor: Actor, project: Project, data: dict[str, Any], version: int | None, effect: Any = None
) -> Project:
    with transaction.atomic():
        row = advance(
            PROJECT,
            project,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=_RELATED,
            label=label_of(project),
        )
        tell_project(name, row)
        if name in ("accept", "drop"):
            follow_ends(project=row)
    return row


# --- Writing --------------------------------------------------------------------------------------------------------


def _write(made: Sequence[Project]) -> None:
    for attempt in range(_TRIES):
        taken: set[str] = set()
        for one in made:
            while not one.code or one.code in taken:
                one.code = new_matter_code(timezone.localdate())
            taken.add(one.code)
        try:
            with transaction.atomic():
                Project.objects.bulk_create(made, batch_size=BATCH)
            return
        except IntegrityError:
            # Two projects drew the same random number: draw again.
            if attempt == _TRIES - 1:
                raise
            for one in made:
                one.code, one.pk = "", None


def _link(made: Sequence[Project], rows: Sequence[NewProject]) -> None:
    pairs = list(zip(made, rows, strict=True))
    demands, supporting = Project.demands.through, Project.supporting.through
    demands.objects.bulk_create(
        (
            demands(project_id=one.pk, demand_id=pk)
            for one, row in pairs
            for pk in dict.fromkeys(d.pk for d in row.demands)
        ),
        batch_size=BATCH,
    )
    supporting.objects.bulk_create(
        (
            supporting(project_id=one.pk, unit_id=pk)
            for one, row in pairs
            for pk in dict.fromkeys(unit.pk for unit in row.supporting)
            if pk != one.lead_unit_id
        ),
        batch_size=BATCH,
    )
    ProjectResource.objects.bulk_create(
        (ProjectResource(project=one, resource=res, quantity=n) for one, row in pairs for res, n in row.resources),
        batch_size=BATCH,
    )


def _hold_for(rows: Sequence[ProjectChange]) -> None:
    """Resources before projects, as everywhere. What the projects hold already is given back in the same breath."""
    wanted = [pair for row in rows if row.resources is not UNCHANGED for pair in row.resources]
    if not wanted:
        return
    own = [row.project.pk for row in rows if row.resources is not UNCHANGED]
    freed: dict[int, int] = {}
    for some in batches(own):
        kept = ProjectResource.objects.filter(project__in=some, project__state__in=[str(s) for s in PROJECT_HOLDS])
        for resource, quantity in kept.values_list("resource", "quantity"):
            freed[resource] = freed.get(resource, 0) + quantity
    hold_resources(wanted, freed=lambda pk: freed.get(pk, 0))


def _change(actor: Actor, one: Project, row: ProjectChange) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    for name in FACTS:
        value = getattr(row, name)
        if value is UNCHANGED:
            continue
        before, after = getattr(one, name), clean_fact(name, value, one)
        if before != after:
            setattr(one, name, after)
            changes[name] = (getattr(before, "pk", before), getattr(after, "pk", after))
    check_days(one)
    if row.supporting is not UNCHANGED:
        check_units(one, row.supporting)
        _replace(changes, "supporting", one.supporting, {unit.pk for unit in row.supporting} - {one.lead_unit_id})
    if row.demands is not UNCHANGED:
        _rename_demands(actor, changes, one, row.demands)
    if row.resources is not UNCHANGED:
        _reallocate(actor, changes, one, row.resources)
    return changes


def _rename_demands(actor: Actor, changes: dict[str, tuple[Any, Any]], one: Project, wanted: Sequence[Demand]) -> None:
    held = set(one.demands.values_list("pk", flat=True))
    # What it names already was checked when it was named, wherever the demand has gone since.
    check_demands(actor, one, [demand for demand in wanted if demand.pk not in held])
    # What the person no longer sees was not in the words they changed: nobody took it out.
    unseen = held - set(policies.seen_by(Demand.objects.filter(pk__in=held), actor).values_list("pk", flat=True))
    _replace(changes, "demands", one.demands, {demand.pk for demand in wanted} | unseen)


def _replace(changes: dict[str, tuple[Any, Any]], name: str, manager: Any, after: set[Any]) -> None:
    before = set(manager.values_list("pk", flat=True))
    if before != after:
        manager.set(after)
        changes[name] = (sorted(before), sorted(after))


def _reallocate(
    actor: Actor, changes: dict[str, tuple[Any, Any]], one: Project, wanted: Sequence[tuple[Resource, int]]
) -> None:
    held = dict(one.allocations.values_list("resource", "quantity"))
    after = {resource.pk: quantity for resource, quantity in wanted}
    if held == after and len(after) == len(wanted):
        return
    # What it holds already was checked when it got it; a day that has passed since takes nothing away.
    check_resources(actor, one, [resource for resource, _quantity in wanted if resource.pk not in held])
    if len(after) < len(wanted):
        raise bad("resources", _("同一项资源写了两次，请合成一行。"))
    one.allocations.exclude(resource__in=after).delete()
    for pk, quantity in after.items():
        if held.get(pk) != quantity:
            ProjectResource.objects.update_or_create(project=one, resource_id=pk, defaults={"quantity": quantity})
    changes["resources"] = (held, after)


def _told(one: Project, row: NewProject) -> dict[str, tuple[Any, Any]]:
    told: dict[str, tuple[Any, Any]] = {"node_id": (None, one.node_id)}
    for item in fields(row):
        value = getattr(row, item.name)
        if item.name == "node" or value in (None, "", (), ProjectState.DRAFT) or value == []:
            continue
        if item.name == "resources":
            told["resources"] = (None, {resource.pk: quantity for resource, quantity in value})
        elif item.name in ("demands", "supporting"):
            told[item.name] = (None, [each.pk for each in value])
        else:
            told[item.name] = (None, getattr(value, "pk", value))
    return told
