"""Party organisations: a forest of its own beside the grid.

They are few, so one lock guards them all: the county's, as when a street is made (`grids.actions.locks`); then the streets
of their places, then units. What hangs below what is the truth; the bounds of the trees are worked out from it anew with
every change (`partybuilding.forest`), for one organisation and for a table of hundreds alike. New ones come last among
their siblings.
"""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.text import clean_line
from grids.actions.locks import hold_places, lock_forest
from grids.actions.permission import require
from grids.actions.terms import BATCH
from grids.models import County, GridNode
from partybuilding.forest import BOUNDS, Forest
from partybuilding.models import CompoundRunning, Domain, Member, OrganisationKind, PartyOrganisation, Unit
from partybuilding.organisation_kinds import domain_of_seat, may_hang
from partybuilding.posts import MANAGE_ORGANISATION

UNCHANGED: Any = object()
# An organisation, the name of one (it may be made in the same breath), or none above it.
Above = PartyOrganisation | str | None
_FIELDS = ("name", "kind", "domain", "parent", "node", "unit", "secretary", "founded_on")


@dataclass(frozen=True)
class NewOrganisation:
    """An organisation to be. The fields mean what the arguments of `create_organisation` mean."""

    name: str
    kind: str = OrganisationKind.BRANCH
    domain: str = ""
    parent: Above = None
    node: GridNode | None = None
    unit: Unit | None = None
    secretary: Member | None = None
    founded_on: datetime.date | None = None


@dataclass(frozen=True)
class OrganisationChange:
    """What is to be different of an organisation. What is not given stays."""

    organisation: PartyOrganisation
    name: str = UNCHANGED
    kind: str = UNCHANGED
    domain: str = UNCHANGED
    parent: Above = UNCHANGED
    node: GridNode | None = UNCHANGED
    unit: Unit | None = UNCHANGED
    secretary: Member | None = UNCHANGED
    founded_on: datetime.date | None = UNCHANGED


def create_organisation(
    *,
    actor: Actor,
    county: County,
    name: str,
    kind: str = OrganisationKind.BRANCH,
    domain: str = "",
    parent: Above = None,
    node: GridNode | None = None,
    unit: Unit | None = None,
    secretary: Member | None = None,
    founded_on: datetime.date | None = None,
) -> PartyOrganisation:
    """Makes a party organisation: of a place, of a unit, or a joint one of neither.

    Args:
        domain: the field of party work; empty for the one that goes with the place or the unit.
        secretary: a member of the county. founded_on: not after today.

    Raises:
        NotFound, Forbidden: no `organisation.manage` in the county.
        Invalid: a field is not usable; parent, place, unit or secretary is out of use or of another county; place and
            unit are both given; such a kind does not hang below the parent's.
        Conflict: the county has an organisation of that name.
    """
    row = NewOrganisation(name, kind, domain, parent, node, unit, secretary, founded_on)
    return arrange_organisations(actor=actor, county=county, new=[row])[0]


@transaction.atomic
def arrange_organisations(
    *,
    actor: Actor,
    county: County,
    new: Sequence[NewOrganisation] = (),
    changed: Sequence[OrganisationChange] = (),
) -> list[PartyOrganisation]:
    """Makes and changes many organisations in a few statements, for imports; all or none, in any order of rows.

    Returns the new ones, in their order. Raises as `create_organisation`; Invalid also when the superiors would form a
    circle.
    """
    require(actor, MANAGE_ORGANISATION, county)
    for change in changed:
        require(actor, MANAGE_ORGANISATION, change.organisation)
    writing = _Writing(county, [*new, *changed])
    before = [(writing.forest.get(change.organisation), writing.given(change)) for change in changed]
    made = [writing.plant(row) for row in new]
    renamed = [(one, _set(one, given)) for one, given in before]
    for row, one in zip(new, made, strict=True):
        writing.forest.hang(one, writing.above(row.parent))
    for change, (one, changes) in zip(changed, renamed, strict=True):
        if change.parent is not UNCHANGED:
            _hang(writing, one, writing.above(change.parent), changes)
    writing.write(actor, made, [(one, changes) for one, changes in renamed if changes], "organisation.update")
    return made


@transaction.atomic
def update_organisation(
    *,
    actor: Actor,
    organisation: PartyOrganisation,
    name: str = UNCHANGED,
    kind: str = UNCHANGED,
    domain: str = UNCHANGED,
    node: GridNode | None = UNCHANGED,
    unit: Unit | None = UNCHANGED,
    secretary: Member | None = UNCHANGED,
    founded_on: datetime.date | None = UNCHANGED,
    version: int | None = None,
) -> PartyOrganisation:
    """Corrects an organisation; what is not given stays. Where it hangs is changed by `move_organisation`.

    Raises as `create_organisation`; Stale when the page is old.
    """
    require(actor, MANAGE_ORGANISATION, organisation)
    row = OrganisationChange(organisation, name, kind, domain, UNCHANGED, node, unit, secretary, founded_on)
    writing = _Writing(organisation.county, [row])
    one = writing.forest.get(organisation)
    _refuse_stale(one, version)
    if changes := _set(one, writing.given(row)):
        writing.write(actor, [], [(one, changes)], "organisation.update")
    return one


@transaction.atomic
def move_organisation(
    *,
    actor: Actor,
    organisation: PartyOrganisation,
    parent: PartyOrganisation | None,
    reason: str = "",
    version: int | None = None,
) -> PartyOrganisation:
    """Hangs an organisation with everything below it under another one, or (None) on top.

    Raises:
        NotFound, Forbidden: no `organisation.manage`. Stale: the page is old.
        Invalid: it would hang below itself, such a kind does not hang there, the parent is out of use or elsewhere.
    """
    require(actor, MANAGE_ORGANISATION, organisation)
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason")
    writing = _Writing(organisation.county, [])
    one = writing.forest.get(organisation)
    _refuse_stale(one, version)
    changes: dict[str, tuple[Any, Any]] = {}
    _hang(writing, one, writing.above(parent), changes)
    if changes:
        writing.write(actor, [], [(one, changes)], "organisation.move", reason=reason)
    return one


@transaction.atomic
def retire_organisation(
    *,
    actor: Actor,
    organisation: PartyOrganisation,
    members_to: PartyOrganisation | None = None,
    reason: str = "",
    version: int | None = None,
) -> PartyOrganisation:
    """Takes an organisation out of use. Its members go over to another one, which must be said.

    Raises:
        NotFound, Forbidden: no `organisation.manage`. Stale: the page is old. Invalid: the other one is not usable.
        Conflict: it is out of use already, something in use hangs below it, it is a compound's branch, or it has members
            and nobody said where they go.
    """
    require(actor, MANAGE_ORGANISATION, organisation)
    reason = clean_line(reason, max_length=500, label=_("理由"), field="reason")
    writing = _Writing(organisation.county, [])
    one = writing.forest.get(organisation)
    if not one.is_active:
        raise Conflict(_("“%(name)s”已经停用。") % {"name": one.name}, code="retired")
    _refuse_stale(one, version)
    if any(child.is_active for child in writing.forest.children()[id(one)]):
        raise Conflict(
            _("“%(name)s”之下还有在用的党组织，请先停用或移走它们。") % {"name": one.name}, code="has_children"
        )
    run = CompoundRunning.objects.filter(branch=one, node__retired_at__isnull=True).select_related("node").first()
    if run is not None:
        message = _("“%(place)s”登记的党支部就是它，请先在小区档案里修改。") % {"place": run.node.name}
        raise Conflict(message, code="compound_branch")
    moved = _pass_on(actor, one, writing.above(members_to, field="members_to"), reason)
    changes: dict[str, tuple[Any, Any]] = {"is_active": (True, False)}
    if moved:
        changes["members"] = (moved, 0)
    one.is_active = False
    writing.write(actor, [], [(one, changes)], "organisation.retire", reason=reason)
    return one


@transaction.atomic
def reopen_organisation(
    *, actor: Actor, organisation: PartyOrganisation, version: int | None = None
) -> PartyOrganisation:
    """Takes an organisation into use again, where its superior, place and unit are. Raises as `create_organisation`;
    Conflict when it is in use, Stale when the page is old."""
    require(actor, MANAGE_ORGANISATION, organisation)
    seat = OrganisationChange(organisation, node=organisation.node, unit=organisation.unit)
    writing = _Writing(organisation.county, [seat])
    one = writing.forest.get(organisation)
    if one.is_active:
        raise Conflict(_("“%(name)s”正在使用。") % {"name": one.name}, code="in_use")
    _refuse_stale(one, version)
    one.is_active = True
    writing.write(actor, [], [(one, {"is_active": (False, True)})], "organisation.reopen")
    return one


class _Writing:
    """The locks of one change, and the county's forest under them."""

    def __init__(self, county: County, rows: Sequence[NewOrganisation | OrganisationChange]) -> None:
        self.county = lock_forest(county)
        wanted = {row.node.pk: row.node for row in rows if isinstance(row.node, GridNode)}
        self.nodes = {node.pk: node for node in hold_places(*wanted.values())}
        units = {row.unit.pk for row in rows if isinstance(row.unit, Unit)}
        held = Unit.objects.select_for_update(no_key=True).filter(pk__in=units).order_by("pk")
        self.units = {unit.pk: unit for unit in held}
        members = {row.secretary.pk for row in rows if isinstance(row.secretary, Member)}
        self.members = Member.objects.in_bulk(members)
        self.forest = Forest(self.county)

    def given(self, row: NewOrganisation | OrganisationChange) -> dict[str, Any]:
        """The fields of a row but the parent, clean, with what they point at as it is now."""
        found: dict[str, Any] = {name: getattr(row, name) for name in _FIELDS if name != "parent"}
        for name, check in _CLEAN.items():
            if found[name] is not UNCHANGED:
                found[name] = check(found[name])
        for name, rows in (("node", self.nodes), ("unit", self.units), ("secretary", self.members)):
            if found[name] is not None and found[name] is not UNCHANGED:
                found[name] = rows.get(found[name].pk)
        secretary = found["secretary"]
        if isinstance(secretary, Member) and (secretary.county_id != self.county.pk or not secretary.is_active):
            raise _refusal("secretary", _("书记请选择本县在册的党员。"))
        return {name: value for name, value in found.items() if value is not UNCHANGED}

    def plant(self, row: NewOrganisation) -> PartyOrganisation:
        given = self.given(row)
        given["domain"] = given["domain"] or domain_of_seat(given["node"], given["unit"])
        one = PartyOrganisation(county=self.county, **given)
        if self.forest.named(one.name) is not None:
            raise _taken(one.name)
        self.forest.add(one)
        return one

    def above(self, parent: Above, *, field: str = "parent") -> PartyOrganisation | None:
        """The organisation that is meant, as it stands in the forest. Raises Invalid when there is none in use."""
        if parent is None:
            return None
        found = self.forest.named(parent) if isinstance(parent, str) else self.forest.find(parent)
        if found is None or not found.is_active:
            raise _refusal(field, _("请选择本县在用的党组织。"))
        return found

    def write(
        self,
        actor: Actor,
        made: Sequence[PartyOrganisation],
        changed: Sequence[tuple[PartyOrganisation, dict[str, tuple[Any, Any]]]],
        action: str,
        *,
        reason: str = "",
    ) -> None:
        """Checks what the forest would be and writes it down, with the deeds."""
        bound = self.forest.bind()
        below = self.forest.children()
        for one in (*made, *(one for one, _changes in changed)):
            _check(one, self.county)
            for child in below[id(one)]:
                _check_above(child, one)
        for one, _changes in changed:
            one.version += 1
        rows = {one.pk: one for one in (*(one for one, _changes in changed), *bound) if one.pk}
        fields = [*_FIELDS, "is_active", "version", *BOUNDS]
        try:
            with transaction.atomic():
                for generation in self.forest.generations(made):
                    for one in generation:
                        one.parent_id = one.parent.pk if one.parent else None
                    PartyOrganisation.objects.bulk_create(generation, batch_size=BATCH)
                for one in rows.values():
                    one.parent_id = one.parent.pk if one.parent else None
                PartyOrganisation.objects.bulk_update(rows.values(), fields, batch_size=BATCH)
        except IntegrityError as error:
            raise _taken(next((one.name for one in (*made, *(one for one, _changes in changed))), "")) from error
        told = ("name", "kind", "domain", "parent_id", "node_id", "unit_id")
        deeds = [audit.Deed(one, {name: (None, getattr(one, name)) for name in told}, label=one.name) for one in made]
        audit.record_many(actor=actor, action="organisation.create", deeds=deeds, new=True)
        deeds = [audit.Deed(one, changes, label=one.name, reason=reason) for one, changes in changed]
        audit.record_many(actor=actor, action=action, deeds=deeds)


def _set(one: PartyOrganisation, given: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    changes: dict[str, tuple[Any, Any]] = {}
    if given.get("domain") == "":
        given["domain"] = domain_of_seat(given.get("node", one.node), given.get("unit", one.unit))
    for field, value in given.items():
        before = getattr(one, field)
        if before != value:
            setattr(one, field, value)
            changes[field] = (before, value)
    return changes


def _hang(
    writing: _Writing, one: PartyOrganisation, parent: PartyOrganisation | None, changes: dict[str, tuple[Any, Any]]
) -> None:
    if parent is one.parent:
        return
    changes["parent"] = (one.parent, parent)
    writing.forest.hang(one, parent)


def _check(one: PartyOrganisation, county: County) -> None:
    """Raises Invalid when an organisation could not stand as it is in the forest."""
    if one.node is not None and one.unit is not None:
        raise _refusal("unit", _("党组织要么设在网格，要么设在单位，请只选一个。"))
    if not one.is_active:
        return
    if one.node is not None and (one.node.county_id != county.pk or one.node.is_retired):
        raise _refusal("node", _("请选择本县在用的网格。"))
    if one.unit is not None and (one.unit.county_id != county.pk or not one.unit.is_active):
        raise _refusal("unit", _("请选择本县在用的单位。"))
    if one.parent is not None and not one.parent.is_active:
        raise _refusal("parent", _("上级“%(name)s”已停用，请选择在用的党组织。") % {"name": one.parent.name})
    _check_above(one, one.parent)


def _check_above(child: PartyOrganisation, parent: PartyOrganisation | None) -> None:
    if not child.is_active or may_hang(child.kind, parent.kind if parent else None):
        return
    words = {"kind": child.get_kind_display(), "name": child.name}
    if parent is None:
        raise _refusal("parent", _("“%(name)s”是%(kind)s，请选择上级党支部。") % words)
    words["above"] = f"{parent.get_kind_display()}“{parent.name}”"
    raise _refusal("parent", _("%(above)s之下不设%(kind)s“%(name)s”，请换一个上级，或核对类型。") % words)


def _pass_on(actor: Actor, one: PartyOrganisation, to: PartyOrganisation | None, reason: str) -> int:
    """Hands the members in use over; answers how many there were."""
    members = list(Member.objects.select_for_update(no_key=True).active().filter(branch=one).order_by("pk"))
    if not members:
        return 0
    if to is None:
        message = _("“%(name)s”还有 %(count)d 名党员，请选择他们转到哪个党组织。")
        words = message % {"name": one.name, "count": len(members)}
        raise Conflict(words, code="has_members", fields={"members_to": words})
    if to is one:
        raise _refusal("members_to", _("请选择另一个党组织。"))
    for member in members:
        member.branch = to
    Member.objects.bulk_update(members, ["branch"], batch_size=BATCH)
    label = _("党员 %(n)s")
    deeds = [
        audit.Deed(member, {"branch": (one.pk, to.pk)}, label=label % {"n": member.pk}, reason=reason)
        for member in members
    ]
    audit.record_many(actor=actor, action="member.update", deeds=deeds)
    return len(members)


def _refuse_stale(one: PartyOrganisation, version: int | None) -> None:
    if version is not None and version != one.version:
        raise Stale(_("“%(name)s”刚刚被别人改动过，请刷新页面，看过最新情况后再办理。") % {"name": one.name})


def _clean_name(name: str) -> str:
    return clean_line(name, max_length=100, label=_("党组织名称"), field="name", required=True)


def _clean_kind(kind: str) -> str:
    if kind not in OrganisationKind.values:
        raise _refusal("kind", _("没有这种党组织类型，请从列表中选择。"))
    return kind


def _clean_domain(domain: str) -> str:
    if domain and domain not in Domain.values:
        raise _refusal("domain", _("没有这个领域，请从列表中选择。"))
    return domain


def _clean_day(day: datetime.date | None) -> datetime.date | None:
    if day is not None and day > timezone.localdate():
        raise _refusal("founded_on", _("成立日期不能晚于今天。"))
    return day


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "name": _clean_name,
    "kind": _clean_kind,
    "domain": _clean_domain,
    "founded_on": _clean_day,
}


def _refusal(field: str, message: str) -> Invalid:
    return Invalid(message, fields={field: message})


def _taken(name: str) -> Conflict:
    message = _("本县已有“%(name)s”，请核对。") % {"name": name}
    return Conflict(message, code="name_taken", fields={"name": message})
