"""Units as a table: one row a unit, known by its name."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core.codes import parse_uscc
from core.errors import Invalid
from core.models import User
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions.terms import BATCH, batches
from grids.models import County
from grids.resources.base import GridSheet, differs_from_what_stands
from partybuilding.actions import NewUnit, UnitChange, create_units, update_units
from partybuilding.models import Unit, UnitKind
from partybuilding.posts import MANAGE_UNIT, VIEW_UNIT
from partybuilding.querysets import current
from partybuilding.resources.domains import DOMAIN, domain_column, domain_of

NAME, SHORT, KIND, CODE, ADDRESS, DUTY = "单位名称", "简称", "单位类型", "统一社会信用代码", "地址", "主要职责"
_DEPARTMENT, _INSTITUTION, _SCHOOL, _HOSPITAL, _STATE, _COMPANY, _SOCIAL, _PROPERTY = map(str, UnitKind.labels)
_KIND_WORDS = {
    **dict.fromkeys(("机关", "党政机关", "行政机关", "政府部门", "县直部门", "部门", "行政单位"), _DEPARTMENT),
    **dict.fromkeys(("事业", "参公事业单位"), _INSTITUTION),
    **dict.fromkeys(("中小学", "幼儿园", "中学", "小学", "教育"), _SCHOOL),
    **dict.fromkeys(("卫生院", "医疗机构", "卫生", "医疗"), _HOSPITAL),
    **dict.fromkeys(("国企", "国有", "国有公司", "央企", "银行"), _STATE),
    **dict.fromkeys(("企业", "民企", "民营企业", "私营企业", "非公有制企业", "非公", "公司"), _COMPANY),
    **dict.fromkeys(("社会团体", "协会", "民办非企业", "社会服务机构"), _SOCIAL),
    **dict.fromkeys(("物业", "物业公司", "物业服务企业"), _PROPERTY),
}
_FIELDS = {"short_name": SHORT, "kind": KIND, "domain": DOMAIN, "credit_code": CODE, "address": ADDRESS, "duty": DUTY}


class UnitRow(RowResource):
    short_name = Field("short_name", SHORT)
    kind = Field("get_kind_display", KIND)
    domain = Field("get_domain_display", DOMAIN)
    credit_code = Field("credit_code", CODE)
    address = Field("address", ADDRESS)
    duty = Field("duty", DUTY)

    class Meta:
        model = Unit
        fields = tuple(_FIELDS)


class UnitSheet(GridSheet):
    key = "units"
    label = lazy("单位")
    right = MANAGE_UNIT
    export_right = VIEW_UNIT

    def columns(self, where: County) -> Sequence[Column]:
        return (
            Column(
                "name",
                NAME,
                aliases=("单位", "单位全称", "名称", "部门名称", "企业名称", "报到单位", "驻区单位"),
                required=True,
                max_length=60,
                note=_("全称，用它认单位"),
                example=_("西乡县住房和城乡建设局"),
                width=30,
            ),
            Column("short_name", SHORT, aliases=("单位简称",), max_length=20, example=_("县住建局")),
            Column(
                "kind",
                KIND,
                aliases=("类型", "单位性质", "性质", "类别", "单位类别"),
                choices=tuple(map(str, UnitKind.labels)),
                synonyms=_KIND_WORDS,
                note=_("不填就是%(kind)s") % {"kind": _DEPARTMENT},
                example=_DEPARTMENT,
                width=14,
            ),
            domain_column(_("不填的按单位类型")),
            Column(
                "credit_code",
                CODE,
                aliases=("信用代码", "社会信用代码", "统一信用代码"),
                note=_("18 位，可以不填"),
                width=22,
            ),
            Column("address", ADDRESS, aliases=("单位地址", "办公地址", "详细地址"), max_length=200, width=24),
            Column(
                "duty",
                DUTY,
                aliases=("职责", "单位职责", "职能", "主要职能"),
                max_length=300,
                note=_("派单的人据此判断该派给谁"),
                example=_("物业管理、危房鉴定、供暖"),
                width=30,
            ),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        plan = Plan()
        standing = {unit.name: unit for unit in Unit.objects.filter(county=task.where)}
        owners = dict(Unit.objects.exclude(credit_code="").order_by().values_list("credit_code", "name"))
        seen: dict[tuple[str, str], int] = {}
        for record in task.table.records():
            faults = list(record.errors)
            said = _said(record, faults)
            name, code = record.text("name"), said.get("credit_code", "")
            for header, column, value in ((NAME, "name", name), (CODE, "code", code)):
                if value and (first := seen.setdefault((column, value), record.number)) != record.number:
                    faults.append(fault(record.number, header, _("与第 %(row)d 行重复") % {"row": first}, value))
            if code and owners.get(code, name) != name:
                faults.append(fault(record.number, CODE, _("这个代码已登记在别的单位名下，请核对"), code))
            plan.errors += faults
            if not faults:
                self._judge(task, plan, record, said, standing.get(name))
        return plan

    @staticmethod
    def _judge(task: Task, plan: Plan, record: Record, said: dict[str, Any], unit: Unit | None) -> None:
        name = record.text("name")
        if unit is None:
            plan.lines.append(Line(record.number, What.NEW, name, data=NewUnit(name, **said)))
            return
        if not unit.is_active:
            plan.errors.append(fault(record.number, NAME, _("这个单位已停用，请先启用"), name))
            return
        after = Unit(name=name, **{field: said.get(field, getattr(unit, field)) for field in _FIELDS})
        after.domain = said.get("domain", unit.domain_as(after.kind))
        changes = UnitRow().differing(unit, after)
        if not task.update and (words := differs_from_what_stands(changes)):
            plan.errors.append(fault(record.number, changes[0][0], words, changes[0][2]))
            return
        what = What.CHANGED if changes else What.SAME
        plan.lines.append(Line(record.number, what, name, changes, UnitChange(unit, **said)))

    def write(self, task: Task, plan: Plan) -> None:
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        create_units(actor=task.actor, county=task.where, rows=new)
        update_units(actor=task.actor, rows=changed)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(NAME),
            LedgerColumn(SHORT, "centre"),
            LedgerColumn(KIND, "centre"),
            LedgerColumn(DOMAIN, "centre"),
            LedgerColumn(CODE, "centre"),
            LedgerColumn(ADDRESS),
            LedgerColumn(DUTY),
            LedgerColumn(_("联络员和工作人员"), "right", total=True),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        people = Count("memberships", filter=current(prefix="memberships__"), distinct=True)
        done = 0
        for some in batches(ids, BATCH):
            rows: dict[int, Any] = Unit.objects.visible_to(actor).annotate(people=people).in_bulk(some)
            for unit in (rows[pk] for pk in some if pk in rows):
                yield unit.name, *UnitRow().cells(unit), unit.people, _("在用") if unit.is_active else _("停用")
            done += len(some)
            progress(done, len(ids))


def _said(record: Record, faults: list[Any]) -> dict[str, Any]:
    """What the cells say of the unit; an empty one says nothing."""
    said: dict[str, Any] = {field: text for field in _FIELDS if (text := record.text(field))}
    if "kind" in said:
        said["kind"] = next(value for value, label in UnitKind.choices if str(label) == said["kind"])
    if "domain" in said:
        said["domain"] = domain_of(said["domain"])
    if "credit_code" in said:
        try:
            said["credit_code"] = parse_uscc(said["credit_code"])
        except Invalid as error:
            faults.append(fault(record.number, CODE, error.message, said["credit_code"]))
    return said
