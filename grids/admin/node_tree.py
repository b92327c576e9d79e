"""The tree of places as a page: opened branch by branch, a level page by page. Works by links alone; with
static/js/tree.js a branch opens without leaving the page.

Which branches are open stands in the address, so that the back button and a link sent to a colleague show the same.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import PermissionDenied
from django.db.models import Case, QuerySet, When
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import ScopedModelAdmin
from grids import posts, tree_reads
from grids.models import GridNode
from grids.querysets import in_subtree
from grids.tree_reads import MOST_OPEN, PAGE, Row

_DEEDS = ("describe", "rename", "move", "split", "merge", "retire")


class TreePages(ScopedModelAdmin):
    """The tree beside the list, for the admin page of places."""

    def more_urls(self) -> list[URLPattern]:
        return [*super().more_urls(), self.page("tree/", self.tree_view, "tree")]

    def tree_view(self, request: HttpRequest) -> HttpResponse:
        """The tops in sight, the children of the place `at`, or what answers to `q`; `branch` alone, for the script."""
        if not self.sees_list(request.user):
            raise PermissionDenied
        opened = _numbers(request.GET.get("open", ""))
        if branch := _number(request.GET.get("branch", "")):
            return self._branch(request, branch)
        at = self._place(request)
        text = request.GET.get("q", "").strip()[:60]
        number = max(1, _number(request.GET.get("page", "")))
        nodes, above = self._level(request, at, text), self._above(request, at)
        found = list(nodes.select_related("level_type")[(number - 1) * PAGE : number * PAGE + 1])
        rows = tree_reads.read(found[:PAGE], request.user, opened=() if text else opened)
        links = _Links(self.url("tree"), at.pk if at else 0, text, opened)
        context = {
            "title": _("网格树"),
            "at": at,
            "above": [{"name": _("全部"), "url": self.url("tree")}, *above],
            "text": text,
            "rows": [self._shown(request, row, links) for row in rows],
            "previous_url": links.page(number - 1) if number > 1 else "",
            "next_url": links.page(number + 1) if len(found) > PAGE else "",
            "count": _("第 %(number)d 页") % {"number": number},
            "tools": self._tree_tools(request, at),
        }
        return self.render(request, "admin/tree.html", context)

    def _branch(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The children of one node, as the page shows them below it."""
        node = self.find(request, pk)
        (row,) = tree_reads.read([node], request.user, opened=[pk])
        links = _Links(self.url("tree"), 0, "", [])
        return self.render(request, "admin/tree_branch.html", {"row": self._shown(request, row, links)})

    def _place(self, request: HttpRequest) -> GridNode | None:
        pk = _number(request.GET.get("at", ""))
        return self.find(request, pk) if pk else None

    def _level(self, request: HttpRequest, at: GridNode | None, text: str) -> QuerySet[GridNode]:
        seen = GridNode.objects.visible_to(request.user).standing().order_by("tree_id", "lft")
        if text:
            inside = seen.filter(in_subtree(at)).exclude(pk=at.pk) if at else seen
            # First what is called so itself, then what stands inside such a place.
            own = Case(When(name__icontains=text, then=0), default=1)
            return tree_reads.find_places(inside, text, request.user).order_by(own, "tree_id", "lft")
        if at is not None:
            return seen.filter(parent=at)
        return tree_reads.tops(request.user).order_by("tree_id", "lft")

    def _above(self, request: HttpRequest, at: GridNode | None) -> list[dict[str, str]]:
        if at is None:
            return []
        above = GridNode.objects.visible_to(request.user).filter(tree_id=at.tree_id, lft__lte=at.lft, rght__gte=at.rght)
        steps = [
            {"name": name, "url": f"{self.url('tree')}?at={pk}"}
            for pk, name in above.order_by("lft").values_list("pk", "name")
        ]
        steps[-1]["url"] = ""
        return steps

    def _tree_tools(self, request: HttpRequest, at: GridNode | None) -> list[tuple[str, str, str]]:
        tools = [(_("列表"), self.url("changelist"), "plain")]
        if at is not None:
            tools.insert(0, (_("这里的资料"), self.url("change", at.pk), "plain"))
        if self.has_add_permission(request) and (at is None or policies.can(request.user, posts.ADD_NODE, at)):
            address = self.url("add") if at is None else f"{self.url('add')}?parent={at.pk}"
            tools.append((_("新建下级") if at else _("新建网格"), address, "main"))
        return tools

    def _shown(self, request: HttpRequest, row: Row, links: "_Links") -> dict[str, Any]:
        """A row with its addresses, for the template."""
        node = row.node
        return {
            "row": row,
            "node": node,
            "url": self.url("change", node.pk),
            "inside": links.inside(node.pk),
            "toggle": links.toggled(node.pk),
            "buttons": self._buttons(request, node),
            "rows": [self._shown(request, one, links) for one in row.rows],
            "holder": node.level_type.holder_words,
        }

    def _buttons(self, request: HttpRequest, node: GridNode) -> list[tuple[str, str, str]]:
        """What the person may do to the place: (words, address, tone)."""
        found = []
        if policies.can(request.user, posts.ADD_NODE, node):
            found.append((_("新建下级"), f"{self.url('add')}?parent={node.pk}", "plain"))
        if node.level_type.holder_post and policies.can(request.user, posts.MANAGE_APPOINTMENT, node):
            query = urlencode({"node": node.pk, "post": node.level_type.holder_post})
            found.append((_("任命"), f"{reverse('admin:grids_appointment_add')}?{query}", "plain"))
        able = [deed for deed in self.deeds if deed.name in _DEEDS and deed.may(request.user, node)]
        return [*found, *((str(deed.label), self.url("deed", node.pk, deed.name), deed.tone) for deed in able)]


class _Links:
    """Addresses of the page with other branches open, another page of the level."""

    def __init__(self, base: str, at: int, text: str, opened: Sequence[int]) -> None:
        self.base, self.at, self.text, self.opened = base, at, text, list(opened)

    def inside(self, pk: int) -> str:
        return f"{self.base}?at={pk}"

    def toggled(self, pk: int) -> str:
        opened = [one for one in self.opened if one != pk] if pk in self.opened else [*self.opened, pk]
        return f"{self._with(open=','.join(map(str, opened[-MOST_OPEN:])))}#n{pk}"

    def page(self, number: int) -> str:
        return self._with(page=number)

    def _with(self, **more: Any) -> str:
        given = {"at": self.at or "", "q": self.text, **more}
        return f"{self.base}?{urlencode({key: value for key, value in given.items() if value}, safe=',')}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _numbers(text: str) -> list[int]:
    return [number for part in text.split(",")[:MOST_OPEN] if (number := _number(part))]
