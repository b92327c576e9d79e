"""What of this floor hangs on places (`grids.hanging`): posts, compound profiles, what is being put right, the care ledger."""

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from grids import hanging
from grids.compounds import have_profiles
from grids.hanging import Fate
from grids.models import Appointment, CareHousehold, CompoundProfile, Remediation
from grids.posts import posts_at
from grids.querysets import unended

_ALL, _NONE = Q(pk__isnull=False), Q(pk__in=[])


def register() -> None:
    """Called once from `apps.py`."""
    hanging.register(
        Appointment,
        label=_("未结束的任职"),
        open=unended,
        # A post is of its place; who serves on at the successor is for the person who retires it to say.
        fates=(Fate.END, Fate.FOLLOW),
        no_room=_held_there,
        begun="appointment.start",
        ended="appointment.end",
    )
    hanging.register(
        CompoundProfile,
        label=_("小区档案"),
        open=lambda: Q(node__retired_at__isnull=True),
        fates=(Fate.FOLLOW, Fate.STAY),
        no_room=_has_profile,
    )
    hanging.register(
        Remediation,
        label=_("未完成的整治项目"),
        community="community",
        open=lambda: Q(finished_on__isnull=True),
        no_room=_same_title,
    )
    # Whoever is in need of care stays so wherever the street draws its lines: every entry follows its place.
    hanging.register(
        CareHousehold,
        label=_("关爱台账登记"),
        community="community",
        open=Q,
        no_room=_same_household,
        discreet=True,
    )


def _held_there(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Posts that are not held at the successor's level, and people who hold the same post there already."""
    fitting = [post.key for post in posts_at(successor.level_type.key)]
    held = Appointment.objects.filter(unended(), node=successor, user=OuterRef("user"), post=OuterRef("post"))
    return ~Q(post__in=fitting) | Q(Exists(held))


def _has_profile(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """A compound has one profile; what is no compound has none."""
    if not have_profiles([successor]) or CompoundProfile.objects.filter(node=successor).exists():
        return _ALL
    return _NONE


def _same_title(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Projects the successor has under the same title, finished ones among them."""
    if successor is None:
        return _NONE
    if not have_profiles([successor]):
        return _ALL
    return Q(Exists(Remediation.objects.filter(node=successor, title=OuterRef("title"))))


def _same_household(rows: QuerySet[Any], successor: Any, community: int | None) -> Q:
    """Households the successor's ledger has already."""
    if successor is None:
        return _NONE
    return Q(Exists(CareHousehold.objects.filter(node=successor, room=OuterRef("room"), name=OuterRef("name"))))
