from typing import Any

from core import policies
from core.actors import SYSTEM, Actor


def require(actor: Actor, right: str, *objects: Any) -> None:
    """The system may do anything; everybody else needs the right on each of the objects.

    Raises NotFound or Forbidden, as `core.policies.require`.
    """
    if actor is SYSTEM:
        return
    for obj in objects:
        policies.require(actor, right, obj)


def can(actor: Actor, right: str, obj: Any) -> bool:
    """Whether `require` would let the actor pass."""
    return actor is SYSTEM or policies.can(actor, right, obj)
