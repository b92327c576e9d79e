"""Posts are given and taken here; every cadre's rights follow from the rows these two actions write."""

import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Forbidden, Invalid
from core.models import User
from core.text import clean_line
from grids.actions.permission import require
from grids.models import Appointment, County, GridNode
from grids.posts import COUNTY, MANAGE_APPOINTMENT, POSTS, posts_at

ADMIN = "county_admin"
# The auditor watches the administrators, so nobody is both (classified protection; docs/domain.md, section 1).
APART = frozenset({ADMIN, "county_auditor"})


@transaction.atomic
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
    require(actor, MANAGE_APPOINTMENT, place)
    if actor is not SYSTEM and user == actor:
        raise Forbidden(_("不能给自己任职，请由另一位管理员办理。"))
    # The person's row is the lock: two windows must not give the same post twice (no constraint covers the county's).
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    place.refresh_from_db()
    county = place if isinstance(place, County) else place.county
    _check_post(post, place)
    _check_person(user, county)
    start = start or timezone.localdate()
    _refuse_double(user, post, place, start)
    row = Appointment(user=user, post=post, start=start, note=clean_line(note, max_length=200, label=_("备注")))
    if isinstance(place, County):
        row.county = place
    else:
        row.node = place
    row.save(force_insert=True)
    changes = {"user_id": (None, user.pk), "post": (None, post), "start": (None, start)}
    audit.record(actor=actor, action="appointment.start", obj=row, changes=changes, label=_label(row), new=True)
    policies.forget_grants(user)
    return row


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


def _check_post(post: str, place: GridNode | County) -> None:
    level_key = COUNTY if isinstance(place, County) else place.level_type.key
    if isinstance(place, GridNode) and place.is_retired:
        raise Invalid(_("“%(place)s”已撤销，不能任职。") % {"place": place.path}, fields={"node": _("已撤销。")})
    if post not in POSTS or level_key not in POSTS[post].levels:
        allowed = "、".join(str(each.label) for each in posts_at(level_key)) or _("（无）")
        message = _("“%(place)s”可以设的岗位是：%(allowed)s。") % {"place": place, "allowed": allowed}
        raise Invalid(message, fields={"post": message})


def _check_person(user: User, county: County) -> None:
    if not user.is_active:
        message = _("这个账号已停用，请先启用。")
        raise Invalid(message, fields={"user": message})
    if user.county_key != county.pk:
        message = _("这个账号不属于%(county)s。") % {"county": county.name}
        raise Invalid(message, fields={"user": message})


def _refuse_double(user: User, post: str, place: GridNode | County, start: datetime.date) -> None:
    held = Appointment.objects.filter(Q(end__isnull=True) | Q(end__gt=start), user=user)
    where = Q(county=place) if isinstance(place, County) else Q(node=place)
    if held.filter(where, post=post).exists():
        raise Conflict(
            _("%(name)s在“%(place)s”已任%(post)s，不能重复任职。")
            % {"name": user.name, "place": place, "post": POSTS[post].label},
            code="appointed_already",
        )
    if post in APART and (other := held.filter(post__in=APART - {post}).first()):
        raise Conflict(
            _("审计员和管理员不能由同一人担任：%(name)s已任%(post)s。") % {"name": user.name, "post": other.post_label},
            code="posts_apart",
        )


def _refuse_last_admin(row: Appointment) -> None:
    if row.post != ADMIN or row.county_id is None:
        return
    others = Appointment.objects.current().filter(
        post=ADMIN, county_id=row.county_id, end__isnull=True, user__is_active=True
    )
    if not others.exclude(user_id=row.user_id).exists():
        raise Conflict(_("这是本县唯一的管理员，请先任命另一位管理员。"), code="last_admin")


def _label(row: Appointment) -> str:
    """Place and post. Not the person: the trail is never erased, who it was stands as an id in the changes."""
    return f"{row.place} {row.post_label}"
