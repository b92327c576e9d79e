"""The care ledger: households registered, corrected, visited, confirmed, moved (docs/domain.md#x6).

Locks: the places are held first (`grids.actions.locks`), then households in id order. The trail says what was done to which
entry and never holds what it was about; no notice and no timeline of a place speaks of a household.
"""

import datetime
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor, user_of
from core.errors import Conflict, Invalid, NotFound, Stale
from grids.actions.care_facts import FIELDS, PERSONAL, Facts, clean_day, clean_visit_text, cleaned, facts_of
from grids.actions.locks import hold_places
from grids.actions.permission import require
from grids.care import expiry, next_visit
from grids.care_selectors import cadence_of
from grids.models import CareHousehold, CareNeed, CareVisit, County, GridNode
from grids.posts import MANAGE_CARE

BATCH = 500


@dataclass(frozen=True)
class NewHousehold:
    """A household to be registered.

    Attributes:
        confirmed_on: when it was last found to be so; today when not given.
        last_visit_on: the last visit that was written down elsewhere.
    """

    node: GridNode
    facts: Facts
    confirmed_on: datetime.date | None = None
    last_visit_on: datetime.date | None = None


@dataclass(frozen=True)
class CorrectedHousehold:
    """What an entry is to say from now on. `confirmed_on` and `last_visit_on` count where they are later than known."""

    household: CareHousehold
    facts: Facts
    version: int | None = None
    confirmed_on: datetime.date | None = None
    last_visit_on: datetime.date | None = None


# --- Registering ----------------------------------------------------------------------------------------------------


def register_household(*, actor: Actor, node: GridNode, facts: Facts) -> CareHousehold:
    """Puts a household on the ledger, with its consent.

    Raises:
        NotFound, Forbidden: no `care.manage` at the node.
        Invalid: the place is too large or another field can not be kept; a need asks for a consent on paper.
        Conflict: it is there already, or the place is retired.
    """
    return register_many(actor=actor, rows=[NewHousehold(node, facts)])[0]


@transaction.atomic
def register_many(*, actor: Actor, rows: Sequence[NewHousehold]) -> list[CareHousehold]:
    """Puts many households on the ledger in a few statements, for imports; all or none. Raises as `register_household`."""
    if not rows:
        return []
    places = {row.node.pk: row.node for row in rows}
    for place in places.values():
        require(actor, MANAGE_CARE, place)
    fresh = {node.pk: node for node in hold_places(*places.values())}
    for node in fresh.values():
        _check_place(node)
    known = [replace(row, node=fresh[row.node.pk], facts=cleaned(row.facts)) for row in rows]
    _refuse_known(known)
    cadence = {node.county_id: cadence_of(node.county_id) for node in fresh.values()}
    made = [_new(actor, row, cadence[row.node.county_id]) for row in known]
    try:
        with transaction.atomic():
            CareHousehold.objects.bulk_create(made, batch_size=BATCH)
    except IntegrityError:
        # Without the database's own words: they name the household.
        raise _taken() from None
    pairs = list(zip(made, known, strict=True))
    CareNeed.objects.bulk_create(
        [CareNeed(household=one, kind=kind) for one, row in pairs for kind in sorted(row.facts.needs)], batch_size=BATCH
    )
    CareVisit.objects.bulk_create(
        [CareVisit(household=one, visited_on=row.last_visit_on) for one, row in pairs if row.last_visit_on],
        batch_size=BATCH,
    )
    deeds = [audit.Deed(one, _registered(one, row), label_of(one), personal=PERSONAL) for one, row in pairs]
    audit.record_many(actor=actor, action="care.register", deeds=deeds, new=True)
    return made


def _new(actor: Actor, row: NewHousehold, cadence: Mapping[str, int]) -> CareHousehold:
    today = timezone.localdate()
    confirmed_on = clean_day(row.confirmed_on or today, _("核实日期"))
    if row.last_visit_on is not None:
        clean_day(row.last_visit_on, _("走访日期"))
    expires_on = expiry(confirmed_on, row.node.county.care_months)
    if expires_on <= today:
        raise Invalid(_("上次核实已超过有效期，请先上门核实，征得同意后再登记。"), code="run_out")
    return CareHousehold(
        county_id=row.node.county_id,
        node=row.node,
        community=row.node.community,
        **{name: getattr(row.facts, name) for name in FIELDS},
        confirmed_on=confirmed_on,
        expires_on=expires_on,
        last_visit_on=row.last_visit_on,
        next_visit_on=next_visit(row.last_visit_on or today, row.facts.needs, cadence),
        created_by=user_of(actor),
    )


def _registered(one: CareHousehold, row: NewHousehold) -> dict[str, tuple[Any, Any]]:
    found = {name: (None, getattr(one, name)) for name in ("node_id", *FIELDS, "confirmed_on", "last_visit_on")}
    return {**found, "needs": (None, sorted(row.facts.needs))}


def _check_place(node: GridNode) -> None:
    """Below the community: at the community itself no keeper would see the household, and nobody would visit it."""
    if node.is_retired:
        raise Conflict(_("“%(place)s”已撤销，请选择在用的地点。") % {"place": node.path}, code="retired")
    if node.community_id is None or node.community_id == node.pk:
        message = _("请填到小区、网格、楼栋或单元，不要只填到社区。")
        raise Invalid(message, fields={"node": message})


def _refuse_known(rows: Sequence[NewHousehold]) -> None:
    wanted = [_key(row.node.pk, row.facts) for row in rows]
    if len(set(wanted)) < len(wanted):
        raise _taken()
    nodes = sorted({row.node.pk for row in rows})
    for start in range(0, len(nodes), BATCH):
        there = CareHousehold.objects.filter(node_id__in=nodes[start : start + BATCH])
        if not set(wanted).isdisjoint(there.values_list("node_id", "room", "name")):
            raise _taken()


def _key(node_id: int, facts: Facts) -> tuple[int, str, str]:
    return node_id, facts.room, facts.name


def _taken() -> Conflict:
    message = _("这个门牌的这位联系人已经在台账里，请在台账中查找；已到期的，直接核实即可。")
    return Conflict(message, code="known", fields={"room": message})


# --- Correcting -----------------------------------------------------------------------------------------------------


def correct_household(
    *, actor: Actor, household: CareHousehold, facts: Facts, version: int | None = None
) -> CareHousehold:
    """Corrects what is written down about a household.

    Raises:
        NotFound, Forbidden: no `care.manage` there. Stale: somebody changed it meanwhile.
        Invalid: as `register_household`. Conflict: it has run out, or another entry says the same.
    """
    return correct_many(actor=actor, rows=[CorrectedHousehold(household, facts, version)])[0]


@transaction.atomic
def correct_many(*, actor: Actor, rows: Sequence[CorrectedHousehold]) -> list[CareHousehold]:
    """Corrects many entries in a few statements, for imports; all or none. Raises as `correct_household`."""
    locked = _locked(actor, [row.household for row in rows])
    cadence = {one.county_id: cadence_of(one.county_id) for one in locked}
    months = dict(County.objects.filter(pk__in=cadence).values_list("pk", "care_months"))
    changed, deeds = [], []
    gone: list[int] = []
    needs: list[CareNeed] = []
    visits: list[CareVisit] = []
    for one, row in zip(locked, rows, strict=True):
        if row.confirmed_on is None:
            _refuse_expired(one)
        _check_version(one, row.version)
        before, after = facts_of(one), cleaned(row.facts)
        changes = {
            name: (getattr(before, name), getattr(after, name))
            for name in FIELDS
            if getattr(before, name) != getattr(after, name)
        }
        if before.needs != after.needs:
            changes["needs"] = (sorted(before.needs), sorted(after.needs))
            gone += [need.pk for need in one.needs.all() if need.kind not in after.needs]
            needs += [CareNeed(household=one, kind=kind) for kind in sorted(after.needs - before.needs)]
        if row.last_visit_on and (one.last_visit_on is None or row.last_visit_on > one.last_visit_on):
            clean_day(row.last_visit_on, _("走访日期"))
            changes["last_visit_on"] = (one.last_visit_on, row.last_visit_on)
            visits.append(CareVisit(household=one, visited_on=row.last_visit_on))
        if row.confirmed_on and row.confirmed_on > one.confirmed_on:
            clean_day(row.confirmed_on, _("核实日期"))
            changes["confirmed_on"] = (one.confirmed_on, row.confirmed_on)
        if not changes:
            continue
        for name, (_before, value) in changes.items():
            if name != "needs":
                setattr(one, name, value)
        one.expires_on = expiry(one.confirmed_on, months[one.county_id])
        _refuse_expired(one)
        one.next_visit_on = next_visit(_since(one), after.needs, cadence[one.county_id])
        one.version += 1
        changed.append(one)
        deeds.append(audit.Deed(one, changes, label_of(one), personal=PERSONAL))
    _store(changed, (*FIELDS, "last_visit_on", "confirmed_on", "expires_on", "next_visit_on", "version"))
    for start in range(0, len(gone), BATCH):
        CareNeed.objects.filter(pk__in=gone[start : start + BATCH]).delete()
    CareNeed.objects.bulk_create(needs, batch_size=BATCH)
    CareVisit.objects.bulk_create(visits, batch_size=BATCH)
    if deeds:
        audit.record_many(actor=actor, action="care.correct", deeds=deeds)
    return locked


@transaction.atomic
def move_household(
    *, actor: Actor, household: CareHousehold, node: GridNode, room: str, version: int | None = None
) -> CareHousehold:
    """Takes an entry to another door of the same community. In another community the household is asked anew.

    Raises:
        NotFound, Forbidden: no `care.manage` at the household or at the place it goes to. Stale.
        Invalid: the place is too large or in another community. Conflict: as `correct_household`; the place is retired.
    """
    require(actor, MANAGE_CARE, node)
    (node,) = hold_places(node)
    (one,) = _locked(actor, [household])
    _refuse_expired(one)
    _check_version(one, version)
    _check_place(node)
    if node.community_id != one.community_id:
        message = _("只能在本社区内调整。搬到别的社区的，请在这里删除，由那边征得同意后重新登记。")
        raise Invalid(message, fields={"node": message})
    room = cleaned(replace(facts_of(one), room=room)).room
    if (node.pk, room) == (one.node_id, one.room):
        return one
    changes = {"node_id": (one.node_id, node.pk), "room": (one.room, room)}
    one.node, one.room, one.version = node, room, one.version + 1
    _store([one], ("node", "room", "version"))
    audit.record(actor=actor, action="care.move", obj=one, changes=changes, label=label_of(one), personal=PERSONAL)
    return one


# --- Visits ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def record_visit(
    *,
    actor: Actor,
    household: CareHousehold,
    visited_on: datetime.date,
    text: str = "",
    confirmed: bool = False,
) -> CareVisit:
    """Writes down a visit; sent twice, it is one visit.

    Args:
        visited_on: not in the future.
        text: what is needed, at most 500 characters; numbers and the person's name in it are masked.
        confirmed: the needs were found to be so and the person still agrees (`confirm_household`).

    Raises:
        NotFound, Forbidden: no `care.manage` there. Invalid: day or text. Conflict: the entry has run out and is not
        confirmed with the visit.
    """
    (one,) = _locked(actor, [household])
    if not confirmed:
        _refuse_expired(one)
    try:
        clean_day(visited_on, _("走访日期"))
    except Invalid as error:
        raise Invalid(error.message, fields={"visited_on": error.message}) from None
    text = clean_visit_text(text, one)
    same = CareVisit.objects.filter(household=one, visited_on=visited_on, visited_by=user_of(actor), text=text).first()
    if same is None:
        visit = CareVisit.objects.create(household=one, visited_on=visited_on, visited_by=user_of(actor), text=text)
        changes = {"visited_on": (None, visited_on), **({"text": ("", text)} if text else {})}
        audit.record(actor=actor, action="care.visit", obj=one, changes=changes, label=label_of(one), personal=PERSONAL)
    else:
        visit = same
    if one.last_visit_on is None or visited_on > one.last_visit_on:
        one.last_visit_on = visited_on
        kinds = [need.kind for need in one.needs.all()]
        one.next_visit_on = next_visit(visited_on, kinds, cadence_of(one.county_id))
        _store([one], ("last_visit_on", "next_visit_on"))
    if confirmed:
        _confirm(actor, one)
    return visit


@transaction.atomic
def confirm_household(*, actor: Actor, household: CareHousehold, version: int | None = None) -> CareHousehold:
    """Writes down that somebody asked: the needs are still so, and the person still agrees. A new term begins.

    Args:
        version: of the entry that was read out; what was confirmed must be what stands there.

    Raises:
        NotFound, Forbidden: no `care.manage` there. Stale: somebody changed it meanwhile.
    """
    (one,) = _locked(actor, [household])
    _check_version(one, version)
    _confirm(actor, one)
    return one


def _confirm(actor: Actor, one: CareHousehold) -> None:
    today = timezone.localdate()
    expires_on = expiry(today, one.county.care_months)
    if (one.confirmed_on, one.expires_on) == (today, expires_on):
        return
    changes = {"confirmed_on": (one.confirmed_on, today), "expires_on": (one.expires_on, expires_on)}
    one.confirmed_on, one.expires_on, one.version = today, expires_on, one.version + 1
    _store([one], ("confirmed_on", "expires_on", "version"))
    audit.record(actor=actor, action="care.confirm", obj=one, changes=changes, label=label_of(one))


# --- What all of them share -----------------------------------------------------------------------------------------


def label_of(one: CareHousehold) -> str:
    """For the trail: the community and the kind of thing, nobody's name and no door."""
    return f"{one.community.name} {one._meta.verbose_name}"


def _locked(actor: Actor, households: Iterable[CareHousehold]) -> list[CareHousehold]:
    """The entries as they are now, locked in id order and answered in the order given.

    Raises NotFound for one that is gone, out of sight or past its time, Forbidden without the right.
    """
    wanted = list(households)
    pks = sorted({one.pk for one in wanted})
    found: dict[int, CareHousehold] = {}
    for start in range(0, len(pks), BATCH):
        rows = CareHousehold.objects.kept().filter(pk__in=pks[start : start + BATCH]).order_by("pk")
        some = list(rows.select_for_update(of=("self",)).select_related("node", "community", "county"))
        prefetch_related_objects(some, "needs")
        found.update({one.pk: one for one in some})
    for one in wanted:
        if one.pk not in found:
            raise NotFound(_("没有找到这户。可能已被删除，或不在您的管辖范围内。"))
        require(actor, MANAGE_CARE, found[one.pk])
    return [found[one.pk] for one in wanted]


def _refuse_expired(one: CareHousehold) -> None:
    if one.expires_on <= timezone.localdate():
        raise Conflict(_("这户的登记已到期，请先上门核实，再办其他事。"), code="run_out")


def _check_version(one: CareHousehold, version: int | None) -> None:
    if version is not None and version != one.version:
        raise Stale(_("这户的登记刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。"))


def _since(one: CareHousehold) -> datetime.date:
    """From when the next visit is counted."""
    return one.last_visit_on or timezone.localdate(one.created_at)


def _store(rows: Sequence[CareHousehold], fields: Collection[str]) -> None:
    try:
        with transaction.atomic():
            CareHousehold.objects.bulk_update(rows, list(fields), batch_size=BATCH)
    except IntegrityError:
        raise _taken() from None
