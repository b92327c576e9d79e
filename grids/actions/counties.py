"""Counties and their levels."""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import SYSTEM, Actor
from core.codes import DivisionLevel, parse_division_code
from core.errors import Conflict, Forbidden, Invalid
from core.text import clean_line
from grids.actions.permission import require
from grids.levels import PRESETS, STEP, Preset
from grids.models import County, Level
from grids.posts import MANAGE_COUNTY


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
    chosen = _preset(preset)
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
    _write_levels(actor, county, chosen)
    return county


@transaction.atomic
def load_preset(*, actor: Actor, county: County, preset: str) -> list[Level]:
    """Gives a county the levels of a preset, in place of those it has; only while no node stands on them.

    Raises:
        NotFound, Forbidden: the actor does not manage the county. Invalid: no such preset.
        Conflict: the county has nodes already.
    """
    require(actor, MANAGE_COUNTY, county)
    chosen = _preset(preset)
    County.objects.select_for_update(no_key=True).get(pk=county.pk)
    if county.nodes.exists():
        raise Conflict(_("“%(county)s”已经有网格，层级不能整套更换。") % {"county": county.name})
    county.levels.all().delete()
    return _write_levels(actor, county, chosen)


def _preset(key: str) -> Preset:
    if key not in PRESETS:
        known = "、".join(f"{preset.key}（{preset.name}）" for preset in PRESETS.values())
        message = _("没有“%(key)s”这套层级，可选：%(known)s。") % {"key": key, "known": known}
        raise Invalid(message, fields={"preset": message})
    return PRESETS[key]


def _write_levels(actor: Actor, county: County, preset: Preset) -> list[Level]:
    rows = Level.objects.bulk_create(
        Level(county=county, key=level.key, order=number * STEP, name=str(level.name), holder_post=level.holder_post)
        for number, level in enumerate(preset.levels, start=1)
    )
    changes = {"levels": (None, [row.key for row in rows])}
    audit.record(actor=actor, action="county.levels", obj=county, changes=changes, label=county.name)
    return rows


def _stands(code: str) -> Conflict:
    return Conflict(_("区划代码 %(code)s 的县已经建立。") % {"code": code}, code="county_exists")
