"""Reads a table of places, in either shape, into drafts: what each row says, and on what it hangs.

Only what can not be understood is a fault here; `grids.resources.node_judge` does the rest.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from core.codes import DivisionLevel, parse_division_code
from core.errors import Invalid
from core.sheets import Task
from core.sheets.jobs import fault
from core.spreadsheets import RowError
from core.spreadsheets.columns import Record
from grids import naming
from grids.forest import Forest, Place
from grids.levels import why_not_below
from grids.models import Level, NodeKind
from grids.successors import retired_words

_DIVISIONS = {naming.STREET: DivisionLevel.STREET, naming.COMMUNITY: DivisionLevel.COMMUNITY}
_KINDS = {str(kind.label): kind.value for kind in NodeKind}
TELL_EVERY = 500


@dataclass(slots=True, eq=False)
class Draft:
    """A place as the table has it. What a cell leaves empty, or the table has no column for, is empty or None here.

    Attributes:
        number: the row that says it, or names it first.
        parent: what it hangs on.
        place: the one that stands already.
        code: of a street or community, or by the rule. own_code: whatever else the table calls it by.
        named: a row is about it; else it is only a step on the way to others.
        also: further rows that say the very same.
        bad: it, or what it hangs on, has a fault.
        said: the facts as the row has them, to know the same again.
        moves: it stands, and is to hang elsewhere.
        new: what is to be made of it.
    """

    number: int
    level: Level
    name: str
    parent: "Draft | Place | None" = None
    place: Place | None = None
    code: str = ""
    own_code: str = ""
    external_code: str = ""
    kind: str = ""
    address: str = ""
    households: int | None = None
    named: bool = True
    also: list[int] = field(default_factory=list)
    bad: bool = False
    said: Any = None
    moves: bool = False
    new: Any = None

    @property
    def facts(self) -> tuple[Any, ...]:
        return self.code, self.own_code, self.external_code, self.kind, self.address, self.households

    @property
    def in_community(self) -> bool:
        """Whether it is a community or lies in one."""
        if self.level.key == naming.COMMUNITY:
            return True
        above = self.parent
        return above.in_community if isinstance(above, Draft) else above is not None and above.community_id is not None


class Reader:
    """What both shapes share. `errors` are the faults of rows so far."""

    def __init__(self, task: Task, forest: Forest, levels: Sequence[Level]) -> None:
        self.task, self.forest, self.levels = task, forest, levels
        self.of_level = {level.pk: level for level in levels}
        self.errors: list[RowError] = []
        self._retired: dict[int, str] = {}

    def read(self) -> list[Draft]:
        """The drafts of the table, those above before those below."""
        raise NotImplementedError

    def records(self) -> Iterator[Record]:
        """The rows, with progress over the first half of the work."""
        total = len(self.task.table.table.rows)
        for done, record in enumerate(self.task.table.records()):
            if done % TELL_EVERY == 0:
                self.task.progress(done, 2 * total)
            yield record

    def blame(self, draft: Draft, header: str, message: str, value: object = "") -> None:
        draft.bad = True
        self.errors.append(fault(draft.number, header, message, value))

    def blame_above(self, draft: Draft, above: Draft) -> None:
        words = _("它的上级“%(name)s”（第 %(row)d 行）有错误，要先改好")
        self.blame(draft, _("上级"), words % {"name": above.name, "row": above.number})

    def level_of(self, above: Draft | Place) -> Level:
        return above.level if isinstance(above, Draft) else self.of_level[above.level_type_id]

    def why_not_on(self, draft: Draft, above: Draft | Place | None) -> str:
        """Why the draft can not hang there, going by the levels; empty when it can."""
        if above is None:
            return why_not_below(draft.level, None, in_community=False)
        inside = above.in_community if isinstance(above, Draft) else above.community_id is not None
        return why_not_below(draft.level, self.level_of(above), in_community=inside)

    def retired(self, place: Place) -> str:
        """That a place is retired, and who took over, in words."""
        if place.pk not in self._retired:
            self._retired[place.pk] = retired_words(place.pk)
        return self._retired[place.pk]

    # --- What a row says of its place ---

    def fill(self, draft: Draft, record: Record) -> None:
        """The facts beside name and parent. An unreadable one leaves the draft bad."""
        draft.external_code = record.text("external_code")
        draft.kind = _KINDS.get(record.text("kind"), "")
        draft.address = record.text("address")
        text = record.text("households")
        if text:
            draft.households = _households(text)
            if draft.households is None:
                self.blame(draft, _("户数"), _("户数请填写 0 至 1,000,000 的整数"), text)
        self.number(draft, record.text("division"), division=True)
        if not draft.code:
            self.number(draft, record.text("code"))

    def number(self, draft: Draft, text: str, *, division: bool = False) -> None:
        """A code as somebody wrote it: a division code for street and community, else whatever the table uses."""
        compact = key_of(text)
        if not compact:
            return
        wanted = _DIVISIONS.get(draft.level.key)
        if wanted is None or not (division or (compact.isdigit() and len(compact) >= DivisionLevel.COUNTY)):
            draft.own_code = compact[: naming.EXTERNAL_LENGTH]
            return
        try:
            code = parse_division_code(compact, level=wanted).full
        except Invalid as error:
            self.blame(draft, _("编码"), error.message.rstrip("。"), text)
            return
        if not code.startswith(self.task.where.code):
            words = _("编码 %(code)s 不在本县：应以 %(within)s 开头") % {"code": code, "within": self.task.where.code}
            self.blame(draft, _("编码"), words, text)
            return
        draft.code = code

    def recognise(self, draft: Draft) -> None:
        """Finds the place that stands under the draft's code or external code."""
        for code in filter(None, (draft.code, draft.own_code)):
            draft.place = self.forest.by_code.get(code)
            if draft.place is not None:
                draft.code, draft.own_code = draft.place.code, ""
                return
        for code in filter(None, (draft.external_code, draft.own_code)):
            found = self.forest.by_external.get(code, [])
            found = [place for place in found if place.retired_at is None] or found
            if len(found) == 1:
                draft.place = found[0]
                return

    def recognise_by_name(self, draft: Draft) -> None:
        """Finds the place of this level and name that hangs where the draft does."""
        above = draft.parent.place if isinstance(draft.parent, Draft) else draft.parent
        if draft.place is None and (above is not None or draft.parent is None):
            spot = (above.pk if above else None, draft.level.pk, draft.name)
            draft.place = self.forest.children.get(spot) or self.forest.retired.get(spot)


def key_of(text: str) -> str:
    """A code as it is compared: no spaces, no full-width digits, and a street's with its zeros."""
    compact = "".join(unicodedata.normalize("NFKC", text).split()).upper() if text else ""
    return f"{compact}000" if len(compact) == DivisionLevel.STREET and compact.isdigit() else compact


def _households(text: str) -> int | None:
    digits = unicodedata.normalize("NFKC", text).replace(",", "").removesuffix("户").strip()
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 9:
        return None
    return int(digits) if int(digits) <= naming.MOST_HOUSEHOLDS else None


def steps_of(draft: Draft | Place | None) -> list[str]:
    """The names on the way to a draft, street first."""
    steps: list[str] = []
    while isinstance(draft, Draft):
        steps.append(draft.name)
        draft = draft.parent
    return [*(naming.steps_of(draft.path) if draft is not None else ()), *reversed(steps)]
