"""At the table: who has come, who claims what, what is resolved. Source: docs/domain.md#g2, docs/practice.md#checkin.

Every deed takes the meeting's row first and turns its `revision`, so that all open screens draw themselves anew. Of two
units that claim one item at once the second finds it claimed, under the lock, and is told by whom. Nothing of it leaves
the meeting before it closes (`meeting_moves.close_meeting`).
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, policies
from core.actors import SYSTEM, Actor, user_of
from core.errors import Conflict, Invalid
from core.models import User
from core.moving import advance
from core.text import clean_line
from partybuilding.models import Unit
from services import posts
from services.actions.meeting_rows import (
    ITEM_RELATED,
    PERSONAL,
    clean_words,
    know_meeting,
    lock_meeting,
    refuse_stale,
    show_anew,
)
from services.meeting_rules import own_units
from services.models import (
    AgendaItem,
    Attendance,
    ItemState,
    JointMeeting,
    MeetingState,
    Presence,
    Resolution,
    ResolutionKind,
    ResolutionState,
    UnitCheckIn,
)
from services.reach import may_dispatch, serves
from services.selectors.meetings import leaders_for, place_of
from services.selectors.projects import reported_for
from services.workflow.meetings import AGENDA_ITEM, ATTENDANCE

# Nobody means a day further away than this.
FURTHEST = datetime.timedelta(days=5 * 365)


# --- Who comes ------------------------------------------------------------------------------------------------------


@transaction.atomic
def answer_meeting(
    *, actor: Actor, attendance: Attendance, coming: bool, words: str, version: int | None = None
) -> Attendance:
    """Says for a unit who comes, or why nobody does. May be said anew until somebody has come.

    Args:
        words: the name of whoever comes, or the reason.

    Raises:
        NotFound, Forbidden: the unit is not asked, or the actor does not speak for it. Invalid: no words.
        InvalidTransition: the meeting is not ahead any more, or somebody has come. Stale: the page is old.
    """
    meeting = know_meeting(actor, attendance.meeting)

    def write(row: Attendance, data: Any) -> None:
        row.person = str(data.get("person") or "")
        row.note = str(data.get("note") or "")
        row.answered_at = timezone.now()

    field, label, length = ("person", _("谁来参加"), 60) if coming else ("note", _("请假原因"), 200)
    row = advance(
        ATTENDANCE,
        attendance,
        "come" if coming else "excuse",
        actor=actor,
        data={field: clean_line(words, max_length=length, label=label, field=field)},
        version=version,
        effect=write,
        related=("meeting__node", "meeting__county", "unit"),
        label=str(attendance),
        personal=PERSONAL,
    )
    show_anew(meeting)
    return row


@transaction.atomic
def mark_present(
    *, actor: Actor, meeting: JointMeeting, present: Collection[Attendance], version: int | None = None
) -> int:
    """Says who has come: these, and of the asked ones nobody else. Answers how many rows changed.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: the meeting is not under way. Stale: the page is old.
    """
    row = lock_meeting(actor, meeting, posts.MANAGE_MEETING, version)
    if row.state != MeetingState.RUNNING:
        raise Conflict(_("会议进行中才能登记到会。"))
    here = {one.pk for one in present}
    changed: list[Attendance] = []
    deeds = []
    for one in Attendance.objects.select_for_update(of=("self",)).filter(meeting=row).select_related("unit", "meeting"):
        if (one.pk in here) == (one.state == Presence.PRESENT):
            continue
        before = one.state
        # Who was ticked by mistake is again what the answer said.
        back = Presence.COMING if one.person else Presence.EXCUSED if one.note else Presence.INVITED
        one.state = Presence.PRESENT if one.pk in here else back
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, {"state": (before, one.state)}, label=str(one)))
    if changed:
        Attendance.objects.bulk_update(changed, ["state", "version"], batch_size=500)
        audit.record_many(actor=actor, action="attendance.mark", deeds=deeds)
        show_anew(row)
    return len(changed)


# --- Claims ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def claim_item(*, actor: Actor, item: AgendaItem, unit: Unit | None = None, version: int | None = None) -> AgendaItem:
    """Claims an item for a unit. Takes effect when the meeting closes; can be taken back until then.

    Args:
        unit: which; the actor's own when they speak for one alone. Whoever called the meeting names any that is asked.

    Raises:
        NotFound, Forbidden: the meeting is out of sight, or the actor speaks for none of its units.
        InvalidTransition: another unit has it (the words say which), the meeting is not under way, or the matter found
            somebody outside the meeting. Invalid: no unit, or one that may not take the matter on. Stale.
    """
    meeting = know_meeting(actor, item.meeting)

    def write(row: AgendaItem, _data: Any) -> None:
        row.unit = _claimant(actor, row, unit)
        row.claimed_by, row.claimed_at = user_of(actor), timezone.now()

    row = _move(actor, item, "claim", version, effect=write)
    show_anew(meeting)
    return row


@transaction.atomic
def release_item(*, actor: Actor, item: AgendaItem, version: int | None = None) -> AgendaItem:
    """Takes a claim back, while the meeting is under way.

    Raises: NotFound, Forbidden, Stale; InvalidTransition when it is not the actor's to take back, or was resolved.
    """
    meeting = know_meeting(actor, item.meeting)

    def write(row: AgendaItem, _data: Any) -> None:
        row.unit = row.claimed_by = row.claimed_at = None

    row = _move(actor, item, "release", version, effect=write)
    show_anew(meeting)
    return row


@transaction.atomic
def defer_item(*, actor: Actor, item: AgendaItem, version: int | None = None) -> AgendaItem:
    """Puts an item off to the place's next meeting. Raises as every move."""
    meeting = know_meeting(actor, item.meeting)

    def write(row: AgendaItem, _data: Any) -> None:
        row.unit = row.claimed_by = row.claimed_at = None

    row = _move(actor, item, "defer", version, effect=write)
    show_anew(meeting)
    return row


def _move(actor: Actor, item: AgendaItem, name: str, version: int | None, **given: Any) -> AgendaItem:
    return advance(
        AGENDA_ITEM, item, name, actor=actor, version=version, related=ITEM_RELATED, label=item.title, **given
    )


def _claimant(actor: Actor, item: AgendaItem, unit: Unit | None) -> Unit:
    """The unit that takes the item on, checked under the lock."""
    asked = Unit.objects.filter(attendances__meeting=item.meeting_id, is_active=True)
    if actor is not SYSTEM and not policies.can(actor, posts.MANAGE_MEETING, item):
        asked = asked.filter(pk__in=own_units(user_of(actor)))
    found = list(asked.filter(pk=unit.pk) if unit is not None else asked[:2])
    if len(found) != 1:
        message = _("请选择由哪个参会单位认领。")
        raise Invalid(message, fields={"unit": message})
    demand = item.demand
    _check_may_give(actor, item, found[0])
    if demand is not None and not Unit.objects.filter(serves(demand.node), pk=found[0].pk).exists():
        message = _("“%(unit)s”没有在“%(place)s”报到，不能承办这里的需求。请先登记单位报到，或由已报到的单位认领。") % {
            "unit": found[0].label,
            "place": demand.community.name,
        }
        raise Invalid(message, code="unit_not_checked_in", fields={"unit": message})
    if item.project is not None and not reported_for(item.project).filter(unit=found[0]).exists():
        message = _("“%(unit)s”没有在“%(place)s”报到，不能牵头这里的项目。请先登记单位报到。") % {
            "unit": found[0].label,
            "place": item.project.node.path,
        }
        raise Invalid(message, code="unit_not_checked_in", fields={"unit": message})
    return found[0]


def _check_may_give(actor: Actor, item: AgendaItem, unit: Unit) -> None:
    """Whoever claims for a unit must be able to give it the matter when the meeting closes; the county can not."""
    if actor is SYSTEM or unit.pk in own_units(user_of(actor)):
        return
    gives = (item.demand is None or may_dispatch(user_of(actor), item.demand)) and (
        item.project is None or policies.can(actor, posts.MANAGE_PROJECT, item.project)
    )
    if not gives:
        message = _("社区的需求和项目不能由县里代记，请“%(unit)s”的联络员在手机上认领。") % {"unit": unit.label}
        raise Invalid(message, code="claims_itself", fields={"unit": message})


# --- Resolutions ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class NewResolution:
    """What is resolved of an item.

    Attributes:
        kind: a `ResolutionKind`; `leader` for what goes to the leader who is paired with the place.
        unit: who is to do it; the unit that claimed the item when not given. A project and a commitment need one.
        owner: the person who answers for it; for a leader's matter the leader's name when empty.
        leader: which of several paired leaders.
    """

    kind: str
    text: str
    due_on: datetime.date | None
    owner: str = ""
    unit: Unit | None = None
    leader: User | None = None


@transaction.atomic
def resolve_item(
    *, actor: Actor, item: AgendaItem, resolution: NewResolution, version: int | None = None
) -> Resolution:
    """Writes down what is resolved of an item. Each has an owner and a day; it takes effect when the meeting closes.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. InvalidTransition: the meeting is not under way, the item was put off.
        Invalid: no owner, no day or one that is past, no unit where one is needed, nobody leads the place. Stale.
    """
    meeting = lock_meeting(actor, item.meeting, posts.MANAGE_MEETING)
    move = "lead" if resolution.kind == ResolutionKind.LEADER else "resolve"
    others = item.resolutions.filter(state=ResolutionState.OPEN).exists()
    if move == "lead" and others and item.state == ItemState.RESOLVED:
        # The item stays what the meeting resolved itself; the leader is asked besides.
        move = "resolve"
    row = _move(actor, item, move, version)
    row.meeting = meeting
    made = _resolution(row, resolution)
    made.save(force_insert=True)
    show_anew(meeting)
    names = ("kind", "text", "unit_id", "owner", "leader_id", "due_on")
    changes = {name: (None, getattr(made, name)) for name in names if getattr(made, name)}
    audit.record(
        actor=actor,
        action="resolution.make",
        obj=made,
        label=row.title,
        changes=changes,
        personal=PERSONAL,
        new=True,
    )
    return made


@transaction.atomic
def correct_resolution(
    *,
    actor: Actor,
    resolution: Resolution,
    text: str,
    owner: str,
    due_on: datetime.date | None,
    reason: str = "",
    version: int | None = None,
) -> Resolution:
    """Says anew what is to be done, by whom and by when; once the meeting has closed with a reason.

    Raises:
        NotFound, Forbidden: no `meeting.manage`. Conflict: it is done or given up. Invalid: no owner or day. Stale.
    """
    meeting = lock_meeting(actor, resolution.meeting, posts.MANAGE_MEETING)
    row = Resolution.objects.select_for_update(of=("self",)).select_related("item").get(pk=resolution.pk)
    row.meeting = meeting
    refuse_stale(row, version)
    if row.state != ResolutionState.OPEN:
        raise Conflict(_("这项决议已经了结：%(state)s。") % {"state": row.get_state_display()})
    closed = meeting.state == MeetingState.CLOSED
    reason = clean_line(reason, max_length=500, label=_("修改原因"), field="reason", required=closed)
    given = {"text": _text(text), "owner": _owner(owner), "due_on": _due(due_on)}
    changes = {name: (getattr(row, name), value) for name, value in given.items() if getattr(row, name) != value}
    if not changes:
        return row
    for name, value in given.items():
        setattr(row, name, value)
    row.version += 1
    row.save(update_fields=[*given, "version"])
    show_anew(meeting)
    audit.record(
        actor=actor,
        action="resolution.correct",
        obj=row,
        label=row.item.title,
        changes=changes,
        reason=reason,
        personal=PERSONAL,
    )
    return row


def _resolution(item: AgendaItem, new: NewResolution) -> Resolution:
    """The row of a resolution, checked."""
    if new.kind not in ResolutionKind.values:
        message = _("请选择决议的形式。")
        raise Invalid(message, fields={"kind": message})
    leader, owner = None, new.owner
    if new.kind == ResolutionKind.LEADER:
        leader = _leader(item, new.leader)
        owner = owner or leader.name
    unit = new.unit or item.unit
    if new.kind in (ResolutionKind.PROJECT, ResolutionKind.COMMITMENT) and unit is None:
        message = _("立项、承诺要有责任单位：请选择单位，或先由单位认领。")
        raise Invalid(message, fields={"unit": message})
    if unit is not None and (not unit.is_active or unit.county_id != item.meeting.county_id):
        message = _("“%(unit)s”不是本县在用的单位。") % {"unit": unit}
        raise Invalid(message, fields={"unit": message})
    _check_place(item, new.kind, unit)
    return Resolution(
        meeting=item.meeting,
        item=item,
        kind=new.kind,
        text=_text(new.text),
        unit=unit,
        owner=_owner(owner),
        leader=leader,
        due_on=_due(new.due_on),
    )


def _check_place(item: AgendaItem, kind: str, unit: Unit | None) -> None:
    """A project and a commitment are made somewhere; a unit promises only where it has reported."""
    place, message = place_of(item), ""
    if kind == ResolutionKind.PROJECT and place is None:
        message = _("项目要落到一个地方；全县的自拟议题请立为任务。")
    elif kind == ResolutionKind.COMMITMENT and (place is None or place.community_id is None):
        message = _("承诺要落到社区里的一个地方；这个议题请立为任务或项目。")
    if message:
        raise Invalid(message, fields={"kind": message})
    if kind == ResolutionKind.COMMITMENT and not UnitCheckIn.objects.covering(place).filter(unit=unit).exists():
        message = _("“%(unit)s”没有在“%(place)s”报到，不能在这里承诺。请先登记单位报到，或立为任务。") % {
            "unit": unit.label if unit else "",
            "place": place,
        }
        raise Invalid(message, code="unit_not_checked_in", fields={"unit": message})


def _leader(item: AgendaItem, chosen: User | None) -> User:
    """The paired leader the matter goes to. Raises Invalid when there is none, or several and none is named."""
    found = leaders_for(item)
    if not found:
        message = _("这里还没有包联领导，请先登记县级领导包联，或选择别的形式。")
        raise Invalid(message, code="no_leader", fields={"leader": message})
    if chosen is None and len(found) == 1:
        chosen = found[0]
    if chosen is None or chosen.pk not in {user.pk for user in found}:
        message = _("请选择包联这里的领导。")
        raise Invalid(message, fields={"leader": message})
    if not policies.sees(chosen, item.meeting):
        message = _("“%(name)s”没有县级领导的任职，看不到会议。请县级管理员先登记任职。") % {"name": chosen.name}
        raise Invalid(message, fields={"leader": message})
    return chosen


def _text(text: str) -> str:
    return clean_words(text, _("决议"), "text", 300, required=True)


def _owner(owner: str) -> str:
    """A resolution nobody answers for is no resolution (docs/practice.md#checkin)."""
    owner = clean_line(owner, max_length=60, label=_("责任人"), field="owner")
    if not owner:
        message = _("请写明责任人：没有责任人的决议不能保存。")
        raise Invalid(message, code="no_owner", fields={"owner": message})
    return owner


def _due(due_on: datetime.date | None) -> datetime.date:
    message = ""
    today = timezone.localdate()
    if due_on is None:
        message = _("请写明完成期限。")
    elif due_on < today:
        message = _("完成期限不能早于今天。")
    elif due_on > today + FURTHEST:
        message = _("完成期限太远，请核对。")
    if message or due_on is None:
        raise Invalid(message, fields={"due_on": message})
    return due_on
