"""How far a county pairs, and how many places it wants one holder to have."""

from django.db import transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Invalid
from grids.actions.permission import require
from grids.models import County
from grids.posts import MANAGE_COUNTY
from partybuilding.models import PairingGuide
from partybuilding.pairing_kinds import KINDS

MOST = 100


@transaction.atomic
def set_pairing_guide(*, actor: Actor, county: County, kind: str, level: str, most: int) -> PairingGuide:
    """Says of which level every place should have a pairing of a kind, and how many places a holder should have at most.

    Args:
        level: one of the kind's levels that the county has; empty where not every place is meant to have one.
        most: 1 to 100.

    Raises:
        NotFound, Forbidden: no `county.manage` over the whole county. Invalid: level or number are not usable.
    """
    require(actor, MANAGE_COUNTY, county)
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    if kind not in KINDS:
        raise Invalid(_("请选择包联类型。"), fields={"kind": _("请选择包联类型。")})
    names = dict(county.levels.values_list("key", "name"))
    if level and (level not in KINDS[kind].levels or level not in names):
        message = _("“%(kind)s”不能到这一级，请从列表中选择。") % {"kind": KINDS[kind].label}
        raise Invalid(message, fields={"level": message})
    if not 1 <= most <= MOST:
        message = _("请填 1 到 %(most)d 之间的数。") % {"most": MOST}
        raise Invalid(message, fields={"most": message})
    row = PairingGuide.objects.filter(county=county, kind=kind).first()
    before = (row.level, row.most) if row else (None, None)
    if before == (level, most):
        assert row is not None
        return row
    guide, made = PairingGuide.objects.update_or_create(
        county=county, kind=kind, defaults={"level": level, "most": most}
    )
    changes = {"level": (names.get(before[0] or "", ""), names.get(level, "")), "most": (before[1], most)}
    label = f"{county.name} {KINDS[kind].label}"
    audit.record(actor=actor, action="pairing.guide", obj=guide, changes=changes, label=label, new=made)
    return guide
