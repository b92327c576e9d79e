"""Level presets: which levels a county has, in which order, and who answers for a node of each. Data.

Source: docs/domain.md#levels. A node's child is always of a later level; levels may be skipped, the community may not.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


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
