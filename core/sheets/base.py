"""What a list must say of itself so that it can be imported and exported like every other one."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from import_export.resources import ModelResource

from core import policies
from core.actors import SYSTEM, Actor
from core.errors import DomainError, Forbidden, NotFound
from core.jobs import JobRun
from core.models import User
from core.spreadsheets import BoundTable, Column, LedgerColumn, Record, RowError
from core.spreadsheets.limits import MAX_ROWS

Progress = Callable[[int, int], None]


class What(StrEnum):
    """What a good row would do."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"


@dataclass(slots=True)
class Line:
    """A row without faults.

    Attributes:
        number: of the row in the sheet.
        what: what it would do.
        name: what it is about, in words, for the preview.
        changes: (header, before, after) in words, for a row that changes something.
        data: whatever `Sheet.write` needs; never stored.
    """

    number: int
    what: What
    name: str
    changes: Sequence[tuple[str, str, str]] = ()
    data: Any = None


@dataclass
class Plan:
    """A whole table judged: the good rows in its order, the faults, and what the person should be told besides."""

    lines: list[Line] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def to_do(self) -> list[Line]:
        return [line for line in self.lines if line.what is not What.SAME]

    def count(self, what: What) -> int:
        return sum(line.what is what for line in self.lines)


@dataclass
class Task:
    """One table on its way in.

    Attributes:
        actor: in whose name, with the rights held now.
        where: what `Sheet.where` answered for the actor (a county, a place).
        table: the table with its columns found.
        update: whether rows that stand already are changed to what the table says; else a difference is a fault.
        progress: told how far the judging or the preparing is.
    """

    actor: Actor
    where: Any
    table: BoundTable
    update: bool = False
    progress: Progress = lambda done, total: None

    def faults(self, record: Record, error: DomainError) -> list[RowError]:
        """A refusal of an action's rules as faults of a row: under the header of each column it names."""
        headers = {name: self.table.table.headers[at] for name, at in self.table.positions.items()}
        named = error.fields or {"": error.message}
        return [
            RowError(record.number, headers.get(name, ""), message, str(record.values.get(name) or ""))
            for name, message in named.items()
        ]


class Sheet:
    """A list as a table. Subclass it, one for each list, and `register` an instance.

    Attributes:
        key: a word for addresses and jobs.
        label: what a cadre calls the list, e.g. 网格.
        right: without it anywhere, the doors to import are closed. `export_right` the same for the ledger; "" closes it.
        allowed: parts of forbidden headers this list may carry.
        can_update: whether the switch 更新已有 is offered.
        brief: the files go within a day, and with them what a job's page tells of the rows: they hold telephones.
        personal: they hold residents: an upload goes as soon as it is imported, all the rest (error files, ledgers,
            uploads nobody confirmed) within a day, and no page of a job tells a row's content.
    """

    key = ""
    label: str | Promise = ""
    right = ""
    export_right = ""
    allowed: Collection[str] = ()
    can_update = True
    brief = False
    personal = False
    max_rows = MAX_ROWS

    @property
    def forgets(self) -> bool:
        """Whether the files are kept for a day instead of a month."""
        return self.brief or self.personal

    # --- Coming in ---

    def where(self, actor: Actor) -> Any:
        """Where the actor may bring rows in; read anew for every step. Raises Forbidden or NotFound."""
        return None

    def columns(self, where: Any) -> Sequence[Column]:
        """The columns that are read and that the template offers."""
        raise NotImplementedError

    def shapes(self, where: Any) -> Sequence[Sequence[Column]]:
        """The sets of columns a table may come with, the template's first; its headers tell which one it has.

        `Task.table.columns` is the one it has.
        """
        return (self.columns(where),)

    def notes(self, where: Any) -> Sequence[str]:
        """Sentences for the template and the page of the import."""
        return ()

    def plan(self, task: Task) -> Plan:
        """Judges every row; writes nothing. A fixed number of queries per some hundred rows."""
        raise NotImplementedError

    def prepare(self, run: JobRun, task: Task, plan: Plan) -> Sequence[tuple[str, str]]:
        """Slow work before the transaction (hashing); whatever it makes goes into the lines' `data`.

        What it puts into `run.params` is written down together with the rows. Returns more lines for the page of the
        result.
        """
        return ()

    def write(self, task: Task, plan: Plan) -> None:
        """Does `plan.to_do` by calling actions, inside one transaction, set by set. All or nothing.

        Must look again at what it relies on, under the locks of its actions. Raises Conflict or Stale when something
        changed since the judging: nothing is written and the person is asked to start again.
        """
        raise NotImplementedError

    def imported(self, task: Task, plan: Plan, found: Mapping[str, Any]) -> None:
        """Called inside the transaction as its last step: writes down who brought what in. `found` are counts."""

    # --- Going out ---

    def ledger_title(self) -> str:
        return _("%(label)s台账") % {"label": self.label}

    def ledger_unit(self, actor: User) -> str:
        """The reporting unit (填报单位)."""
        return actor.name

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        raise NotImplementedError

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        """The rows among `ids` the actor may export now, in that order. A few queries per some hundred."""
        raise NotImplementedError

    def exported(self, actor: User, count: int) -> None:
        """Writes down who took how much out."""

    # --- Doors ---

    def may(self, actor: Any, right: str) -> bool:
        """Whether the actor holds the right anywhere; the rows are judged one by one later."""
        return actor is SYSTEM or (bool(right) and policies.holds(actor, right))

    def require(self, actor: Actor, right: str) -> None:
        """Raises Forbidden unless `may`."""
        if not self.may(actor, right):
            raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(right) if right else self.label})


class RowResource(ModelResource):
    """A row of a list on an instance of its model: which headers stand on which attributes, and in what two differ.

    Declare `import_export.fields.Field(attribute, header)` for each column (docs/decisions/0003).
    """

    def differing(self, before: Any, after: Any, headers: Collection[str] | None = None) -> list[tuple[str, str, str]]:
        """(header, before, after) in words where the two differ, among `headers` (all when not given)."""
        found = []
        for one in self.get_import_fields():
            name = str(one.column_name)
            if headers is not None and name not in headers:
                continue
            old, new = one.get_value(before), one.get_value(after)
            if old != new:
                found.append((name, _words(old), _words(new)))
        return found

    def cells(self, obj: Any) -> list[Any]:
        """The values of an object in the order of the columns, for a ledger."""
        return [_words(one.get_value(obj)) for one in self.get_export_fields()]


def _words(value: Any) -> str:
    return "" if value is None else str(value)


_sheets: dict[str, Sheet] = {}


def register(sheet: Sheet) -> None:
    _sheets[sheet.key] = sheet


def sheet_of(key: str) -> Sheet:
    """Raises NotFound for a list there is none of."""
    if key not in _sheets:
        raise NotFound(_("没有这种表格。"))
    return _sheets[key]


def registered() -> Iterable[Sheet]:
    return _sheets.values()


WHAT_WORDS = {What.NEW: gettext_lazy("新增"), What.CHANGED: gettext_lazy("修改"), What.SAME: gettext_lazy("没有变化")}
