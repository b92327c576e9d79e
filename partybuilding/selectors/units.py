"""Reads over units and their people that more than one face needs."""

from collections.abc import Iterable

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from core.accounts import clean_phone
from core.errors import Invalid
from core.models import User
from core.text import clean_line
from grids.actions import why_not_theirs
from grids.models import County
from grids.querysets import current
from partybuilding.models import Member, Unit, UnitMembership, UnitRole


def liaisons_of(units: Iterable[Unit]) -> dict[int, list[UnitMembership]]:
    """Unit id -> who is its liaison today. One query however many units."""
    found: dict[int, list[UnitMembership]] = {unit.pk: [] for unit in units}
    held = UnitMembership.objects.current().filter(unit_id__in=list(found), role=UnitRole.LIAISON)
    for row in held.select_related("user", "unit").order_by("start", "pk"):
        found[row.unit_id].append(row)
    return found


def units_without_liaison(county: County) -> QuerySet[Unit]:
    """Units in use for which nobody answers: what is dispatched to them reaches no one."""
    liaison = Count(
        "memberships",
        filter=Q(memberships__role=UnitRole.LIAISON, memberships__user__is_active=True)
        & current(prefix="memberships__"),
    )
    found: QuerySet[Unit] = Unit.objects.active().filter(county=county).annotate(liaisons=liaison).filter(liaisons=0)
    return found


def members_to_ask(unit: Unit) -> QuerySet[Member]:
    """The unit's members who can be asked to serve: in use, with an account to answer from."""
    found: QuerySet[Member] = Member.objects.active().filter(unit=unit, user__is_active=True)
    return found.select_related("user").order_by("name", "pk")


def named_person(county: County, name: str, phone: str = "") -> User:
    """The account of somebody who is named, not looked up: a county's accounts are not everybody's to read.

    Args:
        phone: needed where several people of the county bear the name.

    Raises Invalid or Conflict, under `name` or `phone`: there is no such account, it is stopped, or it is somebody else's.
    """
    name = clean_line(name, max_length=60, label=_("姓名"), field="name", required=True)
    if phone.strip():
        user = User.objects.filter(phone=clean_phone(phone)).first()
        if user is None:
            message = _("这个手机号码还没有账号，请先由管理员开通。")
            raise Invalid(message, fields={"phone": message})
        if refusal := why_not_theirs(user, county=county, name=name):
            raise refusal
        return user
    found = list(User.objects.active().filter(county_key=county.pk, name=name)[:2])
    if len(found) == 1:
        return found[0]
    message = _("有几个人叫这个姓名，请填写手机号码。") if found else _("没有这个人的账号，请先由管理员开通。")
    raise Invalid(message, fields={"phone" if found else "name": message})
