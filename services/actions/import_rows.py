"""Reading a table of demands for one community: each row becomes a demand in memory, or faults with row and column.

Nothing is written here and no transaction is open: 100,000 rows are a normal table and take their time.
"""

import datetime
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain, combinations
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.spreadsheets import PETITION_DESK, BoundTable, Record, RowError, Table, bind_columns, table_of
from core.text import ellipsis, first_line
from core.uploads import MEGABYTE
from grids.models import GridNode
from grids.naming import SEPARATOR, steps_of
from services.actions.raising import TEXT_LENGTH, TITLE_FROM_TEXT, TITLE_LENGTH
from services.category_words import FALLBACK, guesser
from services.clocks import clock_for
from services.models import Category, Demand, Origin
from services.resources import demands as resources

# What a table may weigh: 100,000 rows of a petition desk, answers included, make some 80 MB of csv.
MAX_BYTES = 200 * MEGABYTE
# A petition has a date and no time; 09:00 is when an office opens.
OPENING = datetime.time(9)
# What people put between the steps of a place, or leave out; between two digits it means something (1-2 号楼).
_BETWEEN = re.compile(r"(?<!\d)[\s·・•、,/\\|>_\-]+|[\s·・•、,/\\|>_\-]+(?!\d)")

Progress = Callable[[int, int], None]
Key = tuple[str, datetime.date | None]


class Placed(StrEnum):
    """Where a row was hung."""

    FOUND = "found"
    NONE = "none"
    UNKNOWN = "unknown"
    AMBIGUOUS = "ambiguous"


@dataclass(slots=True)
class Line:
    """A good row: its number in the sheet, the demand it would become, and how its place was found."""

    number: int
    demand: Demand
    placed: Placed

    @property
    def key(self) -> Key:
        """What makes it the same matter, within its community."""
        return self.demand.external_number, self.demand.external_date


@dataclass
class Reading:
    """A table that has been read.

    Attributes:
        lines: the good rows; errors: what is wrong with the others.
        repeated: rows that say again what another row of the table says.
        masked, shortened, untitled: rows in which numbers were hidden, whose title was shortened, or taken from the text.
        numbers: row of the sheet -> 编号, for the rows with errors.
    """

    content: bytes
    table: Table
    bound: BoundTable
    now: datetime.datetime
    lines: list[Line] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    repeated: int = 0
    masked: int = 0
    shortened: int = 0
    untitled: int = 0
    numbers: dict[int, str] = field(default_factory=dict)

    def blame(self, number: int, external: str, *errors: RowError) -> None:
        self.errors.extend(errors)
        self.numbers[number] = external


def read(*, community: GridNode, content: bytes, filename: str, progress: Progress | None = None) -> Reading:
    """Reads a table completely. Faults of rows are in the answer.

    Raises Invalid or TooLarge when the file as a whole can not be used, among other things for a column that no import
    may carry (core.spreadsheets.forbidden).
    """
    table = table_of(content, filename=filename, columns=resources.columns())
    bound = bind_columns(table, resources.columns(), allowed=PETITION_DESK)
    reading = Reading(content, table, bound, timezone.now())
    _Reader(community, reading).run(progress or (lambda done, total: None))
    return reading


class _Reader:
    """Turns records into lines, one after the other."""

    def __init__(self, community: GridNode, reading: Reading) -> None:
        self.community, self.reading = community, reading
        self.resource = resources.DemandResource()
        self.places = Places(community)
        categories = Category.objects.filter(county_id=community.county_id, is_active=True).order_by("order", "id")
        self.categories = {category.name: category for category in categories}
        if not self.categories:
            raise Invalid(_("本县还没有在用的诉求类别，请联系县管理员先设置类别。"), code="no_category")
        # 其他 stands last; a county that has no such category has its rows in whatever stands there.
        self.last = self.categories.get(FALLBACK) or list(self.categories.values())[-1]
        self.guess = guesser(self.categories)
        clock = clock_for(community.county)
        # The community's time to accept runs from now: a petition of five years ago must not be born late.
        self.step_due_at = clock.workdays(reading.now, clock.limits.accept_workdays)
        self.today = timezone.localdate(reading.now)

    def run(self, progress: Progress) -> None:
        reading, total = self.reading, len(self.reading.table.rows)
        first: dict[Key, Line] = {}
        for done, record in enumerate(reading.bound.records()):
            if not done % 500:
                progress(done, total)
            line = self._line(record)
            if line is None:
                continue
            twin = first.setdefault(line.key, line)
            if twin is line:
                reading.lines.append(line)
            else:
                self._repeated(line, twin)
        progress(total, total)

    def _line(self, record: Record) -> Line | None:
        number, day = record.text("number"), record.day("day")
        errors = list(record.errors)
        if day is not None and day > self.today:
            errors.append(RowError(record.number, self._header("day"), _("日期还没有到，请核对"), f"{day}"))
        title, text = self._words(record, errors)
        if errors:
            self.reading.blame(record.number, number, *errors)
            return None
        assert day is not None
        place = _hidden(record.text("place"))
        node_id, placed = self.places.find(place)
        category = self.categories.get(self.guess(title, text), self.last)
        demand = Demand(
            county_id=self.community.county_id,
            node_id=node_id,
            community_id=self.community.pk,
            category=category,
            urgency=category.urgency,
            origin=Origin.IMPORT,
            registered_at=self._moment(day),
            step_due_at=self.step_due_at,
        )
        row = {
            resources.NUMBER: number,
            resources.DAY: day,
            resources.CHANNEL: record.text("channel"),
            resources.NATURE: record.text("nature"),
            resources.PLACE: place,
            resources.TITLE: title,
            resources.TEXT: text,
        }
        self.resource.import_instance(demand, row)
        return Line(record.number, demand, placed)

    def _words(self, record: Record, errors: list[RowError]) -> tuple[str, str]:
        """Title and text as they are stored: numbers of people hidden, a missing title taken from the text, a long one
        shortened with the whole of it kept in the text."""
        given = record.text("title"), record.text("text")
        title, text = _hidden(given[0]), _hidden(given[1])
        self.reading.masked += (title, text) != given
        if not title:
            self.reading.untitled += bool(text)
            title = first_line(text, TITLE_FROM_TEXT)
        if len(title) > TITLE_LENGTH:
            self.reading.shortened += 1
            if title not in text:
                text = f"{title}\n{text}"
            title = ellipsis(title, TITLE_LENGTH)
            if len(text) > TEXT_LENGTH:
                message = _("标题超过 %(title)d 字，要并入内容，合起来超过 %(text)d 字，请缩短标题或内容") % {
                    "title": TITLE_LENGTH,
                    "text": TEXT_LENGTH,
                }
                errors.append(RowError(record.number, self._header("title"), message, title))
        return title, text

    def _repeated(self, line: Line, twin: Line) -> None:
        differing = self.resource.differing(line.demand, twin.demand)
        if not differing:
            self.reading.repeated += 1
            return
        message = _("与第 %(row)d 行的编号、日期相同，但%(columns)s不同，请核对") % {
            "row": twin.number,
            "columns": "、".join(differing),
        }
        number = line.demand.external_number
        self.reading.blame(line.number, number, RowError(line.number, self._header("number"), message, number))

    def _header(self, name: str) -> str:
        """The column as this file calls it."""
        return self.reading.table.headers[self.reading.bound.positions[name]]

    def _moment(self, day: datetime.date) -> datetime.datetime:
        opened = timezone.make_aware(datetime.datetime.combine(day, OPENING))
        return min(opened, self.reading.now)


def _hidden(text: str) -> str:
    """Telephone and identity numbers are somebody's, and most often not the writer's own. The portal keeps a contact
    in a field that is masked, and shows it for a reason; in free text it would stand open in every list."""
    return scrub_identity_numbers(scrub_phone_numbers(text))


class Places:
    """The places of one community, found by name, by code, or by a path however it is written."""

    def __init__(self, community: GridNode) -> None:
        self.community_id = community.pk
        rows = GridNode.objects.standing().filter(community=community).order_by()
        self._known: dict[str, set[int]] = {}
        above = len(steps_of(community.path)) - 1
        for pk, name, path, code, external in rows.values_list("pk", "name", "path", "code", "external_code"):
            steps = [_place_key(step) for step in steps_of(path)[above:]]
            # Whoever writes an address leaves out what goes without saying: 和谐小区 1 号楼, without the grid between.
            ways = {_place_key(way) for way in (name, code, external, path)}
            ways |= {_joined([*chosen, steps[-1]]) for chosen in _some_of(steps[:-1])}
            for way in ways - {""}:
                self._known.setdefault(way, set()).add(pk)
        heads = [community.county.name, *steps_of(community.path)[:above]]
        self._heads = [_place_key(head) for head in heads]

    def find(self, text: str) -> tuple[int, Placed]:
        """The node that the text names, if it names exactly one; else the community."""
        key = _place_key(text)
        if not key:
            return self.community_id, Placed.NONE
        found = self._known.get(key)
        for head in self._heads:
            if not found and key.startswith(head):
                key = key.removeprefix(head)
                found = self._known.get(key)
        if not found:
            return self.community_id, Placed.UNKNOWN
        if len(found) > 1:
            return self.community_id, Placed.AMBIGUOUS
        return next(iter(found)), Placed.FOUND


def _place_key(text: str) -> str:
    """What the ways of writing a place have in common: １号楼, 1 号楼 and 1号楼 are one."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", text)).casefold()


def _joined(keys: Sequence[str]) -> str:
    """Keys of steps as one, kept apart where two numbers would run together."""
    return _BETWEEN.sub("", SEPARATOR.strip().join(keys))


def _some_of(steps: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """Every choice of steps, in their order; a place has few (32 for a floor of a stairwell)."""
    return chain.from_iterable(combinations(steps, count) for count in range(len(steps) + 1))


def by_category(lines: Sequence[Line]) -> list[tuple[str, int]]:
    """How many of the lines fell to which category, the most first."""
    counted = Counter(line.demand.category.name for line in lines)
    return sorted(counted.items(), key=lambda pair: (-pair[1], pair[0]))


def by_place(lines: Sequence[Line]) -> dict[str, int]:
    """How many of the lines were hung how (`Placed` -> count)."""
    counted = Counter(line.placed for line in lines)
    return {placed.value: counted[placed] for placed in Placed}


def batches(rows: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]
