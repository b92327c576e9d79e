"""One unit's own help in a case: taken on or declined, told of, finished, stepped back from, or ended by the community.
Source: docs/domain.md#z9. None of it touches the help of another unit.

Locks: the case, then the help. Whoever ends a help and whoever takes it on at the same moment stand in that line.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import Actor
from core.errors import Invalid, NotFound
from core.moving import advance
from services import case_notices
from services.actions.case_words import PERSONAL, say, words
from services.models import Help, HelpCase
from services.workflow import HELP

# Days in which a help is given when the unit names none; nobody promises for longer than the most.
HELP_DAYS = 30
MOST_HELP_DAYS = 366
_RELATED = ("case__node__county", "case__community", "unit")


def accept_help(
    *,
    actor: Actor,
    help: Help,
    due_on: datetime.date | None = None,
    text: str = "",
    version: int | None = None,
) -> Help:
    """A unit takes on what it is asked for, and from now on reads the case.

    Args:
        due_on: by when; from today on, in 30 days when not given. text: how, for everybody who helps.

    Raises:
        As `core.moving.advance`: Conflict when a colleague has answered, or the community has ended it. Invalid.
    """
    day = due_on or timezone.localdate() + datetime.timedelta(days=HELP_DAYS)
    data = {"due_on": _due(day), "text": words(text, label=_("打算怎么帮"), required=False)}

    def effect(row: Help, data: Mapping[str, Any]) -> None:
        row.due_at, row.due_on = None, data["due_on"]

    return _move(actor, help, "accept", _("接受帮扶"), data, version, effect, tell="accepted")


def decline_help(*, actor: Actor, help: Help, version: int | None = None) -> Help:
    """A unit can not: no reason, no consequence. Raises as `accept_help`."""
    return _move(actor, help, "decline", _("婉拒"), {}, version, _answered, tell="declined")


def report_help(
    *, actor: Actor, help: Help, text: str, due_on: datetime.date | None = None, version: int | None = None
) -> Help:
    """A unit tells how far it is, and may name another day. Raises as `accept_help`."""
    data = {"text": words(text, label=_("进展")), "due_on": _due(due_on) if due_on else None}

    def effect(row: Help, data: Mapping[str, Any]) -> None:
        row.due_on = data["due_on"] or row.due_on

    return _move(actor, help, "report", _("反馈进展"), data, version, effect)


def finish_help(*, actor: Actor, help: Help, result: str, version: int | None = None) -> Help:
    """A unit has given its help. The other units' go on. Raises as `accept_help`."""

    def effect(row: Help, data: Mapping[str, Any]) -> None:
        row.result, row.done_at = data["result"], timezone.now()

    data = {"result": words(result, label=_("帮了什么"), field="result")}
    return _move(actor, help, "finish", _("完成帮扶"), data, version, effect, tell="done")


def leave_help(*, actor: Actor, help: Help, text: str = "", version: int | None = None) -> Help:
    """A unit steps back from what it took on; it need not say why. Raises as `accept_help`."""
    data = {"text": words(text, label=_("要交代的话"), required=False)}
    return _move(actor, help, "leave", _("退出帮扶"), data, version, _unchanged, tell="left")


def withdraw_help(*, actor: Actor, help: Help, version: int | None = None) -> Help:
    """The community asks no longer. Raises as `accept_help`."""
    return _move(actor, help, "withdraw", _("撤回邀请"), {}, version, _answered, tell="withdrawn")


def lapse_help(*, actor: Actor, help: Help) -> Help:
    """Nobody has answered for long. The system's own deed. Raises as `accept_help`."""
    return _move(actor, help, "lapse", _("没有回应，邀请失效"), {}, None, _answered, tell="lapsed")


def end_help(*, actor: Actor, help: Help, text: str, version: int | None = None) -> Help:
    """The community ends one unit's help; the other units' go on. Raises as `accept_help`."""
    data = {"text": words(text, label=_("为什么终止"))}
    return _move(actor, help, "end", _("终止帮扶"), data, version, _unchanged, tell="ended")


@transaction.atomic
def _move(
    actor: Actor,
    help: Help,
    name: str,
    title: str,
    data: Mapping[str, Any],
    version: int | None,
    effect: Any,
    *,
    tell: str = "",
) -> Help:
    case = HelpCase.objects.select_for_update(of=("self",)).filter(pk=help.case_id).first()
    if case is None:
        raise NotFound(_("没有找到这项帮扶。"))

    def there(row: Help, data: Mapping[str, Any]) -> None:
        effect(row, data)
        whole = f"{title}：{row.unit.label}（{row.get_kind_display()}）"
        say(case, name, whole, actor=actor, text=str(data.get("text") or data.get("result") or ""), help=row)

    row = advance(
        HELP,
        help,
        name,
        actor=actor,
        data=data,
        version=version,
        effect=there,
        related=_RELATED,
        label=case.code,
        personal=PERSONAL,
    )
    if tell:
        notices.post_many([case_notices.of_help(tell, row)])
    return row


def _answered(row: Help, data: Mapping[str, Any]) -> None:
    row.due_at = None


def _unchanged(row: Help, data: Mapping[str, Any]) -> None:
    """The state alone changes."""


def _due(day: datetime.date) -> datetime.date:
    today = timezone.localdate()
    if not today <= day <= today + datetime.timedelta(days=MOST_HELP_DAYS):
        message = _("请填今天到一年以内的日期。")
        raise Invalid(message, fields={"due_on": message})
    return day
