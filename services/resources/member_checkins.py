"""Members who reported, as a community's own table; and the ledgers of services and quarterly cards, which only go out."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.accounts import clean_phone
from core.actors import SYSTEM
from core.errors import Invalid
from core.models import User
from core.periods import Quarter, date_words
from core.sheets import Line, Plan, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import MEMBER_ROSTER, Column, LedgerColumn
from core.spreadsheets.columns import Record
from grids.actions.terms import batches
from grids.models import County, GridNode
from grids.places import Found, Words, find_places
from grids.resources.base import GridSheet, differs_from_what_stands
from grids.resources.places import PlaceColumns
from partybuilding.models import Member
from partybuilding.resources.pairings import place_cells
from services import posts
from services.actions.member_checkins import NOTE, NewCheckIn, Offer, change_offers, register_members
from services.models import (
    MEMBER_CHECKIN_OPEN,
    FreeTime,
    MemberCard,
    MemberCheckIn,
    MemberCheckInState,
    ServiceRecord,
    Skill,
    WishedPost,
    labels_of,
)
from services.selectors.homes import is_home

BATCH = 300
NAME, PHONE, HOME, SKILLS, FREE, POST, SAID = (
    "姓名",
    "手机号码",
    "居住小区",
    "特长",
    "空闲时间",
    "意愿岗位",
    "补充说明",
)
_CUT = re.compile(r"[、，,;；/|\s]+")
# What people write for a skill, beside its own name.
_SKILL_WORDS = {
    "宣讲": Skill.POLICY,
    "理论宣讲": Skill.POLICY,
    "法律": Skill.LAW,
    "法律服务": Skill.LAW,
    "律师": Skill.LAW,
    "调解": Skill.MEDIATION,
    "矛盾调解": Skill.MEDIATION,
    "医疗": Skill.HEALTH,
    "医生": Skill.HEALTH,
    "护理": Skill.HEALTH,
    "健康": Skill.HEALTH,
    "辅导": Skill.TEACHING,
    "教育": Skill.TEACHING,
    "教师": Skill.TEACHING,
    "心理": Skill.PSYCHOLOGY,
    "心理咨询": Skill.PSYCHOLOGY,
    "水电": Skill.REPAIR,
    "维修": Skill.REPAIR,
    "水暖": Skill.REPAIR,
    "电工": Skill.REPAIR,
    "家电": Skill.ELECTRONICS,
    "家电维修": Skill.ELECTRONICS,
    "电脑": Skill.ELECTRONICS,
    "电脑维修": Skill.ELECTRONICS,
    "文艺": Skill.ARTS,
    "书法": Skill.ARTS,
    "唱歌": Skill.ARTS,
    "舞蹈": Skill.ARTS,
    "体育": Skill.SPORTS,
    "健身": Skill.SPORTS,
    "照料": Skill.CARE,
    "陪护": Skill.CARE,
    "司机": Skill.DRIVING,
    "写作": Skill.OFFICE,
    "文字": Skill.OFFICE,
}
_TIME_WORDS = {
    "工作日": FreeTime.WORKDAY,
    "平时": FreeTime.WORKDAY,
    "晚上": FreeTime.EVENING,
    "下班后": FreeTime.EVENING,
}
# 周末 alone is the whole of it.
_WEEKEND = (FreeTime.WEEKEND_MORNING, FreeTime.WEEKEND_AFTERNOON, FreeTime.WEEKEND_EVENING)
_WHOLE_WEEKEND = frozenset(["周末", "双休日", "休息日"])
_POSTS = {str(post.label): post for post in WishedPost}
_POST_WORDS = {
    **{label.removesuffix("岗"): label for label in _POSTS},
    **dict.fromkeys(("都可以", "均可", "听从安排", "服从分配"), str(WishedPost.ANY.label)),
}


class _FaultError(Exception):
    """A row can not be taken: the column at fault, why, and what stands there."""

    def __init__(self, header: str, message: str, value: str = "") -> None:
        super().__init__(message)
        self.header, self.message, self.value = header, message, value


class MemberCheckInSheet(GridSheet):
    key = "member_checkins"
    label = lazy("党员报到")
    right = posts.MANAGE_MEMBER_CHECKIN
    export_right = posts.VIEW_MEMBER_CHECKIN
    allowed = MEMBER_ROSTER
    brief = True

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column("name", NAME, aliases=("党员姓名", "党员"), required=True, max_length=60, example="王建国"),
            Column(
                "phone",
                PHONE,
                aliases=("手机", "手机号", "电话", "联系电话", "电话号码", "联系方式"),
                required=True,
                max_length=30,
                note=_("要和县里登记的一致"),
                example="13800000000",
                width=16,
            ),
            *_places(where).columns(),
            Column(
                "skills",
                SKILLS,
                aliases=("技能", "专长", "个人特长", "能做什么"),
                note=_("可填几个，用顿号分开：%(all)s") % {"all": labels_of(Skill, Skill.values)},
                example="水电维修、法律咨询",
                width=24,
            ),
            Column(
                "free_time",
                FREE,
                aliases=("服务时间", "空余时间", "可服务时间", "闲暇时间"),
                note=_("可填几个，用顿号分开：%(all)s") % {"all": labels_of(FreeTime, FreeTime.values)},
                example="周末下午",
                width=24,
            ),
            Column(
                "wished_post",
                POST,
                aliases=("认领岗位", "岗位", "意愿", "服务意愿"),
                choices=tuple(_POSTS),
                synonyms=_POST_WORDS,
                example=str(WishedPost.SAFETY.label),
                width=16,
            ),
            Column("note", SAID, aliases=("备注", "说明"), max_length=NOTE, width=24),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("按姓名和手机号码对到本县登记的党员；没有登记的，请县级管理员先登记。"),
            _("导入就是社区接收，不用再逐个接收。"),
            _("居住小区填小区名称；不住小区的填社区。已在别处报到的，由本人在手机上点“搬家了”。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        if new:
            register_members(actor=task.actor, rows=new)
        if changed := dict(line.data for line in plan.to_do if line.what is What.CHANGED):
            change_offers(actor=task.actor, offers=changed)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(HOME),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(PHONE, "centre"),
            LedgerColumn(_("所在单位")),
            LedgerColumn(SKILLS),
            LedgerColumn(FREE),
            LedgerColumn(POST, "centre"),
            LedgerColumn(_("报到日期"), "centre"),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = MemberCheckIn.objects.visible_to(actor).select_related("member__unit", "node").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.node),
                    row.member.masked_name,
                    row.member.masked_phone,
                    row.member.unit.name if row.member.unit else "",
                    labels_of(Skill, row.skills),
                    labels_of(FreeTime, row.free_time),
                    row.get_wished_post_display(),
                    date_words(row.applied_at),
                    row.get_state_display(),
                )
            done += len(some)
            progress(done, len(ids))


def _places(where: County) -> PlaceColumns:
    return PlaceColumns(
        where,
        Column(
            "place",
            HOME,
            aliases=("居住地", "居住地址", "现居住地", "报到小区", "报到地点", "家庭住址", "地点", "位置"),
            max_length=400,
            note=_("小区名称，前面可带社区；也可以按街道、社区、小区分列填"),
            example="东关社区和谐小区",
            width=30,
        ),
    )


@dataclass
class _Known:
    """What the rows speak of: places, members by telephone, and their open reports."""

    places: dict[Words, Found]
    members: dict[str, Member]
    standing: dict[int, MemberCheckIn]


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.plan_ = Plan()
        self.places = _places(self.county)
        self.headers = {column.name: column.header for column in task.table.columns}
        self.seen: dict[int, int] = {}
        self.homes: dict[int, bool] = {}

    def plan(self) -> Plan:
        good = []
        for record in self.task.table.records():
            self.plan_.errors += record.errors
            if not record.errors:
                good.append(record)
        known = self._known(good)
        for done, record in enumerate(good):
            self.task.progress(done, len(good))
            try:
                self._judge(record, known)
            except _FaultError as error:
                self.plan_.errors.append(fault(record.number, error.header, error.message, error.value))
        return self.plan_

    def _known(self, records: Sequence[Record]) -> _Known:
        actor = self.task.actor
        within = None if actor is SYSTEM else policies.within(GridNode, actor, posts.MANAGE_MEMBER_CHECKIN)
        places = find_places(self.county, {self.places.read(record) for record in records}, within=within)
        members: dict[str, Member] = {}
        for some in batches(sorted({phone for record in records if (phone := _phone(record))}), BATCH):
            rows = Member.objects.filter(county=self.county, phone__in=some).select_related("county")
            members.update({member.phone: member for member in rows})
        standing: dict[int, MemberCheckIn] = {}
        for keys in batches(sorted(member.pk for member in members.values()), BATCH):
            reports = MemberCheckIn.objects.filter(member__in=keys, state__in=MEMBER_CHECKIN_OPEN)
            standing.update({row.member_id: row for row in reports.select_related("node", "community")})
        return _Known(places, members, standing)

    def _judge(self, record: Record, known: _Known) -> None:
        member = self._member(record, known)
        first = self.seen.setdefault(member.pk, record.number)
        if first != record.number:
            raise _FaultError("", _("与第 %(row)d 行重复") % {"row": first})
        node = self._home(record, known)
        offer = self._offer(record)
        name = f"{node.name} {member.masked_name}"
        row = known.standing.get(member.pk)
        if row is None:
            self._add(record, What.NEW, name, data=NewCheckIn(member, node, offer))
        elif row.node_id != node.pk:
            words = _("已在“%(place)s”报到；搬了家的，由本人在手机上点“搬家了”")
            raise _FaultError(HOME, words % {"place": row.node.path}, node.name)
        elif row.state == MemberCheckInState.APPLIED:
            self._add(record, What.NEW, name, data=NewCheckIn(member, node, self._merged(record, row, offer)))
        elif row.state == MemberCheckInState.SENT_BACK:
            raise _FaultError(NAME, _("这位党员的报到已退回本人补充，等重新提交后再办"))
        else:
            self._compare(record, row, self._merged(record, row, offer), name)

    def _merged(self, record: Record, row: MemberCheckIn, offer: Offer) -> Offer:
        """What a cell leaves empty stays."""
        said = {field: getattr(row, field) for field in ("skills", "free_time", "wished_post", "note")}
        return replace(offer, **{field: value for field, value in said.items() if not record.text(field)})

    def _compare(self, record: Record, row: MemberCheckIn, after: Offer, name: str) -> None:
        pairs = [
            (SKILLS, labels_of(Skill, row.skills), labels_of(Skill, after.skills)),
            (FREE, labels_of(FreeTime, row.free_time), labels_of(FreeTime, after.free_time)),
            (POST, str(WishedPost(row.wished_post).label), str(WishedPost(after.wished_post).label)),
            (SAID, row.note, after.note),
        ]
        changes = [(header, old, new) for header, old, new in pairs if old != new]
        if not changes:
            self._add(record, What.SAME, name)
            return
        if not self.task.update and (words := differs_from_what_stands(changes)):
            raise _FaultError(changes[0][0], words, changes[0][2])
        self._add(record, What.CHANGED, name, changes, (row, after))

    def _add(self, record: Record, what: What, name: str, changes: Any = (), data: Any = None) -> None:
        self.plan_.lines.append(Line(record.number, what, name, changes, data))

    # --- One row ---

    def _member(self, record: Record, known: _Known) -> Member:
        phone = _phone(record)
        if not phone:
            raise _FaultError(PHONE, _("手机号码应为 11 位"), record.text("phone"))
        member = known.members.get(phone)
        if member is None:
            raise _FaultError(PHONE, _("本县没有登记这个手机号码的党员，请核对，或请县级管理员先登记"), phone)
        if member.name != record.text("name"):
            raise _FaultError(NAME, _("这个手机号码登记的不是这个姓名，请核对"), record.text("name"))
        if not member.is_active:
            raise _FaultError(NAME, _("这位党员已停用，请先启用"), record.text("name"))
        return member

    def _home(self, record: Record, known: _Known) -> GridNode:
        words = self.places.read(record)
        if not words:
            raise _FaultError(HOME, _("请填写居住小区"))
        found = known.places[words]
        if found.node is None:
            raise _FaultError(self.headers[self.places.column(words)], found.fault, words[-1][1])
        level = found.node.level_type_id
        if level not in self.homes:
            self.homes[level] = is_home(found.node)
        if not self.homes[level]:
            raise _FaultError(HOME, _("请填到小区；不住小区的填社区"), words[-1][1])
        return found.node

    def _offer(self, record: Record) -> Offer:
        post = record.text("wished_post")
        return Offer(
            _keys(record, "skills", SKILLS, Skill, _SKILL_WORDS),
            _POSTS[post] if post else WishedPost.ANY,
            _keys(record, "free_time", FREE, FreeTime, _TIME_WORDS),
            record.text("note"),
        )


def _keys(record: Record, column: str, header: str, choices: Any, words: dict[str, Any]) -> list[str]:
    """The words of a cell as keys, in the order of the list."""
    meant = {str(label): key for key, label in choices.choices} | words
    found: set[str] = set()
    for word in _CUT.split(record.text(column)):
        if choices is FreeTime and word in _WHOLE_WEEKEND:
            found.update(_WEEKEND)
        elif word and word not in meant:
            message = _("“%(word)s”不在可选项里，可选：%(all)s")
            raise _FaultError(header, message % {"word": word[:20], "all": labels_of(choices, choices.values)}, word)
        elif word:
            found.add(meant[word])
    return [key for key in choices.values if key in found]


def _phone(record: Record) -> str:
    try:
        return clean_phone(record.text("phone"))
    except Invalid:
        return ""


# --- What only goes out ---------------------------------------------------------------------------------------------


class ServiceLedger(GridSheet):
    key = "member_services"
    label = lazy("党员服务")
    export_right = posts.VIEW_MEMBER_CHECKIN
    can_update = False
    brief = True

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("小区")),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(_("服务日期"), "centre"),
            LedgerColumn(_("服务内容")),
            LedgerColumn(_("时长（小时）"), "right", total=True),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            seen = ServiceRecord.objects.visible_to(actor).select_related("checkin__member", "checkin__node")
            rows = seen.in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    *place_cells(row.checkin.node),
                    row.checkin.member.masked_name,
                    date_words(row.served_on),
                    row.text,
                    float(row.hours),
                    row.get_state_display(),
                )
            done += len(some)
            progress(done, len(ids))


class CardLedger(GridSheet):
    key = "member_cards"
    label = lazy("季度服务卡")
    export_right = posts.VIEW_CARD
    can_update = False
    brief = True

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("季度"), "centre"),
            LedgerColumn(_("所在单位")),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(_("社区")),
            LedgerColumn(_("服务次数"), "right", total=True),
            LedgerColumn(_("时长（小时）"), "right", total=True),
            LedgerColumn(_("查收日期"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            rows = MemberCard.objects.visible_to(actor).select_related("member", "unit", "community").in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    Quarter.of(row.quarter).label,
                    row.unit.name,
                    row.member.masked_name,
                    row.community.name,
                    row.services,
                    float(row.hours),
                    date_words(row.read_at) if row.read_at else "",
                )
            done += len(some)
            progress(done, len(ids))


SHEETS = (MemberCheckInSheet, ServiceLedger, CardLedger)
