"""How far the posts are filled, as ledgers: the figures community by community, and the places where nobody is."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.models import User
from core.sheets.base import Progress
from core.spreadsheets import LedgerColumn
from grids import coverage
from grids.actions.terms import BATCH, batches
from grids.models import Appointment, Vacancy
from grids.naming import SEPARATOR, steps_of
from grids.posts import VIEW_APPOINTMENT
from grids.resources.base import GridSheet


def with_last_leave(nodes: QuerySet[Any]) -> QuerySet[Any]:
    """Adds the day on which the last holder of the level's post left, as `last_leave`."""
    left = Appointment.objects.filter(node=OuterRef("pk"), post=OuterRef("level_type__holder_post"), end__isnull=False)
    return nodes.annotate(last_leave=Subquery(left.order_by("-end").values("end")[:1]))


class CoverageSheet(GridSheet):
    """Goes out alone. The rows are streets and communities; each is as many lines as it has levels."""

    key = "coverage"
    label = lazy("岗位覆盖")
    export_right = VIEW_APPOINTMENT

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道"), width=16),
            LedgerColumn(_("社区"), width=18),
            LedgerColumn(_("层级"), "centre"),
            LedgerColumn(_("负责人岗位"), width=20),
            LedgerColumn(_("应配"), "right", total=True),
            LedgerColumn(_("在岗"), "right", total=True),
            LedgerColumn(_("空缺"), "right", total=True),
            LedgerColumn(_("覆盖率"), "right"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        seen = Vacancy.objects.visible_to(actor)
        for number, some in enumerate(batches(ids), start=1):
            rows = seen.filter(pk__in=some).order_by("tree_id", "lft")
            for line in coverage.lines_of(rows):
                where, level, cover = _split(line.place.path)[:2], line.level, line.cover
                figures = cover.nodes, cover.filled, cover.vacant, cover.share
                yield *where, level.name, level.holder_words, *figures
            progress(min(number * BATCH, len(ids)), len(ids))


class VacancySheet(GridSheet):
    """Goes out alone."""

    key = "vacancies"
    label = lazy("岗位空缺")
    export_right = VIEW_APPOINTMENT

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道"), width=16),
            LedgerColumn(_("社区"), width=18),
            LedgerColumn(_("地点"), width=36),
            LedgerColumn(_("编码"), "centre"),
            LedgerColumn(_("层级"), "centre"),
            LedgerColumn(_("空缺岗位"), width=20),
            LedgerColumn(_("上一任离任日期"), "centre", width=18),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        seen = Vacancy.objects.filter(policies.within(Vacancy, actor, VIEW_APPOINTMENT)).select_related("level_type")
        for number, some in enumerate(batches(ids), start=1):
            rows = with_last_leave(coverage.vacant(seen.filter(pk__in=some)))
            for node in rows.order_by("tree_id", "lft"):
                level = node.level_type
                yield *_split(node.path), node.code, level.name, level.holder_words, node.last_leave
            progress(min(number * BATCH, len(ids)), len(ids))


def _split(path: str) -> tuple[str, str, str]:
    """Street, community, and the rest of a path."""
    street, *below = steps_of(path)
    return street, below[0] if below else "", SEPARATOR.join(below[1:])
