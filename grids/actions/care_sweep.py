"""What the care ledger does by itself, every hour: remind, and erase what nobody confirms any more.

Notices name no household and no door: they count, and lead to the worklist. Each is keyed on who, what and the period,
so that a beat that runs twice writes none twice.
"""

import datetime
from collections import defaultdict
from collections.abc import Callable, Iterable

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.models import OutboxMessage
from core.notices import Message
from core.periods import Quarter, date_words
from grids.actions.care_erase import erase_overdue
from grids.care import CareState, waiting_for
from grids.models import CareHousehold, GridNode
from grids.naming import COMMUNITY
from grids.posts import MANAGE_CARE, POSTS
from grids.querysets import CARE_GRACE_DAYS

EXPIRING, EXPIRED, ERASED, ROUND = "care_expiring", "care_expired", "care_erased", "care_round"
WORKLIST = "/m/care/"


def sweep_care(day: datetime.date | None = None) -> dict[str, int]:
    """Goes round the whole ledger once. Returns how many notices were written and how many entries were erased."""
    day = day or timezone.localdate()
    week = f"{day.isocalendar().year}W{day.isocalendar().week:02d}"
    quarter = Quarter.of(day)
    told = _tell(
        EXPIRED,
        waiting_for(CareState.EXPIRED, day),
        period=week,
        words=lambda count: _("关爱台账有%(count)d户登记已到期，请上门核实") % {"count": count},
        body=_("到期%(days)d天仍没有核实的，系统会自动删除。") % {"days": CARE_GRACE_DAYS},
    )
    told += _tell(
        EXPIRING,
        waiting_for(CareState.EXPIRING, day),
        period=f"{day:%Y-%m}",
        words=lambda count: _("关爱台账有%(count)d户登记将到期，请上门核实") % {"count": count},
    )
    told += _tell(
        ROUND,
        waiting_for(CareState.TO_CONFIRM, day),
        period=quarter.code,
        words=lambda count: _("%(quarter)s关爱台账有%(count)d户待核实") % {"quarter": quarter.label, "count": count},
        body=_("本季度内上门走访一次，核实需要有没有变化。"),
    )
    return {"told": told, "erased": _erase(day)}


def _erase(day: datetime.date) -> int:
    count = 0
    while found := erase_overdue(day):
        count += len(found)
        notices.post_many(
            _messages(
                ERASED,
                _by_place((one.node, one.community_id) for one in found),
                f"{date_words(day)}.{found[0].pk}",
                lambda number: _("关爱台账有%(count)d户到期没有核实，已自动删除") % {"count": number},
                "",
            )
        )
    return count


def _tell(kind: str, wanted: Q, *, period: str, words: Callable[[int], str], body: str = "") -> int:
    rows = CareHousehold.objects.kept().filter(wanted).order_by().select_related("node")
    counts = _by_place((one.node, one.community_id) for one in rows.iterator(chunk_size=2000))
    messages = _messages(kind, counts, period, words, body)
    known = set(
        OutboxMessage.objects.filter(kind=kind, key__endswith=f":{period}").order_by().values_list("key", flat=True)
    )
    fresh = [message for message in messages if message.key not in known]
    notices.post_many(fresh)
    return len(fresh)


def _messages(kind: str, counts: dict[int, int], period: str, words: Callable[[int], str], body: str) -> list[Message]:
    return [
        Message(
            kind,
            words(count),
            audience={"post": {"right": MANAGE_CARE, "node": node_id}},
            key=f"{kind}:{node_id}:{period}",
            body=body,
            link=WORKLIST,
        )
        for node_id, count in sorted(counts.items())
    ]


def _by_place(rows: Iterable[tuple[GridNode, int]]) -> dict[int, int]:
    """Households by the places whose people look after them: the community, and the keepers' own places within."""
    found: dict[int, int] = defaultdict(int)
    inside: dict[int, list[GridNode]] = defaultdict(list)
    for node, community_id in rows:
        found[community_id] += 1
        inside[community_id].append(node)
    levels = {level for post in POSTS.values() if MANAGE_CARE in post.rights for level in post.levels} - {COMMUNITY}
    for place in GridNode.objects.standing().at(*levels).filter(community_id__in=list(inside)):
        assert place.community_id is not None
        count = sum(place.tree_id == n.tree_id and place.lft <= n.lft <= place.rght for n in inside[place.community_id])
        if count:
            found[place.pk] += count
    return dict(found)


def register() -> None:
    """Names the notices; called once from `apps.py`."""
    notices.register_group("care", gettext_lazy("关爱台账"), kinds=("care_",))
    notices.register_kind(EXPIRED, gettext_lazy("关爱台账到期"))
    notices.register_kind(EXPIRING, gettext_lazy("关爱台账将到期"))
    notices.register_kind(ERASED, gettext_lazy("关爱台账自动删除"))
    notices.register_kind(ROUND, gettext_lazy("关爱台账季度核实"))
