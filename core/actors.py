"""Who acts. `actor` is always given to an action; nothing happens in nobody's name.

An actor is a `core.User`, or one of the two constants below for deeds no account stands behind.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Union

if TYPE_CHECKING:
    from core.models import User


@dataclass(frozen=True)
class NamedActor:
    """An actor without an account. `kind` is what the audit trail stores, `name` what pages show."""

    kind: str
    name: str
    pk: None = None


SYSTEM = NamedActor("system", "系统")
RESIDENT = NamedActor("resident", "居民")

Actor = Union["User", NamedActor]


def kind_of(actor: Actor) -> str:
    return actor.kind if isinstance(actor, NamedActor) else "user"


def user_of(actor: Actor) -> "User | None":
    """The account behind the actor, or None for the system and residents."""
    return None if isinstance(actor, NamedActor) else actor


def label_of(user: "User | None", kind: str) -> str:
    """The name to show for a stored (user, kind) pair."""
    if user is not None:
        return user.name
    return {SYSTEM.kind: SYSTEM.name, RESIDENT.kind: RESIDENT.name}.get(kind, SYSTEM.name)
