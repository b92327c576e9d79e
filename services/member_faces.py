"""Where the members' check-in stands among the pages of other floors: on the phone, on places, among the tables."""

from django.utils.translation import gettext_lazy as _

from core import phone, sheets
from core.notices import register_kind
from grids import place_parts
from services import place_members
from services.resources import member_checkins
from services.views import mobile_cards, mobile_members, mobile_own_report

_KINDS = {
    "member_checkin_applied": _("党员报到待接收"),
    "member_checkin_accept": _("报到已接收"),
    "member_checkin_send_back": _("报到退回完善"),
    "member_checkin_decline": _("报到未接收"),
    "member_service_entered": _("服务待确认"),
    "member_service_sent_back": _("服务退回核对"),
    "member_cards_sent": _("季度服务卡"),
    "member_waiting": _("党员报到和服务待办"),
    "member_waiting_cards": _("服务卡待反馈"),
    "member_waiting_report": _("报到待补充"),
    "member_waiting_service": _("服务待核对"),
}


def register() -> None:
    """Called once from `apps.py`."""
    for name, label in _KINDS.items():
        register_kind(name, label)
    phone.offer_ways("checkin", mobile_own_report.ways)
    phone.offer_ways("members", mobile_members.ways, desk=True)
    phone.offer_ways("cards", mobile_cards.ways)
    place_parts.register("members", place_members.parts)
    for sheet in member_checkins.SHEETS:
        sheets.register(sheet())
