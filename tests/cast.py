"""The fixed cast: one county, three communities, and a person in every role, in 白龙塘社区 (`a`), in the neighbour
城北社区 (`b`, whose people are the strangers of `a`), on the street, at the county, and in a county next door.

    def test_the_neighbour_knows_nothing(cast):
        demand = make_demand(cast.a.building, cast.category)
        assert not policies.sees(cast.b.secretary, demand)

`cast.people()` names everybody for tests that walk all roles.

Thousands of tests ask for the cast, and each has it to itself. It is made by the factories once; for the tests after that
the same rows are written again as they were, in one statement a table, and the same objects are copied.
"""

import datetime
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model, QuerySet
from django.db.models.sql import InsertQuery
from django.utils import timezone

from core.models import User
from grids.models import County, GridNode
from partybuilding.models import Member, Unit
from services.models import Category, CheckInRole, LoopSettings
from tests import factories as make
from tests.factories import spec


@dataclass
class CommunityCast:
    """One community: its places, its cadres, its lead unit and its supporting unit."""

    node: GridNode
    compound: GridNode
    grid: GridNode
    building: GridNode
    entrance: GridNode
    floor: GridNode
    other_building: GridNode
    secretary: User
    officer: User
    team_lead: User
    keeper: User
    building_head: User
    unit: Unit
    liaison: User
    staff: User
    member: Member
    second_member: Member
    supporting_unit: Unit
    supporting_liaison: User
    supporting_member: Member

    @property
    def member_user(self) -> User:
        assert self.member.user is not None
        return self.member.user

    @property
    def second_member_user(self) -> User:
        assert self.second_member.user is not None
        return self.second_member.user


@dataclass
class Cast:
    county: County
    settings: LoopSettings
    categories: dict[str, Category]
    category: Category
    street: GridNode
    a: CommunityCast
    b: CommunityCast
    empty_community: GridNode
    other_street: GridNode
    other_street_community: GridNode
    street_secretary: User
    street_officer: User
    other_street_officer: User
    department: User
    admin: User
    auditor: User
    idle_unit: Unit
    idle_liaison: User
    superuser: User
    nobody: User
    other_county: County
    other_county_department: User
    other_county_admin: User
    other_county_community: GridNode
    other_county_secretary: User

    def people(self) -> dict[str, User]:
        """Every account of the cast by name: `a.secretary`, `department` ... Members by their own account."""
        found: dict[str, User] = {}
        for prefix, part in (("", self), ("a.", self.a), ("b.", self.b)):
            for one in fields(part):
                value = getattr(part, one.name)
                if isinstance(value, Member):
                    value = value.user
                if isinstance(value, User):
                    found[prefix + one.name] = value
        return found


def _community(name: str) -> make.Spec:
    return spec(
        "community",
        name,
        spec(
            "compound",
            "和谐小区",
            spec(
                "grid",
                "第一网格",
                spec("building", "1 号楼", spec("unit_entrance", "1 单元", spec("floor", "1 层"))),
                spec("building", "2 号楼"),
            ),
        ),
    )


def _people(nodes: list[GridNode], unit_name: str, supporting_name: str, mark: str) -> CommunityCast:
    """The people of one community; `mark` tells the two casts' names apart on a page."""
    node, grid, building = nodes[0], nodes[2], nodes[3]
    unit = make.make_unit(node.county, unit_name)
    supporting = make.make_unit(node.county, supporting_name)
    make.check_in(unit, node, CheckInRole.LEAD)
    make.check_in(supporting, node, CheckInRole.SUPPORTING)
    return CommunityCast(
        *nodes,
        secretary=make.make_cadre(f"书记{mark}", "community_secretary", node),
        officer=make.make_cadre(f"两委{mark}", "community_officer", node),
        team_lead=make.make_cadre(f"队长{mark}", "community_team_lead", node),
        keeper=make.make_cadre(f"网格员{mark}", "grid_keeper", grid),
        building_head=make.make_cadre(f"楼栋长{mark}", "building_head", building),
        unit=unit,
        liaison=make.make_unit_person(f"联络员{mark}", unit),
        staff=make.make_unit_person(f"工作人员{mark}", unit, "staff"),
        member=make.make_member(f"党员{mark}", unit),
        second_member=make.make_member(f"第二党员{mark}", unit),
        supporting_unit=supporting,
        supporting_liaison=make.make_unit_person(f"配合联络员{mark}", supporting),
        supporting_member=make.make_member(f"配合党员{mark}", supporting),
    )


def make_cast() -> Cast:
    county = make.make_county("西乡县", "610724")
    categories = make.make_categories(county)
    nodes = make.grow(
        county,
        spec("street", "城北街道", _community("白龙塘社区"), _community("城北社区"), spec("community", "新民社区")),
    )
    street, a, b, empty = nodes[0], nodes[1:8], nodes[8:15], nodes[15]
    other = make.grow(county, spec("street", "城南街道", spec("community", "南门社区")))
    next_door = make.make_county("镇安县", "611025")
    make.make_categories(next_door)
    make.make_settings(next_door)
    far = make.grow(next_door, spec("street", "永乐街道", spec("community", "城关社区")))
    idle = make.make_unit(county, "县气象局")
    return Cast(
        county=county,
        settings=make.make_settings(county),
        categories=categories,
        category=categories["水电气暖"],
        street=street,
        a=_people(a, "县住建局", "县水务局", "甲"),
        b=_people(b, "县交通局", "县卫健局", "乙"),
        empty_community=empty,
        other_street=other[0],
        other_street_community=other[1],
        street_secretary=make.make_cadre("街道书记", "street_secretary", street),
        street_officer=make.make_cadre("街道干部", "street_officer", street),
        other_street_officer=make.make_cadre("城南干部", "street_officer", other[0]),
        department=make.make_cadre("组织部", "county_department", county),
        admin=make.make_cadre("管理员", "county_admin", county),
        auditor=make.make_cadre("审计员", "county_auditor", county),
        idle_unit=idle,
        idle_liaison=make.make_unit_person("气象联络员", idle),
        superuser=make.make_user("系统维护", is_superuser=True),
        nobody=make.make_user("无职务者", county=county),
        other_county=next_door,
        other_county_department=make.make_cadre("邻县组织部", "county_department", next_door),
        other_county_admin=make.make_cadre("邻县管理员", "county_admin", next_door),
        other_county_community=far[1],
        other_county_secretary=make.make_cadre("邻县书记", "community_secretary", far[1]),
    )


# --- Once made, written again ---------------------------------------------------------------------------------------


@dataclass
class Kept:
    """A cast that was made, as copies of its objects and as the statements that write its rows."""

    at: datetime.datetime
    objects: bytes
    statements: Sequence[tuple[str, Sequence[Any]]]

    def fits(self, now: datetime.datetime) -> bool:
        """Whether one made now would say the same: a test that travels to another day has a cast of that day."""
        there, here = timezone.localtime(self.at), timezone.localtime(now)
        return here.date() == there.date() and datetime.timedelta(0) <= here - there < datetime.timedelta(hours=1)

    def write(self) -> Cast:
        with transaction.atomic(), connection.cursor() as cursor:
            for statement, values in self.statements:
                cursor.execute(statement, values)
        found: Cast = pickle.loads(self.objects)
        return found


_kept: list[Kept] = []


def given_cast() -> Cast:
    """A cast in a database without people: made, or written as it was once made in this process.

    The keys are the same each time. A sequence never gives them again: it only counts on, and where it is rolled back
    with the test (SQLite), writing the rows moves it behind them.
    """
    if User.objects.exists() or County.objects.exists():
        return make_cast()
    now = timezone.now()
    for one in _kept:
        if one.fits(now):
            return one.write()
    with transaction.atomic():
        before = {model for model in _tables() if _rows(model).exists()}
        made = make_cast()
        written = [list(_rows(model)) for model in _tables() if model not in before and _rows(model).exists()]
    _kept.append(Kept(now, pickle.dumps(made), [_statement(rows) for rows in written]))
    return made


def _tables() -> list[type[Model]]:
    return [model for model in apps.get_models(include_auto_created=True) if not model._meta.proxy]


def _rows(model: type[Model]) -> QuerySet[Model]:
    return QuerySet(model=model)


def _statement(rows: list[Model]) -> tuple[str, Sequence[Any]]:
    """What writes the rows as they stand, keys and times included."""
    query = InsertQuery(type(rows[0]))
    query.insert_values(rows[0]._meta.local_concrete_fields, rows, raw=True)
    [one] = query.get_compiler(connection=connection).as_sql()
    return one


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody, in one database state that each test has to itself."""
    return given_cast()


@pytest.fixture
def transactional_cast(transactional_db: None) -> Cast:
    """The same for tests whose threads or processes must see committed rows."""
    return given_cast()
