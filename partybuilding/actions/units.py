"""Units: registered by the county, closed only when nothing is left in their hands."""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import audit
from core.actors import Actor
from core.codes import parse_uscc
from core.errors import Conflict, Invalid
from core.text import clean_line
from grids.actions.permission import require
from grids.models import County
from partybuilding import duties
from partybuilding.models import Unit, UnitKind
from partybuilding.posts import MANAGE_UNIT

UNCHANGED: Any = object()


def create_unit(
    *,
    actor: Actor,
    county: County,
    name: str,
    kind: str = UnitKind.DEPARTMENT,
    short_name: str = "",
    credit_code: str = "",
    address: str = "",
    duty: str = "",
) -> Unit:
    """Registers a unit (单位) with the county.

    Args:
        credit_code: unified social credit code, checked; empty when unknown.
        duty: what it is responsible for, for whoever dispatches; at most 300 characters.

    Raises:
        NotFound, Forbidden: no `unit.manage` in the county. Invalid: a field is not usable.
        Conflict: the county has a unit of that name, or the code belongs to another unit.
    """
    require(actor, MANAGE_UNIT, county)
    given = {
        "name": name,
        "kind": kind,
        "short_name": short_name,
        "credit_code": credit_code,
        "address": address,
        "duty": duty,
    }
    unit = Unit(county=county, **{field: _CLEAN[field](value) for field, value in given.items()})
    with transaction.atomic():
        _refuse_taken(unit)
        _save(unit, force_insert=True)
        changes = {"name": (None, unit.name), "kind": (None, unit.kind)}
        audit.record(actor=actor, action="unit.create", obj=unit, changes=changes, label=unit.name, new=True)
    return unit


@transaction.atomic
def update_unit(
    *,
    actor: Actor,
    unit: Unit,
    name: str = UNCHANGED,
    kind: str = UNCHANGED,
    short_name: str = UNCHANGED,
    credit_code: str = UNCHANGED,
    address: str = UNCHANGED,
    duty: str = UNCHANGED,
    is_active: bool = UNCHANGED,
) -> Unit:
    """Corrects a unit, closes it or takes it into use again. What is not given stays as it is.

    Raises as `create_unit`; Conflict also when the unit is to be closed with matters in hand: the message counts them.
    """
    require(actor, MANAGE_UNIT, unit)
    unit = Unit.objects.select_for_update(of=("self",)).select_related("county").get(pk=unit.pk)
    given = {
        "name": name,
        "kind": kind,
        "short_name": short_name,
        "credit_code": credit_code,
        "address": address,
        "duty": duty,
        "is_active": is_active,
    }
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        if value is UNCHANGED:
            continue
        before, after = getattr(unit, field), _CLEAN[field](value)
        if before != after:
            setattr(unit, field, after)
            changes[field] = (before, after)
    if not changes:
        return unit
    if changes.get("is_active") == (True, False):
        _refuse_busy(unit)
    _refuse_taken(unit)
    _save(unit, update_fields=list(changes))
    audit.record(actor=actor, action="unit.update", obj=unit, changes=changes, label=unit.name)
    return unit


def _clean_kind(value: str) -> str:
    if value not in UnitKind.values:
        message = _("没有这种单位类型，请从列表中选择。")
        raise Invalid(message, fields={"kind": message})
    return value


def _line(label: Promise | str, length: int, *, required: bool = False) -> Any:
    return lambda value: clean_line(value, max_length=length, label=str(label), required=required)


_CLEAN: dict[str, Any] = {
    "name": _line(gettext_lazy("单位名称"), 60, required=True),
    "kind": _clean_kind,
    "short_name": _line(gettext_lazy("简称"), 20),
    "credit_code": lambda value: parse_uscc(value) if (value or "").strip() else "",
    "address": _line(gettext_lazy("地址"), 200),
    "duty": _line(gettext_lazy("主要职责"), 300),
    "is_active": bool,
}


def _refuse_busy(unit: Unit) -> None:
    found = [_("%(count)d 件%(label)s") % {"count": count, "label": label} for count, label in duties.in_hand(unit)]
    if found:
        raise Conflict(
            _("“%(unit)s”还有%(rows)s，办结或改派之后才能停用。") % {"unit": unit.name, "rows": "、".join(found)},
            code="unit_busy",
        )


def _refuse_taken(unit: Unit) -> None:
    others = Unit.objects.exclude(pk=unit.pk)
    if others.filter(county=unit.county, name=unit.name).exists():
        raise _taken("name", _("本县已有“%(name)s”，请核对。") % {"name": unit.name})
    if unit.credit_code and others.filter(credit_code=unit.credit_code).exists():
        raise _taken("credit_code", _("这个统一社会信用代码已登记在别的单位名下，请核对。"))


def _save(unit: Unit, **how: Any) -> None:
    """The database has the last word where two people register the same unit at once."""
    try:
        with transaction.atomic():
            unit.save(**how)
    except IntegrityError as error:
        raise _taken("name", _("这个单位刚刚已由别人登记，请刷新后查看。")) from error


def _taken(field: str, message: str) -> Conflict:
    return Conflict(message, code=f"{field}_taken", fields={field: message})
