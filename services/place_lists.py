"""Projects and resources on a place's own page, and what the timeline tells of them (docs/domain.md#c4, #l1)."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, chip, day_words, link
from core.periods import day_start
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.timeline import Entry
from services.list_faces import left_words, project_chips, resource_chips
from services.models import PROJECT_HOLDS, Project, ProjectState, Resource, ResourceState
from services.posts import MANAGE_PROJECT, MANAGE_RESOURCE, VIEW_PROJECT, VIEW_RESOURCE
from services.selectors.resources import with_left

MOST = 20


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The projects under way here, and what can be used here and below. Two queries."""
    if policies.holds(user, VIEW_PROJECT):
        yield _projects(node, user)
    if policies.holds(user, VIEW_RESOURCE):
        yield _resources(node, user)


def _projects(node: GridNode, user: Any) -> Part:
    inside = Project.objects.visible_to(user).filter(in_subtree(node, "node"))
    running = inside.filter(state__in=PROJECT_HOLDS).select_related("lead_unit", "node")
    rows = [
        [
            link(row.name, _page("project", row.pk)),
            row.lead_unit.label if row.lead_unit else _("待认领"),
            _where(row.node, node),
            day_words(row.due_on),
            *[chip(words, tone) for words, tone in project_chips(row)[-1:]],
        ]
        for row in running.order_by("due_on", "pk")[:MOST]
    ]
    columns = [_("项目"), _("牵头单位"), _("实施地点"), _("完成期限"), _("状态")]
    way = _way(node, user, MANAGE_PROJECT, "project", _("新建项目"))
    return Part(_("进行中的项目"), columns, rows, _("没有进行中的项目。"), way)


def _resources(node: GridNode, user: Any) -> Part:
    inside = Resource.objects.visible_to(user).filter(in_subtree(node, "node"), state=ResourceState.AVAILABLE)
    rows = [
        [
            link(row.name, _page("resource", row.pk)),
            row.unit.label if row.unit else _("本处自有"),
            _where(row.node, node),
            left_words(row, row.left),
            *[chip(words, tone) for words, tone in resource_chips(row)[-1:]],
        ]
        for row in with_left(inside).select_related("unit", "node").order_by("kind", "name", "pk")[:MOST]
    ]
    columns = [_("资源"), _("提供单位"), _("使用范围"), _("数量"), _("状态")]
    way = _way(node, user, MANAGE_RESOURCE, "resource", _("登记资源"))
    return Part(_("可用的资源"), columns, rows, _("还没有单位在这里提供资源。"), way)


def _where(row: GridNode, node: GridNode) -> str:
    return row.name if row.pk != node.pk else _("本处")


def _way(node: GridNode, user: Any, right: str, model: str, label: str) -> tuple[str, str] | None:
    """Making one here, for who may."""
    if node.is_retired or not policies.can(user, right, node):
        return None
    return label, f"{reverse(f'admin:services_{model}_add')}?{urlencode({'node': node.pk})}"


def history(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Projects accepted at the place and below it, newest first. One query."""
    if not policies.holds(user, VIEW_PROJECT):
        return
    rows = Project.objects.visible_to(user).filter(in_subtree(node, "node"), state=ProjectState.DONE)
    done = rows.filter(done_on__isnull=False).select_related("lead_unit", "node")
    for row in done.order_by("-done_on", "-pk")[:limit]:
        assert row.done_on is not None
        yield Entry(
            at=day_start(row.done_on),
            title=_("项目完成：%(name)s") % {"name": row.name},
            text=row.node.path if row.node_id != node.pk else "",
            who=row.lead_unit.label if row.lead_unit else "",
            kind=_("项目"),
            link=_page("project", row.pk),
        )


def _page(model: str, pk: int) -> str:
    return reverse(f"admin:services_{model}_change", args=[pk])
