"""What joint meetings tell the floors below: their notices, their way on the phone, what stands on a place's
page, their ledgers."""

from core import phone, sheets
from grids import place_parts, timeline
from services import meeting_notices, place_meetings
from services.resources import meetings
from services.views import mobile_meetings


def register() -> None:
    """Called once from `apps.py`."""
    meeting_notices.register()
    phone.offer_ways("meetings", mobile_meetings.ways)
    place_parts.register("meetings", place_meetings.parts)
    timeline.register("meetings", place_meetings.history)
    for sheet in meetings.SHEETS:
        sheets.register(sheet())
