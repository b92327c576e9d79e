"""The columns of the table of compounds, and the words people write in them. Data."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids.models import FacilityKind
from grids.resources.compound_places import place_columns
from partybuilding.models import BranchSetup, Management, OwnersCommittee

YES, NO = "是", "否"
_YES_WORDS = dict.fromkeys(("有", "√", "✓", "Y", "示范小区", "示范"), YES)
_NO_WORDS = dict.fromkeys(("无", "×", "N", "不是", "非示范"), NO)
_MANAGED, _COMMUNITY, _UNMANAGED = (str(label) for label in Management.labels)
_MANAGEMENT_WORDS = {
    **dict.fromkeys(("有物业", "物业管理", "物业公司管理", "专业物业", "物业小区", "有", "是"), _MANAGED),
    **dict.fromkeys(("社区托管", "社区管理", "社区兜底", "社区物业", "居民自管"), _COMMUNITY),
    **dict.fromkeys(("三无", "无物业", "无物业管理", "无人管理", "弃管", "无", "否"), _UNMANAGED),
}
_NOT_YET, _PREPARING, _FORMED = (str(label) for label in OwnersCommittee.labels)
_COMMITTEE_WORDS = {
    **dict.fromkeys(("有", "是", "成立", "已建立", "已组建"), _FORMED),
    **dict.fromkeys(("筹建", "筹建中", "正在筹备", "筹备"), _PREPARING),
    **dict.fromkeys(("无", "否", "没有", "未组建", "未建立"), _NOT_YET),
}
_SINGLE, _ATTACHED, _MERGED = (str(label) for label in BranchSetup.labels)
_SETUP_WORDS = {
    **dict.fromkeys(("单独组建", "单独", "单建"), _SINGLE),
    **dict.fromkeys(("挂靠组建", "挂靠"), _ATTACHED),
    **dict.fromkeys(("融合组建", "融合", "联合建", "联合组建", "联建"), _MERGED),
}
# What stands behind the number of each kind of facility.
_MEASURES = {
    FacilityKind.LIFT: "部",
    FacilityKind.DOOR_SYSTEM: "套",
    FacilityKind.PARKING: "个",
    FacilityKind.CHARGER: "个",
    FacilityKind.CAMERA: "个",
    FacilityKind.LIGHTING: "盏",
}
_FACILITY_ALIASES = {
    FacilityKind.DOOR_SYSTEM: ("门禁系统", "单元门禁"),
    FacilityKind.CAMERA: ("监控", "监控探头", "监控摄像头"),
    FacilityKind.PARKING: ("车位", "停车位数", "车位数"),
    FacilityKind.LIGHTING: ("路灯", "楼道灯"),
    FacilityKind.ROOM: ("活动室", "党群活动室"),
    FacilityKind.FIRE: ("消防",),
}
# Cells that say "none" where a name is asked for.
NOTHING = {"无", "否", "没有", "-", "—", "/"}

BUILT, HOMES, MANAGEMENT, FIRM, COMMITTEE = "建成年份", "户数", "管理方式", "物业公司", "业委会"
COMMITTEE_ON, BRANCH, SETUP, DEMONSTRATION, NOTE = "业委会成立日期", "党支部", "组建方式", "示范小区", "备注"


def facility(kind: str) -> str:
    """The name of a facility's column."""
    return f"facility_{kind}"


def columns() -> Sequence[Column]:
    return (*place_columns(), *_facts(), *_run_by(), *_facilities(), *_rest())


def _facts() -> tuple[Column, ...]:
    return (
        Column("built_year", BUILT, aliases=("建成时间", "建成年代", "建设年份", "年份", "竣工年份"), example="1998"),
        Column("households", HOMES, aliases=("总户数", "住户数", "居民户数", "小区户数"), example="320"),
    )


def _run_by() -> tuple[Column, ...]:
    return (
        Column(
            "management",
            MANAGEMENT,
            aliases=("管理类型", "物业管理", "物业管理方式", "有无物业", "是否有物业", "小区类型"),
            choices=tuple(map(str, Management.labels)),
            synonyms=_MANAGEMENT_WORDS,
            example=_MANAGED,
            width=14,
        ),
        Column(
            "firm_name",
            FIRM,
            aliases=("物业企业", "物业名称", "物业服务企业", "物业公司名称", "物业"),
            max_length=60,
            note=_("本县已登记为单位的，自动连上"),
            example=_("平安物业公司"),
            width=20,
        ),
        Column(
            "committee",
            COMMITTEE,
            aliases=("业主委员会", "业委会情况", "是否成立业委会", "有无业委会"),
            choices=tuple(map(str, OwnersCommittee.labels)),
            synonyms=_COMMITTEE_WORDS,
            example=_FORMED,
        ),
        Column(
            "committee_on",
            COMMITTEE_ON,
            aliases=("成立日期", "成立时间", "业委会成立时间", "业主委员会成立日期"),
            kind="date",
            example="2026-03-05",
            width=14,
        ),
        Column(
            "branch",
            BRANCH,
            aliases=("小区党支部", "党组织", "小区党组织", "党支部名称", "党组织名称"),
            max_length=100,
            note=_("还没有登记的，由县级管理员导入时一并登记"),
            example=_("和谐小区党支部"),
            width=20,
        ),
        Column(
            "branch_setup",
            SETUP,
            aliases=("支部组建方式", "党支部组建方式", "组建形式", "建立方式"),
            choices=tuple(map(str, BranchSetup.labels)),
            synonyms=_SETUP_WORDS,
            example=_SINGLE,
        ),
    )


def _facilities() -> tuple[Column, ...]:
    found = []
    for kind in FacilityKind:
        label, measure = str(kind.label), _MEASURES.get(kind, "处")
        if kind is FacilityKind.OTHER:
            continue
        aliases: Any = (f"{label}数量", f"{label}数", f"{label}（{measure}）", *_FACILITY_ALIASES.get(kind, ()))
        found.append(Column(facility(kind), label, aliases=aliases, max_length=20, note=_("现有多少%s") % measure))
    return tuple(found)


def _rest() -> tuple[Column, ...]:
    return (
        Column(
            "is_demonstration",
            DEMONSTRATION,
            aliases=("是否示范小区", "示范点", "示范"),
            choices=(YES, NO),
            synonyms=_YES_WORDS | _NO_WORDS,
        ),
        Column("note", NOTE, aliases=("说明", "小区备注"), max_length=500, width=30),
    )
