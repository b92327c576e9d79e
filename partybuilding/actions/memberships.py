"""Who acts for a unit: liaisons and staff, from a day to a day."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor
from core.errors import Conflict, Forbidden, Invalid
from core.models import User
from core.text import clean_line
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches, check_person, last_day, locked_people, meet
from partybuilding.models import Unit, UnitMembership, UnitRole
from partybuilding.posts import MANAGE_UNIT


@dataclass(frozen=True)
class NewMembership:
    """Somebody who is to act for a unit. The fields mean what the arguments of `add_membership` mean."""

    user: User
    unit: Unit
    role: str = UnitRole.LIAISON
    start: datetime.date | None = None


@dataclass(frozen=True)
class RoleCorrection:
    """In what role somebody acts for a unit after all."""

    membership: UnitMembership
    role: str


def add_membership(
    *, actor: Actor, user: User, unit: Unit, role: str = UnitRole.LIAISON, start: datetime.date | None = None
) -> UnitMembership:
    """Lets an account act for a unit, from a day on (today when not given).

    Raises:
        NotFound, Forbidden: no `unit.manage` at the unit, or the actor's own account.
        Invalid: unknown role, the unit is closed, the account is stopped or of another county.
        Conflict: the person acts for the unit already; end that first to change the role.
    """
    return add_memberships(actor=actor, rows=[NewMembership(user, unit, role, start)])[0]


@transaction.atomic
def add_memberships(*, actor: Actor, rows: Sequence[NewMembership]) -> list[UnitMembership]:
    """Lets many accounts act for units in a few statements, for imports; all or none. Raises as `add_membership`."""
    for unit in {row.unit.pk: row.unit for row in rows}.values():
        require(actor, MANAGE_UNIT, unit)
    if any(row.user == actor for row in rows):
        raise _own()
    users = locked_people({row.user.pk for row in rows})
    units = {
        unit.pk: unit for unit in Unit.objects.select_related("county").filter(pk__in={row.unit.pk for row in rows})
    }
    held: dict[int, list[UnitMembership]] = {}
    for some in batches(users):
        for one in UnitMembership.objects.filter(user_id__in=some).select_related("unit"):
            held.setdefault(one.user_id, []).append(one)
    made = []
    for row in rows:
        user, unit = users[row.user.pk], units[row.unit.pk]
        start = row.start or timezone.localdate()
        _check(user, unit, row.role)
        taken = held.setdefault(user.pk, [])
        _refuse_double(user, unit, start, taken)
        one = UnitMembership(user=user, unit=unit, role=row.role, start=start)
        taken.append(one)
        made.append(one)
    try:
        with transaction.atomic():
            UnitMembership.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        raise Conflict(_("其中有人刚刚已被登记，请刷新后再办理。"), code="member_already") from error
    deeds = [
        audit.Deed(
            one,
            {"user_id": (None, one.user_id), "role": (None, one.role), "start": (None, one.start)},
            label=_label(one),
        )
        for one in made
    ]
    audit.record_many(actor=actor, action="membership.start", deeds=deeds, new=True)
    for row in rows:
        policies.forget_grants(row.user)
    return made


@transaction.atomic
def correct_roles(*, actor: Actor, rows: Sequence[RoleCorrection]) -> list[UnitMembership]:
    """Puts right in what role people act for their units, for imports; all or none. The days stay.

    Raises:
        NotFound, Forbidden: no `unit.manage` at the unit, or the actor's own account. Invalid: unknown role.
        Conflict: one of them has ended meanwhile.
    """
    for row in rows:
        require(actor, MANAGE_UNIT, row.membership.unit)
        if row.membership.user == actor:
            raise _own()
    found: dict[int, UnitMembership] = {}
    for some in batches(sorted(row.membership.pk for row in rows)):
        locked = UnitMembership.objects.select_for_update(of=("self",)).select_related("unit__county", "user")
        found.update({one.pk: one for one in locked.filter(pk__in=some).order_by("pk")})
    deeds = []
    for row in rows:
        one = found[row.membership.pk]
        if one.end is not None and one.end < timezone.localdate():
            raise Conflict(_("其中有人刚刚不再是单位人员，请刷新后再办理。"), code="ended_already")
        _check(one.user, one.unit, row.role)
        if one.role != row.role:
            deeds.append(audit.Deed(one, {"role": (one.role, row.role)}, label=_label(one)))
            one.role = row.role
    UnitMembership.objects.bulk_update([found[deed.obj.pk] for deed in deeds], ["role"], batch_size=BATCH)
    audit.record_many(actor=actor, action="membership.role", deeds=deeds)
    for row in rows:
        policies.forget_grants(row.membership.user)
    return [found[row.membership.pk] for row in rows]


@transaction.atomic
def end_membership(
    *, actor: Actor, membership: UnitMembership, end: datetime.date | None = None, reason: str = ""
) -> UnitMembership:
    """Ends it. What the unit has in hand stays with the unit.

    Args:
        end: last day, rights included; today when not given.

    Raises:
        NotFound, Forbidden: no `unit.manage` at the unit. Invalid: the day is before the first one.
        Conflict: it has ended already.
    """
    row = UnitMembership.objects.select_for_update(of=("self",)).select_related("unit", "user").get(pk=membership.pk)
    require(actor, MANAGE_UNIT, row.unit)
    row.end = last_day(row, end)
    row.save(update_fields=["end"])
    reason = clean_line(reason, max_length=500, label=_("理由"))
    changes = {"end": (None, row.end)}
    audit.record(actor=actor, action="membership.end", obj=row, changes=changes, label=_label(row), reason=reason)
    policies.forget_grants(membership.user)
    return row


def _own() -> Forbidden:
    # As with posts: whoever gives out rights to residents' contacts does not give them to themselves.
    return Forbidden(_("不能把自己登记为单位人员，请由另一位管理员办理。"))


def _check(user: User, unit: Unit, role: str) -> None:
    if role not in UnitRole.values:
        message = _("请选择联络员或工作人员。")
        raise Invalid(message, fields={"role": message})
    if not unit.is_active:
        message = _("“%(unit)s”已停用。") % {"unit": unit}
        raise Invalid(message, fields={"unit": message})
    check_person(user, unit.county)


def _refuse_double(user: User, unit: Unit, start: datetime.date, held: list[UnitMembership]) -> None:
    holds = [row for row in held if row.unit_id == unit.pk and meet(row, start)]
    if holds:
        raise Conflict(
            _("%(name)s已是“%(unit)s”的%(role)s。")
            % {"name": user.name, "unit": unit, "role": holds[0].get_role_display()},
            code="member_already",
        )


def _label(row: UnitMembership) -> str:
    """Unit and role. Not the person: the trail is never erased."""
    return f"{row.unit} {row.get_role_display()}"
