"""The card of a grid for the doors of its buildings: who keeps it, where to complain, and the code to order by.

One to a page, A4 or A5: the card of one place, or those of all grids or buildings of a community in one print run.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from core.errors import NotFound
from grids.cards import Card, cards_of
from grids.models import GridNode
from grids.naming import COMMUNITY, GRID, SEPARATOR, steps_of
from services.views import qr

# Sheets of paper in one go: what a printer's tray holds and a browser draws at once.
PER_RUN = 100
# Longer names are printed smaller.
LONG = 14
PAPERS = {"a4": "A4", "a5": "A5"}


@dataclass(frozen=True)
class Sheet:
    """A card with its code, as it is printed."""

    card: Card
    place: list[str]
    code: qr.Code

    @property
    def community(self) -> str:
        """Empty where the card is the community's own."""
        return "".join(steps_of(self.card.kept.path)[1:2]) if self.card.kept.level_key != COMMUNITY else ""

    @property
    def name(self) -> str:
        """The kept place below its community; the street stands on no door."""
        steps = steps_of(self.card.kept.path)
        return SEPARATOR.join(steps[2:]) or steps[-1]

    @property
    def is_long(self) -> bool:
        return len(self.name) > LONG

    @property
    def here(self) -> str:
        """Where in the kept place the card hangs: 3 号楼 · 1 单元."""
        return SEPARATOR.join(self.place[len(steps_of(self.card.kept.path)) :])


@login_required
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The card of one place."""
    node = qr.visible_place(request, pk)
    sheets = _sheets([node])
    if not sheets:
        raise NotFound(_("街道没有公示牌，请选择社区或更小的地点。"))
    levels = _levels(node)
    context = {**_context(request, node, sheets), "levels": levels}
    return render(request, "services/cards/page.html", context)


@login_required
@require_safe
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """The cards of every place of one level inside a place, `PER_RUN` at a time. The level: ?level=, else the grids."""
    node = qr.visible_place(request, pk)
    levels = _levels(node)
    keys = [key for key, _name, _count in levels]
    asked = request.GET.get("level", "")
    level = asked if asked in keys else GRID if GRID in keys else next(iter(keys), "")
    inside = GridNode.objects.standing().inside(node).exclude(pk=node.pk).at(level)
    found = Paginator(inside.select_related("county").order_by("tree_id", "lft"), PER_RUN).get_page(
        request.GET.get("page")
    )
    context = _context(request, node, _sheets(list(found)))
    context |= {"page": found, "levels": levels, "level": level, "query": f"level={level}&paper={context['paper']}"}
    return render(request, "services/cards/run.html", context)


def _sheets(nodes: list[GridNode]) -> list[Sheet]:
    return [Sheet(card, steps_of(card.node.path), qr.code_of(card.node)) for card in cards_of(nodes)]


def _levels(node: GridNode) -> list[tuple[str, str, int]]:
    """What lies below, level by level: key, name, how many. The community's own card hangs at its office."""
    below = GridNode.objects.standing().inside(node).exclude(pk=node.pk).exclude(level_type__key=COMMUNITY)
    counted = below.order_by("level_type__order").values_list("level_type__key", "level_type__name")
    return [(key, name, count) for key, name, count in counted.annotate(n=Count("pk"))]


def _context(request: HttpRequest, node: GridNode, sheets: list[Sheet]) -> dict[str, Any]:
    paper = request.GET.get("paper", "")
    return {
        "sheets": sheets,
        "without_phone": not all(sheet.card.phone for sheet in sheets),
        "node": node,
        "place": steps_of(node.path),
        "paper": paper if paper in PAPERS else "a4",
        "papers": PAPERS,
        "unreachable": qr.unreachable(),
    }
