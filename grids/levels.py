"""Levels: the presets a county chooses from, what each level is commonly called, and the keys of a county's own.

Source: docs/domain.md#levels. A node's child is always of a later level; levels may be skipped, the community may not.
Rules hang on the key (codes, posts, what lies in a community), the name is the county's: a county renames freely.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from core.spreadsheets.headers import header_key


@dataclass(frozen=True)
class LevelSpec:
    """A level to be: its key (rules hang on it), its name, and the post of who answers for it."""

    key: str
    name: Promise | str
    holder_post: str


@dataclass(frozen=True)
class Preset:
    """A county's levels, first to last."""

    key: str
    name: Promise | str
    levels: tuple[LevelSpec, ...]


STREET = LevelSpec("street", _("街道（镇）"), "street_secretary")
COMMUNITY = LevelSpec("community", _("社区（村）"), "community_secretary")
SECTOR = LevelSpec("sector", _("片区"), "sector_lead")
COMPOUND = LevelSpec("compound", _("小区"), "compound_lead")
GRID = LevelSpec("grid", _("网格"), "grid_keeper")
BUILDING = LevelSpec("building", _("楼栋"), "building_head")
UNIT_ENTRANCE = LevelSpec("unit_entrance", _("单元"), "entrance_head")
FLOOR_SECTION = LevelSpec("floor_section", _("分楼层"), "floor_section_head")
FLOOR = LevelSpec("floor", _("楼层"), "floor_head")
CORE_HOUSEHOLD = LevelSpec("core_household", _("党员中心户"), "core_household")

KNOWN: dict[str, LevelSpec] = {
    spec.key: spec
    for spec in (
        STREET,
        COMMUNITY,
        SECTOR,
        COMPOUND,
        GRID,
        BUILDING,
        UNIT_ENTRANCE,
        FLOOR_SECTION,
        FLOOR,
        CORE_HOUSEHOLD,
    )
}

PRESETS: dict[str, Preset] = {
    preset.key: preset
    for preset in (
        Preset(
            "xixiang",
            _("西乡七级"),
            (STREET, COMMUNITY, COMPOUND, GRID, BUILDING, UNIT_ENTRANCE, FLOOR_SECTION, FLOOR),
        ),
        Preset("zhenan", _("镇安片区"), (STREET, COMMUNITY, SECTOR, COMPOUND, BUILDING, UNIT_ENTRANCE)),
        Preset("chengwu", _("成武五级"), (STREET, COMMUNITY, GRID, BUILDING, CORE_HOUSEHOLD)),
        Preset("standard", _("标准六级"), (STREET, COMMUNITY, GRID, BUILDING, UNIT_ENTRANCE, FLOOR)),
    )
}
# Room between two levels, so that a county can put one of its own in between.
STEP = 10

# A level that is none of the known ones has one of these keys; who answers for its nodes holds `OWN_POST`, whose title
# is the county's own (docs/decisions/0012-levels-of-ones-own.md).
OWN_KEYS = tuple(f"own_{number}" for number in range(1, 10))
OWN_POST = "place_head"
OWN_KIND = _("自定")
# Deeper, and the codes and paths outgrow their columns.
MOST_LEVELS = 12

# What people call the known levels in their own tables, beside the county's name for them.
COMMON_NAMES: dict[str, tuple[str, ...]] = {
    "street": (
        "街道",
        "镇",
        "乡",
        "乡镇",
        "镇街",
        "街镇",
        "镇办",
        "街道（镇）",
        "街道（乡镇）",
        "镇（街道）",
        "乡镇（街道）",
        "街道/镇",
        "镇/街道",
        "街道/乡镇",
        "乡镇/街道",
        "镇（办）",
        "街道办",
        "街道办事处",
    ),
    "community": (
        "社区",
        "村",
        "村居",
        "村社区",
        "社区村",
        "行政村",
        "居委会",
        "社区（村）",
        "村（社区）",
        "村（居）",
        "社区/村",
        "村/社区",
        "社区居委会",
    ),
    "sector": ("片区", "党建片区"),
    "compound": ("小区", "院落", "小区院落", "小区（院落）", "小区/院落", "住宅小区", "居民小区", "家属院"),
    "grid": ("网格", "基础网格", "综合网格"),
    "building": ("楼栋", "楼号", "栋", "栋号", "幢", "幢号", "楼", "楼幢", "楼宇", "楼栋号", "楼栋（幢）"),
    "unit_entrance": ("单元", "单元号", "楼门", "门洞", "楼道"),
    "floor_section": ("分楼层", "楼层段"),
    "floor": ("楼层", "层", "楼层号"),
    "core_household": ("党员中心户", "中心户"),
}


class Named(Protocol):
    """A level as far as words are concerned: `grids.models.Level`, or one that is yet to be."""

    key: str
    name: str


L = TypeVar("L", bound=Named)


def key_of(name: str) -> str:
    """The key of the known level that is commonly called so; empty when none is."""
    wanted = header_key(name)
    return next((key for key, names in COMMON_NAMES.items() if wanted in map(header_key, names)), "")


def words_of(level: Named) -> tuple[str, ...]:
    """What a level is called in tables: as the county calls it, then as anybody does."""
    return (level.name, *(word for word in COMMON_NAMES.get(level.key, ()) if word != level.name))


def by_words(levels: Iterable[L]) -> Mapping[str, L]:
    """Header key of each word for a level -> the level. The county's own name wins over a common one."""
    levels = list(levels)
    found = {header_key(word): level for level in levels for word in COMMON_NAMES.get(level.key, ())}
    return {**found, **{header_key(level.name): level for level in levels}}


class Ordered(Named, Protocol):
    order: int


def why_not_below(level: Ordered, above: Ordered | None, *, in_community: bool) -> str:
    """Why a node of one level can not hang on a node of another, in words; empty when it can.

    Args:
        above: the parent's level; None for the county itself.
        in_community: whether the parent is a community or lies in one.
    """
    if above is None:
        return (
            ""
            if level.key == STREET.key
            else gettext("最上一级只能是街道（镇），“%(level)s”要有上级") % {"level": level.name}
        )
    names = {"level": level.name, "parent": above.name}
    if level.order <= above.order or (level.key == COMMUNITY.key and in_community):
        return gettext("“%(level)s”不能设在“%(parent)s”之下") % names
    if level.key != COMMUNITY.key and not in_community:
        return gettext("“%(level)s”要设在某个社区之下，不能直接设在“%(parent)s”之下") % names
    return ""
