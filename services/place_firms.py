"""Property firms on the page of a place and of a compound: this year's advice, what was passed on, what came of it."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part
from core.periods import Year
from grids.models import GridNode
from services.posts import VIEW_FIRM
from services.selectors.firms import found_at


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The firms that run compounds here or around here. Four queries at most."""
    if not policies.can(user, VIEW_FIRM, node):
        return
    year = Year.of(timezone.localdate())
    lines = found_at(node, year)
    if not lines:
        return
    rows = [
        [
            line.firm.name,
            line.figures.advice,
            line.figures.passed,
            *(line.figures.orders[name] for name in ("finished", "open", "late")),
        ]
        for line in lines
    ]
    columns = [_("物业企业"), _("物业指导（次）"), _("转办（件）"), _("已办结"), _("办理中"), _("超期")]
    address = f"{reverse('admin:services_demand_firms')}?{urlencode({'place': node.pk, 'period': year.code})}"
    yield Part(_("物业服务（今年）"), columns, rows, more=(_("查看物业服务统计"), address))
