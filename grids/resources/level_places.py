"""Places that a table names level by level, each in a column of its own: 街道 | 社区 | 小区 | 楼栋.

That is how counties' own ledgers look. One more column takes a code or the whole place in words and has the last word.
"""

from collections.abc import Sequence

from django.db.models import Q
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.spreadsheets import Column
from core.spreadsheets.columns import Record
from grids.actions.terms import batches
from grids.models import County, GridNode, Level
from grids.naming import steps_of
from grids.places import places_by_words, why_not

BATCH = 300
PLACE = "place"
# What people call the columns of the levels, beside the county's own name for each.
_ALIASES = {
    "street": ("街道", "镇街", "街镇", "街道（镇）", "所属街道", "乡镇", "镇"),
    "community": ("社区", "社区（村）", "村（社区）", "社区名称", "所属社区", "包联社区", "包抓社区"),
    "sector": ("片区", "片区名称", "所属片区", "包抓片区", "包联片区"),
    "compound": ("小区", "小区名称", "院落", "小区（院落）", "所属小区", "包抓小区", "包联小区"),
    "grid": ("网格", "网格名称", "所属网格", "包抓网格", "包联网格"),
    "building": ("楼栋", "楼栋号", "楼号", "栋号", "幢号", "楼栋名称", "包联楼栋", "包抓楼栋"),
    "unit_entrance": ("单元", "单元号"),
}
# Endings people leave out: 新城 for 新城社区.
_ENDINGS = ("社区", "街道", "镇", "村")


def level_columns(levels: Sequence[Level]) -> tuple[Column, ...]:
    """A column for each level, and the one for the whole place."""
    columns = tuple(
        Column(f"level_{level.key}", level.name, aliases=_ALIASES.get(level.key, ()), max_length=60, width=14)
        for level in levels
    )
    whole = Column(
        PLACE,
        _("位置或编码"),
        aliases=("位置", "编码", "地点", "地点编码", "完整位置", "网格编码", "包联地点", "包抓地点", "包联对象"),
        max_length=400,
        note=_("填了就以它为准；不填按前面各列的名称找"),
        width=24,
    )
    return (*columns, whole)


class LevelPlaces:
    """The places that the rows of a table name, read in a few queries per some hundred rows.

    Args:
        levels: those of the columns, first to last.
        within: only places of this filter (`policies.within`): what is out of scope is not found, like what is nowhere.
    """

    def __init__(
        self, county: County, records: Sequence[Record], levels: Sequence[Level], *, within: Q | None = None
    ) -> None:
        self.levels = levels
        self._whole = places_by_words(county, {record.text(PLACE) for record in records}, within=within)
        wanted: dict[int, set[str]] = {}
        for record in records:
            steps = self._steps(record)
            if steps and not record.text(PLACE):
                level, name = steps[-1]
                wanted.setdefault(level.pk, set()).update(_names(name))
        self._found: dict[tuple[int, str], list[GridNode]] = {}
        for level_id, names in wanted.items():
            for some in batches(sorted(names), BATCH):
                nodes = GridNode.objects.standing().filter(county=county, level_type=level_id, name__in=some)
                if within is not None:
                    nodes = nodes.filter(within)
                for node in nodes.select_related("level_type", "county"):
                    self._found.setdefault((level_id, node.name), []).append(node)

    def of(self, record: Record) -> GridNode:
        """The place of a row. Raises Invalid, under the name of the column at fault, when it is not the only one."""
        whole = record.text(PLACE)
        if whole:
            found = self._whole.get(whole, [])
            if why := why_not(found):
                raise Invalid(why, fields={PLACE: why})
            return found[0]
        steps = self._steps(record)
        if not steps:
            raise _not(PLACE, _("请填写地点：在社区、小区等各列填名称，或在这一列填编码"))
        level, name = steps[-1]
        column = f"level_{level.key}"
        named = [node for word in _names(name) for node in self._found.get((level.pk, word), [])]
        found = [node for node in named if _lies_in(node, steps[:-1])]
        if len(found) == 1:
            return found[0]
        if found:
            words = _("有 %(count)d 处叫这个名称，请把上级也填上，或填编码")
            raise _not(column, words % {"count": len(found)})
        if named:
            raise _not(f"level_{steps[-2][0].key}", _("这里没有“%(name)s”，请核对") % {"name": name})
        raise _not(column, _("没有找到这个地方，或不在您的管辖范围内"))

    def _steps(self, record: Record) -> list[tuple[Level, str]]:
        """The levels that a row fills, with the names."""
        cells = [(level, record.text(f"level_{level.key}")) for level in self.levels]
        return [(level, text) for level, text in cells if text]


def _names(text: str) -> list[str]:
    return [text, *(text + ending for ending in _ENDINGS if not text.endswith(ending))] if len(text) > 1 else [text]


def _lies_in(node: GridNode, steps: Sequence[tuple[Level, str]]) -> bool:
    above = steps_of(node.path)[:-1]
    return all(any(name in above for name in _names(text)) for _level, text in steps)


def _not(column: str, message: str) -> Invalid:
    return Invalid(message, fields={column: message})
