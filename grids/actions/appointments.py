"""Posts are given and taken here; every cadre's rights follow from the rows these actions write."""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Forbidden, Invalid, NotFound
from core.models import User
from core.text import clean_line
from grids.actions.permission import require
from grids.models import Appointment, County, GridNode
from grids.posts import COUNTY, MANAGE_APPOINTMENT, POSTS, posts_at

ADMIN = "county_admin"
# The auditor watches the administrators, so nobody is both (classified protection; docs/practice.md, section 1).
APART = frozenset({ADMIN, "county_auditor"})
BATCH = 500
T = TypeVar("T")


@dataclass(frozen=True)
class NewAppointment:
    """A post to be given. The fields mean what the arguments of `appoint` mean."""

    user: User
    post: str
    place: GridNode | County
    start: datetime.date | None = None
    note: str = ""


def appoint(
    *,
    actor: Actor,
    user: User,
    post: str,
    place: GridNode | County,
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
    places = {_key(row.place): row.place for row in rows}
    for place in places.values():
        require(actor, MANAGE_APPOINTMENT, place)
    if any(row.user == actor for row in rows):
        raise Forbidden(_("不能给自己任职，请由另一位管理员办理。"))
    users = _locked_people({row.user.pk for row in rows})
    places = _as_they_are(places)
    held = _held_by(users)
    made = []
    for row in rows:
        user, place = users[row.user.pk], places[_key(row.place)]
        start = row.start or timezone.localdate()
        _check_post(row.post, place)
        _check_person(user, place)
        taken = _refuse_double(user, row.post, place, start, held.setdefault(user.pk, []))
        note = clean_line(row.note, max_length=200, label=_("备注"))
        where = {"county": place} if isinstance(place, County) else {"node": place}
        one = Appointment(user=user, post=row.post, start=start, note=note, **where)
        taken.append(one)
        made.append(one)
    try:
        with transaction.atomic():
            Appointment.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有人刚刚已被任命，请刷新后再办理。"), code="appointed_already") from error
    deeds = [
        audit.Deed(
            one,
            {"user_id": (None, one.user_id), "post": (None, one.post), "start": (None, one.start)},
            label=_label(one),
        )
        for one in made
    ]
    audit.record_many(actor=actor, action="appointment.start", deeds=deeds, new=True)
    for row in rows:
        policies.forget_grants(row.user)
    return made


@transaction.atomic
def end_appointment(
    *, actor: Actor, appointment: Appointment, end: datetime.date | None = None, reason: str = ""
) -> Appointment:
    """Ends a post. To shut somebody out at once stop the account (`core.accounts.deactivate`).

    Args:
        end: last day in post, rights included; today when not given.

    Raises:
        NotFound, Forbidden: no `appointment.manage` at the place. Invalid: the day is before the first one.
        Conflict: it has ended already, or the county would be left without an administrator.
    """
    require(actor, MANAGE_APPOINTMENT, appointment)
    if appointment.post == ADMIN and appointment.county_id:
        # Two administrators who dismiss one another at the same time must not both succeed.
        County.objects.select_for_update(no_key=True).get(pk=appointment.county_id)
    row = (
        Appointment.objects.select_for_update(of=("self",))
        .select_related("node", "county", "user")
        .get(pk=appointment.pk)
    )
    if row.end is not None:
        raise Conflict(_("这项任职已经结束。"))
    end = end or timezone.localdate()
    if end < row.start:
        message = _("离任日期不能早于任职日期 %(start)s。") % {"start": row.start.isoformat()}
        raise Invalid(message, fields={"end": message})
    if actor is not SYSTEM:
        _refuse_last_admin(row)
    row.end = end
    row.save(update_fields=["end"])
    reason = clean_line(reason, max_length=500, label=_("理由"))
    changes = {"end": (None, end)}
    audit.record(actor=actor, action="appointment.end", obj=row, changes=changes, label=_label(row), reason=reason)
    policies.forget_grants(appointment.user)
    return row


def _key(place: GridNode | County) -> tuple[type, int]:
    return type(place), place.pk


def _locked_people(pks: Iterable[int]) -> dict[int, User]:
    """The people's rows are the lock: two windows must not give the same post twice (no constraint covers the
    county's posts). In id order, so that two imports wait for one another instead of blocking each other."""
    users: dict[int, User] = {}
    for some in _batches(sorted(pks)):
        locked = User.objects.select_for_update(no_key=True).filter(pk__in=some).order_by("pk")
        users.update({user.pk: user for user in locked})
    return users


def _as_they_are(places: dict[tuple[type, int], GridNode | County]) -> dict[tuple[type, int], GridNode | County]:
    """The places read again: one may have been retired since the page was opened."""
    fresh: dict[tuple[type, int], GridNode | County] = {}
    counties = [pk for model, pk in places if model is County]
    fresh.update({(County, row.pk): row for row in County.objects.filter(pk__in=counties)})
    for some in _batches([pk for model, pk in places if model is GridNode]):
        nodes = GridNode.objects.select_related("level_type", "county").filter(pk__in=some)
        fresh.update({(GridNode, node.pk): node for node in nodes})
    if len(fresh) != len(places):
        raise NotFound(_("没有找到任职地。"))
    return fresh


def _held_by(users: dict[int, User]) -> dict[int, list[Appointment]]:
    held: dict[int, list[Appointment]] = {}
    for some in _batches(list(users)):
        for row in Appointment.objects.filter(user_id__in=some):
            held.setdefault(row.user_id, []).append(row)
    return held


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), BATCH):
        yield items[start : start + BATCH]


def _check_post(post: str, place: GridNode | County) -> None:
    level_key = COUNTY if isinstance(place, County) else place.level_type.key
    if isinstance(place, GridNode) and place.is_retired:
        raise Invalid(_("“%(place)s”已撤销，不能任职。") % {"place": place.path}, fields={"node": _("已撤销。")})
    if post not in POSTS or level_key not in POSTS[post].levels:
        allowed = "、".join(str(each.label) for each in posts_at(level_key)) or _("（无）")
        message = _("“%(place)s”可以设的岗位是：%(allowed)s。") % {"place": place, "allowed": allowed}
        raise Invalid(message, fields={"post": message})


def _check_person(user: User, place: GridNode | County) -> None:
    if not user.is_active:
        message = _("这个账号已停用，请先启用。")
        raise Invalid(message, fields={"user": message})
    county = place if isinstance(place, County) else place.county
    if user.county_key != county.pk:
        message = _("这个账号不属于%(county)s。") % {"county": county.name}
        raise Invalid(message, fields={"user": message})


def _refuse_double(
    user: User, post: str, place: GridNode | County, start: datetime.date, held: list[Appointment]
) -> list[Appointment]:
    """Refuses what the person holds already or may not hold beside it. Returns `held`, to be added to."""
    holds = [row for row in held if row.end is None or row.end > start]
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
    return held


def _refuse_last_admin(row: Appointment) -> None:
    if row.post != ADMIN or row.county_id is None:
        return
    others = Appointment.objects.current().filter(
        Q(end__isnull=True), post=ADMIN, county_id=row.county_id, user__is_active=True
    )
    if not others.exclude(user_id=row.user_id).exists():
        raise Conflict(_("这是本县唯一的管理员，请先任命另一位管理员。"), code="last_admin")


def _label(row: Appointment) -> str:
    """Place and post. Not the person: the trail is never erased, who it was stands as an id in the changes."""
    return f"{row.place} {row.post_label}"
