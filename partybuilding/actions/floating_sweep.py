"""What happens to floating members by itself: who is to be contacted is brought to mind, who left long ago is forgotten.

Notices name nobody: they count, and lead to the list. Each is keyed on the station and the month.
"""

import datetime
from collections import Counter

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.models import OutboxMessage
from core.notices import Message
from partybuilding.actions.floating import erase_left
from partybuilding.floating_rules import CONTACT_DAYS
from partybuilding.models import FloatingMember, Station
from partybuilding.posts import MANAGE_FLOATING
from partybuilding.selectors.floating import to_contact

DUE = "floating_due"
LIST = "/admin/partybuilding/floatingmember/?touch=due"


def remind_of_contacts(day: datetime.date | None = None) -> int:
    """Tells a station's community and its keeper, once a month, how many wait to be contacted. Returns how many notices."""
    day = day or timezone.localdate()
    counts = Counter(to_contact(FloatingMember.objects.all(), day).order_by().values_list("station", flat=True))
    messages = []
    for station in Station.objects.filter(pk__in=list(counts)).select_related("node").order_by("pk"):
        audience: dict[str, object] = {"post": {"right": MANAGE_FLOATING, "node": station.node.community_id}}
        if station.keeper_id is not None:
            audience["user"] = station.keeper_id
        words = {"name": station.name, "count": counts[station.pk], "days": CONTACT_DAYS}
        title = _("“%(name)s”有 %(count)d 名流动党员超过 %(days)d 天没有联系") % words
        key = f"{DUE}:{station.pk}:{day:%Y-%m}"
        messages.append(Message(DUE, title, audience, key, _("请打个电话或上门看看，联系后记下来。"), LIST))
    keys = [message.key for message in messages]
    known = set(OutboxMessage.objects.filter(kind=DUE, key__in=keys).order_by().values_list("key", flat=True))
    fresh = [message for message in messages if message.key not in known]
    notices.post_many(fresh)
    return len(fresh)


def forget_left(day: datetime.date | None = None) -> int:
    """Erases who left long ago. Returns how many."""
    day = day or timezone.localdate()
    total = 0
    while count := erase_left(day):
        total += count
    return total


def register() -> None:
    """Names the notice; called once from `apps.py`."""
    notices.register_group("party", gettext_lazy("党组织"), kinds=("floating_", "seat_"))
    notices.register_kind(DUE, gettext_lazy("流动党员待联系"))
