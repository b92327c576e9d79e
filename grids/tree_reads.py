"""What the tree of places is read by, level by level: a fixed number of queries however wide a level is."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from core import policies
from grids.models import Appointment, GridNode
from grids.policies import CountyScope, NodeScope
from grids.posts import VIEW_APPOINTMENT, VIEW_NODE
from grids.selectors import size_warning

PAGE = 50
# Children that stand in an opened branch; the rest is a page of its own.
BRANCH = 50
MOST_OPEN = 60
_PREFIX = 4


@dataclass
class Row:
    """A node as the tree shows it.

    Attributes:
        people: who answers for it, by name; None where the person asking may not see posts.
        below: (level name, how many) of its children in use.
        rows: its children where the branch is open. more: how many of them are not among the rows.
    """

    node: GridNode
    warning: str
    people: list[str] | None
    below: list[tuple[str, int]]
    is_open: bool = False
    rows: list["Row"] = field(default_factory=list)
    more: int = 0

    @property
    def count(self) -> int:
        return sum(count for _level, count in self.below)


def tops(user: Any) -> QuerySet[GridNode]:
    """Where the tree of a person begins: the streets of a county, or the places of their posts."""
    scopes = policies.scopes(user, VIEW_NODE)
    counties = {scope.county_id for scope in scopes if isinstance(scope, CountyScope)}
    nodes = [scope for scope in scopes if isinstance(scope, NodeScope) and scope.county_id not in counties]
    outer = [one.pk for one in nodes if not any(other.pk != one.pk and _inside(one, other) for other in nodes)]
    return GridNode.objects.standing().filter(Q(county_id__in=counties, parent__isnull=True) | Q(pk__in=outer))


def _inside(one: NodeScope, other: NodeScope) -> bool:
    return one.tree_id == other.tree_id and other.lft < one.lft and one.rght < other.rght


def find_places(nodes: QuerySet[GridNode], text: str, user: Any) -> QuerySet[GridNode]:
    """The nodes that answer to every word of a text: by name and place, code, address, or who is in post there."""
    for word in text.replace("·", " ").split()[:6]:
        found = Q(path__icontains=word) | Q(address__icontains=word)
        if len(word) >= _PREFIX:
            found |= Q(code__istartswith=word) | Q(external_code__istartswith=word)
        if policies.holds(user, VIEW_APPOINTMENT):
            held = Appointment.objects.visible_to(user).current().filter(user__name__icontains=word)
            found |= Q(pk__in=held.order_by().values("node_id"))
        nodes = nodes.filter(found)
    return nodes


def read(nodes: Sequence[GridNode], user: Any, *, opened: Iterable[int] = ()) -> list[Row]:
    """Rows of some nodes with what stands below them, and the branches that are open. Three queries at most.

    Args:
        nodes: with `level_type` loaded.
        opened: keys of nodes whose children are shown too; what the person may not see is not among them.
    """
    inner = _branches(set(opened), user)
    known = {node.pk: node for node in [*nodes, *inner]}
    below = _below(known)
    people = _people(known.values(), user)
    rows = {
        pk: Row(node, size_warning(node), people.get(pk, []) if people is not None else None, below.get(pk, []))
        for pk, node in known.items()
    }
    for node in inner:
        if above := rows.get(node.parent_id or 0):
            above.is_open = True
            above.rows.append(rows[node.pk])
    for row in rows.values():
        row.more = row.count - len(row.rows) if row.is_open else 0
    return [rows[node.pk] for node in nodes]


def _branches(opened: set[int], user: Any) -> list[GridNode]:
    if not opened:
        return []
    children = GridNode.objects.visible_to(user).standing().filter(parent__in=opened).select_related("level_type")
    nth = Window(RowNumber(), partition_by="parent_id", order_by=F("lft").asc())
    return list(children.annotate(nth=nth).filter(nth__lte=BRANCH).order_by("tree_id", "lft"))


def _below(pks: Iterable[int]) -> dict[int, list[tuple[str, int]]]:
    children = GridNode.objects.standing().filter(parent__in=list(pks)).order_by("level_type__order")
    found: dict[int, list[tuple[str, int]]] = {}
    counted = children.values_list("parent_id", "level_type__name").annotate(n=Count("pk"))
    for parent, name, count in counted:
        found.setdefault(parent, []).append((name, count))
    return found


def _people(nodes: Iterable[GridNode], user: Any) -> dict[int, list[str]] | None:
    """Node -> names of those who hold the post that answers for it."""
    if not policies.holds(user, VIEW_APPOINTMENT):
        return None
    posts = {node.pk: node.level_type.holder_post for node in nodes}
    held = Appointment.objects.visible_to(user).current().filter(node_id__in=list(posts)).order_by("start", "pk")
    found: dict[int, list[str]] = {}
    for pk, post, name in held.values_list("node_id", "post", "user__name"):
        if post == posts[pk]:
            found.setdefault(pk, []).append(name)
    return found
