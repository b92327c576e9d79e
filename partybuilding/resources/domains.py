"""The field of party work as a column, for units and party organisations alike (docs/domain.md#p1, #c2)."""

from core.spreadsheets import Column
from partybuilding.models import Domain

DOMAIN = "所属领域"
_LABELS = {str(domain.label): str(domain) for domain in Domain}
# What counties' own lists say for one of the fourteen.
_WORDS = {
    Domain.COMMUNITY: ("社区", "街道", "城市社区", "街道和社区", "农村"),
    Domain.DEPARTMENT: ("机关单位", "党政机关", "机关部门"),
    Domain.INSTITUTION: ("事业",),
    Domain.SCHOOL: ("中小学校", "中小学", "教育", "学校领域"),
    Domain.HOSPITAL: ("公立医院", "卫生", "医疗卫生"),
    Domain.STATE_COMPANY: ("国企", "国有", "国有企业领域"),
    Domain.NON_PUBLIC: ("非公", "非公有制企业", "非公经济组织", "民营企业", "两新"),
    Domain.SOCIAL: ("社会团体", "协会"),
    Domain.INDUSTRY: ("行业协会", "新业态", "新就业群体", "行业党组织"),
    Domain.CHAIN: ("链", "产业链上", "链上"),
    Domain.PARK: ("产业园区", "工业园区", "开发区"),
    Domain.COMPOUND: ("居民小区", "住宅小区"),
    Domain.PROPERTY: ("物业企业", "物业公司", "物业服务企业"),
    Domain.BUILDING: ("商务楼宇", "楼宇商圈", "商圈"),
}


def domain_column(note: str) -> Column:
    return Column(
        "domain",
        DOMAIN,
        aliases=("领域", "党建领域", "所在领域", "领域类别", "领域类型"),
        choices=tuple(_LABELS),
        synonyms={word: str(domain.label) for domain, words in _WORDS.items() for word in words},
        note=note,
        width=14,
    )


def domain_of(words: str) -> str:
    """The value behind one of the column's choices."""
    return _LABELS[words]
