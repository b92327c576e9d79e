"""The papers of a joint meeting: its minutes as Word, made of what was written down at the table."""

from django.utils.translation import gettext as _

from core.documents import OfficialDocument
from core.periods import date_words, datetime_words
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

_NUMBERS = ("一", "二", "三", "四", "五", "六", "七", "八", "九", "十")
# Of the table of resolutions, in millimetres.
_WIDTHS = (10, 56, 18, 30, 20, 22)


def minutes(meeting: JointMeeting) -> bytes:
    """The minutes (会议纪要). The meeting must come from `selectors.meetings.table_of`.

    Time, place, host, who was there and who had excused themselves; each item with what was said and resolved; the table
    of resolutions with owner and day. Before the meeting closes it says that it is a draft.
    """
    title = _("%(title)s纪要") % {"title": meeting.title}
    if meeting.state != MeetingState.CLOSED:
        title += _("（草稿）")
    paper = OfficialDocument(title)
    paper.paragraph(_("时间：%(when)s") % {"when": datetime_words(meeting.held_at)})
    paper.paragraph(_("地点：%(venue)s") % {"venue": meeting.venue})
    paper.paragraph(_("主持人：%(host)s") % {"host": meeting.host or _("（未填写）")})
    rows = list(meeting.attendances.all())
    for words, some in (
        (_("参会单位"), [row for row in rows if row.state == Presence.PRESENT]),
        (_("请假单位"), [row for row in rows if row.state == Presence.EXCUSED]),
    ):
        if some:
            count = _("%(words)s（%(count)d 个）：") % {"words": words, "count": len(some)}
            paper.paragraph(count + "、".join(_who(row) for row in some) + "。")
    paper.heading(_("一、议定事项"))
    for number, item in enumerate(meeting.items.all(), start=1):
        paper.paragraph(f"（{_number(number)}）{item.title}。{_about(item)}")
    made = [row for item in meeting.items.all() for row in _standing(item)]
    if made:
        paper.heading(_("二、任务分工"))
        paper.table(
            (_("序号"), _("决议"), _("形式"), _("责任单位"), _("责任人"), _("完成期限")),
            [
                (
                    number,
                    row.text,
                    row.get_kind_display(),
                    row.unit.label if row.unit else "",
                    row.owner,
                    date_words(row.due_on),
                )
                for number, row in enumerate(made, start=1)
            ],
            _WIDTHS,
        )
    if meeting.summary:
        paper.heading(_("三、会议小结") if made else _("二、会议小结"))
        paper.paragraph(meeting.summary)
    caller = meeting.node.name if meeting.node is not None else meeting.county.name
    day = meeting.closed_at or meeting.held_at
    paper.signature(caller, date_words(day))
    return paper.content()


def _number(number: int) -> str:
    return _NUMBERS[number - 1] if number <= len(_NUMBERS) else str(number)


def _who(row: Attendance) -> str:
    said = row.person if row.state == Presence.PRESENT else row.note
    return f"{row.unit.name}（{said}）" if said else row.unit.name


def _standing(item: AgendaItem) -> list[Resolution]:
    return [row for row in item.resolutions.all() if row.state != ResolutionState.DROPPED]


def _about(item: AgendaItem) -> str:
    """What was said and resolved of an item, in sentences."""
    found = [f"{item.text.rstrip('。')}。"] if item.text else []
    if item.said:
        found.append(_("讨论情况：%(said)s。") % {"said": item.said.rstrip("。")})
    if item.unit is not None:
        found.append(_("由%(unit)s认领。") % {"unit": item.unit.label})
    found += [
        _("会议议定：%(text)s，责任人%(owner)s，%(due)s前完成。")
        % {"text": row.text.rstrip("。"), "owner": row.owner, "due": date_words(row.due_on)}
        for row in _standing(item)
    ]
    if item.state == ItemState.LEADER:
        found.append(_("提请包联领导协调。"))
    elif item.state == ItemState.DEFERRED:
        found.append(_("缓议，列入下次会议。"))
    return "".join(found)
