"""Moves of many demands, made together: locked, carried out in memory, and written in a fixed number of statements."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Prefetch, Q
from django.utils.translation import gettext as _

from core import audit, notices
from core.actors import Actor
from core.bulk import update_rows
from core.errors import DomainError, NotFound
from core.notices import Message
from grids.policies import NodeScope
from services.actions.carrying import Made, carry_out, for_move
from services.actions.step import Known
from services.models import Demand, DemandEvent, SubOrder

BATCH = 500
# What effects, policies and notices read of a demand.
_RELATIONS = ("node", "community", "category", "lead_unit")


@dataclass(frozen=True)
class Order:
    """What is to be done with one demand.

    Attributes:
        demand: its key. version: the one the person saw.
        steps: moves with their inputs, one after the other: ("accept", {...}), ("dispatch", {...}). The first
            one that can not be made ends the order; those before it stand.
    """

    demand: int
    version: int | None
    steps: Sequence[tuple[str, Mapping[str, Any]]]


@dataclass(frozen=True)
class Answer:
    """What became of an order. `made`: the moves that were made; `error`: why the next one was not, if one was not.
    `demand`: as it is now; None when there is none, or none for this actor."""

    order: Order
    demand: Demand | None
    made: tuple[str, ...] = ()
    error: DomainError | None = None

    @property
    def reason(self) -> str:
        return self.error.message if self.error else ""


Written = Callable[[list[Answer]], None]


def make_together(*, actor: Actor, orders: Sequence[Order], written: Written | None = None) -> list[Answer]:
    """Makes the moves of some hundred orders in the caller's transaction, in a fixed number of statements.

    Args:
        orders: at most one for each demand, of moves of the demand itself that need no sub-order locked.
        written: called as the last step, with the answers.

    Returns an answer for each order, in the order given: what can not be done is named, the rest is done.
    """
    table = _Table(orders)
    book = _Book()
    answers = [_one(actor, order, table, book) for order in orders]
    book.write(actor)
    if written is not None:
        written(answers)
    return answers


def _one(actor: Actor, order: Order, table: "_Table", book: "_Book") -> Answer:
    """Carries out one order in memory."""
    demand = table.rows.get(order.demand)
    if demand is None:
        return Answer(order, None, (), NotFound(_("没有找到这条记录，或不在您的管辖范围内。")))
    done: list[str] = []
    version = order.version
    for name, data in order.steps:
        try:
            made = carry_out(
                actor=actor,
                name=name,
                data=table.inputs(data),
                version=version,
                demand=demand,
                known=table,
            )
        except DomainError as error:
            return Answer(order, None if isinstance(error, NotFound) else demand, tuple(done), error)
        book.add(made)
        table.joined(made)
        done.append(name)
        version = None  # what was seen has been checked; from here on the row is our own
    return Answer(order, demand, tuple(done))


class _Table(Known):
    """Every row the orders of a batch touch or read, in three statements, all locked that can change."""

    def __init__(self, orders: Sequence[Order]) -> None:
        given = [(order.demand, data) for order in orders for _name, data in order.steps]
        linking = [key for key, data in given if data.get("matter") is not None]
        mains = {data["matter"].pk for _key, data in given if data.get("matter") is not None}
        wanted = Q(pk__in={order.demand for order in orders} | mains)
        if linking:
            wanted |= Q(linked_to__in=linking)
        # In the order of keys, as everybody locks: two batches never wait for one another in a circle.
        locked = for_move().select_related(*_RELATIONS).filter(wanted).order_by("pk")
        suborders = Prefetch("suborders", SubOrder.objects.select_related("unit"))
        self.rows: dict[int, Demand] = {row.pk: row for row in locked.prefetch_related(suborders)}
        self._linked: dict[int, list[Demand]] = defaultdict(list)
        for row in self.rows.values():
            if row.linked_to_id is not None:
                self._linked[row.linked_to_id].append(row)
        units = {unit.pk for _key, data in given for unit in (data.get("unit"), *data.get("supporting", ())) if unit}
        self._grounds = super().grounds(units) if units else {}

    def inputs(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """The inputs of a step, with the demand it speaks of as it is now: another order may have moved it."""
        matter = data.get("matter")
        return data if matter is None else {**data, "matter": self.rows.get(matter.pk, matter)}

    def joined(self, made: Made) -> None:
        """Takes note of a demand that was linked: what is linked to it next goes on from there."""
        for row in (made.step.demand, *(deed.obj for deed in made.step.carried)):
            if made.step.row.name == "link" and isinstance(row, Demand) and row.linked_to_id is not None:
                self._linked[row.linked_to_id].append(row)

    def grounds(self, units: Collection[int]) -> Mapping[int, Sequence[NodeScope]]:
        return self._grounds

    def linked(self, demand: Demand) -> Sequence[Demand]:
        return sorted(self._linked.pop(demand.pk, []), key=lambda row: row.pk)


@dataclass
class _Book:
    """What the moves of a batch leave behind, written at once."""

    made: list[Made] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)

    def add(self, made: Made) -> None:
        self.made.append(made)
        if not made.step.added:
            # Now, while the demand has the version that the keys name.
            self.told += made.messages()

    def write(self, actor: Actor) -> None:
        if not self.made:
            return
        changed: dict[int, Any] = {}
        columns: set[str] = {"version"}
        for obj, names in self._changes():
            changed[obj.pk] = obj
            columns |= set(names)
        update_rows(list(changed.values()), columns)
        SubOrder.objects.bulk_create([row for made in self.made for row in made.step.added], batch_size=BATCH)  # type: ignore[misc]
        DemandEvent.objects.bulk_create([made.event() for made in self.made], batch_size=BATCH)
        deeds = [deed for made in self.made for deed in (*made.step.carried, made.deed())]
        audit.record_many(actor=actor, deeds=deeds)
        told = self.told + [message for made in self.made if made.step.added for message in made.messages()]
        notices.post_many(told)

    def _changes(self) -> Iterable[tuple[Any, Iterable[str]]]:
        for made in self.made:
            yield from made.changed
            for deed in made.step.carried:
                yield deed.obj, deed.changes or ()
