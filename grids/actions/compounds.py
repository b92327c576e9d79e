"""The physical facts of compounds. Who runs them is written by `partybuilding.actions.running`.

A profile is made with the first fact about it. Writers take the street's lock, as for any other fact of a node: a
compound can not be retired, merged or moved meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from core import audit
from core.actors import Actor
from core.errors import Conflict, Invalid, Stale
from core.text import clean_line
from grids.actions.locks import lock_nodes
from grids.actions.permission import require
from grids.compounds import have_profiles
from grids.models import CompoundProfile, Facility, FacilityKind, GridNode
from grids.posts import MANAGE_COMPOUND, MANAGE_NODE

UNCHANGED: Any = object()
BATCH = 500
EARLIEST_YEAR = 1900
MOST_OF_A_KIND = 100_000
MOST_HOUSEHOLDS = 1_000_000
_FIELDS = ("built_year", "is_demonstration", "note")


@dataclass(frozen=True)
class ProfileFacts:
    """What is said of one compound; what is not given stays as it is.

    Attributes:
        version: of the profile the person saw, 0 where there was none yet; None: whatever stands.
        facilities: kind -> how many today; 0 takes the kind off the list, kinds left out stay.
        households: the node's own figure.
    """

    node: GridNode
    version: int | None = None
    built_year: int | None = UNCHANGED
    is_demonstration: bool = UNCHANGED
    note: str = UNCHANGED
    facilities: Mapping[str, int] = field(default_factory=dict)
    households: int | None = UNCHANGED


def describe_compound(*, actor: Actor, node: GridNode, **facts: Any) -> CompoundProfile:
    """Writes down what stands in a compound; makes its profile when there is none. `facts`: as `ProfileFacts`.

    Raises:
        NotFound, Forbidden: no `compound.manage` there (for households: no `node.manage`).
        Invalid: a fact is not usable, or such a place has no profile. Conflict: it is retired. Stale.
    """
    return describe_compounds(actor=actor, rows=[ProfileFacts(node, **facts)])[0]


@transaction.atomic
def describe_compounds(*, actor: Actor, rows: Sequence[ProfileFacts]) -> list[CompoundProfile]:
    """The same for many, in a few statements, for imports; all or none. Raises as `describe_compound`."""
    nodes = lock_compounds(actor, [row.node for row in rows])
    profiles = {row.node_id: row for row in _profiles(nodes)}
    written = [_Written(row, node, profiles.get(node.pk)) for row, node in zip(rows, nodes, strict=True)]
    new = [one.profile for one in written if one.is_new]
    changed = [one.profile for one in written if one.changes and not one.is_new]
    for profile in changed:
        profile.version += 1
    CompoundProfile.objects.bulk_create(new, batch_size=BATCH)
    CompoundProfile.objects.bulk_update(changed, [*_FIELDS, "version"], batch_size=BATCH)
    _write_facilities(written)
    for group in (True, False):
        deeds = [
            audit.Deed(one.profile, one.changes, label=one.node.path)
            for one in written
            if one.is_new is group and (one.changes or group)
        ]
        audit.record_many(actor=actor, action="compound.describe", deeds=deeds, new=group)
    _write_households(actor, [(one.node, one.given.households) for one in written])
    return [one.profile for one in written]


def check_profile(facts: ProfileFacts) -> None:
    """Whether everything that is given can be used. Raises Invalid."""
    for name, clean in _CLEAN.items():
        value = getattr(facts, name)
        if value is not UNCHANGED:
            clean(value)
    for kind, count in facts.facilities.items():
        _clean_count(kind, count)


def lock_compounds(actor: Actor, nodes: Sequence[GridNode]) -> list[GridNode]:
    """Asks for the right at some compounds, locks their streets, and returns the nodes as they are now.

    Raises NotFound, Forbidden; Conflict when one is retired; Invalid when one is of a level without profiles.
    """
    require(actor, MANAGE_COMPOUND, *nodes)
    fresh = lock_nodes(*nodes)
    levels = have_profiles(fresh)
    for node in fresh:
        if node.is_retired:
            raise Conflict(_("“%(place)s”已撤销，不能再改动。") % {"place": node.path}, code="retired")
        if node.level_type_id not in levels:
            message = _("“%(place)s”是%(level)s，没有小区档案，请选择小区。") % {
                "place": node.path,
                "level": node.level_type.name,
            }
            raise Invalid(message, fields={"node": message})
    return fresh


def refuse_stale(node: GridNode, seen: int | None, stands: int) -> None:
    """Raises Stale when somebody else wrote since the person looked. Versions begin at 1; 0 is "nothing yet"."""
    if seen is not None and seen != stands:
        raise Stale(_("“%(place)s”刚刚被别人改动过。没有做任何改动，请看过最新情况后再办理。") % {"place": node.path})


def _profiles(nodes: Sequence[GridNode]) -> list[CompoundProfile]:
    found: list[CompoundProfile] = []
    for start in range(0, len(nodes), BATCH):
        rows = CompoundProfile.objects.filter(node__in=nodes[start : start + BATCH])
        found += rows.select_related(None).prefetch_related("facilities")
    return found


class _Written:
    """One row on its way: the profile with the given facts in it, and what changed."""

    def __init__(self, given: ProfileFacts, node: GridNode, stands: CompoundProfile | None) -> None:
        self.given, self.node = given, node
        self.is_new = stands is None
        refuse_stale(node, given.version, stands.version if stands else 0)
        self.profile = stands or CompoundProfile(node=node, county=node.county)
        self.counts = {row.kind: row.count for row in stands.facilities.all()} if stands else {}
        self.changes: dict[str, tuple[Any, Any]] = {}
        for name in _FIELDS:
            value = getattr(given, name)
            if value is not UNCHANGED:
                self._set(name, _CLEAN[name](value))
        for kind, count in given.facilities.items():
            before, after = self.counts.get(kind, 0), _clean_count(kind, count)
            if before != after:
                self.changes[f"facility_{kind}"] = (before, after)

    def _set(self, name: str, value: Any) -> None:
        before = getattr(self.profile, name)
        if before != value:
            setattr(self.profile, name, value)
            self.changes[name] = (None if self.is_new else before, value)

    def facilities(self) -> list[Facility]:
        return [
            Facility(profile=self.profile, kind=kind, count=count)
            for kind, count in self.given.facilities.items()
            if f"facility_{kind}" in self.changes
        ]


def _write_facilities(written: Sequence[_Written]) -> None:
    rows = [row for one in written for row in one.facilities()]
    gone = [row for row in rows if row.count == 0]
    for start in range(0, len(gone), BATCH):
        some = gone[start : start + BATCH]
        kinds = {row.kind for row in some}
        for kind in kinds:
            profiles = [row.profile for row in some if row.kind == kind]
            Facility.objects.filter(profile__in=profiles, kind=kind).delete()
    Facility.objects.bulk_create(
        [row for row in rows if row.count],
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["profile", "kind"],
        update_fields=["count"],
    )


def _write_households(actor: Actor, given: Sequence[tuple[GridNode, Any]]) -> None:
    """The node's own fact, by the node's own rules (`grids.actions.tree.describe_node`)."""
    changed, deeds = [], []
    for node, value in given:
        if value is UNCHANGED or value == node.households:
            continue
        require(actor, MANAGE_NODE, node)
        _clean_households(value)
        deeds.append(audit.Deed(node, {"households": (node.households, value)}, label=node.path))
        node.households = value
        node.version += 1
        changed.append(node)
    GridNode.objects.bulk_update(changed, ["households", "version"], batch_size=BATCH)
    audit.record_many(actor=actor, action="node.describe", deeds=deeds)


def _clean_year(value: int | None) -> int | None:
    latest = timezone.localdate().year
    if value is not None and not EARLIEST_YEAR <= value <= latest:
        message = _("建成年份请填 %(first)d 到 %(last)d 之间的四位数字。") % {"first": EARLIEST_YEAR, "last": latest}
        raise _bad("built_year", message)
    return value


def _clean_note(value: str) -> str:
    return clean_line(value, max_length=500, label=_("备注"), field="note")


def _clean_count(kind: str, count: int) -> int:
    if kind not in FacilityKind.values:
        raise _bad("facilities", _("没有这种设施，请从列表中选择。"))
    if not 0 <= count <= MOST_OF_A_KIND:
        raise _bad(f"facility_{kind}", _("%(what)s请填写 0 或更大的整数。") % {"what": FacilityKind(kind).label})
    return count


def _clean_households(value: int | None) -> int | None:
    if value is not None and not 0 <= value <= MOST_HOUSEHOLDS:
        raise _bad("households", _("户数请填写 0 或更大的整数。"))
    return value


_CLEAN: dict[str, Callable[[Any], Any]] = {
    "built_year": _clean_year,
    "is_demonstration": bool,
    "note": _clean_note,
    "households": _clean_households,
}


def _bad(name: str, message: str) -> Invalid:
    return Invalid(message, fields={name: message})
