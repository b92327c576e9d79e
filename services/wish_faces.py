"""Where small wishes stand among the pages of other floors: on the phone, on places, among the tables."""

from core import phone, sheets
from grids import place_parts
from services import place_wishes, wish_notices
from services.resources.wishes import WishSheet
from services.views import mobile_wishes


def register() -> None:
    """Called once from `apps.py`."""
    wish_notices.register()
    phone.offer_ways("wishes", mobile_wishes.ways, desk=True)
    place_parts.register("wishes", place_wishes.parts)
    sheets.register(WishSheet())
