"""Units reporting to places: registered by the community itself, changed, renewed. `applications` is the unit's own way in,
`checkin_ends` the way out.

Locks, in this order: the streets of the places, units, applications, check-ins; each in id order. The unit's row is what
keeps two people from registering it twice, and an acceptance from an ending.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.models import User
from core.periods import date_words
from core.text import clean_text
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_days, meet
from grids.models import Appointment, GridNode
from partybuilding.models import Unit, UnitMembership, UnitRole
from services import checkin_notices, posts
from services.models import CheckInRole, UnitCheckIn
from services.selectors.checkins import receiving_posts

UNCHANGED: Any = object()
MOST_YEARS = 5
LONGEST = 500


@dataclass(frozen=True)
class NewCheckIn:
    """A check-in to be. The fields mean what the arguments of `check_in` mean; `end` for one that is over."""

    unit: Unit
    node: GridNode
    role: str = CheckInRole.SUPPORTING
    start: datetime.date | None = None
    until: datetime.date | None = None
    brings: str = ""
    unit_liaison: User | None = None
    community_liaison: User | None = None
    end: datetime.date | None = None


@dataclass(frozen=True)
class CheckInChange:
    """What shall be said of a check-in that stands. What is not given stays."""

    checkin: UnitCheckIn
    role: str = UNCHANGED
    brings: str = UNCHANGED
    until: datetime.date | None = UNCHANGED
    unit_liaison: User | None = UNCHANGED
    community_liaison: User | None = UNCHANGED


def check_in(
    *,
    actor: Actor,
    unit: Unit,
    node: GridNode,
    role: str = CheckInRole.SUPPORTING,
    start: datetime.date | None = None,
    years: int | None = None,
    brings: str = "",
    unit_liaison: User | None = None,
    community_liaison: User | None = None,
) -> UnitCheckIn:
    """Registers a unit with a place without an application, and tells its liaisons.

    Args:
        start: first day; today when not given.
        years: how long the agreement runs, 1 to 5; without it, it has no end.
        brings: what the unit brings, at most 500 characters.
        unit_liaison, community_liaison: who answers on either side, where somebody is named.

    Raises:
        NotFound, Forbidden: no `checkin.manage` at the place.
        Invalid: the unit or the place is out of use or of another county, a liaison is none of theirs.
        Conflict: the unit has reported there already.
    """
    start = start or timezone.localdate()
    until = years_later(start, years) if years is not None else None
    row = NewCheckIn(unit, node, role, start, until, brings, unit_liaison, community_liaison)
    with transaction.atomic():
        (made,) = check_ins(actor=actor, rows=[row])
        notices.post_many([checkin_notices.started(made)])
    return made


@transaction.atomic
def check_ins(*, actor: Actor, rows: Sequence[NewCheckIn]) -> list[UnitCheckIn]:
    """Registers many check-ins in a few statements, for imports; all or none. Tells nobody. Raises as `check_in`."""
    nodes = {node.pk: node for node in hold_places(*{row.node.pk: row.node for row in rows}.values())}
    require(actor, posts.MANAGE_CHECKIN, *nodes.values())
    units = locked_units(row.unit.pk for row in rows)
    standing = standing_at(nodes, units)
    made = []
    for row in rows:
        unit, node = units[row.unit.pk], nodes[row.node.pk]
        check_both(unit, node)
        start = row.start or timezone.localdate()
        check_days(start, row.end)
        one = UnitCheckIn(
            unit=unit,
            node=node,
            role=clean_role(row.role),
            brings=clean_brings(row.brings),
            unit_liaison=row.unit_liaison,
            community_liaison=row.community_liaison,
            start=start,
            until=clean_until(row.until, start),
            end=row.end,
        )
        others = standing.setdefault((unit.pk, node.pk), [])
        refuse_twice(one, others)
        others.append(one)
        made.append(one)
    check_liaisons(made)
    return create(actor=actor, rows=made)


def create(*, actor: Actor, rows: Sequence[UnitCheckIn]) -> list[UnitCheckIn]:
    """Writes check-ins that have been looked at, gives each its number, and writes that down.

    Raises Conflict when somebody else was faster.
    """
    try:
        with transaction.atomic():
            made = UnitCheckIn.objects.bulk_create(rows, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有的单位刚刚已由别人登记报到，请刷新后再办理。"), code="checked_in_already") from error
    number(made)
    deeds = [audit.Deed(row, _told(row), label=str(row)) for row in made]
    audit.record_many(actor=actor, action="checkin.start", deeds=deeds, new=True)
    return made


def number(rows: Sequence[UnitCheckIn]) -> None:
    """Gives saved check-ins the numbers of their receipts: county, year, and the row's own key, which nobody else has."""
    for row in rows:
        row.number = f"{row.node.county.code}-{row.start.year}-{row.pk:05d}"
    UnitCheckIn.objects.bulk_update(rows, ["number"], batch_size=BATCH)


@transaction.atomic
def change_check_ins(*, actor: Actor, rows: Sequence[CheckInChange]) -> list[UnitCheckIn]:
    """Says many check-ins anew, for imports; all or none. Rows that say nothing new are left alone. Tells nobody.

    Raises:
        NotFound, Forbidden: no `checkin.manage` at the place.
        Invalid: an unknown role, a day before the first one, a liaison who is none of theirs.
        Conflict: a check-in has ended; what is over stays as it was.
    """
    locked = locked_checkins(row.checkin for row in rows)
    require(actor, posts.MANAGE_CHECKIN, *locked.values())
    changed: list[UnitCheckIn] = []
    deeds = []
    for row in rows:
        one = locked[row.checkin.pk]
        changes = _apply(one, row)
        if not changes:
            continue
        if is_over(one):
            raise Conflict(_("“%(checkin)s”的报到已结束，不能修改。") % {"checkin": one}, code="ended_already")
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, changes, label=str(one)))
    check_liaisons(changed, only={one.pk: deed.changes or {} for one, deed in zip(changed, deeds, strict=True)})
    UnitCheckIn.objects.bulk_update(changed, [*_CHANGED, "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="checkin.change", deeds=deeds)
    return list(locked.values())


@transaction.atomic
def change_check_in(
    *,
    actor: Actor,
    checkin: UnitCheckIn,
    role: str = UNCHANGED,
    brings: str = UNCHANGED,
    until: datetime.date | None = UNCHANGED,
    unit_liaison: User | None = UNCHANGED,
    community_liaison: User | None = UNCHANGED,
    version: int | None = None,
) -> UnitCheckIn:
    """Changes the role, what the unit brings, the agreement's last day or the liaisons, and tells the unit.

    Raises as `change_check_ins`; Stale when the page is old.
    """
    row = locked_checkins([checkin])[checkin.pk]
    require(actor, posts.MANAGE_CHECKIN, row)
    refuse_stale(row, version)
    change = CheckInChange(row, role, brings, until, unit_liaison, community_liaison)
    (after,) = change_check_ins(actor=actor, rows=[change])
    if after.version != row.version:
        notices.post_many([checkin_notices.changed(after)])
    return after


# --- Locks ----------------------------------------------------------------------------------------------------------


def locked_units(pks: Iterable[int]) -> dict[int, Unit]:
    found: dict[int, Unit] = {}
    for some in batches(sorted(set(pks))):
        rows = Unit.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
        found.update({row.pk: row for row in rows})
    return found


def locked_checkins(rows: Iterable[UnitCheckIn]) -> dict[int, UnitCheckIn]:
    """Check-ins with their places held and their units locked, as they are now."""
    known = list(rows)
    hold_places(*{row.node_id: row.node for row in known}.values())
    locked_units(row.unit_id for row in known)
    found: dict[int, UnitCheckIn] = {}
    for some in batches(sorted({row.pk for row in known})):
        again = UnitCheckIn.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update({row.pk: row for row in again.select_related("node__county", "unit", *LIAISONS)})
    return found


# --- Checks ---------------------------------------------------------------------------------------------------------

LIAISONS = ("unit_liaison", "community_liaison")
Pair = tuple[int, int]


def standing_at(nodes: Iterable[int], units: Iterable[int]) -> dict[Pair, list[UnitCheckIn]]:
    """(unit, place) -> their check-ins, past ones included."""
    found: dict[Pair, list[UnitCheckIn]] = {}
    wanted = list(units)
    for some in batches(sorted(nodes)):
        for row in UnitCheckIn.objects.filter(node_id__in=some, unit_id__in=wanted).order_by("pk"):
            found.setdefault((row.unit_id, row.node_id), []).append(row)
    return found


def check_both(unit: Unit, node: GridNode) -> None:
    """Raises Invalid for a unit or a place that is out of use, or a unit of another county."""
    if unit.county_id != node.county_id or not unit.is_active:
        raise Invalid(_("“%(unit)s”不是本县在用的单位。") % {"unit": unit}, fields={"unit": _("不能选择。")})
    if node.is_retired:
        raise Invalid(_("“%(place)s”已撤销。") % {"place": node}, fields={"node": _("已撤销。")})


def refuse_twice(row: UnitCheckIn, others: Iterable[UnitCheckIn]) -> None:
    for other in others:
        if other.pk != row.pk and meet(other, row.start, row.end):
            raise Conflict(
                _("“%(unit)s”从%(start)s起已在“%(place)s”报到，不用重复登记。")
                % {"unit": row.unit, "start": date_words(other.start), "place": row.node},
                code="checked_in_already",
            )


def check_liaisons(rows: Sequence[UnitCheckIn], *, only: dict[int, Any] | None = None) -> None:
    """Raises Invalid for a liaison who is none of the unit's, or holds no post at the community. Two queries.

    Args:
        only: check-in key -> the columns that changed; who was named before stays, even where they have left since.
    """
    unit_side = [row for row in rows if row.unit_liaison_id and (only is None or "unit_liaison_id" in only[row.pk])]
    there = [
        row for row in rows if row.community_liaison_id and (only is None or "community_liaison_id" in only[row.pk])
    ]
    acting: set[Pair] = set()
    for some in batches({row.unit_id for row in unit_side}):
        held = UnitMembership.objects.current().filter(unit_id__in=some, role=UnitRole.LIAISON, user__is_active=True)
        acting |= set(held.values_list("unit_id", "user_id"))
    for row in unit_side:
        if (row.unit_id, row.unit_liaison_id) not in acting:
            message = _("“%(person)s”不是“%(unit)s”的联络员。") % {"person": row.unit_liaison, "unit": row.unit}
            raise Invalid(message, fields={"unit_liaison": message})
    posted: set[Pair] = set()
    for some in batches({row.node.community_id or row.node_id for row in there}):
        here = Appointment.objects.current().filter(node_id__in=some, post__in=receiving_posts(), user__is_active=True)
        posted |= {(node, user) for node, user in here.values_list("node_id", "user_id") if node is not None}
    for row in there:
        if (row.node.community_id or row.node_id, row.community_liaison_id) not in posted:
            message = _("“%(person)s”不在这个社区任职。") % {"person": row.community_liaison}
            raise Invalid(message, fields={"community_liaison": message})


def clean_role(role: str) -> str:
    if role not in CheckInRole.values:
        raise Invalid(_("请选择牵头单位或配合单位。"), fields={"role": _("没有这个角色。")})
    return role


def clean_brings(text: str, *, required: bool = False) -> str:
    return clean_text(text, max_length=LONGEST, label=_("带来的资源和服务"), field="brings", required=required)


def clean_until(until: datetime.date | None, start: datetime.date) -> datetime.date | None:
    if until is not None and until < start:
        message = _("协议到期不能早于报到日期 %(start)s。") % {"start": date_words(start)}
        raise Invalid(message, fields={"until": message})
    return until


def years_later(day: datetime.date, years: int) -> datetime.date:
    """The same day some years on; 28 February for a leap day. Raises Invalid unless it is 1 to 5 years."""
    if not 1 <= years <= MOST_YEARS:
        message = _("共建年限是 1 至 %(most)d 年。") % {"most": MOST_YEARS}
        raise Invalid(message, fields={"years": message})
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def refuse_stale(row: UnitCheckIn, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这项报到刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


def is_over(row: UnitCheckIn) -> bool:
    return row.end is not None and row.end < timezone.localdate()


# --- Writing --------------------------------------------------------------------------------------------------------

_CHANGED = ("role", "brings", "until", *LIAISONS)


def _apply(row: UnitCheckIn, change: CheckInChange) -> dict[str, tuple[Any, Any]]:
    """Sets what was given and differs; answers what changed, by column."""
    given: dict[str, Any] = {name: getattr(change, name) for name in _CHANGED}
    if change.role is not UNCHANGED:
        given["role"] = clean_role(change.role)
    if change.brings is not UNCHANGED:
        given["brings"] = clean_brings(change.brings)
    if change.until is not UNCHANGED:
        given["until"] = clean_until(change.until, row.start)
    changes: dict[str, tuple[Any, Any]] = {}
    for name, value in given.items():
        if value is UNCHANGED or value == getattr(row, name):
            continue
        column = row._meta.get_field(name).attname  # type: ignore[union-attr]
        before = getattr(row, column)
        setattr(row, name, value)
        changes[column] = (before, getattr(row, column))
    return changes


def _told(row: UnitCheckIn) -> dict[str, tuple[Any, Any]]:
    fields = ("unit_id", "node_id", "role", "number", "brings", "unit_liaison_id", "community_liaison_id")
    days = ("start", "until", "end")
    return {name: (None, getattr(row, name)) for name in (*fields, *days) if getattr(row, name) not in (None, "")}
