"""Sorting more than a hundred demands as a job: what was filled in on the page, carried out by a worker.

What became of each batch is written with the batch: a worker that takes over goes on after the last one that stands.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import jobs
from core.jobs import JobRun, LostError
from core.models import Job, JobState, User
from partybuilding.models import Unit
from services.actions import triage
from services.actions.together import Answer, Order
from services.models import Category, Demand
from services.workflow import DEMAND

KIND = "demand_triage"
# Carried out while the person waits.
AT_ONCE = 100
# Rows that a report names.
SHOWN = 200

# An order as plain JSON: [demand, version, [[move, {input: text, key or list of keys}], ...]].
Plan = list[Any]
Refused = list[Any]


@dataclass(frozen=True)
class Kept:
    """What of the rows that nobody has looked at was kept back; plain JSON in the job.

    Attributes:
        held: demands that are accepted and no more, for they are likely known already.
        twins: how many were left alone for the same reason; unitless: how many, because no unit is suggested for them.
    """

    held: list[int] = field(default_factory=list)
    twins: int = 0
    unitless: int = 0


NOTHING_KEPT = Kept()


def orders_of(plans: Sequence[Plan]) -> list[Order]:
    """Orders from their plans, with the rows that these name. Three statements."""
    steps = [(name, data) for _pk, _version, moves in plans for name, data in moves]

    def rows(model: Any, *keys: str) -> dict[int, Any]:
        named = {pk for _name, data in steps for key in keys for pk in _keys(data.get(key))}
        found: dict[int, Any] = model.objects.in_bulk(named)
        return found

    units = rows(Unit, "unit", "supporting")
    named = {
        "category": rows(Category, "category"),
        "unit": units,
        "supporting": units,
        "matter": rows(Demand, "matter"),
    }

    def row_of(key: str, value: Any) -> Any:
        if key not in named:
            return value
        if isinstance(value, list):
            return [named[key][pk] for pk in value if pk in named[key]]
        return named[key].get(value)

    def inputs(data: Mapping[str, Any]) -> dict[str, Any]:
        return {key: row_of(key, value) for key, value in data.items()}

    return [Order(pk, version, [(name, inputs(data)) for name, data in moves]) for pk, version, moves in plans]


def _keys(value: Any) -> list[int]:
    return value if isinstance(value, list) else [value] if value else []


def report_of(answers: Sequence[Answer], refused: Sequence[Refused] = (), kept: Kept = NOTHING_KEPT) -> dict[str, Any]:
    """What became of orders, as the page shows it.

    Args:
        refused: rows that did not even become orders, as `Refused`: [key, code, title, what was done, reason].
        kept: what was not done with the rest of the filter, and why.
    """
    counted = Counter(name for answer in answers for name in answer.made)
    problems = [*refused, *(_named(answer, answer.reason) for answer in answers if answer.error is not None)]
    done = [answer for answer in answers if answer.error is None]
    held = set(kept.held)
    return {
        "total": len(answers) + len(refused),
        "done": len(done),
        "counted": dict(counted),
        "refused": problems,
        "rows": [_named(answer, "") for answer in done[:SHOWN]],
        "kept": {
            "held": sum(answer.order.demand in held for answer in done),
            "twins": kept.twins,
            "unitless": kept.unitless,
        },
        "batches": 1,
    }


def _named(answer: Answer, reason: str) -> Refused:
    demand = answer.demand
    words = "、".join(str(DEMAND.get(name).label) for name in answer.made)
    if demand is not None and demand.lead_unit is not None and "dispatch" in answer.made:
        words = f"{words} → {demand.lead_unit.label}"
        if supporting := [unit.label for _name, data in answer.order.steps for unit in data.get("supporting", ())]:
            words += _("；配合：%(units)s") % {"units": "、".join(supporting)}
    known = (demand.pk, demand.code, demand.title) if demand is not None else (None, "", "")
    return [*known, words, reason]


def _joined(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    if not one:
        return dict(other)
    return {
        "total": one["total"] + other["total"],
        "done": one["done"] + other["done"],
        "counted": dict(Counter(one["counted"]) + Counter(other["counted"])),
        "refused": [*one["refused"], *other["refused"]],
        "rows": [*one["rows"], *other["rows"]][:SHOWN],
        "kept": dict(Counter(one.get("kept", {})) + Counter(other["kept"])),
        "batches": one["batches"] + other["batches"],
    }


def submit_triage(
    *, actor: User, plans: Sequence[Plan], refused: Sequence[Refused] = (), kept: Kept = NOTHING_KEPT
) -> Job:
    """Asks for a job that carries out plans of at most 2,000 demands. Raises as `triage.check`."""
    triage.check(orders_of(plans))
    return jobs.submit(
        actor=actor,
        kind=KIND,
        title=_("批量分拣 %(count)d 条") % {"count": len(plans)},
        params={"plans": list(plans), "refused": list(refused), "kept": asdict(kept)},
    )


@jobs.job_kind(KIND, label=gettext_lazy("批量分拣"))
def run_triage(run: JobRun) -> Mapping[str, Any]:
    """Carries the plans out, five hundred a transaction, from the first that no worker has done yet."""
    plans, report = run.params["plans"], dict(run.job.report.get("triage", {}))
    kept = Kept(**run.params.get("kept", {}))
    if not report:
        report = {**report_of([], run.params.get("refused", ()), kept), "batches": 0}
    first = report["batches"] * triage.BATCH
    state: dict[str, Any] = {"report": report, "done": first}

    def written(answers: list[Answer]) -> None:
        state["report"] = _joined(state["report"], report_of(answers, kept=Kept(kept.held)))
        mine = Job.objects.filter(pk=run.job.pk, state=JobState.RUNNING, attempts=run.job.attempts)
        if not mine.update(report={"triage": state["report"]}):
            # Another worker has the job by now; this batch is its own.
            raise LostError
        state["done"] += len(answers)
        run.progress(state["done"], len(plans))

    run.progress(first, len(plans))
    triage.triage(actor=run.actor, orders=orders_of(plans[first:]), written=written, held=set(kept.held))
    found = state["report"]
    return {
        "lines": [
            [_("办好"), _("%(count)d 条") % {"count": found["done"]}],
            [_("没有办成"), _("%(count)d 条") % {"count": len(found["refused"])}],
        ],
        "link": [_("查看分拣结果"), f"/admin/services/demand/triage/{run.job.pk}/"],
        "triage": found,
    }
