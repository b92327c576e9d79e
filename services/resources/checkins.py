"""Check-ins as a table: one row a unit at a place (docs/domain.md#z1, #z2)."""

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.accounts import clean_phone
from core.actors import SYSTEM
from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions import hold_places
from grids.actions.terms import batches, meet
from grids.models import Appointment, County, GridNode
from grids.places import Found, Words, find_places
from grids.resources.base import GridSheet
from partybuilding.models import Unit, UnitMembership, UnitRole
from partybuilding.resources.pairings import place_cells
from partybuilding.unit_names import UnitNames
from services.actions.checkin_ends import CheckInEnd, end_check_ins
from services.actions.checkins import CheckInChange, NewCheckIn, change_check_ins, check_ins, locked_units, standing_at
from services.models import CheckInRole, UnitCheckIn
from services.posts import MANAGE_CHECKIN, VIEW_CHECKIN
from services.resources import checkin_columns as cols
from services.selectors.checkins import counted, has_run_out, open_promises, receiving_posts

BATCH = 300
People = Mapping[int, Sequence[User]]


class CheckInSheet(GridSheet):
    key = "checkins"
    label = lazy("单位报到")
    right = MANAGE_CHECKIN
    export_right = VIEW_CHECKIN
    # Telephones of liaisons.
    brief = True

    def columns(self, where: County) -> Sequence[Column]:
        return cols.columns(cols.places_of(where))

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("报到地写到哪一级，就向哪一级报到；可以写完整位置或编码，也可以按街道、社区、小区分列。"),
            _("单位要先登记，名称写全称或简称；差一两个字的会提示相近的单位，不会自动猜。"),
            _("联络员要已有账号：单位的登记在“单位人员”，社区的登记在“岗位任职”。"),
            _("填了结束日期就是结束报到；还有没有完成的承诺的，请到这项报到的页面上结束。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        rows: list[_Row] = [line.data for line in plan.to_do]
        # The streets' locks first, then the units', as everywhere.
        hold_places(*{row.node.pk: row.node for row in rows}.values())
        locked_units(row.unit.pk for row in rows)
        # What ends in this table makes room for what begins.
        change_check_ins(actor=task.actor, rows=[row.change for row in rows if row.change])
        end_check_ins(actor=task.actor, rows=[row.ended for row in rows if row.ended], reason=_("由表格导入"))
        check_ins(actor=task.actor, rows=[row.new for row in rows if row.new])

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("地点")),
            LedgerColumn(cols.UNIT),
            LedgerColumn(_("单位类型"), "centre"),
            LedgerColumn(cols.ROLE, "centre"),
            LedgerColumn(cols.START, "centre"),
            LedgerColumn(cols.UNTIL, "centre"),
            LedgerColumn(cols.BRINGS),
            LedgerColumn(cols.UNIT_LIAISON, "centre"),
            LedgerColumn(cols.COMMUNITY_LIAISON, "centre"),
            LedgerColumn(_("状态"), "centre"),
            LedgerColumn(_("报到单位数"), "right", total=True),
            LedgerColumn(_("其中牵头"), "right", total=True),
            LedgerColumn(_("其中配合"), "right", total=True),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        roles = _roles_of_units(actor, ids)
        done = 0
        for some in batches(ids, BATCH):
            seen = UnitCheckIn.objects.visible_to(actor)
            rows = seen.select_related("node", "unit", "unit_liaison", "community_liaison").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                # Each unit is counted on its first line alone: the totals are those of the page and the API.
                lead = roles.pop(row.unit_id, None) if _counts(row) else None
                yield (
                    *place_cells(row.node),
                    row.unit.name,
                    row.unit.get_kind_display(),
                    row.get_role_display(),
                    date_words(row.start),
                    date_words(row.until) if row.until else _("不定期"),
                    row.brings,
                    row.unit_liaison.name if row.unit_liaison else "",
                    row.community_liaison.name if row.community_liaison else "",
                    _state(row),
                    "" if lead is None else 1,
                    "" if lead is None else int(lead),
                    "" if lead is None else int(not lead),
                )
            done += len(some)
            progress(done, len(ids))


def _roles_of_units(actor: User, ids: Sequence[int]) -> dict[int, bool]:
    """Unit -> whether it leads in one of the check-ins that count."""
    found: dict[int, bool] = {}
    for some in batches(ids, BATCH):
        rows = counted(UnitCheckIn.objects.visible_to(actor).filter(pk__in=some))
        for unit, role in rows.values_list("unit_id", "role"):
            found[unit] = found.get(unit, False) or role == CheckInRole.LEAD
    return found


def _counts(row: UnitCheckIn) -> bool:
    """As `counted` says of rows."""
    today = timezone.localdate()
    return row.unit.is_active and row.start <= today and (row.end is None or row.end >= today)


def _state(row: UnitCheckIn) -> str:
    if row.end is not None:
        return _("%(day)s结束") % {"day": date_words(row.end)}
    return _("已到期，待续签") if has_run_out(row) else _("报到中")


@dataclass
class _Row:
    """What a row would do: begin a check-in, change one, end one (the last two may go together)."""

    unit: Unit
    node: GridNode
    new: NewCheckIn | None = None
    change: CheckInChange | None = None
    ended: CheckInEnd | None = None


class _FaultError(Exception):
    """A row can not be taken: the column at fault, why, and what stands there."""

    def __init__(self, header: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.header, self.message, self.value = header, message, value


@dataclass
class _Known:
    """What the rows speak of: places by what was written, and who may be named as a liaison on either side."""

    places: Mapping[Words, Found]
    of_units: People
    of_communities: People


@dataclass
class _Read:
    """A row read. `start` is None where it says none."""

    record: Record
    unit: Unit
    node: GridNode
    start: datetime.date | None
    said: dict[str, Any]
    end: datetime.date | None


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.plan_ = Plan()
        self.places = cols.places_of(self.county)
        self.headers = {column.name: column.header for column in task.table.columns}
        self.names = UnitNames(self.county)
        self.seen: dict[tuple[int, int, Any], int] = {}

    def plan(self) -> Plan:
        good: list[tuple[Record, Unit]] = []
        for record in self.task.table.records():
            self.plan_.errors += record.errors
            if not record.errors:
                try:
                    good.append((record, self.names.find(record.text("unit"))))
                except Invalid as error:
                    self.plan_.errors += self.task.faults(record, error)
        known = self._known(good)
        rows = [row for record, unit in good if (row := self._try(record, self._read, record, unit, known))]
        self.standing = standing_at({row.node.pk for row in rows}, {row.unit.pk for row in rows})
        ending = [one.pk for row in rows if row.end for one in self.standing.get((row.unit.pk, row.node.pk), [])]
        self.promises = {one.checkin_id for one in open_promises(ending)}
        for done, row in enumerate(rows):
            self.task.progress(done, len(rows))
            self._try(row.record, self._judge, row)
        return self.plan_

    def _try(self, record: Record, call: Any, *args: Any) -> Any:
        try:
            return call(*args)
        except _FaultError as error:
            self.plan_.errors.append(fault(record.number, error.header, error.message, error.value))
            return None

    # --- What the rows speak of ---

    def _known(self, good: Sequence[tuple[Record, Unit]]) -> _Known:
        actor = self.task.actor
        within = None if actor is SYSTEM else policies.within(GridNode, actor, MANAGE_CHECKIN)
        places = find_places(self.county, {self.places.read(record) for record, _unit in good}, within=within)
        communities = {found.node.community_id or found.node.pk for found in places.values() if found.node}
        of_units: dict[int, list[User]] = {}
        for some in batches({unit.pk for _record, unit in good}, BATCH):
            held = UnitMembership.objects.current().filter(unit_id__in=some, role=UnitRole.LIAISON)
            for one in held.filter(user__is_active=True).select_related("user").order_by("pk"):
                of_units.setdefault(one.unit_id, []).append(one.user)
        of_communities: dict[int, list[User]] = {}
        for some in batches(communities, BATCH):
            posted = Appointment.objects.current().filter(node_id__in=some, post__in=receiving_posts())
            for post in posted.filter(user__is_active=True).select_related("user").order_by("pk"):
                people = of_communities.setdefault(post.node_id or 0, [])
                if post.user not in people:
                    people.append(post.user)
        return _Known(places, of_units, of_communities)

    # --- One row ---

    def _read(self, record: Record, unit: Unit, known: _Known) -> _Read:
        node = self._place(record, known)
        said: dict[str, Any] = {}
        if role := record.text("role"):
            said["role"] = cols.ROLES[role]
        if brings := record.text("brings"):
            said["brings"] = brings
        if until := record.day("until"):
            said["until"] = until
        community = node.community_id or node.pk
        sides = (
            ("unit_liaison", "unit_phone", known.of_units.get(unit.pk, []), _("不是这个单位的联络员")),
            ("community_liaison", "community_phone", known.of_communities.get(community, []), _("不在这个社区任职")),
        )
        for name, phone, people, words in sides:
            if record.text(name) or record.text(phone):
                said[name] = self._person(record, name, phone, people, words)
        return _Read(record, unit, node, record.day("start"), said, record.day("end"))

    def _place(self, record: Record, known: _Known) -> GridNode:
        words = self.places.read(record)
        if not words:
            raise _FaultError(cols.PLACE, _("请填写报到地"))
        found = known.places[words]
        if found.node is None:
            raise _FaultError(self.headers[self.places.column(words)], found.fault, words[-1][1])
        return found.node

    def _person(self, record: Record, name: str, phone: str, people: Sequence[User], words: str) -> User:
        written, number = record.text(name), record.text(phone)
        if number:
            try:
                number = clean_phone(number)
            except Invalid as error:
                raise _FaultError(self.headers[phone], error.message, record.text(phone)) from error
        fitting = [one for one in people if one.name == (written or one.name) and one.phone == (number or one.phone)]
        if len(fitting) == 1:
            return fitting[0]
        header = self.headers[name if written else phone]
        if fitting:
            raise _FaultError(self.headers[phone], _("有几个人叫这个姓名，请填写手机号码"), written)
        raise _FaultError(header, _("%(name)s%(words)s") % {"name": written or _("这个号码"), "words": words}, written)

    # --- What it would do ---

    def _judge(self, row: _Read) -> None:
        number, unit, node = row.record.number, row.unit, row.node
        first = self.seen.setdefault((unit.pk, node.pk, row.start), number)
        if first != number:
            raise _FaultError("", _("与第 %(row)d 行重复") % {"row": first})
        others = self.standing.setdefault((unit.pk, node.pk), [])
        before = _same(others, row)
        name = f"{unit.name} → {node.path}"
        if before is None:
            self._begin(row, others, name)
            return
        changes = [
            (_HEADERS[field], _words(field, getattr(before, field)), _words(field, value))
            for field, value in row.said.items()
            if getattr(before, field) != value
        ]
        if before.end is not None and (changes or row.end not in (None, before.end)):
            raise _FaultError(changes[0][0] if changes else cols.END, _("这项报到已结束，不能修改"))
        ended = None
        if row.end is not None and before.end is None:
            changes.append((cols.END, "", date_words(row.end)))
            ended = CheckInEnd(before, row.end)
        if not changes:
            self.plan_.lines.append(Line(number, What.SAME, name))
            return
        if not self.task.update:
            columns = "、".join(header for header, _old, _new in changes)
            words = _("已有这项报到，%(columns)s与系统里不同；要以表格为准，请勾选“更新已有的内容”")
            raise _FaultError(changes[0][0], words % {"columns": columns}, changes[0][2])
        self._check_days(before.start, row)
        if ended and before.pk in self.promises:
            raise _FaultError(cols.END, _("还有没有完成的承诺，请到这项报到的页面上结束"))
        change = CheckInChange(before, **row.said) if row.said else None
        if ended:
            others[others.index(before)] = UnitCheckIn(unit=unit, node=node, start=before.start, end=row.end)
        self.plan_.lines.append(Line(number, What.CHANGED, name, changes, _Row(unit, node, change=change, ended=ended)))

    def _begin(self, row: _Read, others: list[UnitCheckIn], name: str) -> None:
        start = row.start or timezone.localdate()
        if row.end is not None and row.start is None:
            raise _FaultError(cols.START, _("已结束的报到请填写报到日期"))
        self._check_days(start, row)
        for other in others:
            if meet(other, start, row.end):
                words = _("从 %(start)s 起已在这里报到，日期重叠") % {"start": date_words(other.start)}
                raise _FaultError(cols.START, words, start.isoformat())
        others.append(UnitCheckIn(unit=row.unit, node=row.node, start=start, end=row.end))
        new = NewCheckIn(row.unit, row.node, start=start, end=row.end, **row.said)
        self.plan_.lines.append(Line(row.record.number, What.NEW, name, data=_Row(row.unit, row.node, new=new)))

    @staticmethod
    def _check_days(start: datetime.date, row: _Read) -> None:
        for header, day in ((cols.UNTIL, row.said.get("until")), (cols.END, row.end)):
            if day is not None and day < start:
                words = _("不能早于报到日期 %(start)s") % {"start": date_words(start)}
                raise _FaultError(header, words, day.isoformat())


_HEADERS = {
    "role": cols.ROLE,
    "brings": cols.BRINGS,
    "until": cols.UNTIL,
    "unit_liaison": cols.UNIT_LIAISON,
    "community_liaison": cols.COMMUNITY_LIAISON,
}


def _same(others: Sequence[UnitCheckIn], row: _Read) -> UnitCheckIn | None:
    """The check-in that stands and that a row speaks of: by its first day, else the one that runs."""
    standing = [other for other in others if other.pk is not None]
    if row.start is not None:
        by_day = next((other for other in standing if other.start == row.start), None)
        if by_day is not None:
            return by_day
    running = next((other for other in standing if other.end is None), None)
    if running is not None and row.end is not None and row.end < running.start:
        return None
    if running is None and row.start is None and row.end is not None:
        # A table that ended one, brought in again.
        return next((other for other in reversed(standing) if other.end == row.end), None)
    return running


def _words(field: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, datetime.date):
        return date_words(value)
    if field == "role":
        return str(CheckInRole(value).label)
    return value.name if isinstance(value, User) else str(value)
