"""What tables of rows at a place share: where the place stands in a row, and how a refusal becomes a fault of the row."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core import policies
from core.actors import SYSTEM
from core.errors import DomainError, Invalid
from core.sheets import Line, Plan, Task, What
from core.spreadsheets.columns import Record
from grids.models import GridNode
from grids.places import Found, Words, find_places
from grids.resources.base import differs_from_what_stands
from grids.resources.places import PlaceColumns


class PlacedPlanner:
    """Judges a table row by row. Subclasses say what a row means (`row`); the place is found for all at once."""

    right = ""

    def __init__(self, task: Task, places: PlaceColumns) -> None:
        self.task, self.county, self.places = task, task.where, places
        self.out = Plan()
        self.seen: dict[Any, int] = {}

    def plan(self) -> Plan:
        good = []
        for record in self.task.table.records():
            self.out.errors += record.errors
            if not record.errors:
                good.append(record)
        self.found = self._find(good)
        self.prepare(good)
        for done, record in enumerate(good):
            self.task.progress(done, len(good))
            try:
                self.out.lines.append(self.row(record))
            except DomainError as error:
                self.out.errors += self.task.faults(record, self._under_columns(record, error))
        return self.out

    def prepare(self, records: Sequence[Record]) -> None:
        """Reads what the rows speak of, set by set."""

    def row(self, record: Record) -> Line:
        """What a row would do. Raises any refusal."""
        raise NotImplementedError

    def place(self, record: Record) -> GridNode:
        """Raises Invalid under `node` when there is none, or more than one."""
        words = self.places.read(record)
        if not words:
            raise Invalid(_("请填写地点"), fields={"node": _("请填写地点")})
        found = self.found[words]
        if found.node is None:
            raise Invalid(found.fault, fields={"node": found.fault})
        return found.node

    def once(self, record: Record, key: Any) -> None:
        """Raises Invalid when an earlier row said the same."""
        first = self.seen.setdefault(key, record.number)
        if first != record.number:
            raise Invalid(_("与第 %(row)d 行重复") % {"row": first})

    def changed(self, record: Record, name: str, changes: Sequence[tuple[str, str, str]], data: Any) -> Line:
        """The line of a row that speaks of what stands. Raises Invalid when it differs and may not change it."""
        if not changes:
            return Line(record.number, What.SAME, name)
        if not self.task.update and (words := differs_from_what_stands(changes)):
            raise Invalid(words)
        return Line(record.number, What.CHANGED, name, changes, data)

    def _find(self, records: Iterable[Record]) -> dict[Words, Found]:
        actor = self.task.actor
        within = None if actor is SYSTEM else policies.within(GridNode, actor, self.right)
        return find_places(self.county, {self.places.read(record) for record in records}, within=within)

    def _under_columns(self, record: Record, error: DomainError) -> DomainError:
        if "node" not in error.fields:
            return error
        fields = dict(error.fields)
        fields[self.places.column(self.places.read(record))] = fields.pop("node")
        return Invalid(error.message, fields=fields)
