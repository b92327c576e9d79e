"""Floating members as a table: one row a person, known by telephone (docs/domain.md#h2)."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.accounts import clean_phone
from core.actors import SYSTEM
from core.errors import Invalid
from core.masking import mask_name, mask_phone
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import MEMBER_ROSTER, Column, LedgerColumn, Record
from grids.actions.terms import batches
from grids.models import County
from grids.resources.base import GridSheet, differs_from_what_stands
from partybuilding.actions import FloatingChange, NewFloating, change_floatings, register_floatings
from partybuilding.models import FloatingMember, Station
from partybuilding.posts import MANAGE_FLOATING, VIEW_FLOATING
from partybuilding.selectors.floating import with_contact

BATCH = 300
STATION, NAME, PHONE, KEPT, START, END = "驿站", "姓名", "手机号码", "组织关系所在党组织", "登记日期", "离开日期"
_HEADERS = {"station": STATION, "kept_at": KEPT, "start": START, "end": END}


class FloatingSheet(GridSheet):
    key = "floating"
    label = lazy("流动党员")
    right = MANAGE_FLOATING
    export_right = VIEW_FLOATING
    allowed = MEMBER_ROSTER
    brief = True

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "station",
                STATION,
                aliases=("流动党员驿站", "驿站名称", "登记驿站", "所在驿站"),
                max_length=60,
                note=_("只有一个驿站的不填"),
                example=_("东关社区流动党员驿站"),
                width=26,
            ),
            Column("name", NAME, aliases=("党员姓名", "流动党员姓名", "名字"), required=True, max_length=60),
            Column(
                "phone",
                PHONE,
                aliases=("手机", "手机号", "联系电话", "联系方式", "电话", "电话号码"),
                required=True,
                max_length=30,
                note=_("用它认人"),
                width=16,
            ),
            Column(
                "kept_at",
                KEPT,
                aliases=(
                    "组织关系所在地",
                    "所在党组织",
                    "原党组织",
                    "流出地党组织",
                    "组织关系所在党支部",
                    "隶属党组织",
                ),
                required=True,
                max_length=100,
                width=34,
            ),
            Column(
                "start",
                START,
                aliases=("登记时间", "流入时间", "流入日期", "报到时间", "报到日期"),
                kind="date",
                note=_("不填就是今天"),
                example="2026-03-05",
                width=14,
            ),
            Column(
                "end", END, aliases=("离开时间", "流出时间", "流出日期"), kind="date", note=_("已离开的填"), width=14
            ),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("登记前告诉本人：只用于联系和服务，离开 400 天后删除。"),
            _("按手机号码认人；姓名和已登记的不一致的不导入，请先核对。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        change_floatings(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.CHANGED])
        register_floatings(actor=task.actor, rows=[line.data for line in plan.to_do if line.what is What.NEW])

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(STATION),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(PHONE, "centre"),
            LedgerColumn(KEPT),
            LedgerColumn(START, "centre"),
            LedgerColumn(END, "centre"),
            LedgerColumn(_("最近联系"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows: dict[int, Any] = (
                with_contact(FloatingMember.objects.visible_to(actor)).select_related("station").in_bulk(some)
            )
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    row.station.name,
                    mask_name(row.name),
                    row.masked_phone,
                    row.kept_at,
                    date_words(row.start),
                    date_words(row.end) if row.end else "",
                    date_words(row.contacted_on) if row.contacted_on else "",
                )
            done += len(some)
            progress(done, len(ids))


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.found = Plan()
        mine = Station.objects.filter(county=self.county, is_active=True)
        if task.actor is not SYSTEM:
            mine = mine.filter(policies.within(Station, task.actor, MANAGE_FLOATING))
        self.mine = {"".join(row.name.split()): row for row in mine}
        self.stations = {row.pk for row in self.mine.values()}
        self.seen: dict[str, int] = {}

    def plan(self) -> Plan:
        records = []
        for record in self.task.table.records():
            self.found.errors += record.errors
            if not record.errors and (phone := self._phone(record)):
                records.append((record, phone))
        standing: dict[str, list[FloatingMember]] = defaultdict(list)
        for some in batches(sorted({phone for _record, phone in records}), BATCH):
            rows = FloatingMember.objects.filter(county=self.county, phone__in=some).select_related("station")
            for row in rows.order_by("-start", "-pk"):
                standing[row.phone].append(row)
        for done, (record, phone) in enumerate(records):
            self.task.progress(done, len(records))
            self._judge(record, phone, standing[phone])
        return self.found

    def _blame(self, record: Record, header: str, words: str, value: object = "") -> None:
        self.found.errors.append(fault(record.number, header, words, value))

    def _phone(self, record: Record) -> str:
        try:
            phone = clean_phone(record.text("phone"))
        except Invalid as error:
            self._blame(record, PHONE, error.message, record.text("phone"))
            return ""
        if (first := self.seen.setdefault(phone, record.number)) != record.number:
            self._blame(record, PHONE, _("与第 %(row)d 行的手机号码相同") % {"row": first}, record.text("phone"))
            return ""
        return phone

    def _station(self, record: Record) -> Station | None:
        """The row's station; None with a fault."""
        name = record.text("station")
        if not name and len(self.mine) == 1:
            return next(iter(self.mine.values()))
        found = self.mine.get("".join(name.split()))
        if found is None:
            words = _("您的辖区里没有这个在用的驿站，请核对名称，或先开设驿站") if name else _("有几个驿站，请填写驿站")
            self._blame(record, STATION, words if self.mine or name else _("请先开设驿站"), name)
        return found

    def _judge(self, record: Record, phone: str, rows: Sequence[FloatingMember]) -> None:
        today, name = timezone.localdate(), record.text("name")
        start, end = record.day("start"), record.day("end")
        for header, day in ((START, start), (END, end)):
            if day is not None and day > today:
                self._blame(record, header, _("%(header)s不能晚于今天") % {"header": header}, day.isoformat())
                return
        before = next((row for row in rows if row.end is None or (row.start, row.end) == (start, end)), None)
        first = before.start if before is not None and start is None else start or today
        if end is not None and end < first:
            self._blame(record, END, _("离开日期不能早于登记日期"), end.isoformat())
            return
        if before is not None and before.station_id not in self.stations:
            self._blame(record, PHONE, _("这个手机号码已在本县别的驿站登记，请先核对"), mask_phone(phone))
            return
        if before is not None and before.name != name:
            self._blame(record, PHONE, _("这个手机号码已登记为另一名流动党员"), mask_phone(phone))
            return
        if before is not None and not record.text("station"):
            station: Station | None = before.station
        else:
            station = self._station(record)
        if station is None:
            return
        label = f"{station.name} {mask_name(name)}（{mask_phone(phone)}）"
        if before is None:
            data = NewFloating(station, name, phone, record.text("kept_at"), start, end)
            self.found.lines.append(Line(record.number, What.NEW, label, data=data))
            return
        given: dict[str, Any] = {"station": station, "kept_at": record.text("kept_at"), "start": start, "end": end}
        given = {key: value for key, value in given.items() if value and value != getattr(before, key)}
        changes = [(_HEADERS[key], _words(getattr(before, key)), _words(value)) for key, value in given.items()]
        if changes and not self.task.update and (words := differs_from_what_stands(changes)):
            self._blame(record, changes[0][0], words, changes[0][2])
            return
        what = What.CHANGED if changes else What.SAME
        self.found.lines.append(Line(record.number, what, label, changes, FloatingChange(before, **given)))


def _words(value: Any) -> str:
    return date_words(value) if hasattr(value, "isoformat") else str(value or "")
