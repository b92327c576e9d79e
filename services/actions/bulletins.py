"""The county's bulletin is drafted, published and withdrawn. Source: docs/domain.md#z8."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices, policies
from core.actors import Actor, kind_of, user_of
from core.audit import Deed
from core.errors import Invalid, NotFound
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.models import User
from core.moving import advance
from core.text import clean_line, clean_text
from grids.models import County
from services import posts, rate_notices
from services.clocks import clock_for
from services.models import Bulletin, BulletinItem, Demand, DemandEvent
from services.selectors import bulletins as selectors
from services.workflow import BULLETIN

MOST_ITEMS = 500


def draft_bulletin(
    *, actor: User, county: County, since: datetime.date, until: datetime.date, title: str, text: str = ""
) -> Bulletin:
    """Begins a bulletin; what has stood long enough on the ladder is put into it.

    Args:
        since, until: first and last day of registration the rates speak of.
        title: at most 80 characters. text: what is asked of everybody, at most 2,000; both name no persons.

    Raises:
        NotFound, Forbidden: no `bulletin.publish` in the county. Invalid: dates or words are not usable.
    """
    row = Bulletin(county=county, year=timezone.localdate().year, by=actor, **_words(since, until, title, text))
    policies.require(actor, posts.PUBLISH_BULLETIN, row)
    with transaction.atomic():
        # Two drafts at once must not both name the same matter.
        County.objects.select_for_update(of=("self",), no_key=True).get(pk=county.pk)
        row.save(force_insert=True)
        audit.record(actor=actor, action="bulletin.draft", obj=row, label=row.title, new=True)
        _name(actor, row, list(selectors.proposed(county.pk).select_related("lead_unit")[:MOST_ITEMS]))
    return row


def change_bulletin(
    *,
    actor: Actor,
    bulletin: Bulletin,
    since: datetime.date,
    until: datetime.date,
    title: str,
    text: str = "",
    version: int | None = None,
) -> Bulletin:
    """Corrects a draft. Raises as `draft_bulletin`; Conflict: it is no draft. Stale: the page is old."""
    values = _words(since, until, title, text)

    def effect(row: Bulletin, data: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(row, name, value)

    return advance(BULLETIN, bulletin, "change", actor=actor, version=version, effect=effect, label=bulletin.title)


def add_item(*, actor: Actor, bulletin: Bulletin, demand: str, version: int | None = None) -> Bulletin:
    """Names one more matter in a draft.

    Args:
        demand: its code.

    Raises:
        NotFound, Forbidden, Stale. Conflict: no draft. Invalid: no such matter of the county, not late, or named already.
    """
    code = clean_line(demand, max_length=20, label=_("需求编号"), field="demand", required=True)

    def effect(row: Bulletin, data: Mapping[str, Any]) -> None:
        found = selectors.to_name(row.county_id, timezone.now()).select_related("lead_unit").filter(code=code).first()
        if found is None:
            text = _("没有找到这条需求，或者它没有超期、已经列入通报。请核对编号。")
            raise Invalid(text, fields={"demand": text})
        _name(actor, row, [found])

    with transaction.atomic():
        County.objects.select_for_update(of=("self",), no_key=True).get(pk=bulletin.county_id)
        return advance(
            BULLETIN,
            bulletin,
            "add",
            actor=actor,
            data={"demand": code},
            version=version,
            effect=effect,
            label=bulletin.title,
        )


def take_out(
    *, actor: Actor, bulletin: Bulletin, item: BulletinItem, reason: str, version: int | None = None
) -> Bulletin:
    """Takes a matter out of a draft, for a reason that the trail keeps. Raises as `add_item`."""
    words = clean_line(reason, max_length=300, label=_("移出理由"), field="reason", required=True)

    def effect(row: Bulletin, data: Mapping[str, Any]) -> None:
        found = row.items.select_related("demand").filter(pk=item.pk).first()
        if found is None:
            raise NotFound(_("这件事项不在这期通报里。"))
        found.delete()

    return advance(
        BULLETIN,
        bulletin,
        "take_out",
        actor=actor,
        data={"item": item.demand.code, "reason": f"{item.demand.code} {words}"},
        version=version,
        effect=effect,
        label=bulletin.title,
    )


def publish_bulletin(*, actor: Actor, bulletin: Bulletin, version: int | None = None) -> Bulletin:
    """Gives the bulletin the year's next number, freezes what it says, and tells everybody who is named.

    What was finished since it was put in is taken out.

    Raises:
        NotFound, Forbidden, Stale. Conflict: published or withdrawn already (a second click as well).
    """
    now = timezone.now()

    def effect(row: Bulletin, data: Mapping[str, Any]) -> None:
        row.year, row.published_at = timezone.localdate(now).year, now
        last = Bulletin.objects.filter(county=row.county_id, year=row.year).aggregate(last=Max("number"))["last"]
        row.number = (last or 0) + 1
        items = _freeze_items(row, now)
        row.figures = selectors.figures(row, now)
        _write_down(actor, row, items, now)
        notices.post_many(rate_notices.of_bulletin("item", row, items))

    with transaction.atomic():
        # One number at a time.
        County.objects.select_for_update(of=("self",), no_key=True).get(pk=bulletin.county_id)
        return advance(BULLETIN, bulletin, "publish", actor=actor, version=version, effect=effect, label=bulletin.title)


def withdraw_bulletin(*, actor: Actor, bulletin: Bulletin, reason: str, version: int | None = None) -> Bulletin:
    """Takes a bulletin back, a draft or a published one; its number is not given again. Raises as `publish_bulletin`."""
    words = clean_line(reason, max_length=300, label=_("撤回理由"), field="reason", required=True)

    def effect(row: Bulletin, data: Mapping[str, Any]) -> None:
        if row.published_at is not None:
            items = list(row.items.select_related("unit", "community"))
            notices.post_many(rate_notices.of_bulletin("withdraw", row, items))

    return advance(
        BULLETIN,
        bulletin,
        "withdraw",
        actor=actor,
        data={"reason": words},
        version=version,
        effect=effect,
        label=bulletin.title,
    )


def _name(actor: Actor, bulletin: Bulletin, demands: list[Demand]) -> None:
    now = timezone.now()
    rows = [
        BulletinItem(
            bulletin=bulletin,
            demand=demand,
            community_id=demand.community_id,
            unit=selectors.who_has(demand),
            late_days=selectors.late_days(demand, now),
        )
        for demand in demands
    ]
    BulletinItem.objects.bulk_create(rows, batch_size=MOST_ITEMS)
    deeds = [Deed(row, {"bulletin_id": (None, bulletin.pk)}, label=row.demand.code) for row in rows]
    audit.record_many(actor=actor, action="bulletin_item.name", deeds=deeds, new=True)


def _freeze_items(bulletin: Bulletin, now: datetime.datetime) -> list[BulletinItem]:
    """The items as they stand now; what is not late any more goes out."""
    found = bulletin.items.select_related("demand__lead_unit", "demand__category", "community", "unit").order_by("pk")
    late = set(Demand.objects.late(now).filter(bulletin_items__bulletin=bulletin).values_list("pk", flat=True))
    items = [row for row in found if row.demand_id in late]
    done = [row for row in found if row.demand_id not in late]
    deeds = [Deed(row, {}, label=row.demand.code, reason=_("印发前已经办结")) for row in done]
    audit.record_many(actor=bulletin.by, action="bulletin_item.drop", deeds=deeds)
    BulletinItem.objects.filter(pk__in=[row.pk for row in done]).delete()
    clock = clock_for(bulletin.county_id)
    due = clock.workdays(now, clock.limits.bulletin_answer_workdays)
    for row in items:
        row.unit, row.community_id = selectors.who_has(row.demand), row.demand.community_id
        row.late_days, row.due_at = selectors.late_days(row.demand, now), due
    BulletinItem.objects.bulk_update(items, ["unit", "community", "late_days", "due_at"], batch_size=MOST_ITEMS)
    return items


def _write_down(actor: Actor, bulletin: Bulletin, items: list[BulletinItem], now: datetime.datetime) -> None:
    title = _("列入%(number)s通报") % {"number": selectors.number_words(bulletin)}
    DemandEvent.objects.bulk_create(
        DemandEvent(
            demand_id=row.demand_id,
            name="bulletin",
            title=title,
            at=now,
            actor=user_of(actor),
            actor_kind=kind_of(actor),
            tallied=True,
        )
        for row in items
    )


def _words(since: datetime.date, until: datetime.date, title: str, text: str) -> dict[str, Any]:
    if until < since:
        message = _("截止日期不能早于起始日期。")
        raise Invalid(message, fields={"until": message})
    if since > timezone.localdate():
        message = _("起始日期不能在今天以后。")
        raise Invalid(message, fields={"since": message})
    named = clean_line(title, max_length=80, label=_("标题"), field="title", required=True)
    said = clean_text(text, max_length=2000, label=_("工作要求"), field="text")
    return {
        "since": since,
        "until": until,
        "title": named,
        "text": scrub_identity_numbers(scrub_phone_numbers(said)),
    }
