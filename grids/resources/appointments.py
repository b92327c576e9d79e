"""Appointments as a table: who holds which post where, from when until when. Existing accounts alone; new people come in
with the table of people. Comes in to begin, end and put right; goes out as the ledger (任职台账).
"""

import datetime
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.accounts import clean_phone
from core.actors import user_of
from core.errors import Conflict, Invalid
from core.masking import mask_phone
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.spreadsheets.columns import Record
from grids.actions import Correction, NewAppointment, appoint_many, correct_appointments, why_not_theirs
from grids.actions.appointments import APART, DAY, Place
from grids.actions.terms import BATCH, batches, meet
from grids.models import Appointment, County, GridNode
from grids.naming import SEPARATOR, steps_of
from grids.places import Found, Words, find_places
from grids.posts import COUNTY, MANAGE_APPOINTMENT, POSTS, VIEW_ACCOUNT, VIEW_APPOINTMENT, posts_at
from grids.resources.base import GridSheet, differs_from_what_stands
from grids.resources.places import PlaceColumns
from grids.resources.posts import post_column, posts_of

NAME, PHONE, POST, PLACE = lazy("姓名"), lazy("手机号码"), lazy("岗位"), lazy("任职地")
START, END, NOTE = lazy("任职日期"), lazy("离任日期"), lazy("备注")
_LOADED = ("user", "county", "node__county", "node__level_type")


class AppointmentRows(RowResource):
    """What a row may change of an appointment that stands."""

    start = Field("start", START)
    end = Field("end", END)
    note = Field("note", NOTE)


class AppointmentSheet(GridSheet):
    key = "appointments"
    label = lazy("任职")
    right, export_right = MANAGE_APPOINTMENT, VIEW_APPOINTMENT

    def columns(self, where: County) -> Sequence[Column]:
        place, *levels = _place_columns(where).columns()
        return (
            Column(
                "name", str(NAME), aliases=(_("任职人"), _("人员姓名")), required=True, max_length=60, example=_("张三")
            ),
            Column(
                "phone",
                str(PHONE),
                aliases=(_("手机"), _("手机号"), _("电话"), _("联系电话"), _("电话号码"), _("登录手机号码")),
                max_length=40,
                note=_("新任命的必填。已在任的可以不填，按姓名、岗位和任职地找。"),
                example="13900000000",
            ),
            post_column(where),
            place,
            Column(
                "start",
                str(START),
                aliases=(_("任职时间"), _("开始日期"), _("到任日期"), _("上任日期"), _("起始日期")),
                kind="date",
                note=_("新任命不填的，就是导入当天。"),
                example="2026-03-05",
            ),
            Column(
                "end",
                str(END),
                aliases=(_("离任时间"), _("结束日期"), _("卸任日期"), _("免职日期"), _("终止日期")),
                kind="date",
                note=_("还在任的不填。当天仍有权限；同一天有人接任的，按交接办理。"),
            ),
            Column("note", str(NOTE), aliases=(_("说明"),), note=_("空着的不改。")),
            *levels,
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("人要先有账号：一两个人用“任命”同时开通，成批的由县级管理员用人员表导入。"),
            _("换人：前任那一行填离任日期，接任者另起一行填任职日期。"),
            _("表里没有的任职不受影响；空着的日期和备注不改。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        # Who leaves makes room for who comes.
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        if changed:
            correct_appointments(actor=task.actor, rows=changed)
        if new := [line.data for line in plan.to_do if line.what is What.NEW]:
            appoint_many(actor=task.actor, rows=new)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(str(NAME), "centre"),
            LedgerColumn(str(PHONE), "centre"),
            LedgerColumn(str(POST)),
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(str(PLACE)),
            LedgerColumn(str(START), "centre"),
            LedgerColumn(str(END), "centre"),
            LedgerColumn(str(NOTE)),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        seen = Appointment.objects.visible_to(actor).select_related("user", "county", "node")
        done = 0
        for some in batches(ids):
            rows = seen.in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                street, community, *below = [*steps_of(row.node.path), ""][:9] if row.node else ["", "", row.place]
                yield (
                    row.user.name,
                    row.user.masked_phone,
                    row.post_label,
                    street,
                    community,
                    SEPARATOR.join(step for step in below if step),
                    date_words(row.start),
                    date_words(row.end) if row.end else "",
                    row.note,
                )
            done += len(some)
            progress(done, len(ids))


def _place_columns(county: County) -> PlaceColumns:
    place = Column(
        "place",
        str(PLACE),
        aliases=(_("任职地点"), _("任职位置"), _("地点"), _("位置"), _("负责区域"), _("所在网格")),
        max_length=400,
        note=_("街道、社区、网格或楼栋的完整位置或编码，县级岗位不填；社区、网格、楼栋各有一列的，这一列可以没有。"),
        example=_("城北街道 · 新民社区 · 第一网格"),
        width=34,
    )
    return PlaceColumns(county, place)


@dataclass
class _Row:
    """A row whose post and place are known; the person is looked up for all rows at once."""

    record: Record
    post: str
    place: Place
    phone: str
    user: User | None = None

    @property
    def start(self) -> datetime.date | None:
        return self.record.day("start")

    @property
    def end(self) -> datetime.date | None:
        return self.record.day("end")

    @property
    def is_hidden(self) -> bool:
        """Whether the row names no whole telephone."""
        return not self.phone or "*" in self.phone

    @property
    def where(self) -> tuple[str, type, int]:
        return self.post, type(self.place), self.place.pk


@dataclass
class _FaultError(Exception):
    """Why a row can not be taken, and the header of the cell at fault."""

    header: Any
    message: str
    value: str = ""


@dataclass
class _Planner:
    task: Task
    found: Plan = field(default_factory=Plan)

    def plan(self) -> Plan:
        self.county: County = self.task.where
        self.resource = AppointmentRows()
        self.actor = user_of(self.task.actor)
        rows = self._placed()
        self._name_people(rows)
        rows = [row for row in rows if row.user is not None]
        self._read_held(rows)
        self.taken: dict[Any, list[_Row]] = {}
        self.starting: dict[Any, set[int]] = {}
        for row in rows:
            self.starting.setdefault((row.where, row.start), set()).add(row.user.pk)  # type: ignore[union-attr]
        self.shifted = False
        for done, row in enumerate(rows, start=1):
            self._take(row)
            if done % BATCH == 0:
                self.task.progress(done, len(rows))
        if self.shifted:
            self.found.notes.append(_("同一天一人离任、一人接任的，按交接办理：前任的权限到前一天为止。"))
        return self.found

    def _blame(self, record: Record, header: Any, message: str, value: str = "") -> None:
        self.found.errors.append(fault(record.number, str(header), message, value))

    # --- Post and place -------------------------------------------------------------------------------------------

    def _placed(self) -> list[_Row]:
        columns, posts = _place_columns(self.county), posts_of(self.county)
        records = []
        for record in self.task.table.records():
            self.found.errors += record.errors
            if not record.errors:
                records.append(record)
        said = {record.number: columns.read(record) for record in records}
        within = None if self.actor is None else policies.within(GridNode, self.actor, MANAGE_APPOINTMENT)
        places = find_places(self.county, said.values(), within=within)
        whole = self.actor is None or policies.can(self.actor, MANAGE_APPOINTMENT, self.county)
        rows = []
        for record in records:
            words, post = said[record.number], posts[record.text("post")]
            try:
                place = self._place(post, words, places.get(words), whole)
                rows.append(_Row(record, post, place, self._phone(record)))
            except _FaultError as error:
                self._blame(record, error.header, error.message, error.value)
        return rows

    def _place(self, post: str, words: Words, found: Found | None, whole: bool) -> Place:
        label = POSTS[post].label
        shown = SEPARATOR.join(text for _key, text in words)
        if POSTS[post].levels == (COUNTY,):
            if not whole:
                raise _FaultError(POST, _("“%(post)s”由县级管理员任命") % {"post": label}, str(label))
            if words and shown != self.county.name:
                raise _FaultError(PLACE, _("“%(post)s”是县级岗位，不填任职地") % {"post": label}, shown)
            return self.county
        if found is None:
            raise _FaultError(PLACE, _("请填写任职地"))
        node = found.node
        if node is None or found.fault:
            raise _FaultError(PLACE, found.fault, shown)
        if node.level_type.key not in POSTS[post].levels:
            words_ = _("“%(place)s”是%(level)s，不设%(post)s；可以设：%(posts)s") % {
                "place": node.name,
                "level": node.level_type.name,
                "post": label,
                "posts": "、".join(str(one.label) for one in posts_at(node.level_type.key)) or _("（无）"),
            }
            raise _FaultError(POST, words_, str(label))
        return node

    @staticmethod
    def _phone(record: Record) -> str:
        """As it is stored; as it is written where it was masked, which is how ledgers have it."""
        text = record.text("phone")
        if not text or "*" in text:
            return text
        try:
            return clean_phone(text)
        except Invalid as error:
            raise _FaultError(PHONE, error.message, text) from error

    # --- The person -----------------------------------------------------------------------------------------------

    def _name_people(self, rows: Sequence[_Row]) -> None:
        users: dict[str, User] = {}
        for some in batches({row.phone for row in rows if not row.is_hidden}):
            users.update({user.phone: user for user in User.objects.filter(phone__in=some)})
        there = self._holders([row for row in rows if row.is_hidden])
        for row in rows:
            try:
                row.user = self._by_place(row, there) if row.is_hidden else self._by_phone(row, users.get(row.phone))
            except _FaultError as error:
                self._blame(row.record, error.header, error.message, error.value)

    def _by_phone(self, row: _Row, user: User | None) -> User:
        """Whoever may not read the county's accounts is not told which telephones have one."""
        refusal = why_not_theirs(user, county=self.county, name=row.record.text("name")) if user else None
        if user is not None and not isinstance(refusal, Conflict):
            return user
        if self.actor is not None and not policies.holds(self.actor, VIEW_ACCOUNT):
            message = _("没有这个人的账号，请核对姓名和手机号码；新来的人用“任命”同时开通账号")
        else:
            message = refusal.message if refusal else _("这个手机号码还没有账号，请先用人员表开通")
        raise _FaultError(PHONE, message, row.record.text("phone"))

    def _holders(self, rows: Sequence[_Row]) -> dict[Any, list[Appointment]]:
        """Post and place -> who holds or held it there, for rows that name nobody's telephone."""
        found: dict[Any, list[Appointment]] = {}
        nodes = {row.place.pk for row in rows if isinstance(row.place, GridNode)}
        held = [Appointment.objects.filter(node_id__in=some) for some in batches(nodes)]
        if any(isinstance(row.place, County) for row in rows):
            held.append(Appointment.objects.filter(county=self.county))
        for query in held:
            for one in query.select_related("user"):
                where = (GridNode, one.node_id) if one.node_id else (County, one.county_id)
                found.setdefault((one.post, *where), []).append(one)
        return found

    @staticmethod
    def _by_place(row: _Row, there: dict[Any, list[Appointment]]) -> User:
        name, text = row.record.text("name"), row.phone
        users = {
            one.user
            for one in there.get(row.where, [])
            if one.user.name == name and (not text or mask_phone(one.user.phone) == text)
        }
        if len(users) == 1:
            return users.pop()
        if users:
            raise _FaultError(PHONE, _("这里有几个人叫这个姓名，请填写手机号码"), text)
        raise _FaultError(PHONE, _("没有找到在这里任职的这个人；新任命的请填写完整的手机号码"), text)

    def _read_held(self, rows: Sequence[_Row]) -> None:
        """What the people hold or held, by person. Copies: the judging plays on them what the table would do."""
        self.held: dict[int, list[Appointment]] = {}
        for some in batches({row.user.pk for row in rows if row.user is not None}):
            for one in Appointment.objects.filter(user_id__in=some).select_related(*_LOADED).order_by("start", "pk"):
                self.held.setdefault(one.user_id, []).append(one)

    # --- What a row would do --------------------------------------------------------------------------------------

    def _take(self, row: _Row) -> None:
        try:
            self._refuse_twice(row)
            line = self._judge(row)
        except _FaultError as error:
            self._blame(row.record, error.header, error.message, error.value)
        else:
            self.found.lines.append(line)

    def _refuse_twice(self, row: _Row) -> None:
        assert row.user is not None
        others = self.taken.setdefault((row.user.pk, row.where), [])
        for other in others:
            words = {"row": other.record.number, "name": row.user.name}
            if _adjoin(other, row) or _adjoin(row, other):
                raise _FaultError(
                    NAME, _("第 %(row)d 行让%(name)s离任，这一行又让本人接任：交接的前任和接任要是两个人") % words
                )
            if _overlap(other, row):
                raise _FaultError(NAME, _("与第 %(row)d 行重复") % words)
        others.append(row)

    def _judge(self, row: _Row) -> Line:
        assert row.user is not None
        held = self.held.setdefault(row.user.pk, [])
        mine = [one for one in held if one.post == row.post and row.place == (one.node or one.county)]
        before = _match(mine, row)
        after = copy(before) if before is not None else _begun(row)
        given = {name: row.record.values[name] for name in ("start", "end", "note") if row.record.values[name]}
        for name, value in given.items():
            setattr(after, name, value)
        if before is None or before.end != after.end:
            self._hand_over(row, after)
        what = f"{row.user.name} {row.place} {POSTS[row.post].label}"
        changes: list[tuple[str, str, str]] = []
        if before is not None:
            changes = [(h, _shown(old), _shown(new)) for h, old, new in self.resource.differing(before, after)]
            if not changes:
                return Line(row.record.number, What.SAME, what)
            if not self.task.update:
                # An empty day of leave is no gap to be filled in: it says that the person is in post.
                words = differs_from_what_stands([(h, old or _("（空）"), new) for h, old, new in changes])
                raise _FaultError(changes[0][0], words, changes[0][2])
        self._may(row, before, after, [one for one in held if one is not before])
        if before is None:
            held.append(after)
            new = NewAppointment(row.user, row.post, row.place, after.start, after.note, after.end)
            return Line(row.record.number, What.NEW, what, data=new)
        held[held.index(before)] = after
        correction = Correction(before, after.start, after.end, after.note, before.version)
        return Line(row.record.number, What.CHANGED, what, changes, correction)

    def _hand_over(self, row: _Row, after: Appointment) -> None:
        """Somebody else begins on the day this one ends: the day is theirs (docs/decisions/0014)."""
        assert row.user is not None
        if after.end is None or not self.starting.get((row.where, after.end), set()) - {row.user.pk}:
            return
        if after.end <= after.start:
            raise _FaultError(END, _("交接日期要晚于前任的任职日期"), date_words(after.end))
        after.end -= DAY
        self.shifted = True

    def _may(self, row: _Row, before: Appointment | None, after: Appointment, others: Sequence[Appointment]) -> None:
        """What the action would refuse, said of the row."""
        assert row.user is not None
        if row.user == self.actor:
            raise _FaultError(NAME, _("不能办理自己的任职，请由另一位管理员办理"))
        if after.end is not None and after.end < after.start:
            words = _("离任日期不能早于任职日期 %(start)s") % {"start": date_words(after.start)}
            raise _FaultError(END, words, date_words(after.end))
        longer = before is None or (before.end is not None and (after.end is None or after.end > before.end))
        if longer and not row.user.is_active:
            raise _FaultError(PHONE, _("这个账号已停用，请先启用"))
        for one in others:
            if not meet(one, after.start, after.end):
                continue
            if one.post == row.post and row.place == (one.node or one.county):
                raise _FaultError(START, _("与此人在这里的另一段任职重叠"), date_words(after.start))
            if {one.post, row.post} == APART:
                raise _FaultError(POST, _("审计员和管理员不能由同一人担任"))


def _begun(row: _Row) -> Appointment:
    assert row.user is not None
    where = {"county": row.place} if isinstance(row.place, County) else {"node": row.place}
    return Appointment(user=row.user, post=row.post, start=timezone.localdate(), **where)


def _match(mine: Sequence[Appointment], row: _Row) -> Appointment | None:
    """The appointment of this person, post and place that a row speaks of: by its days, else the one that runs."""
    start, end = row.start, row.end
    if start is not None:
        same = [one for one in mine if one.start == start]
        near = same or [one for one in mine if meet(one, start, end)]
        if len(near) > 1:
            raise _FaultError(START, _("此人在这里有几段任职与这一行重叠，请核对日期"), date_words(start))
        return near[0] if near else None
    if end is not None and (same := [one for one in mine if one.end == end]):
        return same[-1]
    today = timezone.localdate()
    return next((one for one in reversed(mine) if one.end is None or one.end >= today), None)


def _adjoin(first: _Row, second: _Row) -> bool:
    """Whether one row ends what the other begins: on the same day, or the day after."""
    return first.end is not None and second.start is not None and first.end <= second.start <= first.end + DAY


def _overlap(one: _Row, other: _Row) -> bool:
    """Whether two rows of one person, post and place speak of the same days; one without days speaks of today."""

    def days(row: _Row) -> tuple[datetime.date, datetime.date]:
        first = datetime.date.min if row.end is not None else timezone.localdate()
        return row.start or first, row.end or datetime.date.max

    return days(one)[0] <= days(other)[1] and days(other)[0] <= days(one)[1]


def _shown(text: str) -> str:
    """A day of a change in words."""
    try:
        return date_words(datetime.date.fromisoformat(text))
    except ValueError:
        return text
