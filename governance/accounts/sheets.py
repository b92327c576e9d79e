"""The three tables by which people come in many at once: what each is called, needs and offers. Data for templates
and imports alike."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies
from core.actors import SYSTEM, Actor
from core.errors import NotFound
from core.spreadsheets import Column, write_template
from grids.models import County, Level
from grids.posts import COUNTY, MANAGE_ACCOUNT, MANAGE_APPOINTMENT, POSTS
from partybuilding.models import UnitRole
from partybuilding.posts import MANAGE_MEMBER, MANAGE_UNIT

CADRES, LIAISONS, MEMBERS = "cadres", "liaisons", "members"
YES, NO = "是", "否"


@dataclass(frozen=True)
class Sheet:
    """A table of people. `right` is needed in the county besides `account.manage`."""

    key: str
    label: Promise | str
    right: str


SHEETS: dict[str, Sheet] = {
    sheet.key: sheet
    for sheet in (
        Sheet(CADRES, gettext_lazy("干部和网格人员"), MANAGE_APPOINTMENT),
        Sheet(LIAISONS, gettext_lazy("单位联络员和工作人员"), MANAGE_UNIT),
        Sheet(MEMBERS, gettext_lazy("党员"), MANAGE_MEMBER),
    )
}


def sheet_of(key: str) -> Sheet:
    """Raises NotFound for a table there is none of."""
    if key not in SHEETS:
        raise NotFound(_("没有这种导入表格。"))
    return SHEETS[key]


def require(actor: Actor, county: County, sheet: Sheet) -> None:
    """Raises NotFound or Forbidden unless the actor makes accounts in the county and keeps what the table is about."""
    if actor is SYSTEM:
        return
    for right in (MANAGE_ACCOUNT, sheet.right):
        policies.require(actor, right, county)


def posts_of(county: County) -> dict[str, str]:
    """Label -> key of the posts the county's levels allow."""
    levels = {COUNTY, *Level.objects.filter(county=county).values_list("key", flat=True)}
    return {str(post.label): post.key for post in POSTS.values() if levels & set(post.levels)}


def columns_of(sheet: Sheet, county: County) -> list[Column]:
    """The table's columns; the posts offered follow the county's levels."""
    person = [
        Column("name", _("姓名"), required=True, max_length=60, example="张三"),
        Column(
            "phone",
            _("手机号码"),
            aliases=("手机", "手机号", "联系电话", "联系方式", "电话"),
            required=True,
            max_length=30,
            note=_("11 位手机号码，就是登录名"),
            example="13800000000",
        ),
    ]
    if sheet.key == CADRES:
        return [*person, *_post_columns(county)]
    unit = Column(
        "unit",
        _("单位"),
        aliases=("单位名称", "所在单位"),
        required=sheet.key == LIAISONS,
        max_length=60,
        note=_("单位全称或简称，要先在“单位”里登记"),
        example="县住建局",
    )
    if sheet.key == LIAISONS:
        roles = tuple(str(label) for label in UnitRole.labels)
        return [*person, unit, Column("role", _("角色"), choices=roles, note=_("不填就是联络员"), example=roles[0])]
    branch = Column("branch", _("支部"), aliases=("党支部", "所在支部"), max_length=100, note=_("要先登记为党组织"))
    account = Column("account", _("开通账号"), choices=(YES, NO), note=_("不填就是开通"), example=YES)
    return [*person, unit, branch, account]


def _post_columns(county: County) -> list[Column]:
    posts = tuple(posts_of(county))
    return [
        Column("post", _("岗位"), required=True, choices=posts, example=posts[-1]),
        Column(
            "place",
            _("任职地"),
            aliases=("任职地点", "网格编码", "位置"),
            max_length=400,
            note=_("街道、社区填名称；更小的填网格编码或完整位置，如“城北街道 · 新民社区 · 和谐小区”；县级岗位不填"),
            example=_("新民社区"),
        ),
        Column("start", _("任职日期"), kind="date", note=_("不填就是今天"), example="2026-03-05"),
    ]


def template_of(sheet: Sheet, county: County) -> bytes:
    """The empty form, as a workbook."""
    notes = [_("已有账号的人只增加这里填的职务，密码不变。")]
    return write_template(columns_of(sheet, county), title=str(sheet.label), notes=notes)
