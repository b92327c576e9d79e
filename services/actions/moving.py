"""The one way a demand moves: page, phone, admin, API, resident and sweeper all end here."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, models, transaction
from django.db.models import OuterRef, Subquery
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, kind_of, user_of
from core.errors import Conflict, NotFound
from core.photos import Photo as CleanPhoto
from core.photos import accept_photos
from core.workflow import Transition, Workflow
from services.actions import demand_effects, suborder_effects
from services.actions.photos import keep_photos
from services.actions.step import Move, Target, snapshot
from services.clocks import clock_for, moment_after
from services.models import Assignment, Demand, DemandEvent, SubOrder
from services.notices import tell
from services.workflow import BY_MODEL

PERSONAL = ("contact_name", "contact_phone")
EFFECTS = {Demand: demand_effects.TABLE, SubOrder: suborder_effects.SUBORDER, Assignment: suborder_effects.ASSIGNMENT}


def move(
    *,
    actor: Actor,
    target: Target,
    name: str,
    data: Mapping[str, Any] | None = None,
    version: int | None = None,
) -> Demand:
    """Makes one move on a demand, a sub-order or an assignment.

    Args:
        target: the object the move's table is about; its row is read again under the lock.
        name: the transition's name from `services.workflow`.
        data: its inputs, already of their types (a `Unit`, a list of `Member`, a `date`, uploads).
        version: the version the person saw on the page.

    Returns the demand as it is after the move.

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale, Conflict, Invalid, TooLarge: nothing was changed.
    """
    data = dict(data or {})
    # Pictures are decoded before the lock: nobody should wait for them.
    photos = accept_photos(data.pop("photos", None) or [])
    flow = BY_MODEL[type(target)]
    try:
        with transaction.atomic():
            return _move(actor, flow, target, name, data, photos, version)
    except IntegrityError as error:
        raise Conflict(_("刚刚有人办理了同一件事，请刷新后查看最新情况。")) from error


def _move(
    actor: Actor,
    flow: Workflow,
    target: Target,
    name: str,
    data: dict[str, Any],
    photos: list[CleanPhoto],
    version: int | None,
) -> Demand:
    from_demand, suborder, assignment = _lock(target, data)
    locked: Any = assignment or suborder or from_demand
    row = flow.check(locked, name, actor=actor, data=data, version=version)
    step = Move(
        actor=actor,
        row=row,
        data=data,
        now=_moment(from_demand),
        clock=clock_for(from_demand.county_id),
        demand=from_demand,
        suborder=suborder,
        assignment=assignment,
    )
    rows: list[Any] = [obj for obj in (from_demand, suborder, assignment) if obj is not None]
    before = [snapshot(obj) for obj in rows]
    from_state = locked.state
    if row.target is not None:
        locked.state = row.target
    EFFECTS[type(target)][name](step)
    changes: dict[str, tuple[Any, Any]] = {}
    for obj, old in zip(rows, before, strict=True):
        _keep_limit(row, obj, old)
        changes |= _save_changed(obj, old, prefix="" if obj is from_demand else f"{obj._meta.model_name}.")
    for obj, old in step.beside:
        _keep_limit(row, obj, old)
        changes |= _save_changed(obj, old, prefix=f"{obj._meta.model_name}.{obj.pk}.")
    _write_down(step, from_state, locked.state, changes, photos)
    return from_demand


def _lock(target: Target, data: dict[str, Any]) -> tuple[Demand, SubOrder | None, Assignment | None]:
    """Locks in one order always: demand, sub-order, assignment. Of two demands (`link`) the one with the smaller key
    first: two that are linked to one another at once must not both succeed, nor wait for each other.
    """
    if isinstance(target, Demand):
        seen = target
    elif isinstance(target, SubOrder):
        seen = target.demand
    else:
        seen = target.suborder.demand
    matter = data.get("matter")
    pks = {seen.pk} if matter is None else {seen.pk, matter.pk}
    last = DemandEvent.objects.filter(demand=OuterRef("pk")).order_by("-at").values("at")[:1]
    rows = Demand.objects.select_for_update().filter(pk__in=pks).annotate(last_event_at=Subquery(last))
    locked = {row.pk: row for row in rows.order_by("pk")}
    demand = locked.get(seen.pk)
    if demand is None:
        raise NotFound(_("没有找到这条需求。"))
    if matter is not None:
        data["matter"] = locked[matter.pk]
    _keep_relations(seen, demand)
    if isinstance(target, Demand):
        return demand, None, None
    suborder_id = target.pk if isinstance(target, SubOrder) else target.suborder_id
    suborder = SubOrder.objects.select_for_update(of=("self",)).select_related("unit").get(pk=suborder_id)
    suborder.demand = demand
    if isinstance(target, SubOrder):
        return demand, suborder, None
    assignment = Assignment.objects.select_for_update(of=("self",)).select_related("member").get(pk=target.pk)
    assignment.suborder = suborder
    return demand, suborder, assignment


# Moments of the past that the row itself holds, newer than its last event where somebody moved it while we waited.
_PAST = ("registered_at", "accepted_at", "published_at", "dispatched_at", "finished_at", "checked_at", "closed_at")


def _moment(demand: Demand) -> datetime.datetime:
    """When the move happens: now, by a clock that never goes back within one demand, whichever process moves it."""
    return moment_after(demand.last_event_at, *(getattr(demand, name) for name in _PAST))  # type: ignore[attr-defined]


# What policies, effects and notices read of a demand. Nothing of it changes under a move.
_RELATIONS = ("node", "community", "category", "lead_unit")


def _keep_relations(seen: Demand, locked: Demand) -> None:
    """Hands on what the caller has loaded already, as long as the locked row still points to it."""
    for name in _RELATIONS:
        field = Demand._meta.get_field(name)
        if field.is_cached(seen) and getattr(seen, field.attname) == getattr(locked, field.attname):  # type: ignore[union-attr]
            field.set_cached_value(locked, field.get_cached_value(seen))  # type: ignore[union-attr]


# What a row of the table allows to become of the service limit: old, new -> whether it keeps to its word.
_KEEPS: dict[str, Callable[[Any, Any], bool]] = {
    "": lambda old, new: False,
    "starts": lambda old, new: old is None,
    "pauses": lambda old, new: old is not None and new is not None and new > old,
    "extends": lambda old, new: old is not None and new is not None and new > old,
    "restarts": lambda old, new: new is not None,
    "stops": lambda old, new: new is None,
}


def _keep_limit(row: Transition, obj: models.Model, old: dict[str, Any]) -> None:
    """The service limit of a demand or an order moves only as the table says; anything else is an error of ours."""
    if not isinstance(obj, Demand | SubOrder) or obj.due_at == old["due_at"]:
        return
    if not _KEEPS[row.limit](old["due_at"], obj.due_at):
        raise RuntimeError(f"{row.name} may not move the limit of {obj._meta.model_name} {obj.pk}: {row.limit or '-'}")


def _save_changed(obj: Any, old: dict[str, Any], *, prefix: str) -> dict[str, tuple[Any, Any]]:
    """Saves what an effect changed and answers the differences for the audit trail."""
    changed = {name: (value, getattr(obj, name)) for name, value in old.items() if value != getattr(obj, name)}
    if changed:
        obj.version += 1
        obj.save(update_fields=[*changed, "version"])
    return {f"{prefix}{name}": pair for name, pair in changed.items()}


def _write_down(
    step: Move, from_state: str, to_state: str, changes: dict[str, tuple[Any, Any]], photos: list[CleanPhoto]
) -> None:
    """The timeline, the audit trail and the notices of a move."""
    demand, row = step.demand, step.row
    title = f"{row.done or row.label}{_('：') + step.about if step.about else ''}"
    event = DemandEvent(
        demand=demand,
        suborder=step.suborder,
        name=row.name,
        title=title[:160],
        text=step.text,
        at=step.now,
        actor=user_of(step.actor),
        actor_kind=kind_of(step.actor),
        from_state=from_state,
        to_state=to_state,
    )
    event.save(force_insert=True)
    keep_photos(event, photos)
    # The words themselves stand in the timeline; the trail says that they were given, and by whom.
    audit.record(
        actor=step.actor,
        action=f"{step.target._meta.model_name}.{row.name}",
        obj=demand,
        changes={key: pair for key, pair in changes.items() if not key.endswith("result")},
        label=demand.code,
        personal=PERSONAL,
    )
    concerned = step.told_suborders or ([step.suborder] if step.suborder else [])
    tell(row.name, demand, suborders=concerned, assignments=step.told_assignments)
