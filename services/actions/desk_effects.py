"""What the moves between desks write: to another community, up and down, and the street's whistle. See `demand_effects`."""

import datetime
from functools import partial

from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import kind_of, user_of
from core.errors import Conflict, Invalid, InvalidTransition
from core.periods import Month, datetime_words
from grids.models import GridNode
from grids.policies import scope_of
from partybuilding.models import Unit
from services.actions import demand_effects
from services.actions.outdating import outdate_for
from services.actions.step import Effect, Move
from services.actions.tallies import refresh_cell
from services.models import (
    AgendaItem,
    Demand,
    DemandEvent,
    ItemState,
    MeetingState,
    SubOrder,
    SubOrderRole,
    SubOrderState,
    Whistle,
)
from services.models.demand import Desk


def escalate(step: Move) -> None:
    step.demand.escalated_at = step.now
    _to_desk(step, Desk.STREET)


def hand_up(step: Move) -> None:
    _to_desk(step, Desk.COUNTY)


def hand_down(step: Move) -> None:
    _to_desk(step, Desk.COMMUNITY)


def _to_desk(step: Move, desk: Desk) -> None:
    """Whoever gets the matter has the time to dispatch it that the one before had."""
    step.demand.desk = desk
    step.demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.dispatch_workdays)
    step.text = step.said("reason")


# --- To another community ---------------------------------------------------------------------------------------------


def transfer(step: Move) -> None:
    """The other community begins anew. What was linked to the matter goes along: one service answers all of them.

    The places are held by `moving`, before the demand.
    """
    demand, place = step.demand, step.data["place"]
    _check_place(demand, place)
    at_work = demand.suborders.running().select_related("unit").first()
    if at_work is not None:
        message = _("“%(unit)s”还在配合办理，不能移交。请等它办结，或重新派单。") % {"unit": at_work.unit.label}
        raise InvalidTransition(message, code="at_work")
    old = demand.community
    linked = list(demand.linked.select_for_update(of=("self",)).order_by("pk"))
    _check_numbers([demand, *linked], place)
    _check_table([demand, *linked], place)
    moved(step, place, place.community)
    for row in linked:
        step.also(row)
        row.node, row.community = place, place.community
        _say_gone(step, row)
    months = {Month.of(timezone.localdate(row.registered_at)).first_day for row in (demand, *linked)}
    step.afterwards += [partial(refresh_cell, old.pk, month) for month in sorted(months)]
    step.afterwards.append(partial(outdate_for, [demand, *linked]))
    # Who gave it away no longer sees it: their own ledger keeps that they did, and where it went.
    step.afterwards.append(partial(_keep_trace, step, old, place.community))


def moved(step: Move, place: GridNode, community: GridNode) -> None:
    """The matter itself in its new place."""
    demand = step.demand
    step.about = _("%(old)s → %(new)s") % {"old": demand.community.name, "new": community.name}
    step.text = step.said("reason")
    demand.node, demand.community = place, community
    demand.transfers += 1
    demand.desk = Desk.COMMUNITY
    # Its units were offered it in the old place, and are not any more.
    demand.accepted_at = demand.published_at = demand.escalated_at = None
    demand.step_due_at = step.clock.workdays(step.now, step.clock.limits.accept_workdays)


def _check_place(demand: Demand, place: GridNode) -> None:
    wrong = ""
    if place.county_id != demand.county_id or place.community_id is None:
        wrong = _("请选择本县另一个社区，或它里面的地点。")
    elif place.is_retired:
        wrong = _("“%(place)s”已撤销，请选择其他地点。") % {"place": place.path}
    elif place.community_id == demand.community_id:
        wrong = _("“%(place)s”就在本社区，不用移交。") % {"place": place.path}
    if wrong:
        raise Invalid(wrong, fields={"place": wrong})


def _check_numbers(demands: list[Demand], place: GridNode) -> None:
    """An imported matter that the other community has as well (`demand_external_once`) is not moved beside itself."""
    for row in demands:
        if not row.external_number:
            continue
        twin = Demand.objects.filter(
            community_id=place.community_id, external_number=row.external_number, external_date=row.external_date
        ).first()
        if twin is not None:
            raise Conflict(
                _("对方社区已经有原编号“%(number)s”的同一件事（%(code)s），不能再移交。请核对后撤回这一条。")
                % {"number": row.external_number, "code": twin.code},
                code="same_number",
            )


def _check_table(demands: list[Demand], place: GridNode) -> None:
    """What a meeting that is under way has given to somebody takes effect when it closes; it is not moved away from under it,
    unless the meeting is as much about the other community. What is only on an agenda can not be claimed from there any
    more, nor is it carried on to the next (`services.meeting_rules.went_elsewhere`)."""
    settled = [ItemState.CLAIMED, ItemState.RESOLVED, ItemState.LEADER]
    rows = AgendaItem.objects.filter(demand__in=demands, state__in=settled, meeting__state=MeetingState.RUNNING)
    for item in rows.exclude(meeting__node=None).select_related("meeting__node").order_by("pk"):
        if not scope_of(item.meeting.node).holds(place):
            message = _(
                "“%(meeting)s”正在开会，会上这条需求是“%(state)s”。请会议结束后再移交，或先在会上撤回、改为缓议。"
            )
            words = {"meeting": item.meeting.title, "state": item.get_state_display()}
            raise InvalidTransition(message % words, code="at_the_table")


def _say_gone(step: Move, row: Demand) -> None:
    """A matter that goes along with the one it is linked to: its own timeline says so."""
    DemandEvent.objects.create(
        demand=row,
        name="follow_transfer",
        title=_("随并案的需求移交：%(about)s") % {"about": step.about},
        at=step.now,
        actor=user_of(step.actor),
        actor_kind=kind_of(step.actor),
    )
    changes = {"node_id": (None, row.node_id), "community_id": (None, row.community_id)}
    audit.record(actor=step.actor, action="demand.follow_transfer", obj=row, changes=changes, label=row.code)


TRACE = "gridnode.transfer_out"


def _keep_trace(step: Move, old: GridNode, new: GridNode) -> None:
    audit.record(
        actor=step.actor,
        action=TRACE,
        obj=old,
        changes={"demand": (step.demand.code, None), "community": (old.name, new.name)},
        label=f"{step.demand.code} → {new.name}",
        reason=step.text,
    )


# --- The whistle ------------------------------------------------------------------------------------------------------


def whistle(step: Move) -> None:
    """Calls units to the matter: as its lead where it has none, beside the lead where it has one."""
    demand, limits = step.demand, step.clock.limits
    units: list[Unit] = list(dict.fromkeys(step.data["units"]))
    wanted: Unit | None = step.data.get("lead")
    _check_called(demand, [*units, *([wanted] if wanted else [])])
    orders = {row.unit_id: row for row in demand.suborders.select_for_update().exclude(state=SubOrderState.RETURNED)}
    chosen = _leader(units, wanted, orders)
    if chosen is not None:
        demand_effects.refuse_outside(step, chosen)
    if chosen is not None and chosen not in units:
        units.insert(0, chosen)
    record = Whistle.objects.create(
        demand=demand,
        text=step.said("reason"),
        meet_at=_meeting(step),
        venue=step.said("venue"),
        by=step.user,
        at=step.now,
        due_at=step.clock.workdays(step.now, limits.whistle_workdays),
    )
    demand.whistled_at = step.now
    for unit in units:
        row = orders.get(unit.pk)
        if row is None:
            role = SubOrderRole.LEAD if unit == chosen else SubOrderRole.SUPPORTING
            row = demand_effects.give(step, unit, role, designated=True, whistle=record, note=record.text[:500])
        elif row.is_running:
            step.also(row)
            row.whistle, row.designated = record, True
        else:
            words = _("“%(unit)s”已经办结，要它再来请先要求重办。") % {"unit": unit.label}
            raise Invalid(words, fields={"units": words})
        step.told_suborders.append(row)
    if chosen is not None:
        demand_effects.started(step, chosen)
    called(step, record, units)


def called(step: Move, record: Whistle, units: list[Unit]) -> None:
    """What the timeline says of a whistle: who, what, when and where."""
    step.about = "、".join(unit.label for unit in units)
    where = "，".join(part for part in (datetime_words(record.meet_at) if record.meet_at else "", record.venue) if part)
    step.text = "\n".join(
        part for part in (record.text, _("到场：%(where)s") % {"where": where} if where else "") if part
    )


def _leader(units: list[Unit], wanted: Unit | None, orders: dict[int, SubOrder]) -> Unit | None:
    """Who shall lead, None where somebody does. Who supports it since another unit gave it back goes on supporting."""
    lead = next((row for row in orders.values() if row.role == SubOrderRole.LEAD), None)
    if lead is None:
        chosen = wanted or next((unit for unit in units if unit.pk not in orders), units[0])
        demand_effects.refuse_supporting(chosen, orders, "lead")
        return chosen
    if wanted is not None and wanted.pk != lead.unit_id:
        words = _("这件事已由“%(unit)s”牵头，召集的单位配合办理，不用再选牵头单位。") % {"unit": lead.unit.label}
        raise Invalid(words, fields={"lead": words})
    return None


def _check_called(demand: Demand, units: list[Unit]) -> None:
    strange = [unit.name for unit in units if unit.county_id != demand.county_id or not unit.is_active]
    if strange:
        words = _("“%(units)s”不是本县在用的单位，不能召集。") % {"units": "、".join(strange)}
        raise Invalid(words, fields={"units": words})


def _meeting(step: Move) -> datetime.datetime | None:
    meet_at: datetime.datetime | None = step.data.get("meet_at")
    if meet_at is not None and meet_at <= step.now:
        raise Invalid(_("到场时间应在现在之后。"), fields={"meet_at": _("太早。")})
    return meet_at


def end_whistle(step: Move) -> None:
    record = step.demand.whistles.select_for_update().get(ended_at__isnull=True)
    record.result, record.ended_by, record.ended_at = step.said("reason"), step.user, step.now
    record.save(update_fields=["result", "ended_by", "ended_at"])
    step.demand.whistled_at = None
    step.text = record.result


TABLE: dict[str, Effect] = {
    effect.__name__: effect for effect in (escalate, transfer, hand_up, hand_down, whistle, end_whistle)
}
