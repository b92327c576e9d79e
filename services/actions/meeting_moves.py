"""A joint meeting from its notice to its end. Source: docs/practice.md#checkin, docs/domain.md#g2.

Closing is where lists turn into claims: until then everything at the table can be taken back, now all of it takes effect
in one transaction (docs/decisions/0024).
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import notices
from core.actors import Actor
from core.errors import Invalid
from core.moving import advance
from core.text import clean_line
from grids.actions import hold_places
from services import meeting_notices, meeting_rules
from services.actions.meeting_outcomes import take_effect
from services.actions.meeting_rows import (
    AHEAD,
    ITEM_RELATED,
    PERSONAL,
    RELATED,
    carry_over,
    clean_words,
    know_meeting,
)
from services.actions.meeting_table import NewResolution, defer_item, resolve_item
from services.models import AgendaItem, ItemState, JointMeeting
from services.selectors.meetings import paired_leaders, place_of
from services.workflow.meetings import MEETING

# What becomes of an item nothing was resolved of: `DEFER`, or a resolution.
DEFER = "defer"
Fate = str | NewResolution


def publish_meeting(
    *, actor: Actor, meeting: JointMeeting, reason: str = "", version: int | None = None
) -> JointMeeting:
    """Sends the notice: to the liaisons of the units that are asked, and to the leaders paired with the place.

    Args:
        reason: why it is sent less than three days ahead (`meeting_rules.PUBLISH_AHEAD`).

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale: as every move. Invalid: no unit is asked, nothing is on the
            agenda, the time is past, or it is late and no reason is given.
    """
    reason = clean_line(reason, max_length=500, label=_("原因"), field="reason")

    def write(row: JointMeeting, _data: Any) -> None:
        now = timezone.now()
        if row.held_at <= now:
            raise Invalid(_("会议时间已经过去，请先修改时间。"))
        if not row.attendances.exists():
            raise Invalid(_("还没有参会单位，请先选择。"))
        if not row.items.exists():
            raise Invalid(_("议程还是空的，请先添加议题。"))
        if row.held_at - now < meeting_rules.PUBLISH_AHEAD and not reason:
            message = _("会议通知至少提前 %(days)d 天发；时间紧的，请写明原因。")
            message = message % {"days": meeting_rules.PUBLISH_AHEAD.days}
            raise Invalid(message, code="too_late", fields={"reason": message})
        row.reason, row.published_at = reason, now
        row.revision += 1

    with transaction.atomic():
        row = _advance(actor, meeting, "publish", version, write, {"reason": reason})
        units = row.attendances.values_list("unit_id", flat=True)
        told = meeting_notices.to_units("meeting_published", row, units, "0")
        if row.node is not None:
            leaders = {one.user_id for one in paired_leaders(row.node)}
            told += meeting_notices.to_leaders("meeting_published", row, leaders, "0")
        notices.post_many(told)
    return row


def start_meeting(*, actor: Actor, meeting: JointMeeting, version: int | None = None) -> JointMeeting:
    """Opens the table: from now on units claim. Raises NotFound, Forbidden, InvalidTransition, Stale."""

    def write(row: JointMeeting, _data: Any) -> None:
        row.revision += 1

    return _advance(actor, meeting, "start", version, write)


def cancel_meeting(*, actor: Actor, meeting: JointMeeting, reason: str, version: int | None = None) -> JointMeeting:
    """Calls a meeting off; its items wait for the next one. Raises as every move; Invalid without a reason."""
    reason = clean_line(reason, max_length=500, label=_("取消原因"), field="reason")

    def write(row: JointMeeting, _data: Any) -> None:
        row.reason, row.revision = reason, row.revision + 1

    with transaction.atomic():
        row = _advance(actor, meeting, "cancel", version, write, {"reason": reason})
        if row.published_at is not None:
            units = row.attendances.values_list("unit_id", flat=True)
            notices.post_many(meeting_notices.to_units("meeting_cancelled", row, units, "0"))
        _pass_on(row)
    return row


def lapse_meeting(*, actor: Actor, meeting: JointMeeting) -> JointMeeting:
    """What the sweeper does with a meeting nobody opened; its items wait for the next one."""

    def write(row: JointMeeting, _data: Any) -> None:
        row.reason = _("到时间一周没有召开，自动取消。")
        row.revision += 1

    with transaction.atomic():
        row = _advance(actor, meeting, "lapse", meeting.version, write)
        _pass_on(row)
    return row


def close_meeting(
    *,
    actor: Actor,
    meeting: JointMeeting,
    summary: str = "",
    fates: Mapping[int, Fate] | None = None,
    version: int | None = None,
) -> JointMeeting:
    """Ends a meeting. What was claimed and resolved takes effect, in one transaction, and those concerned are told.

    Args:
        summary: at most 2,000 characters.
        fates: item -> `DEFER` or what is resolved of it, for each item that has no resolution yet.

    Raises:
        NotFound, Forbidden, InvalidTransition, Stale: as every move. Invalid: an item has no fate (`item_<key>` names
            it), or a resolution is not complete. Conflict: a matter found somebody else outside the meeting; nothing
            was written, and the words say which.
    """
    fates = dict(fates or {})
    with transaction.atomic():
        seen = AgendaItem.objects.filter(meeting=meeting).select_related(*ITEM_RELATED)
        # The places first: closing hangs projects and commitments on them.
        places = {node.pk: node for node in (place_of(item) for item in seen) if node is not None}
        hold_places(*(places[pk] for pk in sorted(places)))
        know_meeting(actor, meeting)
        open_items = [item for item in seen if item.state in (ItemState.OPEN, ItemState.CLAIMED)]
        # The right and the state before anything is written, so that a refusal is about them.
        locked = JointMeeting.objects.select_related(*RELATED).get(pk=meeting.pk)
        MEETING.may(locked, "close", actor=actor, version=version)
        _settle(actor, open_items, fates)

        def write(row: JointMeeting, _data: Any) -> None:
            row.summary = clean_words(summary, _("会议小结"), "summary", 2000)
            row.closed_at = timezone.now()
            row.revision += 1

        row = _advance(actor, meeting, "close", None, write)
        made = take_effect(actor, row)
        notices.post_many(meeting_notices.given(made))
        _pass_on(row)
    return row


def _settle(actor: Actor, items: list[AgendaItem], fates: Mapping[int, Fate]) -> None:
    """Carries out what was said of each item that had no resolution."""
    asked = {
        f"item_{item.pk}": _("请说明“%(title)s”怎么办：列入下次会议，或形成决议。") % {"title": item.title}
        for item in items
        if item.pk not in fates
    }
    if asked:
        raise Invalid(" ".join(asked.values()), code="items_open", fields=asked)
    for item in items:
        fate = fates[item.pk]
        if isinstance(fate, NewResolution):
            try:
                resolve_item(actor=actor, item=item, resolution=fate)
            except Invalid as error:
                # Under the item's own inputs, for the form that asks about several at once.
                fields = {f"item_{item.pk}_{name}": words for name, words in error.fields.items()}
                raise Invalid(f"{item.title}：{error.message}", code=error.code, fields=fields) from error
        else:
            defer_item(actor=actor, item=item)


def _pass_on(meeting: JointMeeting) -> None:
    """What was put off goes onto the agenda of the place's next meeting, when that stands already."""
    following = JointMeeting.objects.filter(county=meeting.county_id, node=meeting.node_id, state__in=AHEAD)
    after = following.exclude(pk=meeting.pk).order_by("held_at").first()
    if after is not None:
        carry_over(JointMeeting.objects.select_for_update().get(pk=after.pk))


def _advance(
    actor: Actor,
    meeting: JointMeeting,
    name: str,
    version: int | None,
    effect: Any,
    data: Mapping[str, Any] | None = None,
) -> JointMeeting:
    return advance(
        MEETING,
        meeting,
        name,
        actor=actor,
        data=data,
        version=version,
        effect=effect,
        related=RELATED,
        label=meeting.title,
        personal=PERSONAL,
    )
