"""Tables in which each row says its level, its name and what it hangs on."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.spreadsheets.columns import Record
from grids import naming
from grids.forest import Place
from grids.places import normal_path
from grids.resources.node_tables import Draft, Reader, key_of, steps_of

_REFERENCES = ("parent_code", "parent_path", "parent", "street", "community")


class LongReader(Reader):
    """Parents may come after their children: rows are hung up from street to floor, whatever their order."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._by_code: dict[str, Draft] = {}
        self._by_external: dict[str, Draft] = {}
        self._by_path: dict[str, list[Draft]] = {}
        self._names = _Names()
        self._spoken_for: set[int] = set()
        self._all_named = False
        self._uses_names = any(self.task.table.has(name) for name in ("parent", "street", "community"))

    def read(self) -> list[Draft]:
        by_name = {level.name: level for level in self.levels}
        waiting: list[tuple[Draft, tuple[str, ...]]] = []
        for record in self.records():
            self.errors += record.errors
            level, name = by_name.get(record.text("level")), record.text("name")
            if level is None or not name:
                continue
            draft = Draft(record.number, level, name, bad=bool(record.errors))
            self.fill(draft, record)
            self._index_codes(draft)
            self.recognise(draft)
            waiting.append((draft, _references(record)))
        waiting.sort(key=lambda pair: pair[0].level.order)
        refers = {draft: self._by_code.get(key_of(said[0] or said[2])) for draft, said in waiting}
        for draft, said in waiting:
            self._hang(draft, said, refers)
            self.recognise_by_name(draft)
            self._index(draft)
        return [draft for draft, _said in waiting]

    # --- What a row can be called by ---

    def _index_codes(self, draft: Draft) -> None:
        for code in filter(None, (draft.code, draft.own_code)):
            first = self._by_code.setdefault(code, draft)
            if first is not draft:
                self.blame(draft, _("编码"), _("与第 %(row)d 行的编码相同") % {"row": first.number}, code)
        if draft.external_code:
            first = self._by_external.setdefault(draft.external_code, draft)
            if first is not draft:
                words = _("与第 %(row)d 行的外部编码相同") % {"row": first.number}
                self.blame(draft, _("外部编码"), words, draft.external_code)

    def _index(self, draft: Draft) -> None:
        steps = steps_of(draft)
        self._by_path.setdefault(naming.SEPARATOR.join(steps), []).append(draft)
        if self._uses_names:
            self._names.add(steps, draft)
        if draft.place is not None:
            self._spoken_for.add(draft.place.pk)

    # --- What a row hangs on ---

    def _hang(self, draft: Draft, said: tuple[str, ...], refers: dict[Draft, Draft | None]) -> None:
        if draft.level.key == naming.STREET:
            self._stand_alone(draft, said)
            return
        found, column, word = self._parents(draft, said)
        if found is None:
            if draft.place is not None:
                above = draft.place.parent_id
                draft.parent = self.forest.places.get(above) if above else None
                return
            self.blame(draft, _("上级"), _("请填写上级：它的编码、完整位置或名称"))
            return
        standing = [one for one in found if isinstance(one, Draft) or one.retired_at is None]
        if len(standing) > 1:
            words = _("有不止一处叫“%(word)s”，请改填上级的编码或完整位置")
            self.blame(draft, column, words % {"word": word[:40]}, word)
        elif standing:
            self._hang_on(draft, standing[0], column, word, refers)
        elif found:
            retired = next(one for one in found if isinstance(one, Place))
            self.blame(draft, column, self.retired(retired), word)
        else:
            words = _("没有找到上级“%(word)s”：表里和系统里都没有，或不在您的管辖范围内")
            self.blame(draft, column, words % {"word": word[:40]}, word)

    def _stand_alone(self, draft: Draft, said: tuple[str, ...]) -> None:
        above = next((word for word in said[:3] if word), "")
        own = (self.task.where.name, self.task.where.code, f"{self.task.where.code}000000")
        if above and above not in own:
            words = _("“%(level)s”直接属于县，不填上级") % {"level": draft.level.name}
            self.blame(draft, _("上级"), words, above)

    def _hang_on(
        self, draft: Draft, parent: Draft | Place, column: str, word: str, refers: dict[Draft, Draft | None]
    ) -> None:
        if isinstance(parent, Draft) and parent.bad and parent.level.order < draft.level.order:
            self.blame_above(draft, parent)
            return
        fault = self.why_not_on(draft, parent)
        if not fault:
            draft.parent = parent
            return
        circle = _circle(draft, refers)
        if len(circle) == 1:
            fault = _("上级填成了它自己")
        elif circle:
            rows = " → ".join(str(one.number) for one in [*circle, draft])
            fault = _("上级绕成了圈：第 %(rows)s 行互为上级") % {"rows": rows}
        self.blame(draft, column, fault, word)

    def _parents(self, draft: Draft, said: tuple[str, ...]) -> tuple[Sequence[Draft | Place] | None, str, str]:
        """What the row may hang on, the column that says it, and how; None when it says nothing."""
        code, path, word, street, community = said
        if code:
            return self._coded(code), self._header("parent_code"), code
        if path:
            return self._at(path), self._header("parent_path"), path
        if word:
            found = self._coded(word) or self._at(word) or self._called(draft, word, street, community)
            return found, self._header("parent"), word
        if community and draft.level.key != naming.COMMUNITY:
            return self._called(draft, community, street, ""), self._header("community"), community
        if street and draft.level.key == naming.COMMUNITY:
            return self._called(draft, street, "", ""), self._header("street"), street
        return None, "", ""

    def _header(self, name: str) -> str:
        """A column as the file itself heads it."""
        return self.task.table.table.headers[self.task.table.positions[name]]

    def _coded(self, text: str) -> list[Draft | Place]:
        code = key_of(text)
        found = self._by_code.get(code) or self._by_external.get(text.strip()) or self.forest.by_code.get(code)
        if found is not None:
            return [found]
        return [one for one in self.forest.by_external.get(code, ()) if one.pk not in self._spoken_for]

    def _at(self, text: str) -> list[Draft | Place]:
        # A name may have a stroke in it: as it stands first.
        path = text if text in self._by_path or text in self.forest.by_path else normal_path(text)
        if naming.SEPARATOR not in path:
            streets = [one for one in self._by_path.get(path, ()) if one.level.key == naming.STREET]
            found: list[Draft | Place] = [*streets]
        else:
            found = [*self._by_path.get(path, ())]
        return found or [one for one in self.forest.by_path.get(path, ()) if one.pk not in self._spoken_for]

    def _called(self, draft: Draft, name: str, street: str, community: str) -> list[Draft | Place]:
        """Those of this name that the row could hang on; two are enough to know that it is not the only one."""
        if not self._all_named:
            self._all_named = True
            for place in self.forest.places.values():
                if place.retired_at is None:
                    self._names.add(naming.steps_of(place.path), place)
        found: list[Draft | Place] = []
        for one in self._names.find(name, street, community):
            if isinstance(one, Place) and one.pk in self._spoken_for:
                continue
            if not self.why_not_on(draft, one):
                found.append(one)
                if len(found) > 1:
                    break
        return found


def _references(record: Record) -> tuple[str, ...]:
    return tuple(record.text(name) for name in _REFERENCES)


def _circle(draft: Draft, refers: dict[Draft, Draft | None]) -> list[Draft]:
    """The rows on the way from a draft over its parents back to itself; empty when it does not come back."""
    way, one = [draft], refers.get(draft)
    while one is not None and one is not draft and one not in way[-20:]:
        way.append(one)
        one = refers.get(one)
    return way if one is draft else []


class _Names:
    """Places by their name, and by street and community beside it."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], list[Draft | Place]] = {}

    def add(self, steps: Sequence[str], one: Draft | Place) -> None:
        street = steps[0] if len(steps) > 1 else ""
        community = steps[1] if len(steps) > 2 else ""
        for key in {(where, inside, steps[-1]) for where in ("", street) for inside in ("", community)}:
            self._found.setdefault(key, []).append(one)

    def find(self, name: str, street: str, community: str) -> Iterator[Draft | Place]:
        yield from self._found.get((street, community, name), ())
