"""What the frame of every dashboard page asks of the person: which links lead somewhere for them."""

from typing import Any

from core import policies
from services import posts


def reads_bulletins(user: Any) -> bool:
    """Whether bulletins are open to the person: they lie on the desk, and not everybody with figures has a word in them."""
    return policies.holds(user, policies.USE_DESK) and policies.holds(user, posts.VIEW_BULLETIN)


def frame(user: Any, active: str = "") -> dict[str, Any]:
    """The context of `templates/dashboard/base.html`; `active`: figures, weft, supervisions or none."""
    return {"active": active, "bulletins": reads_bulletins(user)}
