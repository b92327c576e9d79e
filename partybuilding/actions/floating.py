"""Floating members: registered at a station, kept in touch with, and forgotten some time after they left.

Name, number and contacts are kept out of the trail and erased `KEEP_DAYS` after the last day (docs/personal-data.md).
Locks: stations, then floating members; each in id order. Source: docs/domain.md#h2.
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies, throttle
from core.accounts import clean_phone
from core.actors import SYSTEM, Actor, user_of
from core.errors import Conflict, Invalid, NotFound, Stale
from core.masking import mask_phone, scrub_identity_numbers, scrub_phone_numbers
from core.models import User
from core.periods import date_words
from core.text import clean_line
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_days, last_day
from partybuilding.floating_rules import KEEP_DAYS, REVEALS_AN_HOUR, RevealReason
from partybuilding.models import FloatingContact, FloatingMember, Station
from partybuilding.posts import MANAGE_FLOATING

UNCHANGED: Any = object()
_PERSONAL = ("name", "phone", "text")
_FIELDS = ("station", "name", "phone", "kept_at", "start", "end")
ERASED_AT_ONCE = 200


@dataclass(frozen=True)
class NewFloating:
    """Somebody to be registered. The fields mean what the arguments of `register_floating` mean; `end` for who has left."""

    station: Station
    name: str
    phone: str
    kept_at: str
    start: datetime.date | None = None
    end: datetime.date | None = None


@dataclass(frozen=True)
class FloatingChange:
    """What is to be different of a floating member. What is not given stays."""

    floating: FloatingMember
    station: Station = UNCHANGED
    name: str = UNCHANGED
    phone: str = UNCHANGED
    kept_at: str = UNCHANGED
    start: datetime.date = UNCHANGED
    end: datetime.date | None = UNCHANGED


def register_floating(
    *, actor: Actor, station: Station, name: str, phone: str, kept_at: str, start: datetime.date | None = None
) -> FloatingMember:
    """Registers a floating member at a station.

    Args:
        kept_at: the party organisation that keeps the membership (组织关系所在党组织).
        start: first day, not after today; today when not given.

    Raises:
        NotFound, Forbidden: no `floating.manage` at the station.
        Invalid: a field is not usable, or the station is closed.
        Conflict: somebody with that number is registered in the county.
    """
    return register_floatings(actor=actor, rows=[NewFloating(station, name, phone, kept_at, start)])[0]


@transaction.atomic
def register_floatings(*, actor: Actor, rows: Sequence[NewFloating]) -> list[FloatingMember]:
    """Registers many in a few statements, for imports; all or none. Raises as `register_floating`."""
    stations = _held(row.station for row in rows)
    require(actor, MANAGE_FLOATING, *stations.values())
    made = []
    for row in rows:
        station = stations[row.station.pk]
        _check_open(station)
        one = FloatingMember(
            county_id=station.county_id,
            station=station,
            name=_clean_name(row.name),
            phone=clean_phone(row.phone),
            kept_at=_clean_kept(row.kept_at),
            contact=user_of(actor),
            start=row.start or timezone.localdate(),
            end=row.end,
        )
        _check_days(one)
        made.append(one)
    with _once(made):
        FloatingMember.objects.bulk_create(made, batch_size=BATCH)
    told = ("station_id", "start", "end")
    deeds = [
        audit.Deed(
            one,
            {"name": (None, ""), "phone": (None, ""), **{name: (None, getattr(one, name)) for name in told}},
            label=label_of(one),
            personal=_PERSONAL,
        )
        for one in made
    ]
    audit.record_many(actor=actor, action="floating.register", deeds=deeds, new=True)
    return made


@transaction.atomic
def change_floatings(*, actor: Actor, rows: Sequence[FloatingChange]) -> list[FloatingMember]:
    """Corrects many, moves them to other stations, or says when they left, for imports; all or none.

    Raises as `register_floating`; the right is needed at both stations. Conflict also when one has left meanwhile and is
    to be corrected.
    """
    old = Station.objects.filter(members__in=[row.floating.pk for row in rows])
    stations = _held([*old, *(row.station for row in rows if row.station is not UNCHANGED)])
    require(actor, MANAGE_FLOATING, *stations.values())
    found: dict[int, FloatingMember] = {}
    for some in batches(sorted(row.floating.pk for row in rows)):
        locked = FloatingMember.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update({one.pk: one for one in locked.select_related("station__node", "county")})
    deeds, changed = [], []
    for row in rows:
        if row.floating.pk not in found:
            raise NotFound(_("没有找到这名流动党员，或不在您的管辖范围内。"))
        one = found[row.floating.pk]
        if one.end is not None and one.end < timezone.localdate():
            raise Conflict(_("这名流动党员已经离开，不再修改。"), code="left")
        if changes := _change(one, row, stations):
            _check_days(one)
            one.version += 1
            changed.append(one)
            deeds.append(audit.Deed(one, changes, label=label_of(one), personal=_PERSONAL))
    with _once(changed):
        FloatingMember.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="floating.update", deeds=deeds)
    return [found[row.floating.pk] for row in rows]


@transaction.atomic
def update_floating(
    *,
    actor: Actor,
    floating: FloatingMember,
    station: Station = UNCHANGED,
    name: str = UNCHANGED,
    phone: str = UNCHANGED,
    kept_at: str = UNCHANGED,
    version: int | None = None,
) -> FloatingMember:
    """Corrects one, or moves one to another station. Raises as `change_floatings`, and Stale."""
    _refuse_stale(_locked(floating), version)
    row = FloatingChange(floating, station, name, phone, kept_at)
    return change_floatings(actor=actor, rows=[row])[0]


@transaction.atomic
def leave_floating(
    *, actor: Actor, floating: FloatingMember, end: datetime.date | None = None, version: int | None = None
) -> FloatingMember:
    """Writes down that somebody left. Name, number and contacts are erased `KEEP_DAYS` later.

    Args:
        end: last day, not after today; today when not given.

    Raises as `change_floatings`; Conflict when they have left already. Stale: the page is old.
    """
    row = _locked(floating)
    require(actor, MANAGE_FLOATING, row)
    end = last_day(row, end)
    _refuse_stale(row, version)
    return change_floatings(actor=actor, rows=[FloatingChange(row, end=end)])[0]


@transaction.atomic
def contact_floating(
    *, actor: Actor, floating: FloatingMember, text: str, contacted_on: datetime.date | None = None
) -> FloatingContact:
    """Writes down that somebody was in touch. The same words of the same day by the same person are written once.

    Args:
        text: what came of it; numbers are taken out of it.
        contacted_on: not after today, not before the registration; today when not given.

    Raises:
        NotFound, Forbidden: no `floating.manage` there. Invalid: the day or the words are not usable.
        Conflict: the member has left.
    """
    row = _locked(floating)
    require(actor, MANAGE_FLOATING, row)
    if row.end is not None and row.end < timezone.localdate():
        raise Conflict(_("这名流动党员已经离开。"), code="left")
    day = contacted_on or timezone.localdate()
    if day > timezone.localdate() or day < row.start:
        message = _("联系日期应在登记的%(start)s以后，不能晚于今天。") % {"start": date_words(row.start)}
        raise Invalid(message, fields={"contacted_on": message})
    text = clean_line(text, max_length=300, label=_("联系情况"), field="text", required=True)
    text = scrub_identity_numbers(scrub_phone_numbers(text))
    known = FloatingContact.objects.filter(floating=row, contacted_on=day, text=text, by=user_of(actor)).first()
    if known is not None:
        return known
    made = FloatingContact.objects.create(floating=row, contacted_on=day, text=text, by=user_of(actor))
    changes = {"contacted_on": (None, day), "text": (None, "")}
    audit.record(
        actor=actor, action="floating.contact", obj=row, changes=changes, label=label_of(row), personal=_PERSONAL
    )
    return made


def reveal_floating(*, actor: User, floating: FloatingMember, reason: str) -> str:
    """The whole number; who looked and for what is written down.

    Args:
        reason: a key of `RevealReason`.

    Raises:
        NotFound, Forbidden: no `floating.manage` there. Invalid: no such reason. Throttled: too many in an hour.
        Conflict: the member has left.
    """
    policies.require(actor, MANAGE_FLOATING, floating)
    if reason not in RevealReason.values:
        message = _("请选择查看的用途。")
        raise Invalid(message, fields={"reason": message})
    # Outside the transaction: a look that fails counts as well.
    throttle.hit(f"floating.reveal:{actor.pk}", limit=REVEALS_AN_HOUR, window_seconds=3600)
    with transaction.atomic():
        row = _locked(floating)
        policies.require(actor, MANAGE_FLOATING, row)
        if row.end is not None and row.end < timezone.localdate():
            raise Conflict(_("这名流动党员已经离开，不再提供电话。"), code="left")
        words = str(RevealReason(reason).label)
        audit.record(actor=actor, action="floating.reveal", obj=row, label=label_of(row), reason=words)
    return row.phone


@transaction.atomic
def erase_left(day: datetime.date) -> int:
    """Erases some who left `KEEP_DAYS` ago, with their contacts. The system's own deed; returns how many, at most
    `ERASED_AT_ONCE`: call it until none is left."""
    over = FloatingMember.objects.filter(end__lte=day - datetime.timedelta(days=KEEP_DAYS))
    found = list(over.select_for_update(of=("self",)).select_related("station").order_by("pk")[:ERASED_AT_ONCE])
    if not found:
        return 0
    audit.record_many(
        actor=SYSTEM, action="floating.expire", deeds=[audit.Deed(one, label=label_of(one)) for one in found]
    )
    FloatingContact.objects.filter(floating__in=found).delete()
    FloatingMember.objects.filter(pk__in=[one.pk for one in found]).delete()
    return len(found)


def label_of(one: FloatingMember) -> str:
    """The station and a number. Not the person: the trail is never erased."""
    return _("%(station)s 流动党员 %(n)s") % {"station": one.station.name, "n": one.pk}


def _locked(floating: FloatingMember) -> FloatingMember:
    rows = FloatingMember.objects.select_for_update(of=("self",)).select_related("station__node", "county")
    row = rows.filter(pk=floating.pk).first()
    if row is None:
        raise NotFound(_("没有找到这名流动党员，或不在您的管辖范围内。"))
    return row


def _held(stations: Iterable[Station]) -> dict[int, Station]:
    """The stations as they are now; they stay open meanwhile."""
    wanted = sorted({station.pk for station in stations})
    rows = Station.objects.select_for_update(of=("self",), no_key=True).select_related("node", "county")
    return {row.pk: row for row in rows.filter(pk__in=wanted).order_by("pk")}


def _check_open(station: Station) -> None:
    if not station.is_active:
        message = _("“%(station)s”已停用，请选择在用的驿站。") % {"station": station.name}
        raise Invalid(message, fields={"station": message})


def _change(one: FloatingMember, row: FloatingChange, stations: dict[int, Station]) -> dict[str, tuple[Any, Any]]:
    given: dict[str, Any] = {"start": row.start, "end": row.end}
    given["station"] = row.station if row.station is UNCHANGED else stations[row.station.pk]
    for name, clean in (("name", _clean_name), ("phone", clean_phone), ("kept_at", _clean_kept)):
        value = getattr(row, name)
        given[name] = value if value is UNCHANGED else clean(value)
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(one, field)
        if value is not UNCHANGED and value != before:
            setattr(one, field, value)
            changes[field] = (before, value)
    if "station" in changes:
        if one.station.county_id != one.county_id:
            raise Invalid(_("请选择本县的驿站。"), fields={"station": _("请选择本县的驿站。")})
        _check_open(one.station)
    return changes


def _check_days(one: FloatingMember) -> None:
    check_days(one.start, one.end)
    for field, day, label in (("start", one.start, _("登记日期")), ("end", one.end, _("离开日期"))):
        if day is not None and day > timezone.localdate():
            message = _("%(label)s不能晚于今天。") % {"label": label}
            raise Invalid(message, fields={field: message})


def _refuse_stale(row: FloatingMember, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这条记录刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


@contextmanager
def _once(rows: Sequence[FloatingMember]) -> Iterator[None]:
    """The database has the last word on a number that stands twice."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise _taken(rows) from error


def _taken(rows: Sequence[FloatingMember]) -> Conflict:
    """Which number is registered already, as far as it can be told; never whose it is."""
    phones = [row.phone for row in rows]
    mine = [row.pk for row in rows if row.pk]
    standing = FloatingMember.objects.filter(county=rows[0].county_id, end=None).exclude(pk__in=mine)
    clash = standing.filter(phone__in=phones[:BATCH]).values_list("phone", flat=True).first()
    double = clash or next((phone for phone in phones if phones.count(phone) > 1), phones[0])
    message = _("手机号码 %(phone)s 已在本县的驿站登记，请核对；换了驿站的请用“修改”。") % {"phone": mask_phone(double)}
    return Conflict(message, code="phone_taken", fields={"phone": message})


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("姓名"), field="name", required=True)


def _clean_kept(text: str) -> str:
    return clean_line(text, max_length=100, label=_("组织关系所在党组织"), field="kept_at", required=True)
