"""Small wishes are collected, corrected and brought in by the sheet. Source: docs/domain.md#l5.

Locks, in this order: the street of the place, then wishes in id order. The trail says what was done to which wish and never
holds who wishes, where, why, or in what words. How a wish goes on is `services.actions.wish_moves`.
"""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.accounts import clean_phone
from core.actors import Actor, user_of
from core.codes import new_matter_code
from core.errors import Forbidden, Invalid
from core.masking import scrub_identity_numbers
from core.moving import advance
from core.spreadsheets import why_not_said
from core.text import clean_line
from grids.actions import hold_places
from grids.actions.permission import require
from grids.actions.terms import batches
from grids.care import consents_for
from grids.models import CareKind, ConsentKind, GridNode
from services import posts, wish_notices
from services.clocks import clock_for, limits_of
from services.models import Wish
from services.wishes import CLOSED, clean_words
from services.workflow import WISH

# Values the trail never holds; the words among them, since it is never erased.
PERSONAL = (
    "recipient_name",
    "recipient_phone",
    "recipient_kind",
    "node_id",
    "title",
    "text",
    "result",
    "thanks",
    "reason",
)
FIELDS = ("title", "text", "recipient_kind", "recipient_name", "recipient_phone", "consent", "cost")
RELATED = ("node", "community", "unit", "member")


@dataclass(frozen=True)
class WishFacts:
    """What is written down of a wish.

    Attributes:
        title, text: what is wished; others read it.
        recipient_kind: a key of `CareKind`. recipient_name, recipient_phone: for the community alone.
        consent: how the person agreed that it is passed on (`ConsentKind`).
        cost: in yuan, as expected.
    """

    title: str
    recipient_kind: str
    recipient_name: str
    consent: str
    cost: int
    text: str = ""
    recipient_phone: str = ""


def collect_wish(*, actor: Actor, node: GridNode, facts: WishFacts) -> Wish:
    """Writes a wish down, for the community to check. Sent twice while it waits, it stands once.

    Args:
        node: the person's home, in a community; known to the community alone.

    Raises:
        NotFound, Forbidden: no `wish.collect` there.
        Invalid: the place is retired or in no community; a field can not be kept, or the cost is above the county's limit.
    """
    return collect_wishes(actor=actor, rows=[(node, facts)])[0]


@transaction.atomic
def collect_wishes(*, actor: Actor, rows: Sequence[tuple[GridNode, WishFacts]]) -> list[Wish]:
    """Writes many wishes down in a few statements, for imports; all or none. Raises as `collect_wish`."""
    user = user_of(actor)
    if user is None:
        raise Forbidden(_("微心愿由网格员、楼栋长或社区征集。"))
    for node in {node.pk: node for node, _facts in rows}.values():
        require(actor, posts.COLLECT_WISH, node)
    places = {node.pk: node for node in hold_places(*{node.pk: node for node, _facts in rows}.values())}
    wanted = [(_checked_place(places[node.pk]), cleaned(facts, node.county_id)) for node, facts in rows]
    known = standing(node.pk for node, _facts in wanted)
    now = timezone.now()
    codes = _free_codes(len(rows), timezone.localdate(now))
    made: list[Wish] = []
    found: list[Wish] = []
    for node, facts in wanted:
        key = identity_of(node.pk, facts)
        wish = known.get(key)
        if wish is None:
            due_at = clock_for(node.county_id).workdays(now, limits_of(node.county_id).wish_check_workdays)
            wish = known[key] = Wish(
                county_id=node.county_id,
                node=node,
                community=node.community,
                code=codes.pop(),
                collected_by=user,
                collected_at=now,
                due_at=due_at,
                **{name: getattr(facts, name) for name in FIELDS},
            )
            made.append(wish)
        found.append(wish)
    Wish.objects.bulk_create(made, batch_size=500)
    deeds = [audit.Deed(wish, _told(wish), label=label_of(wish), personal=PERSONAL) for wish in made]
    audit.record_many(actor=actor, action="wish.collect", deeds=deeds, new=True)
    wish_notices.collected(made)
    return found


def change_wish(*, actor: Actor, wish: Wish, facts: WishFacts, version: int | None = None) -> Wish:
    """The community corrects what is written down, before anybody adopts it.

    Raises:
        NotFound, Forbidden: no `wish.manage` there. Invalid: as `collect_wish`. Conflict: it is adopted or over already.
        Stale: the page is old.
    """
    found = cleaned(facts, wish.county_id)

    def effect(row: Wish, data: Mapping[str, Any]) -> None:
        for name in FIELDS:
            setattr(row, name, getattr(found, name))

    return advance(
        WISH,
        wish,
        "change",
        actor=actor,
        version=version,
        effect=effect,
        related=RELATED,
        label=label_of(wish),
        personal=PERSONAL,
    )


@transaction.atomic
def change_wishes(*, actor: Actor, rows: Sequence[tuple[Wish, WishFacts, int]]) -> list[Wish]:
    """Corrects many, for imports: (wish, what it shall say, version that was read). Raises as `change_wish`."""
    return [change_wish(actor=actor, wish=wish, facts=facts, version=version) for wish, facts, version in rows]


def label_of(wish: Wish) -> str:
    """For the trail: the code. Not the wish, nobody's name, no door."""
    return f"{wish._meta.verbose_name} {wish.code}"


# --- What makes a wish the same one ---------------------------------------------------------------------------------

Identity = tuple[int, str, str]


def identity_of(node_id: int, facts: Any) -> Identity:
    """The same person's same wish at a place."""
    return node_id, facts.recipient_name, facts.title


def standing(nodes: Iterable[int], *, closed: bool = False) -> dict[Identity, Wish]:
    """The wishes at some places that are not over, by what makes them the same.

    Args:
        closed: also those that are over, as long as it is known whose they were.
    """
    found = {}
    for some in batches(sorted(set(nodes)), 200):
        rows = Wish.objects.filter(node_id__in=some, erased_at__isnull=True)
        if not closed:
            rows = rows.exclude(state__in=[str(state) for state in CLOSED])
        for wish in rows.select_related(*RELATED).order_by("pk"):
            found[identity_of(wish.node_id, wish)] = wish
    return found


def _free_codes(count: int, day: datetime.date) -> list[str]:
    """So many codes nobody has: a day has a million, and a table may bring thousands."""
    found: set[str] = set()
    while len(found) < count:
        drawn = {new_matter_code(day) for _number in range(count - len(found))}
        found |= drawn - set(Wish.objects.filter(code__in=drawn).values_list("code", flat=True))
    return list(found)


# --- Checks ---------------------------------------------------------------------------------------------------------


def cleaned(facts: WishFacts, county_id: int) -> WishFacts:
    """The same, fit to store. Raises Invalid naming every field that can not be kept, and why."""
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}

    def take(field: str, clean: Any) -> None:
        try:
            found[field] = clean()
        except Invalid as error:
            faults[field] = error.message

    take("recipient_name", lambda: _name(facts.recipient_name))
    names = [str(facts.recipient_name).strip()]
    take("title", lambda: clean_words(facts.title, limit=60, label=_("心愿"), field="", names=names, required=True))
    take("text", lambda: clean_words(facts.text, limit=300, label=_("说明"), field="", names=names))
    take("recipient_phone", lambda: clean_phone(facts.recipient_phone) if facts.recipient_phone.strip() else "")
    take("recipient_kind", lambda: _kind(facts.recipient_kind))
    take("consent", lambda: _consent(facts.consent, facts.recipient_kind))
    take("cost", lambda: _cost(facts.cost, county_id))
    if faults:
        raise Invalid(" ".join(faults.values()), fields=faults)
    return WishFacts(**found)


def _checked_place(node: GridNode) -> GridNode:
    message = ""
    if node.is_retired:
        message = _("“%(place)s”已撤销，请选择在用的地点。") % {"place": node.path}
    elif node.community_id is None:
        message = _("“%(place)s”不在任何社区内，请选社区或社区以下的地点。") % {"place": node.path}
    if message:
        raise Invalid(message, fields={"node": message})
    return node


def _name(value: str) -> str:
    text = clean_line(value, max_length=60, label=_("心愿人"), required=True)
    reason = why_not_said(text)
    if not reason and scrub_identity_numbers(text) != text:
        reason = _("平台不收集身份证号")
    if reason:
        raise Invalid(_("“心愿人”里有不能登记的内容：%(reason)s。") % {"reason": reason})
    return text


def _kind(value: str) -> str:
    if value not in CareKind.values:
        raise Invalid(_("请选择困难类型，只能从列表中选。"))
    return value


def _consent(value: str, kind: str) -> str:
    if value not in ConsentKind.values:
        raise Invalid(_("没有本人或监护人的同意，不能征集。请选择同意方式。"))
    if value not in consents_for([kind]):
        raise Invalid(_("残疾、儿童方面的心愿，要有本人或监护人的书面同意。"))
    return value


def _cost(value: int, county_id: int) -> int:
    most = limits_of(county_id).wish_cost
    if value < 0:
        raise Invalid(_("预计费用不能是负数。"))
    if value > most:
        words = _("预计费用超过微心愿的上限 %(most)d 元。费用较大的不是微心愿，请按帮扶个案或项目办理。")
        raise Invalid(words % {"most": most})
    return value


def _told(wish: Wish) -> dict[str, tuple[Any, Any]]:
    return {name: (None, getattr(wish, name)) for name in ("node_id", *FIELDS, "state", "due_at")}
