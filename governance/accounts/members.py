"""Party members by a table: registered with the county, and given an account unless the row says otherwise."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from core.errors import Invalid
from core.sheets import Task, What
from core.spreadsheets import MEMBER_ROSTER, Column
from governance.accounts.people import PersonSheet, Reading, Row, batches, by_name, name_key
from governance.accounts.words import (
    KINDS,
    MEMBERS,
    NO,
    account_column,
    branch_column,
    home_column,
    person_columns,
    unit_column,
)
from grids.compounds import have_profiles
from grids.models import County, GridNode
from grids.places import FREE, Words, find_places
from grids.resources.base import differs_from_what_stands
from partybuilding.actions import MemberChange, NewMember, add_members, link_member_accounts, update_members
from partybuilding.models import Member, PartyOrganisation
from partybuilding.posts import MANAGE_MEMBER
from partybuilding.unit_names import UnitNames


class MemberSheet(PersonSheet):
    key = MEMBERS
    label = KINDS[MEMBERS]
    right = MANAGE_MEMBER
    allowed = MEMBER_ROSTER

    def columns(self, where: County) -> Sequence[Column]:
        return (*person_columns(), unit_column(required=False), branch_column(), account_column(), home_column())

    def judge(self, reading: Reading) -> None:
        units, homes = UnitNames(reading.county), _Homes(reading)
        branches = by_name(PartyOrganisation.objects.filter(county=reading.county, is_active=True), "name")
        members, owners, seen = _members(reading), _owners(reading), dict[str, int]()
        for row in reading.rows:
            row.wants_account = row.record.text("account") != NO
            places = self._places(reading, row, units, branches, homes)
            if places is None:
                continue
            row.what = " ".join(str(part) for part in (places["unit"], places["branch"], _("党员")) if part)
            if (first := seen.setdefault(row.phone, row.number)) != row.number:
                reading.blame(row, "", _("与第 %(row)d 行重复") % {"row": first})
            elif member := members.get(row.phone):
                self._compare(reading, row, member, places)
            elif row.wants_account and row.user is not None and row.user.pk in owners:
                reading.blame(row, "phone", _("这个手机号码的账号已关联另一位党员，请先核对"))
            else:
                row.found = places
                reading.add(row, What.NEW)

    @staticmethod
    def _places(
        reading: Reading, row: Row, units: UnitNames, branches: Mapping[str, list[Any]], homes: "_Homes"
    ) -> dict[str, Any] | None:
        """Unit, branch and home of the row, None where it says nothing; None altogether when one is not known."""
        places: dict[str, Any] = {"unit": None, "branch": None}
        if words := row.record.text("unit"):
            try:
                places["unit"] = units.find(words)
            except Invalid as error:
                reading.blame(row, "unit", error.message)
                return None
        if words := row.record.text("branch"):
            there = branches.get(name_key(words), [])
            if len(there) != 1:
                said = {"name": words[:30], "count": len(there)}
                many = _("有 %(count)d 处叫“%(name)s”，请填全称") % said
                reading.blame(row, "branch", many if there else _("本县没有登记“%(name)s”，或已停用") % said)
                return None
            places["branch"] = there[0]
        places["home"], wrong = homes.of(row)
        if wrong:
            reading.blame(row, "home", wrong)
            return None
        return places

    @staticmethod
    def _compare(reading: Reading, row: Row, member: Member, places: dict[str, Any]) -> None:
        """What the row would change of a member the county knows. What a cell leaves empty stays."""
        if member.name != row.name:
            reading.blame(row, "phone", _("这个手机号码已登记为另一位党员"))
            return
        if not member.is_active:
            reading.blame(row, "name", _("这位党员已停用，请先启用"))
            return
        after = {name: place for name, place in places.items() if place and place != getattr(member, name)}
        labels = {"unit": _("单位"), "branch": _("支部"), "home": _("居住小区")}
        changes = [(labels[name], str(getattr(member, name) or ""), str(place)) for name, place in after.items()]
        if changes and not reading.task.update and (words := differs_from_what_stands(changes)):
            reading.blame(row, next(iter(after)), words)
            return
        opens = row.wants_account and member.user_id is None
        row.wants_account = opens
        row.found = (MemberChange(member, **after) if after else None, member if opens else None)
        reading.add(row, What.CHANGED if changes else What.NEW if opens else What.SAME, changes)

    def write_rows(self, task: Task, new: Sequence[Row], changed: Sequence[Row]) -> None:
        county = task.where
        fresh = [row for row in new if isinstance(row.found, dict)]
        known = [row for row in (*new, *changed) if not isinstance(row.found, dict)]
        if fresh:
            people = [
                NewMember(row.name, row.phone, **row.found, user=row.user if row.wants_account else None)
                for row in fresh
            ]
            add_members(actor=task.actor, county=county, rows=people)
        if corrections := [row.found[0] for row in known if row.found[0]]:
            update_members(actor=task.actor, rows=corrections)
        if pairs := [(row.found[1], row.user) for row in known if row.found[1] and row.user]:
            link_member_accounts(actor=task.actor, county=county, pairs=pairs)


class _Homes:
    """The compounds the rows speak of, looked up at once."""

    def __init__(self, reading: Reading) -> None:
        self.found = find_places(reading.county, {self._words(row) for row in reading.rows})
        self.compounds = have_profiles([one.node for one in self.found.values() if one.node])

    def of(self, row: Row) -> tuple[GridNode | None, str]:
        """The row's compound, None where it says nothing; and why it can not be taken, empty when it can."""
        one = self.found.get(self._words(row))
        if one is None:
            return None, ""
        if one.node is None:
            return None, one.fault
        if one.node.level_type_id not in self.compounds:
            return None, _("“%(place)s”不是小区，请写到小区") % {"place": one.node.name}
        return one.node, ""

    @staticmethod
    def _words(row: Row) -> Words:
        text = row.record.text("home")
        return ((FREE, text),) if text else ()


def _members(reading: Reading) -> dict[str, Member]:
    """Phone -> the member of the county who is known by it."""
    found: dict[str, Member] = {}
    for some in batches({row.phone for row in reading.rows}):
        rows = Member.objects.filter(county=reading.county, phone__in=some)
        found.update({member.phone: member for member in rows.select_related("unit", "branch", "home")})
    return found


def _owners(reading: Reading) -> set[int]:
    """The accounts, among those of the rows, that are a member's already."""
    found: set[int] = set()
    for some in batches({row.user.pk for row in reading.rows if row.user is not None}):
        found.update(Member.objects.filter(user_id__in=some).values_list("user_id", flat=True))
    return found
