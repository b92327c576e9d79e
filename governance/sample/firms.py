"""Property firms in the sample: what their compounds' residents asked and was passed on to them, the advice of the branches
and what the community says of their work (docs/domain.md#c5). All invented."""

import datetime
from collections.abc import Sequence

from django.db.models import Model

from core.periods import day_start
from governance.sample.compounds import Plan
from governance.sample.demands import Demands
from governance.sample.fate import Fate
from governance.sample.shown import Wanted, tell_wanted
from grids.models import GridNode
from services.clocks import GREEN, RED
from services.models import Activity, ActivityKind, RatingSide, Satisfaction, ServiceRating, SubOrder
from services.models import DemandState as D
from services.models import SubOrderState as S

# Compounds whose firms are told of, of the first community that has some.
_COMPOUNDS = 3
_PASSED_ON = (
    Wanted(Fate(halt="sign"), D.DISPATCHED, S.DISPATCHED, GREEN),
    Wanted(Fate(halt="finish", first_asked=True), D.DISPATCHED, S.IN_SERVICE, GREEN),
    Wanted(Fate(halt="finish", first_asked=True, pace=1.6), D.DISPATCHED, S.IN_SERVICE, RED),
    Wanted(Fate(halt="evaluate", first_asked=True), D.CHECKED, S.FINISHED),
    Wanted(Fate(first_asked=True), D.CLOSED_OFF, S.FINISHED),
    Wanted(Fate(first_asked=True, satisfaction=Satisfaction.FAIRLY), D.CLOSED_OFF, S.FINISHED),
)
_ADVICE = (
    "指导物业公开收费标准和公共收益",
    "督促物业整改消防通道和充电桩",
    "协调物业开放门禁补录门卡",
    "物业企业述职评议会",
)


def firms_shown(demands: Demands, plans: Sequence[Plan]) -> list[Plan]:
    """The compounds of the first community that registered firms run."""
    for community in demands.ground.communities:
        found = [plan for plan in plans if plan.unit is not None and plan.node.community_id == community.pk]
        if found:
            return found[:_COMPOUNDS]
    return []


def tell_passed_on(demands: Demands, plans: Sequence[Plan]) -> None:
    """Adds what was passed on to the firms of some compounds: open, late, finished and evaluated."""
    for plan in firms_shown(demands, plans):
        for number, wanted in enumerate(_PASSED_ON):
            tell_wanted(demands, wanted, _inside(demands, plan.node, number), plan.unit, f"{plan.node.code} {number}")


def _inside(demands: Demands, compound: GridNode, number: int) -> GridNode:
    """A building of the compound; the compound itself where it has none."""
    rows = [
        node
        for node in demands.ground.places[compound.community_id or 0, "building"]
        if compound.lft < node.lft < compound.rght
    ]
    return rows[number % len(rows)] if rows else compound


def advise_and_rate(demands: Demands, plans: Sequence[Plan], day: datetime.date) -> tuple[Sequence[Model], ...]:
    """Writes the branches' advice to those firms, and what the community said of what they finished."""
    shown = firms_shown(demands, plans)
    advice = [
        Activity(
            county=demands.ground.county,
            node=plan.node,
            community_id=plan.node.community_id,
            kind=ActivityKind.ADVICE,
            title=title,
            held_on=day - datetime.timedelta(days=4 + 11 * number + turn),
            people=6 + number,
        )
        for turn, plan in enumerate(shown)
        for number, title in enumerate(_ADVICE)
    ]
    Activity.objects.bulk_create(advice)
    through = Activity.units.through
    firms = {plan.node.pk: plan.unit.pk for plan in shown if plan.unit is not None}
    through.objects.bulk_create(through(activity_id=row.pk, unit_id=firms[row.node_id]) for row in advice)
    done = SubOrder.objects.filter(
        unit__in=firms.values(), state=S.FINISHED, demand__state=D.CLOSED_OFF
    ).select_related("demand")
    ratings = [
        ServiceRating(
            county=demands.ground.county,
            community_id=order.demand.community_id,
            unit_id=order.unit_id,
            side=RatingSide.COMMUNITY,
            suborder=order,
            grade=Satisfaction.FAIRLY if order.demand.satisfaction == Satisfaction.FAIRLY else Satisfaction.SATISFIED,
            by=next(iter(demands.ground.desk(demands.ground.by_key[order.demand.community_id]))),
            at=min(order.demand.closed_at or day_start(day), day_start(day)),
        )
        for order in done.order_by("pk")
    ]
    ServiceRating.objects.bulk_create(ratings)
    return tuple(rows for rows in (advice, ratings) if rows)
