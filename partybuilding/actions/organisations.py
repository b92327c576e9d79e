"""Party organisations: a forest of its own beside the grid.

They are few, so one lock guards them all: the county's, as when a street is made (`grids.actions.locks`). New ones come
last among their siblings.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid
from core.text import clean_line
from grids.actions.locks import hold_places, lock_forest
from grids.actions.permission import require
from grids.models import County, GridNode
from partybuilding.models import OrganisationKind, PartyOrganisation, Unit
from partybuilding.posts import MANAGE_ORGANISATION

UNCHANGED: Any = object()


@transaction.atomic
def create_organisation(
    *,
    actor: Actor,
    county: County,
    name: str,
    kind: str = OrganisationKind.BRANCH,
    parent: PartyOrganisation | None = None,
    node: GridNode | None = None,
    unit: Unit | None = None,
) -> PartyOrganisation:
    """Makes a party organisation: of a place, of a unit, or a joint one of neither.

    Raises:
        NotFound, Forbidden: no `organisation.manage` in the county.
        Invalid: name or kind is not usable; parent, place or unit is out of use or of another county; place and unit
        are both given. Conflict: the county has an organisation of that name.
    """
    require(actor, MANAGE_ORGANISATION, county)
    county = lock_forest(county)
    if node is not None:
        (node,) = hold_places(node)
    if node is not None and unit is not None:
        raise Invalid(_("党组织要么设在网格，要么设在单位，请只选一个。"), fields={"unit": _("请只选一个。")})
    if parent is not None:
        parent = PartyOrganisation.objects.get(pk=parent.pk)
    _check_used(county, parent=parent, node=node, unit=unit)
    row = PartyOrganisation(
        county=county, name=_clean_name(name), kind=_clean_kind(kind), parent=parent, node=node, unit=unit
    )
    _save(row, force_insert=True)
    changes = {"name": (None, row.name), "kind": (None, row.kind), "parent_id": (None, row.parent_id)}
    audit.record(actor=actor, action="organisation.create", obj=row, changes=changes, label=row.name, new=True)
    return row


@transaction.atomic
def update_organisation(
    *,
    actor: Actor,
    organisation: PartyOrganisation,
    name: str = UNCHANGED,
    kind: str = UNCHANGED,
    is_active: bool = UNCHANGED,
) -> PartyOrganisation:
    """Renames an organisation, corrects its kind, closes it or takes it into use again. What is not given stays.

    Raises as `create_organisation`; Conflict also when one in use stands below the one to be closed.
    """
    require(actor, MANAGE_ORGANISATION, organisation)
    lock_forest(organisation.county)
    row = PartyOrganisation.objects.select_related("county", "node").get(pk=organisation.pk)
    given: dict[str, Any] = {"is_active": is_active}
    given["name"] = name if name is UNCHANGED else _clean_name(name)
    given["kind"] = kind if kind is UNCHANGED else _clean_kind(kind)
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(row, field)
        if value is not UNCHANGED and value != before:
            setattr(row, field, value)
            changes[field] = (before, value)
    if not changes:
        return row
    if changes.get("is_active") == (False, True) and row.node is not None:
        _check_used(row.county, parent=None, node=hold_places(row.node)[0], unit=None)
    if changes.get("is_active") == (True, False) and row.get_children().filter(is_active=True).exists():
        raise Conflict(_("“%(name)s”之下还有在用的党组织，请先停用它们。") % {"name": row.name}, code="has_children")
    _save(row, update_fields=list(changes))
    audit.record(actor=actor, action="organisation.update", obj=row, changes=changes, label=row.name)
    return row


def _check_used(county: County, *, parent: PartyOrganisation | None, node: GridNode | None, unit: Unit | None) -> None:
    refused = {
        "parent": parent is not None and (parent.county_id != county.pk or not parent.is_active),
        "node": node is not None and (node.county_id != county.pk or node.is_retired),
        "unit": unit is not None and (unit.county_id != county.pk or not unit.is_active),
    }
    for field, wrong in refused.items():
        if wrong:
            message = _("请选择本县在用的上级党组织、网格或单位。")
            raise Invalid(message, fields={field: message})


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=100, label=_("党组织名称"), required=True)


def _clean_kind(kind: str) -> str:
    if kind not in OrganisationKind.values:
        message = _("没有这种党组织类型，请从列表中选择。")
        raise Invalid(message, fields={"kind": message})
    return kind


def _save(row: PartyOrganisation, **how: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        message = _("本县已有“%(name)s”，请核对。") % {"name": row.name}
        raise Conflict(message, code="name_taken", fields={"name": message}) from error
