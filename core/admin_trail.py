"""The history of a row on its own page: its part of the trail, newest first, for whoever sees the row."""

from django.db.models import Model
from django.utils.translation import gettext as _

from core.admin_base import Part
from core.audit import chain_of
from core.audit_words import deed_words
from core.models import AuditEntry
from core.periods import datetime_words

MOST = 30


def history(obj: Model, *, most: int = MOST) -> Part:
    """Who did what to the row, and why. One query. What exactly changed is the auditors' to read."""
    rows = AuditEntry.objects.filter(chain=chain_of(obj)).select_related("actor").order_by("-position")[:most]
    cells = [[datetime_words(row.at), row.actor_name, deed_words(row.action), row.reason or "—"] for row in rows]
    return Part(_("历史"), [_("时间"), _("操作人"), _("操作"), _("理由")], cells, _("还没有记录。"))
