"""Proposals as a ledger: they go out, nothing comes in."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.models import User
from core.periods import date_words
from core.sheets.base import Progress
from core.spreadsheets import LedgerColumn
from grids.actions.terms import batches
from grids.resources.base import GridSheet
from partybuilding.resources.pairings import place_cells
from services import posts
from services.matching import weights
from services.models import MatchProposal

BATCH = 300
_WITH = ("run", "demand__node", "demand__category", "resource__unit", "project")


class ProposalLedger(GridSheet):
    key = "match_proposals"
    label = lazy("供需匹配")
    export_right = posts.VIEW_MATCH
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("地点")),
            LedgerColumn(_("需求")),
            LedgerColumn(_("类别"), "centre"),
            LedgerColumn(_("资源")),
            LedgerColumn(_("提供单位")),
            LedgerColumn(_("匹配分"), "right", total=True),
            LedgerColumn(_("评价"), "centre"),
            LedgerColumn(_("理由")),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("项目")),
            LedgerColumn(_("匹配日期"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = MatchProposal.objects.visible_to(actor).select_related(*_WITH).in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.demand.node),
                    row.demand.title,
                    row.demand.category.name,
                    row.resource.name,
                    row.resource.unit.name if row.resource.unit else _("社区自有"),
                    row.score,
                    weights.grade(row.score),
                    "；".join(row.reasons),
                    row.get_state_display(),
                    row.project.code if row.project else "",
                    date_words(row.run.at),
                )
            done += len(some)
            progress(done, len(ids))
