"""Members on a place's own page: how many reported, and what was confirmed. Numbers, no names."""

from collections.abc import Iterable
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part
from core.periods import Quarter
from grids.models import GridNode
from services import posts
from services.actions.member_services import plain
from services.selectors.members import member_figures


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """For places at which somebody can live, and those above them. Four queries."""
    if not policies.can(user, posts.VIEW_CHECKIN, node) or node.level_key not in _LEVELS:
        return
    quarter = Quarter.of(timezone.localdate())
    rows = [
        [words, str(found.reported), str(found.services), plain(found.hours)]
        for words, found in (
            (quarter.label, member_figures(node, quarter)),
            (_("累计"), member_figures(node)),
        )
    ]
    yield Part(
        _("党员报到和服务"),
        [_("时段"), _("报到党员（人）"), _("已确认服务（次）"), _("时长（小时）")],
        rows if any(cell != "0" for row in rows for cell in row[1:]) else [],
        _("还没有党员在这里报到。"),
    )


_LEVELS = frozenset({"street", "community", "compound", "grid"})
