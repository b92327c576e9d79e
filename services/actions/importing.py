"""Demands from a petition desk's table: read and judged outside any transaction, written in one short one.

A matter is the same when community, 编号 and 日期 are the same. What is there already is left as it is: a row that says
the same creates nothing, one that says otherwise is an error. So a table may be imported again and again, and a worker
killed half-way is simply run once more.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, notices, policies
from core.actors import SYSTEM, Actor, kind_of, user_of
from core.audit import Deed
from core.codes import new_follow_code, new_matter_code
from core.errors import Conflict, Forbidden, Invalid
from core.spreadsheets import Report, RowError, write_errors
from grids.actions import hold_places
from grids.models import GridNode
from services import posts
from services.actions.import_places import Placed
from services.actions.import_rows import Key, Line, Progress, Reading, batches, by_category, by_place, read
from services.models import Demand, DemandEvent, Origin
from services.resources.demands import DemandResource

NOTICE_KIND = "demand_import"
BATCH = 1000
# Values in one IN (...).
LOOKUP = 500
_TRIES = 4
# Rows shown before the import, so that the person sees how the table was understood.
SAMPLE = 6
# Rows named in a note, so that the person finds one of them.
NAMED = 10


@dataclass
class Outcome:
    """What came of an import, or would come of it.

    Attributes:
        written: whether the rows are in the database; never in a dry run, nor with faulty rows unless the good ones
            were to be kept. `report.created` then counts what was written, in a dry run what would be.
        categories, places: of the new demands. sample: the first new ones as they would be stored.
    """

    reading: Reading
    report: Report
    written: bool
    dry_run: bool
    categories: list[tuple[str, int]]
    places: dict[str, int]
    sample: list[Line]

    def error_file(self) -> bytes:
        """The table with a column 错误信息, to be corrected and sent again."""
        return write_errors(self.reading.content, self.reading.table, self.report.errors)


Written = Callable[[Outcome], None]


def require(actor: Actor, community: GridNode) -> None:
    """Raises Forbidden without `demand.import` anywhere, NotFound outside the actor's own communities, Invalid when it
    is no community in use."""
    if actor is not SYSTEM:
        user = user_of(actor)
        # Asked first: to a keeper every community gives the same answer.
        if user is None or not policies.holds(user, posts.IMPORT_DEMAND):
            raise Forbidden(
                _("您没有“%(right)s”的权限，请联系社区干部办理。") % {"right": policies.label(posts.IMPORT_DEMAND)}
            )
        policies.require(user, posts.IMPORT_DEMAND, community)
    if community.community_id != community.pk:
        raise Invalid(_("“%(place)s”不是社区，请选择社区。") % {"place": community}, code="no_community")
    if community.is_retired:
        raise Invalid(_("“%(place)s”已撤销，请选择其他社区。") % {"place": community}, code="retired")


def import_demands(
    *,
    actor: Actor,
    community: GridNode,
    content: bytes,
    filename: str,
    dry_run: bool = False,
    keep_good: bool = False,
    progress: Progress | None = None,
    written: Written | None = None,
) -> Outcome:
    """Imports a table of demands into a community; see docs/guide/import.md.

    Args:
        actor: needs `demand.import` at the community; `SYSTEM` for the command.
        community: with its county, best with `county__loop_settings` loaded.
        content, filename: the file, xlsx or csv.
        dry_run: reads and judges only.
        keep_good: imports the rows without faults even though others have some; else one fault stops all.
        progress: told how many rows of how many are read.
        written: called inside the transaction as its last step, when there is anything to write: whoever has to know
            learns it with the rows or not at all.

    Raises:
        Forbidden, NotFound, Invalid: see `require`. Invalid, TooLarge: the file as a whole can not be used.
        Conflict: a place of the table was retired meanwhile, or others kept writing the same rows; nothing is written.
    """
    require(actor, community)
    reading = read(community=community, content=content, filename=filename, progress=progress)
    for _attempt in range(_TRIES):
        plan = _plan(community, reading)
        outcome = _outcome(reading, plan, dry_run=dry_run, keep_good=keep_good)
        if not outcome.written or not plan.new:
            return outcome
        _give_codes(plan.new)
        try:
            with transaction.atomic():
                _write(actor, community, reading, plan, outcome)
                if written is not None:
                    written(outcome)
            return outcome
        except (_Overtaken, IntegrityError, Conflict):
            # Somebody imported the same rows meanwhile, moved a place, or drew the same random code: look again.
            for line in plan.new:
                line.demand.pk, line.demand._state.adding = None, True
    raise Conflict(_("导入期间这个社区的网格或需求有变动，什么也没有写入，请重新导入。"))


class _Overtaken(Exception):
    """What was planned no longer holds."""


@dataclass
class _Plan:
    new: list[Line] = field(default_factory=list)
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list)
    numbers: dict[int, str] = field(default_factory=dict)


# --- Judging --------------------------------------------------------------------------------------------------------


def _plan(community: GridNode, reading: Reading) -> _Plan:
    """Sorts the good rows into new ones, ones that are there already, and ones that contradict what is there."""
    plan = _Plan()
    standing = _standing(community, reading.lines)
    met: dict[int, Line] = {}
    for line in reading.lines:
        pk = standing.get(line.key)
        if pk is None:
            plan.new.append(line)
        else:
            met[pk] = line
    resource = DemandResource()
    header = reading.table.headers[reading.bound.positions["number"]]
    for some in batches(list(met), LOOKUP):
        for before in Demand.objects.filter(pk__in=some).only("code", *resource.attributes).order_by():
            line = met[before.pk]
            differing = resource.differing(before, line.demand)
            if not differing:
                plan.unchanged += 1
                continue
            message = _("编号、日期相同的需求已经有了（%(code)s），但%(columns)s不同；不会覆盖，请核对") % {
                "code": before.code,
                "columns": "、".join(differing),
            }
            number = line.demand.external_number
            plan.errors.append(RowError(line.number, header, message, number))
            plan.numbers[line.number] = number
    # Oldest first, and in one order for all: two imports never wait for each other in a circle.
    plan.new.sort(key=lambda line: (str(line.demand.external_date), line.demand.external_number))
    return plan


def _standing(community: GridNode, lines: Sequence[Line]) -> dict[Key, int]:
    """What of the community's imported matters falls into the table's days: its key -> pk. One statement."""
    days = [line.demand.external_date for line in lines if line.demand.external_date]
    if not days:
        return {}
    rows = (
        Demand.objects.filter(community=community, external_date__range=(min(days), max(days)))
        .exclude(external_number="")
        .order_by()
    )
    return {
        (number, day): pk
        for pk, number, day in rows.values_list("pk", "external_number", "external_date").iterator(chunk_size=5000)
    }


def _outcome(reading: Reading, plan: _Plan, *, dry_run: bool, keep_good: bool) -> Outcome:
    errors = sorted([*reading.errors, *plan.errors], key=lambda error: error.row)
    reading.numbers.update(plan.numbers)
    goes = keep_good or not errors
    counted = goes or dry_run
    table, bound = reading.table, reading.bound
    report = Report(
        total=len(table.rows),
        created=len(plan.new) if counted else 0,
        unchanged=plan.unchanged,
        skipped=reading.repeated + len(reading.finished) + (0 if counted else len(plan.new)),
        errors=errors,
        ignored_columns=bound.ignored,
        date_order=bound.date_order,
        encoding=table.encoding,
        notes=(*bound.notes, *_notes(reading)),
    )
    return Outcome(
        reading=reading,
        report=report,
        written=goes and not dry_run,
        dry_run=dry_run,
        categories=by_category(plan.new),
        places=by_place(plan.new),
        sample=sorted(plan.new, key=lambda line: line.number)[:SAMPLE],
    )


def _notes(reading: Reading) -> list[str]:
    notes = []
    if not reading.bound.has("place"):
        notes.append(_("表格没有“地点”一列，全部挂在社区。"))
    if reading.repeated:
        notes.append(_("%(count)d 行与表格里另一行完全相同，只登记一次。") % {"count": reading.repeated})
    if reading.finished:
        shown = "、".join(str(number) for number in reading.finished[:NAMED])
        notes.append(
            _(
                "%(count)d 行写着已办结，没有导入（第 %(rows)s 行%(more)s）。要一起导入，请删去“%(column)s”一列后重新上传。"
            )
            % {
                "count": len(reading.finished),
                "rows": shown,
                "more": _("等") if len(reading.finished) > NAMED else "",
                "column": reading.table.headers[reading.bound.positions["status"]],
            }
        )
    if reading.elsewhere:
        notes.append(
            _("%(count)d 行的“%(column)s”不是本县的社区，按本社区登记，请核对。")
            % {"count": reading.elsewhere, "column": reading.table.headers[reading.bound.positions["community"]]}
        )
    if reading.untitled:
        notes.append(_("%(count)d 行没有标题，用了内容的第一行。") % {"count": reading.untitled})
    if reading.shortened:
        notes.append(_("%(count)d 行的标题过长，已经缩短，全文并入内容。") % {"count": reading.shortened})
    if reading.masked:
        notes.append(_("%(count)d 行文字里的电话号码、身份证号已经隐去。") % {"count": reading.masked})
    return notes


# --- Writing --------------------------------------------------------------------------------------------------------


def _write(actor: Actor, community: GridNode, reading: Reading, plan: _Plan, outcome: Outcome) -> None:
    """Everything an import leaves behind: demands, timelines, audit rows, one notice. Set by set, inside the caller's
    transaction."""
    # Its places stay where they are until all is written.
    hold_places(community)
    # Two imports into one community take turns here; whoever comes second looks again at what is there.
    GridNode.objects.select_for_update(of=("self",), no_key=True).get(pk=community.pk)
    if not _still_true(community, plan.new):
        raise _Overtaken
    # The same words for every row, so they are looked up once.
    title = _("登记（%(origin)s）") % {"origin": Origin.IMPORT.label}
    text, hung = _("原编号 %(number)s，原日期 %(day)s"), _("，地点只认出“%(place)s”")
    user, kind = user_of(actor), kind_of(actor)
    for lines in batches(plan.new, BATCH):
        for line in lines:
            line.demand.raised_by = user
        rows = Demand.objects.bulk_create([line.demand for line in lines], batch_size=BATCH)
        events = [
            DemandEvent(
                demand=row,
                name="raise",
                title=title,
                text=text % {"number": row.external_number, "day": row.external_date}
                + (hung % {"place": line.hung} if line.hung else ""),
                actor=user,
                actor_kind=kind,
                to_state=row.state,
                # The deed is of today; when the resident spoke stands on the demand.
                at=reading.now,
            )
            for line, row in zip(lines, rows, strict=True)
        ]
        DemandEvent.objects.bulk_create(events, batch_size=BATCH)
        audit.record_many(actor=actor, action="demand.raise", deeds=[_deed(row) for row in rows], new=True)
    _write_down(actor, community, reading, outcome)
    _tell(community, plan.new)


def _still_true(community: GridNode, lines: Sequence[Line]) -> bool:
    if _standing(community, lines).keys() & {line.key for line in lines}:
        return False
    nodes = {line.demand.node_id for line in lines}
    standing = GridNode.objects.standing().filter(community=community).order_by().values_list("pk", flat=True)
    return nodes <= set(standing)


def _deed(demand: Demand) -> Deed:
    changes = {"state": (None, demand.state), "node": (None, demand.node_id), "origin": (None, demand.origin)}
    return Deed(demand, changes, label=demand.code)


def _write_down(actor: Actor, community: GridNode, reading: Reading, outcome: Outcome) -> None:
    """The import itself, in the community's own chain: who brought what in."""
    report = outcome.report
    found: dict[str, Any] = {
        # Not the file's name: people put names into it, and the trail is never erased.
        "sha256": hashlib.sha256(reading.content).hexdigest(),
        "rows": report.total,
        "created": report.created,
        "unchanged": report.unchanged,
        "errors": report.bad_rows,
    }
    audit.record(
        actor=actor,
        action="demand.import",
        obj=community,
        label=community.path,
        changes={name: (None, value) for name, value in found.items()},
    )


def _tell(community: GridNode, lines: Sequence[Line]) -> None:
    """One notice for all of them: seven hundred would drown everything else."""
    notices.post(
        kind=NOTICE_KIND,
        title=_("导入了 %(count)d 条需求，等待受理") % {"count": len(lines)},
        body=community.path,
        link="/admin/services/demand/triage/?origin=import&state=registered",
        audience={"post": {"right": posts.ACCEPT_DEMAND, "node": community.pk}},
        key=f"{NOTICE_KIND}:{community.pk}:{lines[0].demand.code}",
    )


def _give_codes(lines: Sequence[Line]) -> None:
    """Codes of its day and follow-up codes nobody has, for each line. A day has a million codes and a table may put
    thousands into one, so what is taken is asked for before, not found out by a failing insert."""
    _give(lines, "code", lambda demand: new_matter_code(timezone.localdate(demand.registered_at)))
    _give(lines, "follow_code", lambda demand: new_follow_code())


def _give(lines: Sequence[Line], name: str, draw: Callable[[Demand], str]) -> None:
    given: set[str] = set()
    left = list(lines)
    while left:
        for line in left:
            code = draw(line.demand)
            while code in given:
                code = draw(line.demand)
            given.add(code)
            setattr(line.demand, name, code)
        taken: set[str] = set()
        for some in batches([getattr(line.demand, name) for line in left], LOOKUP):
            taken |= set(Demand.objects.filter(**{f"{name}__in": some}).order_by().values_list(name, flat=True))
        left = [line for line in left if getattr(line.demand, name) in taken]


notices.register_kind(NOTICE_KIND, gettext_lazy("导入了需求"))

__all__ = ["Outcome", "Placed", "import_demands", "require"]
