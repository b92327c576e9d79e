"""Retired places: who took over, told from a code or from the place itself."""

from django.db.models import F
from django.utils.translation import gettext as _

from grids.models import County, GridNode


def resolve_code(county: County, code: str) -> tuple[GridNode | None, list[GridNode]]:
    """The place in use that a code means today, and the chain that leads to it.

    Args:
        code: of the portal or of a province's own scheme (`external_code`); of a retired place too.

    Returns the place (None when the code is nobody's, or the last of the chain is retired as well), and the places from
    the one that bears the code over its successors, each once.
    """
    bearing = GridNode.objects.select_related("level_type", "county", "community").filter(county=county)
    found = bearing.filter(code=code).first()
    if found is None and code:
        found = bearing.filter(external_code=code).order_by(F("retired_at").desc(nulls_first=True), "pk").first()
    return follow(found)


def follow(node: GridNode | None) -> tuple[GridNode | None, list[GridNode]]:
    """The place in use that stands for a node, along its successors, and the chain from the node on. See `resolve_code`."""
    chain: list[GridNode] = []
    # No deed makes a circle; a repair by hand might.
    while node is not None and node not in chain:
        chain.append(node)
        if not node.is_retired:
            return node, chain
        node = node.successor
    return None, chain


def retired_words(pk: int) -> str:
    """That a place is retired, and which one took over, as a row of a table is told."""
    node = GridNode.objects.select_related("successor").get(pk=pk)
    heir, _chain = follow(node)
    named = {"place": node.path, "code": node.code}
    if heir is None:
        return _("“%(place)s”（%(code)s）已撤销，没有承接者，请改填别处") % named
    return _("“%(place)s”（%(code)s）已撤销，由“%(heir)s”（%(heir_code)s）承接，请改填它") % {
        **named,
        "heir": heir.path,
        "heir_code": heir.code,
    }
