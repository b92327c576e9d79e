"""Terms on joint bodies that end within a month are brought to mind once (docs/domain.md#g4)."""

import datetime
from itertools import groupby

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.models import OutboxMessage
from core.notices import Message
from core.periods import date_words
from partybuilding.alliance_rules import ENDING_DAYS
from partybuilding.models import AllianceSeat
from partybuilding.posts import MANAGE_ALLIANCE

ENDING = "seat_ending"


def remind_of_terms(day: datetime.date | None = None) -> int:
    """Tells whoever keeps a joint body which day its terms end on, once a day of ending. Returns how many notices."""
    day = day or timezone.localdate()
    seats = AllianceSeat.objects.filter(
        end__gte=day, end__lte=day + datetime.timedelta(days=ENDING_DAYS), alliance__is_active=True
    )
    rows = seats.select_related("alliance").order_by("alliance_id", "end", "pk")
    messages = []
    for (alliance, end), held in groupby(rows, key=lambda seat: (seat.alliance, seat.end)):
        assert end is not None
        words = {"name": alliance.name, "count": len(list(held)), "end": date_words(end)}
        messages.append(
            Message(
                ENDING,
                _("“%(name)s”有 %(count)d 个席位的任期到%(end)s为止") % words,
                audience={"post": {"right": MANAGE_ALLIANCE, "node": alliance.node_id}},
                key=f"{ENDING}:{alliance.pk}:{end.isoformat()}",
                body=_("请安排换届、轮值交接，或把任期改到新的日期。"),
                link=f"/admin/partybuilding/alliance/{alliance.pk}/change/",
            )
        )
    keys = [message.key for message in messages]
    known = set(OutboxMessage.objects.filter(kind=ENDING, key__in=keys).order_by().values_list("key", flat=True))
    fresh = [message for message in messages if message.key not in known]
    notices.post_many(fresh)
    return len(fresh)


def register() -> None:
    """Names the notice; called once from `apps.py`."""
    notices.register_kind(ENDING, gettext_lazy("联盟任期将到期"))
