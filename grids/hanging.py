"""What hangs on the nodes of the tree, and what becomes of it when a node moves or goes out of use.

Each floor registers its rows here from its `apps.py`. What follows from a registration (docs/decisions/0013):

* When a node moves to another community, the community column of the open rows inside moves along; closed rows keep
  where it happened.
* When a node is retired or merged, each open row goes over to the successor, ends on that day, stays behind as history,
  or stands in the way until somebody has seen to it. `what_hangs` tells beforehand which; `grids.actions.passage` does it.
* `manage.py check_tree` proves that no open row hangs on a retired node and that every community column is true.

Whoever writes such rows holds their place still while doing it: `grids.actions.locks.hold_places`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet, TextChoices
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import policies
from core.actors import Actor
from grids.models import GridNode

EXAMPLES = 3


class Fate(TextChoices):
    """What becomes of an open row whose node goes out of use."""

    FOLLOW = "follow", gettext_lazy("转到承接者")
    END = "end", gettext_lazy("到当天结束")
    STAY = "stay", gettext_lazy("留作历史")
    BY_HAND = "by_hand", gettext_lazy("请先处理")


@dataclass(frozen=True)
class Passage:
    """Open rows on their way to another place, inside the transaction that changes the tree.

    Attributes:
        actor, reason: of the deed. deed: what was done to the place, in a word (调整, 拆分, 合并, 撤销).
        node: the place it was done to.
        successor: on which the rows hang from now on; None when they stay on their own places, which moved.
        old_community, new_community: keys; the same when only the place changes.
    """

    actor: Actor
    deed: str
    node: Any
    old_community: int | None
    new_community: int | None
    successor: Any = None
    reason: str = ""


# Told when rows have followed: the keys they had, and those they have now (others where rows began anew).
Follower = Callable[[Passage, Mapping[int, int]], None]
# Told of a copy that is about to begin anew at the successor: takes off what belongs to the old row alone.
Afresh = Callable[[Any], None]
# Told of the keys of rows that are about to end with their place; may raise Conflict.
Ender = Callable[[Passage, Sequence[int]], None]
# Of some open rows, those that find no room at a successor, or (successor None) in a community.
NoRoom = Callable[[QuerySet[Any], Any, int | None], Q]


@dataclass(frozen=True)
class Hanging:
    """Rows of one model that hang on nodes. Arguments of `register`."""

    model: type[Model]
    label: str | Promise
    node: str
    open: Callable[[], Q]
    community: str = ""
    fates: tuple[Fate, ...] = (Fate.FOLLOW,)
    no_room: NoRoom | None = None
    follower: Follower | None = None
    begun: str = ""
    ended: str = ""
    discreet: bool = False
    afresh: Afresh | None = None
    ender: Ender | None = None

    @property
    def key(self) -> str:
        return self.model._meta.label_lower

    def open_rows(self) -> QuerySet[Any]:
        return self.model._default_manager.filter(self.open())

    def crowded_out(self, rows: QuerySet[Any], successor: Any, community: int | None) -> Q | None:
        """Those of the rows that can not go there; None when all can."""
        if self.community and community is None:
            return Q(pk__isnull=False)
        return self.no_room(rows, successor, community) if self.no_room else None


_registered: dict[type[Model], Hanging] = {}


def register(
    model: type[Model],
    *,
    label: str | Promise,
    open: Callable[[], Q],
    node: str = "node",
    community: str = "",
    fates: Sequence[Fate] = (Fate.FOLLOW,),
    no_room: NoRoom | None = None,
    follower: Follower | None = None,
    begun: str = "",
    ended: str = "",
    discreet: bool = False,
    afresh: Afresh | None = None,
    ender: Ender | None = None,
) -> None:
    """Registers the rows of a model; a second call for it takes the place of the first.

    Args:
        label: what a cadre calls them, for "3 条未销号的需求".
        open: gives the filter for rows that still need the place; called each time, because days pass.
        node: the row's foreign key to its node. community: its community column, where it has one.
        fates: what may become of open rows when the node goes out of use, first what does unless the person chooses
            otherwise. `END` needs `ended` and a row with `start` and `end`; what may `STAY` is not open once its node
            is retired.
        no_room: of some open rows, those that can not go over, because the successor (or, where the place itself moves,
            the community) has the like already. What becomes of them is the first other of the fates; without one
            they are to be seen to by hand.
        follower: told when rows have gone over.
        begun, ended: names in the audit trail for a row that begins and one that ends. With `begun` a row that goes
            over ends at the old place and begins anew at the successor on the same day, so that the past stays true;
            without it the row itself goes over.
        discreet: where such a row hangs is nobody's business (a household in need of care): it is counted for those alone
            who see the rows themselves, others are told of it only when it stands in the way, and the trail does not hold
            its place.
        afresh: with `begun`, told of each copy before it is written (a number that only one row may have).
        ender: told before rows end with their place; sees to what hangs on them, or raises Conflict.
    """
    if Fate.END in fates and not ended:
        raise ValueError(f"{model._meta.label}: rows that may end need a word for it")
    _registered[model] = Hanging(
        model, label, node, open, community, tuple(fates), no_room, follower, begun, ended, discreet, afresh, ender
    )


def registered() -> list[Hanging]:
    return list(_registered.values())


@dataclass(frozen=True)
class Line:
    """What would become of some open rows of one kind. `choices` are the other ways there are, when there are any;
    `count` is None where it is not told (`Hanging.discreet`); `is_crowded`: they find no room where the others go."""

    kind: str
    label: str
    count: int | None
    fate: Fate
    choices: tuple[Fate, ...]
    examples: tuple[str, ...]
    is_crowded: bool = False

    @property
    def words(self) -> str:
        """3 条未销号的需求."""
        return self.label if self.count is None else counted(self.count, self.label)


def counted(count: int, label: str | Promise) -> str:
    """3 条未销号的需求."""
    return _("%(count)d 条%(label)s") % {"count": count, "label": label}


def fates_of(rows: Hanging, successor: Any, wanted: Mapping[str, str]) -> tuple[Fate, Fate]:
    """What becomes of a kind's rows: of those with room at the successor, and of those without.

    Args:
        wanted: `Hanging.key` -> the fate a person chose; what a kind does not offer is not heard.
    """
    others = [fate for fate in rows.fates if fate is not Fate.FOLLOW]
    offered = others if successor is None else rows.fates
    fate = next((fate for fate in offered if fate == wanted.get(rows.key)), None)
    fate = fate or (offered[0] if offered else Fate.BY_HAND)
    if fate is not Fate.FOLLOW:
        return fate, fate
    return fate, others[0] if others else Fate.BY_HAND


def what_hangs(
    nodes: Iterable[Any], user: Any, *, successor: Any = None, wanted: Mapping[str, str] | None = None
) -> list[Line]:
    """What would become of the open rows on some nodes, if they went out of use. A fixed number of queries a kind.

    Args:
        nodes: the nodes themselves; what lies below them is not looked at.
        user: who asks; examples are only of what they may see.
        successor: who takes over, or None.
        wanted: see `fates_of`.
    """
    pks = [node.pk for node in nodes]
    found: list[Line] = []
    for kind in registered():
        rows = kind.open_rows().filter(**{f"{kind.node}__in": pks})
        fate, otherwise = fates_of(kind, successor, wanted or {})
        crowded = None
        if fate is Fate.FOLLOW:
            crowded = kind.crowded_out(rows, successor, successor.community_id)
        offered = tuple(each for each in kind.fates if successor is not None or each is not Fate.FOLLOW)
        found += _lines(kind, rows, fate, offered, crowded, otherwise, user)
    return found


def what_follows(nodes: Q, community: int | None, user: Any) -> list[Line]:
    """What would go along if some nodes came to another community: rows that carry their community.

    Args:
        nodes: filter on nodes.
    """
    found: list[Line] = []
    for kind in registered():
        if kind.community:
            rows = kind.open_rows().filter(inside(kind, nodes))
            crowded = kind.crowded_out(rows, None, community)
            found += _lines(kind, rows, Fate.FOLLOW, (), crowded, Fate.BY_HAND, user)
    return found


def inside(kind: Hanging, nodes: Q) -> Q:
    """Rows of a kind whose node answers to a filter on nodes."""
    return Q(**{f"{kind.node}__in": GridNode.objects.filter(nodes).order_by().values("pk")})


def _lines(
    kind: Hanging,
    rows: QuerySet[Any],
    fate: Fate,
    offered: tuple[Fate, ...],
    crowded: Q | None,
    otherwise: Fate,
    user: Any,
) -> list[Line]:
    """One line, or two when some of the rows find no room."""
    if crowded is None:
        return _line(kind, rows, fate, offered, user)
    going = _line(kind, rows.exclude(crowded), fate, offered, user)
    return [*going, *_line(kind, rows.filter(crowded), otherwise, (), user, is_crowded=True)]


def _line(
    kind: Hanging, rows: QuerySet[Any], fate: Fate, offered: tuple[Fate, ...], user: Any, *, is_crowded: bool = False
) -> list[Line]:
    count = rows.order_by().count()
    if not count:
        return []
    seen = policies.visible(rows, user) if kind.model in policies.registered() else rows.none()
    examples = tuple(str(row) for row in seen.order_by("pk")[:EXAMPLES])
    told = None if kind.discreet and seen.order_by().count() < count else count
    if told is None and fate is Fate.FOLLOW:
        # It goes along by itself: nobody has to know that it is there.
        return []
    choices = offered if len(offered) > 1 else ()
    return [Line(kind.key, str(kind.label), told, fate, choices, examples, is_crowded)]
