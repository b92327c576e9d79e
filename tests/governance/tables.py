"""Tables of people as a cadre sends them, brought in step by step, and what an import could have written."""

import io
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from openpyxl import Workbook, load_workbook

from core.models import AuditEntry, Job, User
from core.sheets import Outcome, check, sheet_of, submit_check, submit_import
from core.tasks import run_job
from governance.accounts import handout
from grids.models import Appointment
from partybuilding.models import Member, UnitMembership
from tests.cast import Cast
from tests.factories import fresh

HEADERS = {
    "cadres": ["姓名", "手机号码", "岗位", "任职地", "任职日期"],
    "liaisons": ["姓名", "手机号码", "单位", "角色"],
    "members": ["姓名", "手机号码", "单位", "支部", "开通账号", "居住小区"],
}


def book(kind: str, *rows: list[Any], headers: list[str] | None = None) -> bytes:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.append(headers or HEADERS[kind])
    for row in rows:
        sheet.append(row)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def checked(
    cast: Cast,
    kind: str,
    *rows: list[Any],
    actor: User | None = None,
    headers: list[str] | None = None,
    update: bool = False,
) -> Outcome:
    """What the rows would do."""
    content = book(kind, *rows, headers=headers)
    sheet = sheet_of(kind)
    return check(actor=actor or fresh(cast.admin), sheet=sheet, content=content, filename="人员.xlsx", update=update)


def done(job: Job) -> Job:
    run_job(job.pk)
    job.refresh_from_db()
    return job


def looked(cast: Cast, kind: str, *rows: list[Any], headers: list[str] | None = None, update: bool = False) -> Job:
    """A dry run that a worker has done."""
    file = SimpleUploadedFile("人员.xlsx", book(kind, *rows, headers=headers))
    return done(submit_check(actor=fresh(cast.admin), sheet=sheet_of(kind), upload=file, update=update))


def brought(cast: Cast, kind: str, *rows: list[Any], keep_good: bool = False, **how: Any) -> Job:
    """An import that a worker has done."""
    return done(submit_import(actor=fresh(cast.admin), check=looked(cast, kind, *rows, **how), keep_good=keep_good))


def slips(cast: Cast, job: Job) -> dict[str, list[str]]:
    """Name -> phone, password, posts and remark of each slip; takes them."""
    page = load_workbook(io.BytesIO(handout.take(actor=fresh(cast.admin), job=job))).worksheets[0]
    rows = [[str(cell.value or "") for cell in row] for row in page.iter_rows(min_row=4)]
    return {row[1]: row[2:6] for row in rows if row[0].isdigit()}


def everything() -> tuple[int, ...]:
    models = (User, Appointment, UnitMembership, Member, AuditEntry)
    return tuple(model._default_manager.count() for model in models)
