"""Reading a table of people: what each row would do, and what is wrong with it. Writes nothing."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core.accounts import clean_phone
from core.actors import Actor
from core.errors import Invalid
from core.models import User
from core.spreadsheets import BoundTable, Record, RowError
from governance.accounts.sheets import CADRES, LIAISONS, NO, Sheet, posts_of
from grids.actions import why_not_theirs
from grids.actions.appointments import APART
from grids.models import Appointment, County, GridNode
from grids.places import places_by_words
from grids.posts import COUNTY, POSTS
from partybuilding.models import Member, PartyOrganisation, Unit, UnitMembership, UnitRole

BATCH = 300


@dataclass
class Planned:
    """What a row without faults would do.

    Attributes:
        user: the account that stands already. wants_account: whether one is made otherwise.
        standing: nothing is left to do, the person holds all of it.
        what: in words, for the handout ("新民社区 网格员").
        post, place, start / unit, role / member, unit, branch: by the kind of table.
    """

    number: int
    name: str
    phone: str
    user: User | None = None
    wants_account: bool = True
    standing: bool = False
    what: str = ""
    post: str = ""
    place: GridNode | County | None = None
    start: Any = None
    unit: Unit | None = None
    role: str = ""
    member: Member | None = None
    branch: PartyOrganisation | None = None


@dataclass
class Plan:
    """All rows of a table: what they would do, and what is wrong."""

    rows: list[Planned] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)

    @property
    def to_do(self) -> list[Planned]:
        return [row for row in self.rows if not row.standing]

    @property
    def new_people(self) -> list[tuple[str, str]]:
        """(phone, name) of those who need an account, each once."""
        needed = {row.phone: row.name for row in self.to_do if row.user is None and row.wants_account}
        return list(needed.items())


def plan(*, actor: Actor, county: County, sheet: Sheet, table: BoundTable) -> Plan:
    """Reads every row. Costs a few queries per 300 rows, whatever the table."""
    return _Planner(actor, county, sheet, table).plan()


class _Planner:
    def __init__(self, actor: Actor, county: County, sheet: Sheet, table: BoundTable) -> None:
        self.actor, self.county, self.sheet = actor, county, sheet
        self.records = list(table.records())
        self.headers = {name: table.table.headers[at] for name, at in table.positions.items()}
        self.found = Plan()

    def plan(self) -> Plan:
        good: list[tuple[Record, Planned]] = []
        for record in self.records:
            self.found.errors += record.errors
            person = None if record.errors else self._person(record)
            if person is not None:
                good.append((record, person))
        self._know(good)
        fill = self._filler(good)
        seen: dict[Any, int] = {}
        for record, person in good:
            if not self._is_theirs(record, person) or not fill(record, person):
                continue
            key = (person.phone, person.post, person.place, person.unit if self.sheet.key == LIAISONS else None)
            if key in seen:
                self._fault(record, "", _("与第 %(row)d 行重复") % {"row": seen[key]})
                continue
            seen[key] = person.number
            self.found.rows.append(person)
        self.found.errors.sort(key=lambda error: error.row)
        return self.found

    # --- The person ---------------------------------------------------------------------------------------------

    def _person(self, record: Record) -> Planned | None:
        try:
            phone = clean_phone(record.text("phone"))
        except Invalid as error:
            self._fault(record, "phone", error.message)
            return None
        return Planned(record.number, record.text("name"), phone)

    def _know(self, good: Sequence[tuple[Record, Planned]]) -> None:
        """Whose accounts stand under the phones, and which name each phone has in the table."""
        phones = {person.phone for _record, person in good}
        self.users: dict[str, User] = {}
        for some in _batches(phones):
            self.users.update({user.phone: user for user in User.objects.filter(phone__in=some)})
        self.names: dict[str, tuple[str, int]] = {}
        for _record, person in good:
            self.names.setdefault(person.phone, (person.name, person.number))

    def _is_theirs(self, record: Record, person: Planned) -> bool:
        name, number = self.names[person.phone]
        if name != person.name:
            self._fault(record, "phone", _("与第 %(row)d 行的手机号码相同，姓名却不同") % {"row": number})
            return False
        person.user = self.users.get(person.phone)
        if person.user is not None:
            fault = why_not_theirs(person.user, county=self.county, name=person.name)
            if fault:
                self._fault(record, "phone", fault.message)
                return False
        return True

    def _fault(self, record: Record, column: str, message: str) -> bool:
        value = record.values.get(column) if column else ""
        header = self.headers.get(column, "")
        self.found.errors.append(RowError(record.number, header, message, str(value or "")))
        return False

    # --- What they are to hold ----------------------------------------------------------------------------------

    def _filler(self, good: Sequence[tuple[Record, Planned]]) -> Callable[[Record, Planned], bool]:
        if self.sheet.key == CADRES:
            self.posts = posts_of(self.county)
            self.places = places_by_words(self.county, {record.text("place") for record, _person in good})
            self.held = self._held_posts()
            return self._fill_cadre
        units = Unit.objects.active().filter(county=self.county)
        self.units = {unit.short_name: unit for unit in units if unit.short_name} | {unit.name: unit for unit in units}
        if self.sheet.key == LIAISONS:
            self.roles = {str(label): value for value, label in UnitRole.choices}
            self.acting = self._acting()
            return self._fill_liaison
        self.branches = {row.name: row for row in PartyOrganisation.objects.filter(county=self.county, is_active=True)}
        self.members = {}
        for some in _batches({person.phone for _record, person in good}):
            rows = Member.objects.filter(county=self.county, phone__in=some)
            self.members.update({member.phone: member for member in rows})
        return self._fill_member

    def _fill_cadre(self, record: Record, person: Planned) -> bool:
        person.post, person.start = self.posts[record.text("post")], record.day("start")
        post, words = POSTS[person.post], record.text("place")
        if post.levels == (COUNTY,):
            if words not in ("", self.county.name):
                return self._fault(record, "place", _("县级岗位不用填任职地"))
            person.place = self.county
        else:
            if not words:
                return self._fault(record, "place", _("请填写任职地"))
            places = self.places.get(words, [])
            if len(places) != 1:
                message = (
                    _("有 %(count)d 处叫这个名称，请填编码") % {"count": len(places)}
                    if places
                    else _("没有找到这个地方")
                )
                return self._fault(record, "place", message)
            if places[0].level_type.key not in post.levels:
                return self._fault(
                    record, "post", _("“%(place)s”不设%(post)s") % {"place": places[0].name, "post": post.label}
                )
            person.place = places[0]
        person.what = f"{person.place} {post.label}"
        return self._may_hold(record, person)

    def _may_hold(self, record: Record, person: Planned) -> bool:
        assert person.place is not None
        held = self.held.setdefault(person.phone, set())
        mine = (person.post, type(person.place), person.place.pk)
        person.standing = mine in held
        if person.standing:
            return True
        if person.user is not None and person.user == self.actor:
            return self._fault(record, "", _("不能给自己任职，请由另一位管理员办理"))
        if any({person.post, other} == APART for other, _model, _pk in held):
            return self._fault(record, "post", _("审计员和管理员不能由同一人担任"))
        held.add(mine)
        return True

    def _fill_liaison(self, record: Record, person: Planned) -> bool:
        person.unit = self.units.get(record.text("unit"))
        if person.unit is None:
            return self._fault(record, "unit", _("本县没有登记这个单位，或已停用"))
        person.role = self.roles.get(record.text("role"), UnitRole.LIAISON)
        person.what = f"{person.unit} {UnitRole(person.role).label}"
        role = self.acting.get((person.phone, person.unit.pk))
        if role is not None and role != person.role:
            words = {"role": UnitRole(role).label}
            return self._fault(record, "role", _("已是这个单位的%(role)s，改角色请先结束原来的") % words)
        person.standing = role is not None
        return True

    def _fill_member(self, record: Record, person: Planned) -> bool:
        person.wants_account = record.text("account") != NO
        for column, known in (("unit", self.units), ("branch", self.branches)):
            words = record.text(column)
            found: Any = known.get(words) if words else None
            if words and found is None:
                return self._fault(record, column, _("本县没有登记“%(name)s”，或已停用") % {"name": words[:30]})
            setattr(person, column, found)
        person.what = " ".join(str(part) for part in (person.unit, person.branch, _("党员")) if part)
        person.member = self.members.get(person.phone)
        if person.member is not None:
            if person.member.name != person.name:
                return self._fault(record, "phone", _("这个手机号码已登记为另一位党员"))
            if not person.member.is_active:
                return self._fault(record, "name", _("这位党员已停用，请先启用"))
            person.standing = person.member.user_id is not None or not person.wants_account
        return True

    # --- What they hold -----------------------------------------------------------------------------------------

    def _held_posts(self) -> dict[str, set[tuple[str, type, int]]]:
        held: dict[str, set[tuple[str, type, int]]] = {}
        today = timezone.localdate()
        for some in _batches(user.pk for user in self.users.values()):
            rows = Appointment.objects.filter(Q(end__isnull=True) | Q(end__gt=today), user_id__in=some)
            for row in rows.select_related("user"):
                where = (GridNode, row.node_id) if row.node_id else (County, row.county_id)
                held.setdefault(row.user.phone, set()).add((row.post, where[0], where[1] or 0))
        return held

    def _acting(self) -> dict[tuple[str, int], str]:
        acting: dict[tuple[str, int], str] = {}
        today = timezone.localdate()
        for some in _batches(user.pk for user in self.users.values()):
            rows = UnitMembership.objects.filter(Q(end__isnull=True) | Q(end__gt=today), user_id__in=some)
            for row in rows.select_related("user"):
                acting[row.user.phone, row.unit_id] = row.role
        return acting


def _batches(items: Iterable[Any]) -> Iterator[list[Any]]:
    rows = sorted(items)
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]
