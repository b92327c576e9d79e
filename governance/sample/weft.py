"""The units of the sample: their people, party organisations and members, and where they have reported."""

import datetime
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from core.periods import day_start
from governance.sample import facts as figures
from governance.sample.facts import CountyFacts
from governance.sample.organisations import choose_secretaries, found_organisations
from governance.sample.people import BATCH, Accounts
from governance.sample.tree import even, share
from governance.sample.units import units_of
from grids.models import County, GridNode
from partybuilding.models import (
    DOMAIN_OF_KIND,
    Member,
    Unit,
    UnitKind,
    UnitMembership,
    UnitRole,
)
from services.models import CheckInRole, UnitCheckIn

_STAFF = 2
# No unit is without a few members, so that it has somebody to ask.
_FEWEST_MEMBERS = 6
# The two whose liaisons can be signed in with, and the one whose member can.
SHOWN_UNITS = ("住建局", "城管局")


@dataclass
class Weft:
    """The units of a county.

    Attributes:
        fields: unit key -> the matters it is the right one for.
        liaisons: unit key -> its liaison's membership. members: unit key -> its members.
        checkins: the units' reports to places.
    """

    units: list[Unit]
    fields: dict[int, tuple[str, ...]]
    reach: dict[int, int]
    liaisons: dict[int, UnitMembership] = field(default_factory=dict)
    memberships: list[UnitMembership] = field(default_factory=list)
    members: dict[int, list[Member]] = field(default_factory=lambda: defaultdict(list))
    checkins: list[UnitCheckIn] = field(default_factory=list)


def raise_units(county: County, facts: CountyFacts, founded: datetime.date) -> Weft:
    """Writes the county's units."""
    described = units_of(facts.units)
    units = [
        Unit(
            county=county,
            name=one.name,
            short_name=one.short_name,
            kind=one.kind,
            domain=DOMAIN_OF_KIND[UnitKind(one.kind)],
            duty=one.duty,
            address=f"示例路{number}号",
            created_at=day_start(founded),
        )
        for number, one in enumerate(described, start=1)
    ]
    Unit.objects.bulk_create(units, batch_size=BATCH)
    pairs = list(zip(units, described, strict=True))
    return Weft(
        units,
        fields={unit.pk: one.fields for unit, one in pairs},
        reach={unit.pk: one.reach for unit, one in pairs},
    )


def staff_units(accounts: Accounts, county: County, facts: CountyFacts, weft: Weft, shown: bool) -> None:
    """Gives every unit a liaison, staff and members; unsaved, as their people are written first."""
    rng = Random(f"{facts.code} members")  # noqa: S311
    spare = facts.members - _FEWEST_MEMBERS * len(weft.units)
    sizes = share(spare + len(weft.units), len(weft.units), rng) if spare > 0 else even(facts.members, len(weft.units))
    floor = _FEWEST_MEMBERS - 1 if spare > 0 else 0
    for unit, size in zip(weft.units, sizes, strict=True):
        if shown and unit.short_name in SHOWN_UNITS:
            liaison = accounts.show(county, role=f"{unit.short_name}联络员", door="/m/")
        else:
            liaison = accounts.hire(county)
        start = accounts.day - datetime.timedelta(days=rng.randint(200, 400))
        weft.liaisons[unit.pk] = UnitMembership(user=liaison, unit=unit, role=UnitRole.LIAISON, start=start)
        weft.memberships.append(weft.liaisons[unit.pk])
        weft.memberships += [
            UnitMembership(user=accounts.hire(county), unit=unit, role=UnitRole.STAFF, start=start)
            for _number in range(_STAFF)
        ]
        for number in range(size + floor):
            if shown and unit.short_name == SHOWN_UNITS[0] and number == 0:
                user = accounts.show(county, role=f"党员（{unit.short_name}）", door="/m/")
            else:
                user = accounts.hire(county)
            made = day_start(start)
            weft.members[unit.pk].append(
                Member(county=county, name=user.name, phone=user.phone, unit=unit, user=user, created_at=made)
            )


def write_people(weft: Weft, county: County, nodes: list[GridNode], compounds: Mapping[int, str]) -> None:
    """Writes memberships, party organisations and members, once their accounts are there.

    Args:
        compounds: compound key -> the branch that is set up there.
    """
    UnitMembership.objects.bulk_create(weft.memberships, batch_size=BATCH)
    branches = found_organisations(county, nodes, weft.units, compounds)
    for unit in weft.units:
        for member in weft.members[unit.pk]:
            member.branch = branches[unit.pk]
    members = [row for rows in weft.members.values() for row in rows]
    Member.objects.bulk_create(members, batch_size=BATCH)
    choose_secretaries(county, members)


def report_units(facts: CountyFacts, nodes: list[GridNode], weft: Weft, day: datetime.date) -> None:
    """Has every unit report to its places; unsaved, what belongs to a check-in comes later (`checkins.py`)."""
    rng = Random(f"{facts.code} check-ins")  # noqa: S311
    communities = [node for node in nodes if node.level_key == "community"]
    if facts.preset == "xixiang":
        places = _xixiang_places(communities, weft, rng)
    else:
        places = _zhenan_places(communities, [node for node in nodes if node.level_key == "sector"], weft)
    for unit, node, role in places:
        start = day - datetime.timedelta(days=rng.randint(190, 400))
        weft.checkins.append(UnitCheckIn(unit=unit, node=node, role=role, start=start))


Place = tuple[Unit, GridNode, str]


def _xixiang_places(communities: list[GridNode], weft: Weft, rng: Random) -> list[Place]:
    """One lead department to a community (docs/domain.md#x5); the rest support, some in many communities."""
    places: list[Place] = []
    for number, unit in enumerate(weft.units):
        home = number % len(communities)
        lead = number < len(communities)
        places.append((unit, communities[home], CheckInRole.LEAD if lead else CheckInRole.SUPPORTING))
        others = [node for node in communities if node is not communities[home]]
        supported = rng.sample(others, min(weft.reach[unit.pk], len(others)))
        places += [(unit, node, CheckInRole.SUPPORTING) for node in supported]
    return places


def _zhenan_places(communities: list[GridNode], sectors: list[GridNode], weft: Weft) -> list[Place]:
    """新城社区: 16 units, 8 leading (docs/domain.md#z2); elsewhere each sector has a lead and a supporting unit, and
    the units left over report to the community itself."""
    home, others = communities[0], communities[1:]
    roles = [CheckInRole.LEAD] * figures.XINCHENG_LEAD + [CheckInRole.SUPPORTING] * figures.XINCHENG_SUPPORTING
    places: list[Place] = [(unit, home, role) for unit, role in zip(weft.units, roles, strict=False)]
    rest = iter(weft.units[len(roles) :])
    outside = [sector for sector in sectors if sector.community_id != home.pk]
    for role in (CheckInRole.LEAD, CheckInRole.SUPPORTING):
        places += [(next(rest), sector, role) for sector in outside]
    places += [(unit, others[number % len(others)], CheckInRole.SUPPORTING) for number, unit in enumerate(rest)]
    return places
