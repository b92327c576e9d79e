"""The columns of the tables of people, and the words of the three kinds. Data for templates, imports and forms alike."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.errors import NotFound
from core.spreadsheets import Column
from partybuilding.models import UnitRole

CADRES, LIAISONS, MEMBERS = "cadres", "liaisons", "members"
KINDS: Mapping[str, Promise | str] = {
    CADRES: gettext_lazy("干部和网格人员"),
    LIAISONS: gettext_lazy("单位联络员和工作人员"),
    MEMBERS: gettext_lazy("党员"),
}
YES, NO = "是", "否"
# What offices call whoever acts for a unit, beside our two words.
_ROLE_WORDS = {
    **dict.fromkeys(("联系人", "报到联络员", "双报到联络员", "单位联络员", "负责人"), str(UnitRole.LIAISON.label)),
    **dict.fromkeys(("干部", "职工", "一般干部", "单位职工", "队员"), str(UnitRole.STAFF.label)),
}


def require_kind(key: str) -> None:
    """Raises NotFound for a kind of people there is none of."""
    if key not in KINDS:
        raise NotFound(_("没有这种导入表格。"))


def person_columns() -> tuple[Column, Column]:
    return (
        Column(
            "name",
            _("姓名"),
            aliases=(
                "名字",
                "人员姓名",
                "干部姓名",
                "网格员姓名",
                "党员姓名",
                "联络员姓名",
                "联络员",
                "责任人",
                "负责人",
            ),
            required=True,
            max_length=60,
            example="张三",
        ),
        Column(
            "phone",
            _("手机号码"),
            aliases=(
                "手机",
                "手机号",
                "手机电话",
                "移动电话",
                "联系电话",
                "联系方式",
                "联系号码",
                "联系手机",
                "电话",
                "电话号码",
                "本人电话",
            ),
            required=True,
            max_length=30,
            note=_("11 位手机号码，就是登录名"),
            example="13800000000",
        ),
    )


def place_column() -> Column:
    return Column(
        "place",
        _("任职地"),
        aliases=(
            "任职地点",
            "任职单位",
            "网格编码",
            "编码",
            "位置",
            "所在位置",
            "负责区域",
            "责任区域",
            "管辖区域",
            "服务区域",
            "负责范围",
            "管辖范围",
            "责任网格",
            "负责网格",
            "管辖网格",
        ),
        max_length=400,
        note=_(
            "街道、社区填名称；更小的填编码或位置，如“新民社区和谐小区 2 号楼”。也可以分成街道、社区、小区、网格、楼栋、单元、楼层几列。"
            "县级岗位不填"
        ),
        example=_("新民社区"),
    )


def start_column() -> Column:
    return Column(
        "start",
        _("任职日期"),
        aliases=("任职时间", "到岗日期", "到岗时间", "上岗日期", "上岗时间", "聘任日期", "聘用时间"),
        kind="date",
        note=_("不填就是今天"),
        example="2026-03-05",
    )


def unit_column(*, required: bool) -> Column:
    return Column(
        "unit",
        _("单位"),
        aliases=("单位名称", "所在单位", "工作单位", "报到单位", "单位全称"),
        required=required,
        max_length=60,
        note=_("单位全称或简称，要先在“单位”里登记"),
        example="县住建局",
    )


def role_column() -> Column:
    roles = tuple(str(label) for label in UnitRole.labels)
    return Column(
        "role",
        _("角色"),
        aliases=("身份", "人员类别", "类别"),
        choices=roles,
        synonyms=_ROLE_WORDS,
        note=_("不填就是联络员"),
        example=roles[0],
    )


def branch_column() -> Column:
    return Column(
        "branch",
        _("支部"),
        aliases=("党支部", "所在支部", "所在党支部", "所属支部", "所在党组织", "支部名称"),
        max_length=100,
        note=_("要先登记为党组织"),
        example=_("县住建局机关党支部"),
    )


def home_column() -> Column:
    return Column(
        "home",
        _("居住小区"),
        aliases=("小区", "小区名称", "所在小区", "居住地小区", "居住地", "现居住小区", "居住的小区"),
        max_length=400,
        note=_("有同名小区的写上社区，如“新民社区和谐小区”；也可以填编码"),
        example=_("新民社区和谐小区"),
        width=22,
    )


def account_column() -> Column:
    return Column(
        "account",
        _("开通账号"),
        aliases=("是否开通账号", "是否开通"),
        choices=(YES, NO),
        synonyms={"开通": YES, "√": YES, "不开通": NO, "×": NO},
        note=_("不填就是开通"),
        example=YES,
    )
