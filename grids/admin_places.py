"""Places in the admin: the filter by place that every list with places shares, and the field that names one."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from core import policies
from core.admin_base import SelectFilter
from core.lookups import CANDIDATES, LookupField
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.successors import follow

SEARCHED = ("path", "^code", "^external_code")
_SHOWN = ("street", "community")
# Below the community one is in: as far down as a cadre's daily work is cut up.
_SHOWN_INSIDE = ("sector", "compound", "grid")
_INDENT = "　"
_MOST = 400


def place_text(node: Any) -> str:
    return str(node.path)


class PlaceField(LookupField):
    """A place by its name, path or code; the code of a retired place finds the one that took over."""

    def _only(self, text: str) -> Any:
        try:
            return super()._only(text)
        except ValidationError:
            heir = self._heir(text)
            if heir is None:
                raise
            return heir

    def _heir(self, text: str) -> Any:
        """Only ever one of the rows on offer, so that nobody learns of a place out of sight."""
        named = Q(code=text) | Q(external_code=text)
        for retired in GridNode.objects.filter(named, retired_at__isnull=False).order_by("-retired_at")[:CANDIDATES]:
            heir, _chain = follow(retired)
            found = self.rows.filter(pk=heir.pk).first() if heir is not None else None
            if found is not None:
                return found
        return None


def place_field(rows: QuerySet[Any], **kwargs: Any) -> LookupField:
    """A field for one place out of `rows`, found by its name, path or code."""
    kwargs.setdefault("label", _("地点"))
    kwargs.setdefault("help_text", _("填小区、楼栋或门牌中的几个字，用空格分开，例如“和谐 2 号楼”。"))
    return PlaceField(
        rows=rows.order_by("tree_id", "lft"),
        search=SEARCHED,
        text=place_text,
        url=reverse_lazy("admin:grids_gridnode_lookup"),
        **kwargs,
    )


def asked_place(request: HttpRequest, right: str) -> GridNode | None:
    """The place a form is opened for (`?node=`), where it stands and the person may do there what the form is for."""
    asked = request.GET.get("node", "")
    if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
        return None
    places = GridNode.objects.standing().filter(policies.within(GridNode, request.user, right))
    return places.filter(pk=int(asked)).first()


class PlaceFilter(SelectFilter):
    """Streets and communities in sight, and the pieces of the community that is chosen (or is the only one)."""

    title = _("地点")
    parameter_name = "place"
    # From the row to its node and to its community column, as `in_subtree` takes them.
    path = "node"
    community = ""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = GridNode.objects.visible_to(request.user).standing()
        nodes = list(seen.at(*_SHOWN).order_by("tree_id", "lft")[:_MOST])
        communities = [node for node in nodes if node.community_id == node.pk]
        wanted = self.used_parameters.get(self.parameter_name)
        here = self._community_of(seen, communities, wanted)
        top = min((node.depth for node in nodes), default=0)
        found: list[tuple[str, str]] = []
        for node in nodes:
            found.append((str(node.pk), _INDENT * (node.depth - top) + node.name))
            if here is not None and node.pk == here:
                inside = seen.at(*_SHOWN_INSIDE).filter(community_id=here).order_by("tree_id", "lft")[:_MOST]
                found += [(str(part.pk), _INDENT * (part.depth - top) + part.name) for part in inside]
        return found

    @staticmethod
    def _community_of(seen: Any, communities: list[Any], wanted: Any) -> int | None:
        if len(communities) == 1:
            return int(communities[0].pk)
        text = str(wanted[-1] if isinstance(wanted, list) else wanted or "")
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        return seen.filter(pk=int(text)).values_list("community_id", flat=True).first()

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        node = GridNode.objects.get(pk=int(value))
        return rows.filter(in_subtree(node, self.path, community=self.community))
