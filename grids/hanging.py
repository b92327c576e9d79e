"""What hangs on the nodes of the tree. Higher floors register their rows here from their `apps.py`.

Three things follow from a registration. A node on which open rows hang is not retired. When a node moves to another
community, the community column of its open rows moves along, while closed rows keep where it happened. And
`manage.py check_tree` proves that both is so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils.functional import Promise

from core.actors import Actor

# Told when rows have followed: who moved the node, the rows' keys, the node, the community it came from and went to.
Follower = Callable[[Actor, list[int], Any, int, int], None]


@dataclass(frozen=True)
class Hanging:
    """Rows of one model that hang on nodes.

    Attributes:
        label: what a cadre calls them, for "还有 3 条未办结的需求".
        node: lookup from the row to its node.
        open: gives the filter for rows that still need the place; called each time, because days pass.
        community: the row's own community column, where it has one.
        follower: told when open rows have followed their node to another community.
    """

    model: type[Model]
    label: str | Promise
    node: str
    open: Callable[[], Q]
    community: str = ""
    follower: Follower | None = None

    def open_rows(self) -> QuerySet[Any]:
        return self.model._default_manager.filter(self.open())


_registered: dict[type[Model], Hanging] = {}


def register(
    model: type[Model],
    *,
    label: str | Promise,
    open: Callable[[], Q],
    node: str = "node",
    community: str = "",
    follower: Follower | None = None,
) -> None:
    """Registers the rows of a model; a second call for it takes the place of the first. See `Hanging`."""
    _registered[model] = Hanging(model, label, node, open, community, follower)


def registered() -> list[Hanging]:
    return list(_registered.values())
