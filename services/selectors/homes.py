"""Where somebody can live and report: the compounds of a county, found by a name or by the code at the door."""

from typing import Any

from django.db.models import Exists, OuterRef, Q

from core import lookups
from core.codes import parse_place_token
from core.errors import Invalid
from grids.compounds import have_profiles, with_profiles
from grids.models import County, GridNode
from grids.naming import COMMUNITY


def homes(county: County) -> Any:
    """The places of a county one can report to: its compounds, and the communities for whoever lives in none."""
    here = with_profiles() | Q(level_type__key=COMMUNITY)
    return GridNode.objects.standing().filter(here, county=county).select_related("level_type")


def is_home(node: GridNode) -> bool:
    """Whether one can report there."""
    return node.level_key == COMMUNITY or bool(have_profiles([node]))


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
