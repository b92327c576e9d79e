"""Small wishes on the page of a street or community: figures, and what can be adopted. On nothing smaller: which building a
wish is from is for the community alone."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, chip, link
from grids.models import GridNode
from grids.naming import COMMUNITY, STREET
from services.models import Wish, WishState
from services.posts import VIEW_WISH
from services.selectors.wishes import figures_of, in_place_q
from services.wishes import TONES, holder

MOST = 10
_RUNNING = (WishState.OPEN, WishState.ADOPTED, WishState.DONE)


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """Two queries."""
    if node.level_key not in (STREET, COMMUNITY) or not policies.can(user, VIEW_WISH, node):
        return
    found = figures_of(Wish.objects.filter(in_place_q(node)))
    running = Wish.objects.visible_to(user).filter(in_place_q(node), state__in=[str(state) for state in _RUNNING])
    rows = [
        [
            link(row.title, reverse("admin:services_wish_change", args=[row.pk])),
            row.community.name,
            _("%(cost)d 元") % {"cost": row.cost},
            holder(row) or "—",
            chip(row.get_state_display(), TONES[WishState(row.state)]),
        ]
        for row in running.select_related("community", "unit", "member")[:MOST]
    ]
    title = _("微心愿")
    if found.collected:
        words = _("微心愿：征集 %(collected)d 个，认领 %(adopted)d 个，圆梦 %(done)d 个")
        title = words % {"collected": found.collected, "adopted": found.adopted, "done": found.done}
    columns = [_("心愿"), _("社区"), _("预计费用"), _("认领"), _("状态")]
    empty = _("没有进行中的微心愿。") if found.collected else _("还没有征集微心愿。")
    more = (_("全部微心愿"), f"{reverse('admin:services_wish_changelist')}?place={node.pk}")
    yield Part(title, columns, rows, empty, more if found.collected else None)
