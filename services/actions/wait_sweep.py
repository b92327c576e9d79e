"""What the sweeper does where somebody lets another wait: members who do not answer, and the desks above who are told.

Part of `sweeping.sweep`. The rows are in `services.workflow.waits`; reminders of orders are in `services.reminders`.
"""

import datetime
import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from core import notices
from core.actors import SYSTEM
from core.errors import DomainError
from core.models import OutboxMessage
from core.notices import Message
from services.actions.moving import move
from services.clocks import clock_for
from services.models import Assignment, Demand, DemandState, Supervision, Whistle
from services.models.demand import Desk
from services.models.evaluation import not_solved
from services.notices import late_message, message
from services.workflow.waits import UP_AFTER

logger = logging.getLogger(__name__)
BATCH = 500
_OF_DEMAND = ("demand__node", "demand__community")


def lapse_silent(now: datetime.datetime) -> int:
    """Takes back what members were asked and did not answer in time; the liaison asks somebody else."""
    silent = Assignment.objects.waiting().filter(due_at__lt=now).select_related("suborder__demand", "member")
    lapsed = 0
    for one in silent.order_by("due_at")[:BATCH]:
        try:
            move(actor=SYSTEM, target=one, name="lapse", version=one.version)
        except DomainError as error:
            # Answered in the meantime.
            logger.info("not lapsed: %s %s", one.pk, error.code)
        else:
            lapsed += 1
    return lapsed


@transaction.atomic
def tell_above(now: datetime.datetime) -> int:
    """Tells the desk above, once a day, what waits beyond its limit below. Returns how many notices were new."""
    found = [*_steps(now), *_whistles(now), *_answers(now)]
    known = set(OutboxMessage.objects.filter(key__in=[one.key for one in found]).values_list("key", flat=True))
    fresh = [one for one in found if one.key not in known]
    notices.post_many(fresh)
    return len(fresh)


_HANDED_UP = Q(state__in=[DemandState.ACCEPTED, DemandState.PUBLISHED])
ON_STREET = _HANDED_UP & Q(desk=Desk.STREET)
ON_COUNTY = _HANDED_UP & Q(desk=Desk.COUNTY)


def waits_for_somebody() -> Q:
    """What was checked closes off by itself, unless somebody says it is not solved: then the community must act."""
    return ~Q(state=DemandState.CHECKED) | not_solved()


def _steps(now: datetime.datetime) -> Iterable[Message]:
    """One notice a desk and day, however many matters wait: of each county by its own limits."""
    late = Demand.objects.step_late(now).filter(waits_for_somebody())
    for county_id in late.order_by().values_list("county_id", flat=True).distinct():
        rows = late.filter(county_id=county_id)
        clock = clock_for(county_id)
        up = _before(now, UP_AFTER, county_id)
        top = _before(now, clock.limits.bulletin_workdays, county_id)
        yield from _of_streets(rows.filter(ON_STREET | (Q(step_due_at__lt=up) & ~ON_COUNTY)), now)
        number = rows.filter(ON_COUNTY | Q(step_due_at__lt=top)).count()
        if number:
            yield late_message("county", county_id, number, _day(now))


def _of_streets(rows: QuerySet[Demand], now: datetime.datetime) -> Iterable[Message]:
    counted = rows.filter(community__parent__isnull=False).order_by().values_list("community__parent_id")
    for street_id, number in counted.annotate(number=Count("pk")):
        yield late_message("street", street_id, number, _day(now))


def _whistles(now: datetime.datetime) -> Iterable[Message]:
    for row in Whistle.objects.filter(ended_at__isnull=True, due_at__lt=now).select_related(*_OF_DEMAND):
        yield from _one("whistle_late", row.demand, now)
        if row.due_at < _before(now, UP_AFTER, row.demand.county_id):
            yield from _one("whistle_late_county", row.demand, now)


def _answers(now: datetime.datetime) -> Iterable[Message]:
    for row in Supervision.objects.filter(answered_at__isnull=True, due_at__lt=now).select_related(*_OF_DEMAND):
        if row.due_at < _before(now, UP_AFTER, row.demand.county_id):
            yield from _one("answer_late_up", row.demand, now)
            yield from _one("answer_late_street", row.demand, now)


def _one(name: str, demand: Demand, now: datetime.datetime) -> Iterable[Message]:
    found = message(name, demand, period=_day(now))
    return [found] if found is not None else []


def _before(now: datetime.datetime, workdays: int, county_id: int) -> datetime.datetime:
    """The moment so many working days ago."""
    calendar = clock_for(county_id).calendar
    return calendar.subtract_hours(now, workdays * calendar.minutes_per_day / 60)


def _day(now: datetime.datetime) -> str:
    return f"{timezone.localdate(now):%Y%m%d}"
