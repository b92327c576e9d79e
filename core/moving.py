"""The one way a row moves along a transition table, alone or with many others, where nothing but the row itself is locked.

The demand and its orders have a mover of their own (`services.actions.moving`): it locks several rows and runs clocks.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import DomainError, NotFound
from core.workflow import Workflow

Row = TypeVar("Row", bound=models.Model)
# What a move writes besides the state: gets the locked row, and the inputs. Whatever it changes of the row is saved.
Effect = Callable[[Any, Mapping[str, Any]], None]
BATCH = 500


@transaction.atomic
def advance(
    flow: Workflow,
    row: Row,
    name: str,
    *,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    version: int | None = None,
    effect: Effect | None = None,
    related: Collection[str] = (),
    label: str = "",
    personal: Collection[str] = (),
) -> Row:
    """Makes one move of a row: locked, checked, written with its deed in the audit trail (`<flow>.<move>`).

    Args:
        row: read again under its lock; must have `version`.
        name: of the transition in `flow`. data: its inputs, already of their types.
        version: the version the person saw on the page.
        effect: what else the move writes, called under the lock after every check; may raise any refusal.
        related: foreign keys that policies, guards and the effect read.
        label: what the trail calls the row; never personal data.
        personal: columns whose values the trail does not hold.

    Returns the row as it is after the move.

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale, Invalid: nothing was changed.
    """
    rows = type(row)._default_manager.select_for_update(of=("self",)).select_related(*related)
    locked: Any = rows.filter(pk=row.pk).first()
    if locked is None:
        raise NotFound(_("没有找到这条记录，或不在您的管辖范围内。"))
    data = data or {}
    transition = flow.check(locked, name, actor=actor, data=data, version=version)
    before = {column.attname: getattr(locked, column.attname) for column in locked._meta.concrete_fields}
    if transition.target is not None:
        setattr(locked, flow.field, transition.target)
    if effect is not None:
        effect(locked, data)
    changed = {key: (old, getattr(locked, key)) for key, old in before.items() if old != getattr(locked, key)}
    if changed:
        locked.version += 1
        locked.save(update_fields=[*changed, "version"])
    audit.record(
        actor=actor,
        action=f"{flow.name}.{transition.name}",
        obj=locked,
        changes=changed,
        label=label,
        reason=str(data.get("reason") or ""),
        personal=personal,
    )
    return locked


@dataclass(frozen=True)
class Refused:
    """A row that was not moved among many, and why."""

    row: Any
    error: DomainError

    @property
    def reason(self) -> str:
        return self.error.message


@dataclass
class Moved(Generic[Row]):
    """What became of many rows: those that moved, as they are after it, and those that could not."""

    done: list[Row]
    refused: list[Refused]

    def only(self) -> Row:
        """The one row, when one was asked for. Raises what it was refused with; undo what else was written then."""
        for one in self.refused:
            raise one.error
        return self.done[0]


@transaction.atomic
def advance_many(
    flow: Workflow,
    rows: Collection[Row],
    name: str,
    *,
    actor: Actor,
    data: Mapping[str, Any] | None = None,
    versions: Mapping[int, int] | None = None,
    effect: Effect | None = None,
    related: Collection[str] = (),
    label: Callable[[Any], str] = lambda row: "",
    personal: Collection[str] = (),
) -> Moved[Row]:
    """Makes one move of many rows of one model in a few statements. What can not move stays as it is and is named.

    Arguments as `advance`; `versions`: key of the row -> the version the person saw. `related` must hold all that
    policies and guards read, or each row costs queries of its own.
    """
    if not rows:
        return Moved([], [])
    manager = type(next(iter(rows)))._default_manager
    data = data or {}
    moved: Moved[Row] = Moved([], [])
    deeds: list[audit.Deed] = []
    columns: set[str] = set()
    keys = sorted({int(row.pk) for row in rows})
    for start in range(0, len(keys), BATCH):
        some = (
            manager.select_for_update(of=("self",)).select_related(*related).filter(pk__in=keys[start : start + BATCH])
        )
        for locked in some.order_by("pk"):
            before = {column.attname: getattr(locked, column.attname) for column in locked._meta.concrete_fields}
            try:
                seen = (versions or {}).get(locked.pk)
                transition = flow.check(locked, name, actor=actor, data=data, version=seen)
                if transition.target is not None:
                    setattr(locked, flow.field, transition.target)
                if effect is not None:
                    effect(locked, data)
            except DomainError as error:
                moved.refused.append(Refused(locked, error))
                continue
            changed = {key: (old, getattr(locked, key)) for key, old in before.items() if old != getattr(locked, key)}
            locked.version += 1  # type: ignore[attr-defined]
            columns |= changed.keys()
            reason = str(data.get("reason") or "")
            deeds.append(audit.Deed(locked, changed, label=label(locked), reason=reason, personal=personal))
            moved.done.append(locked)
    manager.bulk_update(moved.done, [*sorted(columns), "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action=f"{flow.name}.{name}", deeds=deeds)
    return moved
