"""Joint meetings on a place's own page: the latest, what they resolved, and the history (docs/domain.md#c4)."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, chip, link
from core.periods import datetime_words
from grids.models import GridNode
from grids.naming import COMMUNITY, STREET
from grids.querysets import in_subtree
from grids.timeline import Entry
from services.models import JointMeeting, MeetingState
from services.posts import MANAGE_MEETING, VIEW_MEETING
from services.views import meeting_faces as faces

MOST = 8


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The latest meetings a street or a community called. One query."""
    if not policies.holds(user, VIEW_MEETING) or node.level_type.key not in (STREET, COMMUNITY):
        return
    rows = [
        [
            link(row.title, reverse("admin:services_jointmeeting_change", args=[row.pk])),
            datetime_words(row.held_at),
            row.venue,
            chip(*faces.meeting_chip(row)),
        ]
        for row in JointMeeting.objects.visible_to(user).filter(node=node).order_by("-held_at", "-pk")[:MOST]
    ]
    columns = [_("会议"), _("会议时间"), _("会议地点"), _("状态")]
    yield Part(_("联席会议"), columns, rows, _("这里还没有开过联席会议。"), _way(node, user))


def _way(node: GridNode, user: Any) -> tuple[str, str] | None:
    if node.is_retired or not policies.can(user, MANAGE_MEETING, node):
        return None
    return _("召集会议"), f"{reverse('admin:services_jointmeeting_add')}?node={node.pk}"


def history(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Meetings that were held at the place and below it, newest first. One query."""
    if not policies.holds(user, VIEW_MEETING):
        return
    held = JointMeeting.objects.visible_to(user).filter(in_subtree(node, "node"), state=MeetingState.CLOSED)
    for row in held.order_by("-held_at", "-pk")[:limit]:
        yield Entry(
            at=row.held_at,
            title=_("召开%(title)s") % {"title": row.title},
            text=row.summary,
            who=row.host,
            kind=_("会议"),
            link=reverse("admin:services_jointmeeting_change", args=[row.pk]),
        )
