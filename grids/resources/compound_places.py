"""How a row of a table names its compound: by name with community and street, or by code or whole path."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from core import policies
from core.actors import SYSTEM, Actor
from core.errors import Invalid
from core.spreadsheets import Column
from core.spreadsheets.columns import Record
from grids.compounds import with_profiles
from grids.models import County, GridNode
from grids.naming import steps_of
from grids.places import normal_path
from grids.posts import MANAGE_COMPOUND

BATCH = 300


def place_columns() -> tuple[Column, ...]:
    """The columns that say which compound a row is about."""
    return (
        Column(
            "compound",
            _("小区"),
            aliases=(_("小区名称"), _("小区（院落）"), _("院落"), _("院落名称"), _("网格"), _("网格名称")),
            required=True,
            max_length=400,
            note=_("网格里已有的小区；没有设小区的县填网格"),
            example=_("和谐小区"),
            width=20,
        ),
        Column(
            "community",
            _("社区"),
            aliases=(_("所属社区"), _("社区（村）"), _("社区名称")),
            max_length=60,
            note=_("小区有重名的，填上社区"),
            example=_("新民社区"),
            width=14,
        ),
        Column("street", _("街道"), aliases=(_("街道（镇）"), _("所属街道"), _("镇")), max_length=60, width=14),
        Column(
            "place",
            _("位置或编码"),
            aliases=(_("位置"), _("编码"), _("小区编码"), _("网格编码"), _("完整位置")),
            max_length=400,
            note=_("填了就以它为准；不填按小区和社区的名称找"),
            width=24,
        ),
    )


class Compounds:
    """The compounds that the rows of a table name, read in a few queries.

    Args:
        actor: only compounds where the actor holds `compound.manage` are found: out of scope is like nowhere.
        related: what else is read with each (`select_related` of the model).
    """

    def __init__(self, actor: Actor, county: County, records: Sequence[Record], rows: Any = None) -> None:
        rows = GridNode.objects.all() if rows is None else rows
        rows = rows.filter(with_profiles(), county=county, retired_at__isnull=True)
        if actor is not SYSTEM:
            rows = rows.filter(policies.within(rows.model, actor, MANAGE_COMPOUND))
        self._by_words: dict[str, list[Any]] = {}
        words = {normal_path(record.text(name)) for record in records for name in ("compound", "place")} - {""}
        for some in _batches(words):
            found = rows.filter(Q(name__in=some) | Q(code__in=some) | Q(path__in=some))
            for node in found.select_related("community", "county"):
                for word in {node.name, node.code, node.path}:
                    self._by_words.setdefault(word, []).append(node)

    def of(self, record: Record) -> Any:
        """The compound of a row. Raises Invalid, under the name of the column at fault, when it is not the only one."""
        name, place = normal_path(record.text("compound")), normal_path(record.text("place"))
        if place:
            found = [node for node in self._by_words.get(place, []) if place in (node.code, node.path)]
            if not found:
                raise _not("place", _("没有找到这个小区，或不在您的管辖范围内"))
            if name not in (found[0].name, found[0].code, found[0].path):
                raise _not("compound", _("这个位置是“%(name)s”，与小区名称不一致") % {"name": found[0].name})
            return found[0]
        found = [node for node in self._by_words.get(name, []) if _fits(node, record)]
        if len(found) == 1:
            return found[0]
        if found:
            raise _not("compound", _("有 %(count)d 个小区叫这个名称，请填社区，或填位置、编码") % {"count": len(found)})
        if name in self._by_words:
            raise _not("community", _("这个社区（街道）没有这个小区，请核对"))
        raise _not("compound", _("没有找到这个小区，或不在您的管辖范围内；新小区请先在“网格”里新建"))


def _fits(node: GridNode, record: Record) -> bool:
    steps = steps_of(node.path)
    community = node.community.name if node.community else ""
    return _same(record.text("community"), community) and _same(record.text("street"), steps[0])


def _same(asked: str, name: str) -> bool:
    """Whether a cell may mean the place: 新城 is 新城社区 as well."""
    return not asked or asked == name or (len(asked) > 1 and name in (f"{asked}社区", f"{asked}街道", f"{asked}镇"))


def _not(column: str, message: str) -> Invalid:
    return Invalid(message, fields={column: message})


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    rows = sorted(items)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
