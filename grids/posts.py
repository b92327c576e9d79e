"""The posts table: what a post is called, at which levels it is held, and what it may do there.

Data, not code: a right holds inside the subtree of the node where the post is held. Higher floors add the rights
of their own matters with `add_rights` from their `apps.py`, so this floor never names a demand.
Source of the nine kinds of people: docs/domain.md#x4; of the member core household: docs/domain.md#c1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from core.notice_words import MANAGE_NOTICE
from core.policies import USE_DESK, USE_MOBILE, VIEW_DASHBOARD
from grids.levels import OWN_KEYS, OWN_POST

COUNTY = "county"

VIEW_NODE = "node.view"
ADD_NODE = "node.add"
MANAGE_NODE = "node.manage"
VIEW_APPOINTMENT = "appointment.view"
MANAGE_APPOINTMENT = "appointment.manage"
VIEW_ACCOUNT = "account.view"
MANAGE_ACCOUNT = "account.manage"
OPEN_ACCOUNT = "account.open"
VIEW_AUDIT = "audit.view"
MANAGE_COUNTY = "county.manage"
VIEW_COMPOUND = "compound.view"
MANAGE_COMPOUND = "compound.manage"
VIEW_CARE = "care.view"
MANAGE_CARE = "care.manage"
REVEAL_CARE = "care.reveal"
ERASE_CARE = "care.erase"
EXPORT_CARE = "care.export"
COUNT_CARE = "care.count"

RIGHT_LABELS: dict[str, Promise | str] = {
    USE_DESK: _("进入干部工作台"),
    USE_MOBILE: _("使用手机页面"),
    VIEW_DASHBOARD: _("查看看板"),
    VIEW_NODE: _("查看网格"),
    ADD_NODE: _("新建网格"),
    MANAGE_NODE: _("维护网格"),
    VIEW_APPOINTMENT: _("查看任职"),
    MANAGE_APPOINTMENT: _("维护任职"),
    VIEW_ACCOUNT: _("查看账号"),
    MANAGE_ACCOUNT: _("管理账号"),
    OPEN_ACCOUNT: _("任命时开通账号"),
    VIEW_AUDIT: _("查看审计"),
    MANAGE_COUNTY: _("维护县级设置"),
    MANAGE_NOTICE: _("维护通知模板和渠道"),
    VIEW_COMPOUND: _("查看小区档案"),
    MANAGE_COMPOUND: _("维护小区档案"),
    VIEW_CARE: _("查看关爱台账"),
    MANAGE_CARE: _("登记关爱台账"),
    REVEAL_CARE: _("查看关爱对象联系方式"),
    ERASE_CARE: _("删除关爱对象"),
    EXPORT_CARE: _("导出关爱台账"),
    COUNT_CARE: _("查看关爱统计"),
}


@dataclass
class Post:
    """A post. `levels` are level keys (or `county`); `rights` grows as higher floors add theirs.

    `below` are rights on what lies below the place but not on the place itself: a community keeps its grids and names
    its keepers, and neither renames itself nor chooses its own secretary.
    """

    key: str
    label: Promise | str
    levels: tuple[str, ...]
    rights: set[str] = field(default_factory=set)
    below: frozenset[str] = frozenset()


_LOOKS = {VIEW_NODE, VIEW_APPOINTMENT, VIEW_COMPOUND}
_CADRE = {USE_DESK, USE_MOBILE, VIEW_DASHBOARD, *_LOOKS}
# Who keeps the tree true from quarter to quarter: the street and the community themselves.
_KEEPS = {ADD_NODE, MANAGE_COMPOUND}
_BELOW = frozenset({MANAGE_NODE, MANAGE_APPOINTMENT, OPEN_ACCOUNT})
# The care ledger is the community's and its keepers'; above, it is figures without persons.
_CARES = {VIEW_CARE, MANAGE_CARE, REVEAL_CARE, COUNT_CARE}
_KEEPER = {USE_MOBILE, VIEW_NODE, VIEW_COMPOUND}

_TABLE = [
    Post("county_department", _("县委组织部"), (COUNTY,), {*_CADRE, COUNT_CARE}),
    Post(
        "county_admin",
        _("县级管理员"),
        (COUNTY,),
        {
            USE_DESK,
            *_LOOKS,
            *_KEEPS,
            MANAGE_NODE,
            MANAGE_APPOINTMENT,
            VIEW_ACCOUNT,
            MANAGE_ACCOUNT,
            MANAGE_COUNTY,
            MANAGE_NOTICE,
        },
    ),
    Post("county_auditor", _("县级审计员"), (COUNTY,), {USE_DESK, VIEW_AUDIT}),
    Post("county_leader", _("县级领导"), (COUNTY,), {*_CADRE, COUNT_CARE}),
    Post("county_officer", _("县级干部"), (COUNTY,), {*_CADRE}),
    Post("street_secretary", _("街道党工委书记"), ("street",), {*_CADRE, *_KEEPS, COUNT_CARE}, _BELOW),
    Post("street_officer", _("街道干部"), ("street",), {*_CADRE, *_KEEPS, COUNT_CARE}, _BELOW),
    Post(
        "community_secretary",
        _("社区党组织书记"),
        ("community",),
        {*_CADRE, *_KEEPS, *_CARES, ERASE_CARE, EXPORT_CARE},
        _BELOW,
    ),
    Post(
        "community_officer",
        _("社区“两委”干部"),
        ("community",),
        {*_CADRE, *_KEEPS, *_CARES, ERASE_CARE, EXPORT_CARE},
        _BELOW,
    ),
    Post("community_team_lead", _("社区工作队队长"), ("community",), {*_CADRE, COUNT_CARE}),
    Post("sector_lead", _("片区长"), ("sector",), {*_KEEPER}),
    Post("compound_lead", _("小区党组织负责人"), ("compound",), {*_KEEPER}),
    Post("property_lead", _("小区物业负责人"), ("compound",), {*_KEEPER}),
    Post("grid_keeper", _("网格员"), ("grid", "sector"), {*_KEEPER, *_CARES}),
    Post("grid_branch_secretary", _("网格（小区）党支部书记"), ("grid", "compound"), {*_KEEPER}),
    Post("building_group_lead", _("楼栋党小组长"), ("building",), {*_KEEPER}),
    Post("building_head", _("楼栋长"), ("building",), {*_KEEPER}),
    Post("entrance_head", _("单元长"), ("unit_entrance",), {*_KEEPER}),
    Post("floor_section_head", _("分楼层长"), ("floor_section",), {*_KEEPER}),
    Post("floor_head", _("楼层长"), ("floor",), {*_KEEPER}),
    Post("core_household", _("党员中心户"), ("core_household",), {*_KEEPER}),
    # Of whatever levels a county made for itself; the county's title for it is the level's (`Level.holder_title`).
    Post(OWN_POST, _("负责人"), OWN_KEYS, {*_KEEPER}),
]

POSTS: dict[str, Post] = {post.key: post for post in _TABLE}


def add_rights(table: Mapping[str, Iterable[str]]) -> None:
    """Adds a higher floor's rights to posts: post key -> rights. A post nobody defined is a programming error."""
    for key, rights in table.items():
        POSTS[key].rights.update(rights)


def post_choices() -> list[tuple[str, str]]:
    return [(post.key, str(post.label)) for post in POSTS.values()]


def posts_at(level_key: str) -> list[Post]:
    """The posts that can be held at a level, in the table's order."""
    return [post for post in POSTS.values() if level_key in post.levels]
