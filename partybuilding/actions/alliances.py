"""Joint bodies of a place and its units: founded, corrected, closed. Who sits on them: `alliance_seats`.

Locks, in this order: the street of the place, the body, units; each in id order. Source: docs/domain.md#l4, #g4.
"""

import datetime
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, NotFound, Stale
from core.text import clean_line
from grids.actions.locks import hold_places
from grids.actions.permission import require
from grids.actions.terms import BATCH
from grids.models import GridNode
from grids.querysets import unended
from partybuilding.alliance_rules import LEVELS, NAMES
from partybuilding.models import Alliance, AllianceSeat
from partybuilding.posts import MANAGE_ALLIANCE

UNCHANGED: Any = object()


@transaction.atomic
def create_alliance(
    *, actor: Actor, node: GridNode, kind: str, name: str = "", founded_on: datetime.date | None = None
) -> Alliance:
    """Founds a joint body at a place.

    Args:
        kind: one of `AllianceKind`; which stands at which level says `alliance_rules.LEVELS`.
        name: empty for the place's own, "新城社区党建联盟".
        founded_on: not after today.

    Raises:
        NotFound, Forbidden: no `alliance.manage` at the place.
        Invalid: such a kind does not stand at this level, the place is retired, a field is not usable.
        Conflict: the place has one of the kind.
    """
    (node,) = hold_places(node)
    require(actor, MANAGE_ALLIANCE, node)
    if kind not in LEVELS or node.level_type.key not in LEVELS[kind]:
        raise _refusal("kind", _("“%(place)s”不设这种联盟，请核对地点和类型。") % {"place": node.name})
    if node.is_retired:
        raise _refusal("node", _("“%(place)s”已撤销，请选择现在的地方。") % {"place": node.name})
    name = clean_line(name, max_length=60, label=_("名称"), field="name") or f"{node.name}{NAMES[kind]}"[:60]
    row = Alliance(county_id=node.county_id, node=node, kind=kind, name=name, founded_on=_clean_day(founded_on))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        words = {"place": node.name, "kind": row.get_kind_display()}
        message = _("“%(place)s”已经有%(kind)s，请在它上面办理。") % words
        raise Conflict(message, code="alliance_already", fields={"kind": message}) from error
    told = {"name": (None, row.name), "kind": (None, row.kind), "node_id": (None, row.node_id)}
    audit.record(actor=actor, action="alliance.create", obj=row, changes=told, label=row.name, new=True)
    return row


@transaction.atomic
def update_alliance(
    *,
    actor: Actor,
    alliance: Alliance,
    name: str = UNCHANGED,
    founded_on: datetime.date | None = UNCHANGED,
    version: int | None = None,
) -> Alliance:
    """Corrects name and founding day. Raises as `create_alliance`; Stale when the page is old."""
    row = held_alliances([alliance])[alliance.pk]
    require(actor, MANAGE_ALLIANCE, row)
    refuse_stale(row, version)
    given: dict[str, Any] = {}
    if name is not UNCHANGED:
        given["name"] = clean_line(name, max_length=60, label=_("名称"), field="name", required=True)
    if founded_on is not UNCHANGED:
        given["founded_on"] = _clean_day(founded_on)
    _write(actor, "alliance.update", row, given)
    return row


@transaction.atomic
def close_alliance(*, actor: Actor, alliance: Alliance, reason: str, version: int | None = None) -> Alliance:
    """Closes a joint body; whoever sits on it does so up to today.

    Raises:
        NotFound, Forbidden: no `alliance.manage` there. Invalid: no reason. Conflict: it is closed already. Stale.
    """
    row = held_alliances([alliance])[alliance.pk]
    require(actor, MANAGE_ALLIANCE, row)
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason", required=True)
    refuse_closed(row)
    refuse_stale(row, version)
    today = timezone.localdate()
    seats = list(AllianceSeat.objects.select_for_update().filter(unended(), alliance=row).order_by("pk"))
    deeds = []
    for seat in seats:
        seat.alliance, before = row, seat.end
        # A term to come ends before it has begun: on its first day, as everywhere.
        seat.end = max(today, seat.start)
        seat.version += 1
        deeds.append(audit.Deed(seat, {"end": (before, seat.end)}, label=str(seat), reason=reason))
    AllianceSeat.objects.bulk_update(seats, ["end", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="alliance.seat_end", deeds=deeds)
    _write(actor, "alliance.close", row, {"is_active": False}, reason=reason)
    return row


def held_alliances(alliances: Iterable[Alliance]) -> dict[int, Alliance]:
    """Joint bodies as they are now, their places held and they themselves locked: the lock of their seats."""
    wanted = {one.pk: one for one in alliances}
    hold_places(*{one.node_id: one.node for one in wanted.values()}.values())
    rows = Alliance.objects.select_for_update(of=("self",), no_key=True).select_related("node", "county")
    found = {row.pk: row for row in rows.filter(Q(pk__in=list(wanted))).order_by("pk")}
    if len(found) < len(wanted):
        raise NotFound(_("没有找到这个联盟，或不在您的管辖范围内。"))
    return found


def refuse_closed(row: Alliance) -> None:
    if not row.is_active:
        raise Conflict(_("“%(name)s”已经撤销。") % {"name": row.name}, code="alliance_closed")


def refuse_stale(row: Alliance | AllianceSeat, version: int | None) -> None:
    if version is not None and version != row.version:
        raise Stale(_("这条记录刚刚被别人改动过，请刷新页面，看过最新情况后再办理。"))


def _write(actor: Actor, action: str, row: Alliance, given: dict[str, Any], *, reason: str = "") -> None:
    changes = {}
    for field, value in given.items():
        before = getattr(row, field)
        if value != before:
            setattr(row, field, value)
            changes[field] = (before, value)
    if not changes:
        return
    row.version += 1
    row.save(update_fields=[*changes, "version"])
    audit.record(actor=actor, action=action, obj=row, changes=changes, label=row.name, reason=reason)


def _clean_day(day: datetime.date | None) -> datetime.date | None:
    if day is not None and day > timezone.localdate():
        raise _refusal("founded_on", _("成立日期不能晚于今天。"))
    return day


def _refusal(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})
