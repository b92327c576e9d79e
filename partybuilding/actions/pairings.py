"""Who looks after which place: begun, changed, ended, handed over. Source: docs/domain.md#x5, #z1, #z3.

Locks, in this order: the streets of the places (so that none is retired meanwhile), units, people, pairings; each in id
order.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.models import User
from core.periods import date_words
from core.text import clean_line
from grids.actions.locks import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_days, check_person, last_day, locked_people, meet
from grids.models import GridNode, Level
from partybuilding.models import Pairing, PairingProblem, Unit
from partybuilding.pairing_kinds import KINDS, Holder, Kind, kinds_at
from partybuilding.posts import MANAGE_PAIRING

UNCHANGED: Any = object()


@dataclass(frozen=True)
class NewPairing:
    """A pairing to be. The fields mean what the arguments of `start_pairing` mean; `end` for one that is over."""

    kind: str
    node: GridNode
    unit: Unit | None = None
    user: User | None = None
    duty: str = ""
    start: datetime.date | None = None
    end: datetime.date | None = None


@dataclass(frozen=True)
class PairingChange:
    """What shall be said of a pairing that stands. What is not given stays."""

    pairing: Pairing
    duty: str = UNCHANGED
    start: datetime.date = UNCHANGED
    end: datetime.date | None = UNCHANGED


def start_pairing(
    *,
    actor: Actor,
    kind: str,
    node: GridNode,
    unit: Unit | None = None,
    user: User | None = None,
    duty: str = "",
    start: datetime.date | None = None,
) -> Pairing:
    """Lets a person or a unit look after a place.

    Args:
        kind: key of `pairing_kinds.KINDS`; says whether `unit` or `user` is given, and at which levels.
        start: first day; today when not given.

    Raises:
        NotFound, Forbidden: no `pairing.manage` at the place.
        Invalid: the kind is not made at this level or not with such a holder, the place is retired, the unit closed,
            the account stopped, or one of them of another county. Conflict: they are paired already.
    """
    return start_pairings(actor=actor, rows=[NewPairing(kind, node, unit, user, duty, start)])[0]


@transaction.atomic
def start_pairings(*, actor: Actor, rows: Sequence[NewPairing]) -> list[Pairing]:
    """Makes many pairings in a few statements, for imports; all or none. Raises as `start_pairing`."""
    nodes, units, users = _lock(rows)
    require(actor, MANAGE_PAIRING, *nodes.values())
    standing = _standing(nodes)
    made = []
    for row in rows:
        node = nodes[row.node.pk]
        unit = units[row.unit.pk] if row.unit else None
        user = users[row.user.pk] if row.user else None
        kind = _check(row.kind, node, unit, user)
        start = row.start or timezone.localdate()
        check_days(start, row.end)
        one = Pairing(
            county_id=node.county_id,
            kind=kind.key,
            node=node,
            unit=unit,
            user=user,
            duty=_clean_duty(row.duty),
            start=start,
            end=row.end,
        )
        others = standing.setdefault(identity_of(one), [])
        _refuse_overlap(one, others)
        others.append(one)
        made.append(one)
    try:
        with transaction.atomic():
            Pairing.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有的刚刚已由别人登记，请刷新后再办理。"), code="paired_already") from error
    deeds = [audit.Deed(one, _told(one), label=label_of(one)) for one in made]
    audit.record_many(actor=actor, action="pairing.start", deeds=deeds, new=True)
    for row in rows:
        if row.user is not None:
            policies.forget_grants(row.user)
    return made


@transaction.atomic
def change_pairings(*, actor: Actor, rows: Sequence[PairingChange]) -> list[Pairing]:
    """Corrects duties and days of many pairings, for imports; all or none. Rows that say nothing new are left alone.

    Raises:
        NotFound, Forbidden: no `pairing.manage` at the place. Invalid: the days do not follow one another.
        Conflict: with the new days the holder would be paired with the place twice at once.
    """
    locked = _locked_pairings(row.pairing.pk for row in rows)
    require(actor, MANAGE_PAIRING, *locked.values())
    standing = _standing({row.node_id: row.node for row in locked.values()})
    deeds, changed = [], []
    for row in rows:
        one = locked[row.pairing.pk]
        given = {"duty": row.duty, "start": row.start, "end": row.end}
        if row.duty is not UNCHANGED:
            given["duty"] = _clean_duty(row.duty)
        changes = _apply(one, given)
        if not changes:
            continue
        check_days(one.start, one.end)
        if changes.keys() & {"start", "end"}:
            _refuse_overlap(one, [other for other in standing.get(identity_of(one), []) if other.pk != one.pk])
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, changes, label=label_of(one)))
    Pairing.objects.bulk_update(changed, ["duty", "start", "end", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="pairing.change", deeds=deeds)
    _forget(changed)
    return list(locked.values())


@transaction.atomic
def change_duty(
    *, actor: Actor, pairing: Pairing, duty: str, start: datetime.date = UNCHANGED, version: int | None = None
) -> Pairing:
    """Says anew what the pairing is about, and since when. Raises as `change_pairings`; Stale when the page is old."""
    row = _locked_pairings([pairing.pk])[pairing.pk]
    require(actor, MANAGE_PAIRING, row)
    _refuse_stale(row, version)
    return change_pairings(actor=actor, rows=[PairingChange(row, duty, start)])[0]


@transaction.atomic
def end_pairing(
    *,
    actor: Actor,
    pairing: Pairing,
    end: datetime.date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Pairing:
    """Ends a pairing. Its visits and problems stay; open problems can still be solved by whoever looks after the place.

    Args:
        end: last day, rights included; today when not given.

    Raises:
        NotFound, Forbidden: no `pairing.manage` at the place. Invalid: the day is before the first one.
        Conflict: it has ended already. Stale: the page is old.
    """
    row = _locked_pairings([pairing.pk])[pairing.pk]
    require(actor, MANAGE_PAIRING, row)
    end = last_day(row, end)
    _refuse_stale(row, version)
    _end(actor, row, end, reason)
    return row


@transaction.atomic
def hand_over_pairing(
    *,
    actor: Actor,
    pairing: Pairing,
    unit: Unit | None = None,
    user: User | None = None,
    day: datetime.date | None = None,
    duty: str = UNCHANGED,
    reason: str = "",
    version: int | None = None,
) -> Pairing:
    """Ends a pairing and begins another one of the same kind at the same place on the same day, with a new holder.

    The problems that are not solved go along; visits and solved problems stay with whoever made them.

    Args:
        day: last day of the one and first of the other; today when not given.
        duty: of the new holder; the old one's when not given.

    Returns the new pairing. Raises as `end_pairing` and `start_pairing`; Invalid also when it would go to itself.
    """
    rows = [NewPairing(pairing.kind, pairing.node, unit, user)]
    _lock(rows)
    row = _locked_pairings([pairing.pk])[pairing.pk]
    require(actor, MANAGE_PAIRING, row)
    day = last_day(row, day)
    _refuse_stale(row, version)
    if (unit.pk if unit else None, user.pk if user else None) == (row.unit_id, row.user_id):
        message = _("已经由其包联，请选择另一个接手。")
        raise Invalid(message, fields={"unit" if unit else "user": message})
    _end(actor, row, day, reason)
    new = start_pairing(
        actor=actor,
        kind=row.kind,
        node=row.node,
        unit=unit,
        user=user,
        duty=row.duty if duty is UNCHANGED else duty,
        start=day,
    )
    carried = list(PairingProblem.objects.select_for_update().filter(pairing=row, solved_on=None).order_by("pk"))
    PairingProblem.objects.filter(pk__in=[problem.pk for problem in carried]).update(pairing=new)
    for problem in carried:
        problem.pairing = new
    changes = {"pairing_id": (row.pk, new.pk)}
    deeds = [audit.Deed(problem, changes, label=label_of(new)) for problem in carried]
    audit.record_many(actor=actor, action="pairing.problem_pass", deeds=deeds)
    return new


def label_of(row: Pairing) -> str:
    """Place and kind. Not the person: the trail is never erased, who it was stands as an id in the changes."""
    return f"{row.node} {row.get_kind_display()}"


# --- Locks ----------------------------------------------------------------------------------------------------------


def _lock(rows: Sequence[NewPairing]) -> tuple[dict[int, GridNode], dict[int, Unit], dict[int, User]]:
    """Places, units and people as they are now, by key."""
    nodes = hold_places(*{row.node.pk: row.node for row in rows}.values())
    units: dict[int, Unit] = {}
    for some in batches(sorted({row.unit.pk for row in rows if row.unit})):
        found = Unit.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
        units.update({unit.pk: unit for unit in found})
    users = locked_people({row.user.pk for row in rows if row.user})
    return {node.pk: node for node in nodes}, units, users


def _locked_pairings(pks: Iterable[int]) -> dict[int, Pairing]:
    found: dict[int, Pairing] = {}
    for some in batches(sorted(set(pks))):
        rows = Pairing.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update({row.pk: row for row in rows.select_related("node__level_type", "unit", "user")})
    return found


# --- Checks ---------------------------------------------------------------------------------------------------------

Identity = tuple[str, int, int | None, int | None]


def identity_of(row: Pairing) -> Identity:
    return str(row.kind), row.node_id, row.unit_id, row.user_id


def _standing(nodes: dict[int, GridNode]) -> dict[Identity, list[Pairing]]:
    """All pairings of these places, past ones included."""
    found: dict[Identity, list[Pairing]] = {}
    for some in batches(sorted(nodes)):
        for row in Pairing.objects.filter(node_id__in=some).order_by("pk"):
            found.setdefault(identity_of(row), []).append(row)
    return found


def _check(key: str, node: GridNode, unit: Unit | None, user: User | None) -> Kind:
    kind = KINDS.get(key)
    if kind is None:
        message = _("请选择包联类型。")
        raise Invalid(message, fields={"kind": message})
    if node.is_retired:
        message = _("“%(place)s”已撤销，不能包联。") % {"place": node.path}
        raise Invalid(message, fields={"node": message})
    if node.level_type.key not in kind.levels:
        raise _wrong_level(kind, node)
    wanted = "unit" if kind.holder is Holder.UNIT else "user"
    if (unit is not None, user is not None) != (wanted == "unit", wanted == "user"):
        message = _("“%(kind)s”请只填单位。") if wanted == "unit" else _("“%(kind)s”请只填人员。")
        raise Invalid(message % {"kind": kind.label}, fields={wanted: message % {"kind": kind.label}})
    if unit is not None and (not unit.is_active or unit.county_id != node.county_id):
        message = _("“%(unit)s”不是本县在用的单位。") % {"unit": unit}
        raise Invalid(message, fields={"unit": message})
    if user is not None:
        check_person(user, node.county)
    return kind


def _wrong_level(kind: Kind, node: GridNode) -> Invalid:
    levels = Level.objects.filter(county_id=node.county_id, key__in=kind.levels).order_by("order")
    message = _("“%(kind)s”只能到%(levels)s；“%(place)s”是%(level)s。") % {
        "kind": kind.label,
        "levels": "、".join(level.name for level in levels) or _("（本县没有）"),
        "place": node.name,
        "level": node.level_type.name,
    }
    if node.level_type.key == "community" and kind.holder is Holder.UNIT:
        message += _("社区的牵头单位在“单位报到”里登记。")
    elif kinds_at(node.level_type.key) == []:
        message += _("这一级不设包联。")
    return Invalid(message, fields={"node": message})


def _refuse_overlap(row: Pairing, others: Iterable[Pairing]) -> None:
    """On the day of a handover one may end and begin; otherwise the same two are not paired twice at once."""
    for other in others:
        if meet(other, row.start, row.end):
            raise Conflict(
                _("“%(holder)s”从 %(start)s 起已包联“%(place)s”，不用重复登记。")
                % {"holder": row.holder, "start": date_words(other.start), "place": row.node},
                code="paired_already",
            )


def _refuse_stale(row: Pairing, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这项包联刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


def _clean_duty(duty: str) -> str:
    return clean_line(duty, max_length=200, label=_("包联职责"), field="duty")


# --- Writing --------------------------------------------------------------------------------------------------------


def _apply(row: Pairing, given: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Sets what was given and differs; says what changed."""
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(row, field)
        if value is not UNCHANGED and value != before:
            setattr(row, field, value)
            changes[field] = (before, value)
    return changes


def _end(actor: Actor, row: Pairing, end: datetime.date, reason: str) -> None:
    row.end, row.version = end, row.version + 1
    row.save(update_fields=["end", "version"])
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason")
    changes = {"end": (None, end)}
    audit.record(actor=actor, action="pairing.end", obj=row, changes=changes, label=label_of(row), reason=reason)
    _forget([row])


def _forget(rows: Iterable[Pairing]) -> None:
    for row in rows:
        if row.user is not None:
            policies.forget_grants(row.user)


def _told(row: Pairing) -> dict[str, tuple[Any, Any]]:
    fields = ("kind", "node_id", "unit_id", "user_id", "duty", "start", "end")
    return {name: (None, getattr(row, name)) for name in fields if getattr(row, name) not in (None, "")}
