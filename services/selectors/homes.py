"""Where somebody can live and report: the compounds of a county, found by a name or by the code at the door."""

from typing import Any

from django.db.models import Exists, OuterRef

from core import lookups
from core.codes import parse_place_token
from core.errors import Invalid
from grids.models import County, GridNode, Level

# Where there are no compounds, people say which grid they live in; where there is neither, which community.
_COMPOUND, _GRID, _COMMUNITY = "compound", "grid", "community"


def homes(county: County) -> Any:
    """The places of a county one can report to."""
    compounds = Level.objects.filter(county=county, key=_COMPOUND).exists()
    levels = (_COMPOUND if compounds else _GRID, _COMMUNITY)
    return GridNode.objects.standing().filter(county=county, level_type__key__in=levels)


def is_home(node: GridNode) -> bool:
    """Whether one can report there."""
    if node.level_key != _GRID:
        return node.level_key in (_COMPOUND, _COMMUNITY)
    return not Level.objects.filter(county_id=node.county_id, key=_COMPOUND).exists()


def find_homes(county: County, asked: str) -> Any:
    """The homes that answer to every word of a name, or to the code printed beneath the QR code at a door."""
    rows = homes(county)
    try:
        token = parse_place_token(asked)
    except Invalid:
        token = ""
    if token:
        door = GridNode.objects.standing().filter(
            county=county,
            public_token=token,
            tree_id=OuterRef("tree_id"),
            lft__gte=OuterRef("lft"),
            rght__lte=OuterRef("rght"),
        )
        nearest = rows.filter(Exists(door)).order_by("-depth").values("pk")[:1]
        if nearest:
            return rows.filter(pk__in=[row["pk"] for row in nearest])
    return lookups.search(rows, ("path",), asked).order_by("-depth", "tree_id", "lft")
