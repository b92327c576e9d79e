"""How often a county wants its households visited, and how long an entry holds. What is written follows at once."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Invalid
from grids.actions.permission import require
from grids.care import CADENCE, MOST_DAYS, MOST_MONTHS, expiry, next_visit
from grids.models import CareCadence, CareHousehold, CareKind, County
from grids.posts import MANAGE_COUNTY

BATCH = 500


@transaction.atomic
def set_care_rules(*, actor: Actor, county: County, days: Mapping[str, int], months: int) -> County:
    """Sets the days between visits by need, and the months an entry holds; recomputes what follows from them.

    Args:
        days: by key of `CareKind`, 1 to 366; a need that is not named keeps what it has. What equals the portal's own
            table is not stored.
        months: 1 to 12.

    Raises:
        NotFound, Forbidden: no `county.manage` over the county. Invalid: a number is out of its bounds.
    """
    require(actor, MANAGE_COUNTY, county)
    faults = {kind: _("请填写 1 到 366 天。") for kind, value in days.items() if not 1 <= value <= MOST_DAYS}
    if not 1 <= months <= MOST_MONTHS:
        faults["months"] = _("请填写 1 到 12 个月。没有核实的登记最长保留 12 个月。")
    if faults or not set(days) <= set(CareKind.values):
        raise Invalid(" ".join(dict.fromkeys(faults.values())) or _("没有这种关爱类别。"), fields=faults)
    county = County.objects.select_for_update(no_key=True).get(pk=county.pk)
    stored = {row.kind: row.days for row in CareCadence.objects.filter(county=county)}
    before = {**CADENCE, **stored}
    after = {**before, **days}
    changes: dict[str, tuple[Any, Any]] = {
        str(kind): (before[kind], after[kind]) for kind in CADENCE if before[kind] != after[kind]
    }
    if months != county.care_months:
        changes["care_months"] = (county.care_months, months)
        county.care_months = months
        county.save(update_fields=["care_months"])
    if not changes:
        return county
    CareCadence.objects.filter(county=county).delete()
    own = [CareCadence(county=county, kind=kind, days=value) for kind, value in after.items() if value != CADENCE[kind]]
    CareCadence.objects.bulk_create(own)
    _recompute(county, after)
    audit.record(actor=actor, action="care.rules", obj=county, changes=changes, label=county.name)
    return county


def _recompute(county: County, cadence: Mapping[str, int]) -> None:
    """The dates of every entry of the county, batch by batch in id order."""
    last = 0
    while True:
        rows = CareHousehold.objects.filter(county=county, pk__gt=last).order_by("pk").select_for_update(of=("self",))
        found = list(rows.prefetch_related("needs")[:BATCH])
        if not found:
            return
        for one in found:
            one.expires_on = expiry(one.confirmed_on, county.care_months)
            kinds = [need.kind for need in one.needs.all()]
            one.next_visit_on = next_visit(one.last_visit_on or timezone.localdate(one.created_at), kinds, cadence)
        CareHousehold.objects.bulk_update(found, ["expires_on", "next_visit_on"])
        last = found[-1].pk
