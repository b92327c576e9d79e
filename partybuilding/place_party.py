"""Party organisations, joint bodies and stations on the page of a street or a community (docs/domain.md#c4)."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Part, link
from grids.models import GridNode
from grids.naming import COMMUNITY, STREET
from partybuilding.models import Station
from partybuilding.posts import VIEW_ALLIANCE, VIEW_ORGANISATION, VIEW_STATION
from partybuilding.selectors.alliances import alliances_at, chairs_of
from partybuilding.selectors.floating import station_counts
from partybuilding.selectors.organisations import in_use

MOST = 20


def parts(node: GridNode, user: Any) -> Iterable[Part]:
    """What stands at the place itself; organisations below it are counted. Four queries."""
    if node.level_type.key not in (STREET, COMMUNITY):
        return
    if policies.holds(user, VIEW_ORGANISATION):
        yield _organisations(node, user)
    if policies.holds(user, VIEW_ALLIANCE):
        yield from _alliances(node, user)
    if policies.holds(user, VIEW_STATION):
        yield from _stations(node, user)


def _organisations(node: GridNode, user: Any) -> Part:
    here = in_use(user, place=node)
    rows = [
        [
            link(row.name, reverse("admin:partybuilding_partyorganisation_change", args=[row.pk])),
            row.get_kind_display(),
            row.secretary.name if row.secretary else "—",
        ]
        for row in here.filter(node=node).select_related("secretary").order_by("tree_id", "lft")[:MOST]
    ]
    words = _("这里和下面共 %(count)d 个党组织") % {"count": here.order_by().count()}
    tree = f"{reverse('admin:partybuilding_partyorganisation_tree')}?place={node.pk}"
    columns = [_("党组织名称"), _("类型"), _("书记")]
    return Part(_("党组织"), columns, rows, _("还没有设在这里的党组织。"), (words, tree))


def _alliances(node: GridNode, user: Any) -> Iterable[Part]:
    found = list(alliances_at(user).filter(node=node))
    if not found:
        return
    chairs = chairs_of(found)
    rows = [
        [
            link(row.name, reverse("admin:partybuilding_alliance_change", args=[row.pk])),
            "、".join(f"{seat.name}（{seat.get_role_display()}）" for seat in chairs[row.pk]) or "—",
        ]
        for row in found
    ]
    yield Part(_("党建联盟"), [_("名称"), _("今天的主席")], rows)


def _stations(node: GridNode, user: Any) -> Iterable[Part]:
    found = station_counts(Station.objects.visible_to(user).filter(is_active=True, node__community=node.pk))
    rows = [
        [
            link(row.name, reverse("admin:partybuilding_station_change", args=[row.pk])),
            row.keeper.name if row.keeper else "—",
            row.present,
        ]
        for row in found.select_related("keeper")[:MOST]
    ]
    if rows:
        yield Part(_("流动党员驿站"), [_("驿站名称"), _("负责人"), _("登记人数")], rows)
