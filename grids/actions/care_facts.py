"""What is written down about a household in need of care, and what of it can be kept.

The least that a visit needs (docs/domain.md#lines): the door, whom to ask for, a phone, the needs, and the consent.
"""

import datetime
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from core.accounts import clean_phone
from core.errors import Invalid
from core.masking import mask_name, scrub_identity_numbers, scrub_phone_numbers
from core.spreadsheets import why_not_said
from core.text import clean_line, clean_text
from grids.care import consents_for
from grids.models import CareHousehold, CareKind, ConsentKind

# Fields whose values the audit trail never holds. The place is one of them: a floor may have a single household.
PERSONAL = ("room", "name", "phone", "node_id", "needs", "text")
FIELDS = ("room", "name", "phone", "consent", "consent_on")
TEXT_LENGTH = 500
_EARLIEST = datetime.date(1990, 1, 1)


@dataclass(frozen=True)
class Facts:
    """What is written down about a household.

    Attributes:
        room: the door, as people say it (3 单元 502).
        name: whom to ask for.
        needs: keys of `CareKind`, at least one.
        consent, consent_on: how and when the person agreed to being on the ledger (`ConsentKind`).
        phone: a mobile number, or empty.
    """

    room: str
    name: str
    needs: frozenset[str]
    consent: str
    consent_on: datetime.date
    phone: str = ""


def facts_of(household: CareHousehold) -> Facts:
    """As it stands; reads the needs."""
    return Facts(
        **{name: getattr(household, name) for name in FIELDS},
        needs=frozenset(need.kind for need in household.needs.all()),
    )


def cleaned(facts: Facts) -> Facts:
    """The same, fit to store.

    Raises Invalid naming every field that can not be kept, and why.
    """
    found: dict[str, Any] = {}
    faults: dict[str, str] = {}

    def take(field: str, clean: Any) -> None:
        try:
            found[field] = clean()
        except Invalid as error:
            faults[field] = error.message

    take("room", lambda: _line(facts.room, 40, _("门牌")))
    take("name", lambda: _line(facts.name, 60, _("联系人")))
    take("phone", lambda: clean_phone(facts.phone) if facts.phone.strip() else "")
    take("needs", lambda: _needs(facts.needs))
    take("consent_on", lambda: clean_day(facts.consent_on, _("同意日期")))
    take("consent", lambda: _consent(facts.consent, facts.needs))
    if faults:
        raise Invalid(" ".join(faults.values()), fields=faults)
    return replace(facts, **found)


def clean_day(day: datetime.date, label: str) -> datetime.date:
    """A day on which something happened. Raises Invalid for a day to come, or one before anybody kept such a ledger."""
    if not _EARLIEST <= day <= timezone.localdate():
        raise Invalid(_("%(label)s不能晚于今天，也不能早于1990年，请核对。") % {"label": label})
    return day


def clean_visit_text(text: str, household: CareHousehold) -> str:
    """What a visit found, without what would name the person or cross a line.

    Raises Invalid when it is too long or says what the ledger never holds.
    """
    found = clean_text(text, max_length=TEXT_LENGTH, label=_("情况"), field="text")
    if reason := why_not_said(found):
        message = _("请只写需要什么帮助：%(reason)s。") % {"reason": reason}
        raise Invalid(message, fields={"text": message})
    found = scrub_phone_numbers(scrub_identity_numbers(found))
    return found.replace(household.name, mask_name(household.name)) if len(household.name) > 1 else found


def _line(value: str, most: int, label: str) -> str:
    text = clean_line(value, max_length=most, label=label, required=True)
    reason = why_not_said(text)
    if not reason and scrub_identity_numbers(text) != text:
        reason = _("平台不收集身份证号")
    if reason:
        raise Invalid(_("%(label)s里有不能登记的内容：%(reason)s。") % {"label": label, "reason": reason})
    return text


def _needs(needs: Collection[str]) -> frozenset[str]:
    if not needs or not frozenset(needs) <= frozenset(CareKind.values):
        raise Invalid(_("请至少选一项关爱类别，只能从列表中选。"))
    return frozenset(needs)


def _consent(consent: str, needs: Collection[str]) -> str:
    if consent not in ConsentKind.values:
        raise Invalid(_("没有本人或监护人的同意，不能登记。请选择同意方式。"))
    if consent not in consents_for(needs):
        raise Invalid(_("登记残疾、儿童方面的需要，要有本人或监护人的书面同意；不满14周岁的，由监护人书面同意。"))
    return consent
