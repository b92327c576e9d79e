"""Tables in which each row is a path, with a column for each level."""

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.sheets.jobs import fault
from core.spreadsheets.columns import Record
from grids import naming
from grids.forest import Place
from grids.models import Level
from grids.resources.node_columns import CODE_OF, LEVEL
from grids.resources.node_tables import Draft, Reader, key_of

# A level, the name in its column, and the code beside it.
_Step = tuple[Level, str, str]


class WideReader(Reader):
    """What is named on the way is made once, however many rows pass through it. Short paths first, so that a place's own
    row is read before those that only pass through it."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._drafts: dict[tuple[Any, str, str], Draft] = {}
        self._of_place: dict[int, Draft] = {}
        inside = [place for place in self.forest.places.values() if place.inside]
        self._communities = [place for place in inside if place.community_id == place.pk and place.retired_at is None]
        # Who works in one community alone need not write it into every row.
        alone = len(self._communities) == 1 and len({place.community_id for place in inside}) == 1
        self._own = self._communities[0] if alone else None

    def read(self) -> list[Draft]:
        waiting: list[tuple[list[_Step], Draft]] = []
        for record in self.records():
            self.errors += record.errors
            steps = self._steps(record)
            if not steps:
                if not record.errors:
                    self._by_code_alone(record)
                continue
            level, name, _code = steps[-1]
            said = Draft(record.number, level, name, bad=bool(record.errors))
            self.fill(said, record)
            waiting.append((steps, said))
        waiting.sort(key=lambda pair: (pair[0][0][0].key != naming.STREET, len(pair[0])))
        for steps, said in waiting:
            self._walk(steps, said)
        found = [*self._of_place.values(), *self._drafts.values()]
        return sorted(dict.fromkeys(found), key=lambda draft: draft.level.order)

    def _steps(self, record: Record) -> list[_Step]:
        return [
            (level, record.text(LEVEL + level.key), record.text(CODE_OF + level.key))
            for level in self.levels
            if record.text(LEVEL + level.key)
        ]

    def _walk(self, steps: Sequence[_Step], said: Draft) -> None:
        draft: Draft | None = None
        for level, name, code in steps:
            last = level is said.level
            key = (draft, level.key, name)
            found = self._drafts.get(key)
            if found is None:
                found = self._first(draft, level, name, code, said, last=last)
                if found is None:
                    return
                self._drafts[key] = found
            elif code and not last:
                self._same_code(found, code, said)
            draft = found
        assert draft is not None
        self._name(draft, said)

    def _first(
        self, above: Draft | None, level: Level, name: str, code: str, said: Draft, *, last: bool
    ) -> Draft | None:
        """The draft of a step that no row has named yet. None when it has no place to hang on; the row says so."""
        draft = Draft(said.number, level, name, above, named=False)
        if above is None and level.key != naming.STREET:
            begun = self._base(draft)
            if begun is not draft:
                return begun
        elif above is not None and above.bad:
            self.blame_above(draft, above)
            return draft
        elif words := self.why_not_on(draft, above):
            self.blame(draft, level.name, words, name)
            return draft
        if code:
            self.number(draft, code)
        if last:
            draft.code, draft.own_code = draft.code or said.code, draft.own_code or said.own_code
            draft.external_code = said.external_code
        if draft.place is None:
            self.recognise(draft)
            self.recognise_by_name(draft)
        if draft.place is not None:
            return self._of_place.setdefault(draft.place.pk, draft)
        return draft

    def _base(self, draft: Draft) -> Draft | None:
        """What a path that does not begin at a street begins with: the community of that name, or a draft hung on the
        person's own community. None when neither can be; the row says so."""
        if draft.level.key == naming.COMMUNITY:
            found = {self._of(place) for place in self._communities if place.name == draft.name}
            found |= {one for one in self._drafts.values() if one.level is draft.level and one.name == draft.name}
            if len(found) == 1:
                return found.pop()
            words = _("请补上街道：没有叫“%(name)s”的社区，或不止一个") % {"name": draft.name}
        elif self._own is not None:
            draft.parent = self._of(self._own)
            return draft
        else:
            words = _("请补上街道和社区")
        self.blame(draft, draft.level.name, words, draft.name)
        return None

    def _of(self, place: Place) -> Draft:
        """The draft of a place that no column names."""
        if place.pk not in self._of_place:
            above = self.forest.places.get(place.parent_id or 0)
            level = self.of_level[place.level_type_id]
            self._of_place[place.pk] = Draft(0, level, place.name, above, place, named=False)
        return self._of_place[place.pk]

    def _same_code(self, draft: Draft, text: str, said: Draft) -> None:
        other = Draft(said.number, draft.level, draft.name)
        self.number(other, text)
        if not other.bad and (other.code or other.own_code) not in (draft.code or draft.own_code, draft.code):
            said.bad = True
            words = _("与第 %(row)d 行给“%(name)s”的编码不同") % {"row": draft.number, "name": draft.name}
            self.errors.append(fault(said.number, _("编码"), words, text))

    def _name(self, draft: Draft, said: Draft) -> None:
        """What the row says beside the path belongs to its last step."""
        if said.bad:
            draft.bad = True
        elif not draft.named:
            draft.named, draft.number, draft.name, draft.said = True, said.number, said.name, said.facts
            draft.code, draft.own_code = draft.code or said.code, draft.own_code or said.own_code
            draft.external_code, draft.kind = said.external_code, said.kind
            draft.address, draft.households = said.address, said.households
        elif said.facts == draft.said or not any(said.facts):
            draft.also.append(said.number)
        else:
            words = _("与第 %(row)d 行是同一处，内容却不同") % {"row": draft.number}
            self.errors.append(fault(said.number, said.level.name, words, said.name))

    def _by_code_alone(self, record: Record) -> None:
        """A row without a path is about the place of its code."""
        columns = ["division", "code", "external_code", *(CODE_OF + level.key for level in self.levels)]
        codes = [key_of(record.text(name)) for name in columns]
        found = [self.forest.by_code.get(code) for code in codes if code]
        found += [place for code in codes if code for place in self.forest.by_external.get(code, ())]
        place = next((place for place in found if place is not None), None)
        if place is None:
            words = _("这一行没有填任何一级的名称，也没有可以认出地点的编码")
            self.errors.append(fault(record.number, "", words))
            return
        draft = self._of(place)
        said = Draft(record.number, draft.level, draft.name)
        self.fill(said, record)
        # By which of its codes it was found is no fact to be written.
        said.code = said.own_code = ""
        self._name(draft, said)
