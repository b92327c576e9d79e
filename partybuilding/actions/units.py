"""Units: registered by the county, closed only when nothing is left in their hands."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
from grids.actions.terms import BATCH, batches
from grids.models import County
from partybuilding import duties
from partybuilding.models import DOMAIN_OF_KIND, Domain, Unit, UnitKind
from partybuilding.posts import MANAGE_UNIT

UNCHANGED: Any = object()


@dataclass(frozen=True)
class NewUnit:
    """A unit to be registered. The fields mean what the arguments of `create_unit` mean."""

    name: str
    kind: str = UnitKind.DEPARTMENT
    domain: str = ""
    short_name: str = ""
    credit_code: str = ""
    address: str = ""
    duty: str = ""


@dataclass(frozen=True)
class UnitChange:
    """What is to be different of a unit. The fields mean what the arguments of `update_unit` mean."""

    unit: Unit
    name: str = UNCHANGED
    kind: str = UNCHANGED
    domain: str = UNCHANGED
    short_name: str = UNCHANGED
    credit_code: str = UNCHANGED
    address: str = UNCHANGED
    duty: str = UNCHANGED
    is_active: bool = UNCHANGED


def create_unit(
    *,
    actor: Actor,
    county: County,
    name: str,
    kind: str = UnitKind.DEPARTMENT,
    domain: str = "",
    short_name: str = "",
    credit_code: str = "",
    address: str = "",
    duty: str = "",
) -> Unit:
    """Registers a unit (单位) with the county.

    Args:
        domain: the field of party work (所属领域); empty for the one that goes with the kind.
        credit_code: unified social credit code, checked; empty when unknown.
        duty: what it is responsible for, for whoever dispatches; at most 300 characters.

    Raises:
        NotFound, Forbidden: no `unit.manage` in the county. Invalid: a field is not usable.
        Conflict: the county has a unit of that name, or the code belongs to another unit.
    """
    row = NewUnit(name, kind, domain, short_name, credit_code, address, duty)
    return create_units(actor=actor, county=county, rows=[row])[0]


@transaction.atomic
def create_units(*, actor: Actor, county: County, rows: Sequence[NewUnit]) -> list[Unit]:
    """Registers many units in a few statements, for imports; all or none. Raises as `create_unit`."""
    require(actor, MANAGE_UNIT, county)
    made = [Unit(county=county, **{name: _CLEAN[name](value) for name, value in vars(row).items()}) for row in rows]
    for unit in made:
        unit.domain = unit.domain or DOMAIN_OF_KIND[UnitKind(unit.kind)]
    _refuse_taken(made)
    with _last_word():
        Unit.objects.bulk_create(made, batch_size=BATCH)
    deeds = [
        audit.Deed(
            unit,
            {"name": (None, unit.name), "kind": (None, unit.kind), "domain": (None, unit.domain)},
            label=unit.name,
        )
        for unit in made
    ]
    audit.record_many(actor=actor, action="unit.create", deeds=deeds, new=True)
    return made


def update_unit(
    *,
    actor: Actor,
    unit: Unit,
    name: str = UNCHANGED,
    kind: str = UNCHANGED,
    domain: str = UNCHANGED,
    short_name: str = UNCHANGED,
    credit_code: str = UNCHANGED,
    address: str = UNCHANGED,
    duty: str = UNCHANGED,
    is_active: bool = UNCHANGED,
) -> Unit:
    """Corrects a unit, closes it or takes it into use again. What is not given stays as it is; a domain nobody chose
    goes along with the kind, and an empty one is the kind's own.

    Raises as `create_unit`; Conflict also when the unit is to be closed with matters in hand: the message counts them.
    """
    row = UnitChange(unit, name, kind, domain, short_name, credit_code, address, duty, is_active)
    return update_units(actor=actor, rows=[row])[0]


@transaction.atomic
def update_units(*, actor: Actor, rows: Sequence[UnitChange]) -> list[Unit]:
    """Corrects many units in a few statements, for imports; all or none. Raises as `update_unit`."""
    for row in rows:
        require(actor, MANAGE_UNIT, row.unit)
    found: dict[int, Unit] = {}
    locked = Unit.objects.select_for_update(of=("self",)).select_related("county")
    for some in batches(sorted(row.unit.pk for row in rows)):
        found.update({unit.pk: unit for unit in locked.filter(pk__in=some).order_by("pk")})
    deeds = []
    for row in rows:
        unit = found[row.unit.pk]
        if changes := _change(unit, row):
            deeds.append(audit.Deed(unit, changes, label=unit.name))
    changed = [found[deed.obj.pk] for deed in deeds]
    _refuse_taken(changed)
    with _last_word():
        Unit.objects.bulk_update(changed, list(_CLEAN), batch_size=BATCH)
    audit.record_many(actor=actor, action="unit.update", deeds=deeds)
    return [found[row.unit.pk] for row in rows]


def _change(unit: Unit, row: UnitChange) -> dict[str, tuple[Any, Any]]:
    """Sets what a row gives; answers what differed."""
    changes: dict[str, tuple[Any, Any]] = {}
    given = {field: clean(value) for field, clean in _CLEAN.items() if (value := getattr(row, field)) is not UNCHANGED}
    kind = given.get("kind", unit.kind)
    given["domain"] = given.get("domain", unit.domain_as(kind)) or DOMAIN_OF_KIND[UnitKind(kind)]
    for field, after in given.items():
        before = getattr(unit, field)
        if before != after:
            setattr(unit, field, after)
            changes[field] = (before, after)
    if changes.get("is_active") == (True, False):
        _refuse_busy(unit)
    return changes


def _clean_kind(value: str) -> str:
    if value not in UnitKind.values:
        message = _("没有这种单位类型，请从列表中选择。")
        raise Invalid(message, fields={"kind": message})
    return value


def _clean_domain(value: str) -> str:
    if value and value not in Domain.values:
        message = _("没有这个领域，请从列表中选择。")
        raise Invalid(message, fields={"domain": message})
    return value


def _line(label: Promise | str, length: int, *, required: bool = False) -> Any:
    return lambda value: clean_line(value, max_length=length, label=str(label), required=required)


_CLEAN: dict[str, Any] = {
    "name": _line(gettext_lazy("单位名称"), 60, required=True),
    "kind": _clean_kind,
    "domain": _clean_domain,
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


def _refuse_taken(units: Sequence[Unit]) -> None:
    """Raises Conflict when one of the units has the name of another in its county, or its code."""
    own = [unit.pk for unit in units if unit.pk]
    for some in batches(units):
        others = Unit.objects.exclude(pk__in=own)
        names = others.filter(county=some[0].county, name__in=[unit.name for unit in some])
        if (other := names.first()) is not None:
            raise _taken("name", _("本县已有“%(name)s”，请核对。") % {"name": other.name})
        if others.filter(credit_code__in=[unit.credit_code for unit in some if unit.credit_code]).exists():
            raise _taken("credit_code", _("这个统一社会信用代码已登记在别的单位名下，请核对。"))


@contextmanager
def _last_word() -> Iterator[None]:
    """The database has the last word where two people register the same unit at once."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise _taken("name", _("这个单位刚刚已由别人登记，请刷新后查看。")) from error


def _taken(field: str, message: str) -> Conflict:
    return Conflict(message, code=f"{field}_taken", fields={field: message})
