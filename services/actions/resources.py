"""The resource list: offered by units, checked by the community, used by projects. Source: docs/domain.md#l1.

Locks, in this order: the streets of the places, resources, projects; each in id order. A resource's row is the lock of
what is promised of it: of two projects that want the last of it exactly one gets it (`hold_resources`).
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, DomainError, Invalid, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import advance
from core.periods import date_words
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.permission import can, require
from grids.actions.terms import BATCH, batches
from grids.models import GridNode
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.list_notices import tell_resource
from services.models import Category, FreeTime, Resource, ResourceKind, ResourceState, UnitCheckIn
from services.models.words import check_words
from services.selectors.resources import left_of
from services.workflow import RESOURCE

UNCHANGED: Any = object()
MOST_QUANTITY = 100_000_000
_RELATED = ("node", "unit", "county")


@dataclass(frozen=True)
class ResourceFacts:
    """What shall be said of a resource. Of a new one (`resource` empty) place, kind, name and measure must be given;
    what is not given of one that stands stays.

    Attributes:
        unit: who provides it; None for the community's own. Never changes afterwards.
        node: the place inside which it may be used.
        times: keys of `FreeTime`; empty for any time. start, end: the days on which it is there, both included.
        version: of the page the person saw, for a resource that stands.
    """

    resource: Resource | None = None
    unit: Unit | None = UNCHANGED
    node: GridNode = UNCHANGED
    kind: str = UNCHANGED
    name: str = UNCHANGED
    quantity: int = UNCHANGED
    measure: str = UNCHANGED
    category: Category | None = UNCHANGED
    text: str = UNCHANGED
    times: Sequence[str] = UNCHANGED
    start: datetime.date = UNCHANGED
    end: datetime.date | None = UNCHANGED
    version: int | None = None


def offer_resource(*, actor: Actor, unit: Unit, node: GridNode, **facts: Any) -> Resource:
    """A unit lets something be used; the place checks it. `facts`: as `ResourceFacts`.

    Raises:
        NotFound, Forbidden: the actor does not offer for that unit. Conflict: it stands under that name already.
        Invalid: a fact is not usable, the place is retired, or the unit has not checked in there.
    """
    return keep_resources(actor=actor, rows=[ResourceFacts(unit=unit, node=node, **facts)])[0]


def register_resource(*, actor: Actor, node: GridNode, unit: Unit | None = None, **facts: Any) -> Resource:
    """The place registers its own resource, or one on behalf of a unit; it needs no check. Raises as `offer_resource`."""
    return keep_resources(actor=actor, rows=[ResourceFacts(unit=unit, node=node, **facts)])[0]


def change_resource(*, actor: Actor, resource: Resource, **facts: Any) -> Resource:
    """Corrects a resource. What a unit changes of its own is checked again.

    Raises as `offer_resource`; Stale for an old page; Conflict when it is withdrawn, or when projects hold more.
    """
    return keep_resources(actor=actor, rows=[ResourceFacts(resource, **facts)])[0]


@transaction.atomic
def keep_resources(*, actor: Actor, rows: Sequence[ResourceFacts]) -> list[Resource]:
    """Registers and corrects many resources in a few statements; all or none. Raises as `change_resource`."""
    named = [row.node for row in rows if row.node is not UNCHANGED]
    nodes = {node.pk: node for node in hold_places(*{node.pk: node for node in named}.values())}
    standing = _locked(row.resource.pk for row in rows if row.resource is not None)
    left = left_of(standing.values())
    new: list[Resource] = []
    changed: dict[int, Resource] = {}
    made, corrected, kept = [], [], []
    reported = _reported(rows, nodes)
    for row in rows:
        one = _begun(row, nodes) if row.resource is None else standing[row.resource.pk]
        held = one.quantity - left[one.pk] if row.resource is not None else 0
        if row.resource is not None:
            _refuse(actor, one, row)
        changes = _apply(row, one, nodes)
        _check(actor, one, held, changes, reported)
        if row.resource is None:
            new.append(one)
            made.append(audit.Deed(one, changes, label=label_of(one)))
        elif changes:
            one.version += 1
            changed[one.pk] = one
            corrected.append(audit.Deed(one, changes, label=label_of(one)))
        kept.append(one)
    try:
        with transaction.atomic():
            Resource.objects.bulk_create(new, batch_size=BATCH)
            Resource.objects.bulk_update(list(changed.values()), [*_FIELDS, "version"], batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("同一单位在这里已有同名的资源，请直接修改原来的那一项。"), code="resource_twice") from error
    audit.record_many(actor=actor, action="resource.register", deeds=made, new=True)
    audit.record_many(actor=actor, action="resource.change", deeds=corrected)
    for one in (*new, *changed.values()):
        if one.state == ResourceState.OFFERED:
            tell_resource("offer", one)
    return kept


def check_resource(*, actor: Actor, resource: Resource, version: int | None = None) -> Resource:
    """The place takes what a unit offers onto its list. Raises as `core.moving.advance`."""

    def effect(row: Resource, data: Any) -> None:
        row.reason, row.checked_on = "", timezone.localdate()

    return _move("check", actor, resource, {}, version, effect)


def send_back_resource(*, actor: Actor, resource: Resource, reason: str, version: int | None = None) -> Resource:
    """The unit is to complete what it offers. Raises as `core.moving.advance`."""
    return _move("send_back", actor, resource, {"reason": _reason(reason)}, version, _keep_reason)


def offer_again(*, actor: Actor, resource: Resource, version: int | None = None) -> Resource:
    """What was sent back is handed in again. Raises as `core.moving.advance`."""
    return _move("offer", actor, resource, {}, version)


def confirm_resource(*, actor: Actor, resource: Resource, version: int | None = None) -> Resource:
    """Says that the list still tells the truth of it. Raises as `core.moving.advance`."""

    def effect(row: Resource, data: Any) -> None:
        row.checked_on = timezone.localdate()

    return _move("confirm", actor, resource, {}, version, effect)


@transaction.atomic
def confirm_unchanged(*, actor: Actor, unit: Unit) -> int:
    """A unit says that all it has on offer stands as it is. Returns how many resources that were.

    Raises NotFound, Forbidden: the actor does not offer for that unit.
    """
    _require_offer(actor, unit)
    today = timezone.localdate()
    rows = Resource.objects.select_for_update(of=("self",)).filter(unit=unit, state=ResourceState.AVAILABLE)
    stale = [row for row in rows.select_related("node").order_by("pk") if row.checked_on != today]
    deeds = []
    for row in stale:
        deeds.append(audit.Deed(row, {"checked_on": (row.checked_on, today)}, label=label_of(row)))
        row.checked_on, row.version = today, row.version + 1
    Resource.objects.bulk_update(stale, ["checked_on", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="resource.confirm", deeds=deeds)
    return len(stale)


def withdraw_resource(*, actor: Actor, resource: Resource, reason: str, version: int | None = None) -> Resource:
    """Takes a resource off the list. Raises as `core.moving.advance`; Conflict while projects under way count on it."""
    return _move("withdraw", actor, resource, {"reason": _reason(reason)}, version, _keep_reason)


def label_of(row: Resource) -> str:
    return f"{row.node} {row.name}"


# --- Promised to projects -------------------------------------------------------------------------------------------


def hold_resources(
    wanted: Iterable[tuple[Resource, int]], *, freed: Callable[[int], int] = lambda pk: 0
) -> list[Resource]:
    """Locks what projects want of some resources and makes sure that there is as much; the caller writes the allocations
    in the same transaction.

    Args:
        wanted: resources and quantities; the same resource may come several times.
        freed: resource key -> what the caller gives back of it in the same breath.

    Returns the resources as they are now. Raises Conflict when there is too little, or one is not on offer now.
    """
    sums: dict[int, int] = {}
    for resource, quantity in wanted:
        if quantity < 1:
            message = _("数量请填写 1 或更大的整数。")
            raise Invalid(message, fields={"resources": message})
        sums[resource.pk] = sums.get(resource.pk, 0) + quantity
    rows = _locked(sums)
    left = left_of(rows.values())
    today = timezone.localdate()
    for row in rows.values():
        over = row.end is not None and row.end < today
        if row.state != ResourceState.AVAILABLE or over:
            state = _("已过期") if over else row.get_state_display()
            raise _short(_("“%(name)s”现在不能用（%(state)s），请换一项资源。") % {"name": row.name, "state": state})
        free = left[row.pk] + freed(row.pk)
        if sums[row.pk] > free:
            words = _(
                "“%(name)s”只剩 %(left)d %(measure)s，不够 %(wanted)d %(measure)s：其余的已经用在别的项目里。请改数量或换一项资源。"
            )
            told = {"name": row.name, "left": max(free, 0), "wanted": sums[row.pk], "measure": row.measure}
            raise _short(words % told)
    return list(rows.values())


def _short(message: str) -> Conflict:
    return Conflict(message, code="resource_short", fields={"resources": message})


# --- Checks ---------------------------------------------------------------------------------------------------------


def _locked(pks: Iterable[int]) -> dict[int, Resource]:
    found: dict[int, Resource] = {}
    for some in batches(sorted(set(pks))):
        rows = Resource.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update({row.pk: row for row in rows.select_related(*_RELATED)})
    return found


def _begun(row: ResourceFacts, nodes: dict[int, GridNode]) -> Resource:
    if row.node is UNCHANGED:
        message = _("请选择使用范围。")
        raise Invalid(message, fields={"node": message})
    node = nodes[row.node.pk]
    unit = row.unit if row.unit is not UNCHANGED else None
    today = timezone.localdate()
    return Resource(county_id=node.county_id, node=node, unit=unit, start=today, checked_on=today)


def _refuse(actor: Actor, one: Resource, row: ResourceFacts) -> None:
    """Rights first, then whether the page was old, then whether it may still be changed."""
    if not can(actor, posts.OFFER_RESOURCE, one):
        require(actor, posts.MANAGE_RESOURCE, one)
    if row.version is not None and row.version != one.version:
        raise Stale(_("这项资源刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))
    if one.state == ResourceState.WITHDRAWN:
        raise Conflict(_("“%(name)s”已撤回，不能再修改；需要时请重新登记。") % {"name": one.name}, code="withdrawn")


def _apply(row: ResourceFacts, one: Resource, nodes: dict[int, GridNode]) -> dict[str, tuple[Any, Any]]:
    """Puts what is given into a resource; says what changed."""
    new = one.pk is None
    changes: dict[str, tuple[Any, Any]] = {}
    if new and one.unit is not None:
        changes["unit_id"] = (None, one.unit.pk)
    for name, clean in _CLEAN.items():
        value = getattr(row, name)
        if value is UNCHANGED and not (new and name in _NEEDED):
            continue
        before = getattr(one, name)
        after = clean(None if value is UNCHANGED else nodes[value.pk] if name == "node" else value)
        if new or before != after:
            setattr(one, name, after)
            changes[name] = (None if new else _plain(before), _plain(after))
    return changes


def _plain(value: Any) -> Any:
    return getattr(value, "pk", value)


def _check(actor: Actor, one: Resource, held: int, changes: dict[str, Any], reported: set[tuple[int, int]]) -> None:
    """Whether the resource as it would be may stand, by whom, and in which state."""
    if one.node.is_retired:
        raise _bad("node", _("“%(place)s”已撤销，请选择其他地点。") % {"place": one.node.path})
    if one.unit is not None and (one.unit.county_id != one.county_id or not one.unit.is_active):
        raise _bad("unit", _("“%(unit)s”不是本县在用的单位。") % {"unit": one.unit})
    if one.category is not None and one.category.county_id != one.county_id:
        raise _bad("category", _("请选择本县的类别。"))
    if one.end is not None and one.end < one.start:
        raise _bad("end", _("可用止不能早于可用起 %(start)s。") % {"start": date_words(one.start)})
    if one.quantity < held:
        words = _("项目已经用了 %(held)d %(measure)s，数量不能少于这个数；请先在项目里调整。")
        raise _bad("quantity", words % {"held": held, "measure": one.measure}, Conflict)
    if can(actor, posts.MANAGE_RESOURCE, one):
        if one._state.adding:
            one.state = ResourceState.AVAILABLE
        return
    if one.unit is None or not policies.holds(actor, posts.OFFER_RESOURCE):
        require(actor, posts.MANAGE_RESOURCE, one)
        return
    _require_offer(actor, one.unit)
    if "node" in changes and (one.unit.pk, one.node.pk) not in reported:
        raise _bad(
            "node", _("本单位还没有在“%(place)s”报到，请先报到，或选择已报到的地方。") % {"place": one.node.path}
        )
    if changes:
        # What the community has checked is no longer what stands there.
        one.state = ResourceState.OFFERED


def _require_offer(actor: Actor, unit: Unit) -> None:
    if actor is not SYSTEM and UnitScope(unit.pk) not in policies.scopes(actor, posts.OFFER_RESOURCE):
        policies.require(actor, posts.OFFER_RESOURCE, unit)


def _reported(rows: Sequence[ResourceFacts], nodes: dict[int, GridNode]) -> set[tuple[int, int]]:
    """Which units may offer at which of the places: those checked in there, inside it, or around it."""
    units = {row.unit.pk for row in rows if row.unit is not UNCHANGED and row.unit is not None}
    units |= {row.resource.unit_id for row in rows if row.resource is not None and row.resource.unit_id}
    if not units or not nodes:
        return set()
    found = set()
    held = UnitCheckIn.objects.current().filter(unit__in=units).select_related("node")
    for checkin in held:
        for node in nodes.values():
            here = checkin.node
            apart = here.tree_id != node.tree_id or here.rght < node.lft or node.rght < here.lft
            if not apart:
                found.add((checkin.unit_id, node.pk))
    return found


def _bad(name: str, message: str, error: type[DomainError] = Invalid) -> DomainError:
    return error(message, fields={name: message})


def _words(limit: int, label: str, name: str, *, required: bool = False) -> Callable[[Any], str]:
    def clean(value: Any) -> str:
        text = clean_line(value, max_length=limit, label=_(label), field=name, required=required)
        return scrub_identity_numbers(scrub_phone_numbers(text))

    return clean


def _clean_kind(value: Any) -> str:
    if value not in ResourceKind.values:
        raise _bad("kind", _("请选择资源类型。"))
    return str(value)


def _clean_quantity(value: Any) -> int:
    if value is None:
        return 1
    if not 1 <= value <= MOST_QUANTITY:
        raise _bad("quantity", _("数量请填写 1 或更大的整数。"))
    return int(value)


def _clean_times(value: Any) -> list[str]:
    try:
        return check_words(FreeTime, value or ())
    except ValidationError as error:
        raise _bad("times", _("请从列表中选择可用时段。")) from error


def _same(value: Any) -> Any:
    return value


_NEEDED = ("kind", "name", "measure")
_CLEAN: dict[str, Callable[[Any], Any]] = {
    "node": _same,
    "kind": _clean_kind,
    "name": _words(60, "资源名称", "name", required=True),
    "quantity": _clean_quantity,
    "measure": _words(10, "计量单位", "measure", required=True),
    "category": _same,
    "text": _words(300, "说明", "text"),
    "times": _clean_times,
    "start": _same,
    "end": _same,
}
_FIELDS = [*_CLEAN, "state"]


def _reason(text: str) -> str:
    return clean_line(text, max_length=500, label=_("意见"), field="reason")


def _keep_reason(row: Resource, data: Any) -> None:
    row.reason = data["reason"]


def _move(
    name: str, actor: Actor, resource: Resource, data: dict[str, Any], version: int | None, effect: Any = None
) -> Resource:
    with transaction.atomic():
        row = advance(
            RESOURCE,
            resource,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=_RELATED,
            label=label_of(resource),
        )
        tell_resource(name, row)
    return row
