"""What a bulletin names is answered by whoever is named, sent back, settled. Source: docs/domain.md#z8."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import SYSTEM, Actor, kind_of, user_of
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.moving import advance
from core.text import clean_line, clean_text
from services import rate_notices
from services.clocks import clock_for
from services.models import BulletinItem, Demand, DemandEvent
from services.selectors.bulletins import number_words
from services.workflow import BULLETIN_ITEM

_RELATED = ("bulletin", "demand__node", "demand__community", "community", "unit")


def answer_item(*, actor: Actor, item: BulletinItem, text: str, version: int | None = None) -> BulletinItem:
    """Whoever is named says what was done about it.

    Args:
        text: at most 1,000 characters; telephone and identity numbers are taken out.

    Raises:
        NotFound, Forbidden, Stale. Conflict: settled already, not published, or somebody else is named. Invalid: no words.
    """
    words = clean_text(text, max_length=1000, label=_("整改情况"), field="text", required=True)
    words = scrub_identity_numbers(scrub_phone_numbers(words))

    def effect(row: BulletinItem, data: Mapping[str, Any]) -> None:
        row.answer, row.answered_by, row.answered_at = words, user_of(actor), timezone.now()
        row.due_at = None
        _write_down(actor, row, "bulletin_answer", _("答复%(number)s通报"), words)
        notices.post_many([rate_notices.of_item("answer", row)])

    return _move(item, "answer", actor, {"text": words}, version, effect)


def send_back_item(*, actor: Actor, item: BulletinItem, reason: str, version: int | None = None) -> BulletinItem:
    """The county asks for a better answer. Raises as `answer_item`."""
    words = clean_line(reason, max_length=500, label=_("退回理由"), field="reason", required=True)

    def effect(row: BulletinItem, data: Mapping[str, Any]) -> None:
        clock = clock_for(row.bulletin.county_id)
        row.note = words
        row.due_at = clock.workdays(timezone.now(), clock.limits.bulletin_answer_workdays)
        _write_down(actor, row, "bulletin_send_back", _("退回%(number)s通报的答复"), words)
        notices.post_many([rate_notices.of_item("send_back", row)])

    return _move(item, "send_back", actor, {"reason": words}, version, effect)


def settle_item(*, actor: Actor, item: BulletinItem, note: str, version: int | None = None) -> BulletinItem:
    """The county holds the matter to be put right; the system does when it has ended. Raises as `answer_item`."""
    words = clean_line(note, max_length=500, label=_("销项意见"), field="note", required=True)

    def effect(row: BulletinItem, data: Mapping[str, Any]) -> None:
        row.note, row.settled_at, row.due_at = words, timezone.now(), None
        _write_down(actor, row, "bulletin_settle", _("%(number)s通报事项销项"), words)
        notices.post_many([rate_notices.of_item("settle", row)])

    return _move(item, "settle", actor, {"note": words}, version, effect)


def _move(item: BulletinItem, name: str, actor: Actor, data: dict[str, Any], version: int | None, effect: Any) -> Any:
    with transaction.atomic():
        Demand.objects.select_for_update().get(pk=item.demand_id)
        return advance(
            BULLETIN_ITEM,
            item,
            name,
            actor=actor,
            data=data,
            version=version,
            effect=effect,
            related=_RELATED,
            label=item.demand.code,
        )


def _write_down(actor: Actor, row: BulletinItem, name: str, title: str, text: str) -> None:
    DemandEvent.objects.create(
        demand=row.demand,
        name=name,
        title=title % {"number": number_words(row.bulletin)},
        text=text,
        actor=user_of(actor),
        actor_kind=kind_of(actor),
        tallied=True,
    )


def settle_ended(limit: int = 500) -> int:
    """Settles what has ended since it was named: nobody needs to answer for it any more. Returns how many."""
    ended = BulletinItem.objects.waiting().filter(demand__state__in=["closed_off", "withdrawn", "linked", "declined"])
    settled = 0
    for item in ended.select_related(*_RELATED).order_by("pk")[:limit]:
        settle_item(
            actor=SYSTEM, item=item, note=_("系统销项：需求%(state)s") % {"state": item.demand.get_state_display()}
        )
        settled += 1
    return settled
