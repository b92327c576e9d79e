"""Check-ins on a place's own page: which units serve there, in which role (docs/domain.md#c4)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, day_words, link
from core.periods import day_start
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.timeline import Entry
from services.models import UnitCheckIn
from services.posts import MANAGE_CHECKIN, VIEW_CHECKIN
from services.selectors.checkins import figures_of

MOST = 50


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The units that have reported here, inside, or to a place this one lies in; with the figures of the place. Two
    queries."""
    if not policies.holds(user, VIEW_CHECKIN):
        return
    seen = UnitCheckIn.objects.visible_to(user).current()
    above = Q(node__tree_id=node.tree_id, node__lft__lt=node.lft, node__rght__gt=node.rght)
    rows = [
        [
            link(row.unit.name, reverse("admin:services_unitcheckin_change", args=[row.pk])),
            row.get_role_display(),
            row.node.name if row.node_id != node.pk else _("本处"),
            row.brings or "—",
            day_words(row.until) or _("不定期"),
        ]
        for row in seen.filter(in_subtree(node, "node") | above)
        .select_related("unit", "node")
        .order_by("role", "node__lft", "pk")[:MOST]
    ]
    found = figures_of(seen.filter(in_subtree(node, "node")))
    title = _("单位报到")
    if found.units:
        words = _("单位报到：%(units)d 个，牵头 %(lead)d 个、配合 %(supporting)d 个")
        title = words % {"units": found.units, "lead": found.lead, "supporting": found.supporting}
    columns = [_("报到单位"), _("角色"), _("报到地"), _("带来的资源和服务"), _("协议到期")]
    yield Part(title, columns, rows, _("还没有单位向这里报到。"), _way(node, user))


def _way(node: GridNode, user: Any) -> tuple[str, str] | None:
    """Registering one here, for who may."""
    if node.is_retired or not policies.can(user, MANAGE_CHECKIN, node):
        return None
    return _("登记报到"), f"{reverse('admin:services_unitcheckin_add')}?node={node.pk}&role=supporting"


def history(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Units that came and went, at the place and below it, newest first. Two queries."""
    seen = UnitCheckIn.objects.visible_to(user).filter(in_subtree(node, "node")).select_related("unit", "node")
    for row in seen.filter(start__lte=timezone.localdate()).order_by("-start", "-pk")[:limit]:
        yield _entry(row, row.start, _("%(unit)s报到：%(place)s"))
    for row in seen.filter(end__lt=timezone.localdate()).order_by("-end", "-pk")[:limit]:
        yield _entry(row, row.end, _("%(unit)s结束报到：%(place)s"))


def _entry(row: UnitCheckIn, day: Any, words: str) -> Entry:
    return Entry(
        at=day_start(day),
        title=words % {"unit": row.unit.label, "place": row.node.name},
        text=row.brings,
        who=row.get_role_display(),
        kind=_("报到"),
        link=reverse("admin:services_unitcheckin_change", args=[row.pk]),
    )
