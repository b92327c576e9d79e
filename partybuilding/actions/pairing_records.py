"""What came of a pairing: visits, problems found, solutions. Source: docs/domain.md#z3, #c4, #g1.

Visits and problems are about places, not about residents: telephone and identity numbers are taken out of their words,
and the trail never holds the words themselves.
"""

import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid, Stale
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.periods import date_words
from core.text import clean_line, clean_text
from grids.actions.permission import require
from partybuilding.actions.pairings import UNCHANGED, label_of
from partybuilding.models import Pairing, PairingProblem, PairingVisit
from partybuilding.posts import VISIT_PAIRING

LONGEST = 500
_WORDS = ("text", "solution")


@transaction.atomic
def add_visit(
    *, actor: Actor, pairing: Pairing, visited_on: datetime.date, text: str, problem: str = ""
) -> PairingVisit:
    """Writes down a visit to the paired place, and a problem found on it, if there was one.

    Sent twice, it answers the first one.

    Args:
        visited_on: not in the future, and within the days of the pairing.
        text, problem: at most 500 characters each.

    Raises:
        NotFound, Forbidden: no `pairing.visit` on it. Invalid: a day or a text is not usable.
    """
    row = _locked(pairing)
    require(actor, VISIT_PAIRING, row)
    _check_day(row, visited_on, "visited_on", _("走访日期"))
    text = _clean(text, _("走访情况"), "text")
    user = user_of(actor)
    twin = PairingVisit.objects.filter(pairing=row, visited_on=visited_on, text=text, visited_by=user).first()
    if twin is not None:
        return twin
    visit = PairingVisit.objects.create(pairing=row, visited_on=visited_on, text=text, visited_by=user)
    changes = {"visited_on": (None, visited_on), "text": (None, text)}
    _record(actor, "pairing.visit", visit, changes, new=True)
    if problem.strip():
        _find(actor, row, visited_on, _clean(problem, _("发现的问题"), "problem"), visit)
    return visit


@transaction.atomic
def correct_visit(
    *,
    actor: Actor,
    visit: PairingVisit,
    visited_on: datetime.date = UNCHANGED,
    text: str = UNCHANGED,
    version: int | None = None,
) -> PairingVisit:
    """Corrects what was written of a visit. What is not given stays. Raises as `add_visit`; Stale when the page is old."""
    pairing = _locked(visit.pairing)
    row = PairingVisit.objects.select_for_update(of=("self",)).get(pk=visit.pk)
    row.pairing = pairing
    require(actor, VISIT_PAIRING, row)
    _refuse_stale(row, version)
    if visited_on is not UNCHANGED:
        _check_day(pairing, visited_on, "visited_on", _("走访日期"))
    given = {"visited_on": visited_on, "text": text if text is UNCHANGED else _clean(text, _("走访情况"), "text")}
    _change(actor, "pairing.visit_correct", row, given)
    return row


@transaction.atomic
def add_problem(*, actor: Actor, pairing: Pairing, found_on: datetime.date, text: str) -> PairingProblem:
    """Writes down a problem of the paired place without a visit. Sent twice, it answers the first one.

    Raises as `add_visit`.
    """
    row = _locked(pairing)
    require(actor, VISIT_PAIRING, row)
    _check_day(row, found_on, "found_on", _("发现日期"))
    text = _clean(text, _("问题"), "text")
    twin = PairingProblem.objects.filter(pairing=row, found_on=found_on, text=text, found_by=user_of(actor)).first()
    return twin or _find(actor, row, found_on, text, None)


@transaction.atomic
def solve_problem(
    *,
    actor: Actor,
    problem: PairingProblem,
    solution: str,
    solved_on: datetime.date | None = None,
    version: int | None = None,
) -> PairingProblem:
    """Writes down how a problem was solved.

    Args:
        solved_on: not in the future, not before the problem was found; today when not given.

    Raises:
        NotFound, Forbidden: no `pairing.visit` on it. Invalid: the day or the words are not usable.
        Conflict: it is solved already. Stale: the page is old.
    """
    row = _locked_problem(problem)
    require(actor, VISIT_PAIRING, row)
    if row.is_solved:
        raise Conflict(_("这个问题已经解决，请刷新页面查看。"), code="solved")
    _refuse_stale(row, version)
    solved_on = solved_on or timezone.localdate()
    _check_solved(row.found_on, solved_on)
    given = {"solution": _clean(solution, _("解决情况"), "solution"), "solved_on": solved_on}
    _change(actor, "pairing.problem_solve", row, given)
    return row


@transaction.atomic
def correct_problem(
    *,
    actor: Actor,
    problem: PairingProblem,
    text: str = UNCHANGED,
    found_on: datetime.date = UNCHANGED,
    solution: str = UNCHANGED,
    solved_on: datetime.date = UNCHANGED,
    version: int | None = None,
) -> PairingProblem:
    """Corrects what was written of a problem. What is not given stays; a solution is corrected once there is one.

    Raises as `solve_problem`; Conflict when a solution is given for a problem that is open.
    """
    row = _locked_problem(problem)
    require(actor, VISIT_PAIRING, row)
    _refuse_stale(row, version)
    given: dict[str, Any] = {"text": text, "found_on": found_on, "solution": solution, "solved_on": solved_on}
    if not row.is_solved and (solution is not UNCHANGED or solved_on is not UNCHANGED):
        raise Conflict(_("这个问题还没有解决，请先登记解决情况。"), code="open")
    if text is not UNCHANGED:
        given["text"] = _clean(text, _("问题"), "text")
    if found_on is not UNCHANGED:
        inherited = row.found_on < row.pairing.start
        _check_day(row.pairing, found_on, "found_on", _("发现日期"), inherited=inherited)
    if solution is not UNCHANGED:
        given["solution"] = _clean(solution, _("解决情况"), "solution")
    if row.is_solved:
        dates = {name: getattr(row, name) if given[name] is UNCHANGED else given[name] for name in _DATES}
        _check_solved(dates["found_on"], dates["solved_on"])
    _change(actor, "pairing.problem_correct", row, given)
    return row


@transaction.atomic
def reopen_problem(*, actor: Actor, problem: PairingProblem, reason: str, version: int | None = None) -> PairingProblem:
    """Says that a problem is not solved after all. Raises as `solve_problem`; Conflict when it is open already."""
    row = _locked_problem(problem)
    require(actor, VISIT_PAIRING, row)
    if not row.is_solved:
        raise Conflict(_("这个问题本来就没有解决。"), code="open")
    _refuse_stale(row, version)
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason", required=True)
    _change(actor, "pairing.problem_reopen", row, {"solution": "", "solved_on": None}, reason=reason)
    return row


_DATES = ("found_on", "solved_on")


def _locked(pairing: Pairing) -> Pairing:
    """The pairing is the lock of what is written about it: the same visit sent twice is written once."""
    rows = Pairing.objects.select_for_update(of=("self",), no_key=True).select_related("node", "unit", "user")
    return rows.get(pk=pairing.pk)


def _locked_problem(problem: PairingProblem) -> PairingProblem:
    # Locked without its relations: at a handover it goes to another pairing, and a joined row would be gone.
    row = PairingProblem.objects.select_for_update().get(pk=problem.pk)
    row.pairing = Pairing.objects.select_related("node", "unit", "user").get(pk=row.pairing_id)
    return row


def _clean(text: str, label: str, field: str) -> str:
    text = clean_text(text, max_length=LONGEST, label=label, field=field, required=True)
    return scrub_identity_numbers(scrub_phone_numbers(text))


def _check_day(pairing: Pairing, day: datetime.date, field: str, label: str, *, inherited: bool = False) -> None:
    """Not in the future and within the days of the pairing. `inherited`: from the pairing before, at a handover."""
    message = ""
    if day > timezone.localdate():
        message = _("%(label)s不能晚于今天。") % {"label": label}
    elif day < pairing.start and not inherited:
        message = _("%(label)s不能早于包联开始的 %(day)s。") % {"label": label, "day": date_words(pairing.start)}
    elif pairing.end is not None and day > pairing.end:
        message = _("这项包联已在 %(day)s 结束。") % {"day": date_words(pairing.end)}
    if message:
        raise Invalid(message, fields={field: message})


def _check_solved(found_on: datetime.date, solved_on: datetime.date) -> None:
    message = ""
    if solved_on > timezone.localdate():
        message = _("解决日期不能晚于今天。")
    elif solved_on < found_on:
        message = _("解决日期不能早于发现日期 %(day)s。") % {"day": date_words(found_on)}
    if message:
        raise Invalid(message, fields={"solved_on": message})


def _refuse_stale(row: PairingVisit | PairingProblem, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这条记录刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


def _find(
    actor: Actor, pairing: Pairing, found_on: datetime.date, text: str, visit: PairingVisit | None
) -> PairingProblem:
    problem = PairingProblem.objects.create(
        pairing=pairing, visit=visit, found_on=found_on, text=text, found_by=user_of(actor)
    )
    _record(actor, "pairing.problem", problem, {"found_on": (None, found_on), "text": (None, text)}, new=True)
    return problem


def _change(
    actor: Actor, action: str, row: PairingVisit | PairingProblem, given: dict[str, Any], *, reason: str = ""
) -> None:
    changes = {}
    for field, value in given.items():
        before = getattr(row, field)
        if value is not UNCHANGED and value != before:
            setattr(row, field, value)
            changes[field] = (before, value)
    if not changes:
        return
    row.version += 1
    row.save(update_fields=[*changes, "version"])
    _record(actor, action, row, changes, reason=reason)


def _record(
    actor: Actor,
    action: str,
    row: PairingVisit | PairingProblem,
    changes: dict[str, tuple[Any, Any]],
    *,
    reason: str = "",
    new: bool = False,
) -> None:
    audit.record(
        actor=actor,
        action=action,
        obj=row,
        changes=changes,
        label=label_of(row.pairing),
        reason=reason,
        personal=_WORDS,
        new=new,
    )
