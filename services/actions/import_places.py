"""Where a row of a petition desk's table belongs: the place of its community that its text names or begins with, and
whether it speaks of another community of the county.

Everything is looked up once per table (two statements); a row costs none.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from itertools import chain, combinations

from grids.models import GridNode
from grids.naming import COMMUNITY, SEPARATOR, steps_of

# What people put between the steps of a place, or leave out; between two digits it means something (1-2 号楼).
_BETWEEN = re.compile(r"(?<!\d)[\s·・•、,/\\|>_\-]+|[\s·・•、,/\\|>_\-]+(?!\d)")
# One building, three words.
_BUILDING = re.compile(r"(?<=\d)(?:栋|幢)")
# A name that goes on like this is a road's: 和谐路 is not in 和谐, 李村路 not in 李村. 路灯 and 路口 are.
_ROAD = re.compile(r"(?:路|街|巷|大道|大街)(?![灯口面边])")
# Shorter names of places begin too many other words; those of communities end in 社区 or 村.
_SHORTEST, _SHORTEST_COMMUNITY = 3, 2
# Province and city stand before the county's name, and are nobody's question here.
_BEFORE_COUNTY = 15
_COMPOUND = "小区"
_OFFICE = re.compile(r"(?:社区|村)?(?:居民委员会|村民委员会|居委会|村委会)$")
_KIND = re.compile(r"(?:社区|村)$")


class Placed(StrEnum):
    """Where a row was hung."""

    FOUND = "found"
    PARTLY = "partly"
    NONE = "none"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


@dataclass(frozen=True, slots=True)
class Spot:
    """The node of a row. `other` is the name of the other community of the county that the text begins with; `path` is
    below the community, said only where no more than the beginning of the text was known."""

    node_id: int
    placed: Placed
    path: str = ""
    other: str = ""


class Places:
    """The places of one community, found by name, by code, or by a path however it is written, and by the longest of
    them that a text begins with."""

    def __init__(self, community: GridNode) -> None:
        self.community_id = community.pk
        rows = GridNode.objects.standing().filter(community=community).order_by()
        self._known: dict[str, set[int]] = {}
        self._paths: dict[int, str] = {}
        self._above = len(steps_of(community.path)) - 1
        for pk, name, path, code, external in rows.values_list("pk", "name", "path", "code", "external_code"):
            below = steps_of(path)[self._above :]
            self._paths[pk] = SEPARATOR.join(below[1:])
            steps = [place_key(step) for step in below]
            # Whoever writes an address leaves out what goes without saying: 和谐小区 1 号楼, without the grid between.
            ways = {place_key(way) for way in (name, code, external, path)}
            ways |= {_joined([*chosen, steps[-1]]) for chosen in _some_of(steps[:-1])}
            for way in ways - {""}:
                self._known.setdefault(way, set()).add(pk)
        self._county = place_key(community.county.name)
        self._heads = [place_key(head) for head in steps_of(community.path)[: self._above]]
        self._own = _Names([(community.path, community.name)])
        self._name = place_key(community.name)
        for way in self._own.full:
            self._known.setdefault(way, {community.pk})
        others = GridNode.objects.standing().at(COMMUNITY).filter(county_id=community.county_id)
        others = others.exclude(pk=community.pk).order_by("path").values_list("path", "name")
        # A namesake in another street is told by its street.
        self._others = _Names((path, path if name == community.name else name) for path, name in others)
        self._seen: dict[str, Spot] = {}

    def find(self, text: str) -> Spot:
        """The node that the text names, if it names exactly one, or begins with; else the community."""
        key = self._inside(place_key(text))
        if key not in self._seen:
            self._seen[key] = self._find(key)
        return self._seen[key]

    def other(self, text: str) -> str | None:
        """What a column for the community says: "" for this one (or nothing), the name of another one of the county,
        None when it is none of them."""
        key = self._inside(place_key(text))
        if not self._below(key) or key in self._own.full:
            return ""
        if key in self._others.full:
            return self._others.full[key]
        short = _stem(key)
        if short in self._own.short:
            return ""
        if short in self._others.short:
            return self._others.short[short]
        if other := self._find(key).other:
            return other
        return "" if self._below(key).startswith(self._name) else None

    def _find(self, key: str) -> Spot:
        if not key:
            return Spot(self.community_id, Placed.NONE)
        rest = self._below(key)
        found = self._known.get(key) or self._known.get(rest)
        if found:
            return self._spot(found, Placed.FOUND)
        own = next((cut for cut in _cuts(rest) if rest[:cut] in self._known), 0)
        other = next((cut for cut in _cuts(key, _SHORTEST_COMMUNITY) if key[:cut] in self._others.full), 0)
        end = len(key) - len(rest) + own if own else 0
        if other > end:
            return Spot(self.community_id, Placed.UNKNOWN, other=self._others.full[key[:other]])
        if not own:
            return Spot(self.community_id, Placed.UNKNOWN)
        if key.startswith(_COMPOUND, end):
            # 采薇家园小区 3 栋 is in 采薇家园.
            return self._find(key[:end] + key[end + len(_COMPOUND) :])
        return self._spot(self._known[rest[:own]], Placed.PARTLY)

    def _spot(self, found: set[int], placed: Placed) -> Spot:
        if len(found) > 1:
            return Spot(self.community_id, Placed.AMBIGUOUS)
        node_id = next(iter(found))
        if placed is Placed.FOUND:
            return Spot(node_id, placed)
        if node_id == self.community_id:
            # Its own name says nothing that was not known.
            return Spot(node_id, Placed.UNKNOWN)
        return Spot(node_id, placed, path=self._paths[node_id])

    def _inside(self, key: str) -> str:
        """A key from the county on."""
        at = key.find(self._county, 0, _BEFORE_COUNTY + len(self._county))
        return key if at < 0 else key[at + len(self._county) :]

    def _below(self, key: str) -> str:
        """A key without what stands above the community."""
        for head in self._heads:
            key = key.removeprefix(head)
        return key


class _Names:
    """How communities may be called: key -> what to call them in a sentence. `short` is without 社区 or 村, and only for
    a cell that holds nothing else; a name in full goes before it, since 东关村 and 东关社区 may be two."""

    def __init__(self, paths: Iterable[tuple[str, str]]) -> None:
        self.full: dict[str, str] = {}
        self.short: dict[str, str] = {}
        for path, shown in paths:
            steps = [place_key(step) for step in steps_of(path)]
            for way in (_joined(steps), steps[-1]):
                self.full.setdefault(way if _KIND.search(way) else f"{way}社区", shown)
                self.short.setdefault(_stem(way), shown)


def _stem(key: str) -> str:
    """新民社区居委会, 新民社区 and 新民 are one."""
    return _KIND.sub("", _OFFICE.sub("", key)) or key


@lru_cache(maxsize=20_000)
def place_key(text: str) -> str:
    """What the ways of writing a place have in common: １号楼, 1 号楼, 1号楼 and 1 栋 are one."""
    return _BUILDING.sub("号楼", _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).casefold())


def _cuts(key: str, shortest: int = _SHORTEST) -> Iterator[int]:
    """Where a key may be cut so that a name ends there, the longest beginning first."""
    for cut in range(len(key), shortest - 1, -1):
        beginning, rest = key[:cut], key[cut:]
        if rest and ((beginning[-1].isdigit() and rest[0].isdigit()) or _ROAD.match(rest)):
            continue
        # A code is known as a whole or not at all.
        if not beginning.isascii():
            yield cut


def _joined(keys: Sequence[str]) -> str:
    """Keys of steps as one, kept apart where two numbers would run together."""
    return _BETWEEN.sub("", SEPARATOR.strip().join(keys))


def _some_of(steps: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of steps, in their order; a place has few (32 for a floor of a stairwell)."""
    return chain.from_iterable(combinations(steps, count) for count in range(len(steps) + 1))
