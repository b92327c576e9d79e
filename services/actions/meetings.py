"""A joint meeting before it begins: called, changed, its units asked and its agenda made. Source: docs/domain.md#g2, #l4.

Locks, in this order: the meeting's place, the meeting, what hangs on it. Everything about one meeting goes through its
row, so that two people at it follow one another.
"""

import datetime
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid
from core.moving import advance
from core.periods import Quarter
from core.text import clean_line, ellipsis
from grids.actions import hold_places
from grids.actions.permission import require
from grids.models import County, GridNode
from grids.naming import COMMUNITY, STREET
from partybuilding.models import Unit
from services import meeting_notices, posts
from services.actions.meeting_rows import (
    ITEM_RELATED,
    PERSONAL,
    RELATED,
    ask_units,
    carry_over,
    clean_words,
    lock_meeting,
    next_order,
    not_over,
    refuse_stale,
    show_anew,
)
from services.meeting_rules import FREE_DEMAND
from services.models import (
    AgendaItem,
    Attendance,
    Demand,
    DemandState,
    JointMeeting,
    MatchProposal,
    MeetingState,
    Presence,
    Project,
    ProjectState,
    ProposalState,
    Theme,
)
from services.reach import may_dispatch
from services.selectors.meetings import proposed_title, reported_units, theme_of
from services.workflow.meetings import MEETING


@dataclass(frozen=True)
class NewItem:
    """A matter for an agenda. Without a title it is called like its demand, proposal or project."""

    title: str = ""
    text: str = ""
    theme: str = ""
    demand: Demand | None = None
    proposal: MatchProposal | None = None
    project: Project | None = None


# --- Called ---------------------------------------------------------------------------------------------------------


def plan_meeting(
    *,
    actor: Actor,
    county: County,
    node: GridNode | None,
    held_at: datetime.datetime,
    venue: str,
    host: str = "",
    quarter: datetime.date | None = None,
    title: str = "",
    units: Sequence[Unit] | None = None,
) -> JointMeeting:
    """Calls a joint meeting of a community, a street or, without `node`, the county.

    What the meeting before it put off comes onto its agenda by itself.

    Args:
        held_at: in the future. quarter: any day of it; that of `held_at` when not given.
        title: proposed from quarter and place when empty.
        units: who is asked; those that have reported inside the place when not given, for the county all in use.

    Raises:
        NotFound, Forbidden: no `meeting.manage` at the place. Invalid: the place is no street or community or is
            retired, the time is past, a unit is not of the county. Conflict: there is a meeting at that time already.
    """
    with _one_at_a_time(), transaction.atomic():
        if node is not None:
            (node,) = hold_places(node)
            county = node.county
        require(actor, posts.MANAGE_MEETING, county if node is None else node)
        _check_place(node)
        _check_time(held_at)
        period = Quarter.of(quarter or held_at)
        meeting = JointMeeting.objects.create(
            county=county,
            node=node,
            title=_title(title) or proposed_title(county, node, period),
            quarter=period.first_day,
            held_at=held_at,
            venue=_venue(venue),
            host=_host(host),
        )
        names = ("title", "node_id", "quarter", "held_at", "venue", "host")
        changes = {name: (None, getattr(meeting, name)) for name in names}
        audit.record(
            actor=actor,
            action="meeting.plan",
            obj=meeting,
            label=meeting.title,
            changes=changes,
            personal=PERSONAL,
            new=True,
        )
        ask_units(meeting, list(reported_units(meeting)) if units is None else units)
        carry_over(meeting)
    return meeting


def change_meeting(
    *,
    actor: Actor,
    meeting: JointMeeting,
    title: str,
    held_at: datetime.datetime,
    venue: str,
    host: str = "",
    version: int | None = None,
) -> JointMeeting:
    """Says anew when, where and under which name, before the meeting begins.

    Units that were told are told again when time or place changes; when the time does, they are asked to answer again.

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale: as every move. Invalid: the time is past, a text not usable.
        Conflict: there is another meeting of the place at that time.
    """
    moved = {"when": False, "where": False}

    def write(row: JointMeeting, _data: Any) -> None:
        moved["when"], moved["where"] = row.held_at != held_at, row.venue != _venue(venue)
        if moved["when"]:
            _check_time(held_at)
        row.title = _title(title) or row.title
        row.held_at, row.venue, row.host = held_at, _venue(venue), _host(host)

    with _one_at_a_time(), transaction.atomic():
        row = advance(
            MEETING,
            meeting,
            "change",
            actor=actor,
            version=version,
            effect=write,
            related=RELATED,
            label=meeting.title,
            personal=PERSONAL,
        )
        if row.state == MeetingState.PUBLISHED and (moved["when"] or moved["where"]):
            asked = Attendance.objects.filter(meeting=row)
            if moved["when"]:
                answered = asked.filter(state__in=[Presence.COMING, Presence.EXCUSED])
                answered.update(state=Presence.INVITED, answered_at=None)
            units = asked.values_list("unit_id", flat=True)
            notices.post_many(meeting_notices.to_units("meeting_changed", row, units, str(row.version)))
    return row


@transaction.atomic
def set_units(
    *, actor: Actor, meeting: JointMeeting, units: Collection[Unit], version: int | None = None
) -> JointMeeting:
    """Says which units are asked. Once the notice is out nobody is taken off the list; who is added is told.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: the meeting is over, or a unit would be taken off that was
            told already. Invalid: a unit is not in use or not of the county. Stale: the page is old.
    """
    row = lock_meeting(actor, meeting, posts.MANAGE_MEETING, version)
    not_over(row)
    standing = set(row.attendances.values_list("unit_id", flat=True))
    wanted = {unit.pk for unit in units}
    if standing - wanted and row.state != MeetingState.PLANNED:
        message = _("已经发出通知，不能再去掉单位；来不了的，请登记请假。")
        raise Conflict(message, code="told", fields={"units": message})
    added = [unit for unit in units if unit.pk not in standing]
    if standing == wanted:
        return row
    Attendance.objects.filter(meeting=row).exclude(unit_id__in=wanted).delete()
    ask_units(row, added)
    row.version += 1
    row.save(update_fields=["version"])
    show_anew(row)
    changes = {"units": (sorted(standing), sorted(wanted))}
    audit.record(actor=actor, action="meeting.units", obj=row, label=row.title, changes=changes)
    if row.state != MeetingState.PLANNED:
        keys = [unit.pk for unit in added]
        notices.post_many(meeting_notices.to_units("meeting_published", row, keys, "0"))
    return row


# --- Agenda ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def add_items(
    *, actor: Actor, meeting: JointMeeting, rows: Sequence[NewItem], version: int | None = None
) -> list[AgendaItem]:
    """Puts matters onto the agenda, at its end; before the meeting, and while it is under way.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: the meeting is over, or a matter is on the agenda already.
        Invalid: a matter has no title, is of another county, or somebody has taken it on.
    """
    row = lock_meeting(actor, meeting, posts.MANAGE_MEETING, version)
    not_over(row)
    standing: list[tuple[int | None, ...]] = list(row.items.values_list("demand_id", "proposal_id", "project_id"))
    order = next_order(row)
    made = []
    for number, new in enumerate(rows):
        found = _item(actor, row, new)
        keys = (found.demand_id, found.proposal_id, found.project_id)
        for there in standing:
            if any(key is not None and key == other for key, other in zip(keys, there, strict=True)):
                raise Conflict(_("“%(title)s”已经在议程上。") % {"title": found.title}, code="on_agenda")
        standing.append(keys)
        found.order = order + number
        made.append(found)
    AgendaItem.objects.bulk_create(made)
    _record_agenda(actor, row, [item.pk for item in made], new=True)
    return made


@transaction.atomic
def remove_items(
    *, actor: Actor, meeting: JointMeeting, items: Collection[AgendaItem], version: int | None = None
) -> JointMeeting:
    """Takes matters off an agenda that nobody has been told of yet. Later they are put off instead.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: the notice is out.
    """
    row = lock_meeting(actor, meeting, posts.MANAGE_MEETING, version)
    if row.state != MeetingState.PLANNED:
        raise Conflict(_("议程已经公布，不能再移出；会上可以缓议。"), code="told")
    keys = list(row.items.filter(pk__in=[item.pk for item in items]).values_list("pk", flat=True))
    AgendaItem.objects.filter(pk__in=keys).delete()
    _record_agenda(actor, row, keys, new=False)
    return row


@transaction.atomic
def change_item(
    *,
    actor: Actor,
    item: AgendaItem,
    title: str,
    theme: str = "",
    text: str = "",
    said: str = "",
    version: int | None = None,
) -> AgendaItem:
    """Says anew what a matter is called and about, and what was said of it.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: the meeting is over. Stale: the page is old.
    """
    meeting = lock_meeting(actor, item.meeting, posts.MANAGE_MEETING)
    not_over(meeting)
    row = AgendaItem.objects.select_for_update(of=("self",)).select_related(*ITEM_RELATED).get(pk=item.pk)
    refuse_stale(row, version)
    given = {
        "title": clean_line(title, max_length=100, label=_("议题"), field="title", required=True),
        "theme": _theme(theme),
        "text": clean_words(text, _("说明"), "text"),
        "said": clean_words(said, _("讨论情况"), "said"),
    }
    changes = {name: (getattr(row, name), value) for name, value in given.items() if getattr(row, name) != value}
    if not changes:
        return row
    for name, value in given.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*given, "version"])
    show_anew(meeting)
    audit.record(actor=actor, action="agendaitem.change", obj=row, label=row.title, changes=changes, personal=PERSONAL)
    return row


# --- Checks ---------------------------------------------------------------------------------------------------------


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """The database has the last word on two meetings of a place at one time."""
    try:
        yield
    except IntegrityError as error:
        message = _("这里在同一时间已经有一次联席会议，请核对时间。")
        raise Conflict(message, code="meeting_twice", fields={"held_at": message}) from error


def _check_place(node: GridNode | None) -> None:
    message = ""
    if node is not None and node.is_retired:
        message = _("“%(place)s”已撤销。") % {"place": node.path}
    elif node is not None and node.level_type.key not in (COMMUNITY, STREET):
        message = _("联席会议由社区、街道或县召集，请选择社区或街道。")
    if message:
        raise Invalid(message, fields={"node": message})


def _check_time(held_at: datetime.datetime) -> None:
    if held_at <= timezone.now():
        message = _("会议时间已经过去，请核对。")
        raise Invalid(message, fields={"held_at": message})


def _title(title: str) -> str:
    return clean_line(title, max_length=80, label=_("会议名称"), field="title")


def _venue(venue: str) -> str:
    return clean_line(venue, max_length=100, label=_("会议地点"), field="venue", required=True)


def _host(host: str) -> str:
    return clean_line(host, max_length=60, label=_("主持人"), field="host")


def _theme(theme: str) -> str:
    if theme and theme not in Theme.values:
        message = _("没有这种问题类型。")
        raise Invalid(message, fields={"theme": message})
    return theme


def _item(actor: Actor, meeting: JointMeeting, new: NewItem) -> AgendaItem:
    """The row of a new matter, checked. What it names must be within sight of whoever puts it there."""
    demand, proposal, project = new.demand, new.proposal, new.project
    if proposal is not None:
        demand = demand or proposal.demand
        if proposal.state != ProposalState.PROPOSED:
            raise Invalid(_("这条匹配建议已经有了结果：%(state)s。") % {"state": proposal.get_state_display()})
    require(actor, posts.VIEW_DEMAND, *([demand] if demand else []))
    require(actor, posts.VIEW_PROJECT, *([project] if project else []))
    for matter in (demand, project):
        if matter is not None and matter.county_id != meeting.county_id:
            raise Invalid(_("只能列入本县的事项。"))
    if demand is not None and demand.state not in FREE_DEMAND:
        words = _("“%(title)s”现在是“%(state)s”，只有已受理、待认领的需求才能列入议程。")
        raise Invalid(words % {"title": demand.title, "state": demand.get_state_display()})
    if demand is not None and demand.state == DemandState.ACCEPTED and not may_dispatch(user_of(actor), demand):
        raise Invalid(_("“%(title)s”还没有发布，请社区先“发布认领”，再列入议程。") % {"title": demand.title})
    if project is not None and project.state != ProjectState.OPEN:
        words = _("项目“%(name)s”现在是“%(state)s”，只有待认领的项目才能列入议程。")
        raise Invalid(words % {"name": project.name, "state": project.get_state_display()})
    named = demand.title if demand else project.name if project else ""
    return AgendaItem(
        meeting=meeting,
        title=clean_line(
            new.title or ellipsis(named, 100), max_length=100, label=_("议题"), field="title", required=True
        ),
        text=clean_words(new.text, _("说明"), "text"),
        theme=_theme(new.theme) or theme_of(demand),
        demand=demand,
        proposal=proposal,
        project=project,
    )


def _record_agenda(actor: Actor, meeting: JointMeeting, keys: list[int], *, new: bool) -> None:
    if not keys:
        return
    meeting.version += 1
    meeting.save(update_fields=["version"])
    show_anew(meeting)
    changes = {"items": ([], keys) if new else (keys, [])}
    audit.record(actor=actor, action="meeting.agenda", obj=meeting, label=meeting.title, changes=changes)
