"""Small wishes: what is said of one to whom, and what may be written into one. Source: docs/domain.md#l5.

Who wishes is known to the community alone. Everybody else reads the wish, a general word for the difficulty and the
community: no name, no number, no building, no room, and no need that says what ails somebody.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core import policies
from core.errors import Invalid
from core.masking import scrub_identity_numbers, scrub_phone_numbers
from core.periods import time_left_words
from core.spreadsheets import why_not_said
from core.text import clean_line
from grids.models import CareKind
from grids.naming import steps_of
from services import posts
from services.models import Wish, WishState


class Difficulty(models.TextChoices):
    """What is said outside the community of why somebody is helped."""

    ELDER = "elder", lazy("老年人")
    MOBILITY = "mobility", lazy("行动不便的居民")
    CHILD = "child", lazy("孩子")
    HARDSHIP = "hardship", lazy("困难家庭")
    HONOURED = "honoured", lazy("优抚家庭")


GENERAL: dict[str, Difficulty] = {
    CareKind.ELDERLY_ALONE: Difficulty.ELDER,
    CareKind.EMPTY_NEST: Difficulty.ELDER,
    CareKind.DISABILITY: Difficulty.MOBILITY,
    CareKind.CHILD_LEFT_BEHIND: Difficulty.CHILD,
    CareKind.CHILD_IN_DIFFICULTY: Difficulty.CHILD,
    CareKind.LOW_INCOME: Difficulty.HARDSHIP,
    CareKind.SUDDEN_HARDSHIP: Difficulty.HARDSHIP,
    CareKind.VETERAN_FAMILY: Difficulty.HONOURED,
}
TONES = {
    WishState.COLLECTED: "amber",
    WishState.OPEN: "blue",
    WishState.ADOPTED: "blue",
    WishState.DONE: "amber",
    WishState.THANKED: "green",
    WishState.DECLINED: "grey",
    WishState.ENDED: "grey",
}
# By when what has to be done, as a reader is told.
DUE_WORDS = {
    WishState.COLLECTED: lazy("审核期限"),
    WishState.OPEN: lazy("认领截止"),
    WishState.ADOPTED: lazy("圆梦期限"),
    WishState.DONE: lazy("确认期限"),
}
CLOSED = (WishState.THANKED, WishState.DECLINED, WishState.ENDED)

# A door as people write it: 3号楼, 12栋, 2单元, 502室. Numerals in characters only where nothing else is meant by it.
_DOOR = re.compile(r"\d+\s*(?:号楼|号院|栋|幢|单元)|[一二三四五六七八九十]+(?:号楼|号院)|(?<!\d)\d{3,4}\s*[室房]")


def of_difficulty(value: str) -> Q:
    """The wishes of a general difficulty, as a filter. Raises ValueError for a word there is none of."""
    wanted = Difficulty(value)
    return Q(recipient_kind__in=[str(kind) for kind, found in GENERAL.items() if found == wanted])


# --- Who is told what -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Face:
    """What one reader is told of who wishes. `name` and `phone` are masked, and empty outside the community.

    Attributes:
        place: names from the street down; ends at the community for readers outside it.
        kind: the need itself for the community, else `Difficulty`.
    """

    inside: bool
    name: str
    phone: str
    place: tuple[str, ...]
    kind: str


def knows(user: Any, wish: Wish) -> bool:
    """Whether the reader belongs to those who collect and keep the wish. No query when its node is loaded."""
    return policies.can(user, posts.COLLECT_WISH, wish) or policies.can(user, posts.MANAGE_WISH, wish)


def known_to(user: Any) -> Q:
    """The same as a filter."""
    return policies.within(Wish, user, posts.COLLECT_WISH) | policies.within(Wish, user, posts.MANAGE_WISH)


def face(wish: Wish, user: Any) -> Face:
    """What the reader is told. Needs `node` and `community`."""
    return told(wish, inside=knows(user, wish))


def told(wish: Wish, *, inside: bool) -> Face:
    """What is told inside the community, or outside it."""
    general = str(GENERAL[wish.recipient_kind].label)
    if not inside:
        return Face(False, "", "", tuple(steps_of(wish.community.path)), general)
    name = wish.masked_name or (_("已清除") if wish.erased_at else "")
    return Face(True, name, wish.masked_phone, tuple(steps_of(wish.node.path)), str(wish.get_recipient_kind_display()))


def holder(wish: Wish) -> str:
    """Who adopted it: a unit by its name. A member is one's own business: only that it is a member."""
    if wish.unit is not None:
        return wish.unit.label
    return _("党员") if wish.member_id is not None else ""


def holder_told(wish: Wish, *, inside: bool) -> str:
    """Who adopted it, as the reader is told: the community knows the member's name, nobody else is told."""
    return wish.member.name if inside and wish.member is not None else holder(wish)


def is_late(wish: Wish) -> bool:
    return wish.due_at is not None and wish.due_at < timezone.now()


def chips(wish: Wish) -> list[tuple[str, str]]:
    """The state, and how long is left for the next move; always in words."""
    found = [(str(wish.get_state_display()), TONES[WishState(wish.state)])]
    if wish.due_at is not None:
        found.append((time_left_words(wish.due_at, timezone.now()), "red" if is_late(wish) else "grey"))
    return found


# --- What may be written --------------------------------------------------------------------------------------------


def clean_words(text: str, *, limit: int, label: str, field: str, names: Iterable[str], required: bool = False) -> str:
    """Words that others will read, as the community writes them.

    Args:
        names: of the person who wishes.

    Raises Invalid when they hold a telephone or identity number, a door, the person's name, or what no ledger holds.
    """
    found = clean_line(text, max_length=limit, label=label, field=field, required=required)
    plain = unicodedata.normalize("NFKC", found)
    reason = ""
    if scrub_phone_numbers(plain) != plain:
        reason = _("电话号码")
    elif scrub_identity_numbers(plain) != plain:
        reason = _("身份证号")
    elif any(_named(plain, name) for name in names):
        reason = _("心愿人的姓名")
    elif _DOOR.search(plain):
        reason = _("楼栋、门牌")
    if reason:
        words = _("“%(label)s”里写了%(what)s。认领人会看到这段话，请删去再提交。") % {"label": label, "what": reason}
        raise Invalid(words, fields={field: words})
    if why := why_not_said(found):
        words = _("“%(label)s”里有不能登记的内容：%(reason)s。") % {"label": label, "reason": why}
        raise Invalid(words, fields={field: words})
    return found


def scrubbed(text: str, *, limit: int, label: str, field: str, names: Iterable[str], required: bool = False) -> str:
    """Words of who adopted a wish: what they should not say is taken out without a word, so that nobody learns a name
    by trying. Raises Invalid when they are too long, or required and empty."""
    found = clean_line(text, max_length=limit, label=label, field=field, required=required)
    found = scrub_identity_numbers(scrub_phone_numbers(found))
    for name in names:
        if len(name) > 1:
            found = re.sub(r"\s*".join(map(re.escape, name)), _("心愿人"), found)
    return _DOOR.sub("…", found)[:limit]


def _named(text: str, name: str) -> bool:
    """Whether a name stands in a text, with or without spaces between its characters."""
    bare = "".join(unicodedata.normalize("NFKC", name).split())
    return len(bare) > 1 and bare in "".join(text.split())
