"""What joint meetings tell the floors below: their notices, their way on the phone, their ledgers."""

from core import phone, sheets
from services import meeting_notices
from services.resources import meetings
from services.views import mobile_meetings


def register() -> None:
    """Called once from `apps.py`."""
    meeting_notices.register()
    phone.offer_ways("meetings", mobile_meetings.ways)
    for sheet in meetings.SHEETS:
        sheets.register(sheet())
