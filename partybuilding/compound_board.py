"""The page of compound figures (小区统计): what it says, and where each figure leads."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.admin_base import Part, chip, link
from core.models import User
from core.spreadsheets import LedgerColumn, write_ledger
from grids.models import FacilityKind, GridNode
from grids.policies import NodeScope
from grids.posts import VIEW_COMPOUND
from grids.selectors import reporting_unit
from partybuilding.selectors.compounds import Board, Counts, Figures

# Firms shown at once, the largest first.
MOST_FIRMS = 50


@dataclass(frozen=True)
class Figure:
    """A figure as `components/figure.html` shows it. A rate has its numerator and denominator."""

    label: str
    value: str
    unit: str = ""
    url: str = ""
    numerator: int | None = None
    denominator: int | None = None
    note: str = ""


class _Links:
    """Addresses of the lists behind the figures of one place."""

    def __init__(self, place: GridNode | None) -> None:
        self.place = {"place": place.pk} if place is not None else {}

    def compounds(self, **where: str) -> str:
        return _address("admin:partybuilding_compound_changelist", **self.place, **where)

    def projects(self, **where: str) -> str:
        return _address("admin:grids_remediation_changelist", **self.place, **where)

    def board(self) -> str:
        return _address("admin:partybuilding_compound_figures", **self.place)


def _address(name: str, **query: Any) -> str:
    return reverse(name) + (f"?{urlencode(query)}" if query else "")


def percent(numerator: int, denominator: int) -> str:
    """A share in words, with one decimal; a dash where there is nothing to divide by."""
    return f"{numerator * 100 / denominator:.1f}%" if denominator else "—"


def only_place(user: Any) -> int | None:
    """The key of the one place whose compounds the person sees; None when there are several, or a whole county."""
    scopes = set(policies.scopes(user, VIEW_COMPOUND))
    (one,) = scopes if len(scopes) == 1 else (None,)
    return one.pk if isinstance(one, NodeScope) else None


def page(board: Board, user: Any) -> dict[str, Any]:
    """The context of the page."""
    links = _Links(board.place)
    return {
        "title": _("小区统计"),
        "where": board.place.name if board.place is not None else reporting_unit(user, VIEW_COMPOUND),
        "trail": _trail(board.place, user),
        "figures": _figures(board.whole, links),
        "empty": not board.whole.counts.compounds,
        "parts": [
            (anchor, part)
            for anchor, part in (
                ("places", _below(board)),
                ("work", _work(board.whole, links)),
                ("firms", _firms(board.whole, links)),
            )
            if part
        ],
    }


def _trail(place: GridNode | None, user: Any) -> list[tuple[str, str]]:
    """The way back up as far as the person sees: (name, address)."""
    if place is None:
        return []
    seen = GridNode.objects.visible_to(user)
    above = seen.filter(tree_id=place.tree_id, lft__lt=place.lft, rght__gt=place.rght).order_by("lft")
    steps = [] if only_place(user) else [(_("全部"), _Links(None).board())]
    return [*steps, *((node.name, _Links(node).board()) for node in above)]


def _figures(whole: Figures, links: _Links) -> list[Figure]:
    counts = whole.counts

    def many(label: str, value: int, unit: str, url: str, note: str = "") -> Figure:
        return Figure(label, f"{value:,}", unit, url if value else "", note=note)

    def share(label: str, numerator: int, denominator: int, url: str) -> Figure:
        value = percent(numerator, denominator)
        return Figure(label, value, "", url if numerator else "", numerator, denominator)

    ways = _("单独建 %(single)d，挂靠建 %(attached)d，融合建 %(merged)d") % {
        "single": counts.single,
        "attached": counts.attached,
        "merged": counts.merged,
    }
    firms = _("其中有党组织 %(count)d 家") % {"count": whole.firms_with_branch}
    return [
        many(
            _("小区"),
            counts.compounds,
            _("个"),
            links.compounds(),
            _("共 %(count)s 户") % {"count": f"{counts.homes:,}"},
        ),
        many(_("有物业管理"), counts.managed, _("个"), links.compounds(management="managed")),
        many(_("社区代管"), counts.community_run, _("个"), links.compounds(management="community")),
        many(_("三无小区"), counts.unmanaged, _("个"), links.compounds(management="unmanaged")),
        many(_("三无小区住户"), counts.unmanaged_homes, _("户"), links.compounds(management="unmanaged")),
        many(_("有党支部"), counts.branches, _("个"), links.compounds(branch="any"), ways),
        share(_("党支部覆盖率"), counts.branches, counts.compounds, links.compounds(branch="any")),
        share(
            _("有物业小区党支部覆盖率"),
            counts.managed_branches,
            counts.managed,
            links.compounds(management="managed", branch="any"),
        ),
        many(
            _("业主委员会"),
            counts.committees,
            _("个"),
            links.compounds(committee="formed"),
            _("另有筹备中 %(count)d 个") % {"count": counts.preparing} if counts.preparing else "",
        ),
        many(_("物业企业"), len(whole.firms), _("家"), "#firms", firms),
        many(_("示范小区"), counts.demonstration, _("个"), links.compounds(demonstration="1")),
        many(_("完成整治"), whole.finished, _("项"), links.projects(state="finished")),
    ]


_COLUMNS: Sequence[tuple[str, Any, dict[str, str]]] = (
    ("compounds", lazy("小区"), {}),
    ("managed", lazy("有物业"), {"management": "managed"}),
    ("community_run", lazy("社区代管"), {"management": "community"}),
    ("unmanaged", lazy("三无"), {"management": "unmanaged"}),
    ("unknown", lazy("未登记"), {"management": "none"}),
    ("branches", lazy("有党支部"), {"branch": "any"}),
    ("committees", lazy("业委会"), {"committee": "formed"}),
    ("demonstration", lazy("示范"), {"demonstration": "1"}),
    ("unmanaged_homes", lazy("三无小区住户"), {"management": "unmanaged"}),
)


def _below(board: Board) -> Part | None:
    if not board.below:
        return None
    rows = []
    for node, figures in board.below:
        links, counts = _Links(node), figures.counts
        row: list[Any] = [link(node.name, links.board())]
        for name, _label, where in _COLUMNS:
            row.append(_linked(getattr(counts, name), links.compounds(**where)))
        rows.append([*row, _share(counts), _linked(figures.finished, links.projects(state="finished"))])
    titles = [_("地点"), *(label for _name, label, _where in _COLUMNS), _("党支部覆盖率"), _("完成整治")]
    return Part(_("各地情况"), titles, rows)


def _share(counts: Counts) -> str:
    if not counts.compounds:
        return "—"
    return f"{percent(counts.branches, counts.compounds)}（{counts.branches}/{counts.compounds}）"


def _linked(count: int, address: str) -> Any:
    return link(f"{count:,}", address) if count else 0


def _work(whole: Figures, links: _Links) -> Part | None:
    """By kind: how much is done, and the projects in each state."""
    rows = []
    for kind in FacilityKind:
        work = whole.work.get(str(kind))
        if work is None:
            continue
        row: list[Any] = [kind.label, f"{work.quantity:,}"]
        for state, count in (("finished", work.finished), ("going", work.going), ("planned", work.planned)):
            row.append(_linked(count, links.projects(kind=str(kind), state=state)))
        rows.append(row)
    titles = [_("整治内容"), _("完成数量"), _("已完成（项）"), _("进行中（项）"), _("计划（项）")]
    return Part(_("整治"), titles, rows, _("还没有登记整治项目。"))


def _firms(whole: Figures, links: _Links) -> Part | None:
    if not whole.firms:
        return None
    firms = sorted(whole.firms.values(), key=lambda firm: (-firm.compounds, firm.name))
    rows = [
        [
            link(firm.name, links.compounds(management="managed", q=firm.name)),
            firm.compounds,
            f"{firm.homes:,}",
            chip(_("有党组织"), "green") if firm.has_branch else chip(_("没有党组织")),
        ]
        for firm in firms[:MOST_FIRMS]
    ]
    more = _("另有 %(count)d 家未列出") % {"count": len(firms) - MOST_FIRMS} if len(firms) > MOST_FIRMS else ""
    title = _("物业企业") + (f"（{more}）" if more else "")
    return Part(title, [_("物业企业"), _("小区"), _("户数"), _("党组织")], rows)


def ledger(board: Board, user: User) -> tuple[str, bytes]:
    """The table of places as a cadre prints it: (file name, workbook). Of a community: its own row."""
    where = board.place.name if board.place is not None else reporting_unit(user, VIEW_COMPOUND)
    title = _("%(place)s小区统计") % {"place": where}

    def counted(label: str) -> LedgerColumn:
        return LedgerColumn(label, "right", total=True)

    columns = [
        LedgerColumn(_("地点")),
        *(counted(str(label)) for _name, label, _where in _COLUMNS),
        *map(counted, (_("单独建"), _("挂靠建"), _("融合建"), _("有物业有支部"))),
        LedgerColumn(_("党支部覆盖率"), "right"),
        *(counted(str(kind.label)) for kind in FacilityKind if str(kind) in board.whole.work),
    ]
    places: Sequence[tuple[str, Figures]] = [(node.name, figures) for node, figures in board.below]
    content = write_ledger(
        title=title,
        unit=reporting_unit(user, VIEW_COMPOUND),
        day=timezone.localdate(),
        columns=columns,
        rows=(_ledger_row(name, figures, board.whole) for name, figures in places or [(where, board.whole)]),
        filled_by=user.name,
    )
    return f"{title}{timezone.localdate():%Y%m%d}.xlsx", content


def _ledger_row(name: str, figures: Figures, whole: Figures) -> list[object]:
    counts = figures.counts
    row: list[object] = [name, *(getattr(counts, column) for column, _label, _where in _COLUMNS)]
    row += [counts.single, counts.attached, counts.merged, counts.managed_branches]
    row.append(percent(counts.branches, counts.compounds))
    kinds = [str(kind) for kind in FacilityKind if str(kind) in whole.work]
    return [*row, *(figures.work[kind].quantity if kind in figures.work else 0 for kind in kinds)]
