"""One person, one account, and what they hold, in one step. Each answers with the first password, to be shown once."""

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core.accounts import clean_phone
from core.actors import Actor
from core.errors import Conflict
from grids.actions import GivenAccount, account_for, appoint
from grids.models import County, GridNode
from partybuilding.actions import add_member, add_membership, give_member_account
from partybuilding.models import Member, PartyOrganisation, Unit, UnitRole


@transaction.atomic
def create_cadre_account(
    *,
    actor: Actor,
    phone: str,
    name: str,
    post: str,
    place: GridNode | County,
    start: datetime.date | None = None,
) -> GivenAccount:
    """An account for a cadre or a keeper, with their post. Somebody who has an account already keeps it and gets the
    post beside what they hold.

    Raises:
        NotFound, Forbidden: no `account.manage` or `appointment.manage` at the place.
        Invalid: phone, name or post is not usable there.
        Conflict: the phone is somebody else's, or the person holds the post already.
    """
    county = place if isinstance(place, County) else place.county
    given = account_for(actor=actor, county=county, phone=phone, name=name)
    appoint(actor=actor, user=given.user, post=post, place=place, start=start)
    return given


@transaction.atomic
def create_liaison_account(
    *, actor: Actor, phone: str, name: str, unit: Unit, role: str = UnitRole.LIAISON
) -> GivenAccount:
    """An account for somebody who acts for a unit. Raises as `create_cadre_account`, with `unit.manage`."""
    given = account_for(actor=actor, county=unit.county, phone=phone, name=name)
    add_membership(actor=actor, user=given.user, unit=unit, role=role)
    return given


@transaction.atomic
def create_member_account(
    *,
    actor: Actor,
    county: County,
    phone: str,
    name: str,
    unit: Unit | None = None,
    branch: PartyOrganisation | None = None,
) -> GivenAccount:
    """An account for a party member, who is registered first unless the county knows them by this phone.

    Raises as `create_cadre_account`, with `member.manage`; Conflict also when the member of this phone bears another
    name.
    """
    member = Member.objects.filter(county=county, phone=clean_phone(phone)).first()
    if member is None:
        member = add_member(actor=actor, county=county, name=name, phone=phone, unit=unit, branch=branch)
    elif member.name != " ".join(name.split()):
        message = _("手机号码 %(phone)s 已登记为另一位党员，请核对。") % {"phone": member.masked_phone}
        raise Conflict(message, code="phone_taken", fields={"phone": message})
    return give_member_account(actor=actor, member=member)
