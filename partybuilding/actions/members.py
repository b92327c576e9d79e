"""Party members as the organisation knows them, and the accounts they sign in with.

Four facts and no more: name, phone, unit, branch (docs/practice.md, "Left out on purpose").
"""

from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.accounts import MANAGE_ACCOUNT, clean_phone, create_account
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.models import User
from core.text import clean_line
from grids.actions.permission import require
from grids.models import County
from partybuilding.models import Member, PartyOrganisation, Unit
from partybuilding.posts import MANAGE_MEMBER

UNCHANGED: Any = object()
_PERSONAL = ("name", "phone")


@dataclass(frozen=True)
class GivenAccount:
    """An account somebody was given. `password` is shown once and stored nowhere; None when the account stood before."""

    user: User
    password: str | None


def add_member(
    *,
    actor: Actor,
    county: County,
    name: str,
    phone: str,
    unit: Unit | None = None,
    branch: PartyOrganisation | None = None,
) -> Member:
    """Registers a party member with the county.

    Raises:
        NotFound, Forbidden: no `member.manage` in the county.
        Invalid: name or phone is not usable, unit or branch is out of use or of another county.
        Conflict: the county has a member with that phone.
    """
    require(actor, MANAGE_MEMBER, county)
    member = Member(county=county, name=_clean_name(name), phone=clean_phone(phone), unit=unit, branch=branch)
    _check_places(member)
    with transaction.atomic():
        _save(member, force_insert=True)
        changes = {
            "name": (None, ""),
            "phone": (None, ""),
            "unit_id": (None, member.unit_id),
            "branch_id": (None, member.branch_id),
        }
        _record(actor, "member.add", member, changes, new=True)
    return member


@transaction.atomic
def update_member(
    *,
    actor: Actor,
    member: Member,
    name: str = UNCHANGED,
    phone: str = UNCHANGED,
    unit: Unit | None = UNCHANGED,
    branch: PartyOrganisation | None = UNCHANGED,
    is_active: bool = UNCHANGED,
) -> Member:
    """Corrects a member, or takes one out of use. What is not given stays. The phone of the account does not follow.

    Raises as `add_member`.
    """
    require(actor, MANAGE_MEMBER, member)
    member = Member.objects.select_for_update(of=("self",)).select_related("county", "unit", "branch").get(pk=member.pk)
    given: dict[str, Any] = {"unit": unit, "branch": branch, "is_active": is_active}
    given["name"] = name if name is UNCHANGED else _clean_name(name)
    given["phone"] = phone if phone is UNCHANGED else clean_phone(phone)
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(member, field)
        if value is not UNCHANGED and value != before:
            setattr(member, field, value)
            changes[field] = (before, value)
    if not changes:
        return member
    if {"unit", "branch"} & changes.keys():
        _check_places(member)
    _save(member, update_fields=list(changes))
    _record(actor, "member.update", member, changes)
    if member.user is not None:
        policies.forget_grants(member.user)
    return member


@transaction.atomic
def give_member_account(*, actor: Actor, member: Member) -> GivenAccount:
    """Gives a member an account under their phone. One that stands under it already (a cadre who is also a member)
    becomes theirs, if it bears the same name.

    Raises:
        NotFound, Forbidden: no `member.manage` or `account.manage` in the county.
        Invalid: the member is out of use.
        Conflict: the member has an account, or the phone's account belongs to somebody else.
    """
    require(actor, MANAGE_MEMBER, member)
    member = Member.objects.select_for_update(of=("self",)).select_related("county").get(pk=member.pk)
    require(actor, MANAGE_ACCOUNT, member.county)
    if not member.is_active:
        raise Invalid(_("这位党员已停用，请先启用。"))
    if member.user_id is not None:
        raise Conflict(_("%(name)s已经有账号。") % {"name": member.name}, code="has_account")
    given = _find_or_make(actor, member)
    member.user = given.user
    _save(member, update_fields=["user"])
    _record(actor, "member.account", member, {"user_id": (None, given.user.pk)})
    policies.forget_grants(given.user)
    return given


def _find_or_make(actor: Actor, member: Member) -> GivenAccount:
    user = User.objects.filter(phone=member.phone).first()
    if user is None:
        user, password = create_account(
            actor=actor, phone=member.phone, name=member.name, place=member.county, county_key=member.county_id
        )
        return GivenAccount(user, password)
    if user.name != member.name or user.county_key != member.county_id or Member.objects.filter(user=user).exists():
        raise Conflict(
            _("手机号码 %(phone)s 的账号属于别人，请核对党员的姓名和手机号码。") % {"phone": member.masked_phone},
            code="phone_taken",
        )
    return GivenAccount(user, None)


def _check_places(member: Member) -> None:
    for field, place, label in (("unit", member.unit, _("单位")), ("branch", member.branch, _("支部"))):
        if place is not None and (place.county_id != member.county_id or not place.is_active):
            message = _("请选择本县在用的%(label)s。") % {"label": label}
            raise Invalid(message, fields={field: message})


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("姓名"), required=True)


def _save(member: Member, **how: Any) -> None:
    try:
        with transaction.atomic():
            member.save(**how)
    except IntegrityError as error:
        message = _("手机号码 %(phone)s 已登记为另一位党员，请核对。") % {"phone": member.masked_phone}
        raise Conflict(message, code="phone_taken", fields={"phone": message}) from error


def _record(
    actor: Actor, action: str, member: Member, changes: dict[str, tuple[Any, Any]], *, new: bool = False
) -> None:
    label = _("党员 %(n)s") % {"n": member.pk}
    audit.record(actor=actor, action=action, obj=member, changes=changes, label=label, personal=_PERSONAL, new=new)
