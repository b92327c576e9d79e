"""What units offer to the community that is shown, and runs of matching. Made up; the lists of 镇赉 are elsewhere."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.actors import SYSTEM
from core.errors import Invalid
from core.periods import day_start
from grids.models import County, GridNode
from partybuilding.models import Unit
from services.actions.matching import run_match
from services.models import Category, MatchRun, Resource, ResourceKind, ResourceState
from services.selectors.matching import matchable


@dataclass(frozen=True)
class Offer:
    """A resource to be. `unit`: by its name; empty for the community's own. `wide`: for the whole street."""

    unit: str
    kind: ResourceKind
    name: str
    text: str
    category: str
    quantity: int
    measure: str
    wide: bool = False


_OFFERS = (
    Offer(
        "县科学技术协会",
        ResourceKind.SERVICE,
        "智能手机课堂",
        "教老人用手机挂号、交费、视频、认证",
        "其他",
        3,
        "场",
        True,
    ),
    Offer(
        "县机关事务服务中心",
        ResourceKind.PLACE,
        "机关院子夜间停车位",
        "晚上七点到早上七点开放停车",
        "停车交通",
        30,
        "个",
    ),
    Offer(
        "县残疾人联合会",
        ResourceKind.SKILL,
        "无障碍改造指导",
        "看现场，定扶手、坡道、卫生间的改法",
        "困难帮扶",
        3,
        "人",
        True,
    ),
    Offer(
        "县城社区卫生服务中心",
        ResourceKind.SERVICE,
        "疫苗接种预约专场",
        "分时段预约，孩子打疫苗不排队",
        "困难帮扶",
        2,
        "场",
    ),
    Offer(
        "县房产服务中心",
        ResourceKind.SKILL,
        "业委会换届指导员",
        "业委会换届、老旧小区改造政策",
        "物业维修",
        2,
        "人",
        True,
    ),
    Offer(
        "县市政园林服务中心",
        ResourceKind.EQUIPMENT,
        "绿化和井盖养护班",
        "修剪种树、更换井盖、修补路面",
        "环境卫生",
        2,
        "班",
        True,
    ),
    Offer(
        "县城市管理局", ResourceKind.PEOPLE, "环境整治志愿者", "清理小广告、楼道杂物、占道摊点", "环境卫生", 20, "人"
    ),
    Offer("县妇女联合会", ResourceKind.PEOPLE, "巾帼志愿者", "定期看望独居老人、照看放学的孩子", "困难帮扶", 12, "人"),
    Offer("县供电公司", ResourceKind.SKILL, "电路检修员", "楼道灯、电表、线路检修", "水电气暖", 4, "人", True),
    Offer(
        "县人民法院",
        ResourceKind.SERVICE,
        "邻里纠纷调解",
        "噪音、漏水、油烟的调解和法律咨询",
        "邻里纠纷",
        4,
        "场",
        True,
    ),
    Offer("", ResourceKind.MONEY, "社区微改造资金", "坡道、扶手、地垫、健身器材的小修小补", "物业维修", 20000, "元"),
    Offer("", ResourceKind.PLACE, "三楼会议室", "可坐六十人，周末也开", "", 1, "间"),
)


def offer_resources(
    community: GridNode, units: Sequence[Unit], categories: Mapping[str, Category], day: datetime.date
) -> list[Resource]:
    """Writes what can be used in the community that is shown, checked a month before the sample's day."""
    by_name = {unit.name: unit for unit in units}
    checked = day - datetime.timedelta(days=30)
    return Resource.objects.bulk_create(
        Resource(
            county_id=community.county_id,
            unit=by_name.get(offer.unit),
            node=community.parent if offer.wide else community,
            kind=offer.kind,
            category=categories.get(offer.category),
            name=offer.name,
            text=offer.text,
            quantity=offer.quantity,
            measure=offer.measure,
            start=checked,
            checked_on=checked,
            state=ResourceState.AVAILABLE,
        )
        for offer in _OFFERS
        if not offer.unit or offer.unit in by_name
    )


def match_lists(community: GridNode, day: datetime.date) -> list[MatchRun]:
    """A run of matching on the afternoon before the sample's day; none where nothing waits or nothing is on offer."""
    try:
        run = run_match(actor=SYSTEM, node=community)
    except Invalid:
        return []
    run.at = day_start(day) - datetime.timedelta(hours=8)
    run.save(update_fields=["at"])
    return [run]


def busiest(county: County, communities: Sequence[GridNode]) -> GridNode:
    """The community of the county where most demands wait."""
    waiting = [row.community_id for row in matchable().filter(county=county).only("community")]
    return max(communities, key=lambda node: waiting.count(node.pk))
