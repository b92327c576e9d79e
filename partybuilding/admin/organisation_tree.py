"""Party organisations at a glance: how many there are of which kind and domain, and the tree they form."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from core.admin_base import Part
from core.admin_sheets import SheetAdmin
from grids.admin_places import PlaceFilter
from grids.models import GridNode
from partybuilding.models import Domain, OrganisationKind
from partybuilding.selectors.organisations import Branch, OrganisationBoard, organisation_board

# Up to so many organisations everything is open at once.
ALL_OPEN = 40


class OrganisationTreePages(SheetAdmin):
    """The tree beside the list. Branches open without JavaScript."""

    def more_urls(self) -> list[URLPattern]:
        return [*super().more_urls(), self.page("tree/", self.tree_view, "tree")]

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [*super().tools(request), (_("组织树"), self.url("tree"), "plain")]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        if not self.sees_list(request.user):
            raise PermissionDenied
        user: Any = request.user
        places = PlaceFilter(request, dict(request.GET.lists()), self.model, self)
        chosen = places.chosen()
        place = GridNode.objects.get(pk=int(chosen)) if chosen else None
        domain = request.GET.get("domain", "")
        domain = domain if domain in Domain.values else ""
        board = organisation_board(user, domain=domain, place=place)
        is_small = board.organisations <= ALL_OPEN or bool(domain) or place is not None
        context = {
            "title": _("党组织树"),
            "figures": _figures(board),
            "table": _by_domain(board),
            "branches": [self._shown(branch, is_small) for branch in board.branches],
            "domains": Domain.choices,
            "domain": domain,
            "places": places.lookup_choices,
            "place": chosen,
            "tools": [(_("列表"), self.url("changelist"), "plain"), *self._adding(request)],
        }
        return self.render(request, "admin/organisations_tree.html", context)

    def _adding(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        if self.adding is None or not self.has_add_permission(request):
            return []
        return [(str(self.adding.label), self.url("add"), "main")]

    def _shown(self, branch: Branch, is_open: bool) -> dict[str, Any]:
        row = branch.organisation
        return {
            "branch": branch,
            "row": row,
            "url": self.url("change", row.pk),
            "below": "、".join(_("%(n)d 个%(kind)s") % {"n": n, "kind": kind} for kind, n in branch.below),
            "where": str(row.node or row.unit or ""),
            "is_open": is_open or row.parent_id is None,
            "branches": [self._shown(one, is_open) for one in branch.branches],
        }


def _figures(board: OrganisationBoard) -> list[dict[str, Any]]:
    kinds = board.kinds
    found = [{"label": str(kind.label), "value": kinds[kind], "unit": _("个")} for kind in OrganisationKind]
    return [*found, {"label": _("党员"), "value": board.members, "unit": _("名")}]


def _by_domain(board: OrganisationBoard) -> Part | None:
    if not board.domains:
        return None
    columns = [_("所属领域"), *(str(kind.label) for kind in OrganisationKind), _("合计"), _("党员")]
    rows = [
        [
            row.domain.label,
            *(row.kinds[kind] or "—" for kind in OrganisationKind),
            row.organisations,
            row.members,
        ]
        for row in board.domains
    ]
    total = [_("合计"), *(board.kinds[kind] for kind in OrganisationKind), board.organisations, board.members]
    return Part(_("按领域"), columns, [*rows, total] if len(rows) > 1 else rows)
