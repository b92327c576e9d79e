"""A move on rows that are locked already: checked, carried out in memory, and what has to be written for it.

Nothing is written here. `moving` writes one move at once, `triage` those of five hundred demands together; what a move
needs, changes, leaves in the timeline and tells is the same for both because it is said here alone.
"""

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Exists, OuterRef, Subquery
from django.utils.translation import gettext as _

from core.actors import Actor, kind_of, user_of
from core.audit import Deed
from core.errors import DomainError
from core.notices import Message
from core.workflow import Transition
from services import reminders
from services.actions import demand_effects, desk_effects, suborder_effects
from services.actions.step import Known, Move, snapshot
from services.clocks import clock_for, moment_after
from services.models import Assignment, Demand, DemandEvent, SubOrder
from services.notices import told
from services.querysets import DemandQuerySet
from services.workflow import BY_MODEL

PERSONAL = ("contact_name", "contact_phone")
EFFECTS = {
    Demand: demand_effects.TABLE | desk_effects.TABLE,
    SubOrder: suborder_effects.SUBORDER,
    Assignment: suborder_effects.ASSIGNMENT,
}


@dataclass(frozen=True)
class Made:
    """A move that was made in memory.

    Attributes:
        changed: rows that it changed, each with the names of its columns, `version` among them.
        changes: the same for the audit trail, before and after.
    """

    step: Move
    from_state: str
    to_state: str
    changed: list[tuple[models.Model, list[str]]]
    changes: dict[str, tuple[Any, Any]]

    @property
    def action(self) -> str:
        return f"{self.step.target._meta.model_name}.{self.step.row.name}"

    def event(self) -> DemandEvent:
        """Its line of the timeline."""
        step, row = self.step, self.step.row
        title = f"{row.done or row.label}{_('：') + step.about if step.about else ''}"
        return DemandEvent(
            demand=step.demand,
            suborder=step.suborder,
            name=row.name,
            title=title[:160],
            text=step.text,
            at=step.now,
            actor=user_of(step.actor),
            actor_kind=kind_of(step.actor),
            from_state=self.from_state,
            to_state=self.to_state,
        )

    def deed(self) -> Deed:
        """Its row of the audit trail. The words themselves stand in the timeline; the trail says that they were given,
        and by whom."""
        changes = {key: pair for key, pair in self.changes.items() if not key.endswith("result")}
        return Deed(self.step.demand, changes, label=self.step.demand.code, personal=PERSONAL, action=self.action)

    def messages(self) -> list[Message]:
        """Its notices; asked for when the rows it adds are stored, for their keys name them."""
        step = self.step
        concerned = step.told_suborders or ([step.suborder] if step.suborder else [])
        return told(step.row.name, step.demand, suborders=concerned, assignments=step.told_assignments)


def for_move() -> DemandQuerySet:
    """Demands locked with what a move reads of them: when it last moved, and whether it was ever given to a unit."""
    last = DemandEvent.objects.filter(demand=OuterRef("pk")).order_by("-at").values("at")[:1]
    given = Exists(SubOrder.objects.filter(demand=OuterRef("pk")))
    return Demand.objects.select_for_update(of=("self",)).annotate(last_event_at=Subquery(last), was_given=given)


# Moments of the past that the row itself holds, newer than its last event where somebody moved it while we waited.
_PAST = ("registered_at", "accepted_at", "published_at", "dispatched_at", "finished_at", "checked_at", "closed_at")


def _moment(demand: Demand) -> datetime.datetime:
    """When the move happens: now, by a clock that never goes back within one demand, whichever process moves it."""
    return moment_after(demand.last_event_at, *(getattr(demand, name) for name in _PAST))  # type: ignore[attr-defined]


def carry_out(
    *,
    actor: Actor,
    name: str,
    data: Mapping[str, Any],
    version: int | None,
    demand: Demand,
    suborder: SubOrder | None = None,
    assignment: Assignment | None = None,
    known: Known | None = None,
) -> Made:
    """Makes one move in memory.

    Args:
        name, data, version: as for `services.actions.move`.
        demand, suborder, assignment: rows the caller has locked, the demand by `for_move`; the last one given is the one that moves.
        known: where effects read other rows.

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale, Invalid: the rows are as they were.
    """
    locked: Any = assignment or suborder or demand
    row = BY_MODEL[type(locked)].check(locked, name, actor=actor, data=data, version=version)
    step = Move(
        actor=actor,
        row=row,
        data=data,
        now=_moment(demand),
        clock=clock_for(demand.county_id),
        demand=demand,
        suborder=suborder,
        assignment=assignment,
        known=known or Known(),
    )
    rows: list[Any] = [obj for obj in (demand, suborder, assignment) if obj is not None]
    before = [(obj, snapshot(obj)) for obj in rows]
    from_state = locked.state
    try:
        if row.target is not None:
            locked.state = row.target
        EFFECTS[type(locked)][name](step)
    except DomainError:
        for obj, old in (*before, *step.beside):
            for column, value in old.items():
                setattr(obj, column, value)
        raise
    changed: list[tuple[models.Model, list[str]]] = []
    changes: dict[str, tuple[Any, Any]] = {}
    for obj, old in (*before, *step.beside):
        _keep_limit(row, obj, old)
        differing = {
            column: (value, getattr(obj, column)) for column, value in old.items() if value != getattr(obj, column)
        }
        if differing:
            obj.version += 1
            columns = [*differing, "version"]
            if isinstance(obj, SubOrder):
                obj.remind_at = reminders.first_at(obj)
                columns.append("remind_at")
            changed.append((obj, columns))
            changes |= {f"{_named(obj, step)}{column}": pair for column, pair in differing.items()}
    for added in step.added:
        if isinstance(added, SubOrder):
            added.remind_at = reminders.first_at(added)
    return Made(step, from_state, locked.state, changed, changes)


def _named(obj: models.Model, step: Move) -> str:
    """How the trail calls a row's columns: the demand's by themselves, others by their model, those beside by key too."""
    if obj is step.demand:
        return ""
    model = obj._meta.model_name
    return f"{model}." if obj in (step.suborder, step.assignment) else f"{model}.{obj.pk}."


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
