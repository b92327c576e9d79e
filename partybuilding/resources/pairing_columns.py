"""The columns of the table of pairings. Their headers are part of the format; aliases are what counties' own files say."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids.models import County
from grids.resources.places import PlaceColumns
from partybuilding.models import PairingKind

KIND, PLACE, UNIT, NAME, PHONE = "包联类型", "地点", "单位", "姓名", "手机号码"
DUTY, START, END = "包联职责", "开始日期", "结束日期"
_LEADER, _DEPARTMENT, _CADRE = (str(kind.label) for kind in PairingKind)
_KIND_WORDS = {
    **dict.fromkeys(("县级领导", "领导", "领导包联", "县级领导包联社区", "领导包抓", "县级领导包抓"), _LEADER),
    **dict.fromkeys(("部门", "单位", "部门包联", "单位包联", "单位包抓", "部门包抓小区", "部门包抓片区"), _DEPARTMENT),
    **dict.fromkeys(("干部", "干部包抓", "党员干部", "干部包联楼栋", "干部包楼", "包楼干部"), _CADRE),
}


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("包联地点", "包抓地点", "位置", "编码", "地点编码", "完整位置", "包联对象", "包抓对象"),
            max_length=400,
            note=_("社区、小区、网格、楼栋：位置或编码；也可以按街道、社区、小区分列填"),
            example="东关社区和谐小区",
            width=30,
        ),
    )


def columns(places: PlaceColumns) -> Sequence[Column]:
    return (
        Column(
            "kind",
            KIND,
            aliases=("类型", "类别", "包抓类型"),
            choices=tuple(str(kind.label) for kind in PairingKind),
            synonyms=_KIND_WORDS,
            note=_("不填的按地点和包联的人判断"),
            example=_DEPARTMENT,
            width=16,
        ),
        *places.columns(),
        Column(
            "unit",
            UNIT,
            aliases=(
                "包抓单位",
                "包联单位",
                "包联部门",
                "包抓部门",
                "部门",
                "单位名称",
                "责任单位",
                "所在单位",
                "工作单位",
            ),
            max_length=60,
            note=_("部门包抓必填：单位的全称或简称"),
            example="县住房和城乡建设局",
            width=24,
        ),
        Column(
            "name",
            NAME,
            aliases=(
                "包联人",
                "包联领导",
                "包联干部",
                "包抓领导",
                "县级领导",
                "领导姓名",
                "干部姓名",
                "责任人",
                "包抓人",
            ),
            max_length=60,
            note=_("县级领导包联、干部包联必填，要已有账号"),
        ),
        Column(
            "phone",
            PHONE,
            aliases=("手机", "手机号", "电话", "联系电话", "电话号码", "联系方式"),
            max_length=30,
            note=_("有同名的人时必填"),
            width=16,
        ),
        Column(
            "duty",
            DUTY,
            aliases=("职责", "包抓职责", "工作职责", "包联任务", "任务", "包抓任务"),
            max_length=200,
            example=_("牵头整治停车、充电"),
            width=30,
        ),
        Column(
            "start",
            START,
            aliases=("起始日期", "开始时间", "包联时间", "包抓时间", "起始时间"),
            kind="date",
            note=_("不填就是今天"),
            example="2026-03-05",
            width=14,
        ),
        Column(
            "end",
            END,
            aliases=("截止日期", "结束时间", "截止时间"),
            kind="date",
            note=_("还在包联的不填"),
            width=14,
        ),
    )
