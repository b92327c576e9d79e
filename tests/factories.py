"""Rows for tests, made plainly: no randomness, no clever defaults, and no action under test in the way.

What a test does not care about gets a telling default; what it does care about it says itself. Nodes are written with
computed bounds, in one pass per street. For named people in every role see `tests.cast`.
"""

import datetime
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.hashers import make_password
from django.utils import timezone

from core.codes import new_matter_code
from core.models import User
from grids.care import expiry
from grids.models import Appointment, CareHousehold, CareNeed, County, GridNode, Level
from grids.naming import path_of
from partybuilding.models import (
    Member,
    Pairing,
    PairingProblem,
    PairingVisit,
    PartyOrganisation,
    Unit,
    UnitKind,
    UnitMembership,
)
from services.models import (
    Category,
    CheckInRole,
    Demand,
    LoopSettings,
    SubOrder,
    SubOrderRole,
    UnitCheckIn,
)

PASSWORD = "Ying-Chun-2026"
_phones = itertools.count(13900000001)
_matters = itertools.count(1)
_rooms = itertools.count(101)
_hashed: dict[str, str] = {}

LEVELS: tuple[tuple[str, str, str], ...] = (
    ("street", "街道", "street_secretary"),
    ("community", "社区", "community_secretary"),
    ("sector", "片区", "sector_lead"),
    ("compound", "小区", "compound_lead"),
    ("grid", "网格", "grid_keeper"),
    ("building", "楼栋", "building_head"),
    ("unit_entrance", "单元", "entrance_head"),
    ("floor_section", "分楼层", "floor_section_head"),
    ("floor", "楼层", "floor_head"),
)


# --- People ---------------------------------------------------------------------------------------------------------


def next_phone() -> str:
    """A mobile number nobody has yet."""
    return str(next(_phones))


def make_user(name: str = "王一", *, county: County | None = None, phone: str = "", **fields: Any) -> User:
    """An account that signs in with `PASSWORD`."""
    if PASSWORD not in _hashed:
        _hashed[PASSWORD] = make_password(PASSWORD)
    return User.objects.create(
        name=name,
        phone=phone or next_phone(),
        password=_hashed[PASSWORD],
        county_key=county.pk if county else None,
        **fields,
    )


def make_cadre(name: str, post: str, place: GridNode | County, **fields: Any) -> User:
    """An account with one appointment, at a node or at the county."""
    county = place if isinstance(place, County) else place.county
    user = make_user(name, county=county, **fields)
    make_appointment(user, post, place)
    return user


def make_appointment(user: User, post: str, place: GridNode | County, **fields: Any) -> Appointment:
    where = {"county": place} if isinstance(place, County) else {"node": place}
    return Appointment.objects.create(user=user, post=post, **where, **fields)


def fresh(user: User) -> User:
    """The same person as the next request would load them: nothing remembered of what they held before."""
    return User.objects.get(pk=user.pk)


# --- Places ---------------------------------------------------------------------------------------------------------


@dataclass
class Spec:
    """A node to be: level key, name, what hangs below it. `GridNode` fields by keyword."""

    level: str
    name: str
    children: Sequence["Spec"] = ()
    fields: dict[str, Any] = field(default_factory=dict)


def spec(level: str, name: str, *children: Spec, **fields: Any) -> Spec:
    return Spec(level, name, children, fields)


def make_county(name: str = "西乡县", code: str = "610724", **fields: Any) -> County:
    """A county with every level there is, so that a test may skip as it likes."""
    county = County.objects.create(name=name, code=code, **fields)
    Level.objects.bulk_create(
        Level(county=county, key=key, name=label, order=order * 10, holder_post=post)
        for order, (key, label, post) in enumerate(LEVELS, start=1)
    )
    return county


def grow(county: County, street: Spec) -> list[GridNode]:
    """A street with everything below it, written in one pass. Returns the nodes in reading order."""
    levels = {level.key: level for level in county.levels.all()}
    last = GridNode.objects.order_by("-tree_id").values_list("tree_id", flat=True).first() or 0
    generations: dict[int, list[GridNode]] = {}
    everything: list[GridNode] = []
    bound = itertools.count(1)

    def plant(one: Spec, parent: GridNode | None, community: GridNode | None, position: int) -> None:
        depth = parent.depth + 1 if parent else 0
        values = dict(one.fields)
        code = values.pop("code", "") or _code(county, one, parent, position)
        node = GridNode(
            county=county,
            level_type=levels[one.level],
            parent=parent,
            name=one.name,
            path=path_of(parent.path if parent else "", one.name),
            code=code,
            tree_id=last + 1,
            depth=depth,
            lft=next(bound),
            rght=0,
            **values,
        )
        everything.append(node)
        generations.setdefault(depth, []).append(node)
        node.community = node if one.level == "community" else community
        for number, child in enumerate(one.children, start=1):
            plant(child, node, node.community, number)
        node.rght = next(bound)

    plant(street, None, None, 1)
    for _depth, nodes in sorted(generations.items()):
        own = [node for node in nodes if node.community is node]
        for node in nodes:
            node.parent_id = node.parent.pk if node.parent else None
            node.community_id = node.community.pk if node.community and node.community is not node else None
        for node in own:
            node.community = None
        GridNode.objects.bulk_create(nodes)
        for node in own:
            node.community_id = node.pk
        if own:
            GridNode.objects.bulk_update(own, ["community"])
    return everything


def _code(county: County, one: Spec, parent: GridNode | None, position: int) -> str:
    if one.level == "street":
        taken = GridNode.objects.filter(county=county, depth=0).count()
        return f"{county.code}{taken + position:03d}000"
    assert parent is not None
    if one.level == "community":
        return f"{parent.code[:9]}{position:03d}"
    return f"{parent.code}{position:03d}"


def make_node(parent: GridNode, level: str, name: str, **fields: Any) -> GridNode:
    """One more node as the last child of `parent`; for what a test adds to a street already grown."""
    parent.refresh_from_db()
    number = parent.children.count() + 1
    one = Spec(level, name)
    community = parent.community
    node = GridNode.objects.create(
        county=parent.county,
        level_type=parent.county.levels.get(key=level),
        parent=parent,
        community=community,
        name=name,
        path=path_of(parent.path, name),
        code=fields.pop("code", "") or _code(parent.county, one, parent, number),
        **fields,
    )
    if level == "community":
        GridNode.objects.filter(pk=node.pk).update(community=node)
    parent.refresh_from_db()
    node.refresh_from_db()
    return node


# --- Units and members ----------------------------------------------------------------------------------------------


def make_unit(county: County, name: str = "县住建局", **fields: Any) -> Unit:
    return Unit.objects.create(county=county, name=name, **{"kind": UnitKind.DEPARTMENT, **fields})


def make_unit_person(name: str, unit: Unit, role: str = "liaison", **fields: Any) -> User:
    """An account acting for a unit."""
    user = make_user(name, county=unit.county, **fields)
    UnitMembership.objects.create(user=user, unit=unit, role=role)
    return user


def make_member(name: str, unit: Unit, *, account: bool = True, **fields: Any) -> Member:
    """A party member of a unit, with an account of their own unless told otherwise."""
    user = make_user(name, county=unit.county) if account else None
    phone = user.phone if user else next_phone()
    return Member.objects.create(county=unit.county, name=name, phone=phone, unit=unit, user=user, **fields)


def make_organisation(county: County, name: str, **fields: Any) -> PartyOrganisation:
    return PartyOrganisation.objects.create(county=county, name=name, **fields)


def make_pairing(node: GridNode, holder: User | Unit, kind: str = "", **fields: Any) -> Pairing:
    """A pairing that began a year ago, with a person (a cadre's unless told otherwise) or a unit."""
    who = {"unit": holder} if isinstance(holder, Unit) else {"user": holder}
    kind = kind or ("department" if "unit" in who else "cadre")
    start = timezone.localdate() - datetime.timedelta(days=365)
    return Pairing.objects.create(county=node.county, kind=kind, node=node, **who, **{"start": start, **fields})


def make_visit(pairing: Pairing, text: str = "看了楼道和消防通道", **fields: Any) -> PairingVisit:
    return PairingVisit.objects.create(pairing=pairing, text=text, **{"visited_on": timezone.localdate(), **fields})


def make_problem(pairing: Pairing, text: str = "单元门坏了", **fields: Any) -> PairingProblem:
    return PairingProblem.objects.create(pairing=pairing, text=text, **{"found_on": timezone.localdate(), **fields})


def check_in(unit: Unit, node: GridNode, role: str = CheckInRole.LEAD, **fields: Any) -> UnitCheckIn:
    return UnitCheckIn.objects.create(unit=unit, node=node, role=role, **fields)


# --- Settings and demands -------------------------------------------------------------------------------------------


def make_categories(county: County, names: Iterable[str] = ("环境卫生", "水电气暖", "其他")) -> dict[str, Category]:
    rows = [
        Category(county=county, name=name, order=order * 10, hint="", icon="more")
        for order, name in enumerate(names, start=1)
    ]
    return {row.name: row for row in Category.objects.bulk_create(rows)}


def make_settings(county: County, **fields: Any) -> LoopSettings:
    return LoopSettings.objects.create(county=county, **fields)


def make_demand(node: GridNode, category: Category | None = None, **fields: Any) -> Demand:
    """A demand as a bare row: no event, no clock, no notice. For the life of one use the actions.

    A demand in a later state needs what comes with it (units, times): say so in `fields`.
    """
    number = next(_matters)
    return Demand.objects.create(
        **{
            "county": node.county,
            "node": node,
            "community_id": node.community_id,
            "category": category or Category.objects.filter(county=node.county).first(),
            "code": f"{new_matter_code(timezone.localdate())[:9]}{number:06d}",
            "title": "楼道灯不亮",
            "text": "三楼楼道灯坏了一周，老人晚上上下楼不方便。",
            **fields,
        }
    )


def make_suborder(demand: Demand, unit: Unit, role: str = SubOrderRole.LEAD, **fields: Any) -> SubOrder:
    """A sub-order as a bare row. The lead's unit becomes the demand's, as the engine keeps it."""
    suborder = SubOrder.objects.create(demand=demand, unit=unit, role=role, **fields)
    if role == SubOrderRole.LEAD:
        demand.lead_unit = unit
        demand.save(update_fields=["lead_unit"])
    return suborder


# --- Care -----------------------------------------------------------------------------------------------------------


def make_household(
    node: GridNode, needs: Iterable[str] = ("elderly_alone",), *, days_ago: int = 0, **fields: Any
) -> CareHousehold:
    """An entry of the care ledger, confirmed so many days ago and never visited since; a made-up resident."""
    confirmed = timezone.localdate() - datetime.timedelta(days=days_ago)
    one = CareHousehold.objects.create(
        **{
            "county": node.county,
            "node": node,
            "community_id": node.community_id,
            "room": f"{next(_rooms)}室",
            "name": "赵秀兰",
            "phone": next_phone(),
            "consent": "written",
            "consent_on": confirmed,
            "confirmed_on": confirmed,
            "expires_on": expiry(confirmed, 12),
            "next_visit_on": confirmed + datetime.timedelta(days=7),
            **fields,
        }
    )
    CareNeed.objects.bulk_create(CareNeed(household=one, kind=kind) for kind in needs)
    return one
