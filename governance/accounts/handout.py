"""The slips by which first passwords reach people: a workbook for the administrator, taken once and then gone.

The portal keeps no first password. Between the import and the taking the workbook lies among the jobs' brief files, for a
day at most, under a name that is nowhere shown, outside the door to files.
"""

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import Storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, jobs
from core.actors import Actor
from core.errors import NotFound
from core.models import Job, User
from core.periods import date_words
from core.spreadsheets import LedgerColumn, write_ledger
from grids.models import County


@dataclass(frozen=True)
class Slip:
    """What one person is told. `password` is None for whoever had an account before."""

    name: str
    phone: str
    password: str | None
    what: str


def slips(rows: Iterable[Any]) -> list[Slip]:
    """One slip for each person who gets something, in the order of the table. `rows`: `people.Row`."""
    people: dict[str, list[Any]] = {}
    for row in rows:
        if row.wants_account:
            people.setdefault(row.phone, []).append(row)
    return [
        Slip(held[0].name, phone, held[0].password, "；".join(row.what for row in held))
        for phone, held in people.items()
    ]


def workbook(rows: Sequence[Slip], *, county: County, actor: Actor) -> bytes:
    """The slips as a ledger a cadre prints and cuts. Text stays text, whatever a name begins with."""
    today = timezone.localdate()
    return write_ledger(
        title=_("首次密码发放单"),
        unit=f"{county.name}{county.department}",
        day=today,
        columns=[
            LedgerColumn(_("姓名"), align="centre"),
            LedgerColumn(_("手机号码（登录名）"), align="centre", width=20),
            LedgerColumn(_("首次密码"), align="centre", width=20),
            LedgerColumn(_("职务")),
            LedgerColumn(_("说明"), width=36),
        ],
        rows=[
            (
                slip.name,
                slip.phone,
                slip.password or "",
                slip.what,
                _("第一次登录时须修改密码") if slip.password else _("已有账号，密码不变"),
            )
            for slip in rows
        ],
        filled_by=actor.name,
        mark=_("%(who)s %(day)s 领取，当面发放，发放后销毁") % {"who": actor.name, "day": date_words(today)},
        totals=False,
    )


def keep(rows: Sequence[Slip], *, county: County, actor: Actor) -> str:
    """Stores the workbook for one taking. Returns its name, for the job's `params["handout"]`."""
    content = ContentFile(workbook(rows, county=county, actor=actor))
    return _storage().save(f"{jobs.BRIEF_FOLDER}/{uuid.uuid4().hex}.xlsx", content)


def take(*, actor: User, job: Job) -> bytes:
    """Hands the workbook to the administrator who asked for the import, and removes it.

    Raises NotFound when the job is somebody else's, or has no workbook (any more).
    """
    with transaction.atomic():
        row = Job.objects.visible_to(actor).select_for_update().filter(pk=job.pk).first()
        name = row.params.pop("handout", "") if row is not None else ""
        if row is None or not _stands(name):
            raise NotFound(_("没有可领取的首次密码发放单：它只能领取一次，24 小时内有效。需要时请逐个重置密码。"))
        with _storage().open(name, "rb") as file:
            content: bytes = file.read()
        row.save(update_fields=["params"])
        audit.record(actor=actor, action="account.handout", obj=row, label=row.title)
        transaction.on_commit(lambda: _storage().delete(name))
    return content


def waits(job: Job) -> bool:
    """Whether a job has a workbook that can still be taken."""
    return _stands(job.params.get("handout", ""))


def _stands(name: str) -> bool:
    try:
        return bool(name) and _storage().get_modified_time(name) > timezone.now() - jobs.KEEP_BRIEFLY
    except FileNotFoundError:
        return False


def _storage() -> Storage:
    return Job._meta.get_field("result").storage
