"""Who sits on a joint body, as what, from a day to a day. The body's row is the lock of its seats."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.periods import date_words
from core.text import clean_line
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_days, last_day, meet
from partybuilding.actions.alliances import held_alliances, refuse_closed, refuse_stale
from partybuilding.alliance_rules import TAKES_TURNS
from partybuilding.models import Alliance, AllianceSeat, SeatRole, Unit
from partybuilding.posts import MANAGE_ALLIANCE

UNCHANGED: Any = object()
_FIELDS = ("unit", "title", "start", "end")
_PERSONAL = ("name",)


@dataclass(frozen=True)
class NewSeat:
    """A seat to be. The fields mean what the arguments of `add_seat` mean."""

    alliance: Alliance
    role: str
    name: str
    unit: Unit | None = None
    title: str = ""
    start: datetime.date | None = None
    end: datetime.date | None = None


@dataclass(frozen=True)
class SeatChange:
    """What is to be different of a seat. What is not given stays; who sits there changes by `replace_seat`."""

    seat: AllianceSeat
    unit: Unit | None = UNCHANGED
    title: str = UNCHANGED
    start: datetime.date = UNCHANGED
    end: datetime.date | None = UNCHANGED


def add_seat(
    *,
    actor: Actor,
    alliance: Alliance,
    role: str,
    name: str,
    unit: Unit | None = None,
    title: str = "",
    start: datetime.date | None = None,
    end: datetime.date | None = None,
) -> AllianceSeat:
    """Gives somebody a seat.

    Args:
        unit: whose person it is; the community's and street's own people have none.
        title: their office there. start: today when not given. end: the last day of the term.

    Raises:
        NotFound, Forbidden: no `alliance.manage` there.
        Invalid: unknown role, a field is not usable, the unit is closed or of another county, the days do not follow one
            another, a rotating chair's term has no end.
        Conflict: the body is closed, the person sits there in that role already, or two rotating chairs would share days.
    """
    return add_seats(actor=actor, rows=[NewSeat(alliance, role, name, unit, title, start, end)])[0]


@transaction.atomic
def add_seats(*, actor: Actor, rows: Sequence[NewSeat]) -> list[AllianceSeat]:
    """Gives many seats in a few statements, for imports; all or none. Raises as `add_seat`."""
    alliances = held_alliances(row.alliance for row in rows)
    require(actor, MANAGE_ALLIANCE, *alliances.values())
    units = _units(row.unit for row in rows)
    standing = _standing(alliances)
    made = []
    for row in rows:
        alliance = alliances[row.alliance.pk]
        refuse_closed(alliance)
        seat = AllianceSeat(
            alliance=alliance,
            role=_clean_role(row.role),
            name=_clean_name(row.name),
            unit=units[row.unit.pk] if row.unit else None,
            title=_clean_title(row.title),
            start=row.start or timezone.localdate(),
            end=row.end,
        )
        check_seat(seat, standing[alliance.pk])
        standing[alliance.pk].append(seat)
        made.append(seat)
    AllianceSeat.objects.bulk_create(made, batch_size=BATCH)
    deeds = [audit.Deed(seat, _told(seat), label=str(seat), personal=_PERSONAL) for seat in made]
    audit.record_many(actor=actor, action="alliance.seat_add", deeds=deeds, new=True)
    return made


@transaction.atomic
def change_seats(*, actor: Actor, rows: Sequence[SeatChange]) -> list[AllianceSeat]:
    """Corrects unit, title and term of many seats, for imports; all or none. Rows that say nothing new are left alone.
    Raises as `add_seat`."""
    alliances = held_alliances(row.seat.alliance for row in rows)
    require(actor, MANAGE_ALLIANCE, *alliances.values())
    units = _units(row.unit for row in rows if row.unit is not UNCHANGED)
    standing = _standing(alliances)
    seats = {seat.pk: seat for held in standing.values() for seat in held}
    changed: list[AllianceSeat] = []
    deeds = []
    for row in rows:
        seat = seats[row.seat.pk]
        given = {name: value for name in _FIELDS if (value := getattr(row, name)) is not UNCHANGED}
        if given.get("unit") is not None:
            given["unit"] = units[given["unit"].pk]
        if "title" in given:
            given["title"] = _clean_title(given["title"])
        if changes := _set(seat, given):
            changed.append(seat)
            deeds.append(audit.Deed(seat, changes, label=str(seat)))
    # Looked at when all of them say what they will say: what one gives up another one may take.
    for seat in changed:
        check_seat(seat, [other for other in standing[seat.alliance_id] if other is not seat])
    AllianceSeat.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="alliance.seat_change", deeds=deeds)
    return [seats[row.seat.pk] for row in rows]


@transaction.atomic
def change_seat(*, actor: Actor, seat: AllianceSeat, version: int | None = None, **given: Any) -> AllianceSeat:
    """Corrects a seat, or gives it another term. `given`: fields of `SeatChange`. Raises as `change_seats`, and Stale."""
    row = _locked(actor, seat)
    refuse_stale(row, version)
    return change_seats(actor=actor, rows=[SeatChange(row, **given)])[0]


@transaction.atomic
def end_seat(
    *,
    actor: Actor,
    seat: AllianceSeat,
    end: datetime.date | None = None,
    reason: str = "",
    version: int | None = None,
) -> AllianceSeat:
    """Ends a term before its time.

    Args:
        end: last day; today when not given.

    Raises:
        NotFound, Forbidden: no `alliance.manage` there. Invalid: the day is before the first one, or later than the term
            goes anyway. Conflict: it is over. Stale: the page is old.
    """
    row = _locked(actor, seat)
    refuse_stale(row, version)
    _end(actor, row, end, reason)
    return row


@transaction.atomic
def replace_seat(
    *,
    actor: Actor,
    seat: AllianceSeat,
    name: str,
    title: str = UNCHANGED,
    unit: Unit | None = UNCHANGED,
    day: datetime.date | None = None,
    reason: str = "",
    version: int | None = None,
) -> AllianceSeat:
    """Ends a seat and gives it to somebody else on the same day, for the rest of the term.

    Args:
        day: last day of the one and first of the other; today when not given.
        title, unit: of the new one; the old one's when not given.

    Returns the new seat. Raises as `end_seat` and `add_seat`.
    """
    row = _locked(actor, seat)
    refuse_stale(row, version)
    until, title = row.end, row.title if title is UNCHANGED else title
    unit = row.unit if unit is UNCHANGED else unit
    ended = _end(actor, row, day, reason)
    return add_seats(actor=actor, rows=[NewSeat(row.alliance, row.role, name, unit, title, ended, until)])[0]


def check_seat(seat: AllianceSeat, others: Iterable[AllianceSeat]) -> None:
    """Whether a seat can stand beside the others of its body. Raises as `add_seat`; for imports before they write."""
    check_days(seat.start, seat.end)
    unit = seat.unit
    if unit is not None and (unit.county_id != seat.alliance.county_id or not unit.is_active):
        message = _("请选择本县在用的单位。")
        raise Invalid(message, fields={"unit": message})
    if seat.role in TAKES_TURNS and seat.end is None:
        message = _("轮值主席轮流担任，请填写任期结束日期。")
        raise Invalid(message, fields={"end": message})
    for other in others:
        if other.role != seat.role or not meet(other, seat.start, seat.end):
            continue
        if (other.name, other.unit_id) == (seat.name, seat.unit_id):
            words = {"name": seat.name, "role": seat.get_role_display(), "start": date_words(other.start)}
            message = _("%(name)s从%(start)s起已是%(role)s。") % words
            raise Conflict(message, code="seated_already", fields={"name": message})
        if seat.role in TAKES_TURNS:
            assert other.end is not None
            words = {"name": other.name, "start": date_words(other.start), "end": date_words(other.end)}
            message = _("与轮值主席%(name)s的任期（%(start)s至%(end)s）重叠，轮值主席一次只有一位。") % words
            raise Conflict(message, code="terms_overlap", fields={"start": message})


def _locked(actor: Actor, seat: AllianceSeat) -> AllianceSeat:
    alliances = held_alliances([seat.alliance])
    require(actor, MANAGE_ALLIANCE, *alliances.values())
    row = AllianceSeat.objects.select_for_update(of=("self",)).select_related("unit").get(pk=seat.pk)
    row.alliance = alliances[row.alliance_id]
    return row


def _end(actor: Actor, seat: AllianceSeat, end: datetime.date | None, reason: str) -> datetime.date:
    end = end or timezone.localdate()
    before = seat.end
    if before is not None and before < timezone.localdate():
        last_day(seat, end)
    check_days(seat.start, end)
    if before is not None and end > before:
        message = _("任期本来到%(end)s为止；要延长请用“修改”。") % {"end": date_words(before)}
        raise Invalid(message, fields={"end": message})
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason")
    if end != before:
        seat.end = end
        seat.version += 1
        seat.save(update_fields=["end", "version"])
        changes = {"end": (before, end)}
        audit.record(actor=actor, action="alliance.seat_end", obj=seat, changes=changes, label=str(seat), reason=reason)
    return end


def _standing(alliances: Iterable[int]) -> dict[int, list[AllianceSeat]]:
    """Alliance key -> its seats, their alliance and unit loaded."""
    found: dict[int, list[AllianceSeat]] = {pk: [] for pk in alliances}
    for some in batches(found):
        rows = AllianceSeat.objects.filter(alliance_id__in=some).select_related("alliance", "unit")
        for seat in rows.order_by("start", "pk"):
            found[seat.alliance_id].append(seat)
    return found


def _units(units: Iterable[Unit | None]) -> dict[int, Unit]:
    wanted = {unit.pk for unit in units if unit is not None}
    held = Unit.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    return {unit.pk: unit for unit in held}


def _set(seat: AllianceSeat, given: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    changes = {}
    for field, value in given.items():
        before = getattr(seat, field)
        if value != before:
            setattr(seat, field, value)
            changes[field] = (before, value)
    if changes:
        seat.version += 1
    return changes


def _told(seat: AllianceSeat) -> dict[str, tuple[Any, Any]]:
    fields = ("role", "unit_id", "start", "end")
    return {"name": (None, ""), **{name: (None, getattr(seat, name)) for name in fields}}


def _clean_role(role: str) -> str:
    if role not in SeatRole.values:
        message = _("没有这种席位，请从列表中选择。")
        raise Invalid(message, fields={"role": message})
    return role


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("姓名"), field="name", required=True)


def _clean_title(title: str) -> str:
    return clean_line(title, max_length=60, label=_("职务"), field="title")
