"""People from a table: checked as a whole first, then written in one short transaction; hashing comes before it.

Importing the same table twice creates nothing new. A worker that dies after writing leaves the first passwords
untold: the second run finds everybody standing, and the administrator resets those passwords one by one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.core.files.base import File
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import jobs
from core.accounts import create_accounts, prepare_accounts
from core.actors import Actor
from core.jobs import JobRun
from core.models import Job, User
from core.spreadsheets import MEMBER_ROSTER, Report, Table, bind_columns, table_of, write_errors
from governance.accounts import handout
from governance.accounts.handout import Slip
from governance.accounts.planning import Plan, Planned, plan
from governance.accounts.sheets import CADRES, LIAISONS, MEMBERS, Sheet, columns_of, require, sheet_of
from grids.actions import NewAppointment, appoint_many
from grids.models import County
from partybuilding.actions import NewMember, NewMembership, add_members, add_memberships, link_member_accounts

JOB = "accounts_import"
MAX_ROWS = 20_000


@dataclass
class Checked:
    """A table that has been read: what it would do, and the report of a dry run."""

    sheet: Sheet
    county: County
    table: Table
    plan: Plan
    report: Report


def check(*, actor: Actor, county: County, kind: str, content: bytes, filename: str) -> Checked:
    """Reads a table of people and says what it would do; writes nothing.

    Args:
        kind: key of `sheets.SHEETS`.
        content, filename: the file, xlsx or csv.

    Raises:
        NotFound, Forbidden: the actor does not make accounts in the county.
        Invalid, TooLarge: the file as a whole can not be used; faults of rows are in the report.
    """
    sheet = sheet_of(kind)
    require(actor, county, sheet)
    columns = columns_of(sheet, county)
    table = table_of(content, filename=filename, columns=columns, max_rows=MAX_ROWS)
    bound = bind_columns(table, columns, allowed=MEMBER_ROSTER if kind == MEMBERS else ())
    found = plan(actor=actor, county=county, sheet=sheet, table=bound)
    new = {phone for phone, _name in found.new_people}
    report = Report(
        total=len(table.rows),
        created=sum(not row.standing and _makes_something(row, new) for row in found.rows),
        updated=sum(not row.standing and not _makes_something(row, new) for row in found.rows),
        unchanged=sum(row.standing for row in found.rows),
        errors=found.errors,
        ignored_columns=bound.ignored,
        date_order=bound.date_order,
        encoding=table.encoding,
        notes=bound.notes,
    )
    return Checked(sheet, county, table, found, report)


def write(*, actor: Actor, checked: Checked, progress: Callable[[int, int], None] | None = None) -> list[Slip]:
    """Does what a checked table says, all or nothing; rows with faults are left out. Returns the slips to hand out.

    Args:
        progress: told how many first passwords are hashed.

    Raises:
        NotFound, Forbidden; Conflict: something was changed since the check; nothing is written.
    """
    require(actor, checked.county, checked.sheet)
    county, rows = checked.county, checked.plan.to_do
    if not rows:
        return []
    prepared = prepare_accounts(people=checked.plan.new_people, county_key=county.pk, progress=progress)
    with transaction.atomic():
        users = {row.phone: row.user for row in rows if row.user is not None}
        if prepared:
            made = create_accounts(actor=actor, place=county, county_key=county.pk, prepared=prepared)
            users.update({user.phone: user for user, _password in made})
        _WRITERS[checked.sheet.key](actor, county, rows, users)
    passwords = {user.phone: password for user, password in prepared}
    return handout.slips(rows, passwords)


def start(*, actor: User, county: County, kind: str, file: File, dry_run: bool = True, keep_good: bool = False) -> Job:
    """Asks for the import of a table as a job.

    Args:
        dry_run: only check and report.
        keep_good: write the rows without faults even though others have some; else one fault stops all.

    Raises:
        NotFound, Forbidden: the actor does not make accounts in the county. TooLarge: the file.
    """
    sheet = sheet_of(kind)
    require(actor, county, sheet)
    title = _("导入%(what)s") % {"what": sheet.label}
    params = {"kind": kind, "county": county.pk, "dry_run": dry_run, "keep_good": keep_good}
    return jobs.submit(actor=actor, kind=JOB, title=title, params=params, upload=file)


@jobs.job_kind(JOB, label=gettext_lazy("导入人员账号"))
def _run(run: JobRun) -> Mapping[str, Any]:
    """Checks, writes when that was asked for, and leaves the faulty rows as a workbook and the slips for one taking."""
    handout.purge()
    county = County.objects.get(pk=run.params["county"])
    with run.upload() as file:
        content = file.read()
    name = run.params.get("upload_name", "")
    checked = check(actor=run.actor, county=county, kind=run.params["kind"], content=content, filename=name)
    report = checked.report
    if report.errors:
        run.save_result(
            _("错误信息-%(name)s.xlsx") % {"name": name.rsplit(".", 1)[0]},
            write_errors(content, checked.table, report.errors),
        )
    writes = not run.params["dry_run"] and (run.params["keep_good"] or not report.errors)
    slips = write(actor=run.actor, checked=checked, progress=run.progress) if writes else []
    if slips:
        run.params["handout"] = handout.keep(slips, county=county, actor=run.actor)
    return {**report.as_dict(), "written": writes, **_for_the_page(report, writes, slips)}


def _for_the_page(report: Report, writes: bool, slips: list[Slip]) -> dict[str, Any]:
    lines = [
        [_("结果"), _("已写入") if writes else _("只作检查，没有写入")],
        [_("总行数"), report.total],
        [_("新建"), report.created],
        [_("已有账号，增加职务"), report.updated],
        [_("没有变化"), report.unchanged],
        [_("有错误的行"), report.bad_rows],
    ]
    if slips:
        lines.append([_("首次密码发放单"), _("%(count)d 人，只能领取一次，24 小时内有效") % {"count": len(slips)}])
    if report.ignored_columns:
        lines.append([_("没有读取的列"), "、".join(report.ignored_columns)])
    lines += [[_("说明"), note] for note in report.notes]
    return {"lines": lines, "problems": [[error.row, error.column, error.message] for error in report.errors]}


def _makes_something(row: Planned, new: set[str]) -> bool:
    """Whether a row makes a new account or member; else it gives somebody who is known something more."""
    return row.phone in new or (not row.wants_account and row.member is None)


def _write_cadres(actor: Actor, county: County, rows: list[Planned], users: dict[str, User]) -> None:
    appoint_many(
        actor=actor,
        rows=[
            NewAppointment(users[row.phone], row.post, row.place, row.start) for row in rows if row.place is not None
        ],
    )


def _write_liaisons(actor: Actor, county: County, rows: list[Planned], users: dict[str, User]) -> None:
    add_memberships(
        actor=actor,
        rows=[NewMembership(users[row.phone], row.unit, row.role) for row in rows if row.unit is not None],
    )


def _write_members(actor: Actor, county: County, rows: list[Planned], users: dict[str, User]) -> None:
    new = [row for row in rows if row.member is None]
    known = [(row.member, users[row.phone]) for row in rows if row.member is not None]
    if new:
        people = [NewMember(row.name, row.phone, row.unit, row.branch, users.get(row.phone)) for row in new]
        add_members(actor=actor, county=county, rows=people)
    if known:
        link_member_accounts(actor=actor, county=county, pairs=known)


_WRITERS: dict[str, Callable[[Actor, County, list[Planned], dict[str, User]], None]] = {
    CADRES: _write_cadres,
    LIAISONS: _write_liaisons,
    MEMBERS: _write_members,
}
