"""What the drafts of a table of places would come to: made, changed, the same, or refused with the reason.

The rules are those of `grids.actions`, asked of a hundred thousand rows at once: nothing here writes, and the actions look
again under their locks.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.actors import SYSTEM
from core.codes import DivisionLevel
from core.sheets import Line, Plan, RowResource, What
from grids import naming
from grids.actions.changes import NodeChange
from grids.forest import Place, holds
from grids.models import GridNode, NodeKind
from grids.policies import CountyScope
from grids.posts import ADD_NODE, MANAGE_NODE
from grids.resources.node_tables import TELL_EVERY, Draft, Reader, steps_of
from grids.selectors import GRID_HOUSEHOLDS

BATCH = 500
_EXAMPLES = 3
_KIND_WORDS = {kind.value: str(kind.label) for kind in NodeKind}


class NodeRows(RowResource):
    """What a row may change of a place that stands."""

    name = Field("name", lazy("名称"))
    above = Field("above", lazy("上级"))
    external_code = Field("external_code", lazy("外部编码"))
    kind = Field("kind", lazy("网格类型"))
    households = Field("households", lazy("户数"))
    address = Field("address", lazy("地址"))


class _Facts:
    """A place's values as `NodeRows` compares them; `change` is those that differ, as the action takes them."""

    __slots__ = ("above", "address", "external_code", "households", "kind", "name")

    def __init__(self, place: Place, above: str) -> None:
        self.name, self.above = place.name, above
        self.external_code, self.address = place.external_code, place.address
        self.kind, self.households = _KIND_WORDS[place.kind], place.households


class Judge:
    """Goes through the drafts from street to floor, so that whatever one hangs on has been judged before it."""

    def __init__(self, reader: Reader, drafts: Sequence[Draft]) -> None:
        self.reader, self.drafts = reader, drafts
        self.task, self.forest = reader.task, reader.forest
        self.plan = Plan()
        actor = self.task.actor
        self.all = actor is SYSTEM
        self.manages = [] if self.all else policies.scopes(actor, MANAGE_NODE)
        makes_streets = [] if self.all else policies.scopes(actor, ADD_NODE)
        self.streets = self.all or CountyScope(self.task.where.pk) in makes_streets
        self.taken: dict[tuple[int, int, str], Draft] = {}
        self.codes: dict[str, Draft] = {}
        self.of_place: dict[int, Draft] = {}
        for draft in drafts:
            if draft.place is not None and not draft.bad:
                self.of_place.setdefault(draft.place.pk, draft)
        self.elsewhere = self._given_elsewhere()
        self.kept_outside: list[Draft] = []
        # Looked up once: a hundred thousand rows would ask for it.
        self.name_header = _("名称") if self.task.table.has("name") else ""

    def judge(self) -> Plan:
        rows = len(self.task.table.table.rows)
        lines: list[Line] = []
        for done, draft in enumerate(self.drafts):
            if done % TELL_EVERY == 0:
                share = done * rows // max(len(self.drafts), 1)
                self.task.progress(rows + share, 2 * rows)
            line = self._line(draft)
            if line is not None:
                lines.append(line)
                lines += [Line(number, What.SAME, line.name) for number in draft.also]
        self.plan.lines = sorted(lines, key=lambda line: line.number)
        self.plan.errors = self.reader.errors
        self._remark()
        return self.plan

    # --- One draft ---

    def _line(self, draft: Draft) -> Line | None:
        above = draft.parent
        if isinstance(above, Draft) and above.bad and not draft.bad:
            self.reader.blame_above(draft, above)
        if draft.bad:
            return None
        if draft.place is not None:
            return self._standing(draft, draft.place)
        self._check_new(draft)
        if draft.bad or not draft.named:
            return None
        return Line(draft.number, What.NEW, naming.SEPARATOR.join(steps_of(draft)), data=draft)

    def _refuse(self, draft: Draft, header: str, words: str, value: object = "") -> None:
        self.reader.blame(draft, header, words, value)

    def _check_new(self, draft: Draft) -> None:
        header = self.name_header or draft.level.name
        if naming.SEPARATOR.strip() in draft.name:
            words = _("名称里不能用“%(mark)s”") % {"mark": naming.SEPARATOR.strip()}
            self._refuse(draft, header, words, draft.name)
            return
        above = draft.parent
        root = above.place if isinstance(above, Draft) else above
        if above is None and not self.streets:
            words = _("新建“%(level)s”要由县级管理员办理") % {"level": draft.level.name}
            self._refuse(draft, header, words, draft.name)
        elif root is not None and not root.inside:
            self._refuse(draft, header, _("“%(place)s”不在您的管辖范围内，不能在它下面新建") % {"place": root.path})
        self._check_room(draft, header)
        if not draft.bad:
            self._check_code(draft)

    def _check_room(self, draft: Draft, header: str) -> None:
        """The name is free below the parent, and the path not too long."""
        above = draft.parent
        key = (_identity(above), draft.level.pk, draft.name)
        first = self.taken.setdefault(key, draft)
        if first is not draft:
            words = _("与第 %(row)d 行重名：同一个上级之下只能有一个") % {"row": first.number}
            self._refuse(draft, header, words, draft.name)
            return
        place = above.place if isinstance(above, Draft) else above
        other = None
        if place is not None or above is None:
            other = self.forest.children.get((place.pk if place else None, draft.level.pk, draft.name))
        if other is not None and other is not draft.place and not self._leaves(other):
            words = _("同一个上级之下已有“%(name)s”（%(code)s）") % {"name": other.name, "code": other.code}
            self._refuse(draft, header, words, draft.name)
        length = sum(map(len, steps := steps_of(draft))) + len(naming.SEPARATOR) * (len(steps) - 1)
        if length > naming.PATH_LENGTH:
            words = _("从街道到这里的名称连起来有 %(length)d 字，最多 %(limit)d 字，请把名称改短")
            self._refuse(draft, header, words % {"length": length, "limit": naming.PATH_LENGTH}, draft.name)

    def _leaves(self, place: Place) -> bool:
        """Whether the table gives a place another name or parent, so that its spot becomes free."""
        draft = self.of_place.get(place.pk)
        if draft is None or draft.bad or not self.task.update:
            return False
        return draft.name != place.name or _key_of(draft.parent) != place.parent_id

    # --- Codes ---

    def _given_elsewhere(self) -> set[str]:
        """Codes of the table that somebody out of sight bears: in another county, or out of the person's scope."""
        wanted = [code for draft in self.drafts if draft.place is None for code in (draft.code, draft.own_code) if code]
        found: set[str] = set()
        for start in range(0, len(wanted), BATCH):
            rows = GridNode.objects.filter(code__in=wanted[start : start + BATCH])
            found.update(rows.values_list("code", flat=True))
        return found

    def _check_code(self, draft: Draft) -> None:
        if draft.level.key == naming.COMMUNITY and draft.code:
            self._check_division(draft)
        elif draft.own_code:
            self._keep_code(draft)
        if draft.code in self.elsewhere:
            self._refuse(draft, _("编码"), _("编码 %(code)s 已经有了") % {"code": draft.code}, draft.code)
        elif draft.code and self.codes.setdefault(draft.code, draft) is not draft:
            words = _("与第 %(row)d 行的编码相同") % {"row": self.codes[draft.code].number}
            self._refuse(draft, _("编码"), words, draft.code)

    def _check_division(self, draft: Draft) -> None:
        """A community's code begins with its street's; a new street without a code takes it from its community."""
        street = draft.parent
        if isinstance(street, Draft) and street.place is None and not street.code:
            street.code = self._free(f"{draft.code[: DivisionLevel.STREET]}000", street)
        within = _code(street)[: DivisionLevel.STREET]
        if not within or not draft.code.startswith(within):
            words = _("编码 %(code)s 应以所在街道的编码 %(within)s 开头")
            self._refuse(draft, _("编码"), words % {"code": draft.code, "within": within}, draft.code)

    def _free(self, code: str, draft: Draft) -> str:
        """The code, if the draft may have it; else nothing."""
        free = code not in self.forest.by_code and self.codes.setdefault(code, draft) is draft
        return code if free else ""

    def _keep_code(self, draft: Draft) -> None:
        """A code below the community stays when it follows the rule; else it is kept as the code of another scheme."""
        code, above = draft.own_code, draft.parent
        parent, community = _code(above), _code(self._community(above))
        if parent and community and draft.level.key not in (naming.STREET, naming.COMMUNITY):
            prefix = naming.code_prefix(
                draft.level.key,
                parent_code=parent,
                community_code=community,
                on_community=_key_of_level(above, self.reader) == naming.COMMUNITY,
            )
            if naming.serial_below(prefix, code) and code not in self.elsewhere:
                draft.code, draft.own_code = code, ""
                return
        if not draft.external_code:
            draft.external_code = code
            self.kept_outside.append(draft)

    def _community(self, one: Draft | Place | None) -> Draft | Place | None:
        while isinstance(one, Draft) and one.place is None and one.level.key != naming.COMMUNITY:
            one = one.parent
        place = one.place if isinstance(one, Draft) else one
        return one if place is None else self.forest.places.get(place.community_id or 0)

    # --- What stands ---

    def _standing(self, draft: Draft, place: Place) -> Line | None:
        path, first = place.path, self.of_place[place.pk]
        if first is not draft:
            words = _("与第 %(row)d 行是同一处：%(path)s") % {"row": first.number, "path": path}
            self._refuse(draft, _("名称"), words, draft.name)
            return None
        if place.retired_at is not None:
            self._refuse(draft, _("名称"), self.reader.retired(place), draft.name)
            return None
        if draft.level.pk != place.level_type_id:
            level = self.reader.of_level[place.level_type_id]
            words = _("编码 %(code)s 是%(level)s“%(path)s”，层级不能改")
            words = words % {"code": place.code, "level": level.name, "path": path}
            self._refuse(draft, _("层级"), words, draft.level.name)
            return None
        if draft.code and draft.code != place.code:
            words = _("“%(path)s”的编码是 %(code)s，编码不能改") % {"path": path, "code": place.code}
            self._refuse(draft, _("编码"), words, draft.code)
            return None
        if draft.own_code and not draft.external_code:
            draft.external_code = draft.own_code
        changes = self._changes(draft, place)
        if not draft.named:
            return None
        if not changes:
            return Line(draft.number, What.SAME, path)
        self._check_change(draft, place, changes)
        return None if draft.bad else Line(draft.number, What.CHANGED, path, changes, draft)

    def _changes(self, draft: Draft, place: Place) -> list[tuple[str, str, str]]:
        """What the row would change; as NodeRows words it. A draft on the way to others only may move or be renamed."""
        draft.moves = draft.parent is not None and _key_of(draft.parent) != place.parent_id
        plain = (
            draft.name == place.name
            and not draft.moves
            and draft.external_code in ("", place.external_code)
            and draft.kind in ("", place.kind)
            and draft.address in ("", place.address)
            and draft.households in (None, place.households)
        )
        if plain:
            return []
        before, after = _Facts(place, _above(place)), _Facts(place, _above(place))
        after.name = draft.name
        if draft.moves:
            after.above = naming.SEPARATOR.join(steps_of(draft.parent))
        after.external_code = draft.external_code or place.external_code
        after.kind = _KIND_WORDS[draft.kind or place.kind]
        after.address = draft.address or place.address
        after.households = place.households if draft.households is None else draft.households
        return NodeRows().differing(before, after)

    def _check_change(self, draft: Draft, place: Place, changes: list[tuple[str, str, str]]) -> None:
        if not self.task.update:
            headers = "、".join(header for header, _before, _after in changes)
            words = _("已有“%(path)s”，%(headers)s与表格不同；要以表格为准，请勾选“更新已有的内容”")
            first = changes[0]
            self._refuse(draft, first[0], words % {"path": place.path, "headers": headers}, first[2])
            return
        if not self.all and not holds(self.manages, place):
            self._refuse(draft, "", _("“%(path)s”不归您维护，请联系上一级办理") % {"path": place.path})
            return
        if draft.name != place.name or draft.moves:
            self._check_room(draft, _("名称"))
        if draft.moves and not draft.bad:
            self._check_move(draft, place)

    def _check_move(self, draft: Draft, place: Place) -> None:
        above = draft.parent
        root = above.place if isinstance(above, Draft) else above
        if root is not None and not root.inside:
            self._refuse(draft, _("上级"), _("“%(place)s”不在您的管辖范围内") % {"place": root.path})
        while above is not None:
            own = above.place if isinstance(above, Draft) else above
            if own is place:
                self._refuse(draft, _("上级"), _("不能调整到它自己的下级"), draft.name)
                return
            above = self._final_parent(above)

    def _final_parent(self, one: Draft | Place) -> Draft | Place | None:
        """What something will hang on when the table is through."""
        if isinstance(one, Place):
            draft = self.of_place.get(one.pk)
            if draft is None or draft.parent is None:
                return self.forest.places.get(one.parent_id or 0)
            one = draft
        return one.parent

    # --- Remarks ---

    def _remark(self) -> None:
        good = [draft for draft in self.drafts if not draft.bad]
        passed = sum(not draft.named and draft.place is None for draft in good)
        if passed:
            words = _("另有 %(count)d 个上级在表里没有单独成行，一并新建。")
            self.plan.notes.append(words % {"count": passed})
        if self.kept_outside:
            words = _("%(count)d 行的编码不合系统的编排规则，存为外部编码；系统另行编号。例如%(examples)s。")
            shown = "、".join(f"“{draft.name}”{draft.external_code}" for draft in self.kept_outside[:_EXAMPLES])
            self.plan.notes.append(words % {"count": len(self.kept_outside), "examples": shown})
        low, high = GRID_HOUSEHOLDS
        outside = [
            draft
            for draft in good
            if draft.level.key == naming.GRID and draft.households is not None and not low <= draft.households <= high
        ]
        if outside:
            words = _("%(count)d 个网格不在 %(low)d 至 %(high)d 户之间，请核实；不影响导入。例如%(examples)s。")
            shown = "、".join(_example(draft) for draft in outside[:_EXAMPLES])
            self.plan.notes.append(words % {"count": len(outside), "low": low, "high": high, "examples": shown})


def change_of(draft: Draft) -> NodeChange:
    """The row as the action takes it: what it says and what differs."""
    place = draft.place
    assert place is not None
    given: dict[str, Any] = {
        "name": draft.name,
        "external_code": draft.external_code or place.external_code,
        "kind": draft.kind or place.kind,
        "address": draft.address or place.address,
        "households": place.households if draft.households is None else draft.households,
    }
    return NodeChange(
        place.pk, place.version, {name: value for name, value in given.items() if value != getattr(place, name)}
    )


def needed(lines: Iterable[Line]) -> list[Draft]:
    """What must be made for some lines: their own places, and those above that no line is about."""
    found: dict[Draft, None] = {}
    for line in lines:
        draft = line.data
        way = []
        while isinstance(draft, Draft) and draft not in found:
            if draft.place is None:
                way.append(draft)
            draft = draft.parent
        found.update(dict.fromkeys(reversed(way)))
    return list(found)


def _identity(one: Draft | Place | None) -> int:
    """The same for a place and for the draft that speaks for it; never the same for two."""
    place = one.place if isinstance(one, Draft) else one
    if place is not None:
        return place.pk
    return -id(one) if one is not None else 0


def _key_of(one: Draft | Place | None) -> int | None:
    place = one.place if isinstance(one, Draft) else one
    return place.pk if place is not None else (None if one is None else 0)


def _key_of_level(one: Draft | Place | None, reader: Reader) -> str:
    return reader.level_of(one).key if one is not None else ""


def _code(one: Draft | Place | None) -> str:
    return one.code if one is not None else ""


def _above(place: Place) -> str:
    return place.path.rpartition(naming.SEPARATOR)[0]


def _example(draft: Draft) -> str:
    return _("第 %(row)d 行“%(name)s”%(count)d 户") % {
        "row": draft.number,
        "name": draft.name,
        "count": draft.households,
    }
