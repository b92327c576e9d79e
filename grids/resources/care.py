"""The care ledger as a table. Comes in with consent or not at all; goes out masked, without doors.

A file with a column the portal does not hold is refused whole (`core.spreadsheets.forbidden`), no free column is read, and
names and doors that say such a thing are faults of their row. There is no ledger with names or phones to be had: what
leaves the portal can not be erased any more (docs/decisions/0017).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.actors import SYSTEM, user_of
from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn, RowError, why_not_said
from core.spreadsheets.columns import Record
from grids.actions.care import CorrectedHousehold, NewHousehold, correct_many, register_many
from grids.actions.care_erase import SHEET
from grids.actions.care_facts import Facts, cleaned, facts_of
from grids.care import expiry
from grids.models import CareHousehold, CareKind, ConsentKind, County, GridNode
from grids.places import Found, find_places
from grids.posts import EXPORT_CARE, MANAGE_CARE
from grids.resources.base import GridSheet
from grids.resources.places import PlaceColumns

BATCH = 500
_BETWEEN_NEEDS = re.compile(r"[、，,；;/\s]+")
# What cadres write for a need, beside its own name.
_NEED_WORDS: Mapping[str, Sequence[str]] = {
    CareKind.ELDERLY_ALONE: ("独居", "独居老人", "高龄独居", "独居高龄老人", "孤寡老人"),
    CareKind.EMPTY_NEST: ("空巢", "空巢老人", "高龄空巢"),
    CareKind.DISABILITY: ("残疾", "残疾人", "重度残疾", "残障", "残障人士", "失能", "失能老人"),
    CareKind.CHILD_LEFT_BEHIND: ("留守", "留守儿童"),
    CareKind.CHILD_IN_DIFFICULTY: ("困境儿童", "困难儿童", "孤儿", "事实无人抚养儿童"),
    CareKind.LOW_INCOME: (
        "低收入",
        "低收入家庭",
        "低保",
        "低保户",
        "低保家庭",
        "低保边缘",
        "特困",
        "特困人员",
        "困难家庭",
    ),
    CareKind.SUDDEN_HARDSHIP: ("突发困难", "突发困难家庭", "临时困难", "临时救助"),
    CareKind.VETERAN_FAMILY: ("烈军属", "军属", "烈属", "军烈属", "退役军人", "退役军人家庭", "优抚对象"),
}
NEEDS_BY_WORD: Mapping[str, str] = {word: str(kind) for kind, words in _NEED_WORDS.items() for word in words}
CONSENT_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("书面", "书面同意", "本人书面", "本人签字", "已签字"), ConsentKind.WRITTEN),
    **dict.fromkeys(("监护人", "监护人同意", "监护人书面", "监护人签字"), ConsentKind.GUARDIAN),
    **dict.fromkeys(("口头", "口头同意", "当面同意", "本人口头", "本人口头同意"), ConsentKind.SPOKEN),
}
# Of `Facts` and of what a table says besides, the column that says it.
_HEADERS: Mapping[str, Any] = {
    "node": lazy("地点"),
    "room": lazy("门牌"),
    "name": lazy("联系人"),
    "phone": lazy("电话"),
    "needs": lazy("关爱类别"),
    "consent": lazy("同意方式"),
    "consent_on": lazy("同意日期"),
    "visit": lazy("最近走访日期"),
}


@dataclass(frozen=True)
class Said:
    """What an entry, or a row of a table, says of what may differ between the two."""

    facts: Facts
    visited_on: date | None

    @property
    def phone(self) -> str:
        return self.facts.phone

    @property
    def needs(self) -> str:
        return needs_words(self.facts.needs)

    @property
    def consent(self) -> str:
        return str(ConsentKind(self.facts.consent).label)

    @property
    def consent_on(self) -> str:
        return date_words(self.facts.consent_on)

    @property
    def visited(self) -> str:
        return date_words(self.visited_on) if self.visited_on else ""


class HouseholdRows(RowResource):
    phone = Field("phone", _HEADERS["phone"])
    needs = Field("needs", _HEADERS["needs"])
    consent = Field("consent", _HEADERS["consent"])
    consent_on = Field("consent_on", _HEADERS["consent_on"])
    visited = Field("visited", _HEADERS["visit"])


def needs_words(needs: Any) -> str:
    """Needs by their names, in the order of the list."""
    return "、".join(str(label) for kind, label in CareKind.choices if kind in needs)


class HouseholdSheet(GridSheet):
    key = SHEET
    label = lazy("关爱台账")
    right, export_right = MANAGE_CARE, EXPORT_CARE
    personal = True

    def columns(self, where: County) -> Sequence[Column]:
        consents = tuple(str(label) for label in ConsentKind.labels)
        words = {word: str(ConsentKind(kind).label) for word, kind in CONSENT_WORDS.items()}
        return (
            *_place_columns(where).columns(),
            Column(
                "room",
                str(_HEADERS["room"]),
                aliases=(_("门牌号"), _("房号"), _("房间号"), _("室号"), _("户号"), _("单元室号")),
                required=True,
                max_length=40,
                example=_("2单元502室"),
            ),
            Column(
                "name",
                str(_HEADERS["name"]),
                aliases=(_("姓名"), _("户主"), _("户主姓名"), _("关爱对象"), _("对象姓名"), _("居民姓名")),
                required=True,
                max_length=60,
                note=_("上门找谁。"),
                example=_("张某某"),
            ),
            Column(
                "phone",
                str(_HEADERS["phone"]),
                aliases=(_("联系电话"), _("手机"), _("手机号"), _("手机号码"), _("电话号码")),
                max_length=40,
                note=_("11位手机号码，可以不填。"),
                example="13900000000",
            ),
            Column(
                "needs",
                str(_HEADERS["needs"]),
                aliases=(_("类别"), _("关爱需要"), _("关爱对象类别"), _("困难类别"), _("帮扶类别"), _("对象类别")),
                required=True,
                note=_("几项用顿号隔开，只能从这些里选：%(needs)s。")
                % {"needs": "；".join(str(label) for label in CareKind.labels)},
                example=_("独居老人、低收入家庭"),
                width=26,
            ),
            Column(
                "consent",
                str(_HEADERS["consent"]),
                aliases=(_("知情同意"), _("同意书"), _("授权方式")),
                required=True,
                choices=consents,
                synonyms=words,
                note=_("没有同意不能登记。残疾、儿童方面的，要书面同意。"),
                example=str(ConsentKind.WRITTEN.label),
            ),
            Column(
                "consent_on",
                str(_HEADERS["consent_on"]),
                aliases=(_("同意时间"), _("签字日期"), _("同意书日期"), _("授权日期")),
                required=True,
                kind="date",
                example="2026-03-05",
            ),
            Column(
                "visit",
                str(_HEADERS["visit"]),
                aliases=(_("最近走访"), _("走访日期"), _("最近走访时间"), _("上次走访"), _("上次走访日期")),
                kind="date",
                example="2026-03-05",
            ),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("只登记本人或监护人同意登记的家庭；不登记病情、病史。备注等其他列一律不读取。"),
            _("同意日期和最近走访日期里较晚的一天算作核实日期，超过有效期的要先上门核实。"),
            _("表格里的个人信息只用于这一次导入，导入后原表在系统里随即删除，没有导入的最多保留一天。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        plan = Plan()
        records = list(task.table.records())
        columns = _place_columns(task.where)
        said = {record.number: columns.read(record) for record in records}
        within = None if task.actor is SYSTEM else policies.within(GridNode, user_of(task.actor), MANAGE_CARE)
        places = find_places(task.where, said.values(), within=within)
        read: list[tuple[Record, NewHousehold]] = []
        seen: dict[tuple[int, str, str], int] = {}
        for done, record in enumerate(records, start=1):
            row, faults = _read(record, places.get(said[record.number]))
            if row is not None:
                key = _key(row.node.pk, row.facts)
                if seen.setdefault(key, record.number) != record.number:
                    words = _("与第 %(row)d 行是同一户") % {"row": seen[key]}
                    faults.append(fault(record.number, str(_HEADERS["room"]), words))
                else:
                    read.append((record, row))
            plan.errors.extend(faults)
            if done % BATCH == 0:
                task.progress(done, len(records))
        known = _known([row for _record, row in read])
        for record, row in read:
            found = known.get(_key(row.node.pk, row.facts))
            line = _new(record, row) if found is None else _old(record, row, found, task)
            if isinstance(line, RowError):
                plan.errors.append(line)
            else:
                plan.lines.append(line)
        return plan

    def write(self, task: Task, plan: Plan) -> None:
        data = [line.data for line in plan.to_do]
        register_many(actor=task.actor, rows=[row for row in data if isinstance(row, NewHousehold)])
        correct_many(actor=task.actor, rows=[row for row in data if isinstance(row, CorrectedHousehold)])

    # --- Going out ---

    def ledger_title(self) -> str:
        return str(self.label)

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("地点")),
            LedgerColumn(_("联系人"), "centre"),
            LedgerColumn(_("电话"), "centre"),
            LedgerColumn(_("关爱类别")),
            LedgerColumn(_("同意方式"), "centre"),
            LedgerColumn(_("同意日期"), "centre"),
            LedgerColumn(_("核实日期"), "centre"),
            LedgerColumn(_("到期日期"), "centre"),
            LedgerColumn(_("最近走访"), "centre"),
            LedgerColumn(_("下次走访"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        scope = policies.within(CareHousehold, actor, EXPORT_CARE)
        for start in range(0, len(ids), BATCH):
            some = list(ids[start : start + BATCH])
            rows = CareHousehold.objects.valid().filter(scope, pk__in=some).select_related("node")
            found = {one.pk: one for one in rows.prefetch_related("needs")}
            for one in (found[pk] for pk in some if pk in found):
                yield (
                    one.node.path,
                    one.masked_name,
                    one.masked_phone,
                    needs_words([need.kind for need in one.needs.all()]),
                    one.get_consent_display(),
                    *(date_words(day) for day in (one.consent_on, one.confirmed_on, one.expires_on)),
                    *(date_words(day) if day else "" for day in (one.last_visit_on, one.next_visit_on)),
                )
            progress(min(start + BATCH, len(ids)), len(ids))


def _place_columns(county: County) -> PlaceColumns:
    place = Column(
        "node",
        str(_HEADERS["node"]),
        aliases=(_("位置"), _("所在地点"), _("所在位置")),
        max_length=400,
        note=_("必填：写到小区、网格、楼栋或单元，也可以填编码；社区、小区、楼栋各有一列的，不用这一列。"),
        example=_("和谐小区 · 第一网格 · 1号楼"),
        width=30,
    )
    return PlaceColumns(county, place)


def _read(record: Record, place: Found | None) -> tuple[NewHousehold | None, list[RowError]]:
    """What a row says, or what is wrong with it."""
    faults = list(record.errors)

    def blame(column: str, message: str) -> None:
        faults.append(fault(record.number, str(_HEADERS[column]), message))

    node = place.node if place is not None else None
    if place is None:
        blame("node", _("请填写地点"))
    elif reason := place.fault:
        blame("node", reason)
    elif node is not None and node.community_id in (None, node.pk):
        blame("node", _("请填到小区、网格、楼栋或单元"))
    needs: frozenset[str] = frozenset()
    if text := record.text("needs"):
        words = [one for one in _BETWEEN_NEEDS.split(text) if one]
        strange = [one for one in words if one not in NEEDS_BY_WORD]
        needs = frozenset(NEEDS_BY_WORD[one] for one in words if one not in strange)
        if strange:
            reason = why_not_said(text) or _("有不在关爱类别里的内容")
            options = "；".join(str(label) for label in CareKind.labels)
            blame("needs", _("%(reason)s，可选：%(options)s") % {"reason": reason, "options": options})
    consent_on, visited_on = record.day("consent_on"), record.day("visit")
    if visited_on is not None and visited_on > timezone.localdate():
        blame("visit", _("日期还没有到，请核对"))
    if faults or node is None or consent_on is None:
        return None, faults
    consent = next(kind for kind in ConsentKind if str(kind.label) == record.text("consent"))
    said = Facts(record.text("room"), record.text("name"), needs, consent, consent_on, record.text("phone"))
    try:
        facts = cleaned(said)
    except Invalid as error:
        for name, message in error.fields.items():
            blame(name, message)
        return None, faults
    met = max(consent_on, visited_on or consent_on)
    return NewHousehold(node, facts, confirmed_on=met, last_visit_on=visited_on), faults


def _key(node_id: int, facts: Facts) -> tuple[int, str, str]:
    return node_id, facts.room, facts.name


def _known(rows: Sequence[NewHousehold]) -> dict[tuple[int, str, str], CareHousehold]:
    nodes = sorted({row.node.pk for row in rows})
    found = {}
    for start in range(0, len(nodes), BATCH):
        there = CareHousehold.objects.kept().filter(node_id__in=nodes[start : start + BATCH])
        for one in there.select_related("county").prefetch_related("needs"):
            found[one.node_id, one.room, one.name] = one
    return found


def _new(record: Record, row: NewHousehold) -> Line | RowError:
    assert row.confirmed_on is not None
    if expiry(row.confirmed_on, row.node.county.care_months) <= timezone.localdate():
        words = _("同意和最近走访都已超过有效期，请先上门核实，写上新的走访日期")
        return fault(record.number, str(_HEADERS["consent_on"]), words)
    return Line(record.number, What.NEW, "", data=row)


def _old(record: Record, row: NewHousehold, one: CareHousehold, task: Task) -> Line | RowError:
    """A row about an entry that stands. An empty phone says nothing; an older visit than the one known neither."""
    before = facts_of(one)
    facts = replace(row.facts, phone=row.facts.phone or before.phone)
    visits = [day for day in (row.last_visit_on, one.last_visit_on) if day]
    changes = HouseholdRows().differing(Said(before, one.last_visit_on), Said(facts, max(visits) if visits else None))
    assert row.confirmed_on is not None
    met = max(row.confirmed_on, one.confirmed_on)
    if expiry(met, one.county.care_months) <= timezone.localdate():
        words = _("这户的登记已到期，请先上门核实")
        return fault(record.number, str(_HEADERS["room"]), words)
    if changes and not task.update:
        headers = "、".join(header for header, _before, _after in changes)
        words = _("这户已在台账里，%(headers)s与表格不同；要以表格为准，请勾选“更新已有的内容”") % {"headers": headers}
        return fault(record.number, changes[0][0], words)
    data = CorrectedHousehold(one, facts, one.version, confirmed_on=met, last_visit_on=row.last_visit_on)
    return Line(record.number, What.CHANGED if changes else What.SAME, "", changes, data=data)
