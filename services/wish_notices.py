"""Who learns what of small wishes. Notices carry the wish and the community, never who wishes."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy

from core import notices
from core.notices import Message
from core.text import ellipsis
from partybuilding.models import Unit
from services import posts
from services.models import Wish

t = gettext_lazy

KINDS = {
    "collected": t("有新的微心愿，请审核"),
    "declined": t("微心愿没有采纳"),
    "opened": t("有新的微心愿可以认领"),
    "asked": t("社区请贵单位认领微心愿"),
    "adopted": t("微心愿有人认领了"),
    "given_back": t("微心愿退回，重新等待认领"),
    "released": t("微心愿已由社区收回"),
    "finished": t("微心愿已圆梦，请确认送达"),
    "undelivered": t("微心愿没有送达，请继续"),
    "thanked": t("微心愿已送达，谢谢您"),
    "ended": t("微心愿已结束"),
    "unchecked": t("微心愿等待审核过久"),
    "unadopted": t("微心愿没有人认领"),
    "unconfirmed": t("微心愿等待确认送达过久"),
    "due_soon": t("微心愿快到期限"),
    "overdue": t("微心愿已过期限"),
}
LIST = "/admin/services/wish/"
PHONE = "/m/wishes/"


def collected(made: Sequence[Wish]) -> None:
    """Tells each community that something waits to be checked, once a day."""
    _daily("collected", made, _keepers, f"{LIST}?state=collected")


def opened(rows: Sequence[Wish]) -> None:
    """Tells the units that have reported there, once a day. Members find them when they look: nobody is urged."""
    _daily("opened", rows, lambda pk: {"checked_in": {"node": pk}}, PHONE)


def _daily(kind: str, rows: Sequence[Wish], readers: Any, link: str) -> None:
    day = timezone.localdate()
    first = {row.community_id: row for row in rows}
    notices.post_many(
        Message(
            kind=f"wish_{kind}",
            title=str(KINDS[kind]),
            body=row.community.name,
            link=link,
            audience=readers(pk),
            key=f"wish:{kind}:{pk}:{day}",
        )
        for pk, row in sorted(first.items())
    )


def tell(kind: str, row: Wish, *, body: str = "", unit: Unit | None = None) -> None:
    notices.post_many([message(kind, row, body=body, unit=unit)])


def message(kind: str, row: Wish, *, body: str = "", unit: Unit | None = None, period: str = "") -> Message:
    """One notice of one wish.

    Args:
        body: what is said besides the community.
        unit: that is asked; each is told once.
        period: of a reminder; the version makes other notices unique.
    """
    to = _TO[kind]
    mark = f"{period or row.version}{f'.{unit.pk}' if unit is not None else ''}"
    return Message(
        kind=f"wish_{kind}",
        title=f"{KINDS[kind]}：{ellipsis(row.title, 40)}",
        body="，".join(filter(None, (row.community.name, body))),
        link=f"{LIST}{row.pk}/change/" if to is _community else f"{PHONE}{row.pk}/",
        audience=_unit(unit.pk) if unit is not None else to(row),
        key=f"wish:{row.pk}:{kind}:{mark}",
    )


def several(messages: Iterable[Message]) -> None:
    notices.post_many(messages)


def register() -> None:
    """Gives every kind its name; called once from `apps.py`."""
    for name, words in KINDS.items():
        notices.register_kind(f"wish_{name}", words)


def _keepers(community: int) -> dict[str, Any]:
    return {"post": {"right": posts.MANAGE_WISH, "node": community}}


def _community(row: Wish) -> dict[str, Any]:
    return _keepers(row.community_id)


def _collector(row: Wish) -> dict[str, Any]:
    return {"user": row.collected_by_id}


def _both(row: Wish) -> dict[str, Any]:
    return _community(row) | _collector(row)


def adopter(row: Wish) -> dict[str, Any]:
    if row.unit_id is not None:
        return _unit(row.unit_id)
    return {"member": {"member": row.member_id}} if row.member_id is not None else {}


def _unit(pk: int) -> dict[str, Any]:
    return {"unit": {"unit": pk, "role": "liaison"}}


_TO: dict[str, Any] = {
    "declined": _collector,
    "asked": adopter,
    "adopted": _community,
    "given_back": _community,
    "released": adopter,
    "finished": _community,
    "undelivered": adopter,
    "thanked": adopter,
    "ended": _both,
    "unchecked": _community,
    "unadopted": _community,
    "unconfirmed": _community,
    "due_soon": adopter,
    "overdue": adopter,
}
