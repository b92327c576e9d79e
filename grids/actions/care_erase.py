"""Taking a household off the care ledger as if it had never been there (docs/decisions/0017).

The rows go, and with them every file that may hold them: kept ledgers that list the household, and all tables of the
county's ledger on their way in, because nobody can say by a number which of them names it. What stays is that somebody
erased an entry, when, and for which of a few reasons.
"""

import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit, jobs
from core.actors import SYSTEM, Actor
from core.errors import Invalid, NotFound
from core.models import Job
from core.sheets.jobs import EXPORT
from grids.actions.permission import require
from grids.care import EraseReason
from grids.models import CareHousehold
from grids.posts import ERASE_CARE
from grids.querysets import CARE_GRACE_DAYS

SHEET = "households"
BATCH = 200


@transaction.atomic
def erase_household(*, actor: Actor, household: CareHousehold, reason: str) -> None:
    """Erases a household with its needs and visits, and the files that may hold it. Asked twice, it is not found.

    Args:
        reason: a key of `EraseReason`.

    Raises:
        NotFound, Forbidden: no `care.erase` there. Invalid: no such reason.
    """
    if reason not in EraseReason.values:
        message = _("请选择删除的原因。")
        raise Invalid(message, fields={"reason": message})
    rows = CareHousehold.objects.filter(pk=household.pk).select_for_update(of=("self",))
    one = rows.select_related("node", "community").first()
    if one is None:
        raise NotFound(_("没有找到这户。可能已被删除，或不在您的管辖范围内。"))
    require(actor, ERASE_CARE, one)
    _erase(actor, [one], "care.erase", str(EraseReason(reason).label))


@transaction.atomic
def erase_overdue(day: datetime.date) -> list[CareHousehold]:
    """Erases some entries that nobody confirmed within the time after they ran out. The system's own deed.

    Returns what was erased, at most `BATCH`; call it until nothing comes.
    """
    over = CareHousehold.objects.filter(expires_on__lte=day - datetime.timedelta(days=CARE_GRACE_DAYS))
    rows = over.order_by("pk").select_for_update(of=("self",)).select_related("node", "community")
    found = list(rows[:BATCH])
    _erase(SYSTEM, found, "care.expire", "")
    return found


def _erase(actor: Actor, rows: list[CareHousehold], action: str, reason: str) -> None:
    if not rows:
        return
    deeds = [audit.Deed(one, None, f"{one.community.name} {one._meta.verbose_name}", reason) for one in rows]
    audit.record_many(actor=actor, action=action, deeds=deeds)
    pks = {one.pk for one in rows}
    for county_id in {one.county_id for one in rows}:
        _forget_files(county_id, pks)
    CareHousehold.objects.filter(pk__in=pks).delete()


def _forget_files(county_id: int, pks: set[int]) -> None:
    """The files and telling parts of the ledger's jobs in a county that may hold these households."""
    asked = Job.objects.select_for_update().filter(params__sheet=SHEET, owner__county_key=county_id)
    jobs.forget(job for job in asked if job.kind != EXPORT or not pks.isdisjoint(job.params.get("ids", ())))
