"""The figures the sample must show, each with the row of docs/domain.md it comes from; and how they are spread.

X4 counts heads over all 36 communities of 西乡; the sample compresses them into its 14 urban communities and says so
in `County.note`.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class StreetFacts:
    """A street with its division code (published list of streets) and its urban communities, in the order of codes."""

    code: str
    name: str
    communities: tuple[str, ...]


@dataclass(frozen=True)
class CountyFacts:
    """A sample county.

    Attributes:
        heads: post -> number of people who hold it (source in the comment beside the figures).
        leaders: county leaders who look after communities.
        demands: how many demands the sample raises; invented, unless it is exact.
        alliances: every community has an alliance; else a 大党委 each, and every street a 大工委.
        exact_demands: the number is a published one: no second voices and nothing for the tour on top of it.
        resources, projects: on the lists, with one responsibility to a project; told of the shown community alone
            where there is one.
        paired_grids: into how many grids its units go; 0 where each looks after one place.
    """

    code: str
    name: str
    preset: str
    streets: tuple[StreetFacts, ...]
    heads: dict[str, int]
    units: int
    members: int
    leaders: int
    demands: int
    note: str
    exact_demands: bool = False
    alliances: bool = False
    paired_grids: int = 0
    resources: int = 0
    projects: int = 0


# docs/domain.md#x4, in its order. 36 community teams, 320 community committee members ... 4,144 floor heads.
X4_HEADS = {
    "community_team_lead": 36,
    "community_officer": 320,
    "compound_lead": 226,
    "grid_keeper": 619,
    "building_head": 1502,
    "entrance_head": 2897,
    "floor_section_head": 989,
    "floor_head": 4144,
}

XIXIANG = CountyFacts(
    code="610724",
    name="西乡县",
    preset="xixiang",
    streets=(
        StreetFacts(
            "610724001",
            "城北街道",
            ("东关社区", "北关社区", "北环路社区", "站前社区", "朝阳社区", "滨河社区", "文化路社区"),
        ),
        StreetFacts(
            "610724002",
            "城南街道",
            ("南关社区", "西关社区", "南环路社区", "新民社区", "和平社区", "友谊社区", "学府社区"),
        ),
    ),
    heads=X4_HEADS,
    units=92,  # docs/domain.md#x5
    members=2500,  # docs/domain.md#x5
    leaders=22,  # docs/domain.md#x5
    demands=1150,
    note=(
        "示例县。社区队伍 36 支、社区“两委”干部 320 名、小区党组织负责人 226 名、网格员 619 名、楼栋长 1502 名、"
        "单元长 2897 名、分楼层长 989 名、楼层长 4144 名，报到单位 92 个、党员干部 2500 名，县级领导 22 名包联 14 个社区、单位和干部包联 273 个网格，"
        "取自该县公开报道；"
        "其中的人数原为全县 36 个社区合计，本示例压缩到 2 个街道、14 个城市社区，36 支社区工作队也分在这 14 个社区，"
        "所以网格比报道中包联的 273 个多，多出的在“缺口”里。"
        "街道名称和代码是真实的；除“东关社区”见于报道外，其余社区、小区名称以及人名、电话、需求内容、"
        "办理情况和各项比率均为虚构，与任何单位、个人的实际工作无关。"
    ),
    paired_grids=273,  # docs/domain.md#x5
    resources=26,
    projects=16,
)

# docs/domain.md#z5: 51 managed compounds, 17 of them with a branch; 16 firms, 4 of them with one of their own.
ZHENAN_MANAGED, ZHENAN_MANAGED_BRANCHES = 51, 17
ZHENAN_FIRMS, ZHENAN_FIRM_BRANCHES = 16, 4
# docs/domain.md#z3: 4 lifts, 53 door systems, 80+ cameras, 41 parking spaces; 8 demonstration sites.
ZHENAN_REMEDIATION = {"lift": 4, "door_system": 53, "camera": 86, "parking": 41}
ZHENAN_DEMONSTRATION = 8

# docs/domain.md#z1: 102 units cover 44 sectors of 4 communities.
ZHENAN = CountyFacts(
    code="611025",
    name="镇安县",
    preset="zhenan",
    streets=(StreetFacts("611025001", "永乐街道", ("新城社区", "镇城社区", "和兴社区", "青山社区")),),
    heads={
        "community_team_lead": 4,
        "community_officer": 20,
        "sector_lead": 44,  # docs/domain.md#z1
        # 51 with property management (docs/domain.md#z5) and 24 without.
        "compound_lead": ZHENAN_MANAGED + 24,
        "building_head": 153,
        "entrance_head": 306,
    },
    units=102,  # docs/domain.md#z1
    members=2150,  # docs/domain.md#z1
    leaders=0,
    demands=60,
    note=(
        "示例县（小样本）。102 个单位、44 个片区、4 个城市社区，新城社区 16 个报到单位（8 个牵头、8 个配合）、"
        "318 名报到党员、182 项承诺（完成 109 项，其中新城社区 37 项、完成 27 项）、"
        "51 个有物业的小区（17 个有党支部）、16 家物业企业（4 家有党组织）、"
        "整治数量（电梯 4 部、门禁 53 套、摄像头 80 余个、停车位 41 个）和 8 个示范小区，全县 2150 名参与党员，取自该县公开报道。"
        "“新城社区”“镇城社区”见于报道，其余社区、小区名称以及人名、电话、需求内容和办理情况均为虚构。"
    ),
)

# docs/domain.md#l1 (four lists); 10 community and 121 unit secretaries there. The reports give no heads: these are invented.
ZHENLAI = CountyFacts(
    code="220821",
    name="镇赉县",
    preset="xixiang",
    streets=(
        StreetFacts("220821001", "鹤城街道", ("庆安社区", "文昌社区", "新华社区", "团结社区")),
        StreetFacts("220821002", "镇东街道", ("东苑社区", "建设社区", "迎春社区")),
        StreetFacts("220821003", "赉北街道", ("北湖社区", "安泰社区", "永兴社区")),
    ),
    heads={
        "community_team_lead": 10,
        "community_officer": 40,
        "compound_lead": 40,
        "grid_keeper": 60,
        "building_head": 120,
        "entrance_head": 240,
    },
    units=121,
    members=484,
    leaders=10,  # docs/domain.md#l4: as many standing chairs
    demands=396,  # docs/domain.md#l1
    note=(
        "示例县（小样本）。10 个社区、121 个单位、资源清单 220 项、需求清单 396 项、项目清单 186 项、责任清单 186 项，"
        "取自该县公开报道。街道名称和代码是真实的；“庆安社区”见于报道，其余社区、小区名称以及人名、电话、"
        "各项清单的内容和办理情况均为虚构。"
    ),
    exact_demands=True,
    alliances=True,  # docs/domain.md#l4
    resources=220,  # docs/domain.md#l1
    projects=186,  # docs/domain.md#l1, with 186 responsibilities
)

COUNTIES = (XIXIANG, ZHENAN, ZHENLAI)

# docs/domain.md#z2: 新城社区 has 16 units, 8 of them leading.
XINCHENG_LEAD, XINCHENG_SUPPORTING = 8, 8
# docs/domain.md#z2: of the county's members so many reported there.
XINCHENG_MEMBERS = 318
# docs/domain.md#z1, #z2: promises and those kept, of the county and of 新城社区, and its 40+ joint activities.
ZHENAN_COMMITMENTS, ZHENAN_DONE = 182, 109
XINCHENG_COMMITMENTS, XINCHENG_DONE, XINCHENG_ACTIVITIES = 37, 27, 42

# X4 has 1.4 floors to an entrance, so most entrances are old walk-ups where the entrance head answers for all floors.
# 329 entrances of nine floors have three sections of three floors; one of seven floors has two, of three and four;
# 196 of six floors have a head for each floor and no sections: 329*3+2 = 989, 329*9+7+196*6 = 4,144.
NINE_FLOORS, SEVEN_FLOORS, SIX_FLOORS = 329, 1, 196
