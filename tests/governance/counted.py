"""Matters one can count by hand, and pages to read them on. For the dashboard's tests."""

import datetime
import re
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from django.test import Client
from django.utils import timezone

from core.models import User
from core.periods import LOCAL_ZONE, Quarter
from governance.dashboard.places import Place, atlas_of
from governance.dashboard.selectors import NOTHING, Counts, Numbers, numbers, read
from grids.models import GridNode
from partybuilding.models import Unit
from services.actions import tallies
from services.models import Demand
from tests import factories as make
from tests.cast import Cast
from tests.factories import fresh

HOUR = datetime.timedelta(hours=1)
DAY = datetime.timedelta(days=1)
QUARTER = Quarter(2026, 1)
LATER = datetime.datetime(2026, 5, 4, 10, tzinfo=LOCAL_ZONE)


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)


def matter(
    node: GridNode,
    when: str,
    unit: Unit | None = None,
    *,
    category: Any = None,
    answered: str = "",
    finished: str = "",
    solved: bool | None = None,
    happy: bool = False,
    **fields: Any,
) -> Demand:
    """A demand registered on a day, as far as it came. `answered`: in_time, late, never; `finished`: in_time, late."""
    at = moment(f"{when} 09:00")
    values: dict[str, Any] = {"registered_at": at, "state": "registered"}
    if unit:
        values |= {"state": "dispatched", "lead_unit": unit, "dispatched_at": at, "due_at": at + 5 * DAY}
    if finished:
        values |= {"state": "closed_off", "finished_at": at + (2 if finished == "in_time" else 9) * DAY}
    if solved is not None:
        values |= {"solved": solved, "satisfaction": "satisfied" if happy else "not"}
    demand = make.make_demand(node, category, **(values | fields))
    if unit:
        took = {"in_time": HOUR, "late": 9 * HOUR}.get(answered)
        make.make_suborder(
            demand,
            unit,
            state="finished" if finished else "signed" if took else "dispatched",
            dispatched_at=at,
            sign_due_at=at + 4 * HOUR,
            contact_due_at=at + 2 * HOUR,
            signed_at=at + took if took else None,
            contacted_at=at + took if took else None,
            response_late_at=at + 2 * HOUR if answered in ("late", "never") else None,
        )
    return demand


def figures(person: User, place: Place, period: Any = QUARTER, now: datetime.datetime = LATER) -> Numbers:
    """What a dashboard would say."""
    return numbers(read(person, place, period, now), place, period, now)


@dataclass
class World:
    """Three communities with matters one can count, seen by the department."""

    cast: Cast
    expected: dict[str, Counts] = field(default_factory=dict)

    def read(self, node: Any, user: User | None = None, period: Any = QUARTER) -> Numbers:
        person = fresh(user or self.cast.department)
        return figures(person, atlas_of(person).find(node.code), period)


def make_world(cast: Cast) -> World:
    """First quarter of 2026, by hand:

    白龙塘 (a): 12 registered. 10 finished (8 in time), answered 8 in time and 2 not; 10 heard: 9 solved, 8 satisfied;
    2 waited for a unit. In the quarter before: 3 registered, 3 finished, 3 of 3 answered in time.
    城北 (b): 3 registered: 1 finished in time, answered in time, heard, not solved; 1 given and never answered; 1 declined.
    南门 (other street): 4 registered, none given. The year before: 5.
    """
    a, b, far = cast.a, cast.b, cast.other_street_community
    power = cast.categories["水电气暖"]
    for number in range(10):
        matter(
            a.building,
            f"2026-0{number % 3 + 1}-10",
            a.unit if number < 7 else a.supporting_unit,
            category=power if number < 4 else None,
            answered="in_time" if number < 8 else "late",
            finished="in_time" if number < 8 else "late",
            solved=number < 9,
            happy=number < 8,
        )
    matter(a.grid, "2026-01-01")
    matter(a.node, "2026-03-31")
    for _each in range(3):
        matter(a.building, "2025-12-31", a.unit, answered="in_time", finished="in_time")
    matter(b.building, "2026-02-02", b.unit, answered="in_time", finished="in_time", solved=False)
    matter(b.building, "2026-02-03", b.unit, answered="never")
    matter(b.building, "2026-02-04", state="declined")
    for _each in range(4):
        matter(far, "2026-03-03")
    for _each in range(5):
        matter(far, "2025-03-03")
    for _each in range(6):
        matter(cast.other_county_community, "2026-03-03")
    tallies.rebuild_tallies(cast.county)
    tallies.rebuild_tallies(cast.other_county)
    in_a = Counts(12, 10, 8, 10, 8, 10, 9, 10, 8)
    in_b = Counts(3, 1, 1, 2, 1, 1, 0, 1, 0)
    in_far = Counts(4)
    return World(
        cast,
        {
            a.node.code: in_a,
            b.node.code: in_b,
            far.code: in_far,
            cast.empty_community.code: NOTHING,
            cast.street.code: in_a.plus(in_b),
            cast.other_street.code: in_far,
            cast.county.code: in_a.plus(in_b).plus(in_far),
        },
    )


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


def page(person: User, path: str = "", **query: str) -> str:
    answer = signed_in(person).get(f"/dashboard/{path}", query)
    assert answer.status_code == 200, answer.content.decode()[:2000]
    return answer.content.decode()


def words(html: str) -> str:
    """What a page says, without its tags."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", html, flags=re.S)))


def links(html: str, part: str) -> list[str]:
    return [unescape(link) for link in re.findall(r'href="([^"]*)"', html) if part in link]


def make_running(cast: Cast) -> Cast:
    """a: 2 late, 1 near its limit, 3 on time, 1 registered that waits too long. b: 1 late. 南门: 1 without any clock."""
    now = timezone.now()
    for hours in (-48, -1):
        lit(cast.a.building, due_at=now + hours * HOUR, warn_at=now - 60 * HOUR)
    lit(cast.a.building, due_at=now + HOUR, warn_at=now - HOUR)
    for _each in range(2):
        lit(cast.a.building, due_at=now + 5 * DAY, warn_at=now + 4 * DAY)
    lit(cast.a.building, due_at=now + 5 * DAY)
    make.make_demand(cast.a.building, step_due_at=now - HOUR)
    make.make_demand(cast.a.building, step_due_at=now + HOUR)
    lit(cast.b.building, due_at=now - HOUR)
    lit(cast.a.building, due_at=now - HOUR, state="finished")
    make.make_demand(cast.other_street_community, state="dispatched")
    lit(cast.other_county_community, due_at=now - HOUR)
    tallies.rebuild_tallies(cast.county)
    return cast


def lit(node: GridNode, **fields: Any) -> Demand:
    return make.make_demand(node, **{"state": "dispatched", **fields})
