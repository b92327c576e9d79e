"""Nothing on the lists waits for ever: the monthly refresh, what is overdue, and what nobody decided on.

Runs every hour from beat; each reminder is keyed on whom, what and which month or week, so that twice is once.
Source: docs/practice.md#checkin (lists refreshed a month ahead of the quarter).
"""

import datetime
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.notices import Message
from core.periods import Month, Quarter
from grids.models import GridNode
from partybuilding.models import Unit
from services import posts
from services.models import (
    Project,
    ProjectState,
    Resource,
    ResourceState,
    Responsibility,
    UnitCheckIn,
)
from services.selectors.projects import overdue_projects, overdue_responsibilities

# The day of the month by which the lists are to be looked through.
REFRESH_BY = 25
# What waits for a decision for so many days is asked after, once a week.
PATIENCE = 7
DRAFT_PATIENCE = 14


def remind_lists(now: datetime.datetime | None = None) -> dict[str, int]:
    """Goes round everything that waits. Returns how many reminders each round asked for."""
    day = timezone.localdate(now)
    return {"refresh": remind_refresh(day), "overdue": remind_overdue(day), "waiting": remind_waiting(day)}


def refresh_words(day: datetime.date) -> str:
    """What the month asks for: in the last month of a quarter the next quarter's lists, else a look at this one's."""
    quarter = Quarter.of(day)
    given = {"month": day.month, "day": REFRESH_BY}
    if day.month == quarter.months()[-1].first_day.month:
        return _("请在 %(month)d 月 %(day)d 日前更新%(next)s资源清单") % {**given, "next": quarter.next().label}
    return _("请在 %(month)d 月 %(day)d 日前核对本季度资源清单") % given


def remind_refresh(day: datetime.date) -> int:
    """Asks the units that have checked in anywhere, and the communities, to look through their lists once a month."""
    if day.day > REFRESH_BY:
        return 0
    month = Month.of(day)
    title = refresh_words(day)
    offered = Resource.objects.filter(unit=OuterRef("pk"), state=ResourceState.AVAILABLE)
    reported = UnitCheckIn.objects.current().filter(unit=OuterRef("pk"))
    # Who has confirmed everything this month already is asked nothing.
    looked = Exists(offered) & ~Exists(offered.filter(checked_on__lt=month.first_day))
    units = Unit.objects.active().filter(Exists(reported)).exclude(looked)
    messages = [
        Message(
            kind="list_refresh",
            title=title,
            body=_("有变化的修改；没有变化的，点“本单位资源没有变化”。"),
            link="/m/resources/",
            audience={"unit": {"unit": pk, "role": "liaison"}},
            key=f"list_refresh:unit:{pk}:{month.code}",
        )
        for pk in units.order_by("pk").values_list("pk", flat=True)
    ]
    communities = GridNode.objects.standing().filter(pk=F("community_id"))
    messages += [
        Message(
            kind="list_refresh",
            title=_("请在 %(month)d 月 %(day)d 日前核对四张清单") % {"month": day.month, "day": REFRESH_BY},
            body=_("需求、资源、项目、责任有变化的及时更新；单位提供的资源请核实。"),
            link="/admin/services/project/lists/",
            audience={"post": {"right": posts.MANAGE_RESOURCE, "node": pk}},
            key=f"list_refresh:node:{pk}:{month.code}",
        )
        for pk in communities.order_by("pk").values_list("pk", flat=True)
    ]
    notices.post_many(messages)
    return len(messages)


def remind_overdue(day: datetime.date) -> int:
    """Tells units and places, once a week, how many of their responsibilities and projects are beyond their day."""
    units: Counter[int] = Counter()
    places: Counter[int] = Counter()
    late = Responsibility.objects.filter(overdue_responsibilities(day), project__state__in=_UNDER_WAY)
    for unit, lead, community, node in late.values_list(
        "unit", "project__lead_unit", "project__community", "project__node"
    ):
        places[community or node] += 1
        if unit or lead:
            units[unit or lead] += 1
    projects = Project.objects.filter(overdue_projects(day))
    for lead, community, node in projects.values_list("lead_unit", "community", "node"):
        places[community or node] += 1
        if lead:
            units[lead] += 1
    title = _("有 %(count)d 项任务超过期限，请抓紧办理")
    messages = [
        Message(
            kind="list_overdue",
            title=title % {"count": count},
            link="/m/projects/",
            audience={"unit": {"unit": pk, "role": "liaison"}},
            key=f"list_overdue:unit:{pk}:{_week(day)}",
        )
        for pk, count in sorted(units.items())
    ]
    messages += [
        Message(
            kind="list_overdue",
            title=_("项目清单、责任清单里有 %(count)d 项超过期限") % {"count": count},
            link="/admin/services/project/lists/",
            audience={"post": {"right": posts.MANAGE_PROJECT, "node": pk}},
            key=f"list_overdue:node:{pk}:{_week(day)}",
        )
        for pk, count in sorted(places.items())
    ]
    notices.post_many(messages)
    return len(messages)


_UNDER_WAY = [ProjectState.OPEN, ProjectState.RUNNING, ProjectState.FINISHED]


def remind_waiting(day: datetime.date) -> int:
    """Tells places what waits for them, and units what was sent back to them, once a week."""
    places: Counter[int] = Counter()
    for pk in _waiting_projects(day):
        places[pk] += 1
    offered = Resource.objects.filter(state=ResourceState.OFFERED)
    for node, community in offered.values_list("node", "node__community"):
        places[community or node] += 1
    messages = [
        Message(
            kind="list_waiting",
            title=_("清单里有 %(count)d 项等待办理：待核实的资源、待发布和待验收的项目") % {"count": count},
            link="/admin/services/project/lists/",
            audience={"post": {"right": posts.MANAGE_PROJECT, "node": pk}},
            key=f"list_waiting:node:{pk}:{_week(day)}",
        )
        for pk, count in sorted(places.items())
    ]
    sent_back = Resource.objects.filter(state=ResourceState.SENT_BACK, unit__isnull=False)
    units: Counter[Any] = Counter(sent_back.values_list("unit", flat=True))
    messages += [
        Message(
            kind="list_waiting",
            title=_("有 %(count)d 项资源被退回，请完善后重新提交，不再提供的请撤回") % {"count": count},
            link="/m/resources/",
            audience={"unit": {"unit": pk, "role": "liaison"}},
            key=f"list_waiting:unit:{pk}:{_week(day)}",
        )
        for pk, count in sorted(units.items())
    ]
    notices.post_many(messages)
    return len(messages)


def _waiting_projects(day: datetime.date) -> Iterator[int]:
    """The place of each project nobody has decided on: drafts, unclaimed ones, and those reported as finished."""
    before = timezone.make_aware(datetime.datetime.combine(day, datetime.time()))
    old = before - datetime.timedelta(days=DRAFT_PATIENCE)
    waits = Q(state__in=[ProjectState.DRAFT, ProjectState.OPEN], created_at__lt=old)
    waits |= Q(state=ProjectState.FINISHED, finished_at__lt=before - datetime.timedelta(days=PATIENCE))
    for node, community in Project.objects.filter(waits).values_list("node", "community"):
        yield community or node


def _week(day: datetime.date) -> str:
    year, number, _weekday = day.isocalendar()
    return f"{year}-{number}"
