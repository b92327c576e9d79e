"""Who sits on the joint bodies as a table: one row a seat, known by body, role and name (docs/domain.md#l4, #g4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.actors import SYSTEM
from core.errors import DomainError
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions.terms import batches
from grids.models import County, GridNode
from grids.places import Found, Words, find_places
from grids.resources.base import GridSheet, differs_from_what_stands
from grids.resources.places import PlaceColumns
from partybuilding.actions import NewSeat, SeatChange, add_seats, change_seats
from partybuilding.actions.alliance_seats import check_seat
from partybuilding.models import Alliance, AllianceSeat, SeatRole
from partybuilding.posts import MANAGE_ALLIANCE, VIEW_ALLIANCE
from partybuilding.unit_names import UnitNames

BATCH = 300
BODY, PLACE, ROLE, NAME, UNIT, TITLE, START, END = (
    "联盟名称",
    "所在地",
    "席位",
    "姓名",
    "所在单位",
    "职务",
    "任期开始",
    "任期结束",
)
_ROLE_OF = {str(role.label): str(role) for role in SeatRole}
_STANDING, _ROTATING, _PART_TIME, _MEMBER, _ADVISER = _ROLE_OF
_ROLE_WORDS = {
    **dict.fromkeys(("常任主席单位", "主席", "常务主席", "书记", "常任主任"), _STANDING),
    **dict.fromkeys(("轮值主席单位", "轮值书记", "执行主席", "轮值主任", "轮值"), _ROTATING),
    **dict.fromkeys(("兼职", "兼职委员单位", "大党委委员", "大工委委员", "委员", "兼职党委委员"), _PART_TIME),
    **dict.fromkeys(("成员单位", "联盟成员", "盟员", "组成人员"), _MEMBER),
    **dict.fromkeys(("法律顾问", "社区法律顾问", "顾问律师", "律师"), _ADVISER),
}
_HEADERS = {"unit": UNIT, "title": TITLE, "start": START, "end": END}


class SeatSheet(GridSheet):
    key = "alliance_seats"
    label = lazy("联盟席位")
    right = MANAGE_ALLIANCE
    export_right = VIEW_ALLIANCE

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "body",
                BODY,
                aliases=("联盟", "党建联盟", "大工委", "大党委", "名称", "大党委名称"),
                max_length=60,
                note=_("要先登记联盟；一处只有一个联盟的，填所在地就行"),
                example=_("新民社区党建联盟"),
                width=26,
            ),
            *_places_of(where).columns(),
            Column(
                "role",
                ROLE,
                aliases=("角色", "联盟职务", "身份", "担任职务", "席位类型"),
                required=True,
                choices=tuple(_ROLE_OF),
                synonyms=_ROLE_WORDS,
                example=_ROTATING,
                width=12,
            ),
            Column("name", NAME, aliases=("人员姓名", "委员姓名", "主席姓名"), required=True, max_length=60),
            Column(
                "unit",
                UNIT,
                aliases=("单位", "单位名称", "工作单位", "成员单位名称"),
                max_length=60,
                note=_("单位的全称或简称；社区、街道自己的人不填"),
                example=_("县住建局"),
                width=24,
            ),
            Column("title", TITLE, aliases=("单位职务", "所任职务", "行政职务"), max_length=60, width=18),
            Column(
                "start",
                START,
                aliases=("任期开始日期", "任职日期", "开始日期", "开始时间", "任期起", "聘任日期"),
                kind="date",
                note=_("不填就是今天"),
                example="2026-01-01",
                width=14,
            ),
            Column(
                "end",
                END,
                aliases=("任期结束日期", "结束日期", "结束时间", "任期止", "到期日期"),
                kind="date",
                note=_("轮值主席必填"),
                example="2026-06-30",
                width=14,
            ),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("先登记联盟，再导入席位；按联盟、席位、姓名认人。"),
            _("轮值主席轮流担任，任期不能重叠，交接那一天可以是同一天。"),
            _("换人请在原来那一行填任期结束，另加一行填接替的人。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        # What ends in this table makes room for what begins.
        change_seats(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.CHANGED])
        add_seats(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.NEW])

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(BODY),
            LedgerColumn(PLACE),
            LedgerColumn(ROLE, "centre"),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(UNIT),
            LedgerColumn(TITLE),
            LedgerColumn(START, "centre"),
            LedgerColumn(END, "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = AllianceSeat.objects.visible_to(actor).select_related("alliance__node", "unit").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    row.alliance.name,
                    row.alliance.node.path,
                    row.get_role_display(),
                    row.name,
                    row.unit.name if row.unit else "",
                    row.title,
                    date_words(row.start),
                    date_words(row.end) if row.end else "",
                )
            done += len(some)
            progress(done, len(ids))


def _places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("地点", "位置", "所在社区", "所属社区", "街道社区"),
            max_length=400,
            note=_("社区或街道；联盟名称填了的可以不填"),
            example=_("新民社区"),
            width=20,
        ),
    )


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.found = Plan()
        self.places = _places_of(self.county)
        self.units = UnitNames(self.county)
        actor = task.actor
        mine = Alliance.objects.filter(county=self.county, is_active=True).select_related("node", "county")
        if actor is not SYSTEM:
            mine = mine.filter(policies.within(Alliance, actor, MANAGE_ALLIANCE))
        self.by_name: dict[str, list[Alliance]] = defaultdict(list)
        self.by_place: dict[int, list[Alliance]] = defaultdict(list)
        for row in mine:
            self.by_name["".join(row.name.split())].append(row)
            self.by_place[row.node_id].append(row)
        seats = AllianceSeat.objects.filter(alliance__in=mine).select_related("alliance__node", "unit")
        self.standing: dict[int, list[AllianceSeat]] = defaultdict(list)
        for seat in seats.order_by("start", "pk"):
            self.standing[seat.alliance_id].append(seat)
        self.seen: dict[tuple[Any, ...], int] = {}

    def plan(self) -> Plan:
        records = []
        for record in self.task.table.records():
            self.found.errors += record.errors
            if not record.errors:
                records.append(record)
        within = None if self.task.actor is SYSTEM else policies.within(GridNode, self.task.actor, MANAGE_ALLIANCE)
        words = {self.places.read(record) for record in records}
        self.nodes: Mapping[Words, Found] = find_places(self.county, words, within=within)
        read = [(record, row) for record in records if (row := self._read(record)) is not None]
        # What ends or moves is judged before what begins, as it is written.
        known = [(record, row, self._same(row, record)) for record, row in read]
        for record, row, before in known:
            if before is not None:
                self._change(record, row, before)
        for done, (record, row, before) in enumerate(known):
            self.task.progress(done, len(known))
            if before is None:
                self._begin(record, row)
        self.found.lines.sort(key=lambda line: line.number)
        return self.found

    def _blame(self, record: Record, header: str, words: str, value: object = "") -> None:
        self.found.errors.append(fault(record.number, header, words, value))

    def _read(self, record: Record) -> AllianceSeat | None:
        """The seat a row speaks of, unsaved."""
        alliance = self._alliance(record)
        if alliance is None:
            return None
        unit = None
        if text := record.text("unit"):
            try:
                unit = self.units.find(text)
            except DomainError as error:
                self._blame(record, UNIT, error.message, text)
                return None
        role, name = _ROLE_OF[record.text("role")], record.text("name")
        start = record.day("start") or timezone.localdate()
        key = (alliance.pk, role, name, unit.pk if unit else None, start)
        if (first := self.seen.setdefault(key, record.number)) != record.number:
            self._blame(record, NAME, _("与第 %(row)d 行重复") % {"row": first}, name)
            return None
        return AllianceSeat(
            alliance=alliance,
            role=role,
            name=name,
            unit=unit,
            title=record.text("title"),
            start=start,
            end=record.day("end"),
        )

    def _alliance(self, record: Record) -> Alliance | None:
        name, words = record.text("body"), self.places.read(record)
        if name:
            found = self.by_name.get("".join(name.split()), [])
            header, said = BODY, name
        elif words:
            place = self.nodes[words]
            if place.node is None:
                self._blame(record, PLACE, place.fault, words[-1][1])
                return None
            found, header, said = self.by_place.get(place.node.pk, []), PLACE, place.node.name
        else:
            self._blame(record, BODY, _("请填写联盟名称或所在地"))
            return None
        if len(found) == 1:
            return found[0]
        if found:
            names = "、".join(row.name for row in found)
            self._blame(record, header, _("这里有几个联盟：%(names)s，请填写联盟名称") % {"names": names}, said)
        else:
            self._blame(record, header, _("没有登记“%(name)s”的联盟，请先登记，或核对名称") % {"name": said}, said)
        return None

    def _same(self, row: AllianceSeat, record: Record) -> AllianceSeat | None:
        """The seat that stands and that a row speaks of: by its first day, else the one that is not over."""
        rows = [one for one in self.standing[row.alliance_id] if (one.role, one.name) == (row.role, row.name)]
        rows = [one for one in rows if row.unit is None or one.unit_id in (None, row.unit_id)]
        if record.day("start") is not None:
            return next((one for one in rows if one.start == row.start), None)
        today = timezone.localdate()
        running = [one for one in rows if one.end is None or one.end >= today]
        return running[0] if len(running) == 1 else None

    def _change(self, record: Record, row: AllianceSeat, before: AllianceSeat) -> None:
        given: dict[str, Any] = {"unit": row.unit, "title": row.title, "start": record.day("start"), "end": row.end}
        given = {name: value for name, value in given.items() if value and value != getattr(before, name)}
        changes = [(_HEADERS[name], _words(getattr(before, name)), _words(value)) for name, value in given.items()]
        label = f"{row.alliance.name} {row.get_role_display()} {row.name}"
        if not changes:
            self.found.lines.append(Line(record.number, What.SAME, label))
            return
        if not self.task.update and (words := differs_from_what_stands(changes)):
            self._blame(record, changes[0][0], words, changes[0][2])
            return
        after = copy(before)
        for name, value in given.items():
            setattr(after, name, value)
        seats = self.standing[row.alliance_id]
        if self._stands(record, after, [seat for seat in seats if seat is not before]):
            seats[seats.index(before)] = after
            self.found.lines.append(Line(record.number, What.CHANGED, label, changes, SeatChange(before, **given)))

    def _begin(self, record: Record, row: AllianceSeat) -> None:
        seats = self.standing[row.alliance_id]
        if self._stands(record, row, seats):
            seats.append(row)
            data = NewSeat(row.alliance, row.role, row.name, row.unit, row.title, row.start, row.end)
            label = f"{row.alliance.name} {row.get_role_display()} {row.name}"
            self.found.lines.append(Line(record.number, What.NEW, label, data=data))

    def _stands(self, record: Record, row: AllianceSeat, others: Sequence[AllianceSeat]) -> bool:
        try:
            check_seat(row, others)
        except DomainError as error:
            self.found.errors += self.task.faults(record, error)
            return False
        return True


def _words(value: Any) -> str:
    return date_words(value) if hasattr(value, "isoformat") else str(value or "")
