"""The columns of the table of check-ins. Their headers are part of the format; aliases are what counties' own files say."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids.models import County
from grids.resources.places import PlaceColumns
from services.models import CheckInRole

UNIT, PLACE, ROLE, START, UNTIL, END = "报到单位", "报到地", "角色", "报到日期", "协议到期", "结束日期"
BRINGS = "带来的资源和服务"
UNIT_LIAISON, UNIT_PHONE = "单位联络员", "单位联络员手机"
COMMUNITY_LIAISON, COMMUNITY_PHONE = "社区联络员", "社区联络员手机"
LEAD, SUPPORTING = (str(role.label) for role in CheckInRole)
ROLES = {str(role.label): str(role.value) for role in CheckInRole}
_ROLE_WORDS = {
    **dict.fromkeys(("牵头", "牵头部门", "牵头报到单位", "主", "包抓单位"), LEAD),
    **dict.fromkeys(("配合", "配合部门", "参与单位", "成员单位", "协助单位", "协助"), SUPPORTING),
}


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("报到地点", "报到社区", "报到处", "地点", "位置", "编码", "地点编码", "完整位置", "联系社区"),
            max_length=400,
            note=_("社区、片区、小区：位置或编码；也可以按街道、社区、小区分列填"),
            example="东关社区",
            width=24,
        ),
    )


def columns(places: PlaceColumns) -> Sequence[Column]:
    return (
        Column(
            "unit",
            UNIT,
            aliases=("单位", "单位名称", "驻区单位", "共建单位", "联系单位", "部门", "单位全称"),
            required=True,
            max_length=60,
            note=_("单位的全称或简称，要先登记单位"),
            example="县住房和城乡建设局",
            width=28,
        ),
        *places.columns(),
        Column(
            "role",
            ROLE,
            aliases=("单位角色", "牵头或配合", "类型", "类别", "身份", "报到角色"),
            choices=(LEAD, SUPPORTING),
            synonyms=_ROLE_WORDS,
            note=_("不填就是%(role)s") % {"role": SUPPORTING},
            example=LEAD,
            width=12,
        ),
        Column(
            "start",
            START,
            aliases=("报到时间", "开始日期", "起始日期", "签约日期", "报到登记日期"),
            kind="date",
            note=_("不填就是今天"),
            example="2026-03-05",
            width=14,
        ),
        Column(
            "until",
            UNTIL,
            aliases=("协议到期日", "到期日期", "协议期限至", "有效期至", "协议截止日期"),
            kind="date",
            note=_("不定期的不填"),
            example="2028-03-05",
            width=14,
        ),
        Column(
            "brings",
            BRINGS,
            aliases=("资源和服务", "带来的资源", "资源", "服务内容", "共建内容", "可提供的资源"),
            kind="text",
            max_length=500,
            example=_("会议室一间，周末开放；志愿者 10 名"),
            width=36,
        ),
        Column(
            "unit_liaison",
            UNIT_LIAISON,
            aliases=("单位联系人", "联络员", "联系人", "单位联络人"),
            max_length=60,
            note=_("要已登记为这个单位的联络员"),
        ),
        Column(
            "unit_phone",
            UNIT_PHONE,
            aliases=("联络员手机", "联系电话", "联络员电话", "单位联络员电话", "联系方式"),
            max_length=30,
            note=_("有同名的人时要填"),
            width=16,
        ),
        Column(
            "community_liaison",
            COMMUNITY_LIAISON,
            aliases=("社区联系人", "社区联络人"),
            max_length=60,
            note=_("要在这个社区任职"),
        ),
        Column(
            "community_phone",
            COMMUNITY_PHONE,
            aliases=("社区联络员电话", "社区联系电话"),
            max_length=30,
            note=_("有同名的人时要填"),
            width=16,
        ),
        Column(
            "end",
            END,
            aliases=("结束时间", "终止日期", "撤销日期"),
            kind="date",
            note=_("还在报到的不填"),
            width=14,
        ),
    )
