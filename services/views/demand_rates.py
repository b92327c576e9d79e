"""What the rates and the ladder have to say on a demand's own page: its rung, what was asked to be left out, who named it."""

from collections.abc import Iterable
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from core import policies
from core.admin_base import Fact, Part, chip, link
from core.periods import datetime_words
from services import posts
from services.models import BulletinItem, Climb, Demand, RateExclusion
from services.rate_deeds import INSTRUCT, rung_chip
from services.selectors.bulletins import number_words
from services.selectors.rates import RATES
from services.workflow import LADDER


def climb_of(demand: Demand) -> Climb | None:
    """The rung a demand stands on under the limit it has now, if any. One query."""
    row = Climb.objects.filter(demand=demand).first()
    if row is None:
        return None
    row.demand = demand
    return row if row.stands and row.at is not None else None


def rung_facts(climb: Climb | None) -> list[Fact]:
    if climb is None:
        return []
    since = datetime_words(climb.at) if climb.at else ""
    return [Fact(_("逐级提醒"), _("%(rung)s（%(since)s）") % {"rung": climb.get_rung_display(), "since": since})]


def rung_chips(climb: Climb | None) -> list[tuple[str, str]]:
    """The rung as a chip, from the next day on: that it is late the clock says already."""
    return [rung_chip(climb)] if climb is not None and climb.rung in ("next_day", "bulletin", "leader") else []


def buttons(demand: Demand, climb: Climb | None, user: Any) -> list[dict[str, Any]]:
    """What can be done about it from the demand's page."""
    found = []
    if climb is not None and LADDER.offers(climb, INSTRUCT.name, user):
        found.append({"label": INSTRUCT.label, "url": reverse("mobile:instruct", args=[climb.pk]), "tone": "main"})
    if policies.can(user, posts.REQUEST_EXCLUSION, demand):
        address = f"{reverse('admin:services_rateexclusion_add')}?{urlencode({'demand': demand.code})}"
        found.append({"label": _("申请剔除"), "url": address, "tone": "plain"})
    return found


def parts(demand: Demand) -> Iterable[Part]:
    """Two queries."""
    exclusions = [
        [
            "、".join(str(RATES[name].label) for name in row.rates),
            row.reason,
            f"{row.by.name} {datetime_words(row.at)}",
            link(row.get_state_display(), reverse("admin:services_rateexclusion_change", args=[row.pk])),
        ]
        for row in RateExclusion.objects.filter(demand=demand).select_related("by")
    ]
    if exclusions:
        yield Part(_("剔除统计"), [_("不计入"), _("理由"), _("申请"), _("结果")], exclusions)
    named = BulletinItem.objects.filter(demand=demand, bulletin__state="published").select_related("bulletin", "unit")
    rows = [
        [
            link(number_words(row.bulletin), reverse("admin:services_bulletinitem_change", args=[row.pk])),
            row.unit.label if row.unit else demand.community.name,
            row.answer or "—",
            chip(row.get_state_display(), "green" if row.settled_at else "amber"),
        ]
        for row in named.order_by("pk")
    ]
    if rows:
        yield Part(_("通报"), [_("期号"), _("责任单位"), _("整改情况"), _("状态")], rows)
