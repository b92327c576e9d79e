"""Accounts: made, given a password, stopped. No SMS anywhere: an administrator hands a first password over in person.

What a person may do never stands here; it follows from posts and units, which higher floors keep.
"""

import datetime
import logging
import os
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from axes.utils import reset as unlock
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.signals import user_logged_in
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.dispatch import receiver
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.authtoken.models import Token

from core import audit, notices, policies
from core.actors import SYSTEM, Actor
from core.errors import Conflict, Forbidden, Invalid
from core.hashers import FirstPasswordHasher
from core.masking import is_mobile
from core.models import AuditEntry, User
from core.text import clean_line

logger = logging.getLogger(__name__)

MANAGE_ACCOUNT = "account.manage"
# An audience of notices: who audits a county, by its key. The floor that knows the county's posts registers it.
AUDITORS = "auditors"
NOTICE_KIND = "account"
# Letting somebody in along with a post, and nothing else: no list of accounts, no password given anew.
OPEN_ACCOUNT = "account.open"
# A key that nobody renews is a key that nobody looks after.
TOKEN_LIFETIME = datetime.timedelta(days=365)
# Without the letters and digits that are confused when a password is read from paper: 0 o 1 l i.
_LETTERS = "abcdefghjkmnpqrstuvwxyz"
_DIGITS = "23456789"
_PERSONAL = ("phone", "name")


def clean_phone(value: str) -> str:
    """A mobile number as it is stored, from what a person typed or a spreadsheet holds.

    Raises:
        Invalid: it is no mobile number.
    """
    text = unicodedata.normalize("NFKC", value or "")
    digits = "".join(char for char in text if char not in " -–—.·()\t")
    for prefix in ("+86", "0086"):
        digits = digits.removeprefix(prefix)
    if not is_mobile(digits):
        raise Invalid(_("请填写 11 位手机号码，以 1 开头。"), fields={"phone": _("请填写 11 位手机号码，以 1 开头。")})
    return digits


def new_password() -> str:
    """A first password: 12 letters and digits in groups of four, easy to read out (about 58 bits)."""
    while True:
        text = "".join(secrets.choice(_LETTERS + _DIGITS) for _place in range(12))
        if set(text) & set(_LETTERS) and set(text) & set(_DIGITS):
            return "-".join((text[:4], text[4:8], text[8:]))


def create_account(
    *,
    actor: Actor,
    phone: str,
    name: str,
    place: models.Model | None,
    county_key: int | None = None,
    password: str | None = None,
) -> tuple[User, str]:
    """Makes an account with a first password that must be changed at the first sign-in.

    Args:
        phone: how the person signs in; unique.
        name: at most 60 characters.
        place: where the account is made (county, node, unit): the actor must hold `account.manage` or `account.open`
            there. None only for SYSTEM, that is for commands.
        county_key: the county whose administrators look after the account.
        password: a first password chosen by a command; else one is made.

    Returns the account and its first password, which is stored nowhere: show it once.

    Raises:
        NotFound, Forbidden: the actor does not manage accounts at `place`.
        Invalid: phone or name is not usable. Conflict: the phone has an account already.
    """
    _require_at(actor, place)
    phone, name = clean_phone(phone), _clean_name(name)
    password = password or new_password()
    user = User(phone=phone, name=name, county_key=county_key, must_change_password=True)
    user.set_password(password)
    with transaction.atomic():
        if User.objects.filter(phone=phone).exists():
            raise _taken()
        try:
            user.save(force_insert=True)
        except IntegrityError as error:
            raise _taken() from error
        _record(actor, "account.create", user, changes=dict.fromkeys(_PERSONAL, (None, "")), new=True)
    return user, password


def prepare_accounts(
    *,
    people: Sequence[tuple[str, str]],
    county_key: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[User, str]]:
    """The slow half of `create_accounts`: accounts and first passwords in memory, hashed, nothing written.

    Hashing takes its time, some milliseconds each (`core.hashers.FirstPasswordHasher`); it must not happen while a
    transaction keeps others waiting. It leaves the interpreter's lock alone, so every processor helps.

    Args:
        progress: told how many of how many are done.

    Raises:
        Invalid: a phone or name is not usable.
    """
    made: list[tuple[User, str]] = []
    for phone, name in people:
        user = User(phone=clean_phone(phone), name=_clean_name(name), county_key=county_key, must_change_password=True)
        made.append((user, new_password()))
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        hashed = pool.map(_hash_first, (password for _user, password in made))
        for number, ((user, _password), encoded) in enumerate(zip(made, hashed, strict=True), start=1):
            user.password = encoded
            if progress is not None:
                progress(number, len(made))
    return made


def _hash_first(password: str) -> str:
    return make_password(password, hasher=FirstPasswordHasher.algorithm)


def create_accounts(
    *,
    actor: Actor,
    people: Sequence[tuple[str, str]] = (),
    place: models.Model | None,
    county_key: int | None = None,
    prepared: Sequence[tuple[User, str]] | None = None,
) -> list[tuple[User, str]]:
    """Makes many accounts in a few statements, for imports; all or none. See `create_account`.

    Args:
        people: (phone, name) pairs, already known to have no account.
        prepared: what `prepare_accounts` made of them, where the caller has a transaction of its own.

    Raises also:
        Conflict: one of the phones has an account by now, or stands twice in the list.
    """
    _require_at(actor, place)
    made = list(prepared) if prepared is not None else prepare_accounts(people=people, county_key=county_key)
    users = [user for user, _password in made]
    with transaction.atomic():
        try:
            User.objects.bulk_create(users, batch_size=500)
        except IntegrityError as error:
            raise _taken() from error
        changes = dict.fromkeys(_PERSONAL, (None, ""))
        deeds = [audit.Deed(user, changes, label=_label(user), personal=_PERSONAL) for user in users]
        audit.record_many(actor=actor, action="account.create", deeds=deeds, new=True)
    return made


def update_account(*, actor: Actor, user: User, phone: str | None = None, name: str | None = None) -> User:
    """Corrects phone or name. None leaves a field as it is.

    Raises:
        NotFound, Forbidden, Invalid; Conflict: the new phone belongs to another account.
    """
    _require(actor, user)
    given = {"phone": clean_phone(phone) if phone is not None else None}
    given["name"] = _clean_name(name) if name is not None else None
    with transaction.atomic():
        row = _locked(user)
        changed = {field: value for field, value in given.items() if value is not None and value != getattr(row, field)}
        if not changed:
            return row
        if "phone" in changed and User.objects.filter(phone=changed["phone"]).exclude(pk=row.pk).exists():
            raise _taken()
        for field, value in changed.items():
            setattr(row, field, value)
        try:
            row.save(update_fields=list(changed))
        except IntegrityError as error:
            raise _taken() from error
        _record(actor, "account.update", row, changes=dict.fromkeys(changed, ("", "")))
    return row


def reset_password(*, actor: Actor, user: User) -> str:
    """Gives a forgotten account a new first password, ends its sessions and keys, and lifts a lock.

    Returns the password, which is stored nowhere: show it once.

    Raises:
        NotFound, Forbidden: the actor does not manage this account.
        Conflict: the account is stopped, or it is the actor's own.
    """
    _require(actor, user)
    if user == actor:
        raise Conflict(_("自己的密码请在“修改密码”页面更改。"), code="own_account")
    password = new_password()
    with transaction.atomic():
        row = _locked(user)
        if not row.is_active:
            raise Conflict(_("这个账号已停用。请先启用，再重置密码。"), code="inactive")
        row.set_password(password)
        row.must_change_password = True
        row.password_changed_at = None
        row.save(update_fields=["password", "must_change_password", "password_changed_at"])
        Token.objects.filter(user=row).delete()
        _tell_auditors(actor, row, _record(actor, "account.reset_password", row))
    unlock(username=row.phone)
    return password


def change_own_password(*, actor: User, current: str, new: str) -> User:
    """The actor's own new password. The caller keeps the session alive (`update_session_auth_hash`).

    Raises:
        Invalid: the current password is wrong (`fields["current"]`) or the new one too weak (`fields["new"]`).
    """
    if not actor.check_password(current):
        raise _weak("current", _("现在的密码不对，请重新输入。"))
    if actor.check_password(new):
        raise _weak("new", _("新密码不能和现在的密码相同。"))
    try:
        validate_password(new, actor)
    except ValidationError as error:
        raise _weak("new", " ".join(error.messages)) from error
    with transaction.atomic():
        row = _locked(actor)
        row.set_password(new)
        row.must_change_password = False
        row.password_changed_at = timezone.now()
        row.save(update_fields=["password", "must_change_password", "password_changed_at"])
        Token.objects.filter(user=row).delete()
        _record(actor, "account.change_password", row)
    return row


def deactivate(*, actor: Actor, user: User, reason: str) -> User:
    """Stops an account: no sign-in, no notices, its keys are gone. Nothing it did is removed.

    Raises:
        NotFound, Forbidden; Invalid: no reason; Conflict: it is the actor's own account, or stopped already.
    """
    if user == actor:
        raise Conflict(_("不能停用自己的账号，请由另一位管理员办理。"), code="own_account")
    return _set_active(actor=actor, user=user, active=False, reason=reason)


def reactivate(*, actor: Actor, user: User, reason: str) -> User:
    """Opens a stopped account again, with its old password. Raises as `deactivate`."""
    return _set_active(actor=actor, user=user, active=True, reason=reason)


def note_token(*, user: User) -> None:
    """Records that an account signed in for the API."""
    with transaction.atomic():
        _record(user, "account.token", _locked(user))


def clean_up(*, now: datetime.datetime) -> int:
    """Removes API keys that have expired; returns how many."""
    return Token.objects.filter(created__lt=now - TOKEN_LIFETIME).delete()[0]


@receiver(user_logged_in)
def _note_sign_in(sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
    """Sign-ins are access log, kept with the trail (docs/practice.md#lines); never shown as a figure."""
    with transaction.atomic():
        _record(user, "account.sign_in", _locked(user))


def _set_active(*, actor: Actor, user: User, active: bool, reason: str) -> User:
    _require(actor, user)
    reason = clean_line(reason, max_length=500, label=_("理由"), required=True)
    with transaction.atomic():
        row = _locked(user)
        if row.is_active == active:
            raise Conflict(_("这个账号已经是启用状态。") if active else _("这个账号已经停用。"))
        row.is_active = active
        row.save(update_fields=["is_active"])
        if not active:
            Token.objects.filter(user=row).delete()
        action = "account.reactivate" if active else "account.deactivate"
        _record(actor, action, row, changes={"is_active": (not active, active)}, reason=reason)
    return row


def _require_at(actor: Actor, place: models.Model | None) -> None:
    if actor is SYSTEM:
        return
    if place is None:
        raise Forbidden(_("请先选定账号所属的县、社区或单位。"))
    opens = policies.can(actor, OPEN_ACCOUNT, place)
    policies.require(actor, OPEN_ACCOUNT if opens else MANAGE_ACCOUNT, place)


def _require(actor: Actor, user: User) -> None:
    if actor is SYSTEM:
        return
    policies.require(actor, MANAGE_ACCOUNT, user)
    if user.is_superuser and not getattr(actor, "is_superuser", False):
        # Whoever resets a password can sign in with it.
        raise Forbidden(_("系统维护账号只能由系统维护人员在服务器上管理。"))


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _tell_auditors(actor: Actor, user: User, entry: AuditEntry) -> None:
    """Whoever resets a password can sign in with it: those who watch the administrators hear of every one."""
    notices.post(
        kind=NOTICE_KIND,
        title=_("%(actor)s重置了%(name)s的密码") % {"actor": actor.name, "name": user.name},
        body=_("登录手机号码 %(phone)s。如果不是本人要求的，请核实。") % {"phone": user.masked_phone},
        link=f"/admin/core/auditentry/{entry.pk}/change/",
        audience={AUDITORS: user.county_key},
        key=f"account:{user.pk}:reset:{entry.pk}",
    )


def _record(actor: Actor, action: str, user: User, **details: Any) -> AuditEntry:
    return audit.record(actor=actor, action=action, obj=user, label=_label(user), personal=_PERSONAL, **details)


def _label(user: User) -> str:
    # Not the name: the trail is never erased.
    return _("账号 %(n)s") % {"n": user.pk}


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("姓名"), required=True)


def _taken() -> Conflict:
    message = _("这个手机号码已经有账号了。")
    return Conflict(message, code="phone_taken", fields={"phone": message})


def _weak(field: str, message: str) -> Invalid:
    return Invalid(message, code="password", fields={field: message})


def taken_phones(phones: Iterable[str]) -> set[str]:
    """Those of the phones that have an account, for imports (a few statements however many)."""
    wanted = list(phones)
    found: set[str] = set()
    for start in range(0, len(wanted), 500):
        found.update(User.objects.filter(phone__in=wanted[start : start + 500]).values_list("phone", flat=True))
    return found


notices.register_kind(NOTICE_KIND, gettext_lazy("账号"))
