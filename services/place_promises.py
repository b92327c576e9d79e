"""Promises and joint activities on a place's own page, and what the timeline tells of them (docs/domain.md#c4)."""

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
from services.commitment_words import chips
from services.models import COMMITMENT_OPEN, Activity, Commitment, CommitmentState
from services.posts import MANAGE_COMMITMENT, VIEW_ACTIVITY, VIEW_COMMITMENT
from services.selectors.commitments import kept

MOST = 20


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """The promises to this place that run, with the figures of all of them. Two queries."""
    if not policies.holds(user, VIEW_COMMITMENT):
        return
    inside = Commitment.objects.visible_to(user).filter(in_subtree(node, "node", community="community"))
    found = kept(inside)
    running = inside.filter(state__in=COMMITMENT_OPEN).select_related("unit", "member", "node")
    rows = [
        [
            link(row.title, _page("commitment", row.pk)),
            row.holder,
            row.node.name if row.node_id != node.pk else _("本处"),
            day_words(row.due_on),
            f"{row.percent}%",
            *[chip(words, tone) for words, tone in chips(row)[-1:]],
        ]
        for row in running.order_by("due_on", "pk")[:MOST]
    ]
    title = _("承诺事项")
    if found.promised:
        title = _("承诺事项：完成率 %(rate)s") % {"rate": found.rate}
    columns = [_("承诺事项"), _("承诺单位（党员）"), _("受益地点"), _("完成期限"), _("进度"), _("状态")]
    empty = _("没有进行中的承诺。") if found.promised else _("还没有单位向这里作出承诺。")
    yield Part(title, columns, rows, empty, _way(node, user))


def _way(node: GridNode, user: Any) -> tuple[str, str] | None:
    """Registering one here, for who may."""
    if node.is_retired or node.community_id is None or not policies.can(user, MANAGE_COMMITMENT, node):
        return None
    return _("登记承诺"), f"{reverse('admin:services_commitment_add')}?{urlencode({'node': node.pk})}"


def history(node: GridNode, user: Any, limit: int) -> Iterable[Entry]:
    """Promises kept and activities held, at the place and below it, newest first. Two queries."""
    if policies.holds(user, VIEW_COMMITMENT):
        rows = Commitment.objects.visible_to(user).filter(in_subtree(node, "node", community="community"))
        done = rows.filter(state=CommitmentState.DONE, done_on__isnull=False).select_related("unit", "member", "node")
        for row in done.order_by("-done_on", "-pk")[:limit]:
            assert row.done_on is not None
            yield Entry(
                at=day_start(row.done_on),
                title=_("承诺完成：%(title)s") % {"title": row.title},
                text=row.node.path if row.node_id != node.pk else "",
                who=row.holder,
                kind=_("承诺"),
                link=_page("commitment", row.pk),
            )
    if policies.holds(user, VIEW_ACTIVITY):
        held = Activity.objects.visible_to(user).filter(in_subtree(node, "node", community="community"))
        held = held.select_related("node").prefetch_related("units")
        for one in held.order_by("-held_on", "-pk")[:limit]:
            yield Entry(
                at=day_start(one.held_on),
                title=_("共建活动：%(title)s") % {"title": one.title},
                text=one.text,
                who="、".join(sorted(unit.label for unit in one.units.all())),
                kind=_("活动"),
                link=_page("activity", one.pk),
            )


def _page(model: str, pk: int) -> str:
    return reverse(f"admin:services_{model}_change", args=[pk])
