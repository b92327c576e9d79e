"""The post of a row: the county's posts to choose from, and what else people call them in their own lists."""

from collections.abc import Mapping

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids.models import County, Level
from grids.posts import COUNTY, POSTS

# Post -> other words for it. A county's own title (`Level.holder_title`) comes before these.
WORDS: Mapping[str, tuple[str, ...]] = {
    "county_department": ("组织部", "组织部干部"),
    "county_admin": ("管理员", "系统管理员", "平台管理员"),
    "county_auditor": ("审计员",),
    "county_leader": ("县领导", "县级包联领导"),
    "county_officer": ("县直干部", "县级部门干部"),
    "street_secretary": ("街道书记", "党工委书记", "镇党委书记", "乡镇党委书记", "街道党委书记", "街道（镇）党委书记"),
    "street_officer": ("街道工作人员", "镇干部", "镇街干部", "街镇干部", "乡镇干部", "街道（镇）干部"),
    "community_secretary": (
        "社区书记",
        "社区党支部书记",
        "社区党委书记",
        "社区党总支书记",
        "村书记",
        "村党支部书记",
        "社区书记主任",
        "书记",
    ),
    "community_officer": ("社区干部", "社区工作者", "社工", "两委干部", "两委", "社区两委", "社区两委成员", "村干部"),
    "community_team_lead": ("工作队队长", "工作队长", "社区工作队长"),
    "sector_lead": ("片长", "片区负责人", "片区党支部书记"),
    "compound_lead": ("小区长", "小区负责人", "小区书记", "小区党支部书记"),
    "property_lead": ("物业负责人", "物业经理", "物业项目经理"),
    "grid_keeper": ("网格长", "专职网格员", "兼职网格员", "社区网格员", "网格管理员", "综合网格员", "网格负责人"),
    "grid_branch_secretary": ("网格党支部书记", "网格支部书记", "网格书记"),
    "building_group_lead": ("党小组长", "楼栋党小组组长"),
    "building_head": ("楼长", "楼栋负责人", "楼组长", "栋长", "楼宇长", "党员楼栋长"),
    "entrance_head": ("单元负责人", "单元组长", "楼门长", "楼道长"),
    "floor_section_head": ("分层长", "楼层段长"),
    "floor_head": ("层长", "楼层负责人"),
    "core_household": ("中心户", "中心户长", "党员中心户长"),
}


def posts_of(county: County) -> dict[str, str]:
    """Label -> key of the posts the county's levels allow."""
    levels = {COUNTY, *Level.objects.filter(county=county).values_list("key", flat=True)}
    return {str(post.label): post.key for post in POSTS.values() if levels & set(post.levels)}


def post_column(county: County, *, required: bool = True) -> Column:
    """A column for a post, read as one of `posts_of`."""
    offered = posts_of(county)
    labels = {key: label for label, key in offered.items()}
    said = {word: labels[key] for key, words in WORDS.items() if key in labels for word in words}
    levels = Level.objects.filter(county=county).exclude(holder_title="")
    titles = {level.holder_title: labels[level.holder_post] for level in levels if level.holder_post in labels}
    return Column(
        "post",
        _("岗位"),
        aliases=(
            "岗位名称",
            "职务",
            "职务名称",
            "现任职务",
            "担任职务",
            "任职岗位",
            "网格岗位",
            "网格职务",
            "人员类别",
            "人员类型",
            "身份类别",
            "岗位（职务）",
            "岗位/职务",
        ),
        required=required,
        choices=tuple(offered),
        synonyms={**said, **titles},
        example=tuple(offered)[-1],
    )
