"""Where a problem that is too big for whoever looks after a place becomes a demand. The floor of demands fills this."""

from collections.abc import Callable
from typing import Any

from partybuilding.models import PairingProblem

# The problem, who looks, whether on the phone: an address, or "" where the person raises no demand there.
Door = Callable[[PairingProblem, Any, bool], str]

_doors: list[Door] = []


def register(door: Door) -> None:
    """Sets the door; a second one takes the place of the first."""
    _doors[:] = [door]


def address(problem: PairingProblem, user: Any, *, phone: bool = False) -> str:
    """Where the person raises the problem as a demand; empty when nowhere."""
    return _doors[0](problem, user, phone) if _doors else ""
