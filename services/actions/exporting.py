"""The ledger of demands as a workbook. Contacts are masked, numbers in free text too, and every export is written down.

Rules: docs/practice.md, "Lines drawn by rules" (exports carry a mark) and "Habits" (the form of a ledger).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit, jobs, policies
from core.errors import Forbidden, Invalid
from core.jobs import JobRun
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.models import Job, User
from core.periods import datetime_words
from core.spreadsheets import LedgerColumn, write_ledger
from grids.models import County
from grids.selectors import reporting_unit
from services import clocks, posts
from services.models import Demand, FollowUp

# Up to here the person waits for the file; beyond, a job makes it.
AT_ONCE = 1000
MOST = 20_000
_CHUNK = 500
KIND = "export_demands"


def columns() -> list[LedgerColumn]:
    return [
        LedgerColumn(_("编号"), "centre", 18),
        LedgerColumn(_("登记时间"), "centre", 18),
        LedgerColumn(_("来源"), "centre", 10),
        LedgerColumn(_("类别"), "centre", 12),
        LedgerColumn(_("地点"), "left", 30),
        LedgerColumn(_("标题"), "left", 26),
        LedgerColumn(_("内容"), "left", 40),
        LedgerColumn(_("联系人"), "centre", 10),
        LedgerColumn(_("联系电话"), "centre", 14),
        LedgerColumn(_("状态"), "centre", 10),
        LedgerColumn(_("牵头单位"), "left", 18),
        LedgerColumn(_("派单时间"), "centre", 18),
        LedgerColumn(_("办理时限"), "centre", 18),
        LedgerColumn(_("办结时间"), "centre", 18),
        LedgerColumn(_("是否按时"), "centre", 10),
        LedgerColumn(_("是否解决"), "centre", 10),
        LedgerColumn(_("满意度"), "centre", 10),
        LedgerColumn(_("销号时间"), "centre", 18),
    ]


def export_demands(*, actor: User, ids: Sequence[int], run: JobRun | None = None) -> bytes:
    """A printable ledger of the demands among `ids` that the actor may export, in that order.

    Args:
        ids: primary keys, at most `MOST`.
        run: the job to tell how far it is.

    Raises `Forbidden` without `demand.export` anywhere, `Invalid` when nothing or too much is left.
    """
    _check(actor, ids)
    day, now = timezone.localdate(), timezone.now()
    counties: dict[int, int] = {}
    content = write_ledger(
        title=_("需求台账"),
        unit=reporting_unit(actor, posts.EXPORT_DEMAND),
        day=day,
        columns=columns(),
        rows=_rows(actor, ids, counties, run),
        filled_by=actor.name,
        mark=_("%(name)s %(time)s 导出") % {"name": actor.name, "time": datetime_words(now)},
    )
    if not counties:
        raise _nothing()
    _write_down(actor, counties)
    return content


def submit_export(*, actor: User, ids: Sequence[int]) -> Job:
    """Asks for the ledger as a job. Raises as `export_demands`."""
    _check(actor, ids)
    return jobs.submit(actor=actor, kind=KIND, title=_("导出需求台账"), params={"ids": list(ids)})


@jobs.job_kind(KIND, label=gettext_lazy("导出需求台账"))
def run_export(run: JobRun) -> Mapping[str, Any]:
    """The job: the rows are judged again by what the person may export now."""
    actor = run.actor
    assert isinstance(actor, User)
    ids = [int(pk) for pk in run.params["ids"]]
    content = export_demands(actor=actor, ids=ids, run=run)
    run.save_result(f"{_('需求台账')}{timezone.localdate():%Y%m%d}.xlsx", content)
    return {"lines": [[_("选中"), _("%(count)d 条") % {"count": len(ids)}]]}


def _check(actor: User, ids: Sequence[int]) -> None:
    if not policies.holds(actor, posts.EXPORT_DEMAND):
        raise Forbidden(_("您没有“%(right)s”的权限。") % {"right": policies.label(posts.EXPORT_DEMAND)})
    if not ids:
        raise _nothing()
    if len(ids) > MOST:
        raise Invalid(_("一次最多导出 %(most)d 条，请用筛选缩小范围后再导出。") % {"most": MOST})


def _nothing() -> Invalid:
    return Invalid(_("没有可以导出的需求，请换个筛选条件。"), code="nothing_to_export")


def _exportable(actor: User) -> Any:
    return Demand.objects.visible_to(actor).filter(policies.within(Demand, actor, posts.EXPORT_DEMAND))


def _rows(actor: User, ids: Sequence[int], counties: dict[int, int], run: JobRun | None) -> Iterator[list[object]]:
    for start in range(0, len(ids), _CHUNK):
        part = list(ids[start : start + _CHUNK])
        found = _exportable(actor).with_faces().in_bulk(part)
        for pk in part:
            demand = found.get(pk)
            if demand is not None:
                counties[demand.county_id] = counties.get(demand.county_id, 0) + 1
                yield _row(demand)
        if run is not None:
            run.progress(min(start + _CHUNK, len(ids)), len(ids))


def _row(demand: Demand) -> list[object]:
    satisfaction = dict(FollowUp._meta.get_field("satisfaction").flatchoices).get(demand.satisfaction, "")
    return [
        demand.code,
        _moment(demand.registered_at),
        demand.get_origin_display(),
        demand.category.name,
        demand.node.path,
        _scrubbed(demand.title),
        _scrubbed(demand.text),
        demand.masked_name,
        demand.masked_phone,
        demand.get_state_display(),
        demand.lead_unit.name if demand.lead_unit else "",
        _moment(demand.dispatched_at),
        _moment(demand.due_at),
        _moment(demand.finished_at),
        _in_time(demand),
        {True: _("已解决"), False: _("未解决"), None: ""}[demand.solved],
        str(satisfaction),
        _moment(demand.closed_at),
    ]


def _moment(moment: Any) -> str:
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M}" if moment else ""


def _scrubbed(text: str) -> str:
    return scrub_phone_numbers(scrub_identity_numbers(text))


def _in_time(demand: Demand) -> str:
    if demand.due_at is None:
        return ""
    return _("超期") if clocks.colour(demand) == clocks.RED else _("按时")


@transaction.atomic
def _write_down(actor: User, counties: Mapping[int, int]) -> None:
    """One row per county in the trail: who took how much. The county's own row is the lock of its chain."""
    for county in County.objects.select_for_update(no_key=True).filter(pk__in=counties).order_by("pk"):
        audit.record(
            actor=actor,
            action="demand.export",
            obj=county,
            label=county.name,
            changes={"rows": (None, counties[county.pk])},
        )
