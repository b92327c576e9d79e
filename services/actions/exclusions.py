"""A demand is left out of rates, and counted again. Source: docs/practice.md#rates (exclusions approved and logged).

Every decision writes down what it did to the community's rates, counted by the one definition; the tallies follow the
event it leaves on the demand's timeline.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices, policies
from core.actors import Actor, kind_of, user_of
from core.errors import Conflict, Invalid
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.models import User
from core.moving import advance
from core.periods import Month
from core.text import clean_text
from services import posts, rate_notices
from services.actions import tallies
from services.clocks import clock_for
from services.models import Demand, DemandEvent, ExclusionState, RateExclusion
from services.selectors.rates import MEASURES, RATES, Rate, rates_of
from services.workflow import EXCLUSION

_RELATED = ("demand__node", "demand__community", "by")


def request_exclusion(*, actor: User, demand: Demand, rates: Collection[str], reason: str) -> RateExclusion:
    """Asks the county to leave a demand out of some rates. Until that is decided, it counts.

    Args:
        rates: names of `services.selectors.rates.RATES`, at least one.
        reason: at most 500 characters; telephone and identity numbers are taken out.

    Raises:
        NotFound, Forbidden: no `exclusion.request` on the demand. Invalid: no rate, no reason, or left out already.
        Conflict: another request of the demand waits.
    """
    policies.require(actor, posts.REQUEST_EXCLUSION, demand)
    words = _words(reason, _("剔除理由"), "reason", 500)
    strange = set(rates) - RATES.keys()
    if strange or not rates:
        text = _("请至少选择一项率。")
        raise Invalid(text, fields={"rates": text})
    try:
        with transaction.atomic():
            locked = _lock(demand.pk)
            out = [str(one.label) for one in MEASURES if one.name in rates and getattr(locked, one.skip)]
            if out:
                text = _("这条需求已经不计%(rates)s。") % {"rates": "、".join(out)}
                raise Invalid(text, code="excluded", fields={"rates": text})
            if locked.exclusions.filter(state=ExclusionState.REQUESTED).exists():
                raise _waiting()
            now = timezone.now()
            clock = clock_for(locked.county_id)
            row = RateExclusion.objects.create(
                demand=locked,
                reason=words,
                by=actor,
                at=now,
                due_at=clock.workdays(now, clock.limits.exclusion_workdays),
                **{name: name in rates for name in RATES},
            )
            _write_down(actor, row, "exclude_request", _("申请剔除统计"), words)
            audit.record(
                actor=actor,
                action="exclusion.request",
                obj=row,
                label=locked.code,
                changes=dict.fromkeys(row.rates, (False, True)),
                new=True,
            )
            notices.post_many([rate_notices.of_exclusion("request", row)])
    except IntegrityError as error:
        raise _waiting() from error
    return row


def approve_exclusion(
    *, actor: Actor, exclusion: RateExclusion, note: str, version: int | None = None
) -> RateExclusion:
    """The county leaves the demand out of the rates it was asked for.

    Raises:
        NotFound, Forbidden: no `exclusion.decide` there. Invalid: no opinion. Stale: the page is old.
        Conflict: it is decided already (a second click as well), or the actor asked for it.
    """
    words = _words(note, _("审核意见"), "note", 500)

    def effect(row: RateExclusion, data: Mapping[str, Any]) -> None:
        _decide(row, actor, words)
        _leave_out(row, "approve")
        _write_down(actor, row, "exclude", _("同意剔除统计"), words)
        notices.post_many([rate_notices.of_exclusion("approve", row)])

    return _move(exclusion, "approve", actor, {"note": words}, version, effect)


def reject_exclusion(*, actor: Actor, exclusion: RateExclusion, note: str, version: int | None = None) -> RateExclusion:
    """The county does not; the demand goes on counting. Raises as `approve_exclusion`."""
    words = _words(note, _("审核意见"), "note", 500)

    def effect(row: RateExclusion, data: Mapping[str, Any]) -> None:
        _decide(row, actor, words)
        _write_down(actor, row, "exclude_reject", _("不同意剔除统计"), words)
        notices.post_many([rate_notices.of_exclusion("reject", row)])

    return _move(exclusion, "reject", actor, {"note": words}, version, effect)


def withdraw_exclusion(*, actor: Actor, exclusion: RateExclusion, version: int | None = None) -> RateExclusion:
    """Who asked takes the question back. Raises as `approve_exclusion`."""

    def effect(row: RateExclusion, data: Mapping[str, Any]) -> None:
        _write_down(actor, row, "exclude_withdraw", _("撤回剔除申请"), "")

    return _move(exclusion, "withdraw", actor, {}, version, effect)


def reverse_exclusion(
    *, actor: Actor, exclusion: RateExclusion, reason: str, version: int | None = None
) -> RateExclusion:
    """The county lets the demand count again. Raises as `approve_exclusion`."""
    words = _words(reason, _("恢复理由"), "reason", 500)

    def effect(row: RateExclusion, data: Mapping[str, Any]) -> None:
        row.reversed_by, row.reversed_at, row.reversal = user_of(actor), timezone.now(), words
        _leave_out(row, "reverse")
        _write_down(actor, row, "exclude_reverse", _("恢复统计"), words)
        notices.post_many([rate_notices.of_exclusion("reverse", row)])

    return _move(exclusion, "reverse", actor, {"reason": words}, version, effect)


def _move(
    exclusion: RateExclusion, name: str, actor: Actor, data: dict[str, Any], version: int | None, effect: Any
) -> RateExclusion:
    with transaction.atomic():
        # The demand first, as everybody who moves it does.
        _lock(exclusion.demand_id)
        return advance(
            EXCLUSION,
            exclusion,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=_RELATED,
            label=exclusion.demand.code,
        )


def _lock(pk: int) -> Demand:
    return Demand.objects.select_for_update(of=("self",)).select_related("node", "community").get(pk=pk)


def _decide(row: RateExclusion, actor: Actor, note: str) -> None:
    row.decided_by, row.decided_at, row.note = user_of(actor), timezone.now(), note


def _leave_out(row: RateExclusion, name: str) -> None:
    """Sets the demand's marks as all its exclusions in force together say, and writes down what that did."""
    demand = row.demand
    before = community_rates(demand)
    others = demand.exclusions.filter(state=ExclusionState.APPROVED).exclude(pk=row.pk)
    kept = {rate for other in others for rate in other.rates}
    if row.state == ExclusionState.APPROVED:
        kept |= set(row.rates)
    marks = {one.skip: one.name in kept for one in MEASURES}
    Demand.objects.filter(pk=demand.pk).update(**marks)
    for mark, value in marks.items():
        setattr(demand, mark, value)
    after = community_rates(demand)
    row.figures = {**row.figures, name: {rate: [_three(before[rate]), _three(after[rate])] for rate in row.rates}}


def community_rates(demand: Demand) -> dict[str, Rate]:
    """The rates of the demand's community in its month of registration, counted from the rows."""
    month = Month.of(timezone.localtime(demand.registered_at))
    found: Counter[str] = Counter(dict.fromkeys(tallies.COUNTED, 0))
    where = Q(community_id=demand.community_id, registered_at__gte=month.start, registered_at__lt=month.end)
    for counts in tallies.count(where).values():
        found.update(counts)
    return rates_of(found)


def _three(rate: Rate) -> list[int]:
    return [rate.numerator, rate.denominator, rate.excluded]


def _write_down(actor: Actor, row: RateExclusion, name: str, title: str, text: str) -> None:
    labels = "、".join(str(RATES[rate].label) for rate in row.rates)
    DemandEvent.objects.create(
        demand=row.demand,
        name=name,
        title=f"{title}{_('：')}{labels}",
        text=text,
        actor=user_of(actor),
        actor_kind=kind_of(actor),
    )


def _words(text: str, label: str, field: str, length: int) -> str:
    words = clean_text(text, max_length=length, label=label, field=field, required=True)
    return scrub_identity_numbers(scrub_phone_numbers(words))


def _waiting() -> Conflict:
    return Conflict(_("这条需求已有一件剔除申请在等待审核。"), code="exclusion_waits")
