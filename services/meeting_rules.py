"""What holds of every joint meeting: how far ahead it is told, how long it may lie, and who may be asked.

Source: docs/practice.md#checkin ("the agenda is published days ahead"; each resolution has an owner and a day).
"""

import datetime

from django.utils.translation import gettext as _

from core.actors import Actor, user_of
from core.policies import can, scopes
from grids.policies import scope_of
from partybuilding.policies import UnitScope
from services import posts
from services.models import AgendaItem, Attendance, DemandState, MeetingState, ProjectState, Resolution

# A unit needs some days to see what it could take on, and to send somebody who may say yes.
PUBLISH_AHEAD = datetime.timedelta(days=3)
# Units are reminded when the meeting is this near.
REMIND_AHEAD = datetime.timedelta(days=1)
# A meeting nobody opened or nobody closed: whoever called it is reminded, later it lapses or is closed by itself.
LEFT_REMIND = datetime.timedelta(days=1)
LEFT_CLOSE = datetime.timedelta(days=3)
LEFT_LAPSE = datetime.timedelta(days=7)
# A demand can be taken on at the table while no unit has it.
FREE_DEMAND = (DemandState.ACCEPTED, DemandState.PUBLISHED)


def own_units(user: object) -> set[int]:
    """The units for which a person may speak at the table."""
    return {scope.unit_id for scope in scopes(user, posts.ATTEND_MEETING) if isinstance(scope, UnitScope)}


def who_claimed(item: AgendaItem) -> str | None:
    """For whoever was a moment too late."""
    if item.unit is None:
        return None
    return _("“%(title)s”已由“%(unit)s”认领。") % {"title": item.title, "unit": item.unit.label}


def at_the_table(item: AgendaItem, actor: Actor) -> str | None:
    """Claims, and what is resolved, belong to a meeting that is under way."""
    if item.meeting.state == MeetingState.RUNNING:
        return None
    if item.meeting.state == MeetingState.CLOSED:
        return _("会议已经结束，不能再改。")
    return _("会议开始以后才能办理，现在是“%(state)s”。") % {"state": item.meeting.get_state_display()}


def free_to_claim(item: AgendaItem, actor: Actor) -> str | None:
    """The matter itself may have found somebody outside the meeting."""
    demand, project = item.demand, item.project
    if (gone := went_elsewhere(item)) is not None:
        return gone
    if demand is not None and demand.lead_unit is not None and demand.state not in FREE_DEMAND:
        return _("这条需求已由“%(unit)s”承办。") % {"unit": demand.lead_unit.label}
    if demand is not None and demand.state not in FREE_DEMAND:
        return _("这条需求现在是“%(state)s”，不能认领。") % {"state": demand.get_state_display()}
    if project is not None and project.state != ProjectState.OPEN:
        if project.lead_unit is not None:
            return _("这个项目已由“%(unit)s”认领。") % {"unit": project.lead_unit.label}
        return _("这个项目现在是“%(state)s”，不能认领。") % {"state": project.get_state_display()}
    return at_the_table(item, actor)


def went_elsewhere(item: AgendaItem) -> str | None:
    """A demand that was handed to a community the meeting is not about. It stays on the agenda, for that was told; nothing
    comes of it there, and no later meeting of the place takes it up."""
    demand, place = item.demand, item.meeting.node
    if demand is None or not demand.transfers or place is None or scope_of(place).holds(demand.node):
        return None
    return _("这条需求已移交“%(community)s”，由对方社区办理，这里请改为缓议。") % {"community": demand.community.name}


def still_here(item: AgendaItem, actor: Actor) -> str | None:
    """Something is resolved of what is the place's own, while the meeting is under way."""
    return went_elsewhere(item) or at_the_table(item, actor)


def own_claim(item: AgendaItem, actor: Actor) -> str | None:
    """A claim is taken back by the unit itself, or by whoever called the meeting."""
    user = user_of(actor)
    if item.unit_id in own_units(user) or _calls(user, item):
        return at_the_table(item, actor)
    return _("只有“%(unit)s”自己或召集方可以撤回。") % {"unit": item.unit.label if item.unit else ""}


def own_answer(row: Attendance, actor: Actor) -> str | None:
    """A unit answers for itself, while the meeting is ahead or under way; whoever called it may do so in its name."""
    if row.meeting.state not in (MeetingState.PUBLISHED, MeetingState.RUNNING):
        return _("会议现在是“%(state)s”，不用回复。") % {"state": row.meeting.get_state_display()}
    user = user_of(actor)
    if row.unit_id in own_units(user) or _calls(user, row):
        return None
    return _("只能替本单位回复。")


def under_way(row: Attendance, actor: Actor) -> str | None:
    if row.meeting.state == MeetingState.RUNNING:
        return None
    return _("会议进行中才能登记到会。")


def own_matter(row: Resolution, actor: Actor) -> str | None:
    """What went to a leader is answered by that leader."""
    user = user_of(actor)
    if user is not None and row.leader_id == user.pk:
        return None
    return _("只有协调领导本人可以登记协调结果。")


def not_followed(row: Resolution, actor: Actor) -> str | None:
    """What became a project or a commitment is done when that is: nobody says it here a second time."""
    if row.meeting.state != MeetingState.CLOSED:
        return _("会议结束后再登记落实情况。")
    if row.project_id is not None:
        return _("这项决议随项目“%(name)s”验收自动落实。") % {"name": row.project.name if row.project else ""}
    if row.commitment_id is not None:
        return _("这项决议随承诺事项确认完成自动落实。")
    return None


def not_made_yet(row: Resolution, actor: Actor) -> str | None:
    """A resolution that became a project or a commitment is given up where that is given up."""
    return not_followed(row, actor) if row.meeting.state == MeetingState.CLOSED else None


def _calls(user: object, row: AgendaItem | Attendance) -> bool:
    return can(user, posts.MANAGE_MEETING, row.meeting)
