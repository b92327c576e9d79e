"""Stations for floating members: opened at a place, kept by somebody, closed when nobody is registered there any more.

Locks: the street of the place, then the station. Source: docs/domain.md#h2.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.models import User
from core.text import clean_line
from grids.actions.locks import hold_places
from grids.actions.permission import require
from grids.actions.terms import check_person
from grids.models import GridNode
from partybuilding.models import FloatingMember, Station
from partybuilding.posts import MANAGE_STATION

UNCHANGED: Any = object()


@transaction.atomic
def create_station(
    *, actor: Actor, node: GridNode, name: str, address: str = "", keeper: User | None = None
) -> Station:
    """Opens a station at a place.

    Args:
        keeper: the account of who keeps it, told of members nobody has been in touch with.

    Raises:
        NotFound, Forbidden: no `station.manage` at the place.
        Invalid: the place is retired or above the communities, the keeper's account is stopped or of another county, a
            field is not usable. Conflict: the county has a station of that name.
    """
    (node,) = hold_places(node)
    require(actor, MANAGE_STATION, node)
    if node.is_retired or node.community_id is None:
        message = _("驿站请设在在用的社区，或社区内的小区、网格。")
        raise Invalid(message, fields={"node": message})
    row = Station(county_id=node.county_id, node=node, name=_clean_name(name), address=_clean_address(address))
    row.keeper = _clean_keeper(keeper, node)
    _save(row, force_insert=True)
    changes = {"name": (None, row.name), "node_id": (None, row.node_id), "keeper_id": (None, row.keeper_id)}
    audit.record(actor=actor, action="station.create", obj=row, changes=changes, label=row.name, new=True)
    return row


@transaction.atomic
def update_station(
    *,
    actor: Actor,
    station: Station,
    name: str = UNCHANGED,
    address: str = UNCHANGED,
    keeper: User | None = UNCHANGED,
    is_active: bool = UNCHANGED,
    version: int | None = None,
) -> Station:
    """Corrects a station, closes it or opens it again. What is not given stays.

    Raises as `create_station`; Conflict also when it is to be closed with members present. Stale: the page is old.
    """
    (node,) = hold_places(station.node)
    row = Station.objects.select_for_update(of=("self",)).select_related("node__county", "keeper").get(pk=station.pk)
    require(actor, MANAGE_STATION, row)
    if version is not None and version != row.version:
        raise Stale(_("这个驿站刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))
    given: dict[str, Any] = {"is_active": is_active}
    given["name"] = name if name is UNCHANGED else _clean_name(name)
    given["address"] = address if address is UNCHANGED else _clean_address(address)
    given["keeper"] = keeper if keeper is UNCHANGED or keeper == row.keeper else _clean_keeper(keeper, node)
    changes: dict[str, tuple[Any, Any]] = {}
    for field, value in given.items():
        before = getattr(row, field)
        if value is not UNCHANGED and value != before:
            setattr(row, field, value)
            changes[field] = (before, value)
    if changes.get("is_active") == (True, False):
        present = FloatingMember.objects.filter(station=row, end=None).count()
        if present:
            message = _("这里还登记着 %(count)d 名流动党员，请先把他们转到别的驿站，或登记离开。")
            raise Conflict(message % {"count": present}, code="has_members")
    if changes.get("is_active") == (False, True) and node.is_retired:
        raise Conflict(_("“%(place)s”已撤销，请另开驿站。") % {"place": node.name}, code="retired")
    if changes:
        row.version += 1
        _save(row, update_fields=[*changes, "version"])
        audit.record(actor=actor, action="station.update", obj=row, changes=changes, label=row.name)
    return row


def _save(row: Station, **how: Any) -> None:
    try:
        with transaction.atomic():
            row.save(**how)
    except IntegrityError as error:
        message = _("本县已有“%(name)s”，请换一个名称。") % {"name": row.name}
        raise Conflict(message, code="name_taken", fields={"name": message}) from error


def _clean_keeper(keeper: User | None, node: GridNode) -> User | None:
    if keeper is not None:
        try:
            check_person(keeper, node.county)
        except Invalid as error:
            raise Invalid(error.message, fields={"keeper": error.message}) from error
    return keeper


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=60, label=_("驿站名称"), field="name", required=True)


def _clean_address(address: str) -> str:
    return clean_line(address, max_length=200, label=_("地址"), field="address")
