"""The columns of the table of party organisations. Their headers are part of the format; aliases are what counties' own
lists say."""

from collections.abc import Sequence

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids.models import County
from grids.resources.places import PlaceColumns
from partybuilding.models import OrganisationKind
from partybuilding.resources.domains import domain_column

NAME, KIND, SUPERIOR, PLACE, UNIT = "党组织名称", "类型", "上级党组织", "所在网格", "所在单位"
SECRETARY, PHONE, FOUNDED = "书记", "书记手机号码", "成立日期"
KIND_OF = {str(kind.label): str(kind) for kind in OrganisationKind}
_WORK, _COMMITTEE, _GENERAL, _BRANCH, _GROUP = KIND_OF
_KIND_WORDS = {
    **dict.fromkeys(("工委", "党的工作委员会", "工作委员会"), _WORK),
    **dict.fromkeys(("基层党委", "社区党委", "党的委员会", "机关党委", "联合党委", "行业党委"), _COMMITTEE),
    **dict.fromkeys(("总支", "党总支部", "总支部", "联合党总支"), _GENERAL),
    **dict.fromkeys(("支部", "基层党支部", "联合党支部", "小区党支部", "网格党支部", "联合支部"), _BRANCH),
    **dict.fromkeys(("小组", "楼栋党小组"), _GROUP),
}


def places_of(county: County) -> PlaceColumns:
    return PlaceColumns(
        county,
        Column(
            "place",
            PLACE,
            aliases=("所在地", "地点", "位置", "所在位置", "所在小区网格", "编码", "地点编码"),
            max_length=400,
            note=_("设在社区、小区、网格的填：位置或编码；也可以按街道、社区、小区分列填"),
            example="东关社区和谐小区",
            width=26,
        ),
    )


def columns(places: PlaceColumns) -> Sequence[Column]:
    return (
        Column(
            "name",
            NAME,
            aliases=("党组织", "党组织全称", "组织名称", "支部名称", "党支部名称", "名称"),
            required=True,
            max_length=100,
            note=_("全称，用它认党组织"),
            example=_("中共东关社区委员会"),
            width=32,
        ),
        Column(
            "kind",
            KIND,
            aliases=("党组织类型", "组织类型", "党组织类别", "组织形式", "类别"),
            choices=tuple(KIND_OF),
            synonyms=_KIND_WORDS,
            note=_("不填的按名称的结尾判断"),
            example=_COMMITTEE,
            width=12,
        ),
        domain_column(_("不填的按所在网格或单位")),
        Column(
            "parent",
            SUPERIOR,
            aliases=("上级组织", "上级", "隶属党组织", "所属党组织", "上级党组织名称", "所属上级党组织"),
            max_length=100,
            note=_("名称；可以是同一张表里的，先后不限"),
            example=_("中共城北街道工作委员会"),
            width=32,
        ),
        *places.columns(),
        Column(
            "unit",
            UNIT,
            aliases=("单位", "依托单位", "单位名称", "所属单位", "设在单位"),
            max_length=60,
            note=_("设在单位的填：单位的全称或简称"),
            width=24,
        ),
        Column(
            "secretary",
            SECRETARY,
            aliases=("书记姓名", "党组织书记", "支部书记", "负责人", "党组织负责人", "党支部书记"),
            max_length=60,
            note=_("要先登记为党员"),
        ),
        Column(
            "phone",
            PHONE,
            aliases=("书记电话", "书记手机", "书记联系电话", "联系电话", "手机号码", "联系方式"),
            max_length=30,
            note=_("有同名的党员时必填"),
            width=16,
        ),
        Column(
            "founded",
            FOUNDED,
            aliases=("成立时间", "组建日期", "组建时间", "建立日期"),
            kind="date",
            example="2021-06-30",
            width=14,
        ),
    )
