"""Reads over check-ins that more than one face needs. How units are counted is said here and nowhere else."""

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone

from core import policies
from core.models import User
from grids.actions.terms import batches
from grids.models import Appointment, GridNode
from grids.naming import COMMUNITY
from grids.posts import POSTS
from grids.querysets import current, in_subtree, unended
from partybuilding.models import Unit, UnitMembership, UnitRole
from partybuilding.policies import UnitScope
from services import posts, standing
from services.models import (
    APPLICATION_OPEN,
    COMMITMENT_OPEN,
    ApplicationState,
    CheckInApplication,
    CheckInRole,
    Commitment,
    UnitCheckIn,
)

# From here on an agreement counts as about to run out.
NOTICE = datetime.timedelta(days=30)
# A unit reports to one of these.
LEVELS = (COMMUNITY, "sector", "compound")


@dataclass(frozen=True)
class Figures:
    """How many units have reported (docs/domain.md#z2). A unit with several check-ins counts once, and leads if one of
    them says so; so lead and supporting add up to the units."""

    units: int = 0
    lead: int = 0

    @property
    def supporting(self) -> int:
        return self.units - self.lead


_UNITS = Count("unit", distinct=True)
_LEAD = Count("unit", distinct=True, filter=Q(role=CheckInRole.LEAD))


def counted(rows: QuerySet[Any]) -> QuerySet[Any]:
    """Those among some check-ins that count: in force today, of units in use."""
    return rows.filter(current(), unit__is_active=True).order_by()


def figures_among(held: Iterable[tuple[int, str]]) -> Figures:
    """The figures of (unit, role) pairs of check-ins that count."""
    pairs = list(held)
    lead = {unit for unit, role in pairs if role == CheckInRole.LEAD}
    return Figures(len({unit for unit, _role in pairs}), len(lead))


def figures_of(rows: QuerySet[Any]) -> Figures:
    """The figures of some check-ins. One query."""
    found = counted(rows).aggregate(units=_UNITS, lead=_LEAD)
    return Figures(found["units"], found["lead"])


def figures_at(node: GridNode) -> Figures:
    """The figures of a place with all that lies in it. One query."""
    return figures_of(UnitCheckIn.objects.filter(in_subtree(node, "node")))


def figures_by_community(rows: QuerySet[Any]) -> dict[int, Figures]:
    """Community id -> figures of the check-ins to it or inside it, among some check-ins. One query."""
    found = counted(rows).filter(node__community__isnull=False).values("node__community_id")
    return {
        row["node__community_id"]: Figures(row["units"], row["leads"])
        for row in found.annotate(units=_UNITS, leads=_LEAD)
    }


# --- What runs out --------------------------------------------------------------------------------------------------


def running_out(day: datetime.date | None = None) -> Q:
    """Check-ins whose agreement runs out within thirty days, or has run out; they go on until somebody renews or ends
    them."""
    day = day or timezone.localdate()
    return Q(until__lte=day + NOTICE, end__isnull=True)


def has_run_out(row: UnitCheckIn, day: datetime.date | None = None) -> bool:
    return row.end is None and row.until is not None and row.until < (day or timezone.localdate())


def runs_out(row: UnitCheckIn, day: datetime.date | None = None) -> bool:
    """Within thirty days, but not yet."""
    day = day or timezone.localdate()
    return row.end is None and row.until is not None and day <= row.until <= day + NOTICE


def may_renew(row: UnitCheckIn) -> bool:
    """Whether the agreement is near enough its end, or has none, to apply for a new one."""
    return row.end is None and (row.until is None or row.until <= timezone.localdate() + NOTICE)


# --- People ---------------------------------------------------------------------------------------------------------


def community_people(node: GridNode) -> QuerySet[User]:
    """Who can be named as the community's liaison for a place: whoever takes in units there, in a post at the community
    (at the place itself, where it lies in none)."""
    held = Appointment.objects.current().filter(node_id=node.community_id or node.pk, post__in=receiving_posts())
    return User.objects.active().filter(pk__in=held.values("user")).order_by("name", "pk")


def receiving_posts() -> list[str]:
    return [post.key for post in POSTS.values() if posts.MANAGE_CHECKIN in post.rights]


def unit_liaisons(unit: Unit) -> QuerySet[User]:
    """Who can be named as the unit's liaison."""
    held = UnitMembership.objects.current().filter(unit=unit, role=UnitRole.LIAISON)
    return User.objects.active().filter(pk__in=held.values("user")).order_by("name", "pk")


# --- Promises under a check-in --------------------------------------------------------------------------------------


def open_promises(checkins: Iterable[int]) -> list[Commitment]:
    """The promises under some check-ins that are neither done nor given up, the next due first."""
    found: list[Commitment] = []
    for some in batches(checkins):
        rows = Commitment.objects.filter(checkin__in=some, state__in=[str(state) for state in COMMITMENT_OPEN])
        found += rows.select_related("unit", "node").order_by("due_on", "pk")
    return found


def takers_of(promises: Iterable[Commitment]) -> dict[int, list[Unit]]:
    """Promise -> the other units that serve where it is for and could take it over, by name. One query a street."""
    found: dict[int, list[Unit]] = {}
    by_tree: dict[int, dict[Unit, list[UnitCheckIn]]] = {}
    for one in promises:
        if one.node.tree_id not in by_tree:
            by_unit = by_tree.setdefault(one.node.tree_id, {})
            here = UnitCheckIn.objects.current().filter(node__tree_id=one.node.tree_id, unit__is_active=True)
            for row in here.select_related("unit", "node").order_by("unit__name", "pk"):
                by_unit.setdefault(row.unit, []).append(row)
        units = by_tree[one.node.tree_id].items()
        found[one.pk] = [
            unit for unit, rows in units if unit.pk != one.unit_id and standing.nearest(rows, one.node) is not None
        ]
    return found


# --- The unit's own -------------------------------------------------------------------------------------------------


def own_units(user: User, right: str) -> QuerySet[Unit]:
    """The units for which the user holds a right."""
    ids = [scope.unit_id for scope in policies.scopes(user, right) if isinstance(scope, UnitScope)]
    return Unit.objects.active().filter(pk__in=ids).order_by("name")


def own_checkins(user: User) -> QuerySet[Any]:
    """Where the user's units report now; what runs out first comes first."""
    rows = UnitCheckIn.objects.filter(unended(), unit__in=own_units(user, posts.VIEW_CHECKIN))
    return rows.select_related("unit", "node").order_by("until", "node__tree_id", "node__lft", "pk")


def own_news(user: User) -> QuerySet[Any]:
    """What the user's units have applied for and is not settled, or was answered lately; newest first. What was accepted
    stands among the check-ins."""
    since = timezone.now() - NOTICE
    shown = Q(state__in=open_states()) | Q(state=ApplicationState.DECLINED, decided_at__gte=since)
    rows = CheckInApplication.objects.filter(shown, unit__in=own_units(user, posts.VIEW_CHECKIN))
    return rows.select_related("unit", "node").order_by("-applied_at", "-pk")


def own_figures(user: User) -> tuple[int, int]:
    """How many places the user's units report to; how many agreements run out without a renewal, and applications were
    sent back. One query."""
    units = own_units(user, posts.VIEW_CHECKIN).order_by()
    asked = CheckInApplication.objects.filter(renews=OuterRef("pk"), state__in=open_states())
    kind = Case(When(running_out() & ~Exists(asked), then=Value("out")), default=Value("held"))
    held = UnitCheckIn.objects.filter(unended(), unit__in=units).order_by().annotate(kind=kind)
    back = CheckInApplication.objects.filter(unit__in=units, state=ApplicationState.SENT_BACK).order_by()
    both = held.values_list("kind").union(back.annotate(kind=Value("back")).values_list("kind"), all=True)
    found = Counter(kind for (kind,) in both)
    return found["held"] + found["out"], found["out"] + found["back"]


def is_unit(scope: Any) -> bool:
    return isinstance(scope, UnitScope)


def places_to_report(county_id: int, inside: GridNode | None = None) -> QuerySet[GridNode]:
    """The communities of a county, or the sectors and compounds of one of them. Their names are no secret: residents
    read them on every QR code."""
    nodes = GridNode.objects.standing().filter(county_id=county_id).order_by("tree_id", "lft")
    if inside is None:
        return nodes.at(COMMUNITY)
    return nodes.at(*LEVELS).inside(inside).exclude(pk=inside.pk)


def taken_places(user: User) -> dict[int, bool]:
    """Place -> whether the user's unit reports there already (else it has applied); nothing for who acts for several.
    Three queries."""
    units = list(own_units(user, posts.APPLY_CHECKIN))
    if len(units) != 1:
        return {}
    asked = CheckInApplication.objects.filter(unit__in=units, state__in=open_states()).order_by()
    held = UnitCheckIn.objects.filter(unended(), unit__in=units).order_by()
    return {
        **dict.fromkeys(asked.values_list("node", flat=True), False),
        **dict.fromkeys(held.values_list("node", flat=True), True),
    }


def waiting(user: User) -> QuerySet[Any]:
    """Applications that wait for the user to take them in."""
    rows = CheckInApplication.objects.filter(policies.within(CheckInApplication, user, posts.MANAGE_CHECKIN))
    return rows.filter(state=ApplicationState.APPLIED).select_related("unit", "node").order_by("applied_at", "pk")


def open_states() -> Iterable[str]:
    return [str(state) for state in APPLICATION_OPEN]
