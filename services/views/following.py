"""The doors a resident without an account knocks at, and how often they may."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from core import origin, throttle
from core.codes import parse_follow_code
from core.errors import Invalid, NotFound
from services.models import Demand
from services.selectors import loop as selectors

WINDOW = 10 * 60
# A whole office, or everybody behind one mobile carrier's gateway, shares an address; a script is faster than either.
LOOKUPS_PER_ADDRESS = 60
SEARCHES_PER_ADDRESS = 90
ORDERS_PER_ADDRESS = 60
# One address at one building is one family or one doorway; one building in ten minutes is one burst pipe.
ORDERS_PER_ADDRESS_AND_PLACE = 10
ORDERS_PER_PLACE = 60


def count(request: HttpRequest, what: str, limit: int, *, place: str = "", shared: bool = False) -> None:
    """Counts one knock from this address, at this place where given (`shared`: from all addresses together).

    Raises `Throttled`.
    """
    address = "" if shared else origin.client_address(request)
    throttle.hit(f"{what}:{place}:{address}", limit=limit, window_seconds=WINDOW)


def count_order(request: HttpRequest, token: str) -> None:
    """Counts one order. Raises `Throttled`."""
    count(request, "order", ORDERS_PER_ADDRESS_AND_PLACE, place=token)
    count(request, "order", ORDERS_PER_ADDRESS)
    count(request, "order", ORDERS_PER_PLACE, place=token, shared=True)


def followed(request: HttpRequest, code: str, *, counted: bool = True) -> Demand:
    """The demand of a follow-up code. Every guess is counted; what a page loads by itself only when it is wrong.

    Raises `NotFound` in the same words whatever is wrong with the code, `Throttled` after too many tries.
    """
    if counted:
        count(request, "follow", LOOKUPS_PER_ADDRESS)
    try:
        return selectors.followed(parse_follow_code(code))
    except (Invalid, NotFound):
        if not counted:
            count(request, "follow", LOOKUPS_PER_ADDRESS)
        raise NotFound(_("没有找到这个查询码，请逐位核对后再试。")) from None
