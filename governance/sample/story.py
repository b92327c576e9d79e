"""One demand's life told in memory: the same tables and effects as `services.actions.moving`, without its queries.

A sample of 1,200 demands makes some 12,000 moves; through the action that would be 200,000 statements. Here a move
reads its row of `services.workflow`, has the floor's own effect applied to unsaved objects, and leaves the event; only
effects that would ask the database are told again below. `tests/governance/sample/test_sample.py` tells the same lives through
both and compares every column.
"""

import datetime
from itertools import count
from typing import Any

from core.actors import SYSTEM, Actor, kind_of, user_of
from core.periods import local_date
from partybuilding.models import Unit
from services import reminders
from services.actions import demand_effects, desk_effects
from services.actions.carrying import EFFECTS
from services.actions.step import Move, Target
from services.actions.suborder_effects import until_words
from services.clocks import Clock, later
from services.models import (
    Assignment,
    AssignmentState,
    Demand,
    DemandEvent,
    DemandState,
    Evaluation,
    Extension,
    ExtensionState,
    FollowUp,
    Parking,
    SubOrder,
    SubOrderRole,
    SubOrderState,
    Supervision,
    Whistle,
)
from services.workflow import BY_MODEL

# The sweeper comes by every minute.
_SWEEP = datetime.timedelta(seconds=30)


class Story:
    """A demand with everything that hangs on it, unsaved.

    Args:
        demand: as `raise_demand` leaves it. actor: who raised it.
    """

    def __init__(self, clock: Clock, demand: Demand, actor: Actor) -> None:
        self.clock, self.demand = clock, demand
        self.suborders: list[SubOrder] = []
        self.assignments: list[Assignment] = []
        self.events: list[DemandEvent] = []
        self.evaluations: list[Evaluation] = []
        self.follow_ups: list[FollowUp] = []
        self.supervisions: list[Supervision] = []
        self.extensions: list[Extension] = []
        self.parkings: list[Parking] = []
        self.whistles: list[Whistle] = []
        self._numbers = count(1)
        self._write(
            "raise",
            f"登记（{demand.get_origin_display()}）",
            demand.registered_at,
            actor,
            to_state=DemandState.REGISTERED,
        )

    def lead(self) -> SubOrder:
        """The lead unit's sub-order that stands."""
        return next(row for row in self.suborders if row.is_lead and row.state != SubOrderState.RETURNED)

    def move(self, target: Target, name: str, at: datetime.datetime, actor: Actor, **data: Any) -> None:
        """Makes one move. ValueError when the table does not allow it from the present state."""
        self.until(at)
        flow = BY_MODEL[type(target)]
        row = flow.get(name)
        if target.state not in row.sources:
            raise ValueError(f"{flow.name} is {target.state}: no {name}")
        suborder = target if isinstance(target, SubOrder) else None
        assignment = target if isinstance(target, Assignment) else None
        if assignment is not None:
            suborder = assignment.suborder
        step = Move(actor, row, data, at, self.clock, self.demand, suborder, assignment)
        touched = [obj for obj in (self.demand, suborder, assignment) if obj is not None]
        before = [dict(obj.__dict__) for obj in touched]
        from_state = target.state
        if row.target is not None:
            target.state = row.target
        effect = getattr(self, f"_{name}", None) or EFFECTS[type(target)][name]
        effect(step)
        for obj, old in zip(touched, before, strict=True):
            if obj.__dict__ != old:
                obj.version += 1
        for order in self.suborders:
            order.remind_at = reminders.first_at(order)
        title = f"{row.done or row.label}{'：' + step.about if step.about else ''}"
        self._write(name, title, at, actor, suborder, step.text, from_state, target.state)

    def until(self, moment: datetime.datetime) -> None:
        """What the sweeper did by itself up to a moment: marks of lateness, parking that ended."""
        for row in self.suborders:
            if row.is_running:
                self._mark_unanswered(row, moment)
                self._mark_late(row, moment)
        for one in self.assignments:
            self._lapse(one, moment)
        if self.demand.parked_until and self.demand.parked_until <= local_date(moment) and self.demand.is_open:
            self.demand.parked_until = None

    def _mark_unanswered(self, row: SubOrder, moment: datetime.datetime) -> None:
        limits = [
            due
            for done, due in ((row.signed_at, row.sign_due_at), (row.contacted_at, row.contact_due_at))
            if done is None and due is not None
        ]
        if row.response_late_at is None and limits and min(limits) + _SWEEP < moment:
            row.response_late_at = min(limits) + _SWEEP
            title = f"超过签收或首次联系时限：{row.unit.label}"
            self._write("response_late", title, row.response_late_at, SYSTEM, row)

    def _mark_late(self, row: SubOrder, moment: datetime.datetime) -> None:
        if row.late_marked_at is None and row.due_at is not None and row.due_at + _SWEEP < moment:
            row.late_marked_at = at = row.due_at + _SWEEP
            demand = self.demand
            if demand.late_marked_at is None and demand.due_at is not None and demand.due_at < at and row.is_lead:
                demand.late_marked_at = at
            self._write("late", f"超过办理时限：{row.unit.label}", at, SYSTEM, row)

    def _lapse(self, one: Assignment, moment: datetime.datetime) -> None:
        """A member who did not answer in time is no longer asked."""
        if one.state == AssignmentState.OFFERED and one.due_at is not None and one.due_at + _SWEEP < moment:
            one.state = AssignmentState.LAPSED
            one.version += 1
            name, title = "lapse", f"没有回应安排：{one.member.name}"
            states = AssignmentState.OFFERED, AssignmentState.LAPSED
            self._write(name, title, one.due_at + _SWEEP, SYSTEM, one.suborder, "", *states)

    def _write(
        self,
        name: str,
        title: str,
        at: datetime.datetime,
        actor: Actor,
        suborder: SubOrder | None = None,
        text: str = "",
        from_state: str = "",
        to_state: str = "",
    ) -> None:
        event = DemandEvent(
            demand=self.demand,
            suborder=suborder,
            name=name,
            title=title[:160],
            text=text,
            at=at,
            actor=user_of(actor),
            actor_kind=kind_of(actor),
            from_state=from_state,
            to_state=to_state,
        )
        self.events.append(event)

    # --- Effects that ask the database, told without it ---

    def _claim(self, step: Move) -> None:
        self._give(step, step.data["unit"], SubOrderRole.LEAD, claimed=True)
        demand_effects.started(step, step.data["unit"])

    def _dispatch(self, step: Move) -> None:
        lead, supporting = step.data["unit"], step.data.get("supporting") or []
        self._give(step, lead, SubOrderRole.LEAD, designated=bool(step.data.get("designated")))
        for unit in supporting:
            self._give(step, unit, SubOrderRole.SUPPORTING)
        demand_effects.started(step, lead)
        if supporting:
            step.about += f"；配合：{'、'.join(unit.label for unit in supporting)}"
        step.text = step.said("note")

    def _give(self, step: Move, unit: Unit, role: str, **values: Any) -> None:
        values.setdefault("note", step.said("note"))
        row = SubOrder(demand=self.demand, unit=unit, role=role, **values)
        step.clock.start_suborder(row, self.demand.category, step.now)
        if row.whistle is not None:
            row.sign_due_at = step.clock.work_hours(step.now, step.clock.limits.whistle_hours)
        self.suborders.append(row)

    def _transfer(self, step: Move) -> None:
        desk_effects.moved(step, step.data["place"], step.data["place"])

    def _whistle(self, step: Move) -> None:
        demand, limits, units = self.demand, step.clock.limits, step.data["units"]
        due_at = step.clock.workdays(step.now, limits.whistle_workdays)
        record = Whistle(demand=demand, text=step.said("reason"), by=step.user, at=step.now, due_at=due_at)
        self.whistles.append(record)
        demand.whistled_at = step.now
        for number, unit in enumerate(units):
            role = SubOrderRole.SUPPORTING if number else SubOrderRole.LEAD
            self._give(step, unit, role, designated=True, whistle=record, note=record.text)
        demand_effects.started(step, units[0])
        desk_effects.called(step, record, units)

    def _end_whistle(self, step: Move) -> None:
        record = self.whistles[-1]
        record.result, record.ended_by, record.ended_at = step.said("reason"), step.user, step.now
        self.demand.whistled_at = None
        step.text = record.result

    def _redo(self, step: Move) -> None:
        demand, lead = self.demand, self.lead()
        lead.state = SubOrderState.IN_SERVICE
        lead.finished_at = None
        step.clock.restart_suborder(lead, demand.category, step.now)
        lead.version += 1
        demand.round += 1
        demand.finished_at = demand.checked_at = demand.closed_at = None
        demand.solved, demand.satisfaction = None, ""
        demand.step_due_at = None
        step.clock.start_service(demand, step.now)
        step.text = step.said("reason")

    _reopen = _redo

    def _follow_up(self, step: Move) -> None:
        reached = bool(step.data.get("reached"))
        solved = demand_effects.solved_answer(step) if reached else None
        satisfaction = step.said("satisfaction") if reached else ""
        self.follow_ups.append(
            FollowUp(
                demand=self.demand,
                reached=reached,
                solved=solved,
                satisfaction=satisfaction,
                text=step.said("note"),
                by=step.user,
                at=step.now,
            )
        )
        step.text = step.said("note")
        if reached:
            demand_effects.heard(step, solved, satisfaction)
        else:
            step.about = "未联系上"

    def _evaluate(self, step: Move) -> None:
        solved, satisfaction = bool(demand_effects.solved_answer(step)), step.said("satisfaction")
        self.evaluations.append(
            Evaluation(
                demand=self.demand,
                round=self.demand.round,
                solved=solved,
                satisfaction=satisfaction,
                text=step.said("note"),
                at=step.now,
            )
        )
        step.text = step.said("note")
        demand_effects.heard(step, solved, satisfaction)

    def _withdraw(self, step: Move) -> None:
        demand_effects.ended(step)

    def _link(self, step: Move) -> None:
        demand_effects.joined(step, step.data["matter"])

    def _park(self, step: Move) -> None:
        until, plan = step.data["until"], step.said("reason")
        self.parkings.append(Parking(demand=self.demand, plan=plan, until=until, by=step.user, at=step.now))
        self.demand.parked_until = until
        demand_effects.shift_limits(step, self.demand, ("step_due_at", "warn_at", "due_at"), until)
        for row in self.suborders:
            if row.is_running:
                demand_effects.shift_limits(step, row, ("sign_due_at", "contact_due_at", "warn_at", "due_at"), until)
                row.version += 1
        for one in self.assignments:
            if one.state == AssignmentState.OFFERED:
                demand_effects.shift_limits(step, one, ("due_at",), until)
                one.version += 1
        step.about, step.text = until_words(until), plan

    def _supervise(self, step: Move) -> None:
        demand = self.demand
        unit = demand.lead_unit if demand.state == DemandState.DISPATCHED else None
        self.supervisions.append(
            Supervision(
                demand=demand,
                unit=unit,
                text=step.said("reason"),
                by=step.user,
                at=step.now,
                due_at=step.clock.workdays(step.now, step.clock.limits.supervision_workdays),
            )
        )
        demand.supervised_at, demand.supervised_unit = step.now, unit
        step.about, step.text = unit.label if unit else demand.community.name, step.said("reason")

    def _answer_supervision(self, step: Move) -> None:
        record = self.supervisions[-1]
        record.answer, record.answered_by, record.answered_at = step.said("reason"), step.user, step.now
        self.demand.supervised_at = self.demand.supervised_unit = None
        step.text = record.answer

    def _assign(self, step: Move) -> None:
        members = step.data["members"]
        due = step.clock.workdays(step.now, step.clock.limits.assignment_workdays)
        self.assignments += [
            Assignment(suborder=step.suborder, member=member, asked_by=step.user, asked_at=step.now, due_at=due)
            for member in members
        ]
        step.about = "、".join(member.name for member in members)

    def _request_extension(self, step: Move) -> None:
        suborder, until = step.suborder, step.data["until"]
        assert suborder is not None
        earlier = [row for row in self.extensions if row.suborder is suborder and row.state == ExtensionState.APPROVED]
        suborder.extension_waiting = len(earlier) + 1
        self.extensions.append(
            Extension(
                suborder=suborder,
                number=suborder.extension_waiting,
                until=until,
                reason=step.said("reason"),
                by=step.user,
                at=step.now,
            )
        )
        suborder.review_due_at = step.clock.workdays(step.now, step.clock.limits.review_workdays)
        step.about, step.text = until_words(until), step.said("reason")

    def _approve_extension(self, step: Move) -> None:
        suborder, demand = step.suborder, self.demand
        assert suborder is not None
        record = self._decide(step, ExtensionState.APPROVED, step.said("note"))
        suborder.due_at = later(suborder.due_at, step.clock.end_of(record.until))
        suborder.warn_at = step.clock.warn_at(suborder.dispatched_at, suborder.due_at)
        suborder.late_marked_at = None
        if suborder.is_lead and demand.due_at is not None and demand.due_at < suborder.due_at:
            demand.due_at, demand.warn_at = suborder.due_at, suborder.warn_at
            demand.late_marked_at = None
        step.about, step.text = until_words(record.until), step.said("note")

    def _reject_extension(self, step: Move) -> None:
        self._decide(step, ExtensionState.REJECTED, step.said("reason"))
        step.text = step.said("reason")

    def _decide(self, step: Move, state: str, note: str) -> Extension:
        suborder = step.suborder
        assert suborder is not None
        record = next(row for row in self.extensions if row.suborder is suborder and row.state == "waiting")
        record.state, record.note = state, note
        record.decided_by, record.decided_at = step.user, step.now
        suborder.extension_waiting = 0
        suborder.review_due_at = None
        return record
