"""The one way a row moves along a transition table, where nothing but the row itself is locked.

The demand and its orders have a mover of their own (`services.actions.moving`): it locks several rows and runs clocks.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import NotFound
from core.workflow import Workflow

Row = TypeVar("Row", bound=models.Model)
# What a move writes besides the state: gets the locked row, and the inputs. Whatever it changes of the row is saved.
Effect = Callable[[Any, Mapping[str, Any]], None]


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
