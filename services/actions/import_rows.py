"""Reading a table of demands for one community: each row becomes a demand in memory, or faults with row and column.

Nothing is written here and no transaction is open: 100,000 rows are a normal table and take their time.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.spreadsheets import PETITION_DESK, BoundTable, Record, RowError, Table, bind_columns, table_of
from core.text import ellipsis, first_line
from core.uploads import MEGABYTE
from grids.models import GridNode
from services.actions.import_places import Placed, Places, Spot
from services.actions.raising import TEXT_LENGTH, TITLE_FROM_TEXT, TITLE_LENGTH
from services.category_words import FALLBACK, guesser
from services.clocks import clock_for
from services.models import Category, Demand, Origin
from services.resources import demands as resources

# What a table may weigh: 100,000 rows of a petition desk, answers included, make some 80 MB of csv.
MAX_BYTES = 200 * MEGABYTE
# A petition has a date and no time; 09:00 is when an office opens.
OPENING = datetime.time(9)

Progress = Callable[[int, int], None]
Key = tuple[str, datetime.date | None]


@dataclass(slots=True)
class Line:
    """A good row: its number in the sheet, the demand it would become, and how its place was found."""

    number: int
    demand: Demand
    placed: Placed
    # Below the community, where only the beginning of its place was known.
    hung: str = ""

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
        elsewhere: rows that name a community nobody knows.
        finished: rows of the sheet that are closed by their own word; they are left out.
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
    elsewhere: int = 0
    finished: list[int] = field(default_factory=list)
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
            if resources.finished(record.text("status")):
                # What is closed waits for nobody here, whatever else its row says.
                reading.finished.append(record.number)
                continue
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
        place = _hidden(record.text("place"))
        spot = self.places.find(place)
        self._belongs(record, spot, errors)
        if errors:
            self.reading.blame(record.number, number, *errors)
            return None
        assert day is not None
        category = self.categories.get(self.guess(title, text), self.last)
        demand = Demand(
            county_id=self.community.county_id,
            node_id=spot.node_id,
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
        return Line(record.number, demand, spot.placed, spot.path)

    def _belongs(self, record: Record, spot: Spot, errors: list[RowError]) -> None:
        """A table of the whole county has rows of other communities: they are not this one's, whatever its clerk
        thinks. A community in a column of its own goes before what an address begins with."""
        given = record.text("community")
        column, other = ("community", self.places.other(given)) if given else ("place", spot.other)
        if given and other is None:
            self.reading.elsewhere += 1
            column, other = "place", spot.other
        if other:
            message = _("这一行写的是%(community)s，请到那里导入，或改地点") % {"community": other}
            errors.append(RowError(record.number, self._header(column), message, record.text(column)))

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
