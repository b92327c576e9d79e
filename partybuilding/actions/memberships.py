"""Who acts for a unit: liaisons and staff, from a day to a day."""

import datetime

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.models import User
from core.text import clean_line
from grids.actions.permission import require
from partybuilding.models import Unit, UnitMembership, UnitRole
from partybuilding.posts import MANAGE_UNIT


@transaction.atomic
def add_membership(
    *, actor: Actor, user: User, unit: Unit, role: str = UnitRole.LIAISON, start: datetime.date | None = None
) -> UnitMembership:
    """Lets an account act for a unit, from a day on (today when not given).

    Raises:
        NotFound, Forbidden: no `unit.manage` at the unit.
        Invalid: unknown role, the unit is closed, the account is stopped or of another county.
        Conflict: the person acts for the unit already; end that first to change the role.
    """
    require(actor, MANAGE_UNIT, unit)
    if role not in UnitRole.values:
        message = _("请选择联络员或工作人员。")
        raise Invalid(message, fields={"role": message})
    # The person's row is the lock: two windows must not add the same person twice.
    user = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    unit = Unit.objects.select_related("county").get(pk=unit.pk)
    _check(user, unit)
    start = start or timezone.localdate()
    held = UnitMembership.objects.filter(Q(end__isnull=True) | Q(end__gt=start), user=user, unit=unit).first()
    if held is not None:
        raise Conflict(
            _("%(name)s已是“%(unit)s”的%(role)s。")
            % {"name": user.name, "unit": unit, "role": held.get_role_display()},
            code="member_already",
        )
    row = UnitMembership(user=user, unit=unit, role=role, start=start)
    row.save(force_insert=True)
    changes = {"user_id": (None, user.pk), "role": (None, role), "start": (None, start)}
    audit.record(actor=actor, action="membership.start", obj=row, changes=changes, label=_label(row), new=True)
    policies.forget_grants(user)
    return row


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
    if row.end is not None:
        raise Conflict(_("这位人员已经不再代表该单位。"))
    end = end or timezone.localdate()
    if end < row.start:
        message = _("结束日期不能早于开始日期 %(start)s。") % {"start": row.start.isoformat()}
        raise Invalid(message, fields={"end": message})
    row.end = end
    row.save(update_fields=["end"])
    reason = clean_line(reason, max_length=500, label=_("理由"))
    audit.record(
        actor=actor, action="membership.end", obj=row, changes={"end": (None, end)}, label=_label(row), reason=reason
    )
    policies.forget_grants(membership.user)
    return row


def _check(user: User, unit: Unit) -> None:
    if not unit.is_active:
        message = _("“%(unit)s”已停用。") % {"unit": unit}
        raise Invalid(message, fields={"unit": message})
    if not user.is_active:
        message = _("这个账号已停用，请先启用。")
        raise Invalid(message, fields={"user": message})
    if user.county_key != unit.county_id:
        message = _("这个账号不属于%(county)s。") % {"county": unit.county.name}
        raise Invalid(message, fields={"user": message})


def _label(row: UnitMembership) -> str:
    """Unit and role. Not the person: the trail is never erased."""
    return f"{row.unit} {row.get_role_display()}"
