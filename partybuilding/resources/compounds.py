"""Compounds as a table: what stands there and who runs it, one row a compound (docs/domain.md#z3, #z5)."""

import re
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from import_export.fields import Field

from core import policies
from core.actors import SYSTEM
from core.errors import Invalid
from core.models import User
from core.periods import date_words
from core.sheets import Line, Plan, RowResource, Task, What
from core.sheets.base import Progress
from core.sheets.jobs import fault
from core.spreadsheets import Column, LedgerColumn
from core.spreadsheets.columns import Record
from core.spreadsheets.numbers import whole_number
from grids.actions.compounds import ProfileFacts, check_profile, describe_compounds
from grids.models import County, FacilityKind
from grids.naming import steps_of
from grids.posts import MANAGE_COMPOUND, VIEW_COMPOUND
from grids.resources.base import GridSheet, differs_from_what_stands
from grids.resources.compound_places import Compounds
from partybuilding.actions import create_organisation
from partybuilding.actions.running import RunningFacts, check_running, firms_by_name, record_runnings
from partybuilding.models import (
    BranchSetup,
    Compound,
    CompoundRunning,
    Management,
    OrganisationKind,
    OwnersCommittee,
    PartyOrganisation,
)
from partybuilding.organisation_kinds import may_hang
from partybuilding.posts import MANAGE_ORGANISATION
from partybuilding.resources import compound_columns as cols

BATCH = 300
_KEYS = {
    name: {str(label): value for value, label in choices.choices}
    for name, choices in (("management", Management), ("committee", OwnersCommittee), ("branch_setup", BranchSetup))
}
_YEAR = re.compile(r"(\d{4})(年.*|[-./]\d.*)?")
_KINDS = [kind for kind in FacilityKind if kind is not FacilityKind.OTHER]
_PHYSICAL = {
    "built_year": cols.BUILT,
    "households": cols.HOMES,
    **{cols.facility(kind): kind.label for kind in _KINDS},
    "is_demonstration": cols.DEMONSTRATION,
    "note": cols.NOTE,
}
_RUN_BY = {
    "management": cols.MANAGEMENT,
    "firm_name": cols.FIRM,
    "firm": lazy("登记的物业单位"),
    "committee": cols.COMMITTEE,
    "committee_on": cols.COMMITTEE_ON,
    "branch": cols.BRANCH,
    "branch_setup": cols.SETUP,
}
_HEADERS = {**_PHYSICAL, **_RUN_BY}
# A compound in words, as `_words` gives it: the same columns come in, are compared and go out.
CompoundRows: Any = type("CompoundRows", (RowResource,), {name: Field(name, words) for name, words in _HEADERS.items()})


@dataclass
class _Row:
    """What a good row would do: to either half, and the branch that has to be registered first."""

    profile: ProfileFacts | None = None
    running: RunningFacts | None = None
    new_branch: str = ""


class CompoundSheet(GridSheet):
    key = "compounds"
    label = lazy("小区档案")
    right = MANAGE_COMPOUND
    export_right = VIEW_COMPOUND

    def columns(self, where: County) -> Sequence[Column]:
        return cols.columns()

    def notes(self, where: County) -> Sequence[str]:
        return (
            _("小区要先在“网格”里建好；这里只登记情况，不新建小区。"),
            _("空着的格子不改动原有内容；设施填 0 就是没有。"),
        )

    # --- Coming in ---

    def plan(self, task: Task) -> Plan:
        return _Planner(task).plan()

    def write(self, task: Task, plan: Plan) -> None:
        rows: list[_Row] = [line.data for line in plan.to_do]
        made: dict[str, PartyOrganisation] = {}
        for row in rows:
            if row.new_branch and row.new_branch not in made:
                assert row.running is not None
                made[row.new_branch] = self._register_branch(task, row.new_branch, row.running.node)
        describe_compounds(actor=task.actor, rows=[row.profile for row in rows if row.profile])
        runnings = [
            replace(row.running, branch=made[row.new_branch]) if row.new_branch else row.running
            for row in rows
            if row.running
        ]
        record_runnings(actor=task.actor, rows=runnings)

    @staticmethod
    def _register_branch(task: Task, name: str, compound: Any) -> PartyOrganisation:
        """Below the community's own organisation, where there is just one."""
        above = list(PartyOrganisation.objects.filter(node=compound.community_id, is_active=True)[:2])
        parent = above[0] if len(above) == 1 and may_hang(OrganisationKind.BRANCH, above[0].kind) else None
        return create_organisation(actor=task.actor, county=task.where, name=name, parent=parent, node=compound)

    # --- Going out ---

    def ledger_columns(self) -> Sequence[LedgerColumn]:
        return (
            LedgerColumn(_("街道")),
            LedgerColumn(_("社区")),
            LedgerColumn(_("小区")),
            LedgerColumn(cols.BUILT, "centre"),
            LedgerColumn(cols.HOMES, "right", total=True),
            LedgerColumn(cols.MANAGEMENT, "centre"),
            LedgerColumn(cols.FIRM),
            LedgerColumn(cols.COMMITTEE, "centre"),
            LedgerColumn(cols.COMMITTEE_ON, "centre"),
            LedgerColumn(cols.BRANCH),
            LedgerColumn(cols.SETUP, "centre"),
            LedgerColumn(_("设施")),
            LedgerColumn(cols.DEMONSTRATION, "centre"),
            LedgerColumn(cols.NOTE),
        )

    def ledger_rows(self, actor: User, ids: Sequence[int], progress: Progress) -> Iterator[Sequence[object]]:
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            rows = whole(Compound.objects.visible_to(actor)).in_bulk(some)
            for pk in some:
                if pk in rows:
                    yield _ledger_row(rows[pk])
            progress(start + len(some), len(ids))


def whole(rows: Any) -> Any:
    """Compounds with both halves."""
    related = ("compound_profile", "compound_running__branch", "compound_running__firm")
    return rows.select_related("community", *related).prefetch_related("compound_profile__facilities")


def facilities_of(compound: Compound) -> dict[str, int]:
    """Kind -> how many stand there, in the order of the kinds."""
    counts = {row.kind: row.count for row in compound.profile.facilities.all()} if compound.profile else {}
    return {kind: counts[kind] for kind in FacilityKind.values if kind in counts}


def _words(compound: Compound) -> dict[str, Any]:
    """What stands, as it would be written in a table."""
    profile, counts = compound.profile, facilities_of(compound)
    return {
        "built_year": profile.built_year if profile else None,
        "households": compound.households,
        **{cols.facility(kind): counts.get(kind, 0) for kind in _KINDS},
        "is_demonstration": cols.YES if profile and profile.is_demonstration else cols.NO,
        "note": profile.note if profile else "",
        **_running_words(compound.running),
    }


def _running_words(running: CompoundRunning | None) -> dict[str, Any]:
    if running is None:
        return {**dict.fromkeys(_RUN_BY, ""), "committee": str(OwnersCommittee.NONE.label), "committee_on": None}
    return {
        "management": running.get_management_display(),
        "firm_name": running.firm_name,
        "firm": running.firm.name if running.firm else "",
        "committee": running.get_committee_display(),
        "committee_on": running.committee_on,
        "branch": running.branch.name if running.branch else "",
        "branch_setup": running.get_branch_setup_display() if running.branch_setup else "",
    }


def _ledger_row(compound: Compound) -> list[object]:
    words = _words(compound)
    steps = steps_of(compound.path)
    facilities = "、".join(f"{FacilityKind(kind).label}{count}" for kind, count in facilities_of(compound).items())
    row: list[object] = [steps[0], compound.community.name if compound.community else "", compound.name]
    row += [words["built_year"], words["households"], words["management"], words["firm_name"]]
    row += [words["committee"] if compound.running else ""]
    row += [date_words(words["committee_on"]) if words["committee_on"] else "", words["branch"], words["branch_setup"]]
    return [*row, facilities, words["is_demonstration"], words["note"]]


class _Planner:
    """Judges the rows of one table."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.records = list(task.table.records())
        self.found = Plan()
        self.new_branches: dict[str, int] = {}
        # Made once: a resource copies all its fields when it is made.
        self.rows = CompoundRows()
        self.physical = {str(words) for words in _PHYSICAL.values()}
        self.run_by = {str(words) for words in _RUN_BY.values()}
        self.may_register = task.actor is SYSTEM or policies.can(task.actor, MANAGE_ORGANISATION, task.where)

    def plan(self) -> Plan:
        whole_ones = [record for record in self.records if not record.errors]
        places = Compounds(self.task.actor, self.task.where, whole_ones, whole(Compound.objects.all()))
        self.branches = self._branches(whole_ones)
        self.firms = {
            unit.name: unit
            for unit in firms_by_name(self.task.where.pk, {record.text("firm_name") for record in whole_ones} - {""})
        }
        seen: dict[int, int] = {}
        for count, record in enumerate(self.records, start=1):
            self.found.errors += record.errors
            if record.errors:
                continue
            try:
                compound = places.of(record)
                if seen.setdefault(compound.pk, record.number) != record.number:
                    message = _("与第 %(row)d 行是同一个小区") % {"row": seen[compound.pk]}
                    raise Invalid(message, fields={"compound": message})
                self._judge(record, compound)
            except Invalid as error:
                self.found.errors += self.task.faults(record, error)
            if count % BATCH == 0:
                self.task.progress(count, len(self.records))
        if self.new_branches:
            words = _("将新登记 %(count)d 个党支部：%(names)s。")
            names = "、".join(list(self.new_branches)[:20])
            self.found.notes.append(words % {"count": len(self.new_branches), "names": names})
        return self.found

    def _branches(self, records: Sequence[Record]) -> dict[str, PartyOrganisation]:
        names = sorted({record.text("branch") for record in records} - {""} - cols.NOTHING)
        found: dict[str, PartyOrganisation] = {}
        for start in range(0, len(names), BATCH):
            rows = PartyOrganisation.objects.filter(county=self.task.where, name__in=names[start : start + BATCH])
            found.update({row.name: row for row in rows})
        return found

    def _judge(self, record: Record, compound: Compound) -> None:
        before = _words(compound)
        given = _given(record)
        profile = self._profile(compound, given)
        check_profile(profile)
        after = {**before, **{name: given[name] for name in _PHYSICAL if given.get(name) is not None}}
        running, branch = self._running(compound, given)
        if running is not None:
            stands = (
                copy(compound.running) if compound.running else CompoundRunning(county=self.task.where, management="")
            )
            check_running(running, stands)
            stands.firm = self.firms.get(stands.firm_name) or (
                stands.firm if compound.running and stands.firm_name == compound.running.firm_name else None
            )
            after.update(_running_words(stands))
        changes = self.rows.differing(before, after)
        if not self.task.update and (message := differs_from_what_stands(changes)):
            self.found.errors.append(fault(record.number, "", message))
            return
        changed = {header for header, _before, _after in changes}
        row = _Row(
            profile if changed & self.physical else None,
            running if changed & self.run_by else None,
        )
        if row.running is not None and branch:
            row.new_branch = branch
            self.new_branches.setdefault(branch, record.number)
        is_new = compound.profile is None and compound.running is None
        what = What.SAME if not changes else What.NEW if is_new else What.CHANGED
        self.found.lines.append(Line(record.number, what, compound.path, () if is_new else changes, data=row))

    @staticmethod
    def _profile(compound: Compound, given: dict[str, Any]) -> ProfileFacts:
        facts = {name: given[name] for name in ("built_year", "households", "note") if given.get(name) is not None}
        if given.get("is_demonstration") is not None:
            facts["is_demonstration"] = given["is_demonstration"] == cols.YES
        counts = {
            str(kind): given[cols.facility(kind)] for kind in _KINDS if given.get(cols.facility(kind)) is not None
        }
        return ProfileFacts(
            compound, version=compound.profile.version if compound.profile else 0, facilities=counts, **facts
        )

    def _running(self, compound: Compound, given: dict[str, Any]) -> tuple[RunningFacts | None, str]:
        """What is said of who runs it, and the name of a branch that is not registered yet."""
        facts: dict[str, Any] = {
            name: given[name]
            for name in ("management", "firm_name", "committee", "committee_on", "branch_setup")
            if given.get(name) is not None
        }
        name = given.get("branch") or ""
        branch = self.branches.get(name)
        new = ""
        if name and branch is None:
            branch, new = self._to_register(name), name
        if branch is not None:
            facts["branch"] = branch
        if not facts:
            return None, ""
        if "firm_name" in facts and facts["firm_name"] and "management" not in facts and compound.running is None:
            facts["management"] = Management.MANAGED
        version = compound.running.version if compound.running else 0
        return RunningFacts(compound, version=version, **facts), new

    def _to_register(self, name: str) -> PartyOrganisation:
        if not self.may_register:
            message = _("本县没有登记这个党组织，请先请县级管理员在“党组织”里登记，或核对名称")
            raise Invalid(message, fields={"branch": message})
        return PartyOrganisation(county=self.task.where, name=name)


def _given(record: Record) -> dict[str, Any]:
    """The cells of a row by name; None where a cell says nothing. Raises Invalid."""
    given: dict[str, Any] = {"committee_on": record.day("committee_on")}
    faults: dict[str, str] = {}
    for name in ("households", *(cols.facility(kind) for kind in _KINDS)):
        try:
            given[name] = whole_number(record.text(name))
        except Invalid as error:
            faults[name] = error.message
    if year := record.text("built_year"):
        found = _YEAR.fullmatch(year)
        if found is None:
            faults["built_year"] = _("请填写四位数字的年份，如 1998")
        else:
            given["built_year"] = int(found[1])
    if faults:
        raise Invalid(_("请填写整数"), fields=faults)
    for name, words in _KEYS.items():
        given[name] = words[record.text(name)] if record.text(name) else None
    for name in ("firm_name", "branch"):
        given[name] = None if record.text(name) in {"", *cols.NOTHING} else record.text(name)
    for name in ("is_demonstration", "note"):
        given[name] = record.text(name) or None
    return given
