"""Which unit a table means. Names are taken as they stand; what is only like one is asked about, never guessed."""

import re
import unicodedata
from collections import defaultdict

from django.utils.translation import gettext as _
from rapidfuzz import fuzz, process

from core.errors import Invalid
from core.text import split_words
from grids.models import County
from partybuilding.models import Unit

# Alike from here on: one character of a name of five may differ.
_ALIKE = 80
_MOST = 3
_BRACKETS = re.compile(r"[（(].*?[)）]")
_SPACES = re.compile(r"\s+")


class UnitNames:
    """The units of a county by the names people write. One query, however many rows are asked about."""

    def __init__(self, county: County) -> None:
        stem, kind = re.escape(county.name[:-1]), re.escape(county.name[-1:])
        self._prefix = re.compile(f"^(?:中共)?(?:{stem})?(?:{kind}(?:委|人民政府|政府)?)?")
        self._exact: dict[str, list[Unit]] = defaultdict(list)
        self._plain: dict[str, set[Unit]] = defaultdict(set)
        for unit in Unit.objects.filter(county=county):
            for name in {unit.name, unit.short_name} - {""}:
                self._exact[_SPACES.sub("", name)].append(unit)
                self._plain[self._core(name)].add(unit)

    def find(self, written: str, *, field: str = "unit") -> Unit:
        """The unit in use of that full or short name; spaces are no difference.

        Raises Invalid under `field`, with the names that come nearest: there is none, it is out of use, or several.
        """
        found = self._exact.get(_SPACES.sub("", written), [])
        if len(found) == 1:
            if not found[0].is_active:
                raise self._refuse(_("“%(name)s”已停用，请先启用。") % {"name": written}, field)
            return found[0]
        if found:
            names = _("、").join(unit.name for unit in found)
            raise self._refuse(
                _("有几个单位叫“%(name)s”：%(names)s。请写全称。") % {"name": written, "names": names}, field
            )
        near = self.near(written)
        if near:
            names = _("、").join(f"“{unit.name}”" for unit in near)
            raise self._refuse(
                _("没有登记“%(name)s”，是不是%(names)s？请按登记的名称填写。") % {"name": written, "names": names},
                field,
            )
        raise self._refuse(_("没有登记“%(name)s”这个单位，请核对名称，或先登记单位。") % {"name": written}, field)

    def several(self, written: str, *, field: str = "units") -> list[Unit]:
        """The units of several names in one text, in that order, each once. Raises as `find`, for the first that is none."""
        whole = _SPACES.sub("", written)
        names = [written] if whole in self._exact else split_words(written)
        return list(dict.fromkeys(self.find(name, field=field) for name in names))

    def near(self, written: str) -> list[Unit]:
        """The units in use whose names come nearest, best first; at most three."""
        core = self._core(written)
        same = sorted(self._plain.get(core, ()), key=lambda unit: unit.name)
        hits = process.extract(core, list(self._plain), scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST)
        like = [unit for name, _score, _at in hits for unit in sorted(self._plain[name], key=lambda unit: unit.name)]
        found = dict.fromkeys(unit for unit in (*same, *like) if unit.is_active)
        return list(found)[:_MOST]

    def _core(self, name: str) -> str:
        """A name without what offices write now one way and now another: full width, spaces, brackets, the county."""
        plain = _SPACES.sub("", _BRACKETS.sub("", unicodedata.normalize("NFKC", name))).casefold()
        rest = self._prefix.sub("", plain, count=1)
        return rest if len(rest) > 1 else plain

    @staticmethod
    def _refuse(message: str, field: str) -> Invalid:
        return Invalid(message, fields={field: message})
