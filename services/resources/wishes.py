"""Small wishes as a table. Come in with consent or not at all, as collected ones for the community to check; go out masked,
and without persons or doors for whoever is not of the community.

A row is known by its place, whose wish it is, and the wish: the same file twice changes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.errors import DomainError
from core.models import User
from core.periods import date_words
from core.sheets import Plan, RowResource, Task
from core.sheets.base import Progress
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions.terms import batches
from grids.models import CareKind, ConsentKind, County, GridNode
from grids.resources.base import GridSheet
from grids.resources.care import CONSENT_WORDS, NEEDS_BY_WORD
from grids.resources.places import PlaceColumns
from services import posts
from services.actions.wishes import FIELDS, WishFacts, change_wishes, cleaned, collect_wishes, identity_of, standing
from services.models import Wish
from services.resources.lists import FaultError, Planner
from services.wishes import face, holder_told
from services.workflow import WISH

BATCH = 300
TITLE, TEXT, KIND, NAME, PHONE = "心愿", "说明", "困难类型", "心愿人", "联系电话"
CONSENT, COST, PLACE = "同意方式", "预计费用", "地点"
_YUAN = re.compile(r"(\d[\d,，]{0,8})(?:\.0+)?\s*元?")
_HEADERS = {
    "title": TITLE,
    "text": TEXT,
    "recipient_kind": KIND,
    "recipient_name": NAME,
    "recipient_phone": PHONE,
    "consent": CONSENT,
    "cost": COST,
}


class WishRows(RowResource):
    text = Field("text", TEXT)
    kind = Field("get_recipient_kind_display", KIND)
    phone = Field("recipient_phone", PHONE)
    consent = Field("get_consent_display", CONSENT)
    cost = Field("cost", COST)

    class Meta:
        model = Wish
        fields = ("text", "kind", "phone", "consent", "cost")


def _places(county: County) -> PlaceColumns:
    place = Column(
        "place",
        PLACE,
        aliases=("位置", "所在地点", "住址", "编码"),
        max_length=400,
        note=_("小区、楼栋或单元，也可以填编码；只有社区知道。"),
        example=_("和谐小区 · 1号楼"),
        width=30,
    )
    return PlaceColumns(county, place)


class WishSheet(GridSheet):
    key = "wishes"
    label = lazy("微心愿")
    right, export_right = posts.MANAGE_WISH, posts.VIEW_WISH
    personal = True

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column("title", TITLE, aliases=("微心愿", "心愿内容", "心愿名称"), required=True, max_length=60, width=24),
            Column("text", TEXT, aliases=("备注", "心愿说明", "具体内容"), kind="text", max_length=300, width=30),
            Column(
                "recipient_kind",
                KIND,
                aliases=("困难类别", "类别", "对象类别", "关爱类别"),
                required=True,
                choices=tuple(str(label) for label in CareKind.labels),
                synonyms={word: str(CareKind(kind).label) for word, kind in NEEDS_BY_WORD.items()},
                example=str(CareKind.ELDERLY_ALONE.label),
                width=14,
            ),
            Column(
                "recipient_name",
                NAME,
                aliases=("姓名", "心愿人姓名", "困难群众", "受助人"),
                required=True,
                max_length=60,
                note=_("只有社区知道。"),
                example=_("张某某"),
            ),
            Column("recipient_phone", PHONE, aliases=("电话", "手机", "手机号", "手机号码"), max_length=20),
            Column(
                "consent",
                CONSENT,
                aliases=("知情同意", "授权方式"),
                required=True,
                choices=tuple(str(label) for label in ConsentKind.labels),
                synonyms={word: str(ConsentKind(kind).label) for word, kind in CONSENT_WORDS.items()},
                note=_("没有同意不能征集。残疾、儿童方面的要书面同意。"),
                example=str(ConsentKind.SPOKEN.label),
            ),
            Column(
                "cost",
                COST,
                aliases=("预计费用（元）", "预算", "金额", "费用"),
                max_length=20,
                note=_("元，只填数字；不填就是 0"),
            ),
            *_places(where).columns(),
        )

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("导入的心愿等待社区审核，审核通过后才能认领。"),
            _("“心愿”和“说明”认领人会看到：不写姓名、电话、证件号码和楼栋门牌。"),
            _("表格里的个人信息只用于这一次导入，导入后原表在系统里随即删除，没有导入的最多保留一天。"),
        )

    def plan(self, task: Task) -> Plan:
        return _Planner(task, _places(task.where)).plan()

    def write(self, task: Task, plan: Plan) -> None:
        data = [line.data for line in plan.to_do]
        collect_wishes(actor=task.actor, rows=[row for row in data if isinstance(row[0], GridNode)])
        change_wishes(actor=task.actor, rows=[row for row in data if isinstance(row[0], Wish)])

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("编号"), "centre"),
            LedgerColumn(_("社区")),
            LedgerColumn(TITLE),
            LedgerColumn(TEXT),
            LedgerColumn(KIND, "centre"),
            LedgerColumn(NAME, "centre"),
            LedgerColumn(_("预计费用（元）"), "right", total=True),
            LedgerColumn(_("征集日期"), "centre"),
            LedgerColumn(_("认领")),
            LedgerColumn(_("圆梦日期"), "centre"),
            LedgerColumn(_("送了什么")),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        done = 0
        for some in batches(ids, BATCH):
            seen = Wish.objects.visible_to(actor).select_related("node", "community", "unit", "member")
            rows = seen.in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                said = face(row, actor)
                yield (
                    row.code,
                    row.community.name,
                    row.title,
                    row.text,
                    said.kind,
                    said.name,
                    row.cost,
                    date_words(row.collected_at),
                    holder_told(row, inside=said.inside),
                    date_words(row.done_at) if row.done_at else "",
                    row.result,
                    row.get_state_display(),
                )
            done += len(some)
            progress(done, len(ids))


def _cost(text: str) -> int:
    found = _YUAN.fullmatch(text)
    if text and found is None:
        raise FaultError(COST, _("预计费用请填写整数，单位是元"), text)
    return int(found.group(1).replace(",", "").replace("，", "")) if found else 0


class _Planner(Planner):
    right = posts.COLLECT_WISH
    rows = WishRows()

    def know(self, records: Sequence[Record]) -> None:
        self.kinds = {str(label): str(kind) for kind, label in CareKind.choices}
        self.consents = {str(label): str(kind) for kind, label in ConsentKind.choices}
        nodes = {found.node.pk for found in self.found.values() if found.node is not None}
        self.standing = standing(nodes, closed=True)

    def judge(self, record: Record) -> None:
        node = self.place(record)
        assert node is not None
        facts = self._facts(record)
        key = identity_of(node.pk, facts)
        self.once(key, record, TITLE)
        before = self.standing.get(key)
        if before is None:
            # Nothing of a row is told on the page of the job: it says whose wish it is.
            self.new(record, "", (node, facts))
            return
        after: Any = copy(before)
        for name in FIELDS:
            setattr(after, name, getattr(facts, name))
        if not facts.recipient_phone:
            after.recipient_phone = before.recipient_phone
        headers = {header for name, header in _HEADERS.items() if name not in ("title", "recipient_name")}
        given = WishFacts(**{name: getattr(after, name) for name in FIELDS})
        if before.state not in WISH.get("change").sources and self.rows.differing(before, after, headers):
            words = _("这个心愿已经是“%(state)s”，不能再改") % {"state": before.get_state_display()}
            raise FaultError(TITLE, words)
        self.differ(record, "", before, after, headers, lambda: (before, given, before.version))

    def _facts(self, record: Record) -> WishFacts:
        try:
            return cleaned(
                WishFacts(
                    title=record.text("title"),
                    text=record.text("text"),
                    recipient_kind=self.kinds[record.text("recipient_kind")],
                    recipient_name=record.text("recipient_name"),
                    recipient_phone=record.text("recipient_phone"),
                    consent=self.consents[record.text("consent")],
                    cost=_cost(record.text("cost")),
                ),
                self.county.pk,
            )
        except DomainError as error:
            name, message = next(iter(error.fields.items()), ("title", error.message))
            raise FaultError(_HEADERS.get(name, TITLE), message) from error
