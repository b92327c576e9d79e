"""Accounts of a county's people: the one that stands under a phone, or a new one."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from core.accounts import clean_phone, create_account
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.masking import mask_phone
from core.models import User
from core.text import clean_line
from grids.actions.permission import can, require
from grids.models import County, GridNode
from grids.posts import MANAGE_ACCOUNT, OPEN_ACCOUNT


@dataclass(frozen=True)
class GivenAccount:
    """An account somebody was given. `password` is shown once and stored nowhere; None when the account stood before."""

    user: User
    password: str | None


def account_for(*, actor: Actor, county: County, phone: str, name: str, at: GridNode | None = None) -> GivenAccount:
    """The account of a person of the county: the one under this phone if it is the same person's, else a new one.

    One person has one account, whatever they hold: a cadre who is a party member signs in once.

    Args:
        at: the place the person gets a post at, by an actor who lets people in for that alone.

    Raises:
        NotFound, Forbidden: no `account.manage` in the county, and no `account.open` at the place.
        Invalid: phone or name is not usable, or the account is stopped.
        Conflict: the phone's account bears another name or belongs to another county.
    """
    place = at if at is not None and can(actor, OPEN_ACCOUNT, at) else county
    require(actor, MANAGE_ACCOUNT if place is county else OPEN_ACCOUNT, place)
    phone = clean_phone(phone)
    name = clean_line(name, max_length=60, label=_("姓名"), required=True)
    user = User.objects.filter(phone=phone).first()
    if user is None:
        return GivenAccount(*create_account(actor=actor, phone=phone, name=name, place=place, county_key=county.pk))
    fault = why_not_theirs(user, county=county, name=name)
    if fault:
        raise fault
    return GivenAccount(user, None)


def why_not_theirs(user: User, *, county: County, name: str) -> Conflict | Invalid | None:
    """Why an account that stands under somebody's phone can not be theirs; None when it can."""
    if user.name != name or user.county_key != county.pk:
        # Whose it is, is not told: the phone may be mistyped.
        message = _("手机号码 %(phone)s 的账号属于别人，请核对姓名和手机号码。") % {"phone": mask_phone(user.phone)}
        return Conflict(message, code="phone_taken", fields={"phone": message})
    if not user.is_active:
        message = _("这个账号已停用，请先启用。")
        return Invalid(message, fields={"phone": message})
    return None
