"""Pairings on a place's own page: who looks after it, what is not solved, and the history (docs/domain.md#c4)."""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, chip, day_words, link
from core.periods import day_start
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.timeline import Entry
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from partybuilding.pairing_kinds import kinds_at
from partybuilding.posts import MANAGE_PAIRING, VIEW_PAIRING

MOST = 50
_PAIRING = ("pairing__node", "pairing__unit", "pairing__user")


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """Who looks after the place, or after one it lies in; and what is not solved here. Two queries."""
    if not policies.holds(user, VIEW_PAIRING):
        return
    above = Q(node__tree_id=node.tree_id, node__lft__lte=node.lft, node__rght__gte=node.rght)
    running = Pairing.objects.visible_to(user).current().filter(above).with_counts()
    held = [
        [
            link(row.holder, reverse("admin:partybuilding_pairing_change", args=[row.pk])),
            row.get_kind_display(),
            row.node.name if row.node_id != node.pk else _("本处"),
            row.duty or "—",
            day_words(row.last_visit) or "—",
            chip(row.open_count, "amber") if row.open_count else "0",
        ]
        for row in running.select_related("node", "unit", "user").order_by("-node__lft", "-kind", "pk")[:MOST]
    ]
    columns = [_("包联单位（人）"), _("包联类型"), _("包联到"), _("职责"), _("最近走访"), _("未解决的问题")]
    yield Part(_("包联"), columns, held, _("还没有人包联这里。"), _way(node, user))
    unsolved = PairingProblem.objects.visible_to(user).filter(in_subtree(node, "pairing__node"), solved_on=None)
    rows = [
        [
            link(row.text, reverse("admin:partybuilding_pairingproblem_change", args=[row.pk])),
            row.pairing.node.path,
            row.pairing.holder,
            day_words(row.found_on),
        ]
        for row in unsolved.select_related(*_PAIRING).order_by("found_on", "pk")[:MOST]
    ]
    if rows:
        yield Part(_("没有解决的问题"), [_("问题"), _("地点"), _("包联单位（人）"), _("发现日期")], rows)


def _way(node: GridNode, user: Any) -> tuple[str, str] | None:
    if node.is_retired or not kinds_at(node.level_type.key) or not policies.can(user, MANAGE_PAIRING, node):
        return None
    return _("登记包联"), f"{reverse('admin:partybuilding_pairing_add')}?node={node.pk}"


def history(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Visits, problems and solutions at the place and below it, newest first. Three queries."""
    inside = in_subtree(node, "pairing__node")
    visits = PairingVisit.objects.visible_to(user).filter(inside).select_related(*_PAIRING, "visited_by")
    for visit in visits.order_by("-visited_on", "-pk")[:limit]:
        yield _entry(visit, visit.visited_on, _("走访"), visit.text, visit.visited_by, "pairingvisit")
    problems = PairingProblem.objects.visible_to(user).filter(inside).select_related(*_PAIRING, "found_by")
    for problem in problems.order_by("-found_on", "-pk")[:limit]:
        yield _entry(problem, problem.found_on, _("发现问题"), problem.text, problem.found_by, "pairingproblem")
    for problem in problems.filter(solved_on__isnull=False).order_by("-solved_on", "-pk")[:limit]:
        text = _("%(problem)s → %(solution)s") % {"problem": problem.text, "solution": problem.solution}
        yield _entry(problem, problem.solved_on, _("解决问题"), text, None, "pairingproblem")


def _entry(row: Any, day: datetime.date, what: str, text: str, who: Any, model: str) -> Entry:
    pairing = row.pairing
    title = _("%(holder)s%(what)s：%(place)s") % {"holder": pairing.holder, "what": what, "place": pairing.node.name}
    return Entry(
        at=day_start(day),
        title=title,
        text=text,
        who=who.name if who else "",
        kind=_("包联"),
        link=reverse(f"admin:partybuilding_{model}_change", args=[row.pk]),
    )
