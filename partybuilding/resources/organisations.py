"""Party organisations as a table: one row an organisation, known by its name, below another one by its name.

The rows may come in any order, and the superior may stand in the same table: the table is judged as the forest it would
make together with what stands.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from rapidfuzz import fuzz, process

from core.accounts import clean_phone
from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn, Record
from grids.actions.terms import batches
from grids.models import County
from grids.places import Found, Words, find_places
from grids.resources.base import GridSheet, differs_from_what_stands
from partybuilding.actions import NewOrganisation, OrganisationChange, arrange_organisations
from partybuilding.models import Domain, Member, OrganisationKind, PartyOrganisation
from partybuilding.organisation_kinds import kind_of_name, may_hang
from partybuilding.posts import MANAGE_ORGANISATION, VIEW_ORGANISATION
from partybuilding.resources import organisation_columns as cols
from partybuilding.resources.domains import DOMAIN, domain_of
from partybuilding.unit_names import UnitNames

BATCH = 300
_HEADERS = {
    "kind": cols.KIND,
    "domain": DOMAIN,
    "parent": cols.SUPERIOR,
    "node": cols.PLACE,
    "unit": cols.UNIT,
    "secretary": cols.SECRETARY,
    "founded_on": cols.FOUNDED,
}
_ALIKE, _MOST = 75, 3


@dataclass
class _Row:
    """A row on its way: what it says, and the organisation that stands under its name."""

    record: Record
    name: str
    standing: PartyOrganisation | None
    said: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        kind = self.said.get("kind") or (self.standing.kind if self.standing else kind_of_name(self.name))
        return str(kind)


class OrganisationSheet(GridSheet):
    key = "organisations"
    label = lazy("党组织")
    right = MANAGE_ORGANISATION
    export_right = VIEW_ORGANISATION
    # Telephones of secretaries may stand in the file.
    brief = True

    def columns(self, where: County) -> Sequence[Column]:
        return cols.columns(cols.places_of(where))

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("上级党组织可以写在同一张表里，行的先后不限；没有上级的空着。"),
            _("设在社区、小区、网格的填“所在网格”，设在单位的填“所在单位”，联合党组织两样都不填。"),
            _("书记要先登记为党员；还没有登记的先空着，以后再补。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        new = [line.data for line in plan.to_do if line.what is What.NEW]
        changed = [line.data for line in plan.to_do if line.what is What.CHANGED]
        arrange_organisations(actor=task.actor, county=task.where, new=new, changed=changed)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(cols.NAME),
            LedgerColumn(cols.KIND, "centre"),
            LedgerColumn(DOMAIN, "centre"),
            LedgerColumn(cols.SUPERIOR),
            LedgerColumn(cols.PLACE),
            LedgerColumn(cols.UNIT),
            LedgerColumn(cols.SECRETARY, "centre"),
            LedgerColumn(cols.FOUNDED, "centre"),
            LedgerColumn(_("本级党员"), "right", total=True),
            LedgerColumn(_("状态"), "centre"),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        own = Count("members", filter=Q(members__is_active=True))
        done = 0
        for some in batches(ids, BATCH):
            seen = PartyOrganisation.objects.visible_to(actor).select_related("parent", "node", "unit", "secretary")
            rows: dict[int, Any] = seen.annotate(own=own).in_bulk(some)
            for row in (rows[pk] for pk in some if pk in rows):
                yield (
                    row.name,
                    row.get_kind_display(),
                    row.get_domain_display(),
                    row.parent.name if row.parent else "",
                    row.node.path if row.node else "",
                    row.unit.name if row.unit else "",
                    row.secretary.name if row.secretary else "",
                    date_words(row.founded_on) if row.founded_on else "",
                    row.own,
                    _("在用") if row.is_active else _("停用"),
                )
            done += len(some)
            progress(done, len(ids))


class _Planner:
    def __init__(self, task: Task) -> None:
        self.task, self.county = task, task.where
        self.found = Plan()
        self.columns = cols.places_of(self.county)
        rows = PartyOrganisation.objects.filter(county=self.county)
        rows = rows.select_related("parent", "node__level_type", "unit", "secretary")
        self.standing = {_key(row.name): row for row in rows.order_by("tree_id", "lft")}
        self.rows: dict[str, _Row] = {}

    def plan(self) -> Plan:
        records = []
        for record in self.task.table.records():
            self.found.errors += record.errors
            if not record.errors:
                records.append(record)
        self.places: Mapping[Words, Found] = find_places(self.county, {self.columns.read(one) for one in records})
        self.units = UnitNames(self.county)
        self._read_members(records)
        for record in records:
            self._read(record)
        self._judge_superiors()
        for done, row in enumerate(self.rows.values()):
            self.task.progress(done, len(self.rows))
            self._compare(row)
        return self.found

    def _blame(self, row: _Row | Record, header: str, words: str, value: object = "") -> None:
        number = row.number if isinstance(row, Record) else row.record.number
        self.found.errors.append(fault(number, header, words, value))

    # --- One row by itself ---

    def _read(self, record: Record) -> None:
        name = record.text("name")
        row = _Row(record, name, self.standing.get(_key(name)))
        before = len(self.found.errors)
        if (other := self.rows.get(_key(name))) is not None:
            self._blame(row, cols.NAME, _("与第 %(row)d 行重复") % {"row": other.record.number}, name)
            return
        if row.standing is not None and not row.standing.is_active:
            self._blame(row, cols.NAME, _("这个党组织已停用，请先启用"), name)
        if word := record.text("kind"):
            row.said["kind"] = cols.KIND_OF[word]
        elif not row.kind:
            self._blame(row, cols.KIND, _("名称里看不出类型，请填写类型"))
        if word := record.text("domain"):
            row.said["domain"] = domain_of(word)
        self._read_seat(row)
        self._read_secretary(row)
        founded = record.day("founded")
        if founded is not None:
            row.said["founded_on"] = founded
            if founded > timezone.localdate():
                self._blame(row, cols.FOUNDED, _("成立日期不能晚于今天"), founded.isoformat())
        if len(self.found.errors) == before:
            self.rows[_key(name)] = row

    def _read_seat(self, row: _Row) -> None:
        words, unit = self.columns.read(row.record), row.record.text("unit")
        if words and unit:
            self._blame(row, cols.UNIT, _("党组织要么设在网格，要么设在单位，请只填一个"), unit)
            return
        if words:
            place = self.places[words]
            if place.node is None:
                self._blame(row, self._header(words), place.fault, words[-1][1])
                return
            row.said["node"] = place.node
        if unit:
            try:
                row.said["unit"] = self.units.find(unit)
            except Invalid as error:
                self._blame(row, cols.UNIT, error.message, unit)
        # Who moves from a place to a unit, or back, leaves the other.
        if row.standing is not None and row.said.get("node") and row.standing.unit_id:
            row.said["unit"] = None
        if row.standing is not None and row.said.get("unit") and row.standing.node_id:
            row.said["node"] = None

    def _header(self, words: Words) -> str:
        name = self.columns.column(words)
        return next((column.header for column in self.columns.columns() if column.name == name), cols.PLACE)

    def _read_members(self, records: Sequence[Record]) -> None:
        self.by_name: dict[str, list[Member]] = defaultdict(list)
        names = {record.text("secretary") for record in records} - {""}
        for some in batches(sorted(names), BATCH):
            for member in Member.objects.active().filter(county=self.county, name__in=some).order_by("pk"):
                self.by_name[member.name].append(member)

    def _read_secretary(self, row: _Row) -> None:
        name, text = row.record.text("secretary"), row.record.text("phone")
        if not name:
            return
        found = self.by_name.get(name, [])
        if text:
            try:
                phone = clean_phone(text)
            except Invalid as error:
                self._blame(row, cols.PHONE, error.message, text)
                return
            found = [member for member in found if member.phone == phone]
        if len(found) == 1:
            row.said["secretary"] = found[0]
        elif found:
            words = _("有 %(count)d 名党员叫这个姓名，请填写书记手机号码") % {"count": len(found)}
            self._blame(row, cols.PHONE, words)
        else:
            self._blame(row, cols.SECRETARY, _("没有登记这名党员，请先登记；或先空着，以后再补"), name)

    # --- The forest they would make ---

    def _judge_superiors(self) -> None:
        for row in list(self.rows.values()):
            if text := row.record.text("parent"):
                self._find_superior(row, text)
        self._refuse_circles()
        while wrong := [row for row in self.rows.values() if self._hangs_on_nothing(row)]:
            for row in wrong:
                del self.rows[_key(row.name)]
        for row in list(self.rows.values()):
            self._judge_kind(row)

    def _find_superior(self, row: _Row, text: str) -> None:
        key = _key(text)
        above = self.standing.get(key)
        if above is not None and not above.is_active:
            self._drop(row, _("上级“%(name)s”已停用，请先启用，或换一个上级") % {"name": above.name}, text)
        elif above is not None:
            row.said["parent"] = above.name
        elif key in self.rows:
            row.said["parent"] = self.rows[key].name
        elif not any(_key(record.text("name")) == key for record in self.task.table.records() if not record.errors):
            near = "、".join(f"“{name}”" for name in self._near(text))
            words = _("没有登记“%(name)s”，表里也没有这一行") % {"name": text}
            self._drop(row, _("%(words)s；是不是%(near)s？") % {"words": words, "near": near} if near else words, text)
        else:
            row.said["parent"] = text

    def _near(self, text: str) -> list[str]:
        names = {row.name for row in self.standing.values() if row.is_active} | {row.name for row in self.rows.values()}
        hits = process.extract(text, sorted(names), scorer=fuzz.ratio, score_cutoff=_ALIKE, limit=_MOST)
        return [name for name, _score, _at in hits]

    def _drop(self, row: _Row, words: str, value: str = "", header: str = cols.SUPERIOR) -> None:
        self._blame(row, header, words, value or row.record.text("parent"))
        self.rows.pop(_key(row.name), None)

    def _above(self, key: str) -> str:
        """The key of the superior that an organisation would have; empty without one."""
        row, standing = self.rows.get(key), self.standing.get(key)
        if row is not None and "parent" in row.said:
            return _key(row.said["parent"])
        return _key(standing.parent.name) if standing is not None and standing.parent is not None else ""

    def _refuse_circles(self) -> None:
        sound: set[str] = {""}
        for start in list(self.rows):
            trail: list[str] = []
            key = start
            while key not in sound and key not in trail:
                trail.append(key)
                key = self._above(key)
            if key in trail:
                circle = trail[trail.index(key) :]
                names = " → ".join(self._name(one) for one in [*circle, key])
                for one in circle:
                    if one in self.rows:
                        self._drop(self.rows[one], _("上级绕成了一圈：%(names)s") % {"names": names})
            sound.update(trail)

    def _name(self, key: str) -> str:
        row = self.rows.get(key)
        return row.name if row is not None else self.standing[key].name

    def _hangs_on_nothing(self, row: _Row) -> bool:
        """Whether the row's superior is in the table alone, and its row can not be taken."""
        above = self._above(_key(row.name))
        if not above or above in self.standing or above in self.rows:
            return False
        self._blame(row, cols.SUPERIOR, _("上级那一行有错误，先改好它"), row.record.text("parent"))
        return True

    def _kind(self, key: str) -> str:
        row = self.rows.get(key)
        return row.kind if row is not None else self.standing[key].kind

    def _judge_kind(self, row: _Row) -> None:
        key = _key(row.name)
        above = self._above(key)
        if not may_hang(row.kind, self._kind(above) if above else None):
            words = {"kind": OrganisationKind(row.kind).label, "name": self._name(above) if above else ""}
            message = _("“%(name)s”之下不设%(kind)s，请换一个上级，或核对类型")
            self._drop(row, (message if above else _("%(kind)s要有上级党支部，请填写")) % words)
        elif row.standing is not None and "kind" in row.said:
            for child in (one for one in self.standing.values() if one.parent_id == row.standing.pk and one.is_active):
                if self._above(_key(child.name)) == key and not may_hang(self._kind(_key(child.name)), row.kind):
                    words = {"name": child.name, "kind": child.get_kind_display()}
                    self._drop(row, _("它下面有%(kind)s“%(name)s”，不能改成这个类型") % words, header=cols.KIND)
                    return

    # --- What a row would do ---

    def _compare(self, row: _Row) -> None:
        number = row.record.number
        if row.standing is None:
            data = NewOrganisation(row.name, **{"kind": row.kind, **row.said})
            self.found.lines.append(Line(number, What.NEW, row.name, data=data))
            return
        changes = [
            (_HEADERS[name], before, after)
            for name, value in row.said.items()
            if (before := _words(name, getattr(row.standing, name))) != (after := _words(name, value))
        ]
        if not self.task.update and (words := differs_from_what_stands(changes)):
            self._blame(row, changes[0][0], words, changes[0][2])
            return
        what = What.CHANGED if changes else What.SAME
        self.found.lines.append(Line(number, what, row.name, changes, OrganisationChange(row.standing, **row.said)))


def _key(name: str) -> str:
    return "".join(name.split())


def _words(name: str, value: Any) -> str:
    """A field's value as the table says it."""
    if value is None or value == "":
        return ""
    if name == "kind":
        return str(OrganisationKind(value).label)
    if name == "domain":
        return str(Domain(value).label)
    if name == "founded_on":
        return str(date_words(value))
    return str(value)
