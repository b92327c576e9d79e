"""Places as people write them in tables: by code, by path, by name, or a column for each level; all looked up at once.

    610724001001001                         a code
    城北街道 · 新民社区 · 和谐小区            the whole path, with · / > between
    新民社区和谐小区 2 号楼                   the end of it in one piece, with names left out
    新民社区 | 和谐小区 | 2 | 1              columns 社区, 小区, 楼栋, 单元

Spaces, full-width signs, 第 and Chinese numerals never matter: 第一网格, 1 网格 and １网格 are the same name. What fits
several places is no answer: the person is asked to say more.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from core.periods import date_words
from grids.models import County, GridNode, Level
from grids.naming import COMMUNITY, SEPARATOR, STREET, steps_of

BATCH = 300
# More than so many places of one name are not told apart any more.
MANY = 20

# (level key, what stands in its column), street first; the last key is "" for a place written in one piece.
Words = tuple[tuple[str, str], ...]
FREE = ""

_BETWEEN = re.compile(r"\s*[·•/／>＞]\s*")
_CUT = re.compile(r"[·•/>|\\]+")
_BETWEEN_DIGITS = re.compile(r"(?<=\d)\s+(?=\d)")
_NUMERAL = re.compile("[一二三四五六七八九十]+")
_ORDINAL = re.compile(r"第(?=\d)")
_DIGITS = {sign: number for number, sign in enumerate("一二三四五六七八九", start=1)}
# What a column of a level leaves out, because its header says it.
_FORMS: Mapping[str, tuple[str, ...]] = {
    "street": ("{}街道", "{}镇", "{}乡"),
    "community": ("{}社区", "{}村"),
    "sector": ("{}片区",),
    "compound": ("{}小区",),
    "grid": ("{}网格", "{}号网格"),
    "building": ("{}号楼", "{}栋", "{}幢", "{}号", "{}楼"),
    "unit_entrance": ("{}单元",),
    "floor": ("{}层", "{}楼"),
}


@dataclass
class Found:
    """What the words of a row mean.

    Attributes:
        nodes: the places in use that they fit, no more than `MANY`.
        gone: a place out of use that they mean, when no place in use does.
    """

    words: Words
    nodes: list[GridNode] = field(default_factory=list)
    gone: GridNode | None = None

    @property
    def node(self) -> GridNode | None:
        """The place, when there is no doubt."""
        return self.nodes[0] if len(self.nodes) == 1 else None

    @property
    def fault(self) -> str:
        """Why the row's place can not be taken, in words; empty when it can."""
        if self.gone is not None:
            return _why_gone(self.gone)
        if not self.nodes and len(self.words) > 1:
            said = SEPARATOR.join(text for _key, text in self.words)
            return _("没有找到“%(place)s”，或不在您的管辖范围内") % {"place": said}
        return why_not(self.nodes)


def find_places(county: County, wanted: Iterable[Words], *, within: Q | None = None) -> dict[Words, Found]:
    """The places that words mean. A few queries per some hundred rows, and one walk over the county's places when
    words are left that are neither code nor path.

    Args:
        within: only places of this filter (`policies.within`): what is out of scope is not found, like what is nowhere.
    """
    found = {words: Found(words) for words in wanted if words}
    standing, retired = _nodes(county, within).standing(), _nodes(county, within).filter(retired_at__isnull=False)
    levels = {level.pk: level for level in Level.objects.filter(county=county)}
    hits = _exact(standing, found)
    missing = [words for words in found if words not in hits]
    if missing:
        hits |= _walk(standing, county, levels, missing)
    missing = [words for words in found if words not in hits]
    lost: dict[Words, list[int]] = {}
    if missing and retired.exists():
        lost = _exact(retired, missing)
        lost |= _walk(retired, county, levels, [words for words in missing if words not in lost])
    nodes = _load({pk for pks in (*hits.values(), *lost.values()) for pk in pks})
    for words, pks in hits.items():
        found[words].nodes = [nodes[pk] for pk in pks if pk in nodes]
    for words, pks in lost.items():
        found[words].gone = nodes.get(pks[0])
    return found


def places_by_words(county: County, words: Iterable[str], *, within: Q | None = None) -> dict[str, list[GridNode]]:
    """The places in use that texts mean; several when a text fits more than one. See `find_places`."""
    found = find_places(county, (((FREE, word),) for word in words if word), within=within)
    return {words[0][1]: one.nodes for words, one in found.items() if one.nodes}


def normal_path(word: str) -> str:
    """A place as people write it, with the separators of `GridNode.path`."""
    return SEPARATOR.join(_BETWEEN.split(word.strip()))


def why_not(places: list[GridNode]) -> str:
    """Why a row's place can not be taken, in words; empty when it is the only one."""
    if len(places) == 1:
        return ""
    if len(places) >= MANY:
        return _("有很多处叫这个名称，请填编码或完整位置")
    if places:
        return _("有 %(count)d 处叫这个名称，请填编码或完整位置") % {"count": len(places)}
    return _("没有找到这个地方，或不在您的管辖范围内")


def _why_gone(node: GridNode) -> str:
    assert node.retired_at is not None
    words = {"place": node.path, "day": date_words(node.retired_at)}
    heir = node.successor
    while heir is not None and heir.successor is not None:
        heir = heir.successor
    if heir is None or heir.retired_at is not None:
        return _("“%(place)s”已于%(day)s撤销，请改填现在的地方") % words
    return _("“%(place)s”已于%(day)s撤销，由“%(heir)s”承接，请改填它") % {**words, "heir": heir.path}


def _nodes(county: County, within: Q | None) -> Any:
    nodes = GridNode.objects.filter(county=county)
    return nodes if within is None else nodes.filter(within)


# --- By code, by path, by the name of a street or community -------------------------------------------------------------


def _exact(nodes: QuerySet[GridNode], wanted: Iterable[Words]) -> dict[Words, list[int]]:
    spelt: dict[str, list[Words]] = {}
    for words in wanted:
        spelt.setdefault(normal_path(words[-1][1]), []).append(words)
    hits: dict[Words, list[int]] = {}
    for some in _batches(spelt):
        named = Q(name__in=some, level_type__key__in=(STREET, COMMUNITY))
        rows = nodes.filter(named | Q(code__in=some) | Q(path__in=some))
        for pk, code, path, name, key in rows.values_list("pk", "code", "path", "name", "level_type__key"):
            for words in spelt.get(code, ()):
                hits[words] = [pk]
            for word in {path, name if key in (STREET, COMMUNITY) else path}:
                for words in spelt.get(word, ()):
                    if words[-1][0] in (FREE, key) and _fits(words, [_fold(step) for step in steps_of(path)]):
                        hits.setdefault(words, []).append(pk)
    return hits


# --- By names -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Want:
    """A row's words, ready to be compared with a path: what must stand above the place, and, of a text in one piece, the
    text, which the names of the path must make up from behind, any of those above left out."""

    words: Words
    above: tuple[frozenset[str], ...]
    text: str = ""

    def fits(self, steps: list[str], above: set[str]) -> bool:
        rest = self.text
        for step in reversed(steps) if rest else ():
            rest = rest.removesuffix(step)
        return not rest and all(names & above for names in self.above)


# Level key (or FREE) of the last word, a name well above it, the name next above it (as far as the row says them), and
# the name itself: three names tell most places apart, so that few rows are compared with each place.
_Index = dict[tuple[str, str, str, str], list[_Want]]


def _walk(
    nodes: QuerySet[GridNode], county: County, levels: Mapping[int, Level], wanted: Iterable[Words]
) -> dict[Words, list[int]]:
    """Looks at every place once, and asks of its name and of those above it whether somebody wants them."""
    # Also of places out of use, which may stand above others out of use, or below places in use.
    everywhere = GridNode.objects.filter(county=county).order_by().values_list("name", flat=True).distinct()
    names = {_fold(name) for name in everywhere}
    index = _index(wanted, county, names)
    tops, nexts = {key[1] for key in index}, {key[2] for key in index}
    keys = {pk: level.key for pk, level in levels.items()}
    hits: dict[Words, list[int]] = {}
    for pk, path, level in nodes.order_by().values_list("pk", "path", "level_type_id").iterator(chunk_size=5000):
        steps = [_fold(step) for step in path.split(SEPARATOR)]
        above = set(steps[:-1])
        asked = {
            want
            for top in tops & (above | {""})
            for near in nexts & (above | {""})
            for key in (keys[level], FREE)
            for want in index.get((key, top, near, steps[-1]), ())
        }
        for want in asked:
            seen = hits.setdefault(want.words, [])
            if len(seen) < MANY and want.fits(steps, above):
                seen.append(pk)
    return {words: pks for words, pks in hits.items() if pks}


def _index(wanted: Iterable[Words], county: County, names: Collection[str]) -> _Index:
    longest = max(map(len, names), default=0)
    index: _Index = {}
    for words in wanted:
        parts = _parted(words, county)
        *before, (key, text) = parts
        above = tuple(_spellings(part) for part in before)
        if key == FREE and (not before or before[-1][0] != FREE):
            want = _Want(words, above, text)
            for top, near, name in _cuts(text, names, longest):
                index.setdefault((FREE, top, near, name), []).append(want)
            continue
        want = _Want(words, above)
        nexts = above[-1] if above else frozenset({""})
        for top in _top(before[:-1]):
            for near in nexts:
                for name in _spellings((key, text)):
                    index.setdefault((key, top, near, name), []).append(want)
    return index


def _cuts(text: str, names: Collection[str], longest: int) -> Iterator[tuple[str, str, str]]:
    """How a text in one piece may be made up of names: the first one ("" when there are but two), the last but one and
    the last."""
    for name in _ends(text, names, longest):
        rest = text.removesuffix(name)
        if not rest:
            yield "", "", name
        for near in _ends(rest, names, longest):
            before = rest.removesuffix(near)
            if not before:
                yield "", near, name
            for length in range(1, min(len(before), longest) + 1):
                if before[:length] in names:
                    yield before[:length], near, name


def _ends(text: str, names: Collection[str], longest: int) -> Iterator[str]:
    return (text[-length:] for length in range(1, min(len(text), longest) + 1) if text[-length:] in names)


def _top(above: Sequence[tuple[str, str]]) -> frozenset[str]:
    """The spellings of the word that narrows most, of those above: the community, else what comes after the street."""
    if not above:
        return frozenset({""})
    return _spellings(next((part for part in above if part[0] == COMMUNITY), above[min(1, len(above) - 1)]))


def _parted(words: Words, county: County) -> Words:
    """The words with a text that has separators taken apart, and without the county's own name."""
    key, text = words[-1]
    if key != FREE:
        return words
    parts = _fold(text).removeprefix(_fold(county.name)).strip("/").split("/")
    return (*words[:-1], *((FREE, part) for part in parts if part)) or words


def _fits(words: Words, steps: list[str]) -> bool:
    """Whether everything that the row says besides the last word stands in the path."""
    return all(_spellings(word) & set(steps) for word in words[:-1])


@lru_cache(maxsize=20_000)
def _spellings(word: tuple[str, str]) -> frozenset[str]:
    key, text = word
    return frozenset({_fold(text), *(_fold(form.format(text)) for form in _FORMS.get(key, ()))})


@lru_cache(maxsize=100_000)
def _fold(text: str) -> str:
    """What two ways of writing the same name have in common."""
    text = _BETWEEN_DIGITS.sub("/", unicodedata.normalize("NFKC", text).strip())
    text = _CUT.sub("/", "".join(text.split())).strip("/")
    return _ORDINAL.sub("", _NUMERAL.sub(lambda found: _number(found[0]), text)).casefold()


def _number(signs: str) -> str:
    """十二 is 12, 二十 is 20; signs that make no such number are read one by one."""
    tens, ten, ones = signs.partition("十")
    if not ten or len(tens) > 1 or len(ones) > 1 or "十" in ones:
        return "".join("10" if sign == "十" else str(_DIGITS[sign]) for sign in signs)
    return str((_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0))


def _load(pks: Iterable[int]) -> dict[int, GridNode]:
    nodes: dict[int, GridNode] = {}
    for some in _batches(pks):
        rows = GridNode.objects.select_related("level_type", "county", "successor__successor").filter(pk__in=some)
        nodes.update({node.pk: node for node in rows})
    return nodes


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rows = sorted(items)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
