"""The projects that meet a demand, on the demand's own page. What becomes of them never moves the demand
(docs/decisions/0022-the-four-lists.md)."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, chip, day_words, link
from services import posts
from services.list_faces import project_chips
from services.models import Demand, Project

MOST = 50


def parts(demand: Demand, user: Any) -> Iterable[Part]:
    """The projects the person sees, with the way to a new one for whoever may draft it. One query."""
    if not policies.holds(user, posts.VIEW_PROJECT):
        return
    seen = Project.objects.visible_to(user).filter(demands=demand).select_related("lead_unit").order_by("-pk")
    rows = [
        [
            link(row.name, reverse("admin:services_project_change", args=[row.pk])),
            row.lead_unit.label if row.lead_unit else "—",
            day_words(row.due_on) or "—",
            format_html_join(" ", "{}", ((chip(*one),) for one in project_chips(row))),
        ]
        for row in seen[:MOST]
    ]
    may = demand.is_open and policies.can(user, posts.MANAGE_PROJECT, demand.community)
    more = (_("做成项目"), f"{reverse('admin:services_project_add')}?demand={demand.code}") if may else None
    if rows or more:
        columns = [_("项目"), _("牵头单位"), _("完成期限"), _("状态")]
        yield Part(_("项目"), columns, rows, _("还没有为它立项；需要几家单位一起办的，可以做成项目。"), more)
