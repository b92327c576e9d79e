"""What the three tables of people have in common: whose row it is, which account they have, and the slip they get.

A person is known by their telephone. A name that is not the account's is a fault and never a correction: whoever mistypes a
number must not give somebody else's rights away, nor rename them.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from core import policies
from core.accounts import clean_phone, create_accounts, prepare_accounts
from core.actors import Actor
from core.errors import Invalid
from core.jobs import JobRun
from core.masking import mask_phone
from core.models import User
from core.sheets import Line, Plan, Task, What
from core.sheets.jobs import fault
from core.spreadsheets import Record
from governance.accounts import handout
from grids.actions import why_not_theirs
from grids.models import County
from grids.posts import MANAGE_ACCOUNT
from grids.resources.base import GridSheet

BATCH = 300
MAX_ROWS = 50_000


@dataclass(slots=True)
class Row:
    """What a row without faults says of a person.

    Attributes:
        user: the account that stands, or the one that is being made. password: the first one, of an account being made.
        wants_account: whether one is made where none stands.
        what: what they get, in words, for the preview and the slip.
        found: what the sheet's own `write_rows` needs.
    """

    record: Record
    name: str
    phone: str
    user: User | None = None
    password: str | None = None
    wants_account: bool = True
    what: str = ""
    found: Any = None

    @property
    def number(self) -> int:
        return self.record.number

    @property
    def shown(self) -> str:
        return f"{self.name}（{mask_phone(self.phone)}）{self.what}"


@dataclass
class Reading:
    """A table of people on its way to a plan: the rows without faults so far, and the plan they go into."""

    task: Task
    plan: Plan
    rows: list[Row] = field(default_factory=list)

    @property
    def county(self) -> County:
        county: County = self.task.where
        return county

    def blame(self, row: Row | Record, column: str, message: str) -> None:
        """Writes a fault down under the header that the file has for a column ("" for the whole row)."""
        record = row.record if isinstance(row, Row) else row
        table = self.task.table
        header = table.table.headers[table.positions[column]] if column in table.positions else ""
        self.plan.errors.append(fault(record.number, header, message, record.values.get(column) or ""))

    def add(self, row: Row, what: What, changes: Sequence[tuple[str, str, str]] = ()) -> None:
        self.plan.lines.append(Line(row.number, what, row.shown, changes, row))


class PersonSheet(GridSheet):
    """A table of people, kept by whoever makes the county's accounts and holds `right` there."""

    max_rows = MAX_ROWS
    brief = True

    def may(self, actor: Any, right: str) -> bool:
        return super().may(actor, right) and super().may(actor, MANAGE_ACCOUNT)

    def where(self, actor: Actor) -> County:
        county = super().where(actor)
        policies.require(actor, MANAGE_ACCOUNT, county)
        return county

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("已有账号的人只增加表里的职务，密码不变；姓名和账号不一致的不导入，请先核对。"),
            _("新开的账号导入后领取一次“首次密码发放单”，24 小时内有效。"),
        )

    def plan(self, task: Task) -> Plan:
        reading = Reading(task, Plan())
        reading.rows = _people(reading)
        self.judge(reading)
        fresh = {row.phone for row in _rows(reading.plan) if row.user is None and row.wants_account}
        if fresh:
            reading.plan.notes.append(_("将新开 %(count)d 个账号。") % {"count": len(fresh)})
        if known := len({row.phone for row in _rows(reading.plan) if row.user is not None}):
            reading.plan.notes.append(_("有 %(count)d 人已有账号，只增加职务，密码不变。") % {"count": known})
        return reading.plan

    def judge(self, reading: Reading) -> None:
        """Puts each of the reading's rows into its plan, as a line or a fault."""
        raise NotImplementedError

    def prepare(self, run: JobRun, task: Task, plan: Plan) -> Sequence[tuple[str, str]]:
        """Makes the accounts in memory and the slips with their first passwords; both stand or fall with the import."""
        people: dict[str, list[Row]] = {}
        for row in _rows(plan):
            people.setdefault(row.phone, []).append(row)
        fresh = [phone for phone, rows in people.items() if rows[0].user is None and rows[0].wants_account]
        names = [(phone, people[phone][0].name) for phone in fresh]
        made = prepare_accounts(people=names, county_key=task.where.pk, progress=task.progress)
        for user, password in made:
            for row in people[user.phone]:
                row.user, row.password = user, password
        slips = handout.slips(line.data for line in plan.to_do if line.what is What.NEW or line.data.password)
        if not slips:
            return ()
        run.params["handout"] = handout.keep(slips, county=task.where, actor=task.actor)
        return (
            (_("新开账号"), _("%(count)d 个") % {"count": len(made)}),
            (_("首次密码发放单"), _("%(count)d 人，只能领取一次，24 小时内有效") % {"count": len(slips)}),
        )

    def write(self, task: Task, plan: Plan) -> None:
        made = {row.phone: (row.user, row.password) for row in _rows(plan) if row.user and row.password}
        if made:
            create_accounts(
                actor=task.actor,
                place=task.where,
                county_key=task.where.pk,
                prepared=list(made.values()),
            )
        of = {what: [line.data for line in plan.to_do if line.what is what] for what in (What.NEW, What.CHANGED)}
        self.write_rows(task, of[What.NEW], of[What.CHANGED])

    def write_rows(self, task: Task, new: Sequence[Row], changed: Sequence[Row]) -> None:
        """Gives the people, who all have accounts by now, what the table says. Set by set."""
        raise NotImplementedError


def _rows(plan: Plan) -> list[Row]:
    return [line.data for line in plan.to_do]


def _people(reading: Reading) -> list[Row]:
    """The rows whose person is beyond doubt: a usable telephone, one name for it, and nobody else's account under it."""
    rows = []
    for record in reading.task.table.records():
        reading.plan.errors += record.errors
        if record.errors:
            continue
        try:
            rows.append(Row(record, record.text("name"), clean_phone(record.text("phone"))))
        except Invalid as error:
            hidden = "*" in record.text("phone")
            words = _("号码被隐去了，请填写完整的手机号码") if hidden else error.message
            reading.blame(record, "phone", words)
    users: dict[str, User] = {}
    for some in batches({row.phone for row in rows}):
        users.update({user.phone: user for user in User.objects.filter(phone__in=some)})
    first: dict[str, Row] = {}
    good = []
    for row in rows:
        other = first.setdefault(row.phone, row)
        row.user = users.get(row.phone)
        refused = why_not_theirs(row.user, county=reading.county, name=row.name) if row.user else None
        if other.name != row.name:
            reading.blame(row, "phone", _("与第 %(row)d 行的手机号码相同，姓名却不同") % {"row": other.number})
        elif refused:
            reading.blame(row, "phone", refused.message)
        else:
            good.append(row)
    return good


def by_name(rows: Iterable[Any], *names: str) -> Mapping[str, list[Any]]:
    """Rows by each of their names, however spaced; several where a name is not the only one."""
    found: dict[str, list[Any]] = {}
    for row in rows:
        for key in {name_key(getattr(row, name)) for name in names if getattr(row, name)}:
            found.setdefault(key, []).append(row)
    return found


def name_key(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rows = sorted(items)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
