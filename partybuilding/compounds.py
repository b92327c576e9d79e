"""What of compounds this floor tells the floors below: their table, what keeps a property firm in use, and what stands on
a place's own page."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies, sheets
from core.admin_base import Part, chip, link
from core.periods import day_start
from grids import pictures, place_parts, timeline
from grids.models import IN_STATE, GridNode, PhotoStage, Remediation, RemediationState
from grids.querysets import in_subtree
from grids.timeline import Entry
from partybuilding import duties
from partybuilding.models import Compound, CompoundRunning
from partybuilding.resources.compounds import CompoundSheet
from partybuilding.views import mobile_compounds


def register() -> None:
    """Called once from `apps.py`."""
    sheets.register(CompoundSheet())
    duties.register("compound", label=gettext_lazy("在管的小区"), rows=CompoundRunning.objects.run_by)
    place_parts.register("compound", compound_part)
    timeline.register("remediation", what_was_put_right)
    mobile_compounds.register_ways()


def compound_part(node: GridNode, user: Any) -> Iterable[Part]:
    """The profile on the compound's place in the tree: a line, and the way to the whole. At most three queries."""
    related = ("compound_profile", "compound_running__branch")
    compound = Compound.objects.visible_to(user).select_related(*related).filter(pk=node.pk).first()
    if compound is None:
        return []
    running = compound.running
    projects = Remediation.objects.filter(node=node.pk)
    finished = projects.filter(IN_STATE[RemediationState.FINISHED]).count()
    address = reverse("admin:partybuilding_compound_change", args=[node.pk])
    row = [
        running.get_management_display() if running else chip(_("未登记")),
        (running.firm_name if running else "") or "—",
        running.get_committee_display() if running else "—",
        (running.branch.name if running and running.branch else "") or "—",
        f"{finished} / {projects.count()}",
        link(_("查看小区档案"), address),
    ]
    titles = [_("管理方式"), _("物业公司"), _("业主委员会"), _("党支部"), _("整治（完成/全部）"), _("档案")]
    return [Part(_("小区档案"), titles, [row])]


def what_was_put_right(node: GridNode, user: Any, limit: int) -> Iterator[Entry]:
    """Projects begun and finished at a place and below it, with their pictures. Two queries.

    Ordered by the later of a project's two days, `limit` projects hold the `limit` newest entries.
    """
    rows = Remediation.objects.visible_to(user).filter(in_subtree(node, "node"))
    dated = rows.annotate(last=Coalesce("finished_on", "started_on")).filter(last__isnull=False)
    at_desk = policies.holds(user, policies.USE_DESK)
    for row in dated.select_related("node").prefetch_related("photos").order_by("-last", "-pk")[:limit]:
        address = reverse("admin:grids_remediation_change", args=[row.pk]) if at_desk else ""
        text = _("%(kind)s %(count)d，%(place)s") % {
            "kind": row.get_kind_display(),
            "count": row.quantity,
            "place": row.node.name,
        }
        days = (
            (row.started_on, _("整治开工：%(title)s"), PhotoStage.BEFORE),
            (row.finished_on, _("整治完成：%(title)s"), PhotoStage.AFTER),
        )
        for day, title, stage in days:
            if day is not None:
                shown = pictures.of(row, stage)
                yield Entry(
                    day_start(day), title % {"title": row.title}, text, kind=_("整治"), link=address, pictures=shown
                )
