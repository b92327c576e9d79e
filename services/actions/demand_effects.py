"""What each move of a demand writes beside the state. Called by `moving` with the rows locked and the move allowed."""

import datetime
from collections.abc import Collection
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core import policies
from core.actors import SYSTEM, user_of
from core.audit import Deed
from core.errors import Invalid, InvalidTransition
from partybuilding.models import Unit, UnitKind
from services import posts
from services.actions.step import Effect, Move, check_near
from services.models import (
    Assignment,
    Demand,
    DemandState,
    Evaluation,
    FollowUp,
    LimitUnit,
    Parking,
    SubOrder,
    SubOrderRole,
    SubOrderState,
    Supervision,
)
from services.models.demand import Desk
from services.models.evaluation import not_solved
from services.policies import CheckInScope
from services.reach import units_in_reach
from services.selectors import outside


def accept(step: Move) -> None:
    demand = step.demand
    step.text = _recategorised(step)
    if not demand.category.is_active:
        message = _("类别“%(category)s”已停用，请改选一个正在使用的类别后再受理。") % {"category": demand.category}
        raise Invalid(message, code="category_retired", fields={"category": message})
    demand.accepted_at = step.now
    demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.dispatch_workdays)


def _recategorised(step: Move) -> str:
    """Gives the demand the category that was named with the move; answers what to say of it."""
    demand, category = step.demand, step.data.get("category")
    if category is None or category.pk == demand.category_id:
        return ""
    if category.county_id != demand.county_id or not category.is_active:
        raise Invalid(_("请选择正在使用的类别。"), fields={"category": _("没有这个类别。")})
    words = _("类别由“%(old)s”调整为“%(new)s”。") % {"old": demand.category, "new": category}
    demand.category = category
    demand.urgency = category.urgency
    return words


def decline(step: Move) -> None:
    ended(step)


def ended(step: Move) -> None:
    stop_clocks(step)
    step.text = step.said("reason")


def publish(step: Move) -> None:
    step.demand.published_at = step.now
    step.demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.publish_workdays)


def claim(step: Move) -> None:
    units = {
        scope.unit_id
        for scope in policies.scopes(step.user, posts.CLAIM_DEMAND)
        if isinstance(scope, CheckInScope) and scope.place.holds(step.demand.node)
    }
    wanted = step.data.get("unit")
    if wanted is None and len(units) == 1:
        wanted = Unit.objects.get(pk=units.pop())
    elif wanted is None or wanted.pk not in units:
        raise Invalid(_("请选择由哪个单位认领。"), fields={"unit": _("请选择您所在的、在此报到的单位。")})
    refuse_outside(step, wanted)
    refuse_supporting(wanted, _at_work(step))
    give(step, wanted, SubOrderRole.LEAD, claimed=True)
    started(step, wanted)


def dispatch(step: Move) -> None:
    lead: Unit = step.data["unit"]
    supporting: list[Unit] = [unit for unit in step.data.get("supporting") or [] if unit.pk != lead.pk]
    _check_in_reach(step, [lead, *supporting])
    changed = _recategorised(step)  # by an automatic rule, which may say what it is before it says where to
    refuse_outside(step, lead)
    running = _at_work(step)
    refuse_supporting(lead, running)
    given = [give(step, lead, SubOrderRole.LEAD, designated=bool(step.data.get("designated")))]
    given += [give(step, unit, SubOrderRole.SUPPORTING) for unit in supporting if unit.pk not in running]
    step.told_suborders = given
    started(step, lead)
    if supporting:
        step.about += _("；配合：%(units)s") % {"units": "、".join(unit.label for unit in supporting)}
    step.text = "\n".join(text for text in (changed, step.said("note")) if text)


def _at_work(step: Move) -> set[int]:
    """The units that have an order of the demand which they did not return."""
    return {row.unit_id for row in step.orders() if row.state != SubOrderState.RETURNED}


def refuse_supporting(lead: Unit, at_work: Collection[int], field: str = "unit") -> None:
    """A unit has one order of a demand: who supports it does not lead it as well. Raises `Invalid`."""
    if lead.pk in at_work:
        message = _("“%(unit)s”已在配合办理，请选择其他牵头单位。") % {"unit": lead}
        raise Invalid(message, code="supports", fields={field: message})


def refuse_outside(step: Move, lead: Unit) -> None:
    """A unit of the community's own does not lead what is on the list of matters outside its duties. Raises `Invalid`."""
    matter = step.known.outside(step.demand) if outside.is_of_community(lead) else None
    if matter is not None:
        message = outside.refusal(matter, lead)
        raise Invalid(message, code="outside_matter", fields={"unit": message})


def _check_in_reach(step: Move, units: list[Unit]) -> None:
    """Only units that have reported to the place or around it, and the firm that runs its compound, can be given what hangs
    there; by a desk above the community that the matter was handed up to, more of them (`services.reach`)."""
    demand = step.demand
    if demand.desk == Desk.COMMUNITY:
        grounds = step.known.grounds({unit.pk for unit in units})
        here = {pk for pk, places in grounds.items() if any(place.holds(demand.node) for place in places)}
    else:
        reach = units_in_reach(demand, user_of(step.actor)).filter(pk__in=[unit.pk for unit in units])
        here = set(reach.values_list("pk", flat=True))
    strange = [unit for unit in units if unit.pk not in here]
    if strange:
        message = _("“%(units)s”没有在“%(place)s”报到，不能派单。请先办理单位报到，或选择其他单位。") % {
            "units": "、".join(unit.name for unit in strange),
            "place": step.demand.community.name,
        }
        if any(unit.kind == UnitKind.PROPERTY for unit in strange):
            message += _("物业企业也可以在“小区档案”登记为这个小区的物业公司后再派单。")
        raise Invalid(message, code="unit_not_checked_in", fields={"unit": message})


def give(step: Move, unit: Unit, role: str, **values: Any) -> SubOrder:
    values.setdefault("note", step.said("note")[:500])
    row = SubOrder(demand=step.demand, unit=unit, role=role, **values)
    step.clock.start_suborder(row, step.demand.category, step.now)
    if row.whistle is not None:
        row.sign_due_at = step.clock.work_hours(step.now, step.clock.limits.whistle_hours)
    step.added.append(row)
    return row


def started(step: Move, lead: Unit) -> None:
    """The demand's own limit starts once: a return does not give the next unit the resident's time again."""
    demand = step.demand
    demand.lead_unit = lead
    demand.step_due_at = None
    step.about = lead.label
    if demand.dispatched_at is None:
        demand.dispatched_at = step.now
        step.clock.start_service(demand, step.now)


def check(step: Move) -> None:
    step.demand.checked_at = step.now
    # Nobody has to evaluate: after this the sweeper closes the matter off.
    step.demand.step_due_at = step.now + datetime.timedelta(days=step.clock.limits.auto_close_days)
    step.text = step.said("note")


def redo(step: Move) -> None:
    _work_again(step)
    step.text = step.said("reason")


def _work_again(step: Move) -> None:
    """The lead unit's sub-order is in service again, with a new limit; a new round for the resident's word."""
    demand = step.demand
    rows = demand.suborders.select_for_update().filter(role=SubOrderRole.LEAD).exclude(state=SubOrderState.RETURNED)
    lead = step.also(rows.get())
    lead.state = SubOrderState.IN_SERVICE
    lead.finished_at = None
    step.clock.restart_suborder(lead, demand.category, step.now)
    demand.round += 1
    demand.finished_at = demand.checked_at = demand.closed_at = None
    demand.solved, demand.satisfaction = None, ""
    demand.step_due_at = None
    step.clock.start_service(demand, step.now)


def follow_up(step: Move) -> None:
    reached = bool(step.data.get("reached"))
    solved, satisfaction = solved_answer(step), step.said("satisfaction")
    if reached and (solved is None or not satisfaction):
        missing = {
            name: _("联系上了居民，请填写这一项。")
            for name, value in (("solved", solved), ("satisfaction", satisfaction))
            if value in (None, "")
        }
        raise Invalid(_("联系上了居民，请填写是否解决、是否满意。"), fields=missing)
    if not reached:
        solved, satisfaction = None, ""
    FollowUp.objects.create(
        demand=step.demand,
        reached=reached,
        solved=solved,
        satisfaction=satisfaction,
        text=step.said("note"),
        by=step.user,
        at=step.now,
    )
    step.text = step.said("note")
    if reached:
        heard(step, solved, satisfaction)
    else:
        step.about = _("未联系上")


def evaluate(step: Move) -> None:
    solved, satisfaction = bool(solved_answer(step)), step.said("satisfaction")
    round = step.demand.main.round
    if step.demand.evaluations.filter(round=round).exists():
        raise Invalid(_("您已经评价过了，谢谢。"), code="already_evaluated")
    note = step.said("note")
    Evaluation.objects.create(
        demand=step.demand,
        round=round,
        solved=solved,
        satisfaction=satisfaction,
        text=note,
        at=step.now,
    )
    step.text = note
    if step.demand.state == DemandState.LINKED:
        step.about = words_of(
            solved, satisfaction
        )  # one service counts once: the word is kept, the rates are the main's
    else:
        heard(step, solved, satisfaction)


def solved_answer(step: Move) -> bool | None:
    answer = step.data.get("solved")
    return {"yes": True, "no": False, True: True, False: False}.get(answer) if answer is not None else None


def heard(step: Move, solved: bool | None, satisfaction: str) -> None:
    """Finished, solved and satisfied are three facts; the last word of the resident stands."""
    demand = step.demand
    demand.solved, demand.satisfaction = solved, satisfaction
    step.about = words_of(solved, satisfaction)


def words_of(solved: bool | None, satisfaction: str) -> str:
    words = _("已解决") if solved else _("未解决")
    return f"{words}，{dict(FollowUp._meta.get_field('satisfaction').flatchoices)[satisfaction]}"


def close_off(step: Move) -> None:
    note = step.said("note")
    # The sweeper, which closes many at once, has left those out already.
    asked = step.actor is not SYSTEM and not note
    if (step.demand.solved is False and not note) or (
        asked and Demand.objects.filter(not_solved(), pk=step.demand.pk).exists()
    ):
        text = _("居民说问题没有解决。请先重办；确实无法解决的，写明原因后再销号。")
        raise Invalid(text, code="not_solved", fields={"note": text})
    step.demand.closed_at = step.now
    step.demand.step_due_at = None
    step.text = note


def reopen(step: Move) -> None:
    _work_again(step)
    step.text = step.said("reason")


def withdraw(step: Move) -> None:
    _refuse_at_work(step)
    if step.demand.linked.exists():
        raise InvalidTransition(_("有别的居民反映了同一件事，已并入这一条，不能撤回。"), code="others_wait")
    ended(step)


def link(step: Move) -> None:
    main: Demand = step.data["matter"]
    if main.pk == step.demand.pk or main.state in _NO_ANSWER or main.community_id != step.demand.community_id:
        message = _("请填写本社区另一条需求的编号；已并案、撤回或不予受理的不行。")
        raise Invalid(message, fields={"matter": _("不能并入这条需求。")})
    _refuse_at_work(step)
    joined(step, main)
    _hand_on(step, main)


def joined(step: Move, main: Demand) -> None:
    step.demand.linked_to = main
    step.about = main.code
    stop_clocks(step)


# What was linked to one of these would wait for an answer that never comes.
_NO_ANSWER = (DemandState.LINKED, DemandState.WITHDRAWN, DemandState.DECLINED)


def _hand_on(step: Move, main: Demand) -> None:
    """What was linked to this matter before goes along, so that each requester sees the one that is worked on."""
    for row in step.known.linked(step.demand):
        row.linked_to = main
        row.version += 1
        changes = {"linked_to_id": (step.demand.pk, main.pk)}
        step.carried.append(Deed(row, changes, label=row.code, action="demand.link"))


def _refuse_at_work(step: Move) -> None:
    """After the lead unit returned it, supporting units may still be serving: the matter can not end under them."""
    at_work = next((row for row in step.orders() if row.is_running), None)
    if at_work is not None:
        message = _("“%(unit)s”正在办理这件事，请先重新派单，办完再销号。") % {"unit": at_work.unit.label}
        raise InvalidTransition(message, code="at_work")


def stop_clocks(step: Move) -> None:
    step.demand.step_due_at = step.demand.due_at = step.demand.warn_at = None


def park(step: Move) -> None:
    """All limits stand still until the morning of the date: they are moved now, so nothing needs to wake up."""
    demand, until = step.demand, step.data["until"]
    if until <= timezone.localdate(step.now):
        raise Invalid(_("挂账日期应在今天之后。"), fields={"until": _("太早。")})
    check_near(until, step)
    plan = step.said("reason")
    Parking.objects.create(demand=demand, plan=plan, until=until, by=step.user, at=step.now)
    demand.parked_until = until
    shift_limits(step, demand, ("step_due_at", "warn_at", "due_at"), until)
    for row in demand.suborders.select_for_update().running():
        shift_limits(step, step.also(row), ("sign_due_at", "contact_due_at", "warn_at", "due_at"), until)
    asked = Assignment.objects.select_for_update().filter(suborder__demand=demand).waiting()
    for one in asked.order_by("pk"):
        shift_limits(step, step.also(one), ("due_at",), until)
    step.about = until_words(until)
    step.text = plan


def until_words(day: datetime.date) -> str:
    return _("至%(year)d年%(month)d月%(day)d日") % {"year": day.year, "month": day.month, "day": day.day}


def shift_limits(step: Move, obj: Any, names: tuple[str, ...], until: datetime.date) -> None:
    by_the_wall = step.clock.limit_of(step.demand.category)[1] == LimitUnit.HOURS
    runs = obj.due_at is not None and obj.due_at > step.now
    for name in names:
        due = getattr(obj, name)
        # A light that is yellow already is yellow again when the clock goes on, not all the while it stands still.
        if due is not None and (due > step.now or (name == "warn_at" and runs)):
            served = name in ("warn_at", "due_at") and not isinstance(obj, Assignment)
            setattr(obj, name, step.clock.resume_on(until, due, step.now, by_the_wall=by_the_wall and served))


def supervise(step: Move) -> None:
    """Whoever has the matter must answer: the lead unit once it is dispatched, the community before."""
    demand = step.demand
    unit = demand.lead_unit if demand.state == DemandState.DISPATCHED else None
    text = step.said("reason")
    Supervision.objects.create(
        demand=demand,
        unit=unit,
        text=text,
        by=step.user,
        at=step.now,
        due_at=step.clock.workdays(step.now, step.clock.limits.supervision_workdays),
    )
    demand.supervised_at, demand.supervised_unit = step.now, unit
    step.about = unit.label if unit else demand.community.name
    step.text = text


def answer_supervision(step: Move) -> None:
    record = step.demand.supervisions.select_for_update().get(answered_at__isnull=True)
    record.answer, record.answered_by, record.answered_at = step.said("reason"), step.user, step.now
    record.save(update_fields=["answer", "answered_by", "answered_at"])
    step.demand.supervised_at = step.demand.supervised_unit = None
    step.text = record.answer


TABLE: dict[str, Effect] = {
    effect.__name__: effect
    for effect in (
        accept,
        decline,
        publish,
        claim,
        dispatch,
        check,
        redo,
        follow_up,
        evaluate,
        close_off,
        reopen,
        withdraw,
        link,
        park,
        supervise,
        answer_supervision,
    )
}
