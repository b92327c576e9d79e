"""What the tables of the resource, project and responsibility lists share: places, units, and how a row is judged."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core import policies
from core.actors import SYSTEM
from core.errors import DomainError
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.jobs import fault
from core.spreadsheets import Column, Record
from grids.models import GridNode
from grids.places import find_places
from grids.resources.base import differs_from_what_stands
from grids.resources.places import PlaceColumns
from partybuilding.models import Unit
from partybuilding.unit_names import UnitNames


class FaultError(Exception):
    """A row can not be taken: the column at fault, why, and what stands there."""

    def __init__(self, header: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.header, self.message, self.value = header, message, value


class Planner:
    """Judges the rows of one table. A subclass says what a row means, and what stands already.

    Attributes:
        right: that the actor must hold at a row's place.
        rows: which attributes the columns stand on.
    """

    right = ""
    rows: RowResource

    def __init__(self, task: Task, places: PlaceColumns | None = None) -> None:
        self.task, self.county, self.places = task, task.where, places
        self.plan_ = Plan()
        self.headers = {column.name: column.header for column in task.table.columns}
        self.units = UnitNames(self.county)
        self.seen: dict[Any, int] = {}

    def plan(self) -> Plan:
        good = [record for record in self.task.table.records() if self._sound(record)]
        within = None if self.task.actor is SYSTEM else policies.within(GridNode, self.task.actor, self.right)
        words = {self.places.read(record) for record in good} if self.places else set()
        self.found = find_places(self.county, words, within=within)
        self.know(good)
        for done, record in enumerate(good):
            self.task.progress(done, len(good))
            try:
                self.judge(record)
            except FaultError as error:
                self.plan_.errors.append(fault(record.number, error.header, error.message, error.value))
        return self.plan_

    def _sound(self, record: Record) -> bool:
        self.plan_.errors += record.errors
        return not record.errors

    def know(self, records: Sequence[Record]) -> None:
        """Reads what the rows speak of, set by set."""

    def judge(self, record: Record) -> None:
        raise NotImplementedError

    # --- Cells ---

    def place(self, record: Record, *, required: bool = True) -> GridNode | None:
        assert self.places is not None
        words = self.places.read(record)
        if not words:
            if required:
                raise FaultError(self.places.place.header, _("请填写地点"))
            return None
        found = self.found[words]
        if found.node is None:
            raise FaultError(self.headers[self.places.column(words)], found.fault, words[-1][1])
        return found.node

    def unit(self, record: Record, name: str) -> Unit | None:
        text = record.text(name)
        if not text:
            return None
        try:
            return self.units.find(text)
        except DomainError as error:
            raise FaultError(self.headers[name], error.message, text) from error

    def units_in(self, record: Record, name: str, words: Sequence[str]) -> list[Unit]:
        found = []
        for text in words:
            try:
                found.append(self.units.find(text))
            except DomainError as error:
                raise FaultError(self.headers[name], error.message, text) from error
        return found

    def once(self, key: Any, record: Record, header: str = "") -> None:
        first = self.seen.setdefault(key, record.number)
        if first != record.number:
            raise FaultError(header, _("与第 %(row)d 行重复") % {"row": first})

    # --- Verdicts ---

    def new(self, record: Record, name: str, data: Any) -> None:
        self.plan_.lines.append(Line(record.number, What.NEW, name, data=data))

    def differ(
        self,
        record: Record,
        name: str,
        before: Any,
        after: Any,
        headers: Collection[str],
        data: Callable[[], Any],
        more: Sequence[tuple[str, str, str]] = (),
    ) -> None:
        """A row of what stands: the same, or changed; a fault without the switch 更新已有.

        Args:
            headers: of the columns the row fills. more: differences that are no attribute (sets of rows).
        """
        changes = [*self.rows.differing(before, after, headers), *more]
        if changes and not self.task.update and (words := differs_from_what_stands(changes)):
            raise FaultError(changes[0][0], words, changes[0][2])
        what = What.CHANGED if changes else What.SAME
        self.plan_.lines.append(Line(record.number, what, name, changes, data() if changes else None))


def unit_column(name: str, header: str, aliases: tuple[str, ...], note: str, example: str = "") -> Column:
    return Column(name, header, aliases=aliases, max_length=300, note=note, example=example, width=26)


def day_column(name: str, header: str, aliases: tuple[str, ...], note: str = "") -> Column:
    return Column(name, header, aliases=aliases, kind="date", note=note, width=14)
