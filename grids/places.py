"""Places as people write them in tables: by code, by path, by name."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from grids.models import County, GridNode
from grids.naming import COMMUNITY, SEPARATOR, STREET

BATCH = 300
_BETWEEN = re.compile(r"\s*[·•/／>＞]\s*")


def places_by_words(county: County, words: Iterable[str], *, within: Q | None = None) -> dict[str, list[GridNode]]:
    """Places in use as people write them: by code, by the whole path (with · or /), or by the name of a street or
    community. Several when a name is not the only one.

    Args:
        within: only places of this filter (`policies.within`): what is out of scope is not found, like what is nowhere.
    """
    wanted: dict[str, list[str]] = {}
    for word in words:
        if word:
            wanted.setdefault(normal_path(word), []).append(word)
    found: dict[str, list[GridNode]] = {}
    for some in _batches(wanted):
        named = Q(name__in=some, level_type__key__in=(STREET, COMMUNITY))
        nodes = GridNode.objects.standing().filter(named | Q(code__in=some) | Q(path__in=some), county=county)
        if within is not None:
            nodes = nodes.filter(within)
        for node in nodes.select_related("level_type", "county"):
            keys = {node.code, node.path}
            if node.level_type.key in (STREET, COMMUNITY):
                keys.add(node.name)
            for word in (word for key in keys & wanted.keys() for word in wanted[key]):
                found.setdefault(word, []).append(node)
    return found


def normal_path(word: str) -> str:
    """A place as people write it, with the separators of `GridNode.path`."""
    return SEPARATOR.join(_BETWEEN.split(word.strip()))


def why_not(places: list[GridNode]) -> str:
    """Why a row's place can not be taken, in words; empty when it is the only one."""
    if len(places) == 1:
        return ""
    if places:
        return _("有 %(count)d 处叫这个名称，请填编码或完整位置") % {"count": len(places)}
    return _("没有找到这个地方，或不在您的管辖范围内")


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rows = sorted(items)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
