"""Who runs a compound: the property firm or nobody, the owners' committee, the branch. The place's own facts are written
by `grids.actions.compounds`; both halves take the same lock (docs/decisions/0016)."""

import datetime
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Invalid
from core.text import clean_line
from grids.actions.compounds import lock_compounds, refuse_stale
from grids.models import GridNode
from partybuilding.models import (
    BranchSetup,
    CompoundRunning,
    Management,
    OwnersCommittee,
    PartyOrganisation,
    Unit,
)

UNCHANGED: Any = object()
BATCH = 500
_FIELDS = ("management", "firm_name", "firm", "committee", "committee_on", "branch", "branch_setup")


@dataclass(frozen=True)
class RunningFacts:
    """What is said of who runs one compound; what is not given stays as it is. `management` is needed the first time.

    Attributes:
        version: of what the person saw, 0 where nothing was recorded yet; None: whatever stands.
        firm_name: the property firm; the unit in use of that name, where there is one, is linked.
        branch, branch_setup: given together, or both emptied.
    """

    node: GridNode
    version: int | None = None
    management: str = UNCHANGED
    firm_name: str = UNCHANGED
    committee: str = UNCHANGED
    committee_on: datetime.date | None = UNCHANGED
    branch: PartyOrganisation | None = UNCHANGED
    branch_setup: str = UNCHANGED


def record_running(*, actor: Actor, node: GridNode, **facts: Any) -> CompoundRunning:
    """Writes down who runs a compound. `facts`: as `RunningFacts`.

    Raises:
        NotFound, Forbidden: no `compound.manage` there. Invalid: a fact is not usable, or two do not go together (a
        firm without property management, a day without a committee, a branch without how it was set up).
        Conflict: the compound is retired. Stale.
    """
    return record_runnings(actor=actor, rows=[RunningFacts(node, **facts)])[0]


@transaction.atomic
def record_runnings(*, actor: Actor, rows: Sequence[RunningFacts]) -> list[CompoundRunning]:
    """The same for many, in a few statements, for imports; all or none. Raises as `record_running`."""
    nodes = lock_compounds(actor, [row.node for row in rows])
    stands = {row.node_id: row for row in _stands(nodes)}
    branches = _lock_branches(row.branch for row in rows if row.branch not in (UNCHANGED, None))
    results, new, changed = [], [], []
    made, corrected = [], []
    written = []
    for row, node in zip(rows, nodes, strict=True):
        running = stands.get(node.pk)
        refuse_stale(node, row.version, running.version if running else 0)
        is_new = running is None
        running = running or CompoundRunning(node=node, county=node.county, management="")
        written.append((row, node, running, is_new, _values(running)))
        if row.branch not in (UNCHANGED, None):
            row = replace(row, branch=branches.get(row.branch.pk, row.branch))
        check_running(row, running)
    _link_firms([running for _row, _node, running, _is_new, _before in written])
    for _row, node, running, is_new, before in written:
        after = _values(running)
        changes = {
            name: (None if is_new else before[name], after[name]) for name in after if before[name] != after[name]
        }
        deed = audit.Deed(running, changes, label=node.path)
        if is_new:
            new.append(running)
            made.append(deed)
        elif changes:
            running.version += 1
            changed.append(running)
            corrected.append(deed)
        results.append(running)
    CompoundRunning.objects.bulk_create(new, batch_size=BATCH)
    CompoundRunning.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="compound.running", deeds=made, new=True)
    audit.record_many(actor=actor, action="compound.running", deeds=corrected)
    return results


def _values(running: CompoundRunning) -> dict[str, Any]:
    return {
        "management": running.management,
        "firm_name": running.firm_name,
        "firm_id": running.firm_id,
        "committee": running.committee,
        "committee_on": running.committee_on,
        "branch_id": running.branch_id,
        "branch_setup": running.branch_setup,
    }


def _stands(nodes: Sequence[GridNode]) -> list[CompoundRunning]:
    found: list[CompoundRunning] = []
    for start in range(0, len(nodes), BATCH):
        found += CompoundRunning.objects.filter(node__in=nodes[start : start + BATCH])
    return found


def _lock_branches(branches: Iterable[PartyOrganisation]) -> dict[int, PartyOrganisation]:
    """The branches as they are now: none of them is closed before this transaction ends."""
    pks = sorted({branch.pk for branch in branches})
    found: dict[int, PartyOrganisation] = {}
    for start in range(0, len(pks), BATCH):
        rows = PartyOrganisation.objects.select_for_update(no_key=True).filter(pk__in=pks[start : start + BATCH])
        found.update({row.pk: row for row in rows.order_by("pk")})
    return found


def _link_firms(runnings: Sequence[CompoundRunning]) -> None:
    """The unit in use that bears the firm's name, by its full name or its short one."""
    named: dict[tuple[int, str], Unit] = {}
    wanted = {(running.county_id, running.firm_name) for running in runnings if running.firm_name}
    for county_id in {county_id for county_id, _name in wanted}:
        named.update({(county_id, unit.name): unit for unit in firms_by_name(county_id, [n for _c, n in wanted])})
    for running in runnings:
        running.firm = named.get((running.county_id, running.firm_name))


def firms_by_name(county_id: int, names: Iterable[str]) -> list[Unit]:
    """The units in use of a county that bear one of some names."""
    found: list[Unit] = []
    listed = sorted(set(names))
    for start in range(0, len(listed), BATCH):
        found += Unit.objects.active().filter(county_id=county_id, name__in=listed[start : start + BATCH])
    return found


def check_running(row: RunningFacts, running: CompoundRunning) -> None:
    """Puts what is given into a record, writes nothing. Raises Invalid for what is not usable or does not go together."""
    for name, clean in _CLEAN.items():
        value = getattr(row, name)
        if value is not UNCHANGED:
            setattr(running, name, clean(value))
    if row.branch is not UNCHANGED:
        running.branch = _usable(row.branch, running)
    if row.management is not UNCHANGED and row.firm_name is UNCHANGED and running.management != Management.MANAGED:
        running.firm_name = ""
    if row.committee is not UNCHANGED and row.committee_on is UNCHANGED and running.committee != OwnersCommittee.FORMED:
        running.committee_on = None
    _check_together(running)


def _usable(branch: PartyOrganisation | None, running: CompoundRunning) -> PartyOrganisation | None:
    if branch is not None and (branch.county_id != running.county_id or not branch.is_active):
        raise _bad("branch", _("请选择本县在用的党组织。"))
    return branch


def _check_together(running: CompoundRunning) -> None:
    if not running.management:
        raise _bad("management", _("请选择管理方式：有物业管理、社区代管，或三无小区。"))
    if running.firm_name and running.management != Management.MANAGED:
        raise _bad("firm_name", _("只有“有物业管理”的小区填物业公司。"))
    if running.committee_on is not None:
        if running.committee != OwnersCommittee.FORMED:
            raise _bad("committee_on", _("业主委员会成立了，才填成立日期。"))
        if running.committee_on > timezone.localdate():
            raise _bad("committee_on", _("业主委员会成立日期不能晚于今天。"))
    # An import asks before the branch is registered.
    has_branch = bool(running.branch_id or running.branch)
    if has_branch and not running.branch_setup:
        raise _bad("branch_setup", _("请选择党支部的组建方式：单独建、挂靠建，或融合建。"))
    if running.branch_setup and not has_branch:
        raise _bad("branch", _("选了组建方式，请同时填党支部。"))


def _one_of(choices: Any, field: str, *, empty: bool = False) -> Callable[[str], str]:
    def clean(value: str) -> str:
        if value not in choices.values and not (empty and not value):
            raise _bad(field, _("没有这个选项，请从列表中选择。"))
        return value

    return clean


def _clean_firm(value: str) -> str:
    return clean_line(value, max_length=60, label=_("物业公司"), field="firm_name")


def _same(value: Any) -> Any:
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "management": _one_of(Management, "management"),
    "firm_name": _clean_firm,
    "committee": _one_of(OwnersCommittee, "committee"),
    "committee_on": _same,
    "branch_setup": _one_of(BranchSetup, "branch_setup", empty=True),
}


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
