"""Places in the admin."""

import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Fact, Part, SelectFilter, chip, day_words, link
from core.admin_sheets import SheetAdmin
from core.deeds import Deed
from grids import place_parts, posts, timeline, tree_reads
from grids.admin import node_deeds
from grids.admin.appointments import people_part
from grids.admin.node_tree import TreePages
from grids.admin_places import SEARCHED, PlaceFilter
from grids.models import County, GridNode, Level
from grids.selectors import size_warning

# Children on a place's own page; the tree shows them all.
MOST = 20
_PAST, _LONGEST = 30, 270


class NodePlaceFilter(PlaceFilter):
    path = ""
    # No community column: a street is a row of this list too, and lies in no community.


class LevelFilter(SelectFilter):
    title = lazy("层级")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        counties = County.objects.visible_to(request.user)
        levels = Level.objects.filter(county__in=counties).order_by("order").values_list("key", "name")
        return list(dict(levels).items())

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(level_type__key=value)


class StandingFilter(SelectFilter):
    title = lazy("状态")
    parameter_name = "standing"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("1", _("在用")), ("0", _("已撤销"))]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        return rows.filter(retired_at__isnull=value == "1")


@admin.register(GridNode)
class GridNodeAdmin(TreePages, SheetAdmin):
    sheets = ("nodes",)
    list_display = ("node_name", "level", "where", "code", "homes", "state")
    list_display_links = ("node_name",)
    list_filter = (NodePlaceFilter, LevelFilter, StandingFilter)
    list_select_related = ("level_type",)
    search_fields = ("path", "^code", "^external_code")
    search_help_text = lazy("名称、位置或编码")
    ordering = ("tree_id", "lft")
    sortable_by = ()
    object_related = ("county", "level_type", "parent", "community", "successor")
    lookup_fields = SEARCHED
    empty_text = lazy("先新建街道，再在街道下建社区和网格；也可以整表导入。")
    adding = node_deeds.ADDING
    deeds = node_deeds.DEEDS
    object_template = "admin/place.html"

    def tools(self, request: HttpRequest) -> list[tuple[str, str, str]]:
        return [(_("网格树"), self.url("tree"), "plain"), *super().tools(request)]

    def initial(self, request: HttpRequest, deed: Deed, obj: Any) -> dict[str, Any]:
        pk = request.GET.get("parent", "")
        if obj is None and pk.isascii() and pk.isdigit() and len(pk) < 19:
            return {"parent": self.find(request, int(pk))}
        found = super().initial(request, deed, obj)
        if deed.name in ("merge", "split"):
            # What is asked there is the figure afterwards.
            found.pop("households", None)
        return found

    def lookup_rows(self, request: HttpRequest) -> QuerySet[Any]:
        return super().lookup_rows(request).standing()  # type: ignore[attr-defined]

    def lookup_text(self, row: GridNode) -> str:
        return row.path

    @admin.display(description=lazy("名称"))
    def node_name(self, node: GridNode) -> str:
        return node.name

    @admin.display(description=lazy("层级"))
    def level(self, node: GridNode) -> str:
        return node.level_type.name

    @admin.display(description=lazy("位置"))
    def where(self, node: GridNode) -> str:
        return node.path

    @admin.display(description=lazy("户数"), empty_value="—")
    def homes(self, node: GridNode) -> int | None:
        return node.households

    @admin.display(description=lazy("状态"))
    def state(self, node: GridNode) -> str:
        return chip(_("已撤销")) if node.is_retired else chip(_("在用"), "green")

    def object_title(self, obj: GridNode) -> str:
        return obj.name

    def chips(self, obj: GridNode) -> list[tuple[str, str]]:
        return [(obj.level_type.name, "blue"), (_("已撤销"), "grey") if obj.is_retired else (_("在用"), "green")]

    def facts(self, request: HttpRequest, obj: GridNode) -> list[Fact]:
        parent = link(obj.parent.path, self.url("change", obj.parent.pk)) if obj.parent else ""
        if obj.parent and not policies.sees(request.user, obj.parent):
            parent = obj.parent.path
        found = [
            Fact(_("位置"), obj.path, wide=True),
            Fact(_("上级"), parent),
            Fact(_("编码"), obj.code),
            Fact(_("外部编码"), obj.external_code),
            Fact(_("网格类型"), obj.get_kind_display() if obj.level_type.key == "grid" else ""),
            Fact(_("地址"), obj.address),
            Fact(_("户数"), _homes(obj)),
            Fact(_("启用日期"), day_words(obj.valid_from)),
        ]
        if obj.is_retired:
            found += [Fact(_("撤销日期"), day_words(obj.retired_at)), Fact(_("承接者"), obj.successor)]
        if obj.supervision_phone:
            found.append(Fact(_("监督电话"), obj.supervision_phone))
        for title, words, name in ((_("二维码"), _("打印二维码"), "qr"), (_("公示牌"), _("打印公示牌"), "card")):
            if page := self._printed(obj, name):
                found.append(Fact(title, link(words, page)))
        return found

    @staticmethod
    def _printed(obj: GridNode, name: str) -> str:
        """A page for the printer, which a higher floor has."""
        if obj.is_retired or obj.community_id is None:
            return ""
        try:
            return reverse(f"places:{name}", args=[obj.pk])
        except NoReverseMatch:
            return ""

    def parts(self, request: HttpRequest, obj: GridNode) -> list[Part]:
        parts = []
        if policies.holds(request.user, posts.VIEW_APPOINTMENT):
            parts.append(people_part(request.user, obj))
        return [*parts, self._below(request, obj), *place_parts.of(obj, request.user)]

    def _below(self, request: HttpRequest, obj: GridNode) -> Part:
        """The first children, and the way to the rest."""
        children = GridNode.objects.standing().filter(parent=obj).select_related("level_type").order_by("lft")
        found = list(children[: MOST + 1])
        rows = [
            [
                link(row.node.name, self.url("change", row.node.pk)),
                row.node.level_type.name,
                "、".join(row.people or []) or "—",
                row.node.households if row.node.households is not None else "—",
            ]
            for row in tree_reads.read(found[:MOST], request.user)
        ]
        more = (_("在树里看全部下级"), f"{self.url('tree')}?at={obj.pk}") if found else None
        columns = [_("名称"), _("层级"), _("负责人"), _("户数")]
        return Part(_("下级"), columns, rows, _("下面没有更小的单元。"), more)

    def object_context(self, request: HttpRequest, obj: GridNode) -> dict[str, Any]:
        return {**super().object_context(request, obj), **_past(request, obj)}


def _homes(node: GridNode) -> str:
    words = "" if node.households is None else str(node.households)
    warning = size_warning(node)
    return f"{words}（{warning}）" if warning else words


def _past(request: HttpRequest, node: GridNode) -> dict[str, Any]:
    """The place's timeline, narrowed by `kind`, longer with `more`."""
    more = request.GET.get("more", "")
    limit = min(int(more), _LONGEST) if more.isascii() and more.isdigit() and len(more) < 5 else _PAST
    found = timeline.gather(node, request.user, limit=limit + 1)
    kinds = sorted({entry.kind for entry in found if entry.kind})
    kind = request.GET.get("kind", "")
    entries = [entry for entry in found if not kind or entry.kind == kind]
    events = [
        {
            "what": entry.title,
            "who": entry.who,
            "when": _moment(entry.at),
            "why": entry.text,
            "url": entry.link,
            "pictures": entry.pictures,
        }
        for entry in entries[:limit]
    ]
    longer = {"kind": kind, "more": limit * 3} if len(entries) > limit and limit < _LONGEST else {}
    return {
        "events": events,
        "kinds": [
            {"words": words, "url": f"?{urlencode({'kind': words})}", "chosen": words == kind} for words in kinds
        ],
        "kind": kind,
        "longer_url": f"?{urlencode(longer)}#past" if longer else "",
    }


def _moment(at: datetime.datetime) -> Any:
    """A moment, or its day in words where only the day is known."""
    local = timezone.localtime(at)
    return day_words(local.date()) if local.time() == datetime.time.min else local
