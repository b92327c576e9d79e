"""The quarterly card (季度服务卡): what a community confirmed of each member in a quarter, sent back to the members' units.

A quarter is sent as a whole and as often as one likes: a card that says the same already is left alone, one that says
something else because a service was confirmed late is corrected and comes to the unit again. No order of merit.
"""

import datetime
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Count, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit, notices, policies
from core.actors import Actor, user_of
from core.errors import Forbidden, Invalid
from core.notices import Message
from core.periods import Quarter
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH
from grids.models import GridNode
from grids.naming import COMMUNITY
from partybuilding.models import Unit
from partybuilding.policies import UnitScope
from services import posts
from services.models import MemberCard, ServiceRecord, ServiceState


@dataclass(frozen=True)
class Sent:
    """What a sending did: cards made, corrected, left alone; members who have no unit to send a card to."""

    made: int
    corrected: int
    same: int
    without_unit: int

    @property
    def words(self) -> str:
        text = _("已反馈 %(made)d 张服务卡") % {"made": self.made}
        if self.corrected:
            text += _("，更正 %(count)d 张") % {"count": self.corrected}
        if self.same:
            text += _("，%(count)d 张没有变化") % {"count": self.same}
        if self.without_unit:
            text += _("；%(count)d 名党员没有登记所在单位，没有反馈") % {"count": self.without_unit}
        return text + _("。")


def last_quarter(today: datetime.date | None = None) -> Quarter:
    """The one that ended last."""
    return Quarter.of(today or timezone.localdate()).previous()


@transaction.atomic
def send_cards(*, actor: Actor, community: GridNode, quarter: Quarter) -> Sent:
    """Sends a community's cards of a quarter to the members' units, in a few statements.

    Raises:
        NotFound, Forbidden: no `member_checkin.manage` there. Invalid: the place is no community, or the quarter has
            not begun.
    """
    hold_places(community)
    # Of two who send at once the second one finds the first one's cards.
    rows = GridNode.objects.select_for_update(no_key=True, of=("self",)).select_related("level_type", "county")
    place = rows.get(pk=community.pk)
    require(actor, posts.MANAGE_MEMBER_CHECKIN, place)
    _check(place, quarter)
    served, without_unit = _served(place, quarter)
    standing = {row.member_id: row for row in MemberCard.objects.filter(community=place, quarter=quarter.first_day)}
    now, user = timezone.now(), user_of(actor)
    made, corrected = [], []
    for member_id, (unit_id, services, hours) in sorted(served.items()):
        card = standing.get(member_id)
        if card is None:
            card = MemberCard(member_id=member_id, unit_id=unit_id, community=place, quarter=quarter.first_day)
            made.append(card)
        elif (card.services, card.hours) != (services, hours):
            card.version += 1
            corrected.append(card)
        else:
            continue
        card.services, card.hours, card.sent_at, card.sent_by, card.read_at = services, hours, now, user, None
    MemberCard.objects.bulk_create(made, batch_size=BATCH)
    fields = ["services", "hours", "sent_at", "sent_by", "read_at", "version"]
    MemberCard.objects.bulk_update(corrected, fields, batch_size=BATCH)
    _tell(actor, place, quarter, made, corrected)
    return Sent(len(made), len(corrected), len(served) - len(made) - len(corrected), without_unit)


@transaction.atomic
def receive_cards(*, actor: Actor, unit: Unit, quarter: Quarter) -> int:
    """A unit's liaison marks the cards of a quarter as received. Returns how many were not yet.

    Raises `Forbidden` for whoever does not act for the unit.
    """
    if UnitScope(unit.pk) not in policies.scopes(actor, posts.VIEW_CARD):
        raise Forbidden(_("由单位联络员查收。"))
    rows = MemberCard.objects.select_for_update(of=("self",)).select_related("unit", "community")
    unread = list(rows.filter(unit=unit, quarter=quarter.first_day, read_at=None).order_by("pk"))
    now = timezone.now()
    for card in unread:
        card.read_at, card.version = now, card.version + 1
    MemberCard.objects.bulk_update(unread, ["read_at", "version"], batch_size=BATCH)
    deeds = [audit.Deed(card, {"read_at": (None, now)}, label=label_of(card)) for card in unread]
    audit.record_many(actor=actor, action="card.receive", deeds=deeds)
    return len(unread)


def label_of(card: MemberCard) -> str:
    """Community and quarter; not the member."""
    return f"{card.community} {Quarter.of(card.quarter)}"


def _check(place: GridNode, quarter: Quarter) -> None:
    message = ""
    if place.level_key != COMMUNITY:
        message = _("服务卡由社区反馈，请选择社区。")
        raise Invalid(message, fields={"community": message})
    # One that runs may be sent as it stands: whatever is confirmed later corrects it.
    if quarter.first_day > timezone.localdate():
        message = _("%(quarter)s还没有开始。") % {"quarter": quarter.label}
        raise Invalid(message, fields={"quarter": message})


def _served(place: GridNode, quarter: Quarter) -> tuple[dict[int, tuple[int, int, Decimal]], int]:
    """Member key -> unit, services and hours confirmed in the quarter; and how many members have no unit."""
    rows = ServiceRecord.objects.filter(
        checkin__community=place,
        state=ServiceState.CONFIRMED,
        served_on__gte=quarter.first_day,
        served_on__lte=quarter.last_day,
    )
    found: dict[int, tuple[int, int, Decimal]] = {}
    homeless = 0
    summed = rows.order_by().values_list("checkin__member", "checkin__member__unit")
    for member_id, unit_id, services, hours in summed.annotate(Count("pk"), Sum("hours")):
        if unit_id is None:
            homeless += 1
        else:
            found[member_id] = (unit_id, services, hours)
    return found, homeless


def _tell(actor: Actor, place: GridNode, quarter: Quarter, made: list[MemberCard], corrected: list[MemberCard]) -> None:
    for some, action in ((made, "card.send"), (corrected, "card.correct")):
        deeds = [audit.Deed(card, _facts(card), label=f"{place} {quarter}") for card in some]
        audit.record_many(actor=actor, action=action, deeds=deeds, new=some is made)
    units = Counter(card.unit_id for card in (*made, *corrected))
    stamp = timezone.now().isoformat(timespec="seconds")
    notices.post_many(
        Message(
            kind="member_cards_sent",
            title=_("%(quarter)s党员服务卡：%(count)d 人") % {"quarter": quarter.label, "count": count},
            body=_("%(place)s反馈，请查收。") % {"place": place.name},
            link=f"/m/cards/{unit_id}/{quarter.code}/",
            audience={"unit": {"unit": unit_id, "role": "liaison"}},
            key=f"card:{place.pk}:{quarter.code}:{unit_id}:{stamp}",
        )
        for unit_id, count in sorted(units.items())
    )


def _facts(card: MemberCard) -> dict[str, tuple[Any, Any]]:
    return {name: (None, getattr(card, name)) for name in ("member_id", "unit_id", "quarter", "services", "hours")}
