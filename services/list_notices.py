"""Who learns what of the resource, project and responsibility lists: one table from move to readers and words."""

from collections.abc import Callable, Iterable
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as t

from core import notices
from core.notices import Message
from core.text import ellipsis
from grids.querysets import current
from partybuilding.models import UnitMembership, UnitRole
from services import posts
from services.models import Project, Resource
from services.selectors.projects import reported_for

Audience = dict[str, Any]


def _place(right: str) -> Callable[[Any], Audience]:
    """Those who hold a right in a post at the place: the community, or the street for what concerns several."""
    return lambda row: {"post": {"right": right, "node": getattr(row, "community_id", None) or row.node_id}}


def _unit_of_resource(row: Resource) -> Audience:
    return {"unit": {"unit": row.unit_id, "role": "liaison"}} if row.unit_id else {}


def _lead(row: Project) -> Audience:
    return {"unit": {"unit": row.lead_unit_id, "role": "liaison"}} if row.lead_unit_id else {}


def _units_there(row: Project) -> Audience:
    return {"project_units": row.pk}


RESOURCE_TABLE: dict[str, tuple[Callable[[Any], Audience], Any]] = {
    "offer": (_place(posts.MANAGE_RESOURCE), t("单位提供了资源，请核实")),
    "check": (_unit_of_resource, t("提供的资源已核实")),
    "send_back": (_unit_of_resource, t("提供的资源被退回，请完善")),
}
PROJECT_TABLE: dict[str, tuple[Callable[[Any], Audience], Any]] = {
    "publish": (_units_there, t("项目清单有新项目，可以认领")),
    "claim": (_place(posts.MANAGE_PROJECT), t("项目已被认领")),
    "appoint": (_lead, t("由本单位牵头的项目")),
    "finish": (_place(posts.MANAGE_PROJECT), t("项目申报完成，请验收")),
    "accept": (_lead, t("项目已验收")),
    "send_back": (_lead, t("项目未通过验收，请继续实施")),
    "drop": (_lead, t("项目已取消")),
}
# What the beat reminds of (services.actions.list_reminders).
REMINDERS = {
    "list_refresh": t("请更新资源清单"),
    "list_overdue": t("有责任事项超期"),
    "list_waiting": t("清单里有事项等待办理"),
}


def tell_resource(name: str, row: Resource) -> None:
    """Puts the notice of a move into the outbox, in the caller's transaction; nothing when it has no reader."""
    _tell("resource", RESOURCE_TABLE, name, row, row.name)


def tell_project(name: str, row: Project) -> None:
    """As `tell_resource`."""
    _tell("project", PROJECT_TABLE, name, row, row.name)


def _tell(kind: str, table: dict[str, Any], name: str, row: Any, title: str) -> None:
    if name not in table:
        return
    readers, words = table[name]
    audience = readers(row)
    if not audience:
        return
    desk = "post" in audience
    link = f"/admin/services/{kind}/{row.pk}/change/" if desk else f"/m/{kind}s/{row.pk}/"
    message = Message(
        kind=f"{kind}_{name}",
        title=f"{words}：{ellipsis(title, 40)}",
        body=_("%(place)s") % {"place": row.node.path},
        link=link,
        audience=audience,
        key=f"{kind}:{row.pk}:{name}:{row.version}",
    )
    notices.post_many([message])


def _project_units(project_id: int) -> Iterable[int]:
    """The audience word `project_units`: liaisons of the units that may claim the project."""
    project = Project.objects.select_related("node").filter(pk=project_id).first()
    if project is None:
        return []
    units = reported_for(project).values("unit_id")
    held = UnitMembership.objects.filter(current(), role=UnitRole.LIAISON, unit_id__in=units)
    return held.values_list("user_id", flat=True)


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    notices.register_audience("project_units", _project_units)
    for kind, table in (("resource", RESOURCE_TABLE), ("project", PROJECT_TABLE)):
        for name, (_readers, words) in table.items():
            notices.register_kind(f"{kind}_{name}", words, outside=name == "appoint")
    for name, words in REMINDERS.items():
        notices.register_kind(name, words)
