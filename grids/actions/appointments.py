"""Posts are given, handed over and taken here; every cadre's rights follow from the rows these actions write.

Locks, in this order: the county (for its administrators), the places held still, the people, the appointments. A place is
not retired while somebody is being appointed to it, and nobody is given the same post in two windows.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from core.models import User
from core.periods import date_words
from core.text import clean_line
from grids.actions.locks import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_days, check_person, last_day, locked_people, meet
from grids.models import Appointment, County, GridNode
from grids.posts import COUNTY, MANAGE_APPOINTMENT, POSTS, posts_at

ADMIN = "county_admin"
# The auditor watches the administrators, so nobody is both (classified protection; docs/practice.md, section 1).
APART = frozenset({ADMIN, "county_auditor"})
DAY = datetime.timedelta(days=1)

Place = GridNode | County


@dataclass(frozen=True)
class NewAppointment:
    """A post to be given. The fields mean what the arguments of `appoint` mean."""

    user: User
    post: str
    place: Place
    start: datetime.date | None = None
    note: str = ""
    end: datetime.date | None = None


@dataclass(frozen=True)
class Correction:
    """What is to stand of an appointment afterwards. `version`: the one the person saw."""

    appointment: Appointment
    start: datetime.date
    end: datetime.date | None
    note: str
    version: int | None = None


def appoint(
    *,
    actor: Actor,
    user: User,
    post: str,
    place: Place,
    start: datetime.date | None = None,
    note: str = "",
) -> Appointment:
    """Gives a person a post at a node or at the county.

    Args:
        post: key of `grids.posts.POSTS`; must be one that is held at the place's level.
        start: first day in post; today when not given.

    Raises:
        NotFound, Forbidden: no `appointment.manage` at the place, or the actor's own account.
        Invalid: the post is not held at this level, the account is stopped or of another county.
        Conflict: the person holds this post here already, or holds one that excludes it.
    """
    return appoint_many(actor=actor, rows=[NewAppointment(user, post, place, start, note)])[0]


@transaction.atomic
def appoint_many(*, actor: Actor, rows: Sequence[NewAppointment]) -> list[Appointment]:
    """Gives many posts in a few statements, for imports; all or none. Raises as `appoint`."""
    given = {_key(row.place): row.place for row in rows}
    for place in given.values():
        require(actor, MANAGE_APPOINTMENT, place)
    if any(row.user == actor for row in rows):
        raise _own()
    places = _as_they_are(given.values())
    users = locked_people({row.user.pk for row in rows})
    held = _held_by(users)
    made = []
    for row in rows:
        user, place = users[row.user.pk], places[_key(row.place)]
        start = row.start or timezone.localdate()
        check_days(start, row.end)
        _check_post(row.post, place)
        check_person(user, _county_of(place))
        taken = held.setdefault(user.pk, [])
        _refuse_double(user, row.post, place, start, row.end, taken)
        note = _clean_note(row.note)
        where = {"county": place} if isinstance(place, County) else {"node": place}
        one = Appointment(user=user, post=row.post, start=start, end=row.end, note=note, **where)
        taken.append(one)
        made.append(one)
    try:
        with transaction.atomic():
            Appointment.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有人刚刚已被任命，请刷新后再办理。"), code="appointed_already") from error
    _record_start(actor, made)
    for row in rows:
        policies.forget_grants(row.user)
    return made


@transaction.atomic
def end_appointment(
    *,
    actor: Actor,
    appointment: Appointment,
    end: datetime.date | None = None,
    reason: str = "",
    version: int | None = None,
) -> Appointment:
    """Ends a post. To shut somebody out at once stop the account (`core.accounts.deactivate`).

    Args:
        end: last day in post, rights included; today when not given.
        version: the version the person saw.

    Raises:
        NotFound, Forbidden: no `appointment.manage` at the place. Invalid: the day is before the first one. Stale.
        Conflict: it has ended already, or the county would be left without an administrator.
    """
    require(actor, MANAGE_APPOINTMENT, appointment)
    _lock_administrators([appointment])
    row = _locked([appointment], {appointment.pk: version})[appointment.pk]
    row.end = last_day(row, end)
    row.version += 1
    row.save(update_fields=["end", "version"])
    if actor is not SYSTEM:
        _refuse_no_admin([row])
    reason = _clean_reason(reason)
    changes = {"end": (None, row.end)}
    audit.record(actor=actor, action="appointment.end", obj=row, changes=changes, label=_label(row), reason=reason)
    policies.forget_grants(appointment.user)
    return row


@transaction.atomic
def hand_over(
    *,
    actor: Actor,
    appointment: Appointment,
    successor: User,
    day: datetime.date | None = None,
    note: str = "",
    reason: str = "",
    version: int | None = None,
) -> Appointment:
    """Ends a post for one person and begins it for the next, in one step (交接).

    The day is the successor's alone: their first, and the one after the predecessor's last. So on every day one person
    has the post's rights, never two and never nobody (docs/decisions/0014).

    Args:
        appointment: the predecessor's.
        day: of the handover; today when not given.
        note: on the successor's appointment. reason: for the trail.
        version: of the predecessor's appointment as the person saw it.

    Returns the successor's appointment.

    Raises:
        NotFound, Forbidden: no `appointment.manage` at the place, or the successor is the actor. Stale.
        Invalid: both are the same person, the day is not after the predecessor's first, the place is retired, or the
        successor's account is stopped or of another county.
        Conflict: the post has an end already, or the successor holds it here already or one that excludes it.
    """
    require(actor, MANAGE_APPOINTMENT, appointment)
    if successor == actor:
        raise _own()
    _lock_places([appointment])
    users = locked_people({appointment.user_id, successor.pk})
    row, heir = _locked([appointment], {appointment.pk: version})[appointment.pk], users[successor.pk]
    day = day or timezone.localdate()
    _check_handover(row, heir, day)
    place = _place_of(row)
    _check_post(row.post, place)
    check_person(heir, _county_of(place))
    _refuse_double(heir, row.post, place, day, None, _held_by([heir.pk]).get(heir.pk, []))
    row.end = day - DAY
    row.version += 1
    row.save(update_fields=["end", "version"])
    made = Appointment(user=heir, post=row.post, node=row.node, county=row.county, start=day, note=_clean_note(note))
    made.save(force_insert=True)
    changes = {"end": (None, row.end), "successor": (None, made.pk)}
    audit.record(
        actor=actor,
        action="appointment.hand_over",
        obj=row,
        changes=changes,
        label=_label(row),
        reason=_clean_reason(reason),
    )
    _record_start(actor, [made])
    for person in (appointment.user, successor):
        policies.forget_grants(person)
    return made


def correct_appointment(
    *,
    actor: Actor,
    appointment: Appointment,
    start: datetime.date,
    end: datetime.date | None,
    note: str = "",
    reason: str = "",
    version: int | None = None,
) -> Appointment:
    """Puts the days or the note of an appointment right. Without `end` it runs on.

    Raises:
        NotFound, Forbidden: no `appointment.manage` at the place, or it is the actor's own. Stale.
        Invalid: the last day lies before the first, or it would run on at a retired place or for a stopped account.
        Conflict: the person would hold the same post here twice, or the county be without an administrator.
    """
    row = Correction(appointment, start, end, note, version)
    return correct_appointments(actor=actor, rows=[row], reason=reason)[0]


@transaction.atomic
def correct_appointments(*, actor: Actor, rows: Sequence[Correction], reason: str = "") -> list[Appointment]:
    """Corrects many in a few statements, for imports; all or none. Raises as `correct_appointment`."""
    reason = _clean_reason(reason)
    given = [row.appointment for row in rows]
    for one in given:
        require(actor, MANAGE_APPOINTMENT, one)
        if one.user == actor:
            # Whoever may change their own days may stay for ever.
            raise Forbidden(_("不能更改自己的任职，请由另一位管理员办理。"))
    _lock_places(given)
    users = locked_people({one.user_id for one in given})
    found = _locked(given, {row.appointment.pk: row.version for row in rows})
    held = _held_by(users)
    ended: list[audit.Deed] = []
    corrected: list[audit.Deed] = []
    for row in rows:
        one = found[row.appointment.pk]
        after = {"start": row.start, "end": row.end, "note": _clean_note(row.note)}
        changes = {name: (getattr(one, name), value) for name, value in after.items() if getattr(one, name) != value}
        if not changes:
            continue
        check_days(row.start, row.end)
        if "start" in changes or "end" in changes:
            others = [each for each in held[one.user_id] if each.pk != one.pk]
            _check_longer(one, row, users[one.user_id])
            _refuse_double(users[one.user_id], one.post, _place_of(one), row.start, row.end, others)
            held[one.user_id] = [*others, one]
        for name, value in after.items():
            setattr(one, name, value)
        one.version += 1
        deed = audit.Deed(one, changes, label=_label(one), reason=reason)
        (ended if changes.keys() == {"end"} and changes["end"][0] is None else corrected).append(deed)
    _write([found[deed.obj.pk] for deed in (*ended, *corrected)])
    if actor is not SYSTEM:
        _refuse_no_admin(found.values())
    audit.record_many(actor=actor, action="appointment.end", deeds=ended)
    audit.record_many(actor=actor, action="appointment.correct", deeds=corrected)
    for one in given:
        policies.forget_grants(one.user)
    return [found[one.pk] for one in given]


def _write(rows: Sequence[Appointment]) -> None:
    try:
        with transaction.atomic():
            Appointment.objects.bulk_update(rows, ["start", "end", "note", "version"], batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有人刚刚已被任命，请刷新后再办理。"), code="appointed_already") from error


def _record_start(actor: Actor, made: Sequence[Appointment]) -> None:
    deeds = [
        audit.Deed(
            one,
            {"user_id": (None, one.user_id), "post": (None, one.post), "start": (None, one.start)},
            label=_label(one),
        )
        for one in made
    ]
    audit.record_many(actor=actor, action="appointment.start", deeds=deeds, new=True)


# --- Locks ----------------------------------------------------------------------------------------------------------


def _key(place: Place) -> tuple[type, int]:
    return type(place), place.pk


def _place_of(row: Appointment) -> Place:
    place = row.node or row.county
    assert place is not None
    return place


def _county_of(place: Place) -> County:
    return place if isinstance(place, County) else place.county


def _as_they_are(places: Iterable[Place]) -> dict[tuple[type, int], Place]:
    """The places read again and held still: one may have been retired since the page was opened."""
    given = list(places)
    fresh: dict[tuple[type, int], Place] = {}
    nodes = [place for place in given if isinstance(place, GridNode)]
    fresh.update({(GridNode, node.pk): node for node in hold_places(*nodes)})
    counties = County.objects.filter(pk__in=[place.pk for place in given if isinstance(place, County)])
    fresh.update({(County, county.pk): county for county in counties})
    if len(fresh) != len(given):
        raise NotFound(_("没有找到任职地。"))
    return fresh


def _lock_places(rows: Sequence[Appointment]) -> None:
    _lock_administrators(rows)
    hold_places(*{row.node_id: row.node for row in rows if row.node is not None}.values())


def _lock_administrators(rows: Sequence[Appointment]) -> None:
    """Two administrators who dismiss one another at the same time must not both succeed."""
    counties = {row.county_id for row in rows if row.post == ADMIN and row.county_id}
    if counties:
        list(County.objects.select_for_update(no_key=True).filter(pk__in=counties).order_by("pk"))


def _locked(rows: Sequence[Appointment], versions: dict[int, int | None]) -> dict[int, Appointment]:
    """The appointments as they are now, by key. Raises Stale when one is not what the person saw."""
    found: dict[int, Appointment] = {}
    for some in batches(sorted(row.pk for row in rows)):
        locked = Appointment.objects.select_for_update(of=("self",)).filter(pk__in=some).order_by("pk")
        found.update(
            {row.pk: row for row in locked.select_related("node__level_type", "node__county", "county", "user")}
        )
    for row in found.values():
        if versions[row.pk] not in (None, row.version):
            raise Stale(
                _("“%(what)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"what": _label(row)}
            )
    return found


def _held_by(users: Iterable[int]) -> dict[int, list[Appointment]]:
    held: dict[int, list[Appointment]] = {}
    for some in batches(users):
        for row in Appointment.objects.filter(user_id__in=some):
            held.setdefault(row.user_id, []).append(row)
    return held


# --- What stands against it -----------------------------------------------------------------------------------------


def _own() -> Forbidden:
    return Forbidden(_("不能给自己任职，请由另一位管理员办理。"))


def _clean_note(note: str) -> str:
    return clean_line(note, max_length=200, label=_("备注"))


def _clean_reason(reason: str) -> str:
    return clean_line(reason, max_length=500, label=_("理由"))


def _check_handover(row: Appointment, heir: User, day: datetime.date) -> None:
    if row.end is not None:
        raise Conflict(
            _("这项任职已办理离任，最后一天是 %(end)s，不能再交接。请直接任命接任者。") % {"end": date_words(row.end)},
            code="ended_already",
        )
    if row.user_id == heir.pk:
        message = _("接任者就是现任本人，交接要换一个人。")
        raise Invalid(message, fields={"user": message})
    if day <= row.start:
        message = _("交接日期要晚于前任的任职日期 %(start)s。") % {"start": date_words(row.start)}
        raise Invalid(message, fields={"day": message})


def _check_post(post: str, place: Place) -> None:
    level_key = COUNTY if isinstance(place, County) else place.level_type.key
    if isinstance(place, GridNode) and place.is_retired:
        raise Invalid(_("“%(place)s”已撤销，不能任职。") % {"place": place.path}, fields={"node": _("已撤销。")})
    if post not in POSTS or level_key not in POSTS[post].levels:
        allowed = "、".join(str(each.label) for each in posts_at(level_key)) or _("（无）")
        message = _("“%(place)s”可以设的岗位是：%(allowed)s。") % {"place": place, "allowed": allowed}
        raise Invalid(message, fields={"post": message})


def _check_longer(before: Appointment, after: Correction, user: User) -> None:
    """What begins earlier or runs on for longer is checked as if it were given anew."""
    longer = after.end is None or (before.end is not None and after.end > before.end)
    if longer and before.end is not None:
        _check_post(before.post, _place_of(before))
        check_person(user, _county_of(_place_of(before)))


def _refuse_double(
    user: User, post: str, place: Place, start: datetime.date, end: datetime.date | None, held: list[Appointment]
) -> None:
    """Refuses what the person holds already, or may not hold beside it."""
    holds = [row for row in held if meet(row, start, end)]
    field = "county_id" if isinstance(place, County) else "node_id"
    if any(row.post == post and getattr(row, field) == place.pk for row in holds):
        raise Conflict(
            _("%(name)s在“%(place)s”已任%(post)s，不能重复任职。")
            % {"name": user.name, "place": place, "post": POSTS[post].label},
            code="appointed_already",
        )
    other = next((row for row in holds if {post, row.post} == APART), None)
    if other is not None:
        raise Conflict(
            _("审计员和管理员不能由同一人担任：%(name)s已任%(post)s。") % {"name": user.name, "post": other.post_label},
            code="posts_apart",
        )


def _refuse_no_admin(rows: Iterable[Appointment]) -> None:
    """Asked after the writing: a county that would be left without an administrator takes it all back."""
    counties = {row.county_id for row in rows if row.post == ADMIN and row.county_id}
    if not counties:
        return
    staying = Appointment.objects.current().filter(end__isnull=True, post=ADMIN, user__is_active=True)
    if counties - set(staying.filter(county_id__in=counties).values_list("county_id", flat=True)):
        raise Conflict(_("这是本县唯一的管理员，请先任命另一位管理员。"), code="last_admin")


def _label(row: Appointment) -> str:
    """Place and post. Not the person: the trail is never erased, who it was stands as an id in the changes."""
    return f"{row.place} {row.post_label}"
