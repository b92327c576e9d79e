"""What came of pairings, and where they are missing, as ledgers: they go out, nothing comes in."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.models import User
from core.periods import date_words
from core.sheets.base import Progress
from core.spreadsheets import LedgerColumn
from grids.actions.terms import batches
from grids.models import County
from grids.resources.base import GridSheet
from grids.selectors import managed_county
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from partybuilding.posts import VIEW_PAIRING
from partybuilding.resources.pairings import place_cells
from partybuilding.selectors import columns_of, missing, overloads

BATCH = 300
_PAIRING = ("pairing__node", "pairing__unit", "pairing__user")


class PlacedLedger(GridSheet):
    """A ledger whose lines begin with a place, in three columns."""

    export_right = VIEW_PAIRING
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (LedgerColumn(_("街道")), LedgerColumn(_("社区")), LedgerColumn(_("地点")), *self.more_columns())

    def more_columns(self) -> Sequence[LedgerColumn]:
        raise NotImplementedError


class VisitLedger(PlacedLedger):
    key = "pairing_visits"
    label = lazy("包联走访")

    def more_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("包联类型"), "centre"),
            LedgerColumn(_("包联单位（人）")),
            LedgerColumn(_("走访日期"), "centre"),
            LedgerColumn(_("走访情况")),
            LedgerColumn(_("发现的问题")),
            LedgerColumn(_("记录人"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            seen = PairingVisit.objects.visible_to(actor).select_related(*_PAIRING, "visited_by")
            rows = seen.prefetch_related("problems").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.pairing.node),
                    row.pairing.get_kind_display(),
                    row.pairing.holder,
                    date_words(row.visited_on),
                    row.text,
                    "；".join(problem.text for problem in row.problems.all()),
                    row.visited_by.name if row.visited_by else "",
                )
            done += len(some)
            progress(done, len(ids))


class ProblemLedger(PlacedLedger):
    key = "pairing_problems"
    label = lazy("包联问题")

    def more_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("包联类型"), "centre"),
            LedgerColumn(_("包联单位（人）")),
            LedgerColumn(_("发现日期"), "centre"),
            LedgerColumn(_("问题")),
            LedgerColumn(_("解决情况")),
            LedgerColumn(_("解决日期"), "centre"),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = PairingProblem.objects.visible_to(actor).select_related(*_PAIRING).in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.pairing.node),
                    row.pairing.get_kind_display(),
                    row.pairing.holder,
                    date_words(row.found_on),
                    row.text,
                    row.solution,
                    date_words(row.solved_on) if row.solved_on else "",
                    _("已解决") if row.is_solved else _("未解决"),
                )
            done += len(some)
            progress(done, len(ids))


class GapLedger(PlacedLedger):
    """Places that lack somebody; `ids` are of places."""

    key = "pairing_gaps"
    label = lazy("包联缺口")

    def more_columns(self) -> Sequence[LedgerColumn]:
        return (LedgerColumn(_("层级"), "centre"), LedgerColumn(_("缺少")))

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        county = managed_county(actor, self.export_right)
        columns = columns_of(county)
        done = 0
        for some in batches(ids, BATCH):
            lacking: dict[int, list[str]] = {}
            places = {}
            for column in columns:
                for node in missing(actor, county, column).filter(pk__in=some).select_related("level_type"):
                    places[node.pk] = node
                    lacking.setdefault(node.pk, []).append(str(column.cover.label))
            for pk in some:
                if pk in places:
                    yield (*place_cells(places[pk]), places[pk].level_type.name, "、".join(lacking[pk]))
            done += len(some)
            progress(done, len(ids))


class LoadLedger(GridSheet):
    """Holders of more places than the guide says; `ids` are of one pairing of each."""

    key = "pairing_loads"
    label = lazy("包联超载")
    export_right = VIEW_PAIRING
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("包联类型"), "centre"),
            LedgerColumn(_("包联单位（人）")),
            LedgerColumn(_("包联处数"), "right"),
            LedgerColumn(_("标准（最多）"), "right"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        county: County = managed_county(actor, self.export_right)
        chosen = Pairing.objects.visible_to(actor).filter(pk__in=ids)
        wanted = set(chosen.values_list("kind", "unit_id", "user_id"))
        for load in overloads(actor, county):
            if load.key in wanted:
                yield load.kind.label, load.holder, load.count, load.most
        progress(len(ids), len(ids))


SHEETS = (VisitLedger, ProblemLedger, GapLedger, LoadLedger)
