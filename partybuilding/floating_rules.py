"""Floating members: how often they are kept in touch with, how long they are remembered, and why somebody may look up a
number. Sources: docs/domain.md#h2, docs/practice.md#floating, docs/personal-data.md."""

import datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

# Who has not been contacted for so many days is shown and reminded of (docs/practice.md#floating).
CONTACT_DAYS = 90
# So many days after leaving, name, number and contacts are erased (docs/personal-data.md).
KEEP_DAYS = 400
# Looks at numbers, by one person.
REVEALS_AN_HOUR = 30


class RevealReason(models.TextChoices):
    """Why somebody looks. Chosen, not written: the audit trail is never erased, and a written reason names people."""

    CONTACT = "contact", _("联系本人")
    CHECK = "check", _("核对登记的信息")
    URGENT = "urgent", _("紧急情况")


def due_before(day: datetime.date) -> datetime.date:
    """Whose last contact lies before this day is to be contacted on `day`."""
    return day - datetime.timedelta(days=CONTACT_DAYS)
