"""Rules by which the sample's demands find their units, and matters a community must not lead. Made up."""

from dataclasses import dataclass

from core.actors import SYSTEM
from grids.models import County
from partybuilding.models import Unit
from services.actions.routing import create_matter, create_rule
from services.models import Category, OutsideMatter, RoutingRule


@dataclass(frozen=True)
class Way:
    """A rule to be. `unit`: by its name; `becomes`: the category it says instead."""

    name: str
    unit: str = ""
    categories: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    becomes: str = ""


# docs/domain.md#c3: the housing centre for compounds, the bureau of industry for parks.
_WAYS = (
    Way("园区事项", "县科技和工业信息化局", levels=("dedicated",)),
    Way("消防通道算安全隐患", words=("消防通道", "飞线充电", "灭火器"), becomes="安全隐患"),
    Way("安全隐患", "县消防救援大队", ("安全隐患",)),
    Way("停水漏水", "县供水有限责任公司", ("水电气暖",), ("停水", "漏水", "水压", "自来水")),
    Way("停电", "县供电公司", ("水电气暖",), ("停电", "跳闸", "电线")),
    Way("燃气", "县天然气有限公司", ("水电气暖",), ("燃气", "天然气")),
    Way("小区物业", "县房产服务中心", ("物业维修",), levels=("compound",)),
    Way("环境卫生", "县环境卫生服务中心", ("环境卫生",)),
    Way("停车交通", "县公安局交通警察大队", ("停车交通",)),
    Way("邻里纠纷", "县司法局", ("邻里纠纷",)),
    Way("困难帮扶", "县民政局", ("困难帮扶",)),
)
_OUTSIDE = (
    ("违法建设拆除", ("违建", "违章建筑", "私搭乱建")),
    ("燃气安全执法", ("燃气泄漏", "黑气瓶")),
    ("消防安全执法检查", ("消防验收", "消防处罚")),
    ("食品经营许可和处罚", ("无证经营", "食品过期")),
)
_BASIS = "《社区工作事项清单》（示例）"


def write_rules(county: County) -> tuple[list[RoutingRule], list[OutsideMatter]]:
    """Writes those rules whose units and categories the county has, all of them suggesting, and the list of matters."""
    units = {unit.name: unit for unit in Unit.objects.filter(county=county, is_active=True)}
    categories = {row.name: row for row in Category.objects.filter(county=county, is_active=True)}
    rules = [
        create_rule(
            actor=SYSTEM,
            county=county,
            name=way.name,
            unit=units.get(way.unit),
            categories=[categories[name] for name in way.categories],
            words=list(way.words),
            levels=list(way.levels),
            category=categories.get(way.becomes),
        )
        for way in _WAYS
        if (way.unit in units or way.becomes in categories) and set(way.categories) <= set(categories)
    ]
    matters = [
        create_matter(actor=SYSTEM, county=county, name=name, basis=_BASIS, words=list(words))
        for name, words in _OUTSIDE
    ]
    return rules, matters
