"""A move under way, as effects see it."""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from django.db import models
from django.utils.translation import gettext as _

from core.actors import Actor, user_of
from core.audit import Deed
from core.errors import Forbidden, Invalid
from core.models import User
from core.workflow import Transition
from grids.policies import NodeScope
from services.clocks import Clock
from services.models import Assignment, Demand, OutsideMatter, SubOrder
from services.reach import grounds_of
from services.selectors import outside

Target = Demand | SubOrder | Assignment
Row = TypeVar("Row", bound=models.Model)


def snapshot(row: models.Model) -> dict[str, Any]:
    """The columns of a row as they are now."""
    return {column.attname: getattr(row, column.attname) for column in row._meta.concrete_fields}


class Known:
    """Where effects read rows other than those that move: here one question at a time. Triage, which moves many at once,
    has read the answers for all of them beforehand (`services.actions.triage`)."""

    def grounds(self, units: Collection[int]) -> Mapping[int, Sequence[NodeScope]]:
        """Of each unit, the places in which it can be given what hangs there."""
        return grounds_of(units)

    def linked(self, demand: Demand) -> Sequence[Demand]:
        """What was linked to a demand, locked."""
        return list(demand.linked.select_for_update().order_by("pk"))

    def outside(self, demand: Demand) -> OutsideMatter | None:
        """What on the list of matters a community must not lead the demand is; the list is read once."""
        if demand.county_id not in self._matters:
            self._matters[demand.county_id] = outside.matters_of([demand.county_id])
        return next((matter for matter in self._matters[demand.county_id] if outside.fits(matter, demand)), None)

    @cached_property
    def _matters(self) -> dict[int, list[OutsideMatter]]:
        return {}


@dataclass
class Move:
    """A move under way: what an effect may read and what it fills in.

    Attributes:
        row: the transition; `data`: the inputs given; `now`: one moment for everything the move writes.
        demand, suborder, assignment: locked rows; the latter two where the move is about them.
        text: what the timeline says beneath the title; `about`: added to the title ("派单 → 县住建局").
        added: new rows, stored by the mover after the effect; `carried`: other demands it changed, with their deeds.
        told_suborders, told_assignments: whom the notice speaks to, when not the demand as a whole.
        afterwards: what is left to do once the rows are saved, in the same transaction.
        beside: other rows of the demand that the move changes, locked; see `also`.
    """

    actor: Actor
    row: Transition
    data: Mapping[str, Any]
    now: datetime.datetime
    clock: Clock
    demand: Demand
    suborder: SubOrder | None = None
    assignment: Assignment | None = None
    known: Known = field(default_factory=Known)
    text: str = ""
    about: str = ""
    added: list[models.Model] = field(default_factory=list)
    carried: list[Deed] = field(default_factory=list)
    told_suborders: list[SubOrder] = field(default_factory=list)
    told_assignments: list[Assignment] = field(default_factory=list)
    beside: list[tuple[Any, dict[str, Any]]] = field(default_factory=list)
    afterwards: list[Callable[[], None]] = field(default_factory=list)

    @property
    def target(self) -> Target:
        return self.assignment or self.suborder or self.demand

    @property
    def user(self) -> User:
        """The account that acts; for moves that no resident and no system can make."""
        user = user_of(self.actor)
        if user is None:
            raise Forbidden(_("这一步须由有账号的人员办理。"))
        return user

    def orders(self) -> Iterable[SubOrder]:
        """The demand's sub-orders as they stand. Where it was never given to a unit, nobody is asked for them."""
        return self.demand.suborders.all() if self.demand.was_given else ()  # type: ignore[attr-defined]

    def also(self, row: Row) -> Row:
        """Takes another row along, before it is changed: what becomes of it is saved, and audited with the move."""
        self.beside.append((row, snapshot(row)))
        return row

    def said(self, name: str) -> str:
        """A text input, stripped; empty when it was not given."""
        return str(self.data.get(name) or "").strip()


# Works that need a season or a budget wait a few years at most; a day beyond is a slip of the finger.
FURTHEST_YEARS = 5


def check_near(day: datetime.date, step: Move) -> None:
    """Raises `Invalid` for a day named as a limit (`until`) that nobody means."""
    if day.year > step.now.year + FURTHEST_YEARS:
        message = _("日期最晚到 %(year)d 年，请核对。") % {"year": step.now.year + FURTHEST_YEARS}
        raise Invalid(message, fields={"until": message})


Effect = Callable[[Move], None]
