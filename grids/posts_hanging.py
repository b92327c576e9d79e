"""Posts hang on places (`grids.hanging`): when a place goes out of use they end, or are held on at its successor."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from grids import hanging
from grids.hanging import Fate
from grids.models import Appointment
from grids.posts import posts_at
from grids.querysets import unended


def register() -> None:
    """Called once from `apps.py`."""
    hanging.register(
        Appointment,
        label=_("未结束的任职"),
        open=unended,
        # A post is of its place; who serves on at the successor is for the person who retires it to say.
        fates=(Fate.END, Fate.FOLLOW),
        no_room=_no_room,
        begun="appointment.start",
        ended="appointment.end",
    )


def _no_room(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Posts that are not held at the successor's level, and people who hold the same post there already."""
    fitting = [post.key for post in posts_at(successor.level_type.key)]
    held = Appointment.objects.filter(unended(), node=successor, user=OuterRef("user"), post=OuterRef("post"))
    return ~Q(post__in=fitting) | Q(Exists(held))
