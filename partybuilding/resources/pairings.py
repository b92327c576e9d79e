"""Pairings as a table: one row a place and whoever looks after it (docs/domain.md#x5, #z1)."""

from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.accounts import clean_phone
from core.actors import SYSTEM
from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.spreadsheets.columns import Record
from grids.actions import hold_places, why_not_theirs
from grids.actions.terms import batches, meet
from grids.models import County, GridNode
from grids.naming import steps_of
from grids.places import Found, Words, find_places
from grids.resources.base import GridSheet
from partybuilding.actions import NewPairing, PairingChange, change_pairings, start_pairings
from partybuilding.actions.pairings import Identity, identity_of
from partybuilding.models import Pairing, PairingKind, Unit
from partybuilding.pairing_kinds import KINDS, Holder, Kind, kinds_at
from partybuilding.posts import MANAGE_PAIRING, VIEW_PAIRING
from partybuilding.resources import pairing_columns as cols

BATCH = 300
_KIND_OF = {str(kind.label): KINDS[kind] for kind in PairingKind}


class PairingRows(RowResource):
    """What a row may change of a pairing that stands."""

    duty = Field("duty", cols.DUTY)
    start = Field("start", cols.START)
    end = Field("end", cols.END)


@dataclass
class _Known:
    """What the rows speak of: places, units and people by what was written."""

    places: dict[Words, Found]
    units: dict[str, list[Unit]]
    by_phone: dict[str, User]
    by_name: dict[str, list[User]]


class _FaultError(Exception):
    """A row can not be taken: the column at fault, why, and what stands there."""

    def __init__(self, header: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.header, self.message, self.value = header, message, value


class PairingSheet(GridSheet):
    key = "pairings"
    label = lazy("包联")
    right = MANAGE_PAIRING
    export_right = VIEW_PAIRING

    def columns(self, where: County) -> Sequence[Column]:
        return cols.columns(cols.places_of(where))

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("地点写到哪一级，就包联哪一级；可以写完整位置或编码，也可以按街道、社区、小区、楼栋分列。"),
            _("县级领导包联、干部包联填姓名，部门包抓填单位；人要先有账号，单位要先登记。"),
            _("同一处可以有几个单位或几名干部包联，每个一行。"),
            _("要换人、换单位，请在原来那一行填结束日期，另加一行填新的。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        # Places before pairings, as everywhere: the streets' locks come first.
        nodes = [*(row.pairing.node for row in changed), *(row.node for row in new)]
        hold_places(*{node.pk: node for node in nodes}.values())
        # What ends in this table makes room for what begins.
        change_pairings(actor=task.actor, rows=changed)
        start_pairings(actor=task.actor, rows=new)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("地点")),
            LedgerColumn(cols.KIND, "centre"),
            LedgerColumn(_("包联单位（人）")),
            LedgerColumn(cols.PHONE, "centre"),
            LedgerColumn(cols.DUTY),
            LedgerColumn(cols.START, "centre"),
            LedgerColumn(cols.END, "centre"),
            LedgerColumn(_("走访次数"), "right", total=True),
            LedgerColumn(_("最近走访"), "centre"),
            LedgerColumn(_("发现问题"), "right", total=True),
            LedgerColumn(_("未解决"), "right", total=True),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = Pairing.objects.visible_to(actor).with_counts().select_related("node", "unit", "user").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.node),
                    row.get_kind_display(),
                    row.holder,
                    row.user.masked_phone if row.user else "",
                    row.duty,
                    date_words(row.start),
                    date_words(row.end) if row.end else "",
                    row.visit_count,
                    date_words(row.last_visit) if row.last_visit else "",
                    row.problem_count,
                    row.open_count,
                )
            done += len(some)
            progress(done, len(ids))


def place_cells(node: GridNode) -> tuple[str, str, str]:
    """Street, community and the rest of a place, as ledgers have them in three columns."""
    steps = [*steps_of(node.path), "", ""]
    return steps[0], steps[1], " · ".join(step for step in steps[2:] if step)


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.plan_ = Plan()
        self.rows = PairingRows()
        self.seen: dict[tuple[Identity, Any], int] = {}
        self.places = cols.places_of(self.county)
        self.headers = {column.name: column.header for column in self.task.table.columns}

    def plan(self) -> Plan:
        good = []
        for record in self.task.table.records():
            self.plan_.errors += record.errors
            if not record.errors:
                good.append(record)
        known = self._known(good)
        wanted = []
        for record in good:
            try:
                wanted.append((record, self._read(record, known)))
            except _FaultError as error:
                self._fault(record, error)
        self.standing = self._standing([row.node_id for _record, row in wanted])
        for done, (record, row) in enumerate(wanted):
            self.task.progress(done, len(wanted))
            try:
                self._judge(record, row)
            except _FaultError as error:
                self._fault(record, error)
        return self.plan_

    def _fault(self, record: Record, error: _FaultError) -> None:
        self.plan_.errors.append(fault(record.number, error.header, error.message, error.value))

    # --- What the rows speak of ---

    def _known(self, records: Sequence[Record]) -> _Known:
        words = {name: {record.text(name) for record in records} - {""} for name in ("unit", "name", "phone")}
        actor = self.task.actor
        within = None if actor is SYSTEM else policies.within(GridNode, actor, MANAGE_PAIRING)
        places = find_places(self.county, {self.places.read(record) for record in records}, within=within)
        found = _Known(places, {}, {}, {})
        for some in batches(words["unit"], BATCH):
            for field in ("name", "short_name"):
                for unit in Unit.objects.active().filter(county=self.county, **{f"{field}__in": some}):
                    known = found.units.setdefault(getattr(unit, field), [])
                    if unit not in known:
                        known.append(unit)
        phones = {phone for phone in map(_phone, words["phone"]) if phone}
        for some in batches(phones, BATCH):
            found.by_phone.update({user.phone: user for user in User.objects.filter(phone__in=some)})
        for some in batches(words["name"], BATCH):
            for user in User.objects.active().filter(county_key=self.county.pk, name__in=some):
                found.by_name.setdefault(user.name, []).append(user)
        return found

    def _standing(self, nodes: Sequence[int]) -> dict[Identity, list[Pairing]]:
        found: dict[Identity, list[Pairing]] = {}
        for some in batches(sorted(set(nodes)), BATCH):
            rows = Pairing.objects.filter(node_id__in=some).select_related("node", "unit", "user")
            for row in rows.order_by("start", "pk"):
                found.setdefault(identity_of(row), []).append(row)
        return found

    # --- One row ---

    def _read(self, record: Record, known: _Known) -> Pairing:
        """The pairing a row speaks of, unsaved."""
        node = self._place(record, known)
        kind = self._kind(record, node)
        row = Pairing(county=self.county, kind=kind.key, node=node, duty=record.text("duty"))
        if kind.holder is Holder.UNIT:
            row.unit = self._unit(record, known)
        else:
            row.user = self._person(record, known)
        start, row.end = record.day("start"), record.day("end")
        row.start = start or timezone.localdate()
        if row.end is not None and start is not None and row.end < start:
            raise _FaultError(cols.END, _("结束日期不能早于开始日期"), row.end.isoformat())
        return row

    def _place(self, record: Record, known: _Known) -> GridNode:
        words = self.places.read(record)
        if not words:
            raise _FaultError(cols.PLACE, _("请填写地点"))
        found = known.places[words]
        if found.node is None:
            raise _FaultError(self.headers[self.places.column(words)], found.fault, words[-1][1])
        return found.node

    @staticmethod
    def _kind(record: Record, node: GridNode) -> Kind:
        text, level = record.text("kind"), node.level_type
        if text:
            kind = _KIND_OF[text]
            if level.key not in kind.levels:
                words = _("“%(kind)s”不能到%(level)s“%(place)s”")
                raise _FaultError(cols.KIND, words % {"kind": text, "level": level.name, "place": node.name}, text)
            return kind
        offered = kinds_at(level.key)
        if not offered:
            words = _("“%(place)s”是%(level)s，这一级不设包联") % {"place": node.name, "level": level.name}
            raise _FaultError(cols.KIND, words)
        if len(offered) > 1 and not (record.text("unit") and record.text("name")):
            holder = Holder.UNIT if record.text("unit") else Holder.PERSON
            offered = [kind for kind in offered if kind.holder is holder] or offered
        if len(offered) > 1:
            labels = "、".join(kind.label for kind in offered)
            raise _FaultError(cols.KIND, _("请填写包联类型：%(labels)s") % {"labels": labels})
        return offered[0]

    def _unit(self, record: Record, known: _Known) -> Unit:
        text = record.text("unit")
        if not text:
            raise _FaultError(cols.UNIT, _("部门包抓请填写单位"))
        found = known.units.get(text, [])
        if len(found) != 1:
            words = _("有 %(count)d 个单位叫这个名称，请填全称") % {"count": len(found)}
            raise _FaultError(cols.UNIT, words if found else _("本县没有这个在用的单位，请先登记单位"), text)
        return found[0]

    def _person(self, record: Record, known: _Known) -> User:
        name, text = record.text("name"), record.text("phone")
        if not name:
            raise _FaultError(cols.NAME, _("请填写姓名"))
        if text:
            return self._by_phone(name, text, known)
        found = known.by_name.get(name, [])
        if len(found) == 1:
            return found[0]
        if found:
            words = _("有 %(count)d 人叫这个姓名，请填写手机号码") % {"count": len(found)}
            raise _FaultError(cols.PHONE, words)
        raise _FaultError(cols.NAME, _("没有这个人的账号，请先开通账号"), name)

    def _by_phone(self, name: str, text: str, known: _Known) -> User:
        try:
            phone = clean_phone(text)
        except Invalid as error:
            raise _FaultError(cols.PHONE, error.message, text) from error
        user = known.by_phone.get(phone)
        if user is None:
            raise _FaultError(cols.PHONE, _("这个手机号码还没有账号，请先开通账号"), text)
        if refusal := why_not_theirs(user, county=self.county, name=name):
            raise _FaultError(cols.PHONE, refusal.message, text)
        return user

    # --- What it would do ---

    def _judge(self, record: Record, row: Pairing) -> None:
        identity, start = identity_of(row), record.day("start")
        first = self.seen.setdefault((identity, start), record.number)
        if first != record.number:
            raise _FaultError("", _("与第 %(row)d 行重复") % {"row": first})
        others = self.standing.setdefault(identity, [])
        before = _same(others, start, row)
        if before is None:
            self._begin(record, row, others)
            return
        given: dict[str, Any] = {name: record.values[name] for name in ("duty", "start", "end") if record.values[name]}
        after = copy(before)
        for name, value in given.items():
            setattr(after, name, value)
        headers = {header for name, header in _HEADERS.items() if name in given}
        changes = [(header, _day(old), _day(new)) for header, old, new in self.rows.differing(before, after, headers)]
        name = f"{row.node} {row.holder}"
        if not changes:
            self.plan_.lines.append(Line(record.number, What.SAME, name))
            return
        if not self.task.update:
            columns = "、".join(header for header, _old, _new in changes)
            words = _("已有这项包联，%(columns)s与系统里不同；要以表格为准，请勾选“更新已有的内容”")
            raise _FaultError(changes[0][0], words % {"columns": columns}, changes[0][2])
        if after.end is not None and after.end < after.start:
            raise _FaultError(cols.END, _("结束日期不能早于开始日期"), after.end.isoformat())
        others[others.index(before)] = after
        data = PairingChange(before, **given)
        self.plan_.lines.append(Line(record.number, What.CHANGED, name, changes, data))

    def _begin(self, record: Record, row: Pairing, others: list[Pairing]) -> None:
        if row.end is not None and row.end < row.start:
            raise _FaultError(cols.START, _("请填写开始日期：结束日期在今天以前"))
        for other in others:
            if meet(other, row.start, row.end):
                words = _("从 %(start)s 起已包联，日期重叠") % {"start": date_words(other.start)}
                raise _FaultError(cols.START, words, row.start.isoformat())
        others.append(row)
        data = NewPairing(str(row.kind), row.node, row.unit, row.user, row.duty, row.start, row.end)
        self.plan_.lines.append(Line(record.number, What.NEW, f"{row.node} {row.holder}", data=data))


_HEADERS = {"duty": cols.DUTY, "start": cols.START, "end": cols.END}


def _same(others: Sequence[Pairing], start: Any, row: Pairing) -> Pairing | None:
    """The pairing that stands and that a row speaks of: by its first day, else the one that is not over."""
    standing = [other for other in others if other.pk is not None]
    if start is not None:
        by_day = next((other for other in standing if other.start == start), None)
        if by_day is not None:
            return by_day
    running = next((other for other in standing if other.end is None), None)
    if running is not None and row.end is not None and row.end < running.start:
        return None
    if running is None and start is None and row.end is not None:
        # A table that ended one, brought in again.
        return next((other for other in reversed(standing) if other.end == row.end), None)
    return running


def _phone(text: str) -> str:
    try:
        return clean_phone(text)
    except Invalid:
        return ""


def _day(words: str) -> str:
    """A date as a page writes it; other words as they are."""
    parts = words.split("-")
    return (
        f"{int(parts[0])}年{int(parts[1])}月{int(parts[2])}日" if [len(part) for part in parts] == [4, 2, 2] else words
    )
