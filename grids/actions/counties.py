"""Counties."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import SYSTEM, Actor
from core.codes import DivisionLevel, parse_division_code
from core.errors import Conflict, Forbidden
from core.text import clean_line
from grids.actions.levels import arrange_levels, drafts_of, preset_of
from grids.models import County


@transaction.atomic
def create_county(*, actor: Actor, code: str, name: str, preset: str, department: str = "") -> County:
    """Makes a county with the levels of a preset.

    Args:
        code: the county's division code, 6 digits (12 with zeros behind are taken too).
        preset: key of `grids.levels.PRESETS`.
        department: who is in charge there; 县委组织部 when empty.

    Raises:
        Forbidden: a person asks; a county is made by `manage.py setup_county` on the server alone.
        Invalid: code, name or preset is not usable. Conflict: the county stands already.
    """
    if actor is not SYSTEM:
        raise Forbidden(_("县由系统维护人员在服务器上建立。"))
    division = parse_division_code(code, level=DivisionLevel.COUNTY)
    name = clean_line(name, max_length=60, label=_("县名"), required=True)
    department = clean_line(department, max_length=60, label=_("主管部门"))
    chosen = preset_of(preset)
    if County.objects.filter(code=division.short).exists():
        raise _stands(division.short)
    county = County(code=division.short, name=name)
    if department:
        county.department = department
    try:
        with transaction.atomic():
            county.save(force_insert=True)
    except IntegrityError as error:
        raise _stands(division.short) from error
    changes = {"code": (None, county.code), "name": (None, name)}
    audit.record(actor=actor, action="county.create", obj=county, changes=changes, label=name, new=True)
    arrange_levels(actor=actor, county=county, levels=drafts_of(chosen))
    return county


def _stands(code: str) -> Conflict:
    return Conflict(_("区划代码 %(code)s 的县已经建立。") % {"code": code}, code="county_exists")
