"""The ladder: what is near its limit, late, long late, and whose hands it is put into. Source: docs/practice.md#loop.

The rungs are data (`RUNGS`), their order the table `services.workflow.ladder`. A matter that comes near its limit gets a
row (`Climb`) with the moment its next rung is due; the sweeper touches only rows that are due, and some hundred at a
time. Each rung stands on the demand's timeline. What moves the limit begins the ladder anew.
"""

import datetime
import itertools
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import SYSTEM, Actor, kind_of, user_of
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import advance, advance_many
from core.notices import Message
from core.text import clean_text
from partybuilding.models import Pairing, PairingKind
from services import rate_notices
from services.clocks import Clock, clock_for
from services.models import Climb, Demand, DemandEvent, Parking, Rung
from services.notices import message
from services.workflow import LADDER

BATCH = 500
# Working days after which the leader is reminded of what is still not done.
REMIND_WORKDAYS = 5
_RELATED = ("demand__community", "demand__node", "demand__lead_unit")
Leaders = dict[int, list[tuple[int, str]]]


@dataclass(frozen=True)
class Step:
    """One rung.

    Attributes:
        rung: where it leads; also the name of the move.
        due: when, by the county's clock, the limit and when the light turned yellow.
        tell: the notices it sends besides those of the unit's order; gets the row and the leaders of its community.
        written: name of an event that says the same already.
    """

    rung: Rung
    due: Callable[[Clock, datetime.datetime, datetime.datetime], datetime.datetime]
    tell: Callable[[Climb, list[tuple[int, str]]], Iterable[Message | None]] = lambda climb, leaders: ()
    written: str = ""


def _to_county(climb: Climb, leaders: list[tuple[int, str]]) -> Iterable[Message | None]:
    return [message("bulletin", climb.demand, period=f"{climb.limit:%Y%m%d%H%M}")]


def _to_leaders(climb: Climb, leaders: list[tuple[int, str]]) -> Iterable[Message | None]:
    period = f"{climb.limit:%Y%m%d%H%M}"
    told = [rate_notices.to_leader("leader", climb, key, period) for key, _name in leaders]
    return told or [rate_notices.unpaired(climb, period)]


RUNGS = (
    Step(Rung.NEAR, lambda clock, limit, warn: warn),
    Step(Rung.LATE, lambda clock, limit, warn: limit, written="late"),
    Step(Rung.NEXT_DAY, lambda clock, limit, warn: limit + datetime.timedelta(days=1)),
    Step(Rung.BULLETIN, lambda clock, limit, warn: clock.workdays(limit, clock.limits.bulletin_workdays), _to_county),
    Step(Rung.LEADER, lambda clock, limit, warn: clock.workdays(limit, clock.limits.leader_workdays), _to_leaders),
)
_NEXT = {Rung.NONE: RUNGS[0], **{step.rung: after for step, after in itertools.pairwise(RUNGS)}}


def climb(now: datetime.datetime | None = None) -> int:
    """Puts what has come near its limit on the ladder, and lets what is due climb. Returns how many rungs were climbed."""
    now = now or timezone.now()
    _begin(now)
    climbed = 0
    while keys := list(Climb.objects.filter(next_at__lte=now).order_by("next_at").values_list("pk", flat=True)[:BATCH]):
        made, put_off = _climb(keys, now)
        climbed += made
        if not made and not put_off:
            # Another sweeper has just seen to them.
            break
    return climbed


def _begin(now: datetime.datetime) -> None:
    """Rows for what has come near a limit it was not on the ladder for; read from the index on running demands. What came
    to stand still on it under the same limit (given back, and then with another community to be accepted) goes on."""
    same = Climb.objects.filter(demand=OuterRef("pk"), limit=OuterRef("due_at"), next_at__isnull=False)
    parked = Q(parked_until__gt=timezone.localdate(now))
    near = (
        Demand.objects.under_limit().filter(warn_at__lte=now).exclude(parked).filter(~Exists(same)).order_by("warn_at")
    )
    while keys := list(near.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            rows = {row.pk: row for row in Demand.objects.select_for_update().filter(pk__in=keys).order_by("pk")}
            known = {row.demand_id: row for row in Climb.objects.filter(demand__in=rows).select_for_update()}
            fresh = []
            # Another sweeper may have put them there while this one waited for the lock.
            there = {key for key, row in known.items() if row.limit == rows[key].due_at}
            Climb.objects.filter(demand__in=there, next_at__isnull=True).update(next_at=now)
            known = {key: row for key, row in known.items() if key not in there}
            rows = {key: row for key, row in rows.items() if key not in there}
            for key, demand in rows.items():
                row = known.get(key) or Climb(demand=demand)
                row.limit, row.at, row.instructed_at = demand.due_at or now, None, None
                # What is late when it is first seen is not told any more that it is near its limit.
                late = row.limit <= now
                row.rung, row.next_at = (Rung.NEAR, row.limit) if late else (Rung.NONE, demand.warn_at)
                row.version += key in known
                fresh += [] if key in known else [row]
            Climb.objects.bulk_create(fresh, ignore_conflicts=True, batch_size=BATCH)
            Climb.objects.bulk_update(
                known.values(), ["limit", "rung", "at", "next_at", "instructed_at", "version"], batch_size=BATCH
            )


def _climb(keys: Collection[int], now: datetime.datetime) -> tuple[int, int]:
    """How many rungs were climbed, and how many rows are due later than it seemed."""
    with transaction.atomic():
        # Demands first, as everybody who moves one does.
        of_rows = Climb.objects.filter(pk__in=keys).values("demand")
        list(Demand.objects.select_for_update().filter(pk__in=of_rows).order_by("pk").values_list("pk"))
        due = Climb.objects.filter(pk__in=keys, next_at__lte=now).select_related("demand")
        rows = list(due.select_for_update(of=("self",)).order_by("pk"))
        parkings: dict[int, list[Parking]] = defaultdict(list)
        for parking in Parking.objects.filter(demand__in=[row.demand_id for row in rows], at__gte=F("demand__due_at")):
            parkings[parking.demand_id].append(parking)
        later, groups = [], defaultdict(list)
        for row in rows:
            row.next_at = _due(row, parkings[row.demand_id], now)
            if row.next_at is None or row.next_at > now:
                later.append(row)
            else:
                groups[_NEXT[Rung(row.rung)].rung if row.rung in _NEXT else "remind"].append(row)
        Climb.objects.bulk_update(later, ["next_at"], batch_size=BATCH)
        return sum(_make(str(name), some, parkings, now) for name, some in groups.items()), len(later)


def _due(row: Climb, parkings: list[Parking], now: datetime.datetime) -> datetime.datetime | None:
    """When the next rung is due as things stand now; None when the matter climbs no further."""
    if not row.stands:
        return None
    until = row.demand.parked_until
    if until is not None and until > timezone.localdate(now):
        return timezone.make_aware(datetime.datetime.combine(until, datetime.time.min))
    clock = clock_for(row.demand.county_id)
    step = _NEXT.get(Rung(row.rung))
    due = step.due(clock, row.limit, row.demand.warn_at or row.limit) if step else row.next_at
    for parking in parkings:
        if due is not None and parking.at < due and step is not None:
            due = clock.resume_on(parking.until, due, parking.at)
    return due


def _make(name: str, rows: list[Climb], parkings: dict[int, list[Parking]], now: datetime.datetime) -> int:
    """One rung for many: a fixed number of statements."""
    step = next((one for one in RUNGS if one.rung == name), None)
    leaders = _leaders({row.demand.community_id for row in rows}) if name in (Rung.LEADER, "remind") else {}
    written = _written(step.written, rows) if step and step.written else set()
    events: list[DemandEvent] = []
    told: list[Message | None] = []

    def effect(row: Climb, data: Any) -> None:
        of_place = leaders.get(row.demand.community_id, [])
        if step is not None:
            row.at = now
            told.extend(step.tell(row, of_place))
        else:
            told.extend(rate_notices.to_leader("remind", row, key, f"{now:%Y%m%d}") for key, _name in of_place)
            told.extend([] if of_place else [rate_notices.unpaired(row, f"{now:%Y%m%d}")])
        again = clock_for(row.demand.county_id).workdays(now, REMIND_WORKDAYS)
        row.next_at = _due(row, parkings[row.demand_id], now) if row.rung in _NEXT else again
        if row.demand_id not in written:
            events.append(_event(row, name, of_place, now))

    moved = advance_many(
        LADDER, rows, name, actor=SYSTEM, effect=effect, related=_RELATED, label=lambda row: row.demand.code
    )
    DemandEvent.objects.bulk_create(events, batch_size=BATCH)
    notices.post_many(one for one in told if one is not None)
    return len(moved.done)


def _event(row: Climb, name: str, leaders: list[tuple[int, str]], now: datetime.datetime) -> DemandEvent:
    text = ""
    if name in (Rung.LEADER, "remind"):
        text = _("包联领导：%(names)s") % {"names": "、".join(words for _key, words in leaders)}
        if not leaders:
            text = _("“%(place)s”还没有包联领导，已报县委组织部。") % {"place": row.demand.community.name}
    return DemandEvent(
        demand_id=row.demand_id,
        name=f"ladder_{name}",
        title=str(LADDER.get(name).done),
        text=text,
        at=now,
        actor_kind=SYSTEM.kind,
        # No figure counts a rung.
        tallied=True,
    )


def _written(name: str, rows: list[Climb]) -> set[int]:
    """Demands whose timeline says it already, of the limit they have now."""
    limits = {row.demand_id: row.limit for row in rows}
    said = DemandEvent.objects.filter(demand__in=limits, name=name).values_list("demand_id", "at")
    return {key for key, at in said if at >= limits[key]}


def _leaders(communities: Collection[int]) -> Leaders:
    """Community -> the leaders paired with it today (docs/domain.md#g1, #x5)."""
    found: Leaders = defaultdict(list)
    held = Pairing.objects.current().filter(kind=PairingKind.LEADER, node__in=communities, user__is_active=True)
    for node_id, user_id, name in held.order_by("pk").values_list("node_id", "user_id", "user__name"):
        found[node_id].append((user_id, name))
    return dict(found)


def instruct(*, actor: Actor, climb: Climb, text: str, version: int | None = None) -> Climb:
    """The paired leader says what is to be done (领导批示); told to the unit at work and to the community.

    Args:
        text: at most 500 characters; telephone and identity numbers are taken out.

    Raises:
        NotFound, Forbidden: no `demand.instruct` there. Conflict: not escalated, finished meanwhile, or the actor is not
            paired with the community. Invalid: no words. Stale: the page is old.
    """
    words = clean_text(text, max_length=500, label=_("批示"), field="text", required=True)
    words = scrub_identity_numbers(scrub_phone_numbers(words))

    def effect(row: Climb, data: Any) -> None:
        DemandEvent.objects.create(
            demand=row.demand,
            name="instruct",
            title=_("领导批示"),
            text=words,
            actor=user_of(actor),
            actor_kind=kind_of(actor),
            tallied=True,
        )
        clock = clock_for(row.demand.county_id)
        # The leader has looked at it just now: the next reminder counts from here.
        row.instructed_at = timezone.now()
        row.next_at = clock.workdays(row.instructed_at, REMIND_WORKDAYS)
        notices.post_many(rate_notices.instructed(row, words))

    with transaction.atomic():
        Demand.objects.select_for_update().get(pk=climb.demand_id)
        return advance(
            LADDER,
            climb,
            "instruct",
            actor=actor,
            data={"text": words},
            version=version,
            effect=effect,
            related=_RELATED,
            label=climb.demand.code,
        )
