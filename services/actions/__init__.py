"""Every change of this floor's data. Import from here: `from services.actions import move, raise_demand`."""

from services.actions.checkins import check_in, end_check_in
from services.actions.moving import move
from services.actions.raising import raise_demand
from services.actions.revealing import Contact, reveal_contact

__all__ = ["Contact", "check_in", "end_check_in", "move", "raise_demand", "reveal_contact"]
