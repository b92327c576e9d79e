"""Joint meetings and what they resolved, as ledgers: they go out, nothing comes in."""

from collections.abc import Iterator, Sequence

from django.db.models import Prefetch
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.models import User
from core.periods import Quarter, date_words, datetime_words
from core.sheets.base import Progress
from core.spreadsheets import LedgerColumn
from grids.actions.terms import batches
from grids.resources.base import GridSheet
from services.models import (
    AgendaItem,
    Attendance,
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionState,
)
from services.posts import VIEW_MEETING

BATCH = 300


class MeetingLedger(GridSheet):
    """One line a meeting: when, where, who came, what was dealt with."""

    key = "meetings"
    label = lazy("联席会议")
    export_right = VIEW_MEETING
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("会议名称")),
            LedgerColumn(_("召集地")),
            LedgerColumn(_("季度"), "centre"),
            LedgerColumn(_("会议时间"), "centre"),
            LedgerColumn(_("会议地点")),
            LedgerColumn(_("应到单位"), "right", total=True),
            LedgerColumn(_("到会单位"), "right", total=True),
            LedgerColumn(_("研究问题"), "right", total=True),
            LedgerColumn(_("领导协调"), "right", total=True),
            LedgerColumn(_("决议"), "right", total=True),
            LedgerColumn(_("已落实"), "right", total=True),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            seen = JointMeeting.objects.visible_to(actor).select_related("node", "county")
            rows = seen.prefetch_related(
                Prefetch("attendances", Attendance.objects.only("meeting_id", "state")),
                Prefetch("items", AgendaItem.objects.only("meeting_id", "state")),
                Prefetch("resolutions", Resolution.objects.only("meeting_id", "state")),
            ).in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield self._cells(row)
            done += len(some)
            progress(done, len(ids))

    @staticmethod
    def _cells(row: JointMeeting) -> Sequence[object]:
        asked = [one.state for one in row.attendances.all()]
        # As `selectors.meetings.figures` counts: meetings that have closed; what was put off counts where it is decided,
        # what was given up is apart.
        over = row.state == MeetingState.CLOSED
        items = [one.state for one in row.items.all() if over and one.state != ItemState.DEFERRED]
        made = [one.state for one in row.resolutions.all() if over and one.state != ResolutionState.DROPPED]
        return (
            row.title,
            row.node.path if row.node else row.county.name,
            Quarter.of(row.quarter).label,
            datetime_words(row.held_at),
            row.venue,
            len(asked),
            asked.count(Presence.PRESENT),
            len(items),
            items.count(ItemState.LEADER),
            len(made),
            made.count(ResolutionState.DONE),
            row.get_state_display(),
        )


class ResolutionLedger(GridSheet):
    """One line a resolution: who does what by when, and what came of it."""

    key = "resolutions"
    label = lazy("会议决议")
    export_right = VIEW_MEETING
    can_update = False

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("会议名称")),
            LedgerColumn(_("议题")),
            LedgerColumn(_("问题类型"), "centre"),
            LedgerColumn(_("决议")),
            LedgerColumn(_("形式"), "centre"),
            LedgerColumn(_("责任单位")),
            LedgerColumn(_("责任人"), "centre"),
            LedgerColumn(_("完成期限"), "centre"),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("落实日期"), "centre"),
            LedgerColumn(_("落实情况")),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = Resolution.objects.visible_to(actor).select_related("meeting", "item", "unit").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    row.meeting.title,
                    row.item.title,
                    row.item.get_theme_display(),
                    row.text,
                    row.get_kind_display(),
                    row.unit.name if row.unit else "",
                    row.owner,
                    date_words(row.due_on),
                    row.get_state_display(),
                    date_words(row.done_on) if row.done_on else "",
                    row.result,
                )
            done += len(some)
            progress(done, len(ids))


SHEETS = (MeetingLedger, ResolutionLedger)
