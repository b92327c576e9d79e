"""What each move of a sub-order or an assignment writes beside the state. See `demand_effects`."""

from django.utils import timezone
from django.utils.translation import gettext as _

from core.errors import Invalid
from partybuilding.models import Member
from services.actions.demand_effects import answer_supervision, until_words
from services.actions.step import Effect, Move, check_near
from services.clocks import later
from services.models import (
    Assignment,
    DemandState,
    Extension,
    ExtensionState,
    SubOrder,
    SubOrderState,
)


def _suborder(step: Move) -> SubOrder:
    assert step.suborder is not None
    return step.suborder


def _contacted(step: Move) -> None:
    suborder = _suborder(step)
    if suborder.contacted_at is None:
        suborder.contacted_at = step.now


def sign(step: Move) -> None:
    suborder = _suborder(step)
    if suborder.signed_at is None:
        suborder.signed_at = step.now
    if step.data.get("contacted"):
        _contacted(step)
        step.text = _("已与群众取得联系。")
    step.about = suborder.unit.label


def request_return(step: Move) -> None:
    suborder = _suborder(step)
    if suborder.extension_waiting:
        # Who gives it back needs no more time for it, and nobody could decide on that any more.
        _decide(step, ExtensionState.REJECTED, _("已申请退单"))
    suborder.review_due_at = step.clock.workdays(step.now, step.clock.limits.review_workdays)
    step.about, step.text = suborder.unit.label, step.said("reason")


def approve_return(step: Move) -> None:
    """The demand waits for another unit. The first receiver stays its `lead_unit`, answerable until another has it."""
    suborder, demand = _suborder(step), step.demand
    suborder.returned_at = step.now
    suborder.review_due_at = None
    if suborder.is_lead:
        demand.state = DemandState.ACCEPTED
        demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.dispatch_workdays)
    step.about, step.text = suborder.unit.label, step.said("note")


def reject_return(step: Move) -> None:
    """The order stands, and can not be returned a second time."""
    suborder = _suborder(step)
    suborder.review_due_at = None
    suborder.designated = True
    step.about, step.text = suborder.unit.label, step.said("reason")


def assign(step: Move) -> None:
    suborder = _suborder(step)
    members: list[Member] = list(step.data["members"])
    strange = [member.name for member in members if member.unit_id != suborder.unit_id or not member.is_active]
    if strange:
        raise Invalid(
            _("“%(names)s”不是本单位的党员，不能安排。") % {"names": "、".join(strange)},
            fields={"members": _("只能安排本单位的党员。")},
        )
    silent = [member.name for member in members if member.user_id is None]
    if silent:
        raise Invalid(
            _("“%(names)s”还没有账号，请县级管理员先开通。") % {"names": "、".join(silent)},
            fields={"members": _("还没有账号。")},
        )
    asked = set(suborder.assignments.live().values_list("member_id", flat=True))
    due = step.clock.workdays(step.now, step.clock.limits.assignment_workdays)
    rows = [
        Assignment(suborder=suborder, member=member, asked_by=step.user, asked_at=step.now, due_at=due)
        for member in members
        if member.pk not in asked
    ]
    if not rows:
        raise Invalid(_("这些党员都已经安排过了。"), fields={"members": _("已安排。")})
    Assignment.objects.bulk_create(rows)
    step.told_assignments = rows
    step.about = "、".join(row.member.name for row in rows)


def report(step: Move) -> None:
    _contacted(step)
    step.text = step.said("text")
    step.about = _suborder(step).unit.label


def finish(step: Move) -> None:
    """Closing the lead never cancels the others: supporting sub-orders go on."""
    suborder, demand = _suborder(step), step.demand
    suborder.finished_at = step.now
    suborder.result = step.said("text")
    if suborder.extension_waiting:
        _decide(step, ExtensionState.REJECTED, _("已办结"))
    if suborder.is_lead:
        demand.state = DemandState.FINISHED
        demand.finished_at = step.now
        demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.check_workdays)
    step.about, step.text = suborder.unit.label, suborder.result


def request_extension(step: Move) -> None:
    suborder, until = _suborder(step), step.data["until"]
    if suborder.due_at and until <= timezone.localdate(suborder.due_at):
        raise Invalid(_("延期日期应在现在的时限之后。"), fields={"until": _("太早。")})
    check_near(until, step)
    number = suborder.extensions.filter(state=ExtensionState.APPROVED).count() + 1
    Extension.objects.create(
        suborder=suborder,
        number=number,
        until=until,
        reason=step.said("reason"),
        by=step.user,
        at=step.now,
    )
    suborder.extension_waiting = number
    suborder.review_due_at = step.clock.workdays(step.now, step.clock.limits.review_workdays)
    step.about, step.text = until_words(until), step.said("reason")


def approve_extension(step: Move) -> None:
    suborder, demand = _suborder(step), step.demand
    record = _decide(step, ExtensionState.APPROVED, step.said("note"))
    # It may have been parked beyond that day meanwhile: an extension never brings a limit forward.
    suborder.due_at = later(suborder.due_at, step.clock.end_of(record.until))
    suborder.warn_at = step.clock.warn_at(suborder.dispatched_at, suborder.due_at)
    suborder.late_marked_at = None
    if suborder.is_lead and demand.due_at is not None and demand.due_at < suborder.due_at:
        demand.due_at, demand.warn_at = suborder.due_at, suborder.warn_at
        demand.late_marked_at = None
    step.about, step.text = until_words(record.until), step.said("note")


def reject_extension(step: Move) -> None:
    _decide(step, ExtensionState.REJECTED, step.said("reason"))
    step.text = step.said("reason")


def _decide(step: Move, state: str, note: str) -> Extension:
    suborder = _suborder(step)
    record = suborder.extensions.select_for_update().get(state=ExtensionState.WAITING)
    record.state, record.note = state, note[:500]
    record.decided_by, record.decided_at = step.user, step.now
    record.save(update_fields=["state", "note", "decided_by", "decided_at"])
    suborder.extension_waiting = 0
    suborder.review_due_at = None
    return record


def take(step: Move) -> None:
    """Service begins when the first member takes it on."""
    assert step.assignment is not None
    step.assignment.answered_at = step.now
    suborder = _suborder(step)
    if suborder.state == SubOrderState.SIGNED:
        suborder.state = SubOrderState.IN_SERVICE
    step.about = step.assignment.member.name


def pass_up(step: Move) -> None:
    assert step.assignment is not None
    step.assignment.answered_at = step.now
    step.about, step.text = step.assignment.member.name, step.said("note")


def lapse(step: Move) -> None:
    assert step.assignment is not None
    step.about = step.assignment.member.name


def _table(*effects: Effect) -> dict[str, Effect]:
    return {effect.__name__: effect for effect in effects}


SUBORDER = _table(
    sign,
    request_return,
    approve_return,
    reject_return,
    assign,
    report,
    finish,
    request_extension,
    approve_extension,
    reject_extension,
    answer_supervision,
)
ASSIGNMENT = _table(take, pass_up, lapse)
