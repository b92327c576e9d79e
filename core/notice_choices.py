"""What a person chose: over which way, at once or in the day's digest, and in which hours not at all.

The box in the portal always has everything. Robots and the duty mailboxes are places, not people: nobody chooses there.
"""

import datetime
from collections.abc import Mapping

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, notice_kinds, quiet
from core.errors import Invalid, Stale
from core.models import NoticePreference, User

SMS, EMAIL = "sms", "email"
NOW, DIGEST, OFF = "now", "digest", "off"
WAYS = (SMS, EMAIL)
WORDS = {NOW: gettext_lazy("及时发"), DIGEST: gettext_lazy("每日汇总"), OFF: gettext_lazy("不发")}
# Text messages cost the county money and go for few kinds; mail costs nothing and can wait.
BUILT_IN = {SMS: NOW, EMAIL: DIGEST}


def chosen(preference: NoticePreference | None, group: str, way: str) -> str:
    """What holds for a group: the person's choice, else the portal's. What must be told at once waits for no digest."""
    choices = preference.choices.get(group, {}) if preference is not None else {}
    found = str(choices.get(way, BUILT_IN[way]))
    return NOW if found == DIGEST and notice_kinds.all_urgent(group) else found


def plan(preference: NoticePreference | None, kind: str, *, urgent: bool) -> dict[str, str]:
    """Way -> "now" or "digest", for one notice and one reader; a way that is off is left out.

    Args:
        urgent: the notice must be told at once, whatever its kind.
    """
    known = notice_kinds.find(kind)
    urgent = urgent or notice_kinds.is_urgent(kind)
    found = {}
    for way in WAYS:
        if way == SMS and not (known is not None and known.outside):
            continue
        if way == EMAIL and not (preference is not None and preference.email):
            continue
        choice = chosen(preference, notice_kinds.group_of(kind), way)
        if choice != OFF:
            found[way] = NOW if urgent else choice
    return found


def options(group: str, way: str) -> list[str]:
    """What is on offer for a group; empty where the way carries nothing of it."""
    if way == SMS and not notice_kinds.goes_outside(group):
        return []
    return [NOW, OFF] if notice_kinds.all_urgent(group) else [NOW, DIGEST, OFF]


def quiet_hours(preference: NoticePreference | None) -> quiet.Hours | None:
    """The person's own hours, else the installation's."""
    return own_hours(preference.quiet_from, preference.quiet_until) if preference is not None else own_hours(None, None)


def own_hours(begins: datetime.time | None, ends: datetime.time | None) -> quiet.Hours | None:
    """The same, from the columns of a person's row."""
    if begins is not None and ends is not None:
        return begins, ends
    return quiet.parse(settings.NOTICE_QUIET_HOURS)


def preference_of(user: User) -> NoticePreference:
    """The person's row, or what would be in it."""
    return NoticePreference.objects.filter(pk=user.pk).first() or NoticePreference(user=user, version=0)


def require_version(user: User, seen: int) -> None:
    """Raises Stale when the person's choices are no longer those they saw."""
    if preference_of(user).version != seen:
        raise _stale()


def choose(
    *,
    actor: User,
    version: int,
    email: str,
    choices: Mapping[str, Mapping[str, str]],
    digest_at: datetime.time,
    quiet_from: datetime.time | None = None,
    quiet_until: datetime.time | None = None,
) -> NoticePreference:
    """Keeps what the actor chose about notices of their own.

    Args:
        version: of the row the actor saw; 0 when there was none.
        choices: group -> way -> "now", "digest" or "off".

    Raises:
        Invalid: no mail address, something that is not on offer, or half of the quiet hours.
        Stale: it was changed on another page meanwhile.
    """
    given = {
        "email": _clean_email(email),
        "choices": _clean_choices(choices),
        "digest_at": digest_at,
        **_clean_hours(quiet_from, quiet_until),
    }
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=actor.pk)
        row = NoticePreference.objects.filter(pk=person.pk).first()
        if (row.version if row is not None else 0) != version:
            raise _stale()
        row = row or NoticePreference(user=person, version=0)
        changes = {name: (getattr(row, name), value) for name, value in given.items() if getattr(row, name) != value}
        if not changes and version:
            return row
        for name, value in given.items():
            setattr(row, name, value)
        row.version += 1
        row.save(force_insert=not version)
        # What a person chose for themselves is theirs; the trail says that, and nothing of what.
        audit.record(
            actor=actor,
            action="account.notices",
            obj=person,
            changes={name: ("", "") for name in changes if name == "email"},
            personal=("email",),
        )
    return row


def _clean_email(email: str) -> str:
    email = email.strip()
    if not email:
        return ""
    try:
        validate_email(email)
    except ValidationError as error:
        raise _bad_email() from error
    if len(email) > 120 or not email.isascii():
        raise _bad_email()
    return email


def _bad_email() -> Invalid:
    words = _("请填写完整的邮箱地址，例如 name@example.cn。")
    return Invalid(words, fields={"email": words})


def _clean_choices(choices: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    """What is on offer alone, and of that what differs from what the portal has."""
    found: dict[str, dict[str, str]] = {}
    known = {group.name for group in notice_kinds.groups()}
    for group, ways in choices.items():
        for way, choice in ways.items():
            if group not in known or way not in WAYS or choice not in options(group, way):
                words = _("请从列出的接收方式里选；督办等必须及时通知的，不能放进每日汇总。")
                raise Invalid(words, fields={f"{group}_{way}": words})
            if choice != chosen(None, group, way):
                found.setdefault(group, {})[way] = choice
    return found


def _clean_hours(begins: datetime.time | None, ends: datetime.time | None) -> dict[str, datetime.time | None]:
    if (begins is None) != (ends is None):
        words = _("免打扰的开始和结束时间要一起填，或者都不填。")
        raise Invalid(words, fields={"quiet_until" if ends is None else "quiet_from": words})
    if begins is not None and begins == ends:
        words = _("开始和结束不能是同一时间。")
        raise Invalid(words, fields={"quiet_until": words})
    return {"quiet_from": begins, "quiet_until": ends}


def _stale() -> Stale:
    return Stale(_("您刚刚在另一个页面改过通知设置，请刷新后再改。"))
