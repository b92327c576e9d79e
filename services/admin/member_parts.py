"""What the lists of members' reports, services, cards and certificates share."""

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from core.admin_base import SelectFilter, day_words
from core.admin_sheets import SheetAdmin
from core.moving import Moved
from core.periods import Quarter
from services import posts
from services.models import (
    Certificate,
)

MOST = 500
SHOWN = 20
TONES = {"applied": "amber", "entered": "amber", "sent_back": "red", "accepted": "green", "confirmed": "green"}
MANAGE = posts.MANAGE_MEMBER_CHECKIN


def state_chip(row: Any) -> tuple[str, str]:
    return row.get_state_display(), TONES.get(row.state, "grey")


def over(main: str, under: str) -> str:
    """Two lines of a cell: what it is about, and where that belongs."""
    return format_html('<span class="cell-main">{}</span><span class="cell-under">{}</span>', main, under)


def word_filter(field: str, label: Any, choices: Any) -> type[SelectFilter]:
    """Rows whose list of words holds the one chosen. The keys are our own; both databases read the list as text."""

    class WordFilter(SelectFilter):
        title = label
        parameter_name = field

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
            return list(choices)

        def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
            said = rows.alias(**{f"{field}_said": Cast(field, TextField())})
            return said.filter(**{f"{field}_said__contains": f'"{value}"'})

    return WordFilter


def tell(page: SheetAdmin, request: HttpRequest, moved: Moved[Any], words: str) -> None:
    """What came of many."""
    if moved.done:
        page.message_user(request, _("%(words)s %(count)d 项。") % {"words": words, "count": len(moved.done)})
    for reason in dict.fromkeys(refused.reason for refused in moved.refused):
        count = sum(refused.reason == reason for refused in moved.refused)
        text = _("%(count)d 项没有办：%(reason)s") % {"count": count, "reason": reason}
        page.message_user(request, text, messages.WARNING)


class QuarterFilter(SelectFilter):
    """The running quarter and the four before it."""

    title = lazy("季度")
    parameter_name = "quarter"
    field = "served_on"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(quarter.code, quarter.label) for quarter in recent_quarters()]

    def narrow(self, rows: QuerySet[Any], value: str) -> QuerySet[Any]:
        quarter = Quarter.parse(value)
        return rows.filter(**{f"{self.field}__gte": quarter.first_day, f"{self.field}__lte": quarter.last_day})


def recent_quarters() -> list[Quarter]:
    found = [Quarter.of(timezone.localdate())]
    while len(found) < 5:
        found.append(found[-1].previous())
    return found


def span_of(row: Certificate) -> str:
    return _("%(since)s至%(until)s") % {"since": day_words(row.since), "until": day_words(row.until)}


def validity(row: Certificate) -> tuple[str, str]:
    return (_("已作废"), "red") if row.revoked_at else (_("有效"), "green")
