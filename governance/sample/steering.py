"""A few exclusions, the ladder, and two bulletins of the county whose people sign in: one published, one a draft.

Everything happened before the sample's day; nothing in it names anybody.
"""

import datetime
from dataclasses import dataclass, field
from typing import Any

from core.models import User
from grids.models import Appointment, County
from services.actions import ladder
from services.actions.exclusions import community_rates
from services.clocks import clock_for
from services.models import (
    Bulletin,
    BulletinItem,
    BulletinItemState,
    BulletinState,
    Demand,
    DemandEvent,
    ExclusionState,
    RateExclusion,
)
from services.selectors import bulletins
from services.selectors.rates import MEASURES

DAY = datetime.timedelta(days=1)
MORNING = datetime.timedelta(hours=9, minutes=30)
# So long before the sample's day the sweeper went round every morning.
_LADDER_DAYS = 30
# State, rates, why it was asked, what the county said.
_EXCLUSIONS: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        ExclusionState.APPROVED,
        ("resolution", "satisfaction"),
        "责任主体在邻县，已经转告对方办理。",
        "情况属实，同意。",
    ),
    (ExclusionState.APPROVED, ("resolution",), "要等旧城改造统一实施，已向居民说明。", "已列入改造计划，同意。"),
    (ExclusionState.REJECTED, ("satisfaction",), "居民对工期不满意。", "不满意的也要计入，请继续做好解释。"),
    (ExclusionState.REQUESTED, ("resolution",), "当天全县停电检修，无法上门。", ""),
)
_ANSWER = "材料已经到货，本周内完成更换，完工后请社区核查。"


@dataclass
class Steered:
    """The rows that were written."""

    exclusions: list[RateExclusion] = field(default_factory=list)
    bulletins: list[Bulletin] = field(default_factory=list)
    items: list[BulletinItem] = field(default_factory=list)

    @property
    def tables(self) -> list[Any]:
        """Those that hold something, for the trail."""
        return [rows for rows in (self.exclusions, self.bulletins, self.items) if rows]


def exclude_some(county: County, moment: datetime.datetime) -> list[RateExclusion]:
    """Exclusions of matters the residents say are not solved; before the tallies are counted.

    Args:
        moment: the beginning of the sample's day.
    """
    department = _holder(county, "county_department")
    unsolved = Demand.objects.filter(county=county, solved=False, state="closed_off").select_related("community")
    clock, rows = clock_for(county.pk), []
    for number, demand in enumerate(unsolved.order_by("-registered_at", "pk")[: len(_EXCLUSIONS)]):
        state, rates, reason, note = _EXCLUSIONS[number]
        asked = moment - (6 - number) * DAY + MORNING
        row = RateExclusion(
            demand=demand,
            reason=reason,
            state=state,
            by=_officer(demand),
            at=asked,
            due_at=clock.workdays(asked, clock.limits.exclusion_workdays),
            **dict.fromkeys(rates, True),
        )
        if state != ExclusionState.REQUESTED:
            row.decided_by, row.decided_at, row.note = department, asked + DAY, note
        if state == ExclusionState.APPROVED:
            _leave_out(row, demand)
        rows.append(row)
    return RateExclusion.objects.bulk_create(rows)


def _leave_out(row: RateExclusion, demand: Demand) -> None:
    before = community_rates(demand)
    for one in MEASURES:
        setattr(demand, one.skip, one.name in row.rates)
    demand.save(update_fields=[one.skip for one in MEASURES])
    after = community_rates(demand)
    row.figures = {
        "approve": {
            name: [[each.numerator, each.denominator, each.excluded] for each in (before[name], after[name])]
            for name in row.rates
        }
    }
    DemandEvent.objects.create(
        demand=demand,
        name="exclude",
        title="同意剔除统计：" + "、".join(str(one.label) for one in MEASURES if one.name in row.rates),
        text=row.note,
        at=row.decided_at or row.at,
        actor=row.decided_by,
        tallied=True,
    )


def write_bulletins(county: County, exclusions: list[RateExclusion], moment: datetime.datetime) -> Steered:
    """The ladder as it stands, a bulletin of the month before last and the draft of the next one."""
    for days in range(_LADDER_DAYS, 0, -1):
        ladder.climb(moment - days * DAY + MORNING)
    told = Steered(exclusions)
    late = list(
        Demand.objects.late(moment)
        .filter(county=county)
        .select_related("lead_unit", "community")
        .order_by("due_at")[:6]
    )
    published = moment - 4 * DAY + MORNING
    first = _bulletin(county, published, BulletinState.PUBLISHED, number=1, published_at=published)
    draft = _bulletin(county, moment - DAY + MORNING, BulletinState.DRAFT)
    told.bulletins = [first, draft]
    early = [demand for demand in late if demand.due_at is not None and demand.due_at < published][:3]
    told.items = [*_items(first, early, published), *_items(draft, [one for one in late if one not in early], moment)]
    BulletinItem.objects.bulk_create(told.items)
    first.figures = bulletins.figures(first, published)
    first.save(update_fields=["figures"])
    return told


def _bulletin(county: County, at: datetime.datetime, state: str, **fields: Any) -> Bulletin:
    last = at.date().replace(day=1) - DAY
    return Bulletin.objects.create(
        county=county,
        year=at.year,
        title=f"{last.year}年{last.month}月需求办理情况通报",
        since=last.replace(day=1),
        until=last,
        text="各责任单位要逐件认领，说明原因，定出办结日期；社区要跟到底，办结一件、核查一件。",
        state=state,
        by=_holder(county, "county_department"),
        created_at=at,
        **fields,
    )


def _items(bulletin: Bulletin, demands: list[Demand], at: datetime.datetime) -> list[BulletinItem]:
    clock, rows = clock_for(bulletin.county_id), []
    for number, demand in enumerate(demands):
        row = BulletinItem(
            bulletin=bulletin,
            demand=demand,
            community_id=demand.community_id,
            unit=bulletins.who_has(demand),
            late_days=bulletins.late_days(demand, at),
        )
        if bulletin.state == BulletinState.PUBLISHED:
            row.due_at = clock.workdays(at, clock.limits.bulletin_answer_workdays)
            if number == 0:
                row.state, row.answer, row.answered_at, row.due_at = (
                    BulletinItemState.ANSWERED,
                    _ANSWER,
                    at + 2 * DAY,
                    None,
                )
        rows.append(row)
    return rows


def _holder(county: County, post: str) -> User:
    return Appointment.objects.filter(county=county, post=post).select_related("user").order_by("pk")[0].user


def _officer(demand: Demand) -> User:
    posts = ("community_officer", "community_secretary")
    held = Appointment.objects.filter(node=demand.community_id, post__in=posts).select_related("user")
    return held.order_by("post", "pk")[0].user
