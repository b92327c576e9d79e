"""The two shapes in which counties keep their trees, as columns.

Long: a row says its level, its name and what it hangs on. Wide: a row is a path, with a column for each level; what else
stands in it belongs to the last level that is filled.
"""

from collections.abc import Iterable, Iterator, Sequence

from django.utils.translation import gettext as _

from core.spreadsheets import Column
from grids import naming
from grids.levels import words_of
from grids.models import Level, NodeKind

LEVEL, CODE_OF = "level:", "code:"
# Where people number these, the number is a code; a building's or a stairwell's number is its name.
_NUMBERED = (naming.STREET, naming.COMMUNITY, naming.GRID)


def long_columns(levels: Sequence[Level]) -> list[Column]:
    street, community = (
        next(level for level in levels if level.key == key) for key in (naming.STREET, naming.COMMUNITY)
    )
    return [
        Column(
            "level",
            _("层级"),
            aliases=(_("层级名称"), _("级别"), _("网格层级"), _("层级类型"), _("节点层级"), _("所属层级"), _("级次")),
            required=True,
            choices=tuple(level.name for level in levels),
            synonyms={word: level.name for level in reversed(levels) for word in words_of(level)},
            note=_("这个地点是哪一级。"),
            example=levels[min(2, len(levels) - 1)].name,
        ),
        Column(
            "name",
            _("名称"),
            aliases=(_("地点名称"), _("节点名称"), _("网格名称"), _("地点"), _("名字")),
            required=True,
            max_length=naming.NAME_LENGTH,
            note=_("只写这一级自己的名称，例如 3 号楼，不写前面的小区。"),
            example=_("第一网格"),
        ),
        Column(
            "parent",
            _("上级"),
            aliases=(_("上级名称"), _("上级网格"), _("上级节点"), _("所属上级"), _("父级"), _("父级名称"), _("隶属")),
            max_length=naming.PATH_LENGTH,
            note=_("直接上级的编码、完整位置或名称。同名的有几处时，请填编码或完整位置。街道不填。"),
            example=_("城北街道 · 新民社区"),
        ),
        Column(
            "parent_code",
            _("上级编码"),
            aliases=(
                _("上级代码"),
                _("上级编号"),
                _("上级网格编码"),
                _("上级区划代码"),
                _("父级编码"),
                _("父编码"),
                _("上级ID"),
            ),
            max_length=naming.CODE_LENGTH,
            note=_("与“上级”填一个就行：直接上级在本表或系统里的编码。"),
        ),
        Column(
            "parent_path",
            _("上级位置"),
            aliases=(_("上级路径"), _("上级全称"), _("上级完整位置"), _("所属位置")),
            max_length=naming.PATH_LENGTH,
            note=_("与“上级”填一个就行：从街道写起，用“ · ”或“/”隔开。"),
        ),
        *_facts(),
        Column(
            "street",
            _("所属街道"),
            aliases=tuple(_belonging(words_of(street))),
            max_length=naming.NAME_LENGTH,
            note=_("上级的名称不止一处时，帮助分清是哪一处。"),
        ),
        Column(
            "community",
            _("所属社区"),
            aliases=tuple(_belonging(words_of(community))),
            max_length=naming.NAME_LENGTH,
            note=_("同上。"),
        ),
    ]


def wide_columns(levels: Sequence[Level]) -> list[Column]:
    columns = []
    for level in levels:
        words = words_of(level)
        names = [variant for word in words for variant in (word, f"{word}名称")]
        codes = [variant for word in words for variant in (f"{word}编码", f"{word}代码", f"{word}区划代码")]
        (codes if level.key in _NUMBERED else names).extend(f"{word}编号" for word in words)
        columns.append(
            Column(
                LEVEL + level.key,
                level.name,
                aliases=(*names, *_belonging(words)),
                max_length=naming.NAME_LENGTH,
            )
        )
        columns.append(
            Column(
                CODE_OF + level.key,
                _("%(level)s编码") % {"level": level.name},
                aliases=tuple(codes),
                max_length=naming.CODE_LENGTH,
            )
        )
    return [*columns, *_facts()]


def _belonging(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        yield from (f"所属{word}", f"所在{word}", f"{word}名称")


def _facts() -> list[Column]:
    """What is said of a place beside its name and where it hangs; the same in both shapes."""
    return [
        Column(
            "code",
            _("编码"),
            aliases=(_("代码"), _("编号"), _("网格编码"), _("网格编号"), _("节点编码"), _("地点编码"), "ID"),
            max_length=naming.CODE_LENGTH,
            note=_("街道、社区填区划代码；社区以下可以不填，由系统编排，填了不合编排规则的存为外部编码。"),
        ),
        Column(
            "division",
            _("区划代码"),
            aliases=(_("行政区划代码"), _("统计用区划代码")),
            max_length=naming.CODE_LENGTH,
            note=_("只有街道、社区有。与“编码”填一个就行。"),
        ),
        Column(
            "external_code",
            _("外部编码"),
            aliases=(_("外部代码"), _("省级编码"), _("省平台编码"), _("其他编码"), _("原编码")),
            max_length=naming.EXTERNAL_LENGTH,
            note=_("省、市平台的编码，没有就不填。"),
        ),
        Column(
            "kind",
            _("网格类型"),
            aliases=(_("类型"), _("网格种类"), _("网格类别")),
            choices=tuple(str(label) for label in NodeKind.labels),
            synonyms={
                _("基础"): str(NodeKind.BASIC.label),
                _("一般网格"): str(NodeKind.BASIC.label),
                _("普通网格"): str(NodeKind.BASIC.label),
                _("专属"): str(NodeKind.DEDICATED.label),
                _("专项网格"): str(NodeKind.DEDICATED.label),
                _("专业网格"): str(NodeKind.DEDICATED.label),
                _("专用网格"): str(NodeKind.DEDICATED.label),
            },
            note=_("只有网格填。园区、学校、市场等填专属网格，其他不填。"),
        ),
        Column(
            "households",
            _("户数"),
            aliases=(_("总户数"), _("居民户数"), _("住户数"), _("常住户数"), _("家庭户数")),
            note=_("整数。网格以 300 到 500 户为宜，超出只提醒。"),
            example="420",
        ),
        Column(
            "address",
            _("地址"),
            aliases=(_("详细地址"), _("坐落"), _("门牌"), _("门牌地址")),
            max_length=naming.ADDRESS_LENGTH,
            example=_("东风路 8 号"),
        ),
    ]
