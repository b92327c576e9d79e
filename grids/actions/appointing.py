"""A post for somebody who is named, not looked up: by name and telephone, the account made along with it if need be.

Streets and communities appoint so: they know their people, and the county's list of accounts is not theirs to read.
"""

import datetime
from dataclasses import dataclass

from django.db import transaction

from core.actors import Actor
from grids.actions.accounts import GivenAccount, account_for
from grids.actions.appointments import Place, appoint, hand_over
from grids.actions.permission import require
from grids.models import Appointment, County
from grids.posts import MANAGE_APPOINTMENT


@dataclass(frozen=True)
class Appointed:
    """A post somebody was given, and their account: with a first password when it was opened for it."""

    appointment: Appointment
    account: GivenAccount


@transaction.atomic
def appoint_person(
    *,
    actor: Actor,
    name: str,
    phone: str,
    post: str,
    place: Place,
    start: datetime.date | None = None,
    note: str = "",
) -> Appointed:
    """Gives a post to whoever has this telephone. Arguments and errors as `appoint` and `account_for`.

    An account is opened only together with the post: where the post is refused there is no account either.
    """
    require(actor, MANAGE_APPOINTMENT, place)
    given = _account(actor, place, phone, name)
    made = appoint(actor=actor, user=given.user, post=post, place=place, start=start, note=note)
    return Appointed(made, given)


@transaction.atomic
def hand_over_to(
    *,
    actor: Actor,
    appointment: Appointment,
    name: str,
    phone: str,
    day: datetime.date | None = None,
    note: str = "",
    reason: str = "",
    version: int | None = None,
) -> Appointed:
    """Hands a post over to whoever has this telephone. Arguments and errors as `hand_over` and `account_for`."""
    require(actor, MANAGE_APPOINTMENT, appointment)
    place = appointment.node or appointment.county
    assert place is not None
    given = _account(actor, place, phone, name)
    made = hand_over(
        actor=actor,
        appointment=appointment,
        successor=given.user,
        day=day,
        note=note,
        reason=reason,
        version=version,
    )
    return Appointed(made, given)


def _account(actor: Actor, place: Place, phone: str, name: str) -> GivenAccount:
    if isinstance(place, County):
        return account_for(actor=actor, county=place, phone=phone, name=name)
    return account_for(actor=actor, county=place.county, phone=phone, name=name, at=place)
