"""The place of a row: one column that says it all, or a column for each level, as offices keep their lists."""

from collections.abc import Iterable, Sequence

from core.spreadsheets import Column
from core.spreadsheets.columns import Record
from grids.levels import words_of
from grids.models import County, Level
from grids.places import FREE, Words

# What people write where there is nothing to say.
_NOTHING = frozenset(["/", "-", "—", "——", "\\", "无", "无此项"])
_PREFIX = "level_"


class PlaceColumns:
    """The columns of a row's place: `place`, and one for each of the county's levels, read where the file has them."""

    def __init__(self, county: County, place: Column) -> None:
        self.place = place
        self.levels = list(Level.objects.filter(county=county))

    def columns(self) -> Sequence[Column]:
        return (self.place, *(self._column(level) for level in self.levels))

    def read(self, record: Record) -> Words:
        """What the row says of its place, for `grids.places.find_places`; empty when it says nothing."""
        found = [(level.key, record.text(_PREFIX + level.key)) for level in self.levels]
        found.append((FREE, record.text(self.place.name)))
        return tuple((key, text) for key, text in found if text and text not in _NOTHING)

    def column(self, words: Words) -> str:
        """The name of the column in which a row's place ends, for a fault."""
        key = words[-1][0] if words else FREE
        return self.place.name if key == FREE else _PREFIX + key

    def _column(self, level: Level) -> Column:
        words = words_of(level)
        return Column(
            _PREFIX + level.key,
            level.name,
            aliases=tuple(_also(words)),
            max_length=self.place.max_length,
            offered=False,
        )


def _also(words: Iterable[str]) -> Iterable[str]:
    for word in words:
        yield word
        yield f"所在{word}"
        yield f"所属{word}"
        yield f"{word}名称"
        yield f"包联{word}"
        yield f"包抓{word}"
