"""The one way a demand moves: page, phone, admin, API, resident and sweeper all end here."""

from collections.abc import Callable, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor
from core.errors import Conflict, NotFound
from core.photos import Photo as CleanPhoto
from core.photos import accept_photos
from core.prepared import Prepared, insert, update
from grids.actions import hold_places
from services.actions.carrying import Made, carry_out, for_move
from services.actions.outdating import hold_proposals
from services.actions.photos import keep_photos
from services.actions.step import Target
from services.models import Assignment, Demand, SubOrder

# What the system does once a move of a demand is written, by the move's name. Filled in `services.apps`; must not raise.
FOLLOWED: dict[str, Callable[[Demand], Demand]] = {}


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
    try:
        with transaction.atomic():
            demand = _move(actor, target, name, data, photos, version)
    except IntegrityError as error:
        raise Conflict(_("刚刚有人办理了同一件事，请刷新后查看最新情况。")) from error
    follow = FOLLOWED.get(name)
    return follow(demand) if follow is not None else demand


def _move(
    actor: Actor,
    target: Target,
    name: str,
    data: dict[str, Any],
    photos: list[CleanPhoto],
    version: int | None,
) -> Demand:
    if data.get("place") is not None:
        # Places before everything else; neither of the two may move while the matter goes from one to the other.
        data["place"] = hold_places(data["place"], _demand_of(target).node)[0]
        hold_proposals(_demand_of(target))
    demand, suborder, assignment = _lock(target, data)
    made = carry_out(
        actor=actor,
        name=name,
        data=data,
        version=version,
        demand=demand,
        suborder=suborder,
        assignment=assignment,
    )
    _write(made, photos)
    return demand


def _write(made: Made, photos: list[CleanPhoto]) -> None:
    """What the move changed and added, its line of the timeline, its deeds and its notices."""
    for row in made.step.added:
        insert(row)
    for obj, columns in made.changed:
        update(obj, columns)
    event = made.event()
    insert(event)
    keep_photos(event, photos)
    for carried in made.step.carried:
        update(carried.obj, [*(carried.changes or ()), "version"])
    for deed in (*made.step.carried, made.deed()):
        audit.record(
            actor=made.step.actor,
            action=deed.action,
            obj=deed.obj,
            changes=deed.changes,
            label=deed.label,
            personal=deed.personal,
        )
    notices.post_many(made.messages())
    for call in made.step.afterwards:
        call()


def _demand_of(target: Target) -> Demand:
    if isinstance(target, Demand):
        return target
    return target.demand if isinstance(target, SubOrder) else target.suborder.demand


def _lock(target: Target, data: dict[str, Any]) -> tuple[Demand, SubOrder | None, Assignment | None]:
    """Locks in one order always: demand, sub-order, assignment. Of two demands (`link`) the one with the smaller key
    first: two that are linked to one another at once must not both succeed, nor wait for each other.
    """
    seen = _demand_of(target)
    matter = data.get("matter")
    pks = {seen.pk} if matter is None else {seen.pk, matter.pk}
    locked = {row.pk: row for row in _locked(pks)}
    demand = locked.get(seen.pk)
    if demand is None:
        raise NotFound(_("没有找到这条需求。"))
    if matter is not None:
        data["matter"] = locked[matter.pk]
    _keep_relations(seen, demand)
    if isinstance(target, Demand):
        return demand, None, None
    suborder_id = target.pk if isinstance(target, SubOrder) else target.suborder_id
    suborder: SubOrder = _ORDER.one(suborder_id)
    suborder.demand = demand
    if isinstance(target, SubOrder):
        return demand, suborder, None
    assignment: Assignment = _ASKED.one(target.pk)
    assignment.suborder = suborder
    return demand, suborder, assignment


# A move locks one demand, nearly always: what that costs is mostly the writing of these statements.
_DEMAND = Prepared(lambda pk: for_move().filter(pk=pk).order_by(), int)
_ORDER = Prepared(
    lambda pk: SubOrder.objects.select_for_update(of=("self",)).select_related("unit").filter(pk=pk).order_by(), int
)
_ASKED = Prepared(
    lambda pk: Assignment.objects.select_for_update(of=("self",)).select_related("member").filter(pk=pk).order_by(), int
)


def _locked(pks: set[int]) -> list[Demand]:
    if len(pks) == 1:
        found = _DEMAND.one(*pks)
        return [found] if found is not None else []
    return list(for_move().filter(pk__in=pks).order_by("pk"))


# What policies, effects and notices read of a demand. Nothing of it changes under a move.
_RELATIONS = ("node", "community", "category", "lead_unit")


def _keep_relations(seen: Demand, locked: Demand) -> None:
    """Hands on what the caller has loaded already, as long as the locked row still points to it."""
    for name in _RELATIONS:
        field = Demand._meta.get_field(name)
        if field.is_cached(seen) and getattr(seen, field.attname) == getattr(locked, field.attname):  # type: ignore[union-attr]
            field.set_cached_value(locked, field.get_cached_value(seen))  # type: ignore[union-attr]
