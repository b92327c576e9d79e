"""Who learns what of a joint meeting. Keyed, so that a second round writes nothing twice; readers are found on delivery."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core import notices
from core.notices import Message
from core.periods import date_words, datetime_words
from core.text import ellipsis
from services import posts
from services.models import JointMeeting, Resolution

KINDS = {
    "meeting_published": t("联席会议通知"),
    "meeting_changed": t("联席会议时间地点有变"),
    "meeting_cancelled": t("联席会议取消"),
    "meeting_tomorrow": t("联席会议就要召开"),
    "meeting_left": t("联席会议还没有收尾"),
    "resolution_given": t("联席会议决议，请落实"),
    "resolution_leader": t("联席会议提请您协调"),
    "resolution_late": t("联席会议决议已到期"),
}
# These also leave the portal, over whatever channels are configured.
_OUTSIDE = {"meeting_published", "meeting_changed", "meeting_cancelled", "resolution_leader"}


def register() -> None:
    """Called once from `apps.py`."""
    for name, label in KINDS.items():
        notices.register_kind(name, label, outside=name in _OUTSIDE)


def to_units(kind: str, meeting: JointMeeting, units: Iterable[int], stage: str) -> list[Message]:
    """To the liaisons of some of the units that are asked. `stage` makes a second notice of the kind another one."""
    link = reverse("mobile:meeting", args=[meeting.pk])
    return [
        _message(kind, meeting, {"unit": {"unit": unit, "role": "liaison"}}, link, f"unit{unit}:{stage}")
        for unit in units
    ]


def to_leaders(kind: str, meeting: JointMeeting, leaders: Iterable[int], stage: str) -> list[Message]:
    """To leaders who are paired with the place."""
    link = reverse("mobile:meeting", args=[meeting.pk])
    return [_message(kind, meeting, {"user": leader}, link, f"user{leader}:{stage}") for leader in leaders]


def to_callers(kind: str, meeting: JointMeeting, stage: str, *, about: str = "") -> Message:
    """To whoever called the meeting."""
    link = reverse("admin:services_jointmeeting_change", args=[meeting.pk])
    return _message(kind, meeting, callers(meeting), link, f"callers:{stage}", about=about)


def callers(meeting: JointMeeting) -> dict[str, Any]:
    """The audience that stands for whoever called a meeting."""
    place = {"county": meeting.county_id} if meeting.node_id is None else {"node": meeting.node_id}
    return {"post": {"right": posts.MANAGE_MEETING, **place}}


def of_resolution(kind: str, row: Resolution, audience: dict[str, Any], stage: str) -> Message:
    """About one resolution, to whoever is to see to it."""
    desk = "post" in audience
    if desk:
        link = reverse("admin:services_resolution_change", args=[row.pk])
    else:
        link = reverse("mobile:meeting_matter", args=[row.pk])
    who = "callers" if desk else "leader" if "user" in audience else f"unit{row.unit_id}"
    return Message(
        kind=kind,
        title=f"{KINDS[kind]}：{ellipsis(row.text, 40)}",
        body=_("%(meeting)s，责任人 %(owner)s，%(due)s前完成。")
        % {"meeting": row.meeting.title, "owner": row.owner, "due": date_words(row.due_on)},
        link=link,
        audience=audience,
        key=f"resolution:{row.pk}:{kind}:{who}:{stage}",
    )


def given(rows: Iterable[Resolution]) -> list[Message]:
    """What follows from a meeting that has just closed: to the units that owe something, and to the leaders."""
    found = []
    for row in rows:
        if row.leader_id is not None:
            found.append(of_resolution("resolution_leader", row, {"user": row.leader_id}, "0"))
        if row.unit_id is not None:
            unit = {"unit": {"unit": row.unit_id, "role": "liaison"}}
            found.append(of_resolution("resolution_given", row, unit, "0"))
    return found


def _message(
    kind: str, meeting: JointMeeting, audience: dict[str, Any], link: str, stage: str, *, about: str = ""
) -> Message:
    return Message(
        kind=kind,
        title=about or f"{KINDS[kind]}：{ellipsis(meeting.title, 60)}",
        body=_("%(when)s，%(venue)s。")
        % {"when": datetime_words(timezone.localtime(meeting.held_at)), "venue": meeting.venue},
        link=link,
        audience=audience,
        key=f"meeting:{meeting.pk}:{kind}:{stage}",
    )
