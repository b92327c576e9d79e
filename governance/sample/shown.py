"""Demands that wait at every step where the shown people can take it on, in every light.

The ordinary run leaves most of these by itself; here it is certain, on every day the sample is loaded.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from governance.sample import texts
from governance.sample.demands import Demands
from governance.sample.fate import Fate
from governance.sample.people import show_place
from governance.sample.story import Story
from governance.sample.texts import DemandText
from governance.sample.weft import SHOWN_UNITS
from grids.models import GridNode
from partybuilding.models import Unit
from services.clocks import GREEN, RED, YELLOW, colour
from services.models import AssignmentState as A
from services.models import DemandState as D
from services.models import LimitUnit, Origin
from services.models import SubOrderState as S
from services.models.demand import Desk

# Tried from this many working hours before the sample's moment, and further back, until state and light are right.
_NEAREST, _FURTHEST, _STRIDE = 1.5, 140.0, 1.25


@dataclass(frozen=True)
class Wanted:
    """What shall be found: a fate that halts, the state it leaves behind, and the light."""

    fate: Fate
    state: str
    suborder: str = ""
    light: str = ""
    origin: str = Origin.RESIDENT
    # Whether the step itself waits beyond its own limit; None where it does not matter.
    step_late: bool | None = False
    # How a member who was asked stands, where the fate halts at the answer.
    asked: str = A.OFFERED


def _waiting(halt: str, **fate: object) -> Fate:
    return Fate(halt=halt, first_asked=True, **fate)  # type: ignore[arg-type]


# For the community: each step it has to take.
COMMUNITY = (
    Wanted(_waiting("accept"), D.REGISTERED),
    Wanted(_waiting("accept"), D.REGISTERED, origin=Origin.KEEPER),
    Wanted(_waiting("accept"), D.REGISTERED, origin=Origin.PHONE, step_late=True),
    Wanted(_waiting("dispatch"), D.ACCEPTED),
    Wanted(_waiting("dispatch"), D.ACCEPTED, step_late=True),
    Wanted(_waiting("dispatch", parked="before"), D.ACCEPTED),
    Wanted(_waiting("dispatch", route="escalate"), D.ACCEPTED),
    Wanted(_waiting("dispatch", route="hand_up"), D.ACCEPTED),
    Wanted(_waiting("dispatch", route="hand_down"), D.ACCEPTED),
    Wanted(_waiting("", route="transfer"), D.REGISTERED, step_late=None),
    Wanted(_waiting("end_whistle", route="whistle"), D.DISPATCHED),
    Wanted(_waiting("", route="whistle", pace=0.5), D.CLOSED_OFF),
    Wanted(_waiting("answer_supervision", supervised="community"), D.ACCEPTED, step_late=None),
    Wanted(_waiting("", opening="decline"), D.DECLINED),
    Wanted(_waiting("", opening="withdraw"), D.WITHDRAWN),
)
# For a unit's liaison and its member, and for the community that answers the unit.
UNIT = (
    Wanted(_waiting("claim", route="claim"), D.PUBLISHED),
    Wanted(_waiting("sign"), D.DISPATCHED, S.DISPATCHED, GREEN),
    Wanted(_waiting("sign", supporting=1), D.DISPATCHED, S.DISPATCHED, GREEN),
    Wanted(_waiting("sign"), D.DISPATCHED, S.DISPATCHED, YELLOW),
    Wanted(_waiting("assign"), D.DISPATCHED, S.SIGNED, GREEN),
    Wanted(_waiting("answer"), D.DISPATCHED, S.SIGNED, GREEN),
    Wanted(_waiting("answer"), D.DISPATCHED, S.SIGNED, asked=A.LAPSED),
    Wanted(_waiting("report"), D.DISPATCHED, S.IN_SERVICE, GREEN),
    Wanted(_waiting("finish"), D.DISPATCHED, S.IN_SERVICE, YELLOW),
    Wanted(_waiting("finish", supporting=2), D.DISPATCHED, S.IN_SERVICE, RED),
    Wanted(_waiting("finish", parked="during"), D.DISPATCHED, S.IN_SERVICE),
    Wanted(_waiting("review_return", returned="approved"), D.DISPATCHED, S.RETURN_REQUESTED, GREEN),
    Wanted(_waiting("review_extension", extension="approved"), D.DISPATCHED, S.IN_SERVICE),
    Wanted(_waiting("finish", supervised="unit", pace=1.6), D.DISPATCHED, S.IN_SERVICE, RED),
    Wanted(_waiting("check"), D.FINISHED, S.FINISHED),
    Wanted(_waiting("evaluate"), D.CHECKED, S.FINISHED),
    Wanted(_waiting("close_off", solved=False, satisfaction="dissatisfied"), D.CHECKED, S.FINISHED),
    Wanted(_waiting(""), D.CLOSED_OFF, S.FINISHED),
)


def tell_shown(demands: Demands, shown: bool) -> None:
    """Adds the demands that must be there. `shown`: whether this is the county whose people sign in."""
    ground = demands.ground
    first = ground.communities[0]
    places = ground.places[first.pk, "building"]
    if shown:
        grid, building = show_place(ground.nodes)
        places = [building, *(node for node in places if node.parent_id == grid.pk), *places]
    units = {unit.short_name: unit for unit in ground.units_here(first)}
    for number, wanted in enumerate(COMMUNITY):
        tell_wanted(demands, wanted, places[number % 12], None, f"community {number}")
    for name in SHOWN_UNITS if shown else SHOWN_UNITS[:1]:
        for number, wanted in enumerate(UNIT):
            tell_wanted(demands, wanted, places[number % 12], units[name], f"{name} {number}")


def tell_wanted(demands: Demands, wanted: Wanted, node: GridNode, lead: Unit | None, key: str) -> None:
    """Adds a demand that came to what is wanted, at a place and of a lead unit. On days off some lights can not be had, or
    only with an extension (limits end at closing time): then the state alone will do, or nothing."""
    longer = replace(wanted, fate=replace(wanted.fate, extension="approved"))
    for asked in (wanted, longer, replace(wanted, light="", step_late=None)):
        for story in _tries(demands, asked, node, lead, key):
            if _fits(story, asked, demands.ground.moment):
                demands.stories.append(story)
                return


def _tries(demands: Demands, wanted: Wanted, node: GridNode, lead: Unit | None, key: str) -> Iterator[Story]:
    ground = demands.ground
    hours = _NEAREST
    while hours < _FURTHEST:
        rng = Random(f"{ground.facts.code} {key} {hours}")  # noqa: S311
        at = ground.clock.calendar.subtract_hours(ground.moment, hours)
        case = demands.case(rng, at, node=node, lead=lead, fits=lambda text: _ordinary(demands, wanted, text))
        fate = wanted.fate if wanted.fate.pace > 1 else replace(wanted.fate, pace=rng.uniform(0.2, 0.85))
        yield demands.tell(demands.with_origin(case, wanted.origin), fate, rng)
        hours += _STRIDE


def _ordinary(demands: Demands, wanted: Wanted, text: DemandText) -> bool:
    """Limits of a few working days: urgent matters would have been done, complex ones show no light for weeks."""
    category = demands.category(text)
    if wanted.fate.parked and text.topic not in texts.WORKS:
        return False
    return category.limit_unit == LimitUnit.WORKDAYS and category.limit_value <= 7


def _fits(story: Story, wanted: Wanted, moment: datetime.datetime) -> bool:
    demand = story.demand
    if demand.state != wanted.state:
        return False
    if wanted.suborder and story.lead().state != wanted.suborder:
        return False
    if wanted.light and colour(demand, moment) != wanted.light:
        return False
    step_late = wanted.step_late
    if step_late is not None and step_late != (demand.step_due_at is not None and demand.step_due_at < moment):
        return False
    if wanted.fate.halt == "answer" and wanted.asked not in [one.state for one in story.assignments]:
        return False
    return _recorded(story, wanted.fate)


def _recorded(story: Story, fate: Fate) -> bool:
    """The record a fate is about is there, and waits where it shall."""
    demand = story.demand
    return all(
        (
            not fate.supervised or demand.supervised_at is not None,
            not fate.parked or demand.parked_until is not None,
            fate.route not in ("escalate", "hand_down") or demand.escalated_at is not None,
            fate.route != "hand_up" or demand.desk == Desk.COUNTY,
            fate.route != "hand_down" or demand.desk == Desk.COMMUNITY,
            fate.route != "transfer" or demand.transfers == 1,
            fate.route != "whistle" or (demand.whistled_at is not None) == (fate.halt == "end_whistle"),
            fate.halt != "review_extension" or bool(story.extensions),
            fate.halt != "close_off" or demand.solved is False,
        )
    )
