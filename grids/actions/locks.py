"""Every write to the tree takes one of these locks first, in this order: counties, then street roots by id.

Nested sets corrupt under concurrent writers and deadlock without a fixed order (docs/decisions/0002). Whoever hangs a row
on a place holds its street by the same rows, side by side with others who do, and before any other lock; whoever moves or
retires places has the street alone (docs/decisions/0013). On SQLite the write transaction itself (`IMMEDIATE`) is the
lock, and these functions only read.
"""

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.errors import Conflict, NotFound
from core.prepared import Prepared
from grids.models import County, GridNode


def lock_forest(county: County) -> County:
    """Locks the making of streets and returns the county, read again.

    The tree's number is the next free one over all counties, so every county's row is taken, in id order: a portal
    holds one or two of them.

    Raises NotFound when the county is gone.
    """
    _in_transaction()
    rows = list(County.objects.select_for_update(no_key=True).order_by("pk"))
    found = next((row for row in rows if row.pk == county.pk), None)
    if found is None:
        raise NotFound(_("没有找到这个县。"))
    return found


def lock_county(county: County) -> County:
    """Locks a county with every street of it, for what concerns the whole tree, and returns the county, read again."""
    _in_transaction()
    row = County.objects.select_for_update(no_key=True).get(pk=county.pk)
    roots = GridNode.objects.filter(county=row, parent__isnull=True)
    list(roots.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True))
    return row


def lock_trees(tree_ids: Iterable[int], *, alone: bool = False) -> None:
    """Locks whole streets by the rows of their roots, in id order. What was read before must be read again.

    Args:
        alone: also against those who hang rows on places (`hold_places`).
    """
    _in_transaction()
    roots = _roots(tree_ids).select_for_update(no_key=not alone, of=("self",))
    list(roots.values_list("pk", flat=True))


def lock_nodes(*nodes: GridNode, alone: bool = False) -> list[GridNode]:
    """Locks the streets of some nodes and returns the nodes as they are now, in the order given.

    Raises Conflict when one of them went to another street meanwhile, NotFound when one is no node any more.
    """
    lock_trees((node.tree_id for node in nodes), alone=alone)
    return _again(nodes)


def hold_places(*nodes: GridNode) -> list[GridNode]:
    """Keeps some places as they are until the transaction ends, and returns them as they are now: for whoever is about to
    hang a row on them. Others may do the same at the same time; who would move or retire them waits. Taken before any
    other lock.

    Raises Conflict when one of them went to another street meanwhile, NotFound when one is no node any more.
    """
    _in_transaction()
    if not nodes:
        return []
    trees = {node.tree_id for node in nodes}
    # The weakest lock there is, the one a foreign key takes; the ORM has no word for it.
    lock = " FOR KEY SHARE" if transaction.get_connection().features.has_select_for_update else ""
    if len(trees) == 1:
        _ROOT.rows(*trees, tail=lock)
    else:
        query, values = _roots(trees).values_list("pk").query.sql_with_params()
        with transaction.get_connection().cursor() as cursor:
            cursor.execute(query + lock, values)
    return _again(nodes)


def _roots(tree_ids: Iterable[int]) -> QuerySet[GridNode]:
    return GridNode.objects.filter(tree_id__in=set(tree_ids), parent__isnull=True).order_by("pk")


# Nearly everything that is written is written at one place.
_ROOT = Prepared(
    lambda tree: GridNode.objects.filter(tree_id=tree, parent__isnull=True).order_by("pk").values_list("pk"), int
)
_NODE = Prepared(
    lambda pk: GridNode.objects.select_related("level_type", "county", "community").filter(pk=pk).order_by(), int
)


def _again(nodes: Sequence[GridNode]) -> list[GridNode]:
    pks = {node.pk for node in nodes}
    if len(pks) == 1:
        rows = {row.pk: row for row in [_NODE.one(*pks)] if row is not None}
    else:
        rows = GridNode.objects.select_related("level_type", "county", "community").in_bulk(pks)
    fresh = []
    for node in nodes:
        row = rows.get(node.pk)
        if row is None:
            raise NotFound(_("没有找到这个网格节点。"))
        if row.tree_id != node.tree_id:
            raise Conflict(_("“%(name)s”刚刚被调整到别的街道，请刷新页面后再办理。") % {"name": row.name})
        fresh.append(row)
    return fresh


def _in_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("a tree lock is held by a transaction")
