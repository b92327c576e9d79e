"""What this floor tells of a place's past (`grids.timeline`): what was done to the place itself, and who served there."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from grids import history, timeline
from grids.models import Appointment, GridNode
from grids.querysets import in_subtree
from grids.timeline import Entry


def register() -> None:
    """Called once from `apps.py`."""
    timeline.register("tree", _tree)
    timeline.register("posts", _posts)


def _tree(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """The deeds done to the place, and what was split, merged and retired below it."""
    for deed in history.told(history.deeds(node, below=True)[:limit], node):
        lines = [deed.place, deed.text, _("理由：%(reason)s") % {"reason": deed.reason} if deed.reason else ""]
        text = "\n".join(line for line in lines if line)
        yield Entry(deed.at, deed.title, text, deed.who, _("网格"))


def _posts(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Who began and who ended to serve there."""
    today = timezone.localdate()
    inside = Appointment.objects.visible_to(user).filter(in_subtree(node, "node")).select_related("user", "node")
    for row in inside.filter(start__lte=today).order_by("-start", "-id")[:limit]:
        yield _post(row, node, row.start, _("到任：%(name)s（%(post)s）"))
    for row in inside.filter(end__lt=today).order_by("-end", "-id")[:limit]:
        yield _post(row, node, row.end, _("离任：%(name)s（%(post)s）"))


def _post(row: Appointment, node: GridNode, day: Any, words: str) -> Entry:
    text = "" if row.node_id == node.pk else row.place
    title = words % {"name": row.user.name, "post": row.post_label}
    return Entry(timeline.day(day), title, text, kind=_("任职"))
