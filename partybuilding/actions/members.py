"""Party members as the organisation knows them, and the accounts they sign in with.

Five facts and no more: name, phone, unit, branch, the compound they live in (docs/practice.md, "Left out on purpose").
Locks: the streets of homes, then members in id order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit, policies
from core.accounts import MANAGE_ACCOUNT, clean_phone
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.models import User
from core.text import clean_line
from grids.actions import GivenAccount, account_for, hold_places, why_not_theirs
from grids.actions.permission import require
from grids.actions.terms import BATCH, batches
from grids.compounds import have_profiles
from grids.models import County, GridNode
from partybuilding.models import Member, PartyOrganisation, Unit
from partybuilding.posts import MANAGE_MEMBER

UNCHANGED: Any = object()
_PERSONAL = ("name", "phone", "home", "home_id")
_FIELDS = ("name", "phone", "unit", "branch", "home", "is_active")


@dataclass(frozen=True)
class NewMember:
    """A member to be registered. `user` is their account, where there is one already."""

    name: str
    phone: str
    unit: Unit | None = None
    branch: PartyOrganisation | None = None
    home: GridNode | None = None
    user: User | None = None


@dataclass(frozen=True)
class MemberChange:
    """What is to be different of a member. The fields mean what the arguments of `update_member` mean."""

    member: Member
    name: str = UNCHANGED
    phone: str = UNCHANGED
    unit: Unit | None = UNCHANGED
    branch: PartyOrganisation | None = UNCHANGED
    home: GridNode | None = UNCHANGED
    is_active: bool = UNCHANGED


def add_member(
    *,
    actor: Actor,
    county: County,
    name: str,
    phone: str,
    unit: Unit | None = None,
    branch: PartyOrganisation | None = None,
    home: GridNode | None = None,
) -> Member:
    """Registers a party member with the county.

    Args:
        home: the compound they live in; a place with a compound profile.

    Raises:
        NotFound, Forbidden: no `member.manage` in the county.
        Invalid: name or phone is not usable; unit, branch or home is out of use or of another county; home is no
            compound.
        Conflict: the county has a member with that phone.
    """
    return add_members(actor=actor, county=county, rows=[NewMember(name, phone, unit, branch, home)])[0]


@transaction.atomic
def add_members(*, actor: Actor, county: County, rows: Sequence[NewMember]) -> list[Member]:
    """Registers many members in a few statements, for imports; all or none. Raises as `add_member`.

    Raises also:
        Forbidden: accounts are given without `account.manage`. Conflict: an account is not the member's own.
    """
    require(actor, MANAGE_MEMBER, county)
    if any(row.user is not None for row in rows):
        require(actor, MANAGE_ACCOUNT, county)
    homes = _homes(row.home for row in rows)
    made = []
    for row in rows:
        name, phone = _clean_name(row.name), clean_phone(row.phone)
        member = Member(county=county, name=name, phone=phone, unit=row.unit, branch=row.branch, user=row.user)
        member.home = homes[row.home.pk] if row.home else None
        _check_places(member)
        _check_account(member)
        made.append(member)
    try:
        with transaction.atomic():
            Member.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError as error:
        raise _taken(made) from error
    deeds = [
        audit.Deed(
            member,
            {
                "name": (None, ""),
                "phone": (None, ""),
                "unit_id": (None, member.unit_id),
                "branch_id": (None, member.branch_id),
                "home_id": (None, ""),
                "user_id": (None, member.user_id),
            },
            label=_label(member),
            personal=_PERSONAL,
        )
        for member in made
    ]
    audit.record_many(actor=actor, action="member.add", deeds=deeds, new=True)
    for row in rows:
        if row.user is not None:
            policies.forget_grants(row.user)
    return made


def update_member(
    *,
    actor: Actor,
    member: Member,
    name: str = UNCHANGED,
    phone: str = UNCHANGED,
    unit: Unit | None = UNCHANGED,
    branch: PartyOrganisation | None = UNCHANGED,
    home: GridNode | None = UNCHANGED,
    is_active: bool = UNCHANGED,
) -> Member:
    """Corrects a member, or takes one out of use. What is not given stays. The phone of the account does not follow.

    Raises as `add_member`.
    """
    row = MemberChange(member, name, phone, unit, branch, home, is_active)
    return update_members(actor=actor, rows=[row])[0]


@transaction.atomic
def update_members(*, actor: Actor, rows: Sequence[MemberChange]) -> list[Member]:
    """Corrects many members in a few statements, for imports; all or none. Raises as `update_member`."""
    for row in rows:
        require(actor, MANAGE_MEMBER, row.member)
    homes = _homes(row.home for row in rows if row.home is not UNCHANGED)
    found = _locked([row.member.pk for row in rows])
    deeds = []
    for row in rows:
        member = found[row.member.pk]
        changes = _change(member, row, homes)
        if {"unit", "branch", "home"} & changes.keys():
            _check_places(member)
        if changes:
            deeds.append(audit.Deed(member, changes, label=_label(member), personal=_PERSONAL))
    changed = [found[deed.obj.pk] for deed in deeds]
    try:
        with transaction.atomic():
            Member.objects.bulk_update(changed, _FIELDS, batch_size=BATCH)
    except IntegrityError as error:
        raise _taken(changed) from error
    audit.record_many(actor=actor, action="member.update", deeds=deeds)
    for member in changed:
        if member.user is not None:
            policies.forget_grants(member.user)
    return [found[row.member.pk] for row in rows]


def _homes(nodes: Iterable[GridNode | None]) -> dict[int, GridNode]:
    """The places held as they are now, before any member is locked."""
    wanted = {node.pk: node for node in nodes if node is not None}
    return {node.pk: node for node in hold_places(*wanted.values())}


def _change(member: Member, row: MemberChange, homes: dict[int, GridNode]) -> dict[str, tuple[Any, Any]]:
    """Sets what a row gives; answers what differed."""
    given: dict[str, Any] = {"unit": row.unit, "branch": row.branch, "is_active": row.is_active}
    given["home"] = homes[row.home.pk] if isinstance(row.home, GridNode) else row.home
    given["name"] = row.name if row.name is UNCHANGED else _clean_name(row.name)
    given["phone"] = row.phone if row.phone is UNCHANGED else clean_phone(row.phone)
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(member, field)
        if value is not UNCHANGED and value != before:
            setattr(member, field, value)
            changes[field] = (before, value)
    return changes


@transaction.atomic
def give_member_account(*, actor: Actor, member: Member) -> GivenAccount:
    """Gives a member an account under their phone. One that stands under it already (a cadre who is also a member)
    becomes theirs, if it bears the same name.

    Raises:
        NotFound, Forbidden: no `member.manage` or `account.manage` in the county.
        Invalid: the member is out of use, or the account stopped.
        Conflict: the member has an account, or the phone's account belongs to somebody else.
    """
    require(actor, MANAGE_MEMBER, member)
    member = _locked([member.pk])[member.pk]
    if member.user_id is not None:
        raise _has_account(member)
    given = account_for(actor=actor, county=member.county, phone=member.phone, name=member.name)
    link_member_accounts(actor=actor, county=member.county, pairs=[(member, given.user)])
    return given


@transaction.atomic
def link_member_accounts(*, actor: Actor, county: County, pairs: Sequence[tuple[Member, User]]) -> None:
    """Makes accounts that stand already the members' own, in a few statements; all or none.

    Raises:
        NotFound, Forbidden: no `member.manage` or `account.manage` in the county.
        Invalid: a member is out of use. Conflict: a member has an account, or an account is not theirs.
    """
    require(actor, MANAGE_MEMBER, county)
    require(actor, MANAGE_ACCOUNT, county)
    owners = {member.pk: user for member, user in pairs}
    members = [member for member in _locked(list(owners)).values() if member.county_id == county.pk]
    for member in members:
        if not member.is_active:
            raise Invalid(_("%(name)s已停用，请先启用。") % {"name": member.name})
        if member.user_id is not None:
            raise _has_account(member)
        member.user = owners[member.pk]
        _check_account(member)
    try:
        with transaction.atomic():
            Member.objects.bulk_update(members, ["user"], batch_size=BATCH)
    except IntegrityError as error:
        raise _taken(members) from error
    deeds = [audit.Deed(member, {"user_id": (None, member.user_id)}, label=_label(member)) for member in members]
    audit.record_many(actor=actor, action="member.account", deeds=deeds)
    for user in owners.values():
        policies.forget_grants(user)


def _locked(pks: Sequence[int]) -> dict[int, Member]:
    """Members as they are now, in id order, so that two imports wait for one another instead of blocking each other."""
    found: dict[int, Member] = {}
    rows = Member.objects.select_for_update(of=("self",)).select_related("county", "unit", "branch", "user")
    for some in batches(sorted(pks)):
        found.update({member.pk: member for member in rows.filter(pk__in=some).order_by("pk")})
    return found


def _check_account(member: Member) -> None:
    """The same person's, and nobody else's as a member (the database says so for good: one member per account)."""
    if member.user is None:
        return
    fault = why_not_theirs(member.user, county=member.county, name=member.name)
    if fault:
        raise fault


def _check_places(member: Member) -> None:
    for field, place, label in (("unit", member.unit, _("单位")), ("branch", member.branch, _("支部"))):
        if place is not None and (place.county_id != member.county_id or not place.is_active):
            message = _("请选择本县在用的%(label)s。") % {"label": label}
            raise Invalid(message, fields={field: message})
    home = member.home
    if home is not None and (home.county_id != member.county_id or home.is_retired or not have_profiles([home])):
        message = _("居住小区请选择本县在用的小区。")
        raise Invalid(message, fields={"home": message})


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("姓名"), required=True)


def _taken(members: Sequence[Member]) -> Conflict:
    """Which of the members collides with another one, as far as it can be told."""
    phones = {member.phone: member for member in members}
    others = Member.objects.exclude(pk__in=[member.pk for member in members if member.pk])
    clash = others.filter(county=members[0].county, phone__in=list(phones)[:BATCH]).first()
    if clash is None:
        return Conflict(_("这个账号或手机号码已经是另一位党员的，请核对。"), code="phone_taken")
    message = _("手机号码 %(phone)s 已登记为另一位党员，请核对。") % {"phone": clash.masked_phone}
    return Conflict(message, code="phone_taken", fields={"phone": message})


def _has_account(member: Member) -> Conflict:
    return Conflict(_("%(name)s已经有账号。") % {"name": member.name}, code="has_account")


def _label(member: Member) -> str:
    return _("党员 %(n)s") % {"n": member.pk}
