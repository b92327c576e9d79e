"""Who learns what of promises: the unit or member that promised, and the community that confirms."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import notices
from core.actors import Actor
from core.notices import Message
from core.text import ellipsis
from services import posts
from services.guards import is_ones_own
from services.models import Commitment

t = gettext_lazy

KINDS = {
    "made": t("社区登记了承诺事项"),
    "promised": t("单位、党员作出了承诺"),
    "reported": t("承诺申报完成，请确认"),
    "confirmed": t("承诺已确认完成"),
    "sent_back": t("承诺被退回，请继续落实"),
    "moved": t("承诺事项转接"),
    "dropped": t("承诺事项终止"),
    "due_soon": t("承诺即将到期"),
    "overdue": t("承诺已超期"),
    "unconfirmed": t("承诺等待确认过久"),
}


def made(actor: Actor, rows: Sequence[Commitment]) -> None:
    """Tells the community what units promised, and units what the community put down for them; once per unit and place,
    however many there are. What is done already is old news."""
    by_self: dict[int, list[Commitment]] = defaultdict(list)
    for_unit: dict[int, list[Commitment]] = defaultdict(list)
    for row in rows:
        if row.done_on is not None:
            continue
        if is_ones_own(row, actor):
            by_self[row.community_id].append(row)
        elif row.unit_id is not None:
            for_unit[row.unit_id].append(row)
    told = [_several("promised", some, _confirmers(some[0])) for some in by_self.values()]
    told += [_several("made", some, promiser(some[0])) for some in for_unit.values()]
    notices.post_many(told)


def settled(moved: Iterable[tuple[Commitment, Commitment]], dropped: Iterable[Commitment]) -> None:
    """Tells both units of a promise that was moved, and whoever promised of one that was dropped."""
    told = []
    for old, new in moved:
        told += [message("moved", old), message("made", new)]
    told += [message("dropped", row) for row in dropped]
    notices.post_many(told)


def tell(kind: str, row: Commitment) -> None:
    notices.post_many([message(kind, row)])


def message(kind: str, row: Commitment, *, period: str = "") -> Message:
    """One notice of one promise. `period` is empty for moves (the version makes them unique), a stage for reminders."""
    to_community = kind in {"reported", "unconfirmed"}
    return Message(
        kind=f"commitment_{kind}",
        title=f"{KINDS[kind]}：{ellipsis(row.title, 40)}",
        body=_("%(place)s，%(who)s") % {"place": row.node.path, "who": row.holder},
        link=_desk(row) if to_community else _phone(row),
        audience=_confirmers(row) if to_community else promiser(row),
        key=f"commitment:{row.pk}:{kind}:{period or row.version}",
    )


def promiser(row: Commitment) -> dict[str, Any]:
    """Who promised: the unit's liaisons, or the member."""
    if row.unit_id is not None:
        return {"unit": {"unit": row.unit_id, "role": "liaison"}}
    return {"member": {"member": row.member_id}}


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    for name, words in KINDS.items():
        notices.register_kind(f"commitment_{name}", words)


def _several(kind: str, rows: Sequence[Commitment], audience: dict[str, Any]) -> Message:
    first = rows[0]
    words = ellipsis(first.title, 40) if len(rows) == 1 else _("共 %(count)d 项") % {"count": len(rows)}
    desk = kind == "promised"
    one, many = (_desk(first), "/admin/services/commitment/") if desk else (_phone(first), "/m/commitments/")
    return Message(
        kind=f"commitment_{kind}",
        title=f"{KINDS[kind]}：{words}",
        body=_("%(place)s，%(who)s") % {"place": first.community.name, "who": first.holder},
        link=one if len(rows) == 1 else many,
        audience=audience,
        key=f"commitment:{first.pk}:{kind}:{first.version}",
    )


def _confirmers(row: Commitment) -> dict[str, Any]:
    return {"post": {"right": posts.CONFIRM_COMMITMENT, "node": row.community_id}}


def _desk(row: Commitment) -> str:
    return f"/admin/services/commitment/{row.pk}/change/"


def _phone(row: Commitment) -> str:
    return f"/m/commitments/{row.pk}/"
