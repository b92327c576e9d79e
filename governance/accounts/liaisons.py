"""Liaisons and staff of units by a table: an account and a place in a unit in each row."""

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Invalid
from core.sheets import Task, What
from core.spreadsheets import Column
from governance.accounts.people import PersonSheet, Reading, Row, batches
from governance.accounts.words import KINDS, LIAISONS, person_columns, role_column, unit_column
from grids.models import County
from grids.resources.base import differs_from_what_stands
from partybuilding.actions import NewMembership, RoleCorrection, add_memberships, correct_roles
from partybuilding.models import Unit, UnitMembership, UnitRole
from partybuilding.posts import MANAGE_UNIT
from partybuilding.unit_names import UnitNames


class LiaisonSheet(PersonSheet):
    key = LIAISONS
    label = KINDS[LIAISONS]
    right = MANAGE_UNIT

    def columns(self, where: County) -> Sequence[Column]:
        return (*person_columns(), unit_column(required=True), role_column())

    def judge(self, reading: Reading) -> None:
        units = UnitNames(reading.county)
        roles = {str(label): value for value, label in UnitRole.choices}
        acting, seen = _acting(reading.rows), dict[tuple[str, int], int]()
        for row in reading.rows:
            try:
                unit = units.find(row.record.text("unit"))
            except Invalid as error:
                reading.blame(row, "unit", error.message)
                continue
            role = roles.get(row.record.text("role"), "")
            row.what = f"{unit} {UnitRole(role or UnitRole.LIAISON).label}"
            if (first := seen.setdefault((row.phone, unit.pk), row.number)) != row.number:
                reading.blame(row, "", _("与第 %(row)d 行重复") % {"row": first})
                continue
            self._act(reading, row, unit, role, acting.get((row.phone, unit.pk)))

    def _act(self, reading: Reading, row: Row, unit: Unit, role: str, standing: UnitMembership | None) -> None:
        if standing is not None and role in ("", standing.role):
            row.what = f"{unit} {standing.get_role_display()}"
            reading.add(row, What.SAME)
        elif row.user is not None and row.user == reading.task.actor:
            reading.blame(row, "", _("不能把自己登记为单位人员，请由另一位管理员办理"))
        elif standing is None:
            row.found = (unit, role or UnitRole.LIAISON)
            reading.add(row, What.NEW)
        else:
            changes = [(_("角色"), standing.get_role_display(), str(UnitRole(role).label))]
            if not reading.task.update:
                reading.blame(row, "role", differs_from_what_stands(changes))
                return
            row.found = RoleCorrection(standing, role)
            reading.add(row, What.CHANGED, changes)

    def write_rows(self, task: Task, new: Sequence[Row], changed: Sequence[Row]) -> None:
        if new:
            rows = [NewMembership(row.user, *row.found) for row in new if row.user is not None]
            add_memberships(actor=task.actor, rows=rows)
        if changed:
            correct_roles(actor=task.actor, rows=[row.found for row in changed])


def _acting(rows: Sequence[Row]) -> dict[tuple[str, int], UnitMembership]:
    """(phone, unit) -> in what role its person acts for the unit now or soon."""
    acting: dict[tuple[str, int], UnitMembership] = {}
    users = {row.user.pk: row.phone for row in rows if row.user is not None}
    today = timezone.localdate()
    for some in batches(users):
        for one in UnitMembership.objects.filter(user_id__in=some).select_related("unit", "user"):
            if one.end is None or one.end > today:
                acting[users[one.user_id], one.unit_id] = one
    return acting
